#!/usr/bin/env python3
"""failover.py: strikes the primary under load, again and again; tests/failover/run starts it where it may.

A row a blow: seconds from the blow to the new leader and to the first reply that it acknowledged, and what the clients'
history says of the new primary's journal. Synchronous: any violated rule ends the run with exit 1. Asynchronous: the
commands lost and those that receipts reveal as lost must be the same.
"""
import argparse
import os
import random
import statistics
import sys
import time

from nodes import TTL_S, Nodes, Promotion, Trouble, run

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "crash"))
import load  # noqa: E402
from load import Violation, psql  # noqa: E402
from table import found  # noqa: E402

RECOVERY_S = 3 * TTL_S + 30
STALLED_S = 1.5
COLUMNS = ("kind", "from", "to", "leader_s", "first_reply_s", "acknowledged", "ambiguous", "lost", "revealed")
EPOCH_SQL = "SELECT epoch FROM fence WHERE shard = 1"


class Failover:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.rows = []
        self.nodes = Nodes(options.directory, not options.asynchronous, options.etcd_api)
        os.environ.update(PGUSER="postgres", PGTARGETSESSIONATTRS="read-write", PGCONNECT_TIMEOUT="2")
        self.engine = load.Engine(options.engine, options.directory, "hostaddr=" + self.nodes.addresses)
        self.history = load.History(self.engine)
        self.load = None

    def prepare(self):
        self.nodes.wait_whole()
        os.environ["PGHOST"] = self.nodes.with_role("leader").address
        load.make_database()
        for node in self.nodes.all:  # libpq tries no other host when one says that there is no such database
            psql("SELECT 1", f"host={node.address} dbname={load.DATABASE} target_session_attrs=any", load.PATIENCE_S)
        os.environ["PGHOST"] = self.nodes.addresses  # each statement of psql finds the primary by itself
        self.engine.start()

    def blows(self):
        o = self.options
        kinds = ["kill"] * o.kills + ["partition"] * o.partitions + ["freeze"] * o.freezes + ["switchover"] * o.switchovers
        self.random.shuffle(kinds)
        for number, kind in enumerate(kinds):
            self.cycle(number, kind)

    def start_load(self, number):
        self.load = load.Load(self.options.client, self.engine, self.options.directory, self.options.seed + number, workers=2,
                              depth=24, flags=("--may-forget", "yes") if self.options.asynchronous else ())
        self.load.start()
        self.load.wait_for_progress(300, f"the start of load {number}")
        time.sleep(self.random.uniform(0, 1))

    def strike(self, kind, node):
        if kind == "kill":
            node.kill()
        elif kind == "partition":
            node.cut_off()
        elif kind == "freeze":
            node.freeze()
        else:
            self.nodes.switch_over(node)

    def cycle(self, number, kind):
        self.nodes.wait_whole()
        self.start_load(number)
        old = self.nodes.with_role("leader")
        epoch = int(psql(EPOCH_SQL))
        if self.options.asynchronous:
            self.stall(old, "add")
        at_ns = time.monotonic_ns()
        promotion = Promotion(self.nodes, old)
        self.strike(kind, old)
        if self.options.asynchronous:
            self.stall(old, "del")
        while int(psql(EPOCH_SQL, patience_s=RECOVERY_S)) == epoch:  # a wounded primary may still answer
            if time.monotonic_ns() - at_ns > RECOVERY_S * 1e9:
                raise Violation(f"the engine takes over on a new primary within {RECOVERY_S} s of a {kind}")
            time.sleep(0.1)
        self.load.wait_for_progress(200, f"{kind} {number}", RECOVERY_S)
        promotion.join(1)
        promotion.over = True
        if kind != "switchover":
            old.mend(self.nodes.all)
        time.sleep(2)
        self.load.finish()
        self.nodes.wait_whole()
        self.judge(kind, old, promotion, at_ns, epoch)

    def stall(self, primary, how):
        """Replication stops arriving, or could again, too late: neither standby sends the primary a packet."""
        for node in self.nodes.all:
            if node is not primary:
                run("ip", "-n", node.name, "route", how, "blackhole", primary.address + "/32")
        if how == "add":
            time.sleep(STALLED_S)

    def judge(self, kind, old, promotion, at_ns, epoch):
        history = load.History(self.engine) if self.options.asynchronous else self.history
        known = len(history.acks)
        history.read(self.load.path("history"))
        if self.options.asynchronous:
            history.read_chain()
        else:
            history.check()  # nothing lost, nothing doubled, gapless, chained, capacity and placements right
        fresh = history.acks[known:]
        lost, revealed = history.lost_and_revealed(promotion.at_ns or at_ns, epoch)
        new_ns = [int(a[3]) for a in fresh if history.kept(a) and history.leaves[int(a[5])][2] > epoch]
        row = (kind, old.name, promotion.node.name if promotion.node else "-",
               (promotion.at_ns - at_ns) / 1e9 if promotion.at_ns else float("nan"), (min(new_ns) - at_ns) / 1e9, len(fresh),
               len(history.ambiguous(at_ns, epoch, 50_000_000)), lost, revealed)
        self.rows.append(row)
        show(row)
        if lost != revealed:
            raise Violation(f"receipts reveal what was lost: {lost} lost, {revealed} revealed")

    def end(self):
        load.stop(self.load and self.load.process, self.engine.process)
        if self.options.keep:
            run("cp", "-r", "--no-target-directory", self.options.directory, self.options.keep)


