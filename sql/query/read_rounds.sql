-- read_rounds: the journal's records of a package's sourcing rounds, newest last
-- $1 shard int2, $2 package_no int8, $3 as_of int8
-- returns: seq int8, record bytea, leaf bytea, row_hash bytea
SELECT r.opened_seq, j.records[r.opened_seq - j.first_seq + 1], substring(j.leaves FROM (32 * (r.opened_seq - j.first_seq) + 1)::int4 FOR 32),
	j.row_hash
FROM calloff.read_round r
JOIN LATERAL (SELECT first_seq, records, leaves, row_hash FROM calloff.read_journal j
	WHERE j.shard = r.shard AND j.first_seq <= r.opened_seq ORDER BY j.first_seq DESC LIMIT 1) j ON true
WHERE r.shard = $1 AND r.package_no = $2 AND r.opened_seq <= $3 ORDER BY 1;
