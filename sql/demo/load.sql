-- Loads the Essex demonstration market into a freshly migrated, empty database, as a superuser:
--   psql -X -v ON_ERROR_STOP=1 -v dir=/absolute/path/of/sql/demo -f load.sql
-- Variables: now_us, the instant of the demonstration (default: this moment); schema_version (default: 7).
-- One transaction. The CSV files hold hours and days from now_us, so nothing in them depends on a clock.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?now_us}
\else
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now_us \gset
\endif
\if :{?schema_version}
\else
\set schema_version 8
\endif
\cd :dir

BEGIN;
SET LOCAL search_path = calloff, pg_temp;
SET LOCAL client_min_messages = warning;
SELECT set_config('demo.now_us', :'now_us', true) \g /dev/null

CREATE FUNCTION pg_temp.at_hours(hours int4) RETURNS int8 LANGUAGE sql STABLE AS
	$$SELECT current_setting('demo.now_us')::int8 + hours * 3600000000$$;
CREATE FUNCTION pg_temp.at_days(days int4) RETURNS int4 LANGUAGE sql STABLE AS
	$$SELECT (current_setting('demo.now_us')::int8 / 86400000000)::int4 + days$$;

INSERT INTO fence (shard, name, last_seq, schema_version, clock_us)
VALUES (1, 'Essex demonstration', 7465, :schema_version, :now_us);

-- 1. The framework: files with the columns of their tables.
\copy authority FROM 'market/authority.csv' (FORMAT csv, HEADER match)
\copy district FROM 'market/district.csv' (FORMAT csv, HEADER match)
\copy sector FROM 'market/sector.csv' (FORMAT csv, HEADER match)
\copy sector_district FROM 'market/sector_district.csv' (FORMAT csv, HEADER match)
\copy skill FROM 'market/skill.csv' (FORMAT csv, HEADER match)
\copy language FROM 'market/language.csv' (FORMAT csv, HEADER match)
\copy provider FROM 'market/provider.csv' (FORMAT csv, HEADER match)
\copy framework FROM 'market/framework.csv' (FORMAT csv, HEADER match)
\copy lot FROM 'market/lot.csv' (FORMAT csv, HEADER match)
\copy lot_district FROM 'market/lot_district.csv' (FORMAT csv, HEADER match)
\copy policy FROM 'market/policy.csv' (FORMAT csv, HEADER match)
\copy policy_clause FROM 'market/policy_clause.csv' (FORMAT csv, HEADER match)
\copy list FROM 'market/list.csv' (FORMAT csv, HEADER match)
\copy list_version FROM 'market/list_version.csv' (FORMAT csv, HEADER match)
\copy list_entry FROM 'market/list_entry.csv' (FORMAT csv, HEADER match)
\copy pool FROM 'market/pool.csv' (FORMAT csv, HEADER match)

CREATE TEMP TABLE demo_coverage (list_no int4, provider_no int4, pool_no int4, sectors int4[]) ON COMMIT DROP;
\copy demo_coverage FROM 'market/coverage.csv' (FORMAT csv, HEADER match)
-- Four foreign keys a row would take two thirds of the load: load_checks.sql asks once for all of them.
SET LOCAL session_replication_role = replica;
INSERT INTO coverage (shard, list_no, provider_no, sector_no, pool_no)
SELECT 1, list_no, provider_no, unnest(sectors), pool_no FROM demo_coverage;
SET LOCAL session_replication_role = origin;

CREATE TEMP TABLE demo_status (provider_no int4, status_no int4, status int2, list_no int4, from_hours int4,
	until_hours int4, starts_week_max int2, clause text, set_by text, why text) ON COMMIT DROP;
\copy demo_status FROM 'market/provider_status.csv' (FORMAT csv, HEADER match)
INSERT INTO provider_status (shard, provider_no, status_no, status, list_no, from_us, until_us, starts_week_max, clause,
	set_by, why)
SELECT 1, provider_no, status_no, status, list_no, pg_temp.at_hours(from_hours),
	coalesce(pg_temp.at_hours(until_hours), 9223372036854775807), starts_week_max, clause, set_by, why
FROM demo_status;

