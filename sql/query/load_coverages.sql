-- load_coverages: the pool of each list, provider and sector
-- $1 shard int2
-- returns: list_no, provider_no, sector_no, pool_no
SELECT list_no, provider_no, sector_no, pool_no FROM calloff.read_coverage WHERE shard = $1 ORDER BY 1, 2, 3;
