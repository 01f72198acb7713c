-- read_placements: the placements of some packages that were live after an event, when the packages were read
-- $1 shard int2, $2 package_no int8[], $3 as_of int8
-- returns: the columns of struct placed, in its order
SELECT package_no, pool_no, provider_no, list_no, start_day, exit_day, price_pence_week, carer_minutes_week, rank, role, route, tier,
	demand
FROM (SELECT * FROM calloff.read_placement WHERE shard = $1 AND ended_seq = 0 AND package_no = ANY ($2)
	UNION ALL SELECT * FROM calloff.read_placement WHERE shard = $1 AND ended_seq > $3 AND package_no = ANY ($2)) AS t
WHERE made_seq <= $3 ORDER BY package_no, role;
