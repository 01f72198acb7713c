-- The figures of README.md, one row each, from a loaded demonstration: psql -X -f figures.sql
SET search_path = calloff;
WITH care AS (
	SELECT p.package_no, p.service, p.state, m.route, m.carer_minutes_week,
		EXISTS (SELECT FROM unnest(p.visits) AS code WHERE code & 1024 <> 0) AS double_handed
	FROM package p JOIN placement m USING (shard, package_no) WHERE m.ended_seq = 0
), size AS (
	SELECT l.service, count(*) FILTER (WHERE tier = 1) AS first, count(*) FILTER (WHERE tier = 2) AS second,
		count(*) FILTER (WHERE route = 2) AS spot
	FROM list l JOIN list_entry e USING (shard, list_no) GROUP BY l.list_no, 1
), held AS (
	SELECT o.kind, c.mode, c.expires_us = 0 AS unknown, c.expires_us > 0 AND c.expires_us <= f.clock_us AS expired
	FROM capacity c JOIN pool o USING (shard, pool_no) JOIN fence f USING (shard)
), first_tier AS (
	SELECT e.provider_no, count(*) AS lots FROM list_entry e JOIN list l USING (shard, list_no)
	WHERE l.service = 1 AND e.tier = 1 GROUP BY 1
), served AS (
	SELECT v.pool_no, count(DISTINCT l.lot_no) AS lots
	FROM coverage v JOIN list l USING (shard, list_no) JOIN pool o USING (shard, pool_no)
	JOIN capacity c USING (shard, pool_no)
	WHERE o.kind = 1 AND c.mode = 1 GROUP BY 1
)
SELECT * FROM (
	SELECT 'people', count(*)::text FROM care
	UNION ALL SELECT 'of them unsourced, with the provider of last resort', count(*)::text FROM care WHERE state = 11
	UNION ALL SELECT 'hours a week', (sum(carer_minutes_week) / 60.0)::numeric(9, 2)::text FROM care
	UNION ALL SELECT 'hours a week of personal care', (sum(carer_minutes_week) / 60.0)::numeric(9, 2)::text
		FROM care WHERE service = 1
	UNION ALL SELECT 'hours a week of nights and live-in', (sum(carer_minutes_week) / 60.0)::numeric(9, 2)::text
		FROM care WHERE service > 1
	UNION ALL SELECT 'people by service 1 to 4', string_agg(n::text, ' ' ORDER BY service)
		FROM (SELECT service, count(*) AS n FROM care GROUP BY 1) AS t
	UNION ALL SELECT 'framework share of people, %', (100.0 * avg((route = 1)::int))::numeric(5, 2)::text FROM care
	UNION ALL SELECT 'framework share of hours, %',
		(100.0 * sum(carer_minutes_week) FILTER (WHERE route = 1) / sum(carer_minutes_week))::numeric(5, 2)::text FROM care
	UNION ALL SELECT 'people with spot providers', count(*)::text FROM care WHERE route = 2
	UNION ALL SELECT 'double-handed share of people, %', (100.0 * avg(double_handed::int))::numeric(5, 2)::text FROM care
	UNION ALL SELECT 'providers', count(*)::text FROM provider
	UNION ALL SELECT 'not rated, %', (100.0 * avg((rating_overall = 0)::int))::numeric(5, 2)::text FROM provider
	UNION ALL SELECT 'firms on tier 1, and lots each', count(*) || ', ' || avg(lots)::numeric(4, 2) FROM first_tier
	UNION ALL SELECT 'lists', count(*)::text FROM list
	UNION ALL SELECT 'personal care lists: tier 1, tier 2, spot',
		format('%s-%s, %s-%s, %s-%s', min(first), max(first), min(second), max(second), min(spot), max(spot))
		FROM size WHERE service = 1
	UNION ALL SELECT 'night and live-in lists: tier 1, tier 2, spot',
		format('%s-%s, %s-%s, %s-%s', min(first), max(first), min(second), max(second), min(spot), max(spot))
		FROM size WHERE service > 1
	UNION ALL SELECT 'list entries', count(*)::text FROM list_entry
	UNION ALL SELECT 'tier 1 and 2 prices of personal care, pence an hour', min(price_pence_hour) || '-' ||
		max(price_pence_hour) FROM list_entry JOIN list USING (shard, list_no) WHERE service = 1 AND route = 1
	UNION ALL SELECT 'sectors, and those with several districts', count(*) || ', ' || count(*) FILTER (WHERE n > 1)
		FROM (SELECT sector_no, count(*) AS n FROM sector_district GROUP BY 1) AS t
	UNION ALL SELECT 'coverage rows', count(*)::text FROM coverage
	UNION ALL SELECT 'pools of kind 1, 2, 3', string_agg(n::text, ' ' ORDER BY kind)
		FROM (SELECT kind, count(*) AS n FROM held GROUP BY 1) AS t
	UNION ALL SELECT 'unknown (never declared), % of binding pools', (100.0 * avg(unknown::int))::numeric(5, 2)::text
		FROM held WHERE mode = 1
	UNION ALL SELECT 'expired, % of binding pools', (100.0 * avg(expired::int))::numeric(5, 2)::text
		FROM held WHERE mode = 1
	UNION ALL SELECT 'carers'' pools that serve several lots', count(*) FILTER (WHERE lots > 1) || ' of ' || count(*)
		FROM served
) AS figure (what, achieved);
