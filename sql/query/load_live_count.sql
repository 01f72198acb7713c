-- load_live_count: how many placements live, counted to 200,000: from there on a load reads the whole table of packages
-- $1 shard int2
-- returns: live int8
SELECT count(*) AS live FROM (SELECT FROM calloff.read_placement WHERE shard = $1 AND ended_seq = 0 LIMIT 200000) AS t;
