-- find_command: the stored outcome of a key, and the receipt it was given
-- $1 shard int2, $2 key uuid, $3 client text
-- returns: request_hash bytea, seq int8, outcome bytea, leaf bytea, row_hash bytea
SELECT c.request_hash, c.seq, c.outcome, substring(j.leaves FROM (32 * (c.seq - j.first_seq) + 1)::int4 FOR 32), j.row_hash
FROM calloff.read_command c
JOIN LATERAL (SELECT first_seq, leaves, row_hash FROM calloff.read_journal j
	WHERE j.shard = c.shard AND j.first_seq <= c.seq ORDER BY j.first_seq DESC LIMIT 1) j ON true
WHERE c.shard = $1 AND c.key = $2 AND c.client = $3;
