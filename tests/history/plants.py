#!/usr/bin/env python3
"""plants.py: a recorded run spoilt on purpose, as a wrong engine, database or clerk would have left it; each must be caught.

    plants.py --replay build/tests/history/history_replay DIR      DIR: a run that tests/history/check passes

A line a plant: which rules caught it. Exit 1 when one of them passes, or is caught only by a rule it was not made for.
"""
import argparse
import concurrent.futures
import os
import shutil
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "pg")]
import chain  # noqa: E402
import history  # noqa: E402
import rules  # noqa: E402
import wire  # noqa: E402
from record import Cursor, Record  # noqa: E402

NEVER_NS = 1 << 62
POOL_AT, PRICE_AT, ROUTE_AT, DEMAND_AT = 8, 28, 39, 43  # in a placement of a record
UNITS_MOST = 511
JOBS = 2
PLANTS = []


def plant(rule, text):
    """Registers one: spoil(Spoilt) edits a copy of the run; this rule at least must catch it."""
    def register(spoil):
        PLANTS.append((rule, text, spoil))
        return spoil
    return register


class Effects:
    """Where the parts of a record's effects lie, as offsets into its bytes."""

    def __init__(self, record, data):
        c = Cursor(data, record.effects_at)
        for _ in range(c.take("B")):
            c.take("qBiiBiBii")
            c.take(f"{8 * c.take('H')}s")
            c.take(f"{4 * c.take('H')}s")
        c.take(f"{10 * c.take('B')}s")
        self.candidates, self.made = [], []  # (at, length)
        rounds = c.take("B")
        if rounds:
            c.take(f"{10 * rounds}s")
            c.take("iiiBH")
            for _ in range(c.take("H")):
                at = c.at
                has = c.take("iBHB")[3] >> 6
                c.take({0: "0s", 1: "4s", 2: "5s", 3: "9s"}[has])
                self.candidates.append((at, c.at - at))
        for _ in range(c.take("B")):
            at = c.at
            c.take("qiiiiiIIHBBB")
            demand = c.take("H")
            c.take(f"{4 * demand}s")
            self.made.append((at, c.at - at))


