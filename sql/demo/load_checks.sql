-- The demonstration market checks itself before it is committed: each question must find nothing.
-- The ledger is summed a second way: cell by cell, without calloff.grid_shape.
DO $$
DECLARE
	wrong int8;
	asked text;
	question text[];
BEGIN
	FOREACH question SLICE 1 IN ARRAY ARRAY[
		['cells in which a pool''s committed grid differs from the sum over live placements', $q$
			WITH line AS (
				SELECT pool_no, (code >> 10 & 1) AS paired, code & 127 AS days, code >> 7 & 7 AS band, sum(code >> 11) AS units
				FROM placement, unnest(demand) AS code WHERE ended_seq = 0 GROUP BY 1, 2, 3, 4
			), summed AS (
				SELECT pool_no, paired * 56 + day * 8 + band + 1 AS i, sum(units)::int4 AS units
				FROM line, generate_series(0, 6) AS day WHERE days >> day & 1 = 1 GROUP BY 1, 2
			), ledger AS (
				SELECT pool_no, i, units
				FROM capacity, unnest(grid_cells(committed)) WITH ORDINALITY AS t(units, i) WHERE committed <> 0
			)
			SELECT count(*) FROM summed FULL JOIN (SELECT * FROM ledger WHERE units <> 0) AS l USING (pool_no, i)
			WHERE l.units IS DISTINCT FROM summed.units$q$],
		['placements with a pool, an entry or a demand that is not the package''s own', $q$
			SELECT count(*) FROM placement m
			LEFT JOIN package p USING (shard, package_no)
			LEFT JOIN coverage v ON v.shard = m.shard AND v.list_no = m.list_no AND v.provider_no = m.provider_no
				AND v.sector_no = p.sector_no
			LEFT JOIN list_entry e ON e.shard = m.shard AND e.list_no = m.list_no AND e.version = 1
				AND e.provider_no = m.provider_no
			WHERE v.pool_no IS DISTINCT FROM m.pool_no OR m.list_no IS DISTINCT FROM p.list_no
				OR (m.route, m.tier, m.rank) IS DISTINCT FROM (e.route, e.tier, e.rank)
				OR (m.demand <> p.visits AND demand_is_of_visits(m.demand, p.visits, p.visit_facts) IS NOT TRUE)$q$],
		['packages whose list, district and sector do not agree', $q$
			SELECT count(*) FROM package p
			LEFT JOIN list l USING (shard, list_no)
			LEFT JOIN lot_district o ON o.shard = p.shard AND o.lot_no = l.lot_no AND o.district_no = p.district_no
			LEFT JOIN sector_district s ON s.shard = p.shard AND s.sector_no = p.sector_no
				AND s.district_no = p.district_no
			WHERE o.lot_no IS NULL OR s.sector_no IS NULL OR l.service <> p.service$q$],
		['packages without the live placement their state wants', $q$
			SELECT count(*) FROM package p LEFT JOIN placement m USING (shard, package_no)
			WHERE (p.state, m.role) IS DISTINCT FROM (7, 1) AND (p.state, m.role) IS DISTINCT FROM (11, 2)$q$],
		['coverage of a sector that is not there or not in the lot, by a provider that is not on the list, or by a pool '
			'that is not there or another provider''s', $q$
			SELECT count(*) FROM coverage v
			LEFT JOIN list_entry e ON e.shard = v.shard AND e.list_no = v.list_no AND e.version = 1
				AND e.provider_no = v.provider_no
			LEFT JOIN pool o ON o.shard = v.shard AND o.pool_no = v.pool_no
			LEFT JOIN (list l JOIN lot_district d USING (shard, lot_no) JOIN sector_district s USING (shard, district_no))
				ON l.shard = v.shard AND l.list_no = v.list_no AND s.sector_no = v.sector_no
			WHERE e.provider_no IS NULL OR s.sector_no IS NULL OR o.provider_no IS DISTINCT FROM v.provider_no$q$],
		['packages numbered above the fence, where the engine''s own begin', $q$
			SELECT count(*) FROM package p JOIN fence f USING (shard) WHERE package_no NOT BETWEEN 1 AND last_seq$q$],
		['lists with more than 10 on tier 1, or not 8 to 25 on tier 2, or not one provider of last resort', $q$
			SELECT count(*) FROM (
				SELECT count(*) FILTER (WHERE tier = 1) AS first, count(*) FILTER (WHERE tier = 2) AS second,
					count(*) FILTER (WHERE route = 4) AS last_resort
				FROM list_entry GROUP BY list_no
			) AS size WHERE first > 10 OR second NOT BETWEEN 8 AND 25 OR last_resort <> 1$q$]
	] LOOP
		asked := question[1];
		EXECUTE question[2] INTO wrong;
		IF wrong <> 0 THEN
			RAISE EXCEPTION 'demonstration market: % %', wrong, asked;
		END IF;
	END LOOP;
END $$;
