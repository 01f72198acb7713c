"""rules.py: the eight rules of the history checker (RELIABILITY 6.4), each over all that one run left behind.

O(n log n): the journal gives the order, so nothing has to be searched for.
"""
import bisect
import heapq
import os
import subprocess
import uuid

import chain
import history
import reads
import wire
from record import Record, Unreadable

RULES = {1: "an acknowledgement stands in the journal as it was told: sequence, key, leaf, row, request, outcome",
         2: "what returned before another was sent has the lower sequence",
         3: "a key acts once; one that nobody was told of, once or never",
         4: "the journal holds nothing that nobody sent",
         5: "an independently written model decides the same",
         6: "a read lies between what had returned before it and what was sent after it",
         7: "at every sequence: chain, capacity, one live placement a role, rank order",
         8: "the tables of the database are what the journal replays to"}
SAID_MAX = 5
OVER = ("8", "12", "13")


class CannotJudge(Exception):
    """Something is missing that a verdict would need."""


class Verdict:
    def __init__(self):
        self.looked = dict.fromkeys(RULES, 0)
        self.wrong = {rule: [] for rule in RULES}
        self.notes = []

    def check(self, rule, holds, said):
        """Counts one thing looked at; said is called only when it does not hold."""
        self.looked[rule] += 1
        if not holds:
            self.wrong[rule].append(said())

    def violations(self):
        """A rule that looked at nothing has proved nothing."""
        return sum(len(w) for w in self.wrong.values()) + sum(count == 0 for count in self.looked.values())

    def lines(self):
        for rule, text in RULES.items():
            wrong = len(self.wrong[rule])
            word = "VIOLATED" if wrong else "ok" if self.looked[rule] else "NOT SEEN"
            yield f"rule {rule}  {word:8}  {self.looked[rule]:>9} looked at, {wrong:>4} wrong  {text}"
            for said in self.wrong[rule][:SAID_MAX]:
                yield f"        {said}"
        yield from self.notes


class Journal:
    """Every event by its sequence; a row that does not hold is a violation of rule 7, and is read all the same."""

    def __init__(self, directory, verdict):
        self.span = dict(line.rstrip("\n").split("\t") for line in open(os.path.join(directory, "span.tsv"), encoding="ascii"))
        self.records, self.rows, self.by_key, self.leaves = {}, {}, {}, {}
        shard, before = int(self.span["shard"]), None
        prev = bytes.fromhex(self.span["after_hash"])
        with open(os.path.join(directory, "journal.tsv"), encoding="ascii") as f:
            for line in f:
                row = chain.parse_row(line)
                if before is None:
                    verdict.check(7, row.first == int(self.span["after_seq"]) + 1, lambda: "the journal begins at its start")
                self.check(verdict, lambda: chain.check_row(shard, row))
                self.check(verdict, lambda: chain.check_link(before, row, prev))
                self.take(row, verdict)
                before = row
        end = (before.last, before.hash.hex()) if before else (int(self.span["after_seq"]), self.span["after_hash"])
        verdict.check(7, end == (int(self.span["last_seq"]), self.span["head_hash"]),
                      lambda: f"the journal ends where the fence stands: {end[0]}, not {self.span['last_seq']}")

    @staticmethod
    def check(verdict, look):
        try:
            look()
            verdict.check(7, True, None)
        except chain.Broken as broken:
            said = str(broken)
            verdict.check(7, False, lambda: said)

    def take(self, row, verdict):
        for i, data in enumerate(row.records):
            seq = row.first + i
            try:
                record = Record(data)
            except (Unreadable, UnicodeDecodeError) as why:
                said = f"seq {seq}: the record cannot be read: {why}"
                verdict.check(5, False, lambda: said)
                continue
            self.records[seq] = record
            self.rows[seq] = row
            self.leaves[seq] = row.leaves[i]
            self.by_key.setdefault(record.key, []).append(seq)


def key_bytes(key):
    return uuid.UUID(key).bytes


# ---- rules 1 to 4: acknowledgements and the journal

def same_placement(told, outcome, codes):
    stored = outcome["placement"]
    if told is None or stored is None:
        return told is None and stored is None
    return told == dict(stored, provider=codes.providers.get(stored["provider"]), list=codes.lists.get(stored["list"]),
                        pool=codes.pools.get(outcome["pool"]))


