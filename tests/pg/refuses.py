#!/usr/bin/env python3
"""refuses.py: what a wrong engine cannot do, with the engine's own role. After every refusal nothing has changed."""
import random
import sys

import chain
from kit import ALL_DAYS, BED, ENGINE, FRAMEWORK, LUNCH, MON, MORNING, Batch, Refused, cells_of, fact, main, rule, visit

VISITS = [visit(ALL_DAYS, MORNING, 6), visit(ALL_DAYS, BED, 3)]


def placed(no=1, visits=None, scalars=None, **columns):
    """A package and its placement on pool 1, in one batch of one event."""
    visits = visits if visits is not None else VISITS
    return Batch(**scalars or {}).package(no, visits).place(no, no, visits, **columns).command(no, no)


# ---- what the role may touch ----

@rule("the engine's role can neither read nor write any table")
def _(db):
    answer = db.sql("""
        CREATE TEMP TABLE allowed (what text);
        DO $$
        DECLARE t name; verb text;
        BEGIN
            FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'calloff'::regnamespace AND relkind IN ('r', 'p') LOOP
                FOREACH verb IN ARRAY ARRAY['SELECT count(*) FROM %I', 'DELETE FROM %I', 'TRUNCATE %I',
                        'INSERT INTO %I DEFAULT VALUES', 'LOCK TABLE %I', 'ALTER TABLE %I ADD x int',
                        'CREATE TRIGGER x AFTER INSERT ON %I EXECUTE FUNCTION suppress_redundant_updates_trigger()'] LOOP
                    BEGIN
                        EXECUTE format(replace(verb, '%I', 'calloff.%I'), t);
                        INSERT INTO allowed VALUES (format(verb, t));
                    EXCEPTION WHEN insufficient_privilege THEN NULL;
                    END;
                END LOOP;
            END LOOP;
        END $$;
        SELECT * FROM allowed""", user=ENGINE)
    assert answer == [], answer


@rule("the engine's role reads the read_ views and nothing else, and cannot write through them")
def _(db):
    rows = db.sql("""SELECT relname, has_table_privilege('calloff_engine', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND has_any_column_privilege('calloff_engine', c.oid, 'SELECT, INSERT, UPDATE')""")
    assert len(rows) == 25 and all(name.startswith("read_") and write == "f" for name, write in rows), rows
    with db.refuses("42501"):
        db.sql("INSERT INTO calloff.read_skill VALUES (1, 5, 'peg')", user=ENGINE)


@rule("the engine's role executes take_over, hand_over, heartbeat and commit_batch_v1, and nothing else")
def _(db):
    rows = db.sql("""SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname = 'calloff' AND has_function_privilege('calloff_engine', pg_proc.oid, 'EXECUTE') ORDER BY 1""")
    assert rows == [["commit_batch_v1"], ["hand_over"], ["heartbeat"], ["take_over"]], rows
    for schema in ("calloff", "public"):
        with db.refuses("42501"):
            db.sql(f"CREATE FUNCTION {schema}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", user=ENGINE)


@rule("who takes a shard over says so; only the engine that reigns hands it over, and then nobody has it")
def _(db):
    said = "SELECT epoch, engine, instance, endpoint FROM calloff.fence WHERE shard = 1"
    db.sql("SELECT calloff.take_over(1::int2, 0, 'west', 77, '/run/west')", user=ENGINE)
    assert db.sql(said) == [["1", "west", "77", "/run/west"]]
    with db.refuses("CF001"):
        db.sql("SELECT calloff.hand_over(1::int2, 0)", user=ENGINE)
    assert db.sql(said) == [["1", "west", "77", "/run/west"]]
    db.sql("SELECT calloff.hand_over(1::int2, 1)", user=ENGINE)
    assert db.sql(said) == [["1", "", "0", ""]]


@rule("an engine's name has at most 64 characters, its endpoint 128")
def _(db):
    take = "SELECT calloff.take_over(1::int2, 0, repeat('n', %d), 77, repeat('e', %d))"
    for name, endpoint, constraint in ((65, 128, "engine_name_64"), (64, 129, "endpoint_128")):
        with db.refuses("23514", constraint):
            db.sql(take % (name, endpoint), user=ENGINE)
    db.sql(take % (64, 128), user=ENGINE)


