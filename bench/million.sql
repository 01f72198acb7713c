-- A million people already LIVE in the bench's market, set-based: what an engine must load at start.
\set ON_ERROR_STOP 1
BEGIN;
SET search_path = calloff;
CREATE TEMP TABLE place AS
	SELECT row_number() OVER () AS n, v.list_no, v.sector_no, v.provider_no, v.pool_no, d.district_no, e.tier, e.rank
	FROM coverage v
	JOIN list_entry e USING (shard, list_no, provider_no)
	JOIN list l USING (shard, list_no)
	JOIN capacity c USING (shard, pool_no)
	JOIN lot_district ld ON ld.shard = l.shard AND ld.lot_no = l.lot_no
	JOIN sector_district d ON d.shard = v.shard AND d.sector_no = v.sector_no AND d.district_no = ld.district_no
	WHERE l.service = 1 AND e.route = 1;
INSERT INTO package
SELECT 1, i, 7, i, 'MIL-C' || i, 'MIL-P' || i, '', '', 'o-1', p.list_no, p.sector_no, p.district_no, 1, 1, 1,
	ARRAY[127 + 1 * 128 + 6 * 2048, 127 + 3 * 128 + 6 * 2048, 127 + 6 * 128 + 6 * 2048],
	ARRAY[2 + 30::int8 * 262144 + 536870912, 8 + 30::int8 * 262144 + 536870912, 64 + 30::int8 * 262144 + 536870912],
	0, 0, 0, 5, 3, 3, 1, 1, 0, 0, 19000, 0, 0, 0, '{}'
FROM generate_series(1, 1000000) AS i
JOIN place p ON p.n = i % (SELECT count(*) FROM place) + 1
ORDER BY i;
INSERT INTO placement
SELECT 1, k.package_no, 1, 0, k.package_no, p.pool_no, p.provider_no, p.list_no, 1, p.tier, p.rank, 19000, 0, 25000, 630, k.visits
FROM package k JOIN place p ON p.n = k.package_no % (SELECT count(*) FROM place) + 1
ORDER BY k.package_no;
-- the cells of a million do not fit in the declared 30,000: these pools' declarations do not bind here
UPDATE capacity SET mode = 3;
UPDATE fence SET last_seq = 1000000;
COMMIT;
-- rows that changed since they were stored lie a little out of order
UPDATE calloff.package SET state = 7 WHERE package_no % 10 = 3;
VACUUM ANALYZE calloff.package, calloff.placement;
