"""What each pool declares: what is committed and some room, so that the county is nearly full, and short in parts."""
from draw import Draw
from firms import SPOT
from people import AFTERNOON, BED, EARLY, LUNCH, MIDMORNING, MORNING, NIGHT, TEA

CELLS = 56
SINGLE, PAIRED = 0, 1
# Chances of (full, tight, roomy) by the best place its firm has on a list: those who come first are full first.
LEVELS = ((3, (60, 30, 10)), (10, (30, 40, 30)), (999, (20, 40, 40)))
SPOT_LEVELS = (20, 40, 40)
# Daily visits free, (least, most) by band and level.
RUNS = {"full": {EARLY: (0, 0), MORNING: (0, 1), MIDMORNING: (0, 2), LUNCH: (0, 1), AFTERNOON: (0, 2), TEA: (0, 0),
                 BED: (0, 1)},
        "tight": {EARLY: (0, 2), MORNING: (1, 2), MIDMORNING: (1, 2), LUNCH: (1, 2), AFTERNOON: (1, 2), TEA: (0, 2),
                  BED: (0, 2)},
        "roomy": {EARLY: (1, 2), MORNING: (2, 5), MIDMORNING: (2, 3), LUNCH: (2, 4), AFTERNOON: (1, 3), TEA: (2, 4),
                  BED: (2, 4)},
        "eased": {EARLY: (0, 1), MORNING: (1, 2), MIDMORNING: (0, 1), LUNCH: (1, 2), AFTERNOON: (0, 1), TEA: (1, 1),
                  BED: (1, 1)}}
PAIRED_PERCENT = {"full": 10, "tight": 50, "roomy": 90, "eased": 20}
GROWTH_PERCENT = {"full": 1, "tight": 3, "roomy": 6, "eased": 0}
WEEKEND_LESS_PERCENT = {"full": 35, "tight": 35, "roomy": 0, "eased": 15}


def committed(people, pools):
    """pool -> two planes of 56 cells."""
    grids = {no: ([0] * CELLS, [0] * CELLS) for no in pools}
    for person in people:
        for line in person.lines:
            plane = grids[person.pool][PAIRED if line.carers == 2 else SINGLE]
            for day in range(7):
                if line.days >> day & 1:
                    plane[day * 8 + line.band] += line.units()
    return grids


def level(pool, draw):
    if pool["route"] == SPOT:
        chances = SPOT_LEVELS
    else:
        chances = next(c for best, c in LEVELS if pool["best"] <= best)
    return draw.weighted(tuple(zip(("full", "tight", "roomy"), chances)))


def add_runs(plane, days, band, runs, draw):
    for _ in range(runs):
        units = draw.pick((6, 6, 9))
        for day in days:
            plane[day * 8 + band] += units


def free_time(pool, grid, draw):
    """Room of a carers' pool that is not in a short part, or that eases one."""
    name = level(pool, draw)
    if pool["eased"]:
        name = "tight" if pool["route"] == SPOT else "eased"
    single, paired = ([0] * CELLS, [0] * CELLS)
    visits_a_day = sum(grid[SINGLE]) // 42
    for band, (least, most) in RUNS[name].items():
        runs = draw.between(least, most) + (visits_a_day * GROWTH_PERCENT[name] // 500 if most else 0)
        weekend_less = 1 if draw.chance(WEEKEND_LESS_PERCENT[name]) else 0
        add_runs(single, range(5), band, runs, draw)
        add_runs(single, (5, 6), band, max(0, runs - weekend_less), draw)
    if draw.chance(PAIRED_PERCENT[name]):
        for band in (MORNING, LUNCH, TEA, BED) + ((EARLY,) if draw.chance(60) else ()):
            add_runs(paired, range(7), band, draw.between(1, 2), draw)
    return single, paired


def short_time(pool, grid, draw):
    """Room in a short part: some mornings and lunches, hardly a tea or bed, no pairs at the weekend."""
    single, paired = ([0] * CELLS, [0] * CELLS)
    for band, percent in ((MORNING, 75), (MIDMORNING, 70), (LUNCH, 70), (AFTERNOON, 50), (TEA, 22), (BED, 22)):
        add_runs(single, range(5), band, draw.between(1, 2) if draw.chance(percent) else 0, draw)
    for band, percent in ((MORNING, 55), (LUNCH, 45), (MIDMORNING, 30), (TEA, 9), (BED, 9)):
        add_runs(single, (5, 6), band, 1 if draw.chance(percent) else 0, draw)
    for band, percent in ((MORNING, 30), (LUNCH, 15), (BED, 6)):
        add_runs(paired, range(5), band, 1 if draw.chance(percent) else 0, draw)
    return single, paired


def free_nights(pool, draw):
    """Room for nights or live-in places: one carer a night, every night."""
    chance = {True: 12, False: 45}[pool["short"]]
    single = [0] * CELLS
    for _ in range(2):
        if draw.chance(chance):
            for day in range(7):
                single[day * 8 + NIGHT] += 1
    return single, [0] * CELLS


def declare(pool, grid, draw):
    """Cells declared: committed and free, carers' time rounded up to quarters of an hour."""
    if pool["state"] == "unknown" or pool["firm"].kind == "polr":
        return [0] * CELLS, [0] * CELLS
    if pool["kind"] != 1:
        free, step = free_nights(pool, draw), 1
    else:
        short = pool["short"] and not pool["eased"]
        free, step = (short_time if short else free_time)(pool, grid, draw), 3
    return tuple([-(-(used + more) // step) * step for used, more in zip(grid[plane], free[plane])]
                 for plane in (SINGLE, PAIRED))


def times(pool, draw):
    """(declared, expires) in hours from the day of the demonstration, and in how many days it can start."""
    if pool["state"] == "unknown":
        return None, None, 0
    if pool["firm"].kind == "polr":
        return -24, 24 * 365, 0
    age = draw.between(1, 71) if draw.chance(75) else draw.between(73, 240)
    start = draw.between(3, 14) if draw.chance(3) else 0
    if pool["state"] == "expired":
        return -age - 168, -draw.between(2, 160), start
    return -age, draw.between(48, 336), start


def capacities(market, people, seed):
    """Rows (pool, mode, single, paired, declared hours, expires hours, days to start)."""
    grids = committed(people, market.pools)
    for no, pool in market.pools.items():
        draw = Draw(seed, f"room {pool['code']}")
        single, paired = declare(pool, grids[no], draw)
        yield (no, 3 if pool["firm"].kind == "polr" else 1, single, paired) + times(pool, draw)