@rule("nobody but the engine's role may commit; commissioners touch the framework alone")
def _(db):
    for role in (FRAMEWORK, "calloff_report"):
        with db.refuses("42501"):
            db.sql("SELECT calloff.take_over(1::int2, 0)", role=role)
        for table in ("fence", "capacity", "package", "placement", "command", "journal", "framework_edit"):
            with db.refuses("42501"):
                db.sql(f"DELETE FROM calloff.{table}", role=role)
    with db.refuses("42501"):
        db.sql("SELECT * FROM calloff.provider", role="calloff_report")


@rule("a function of the engine's own in pg_temp stands in for none of the database's")
def _(db):
    db.sql("""CREATE FUNCTION pg_temp.tree_root(leaves bytea) RETURNS bytea LANGUAGE sql AS $$SELECT '\\x00'::bytea$$;
        CREATE TEMP TABLE fence AS SELECT * FROM calloff.read_fence;
        SELECT calloff.take_over(1::int2, 0)""", user=ENGINE)
    assert db.fence()["epoch"] == 1


# ---- capacity ----

@rule("a placement takes exactly its demand from its pool, and from no other")
def _(db):
    draw = random.Random(7)
    expected, live = {}, []
    for no in range(1, 9):
        visits = [visit(draw.randrange(1, 128), draw.randrange(8), 1, draw.random() < 0.3) for _ in range(draw.randrange(1, 5))]
        db.commit(placed(no, visits))
        live.append(visits)
        expected = cells_of([code for visits in live for code in visits])
        assert db.committed(1) == expected
    assert all(db.committed(pool) == {} for pool in (2, 3, 4))


@rule("an ended placement gives back exactly its demand")
def _(db):
    db.commit(placed(1))
    db.commit(placed(2, [visit(MON, BED, 5), visit(MON, LUNCH, 2, True)]))
    db.commit(Batch().end(1, 3).state(1, 3, 5, 8))
    assert db.committed(1) == {(BED, 0): 5, (LUNCH, 1): 2}
    db.commit(Batch().end(2, 4).state(2, 4, 5, 8))
    assert db.committed(1) == {}


@rule("a cell is filled to its last unit, and one more is refused")
def _(db):
    db.commit(placed(1, [visit(MON, MORNING, 12)]))
    with db.refuses("23514", "capacity_never_over"):
        db.commit(placed(2, [visit(MON, MORNING, 1)]))
    db.commit(placed(2, [visit(MON, LUNCH, 12)]))


@rule("every cell of either plane refuses one unit too many, though its neighbours have room")
def _(db):
    for day in range(7):
        for band in range(8):
            for paired, room in ((False, 12), (True, 4)):
                try:
                    db.commit(placed(1, [visit(1 << day, band, room + 1, paired)]))
                except Refused as refused:
                    assert refused.state == "23514", refused
                else:
                    raise AssertionError(f"day {day} band {band} paired {paired} held one too many")
    assert db.fence()["last_seq"] == 0


@rule("many small placements of one batch are refused where only their sum is too much")
def _(db):
    batch = Batch(events=5)
    for no in range(1, 6):
        batch.package(no, [visit(MON, MORNING, 3)]).place(no, no, [visit(MON, MORNING, 3)])
    with db.refuses("23514", "capacity_never_over"):
        db.commit(batch)


@rule("what an ended placement frees may be taken in the same batch, but no more than that")
def _(db):
    db.commit(placed(1, [visit(MON, MORNING, 12)]))
    swap = [visit(MON, MORNING, 13)]
    with db.refuses("23514", "capacity_never_over"):
        db.commit(Batch().end(1, 2).package(2, swap).place(2, 2, swap))
    swap = [visit(MON, MORNING, 11)]
    db.commit(Batch().end(1, 2).package(2, swap).place(2, 2, swap))
    assert db.committed(1) == {(MORNING, 0): 11}


@rule("a pool without limit takes anything; it is still counted")
def _(db):
    visits = [visit(MON, MORNING, 500)]
    db.commit(Batch().package(1, visits, sector_no=2).place(1, 1, visits, pool_no=4, provider_no=2))
    assert db.committed(4) == {(MORNING, 0): 500}


