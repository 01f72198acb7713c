"""auditor.py: what receipts.py says to an auditor of a journal that is whole, and of the ways in which it might not be."""
import os
import subprocess
import sys
import tempfile

import chain
from plants import Spoilt

HERE = os.path.dirname(os.path.abspath(__file__))


def rows_lines(spoilt):
    spoilt.write_journal()
    return spoilt.path("journal.tsv")


def whole(s):
    pass


def erased(s):
    """Lawful: the salt is gone, the record is gone, the leaf stays."""
    row = s.rows[len(s.rows) // 2]
    row.records[0], row.salts[0] = b"", chain.ZERO_SALT


def lost_tail(s):
    del s.rows[-2:]


def record_changed(s):
    row = s.rows[len(s.rows) // 2]
    row.records[0] = row.records[0][:-1] + bytes([row.records[0][-1] ^ 1])


def row_doubled(s):
    s.rows.insert(3, s.rows[3])


def row_missing(s):
    del s.rows[3]


def row_replaced(s):
    """Its hash fits its content, not the rows behind it."""
    row = s.rows[3]
    s.rows[3] = row._replace(hash=chain.row_hash(1, row.first, row.last, row.epoch + 1, row.prev, chain.tree_root(row.leaves)),
                             epoch=row.epoch + 1)


def written_anew(s):
    """One record changed and every hash behind it computed again: only receipts can tell."""
    record, data, _ = next(s.placed())
    data[data.index(record.event["case_ref"].encode())] = ord("Z")
    s.decide(record.seq, data, told=False)


def other_key(s):
    call, _ = s.acknowledged[5]
    call.key = call.key[:-4] + "beef"


CASES = [(whole, 0, "everything holds"), (erased, 0, "1 erased"), (lost_tail, 1, "a lost tail"),
         (record_changed, 1, "a leaf is the hash of its record"), (row_doubled, 1, "stands in the row from"),
         (row_missing, 1, "gapless"), (row_replaced, 1, "names the hash of the row before"),
         (written_anew, 1, "another record there than the one that was acknowledged"), (other_key, 1, "has another key")]


def asked(source, spoil):
    """(exit, words) of receipts.py over a copy of the run that was spoilt so."""
    with tempfile.TemporaryDirectory(prefix="auditor.") as directory:
        s = Spoilt(source, directory)
        spoil(s)
        receipts = s.path("receipts.tsv")
        s.write("receipts.tsv", [f"{told.seq} {told.leaf.hex()} {told.row_hash.hex()} {call.key}\n"
                                 for call, told in s.acknowledged])
        after, hash_ = (line.split()[1] for line in s.span[1:3])
        done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "receipts.py"), "--journal", rows_lines(s), "--after",
                               after, "--hash", hash_, receipts], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def test_all(source):
    wrong = 0
    for spoil, exit_code, words in CASES:
        got, said = asked(source, spoil)
        if got != exit_code or words not in said:
            wrong += 1
            print(f"receipts.py on {spoil.__name__}: exit {got}, not {exit_code}, or does not say \"{words}\":\n{said[:600]}")
    print(f"receipts.py: {len(CASES) - wrong} of {len(CASES)} journals told apart")
    return wrong
