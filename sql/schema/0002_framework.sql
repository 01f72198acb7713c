-- What a council's commissioners write: places, providers, lists, policies, coverage.
-- Numbers (…_no) are stable for ever and never reused; codes are what people and the wire use.
SET ROLE calloff_owner;
SET search_path = calloff;

-- A domain rather than a CHECK where a table is written in every commit: see 0003.
CREATE DOMAIN short_name AS text CONSTRAINT short_name_1_to_64 CHECK (length(VALUE) BETWEEN 1 AND 64);

CREATE TABLE fence (
	shard int2 PRIMARY KEY,
	name short_name NOT NULL,
	epoch int8 NOT NULL DEFAULT 0,
	last_seq int8 NOT NULL DEFAULT 0,
	head_hash bytea NOT NULL DEFAULT sha256('calloff genesis'),
	prev_hash bytea NOT NULL DEFAULT '',
	framework_version int8 NOT NULL DEFAULT 1,
	schema_version int4 NOT NULL,
	clock_us int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE authority (
	shard int2 NOT NULL REFERENCES fence,
	authority_no int2 NOT NULL CHECK (authority_no > 0),
	code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'),
	name text NOT NULL,
	PRIMARY KEY (shard, authority_no), UNIQUE (shard, code)
);

CREATE TABLE district (
	shard int2 NOT NULL REFERENCES fence,
	district_no int2 NOT NULL CHECK (district_no BETWEEN 1 AND 255),
	code text NOT NULL CHECK (code ~ '^[A-Z][0-9]{8}$'),
	name text NOT NULL,
	PRIMARY KEY (shard, district_no), UNIQUE (shard, code), UNIQUE (shard, name)
);

CREATE TABLE sector (
	shard int2 NOT NULL REFERENCES fence,
	sector_no int4 NOT NULL CHECK (sector_no > 0),
	code text NOT NULL CHECK (code ~ '^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9]$'),
	easting_m int4 NOT NULL,
	northing_m int4 NOT NULL,
	radius_m int4 NOT NULL CHECK (radius_m >= 0),
	PRIMARY KEY (shard, sector_no), UNIQUE (shard, code)
);

CREATE TABLE sector_district (
	shard int2 NOT NULL,
	sector_no int4 NOT NULL,
	district_no int2 NOT NULL,
	PRIMARY KEY (shard, sector_no, district_no),
	FOREIGN KEY (shard, sector_no) REFERENCES sector,
	FOREIGN KEY (shard, district_no) REFERENCES district
);

CREATE TABLE skill (
	shard int2 NOT NULL REFERENCES fence,
	skill_no int2 NOT NULL CHECK (skill_no BETWEEN 0 AND 30),
	code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,31}$'),
	PRIMARY KEY (shard, skill_no), UNIQUE (shard, code)
);

CREATE TABLE language (
	shard int2 NOT NULL REFERENCES fence,
	language_no int2 NOT NULL CHECK (language_no BETWEEN 1 AND 62),
	code text NOT NULL CHECK (code ~ '^[a-z]{2,3}$'),
	PRIMARY KEY (shard, language_no), UNIQUE (shard, code)
);

CREATE TABLE provider (
	shard int2 NOT NULL REFERENCES fence,
	provider_no int4 NOT NULL CHECK (provider_no > 0),
	code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,23}$'),
	location_code text NOT NULL CHECK (location_code ~ '^[A-Z0-9][A-Z0-9-]{0,23}$'),
	rating_overall int2 NOT NULL CHECK (rating_overall BETWEEN 0 AND 4),
	rating_safe int2 NOT NULL CHECK (rating_safe BETWEEN 0 AND 4),
	rating_well_led int2 NOT NULL CHECK (rating_well_led BETWEEN 0 AND 4),
	rated_on date,
	rating_inherited bool NOT NULL DEFAULT false,
	improvement_plan bool NOT NULL DEFAULT false,
	skills int4 NOT NULL DEFAULT 0 CHECK (skills >= 0),
	genders int2 NOT NULL DEFAULT 3 CHECK (genders BETWEEN 0 AND 3),
	languages int8 NOT NULL DEFAULT 0 CHECK (languages >= 0),
	starts_a_day_max int2 NOT NULL DEFAULT 0 CHECK (starts_a_day_max >= 0),
	minutes_week_max int4 NOT NULL DEFAULT 0 CHECK (minutes_week_max >= 0),
	office_sector_no int4,
	PRIMARY KEY (shard, provider_no), UNIQUE (shard, code),
	FOREIGN KEY (shard, office_sector_no) REFERENCES sector
);

