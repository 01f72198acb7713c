-- What must hold after the blows: each line counts what breaks its rule. The clients' acknowledgements come in as acks.
SET client_min_messages = warning;
CREATE TEMP TABLE ack (key uuid PRIMARY KEY, kind text, sent_ns int8, acknowledged_ns int8, times int4, seq int8 UNIQUE,
	leaf text, row_hash text, refusal int4, package_no int8, state int4, target int8);
COPY ack FROM STDIN;
-- ACKS --
ANALYZE ack, package, placement, command, journal;

-- An outcome's head: type u8, has u8, refusal u16, state u8, package i64, little-endian (engine/core/record.h).
CREATE FUNCTION pg_temp.little(b bytea, at int4, width int4) RETURNS int8 LANGUAGE sql IMMUTABLE AS $$
	SELECT sum(get_byte(b, at + i)::int8 << (8 * i))::int8 FROM generate_series(0, width - 1) AS i
$$;
CREATE TEMP TABLE told AS
SELECT key, seq, get_byte(outcome, 0) AS type, pg_temp.little(outcome, 2, 2) AS refusal, get_byte(outcome, 4) AS state,
	pg_temp.little(outcome, 5, 8) AS package_no
FROM command WHERE shard = 1;
CREATE UNIQUE INDEX ON told (key);
ANALYZE told;

SELECT count(*), 'every key acknowledged is stored once' FROM ack LEFT JOIN told USING (key) WHERE told.key IS NULL;
SELECT count(*), 'every key stored was sent and acknowledged' FROM told LEFT JOIN ack USING (key) WHERE ack.key IS NULL;
SELECT count(*) - count(DISTINCT key), 'a key stands once in command, whatever the partition' FROM command;
SELECT count(*), 'the sequence told is the one stored' FROM ack JOIN told USING (key) WHERE ack.seq <> told.seq;
SELECT count(*), 'the refusal told is the one stored' FROM ack JOIN told USING (key) WHERE ack.refusal <> told.refusal;
SELECT count(*), 'the package and state told are those stored' FROM ack JOIN told USING (key)
WHERE ack.refusal = 0 AND kind <> 'declare' AND (ack.package_no, ack.state) IS DISTINCT FROM (told.package_no, told.state);
SELECT abs((SELECT count(*) FROM command) - (SELECT sum(last_seq - first_seq + 1) FROM journal)),
	'every event of the journal has its command';
SELECT count(*), 'every event was stored under its own sequence' FROM (
	SELECT seq FROM command EXCEPT SELECT generate_series(first_seq, last_seq) FROM journal) AS t;

SELECT count(*), 'the journal is gapless' FROM (
	SELECT first_seq, lag(last_seq) OVER (ORDER BY first_seq) AS before FROM journal WHERE shard = 1) AS t
WHERE before <> first_seq - 1;
SELECT abs((SELECT max(last_seq) FROM journal WHERE shard = 1) - (SELECT last_seq FROM fence WHERE shard = 1)),
	'the journal ends at the fence';
SELECT count(*), 'epochs never go back' FROM (
	SELECT epoch, lag(epoch) OVER (ORDER BY first_seq) AS before FROM journal WHERE shard = 1) AS t WHERE epoch < before;
SELECT count(*), 'the clock never goes back' FROM (
	SELECT clock_us, lag(clock_us) OVER (ORDER BY first_seq) AS before FROM journal WHERE shard = 1) AS t
WHERE clock_us < before;

CREATE TEMP VIEW fresh AS SELECT * FROM package WHERE package_no > (SELECT min(first_seq) - 1 FROM journal);
SELECT count(*), 'every submission acknowledged made its package, and only those' FROM (
	SELECT package_no FROM ack WHERE kind = 'submit' AND refusal = 0) AS a
FULL JOIN fresh USING (package_no) WHERE a.package_no IS NULL OR fresh.package_no IS NULL;
SELECT count(*), 'a package has the sequence of its submission' FROM ack
WHERE kind = 'submit' AND refusal = 0 AND package_no <> seq;
SELECT count(*), 'a package is as its last acknowledged command left it' FROM ack JOIN package p USING (package_no)
WHERE refusal = 0 AND kind <> 'declare' AND (p.changed_seq < seq OR (p.changed_seq = seq AND p.state <> ack.state));
-- A core that was loaded since then knows nothing of them: it must not answer otherwise than one that was not.
SELECT greatest(count(DISTINCT a.refusal) - 1, 0), 'commands on packages that are over are refused alike, restarted or not'
FROM ack a JOIN package p ON p.shard = 1 AND p.package_no = a.target WHERE a.target > 0 AND p.state IN (8, 12) AND a.seq > p.changed_seq;
SELECT count(*), 'a package was last changed by something acknowledged' FROM fresh p
LEFT JOIN ack ON ack.seq = p.changed_seq WHERE ack.seq IS NULL;

SELECT count(*), 'at most one live placement of a package and role' FROM (
	SELECT package_no, role FROM placement WHERE ended_seq = 0 GROUP BY 1, 2 HAVING count(*) > 1) AS t;
SELECT count(*), 'placed is who has a live main placement, and nobody else' FROM package p LEFT JOIN placement m
	ON m.shard = p.shard AND m.package_no = p.package_no AND m.role = 1 AND m.ended_seq = 0
WHERE (p.state IN (4, 5, 6, 7)) <> (m.package_no IS NOT NULL);
SELECT count(*), 'what has ended holds no placement' FROM package p JOIN placement m USING (shard, package_no)
WHERE p.state IN (8, 12, 13) AND m.ended_seq = 0;
SELECT count(*), 'placements name their package''s pool and demand' FROM placement m
JOIN package p USING (shard, package_no)
LEFT JOIN coverage v ON v.shard = m.shard AND v.list_no = m.list_no AND v.provider_no = m.provider_no
	AND v.sector_no = p.sector_no
WHERE v.pool_no IS DISTINCT FROM m.pool_no OR NOT demand_is_of_visits(m.demand, p.visits, p.visit_facts);

-- Capacity, cell by cell from the live placements, without grid_shape.
CREATE TEMP TABLE held AS
SELECT pool_no, (code >> 10 & 1) * 56 + day * 8 + (code >> 7 & 7) AS cell, sum(code >> 11)::int8 AS units
FROM placement, unnest(demand) AS code, generate_series(0, 6) AS day
WHERE ended_seq = 0 AND code >> day & 1 = 1 GROUP BY 1, 2;
CREATE TEMP TABLE ledger AS
SELECT pool_no, mode, i - 1 AS cell, u.declared, u.committed, u.overhang FROM capacity AS c,
	unnest(grid_cells(c.declared), grid_cells(c.committed), grid_cells(c.overhang))
	WITH ORDINALITY AS u(declared, committed, overhang, i);
SELECT count(*), 'what is committed is what live placements hold' FROM ledger FULL JOIN held USING (pool_no, cell)
WHERE coalesce(committed, -1) <> coalesce(units, 0);
SELECT count(*), 'no binding cell holds more than declared and overhang' FROM ledger
WHERE mode = 1 AND committed > declared + overhang;
SELECT count(*), 'overhang is never more than what is over' FROM ledger
WHERE mode = 1 AND overhang > greatest(committed - declared, 0);
