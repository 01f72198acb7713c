"""The invented market: who is on which list at what rank and price, where each works and with which pools."""
from county import LETTERS
from draw import Draw

SERVICES = ((1, "PC"), (2, "NA"), (3, "NS"), (4, "LI"))
KIND_OF_SERVICE = {1: 1, 2: 2, 3: 2, 4: 3}
KIND_NAME = {1: "TIME", 2: "NIGHT", 3: "PLACE"}
FRAMEWORK, SPOT, POLR = 1, 2, 4
SKILLS = (("hoist", 95), ("peg", 60), ("insulin", 65), ("catheter", 80), ("stoma", 70), ("dementia", 92),
          ("mental_health", 70), ("learning_disability", 70), ("end_of_life", 70), ("medication", 100))
LANGUAGES = ("en", "bn", "ur", "pa", "pl", "ro", "gu", "tr", "pt", "fr", "es", "zh", "bfi")
FIRST_FIRMS, SECOND_FIRMS, SPOT_FIRMS = 55, 85, 60
FIRST_QUOTAS = [1] * 15 + [2] * 20 + [3] * 15 + [4] * 5
SECOND_QUOTAS = [1] * 50 + [2] * 25 + [3] * 10
SPOT_QUOTAS = [1] * 14 + [2] * 24 + [3] * 18 + [4] * 4
SECOND_PLACES = {"BAS": 24, "BRA": 19, "BRE": 12, "CAS": 14, "CHE": 22, "COL": 25, "EPP": 15, "HAR": 13, "MAL": 8,
                 "ROC": 9, "TEN": 21, "UTT": 10}
FIRST_PLACES = 10
SIZES = {"first": (5, 10), "second": (2, 6), "spot": (1, 5), "polr": (1, 1)}
STARTS_A_DAY = {"first": (70, 3, 8), "second": (60, 2, 5), "spot": (50, 1, 3), "polr": (0, 1, 1)}
OVER_QUOTA_METRES = 18000
# Pools with a little room in the short parts, (framework, spot): without them the parts would be empty, not short.
EASED = {"MAL": (4, 3), "ROC": (7, 4), "COL": (7, 4), "UTT": (5, 3)}
COVERED_BY = 14     # framework firms a sector has at least
PRICE_POINTS = (2384, 2452, 2520, 2588, 2656, 2724)
EPPING_PREMIUM = 120
NIGHT_POINTS = {2: (1780, 1840, 1900, 1960, 2020), 3: (1060, 1120, 1180, 1240, 1300),
                4: (1730, 1800, 1870, 1940, 2010)}
SPOT_PREMIUM = {1: (180, 520), 2: (150, 400), 3: (100, 300), 4: (120, 380)}
POLR_PRICE = {1: 3450, 2: 2900, 3: 2050, 4: 2850}
NOT_RATED_PERCENT = 39


class Firm:
    def __init__(self, no, code, location, rating, year, office):
        self.no, self.code, self.location, self.office = no, code, location, office
        self.rating, self.year = rating, year
        self.safe = self.well_led = rating
        self.kind = None            # first, second, spot, polr
        self.lots = {}              # lot -> tier
        self.covers = {}            # lot -> set of sectors
        self.skills = self.languages = self.genders = 0
        self.size = self.starts_a_day = self.minutes_week_max = 0
        self.style = "lot"
        self.inherited = self.improving = False


def open_firms(county):
    """Every open location of a known district, with a code that depends on the real data only."""
    count, firms = {}, []
    for row in county.locations:
        letters = county.letters.get(row["district_code"])
        if row["closed"] == "0" and letters:
            count[letters] = count.get(letters, 0) + 1
            firms.append((f"PRV-{letters}{count[letters]:02d}", row))
    return [Firm(i, code, row["location"], int(row["rating"]), row["rating_year"], county.sector_no[row["sector"]])
            for i, (code, row) in enumerate(firms, 1)]