@rule("no demand is so large that it wraps round into the next cell")
def _(db):
    batch = Batch(events=62)
    visits = [visit(MON, MORNING, 511)] * 32
    for no in range(1, 63):
        batch.package(no, visits if no <= 61 else [visit(MON, MORNING, 1)] * 1)
        batch.place(no, no, visits if no <= 61 else [visit(MON, MORNING, 1)] * 1)
    before = db.snapshot()
    try:
        db.commit(batch)
    except Refused as refused:
        assert refused.state in ("23514", "CF104"), refused
    else:
        raise AssertionError("997,473 units in a cell of 12 were taken")
    assert db.snapshot() == before


@rule("no visit has negative units, more than its code holds, or none at all")
def _(db):
    for codes in ([visit(MON, MORNING, -4)], [visit(MON, MORNING, 512)], [visit(MON, MORNING, 1000000)], [None],
                  [visit(MON, MORNING, 1), None]):
        with db.refuses("23514", "package_has_visits"):
            db.commit(Batch().package(1, codes, [fact(MORNING)] * len(codes)).place(1, 1, codes))


# ---- overhang ----

@rule("a declaration below what is committed leaves that overhang, where nothing new fits and everything else does")
def _(db):
    db.commit(placed(1, [visit(MON, MORNING, 12)]))
    cut = [12] * 56
    cut[MORNING] = 5
    db.commit(Batch().declare(1, cut))
    overhang = db.grid(1, "overhang")
    assert overhang[MORNING] == 7 and sum(overhang) == 7, overhang
    with db.refuses("23514", "capacity_never_over"):
        db.commit(placed(3, [visit(MON, MORNING, 1)]))
    db.commit(placed(3, [visit(MON, LUNCH, 12)]))


@rule("overhang shrinks as what is over is given back, and never grows again by itself")
def _(db):
    for no, units in ((1, 4), (2, 4), (3, 4)):
        db.commit(placed(no, [visit(MON, MORNING, units)]))
    db.commit(Batch().declare(1, [6] * 56))
    for seq, no, overhang in ((5, 1, 2), (6, 2, 0)):
        db.commit(Batch().end(no, seq))
        assert db.grid(1, "overhang")[MORNING] == overhang
    with db.refuses("23514", "capacity_never_over"):
        db.commit(placed(7, [visit(MON, MORNING, 3)]))
    db.commit(placed(7, [visit(MON, MORNING, 2)]))


@rule("room given back in one over-full cell makes no room in another")
def _(db):
    late = visit(64, BED, 12)  # Sunday bed: a higher cell than Monday morning
    db.commit(placed(1, [late]))
    db.commit(Batch().declare(1, [2] * 56))
    more = [visit(MON, MORNING, 5)]
    with db.refuses("23514", "capacity_never_over"):
        db.commit(Batch().end(1, 3).package(3, more).place(3, 3, more))


# ---- a placement is its package's own ----

@rule("a placement names the pool of its package's coverage, and no other")
def _(db):
    for wrong in ({"pool_no": 2}, {"pool_no": 3}, {"pool_no": 3, "provider_no": 1}, {"provider_no": 2}, {"list_no": 2},
                  {"pool_no": 99}, {"provider_no": 99, "pool_no": 3}):
        for alone in (False, True):
            with db.refuses("CF104"):
                db.commit(placed(1, alone=alone, **wrong))
    db.commit(placed(1, alone=True, pool_no=3, provider_no=2))


@rule("no capacity moves without a placement: not by a nomination without its number, nor past a parameter that is NULL")
def _(db):
    for visits in ([visit(MON, MORNING, 3)], [visit(MON, MORNING, -3)]):
        with db.refuses("CF104"):
            db.commit(Batch().package(1, [visit(MON, MORNING, 3)]).place(1, 1, visits, package_no=None))
    db.commit(placed(1))
    for missing in ("p_states", "p_ended", "p_declarations", "p_nominations", "p_commands", "p_rounds"):
        with db.refuses("CF101"):
            db.commit(Batch(**{missing: None}).place(1, 2, VISITS, role=2))


