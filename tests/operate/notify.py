#!/usr/bin/env python3
"""notify.py: what calloffd itself tells the service manager that started it, and when it stops telling."""
import signal
import sys

from engines import Manager, engine, main, rule, session

WATCHDOG_S = 1.5


def under_manager(e, abstract=False, **environment):
    manager = Manager(e.folder, abstract)
    e.environment = dict({"NOTIFY_SOCKET": manager.name}, **environment)
    return manager


def pings(messages):
    return [at for at, message in messages if message.get("WATCHDOG") == "1"]


@rule("ready is told after the load, and only then; a stop is told before the end")
def _(db):
    with engine(db) as e:
        manager = under_manager(e)
        with session(db, "BEGIN;", "LOCK TABLE calloff.fence;") as blocker:
            e.start(ready=False)
            manager.wait_for("STATUS", "loading shard 1")
            manager.listen(0.6)
            assert not any("READY" in message for _, message in manager.heard), "ready before it had loaded"
            blocker.ask("ROLLBACK;")
        ready = manager.wait_for("READY", "1")
        assert ready["STATUS"].startswith("serving shard 1, epoch 1"), ready
        assert e.client("health").returncode == 0
        e.process.send_signal(signal.SIGTERM)
        stopping = manager.wait_for("STOPPING", "1")
        assert stopping["STATUS"] == "stopping: answering what was taken in", stopping
        assert e.process.wait(30) == 0
        manager.close()


@rule("the watchdog is fed while the engine lives, and not while it is stopped")
def _(db):
    with engine(db) as e:
        manager = under_manager(e, WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6)))
        e.start()
        manager.listen(0.1)
        alive = pings(manager.listen(3 * WATCHDOG_S))
        assert len(alive) >= 4, f"{len(alive)} pings in {3 * WATCHDOG_S} s"
        e.process.send_signal(signal.SIGSTOP)
        manager.listen(0.2)  # what was on its way
        assert not manager.listen(2 * WATCHDOG_S), "a stopped engine says something"
        e.process.send_signal(signal.SIGCONT)
        assert pings(manager.listen(WATCHDOG_S)), "no ping after it went on"
        e.stop()
        manager.close()


@rule("SIGHUP is a reload that ends with another load")
def _(db):
    with engine(db) as e:
        manager = under_manager(e, abstract=True)
        e.start()
        manager.wait_for("READY", "1")
        e.process.send_signal(signal.SIGHUP)
        reloading = manager.wait_for("RELOADING", "1")
        assert int(reloading["MONOTONIC_USEC"]) > 0, reloading
        assert manager.wait_for("READY", "1")["STATUS"].startswith("serving shard 1, epoch 2")
        e.stop()
        manager.close()


@rule("while its database is away it asks for more time and says why, and is ready when that is back")
def _(db):
    with engine(db) as e:
        manager = under_manager(e)
        database, e.database = e.database, "host=/nowhere dbname=none user=calloff_engine connect_timeout=1"
        e.start(ready=False)
        status = ""
        while "/nowhere" not in status:
            status = manager.wait_for("STATUS")["STATUS"]
        assert status.startswith("shard 1 cannot load: ") and not set(status) & set("\t\n"), status
        assert status.endswith("connections on that socket?"), status
        assert any("EXTEND_TIMEOUT_USEC" in message for _, message in manager.heard), manager.heard
        e.process.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING", "1")
        assert e.process.wait(30) == 0
        e.database = database
        e.start()
        manager.wait_for("READY", "1")
        e.stop()
        manager.close()


@rule("a database that would lose what it acknowledged ends the engine with EX_CONFIG, and the status says why")
def _(db):
    db.sql(f"ALTER DATABASE {db.name} SET synchronous_commit = off")
    with engine(db) as e:
        manager = under_manager(e)
        e.start(ready=False)
        stopping = manager.wait_for("STOPPING", "1")
        assert "synchronous_commit is off" in stopping["STATUS"], stopping
        assert e.process.wait(30) == 78
        assert not any("READY" in message for _, message in manager.heard)
        manager.close()


@rule("without a manager, or with one that is gone, the engine serves all the same")
def _(db):
    with engine(db) as e:
        e.start()
        e.stop()
        manager = under_manager(e)
        manager.close()
        e.start()
        e.stop()


if __name__ == "__main__":
    sys.exit(main())