CREATE TABLE framework (
	shard int2 NOT NULL,
	framework_no int2 NOT NULL CHECK (framework_no > 0),
	authority_no int2 NOT NULL,
	code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'),
	name text NOT NULL,
	PRIMARY KEY (shard, framework_no), UNIQUE (shard, code),
	FOREIGN KEY (shard, authority_no) REFERENCES authority
);

CREATE TABLE lot (
	shard int2 NOT NULL,
	lot_no int4 NOT NULL CHECK (lot_no > 0),
	framework_no int2 NOT NULL,
	code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'),
	name text NOT NULL,
	PRIMARY KEY (shard, lot_no), UNIQUE (shard, framework_no, code),
	FOREIGN KEY (shard, framework_no) REFERENCES framework
);

CREATE TABLE lot_district (
	shard int2 NOT NULL,
	lot_no int4 NOT NULL,
	district_no int2 NOT NULL,
	PRIMARY KEY (shard, lot_no, district_no),
	FOREIGN KEY (shard, lot_no) REFERENCES lot,
	FOREIGN KEY (shard, district_no) REFERENCES district
);

-- Policies are immutable versions: a change is a new row and list versions that point at it.
CREATE TABLE policy (
	shard int2 NOT NULL REFERENCES fence,
	policy_no int4 NOT NULL CHECK (policy_no > 0),
	code text NOT NULL,
	version int4 NOT NULL CHECK (version > 0),
	award_style int2 NOT NULL CHECK (award_style IN (1, 2)),
	confirmation int2 NOT NULL CHECK (confirmation IN (1, 2)),
	confirm_minutes int4 NOT NULL CHECK (confirm_minutes > 0),
	unknown_pool int2 NOT NULL CHECK (unknown_pool IN (1, 2)),
	travel_minutes_visit int2 NOT NULL DEFAULT 0 CHECK (travel_minutes_visit BETWEEN 0 AND 120),
	rating_min int2 NOT NULL DEFAULT 0 CHECK (rating_min BETWEEN 0 AND 4),
	not_rated_open bool NOT NULL DEFAULT true,
	improvement_plan_open bool NOT NULL DEFAULT true,
	routes int2[] NOT NULL CHECK (cardinality(routes) BETWEEN 1 AND 8),
	polr_urgencies int2 NOT NULL DEFAULT 0 CHECK (polr_urgencies >= 0),
	polr_risks int2 NOT NULL DEFAULT 0 CHECK (polr_risks >= 0),
	polr_no_cover bool NOT NULL DEFAULT false,
	polr_days int2 NOT NULL DEFAULT 7 CHECK (polr_days BETWEEN 1 AND 365),
	PRIMARY KEY (shard, policy_no), UNIQUE (shard, code, version)
);

CREATE TABLE policy_clause (
	shard int2 NOT NULL,
	policy_no int4 NOT NULL,
	reason int2 NOT NULL,
	clause text NOT NULL CHECK (length(clause) BETWEEN 1 AND 32),
	PRIMARY KEY (shard, policy_no, reason),
	FOREIGN KEY (shard, policy_no) REFERENCES policy
);

CREATE TABLE list (
	shard int2 NOT NULL,
	list_no int4 NOT NULL CHECK (list_no > 0),
	lot_no int4 NOT NULL,
	service int2 NOT NULL CHECK (service BETWEEN 1 AND 4),
	client_group int2 NOT NULL DEFAULT 0 CHECK (client_group BETWEEN 0 AND 6),
	code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,23}$'),
	PRIMARY KEY (shard, list_no), UNIQUE (shard, lot_no, service, client_group), UNIQUE (shard, code),
	FOREIGN KEY (shard, lot_no) REFERENCES lot
);

