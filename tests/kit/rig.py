"""rig.py: what every test needs that runs a real engine under real clients and holds what they saw against the database.

Engine, Clients and History each keep to one directory; psql and the database are found through PGHOST and PGUSER.
Violation is raised with the rule that does not hold, in words.
"""
import mmap
import os
import signal
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "pg"))
import chain  # noqa: E402

DATABASE = "calloff_crash"
PATIENCE_S = 30
POOLS_SQL = """
SELECT p.code || ' ' || array_to_string(grid_cells(declared), ' ')
FROM capacity c JOIN pool p USING (shard, pool_no) WHERE kind = 1 AND mode = 1 ORDER BY pool_no LIMIT 400
"""
EDIT_SQL = "UPDATE provider SET starts_a_day_max = 3 - starts_a_day_max % 2 WHERE shard = 1 AND provider_no = 1 + {n}"
ALARMS = ("store_refused", "quarantined", "deposed")


class Violation(Exception):
    """A rule that does not hold: what the run is there to find."""


def psql(sql, database=DATABASE, patient=False, patience_s=PATIENCE_S):
    """Runs SQL as the superuser; patient: a database that recovers is asked again."""
    end = time.monotonic() + patience_s
    while True:
        try:
            done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database],
                                  input="SET search_path = calloff, public;\n" + sql, capture_output=True, text=True,
                                  timeout=patience_s)
        except subprocess.TimeoutExpired:
            raise Violation(f"PostgreSQL answers within {patience_s} s") from None
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


def fence(column):
    return int(psql(f"SELECT {column} FROM fence WHERE shard = 1", patient=True))


class Engine:
    """One engine after another behind one socket, all appending to one log."""

    def __init__(self, program, directory, name="engine", server=None, flags=()):
        self.program, self.flags = program, list(flags)
        self.socket = os.path.join(directory, name + ".socket")
        self.log_path = os.path.join(directory, name + ".log")
        self.server = server or "host=" + os.environ["PGHOST"]
        self.process = None

    def command(self):
        return [self.program, "--socket=" + self.socket, "--hello-seconds=1", "--frame-seconds=1", *self.flags,
                f"--database={self.server} dbname={DATABASE} user=calloff_engine"]

    def start(self, prefix=(), **environment):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*prefix, *self.command()], stderr=log, stdout=log,
                                            env=dict(os.environ, **environment))

    def kill(self):
        self.check()
        self.process.send_signal(signal.SIGKILL)
        at_ns = time.monotonic_ns()
        self.process.wait()
        return at_ns

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()

    def last_words(self):
        return " | ".join(self.log()[-5:])

    def check(self):
        if self.process.poll() is not None:
            raise Violation(f"the engine does not end by itself: exit {self.process.returncode}: {self.last_words()}")

    def stop(self):
        self.check()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise Violation("the engine drains and stops within 10 s of SIGTERM: " + self.last_words()) from None
        if code != 0:
            raise Violation(f"the engine stops with exit 0, not {code}: {self.last_words()}")

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Clients:
    """Pipelined commands from several connections; each is sent until it is acknowledged."""

    def __init__(self, program, directory, socket, workers=4, depth=160, seed=1, more=()):
        self.directory, self.process, self.progress = directory, None, None
        self.command = [program, "--socket", socket, "--pools", self.path("pools"), "--history", self.path("history"),
                        "--progress", self.path("progress"), "--workers", str(workers), "--depth", str(depth),
                        "--seed", str(seed), "--sectors", os.path.join(ROOT, "sql/demo/real/sector_weights.csv"), *more]

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        for name in ("history", "progress"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        with open(self.path("pools"), "w", encoding="ascii") as pools:
            pools.write(psql(POOLS_SQL) + "\n")
        with open(self.path("clients.log"), "wb") as said:
            self.process = subprocess.Popen(self.command, stderr=said)
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
            with open(self.path("clients.log"), encoding="utf-8", errors="replace") as said:
                raise Violation("the clients see no rule broken: " + said.read().strip())

    def acknowledged(self):
        return struct.unpack_from("=Q", self.progress)[0]

    def finish(self, patience_s=120):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise Violation(f"every command is acknowledged within {patience_s} s of the last blow") from None
        if self.process.returncode != 0:
            self.check()

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class History:
    """What the clients saw, beside what the database holds."""

    def __init__(self, path):
        self.acks, self.lost, self.aside, self.replies, self.stats = [], [], [], {}, {}
        self.leaves, self.rows = {}, 0
        with open(path, encoding="ascii") as f:
            for line in f:
                kind, *rest = line.rstrip("\n").split("\t")
                if kind == "ack":
                    self.acks.append(rest)
                elif kind == "lost":
                    self.lost.append((rest[0], int(rest[1])))
                elif kind == "aside":
                    self.aside.append(rest[0])
                elif kind == "reply":
                    self.replies[rest[0]] = self.replies.get(rest[0], 0) + int(rest[1])
                else:
                    self.stats[rest[0]] = int(rest[1])

    def rules(self):
        """[(how many break it, rule)] of check.sql."""
        rows = "\n".join("\t".join(row) for row in self.acks)
        with open(os.path.join(ROOT, "tests/crash/check.sql"), encoding="utf-8") as f:
            sql = f.read()
        said = psql(sql.replace("-- ACKS --", rows + "\n\\.")).splitlines()
        return [(int(count), rule) for count, rule in (line.split("|", 1) for line in said)]

    def check(self):
        for count, rule in self.rules():
            if count:
                raise Violation(f"{rule}: {count} wrong")
        self.check_order()
        self.check_chain()

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

    def check_alarms(self, log):
        for name in ALARMS:
            if self.stats[name] != 0:
                raise Violation(f"the engine's {name} stays 0, not {self.stats[name]}")
        for line in log:
            if "ALARM" in line or "event=deposed" in line or "check failed" in line.lower():
                raise Violation("the engine raises no alarm: " + line)
