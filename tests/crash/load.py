"""load.py: the load of crash_run and of whoever strikes otherwise: a demonstration database, an engine, its clients, and
what these saw held against the journal.

PostgreSQL is found through PGHOST and PGUSER; a list of hosts with PGTARGETSESSIONATTRS=read-write finds the primary.
"""
import mmap
import os
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", folder) for folder in ("pg", "history", "kit")]
import chain  # noqa: E402
import history  # noqa: E402
import wire  # noqa: E402

DATABASE = "calloff_crash"
PATIENCE_S = 30
POOLS_SQL = """
SELECT p.code || ' ' || array_to_string(grid_cells(declared), ' ')
FROM capacity c JOIN pool p USING (shard, pool_no) WHERE kind = 1 AND mode = 1 ORDER BY pool_no LIMIT 400
"""


class Violation(Exception):
    """A rule that does not hold: what the run is there to find."""


def psql(sql, database=DATABASE, patience_s=0):
    """Runs SQL as the superuser; a database that recovers is asked again for as long as patience lasts."""
    end = time.monotonic() + patience_s
    while True:
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database],
                              input="SET search_path = calloff, public;\n" + sql, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
        if time.monotonic() >= end:
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

    def __init__(self, path, directory, where=None):
        """where: the hosts of its connection string, if they are not PGHOST."""
        self.socket = os.path.join(directory, "socket")
        self.log_path = os.path.join(directory, "engine.log")
        self.command = [path, "--socket=" + self.socket, "--hello-seconds=1", "--frame-seconds=1",
                        f"--database={where or 'host=' + os.environ['PGHOST']} dbname={DATABASE} user=calloff_engine"]
        self.process = None

    def start(self):
        # what its connection string does not say must come from the engine itself
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log, stdout=log, env=environment)

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


class Load:
    """The clients of one engine: their progress while they run, their history when they have ended."""

    def __init__(self, client, engine, directory, seed, workers=4, depth=160, flags=()):
        self.engine = engine
        self.directory = directory
        self.command = [client, "--socket", engine.socket, "--pools", self.path("pools"), "--history", self.path("history"),
                        "--progress", self.path("progress"), "--workers", str(workers), "--depth", str(depth),
                        "--seed", str(seed), "--sectors", os.path.join(ROOT, "sql/demo/real/sector_weights.csv"), *map(str, flags)]
        self.process = None
        self.progress = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        for name in ("history", "progress"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        with open(self.path("pools"), "w", encoding="ascii") as pools:
            pools.write(psql(POOLS_SQL, patience_s=PATIENCE_S) + "\n")
        self.process = subprocess.Popen(self.command)
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

    def wait_for_progress(self, count, since, patience_s=PATIENCE_S):
        until, end = self.acknowledged() + count, time.monotonic() + patience_s
        while self.acknowledged() < until:
            self.check()
            self.engine.check()
            if time.monotonic() > end:
                raise Violation(f"commands are acknowledged again within {patience_s} s of {since}: "
                                + " | ".join(self.engine.log()[-5:]))
            time.sleep(0.002)

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            raise Violation("every command is acknowledged within 120 s of the last blow") from None
        if self.process.returncode != 0:
            raise Violation("the clients see no rule broken (their message is above)")


def ack_of(call, told):
    """What check.sql takes of an acknowledgement."""
    _, event = wire.event(call.request)
    package = told.package if call.kind != "declare" else 0
    return [call.key, call.kind, call.invoked_ns, call.returned_ns, call.replies, told.seq, told.leaf.hex(),
            told.row_hash.hex(), told.refusal, package, told.state, event.get("package", 0)]


class History:
    """What the clients saw, beside what the database holds."""

    def __init__(self, engine):
        self.engine = engine
        self.acks, self.lost, self.stats = [], [], {}
        self.leaves, self.rows = {}, 0

    def read(self, path):
        """Adds what clients left; their engine's counters are the last ones'."""
        seen = history.History(path)
        self.acks += [[str(column) for column in ack_of(call, told)] for call, told in seen.acknowledged()]
        self.lost += seen.lost
        self.stats.update(seen.stats)

    def ambiguous(self, at_ns, epoch, wait_ns):
        """Keys sent before an instant, answered only well after it, that had been committed by then: under that epoch."""
        return {ack[0] for ack in self.acks if int(ack[2]) < at_ns and int(ack[3]) > at_ns + wait_ns
                and self.leaves[int(ack[5])][2] <= epoch}

    def broken_rules(self):
        """[(how many break it, rule)] of check.sql."""
        rows = "\n".join("\t".join(row) for row in self.acks)
        with open(os.path.join(HERE, "check.sql"), encoding="utf-8") as f:
            sql = f.read()
        said = psql(sql.replace("-- ACKS --", rows + "\n\\.")).splitlines()
        return [(int(count), rule) for count, rule in (line.split("|", 1) for line in said) if count != "0"]

    def told(self):
        """Why clients were told to send a command again."""
        return {name.split("_told_")[1] for name in self.stats if "_told_" in name}

    def check(self):
        for count, rule in self.broken_rules():
            raise Violation(f"{rule}: {count} wrong")
        self.check_order()
        self.check_chain()
        self.check_alarms()

    def kept(self, ack):
        """Does the journal hold what this receipt says?"""
        return self.leaves.get(int(ack[5]), (None, None))[:2] == (bytes.fromhex(ack[6]), bytes.fromhex(ack[7]))

    def lost_and_revealed(self, before_ns, epoch):
        """Once the chain is read: how many commands the database lost of those acknowledged before an instant by engines up
        to an epoch, and how many receipts disagree with its journal. The first is told by how far those epochs' journal
        reaches, the second by hashes alone: they must be the same, or receipts are worth nothing."""
        end = max((seq for seq, (_, _, by) in self.leaves.items() if by <= epoch), default=0)
        lost = [ack for ack in self.acks if int(ack[3]) < before_ns and int(ack[5]) > end]
        return len(lost), sum(not self.kept(ack) for ack in self.acks)

    def check_order(self):
        """What was acknowledged before another was sent has the lower sequence."""
        earliest_ns, key = None, None
        for ack in sorted(self.acks, key=lambda a: -int(a[5])):
            sent_ns, acknowledged_ns = int(ack[2]), int(ack[3])
            if earliest_ns is not None and earliest_ns < sent_ns:
                raise Violation(f"sequences follow real time: {key} was acknowledged before {ack[0]} was sent")
            if earliest_ns is None or acknowledged_ns < earliest_ns:
                earliest_ns, key = acknowledged_ns, ack[0]

    def read_chain(self):
        try:
            self.leaves, self.rows = chain.verify(DATABASE, 1)
        except chain.Broken as broken:
            raise Violation(str(broken)) from None

    def check_chain(self):
        self.read_chain()
        for ack in self.acks:
            if not self.kept(ack):
                raise Violation(f"a receipt matches the journal: seq {ack[5]}, key {ack[0]}")

    def check_alarms(self):
        for name in ("store_refused", "quarantined", "deposed"):
            if self.stats[name] != 0:
                raise Violation(f"the engine's {name} stays 0, not {self.stats[name]}")
        for line in self.engine.log():
            if "ALARM" in line or "event=deposed" in line or "check failed" in line.lower():
                raise Violation("the engine raises no alarm: " + line)


def stop(*processes):
    """Ends what may still run: subprocess.Popen objects, or None."""
    for process in processes:
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
