"""rig.py: tests/crash/load.py, for rows that have several engines, start them otherwise, and read what clients said."""
import os
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "crash"))
import load  # noqa: E402
from load import DATABASE, PATIENCE_S, History, Violation, make_database, psql  # noqa: E402,F401

EDIT_SQL = "UPDATE provider SET starts_a_day_max = 3 - starts_a_day_max % 2 WHERE shard = 1 AND provider_no = 1 + {n}"
ALARMS = ("store_refused", "quarantined", "deposed")


def fence(column):
    return int(psql(f"SELECT {column} FROM fence WHERE shard = 1", patience_s=PATIENCE_S))


class Engine(load.Engine):
    """One engine after another behind one socket, all appending to one log."""

    def __init__(self, program, directory, name, server, flags=()):
        super().__init__(program, directory, server)
        self.name = name
        self.socket = os.path.join(directory, name + ".socket")
        self.log_path = os.path.join(directory, name + ".log")
        self.command[1:2] = ["--socket=" + self.socket, "--name=" + name, *flags]

    def start(self, prefix=(), more=(), **environment):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*prefix, *self.command, *more], stderr=log, stdout=log,
                                            env=dict(kept, **environment))

    def last_words(self):
        return " | ".join(self.log()[-5:])

    def end(self):
        load.stop(self.process)


class Clients(load.Load):
    """Its clients; their message is part of what is violated."""

    def start(self):
        stderr = os.dup(2)
        with open(self.path("clients.log"), "wb") as said:
            os.dup2(said.fileno(), 2)
        try:
            super().start()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)

    def check(self):
        if self.process.poll() is not None:
            with open(self.path("clients.log"), encoding="utf-8", errors="replace") as said:
                raise Violation(f"the clients see no rule broken: exit {self.process.returncode} {said.read().strip()}")

    def finish(self, patience_s=120):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise Violation(f"every command is acknowledged within {patience_s} s of the fault") from None
        if self.process.returncode != 0:
            self.check()

    def end(self):
        load.stop(self.process)
