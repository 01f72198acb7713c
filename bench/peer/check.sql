-- Proof after a run. psql variable: expected (packages that pgbench says were committed). One row: ok, counts as JSON.
SET search_path = peer;
SET jit = off;
SET plan_cache_mode = auto;

-- The ledger: what is free equals what was declared less what the live placements take, in every cell.
CREATE TEMP VIEW ledger_wrong AS
WITH taken AS (
	SELECT pool_no, ((v >> 7) & 15)::int2 AS line, v & 127 AS days, sum(v >> 11) AS units
	FROM placement, unnest(demand) AS v WHERE ended_seq = 0 GROUP BY 1, 2, 3
), by_day AS (
	SELECT pool_no, line, array_agg(units ORDER BY d) AS u FROM (
		SELECT pool_no, line, d, coalesce(sum(units) FILTER (WHERE (days >> d) & 1 = 1), 0) AS units
		FROM taken, generate_series(0, 6) AS d GROUP BY 1, 2, 3) AS t
	GROUP BY 1, 2
)
SELECT count(*) AS n FROM declared d JOIN capacity c USING (pool_no, line) LEFT JOIN by_day t USING (pool_no, line)
WHERE ARRAY[c.mon, c.tue, c.wed, c.thu, c.fri, c.sat, c.sun]::int8[] IS DISTINCT FROM ARRAY[
	d.mon - coalesce(t.u[1], 0), d.tue - coalesce(t.u[2], 0), d.wed - coalesce(t.u[3], 0), d.thu - coalesce(t.u[4], 0),
	d.fri - coalesce(t.u[5], 0), d.sat - coalesce(t.u[6], 0), d.sun - coalesce(t.u[7], 0)]::int8[];

-- The chains: every row hash recomputed, every row follows the one before, no number missing.
CREATE TEMP VIEW chain_wrong AS
SELECT count(*) AS n FROM (
	SELECT row_hash(list_no, first_seq, last_seq, prev_hash, records) <> row_hash
		OR prev_hash <> lag(row_hash, 1, sha256('calloff peer genesis')) OVER w
		OR first_seq <> lag(last_seq, 1, 0::int8) OVER w + 1 AS wrong
	FROM journal WINDOW w AS (PARTITION BY list_no ORDER BY last_seq)) AS t
WHERE wrong;

-- Rank (list 1, every fifth package): every provider from the first to the winner has its reason, and each reason is true. Capacity only falls
-- in this bench, so a cell said to have f free must have been declared with at least f and have at most f now.
CREATE TEMP VIEW reasons AS
SELECT d.package_no, d.outcome, d.looked_at, k, (f >> 48)::int4 AS order_no, (f >> 40) & 255 AS reason,
	((f >> 33) & 63)::int4 AS cell, ((f >> 32) & 1)::int4 AS plane,
	((f >> 16) & 65535)::int4 AS need, (f & 65535)::int4 AS free
FROM decision d, generate_series(1, d.looked_at) AS k,
	LATERAL (SELECT ('x' || encode(substring(d.facts FROM 8 * k - 7 FOR 8), 'hex'))::bit(64)::int8 AS f) AS t
WHERE d.list_no = 1 AND d.package_no % 5 = 0;
CREATE TEMP VIEW rank_wrong AS
SELECT count(*) AS n FROM reasons s
JOIN package p ON p.list_no = 1 AND p.package_no = s.package_no
JOIN list_entry e ON e.list_no = 1 AND e.order_no = s.order_no
LEFT JOIN placement m ON m.list_no = 1 AND m.package_no = s.package_no
LEFT JOIN capacity c ON c.pool_no = e.pool_no AND c.line = s.plane * 8 + s.cell % 8
LEFT JOIN declared w ON w.pool_no = e.pool_no AND w.line = s.plane * 8 + s.cell % 8
WHERE s.k <> s.order_no OR CASE s.reason
	WHEN 0 THEN s.k <> s.looked_at OR m.pool_no IS DISTINCT FROM e.pool_no OR m.demand <> p.visits
		OR NOT e.is_open OR e.skills & p.skills <> p.skills OR e.districts & (1 << (p.district_no - 1)) = 0
	WHEN 1 THEN e.is_open
	WHEN 2 THEN e.districts & (1 << (p.district_no - 1)) <> 0
	WHEN 3 THEN e.skills & p.skills = p.skills
	WHEN 4 THEN e.provider_no <> ALL (p.excluded)
	WHEN 5 THEN s.free >= s.need
		OR (ARRAY[c.mon, c.tue, c.wed, c.thu, c.fri, c.sat, c.sun])[s.cell / 8 + 1] > s.free
		OR (ARRAY[w.mon, w.tue, w.wed, w.thu, w.fri, w.sat, w.sun])[s.cell / 8 + 1] < s.free
		OR NOT EXISTS (SELECT FROM unnest(p.visits) AS v WHERE (v >> 7) & 15 = s.plane * 8 + s.cell % 8
			AND (v >> (s.cell / 8)) & 1 = 1 AND v >> 11 = s.need)
	ELSE true END;

SELECT packages = :expected AND decisions = :expected AND keys = :expected AND journalled = :expected
	AND placements + unsourced = :expected AND ledger = 0 AND chain = 0 AND rank = 0 AS ok,
	json_build_object('expected', :expected, 'packages', packages, 'decisions', decisions, 'keys', keys,
		'journalled', journalled, 'placements', placements, 'polr', polr, 'unsourced', unsourced,
		'looked_at_mean', looked_at, 'ledger_wrong', ledger, 'chain_wrong', chain, 'rank_wrong', rank)
FROM (SELECT
	(SELECT count(*) FROM package) AS packages,
	(SELECT count(*) FROM decision) AS decisions,
	(SELECT count(*) FROM command) AS keys,
	(SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM journal) AS journalled,
	(SELECT count(*) FROM placement) AS placements,
	(SELECT count(*) FROM decision WHERE outcome = 2) AS polr,
	(SELECT count(*) FROM decision WHERE outcome = 3) AS unsourced,
	(SELECT round(avg(looked_at), 2) FROM decision) AS looked_at,
	(SELECT n FROM ledger_wrong) AS ledger,
	(SELECT n FROM chain_wrong) AS chain,
	(SELECT n FROM rank_wrong) AS rank) AS t;
