-- read_journal: rows of the journal that hold anything after a sequence
-- $1 shard int2, $2 after_seq int8, $3 limit int8
-- returns: first_seq, last_seq, epoch, clock_us, framework_version int8, prev_hash, row_hash, leaves, salts bytea, records bytea[]
SELECT first_seq, last_seq, epoch, clock_us, framework_version, prev_hash, row_hash, leaves, salts, records
FROM calloff.read_journal
WHERE shard = $1 AND last_seq > $2
	AND first_seq >= coalesce((SELECT max(first_seq) FROM calloff.read_journal WHERE shard = $1 AND first_seq <= $2 + 1), 0)
ORDER BY first_seq LIMIT $3;