CREATE TABLE list_version (
	shard int2 NOT NULL,
	list_no int4 NOT NULL,
	version int4 NOT NULL CHECK (version > 0),
	effective_from_us int8 NOT NULL,
	effective_until_us int8 NOT NULL DEFAULT 9223372036854775807,
	policy_no int4 NOT NULL,
	PRIMARY KEY (shard, list_no, version),
	CHECK (effective_from_us < effective_until_us),
	FOREIGN KEY (shard, list_no) REFERENCES list,
	FOREIGN KEY (shard, policy_no) REFERENCES policy
);

CREATE TABLE list_entry (
	shard int2 NOT NULL,
	list_no int4 NOT NULL,
	version int4 NOT NULL,
	provider_no int4 NOT NULL,
	route int2 NOT NULL CHECK (route BETWEEN 1 AND 4),
	tier int2 NOT NULL CHECK (tier BETWEEN 1 AND 9),
	rank int2 NOT NULL CHECK (rank BETWEEN 1 AND 999),
	order_no int4 NOT NULL,
	score_milli int4 NOT NULL DEFAULT 0,
	price_pence_hour int4 NOT NULL CHECK (price_pence_hour BETWEEN 0 AND 1000000),
	share_cap_minutes_week int4 NOT NULL DEFAULT 0 CHECK (share_cap_minutes_week >= 0),
	PRIMARY KEY (shard, list_no, version, provider_no),
	UNIQUE (shard, list_no, version, order_no),
	FOREIGN KEY (shard, list_no, version) REFERENCES list_version,
	FOREIGN KEY (shard, provider_no) REFERENCES provider
);

CREATE TABLE provider_status (
	shard int2 NOT NULL,
	provider_no int4 NOT NULL,
	status_no int4 NOT NULL,
	status int2 NOT NULL CHECK (status BETWEEN 2 AND 7),
	list_no int4,
	from_us int8 NOT NULL,
	until_us int8 NOT NULL DEFAULT 9223372036854775807,
	starts_week_max int2 NOT NULL DEFAULT 0 CHECK (starts_week_max >= 0),
	clause text NOT NULL CHECK (length(clause) BETWEEN 1 AND 32),
	set_by text NOT NULL,
	why text NOT NULL DEFAULT '',
	PRIMARY KEY (shard, provider_no, status_no),
	CHECK (from_us < until_us),
	FOREIGN KEY (shard, provider_no) REFERENCES provider,
	FOREIGN KEY (shard, list_no) REFERENCES list
);

-- A pool is the staff time that one provider offers in the sectors its coverage names. What it holds is in capacity.
CREATE TABLE pool (
	shard int2 NOT NULL,
	pool_no int4 NOT NULL CHECK (pool_no > 0),
	provider_no int4 NOT NULL,
	code text NOT NULL CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,31}$'),
	kind int2 NOT NULL CHECK (kind BETWEEN 1 AND 3),
	PRIMARY KEY (shard, pool_no), UNIQUE (shard, code),
	FOREIGN KEY (shard, provider_no) REFERENCES provider
);

-- Exactly one pool for a (list, provider, sector): where a provider says it works on that list.
CREATE TABLE coverage (
	shard int2 NOT NULL,
	list_no int4 NOT NULL,
	provider_no int4 NOT NULL,
	sector_no int4 NOT NULL,
	pool_no int4 NOT NULL,
	PRIMARY KEY (shard, list_no, provider_no, sector_no) INCLUDE (pool_no), -- every placement is checked against it
	FOREIGN KEY (shard, list_no) REFERENCES list,
	FOREIGN KEY (shard, provider_no) REFERENCES provider,
	FOREIGN KEY (shard, sector_no) REFERENCES sector,
	FOREIGN KEY (shard, pool_no) REFERENCES pool
);
RESET ROLE;