@rule("a placement without its package is refused")
def _(db):
    with db.refuses("CF104"):
        db.commit(Batch().place(1, 1, VISITS))


@rule("a demand is of the package's visits to the bit")
def _(db):
    asked = [visit(31, MORNING, 3), visit(96, LUNCH, 3, True)]
    wrong = {
        "a day more": [visit(63, MORNING, 3), asked[1]], "a day less": [visit(15, MORNING, 3), asked[1]],
        "no day": [visit(0, MORNING, 3), asked[1]], "another band": [visit(31, LUNCH, 3), asked[1]],
        "single for paired": [asked[0], visit(96, LUNCH, 3)], "paired for single": [visit(31, MORNING, 3, True), asked[1]],
        "a unit more": [visit(31, MORNING, 4), asked[1]], "a unit less": [visit(31, MORNING, 2), asked[1]],
        "no unit": [visit(31, MORNING, 0), asked[1]],
        "shorter": asked[:1], "longer": asked + [visit(MON, MORNING, 1)], "swapped": asked[::-1], "empty": [],
        "a hole": [None, asked[1]], "all holes": [None, None],
    }
    for what, demand in wrong.items():
        try:
            for alone in (False, True):
                with db.refuses("CF104"):
                    db.commit(Batch().package(1, asked).place(1, 1, demand, alone=alone))
        except AssertionError as broken:
            raise AssertionError(f"{what}: {broken}") from None


@rule("a flexible visit goes to a band it allows; a shared one may be carried by the partner")
def _(db):
    asked, facts = [visit(MON, MORNING, 6), visit(MON, BED, 2)], [fact(MORNING, LUNCH), fact(BED, shared=True)]
    with db.refuses("CF104"):
        db.commit(Batch().package(1, asked, facts).place(1, 1, [visit(MON, BED, 6), asked[1]]))
    db.commit(Batch().package(1, asked, facts).place(1, 1, [visit(MON, LUNCH, 6), visit(MON, BED, 0)]))
    assert db.committed(1) == {(LUNCH, 0): 6}


# ---- one life ----

@rule("a package has one live main and one live interim placement; a second of either is refused")
def _(db):
    db.commit(placed(1))
    with db.refuses("23505", "placement_one_live"):
        db.commit(Batch().place(1, 2, VISITS, pool_no=3, provider_no=2))
    db.commit(Batch().place(1, 2, VISITS, pool_no=3, provider_no=2, role=2))
    with db.refuses("23505", "placement_one_live"):
        db.commit(Batch().place(1, 3, VISITS, role=2, pool_no=3, provider_no=2))
    with db.refuses("23514"):
        db.commit(Batch().place(1, 3, VISITS, role=4, pool_no=3, provider_no=2))
    db.commit(Batch().end(1, 3).place(1, 3, VISITS, pool_no=3, provider_no=2))
    assert db.one("SELECT count(*) FROM calloff.placement WHERE ended_seq = 0") == "2"


@rule("a placement that does not live cannot be ended, nor one twice in a batch")
def _(db):
    for batch in (Batch().end(1, 1), Batch().package(1).end(1, 1)):
        with db.refuses("CF103"):
            db.commit(batch)
    db.commit(placed(1))
    for batch in (Batch().end(1, 2, role=2), Batch(2).end(1, 2).end(1, 3)):
        with db.refuses("CF103"):
            db.commit(batch)
    db.commit(Batch().end(1, 2))
    with db.refuses("CF103"):
        db.commit(Batch().end(1, 3))


@rule("a placement ends under a sequence of its batch: no capacity is freed by ending it at 0, before or after")
def _(db):
    db.commit(placed(1))
    for seq in (0, -1, 1, 3, None):
        with db.refuses("CF103"):
            db.commit(Batch().end(1, seq))


@rule("a state changes only from the state the engine believes, and once a batch")
def _(db):
    db.commit(placed(1))
    for batch in (Batch().state(1, 2, 4, 5), Batch().state(2, 2, 5, 8), Batch(2).state(1, 2, 5, 7).state(1, 3, 5, 8)):
        with db.refuses("CF102"):
            db.commit(batch)
    with db.refuses("23514"):
        db.commit(Batch().state(1, 2, 5, 14))


