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

GENESIS = hashlib.sha256(b"calloff genesis").digest()
ROWS_SQL = """COPY (SELECT first_seq, last_seq, epoch, encode(prev_hash, 'hex'), encode(row_hash, 'hex'),
 encode(leaves, 'hex'), encode(salts, 'hex'),
 array_to_string(ARRAY(SELECT encode(r, 'hex') FROM unnest(records) WITH ORDINALITY AS t(r, i) ORDER BY i), ',')
 FROM calloff.journal WHERE shard = {shard} ORDER BY first_seq) TO STDOUT"""
FENCE_SQL = "COPY (SELECT last_seq, encode(head_hash, 'hex') FROM calloff.fence WHERE shard = {shard}) TO STDOUT"


class Broken(Exception):
    """The chain does not hold."""


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


def copied(database, sql):
    with subprocess.Popen(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
                          stdout=subprocess.PIPE, text=True) as p:
        for line in p.stdout:
            yield line.rstrip("\n").split("\t")
    if p.returncode != 0:
        raise Broken("the journal cannot be read")


def verify_row(shard, row, prev):
    first, last, epoch = (int(x) for x in row[:3])
    stored_prev, stored_hash, leaves, salts = (bytes.fromhex(x) for x in row[3:7])
    records = [bytes.fromhex(x) for x in row[7].split(",")]
    leaves, salts = pieces(leaves), pieces(salts)
    if not len(leaves) == len(salts) == len(records) == last - first + 1:
        raise Broken(f"a row holds one leaf, salt and record an event: row {first}")
    for i, (leaf, salt, record) in enumerate(zip(leaves, salts, records)):
        erased = record == b"" and salt == bytes(32)
        if not erased and leaf_hash(salt, record) != leaf:
            raise Broken(f"a leaf is the hash of its record: seq {first + i}")
    if prev is not None and stored_prev != prev:
        raise Broken(f"a row names the hash of the row before: row {first}")
    if row_hash(shard, first, last, epoch, stored_prev, tree_root(leaves)) != stored_hash:
        raise Broken(f"a row's hash is that of its content: row {first}")
    return first, last, epoch, leaves, stored_hash


def verify(database, shard, prev=GENESIS):
    """Returns {seq: (leaf, row hash, epoch)} and the number of rows; prev None: the first row's is not checked."""
    seen, rows, seq = {}, 0, None
    for row in copied(database, ROWS_SQL.format(shard=shard)):
        first, last, epoch, leaves, prev = verify_row(shard, row, prev)
        if seq is not None and first != seq + 1:
            raise Broken(f"the journal is gapless: {first} follows {seq}")
        for i, leaf in enumerate(leaves):
            seen[first + i] = (leaf, prev, epoch)
        seq, rows = last, rows + 1
    (fence,) = list(copied(database, FENCE_SQL.format(shard=shard)))
    if rows > 0 and (int(fence[0]) != seq or bytes.fromhex(fence[1]) != prev):
        raise Broken(f"the journal ends where the fence stands: {seq}, not {fence[0]}")
    return seen, rows


if __name__ == "__main__":
    try:
        print(f"{len(verify(sys.argv[1], int(sys.argv[2]))[0])} events verified")
    except Broken as broken:
        sys.exit(f"chain.py: {broken}")
