"""engines.py: what the tests of operating an engine share: a calloffd on a database of its own, the client, a manager.

A test is a @rule of tests/pg/kit.py. The programs are found through OPERATE_ENGINE and OPERATE_CLIENT, as meson sets them.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pg"))
from kit import Batch, Refused, main, rule, session  # noqa: E402,F401  pylint: disable=unused-import,wrong-import-position

ENGINE, CLIENT = os.environ.get("OPERATE_ENGINE", "calloffd"), os.environ.get("OPERATE_CLIENT", "calloff")
PATIENCE_S = 60
SUBMIT = ("submit", "--person", "X-1", "--sector", "CM0 7", "--district", "Maldon", "--service", "personal_care",
          "--visit", "mon:morning:30", "--urgency", "hospital_planned", "--risk", "amber", "--cover", "ward")


def until(what, condition):
    """Waits for the condition, and returns what it gave."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.02)


class Manager:
    """A service manager that only listens: what systemd would hear."""

    def __init__(self, folder, abstract=False):
        self.name = f"@calloff-{os.path.basename(folder)}" if abstract else os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if abstract else self.name)
        self.heard = []  # (monotonic s, {name: value})

    def listen(self, seconds):
        """What comes within so long."""
        end, fresh = time.monotonic() + seconds, []
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                text = self.socket.recv(4096).decode()
            except TimeoutError:
                break
            fresh.append((time.monotonic(), dict(line.split("=", 1) for line in text.split("\n"))))
        self.heard += fresh
        return fresh

    def wait_for(self, name, value=None):
        """The first message from now on that has this line; all before it are in .heard."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            text = self.socket.recv(4096).decode()
            message = dict(line.split("=", 1) for line in text.split("\n"))
            self.heard.append((time.monotonic(), message))
            if name in message and value in (None, message[name]):
                return message
        raise AssertionError(f"no {name}={value} within {PATIENCE_S} s; heard {self.heard[-5:]}")

    def close(self):
        self.socket.close()


class Engine:
    def __init__(self, db, folder):
        self.folder, self.socket = folder, os.path.join(folder, "socket")
        self.database = f"host={os.environ['PGHOST']} dbname={db.name} user=calloff_engine"
        self.program, self.process, self.wrapper, self.environment = ENGINE, None, (), {}
        # kit's market tests the database, which takes more than an engine does: a pool for another service, no clauses
        db.sql("DELETE FROM calloff.coverage WHERE list_no = 2;"
               "INSERT INTO calloff.policy_clause SELECT 1, 1, reason, 'test ' || reason FROM generate_series(1, 20) AS reason"
               " ON CONFLICT DO NOTHING")

    def start(self, *flags, ready=True):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("CALLOFF_", "NOTIFY_", "WATCHDOG_"))}
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen([*self.wrapper, self.program, "--socket=" + self.socket, "--database=" + self.database,
                                             *flags], stderr=log, stdout=log, env=dict(environment, **self.environment))
        if ready:
            done = self.client("health", "--wait", str(PATIENCE_S))
            assert done.returncode == 0, done.stderr + self.log()

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_S) == 0, self.log()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def client(self, *words, **more):
        """Runs calloff; its result has returncode, stdout, stderr."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CALLOFF_")}
        return subprocess.run([CLIENT, *words, "--socket", self.socket], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S + 30, env=environment, **more)

    def ask(self, *words):
        """What calloff answered, as JSON objects; it must succeed."""
        done = self.client(*words, "--json")
        assert done.returncode == 0, f"{words}: exit {done.returncode}: {done.stderr}{self.log()}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def client_json(self, *words):
        """The one object that calloff prints, whatever its exit code."""
        done = self.client(*words, "--json")
        return json.loads(done.stdout) if done.stdout else {}

    def submit(self, number):
        return self.ask(*SUBMIT, "--case", f"C-{number}")[0]


@contextlib.contextmanager
def engine(db):
    """An engine that is not started yet; ended whatever happens."""
    folder = tempfile.mkdtemp(prefix="calloff-operate.", dir="/tmp")
    e = Engine(db, folder)
    try:
        yield e
    finally:
        if e.process is not None and e.process.poll() is None:
            e.process.send_signal(signal.SIGCONT)
            e.kill()
        shutil.rmtree(folder)
