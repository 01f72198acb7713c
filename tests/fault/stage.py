"""stage.py: one run of one row: a cluster, an engine and clients of its own, the fault, and what must hold after it.

A row is data (Row); its fault is a generator: what begins the fault, yield, what ends it. Between the two the stage waits
hold_s. Recovery is from the end of the fault to the first acknowledged reply that clients then received.
"""
import dataclasses
import os
import random
import signal
import shutil
import subprocess
import time

import rig
from cluster import PORT, Cluster
from proxy import Proxy
from rig import Clients, Engine, History, Violation

PATIENCE_S = 40
MANY = 1 << 30
LOST = {"every key acknowledged is stored once"}
DOUBLED = {"a key stands once in command, whatever the partition", "at most one live placement of a package and role",
           "every key stored was sent and acknowledged"}
OVER = {"no binding cell holds more than declared and overhang", "what is committed is what live placements hold"}
# A command may be told this at any fault that takes the engine its core or its store; each means: the same key again.
AWAY = frozenset({"LOADING", "STORE_AWAY", "STORE_STALE", "STORE"})


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    fault: object                    # generator of the stage
    says: str                        # what happens, for --list
    hold_s: float = 0.0
    needs: dict = dataclasses.field(default_factory=dict)  # Stage's flags
    replies: frozenset = frozenset()  # one of these must have been told to some client
    may: frozenset = AWAY             # these may
    counters: dict = dataclasses.field(default_factory=dict)  # of the last engine: name -> (least, most)
    alarms: tuple = ()                # words of the log that are expected, each must be there
    may_log: tuple = ()               # words of alarms that may be there
    goes_on: bool = False             # commands are acknowledged during the fault
    ci: bool = False
    known: str = ""                   # why it does not hold yet: said, and not counted as broken
    stage: object = None              # the kind of stage, where it is not Stage
    pair: bool = False                # may be one of two at once: ends whatever it began, needs nothing of its own


@dataclasses.dataclass
class Result:
    acknowledged: int = 0
    ambiguous: int = 0
    lost: int = 0
    doubled: int = 0
    over: int = 0
    recovery_ms: float = 0.0
    violation: str = ""


