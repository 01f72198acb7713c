-- What the engine decides, and the journal that proves it. Only functions of 0004 write here.
SET ROLE calloff_owner;
SET search_path = calloff;

-- A grid is one number: cell i = day*8 + band stands in decimal digits 6i..6i+5, so that a week of demand is added,
-- multiplied and compared by plain arithmetic (decision 0005: a third of the time of smallint[56]). A declared grid
-- carries a leading 1 above cell 55; room = declared + overhang - committed then reads 1 and 56 groups 0ddddd unless
-- some cell went below zero and borrowed from its neighbour.
CREATE FUNCTION grid_of(cells int2[], paired_or_single_lead int4) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT (paired_or_single_lead::text || string_agg(to_char(u, 'FM000000'), '' ORDER BY i DESC))::numeric
	FROM unnest(cells) WITH ORDINALITY AS t(u, i)
$$;

CREATE FUNCTION grid_cells(grid numeric) RETURNS int4[]
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT array_agg(substring(digits FROM 331 - 6 * i FOR 6)::int4 ORDER BY i)
	FROM lpad(right(grid::text, 336), 336, '0') AS digits, generate_series(0, 55) AS i
$$;

CREATE FUNCTION grid_overhang(declared numeric, committed numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT coalesce(sum(greatest(c - d, 0) * power(10::numeric, 6 * (i - 1))), 0)::numeric(400, 0)
	FROM unnest(grid_cells(declared), grid_cells(committed)) WITH ORDINALITY AS t(d, c, i)
$$;

CREATE FUNCTION grid_least(a numeric, b numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT sum(least(x, y) * power(10::numeric, 6 * (i - 1)))::numeric(400, 0)
	FROM unnest(grid_cells(a), grid_cells(b)) WITH ORDINALITY AS t(x, y, i)
$$;

-- The grid of one unit in one band on a set of days: shape = days (bits 0-6) + band*128.
CREATE TABLE grid_shape (
	shape int4 PRIMARY KEY,
	grid numeric NOT NULL
);
INSERT INTO grid_shape
SELECT days + band * 128,
	(SELECT sum(('1' || repeat('0', 6 * (day * 8 + band)))::numeric) FROM generate_series(0, 6) AS day WHERE (days >> day) & 1 = 1)
FROM generate_series(1, 127) AS days, generate_series(0, 7) AS band;

-- What a pool declared and what is committed of it; single carer time and paired time (two carers together).
CREATE TABLE capacity (
	shard int2 NOT NULL,
	pool_no int4 NOT NULL,
	mode int2 NOT NULL DEFAULT 1 CHECK (mode BETWEEN 1 AND 3),
	declared_single numeric NOT NULL DEFAULT ('1' || repeat('0', 336))::numeric,
	declared_paired numeric NOT NULL DEFAULT ('1' || repeat('0', 336))::numeric,
	overhang_single numeric NOT NULL DEFAULT 0 CHECK (overhang_single >= 0),
	overhang_paired numeric NOT NULL DEFAULT 0 CHECK (overhang_paired >= 0),
	committed_single numeric NOT NULL DEFAULT 0 CHECK (committed_single >= 0),
	committed_paired numeric NOT NULL DEFAULT 0 CHECK (committed_paired >= 0),
	declared_at_us int8 NOT NULL DEFAULT 0,
	expires_us int8 NOT NULL DEFAULT 0,
	available_from_day int4 NOT NULL DEFAULT 0,
	PRIMARY KEY (shard, pool_no),
	FOREIGN KEY (shard, pool_no) REFERENCES pool,
	CONSTRAINT capacity_never_over CHECK (mode <> 1 OR (
		(declared_single + overhang_single - committed_single)::text LIKE '1' || repeat('0_____', 56) AND
		(declared_paired + overhang_paired - committed_paired)::text LIKE '1' || repeat('0_____', 56)))
) WITH (fillfactor = 40);

CREATE TABLE package (
	shard int2 NOT NULL,
	package_no int8 NOT NULL,
	state int2 NOT NULL CHECK (state BETWEEN 1 AND 13),
	changed_seq int8 NOT NULL,
	case_ref text NOT NULL,
	person_ref text NOT NULL,
	household_ref text NOT NULL,
	bundle_ref text NOT NULL,
	owner_ref text NOT NULL,
	list_no int4 NOT NULL,
	sector_no int4 NOT NULL,
	district_no int2 NOT NULL,
	service int2 NOT NULL,
	client_group int2 NOT NULL,
	requirement_version int2 NOT NULL,
	visits int4[] NOT NULL,
	visit_facts int8[] NOT NULL,
	skills int4 NOT NULL,
	gender int2 NOT NULL,
	language int2 NOT NULL,
	urgency int2 NOT NULL,
	risk int2 NOT NULL,
	cover int2 NOT NULL,
	funding int2 NOT NULL,
	regime int2 NOT NULL,
	prerequisites int2 NOT NULL,
	need_arose_us int8 NOT NULL,
	start_day int4 NOT NULL,
	latest_start_us int8 NOT NULL,
	cover_until_us int8 NOT NULL,
	ceiling_pence_hour int4 NOT NULL,
	excluded int4[] NOT NULL,
	CONSTRAINT package_pkey PRIMARY KEY (shard, package_no),
	CONSTRAINT package_has_visits CHECK (cardinality(visits) BETWEEN 1 AND 32 AND cardinality(visit_facts) = cardinality(visits)
		AND (0 < ALL (visits) AND 1048576 > ALL (visits)) IS TRUE) -- 20 bits, no hole: a negative code would give capacity back
) WITH (fillfactor = 80);

CREATE TABLE round (
	shard int2 NOT NULL,
	package_no int8 NOT NULL,
	opened_seq int8 NOT NULL,
	requirement_version int2 NOT NULL,
	list_no int4 NOT NULL,
	list_version int4 NOT NULL,
	policy_no int4 NOT NULL,
	outcome int2 NOT NULL CHECK (outcome BETWEEN 1 AND 3),
	looked_at int2 NOT NULL,
	CONSTRAINT round_pkey PRIMARY KEY (shard, package_no, opened_seq)
);

-- ended_seq is 0 while the placement lives, so the primary key holds "at most one live main, interim, outgoing".
CREATE TABLE placement (
	shard int2 NOT NULL,
	package_no int8 NOT NULL,
	role int2 NOT NULL CHECK (role BETWEEN 1 AND 3),
	ended_seq int8 NOT NULL DEFAULT 0,
	made_seq int8 NOT NULL,
	pool_no int4 NOT NULL,
	provider_no int4 NOT NULL,
	list_no int4 NOT NULL,
	route int2 NOT NULL,
	tier int2 NOT NULL,
	rank int2 NOT NULL,
	start_day int4 NOT NULL,
	exit_day int4 NOT NULL,
	price_pence_week int4 NOT NULL CHECK (price_pence_week >= 0),
	carer_minutes_week int4 NOT NULL CHECK (carer_minutes_week >= 0),
	demand int4[] NOT NULL,
	CONSTRAINT placement_one_live PRIMARY KEY (shard, package_no, role, ended_seq)
) WITH (fillfactor = 90);

-- client and key of everything ever accepted: the same key never acts twice.
CREATE TABLE command (
	shard int2 NOT NULL,
	client text COLLATE "C" NOT NULL CHECK (length(client) BETWEEN 1 AND 64),
	key uuid NOT NULL,
	request_hash bytea NOT NULL CHECK (length(request_hash) = 16),
	seq int8 NOT NULL,
	outcome bytea NOT NULL CHECK (length(outcome) <= 128),
	CONSTRAINT command_once PRIMARY KEY (shard, key, client)
) PARTITION BY RANGE (key);
CREATE TABLE command_default PARTITION OF command DEFAULT;

-- One row a batch. A leaf outlives its record: erasure empties records[i] and zeroes its salt, the chain stays valid.
CREATE TABLE journal (
	shard int2 NOT NULL,
	first_seq int8 NOT NULL,
	last_seq int8 NOT NULL,
	epoch int8 NOT NULL,
	clock_us int8 NOT NULL,
	framework_version int8 NOT NULL,
	prev_hash bytea NOT NULL,
	row_hash bytea NOT NULL,
	leaves bytea NOT NULL,
	salts bytea NOT NULL,
	records bytea[] NOT NULL,
	CONSTRAINT journal_pkey PRIMARY KEY (shard, first_seq),
	CHECK (last_seq >= first_seq),
	CHECK (length(leaves) = 32 * (last_seq - first_seq + 1)),
	CHECK (length(salts) = length(leaves)),
	CHECK (cardinality(records) = last_seq - first_seq + 1)
) PARTITION BY RANGE (first_seq);
CREATE TABLE journal_default PARTITION OF journal DEFAULT;
ALTER TABLE journal ALTER leaves SET STORAGE EXTERNAL, ALTER salts SET STORAGE EXTERNAL, ALTER records SET STORAGE EXTERNAL;
ALTER TABLE journal_default ALTER leaves SET STORAGE EXTERNAL, ALTER salts SET STORAGE EXTERNAL, ALTER records SET STORAGE EXTERNAL;

-- One row a transaction that touched the framework; its deferred trigger moves framework_version once.
CREATE TABLE framework_edit (
	shard int2 NOT NULL REFERENCES fence,
	xid xid8 NOT NULL,
	edited_by text NOT NULL DEFAULT session_user,
	edited_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (shard, xid)
);
RESET ROLE;
