"""nodes.py: three nodes, each a network namespace with a member of etcd and a PostgreSQL 15 under Patroni.

The caller has network, mount and process namespaces of its own (tests/failover/run makes them): addresses and names can
meet nobody else's, and the kernel ends and removes everything with its first process, however that ends.
"""
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

HUB = "10.77.0.1"
BIN = "/usr/lib/postgresql/15/bin"
# Patroni's defaults are 30, 10 and 10. A primary that dies silently keeps the leader's key for up to ttl.
TTL_S, LOOP_WAIT_S, RETRY_TIMEOUT_S = 20, 2, 5
BIG_LAG_BYTES = 1 << 30


class Trouble(Exception):
    """The nodes do not do what they are there for; says nothing about the engine."""


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def make_hub():
    run("mount", "-t", "tmpfs", "hub", "/run")  # ip's names, and no path to a cluster of this machine
    os.mkdir("/run/netns")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "hub", "type", "bridge", "forward_delay", "0", "stp_state", "0")
    run("ip", "addr", "add", HUB + "/24", "dev", "hub")
    run("ip", "link", "set", "hub", "up")


class Node:
    def __init__(self, number, directory, synchronous, etcd_api):
        self.name = f"n{number}"
        self.address = f"10.77.0.{10 + number}"
        self.directory = os.path.join(directory, self.name)
        self.synchronous = synchronous
        self.etcd_api = etcd_api
        self.frozen = self.cut = False
        os.mkdir(self.directory)
        run("chown", "postgres:postgres", self.directory)
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.name, "master", "hub", "up")
        for command in (("addr", "add", self.address + "/24", "dev", "eth0"), ("link", "set", "eth0", "up"),
                        ("link", "set", "lo", "up")):
            run("ip", "-n", self.name, *command)

    def path(self, name):
        return os.path.join(self.directory, name)

    def spawn(self, log, *command):
        with open(self.path(log), "ab") as said:
            subprocess.Popen(["ip", "netns", "exec", self.name, "setpriv", "--reuid=postgres", "--regid=postgres",
                              "--init-groups", "--", *command], cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                             env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})

    def start(self, nodes):
        self.spawn("etcd.log", "etcd", "--enable-v2", "--name", self.name, "--data-dir", self.path("etcd"), "--log-level", "warn",
                   "--listen-peer-urls", f"http://{self.address}:2380", "--listen-client-urls", f"http://{self.address}:2379",
                   "--initial-advertise-peer-urls", f"http://{self.address}:2380",
                   "--advertise-client-urls", f"http://{self.address}:2379", "--initial-cluster-token", "calloff",
                   "--initial-cluster", ",".join(f"{n.name}=http://{n.address}:2380" for n in nodes))
        with open(self.path("patroni.yml"), "w", encoding="ascii") as settings:
            json.dump(self.settings(nodes), settings, indent=1)  # JSON is YAML
        self.spawn("patroni.log", "patroni", self.path("patroni.yml"))

    def settings(self, nodes):
        trusted = ["local all all trust", "host all all 10.77.0.0/24 trust", "host replication all 10.77.0.0/24 trust"]
        return {
            "scope": "calloff", "name": self.name,
            "restapi": {"listen": self.address + ":8008", "connect_address": self.address + ":8008"},
            self.etcd_api: {"hosts": [n.address + ":2379" for n in nodes]},
            "watchdog": {"mode": "off"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S, "loop_wait": LOOP_WAIT_S, "retry_timeout": RETRY_TIMEOUT_S,
                    "synchronous_mode": self.synchronous, "synchronous_mode_strict": self.synchronous,
                    # what an asynchronous standby may lack and still be promoted: there, losing it is what is to be shown
                    "maximum_lag_on_failover": 1048576 if self.synchronous else BIG_LAG_BYTES,
                    "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": {
                        "max_connections": 60, "shared_buffers": "64MB", "max_wal_size": "512MB", "wal_keep_size": "128MB",
                        "wal_retrieve_retry_interval": "500ms"}},
                },
                "initdb": ["data-checksums", {"encoding": "UTF8"}, {"locale": "C.UTF-8"}, {"auth": "trust"}],
            },
            "postgresql": {
                "listen": self.address + ":5432", "connect_address": self.address + ":5432", "bin_dir": BIN,
                "data_dir": self.path("data"), "pgpass": self.path("pgpass"), "pg_hba": trusted,
                "parameters": {"unix_socket_directories": self.directory},
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
            },
        }

    def ask(self, path, body=None, timeout_s=1.0):
        """The answer of Patroni's interface, or None when there is none."""
        request = urllib.request.Request(f"http://{self.address}:8008/{path}", data=body and json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    # ---- what can befall it ----

    def signal(self, number):
        """All processes of the node at once, etcd's and Patroni's among them; once more for those just made."""
        for _ in range(2):
            pids = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True).stdout.split()
            for pid in pids:
                try:
                    os.kill(int(pid), number)
                except ProcessLookupError:
                    pass

    def kill(self):
        self.signal(signal.SIGKILL)

    def cut_off(self):
        run("ip", "link", "set", self.name, "down")
        self.cut = True

    def freeze(self):
        self.signal(signal.SIGSTOP)
        self.frozen = True

    def mend(self, nodes):
        if self.cut:
            run("ip", "link", "set", self.name, "up")
        elif self.frozen:
            self.signal(signal.SIGCONT)
        else:
            self.start(nodes)
        self.cut = self.frozen = False