@rule("a round is opened once; a column holds nothing that means nothing, whoever writes it")
def _(db):
    with db.refuses("23505"):
        db.commit(placed().round(1, 1).round(1, 1))
    db.commit(placed().round(1, 1))
    for slip in ("capacity SET committed = -1", "capacity SET mode = 4", "round SET outcome = 4",
                 "placement SET price_pence_week = -1", "placement SET carer_minutes_week = -1"):
        with db.refuses("23514"):
            db.sql("UPDATE calloff." + slip)
    with db.refuses("23505"):
        db.sql("INSERT INTO calloff.journal SELECT * FROM calloff.journal")


@rule("a package's number is never used again")
def _(db):
    db.commit(placed(1))
    with db.refuses("CF107"):
        db.commit(Batch().package(1))
    with db.refuses("23505", "package_pkey"):
        db.commit(Batch(2).package(2).package(2))


@rule("a package has 1 to 32 visits, each with its facts")
def _(db):
    for visits, facts in (([], []), (VISITS * 17, [fact(MORNING)] * 34), ([None], [fact(MORNING)])):
        with db.refuses("23514", "package_has_visits"):
            db.commit(Batch().package(1, visits, facts))
    with db.refuses("CF107"):
        db.commit(Batch().package(1, VISITS, [fact(MORNING)]))


@rule("every row of a batch carries a sequence of that batch: CF107, and CF104 for a placement")
def _(db):
    db.commit(placed(1))
    for seq in (1, 3, 0, None):
        for batch in (Batch().command(seq, key=9), Batch().round(1, seq), Batch().package(2, changed_seq=seq),
                      Batch().package(seq)):
            with db.refuses("CF107"):
                db.commit(batch)
        for batch in (Batch().package(2).place(2, seq, [visit(ALL_DAYS, MORNING, 6)]), Batch().place(1, seq, VISITS, role=2)):
            with db.refuses("CF104"):
                db.commit(batch)
        with db.refuses("CF102"):
            db.commit(Batch().state(1, seq, 5, 8))


# ---- declarations ----

@rule("a declaration names a pool that is there, once")
def _(db):
    for batch in (Batch().declare(99, [1] * 56), Batch().declare(1, [1] * 56).declare(1, [2] * 56)):
        with db.refuses("CF105"):
            db.commit(batch)


@rule("a declaration has 56 cells a plane, none negative and none missing")
def _(db):
    for single, paired in ((55, 56), (56, 55), (55, 57), (57, 55), (57, 56), (0, 56)):
        with db.refuses("CF105"):
            db.commit(Batch().declare(1, [1] * single, [0] * paired))
    for cells in ([1] * 55 + [-1], [1] * 55 + [None]):
        before = db.snapshot()
        try:
            db.commit(Batch().declare(1, cells))
        except Refused as refused:
            assert refused.state in ("23514", "22P02", "23502", "CF105"), refused
        else:
            raise AssertionError(f"{len(cells)} cells ending in {cells[-1:]} were taken")
        assert db.snapshot() == before


# ---- the fence ----

@rule("a batch fits the end of the journal: ahead or behind is CF002")
def _(db):
    db.commit(placed(1))
    for prev in (0, 2, -1, 100):
        with db.refuses("CF002"):
            db.commit(Batch(p_prev_seq=prev))


@rule("an engine that was deposed commits nothing more: CF001, and its heartbeat too")
def _(db):
    db.sql("SELECT calloff.take_over(1::int2, 0)", user=ENGINE)
    for epoch in (0, 2):
        with db.refuses("CF001"):
            db.commit(Batch(p_epoch=epoch).package(1))
        with db.refuses("CF001"):
            db.sql(f"SELECT calloff.heartbeat(1::int2, {epoch}, 5)", user=ENGINE)
    with db.refuses("CF001"):
        db.commit(Batch(p_shard=2).package(1))
    db.commit(Batch().package(1))


