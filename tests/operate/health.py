#!/usr/bin/env python3
"""health.py: what an engine says of itself, through trouble."""
import sys
import time

from engines import engine, main, rule, session, until

LEASE_US = 2000000


def health(e):
    return e.client_json("health")


@rule("heartbeats go on after the connection was lost with one under way: reads are answered again")
def _(db):
    with engine(db) as e, session(db, "BEGIN;") as blocker:
        e.start()
        blocker.ask("SELECT 1 FROM calloff.fence FOR UPDATE;")
        until("a heartbeat waits", lambda: db.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                                                  "AND wait_event_type = 'Lock'") != "0")
        db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'calloffd' "
               "AND datname = current_database()")
        blocker.ask("ROLLBACK;")
        until("it has loaded again", lambda: int(health(e).get("epoch", 0)) >= 2 and health(e)["state"] == "ready")
        time.sleep(LEASE_US / 1e6 + 0.5)
        assert int(health(e)["last_commit_age_us"]) < LEASE_US, "the lease has run out, and nothing renews it"
        e.ask("counts")


if __name__ == "__main__":
    sys.exit(main())
