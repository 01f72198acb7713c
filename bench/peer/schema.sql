-- The peers' store: what a good developer builds on PostgreSQL alone. Bench only; the product's schema is sql/schema.
-- Keys lead with list_no, which is also the unit of order: one journal chain a list. No foreign keys on the hot tables
-- (they would cost the peers a lock and a query a row, and the product has none there either).
CREATE SCHEMA peer;
-- For the sessions to come: plans are made once, nothing is compiled by JIT.
ALTER DATABASE calloff_peer SET search_path = peer, public;
ALTER DATABASE calloff_peer SET plan_cache_mode = force_generic_plan;
ALTER DATABASE calloff_peer SET jit = off;
SET search_path = peer;

-- Reason codes of a decision, one for every provider looked at.
CREATE TABLE reason (
	reason int2 PRIMARY KEY,
	name text NOT NULL UNIQUE
);
INSERT INTO reason VALUES (0, 'SELECTED'), (1, 'NOT_OPEN'), (2, 'NOT_COVERED'), (3, 'LACKS_SKILL'), (4, 'EXCLUDED'),
	(5, 'FULL');

CREATE TABLE list_entry (
	list_no int4 NOT NULL,
	order_no int2 NOT NULL,
	provider_no int4 NOT NULL,
	pool_no int4 NOT NULL UNIQUE,
	route int2 NOT NULL,
	tier int2 NOT NULL,
	rank int2 NOT NULL,
	is_open bool NOT NULL,
	skills int4 NOT NULL,
	districts int4 NOT NULL,
	price_pence_hour int4 NOT NULL,
	PRIMARY KEY (list_no, order_no)
);

-- One row for a pool, a plane and a band (line = plane*8 + band; plane 0 single carer time, 1 paired), seven days wide:
-- free units of 5 minutes. 16 rows a pool; a daily visit touches one row.
CREATE TABLE capacity (
	pool_no int4 NOT NULL,
	line int2 NOT NULL,
	mon int2 NOT NULL, tue int2 NOT NULL, wed int2 NOT NULL, thu int2 NOT NULL, fri int2 NOT NULL,
	sat int2 NOT NULL, sun int2 NOT NULL,
	PRIMARY KEY (pool_no, line),
	CONSTRAINT capacity_never_over CHECK (least(mon, tue, wed, thu, fri, sat, sun) >= 0)
) WITH (fillfactor = 40);

-- What was declared; capacity must always equal this less the live placements' demand (check.sql).
CREATE TABLE declared (LIKE capacity INCLUDING ALL) WITH (fillfactor = 100);

-- A visit is one number: days (bits 0-6), band (7-9), paired (10), units of 5 minutes (11-19). So (visit >> 7) & 15 is
-- its line. At most one visit line of a package for each band and plane.
CREATE TYPE request AS (
	key uuid,
	case_ref text,
	person_ref text,
	household_ref text,
	bundle_ref text,
	owner_ref text,
	list_no int4,
	sector_no int4,
	district_no int2,
	service int2,
	client_group int2,
	requirement_version int2,
	visits int4[],
	visit_facts int8[],
	skills int4,
	gender int2,
	language int2,
	urgency int2,
	risk int2,
	cover int2,
	funding int2,
	regime int2,
	prerequisites int2,
	need_arose_us int8,
	start_day int4,
	latest_start_us int8,
	cover_until_us int8,
	ceiling_pence_hour int4,
	excluded int4[]
);

CREATE TABLE package (
	list_no int4 NOT NULL,
	package_no int8 NOT NULL,
	state int2 NOT NULL,
	changed_seq int8 NOT NULL,
	case_ref text NOT NULL,
	person_ref text NOT NULL,
	household_ref text NOT NULL,
	bundle_ref text NOT NULL,
	owner_ref text NOT NULL,
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
	PRIMARY KEY (list_no, package_no),
	CHECK (cardinality(visits) BETWEEN 1 AND 32 AND cardinality(visit_facts) = cardinality(visits))
) WITH (fillfactor = 80);

-- outcome: 1 placed in rank order, 2 POLR, 3 unsourced. facts: eight bytes for every provider looked at, in order:
-- order_no << 48 | reason << 40, and for FULL the lowest failing cell << 33 | plane << 32 | need << 16 | free.
CREATE TABLE decision (
	list_no int4 NOT NULL,
	package_no int8 NOT NULL,
	requirement_version int2 NOT NULL,
	outcome int2 NOT NULL,
	looked_at int2 NOT NULL,
	facts bytea NOT NULL,
	PRIMARY KEY (list_no, package_no)
);

CREATE TABLE placement (
	list_no int4 NOT NULL,
	package_no int8 NOT NULL,
	role int2 NOT NULL,
	ended_seq int8 NOT NULL DEFAULT 0,
	made_seq int8 NOT NULL,
	pool_no int4 NOT NULL,
	provider_no int4 NOT NULL,
	route int2 NOT NULL,
	tier int2 NOT NULL,
	rank int2 NOT NULL,
	start_day int4 NOT NULL,
	exit_day int4 NOT NULL,
	price_pence_week int4 NOT NULL,
	carer_minutes_week int4 NOT NULL,
	demand int4[] NOT NULL,
	PRIMARY KEY (list_no, package_no, role, ended_seq)
) WITH (fillfactor = 90);

CREATE TABLE command (
	client text COLLATE "C" NOT NULL,
	key uuid NOT NULL,
	request_hash bytea NOT NULL,
	list_no int4 NOT NULL,
	seq int8 NOT NULL,
	outcome bytea NOT NULL,
	PRIMARY KEY (client, key)
);

-- The chain of a list: gapless in seq. Its last row is the chain's head; who appends holds the list's advisory lock.
-- row_hash = sha256(list, first_seq, last_seq, prev_hash, records).
CREATE TABLE journal (
	list_no int4 NOT NULL,
	first_seq int8 NOT NULL,
	last_seq int8 NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	prev_hash bytea NOT NULL,
	row_hash bytea NOT NULL,
	records bytea NOT NULL,
	PRIMARY KEY (list_no, last_seq)
);
ALTER TABLE journal ALTER records SET STORAGE EXTERNAL;

CREATE FUNCTION row_hash(list_no int4, first_seq int8, last_seq int8, prev_hash bytea, records bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT sha256(int4send(list_no) || int8send(first_seq) || int8send(last_seq) || prev_hash || records)
$$;
