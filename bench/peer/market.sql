-- The bench's market: pure arithmetic, the same on every machine. psql variables: lists (default 48 = 12 lots x 4
-- services; lists 1-12 are personal care), ranked (default 40 providers a list; one POLR follows them), bench_lists (lists
-- that batches are made for; default all).
\if :{?lists}
\else
	\set lists 48
\endif
\if :{?ranked}
\else
	\set ranked 40
\endif
\if :{?bench_lists}
\else
	\set bench_lists :lists
\endif
SET search_path = peer;
SET jit = off;

-- 0..999, spread well enough for a bench.
CREATE FUNCTION chance(a int4, b int4, c int4) RETURNS int4 LANGUAGE sql IMMUTABLE AS $$
	SELECT (abs(hashint8(a::int8 * 1000003 + b * 1009 + c)::int8) % 1000)::int4
$$;

-- One provider in ten is not open; each of 8 skills is held by three in four; one in ten leaves out one of 8 districts.
INSERT INTO list_entry
SELECT l, r, (l * 37 + r * 11) % 1000 + 1, l * 100 + r,
	CASE WHEN r > :ranked THEN 4 ELSE 1 END, CASE WHEN r > :ranked THEN 9 WHEN r > 25 THEN 2 ELSE 1 END, r,
	r > :ranked OR chance(l, r, 1) >= 100,
	CASE WHEN r > :ranked THEN 255 ELSE (
		SELECT sum(1 << s) FROM generate_series(0, 7) AS s WHERE chance(l, r, 10 + s) < 750) END,
	CASE WHEN r <= :ranked AND chance(l, r, 2) < 100 THEN 255 - (1 << (chance(l, r, 3) % 8)) ELSE 255 END,
	1900 + 10 * r
FROM generate_series(1, :lists) AS l, generate_series(1, :ranked + 1) AS r;

-- Three in eight of all (pool, plane, band) rows are full on some day. The rest holds 29,000 units a day (single) or 14,500
-- (paired), so that several hundred thousand packages neither empty the market nor walk the whole list.
INSERT INTO declared
SELECT pool_no, line, c[1], c[2], c[3], c[4], c[5], c[6], c[7]
FROM list_entry, generate_series(0, 15) AS line, LATERAL (
	SELECT array_agg(CASE
		WHEN route <> 4 AND chance(pool_no, line, 100) < 380 AND chance(pool_no, line, 101) % 7 <= day
		THEN chance(pool_no, line, 102 + day) % 3
		WHEN line < 8 THEN 29000 ELSE 14500 END ORDER BY day) AS c
	FROM generate_series(0, 6) AS day) AS week;
INSERT INTO capacity SELECT * FROM declared ORDER BY pool_no, line;

-- The generator of packages, for the batches (the single form's packages come from pgbench's own random numbers, with the
-- same shares): 1-4 daily visits in distinct bands 12/20/26/42 %, 15/30/45/60 min 6/60/20/14 %, 16 % with paired visits,
-- 12 % with a skill.
CREATE FUNCTION random_request(n int8, list int4) RETURNS request LANGUAGE sql VOLATILE AS $$
	SELECT ROW((lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000000000000000'::text)::uuid,
		'C' || n, 'P' || n, 'H' || n, '', 'owner-' || n % 20, list, 1 + n % 280, 1 + n % 8, 1, 0, 1,
		v.visits, v.facts, CASE WHEN random() < 0.12 THEN 1 << floor(8 * random())::int4 ELSE 0 END,
		0, 0, 1 + n % 4, 1 + n % 4, n % 3, 1 + n % 3, 1, 0, 1700000000000000 + n, 19700 + n % 14,
		1700600000000000 + n, 0, 0, '{}')::request
	FROM (SELECT floor(8 * random())::int4 AS band, 1 + 2 * floor(4 * random())::int4 AS step, random() AS how_many,
		random() < 0.16 AS pairs) AS d,
	LATERAL (
		SELECT array_agg(127 + (((band + k * step) & 7) << 7) + CASE WHEN pairs AND (k = 0 OR p < 0.5) THEN 1024 ELSE 0 END
			+ (CASE WHEN m < 0.06 THEN 3 WHEN m < 0.66 THEN 6 WHEN m < 0.86 THEN 9 ELSE 12 END << 11)) AS visits,
			array_agg((1 << ((band + k * step) & 7))::int8) AS facts
		FROM (SELECT k, random() AS p, random() AS m FROM generate_series(0, CASE WHEN how_many < 0.12 THEN 0
			WHEN how_many < 0.32 THEN 1 WHEN how_many < 0.58 THEN 2 ELSE 3 END) AS k) AS s
	) AS v
$$;

-- What batch clients send: arrays of requests of one list, made beforehand, so that making them costs the peer nothing.
-- The same arrays are sent again under another client name: (client, key) is what makes a command new.
CREATE TABLE bench_batch (
	size int4 NOT NULL,
	list_no int4 NOT NULL,
	batch_no int4 NOT NULL,
	requests request[] NOT NULL,
	PRIMARY KEY (size, list_no, batch_no)
);
ALTER TABLE bench_batch ALTER requests SET STORAGE EXTERNAL;
DO $$ BEGIN PERFORM setseed(0.5); END $$;
CREATE TEMP TABLE made AS
SELECT list, n, random_request(n + 2048 * list, list) AS r
FROM generate_series(1, :bench_lists) AS list, generate_series(0, 2047) AS n;
INSERT INTO bench_batch
SELECT size, list, n / size, array_agg(r ORDER BY n)
FROM made, unnest('{16,64,256,1024}'::int4[]) AS size GROUP BY 1, 2, 3;
DROP TABLE made;
ANALYZE list_entry;
ANALYZE capacity;
ANALYZE bench_batch;
