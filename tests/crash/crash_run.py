#!/usr/bin/env python3
"""crash_run: kills the engine and PostgreSQL's backends under load, then checks that nothing acknowledged was lost.

    crash_run.py --cluster tests/kit/cluster --engine build/engine/calloffd --client build/tests/crash/calloff-crash-client
                 [--cycles 50] [--seed N] [--workers 4] [--depth 160] [--keep DIR]

A cycle is one blow at a random instant under load: kill -9 of the engine (some while it still loads), kill -9 or
pg_terminate_backend of one of its backends, SIGSTOP longer than its clients wait, or an edit of the framework.
The engine is started again at once; clients send everything unanswered again under the same keys.
A key is ambiguous when it was sent, unanswered at the blow, and had been committed all the same: with none of them the
run has proved nothing, and fails. Prints one line; exits 1 with the first violated rule named.
"""
import argparse
import os
import sys
import tempfile
import time

from crash_kit import DATABASE, HERE, Run, Violation, flags, in_cluster, make_database, psql
import chain
import history
import wire


def ack_of(call, told):
    """What check.sql takes of an acknowledgement."""
    _, event = wire.event(call.request)
    package = told.package if call.kind != "declare" else 0
    return [call.key, call.kind, call.invoked_ns, call.returned_ns, call.replies, told.seq, told.leaf.hex(),
            told.row_hash.hex(), told.refusal, package, told.state, event.get("package", 0)]


class History:
    """What the clients saw, beside what the database holds."""

    def __init__(self, run):
        seen = history.History(run.path("history"))
        self.acks = [[str(column) for column in ack_of(*seen_ack)] for seen_ack in seen.acknowledged()]
        self.lost, self.stats = seen.lost, seen.stats
        self.run = run

    def check(self):
        rows = "\n".join("\t".join(row) for row in self.acks)
        with open(os.path.join(HERE, "check.sql"), encoding="utf-8") as f:
            sql = f.read()
        for line in psql(sql.replace("-- ACKS --", rows + "\n\\.")).splitlines():
            count, rule = line.split("|", 1)
            if count != "0":
                raise Violation(f"{rule}: {count} wrong")
        self.check_order()
        self.check_chain()
        self.check_alarms()

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

    def check_alarms(self):
        for name in ("store_refused", "quarantined", "deposed"):
            if self.stats[name] != 0:
                raise Violation(f"the engine's {name} stays 0, not {self.stats[name]}")
        for line in self.run.engine.log():
            if "ALARM" in line or "event=deposed" in line or "check failed" in line.lower():
                raise Violation("the engine raises no alarm: " + line)

    def ambiguous(self, kind, wait_ns):
        """Keys unanswered at a blow of this kind that had been committed before it."""
        seq_of = {ack[0]: int(ack[5]) for ack in self.acks}
        found = set()
        if kind == "engine":
            for key, at_ns in self.lost:
                before = [b for b in self.run.blows if b[2] == kind and b[0] <= at_ns]
                if before and self.leaves[seq_of[key]][2] <= before[-1][1]:
                    found.add(key)
            return len(found)
        for ack in self.acks:
            for at_ns, epoch, what in self.run.blows:
                if (what == kind and int(ack[2]) < at_ns and int(ack[3]) > at_ns + wait_ns
                        and self.leaves[int(ack[5])][2] <= epoch):
                    found.add(ack[0])
        return len(found)


def report(run, history, seconds):
    kinds = [b[2] for b in run.blows]
    by_engine = history.ambiguous("engine", 0)
    by_backend = history.ambiguous("backend", 50_000_000)
    batches_lost = sum(int(line.split("batches_in_flight=")[1]) for line in run.engine.log()
                       if "event=store_lost" in line)
    print(f"crash_run: ok: {len(kinds)} blows ({kinds.count('engine')} kill -9 engine, {kinds.count('backend')} backend, "
          f"{kinds.count('stop')} stop, {kinds.count('edit')} edit), {len(history.acks)} commands acknowledged once, "
          f"{history.rows} batches gapless, {len({k for k, _ in history.lost})} keys lost and retried, "
          f"ambiguous={by_engine + by_backend} ({by_engine} engine, {by_backend} backend; {batches_lost} batches in "
          f"flight at a lost store), {history.stats['client_repeats']} repeats answered alike, "
          f"seed {run.options.seed}, {seconds:.1f} s")
    if by_engine + by_backend == 0:
        raise Violation("some outcomes are ambiguous, or the blows fell beside the commits")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    flags(p)
    p.add_argument("--cycles", type=int, default=50)
    return p.parse_args()


def main():
    options = arguments()
    in_cluster(options)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crash.") as temporary:
        directory = options.keep or temporary
        os.makedirs(directory, exist_ok=True)
        run = Run(options, directory)
        try:
            make_database()
            run.start()
            run.cycles()
            run.finish()
            seen = History(run)
            seen.check()
            report(run, seen, time.monotonic() - started)
            return 0
        except Violation as violation:
            print(f"crash_run: VIOLATED (seed {options.seed}): {violation}", file=sys.stderr)
            return 1
        finally:
            run.end()


if __name__ == "__main__":
    sys.exit(main())
