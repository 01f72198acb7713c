-- What the engine decides, and the journal that proves it. Only functions of 0004 write here.
SET ROLE calloff_owner;
SET search_path = calloff;

-- A grid is one number: cell i = paired*56 + day*8 + band stands in decimal digits 6i..6i+5, so that a week of demand is
-- added, multiplied and compared by plain arithmetic (decision 0005: a third of the time of smallint[56]). A declared grid
-- carries a leading 1 above cell 111; room = declared + overhang - committed then reads 1 and 112 groups 0ddddd unless
-- some cell went below zero and borrowed from its neighbour.
CREATE FUNCTION grid_of(cells int2[], lead int4) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT (lead::text || string_agg(to_char(u, 'FM000000'), '' ORDER BY i DESC))::numeric
	FROM unnest(cells) WITH ORDINALITY AS t(u, i)
$$;

CREATE FUNCTION grid_cells(grid numeric) RETURNS int4[]
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT array_agg(substring(digits FROM 667 - 6 * i FOR 6)::int4 ORDER BY i)
	FROM lpad(right(grid::text, 672), 672, '0') AS digits, generate_series(0, 111) AS i
$$;

CREATE FUNCTION grid_overhang(declared numeric, committed numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT coalesce(sum(greatest(c - d, 0) * power(10::numeric, 6 * (i - 1))), 0)::numeric(800, 0)
	FROM unnest(grid_cells(declared), grid_cells(committed)) WITH ORDINALITY AS t(d, c, i)
$$;

-- What is left of an overhang when more, or less, is committed: it shrinks with what is given back and never grows by itself.
CREATE FUNCTION grid_overhang_left(overhang numeric, declared numeric, committed numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT SET search_path = calloff, pg_temp AS $$
	SELECT coalesce(sum(least(o, greatest(c - d, 0)) * power(10::numeric, 6 * (i - 1))), 0)::numeric(800, 0)
	FROM unnest(grid_cells(overhang), grid_cells(declared), grid_cells(committed)) WITH ORDINALITY AS t(o, d, c, i)
$$;

-- The grid of one unit in one band on a set of days: shape = days (bits 0-6) + band*128 + paired*1024, the low bits of a
-- demand line.
CREATE TABLE grid_shape (
	shape int4 PRIMARY KEY,
	grid numeric NOT NULL
);
INSERT INTO grid_shape
SELECT days + band * 128 + paired * 1024,
	(SELECT sum(('1' || repeat('0', 6 * (paired * 56 + day * 8 + band)))::numeric)
	FROM generate_series(0, 6) AS day WHERE (days >> day) & 1 = 1)
FROM generate_series(1, 127) AS days, generate_series(0, 7) AS band, generate_series(0, 1) AS paired;

-- What single columns may hold. As domains, because PostgreSQL reads the text of a table's CHECK again in every statement:
-- as CHECKs these cost a commit of one package a sixth of its time.
CREATE DOMAIN grid AS numeric CONSTRAINT grid_not_negative CHECK (VALUE >= 0);
CREATE DOMAIN pool_mode AS int2 CONSTRAINT pool_mode_known CHECK (VALUE BETWEEN 1 AND 3);
CREATE DOMAIN package_state AS int2 CONSTRAINT package_state_known CHECK (VALUE BETWEEN 1 AND 13);
CREATE DOMAIN round_outcome AS int2 CONSTRAINT round_outcome_known CHECK (VALUE BETWEEN 1 AND 3);
CREATE DOMAIN placement_role AS int2 CONSTRAINT placement_role_known CHECK (VALUE BETWEEN 1 AND 3);
CREATE DOMAIN quantity AS int4 CONSTRAINT quantity_not_negative CHECK (VALUE >= 0);
CREATE DOMAIN half_digest AS bytea CONSTRAINT half_digest_16_bytes CHECK (length(VALUE) = 16);
CREATE DOMAIN outcome_record AS bytea CONSTRAINT outcome_128_bytes CHECK (length(VALUE) <= 128);
-- 20 bits, no hole: a negative code would give capacity back
CREATE DOMAIN visit_codes AS int4[] CONSTRAINT package_has_visits CHECK (cardinality(VALUE) BETWEEN 1 AND 32
	AND (0 < ALL (VALUE) AND 1048576 > ALL (VALUE)) IS TRUE);

-- What a pool declared and what is committed of it; single carer time and paired time (two carers together).
CREATE TABLE capacity (
	shard int2 NOT NULL,
	pool_no int4 NOT NULL,
	mode pool_mode NOT NULL DEFAULT 1,
	declared numeric NOT NULL DEFAULT ('1' || repeat('0', 672))::numeric,
	overhang numeric NOT NULL DEFAULT 0,
	committed grid NOT NULL DEFAULT 0,
	declared_at_us int8 NOT NULL DEFAULT 0,
	expires_us int8 NOT NULL DEFAULT 0,
	available_from_day int4 NOT NULL DEFAULT 0,
	PRIMARY KEY (shard, pool_no),
	FOREIGN KEY (shard, pool_no) REFERENCES pool,
	CONSTRAINT capacity_never_over CHECK (mode <> 1
		OR (declared + overhang - committed)::text LIKE '1' || repeat('0_____', 112))
) WITH (fillfactor = 40);

CREATE TABLE package (
	shard int2 NOT NULL,
	package_no int8 NOT NULL,
	state package_state NOT NULL,
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
	visits visit_codes NOT NULL,
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
	CONSTRAINT package_pkey PRIMARY KEY (shard, package_no)
) WITH (fillfactor = 80);

CREATE TABLE round (
	shard int2 NOT NULL,
	package_no int8 NOT NULL,
	opened_seq int8 NOT NULL,
	requirement_version int2 NOT NULL,
	list_no int4 NOT NULL,
	list_version int4 NOT NULL,
	policy_no int4 NOT NULL,
	outcome round_outcome NOT NULL,
	looked_at int2 NOT NULL,
	CONSTRAINT round_pkey PRIMARY KEY (shard, package_no, opened_seq)
);

-- ended_seq is 0 while the placement lives, so the primary key holds "at most one live main, interim, outgoing".
CREATE TABLE placement (
	shard int2 NOT NULL,
	package_no int8 NOT NULL,
	role placement_role NOT NULL,
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
	price_pence_week quantity NOT NULL,
	carer_minutes_week quantity NOT NULL,
	demand int4[] NOT NULL,
	CONSTRAINT placement_one_live PRIMARY KEY (shard, package_no, role, ended_seq)
) WITH (fillfactor = 90);

-- client and key of everything ever accepted: the same key never acts twice.
CREATE TABLE command (
	shard int2 NOT NULL,
	client short_name COLLATE "C" NOT NULL,
	key uuid NOT NULL,
	request_hash half_digest NOT NULL,
	seq int8 NOT NULL,
	outcome outcome_record NOT NULL,
	CONSTRAINT command_once PRIMARY KEY (shard, key, client)
) PARTITION BY RANGE (key);
CREATE TABLE command_default PARTITION OF command DEFAULT;

-- One row a batch; commit_batch_v1 sees to it that there are as many leaves, salts and records as events. A leaf outlives its record: erasure empties records[i] and zeroes its salt, the chain stays valid.
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
	CONSTRAINT journal_pkey PRIMARY KEY (shard, first_seq)
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