class Spoilt:
    """A copy of a run's folder, read in, edited, and written back whole."""

    def __init__(self, source, directory):
        shutil.copytree(source, directory, dirs_exist_ok=True)
        self.directory = directory
        self.seen = history.History(self.path("history"))
        with open(self.path("journal.tsv"), encoding="ascii") as f:
            self.rows = [chain.parse_row(line) for line in f]
        self.span = self.lines("span.tsv")
        self.acknowledged = sorted(self.seen.acknowledged(), key=lambda a: a[1].seq)

    def path(self, name):
        return os.path.join(self.directory, name)

    def lines(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.readlines()

    def write(self, name, lines):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.writelines(lines)

    def record(self, seq):
        row = next(r for r in self.rows if r.first <= seq <= r.last)
        data = row.records[seq - row.first]
        return Record(data), bytearray(data)

    def records(self, type_=None):
        for row in self.rows:
            for data in row.records:
                record = Record(data)
                if type_ in (None, record.type):
                    yield record, bytearray(data)

    def write_history(self):
        self.write("history", [call.line() + "\n" for call in self.seen.calls])

    def write_journal(self):
        self.write("journal.tsv", ["\t".join([*(str(x) for x in r[:5]), r.prev.hex(), r.hash.hex(), b"".join(r.leaves).hex(),
                                              b"".join(r.salts).hex(), ",".join(x.hex() for x in r.records)]) + "\n"
                                   for r in self.rows])

    def write_span(self):
        """The fence stands where the journal ends."""
        last = self.rows[-1]
        self.write("span.tsv", self.span[:3] + [f"last_seq\t{last.last}\n", f"head_hash\t{last.hash.hex()}\n"])

    def decide(self, seq, data, told=True):
        """An engine that decided otherwise: the chain is built anew from there; told: so were the clients."""
        prev, new, renamed = bytes.fromhex(self.span[2].split()[1]), [], {}
        for row in self.rows:
            records, leaves = list(row.records), list(row.leaves)
            if row.first <= seq <= row.last:
                i = seq - row.first
                records[i] = bytes(data)
                leaves[i] = chain.leaf_hash(row.salts[i], records[i])
                renamed[row.leaves[i]] = leaves[i]
            hash_ = chain.row_hash(int(self.span[0].split()[1]), row.first, row.last, row.epoch, prev, chain.tree_root(leaves))
            renamed[row.hash] = hash_
            new.append(row._replace(records=records, leaves=leaves, prev=prev, hash=hash_))
            prev = hash_
        self.rows = new
        self.write_journal()
        self.write_span()
        if told:
            for call, was in self.acknowledged:
                for old in (was.leaf, was.row_hash):
                    call.reply = call.reply.replace(old, renamed.get(old, old))
            self.write_history()

    def placed(self):
        """Submissions that placed one person with a ranked provider behind others that were passed over, with where their
        effects lie."""
        for record, data in self.records("submit"):
            effects = Effects(record, data)
            if len(effects.made) == 1 and len(effects.candidates) > 2 and data[effects.made[0][0] + ROUTE_AT] == 1:
                yield record, data, effects

    def declared_most(self):
        """What each pool declares in its largest cell, at the start."""
        pools = (line.split("\t") for line in self.lines("start.tsv") if line.startswith("capacity\t"))
        return {int(columns[1]): max(int(x) for x in columns[3].strip("{}").split(",")) for columns in pools}


def patched(data, at, layout, value):
    struct.pack_into("<" + layout, data, at, value)
    return data


@plant(1, "a reply of another sequence: two clients get each other's answers")
def _(s):
    (one, _), (two, _) = s.acknowledged[10], s.acknowledged[-10]
    one.reply, two.reply = two.reply, one.reply
    s.write_history()


@plant(1, "a lost tail: what was acknowledged last is gone, the fence with it")
def _(s):
    s.rows.pop()
    s.write_journal()
    s.write_span()


@plant(1, "a journal written anew: every hash holds, but the receipts say otherwise")
def _(s):
    record, data, effects = next(s.placed())
    at = data.index(record.event["case_ref"].encode())
    s.decide(record.seq, patched(data, at, "B", ord("Z")), told=False)


@plant(1, "a request stored otherwise than it was sent")
def _(s):
    call, told = next(a for a in s.acknowledged if a[0].kind == "submit" and a[1].refusal == 0)
    record, _ = s.record(told.seq)
    ref = record.event["person_ref"].encode()
    call.request = call.request.replace(ref, b"Z" + ref[1:])
    s.write_history()


@plant(1, "a client told of another provider than the journal's")
def _(s):
    call, told = next(a for a in s.acknowledged if a[1].placement)
    code = told.placement["provider"].encode()
    call.reply = call.reply.replace(code, code[:-1] + (b"X" if code[-1:] != b"X" else b"Y"))
    s.write_history()


@plant(2, "real time turned round: a later sequence had returned before an earlier one was sent")
def _(s):
    late, early = s.acknowledged[-5][0], s.acknowledged[5][0]
    late.invoked_ns, late.returned_ns = early.invoked_ns - 2, early.invoked_ns - 1
    s.write_history()


@plant(3, "a key that acts twice: two events of one key")
def _(s):
    (_, one), (_, two) = [a for a in s.acknowledged if a[0].kind == "submit"][3:5]
    record, data = s.record(two.seq)
    first, _ = s.record(one.seq)
    at = data.index(record.key)
    data[at:at + 16] = first.key
    s.decide(two.seq, data)


@plant(3, "an acknowledged key that the journal has not")
def _(s):
    call, _ = s.acknowledged[20]
    call.key = call.key[:-4] + "beef"
    s.write_history()


@plant(4, "an event that nobody sent")
def _(s):
    call, _ = s.acknowledged[30]
    s.seen.calls.remove(call)
    s.write_history()


@plant(5, "a reason changed: passed over for another rule than the one that failed")
def _(s):
    record, data, effects = next(s.placed())
    at, _ = effects.candidates[0]
    wrong = 4 if data[at + 7] & 63 != 4 else 5
    s.decide(record.seq, patched(data, at + 7, "B", data[at + 7] & 192 | wrong))


@plant(5, "a placement a penny dearer than its minutes at its price")
def _(s):
    record, data, effects = next(s.placed())
    at = effects.made[0][0] + PRICE_AT
    s.decide(record.seq, patched(data, at, "I", struct.unpack_from("<I", data, at)[0] + 1))


@plant(5, "a framework edit that the engine did not see: the commit says one version, the rules were another")
def _(s):
    lines = s.lines("framework.tsv")
    last = lines[-1].split("\t")[0]
    for i, line in enumerate(lines):
        columns = line.split("\t")
        if columns[:2] == [last, "entry"]:
            columns[6] = str(1000 - int(columns[6]))
            lines[i] = "\t".join(columns)
    s.write("framework.tsv", lines)


@plant(6, "a read older than its lower bound: of a moment long before it was asked for")
def _(s):
    read = next(c for c in s.seen.calls if c.kind == "get_counts" and c.reply)
    read.invoked_ns, read.returned_ns = NEVER_NS, NEVER_NS + 1
    s.write_history()


@plant(6, "a read of what had not been sent yet")
def _(s):
    read = next(c for c in reversed(s.seen.calls) if c.kind == "get_package" and c.reply and wire.package_read(c.reply))
    read.invoked_ns, read.returned_ns = 1, 2
    s.write_history()


@plant(6, "a torn read: the state of one moment with the placement of another")
def _(s):
    read = next(c for c in s.seen.calls if c.kind == "get_package" and (wire.package_read(c.reply) or (0, 0, ()))[2])
    code = wire.package_read(read.reply)[2][0]["provider"].encode()
    other = next(c for c in s.seen.calls if c.kind == "get_package"
                 and any(len(p["provider"]) == len(code) and p["provider"].encode() != code
                         for p in (wire.package_read(c.reply) or (0, 0, ()))[2]))
    read.reply = read.reply.replace(code, wire.package_read(other.reply)[2][0]["provider"].encode())
    s.write_history()


@plant(7, "capacity over: a placement that takes more than its pool declared")
def _(s):
    declared = s.declared_most()
    for record, data, effects in s.placed():
        at, _ = effects.made[0]
        if declared[struct.unpack_from("<i", data, at + POOL_AT)[0]] < UNITS_MOST:
            code = struct.unpack_from("<i", data, at + DEMAND_AT)[0]
            s.decide(record.seq, patched(data, at + DEMAND_AT, "i", code & 2047 | UNITS_MOST << 11))
            return


@plant(7, "a second live placement of a package in one role")
def _(s):
    (one, *_), (two, data, effects) = list(s.placed())[:2]
    s.decide(two.seq, patched(data, effects.made[0][0], "q", one.seq))


@plant(7, "rank order broken: two candidates in the wrong order")
def _(s):
    for record, data, effects in s.placed():
        (a, a_size), (b, b_size) = effects.candidates[:2]
        if data[a + 4:a + 7] != data[b + 4:b + 7]:  # route, tier or rank differ
            data[a:b + b_size] = data[b:b + b_size] + data[a:a + a_size]
            s.decide(record.seq, data)
            return


@plant(7, "a broken hash: a record changed where it lies")
def _(s):
    row = s.rows[len(s.rows) // 2]
    record = bytearray(row.records[0])
    record[-1] ^= 1
    row.records[0] = bytes(record)
    s.write_journal()


@plant(7, "a row written twice: two engines of one shard, no fence")
def _(s):
    at = len(s.rows) // 2
    s.rows.insert(at, s.rows[at])
    s.write_journal()


@plant(7, "a row missing in the middle")
def _(s):
    del s.rows[len(s.rows) // 2]
    s.write_journal()


@plant(8, "a placement in the database that the journal does not tell of")
def _(s):
    lines = s.lines("final.tsv")
    at = next(i for i, line in enumerate(lines) if line.startswith("placement"))
    columns = lines[at].split("\t")
    columns[13] = str(int(columns[13]) + 5)
    lines[at] = "\t".join(columns)
    s.write("final.tsv", lines)


@plant(8, "capacity not given back when care ended")
def _(s):
    lines = s.lines("final.tsv")
    at = next(i for i, line in enumerate(lines) if line.startswith("capacity"))
    columns = lines[at].split("\t")
    columns[4] = "{9" + columns[4][1:]
    lines[at] = "\t".join(columns)
    s.write("final.tsv", lines)


@plant(8, "the table of keys would answer a retry otherwise")
def _(s):
    lines = s.lines("command.tsv")
    seq, key, client, outcome = lines[40].split("\t")
    lines[40] = "\t".join([seq, key, client, outcome[:8] + "0d" + outcome[10:]])
    s.write("command.tsv", lines)


def caught_by(source, program, number):
    """{rule: the first it says} of plant `number`."""
    spoil = PLANTS[number][2]
    with tempfile.TemporaryDirectory(prefix="plant.") as directory:
        spoil(Spoilt(source, directory))
        verdict = rules.judge(directory, program)
        return {rule: wrong[0] for rule, wrong in verdict.wrong.items() if wrong}


def plant_all(source, program):
    """Says which rules caught each; the number of those that were not caught as they should be."""
    missed = 0
    with concurrent.futures.ProcessPoolExecutor(JOBS) as pool:
        found = pool.map(caught_by, *zip(*((source, program, i) for i in range(len(PLANTS)))))
        for (rule, text, _), caught in zip(PLANTS, found):
            missed += rule not in caught
            by = ", ".join(str(r) for r in caught) or "none"
            print(f"plant {'caught' if rule in caught else 'MISSED'} by {by}: {text}")
            print(f"        {caught.get(rule, 'rule ' + str(rule) + ' says nothing')[:180]}")
    print(f"plants: {len(PLANTS) - missed} of {len(PLANTS)} caught")
    return missed


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--replay", required=True)
    p.add_argument("directory")
    options = p.parse_args()
    if rules.judge(options.directory, options.replay).violations():
        print("plants: the run itself does not pass", file=sys.stderr)
        return 1
    return 1 if plant_all(options.directory, options.replay) else 0


if __name__ == "__main__":
    sys.exit(main())