class Nodes:
    def __init__(self, directory, synchronous, etcd_api):
        """etcd_api: how Patroni talks to etcd: "etcd" is its version 2, "etcd3" its version 3."""
        make_hub()
        self.synchronous = synchronous
        self.all = [Node(number, directory, synchronous, etcd_api) for number in (1, 2, 3)]
        self.addresses = ",".join(n.address for n in self.all)
        for node in self.all:
            node.start(self.all)

    def members(self):
        """{name: (role, state, timeline)} as the leader's Patroni tells it, or {}."""
        for node in self.all:
            if not (node.cut or node.frozen) and node.ask("leader") is not None:
                told = node.ask("cluster")
                if told is not None:
                    return {m["name"]: (m["role"], m["state"], m.get("timeline")) for m in json.loads(told)["members"]}
        return {}

    def whole(self):
        members = self.members()
        roles = sorted(role for role, _, _ in members.values())
        wanted = ["leader", "replica", "sync_standby"] if self.synchronous else ["leader", "replica", "replica"]
        return (roles == wanted and all(state in ("running", "streaming") for _, state, _ in members.values())
                and len({timeline for _, _, timeline in members.values()}) == 1)

    def wait_whole(self, patience_s=120):
        end = time.monotonic() + patience_s
        while not self.whole():
            if time.monotonic() > end:
                raise Trouble(f"the nodes are not whole after {patience_s} s: {self.members()}")
            time.sleep(0.2)

    def with_role(self, role):
        for node in self.all:
            if self.members().get(node.name, ("",))[0] == role:
                return node
        raise Trouble(f"no node is {role}: {self.members()}")

    def switch_over(self, leader):
        candidate = self.with_role("sync_standby" if self.synchronous else "replica")
        body = {"leader": leader.name, "candidate": candidate.name}
        if leader.ask("switchover", body, timeout_s=60) is None:
            raise Trouble("Patroni refuses to switch over")


class Promotion(threading.Thread):
    """Notes when another node than the old primary first says that it leads."""

    def __init__(self, nodes, old):
        super().__init__(daemon=True)
        self.others = [n for n in nodes.all if n is not old]
        self.at_ns, self.node, self.over = None, None, False
        self.start()

    def run(self):
        while not self.over:
            for node in self.others:
                if node.ask("leader", timeout_s=0.5) is not None:
                    self.at_ns, self.node = time.monotonic_ns(), node
                    return
            time.sleep(0.02)
