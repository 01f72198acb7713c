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
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "pg"))
import chain  # noqa: E402

DATABASE = "calloff_crash"
PATIENCE_S = 30
POOLS_SQL = """
SELECT p.code || ' ' || array_to_string(grid_cells(declared), ' ')
FROM capacity c JOIN pool p USING (shard, pool_no) WHERE kind = 1 AND mode = 1 ORDER BY pool_no LIMIT 400
"""
EDIT_SQL = "UPDATE provider SET starts_a_day_max = 3 - starts_a_day_max % 2 WHERE shard = 1 AND provider_no = 1 + {n}"


class Violation(Exception):
    """A rule that does not hold: what the run is there to find."""


def psql(sql, database=DATABASE, patient=False):
    """Runs SQL as the superuser; patient: a database that recovers is asked again."""
    end = time.monotonic() + PATIENCE_S
    while True:
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database],
                              input="SET search_path = calloff, public;\n" + sql, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
        if not patient or time.monotonic() > end:
            raise Violation("PostgreSQL answers: " + done.stderr.strip())
        time.sleep(0.02)


def make_database():
    psql(f"CREATE DATABASE {DATABASE}", database="postgres")
    demo = os.path.join(ROOT, "sql", "demo")
    for command in ([os.path.join(ROOT, "sql", "migrate"), "dbname=" + DATABASE],
                    ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-v", "dir=" + demo, "-d", DATABASE,
                     "-f", os.path.join(demo, "load.sql")]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    # half of the lists wait for an officer, so that there is something to confirm
    psql("UPDATE policy SET confirmation = 1 WHERE policy_no % 2 = 1")


class Engine:
    """One calloffd after another, all appending to one log."""

    def __init__(self, path, directory):
        self.socket = os.path.join(directory, "socket")
        self.log_path = os.path.join(directory, "engine.log")
        self.command = [path, "--socket=" + self.socket, "--hello-seconds=1", "--frame-seconds=1",
                        f"--database=host={os.environ['PGHOST']} dbname={DATABASE} user=calloff_engine"]
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log, stdout=log)

    def kill(self):
        self.check()
        self.process.send_signal(signal.SIGKILL)
        at_ns = time.monotonic_ns()
        self.process.wait()
        return at_ns

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()

    def check(self):
        if self.process.poll() is not None:
            raise Violation(f"the engine does not end by itself: exit {self.process.returncode}: "
                            + " | ".join(self.log()[-5:]))

    def stop(self):
        self.check()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise Violation("the engine drains and stops within 10 s of SIGTERM") from None
        if code != 0:
            raise Violation(f"the engine stops with exit 0, not {code}")