def outcome_wrong(told, record, codes):
    """The first part of an acknowledgement that the record does not say; None when all is said."""
    o = record.outcome
    if told.refusal != o["refusal"]:
        return f"refusal {told.refusal}, stored {o['refusal']}"
    if told.kind != (record.type if told.refusal == 0 else "status"):
        return f"answered as {told.kind}, stored {record.type}"
    if told.refusal != 0:
        return None
    if record.type == "declare":
        return None if told.cells_over == o["cells_over"] else f"{told.cells_over} cells over, stored {o['cells_over']}"
    for name in ("package", "state", "looked_at", "simulated", "budget_authority", "confirm_by_us"):
        if getattr(told, name) != o[name]:
            return f"{name} {getattr(told, name)}, stored {o[name]}"
    return None if same_placement(told.placement, o, codes) else "another placement"


def acknowledged_wrong(call, told, journal, codes):
    record = journal.records.get(told.seq)
    if record is None:
        last = int(journal.span["last_seq"])
        return "its sequence is beyond the journal's end: a lost tail" if told.seq > last else "its sequence is not in the journal"
    if record.key != key_bytes(call.key):
        return "another key stands at its sequence"
    if journal.leaves[told.seq] != told.leaf:
        return "another leaf stands at its sequence"
    if journal.rows[told.seq].hash != told.row_hash:
        return "the row at its sequence has another hash"
    kind, event = wire.event(call.request)
    if (kind, event) != (record.type, record.event):
        return "what was sent is not what is stored"
    return outcome_wrong(told, record, codes)


def check_acknowledged(verdict, acknowledged, journal, codes):
    for call, told in acknowledged:
        wrong = acknowledged_wrong(call, told, journal, codes)
        verdict.check(1, wrong is None, lambda: f"seq {told.seq}, key {call.key}: {wrong}")


def check_order(verdict, calls, journal):
    """calls: [(seq, call)] of all that stand in the journal, whether anybody was told or not."""
    earliest_ns, key = None, None
    for seq, call in sorted(calls, key=lambda c: -c[0]):
        verdict.check(2, earliest_ns is None or earliest_ns >= call.invoked_ns,
                      lambda: f"{key} had returned before {call.key} was sent, whose sequence {seq} is lower")
        if call.returned_ns is not None and (earliest_ns is None or call.returned_ns < earliest_ns):
            earliest_ns, key = call.returned_ns, call.key


def check_once(verdict, commands, journal):
    for call in commands:
        times = len(journal.by_key.get(key_bytes(call.key), ()))
        known = call.reply is not None
        verdict.check(3, times == 1 or (times == 0 and not known),
                      lambda: f"key {call.key} stands {times} times in the journal, {'told' if known else 'unknown'}")


def check_invoked(verdict, commands, journal):
    sent = {key_bytes(call.key) for call in commands}
    for key, seqs in journal.by_key.items():
        verdict.check(4, key in sent, lambda: f"seq {seqs[0]}: key {uuid.UUID(bytes=key)} was never sent")


# ---- rules 5 to 8: the replay, and what it says of reads and tables

class Codes:
    """Codes of providers, lists and pools by their numbers, in every version of the framework; and the other way round."""

    def __init__(self, directory):
        self.providers, self.lists, self.pools = {}, {}, {}
        with open(os.path.join(directory, "framework.tsv"), encoding="utf-8") as f:
            for line in f:
                _, table, *columns = line.rstrip("\n").split("\t")
                if table == "provider":
                    self.providers[int(columns[0])] = columns[1]
                elif table == "list":
                    self.lists[int(columns[0])] = columns[8]
                elif table == "pool":
                    self.pools[int(columns[0])] = columns[3]
        self.provider_no, self.list_no, self.pool_no = ({code: number for number, code in codes.items()}
                                                        for codes in (self.providers, self.lists, self.pools))