@rule("a deposed engine hears that it is, not that the next engine used its key and its number: CF001")
def _(db):
    db.sql("SELECT calloff.take_over(1::int2, 0)", user=ENGINE)
    db.commit(placed(1))
    with db.refuses("23505"):
        db.commit(placed(1, scalars={"p_prev_seq": 0}))
    with db.refuses("CF001"):
        db.commit(placed(1, scalars={"p_prev_seq": 0, "p_epoch": 0}))


@rule("taking over is compare-and-set: who expects another epoch gets no row and changes nothing")
def _(db):
    assert len(db.sql("SELECT * FROM calloff.take_over(1::int2, 0)", user=ENGINE)) == 1
    before = db.snapshot()
    for shard, epoch in ((1, 0), (1, 2), (2, 0)):
        assert db.sql(f"SELECT * FROM calloff.take_over({shard}::int2, {epoch})", user=ENGINE) == []
    assert db.snapshot() == before


@rule("nothing commits against a framework the engine has not read: CF003")
def _(db):
    version = db.fence()["framework_version"]
    db.sql("UPDATE calloff.provider SET genders = 1", role=FRAMEWORK)
    with db.refuses("CF003"):
        db.commit(Batch(p_framework_version=version).package(1))
    with db.refuses("CF003"):
        db.commit(Batch(p_framework_version=version + 2).package(1))
    db.commit(Batch(p_framework_version=version + 1).package(1))


@rule("the clock of the fence never goes back")
def _(db):
    db.commit(Batch(p_clock_us=1000).package(1))
    db.commit(Batch(p_clock_us=10).package(2))
    db.sql("SELECT calloff.heartbeat(1::int2, 0, 20)", user=ENGINE)
    assert db.one("SELECT clock_us FROM calloff.fence") == "1000"


# ---- the journal ----

@rule("a batch holds records, each with its salt of 32 bytes: CF101")
def _(db):
    for salts, records in ((b"", []), (bytes(31), [b"r"]), (bytes(33), [b"r"]), (bytes(32), [b"r", b"s"]), (bytes(64), [b"r"]),
                           (bytes(32), []), (None, [b"r"])):
        with db.refuses("CF101"):
            db.commit(Batch(p_salts=salts, p_records=records).package(1))
    with db.refuses("CF101"):
        db.commit(Batch(p_salts=bytes(64), p_records=[b"r", None]).package(1))


@rule("leaves and row hashes are computed by the database: an independent program finds the same")
def _(db):
    for events in (1, 2, 15, 16, 17, 33, 256, 257):
        told = db.commit(Batch(events))
        assert db.fence()["head_hash"] == told.hex()
    leaves, rows = chain.verify(db.name, 1)
    assert (len(leaves), rows) == (597, 8)


@rule("nobody rewrites the journal: not the engine, and by a slip not its owner")
def _(db):
    db.commit(placed(1))
    for verb in ("UPDATE calloff.{} SET records = '{{}}'", "DELETE FROM calloff.{}", "TRUNCATE calloff.{}"):
        for table in ("journal", "journal_default"):
            with db.refuses("42501"):
                db.sql(verb.format(table), user=ENGINE)
            with db.refuses("CF106"):
                db.sql(verb.format(table), role="calloff_owner")


# ---- keys ----

@rule("a client's key acts once: again, in this batch or a later one, and the whole batch is refused")
def _(db):
    db.commit(placed(1))
    with db.refuses("23505", "command_"):
        db.commit(Batch().package(2, VISITS).place(2, 2, VISITS).command(2, key=1))
    with db.refuses("23505", "command_"):
        db.commit(Batch(2).package(2).command(2, key=2).command(3, key=2))
    db.commit(Batch().package(2).command(2, key=1, client="unix:1"))


@rule("a key has its client, a request hash of 16 bytes and an outcome of at most 128")
def _(db):
    for wrong in ({"request_hash": bytes(15)}, {"outcome": bytes(129)}, {"client": ""}, {"client": "c" * 65}):
        with db.refuses("23514"):
            db.commit(Batch().command(1, key=1, **wrong))
    for missing in ("client", "request_hash", "outcome"):
        with db.refuses("23502"):
            db.commit(Batch().command(1, key=1, **{missing: None}))


if __name__ == "__main__":
    sys.exit(main())
