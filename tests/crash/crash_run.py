#!/usr/bin/env python3
"""crash_run: kills the engine and PostgreSQL's backends under load, then checks that nothing acknowledged was lost.

    crash_run.py --cluster tests/kit/cluster --engine build/engine/calloffd --client build/tests/crash/calloff-crash-client
                 [--cycles 50] [--seed N] [--workers 4] [--depth 160] [--keep DIR]

A cycle is one blow at a random instant under load: kill -9 of the engine (some while it still loads), kill -9 or
pg_terminate_backend of one of its backends, SIGSTOP longer than its clients wait, or an edit of the framework.
The engine is started again at once; clients send everything unanswered again under the same keys.
A key is ambiguous when it was sent, unanswered at the blow, and had been committed all the same: with none of them the
run has proved nothing, and fails. Prints one line; exits 1 with the first violated rule named.
"""
import argparse
import os
import random
import signal
import sys
import tempfile
import time

from load import PATIENCE_S, Engine, History, Load, Violation, make_database, psql, stop
from table import found

EDIT_SQL = "UPDATE provider SET starts_a_day_max = 3 - starts_a_day_max % 2 WHERE shard = 1 AND provider_no = 1 + {n}"


class Run:
    """An engine, its clients and the blows; more: further flags of the clients."""

    def __init__(self, options, directory, more=(), edits=(EDIT_SQL,)):
        self.options = options
        self.random = random.Random(options.seed)
        self.edits = edits
        self.engine = Engine(options.engine, directory)
        self.load = Load(options.client, self.engine, directory, options.seed, options.workers, options.depth, more)
        self.blows = []  # (ns, epoch before, kind)

    def start(self):
        if os.path.exists(self.engine.log_path):
            os.remove(self.engine.log_path)
        self.engine.start()
        self.load.start()

    def wait_for_progress(self, count=100):
        self.load.wait_for_progress(count, f"blow {len(self.blows)}")

    def plan(self):
        """Kinds of blows: a fifth at the backends, some stops and edits, the rest at the engine."""
        n = self.options.cycles
        kinds = ["backend"] * (n // 5) + ["stop"] * max(2, n // 20) + ["edit"] * max(2, n // 20)
        kinds += ["engine"] * max(1, n * 4 // 5)
        self.random.shuffle(kinds)
        return kinds

    def blow(self, kind):
        epoch = int(psql("SELECT epoch FROM fence WHERE shard = 1", patience_s=PATIENCE_S))
        time.sleep(self.random.uniform(0, 0.15))
        if kind == "engine":
            self.blows.append((self.engine.kill(), epoch, kind))
            self.engine.start()
            if self.random.random() < 0.25:  # again, while it loads
                time.sleep(self.random.uniform(0, 0.12))
                self.blows.append((self.engine.kill(), epoch, kind))
                self.engine.start()
        elif kind == "backend":
            pids = psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'calloffd'", patience_s=PATIENCE_S).split()
            if pids and self.random.random() < 0.5:
                psql(f"SELECT pg_terminate_backend({self.random.choice(pids)})", patience_s=PATIENCE_S)
            elif pids:
                os.kill(int(self.random.choice(pids)), signal.SIGKILL)
            self.blows.append((time.monotonic_ns(), epoch, kind))
        elif kind == "stop":
            self.engine.process.send_signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.6, 1.4))
            self.engine.process.send_signal(signal.SIGCONT)
            self.blows.append((time.monotonic_ns(), epoch, kind))
        else:
            self.edit()
            self.blows.append((time.monotonic_ns(), epoch, kind))

    def edit(self):
        psql(self.random.choice(self.edits).format(n=self.random.randrange(200)), patience_s=PATIENCE_S)

    def cycles(self):
        for kind in self.plan():
            self.wait_for_progress()
            self.blow(kind)
        self.wait_for_progress()

    def finish(self):
        self.load.finish()
        self.engine.stop()

    def end(self):
        stop(self.load.process, self.engine.process)


def ambiguous_to_the_engine(run, history):
    """How many keys' connections ended at a kill of the engine that had committed them."""
    seq_of = {ack[0]: int(ack[5]) for ack in history.acks}
    found = set()
    for key, at_ns in history.lost:
        before = [b for b in run.blows if b[2] == "engine" and b[0] <= at_ns]
        if before and history.leaves[seq_of[key]][2] <= before[-1][1]:
            found.add(key)
    return len(found)


def report(run, history, seconds):
    kinds = [b[2] for b in run.blows]
    by_engine = ambiguous_to_the_engine(run, history)
    by_backend = len(set().union(*(history.ambiguous(at_ns, epoch, 50_000_000)
                                   for at_ns, epoch, kind in run.blows if kind == "backend")))
    batches_lost = sum(int(line.split("batches_in_flight=")[1]) for line in run.engine.log()
                       if "event=store_lost" in line)
    print(f"crash_run: ok: {len(kinds)} blows ({kinds.count('engine')} kill -9 engine, {kinds.count('backend')} backend, "
          f"{kinds.count('stop')} stop, {kinds.count('edit')} edit), {len(history.acks)} commands acknowledged once, "
          f"{history.rows} batches gapless, {len({k for k, _ in history.lost})} keys lost and retried, "
          f"ambiguous={by_engine + by_backend} ({by_engine} engine, {by_backend} backend; {batches_lost} batches in "
          f"flight at a lost store), {history.stats['client_repeats']} repeats answered alike, "
          f"seed {run.options.seed}, {seconds:.1f} s")
    found("kill -9 of the engine and of backends, stops, edits (crash)", len(kinds), len(history.acks))
    if by_engine + by_backend == 0:
        raise Violation("some outcomes are ambiguous, or the blows fell beside the commits")


def flags(parser):
    """What each run of an engine and its clients is told."""
    parser.add_argument("--cluster", help="starts a private PostgreSQL and runs the rest in it")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--depth", type=int, default=160)
    parser.add_argument("--keep", metavar="DIR", help="keep history and logs there")


def in_cluster(options):
    """Runs this program again in a PostgreSQL of its own, if --cluster says how; whatever PGHOST says."""
    if not options.cluster:
        return
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"):
        os.environ.pop(name, None)
    i = sys.argv.index("--cluster")
    os.execv(options.cluster, [options.cluster, sys.executable, *sys.argv[:i], *sys.argv[i + 2:]])


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags(p)
    p.add_argument("--cycles", type=int, default=50)
    return p.parse_args()


def main():
    options = arguments()
    in_cluster(options)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crash.") as temporary:
        directory = options.keep or temporary
        os.makedirs(directory, exist_ok=True)
        run = Run(options, directory)
        try:
            make_database()
            run.start()
            run.cycles()
            run.finish()
            history = History(run.engine)
            history.read(run.load.path("history"))
            history.check()
            report(run, history, time.monotonic() - started)
            return 0
        except Violation as violation:
            print(f"crash_run: VIOLATED (seed {options.seed}): {violation}", file=sys.stderr)
            return 1
        finally:
            run.end()


if __name__ == "__main__":
    sys.exit(main())
