-- load_capacity: what each pool declared, as decimal digits
-- $1 shard int2
-- returns: pool_no, mode, expires_us, available_from_day, declared text
SELECT pool_no, mode, expires_us, available_from_day, declared::text
FROM calloff.read_capacity WHERE shard = $1 ORDER BY 1;
