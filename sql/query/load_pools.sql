-- load_pools: capacity pools
-- $1 shard int2
-- returns: pool_no, provider_no, kind, code
SELECT pool_no, provider_no, kind, code FROM calloff.read_pool WHERE shard = $1 ORDER BY 1;
