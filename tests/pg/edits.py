#!/usr/bin/env python3
"""edits.py: commissioners edit the framework with SQL while the engine commits; neither can hurt the other."""
import sys
import time

from kit import FRAMEWORK, MORNING, Batch, Refused, fact, main, rule, session, visit


def editor(db):
    return session(db, f"SET ROLE {FRAMEWORK};", "SET search_path = calloff;")


def version(db):
    return db.fence()["framework_version"]


@rule("a transaction moves framework_version by one, however many rows and tables it touches")
def _(db):
    before = version(db)
    db.sql("""BEGIN; SET search_path = calloff;
        UPDATE provider SET genders = 1; UPDATE provider SET genders = 2; UPDATE lot SET name = name;
        INSERT INTO skill SELECT 1, n, 'skill_' || n FROM generate_series(1, 20) AS n; DELETE FROM skill;
        COMMIT""", role=FRAMEWORK)
    assert version(db) == before + 1
    assert db.one("SELECT count(*) FROM calloff.framework_edit WHERE edited_by = session_user") >= "1"


@rule("every table of the framework moves the version when a row comes, changes or goes; nothing else does")
def _(db):
    tables = db.sql("""SELECT relname FROM pg_class WHERE relnamespace = 'calloff'::regnamespace AND relkind = 'r'
        AND has_table_privilege('calloff_framework', oid, 'UPDATE') ORDER BY 1""")
    assert len(tables) == 18, tables
    rows = db.sql("""SELECT tgrelid::regclass::text, count(*) FROM pg_trigger
        WHERE tgfoid = 'calloff.framework_was_edited'::regproc AND tgenabled = 'O' GROUP BY 1""")
    assert sorted(rows) == sorted([f"calloff.{t}", "3"] for (t,) in tables), rows
    before = version(db)
    for (table,) in tables:
        db.sql(f"UPDATE calloff.{table} SET shard = shard", role=FRAMEWORK)
        before += 1 if db.one(f"SELECT count(*) > 0 FROM calloff.{table}") == "t" else 0
        assert version(db) == before, table
    db.commit(Batch().package(1))
    db.sql("UPDATE calloff.capacity SET mode = mode")
    assert version(db) == before


@rule("an edit that is rolled back, whole or to a savepoint, moves nothing")
def _(db):
    before = version(db)
    db.sql("BEGIN; UPDATE calloff.provider SET genders = 1; ROLLBACK", role=FRAMEWORK)
    db.sql("BEGIN; SAVEPOINT a; UPDATE calloff.provider SET genders = 1; ROLLBACK TO a; COMMIT", role=FRAMEWORK)
    assert version(db) == before
    db.sql("""BEGIN; UPDATE calloff.provider SET genders = 1; SAVEPOINT a; UPDATE calloff.lot SET name = name;
        ROLLBACK TO a; COMMIT""", role=FRAMEWORK)
    assert version(db) == before + 1


@rule("an edit notifies engines when it commits; a rolled-back one and a placement do not")
def _(db):
    with session(db, "LISTEN calloff_framework;") as engine:
        db.sql("BEGIN; UPDATE calloff.provider SET genders = 1; ROLLBACK", role=FRAMEWORK)
        db.commit(Batch().package(1))
        assert "calloff_framework" not in engine.ask("SELECT 1;")
        db.sql("UPDATE calloff.provider SET genders = 1", role=FRAMEWORK)
        assert 'Asynchronous notification "calloff_framework"' in engine.ask("SELECT 1;")


@rule("an editor who edits and then sits idle keeps no commit waiting; what the engine decided meanwhile stands")
def _(db):
    before = version(db)
    with editor(db) as e:
        e.ask("BEGIN; UPDATE provider SET genders = 1; INSERT INTO skill VALUES (1, 1, 'hoist');")
        started = time.monotonic()
        db.commit(Batch().package(1))
        assert time.monotonic() - started < 5
        assert db.one("SELECT count(*) FROM pg_locks WHERE relation = 'calloff.fence'::regclass AND mode LIKE '%Exclusive'") == "0"
        e.ask("COMMIT;")
    assert version(db) == before + 1


@rule("a commit that was decided before an edit and comes after it is refused: CF003")
def _(db):
    read = version(db)
    with editor(db) as e:
        e.ask("BEGIN; UPDATE provider SET genders = 1;")
        db.commit(Batch(p_framework_version=read).package(1))
        e.ask("COMMIT;")
    with db.refuses("CF003"):
        db.commit(Batch(p_framework_version=read).package(2))


