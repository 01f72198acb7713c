"""The invented people who already have care: what they need, and where it was placed."""
from draw import Draw, share_out
from firms import FRAMEWORK, LANGUAGES, POLR, SKILLS, SPOT

PEOPLE, SPOT_PEOPLE, POLR_PEOPLE = 7465, 557, 40
NIGHT_PEOPLE = {2: 100, 3: 150, 4: 60}
HOURS_PERSONAL_CARE, HOURS_NIGHTS = 115000, 13000
LIVE, UNSOURCED, MAIN, INTERIM = 7, 11, 1, 2
EARLY, MORNING, MIDMORNING, LUNCH, AFTERNOON, TEA, BED, NIGHT = range(8)
EVERY_DAY, WEEKDAYS = 127, 31
GROUPS = ((1, 660), (6, 120), (2, 80), (5, 10), (3, 80), (4, 50))
SINGLE_VISITS = ((1, 143), (2, 238), (3, 281), (4, 338))
PAIRED_VISITS = ((3, 15), (4, 85))
BANDS_OF_DAY = {1: (((MORNING,), 60), ((LUNCH,), 15), ((MIDMORNING,), 10), ((BED,), 15)),
                2: (((MORNING, BED), 55), ((MORNING, TEA), 35), ((LUNCH, BED), 10)),
                3: (((MORNING, LUNCH, BED), 50), ((MORNING, TEA, BED), 30), ((MORNING, LUNCH, TEA), 20)),
                4: (((MORNING, LUNCH, TEA, BED), 100),)}
MORNING_MINUTES = ((30, 43), (45, 34), (60, 23))
OTHER_MINUTES = ((15, 8), (30, 58), (45, 20), (60, 14))
MAY_MOVE_TO = {MORNING: MIDMORNING, LUNCH: AFTERNOON, TEA: AFTERNOON, MIDMORNING: MORNING}
DAYS_OF_WEEK = ((EVERY_DAY, 84), (WEEKDAYS, 7), (0b0010101, 4), (0b0101010, 3), (0b1100000, 2))
NIGHTS_OF_WEEK = ((EVERY_DAY, 25), (0b0010101, 20), (0b0000011, 20), (0b1100000, 15), (0b1110000, 10), (WEEKDAYS, 10))
SKILL_BIT = {name: 1 << i for i, (name, _) in enumerate(SKILLS)}