class Stage:
    def __init__(self, options, base, row, seed, directory):
        self.options, self.row, self.seed, self.directory = options, row, seed, directory
        self.random = random.Random(seed)
        self.fault_ns = None  # begin, end
        self.marks = []  # (ns, epoch): what was unanswered then, and committed, is ambiguous
        self.engines, self.proxies, self.others = [], [], []
        self.result = Result()
        needs = dict(row.needs)
        self.namespace = f"cf{os.getpid()}" if needs.pop("namespace", False) else None
        self.database_proxy_flags = needs.pop("database_proxy", None)
        self.client_proxy_flags = needs.pop("client_proxy", None)
        self.server_more = needs.pop("server_more", "")
        self.load = {"workers": 4, "depth": 64, "rate": 8000, **needs.pop("load", {})}
        self.engine_flags = needs.pop("engine_flags", ())
        self.start_with = needs.pop("start_with", lambda stage: ((), {}))
        self.prepare = needs.pop("prepare", lambda stage: None)
        self.failpoint = needs.pop("failpoint", None)  # of the engine's first start
        if self.namespace:
            self.make_namespace()
        cluster = needs.pop("cluster", lambda stage: {})(self)
        if needs:
            raise ValueError(f"{row.name} needs what no stage has: {needs}")
        self.cluster = Cluster(os.path.join(directory, "pg"), base, prefix=self.inside(), **cluster)

    # ---- network namespaces ----

    def make_namespace(self):
        for command in (["ip", "netns", "add", self.namespace], [*self.inside(), "ip", "link", "set", "lo", "up"],
                        [*self.inside(), "nft", "add", "table", "inet", "fault"],
                        [*self.inside(), "nft", "add", "chain", "inet", "fault", "loopback",
                         "{ type filter hook input priority 0; }"]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise Violation(f"{' '.join(command[:4])} works here: {done.stderr.strip()}")

    def inside(self):
        return ["ip", "netns", "exec", self.namespace] if self.namespace else []

    def drop(self, *match):
        subprocess.run([*self.inside(), "nft", "add", "rule", "inet", "fault", "loopback", *match, "drop"], check=True)

    def undrop(self):
        subprocess.run([*self.inside(), "nft", "flush", "chain", "inet", "fault", "loopback"], check=True)

    # ---- setting up ----

    def path(self, name):
        return os.path.join(self.directory, name)

    def proxy(self, name, listen, to, **flags):
        p = Proxy(self.options.proxy, self.directory, name, listen, to, self.seed, **flags)
        self.proxies.append(p)
        return p

    def server(self, address="127.0.0.1"):
        """An engine's way to PostgreSQL; the address counts in a namespace only."""
        port = PORT if self.database_proxy_flags is None else PORT + 1
        host = f"hostaddr={address} gssencmode=disable sslmode=disable" if self.namespace else "host=" + self.cluster.directory
        return f"{host} port={port} {self.server_more}"

    def new_engine(self, name="engine", server=None):
        e = Engine(self.options.engine, self.directory, name, server or self.server(), self.engine_flags)
        self.engines.append(e)
        return e

    def start_engine(self, engine=None, failpoint=None, more=()):
        prefix, environment = self.start_with(self)
        if failpoint:
            environment = dict(environment, FAILPOINT=failpoint)
        (engine or self.engine).start([*self.inside(), *prefix], more, **environment)

    def set_up(self):
        self.cluster.start()
        if self.database_proxy_flags is not None:
            kind = "tcp:127.0.0.1:" if self.namespace else f"unix:{self.cluster.directory}/.s.PGSQL."
            self.database = self.proxy("database", f"{kind}{PORT + 1}", f"{kind}{PORT}", prefix=self.inside(),
                                       **self.database_proxy_flags)
        self.engine = self.new_engine()
        self.prepare(self)
        self.start_engines()
        socket = self.engine.socket
        if self.client_proxy_flags is not None:
            socket = self.path("door")
            self.door = self.proxy("clients", "unix:" + socket, "unix:" + self.engine.socket, **self.client_proxy_flags)
        more = ["--rate", str(self.load["rate"])]
        self.clients = Clients(self.options.client, self.engine, self.directory, self.seed, self.load["workers"],
                               self.load["depth"], [*more, "--socket", self.sockets(socket)])
        self.clients.start()
        self.wait_for_progress(300)

    def start_engines(self):
        self.start_engine(failpoint=self.failpoint)

    def sockets(self, first):
        """Where clients look for an engine."""
        return first

    # ---- while it runs ----

    def check(self):
        self.clients.check()
        for e in self.engines:
            if e.process is not None:
                e.check()

    def wait_for_progress(self, count=150, patience_s=PATIENCE_S):
        until, end = self.clients.acknowledged() + count, time.monotonic() + patience_s
        while self.clients.acknowledged() < until:
            self.check()
            if time.monotonic() > end:
                raise Violation(f"commands are acknowledged again within {patience_s} s of the fault: "
                                + self.engine.last_words())
            time.sleep(0.002)

    def wait_for(self, what, holds, patience_s=15, alive=True):
        end = time.monotonic() + patience_s
        while not holds():
            if alive:
                self.check()
            if time.monotonic() > end:
                raise Violation(f"{what} within {patience_s} s: {self.engine.last_words()}")
            time.sleep(0.002)

    def hold(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            time.sleep(0.005)

    def logged(self, words, engine=None):
        return any(words in line for line in (engine or self.engine).log())

    def blow(self, fault, hold_s):
        time.sleep(self.random.uniform(0, 0.1))
        self.mark()
        begin_ns = time.monotonic_ns()
        steps = fault(self)
        next(steps)
        self.hold(hold_s)
        for _ in steps:
            raise ValueError("a fault yields once")
        self.fault_ns = begin_ns, time.monotonic_ns()

    def mark(self):
        self.marks.append((time.monotonic_ns(), rig.fence("epoch")))

    # ---- after it ----

    def settle(self):
        """Clients have ended, engines run: what is still to be asked of them."""

    def check_history(self, history):
        r = self.result
        r.acknowledged = len(history.acks)
        broken = history.broken_rules()
        r.lost = sum(count for count, rule in broken if rule in LOST)
        r.doubled = sum(count for count, rule in broken if rule in DOUBLED)
        r.over = sum(count for count, rule in broken if rule in OVER)
        if broken:
            raise Violation("; ".join(f"{rule}: {count} wrong" for count, rule in broken))
        history.check_order()
        history.check_chain()
        end_epoch = max(epoch for _, _, epoch in history.leaves.values())
        r.ambiguous = len(set().union(*(history.ambiguous(ns, epoch, 50_000_000) for ns, epoch in self.marks
                                        if epoch < end_epoch)))
        replied = sorted(int(ack[3]) for ack in history.acks)
        begin_ns, end_ns = self.fault_ns
        r.recovery_ms = self.recovery_ns(history, replied) / 1e6
        if self.row.goes_on and not any(begin_ns + 100_000_000 < ns < end_ns for ns in replied):
            raise Violation("others are served while the fault lasts")

    def recovery_ns(self, _, replied):
        end_ns = self.fault_ns[1]
        return min(ns for ns in replied if ns >= end_ns) - end_ns

    def counted(self, history):
        """What the engine counts, and what it may count: {name: (least, most)}."""
        return history.stats, {**{name: (0, 0) for name in rig.ALARMS}, **self.row.counters}

    def check_told(self, history):
        row, told = self.row, history.told()
        if row.replies and not told & row.replies:
            raise Violation(f"clients are told one of {sorted(row.replies)}, not {sorted(told)}")
        if not told <= row.replies | row.may:
            raise Violation(f"clients are told nothing but {sorted(row.replies | row.may)}: {sorted(told)}")
        stats, counters = self.counted(history)
        for name, (least, most) in counters.items():
            if not least <= stats[name] <= most:
                raise Violation(f"the engine counts {name} from {least} to {most}, not {stats[name]}")
        log = [line for e in self.engines for line in e.log()]
        for word in row.alarms:
            if not any(word in line for line in log):
                raise Violation(f"the engine says {word}")
        for line in log:
            if "check failed" in line.lower() or (("ALARM" in line or "event=deposed" in line)
                                                  and not any(word in line for word in row.alarms + row.may_log)):
                raise Violation("the engine raises no alarm: " + line)

    def run(self):
        try:
            self.set_up()
            self.blow(self.row.fault, self.row.hold_s)
            self.wait_for_progress()
            self.clients.finish(PATIENCE_S)
            self.settle()
            for e in self.engines:
                if e.process is not None:
                    e.stop()
            history = History(self.engine)
            history.read(self.clients.path("history"))
            for other in self.others:
                other.add_to(history)
            self.check_history(history)
            self.check_told(history)
        except Violation as e:
            self.result.violation = str(e)
        except Exception as e:  # whatever it is: this row did not hold, the others go on
            self.result.violation = repr(e)
        # acknowledged, and decided again later: the first outcome is gone
        self.result.lost += "a repeated key is answered like the first time" in self.result.violation
        return self.result

    def tear_down(self):
        if hasattr(self, "clients"):
            self.clients.end()
        for process in [*self.others, *self.engines, *self.proxies]:
            process.end()
        if self.options.keep and self.result.violation:
            kept = os.path.join(self.options.keep, f"{self.row.name}.{self.seed}")
            os.makedirs(kept, exist_ok=True)
            for name in os.listdir(self.directory):
                if name.endswith(".log") or name == "history":
                    shutil.copy(self.path(name), kept)
            shutil.copy(self.cluster.log_path, kept)
        self.cluster.end()
        if self.namespace:
            subprocess.run(["ip", "netns", "del", self.namespace], check=False)


def stopped(process):
    """Is it in SIGSTOP?"""
    with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "T"


def continued(process):
    process.send_signal(signal.SIGCONT)
