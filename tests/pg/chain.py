"""chain.py: the journal's hashes, written a second time from DESIGN 6 alone; trusts nothing but SHA-256.

leaf     = SHA-256(00, salt, record)                       erased: salt all zero, record empty; the leaf stays
root     = tree over the leaves, fan-out 16: SHA-256(01, up to 16 neighbours) a level, until one is left
row hash = SHA-256(02, shard int2, first int8, last int8, epoch int8, prev, root), integers big-endian

    chain.py DATABASE SHARD     verifies a database's journal (PGHOST, PGUSER); exits 1 with the first break
"""
import hashlib
import struct
import subprocess
import sys
from typing import NamedTuple

GENESIS = hashlib.sha256(b"calloff genesis").digest()
ZERO_SALT = bytes(32)
# A row of the journal as one line of text: ten columns, bytes in hexadecimal, records separated by commas.
ROWS_SQL = """COPY (SELECT first_seq, last_seq, epoch, clock_us, framework_version, encode(prev_hash, 'hex'),
 encode(row_hash, 'hex'), encode(leaves, 'hex'), encode(salts, 'hex'),
 array_to_string(ARRAY(SELECT encode(r, 'hex') FROM unnest(records) WITH ORDINALITY AS t(r, i) ORDER BY i), ',')
 FROM calloff.journal WHERE shard = {shard} AND last_seq > {after} ORDER BY first_seq) TO STDOUT"""
FENCE_SQL = "COPY (SELECT last_seq, encode(head_hash, 'hex') FROM calloff.fence WHERE shard = {shard}) TO STDOUT"


class Broken(Exception):
    """The chain does not hold."""


class Row(NamedTuple):
    first: int
    last: int
    epoch: int
    clock_us: int
    framework_version: int
    prev: bytes
    hash: bytes
    leaves: list
    salts: list
    records: list


def leaf_hash(salt, record):
    return hashlib.sha256(b"\x00" + salt + record).digest()


def tree_root(leaves):
    level = list(leaves)
    while len(level) > 1:
        level = [hashlib.sha256(b"\x01" + b"".join(level[i:i + 16])).digest() for i in range(0, len(level), 16)]
    return level[0]


def row_hash(shard, first, last, epoch, prev, root):
    return hashlib.sha256(b"\x02" + struct.pack(">hqqq", shard, first, last, epoch) + prev + root).digest()


def pieces(data, size=32):
    return [data[i:i + size] for i in range(0, len(data), size)]


def parse_row(line):
    """A Row of one line of ROWS_SQL; ValueError for anything else."""
    fields = line.rstrip("\n").split("\t")
    if len(fields) != 10:
        raise ValueError(f"a row of the journal has 10 columns, not {len(fields)}")
    prev, stored, leaves, salts = (bytes.fromhex(x) for x in fields[5:9])
    return Row(*(int(x) for x in fields[:5]), prev, stored, pieces(leaves), pieces(salts),
               [bytes.fromhex(x) for x in fields[9].split(",")])


def is_erased(row, i):
    return row.records[i] == b"" and row.salts[i] == ZERO_SALT


def check_row(shard, row):
    """One row by itself: its shape, its leaves, its hash."""
    if row.last < row.first or not len(row.leaves) == len(row.salts) == len(row.records) == row.last - row.first + 1:
        raise Broken(f"a row holds one leaf, salt and record an event: row {row.first}")
    for i, leaf in enumerate(row.leaves):
        if not is_erased(row, i) and leaf_hash(row.salts[i], row.records[i]) != leaf:
            raise Broken(f"a leaf is the hash of its record: seq {row.first + i}")
    if row_hash(shard, row.first, row.last, row.epoch, row.prev, tree_root(row.leaves)) != row.hash:
        raise Broken(f"a row's hash is that of its content: row {row.first}")


def check_link(before, row, prev=GENESIS):
    """A row and the one before it, None for the first; prev None: the first row's is not checked."""
    if before is not None and row.first <= before.last:
        raise Broken(f"an event stands in one row: {row.first} stands in the row from {before.first} too")
    if before is not None and row.first != before.last + 1:
        raise Broken(f"the journal is gapless: {row.first} follows {before.last}")
    prev = before.hash if before is not None else prev
    if prev is not None and row.prev != prev:
        raise Broken(f"a row names the hash of the row before: row {row.first}")
    if before is not None and row.epoch < before.epoch:
        raise Broken(f"epochs never go back: row {row.first}")


def copied(database, sql):
    """The lines of a COPY ... TO STDOUT."""
    with subprocess.Popen(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
                          stdout=subprocess.PIPE, text=True) as p:
        yield from p.stdout
    if p.returncode != 0:
        raise Broken("the journal cannot be read")


def verify(database, shard, prev=GENESIS):
    """Returns {seq: (leaf, row hash, epoch)} and the number of rows; prev None: the first row's is not checked."""
    seen, rows, before = {}, 0, None
    for line in copied(database, ROWS_SQL.format(shard=shard, after=0)):
        row = parse_row(line)
        check_row(shard, row)
        check_link(before, row, prev)
        for i, leaf in enumerate(row.leaves):
            seen[row.first + i] = (leaf, row.hash, row.epoch)
        before, rows = row, rows + 1
    ((last, head),) = [line.split() for line in copied(database, FENCE_SQL.format(shard=shard))]
    if before is not None and (int(last) != before.last or bytes.fromhex(head) != before.hash):
        raise Broken(f"the journal ends where the fence stands: {before.last}, not {last}")
    return seen, rows


if __name__ == "__main__":
    try:
        print(f"{len(verify(sys.argv[1], int(sys.argv[2]))[0])} events verified")
    except Broken as broken:
        sys.exit(f"chain.py: {broken}")