@rule("the fence is locked by an edit only while it commits: a commit under way goes first, then the edit")
def _(db):
    read = version(db)
    with session(db) as engine, editor(db) as e:
        assert engine.ask("BEGIN; UPDATE calloff.fence SET clock_us = clock_us WHERE shard = 1;") == ""
        e.ask("BEGIN; UPDATE provider SET genders = 1;")
        assert e.ask("COMMIT;", patience_s=0.5) is None  # waits for the commit under way
        assert version(db) == read
        engine.ask("COMMIT;")
        e.close()
    assert version(db) == read + 1


@rule("a commit that meets an edit's commit waits for it, and then sees the new version")
def _(db):
    read = version(db)
    with editor(db) as e:
        e.ask("BEGIN; UPDATE provider SET genders = 1; SET CONSTRAINTS ALL IMMEDIATE;")  # as if its COMMIT were under way
        with session(db) as engine:
            late = Batch(p_framework_version=read).package(1)
            e.send("SELECT pg_sleep(0.3); COMMIT;")
            try:
                db.commit(late)
            except Refused as refused:
                assert refused.state == "CF003", refused
            else:
                raise AssertionError("it committed on a framework it had not read")
            engine.ask("SELECT 1;")
    assert version(db) == read + 1 and db.fence()["last_seq"] == 0


@rule("two editors at once both count")
def _(db):
    read = version(db)
    with editor(db) as a, editor(db) as b:
        a.ask("BEGIN; UPDATE provider SET genders = 1 WHERE provider_no = 1;")
        b.ask("BEGIN; UPDATE provider SET genders = 1 WHERE provider_no = 2;")
        a.ask("COMMIT;")
        b.ask("COMMIT;")
    assert version(db) == read + 2


@rule("a commissioner who walks away is cut after a minute")
def _(db):
    assert db.one("SELECT rolconfig @> ARRAY['idle_in_transaction_session_timeout=60s'] FROM pg_roles"
                  " WHERE rolname = 'calloff_framework'") == "t"


@rule("a new pool is unknown: its capacity is there, empty and expired, and it takes nothing")
def _(db):
    db.sql("""SET search_path = calloff; INSERT INTO pool VALUES (1, 9, 1, 'A-9', 1);
        INSERT INTO sector VALUES (1, 9, 'CM0 9', 0, 0, 0); INSERT INTO coverage VALUES (1, 1, 1, 9, 9)""", role=FRAMEWORK)
    assert db.sql("SELECT mode, expires_us, committed FROM calloff.capacity WHERE pool_no = 9") == [["1", "0", "0"]]
    with db.refuses("23514", "capacity_never_over"):
        db.commit(Batch().package(1, sector_no=9).place(1, 1, [127 | 1 << 7 | 6 << 11], pool_no=9))
    with db.refuses("23503"):
        db.sql("DELETE FROM calloff.pool WHERE pool_no = 9", role=FRAMEWORK)


@rule("a placement made again, to carry a visit that its bundle's other one carried, stays in its pool wherever coverage moved")
def _(db):
    shared = visit(1, MORNING, 3)
    facts = [fact(MORNING, shared=True)]
    db.commit(Batch().package(1, [shared], facts).place(1, 1, [shared & 2047]))  # the partner carries it: no units
    for edit in ("UPDATE calloff.coverage SET pool_no = 2 WHERE list_no = 1 AND sector_no = 1 AND provider_no = 1",
                 "DELETE FROM calloff.coverage WHERE list_no = 1 AND sector_no = 1 AND provider_no = 1"):
        db.sql(edit, role=FRAMEWORK)
        seq = db.fence()["last_seq"] + 1
        for wrong in ({"pool_no": 3}, {"pool_no": 1, "provider_no": 2}, {"role": 2}, {"list_no": 2}):
            with db.refuses("CF104"):
                db.commit(Batch().end(1, seq).place(1, seq, [shared], alone=True, **wrong))
        db.commit(Batch().end(1, seq).place(1, seq, [shared], alone=True))
        assert db.grid(1, "committed")[MORNING] == 3


@rule("a placement made again is of its own package's visits, and stays in its own pool, not in another package's")
def _(db):
    shared, other = visit(1, MORNING, 3), visit(2, MORNING, 2)
    db.commit(Batch().package(1, [shared], [fact(MORNING, shared=True)]).place(1, 1, [shared & 2047]))
    db.commit(Batch().package(2, [other], sector_no=2).place(2, 2, [other], pool_no=2))  # the same provider, elsewhere
    ended = lambda: Batch().end(1, 3).end(2, 3)  # noqa: E731
    with db.refuses("CF104"):
        db.commit(ended().place(1, 3, [shared], pool_no=2, alone=True))
    with db.refuses("CF104"):
        db.commit(ended().place(1, 3, [other], alone=True))
    db.commit(ended().place(1, 3, [shared], alone=True))
    assert db.grid(1, "committed")[MORNING] == 3


if __name__ == "__main__":
    sys.exit(main())
