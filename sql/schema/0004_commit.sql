-- Only what is called from outside sets search_path; what it calls inherits it (setting it costs microseconds a call).
-- The commit protocol: take_over, commit_batch_v1, heartbeat. See engine/decisions/0003-commit-protocol.md.
SET ROLE calloff_owner;
SET search_path = calloff;

-- Root of the hash tree over 32-byte leaves, fan-out 16: each level hashes up to 16 neighbours, until one is left.
CREATE FUNCTION tree_root(leaves bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	level bytea := leaves;
BEGIN
	WHILE length(level) > 32 LOOP
		SELECT string_agg(sha256('\x01'::bytea || substring(level FROM i FOR 512)), ''::bytea ORDER BY i) INTO level
		FROM generate_series(1, length(level), 512) AS i;
	END LOOP;
	RETURN level;
END $$;

-- int2send/int8send are big-endian: the row hash is over fixed-width fields, so it needs no separators.
CREATE FUNCTION row_hash(shard int2, first_seq int8, last_seq int8, epoch int8, prev_hash bytea, root bytea)
RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT sha256('\x02'::bytea || int2send(shard) || int8send(first_seq) || int8send(last_seq) || int8send(epoch)
		|| prev_hash || root)
$$;

CREATE FUNCTION take_over(p_shard int2, p_expected_epoch int8)
RETURNS TABLE (epoch int8, last_seq int8, head_hash bytea, framework_version int8, schema_version int4, clock_us int8)
LANGUAGE sql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
	UPDATE fence f SET epoch = f.epoch + 1 WHERE f.shard = p_shard AND f.epoch = p_expected_epoch
	RETURNING f.epoch, f.last_seq, f.head_hash, f.framework_version, f.schema_version, f.clock_us
$$;

CREATE FUNCTION heartbeat(p_shard int2, p_epoch int8, p_clock_us int8) RETURNS int8
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
DECLARE
	version int8;
BEGIN
	UPDATE fence SET clock_us = greatest(clock_us, p_clock_us) WHERE shard = p_shard AND epoch = p_epoch
	RETURNING framework_version INTO version;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'fenced: another engine has shard %', p_shard USING ERRCODE = 'CF001';
	END IF;
	RETURN version;
END $$;

-- Why the fence did not move: told apart so that an engine knows whether it is deposed, behind, or reading an old framework.
CREATE FUNCTION fence_refusal(p_shard int2, p_epoch int8, p_prev_seq int8, p_framework_version int8) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	f fence;
BEGIN
	SELECT * INTO f FROM fence WHERE shard = p_shard;
	IF NOT FOUND OR f.epoch <> p_epoch THEN
		RAISE EXCEPTION 'fenced: epoch is %, not %', f.epoch, p_epoch USING ERRCODE = 'CF001';
	ELSIF f.last_seq <> p_prev_seq THEN
		RAISE EXCEPTION 'out of sequence: last is %, not %', f.last_seq, p_prev_seq USING ERRCODE = 'CF002';
	ELSIF f.framework_version <> p_framework_version THEN
		RAISE EXCEPTION 'framework is version %, not %', f.framework_version, p_framework_version USING ERRCODE = 'CF003';
	END IF;
	RAISE EXCEPTION 'the journal refused the batch' USING ERRCODE = 'CF004';
END $$;

-- Does a demand line stand for this visit? code: days 0-6, band 7-9, paired 10, units 11-19 (engine/core/visit.h);
-- a fact's low 8 bits are the bands the visit may take, bit 8 says that a bundle's partner carries it.
CREATE FUNCTION demand_is_of_visits(demand int4[], visits int4[], visit_facts int8[]) RETURNS bool
LANGUAGE sql IMMUTABLE AS $$
	SELECT cardinality(demand) = cardinality(visits) AND bool_and((
		((d # v) & 1151) = 0 AND (f >> ((d >> 7) & 7)) & 1 = 1 AND
		((d >> 11) = (v >> 11) OR ((d >> 11) = 0 AND (f >> 8) & 1 = 1))) IS TRUE)
	FROM unnest(demand, visits, visit_facts) AS t(d, v, f)
$$;

CREATE FUNCTION commit_batch_v1(
	p_shard int2, p_epoch int8, p_prev_seq int8, p_framework_version int8, p_clock_us int8,
	j_salts bytea, j_records bytea[],
	c_client text[], c_key uuid[], c_hash bytea[], c_seq int8[], c_outcome bytea[],
	n_package_no int8[], n_state int2[], n_case text[], n_person text[], n_household text[], n_bundle text[],
	n_owner text[], n_list int4[], n_sector int4[], n_district int2[], n_service int2[], n_group int2[],
	n_requirement int2[], n_visit_last int4[], n_visits int4[], n_facts int8[], n_skills int4[], n_gender int2[],
	n_language int2[], n_urgency int2[], n_risk int2[], n_cover int2[], n_funding int2[], n_regime int2[],
	n_prerequisites int2[], n_need_arose int8[], n_start_day int4[], n_latest_start int8[], n_cover_until int8[],
	n_ceiling int4[], n_excluded_last int4[], n_excluded int4[],
	s_package_no int8[], s_from int2[], s_to int2[], s_seq int8[],
	r_package_no int8[], r_seq int8[], r_requirement int2[], r_list int4[], r_version int4[], r_policy int4[],
	r_outcome int2[], r_looked_at int2[],
	m_package_no int8[], m_role int2[], m_seq int8[], m_pool int4[], m_provider int4[], m_list int4[], m_route int2[],
	m_tier int2[], m_rank int2[], m_start_day int4[], m_exit_day int4[], m_price int4[], m_minutes int4[],
	m_demand_last int4[], m_demand int4[],
	e_package_no int8[], e_role int2[], e_seq int8[],
	d_pool int4[], d_single int2[], d_paired int2[], d_at int8[], d_expires int8[], d_available_from int4[])
RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
DECLARE
	n int8 := cardinality(j_records);
	prev bytea;
	all_leaves bytea;
	head bytea;
	found_rows int8;
	freed_pools int4[] := '{}';
	freed_codes int4[] := '{}';
	wrong int8;
BEGIN
	SELECT string_agg(sha256('\x00'::bytea || substring(j_salts FROM (32 * i - 31)::int4 FOR 32) || record), ''::bytea ORDER BY i)
	INTO all_leaves FROM unnest(j_records) WITH ORDINALITY AS t(record, i);
	IF n IS NULL OR n < 1 OR length(j_salts) <> 32 * n OR all_leaves IS NULL THEN
		RAISE EXCEPTION 'a batch needs records, each with a salt' USING ERRCODE = 'CF101';
	END IF;

	UPDATE fence f SET last_seq = f.last_seq + n, clock_us = greatest(f.clock_us, p_clock_us),
		head_hash = row_hash(p_shard, p_prev_seq + 1, p_prev_seq + n, p_epoch, f.head_hash, tree_root(all_leaves))
	FROM (SELECT head_hash FROM fence WHERE shard = p_shard) AS was
	WHERE f.shard = p_shard AND f.epoch = p_epoch AND f.last_seq = p_prev_seq
		AND f.framework_version = p_framework_version
	RETURNING was.head_hash, f.head_hash INTO prev, head;
	IF NOT FOUND THEN
		PERFORM fence_refusal(p_shard, p_epoch, p_prev_seq, p_framework_version);
	END IF;

	INSERT INTO journal VALUES (p_shard, p_prev_seq + 1, p_prev_seq + n, p_epoch, p_clock_us, p_framework_version,
		prev, head, all_leaves, j_salts, j_records);

	IF cardinality(c_key) > 0 THEN
		INSERT INTO command
		SELECT p_shard, unnest(c_client), unnest(c_key), unnest(c_hash), unnest(c_seq), unnest(c_outcome);
	END IF;

	IF cardinality(n_package_no) > 0 THEN
		INSERT INTO package
		SELECT p_shard, no, state, no, case_ref, person, household, bundle, owner, list_no, sector, district, service,
			client_group, requirement, n_visits[visit_before + 1:visit_last], n_facts[visit_before + 1:visit_last],
			skills, gender, language, urgency, risk, cover, funding, regime, prerequisites, need_arose, start_day,
			latest_start, cover_until, ceiling, n_excluded[excluded_before + 1:excluded_last]
		FROM (SELECT
			unnest(n_package_no) AS no, unnest(n_state) AS state, unnest(n_case) AS case_ref,
			unnest(n_person) AS person, unnest(n_household) AS household, unnest(n_bundle) AS bundle,
			unnest(n_owner) AS owner, unnest(n_list) AS list_no, unnest(n_sector) AS sector,
			unnest(n_district) AS district, unnest(n_service) AS service, unnest(n_group) AS client_group,
			unnest(n_requirement) AS requirement, unnest(0 || n_visit_last) AS visit_before,
			unnest(n_visit_last) AS visit_last, unnest(n_skills) AS skills, unnest(n_gender) AS gender,
			unnest(n_language) AS language, unnest(n_urgency) AS urgency, unnest(n_risk) AS risk,
			unnest(n_cover) AS cover, unnest(n_funding) AS funding, unnest(n_regime) AS regime,
			unnest(n_prerequisites) AS prerequisites, unnest(n_need_arose) AS need_arose,
			unnest(n_start_day) AS start_day, unnest(n_latest_start) AS latest_start,
			unnest(n_cover_until) AS cover_until, unnest(n_ceiling) AS ceiling,
			unnest(0 || n_excluded_last) AS excluded_before, unnest(n_excluded_last) AS excluded_last
		) AS t
		WHERE no IS NOT NULL;
	END IF;

	IF cardinality(s_package_no) > 0 THEN
		UPDATE package p SET state = t.next, changed_seq = t.seq
		FROM (SELECT
			unnest(s_package_no) AS package_no, unnest(s_from) AS was, unnest(s_to) AS next, unnest(s_seq) AS seq
		) AS t
		WHERE p.shard = p_shard AND p.package_no = t.package_no AND p.state = t.was;
		GET DIAGNOSTICS found_rows = ROW_COUNT;
		IF found_rows <> cardinality(s_package_no) THEN
			RAISE EXCEPTION 'a package is not in the state the engine believes' USING ERRCODE = 'CF102';
		END IF;
	END IF;

	IF cardinality(r_package_no) > 0 THEN
		INSERT INTO round
		SELECT p_shard, unnest(r_package_no), unnest(r_seq), unnest(r_requirement), unnest(r_list), unnest(r_version),
			unnest(r_policy), unnest(r_outcome), unnest(r_looked_at);
	END IF;

	IF cardinality(d_pool) > 0 THEN
		PERFORM capacity_declare(p_shard, d_pool, d_single, d_paired, d_at, d_expires, d_available_from);
	END IF;

	-- Ends and makes placements. The capacity they free and take is derived here from the demand that is stored, never
	-- passed by the engine; a placement whose pool or demand is not the package's own is refused.
	IF cardinality(e_package_no) > 0 OR cardinality(m_package_no) > 0 THEN
		IF cardinality(e_package_no) > 0 THEN
			WITH ended AS (
				UPDATE placement p SET ended_seq = t.seq
				FROM (SELECT
				unnest(e_package_no) AS package_no, unnest(e_role) AS role, unnest(e_seq) AS seq
			) AS t
				WHERE p.shard = p_shard AND p.package_no = t.package_no AND p.role = t.role AND p.ended_seq = 0
					AND t.seq BETWEEN p_prev_seq + 1 AND p_prev_seq + n -- at 0 it would live on, its capacity freed
				RETURNING p.pool_no, p.demand
			), line AS (
				SELECT pool_no, unnest(demand) AS code FROM ended
			)
			SELECT (SELECT count(*) FROM ended), coalesce(array_agg(pool_no), '{}'), coalesce(array_agg(code), '{}')
			INTO found_rows, freed_pools, freed_codes FROM line;
			IF found_rows <> cardinality(e_package_no) THEN
				RAISE EXCEPTION 'a placement to end does not live' USING ERRCODE = 'CF103';
			END IF;
		END IF;

		WITH made AS (
			INSERT INTO placement
			SELECT p_shard, package_no, role, 0, seq, pool_no, provider_no, list_no, route, tier, rank, start_day, exit_day,
				price, minutes, m_demand[demand_before + 1:demand_last]
			FROM (SELECT
				unnest(m_package_no) AS package_no, unnest(m_role) AS role, unnest(m_seq) AS seq, unnest(m_pool) AS pool_no,
				unnest(m_provider) AS provider_no, unnest(m_list) AS list_no, unnest(m_route) AS route,
				unnest(m_tier) AS tier, unnest(m_rank) AS rank, unnest(m_start_day) AS start_day,
				unnest(m_exit_day) AS exit_day, unnest(m_price) AS price, unnest(m_minutes) AS minutes,
				unnest(0 || m_demand_last) AS demand_before, unnest(m_demand_last) AS demand_last
			) AS t
			WHERE package_no IS NOT NULL
			RETURNING *
		), line AS (
			SELECT pool_no, unnest(demand) AS code, 1 AS sign FROM made
			UNION ALL
			SELECT pool_no, code, -1 FROM (SELECT
				unnest(freed_pools) AS pool_no, unnest(freed_codes) AS code
			) AS t
		), shape AS (
			SELECT pool_no, code & 1023 AS shape, code & 1024 AS paired, sum(sign * (code >> 11)) AS units
			FROM line GROUP BY 1, 2, 3
		), delta AS (
			SELECT pool_no, coalesce(sum(units * grid) FILTER (WHERE paired = 0), 0) AS single,
				coalesce(sum(units * grid) FILTER (WHERE paired <> 0), 0) AS paired, sum(greatest(units, 0)) AS units
			FROM shape JOIN grid_shape USING (shape) GROUP BY 1
		), taken AS (
			-- a cell 900,000 units short would borrow so much that it looks like room: no binding pool is asked for that
			UPDATE capacity c
			SET committed_single = c.committed_single + d.single, committed_paired = c.committed_paired + d.paired,
				overhang_single = CASE c.overhang_single WHEN 0 THEN 0 ELSE grid_least(c.overhang_single,
					grid_overhang(c.declared_single, c.committed_single + d.single)) END,
				overhang_paired = CASE c.overhang_paired WHEN 0 THEN 0 ELSE grid_least(c.overhang_paired,
					grid_overhang(c.declared_paired, c.committed_paired + d.paired)) END
			FROM delta d WHERE c.shard = p_shard AND c.pool_no = d.pool_no AND (c.mode <> 1 OR d.units < 900000)
			RETURNING c.pool_no
		)
		SELECT count(*) + (SELECT count(*) FROM delta) - (SELECT count(*) FROM taken) INTO wrong
		FROM made m
		LEFT JOIN package p ON p.shard = p_shard AND p.package_no = m.package_no
		LEFT JOIN coverage v ON v.shard = p_shard AND v.list_no = m.list_no AND v.provider_no = m.provider_no
			AND v.sector_no = p.sector_no
		WHERE v.pool_no IS DISTINCT FROM m.pool_no OR m.list_no <> p.list_no
			OR (m.demand <> p.visits AND demand_is_of_visits(m.demand, p.visits, p.visit_facts) IS NOT TRUE);

		IF wrong > 0 THEN
			RAISE EXCEPTION '% placement(s) or pools with a demand that is not the package''s own, or beyond counting', wrong USING ERRCODE = 'CF104';
		END IF;
	END IF;
	RETURN head;
END $$;

-- Declarations: cells come as 56 per pool and plane, flat. A cut below what is committed leaves an overhang.
CREATE FUNCTION capacity_declare(p_shard int2, d_pool int4[], d_single int2[], d_paired int2[], d_at int8[],
	d_expires int8[], d_available_from int4[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	found_rows int8;
BEGIN
	WITH fresh AS (
		SELECT pool_no, declared_at, expires, available_from,
			grid_of(d_single[i * 56 - 55:i * 56], 1) AS single, grid_of(d_paired[i * 56 - 55:i * 56], 1) AS paired
		FROM unnest(d_pool, d_at, d_expires, d_available_from) WITH ORDINALITY
			AS t(pool_no, declared_at, expires, available_from, i)
	)
	UPDATE capacity c
	SET declared_single = f.single, declared_paired = f.paired,
		overhang_single = grid_overhang(f.single, c.committed_single),
		overhang_paired = grid_overhang(f.paired, c.committed_paired),
		declared_at_us = f.declared_at, expires_us = f.expires, available_from_day = f.available_from
	FROM fresh f WHERE c.shard = p_shard AND c.pool_no = f.pool_no;
	GET DIAGNOSTICS found_rows = ROW_COUNT;
	IF found_rows <> cardinality(d_pool) THEN
		RAISE EXCEPTION 'a declaration names a pool that is not there, or one twice' USING ERRCODE = 'CF105';
	END IF;
END $$;
RESET ROLE;