def show(row):
    print("{:<11}{:<6}{:<6}{:>10.2f}{:>15.2f}{:>14}{:>11}{:>6}{:>10}".format(*row), flush=True)


def table(rows):
    print(f"\n{'kind':<11}{'blows':>6}{'leader, median and max':>26}{'first reply, median and max':>30}{'lost':>6}")
    for kind in dict.fromkeys(row[0] for row in rows):
        of = [row for row in rows if row[0] == kind]
        leader, reply = [row[3] for row in of], [row[4] for row in of]
        print(f"{kind:<11}{len(of):>6}{statistics.median(leader):>16.2f} s{max(leader):>6.2f} s"
              f"{statistics.median(reply):>20.2f} s{max(reply):>6.2f} s{sum(row[7] for row in of):>6}")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("directory", "engine", "client"):
        p.add_argument("--" + name, required=True)
    for name, count in (("kills", 20), ("partitions", 3), ("freezes", 3), ("switchovers", 3)):
        p.add_argument("--" + name, type=int, default=count)
    p.add_argument("--asynchronous", action="store_true")
    p.add_argument("--etcd-api", choices=("etcd", "etcd3"), default="etcd")
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--tsv")
    p.add_argument("--keep", metavar="DIR")
    return p.parse_args()


def main():
    options = arguments()
    if options.asynchronous:
        options.partitions = options.freezes = options.switchovers = 0
    failover = Failover(options)
    try:
        failover.prepare()
        print(("{:<11}{:<6}{:<6}{:>10}{:>15}{:>14}{:>11}{:>6}{:>10}").format(*COLUMNS), flush=True)
        failover.blows()
        failover.engine.stop()
    except (Violation, Trouble) as broken:
        print(f"failover: VIOLATED (seed {options.seed}): {broken}", file=sys.stderr)
        return 1
    finally:
        failover.end()
    table(failover.rows)
    if options.tsv:
        with open(options.tsv, "w", encoding="ascii") as tsv:
            for row in (COLUMNS, *failover.rows):
                tsv.write("\t".join(f"{x:.3f}" if isinstance(x, float) else str(x) for x in row) + "\n")
    first = [row[4] for row in failover.rows]
    lost = sum(row[7] for row in failover.rows)
    for kind in dict.fromkeys(row[0] for row in failover.rows):
        of = [row for row in failover.rows if row[0] == kind]
        found(f"a PostgreSQL node of three: {kind}" + (", replication asynchronous and stalled: not promised"
              if options.asynchronous else ""), len(of), sum(row[5] for row in of), [row[4] for row in of],
              lost=sum(row[7] for row in of), revealed=sum(row[8] for row in of))
    print(f"\nfailover: ok: {len(failover.rows)} blows, {sum(row[5] for row in failover.rows)} commands acknowledged, "
          + (f"{lost} LOST, each told by its receipt" if options.asynchronous else f"{lost} lost, none doubled")
          + f", first reply after {statistics.median(first):.1f} s (median) and {max(first):.1f} s (maximum), ttl {TTL_S} s, "
          f"seed {options.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
