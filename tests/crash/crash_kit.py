"""crash_kit.py: a real engine under real clients, and the blows it gets; tests/crash and tests/history stand on it."""
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
for folder in ("pg", "history"):
    sys.path.insert(0, os.path.join(ROOT, "tests", folder))

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
    """One calloffd after another, all appending to one log; more: further flags."""

    def __init__(self, path, directory, more=()):
        self.socket = os.path.join(directory, "socket")
        self.log_path = os.path.join(directory, "engine.log")
        self.command = [path, "--socket=" + self.socket, "--hello-seconds=1", "--frame-seconds=1",
                        f"--database=host={os.environ['PGHOST']} dbname={DATABASE} user=calloff_engine", *more]
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


class Clients:
    """calloff-crash-client over one engine. options: client, seed, workers, depth; more: further flags."""

    def __init__(self, options, directory, engine, more=()):
        self.options, self.directory, self.engine = options, directory, engine
        self.more = [str(x) for x in more]
        self.process = self.progress = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        for name in ("history", "progress"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        with open(self.path("pools"), "w", encoding="ascii") as pools:
            pools.write(psql(POOLS_SQL, patient=True) + "\n")
        o = self.options
        self.process = subprocess.Popen(
            [o.client, "--socket", self.engine.socket, "--pools", self.path("pools"), "--history", self.path("history"),
             "--progress", self.path("progress"), "--workers", str(o.workers), "--depth", str(o.depth),
             "--seed", str(o.seed), "--sectors", os.path.join(ROOT, "sql/demo/real/sector_weights.csv"), *self.more])
        end = time.monotonic() + PATIENCE_S
        while not os.path.exists(self.path("progress")) or os.path.getsize(self.path("progress")) < 4096:
            self.check()
            if time.monotonic() > end:
                raise Violation("the clients start")
            time.sleep(0.01)
        with open(self.path("progress"), "rb") as f:
            self.progress = mmap.mmap(f.fileno(), 4096, prot=mmap.PROT_READ)

    def check(self):
        if self.process.poll() is not None:
            raise Violation("the clients see no rule broken (their message is above)")

    def acknowledged(self):
        return struct.unpack_from("=Q", self.progress)[0]

    def wait_for_progress(self, count=100):
        until, end = self.acknowledged() + count, time.monotonic() + PATIENCE_S
        while self.acknowledged() < until:
            self.check()
            self.engine.check()
            if time.monotonic() > end:
                raise Violation(f"commands are acknowledged again within {PATIENCE_S} s: " + " | ".join(self.engine.log()[-5:]))
            time.sleep(0.002)

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            raise Violation("every command is acknowledged within 120 s of the last blow") from None
        if self.process.returncode != 0:
            raise Violation("the clients see no rule broken (their message is above)")


class Run:
    """An engine, its clients and the blows. options as Clients, and engine, cycles."""

    def __init__(self, options, directory, more=(), edits=(EDIT_SQL,)):
        self.options = options
        self.random = random.Random(options.seed)
        self.directory = directory
        self.edits = edits
        self.engine = Engine(options.engine, directory)
        self.clients = Clients(options, directory, self.engine, more)
        self.blows = []  # (ns, epoch before, kind)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        if os.path.exists(self.engine.log_path):
            os.remove(self.engine.log_path)
        self.engine.start()
        self.clients.start()

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
            self.edit()
            self.blows.append((time.monotonic_ns(), epoch, kind))

    def edit(self):
        psql(self.random.choice(self.edits).format(n=self.random.randrange(200)), patient=True)

    def cycles(self):
        for kind in self.plan():
            self.clients.wait_for_progress()
            self.blow(kind)
        self.clients.wait_for_progress()

    def finish(self):
        self.clients.finish()
        self.engine.stop()

    def end(self):
        for process in (self.clients.process, self.engine.process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def flags(parser):
    """What every run of this kit is told."""
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