def choose_kinds(county, firms, seed):
    draw = Draw(seed, "kinds")
    rest = draw.shuffled(firms)
    polr = next(f for f in rest if f.code.startswith("PRV-CHE") and f.rating == 3)
    rest.remove(polr)
    good = [f for f in rest if f.rating >= 3]
    local = [f for lot in LETTERS for f in [g for g in good if g.code[4:7] == lot][:3]]
    first = local + [f for f in good if f not in local][:FIRST_FIRMS - len(local)]
    rest = [f for f in rest if f not in first]
    second = [f for f in rest if f.rating >= 2][:SECOND_FIRMS]
    rest = [f for f in rest if f not in second]
    spot = sorted(rest, key=lambda f: (f.rating != 1, rest.index(f)))[:SPOT_FIRMS]
    for kind, group in (("polr", [polr]), ("first", first), ("second", second), ("spot", spot)):
        for firm in group:
            firm.kind = kind
    return [f for f in firms if f.kind]


def rate(firms, seed):
    """Ratings by key question are invented; so is who has none."""
    draw = Draw(seed, "ratings")
    unrated = [f for f in draw.shuffled(firms) if f.kind in ("second", "spot") and f.rating != 1]
    for firm in unrated[:len(firms) * NOT_RATED_PERCENT // 100]:
        firm.rating, firm.year = 0, ""
    fallen = next(f for f in draw.shuffled(firms) if f.kind == "second" and f.rating == 2)
    fallen.rating = 1
    for firm in firms:
        firm.safe = firm.well_led = firm.rating
        if firm.kind not in ("first", "polr") and firm.rating == 3:
            firm.safe = 2 if draw.chance(12) else 3
            firm.well_led = 2 if draw.chance(15) else 3
        firm.inherited = firm.rating > 0 and draw.chance(6)
        firm.improving = firm.rating in (1, 2) and draw.chance(50)


def equip(firms, seed):
    draw = Draw(seed, "skills")
    for firm in firms:
        sure = firm.kind == "polr"
        firm.skills = sum(1 << i for i, (_, percent) in enumerate(SKILLS) if sure or draw.chance(percent))
        firm.languages = 1 << 1
        for _ in range(draw.below(5)):
            firm.languages |= 1 << draw.between(2, len(LANGUAGES))
        if sure:
            firm.languages = sum(1 << no for no in range(1, len(LANGUAGES) + 1))
        firm.genders = 3 if sure or draw.chance(88) else 1
        firm.size = draw.between(*SIZES[firm.kind])
        percent, least, most = STARTS_A_DAY[firm.kind]
        firm.starts_a_day = draw.between(least, most) if draw.chance(percent) else 0


def draft(county, places, quotas, tier):
    """Lots choose in turn the nearest firm that is not theirs yet; one with its number of lots counts as farther."""
    far = {(lot, f): county.metres_to_lot(lot, f.office) for lot in places for f in quotas}
    wanted, left = dict(places), dict(quotas)
    while any(wanted.values()):
        for lot in sorted(wanted, key=lambda lot: (-wanted[lot], lot)):
            if wanted[lot]:
                free = [f for f in left if lot not in f.lots]
                firm = min(free, key=lambda f: (far[lot, f] + (OVER_QUOTA_METRES if left[f] <= 0 else 0), f.no))
                firm.lots[lot] = tier
                left[firm] -= 1
                wanted[lot] -= 1


def settle(county, firms, seed):
    """Who works in which lots."""
    draw = Draw(seed, "lots")
    of = {kind: [f for f in firms if f.kind == kind] for kind in ("first", "second", "spot")}
    draft(county, {lot: FIRST_PLACES for lot in LETTERS}, dict(zip(of["first"], draw.shuffled(FIRST_QUOTAS))), 1)
    quotas = dict(zip(of["second"], draw.shuffled(SECOND_QUOTAS)))
    more = sum(SECOND_PLACES.values()) - sum(SECOND_QUOTAS)
    quotas.update((f, 1) for f in of["first"])
    quotas.update((f, 2) for f in of["first"][:max(more - len(of["first"]), 0)])
    draft(county, SECOND_PLACES, quotas, 2)
    quotas = dict(zip(of["spot"], draw.shuffled(SPOT_QUOTAS)))
    each = sum(SPOT_QUOTAS) // len(LETTERS)
    draft(county, {lot: each for lot in LETTERS}, quotas, 3)
    for firm in firms:
        if firm.kind == "polr":
            firm.lots = {lot: 9 for lot in LETTERS}
    return [f for f in firms if f.lots]


def cover(county, firms, seed):
    """A firm covers the nearest share of a lot's sectors, larger on tier 1."""
    draw = Draw(seed, "coverage")
    share = {1: (75, 100), 2: (55, 95), 3: (45, 85), 9: (100, 100)}
    for firm in firms:
        for lot, tier in sorted(firm.lots.items()):
            near = county.by_distance(lot, firm.office)
            firm.covers[lot] = sorted(near[:-(-len(near) * draw.between(*share[tier]) // 100)])
        several = len(firm.lots) > 1
        firm.style = draw.weighted((("shared", 45 if several else 0), ("lot", 30), ("zones", 25)))
    cover_edges(county, firms)


def cover_edges(county, firms):
    """A sector that few framework firms reach is covered by the nearest of those who do not yet."""
    for lot in LETTERS:
        ours = [f for f in firms if f.lots.get(lot) in (1, 2)]
        for sector in county.lot_sectors[lot]:
            away = sorted((f for f in ours if sector not in f.covers[lot]),
                          key=lambda f: (county.metres(f.office, sector), f.no))
            for firm in away[:max(0, COVERED_BY - len(ours) + len(away))]:
                firm.covers[lot] = sorted(firm.covers[lot] + [sector])


def prices(lot, service, route, draw):
    if route == POLR:
        return POLR_PRICE[service]
    points = PRICE_POINTS if service == 1 else NIGHT_POINTS[service]
    premium = EPPING_PREMIUM if service == 1 and lot == "EPP" else 0
    if route == SPOT:
        low, high = SPOT_PREMIUM[service]
        return points[0] + premium + draw.between(low, high) // 5 * 5
    return draw.pick(points) + premium


def quality_milli(firm, tier, draw):
    """The quality half, 50,000 thousandths of a point at best."""
    base = {4: 38000, 3: 30000, 2: 20000, 0: 24000, 1: 12000}[firm.rating]
    return min(50000, base + draw.below(12000) + (3000 if tier == 1 else 0))


def members(firms, lot, service, draw):
    """(firm, route, tier) of one list."""
    first = [f for f in firms if f.lots.get(lot) == 1]
    second = [f for f in firms if f.lots.get(lot) == 2]
    spot = [f for f in firms if f.lots.get(lot) == 3]
    polr = [f for f in firms if f.kind == "polr"]
    if service > 1:
        keen = lambda group: sorted(draw.shuffled(group), key=lambda f: (f.no * 7 + KIND_OF_SERVICE[service]) % 3)
        chosen = keen(first)[:draw.between(4, 7)]
        second = keen([f for f in first + second if f not in chosen])[:draw.between(8, 11)]
        first, spot = chosen, keen(spot)[:len(spot) // 2]
    return ([(f, FRAMEWORK, 1) for f in first] + [(f, FRAMEWORK, 2) for f in second] +
            [(f, SPOT, 3) for f in spot] + [(f, POLR, 9) for f in polr])


def rank_list(county, firms, lot, service, seed):
    """Entries of one list in published order: price and quality half each; spot by price."""
    draw = Draw(seed, f"list {lot} {service}")
    rows = []
    for firm, route, tier in members(firms, lot, service, draw):
        price = prices(lot, service, route, draw)
        rows.append({"firm": firm, "route": route, "tier": tier, "price": price,
                     "quality": quality_milli(firm, tier, draw)})
    cheapest = min(row["price"] for row in rows)
    for row in rows:
        framework = row["route"] == FRAMEWORK
        row["score"] = 50000 * cheapest // row["price"] + row["quality"] if framework else 0
    rows.sort(key=lambda r: (r["route"], r["tier"], -r["score"], r["price"], -r["quality"], r["firm"].no))
    last, rank = None, 0
    for order, row in enumerate(rows, 1):
        rank = rank + 1 if last == (row["route"], row["tier"]) else 1
        last = (row["route"], row["tier"])
        row.update(rank=rank, order=order, cap=0)
    return rows


def pool_group(county, firm, kind, lot, sector):
    """Which of a firm's pools serves a sector of a lot. A short part has pools of its own."""
    short = county.short(lot, sector)
    if firm.kind == "polr":
        return "all"
    if kind != 1 or firm.style == "shared":
        return f"shared {short:d}"
    if firm.style == "zones" or lot in ("UTT", "COL"):
        return f"{lot} {county.zone(lot, sector)}"
    return lot


class Market:
    """Everything but people: firms, lists (list_no -> entries) and pools."""

    def __init__(self, county, seed):
        self.county, self.seed = county, seed
        firms = choose_kinds(county, open_firms(county), seed)
        rate(firms, seed)
        equip(firms, seed)
        self.firms = settle(county, firms, seed)
        for no, firm in enumerate(self.firms, 1):
            firm.no = no
        cover(county, self.firms, seed)
        self.lists, self.list_of = {}, {}
        for lot in LETTERS:
            for service, _ in SERVICES:
                list_no = (county.lot_no[lot] - 1) * len(SERVICES) + service
                self.list_of[list_no] = (lot, service)
                self.lists[list_no] = rank_list(county, self.firms, lot, service, seed)
        self.make_pools()
        self.mark_pools()

    def make_pools(self):
        """pools: number -> facts; pool_of: (list, firm number, sector) -> pool number."""
        groups = {}
        for list_no, rows in self.lists.items():
            lot, service = self.list_of[list_no]
            kind = KIND_OF_SERVICE[service]
            for row in rows:
                firm = row["firm"]
                for sector in firm.covers[lot]:
                    key = (firm.no, kind, pool_group(self.county, firm, kind, lot, sector))
                    groups.setdefault(key, []).append((list_no, sector, row["order"], row["route"]))
        self.pools, self.pool_of, serial = {}, {}, {}
        for no, (key, uses) in enumerate(sorted(groups.items()), 1):
            firm_no, kind, _ = key
            serial[firm_no, kind] = serial.get((firm_no, kind), 0) + 1
            self.pools[no] = self.pool_facts(self.firms[firm_no - 1], kind, serial[firm_no, kind], uses)
            for list_no, sector, _, _ in uses:
                self.pool_of[list_no, firm_no, sector] = no

    def pool_facts(self, firm, kind, serial, uses):
        """uses: (list, sector, the firm's order on that list, its route)."""
        where = {(self.list_of[list_no][0], sector) for list_no, sector, _, _ in uses}
        return {"firm": firm, "kind": kind, "where": where, "code": f"{firm.code[4:]}-{KIND_NAME[kind]}-{serial}",
                "short": all(self.county.short(lot, sector) for lot, sector in where),
                "best": min(order for _, _, order, _ in uses), "route": min(route for _, _, _, route in uses),
                "state": "fresh", "eased": False}

    def mark_pools(self):
        """Some pools never declared (unknown), some declared too long ago (expired)."""
        draw = Draw(self.seed, "pool states")
        binding = [no for no, pool in self.pools.items() if pool["firm"].kind != "polr"]
        unknown = [no for no in draw.shuffled(binding) if self.pools[no]["best"] > 6][:len(binding) * 6 // 100]
        expired = [no for no in draw.shuffled(binding) if no not in unknown][:len(binding) * 8 // 100]
        for state, numbers in (("unknown", unknown), ("expired", expired)):
            for no in numbers:
                self.pools[no]["state"] = state
        for lot, counts in EASED.items():
            for route, count in zip((FRAMEWORK, SPOT), counts):
                for pool in self.wide_pools(lot, route, draw)[:count]:
                    pool["eased"] = True

    def wide_pools(self, lot, route, draw):
        """Fresh carers' pools of a lot's short part, widest first, of firms not rated inadequate."""
        able = [pool for pool in draw.shuffled(self.pools.values())
                if pool["kind"] == 1 and pool["short"] and pool["state"] == "fresh" and pool["route"] == route
                and pool["firm"].rating != 1 and any(of == lot for of, _ in pool["where"])]
        return sorted(able, key=lambda pool: -sum(of == lot for of, _ in pool["where"]))