def replay(verdict, directory, program, naive):
    done = subprocess.run([program, directory] + (["--naive"] if naive else []), capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise CannotJudge(done.stderr.strip() or f"{program}: exit {done.returncode}")
    looked = {}
    for line in done.stdout.splitlines():
        kind, what, *rest = line.split("\t")
        if kind == "looked":
            looked[what] = int(rest[0])
        else:
            verdict.wrong[int(what)].append(f"seq {rest[0]}: {rest[1]}")
    if done.returncode == 1 and not any(verdict.wrong.values()):
        raise CannotJudge("the replay found a difference and did not say which")
    verdict.looked[5] += looked["decisions"] + looked["refusals"] + looked["changes"] + looked["declarations"]
    verdict.looked[7] += looked["events"]
    verdict.notes.append("replayed: " + ", ".join(f"{count} {what}" for what, count in looked.items()))
    return done.returncode == 0


def rows_of(path):
    """Sorted, as two files are compared."""
    with open(path, encoding="utf-8") as f:
        return sorted(f)


def check_tables(verdict, directory, agreed):
    if not agreed:
        verdict.check(8, False, lambda: "not compared: the replay stopped at a difference")
        return
    want, have = rows_of(os.path.join(directory, "replayed.tsv")), rows_of(os.path.join(directory, "final.tsv"))
    verdict.looked[8] += len(want)
    missing, extra = list(difference(want, have)), list(difference(have, want))
    for said, rows in (("the database has not", missing), ("the replay has not", extra)):
        verdict.wrong[8] += [f"{said}: {row.rstrip()[:200]}" for row in rows]


def difference(a, b):
    """What stands in a more often than in b; both sorted."""
    at = 0
    for row in a:
        while at < len(b) and b[at] < row:
            at += 1
        if at < len(b) and b[at] == row:
            at += 1
        else:
            yield row


def check_commands(verdict, directory, journal):
    """The table of keys says what the journal says."""
    seen = set()
    with open(os.path.join(directory, "command.tsv"), encoding="utf-8") as f:
        for line in f:
            seq, key, _, outcome = line.rstrip("\n").split("\t")
            record = journal.records.get(int(seq))
            verdict.check(8, record is not None and record.key == key_bytes(key) and record.outcome_bytes == bytes.fromhex(outcome)
                          and int(seq) not in seen, lambda: f"command {key} at {seq} is not what the journal says")
            seen.add(int(seq))
    verdict.check(8, len(seen) == len(journal.records), lambda: f"{len(journal.records)} events, {len(seen)} commands")


class Floor:
    """The highest number among those whose time has passed, asked in ascending time: pairs of (time, number)."""

    def __init__(self, start, pairs):
        self.waiting, self.highest = list(pairs), start
        heapq.heapify(self.waiting)

    def add(self, time_ns, number):
        heapq.heappush(self.waiting, (time_ns, number))

    def before(self, time_ns):
        while self.waiting and self.waiting[0][0] < time_ns:
            self.highest = max(self.highest, heapq.heappop(self.waiting)[1])
        return self.highest


def check_reads(verdict, seen, placed, states, codes, start):
    """placed: [(seq, call)], after the sequence start. A read is of one moment: not before what had returned, nor what
    another read had seen by then; before whatever was sent after it came back."""
    floor = Floor(start, ((call.returned_ns, seq) for seq, call in placed if call.returned_ns is not None))
    sent = sorted((call.invoked_ns, seq) for seq, call in placed)
    lowest_from = [0] * len(sent)
    lowest = float("inf")
    for i in range(len(sent) - 1, -1, -1):
        lowest = min(lowest, sent[i][1])
        lowest_from[i] = lowest
    for call in sorted((c for c in seen.calls if not c.is_command), key=lambda c: c.invoked_ns):
        low = floor.before(call.invoked_ns)
        i = bisect.bisect_right(sent, (call.returned_ns, float("inf")))
        high = lowest_from[i] if i < len(sent) else float("inf")
        moment, wrong = reads.moment_of(call, low, high, states, codes)
        verdict.check(6, wrong is None, lambda: f"{call.kind} of {call.invoked_ns}: {wrong} (from {low} to before {high})")
        if moment is not None:
            floor.add(call.returned_ns, moment)


def judge(directory, program, naive=False):
    """The verdict over one run's folder."""
    verdict = Verdict()
    try:
        seen = history.History(os.path.join(directory, "history"))
        codes = Codes(directory)
        journal = Journal(directory, verdict)
        acknowledged = seen.acknowledged()
        reads.write_wanted(directory, seen)
    except (OSError, ValueError, wire.Garbled) as why:
        raise CannotJudge(why) from None
    commands = seen.commands()
    check_acknowledged(verdict, acknowledged, journal, codes)
    told = {call.key: t.seq for call, t in acknowledged}
    placed = [(told.get(c.key) or journal.by_key.get(key_bytes(c.key), (None,))[0], c) for c in commands]
    placed = [(seq, c) for seq, c in placed if seq is not None]
    check_order(verdict, placed, journal)
    check_once(verdict, commands, journal)
    check_invoked(verdict, commands, journal)
    agreed = replay(verdict, directory, program, naive)
    check_commands(verdict, directory, journal)
    check_tables(verdict, directory, agreed)
    if agreed:
        check_reads(verdict, seen, placed, reads.States(directory), codes, int(journal.span["after_seq"]))
    unknown = sum(c.reply is None for c in commands)
    verdict.notes.append(f"history: {len(commands)} commands, {unknown} of them unknown, {len(seen.calls) - len(commands)} reads")
    return verdict
