"""pair.py: throw-away PostgreSQL servers by hand, on Unix sockets: a primary, standbys, what is restored from a backup."""
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "crash"))
import load  # noqa: E402
from load import Violation, psql  # noqa: E402

BIN = "/usr/lib/postgresql/15/bin"
SETTINGS = {"listen_addresses": "", "max_connections": "60", "shared_buffers": "64MB", "max_wal_size": "512MB",
            "wal_keep_size": "64MB"}


def as_postgres(*command, **more):
    """PostgreSQL refuses to run as root."""
    if os.getuid() == 0:
        command = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command)
    return subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, check=True, **more)


class Server:
    def __init__(self, directory, name):
        self.home = os.path.join(directory, name)
        self.data = os.path.join(self.home, "data")
        self.running = False
        os.mkdir(self.home)
        if os.getuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")

    def make(self):
        as_postgres(os.path.join(BIN, "initdb"), "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                    "--locale=C.UTF-8", "--data-checksums", stdout=subprocess.DEVNULL)

    def copy(self, other):
        """other: a server that is stopped."""
        as_postgres("cp", "-a", other.data, self.data)

    def follow(self, primary):
        self.touch("standby.signal")
        self.write("postgresql.auto.conf", f"primary_conninfo = 'host={primary.home} user=postgres'\n")

    def touch(self, name):
        as_postgres("touch", os.path.join(self.data, name))

    def write(self, name, text):
        with open(os.path.join(self.data, name), "a", encoding="ascii") as f:
            f.write(text)

    def start(self, **settings):
        options = [f"-c {name}='{value}'" for name, value in {**SETTINGS, **settings}.items()]
        self.running = True
        as_postgres(os.path.join(BIN, "pg_ctl"), "-D", self.data, "-w", "-l", os.path.join(self.home, "log"), "start", "-o",
                    f"-k {self.home} " + " ".join(options), stdout=subprocess.DEVNULL)

    def stop(self, how="fast"):
        if self.running:
            self.running = False
            as_postgres(os.path.join(BIN, "pg_ctl"), "-D", self.data, "-m", how, "-w", "stop", stdout=subprocess.DEVNULL)

    def signal(self, number):
        """The postmaster and its children."""
        with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as f:
            postmaster = f.readline().strip()
        children = subprocess.run(["ps", "--ppid", postmaster, "-o", "pid="], capture_output=True, text=True, check=True)
        for pid in [postmaster, *children.stdout.split()]:
            os.kill(int(pid), number)

    def promote(self):
        as_postgres(os.path.join(BIN, "pg_ctl"), "-D", self.data, "-w", "promote", stdout=subprocess.DEVNULL)

    def sql(self, sql, database=load.DATABASE, patience_s=0):
        return psql(sql, f"host={self.home} user=postgres dbname={database}", patience_s)

    def receiver(self):
        """The process that takes in the primary's WAL, once it does."""
        end = time.monotonic() + load.PATIENCE_S
        while time.monotonic() < end:
            pid = self.sql("SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'", "postgres", load.PATIENCE_S)
            if pid:
                return int(pid)
            time.sleep(0.05)
        raise Violation("the standby follows its primary")


def point_to(server):
    """Everybody's psql goes there from now on."""
    os.environ.update(PGHOST=server.home, PGUSER="postgres")


class Pair:
    """A primary and its standby, an engine that knows both, and clients."""

    def __init__(self, options, directory, base, synchronous=True, flags=()):
        self.options = options
        self.primary, self.standby = Server(directory, "a"), Server(directory, "b")
        for server in (self.primary, self.standby):
            server.copy(base)
        self.standby.follow(self.primary)
        self.engine = self.another_engine(directory)
        self.load = load.Load(options.client, self.engine, directory, options.seed, workers=2, depth=32, flags=flags)
        self.synchronous = synchronous
        self.frozen = None

    def another_engine(self, directory):
        return load.Engine(self.options.engine, directory, f"host={self.primary.home},{self.standby.home}")

    def another_load(self, engine, directory):
        return load.Load(self.options.client, engine, directory, self.options.seed + 1, workers=2, depth=32)

    def start(self):
        self.primary.start(synchronous_standby_names="*" if self.synchronous else "")
        self.standby.start()
        self.standby.receiver()
        point_to(self.primary)
        self.engine.start()
        self.load.start()
        self.load.wait_for_progress(500, "the start")

    def freeze(self):
        self.frozen = self.standby.receiver()
        os.kill(self.frozen, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.frozen, signal.SIGCONT)
        self.frozen = None

    def fail_over(self):
        """The primary is gone, and what it had sent to the frozen standby too; returns the instant of the promotion."""
        self.primary.stop("immediate")
        os.kill(self.frozen, signal.SIGKILL)  # the standby recovers from what it had written
        self.frozen = None
        self.standby.sql("SELECT 1", "postgres", load.PATIENCE_S)
        at_ns = time.monotonic_ns()
        self.standby.promote()
        point_to(self.standby)
        return at_ns

    def finish(self):
        self.load.finish()
        self.engine.stop()
        history = load.History(self.engine)
        history.read(self.load.path("history"))
        return history

    def end(self):
        if self.frozen is not None:
            self.thaw()
        load.stop(self.load.process, self.engine.process)
        for server in (self.standby, self.primary):
            server.stop("immediate")


def make_base(directory):
    """A stopped server with the demonstration's database, to copy."""
    base = Server(directory, "base")
    base.make()
    base.start(fsync="off")
    try:
        point_to(base)
        load.make_database()
    finally:
        base.stop()
    return base