-- 2. People and where their care is.
CREATE TEMP TABLE demo_package (package_no int8, state int2, owner_ref text, list_no int4, sector_no int4,
	district_no int2, service int2, client_group int2, visits int4[], visit_facts int8[], skills int4, gender int2,
	language int2, urgency int2, risk int2, cover int2, funding int2, regime int2, need_arose_hours int4,
	start_days int4, latest_start_hours int4, excluded int4[]) ON COMMIT DROP;
\copy demo_package FROM 'market/package.csv' (FORMAT csv, HEADER match)
INSERT INTO package (shard, package_no, state, changed_seq, case_ref, person_ref, household_ref, bundle_ref, owner_ref,
	list_no, sector_no, district_no, service, client_group, requirement_version, visits, visit_facts, skills, gender,
	language, urgency, risk, cover, funding, regime, prerequisites, need_arose_us, start_day, latest_start_us,
	cover_until_us, ceiling_pence_hour, excluded)
SELECT 1, package_no, state, package_no, 'DEMO-C' || digits, 'DEMO-P' || digits, 'DEMO-H' || digits, '', owner_ref,
	list_no, sector_no, district_no, service, client_group, 1, visits, visit_facts, skills, gender,
	language, urgency, risk, cover, funding, regime, 0, pg_temp.at_hours(need_arose_hours), pg_temp.at_days(start_days),
	coalesce(pg_temp.at_hours(latest_start_hours), 0), 0, 0, excluded
FROM (SELECT *, to_char(package_no, 'FM000000') AS digits FROM demo_package ORDER BY package_no) AS p;

CREATE TEMP TABLE demo_placement (package_no int8, role int2, pool_no int4, provider_no int4, list_no int4, route int2,
	tier int2, rank int2, start_days int4, exit_days int4, price_pence_week int4, carer_minutes_week int4,
	demand int4[]) ON COMMIT DROP;
\copy demo_placement FROM 'market/placement.csv' (FORMAT csv, HEADER match)
INSERT INTO placement (shard, package_no, role, ended_seq, made_seq, pool_no, provider_no, list_no, route, tier, rank,
	start_day, exit_day, price_pence_week, carer_minutes_week, demand)
SELECT 1, package_no, role, 0, package_no, pool_no, provider_no, list_no, route, tier, rank,
	pg_temp.at_days(start_days), coalesce(pg_temp.at_days(exit_days), 0), price_pence_week, carer_minutes_week, demand
FROM demo_placement ORDER BY package_no;

-- 3. The ledger: what pools declare, and what the placements above commit of it.
CREATE TEMP TABLE demo_capacity (pool_no int4, mode int2, single int2[], paired int2[], declared_hours int4,
	expires_hours int4, available_from_days int4) ON COMMIT DROP;
\copy demo_capacity FROM 'market/capacity.csv' (FORMAT csv, HEADER match)
INSERT INTO capacity (shard, pool_no, mode, declared, committed, declared_at_us, expires_us, available_from_day)
SELECT 1, pool_no, mode, grid_of(single || paired, 1), coalesce(used, 0),
	coalesce(pg_temp.at_hours(declared_hours), 0), coalesce(pg_temp.at_hours(expires_hours), 0),
	CASE available_from_days WHEN 0 THEN 0 ELSE pg_temp.at_days(available_from_days) END
FROM demo_capacity LEFT JOIN (
	SELECT pool_no, sum(units * grid) AS used
	FROM (
		SELECT pool_no, code & 2047 AS shape, sum(code >> 11) AS units
		FROM placement, unnest(demand) AS code
		WHERE shard = 1 AND ended_seq = 0
		GROUP BY 1, 2
	) AS line JOIN grid_shape USING (shape)
	GROUP BY 1
) AS held USING (pool_no)
-- The schema may have given every pool an empty, unknown row already.
ON CONFLICT (shard, pool_no) DO UPDATE SET mode = excluded.mode,
	declared = excluded.declared, committed = excluded.committed, declared_at_us = excluded.declared_at_us, expires_us = excluded.expires_us,
	available_from_day = excluded.available_from_day;

-- 4. Nothing is believed that can be checked.
\ir load_checks.sql
COMMIT;
ANALYZE calloff.sector, calloff.sector_district, calloff.provider, calloff.list_entry, calloff.pool, calloff.coverage,
	calloff.capacity, calloff.package, calloff.placement;
