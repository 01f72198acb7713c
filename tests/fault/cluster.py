"""cluster.py: a private PostgreSQL 15 that a row may start, stop, starve and break as it likes.

Base makes one cluster with the demonstration loaded; every run gets a copy of its own. Needs root for what needs root
(another user to run as, tmpfs, a network namespace): where that is missing the row fails.
"""
import glob
import os
import shutil
import signal
import subprocess
import time

import rig
from rig import Violation

PORT = 5432
AS = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []


def binary(name):
    for folder in ("/usr/lib/postgresql/15/bin", os.path.dirname(shutil.which(name) or "")):
        if os.path.exists(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise Violation(f"PostgreSQL 15 is installed ({name})")


def children(pid):
    """Of a process: their ids."""
    found = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == pid:
            found.append(int(stat.split("/")[2]))
    return found


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Violation(f"{' '.join(command[:4])} works here: {done.stderr.strip()}")
    return done.stdout


class Cluster:
    """One postmaster over one data directory; its sockets and log lie beside it."""

    def __init__(self, directory, base=None, settings=(), prefix=(), environment=None, data_bytes=0, wal_bytes=0):
        self.directory, self.settings, self.prefix = directory, list(settings), list(prefix)
        self.environment, self.mounts = environment or {}, []
        self.data, self.wal = os.path.join(directory, "data"), os.path.join(directory, "wal")
        self.log_path, self.process = os.path.join(directory, "postgresql.log"), None
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        for path, size in ((self.data, data_bytes), (self.wal, wal_bytes)):
            os.mkdir(path)
            if size:
                run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", path)
                self.mounts.append(path)
        self.own(directory, self.data, self.wal)
        if base:
            run("cp", "-a", base.data + "/.", self.data)
            shutil.rmtree(os.path.join(self.data, "pg_wal")) if wal_bytes or data_bytes else None
            if wal_bytes or data_bytes:
                run("cp", "-a", os.path.join(base.data, "pg_wal") + "/.", self.wal)
                os.symlink(self.wal, os.path.join(self.data, "pg_wal"))

    def own(self, *paths):
        for path in paths:
            if AS:
                shutil.chown(path, "postgres", "postgres")
            if path != self.directory:
                os.chmod(path, 0o700)

    def initdb(self):
        # small segments: a full disk is reached soon, and copies are small
        run(*AS, binary("initdb"), "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--wal-segsize=1", "--no-sync", cwd="/")

    def start(self, patience_s=30):
        settings = ["listen_addresses=127.0.0.1", f"port={PORT}", f"unix_socket_directories={self.directory}",
                    "max_connections=40", "shared_buffers=64MB", "max_wal_size=512MB", "min_wal_size=8MB",
                    "log_line_prefix=%m [%p] ", *self.settings]
        if not self.prefix:
            settings[0] = "listen_addresses="
        os.environ.update(PGHOST=self.directory, PGPORT=str(PORT), PGUSER="postgres")
        end = time.monotonic() + patience_s
        while True:
            with open(self.log_path, "ab") as log:
                self.process = subprocess.Popen(
                    [*self.prefix, *AS, "env", *(f"{name}={value}" for name, value in self.environment.items()),
                     binary("postgres"), "-D", self.data, *(x for s in settings for x in ("-c", s))],
                    stdout=log, stderr=log, cwd="/")
            while self.process.poll() is None:
                if self.answers():
                    return
                if time.monotonic() > end:
                    raise Violation(f"PostgreSQL starts within {patience_s} s: {self.last_words()}")
                time.sleep(0.02)
            if time.monotonic() > end:
                raise Violation(f"PostgreSQL starts: {self.last_words()}")
            time.sleep(0.1)  # what was killed may hold its memory a little longer

    def answers(self):
        return subprocess.run(["psql", "-qXAt", "-d", "postgres", "-c", "SELECT 1"], capture_output=True,
                              timeout=10).returncode == 0

    def ensure(self):
        """Running and answering, whatever befell it."""
        if self.process.poll() is not None:
            self.start()
        rig.psql("SELECT 1", patience_s=rig.PATIENCE_S)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def last_words(self):
        return " | ".join(self.log().splitlines()[-4:])

    def processes(self):
        return [self.process.pid, *children(self.process.pid)]

    def signal(self, number):
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def lanes(self):
        """The backends of engines."""
        sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'calloffd' ORDER BY pid"
        return [int(pid) for pid in rig.psql(sql, patience_s=rig.PATIENCE_S).split()]

    def stop(self):
        """At once, like a crash; the next start recovers."""
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def fill(self, path):
        """Until nothing fits any more."""
        with open(os.path.join(path, "filler"), "wb", buffering=0) as f:
            size = 1 << 20
            while size >= 512:
                try:
                    f.write(bytes(size))
                except OSError:
                    size //= 2

    def free(self, path):
        os.unlink(os.path.join(path, "filler"))

    def end(self):
        self.stop()
        for path in self.mounts:
            subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


def make_base(directory):
    base = Cluster(directory)
    base.initdb()
    base.start()
    rig.make_database()
    rig.psql("CHECKPOINT")
    base.process.send_signal(signal.SIGINT)
    base.process.wait(30)
    return base
