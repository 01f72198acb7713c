#!/usr/bin/env python3
"""frozen.py: a server of a pair that does nothing any more, and keeps its connections; under load.

    frozen.py --engine build/engine/calloffd --client build/tests/crash/calloff-crash-client [--seed N] [--held S] [--only NAME]

A batch committed on the primary waits for its synchronous standby, which is frozen. Then its backend is terminated, or the
engine killed and started again, or the wait is cancelled (PostgreSQL then says success, with a warning). A read would say
"committed" each time. Nothing may be acknowledged, and take_over may not return, until the standby is back or has been
promoted without it; then every command is acknowledged once. A frozen primary is given up for the standby that was promoted,
by the engine that reigns and by one that stands by. Without synchronous replication commands are lost; receipts reveal which.
"""
import argparse
import os
import signal
import sys
import tempfile
import time

from pair import Pair, Violation, load, make_base, point_to

LAST_SEQ_SQL = "SELECT last_seq FROM fence WHERE shard = 1"
WAITING_SQL = """SELECT {what}(pid) FROM pg_stat_activity
WHERE application_name = 'calloffd' AND backend_type = 'client backend' AND wait_event = 'SyncRep'"""


def terminate(pair):
    pair.primary.sql(WAITING_SQL.format(what="pg_terminate_backend"))


def cancel(pair):
    pair.primary.sql(WAITING_SQL.format(what="pg_cancel_backend"))


def restart(pair):
    pair.engine.kill()
    pair.engine.start()


def freeze_under_a_batch(pair):
    """A heartbeat may be what waits, and then no batch gets as far; or the standby has the batch, and was frozen before it
    could say so: it then knows more than a reader of the primary. So again, until one waits that it has not."""
    end = time.monotonic() + load.PATIENCE_S
    while time.monotonic() < end:
        pair.freeze()
        looked_until = time.monotonic() + 1
        while time.monotonic() < looked_until:
            if pair.primary.sql(WAITING_SQL.format(what="abs") + " AND query LIKE '%commit_batch%'"):
                time.sleep(0.5)  # replies to what was replicated before arrive
                if int(pair.standby.sql(LAST_SEQ_SQL)) <= int(pair.primary.sql(LAST_SEQ_SQL)):
                    return
                break
        pair.thaw()
        pair.load.wait_for_progress(20, "a thaw")
    raise Violation("a batch waits for the frozen standby")


def hold(pair, blow, again, held_s):
    """Nothing is acknowledged while the standby is frozen; returns how far a read goes beyond what the standby has."""
    before, ready = pair.load.acknowledged(), len([x for x in pair.engine.log() if "event=ready" in x])
    blow(pair)
    end = time.monotonic() + held_s
    while time.monotonic() < end:
        time.sleep(0.2)
        if again:
            blow(pair)
        if pair.load.acknowledged() != before:
            raise Violation(f"nothing is acknowledged that no standby has, not {pair.load.acknowledged() - before} commands")
        if len([x for x in pair.engine.log() if "event=ready" in x]) != ready:
            raise Violation("a take-over does not return before a standby has it")
    return int(pair.primary.sql(LAST_SEQ_SQL)) - int(pair.standby.sql(LAST_SEQ_SQL))


def frozen(pair, blow, promoted, again=False, read_lies=True):
    pair.start()
    freeze_under_a_batch(pair)
    held_s = pair.options.held
    ahead = hold(pair, blow, again, held_s)
    if read_lies and ahead <= 0:
        raise Violation("a read on the primary is ahead of the standby: or nothing was proved")
    if promoted:
        pair.fail_over()
    else:
        pair.thaw()
    pair.load.wait_for_progress(200, "the standby's return")
    history = pair.finish()
    history.check()
    return (f"{len(history.acks)} acknowledged once; for {held_s} s nothing was, while a read on the primary told "
            f"{ahead} events that no standby had")


def frozen_primary(pair):
    pair.start()
    pair.primary.signal(signal.SIGSTOP)
    try:
        pair.standby.promote()
        point_to(pair.standby)
        pair.load.wait_for_progress(500, "the promotion", 60)
        history = pair.finish()
        history.check()
    finally:
        pair.primary.signal(signal.SIGCONT)
    return f"{len(history.acks)} acknowledged once, the frozen primary given up"


def standby_engine(pair):
    """The engine dies with the primary frozen: the other one was following that primary, and must find the new one."""
    pair.start()
    home = os.path.join(os.path.dirname(pair.engine.socket), "second")
    os.mkdir(home)
    second = pair.another_engine(home)
    second.start()
    try:
        wait_for_line(second, "event=standby")
        pair.load.finish()
        history = load.History(pair.engine)
        history.read(pair.load.path("history"))
        pair.primary.signal(signal.SIGSTOP)
        pair.engine.kill()
        pair.standby.promote()
        point_to(pair.standby)
        wait_for_line(second, "event=ready")
        pair.load = pair.another_load(second, home)
        pair.load.start()
        pair.load.wait_for_progress(200, "the second engine's take-over")
        pair.load.finish()
        second.stop()
    finally:
        load.stop(second.process)
        pair.primary.signal(signal.SIGCONT)
    history.engine = second
    history.read(pair.load.path("history"))
    history.check()
    return f"{len(history.acks)} acknowledged once, by one engine and then by the other"


def wait_for_line(engine, words):
    end = time.monotonic() + 60
    while not any(words in line for line in engine.log()):
        engine.check()
        if time.monotonic() > end:
            raise Violation(f"the engine says {words} within 60 s: " + " | ".join(engine.log()[-3:]))
        time.sleep(0.05)


def asynchronous(pair):
    pair.start()
    pair.freeze()
    pair.load.wait_for_progress(500, "the standby's freeze")
    epoch = int(pair.primary.sql("SELECT epoch FROM fence WHERE shard = 1"))
    at_ns = pair.fail_over()
    pair.load.wait_for_progress(200, "the promotion")
    history = pair.finish()
    history.read_chain()
    lost, revealed = history.lost_and_revealed(at_ns, epoch)
    if lost != revealed or lost == 0:
        raise Violation(f"receipts reveal what was lost: {lost} lost, {revealed} revealed")
    return f"{len(history.acks)} acknowledged, {lost} of them LOST, {revealed} receipts reveal it"


SCENES = {
    "terminated, standby back": lambda pair: frozen(pair, terminate, False),
    "engine killed, standby promoted": lambda pair: frozen(pair, restart, True, read_lies=False),
    "wait cancelled, standby promoted": lambda pair: frozen(pair, cancel, True, again=True),
    "primary frozen, standby promoted": frozen_primary,
    "primary frozen, engine killed": standby_engine,
    "asynchronous, standby promoted": asynchronous,
}


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--engine", required=True)
    p.add_argument("--client", required=True)
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--held", type=float, default=2, help="seconds the standby stays frozen")
    p.add_argument("--only", choices=SCENES, action="append")
    options = p.parse_args()
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="calloff-frozen.", dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        base = make_base(directory)
        for number, name in enumerate(options.only or SCENES):
            home = os.path.join(directory, str(number))
            os.mkdir(home)
            pair = Pair(options, home, base, *((False, ("--may-forget", "yes")) if name.startswith("asynchronous") else ()))
            try:
                print(f"{name}: {SCENES[name](pair)}", flush=True)
            except Violation as violation:
                print(f"frozen: VIOLATED (seed {options.seed}): {name}: {violation}", file=sys.stderr)
                return 1
            finally:
                pair.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
