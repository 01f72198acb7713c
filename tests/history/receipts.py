#!/usr/bin/env python3
"""receipts.py: does the journal hold, and does it say what I was told? Python and SHA-256; nothing of Calloff.

    tests/history/receipts.py --sql                                     prints the query that makes JOURNAL
    tests/history/receipts.py --journal JOURNAL                         the chain alone
    tests/history/receipts.py --journal JOURNAL receipts.tsv ...        and every receipt
    tests/history/receipts.py --journal PART --after 48213 --hash 9f3c... receipts.tsv     from a row that is known

JOURNAL is what that query writes: a row of the journal a line, ten columns. receipts.tsv is what `calloff --receipts`
wrote: "SEQ LEAF ROW" a line, and as a fourth word, if it was kept, the key of the command.

Exit: 0 everything holds; 1 the journal or a receipt does not; 64 usage; 66 a file cannot be read.
"""
import argparse
import os
import sys
import uuid

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pg")]
import chain  # noqa: E402
from record import Record, Unreadable  # noqa: E402

SAID_MAX = 20


class NotReadable(Exception):
    """An input file is not what it should be."""


class Receipt:
    def __init__(self, where, words):
        if len(words) not in (3, 4):
            raise NotReadable(f"{where}: a receipt is SEQ LEAF ROW and perhaps KEY")
        try:
            self.seq, self.leaf, self.row = int(words[0]), bytes.fromhex(words[1]), bytes.fromhex(words[2])
            self.key = uuid.UUID(words[3]).bytes if len(words) == 4 else None
        except ValueError:
            raise NotReadable(f"{where}: a receipt is a number and two hashes in hexadecimal") from None
        if self.seq < 1 or len(self.leaf) != 32 or len(self.row) != 32:
            raise NotReadable(f"{where}: a receipt has a sequence above 0 and hashes of 32 bytes")
        self.where = where


def read_receipts(paths):
    receipts = {}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for n, line in enumerate(f, 1):
                if line.strip() and not line.startswith("#"):
                    receipt = Receipt(f"{path}:{n}", line.split())
                    receipts.setdefault(receipt.seq, []).append(receipt)
    return receipts


def read_rows(path):
    with open(path, encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            try:
                yield chain.parse_row(line)
            except ValueError as why:
                raise NotReadable(f"{path}:{n}: {why}") from None


class Audit:
    """What does not hold, as sentences for a person: of the journal itself, and of receipts."""

    def __init__(self, receipts, shard, after, known_hash):
        self.receipts, self.shard = receipts, shard
        self.after, self.known_hash = after, known_hash
        self.broken, self.missed = [], []
        self.first, self.last = None, after
        self.rows = self.events = self.erased = self.found = 0
        self.head = known_hash or chain.GENESIS
        self.met = set()

    def _try(self, look):
        try:
            look()
        except chain.Broken as broken:
            self.broken.append(f"the journal does not hold: {broken}")

    def row(self, before, row):
        if before is None and row.first != self.after + 1 and self.known_hash is not None:
            self.broken.append(f"the journal does not hold: it begins at {row.first}, not behind {self.after}")
        self._try(lambda: chain.check_row(self.shard, row))
        self._try(lambda: chain.check_link(before, row, self.known_hash or chain.GENESIS))
        self.first = row.first if self.first is None else self.first
        self.last, self.head = row.last, row.hash
        self.rows += 1
        for i in range(min(len(row.leaves), len(row.records))):
            self.events += 1
            self.erased += chain.is_erased(row, i)
            for receipt in self.receipts.get(row.first + i, ()):
                self.receipt(receipt, row, i)

    def receipt(self, receipt, row, i):
        """The journal says of this event what the client was told of it."""
        said = self.differs(receipt, row, i)
        self.met.add(receipt.where)
        if said is None:
            self.found += 1
        else:
            self.missed.append(f"receipt {receipt.where}, event {receipt.seq}: {said}")

    @staticmethod
    def differs(receipt, row, i):
        if row.leaves[i] != receipt.leaf:
            return "the journal holds another record there than the one that was acknowledged"
        if row.hash != receipt.row:
            return "the record is the same, but its row, or one before it, was written anew"
        if receipt.key is None or chain.is_erased(row, i):
            return None
        try:
            return None if Record(row.records[i]).key == receipt.key else "the record there has another key"
        except (Unreadable, UnicodeDecodeError):
            return "the record there cannot be read, so its key is not known"

    def finish(self):
        for seq, receipts in sorted(self.receipts.items()):
            for receipt in receipts:
                if receipt.where not in self.met:
                    self.missed.append(f"receipt {receipt.where}, event {seq}: " + self.missing(seq))

    def missing(self, seq):
        if seq > self.last:
            return f"it was acknowledged, and the journal ends at {self.last} before it: a lost tail"
        if self.first is None or seq < self.first:
            return f"this part of the journal begins at {self.first}: give an earlier part"
        return "the journal has no such event: rows are missing"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--journal", help="the rows of the journal")
    p.add_argument("--shard", type=int, default=1)
    p.add_argument("--after", type=int, default=0, help="the last event of a row that is known ...")
    p.add_argument("--hash", type=bytes.fromhex, help="... and that row's hash")
    p.add_argument("--sql", action="store_true", help="print the query that makes JOURNAL")
    p.add_argument("receipts", nargs="*")
    p.exit_on_error = False
    try:
        options = p.parse_args()
    except argparse.ArgumentError as why:
        sys.exit(usage(why))
    if not options.sql and options.journal is None:
        sys.exit(usage("--journal is needed"))
    if (options.after > 0) != (options.hash is not None):
        sys.exit(usage("--after and --hash belong together"))
    return options


def usage(why):
    print(f"receipts.py: {why}; see receipts.py --help", file=sys.stderr)
    return 64


def say(audit):
    for sentences in (audit.broken, audit.missed):
        for sentence in sentences[:SAID_MAX]:
            print(sentence)
        if len(sentences) > SAID_MAX:
            print(f"... and {len(sentences) - SAID_MAX} more like it")
    receipts = sum(len(r) for r in audit.receipts.values())
    holds = not audit.broken and not audit.missed
    print(f"{'everything holds' if holds else 'NOT everything holds'}: {audit.events} events in {audit.rows} rows, every hash "
          f"computed anew, {audit.erased} erased; {audit.found} of {receipts} receipts stand in the journal")
    print(f"head: event {audit.last}, hash {audit.head.hex()}")
    return 0 if holds else 1


def main():
    options = arguments()
    if options.sql:
        print(f'psql -qXAt -d DATABASE -c "{chain.ROWS_SQL.format(shard=options.shard, after=options.after)}" >JOURNAL')
        return 0
    try:
        audit = Audit(read_receipts(options.receipts), options.shard, options.after, options.hash)
        before = None
        for row in read_rows(options.journal):
            audit.row(before, row)
            before = row
    except (OSError, UnicodeDecodeError, NotReadable) as why:
        print(f"receipts.py: {why}", file=sys.stderr)
        return 66
    audit.finish()
    return say(audit)


if __name__ == "__main__":
    sys.exit(main())
