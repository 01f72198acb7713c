#!/usr/bin/env python3
"""restore.py: a base backup and archived WAL, taken under load, restored to the end and to a point in time.

    restore.py --engine build/engine/calloffd --client build/tests/crash/calloff-crash-client
               --replay build/tests/failover/failover-replay --calloff build/clients/cli/calloff [--seed N]

Each restored database: its chain verifies, its journal is the original's up to where it ends, loading it gives the state
that replaying the journal leads to, an engine serves it and all rules of tests/crash hold. To the end, every receipt is kept;
to a point in time, what was acknowledged before is kept, what was sent after is lost, and the receipts tell which.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from pair import BIN, Server, Violation, as_postgres, load, point_to

BASE = "calloff_base"


def packages_of(acks):
    return {ack[9] for ack in acks if ack[1] == "submit" and ack[9] != "0"}


class Restore:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.original = Server(directory, "original")
        self.archive = os.path.join(self.original.home, "archive")
        self.backup = os.path.join(self.original.home, "backup")
        self.started = []  # (engine, load, server)
        self.history, self.original_leaves = None, {}

    def serve(self, server, seed):
        home = server.home + ".engine"
        os.mkdir(home)
        point_to(server)
        engine = load.Engine(self.options.engine, home)
        clients = load.Load(self.options.client, engine, home, seed, workers=2, depth=64)
        self.started.append((engine, clients, server))
        engine.start()
        clients.start()
        clients.wait_for_progress(300, "the start")
        return engine, clients

    def make(self):
        """An original under load: base backup early, a point in time in the middle, all WAL archived at the end."""
        server = self.original
        server.make()
        as_postgres("mkdir", self.archive)
        server.start(archive_mode="on", archive_command=f"cp %p {self.archive}/%f")
        point_to(server)
        load.make_database()
        load.psql(f"CREATE DATABASE {BASE} TEMPLATE {load.DATABASE}", "postgres")
        engine, clients = self.serve(server, self.options.seed)
        as_postgres(os.path.join(BIN, "pg_basebackup"), "-h", server.home, "-U", "postgres", "-D", self.backup, "-X", "none",
                    "-c", "fast", "--no-manifest", stderr=subprocess.DEVNULL)
        clients.wait_for_progress(800, "the backup")
        before_ns = time.monotonic_ns()
        point = load.psql("SELECT clock_timestamp()")
        after_ns = time.monotonic_ns()
        clients.wait_for_progress(800, "the point in time")
        clients.finish()
        engine.stop()
        self.history = load.History(engine)
        self.history.read(clients.path("history"))
        self.history.check()
        self.original_leaves = self.history.leaves
        self.archive_all()
        return point, before_ns, after_ns

    def archive_all(self):
        last = load.psql("SELECT pg_walfile_name(pg_switch_wal())")
        end = time.monotonic() + load.PATIENCE_S
        while not os.path.exists(os.path.join(self.archive, last)):
            if time.monotonic() > end:
                raise Violation("the last WAL is archived")
            time.sleep(0.05)

    def restore(self, name, point=None):
        server = Server(self.directory, name)
        as_postgres("cp", "-a", self.backup, server.data)
        server.touch("recovery.signal")
        settings = {"restore_command": f"cp {self.archive}/%f %p", "recovery_target_action": "promote"}
        if point is not None:
            settings["recovery_target_time"] = point
        server.start(**settings)
        self.started.append((None, None, server))
        end = time.monotonic() + load.PATIENCE_S
        while server.sql("SELECT pg_is_in_recovery()", "postgres", load.PATIENCE_S) != "f":
            if time.monotonic() > end:
                raise Violation("the restored server ends its recovery")
            time.sleep(0.05)
        return server

    def check(self, server):
        """Returns a line about what was restored, and the receipts that it does not keep."""
        point_to(server)
        restored = load.History(None)
        restored.read_chain()
        for seq, leaf in restored.leaves.items():
            if self.original_leaves.get(seq) != leaf:
                raise Violation(f"the restored journal is the original's up to where it ends: seq {seq}")
        lost = [ack for ack in self.history.acks if not restored.kept(ack)]
        last = max(restored.leaves)
        if {ack[0] for ack in lost} != {ack[0] for ack in self.history.acks if int(ack[5]) > last}:
            raise Violation("the receipts that the restored journal does not keep are those of what came after its end")
        done = subprocess.run([self.options.replay] + [f"host={server.home} user=postgres dbname={name}"
                                                       for name in (BASE, load.DATABASE)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Violation("the journal leads to the state that is loaded: " + done.stderr.strip())
        return f"{len(restored.leaves)} of {len(self.original_leaves)} events, chain verified; {done.stdout.strip()}", lost

    def serve_again(self, server, lost):
        """An engine on what was restored, under load, and every rule over what is kept and what is new."""
        engine, clients = self.serve(server, self.options.seed + 1)
        clients.finish()
        self.audit(engine, len(lost))
        engine.stop()
        history = load.History(engine)
        gone = {ack[0] for ack in lost}
        history.acks = [ack for ack in self.history.acks if ack[0] not in gone]
        kept = len(history.acks)
        history.read(clients.path("history"))
        history.check()
        again = packages_of(lost) & packages_of(history.acks[kept:])
        return (f"{len(history.acks) - kept} more acknowledged by an engine on it, all rules hold"
                + (f"; {len(again)} package numbers that were lost now name another person's package" if lost else ""))

    def audit(self, engine, lost_count):
        """What an operator has for this: the officer's own command finds the same receipts missing."""
        path = os.path.join(self.directory, "receipts")
        with open(path, "w", encoding="ascii") as receipts:
            receipts.writelines(" ".join(ack[5:8]) + "\n" for ack in self.history.acks)
        done = subprocess.run([self.options.calloff, "audit", "verify", "--receipts", path, "--json"], text=True,
                              capture_output=True, env={"PATH": os.environ["PATH"], "CALLOFF_SOCKET": engine.socket})
        try:
            told = json.loads(done.stdout)
        except ValueError:
            raise Violation("calloff audit verify reads the journal: " + done.stderr[-300:]) from None
        if (told["receipts_bad"], told["receipts"]) != (lost_count, len(self.history.acks) - lost_count):
            raise Violation(f"calloff audit verify finds {lost_count} receipts missing, not {told['receipts_bad']}")

    def run(self):
        point, before_ns, after_ns = self.make()
        server = self.restore("end")
        said, lost = self.check(server)
        if lost:
            raise Violation(f"restored to the end, every receipt is kept: {len(lost)} are not")
        print(f"restore to the end: {said}; 0 receipts lost; {self.serve_again(server, lost)}", flush=True)
        server = self.restore("point", point)
        said, lost = self.check(server)
        if any(int(ack[3]) < before_ns for ack in lost):
            raise Violation("what was acknowledged before the point in time is kept")
        gone = {ack[0] for ack in lost}
        if any(int(ack[2]) > after_ns and ack[0] not in gone for ack in self.history.acks) or not lost:
            raise Violation("what was sent after the point in time is lost, and its receipt tells")
        print(f"restore to a point in time: {said}; {len(lost)} receipts of {len(self.history.acks)} tell that what they "
              f"stand for was LOST (seq {min(int(a[5]) for a in lost)} and after); {self.serve_again(server, lost)}")

    def end(self):
        for engine, clients, server in reversed(self.started):
            load.stop(clients and clients.process, engine and engine.process)
            server.stop("immediate")
        self.original.stop("immediate")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("engine", "client", "replay", "calloff"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--seed", type=int, default=int(time.time()))
    options = p.parse_args()
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="calloff-restore.", dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        restore = Restore(options, directory)
        try:
            restore.run()
            return 0
        except Violation as violation:
            print(f"restore: VIOLATED (seed {options.seed}): {violation}", file=sys.stderr)
            return 1
        finally:
            restore.end()


if __name__ == "__main__":
    sys.exit(main())
