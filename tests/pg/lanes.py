#!/usr/bin/env python3
"""lanes.py: batches of one engine on several connections store side by side and commit one after the other."""
import sys
import time

from kit import ENGINE, MON, MORNING, Batch, main, rule, session, visit

STUCK_S = 0.5


def statement(db, number, **scalars):
    """What commits event `number` as a batch of its own."""
    visits = [visit(MON, MORNING, 1)]
    batch = Batch(**dict({"p_prev_seq": number - 1}, **scalars))
    return db.call(batch.package(number, visits).place(number, number, visits).command(number, number)) + ";"


def lane(db):
    return session(db, f"SET ROLE {ENGINE};", "\\set VERBOSITY verbose")


@rule("a later batch waits until the one before it is durable, and then follows it")
def _(db):
    with lane(db) as first, lane(db) as second:
        one, two = statement(db, 1), statement(db, 2)
        first.ask("BEGIN;")
        first.ask(one)
        assert second.ask(two, STUCK_S) is None, "it did not wait"
        assert db.fence()["last_seq"] == 0
        first.ask("COMMIT;")
        second.rest()
    assert db.fence()["last_seq"] == 2


@rule("a later batch may come first: it waits for the one before it, which has not even begun")
def _(db):
    with lane(db) as first, lane(db) as second:
        one, two = statement(db, 1), statement(db, 2)
        assert second.ask(two, 0.1) is None, "it did not wait"
        first.ask(one)
        second.rest()
    assert db.fence()["last_seq"] == 2


@rule("a batch that changes a package waits as long as the one before it needs: a slow disk is no refusal")
def _(db):
    db.commit(Batch().package(1).command(1, 1))
    with lane(db) as first, lane(db) as second:
        one, two = statement(db, 2), db.call(Batch(p_prev_seq=2).state(1, 3, 5, 8).command(3, 3)) + ";"
        first.ask("BEGIN;")
        first.ask(one)
        assert second.ask(two, 1.5) is None, "it did not wait"
        first.ask("COMMIT;")
        assert "ERROR" not in second.rest()
        held = db.one("SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
                      "WHERE locktype = 'advisory' AND datname = current_database()")
        assert held == "0", "a turn that was waited for is let go"
    assert db.fence()["last_seq"] == 3


@rule("when the batch before is rolled back, or never comes, the later one is refused and nothing of it stays")
def _(db):
    with lane(db) as first, lane(db) as second:
        before = db.snapshot()
        one, two = statement(db, 1), statement(db, 2)
        first.ask("BEGIN;")
        first.ask(one)
        assert second.ask(two, STUCK_S) is None
        first.ask("ROLLBACK;")
        assert "CF002" in second.rest()
        begun = time.monotonic()
        assert "CF002" in second.ask(two)
        assert time.monotonic() - begun < 5
        assert db.snapshot() == before


@rule("a take-over waits for the batches under way; what the old engine sends after it is CF001, used key or not")
def _(db):
    with lane(db) as old, lane(db) as new:
        one = statement(db, 1)
        old.ask("BEGIN;")
        old.ask(one)
        assert new.ask("SELECT epoch, last_seq FROM calloff.take_over(1::int2, 0);", STUCK_S) is None, "it did not wait"
        old.ask("COMMIT;")
        assert new.rest().strip() == "1|1"
        assert "CF001" in old.ask(one)
        assert "CF001" in old.ask(statement(db, 2, p_epoch=0))
    assert db.fence()["last_seq"] == 1


@rule("a take-over waits even for a batch that has not come to the fence yet")
def _(db):
    with lane(db) as old, lane(db) as new:
        assert old.ask(statement(db, 2), 0.1) is None, "it did not wait for the first"
        assert new.ask("SELECT epoch FROM calloff.take_over(1::int2, 0);", 0.3) is None, "it did not wait"
        assert "CF002" in old.rest()
        assert new.rest().strip() == "1"


@rule("a framework edited meanwhile refuses the batch that waited: CF003, at once")
def _(db):
    with lane(db) as first, lane(db) as second:
        one, two = statement(db, 1), statement(db, 2)
        first.ask("BEGIN;")
        first.ask(one)
        assert second.ask(two, STUCK_S) is None
        first.ask("ROLLBACK;")
        db.sql("UPDATE calloff.provider SET genders = 1")
        begun = time.monotonic()
        answer = second.rest()
        assert "CF002" in answer or "CF003" in answer, answer
        assert "CF003" in second.ask(one)
        assert time.monotonic() - begun < 5


if __name__ == "__main__":
    sys.exit(main())
