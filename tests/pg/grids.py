#!/usr/bin/env python3
"""grids.py: weeks packed into one number, and the hashes of the journal, each against a second program's arithmetic."""
import hashlib
import random
import sys

import chain
from kit import main, rule

BASE = 10 ** 6


def packed(cells, lead=0):
    return lead * BASE ** 112 + sum(units * BASE ** i for i, units in enumerate(cells))


def array(cells, kind="int2"):
    return "ARRAY[" + ",".join(map(str, cells)) + f"]::{kind}[]"


def weeks(seed, count, top):
    draw = random.Random(seed)
    for _ in range(count):
        sparse = draw.random()
        yield [draw.choice((0, 1, top, draw.randrange(top + 1))) if draw.random() < sparse else 0 for _ in range(112)]


@rule("a grid holds its 112 cells, packed and unpacked, with a lead of 1 or none")
def _(db):
    for lead in (0, 1):
        many = list(weeks(lead, 100, 30000))
        rows = db.sql("SET search_path = calloff; "
                      "SELECT grid_of(c, %d), array_to_string(grid_cells(grid_of(c, %d)), ',') FROM (VALUES %s) AS t(c)"
                      % (lead, lead, ",".join(f"({array(week)})" for week in many)))
        for week, (grid, cells) in zip(many, rows):
            assert int(grid) == packed(week, lead), week
            assert [int(c) for c in cells.split(",")] == week


@rule("overhang is, cell by cell, what is committed beyond what is declared")
def _(db):
    many = list(zip(weeks(3, 100, 30000), weeks(4, 100, 60000)))
    rows = db.sql("SET search_path = calloff; SELECT grid_overhang(d, c) FROM (VALUES %s) AS t(d, c)"
                  % ",".join(f"({packed(d, 1)}::numeric, {packed(c)}::numeric)" for d, c in many))
    for (declared, committed), (grid,) in zip(many, rows):
        assert int(grid) == packed([max(c - d, 0) for d, c in zip(declared, committed)])


@rule("an overhang shrinks, cell by cell, with what is committed, and never grows")
def _(db):
    many = list(zip(weeks(5, 100, 30000), weeks(6, 100, 30000), weeks(7, 100, 60000)))
    rows = db.sql("SET search_path = calloff; SELECT grid_overhang_left(o, d, c) FROM (VALUES %s) AS t(o, d, c)"
                  % ",".join(f"({packed(o)}::numeric, {packed(d, 1)}::numeric, {packed(c)}::numeric)" for o, d, c in many))
    for (overhang, declared, committed), (grid,) in zip(many, rows):
        assert int(grid) == packed([min(o, max(c - d, 0)) for o, d, c in zip(overhang, declared, committed)])


@rule("the check sees a cell that borrowed: it holds exactly where no cell is over, for a binding pool")
def _(db):
    draw = random.Random(8)
    cases = []
    for declared in weeks(9, 300, 30000):
        committed = [min(units, draw.randrange(units + 1)) if draw.random() < 0.5 else units for units in declared]
        over = draw.random() < 0.5
        if over:
            cell = draw.randrange(112)
            committed[cell] = declared[cell] + draw.choice((1, 2, 500, 30000, 890000))
        cases.append((over, declared, committed))
    answers = db.sql("""
        SET search_path = calloff;
        CREATE TEMP TABLE answer (i int4, over bool);
        CREATE FUNCTION pg_temp.over(d numeric, c numeric) RETURNS bool LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE capacity SET mode = 1, declared = d, committed = c, overhang = 0 WHERE pool_no = 1;
            RETURN false;
        EXCEPTION WHEN check_violation THEN RETURN true;
        END $$;
        SELECT pg_temp.over(d, c) FROM (VALUES %s) AS t(d, c)"""
                     % ",".join(f"({packed(d, 1)}::numeric, {packed(c)}::numeric)" for _, d, c in cases))
    for (over, declared, committed), (answer,) in zip(cases, answers):
        assert (answer == "t") == over, (declared, committed)


@rule("a shape's grid has one unit in its band on each of its days, in its plane")
def _(db):
    rows = db.sql("SELECT shape, grid FROM calloff.grid_shape")
    assert len(rows) == 127 * 8 * 2
    for shape, grid in rows:
        days, band, paired = int(shape) & 127, int(shape) >> 7 & 7, int(shape) >> 10
        one = [int(days >> i // 8 & 1 and i % 8 == band) for i in range(56)]
        assert int(grid) == packed([0] * 56 + one if paired else one + [0] * 56), shape


@rule("the root of a hash tree of any size is what an independent program finds")
def _(db):
    draw = random.Random(10)
    for count in list(range(1, 40)) + [255, 256, 257, 272, 273, 512, 2048, 4096, 4097]:
        leaves = [draw.randbytes(32) for _ in range(count)]
        root = db.one(f"SET search_path = calloff; SELECT encode(tree_root('\\x{b''.join(leaves).hex()}'), 'hex')")
        assert bytes.fromhex(root) == chain.tree_root(leaves), count


@rule("a row's hash is over fixed widths, negative and largest numbers included")
def _(db):
    draw = random.Random(11)
    for shard, first, last, epoch in ((1, 1, 1, 0), (32767, 2**63 - 2, 2**63 - 1, 2**62), (-1, -5, -4, -1)):
        prev, root = draw.randbytes(32), draw.randbytes(32)
        stored = db.one(f"SET search_path = calloff; SELECT encode(row_hash('{shard}'::int2, '{first}'::int8, '{last}'::int8,"
                        f" '{epoch}'::int8, '\\x{prev.hex()}', '\\x{root.hex()}'), 'hex')")
        assert bytes.fromhex(stored) == chain.row_hash(shard, first, last, epoch, prev, root)


@rule("the chain begins at a hash that anybody can compute")
def _(db):
    assert bytes.fromhex(db.fence()["head_hash"]) == hashlib.sha256(b"calloff genesis").digest()


if __name__ == "__main__":
    sys.exit(main())
