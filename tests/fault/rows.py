"""rows.py: the table: every row of every file, large batches under some of them, and the compound ones drawn by seed."""
import dataclasses
import random

import rows_engine
import rows_hostile
import rows_net
import rows_reign
import rows_store
import rows_time
from stage import Row

SINGLE = [*rows_engine.ROWS, *rows_store.ROWS, *rows_net.ROWS, *rows_time.ROWS, *rows_hostile.ROWS, *rows_reign.ROWS]
PROXIES = {"database_proxy": {}, "client_proxy": {}}
LARGE = {"load": {"workers": 4, "depth": 1024, "rate": 0}}
LARGE_UNDER = ("engine-kill", "engine-pause", "backend-kill", "pg-immediate", "database-cut", "framework-edits", "disk-full-data",
               "kill-reply_half")


def named(name):
    return next(row for row in SINGLE if row.name == name)


def large(name):
    """4,096 commands unanswered at once, batches as large as they come."""
    row = named(name)
    return dataclasses.replace(row, name="large-" + name, says=row.says + ", 4,096 commands in flight",
                               needs={**row.needs, **LARGE}, may=row.may | {"BUSY"}, ci=False, pair=False, goes_on=False)


def pair(first, second, number):
    """Both at once: the one begins, the other begins, the other ends, the one ends."""
    def fault(stage):
        one, other = first.fault(stage), second.fault(stage)
        next(one)
        stage.hold(stage.random.uniform(0, 0.4))
        next(other)
        yield
        for steps in (other, one):
            for _ in steps:
                raise ValueError("a fault yields once")
    return Row(f"pair-{number} {first.name} + {second.name}", fault, f"{first.says}; {second.says}",
               hold_s=max(first.hold_s, second.hold_s), needs=PROXIES, may=first.may | second.may, ci=number == 1)


def compound(seed, count):
    draw, may = random.Random(seed), [row for row in SINGLE if row.pair]
    for number in range(1, count + 1):
        # who asks PostgreSQL goes first: the other may have stopped it
        two = sorted(draw.sample(may, 2), key=lambda row: not row.name.startswith("backend"))
        yield pair(*two, number)


def table(seed, pairs):
    return [*SINGLE, *(large(name) for name in LARGE_UNDER), *compound(seed, pairs)]