class Run:
    def __init__(self, options, directory):
        self.options = options
        self.random = random.Random(options.seed)
        self.directory = directory
        self.engine = Engine(options.engine, directory)
        self.blows = []  # (ns, epoch before, kind)
        self.client = None
        self.progress = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        for name in ("history", "progress", "engine.log"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        with open(self.path("pools"), "w", encoding="ascii") as pools:
            pools.write(psql(POOLS_SQL) + "\n")
        self.engine.start()
        o = self.options
        self.client = subprocess.Popen(
            [o.client, "--socket", self.engine.socket, "--pools", self.path("pools"), "--history", self.path("history"),
             "--progress", self.path("progress"), "--workers", str(o.workers), "--depth", str(o.depth),
             "--seed", str(o.seed), "--sectors", os.path.join(ROOT, "sql/demo/real/sector_weights.csv")])
        end = time.monotonic() + PATIENCE_S
        while not os.path.exists(self.path("progress")) or os.path.getsize(self.path("progress")) < 4096:
            self.check_client()
            if time.monotonic() > end:
                raise Violation("the clients start")
            time.sleep(0.01)
        with open(self.path("progress"), "rb") as f:
            self.progress = mmap.mmap(f.fileno(), 4096, prot=mmap.PROT_READ)

    def check_client(self):
        if self.client.poll() is not None:
            raise Violation("the clients see no rule broken (their message is above)")

    def acknowledged(self):
        return struct.unpack_from("=Q", self.progress)[0]

    def wait_for_progress(self, count=100):
        until, end = self.acknowledged() + count, time.monotonic() + PATIENCE_S
        while self.acknowledged() < until:
            self.check_client()
            self.engine.check()
            if time.monotonic() > end:
                raise Violation(f"commands are acknowledged again within {PATIENCE_S} s of blow {len(self.blows)}: "
                                + " | ".join(self.engine.log()[-5:]))
            time.sleep(0.002)

    def plan(self):
        """Kinds of blows: a fifth at the backends, some stops and edits, the rest at the engine."""
        n = self.options.cycles
        kinds = ["backend"] * (n // 5) + ["stop"] * max(2, n // 20) + ["edit"] * max(2, n // 20)
        kinds += ["engine"] * max(1, n * 4 // 5)
        self.random.shuffle(kinds)
        return kinds

    def blow(self, kind):
        epoch = int(psql("SELECT epoch FROM fence WHERE shard = 1", patient=True))
        time.sleep(self.random.uniform(0, 0.15))
        if kind == "engine":
            self.blows.append((self.engine.kill(), epoch, kind))
            self.engine.start()
            if self.random.random() < 0.25:  # again, while it loads
                time.sleep(self.random.uniform(0, 0.12))
                self.blows.append((self.engine.kill(), epoch, kind))
                self.engine.start()
        elif kind == "backend":
            pids = psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'calloffd'", patient=True).split()
            if pids and self.random.random() < 0.5:
                psql(f"SELECT pg_terminate_backend({self.random.choice(pids)})", patient=True)
            elif pids:
                os.kill(int(self.random.choice(pids)), signal.SIGKILL)
            self.blows.append((time.monotonic_ns(), epoch, kind))
        elif kind == "stop":
            self.engine.process.send_signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.6, 1.4))
            self.engine.process.send_signal(signal.SIGCONT)
            self.blows.append((time.monotonic_ns(), epoch, kind))
        else:
            psql(EDIT_SQL.format(n=self.random.randrange(200)), patient=True)
            self.blows.append((time.monotonic_ns(), epoch, kind))

    def cycles(self):
        for kind in self.plan():
            self.wait_for_progress()
            self.blow(kind)
        self.wait_for_progress()

    def finish(self):
        self.client.send_signal(signal.SIGTERM)
        try:
            self.client.wait(120)
        except subprocess.TimeoutExpired:
            raise Violation("every command is acknowledged within 120 s of the last blow") from None
        if self.client.returncode != 0:
            raise Violation("the clients see no rule broken (their message is above)")
        self.engine.stop()

    def end(self):
        for process in (self.client, self.engine.process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


class History:
    """What the clients saw, beside what the database holds."""

    def __init__(self, run):
        self.acks, self.lost, self.stats = [], [], {}
        self.run = run
        with open(run.path("history"), encoding="ascii") as f:
            for line in f:
                kind, *rest = line.rstrip("\n").split("\t")
                if kind == "ack":
                    self.acks.append(rest)
                elif kind == "lost":
                    self.lost.append((rest[0], int(rest[1])))
                else:
                    self.stats[rest[0]] = int(rest[1])

    def check(self):
        rows = "\n".join("\t".join(row) for row in self.acks)
        with open(os.path.join(HERE, "check.sql"), encoding="utf-8") as f:
            sql = f.read()
        for line in psql(sql.replace("-- ACKS --", rows + "\n\\.")).splitlines():
            count, rule = line.split("|", 1)
            if count != "0":
                raise Violation(f"{rule}: {count} wrong")
        self.check_order()
        self.check_chain()
        self.check_alarms()

    def check_order(self):
        """What was acknowledged before another was sent has the lower sequence."""
        earliest_ns, key = None, None
        for ack in sorted(self.acks, key=lambda a: -int(a[5])):
            sent_ns, acknowledged_ns = int(ack[2]), int(ack[3])
            if earliest_ns is not None and earliest_ns < sent_ns:
                raise Violation(f"sequences follow real time: {key} was acknowledged before {ack[0]} was sent")
            if earliest_ns is None or acknowledged_ns < earliest_ns:
                earliest_ns, key = acknowledged_ns, ack[0]

    def check_chain(self):
        try:
            self.leaves, self.rows = chain.verify(DATABASE, 1)
        except chain.Broken as broken:
            raise Violation(str(broken)) from None
        for ack in self.acks:
            seq, leaf, row_hash = int(ack[5]), bytes.fromhex(ack[6]), bytes.fromhex(ack[7])
            if self.leaves.get(seq, (None,))[0] != leaf or self.leaves[seq][1] != row_hash:
                raise Violation(f"a receipt matches the journal: seq {seq}, key {ack[0]}")

    def check_alarms(self):
        for name in ("store_refused", "quarantined", "deposed"):
            if self.stats[name] != 0:
                raise Violation(f"the engine's {name} stays 0, not {self.stats[name]}")
        for line in self.run.engine.log():
            if "ALARM" in line or "event=deposed" in line or "check failed" in line.lower():
                raise Violation("the engine raises no alarm: " + line)

    def ambiguous(self, kind, wait_ns):
        """Keys unanswered at a blow of this kind that had been committed before it."""
        seq_of = {ack[0]: int(ack[5]) for ack in self.acks}
        found = set()
        if kind == "engine":
            for key, at_ns in self.lost:
                before = [b for b in self.run.blows if b[2] == kind and b[0] <= at_ns]
                if before and self.leaves[seq_of[key]][2] <= before[-1][1]:
                    found.add(key)
            return len(found)
        for ack in self.acks:
            for at_ns, epoch, what in self.run.blows:
                if (what == kind and int(ack[2]) < at_ns and int(ack[3]) > at_ns + wait_ns
                        and self.leaves[int(ack[5])][2] <= epoch):
                    found.add(ack[0])
        return len(found)


def report(run, history, seconds):
    kinds = [b[2] for b in run.blows]
    by_engine = history.ambiguous("engine", 0)
    by_backend = history.ambiguous("backend", 50_000_000)
    batches_lost = sum(int(line.split("batches_in_flight=")[1]) for line in run.engine.log()
                       if "event=store_lost" in line)
    print(f"crash_run: ok: {len(kinds)} blows ({kinds.count('engine')} kill -9 engine, {kinds.count('backend')} backend, "
          f"{kinds.count('stop')} stop, {kinds.count('edit')} edit), {len(history.acks)} commands acknowledged once, "
          f"{history.rows} batches gapless, {len({k for k, _ in history.lost})} keys lost and retried, "
          f"ambiguous={by_engine + by_backend} ({by_engine} engine, {by_backend} backend; {batches_lost} batches in "
          f"flight at a lost store), {history.stats['client_repeats']} repeats answered alike, "
          f"seed {run.options.seed}, {seconds:.1f} s")
    if by_engine + by_backend == 0:
        raise Violation("some outcomes are ambiguous, or the blows fell beside the commits")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--cluster", help="starts a private PostgreSQL and runs the rest in it")
    p.add_argument("--engine", required=True)
    p.add_argument("--client", required=True)
    p.add_argument("--cycles", type=int, default=50)
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--workers", type=int, default=4)
    p.add_argument("--depth", type=int, default=160)
    p.add_argument("--keep", metavar="DIR", help="keep history and logs there")
    return p.parse_args()


def main():
    options = arguments()
    if options.cluster:
        for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"):
            os.environ.pop(name, None)
        i = sys.argv.index("--cluster")
        os.execv(options.cluster, [options.cluster, sys.executable, *sys.argv[:i], *sys.argv[i + 2:]])
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
            history = History(run)
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