class Line:
    """One visit on some days of the week."""

    def __init__(self, days, band, minutes, carers=1, mask=0, critical=False, tolerance=30):
        self.days, self.band, self.minutes, self.carers = days, band, minutes, carers
        self.mask, self.critical, self.tolerance = mask or 1 << band, critical, tolerance

    def units(self):
        return 1 if self.band == NIGHT else -(-self.minutes // 5)

    def code(self, band):
        return self.days | band << 7 | (self.carers == 2) << 10 | self.units() << 11

    def visit(self):
        """With the lowest band it may take."""
        return self.code((self.mask & -self.mask).bit_length() - 1)

    def demand(self):
        """With the band it has."""
        return self.code(self.band)

    def facts(self):
        return self.mask | self.critical << 9 | self.tolerance << 10 | self.minutes << 18 | self.carers << 29

    def carer_minutes(self):
        return self.minutes * self.carers * self.days.bit_count()


class Person:
    def __init__(self, no, sector, lot):
        self.no, self.sector, self.lot = no, sector, lot
        self.service, self.group, self.lines = 1, 1, []
        self.skills = self.gender = self.language = 0
        self.route, self.entry, self.pool = FRAMEWORK, None, 0
        self.excluded = []

    def carer_minutes(self):
        return sum(line.carer_minutes() for line in self.lines)


def live(county, seed):
    """People by sector and district in proportion to residents of 65 and over."""
    draw = Draw(seed, "people")
    counts = share_out(PEOPLE, [n for _, _, n in county.people])
    places = [(s, lot) for (s, lot, _), n in zip(county.people, counts) for _ in range(n)]
    people = [Person(no, s, lot) for no, (s, lot) in enumerate(draw.shuffled(places), 1)]
    services = [s for s, n in NIGHT_PEOPLE.items() for _ in range(n)]
    services += [1] * (PEOPLE - len(services))
    for person, service in zip(people, draw.shuffled(services)):
        person.service = service
        person.group = draw.weighted(GROUPS) if service == 1 else draw.weighted(((1, 15), (2, 25), (3, 45), (4, 15)))
    return people


def ask_for_care(people, seed):
    draw = Draw(seed, "visits")
    paired = set(draw.shuffled([p.no for p in people if p.service == 1])[:PEOPLE * 16 // 100])
    for person in people:
        if person.service == 1:
            person.lines = day_lines(draw, person.no in paired)
        else:
            person.lines = night_lines(draw, person.service)
    tune([p for p in people if p.service == 1], HOURS_PERSONAL_CARE * 60, (30, 45, 60), Draw(seed, "tune days"))
    tune([p for p in people if p.service in (2, 3)], HOURS_NIGHTS * 60 -
         sum(p.carer_minutes() for p in people if p.service == 4), (480, 510, 540, 570, 600), Draw(seed, "tune nights"))


def day_lines(draw, paired):
    times = draw.weighted(PAIRED_VISITS if paired else SINGLE_VISITS)
    days = EVERY_DAY if times >= 3 else draw.weighted(DAYS_OF_WEEK)
    only_ends = paired and draw.chance(40)
    return [day_line(draw, days, band, paired and (not only_ends or band in (MORNING, BED)))
            for band in draw.weighted(BANDS_OF_DAY[times])]


def day_line(draw, days, band, paired):
    minutes = draw.weighted(MORNING_MINUTES if band == MORNING or paired else OTHER_MINUTES)
    if band in (LUNCH, TEA) and days == EVERY_DAY and draw.chance(6):
        days = WEEKDAYS
    if band == MORNING and draw.chance(12):
        return Line(days, EARLY, minutes, 1 + paired, critical=True, tolerance=15)
    if band in MAY_MOVE_TO and draw.chance(25):
        other = MAY_MOVE_TO[band]
        return Line(days, other if draw.chance(30) else band, minutes, 1 + paired, 1 << band | 1 << other, tolerance=60)
    critical = draw.chance(20)
    return Line(days, band, minutes, 1 + paired, critical=critical, tolerance=15 if critical else 30)


def night_lines(draw, service):
    if service == 4:
        return [Line(EVERY_DAY, NIGHT, 720)]
    return [Line(draw.weighted(NIGHTS_OF_WEEK), NIGHT, draw.pick((540, 570, 600) if service == 2 else (480, 540, 600)))]


def tune(people, target, lengths, draw):
    """Lengthens or shortens single visits by a step until the hours of the week add up."""
    gap = target - sum(p.carer_minutes() for p in people)
    for person in draw.shuffled(people) * 4:
        line = draw.pick(person.lines)
        if line.minutes not in lengths or abs(gap) < 120:
            continue
        to = lengths.index(line.minutes) + (1 if gap > 0 else -1)
        if 0 <= to < len(lengths):
            was = line.carer_minutes()
            line.minutes = lengths[to]
            gap -= line.carer_minutes() - was


def ask_for_people(people, seed):
    """Skills, gender and language required."""
    draw = Draw(seed, "needs")
    for person in people:
        names = [name for name, percent in (("medication", 35), ("insulin", 3), ("catheter", 5), ("peg", 1),
                                            ("stoma", 1), ("end_of_life", 2)) if draw.chance(percent)]
        if any(line.carers == 2 for line in person.lines) and draw.chance(70):
            names.append("hoist")
        names += {6: ["dementia"], 3: ["learning_disability"], 4: ["mental_health"]}.get(person.group, [])
        person.skills = sum(SKILL_BIT[name] for name in names)
        person.gender = draw.weighted(((0, 85), (1, 12), (2, 3)))
        person.language = draw.between(2, len(LANGUAGES)) if draw.below(1000) < 25 else 0


def choose_routes(county, people, seed):
    draw = Draw(seed, "routes")
    order = draw.shuffled([p for p in people if p.service == 1])
    short = [p for p in order if county.short(p.lot, p.sector)]
    polr = (short[:POLR_PEOPLE * 3 // 4] + [p for p in order if p not in short][:POLR_PEOPLE // 4])
    for person in polr:
        person.route = POLR
    chances = [(p, 3 if county.short(p.lot, p.sector) else 1) for p in people if p.route == FRAMEWORK]
    tickets = draw.shuffled([p.no for p, n in chances for _ in range(n)])
    for no in list(dict.fromkeys(tickets))[:SPOT_PEOPLE]:
        people[no - 1].route = SPOT


def able(person, firm):
    return (person.skills & ~firm.skills == 0 and (person.gender == 0 or firm.genders & person.gender) and
            (person.language == 0 or firm.languages >> person.language & 1) and firm.rating != 1)


def weight(row):
    """Better ranks and larger firms have more people."""
    if row["tier"] == 1:
        return row["firm"].size * (42 - 2 * row["rank"])
    return row["firm"].size * max(4, 18 - row["rank"] // 2)


def candidates(market, person, list_no, route):
    """(entry, pool) of those on a route who cover the sector, have the skills and have ever declared."""
    found = []
    for row in market.lists[list_no]:
        pool = market.pool_of.get((list_no, row["firm"].no, person.sector))
        if row["route"] == route and pool and market.pools[pool]["state"] != "unknown" and able(person, row["firm"]):
            found.append((row, pool))
    return found


def choices(market, person, list_no):
    """On the route wanted, or else on another, or else without what nobody there offers."""
    for needs in (True, False):
        if not needs:
            person.skills = person.gender = person.language = 0
        for route in dict.fromkeys((person.route, FRAMEWORK, SPOT)):
            found = candidates(market, person, list_no, route)
            if found:
                person.route = route
                return found
    raise ValueError(f"nobody covers person {person.no}")


def place(market, people, seed):
    draw = Draw(seed, "places")
    for person in people:
        person.list_no = (market.county.lot_no[person.lot] - 1) * 4 + person.service
        found = choices(market, person, person.list_no)
        person.entry, person.pool = draw.weighted([(c, weight(c[0])) for c in found]) if len(found) > 1 else found[0]
        others = [row["firm"].no for row, pool in found if pool != person.pool]
        person.excluded = [draw.pick(others)] if others and draw.chance(1) else []


def everybody(market, seed):
    people = live(market.county, seed)
    ask_for_care(people, seed)
    ask_for_people(people, seed)
    choose_routes(market.county, people, seed)
    place(market, people, seed)
    return people
