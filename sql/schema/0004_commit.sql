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

CREATE FUNCTION tree_leaves(salts bytea, records bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
	RETURN (SELECT string_agg(sha256('\x00'::bytea || substring(salts FROM (32 * i - 31)::int4 FOR 32) || record), ''::bytea ORDER BY i)
		FROM unnest(records) WITH ORDINALITY AS t(record, i));
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
	-- waits for every batch that is under way: what comes after it finds the new epoch
	SELECT pg_advisory_xact_lock(1128660992 + p_shard, 0);
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

-- Does a demand line stand for this visit? Same days, plane and units, in a band that the visit allows; or no units, when a
-- bundle's partner carries it. code: days 0-6, band 7-9, paired 10, units 11-19 (engine/core/visit.h); a fact's low 8 bits
-- are the bands the visit may take, bit 8 says that it is shared with the partner. PL/pgSQL, because a session keeps its
-- plan; one in SQL is planned again in every statement.
CREATE FUNCTION demand_is_of_visits(demand int4[], visits int4[], visit_facts int8[]) RETURNS bool
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN cardinality(demand) = cardinality(visits) AND NOT EXISTS (
		SELECT FROM unnest(demand, visits, visit_facts) AS t(d, v, f)
		WHERE (((d # v) & 1151) = 0 AND (f >> ((d >> 7) & 7)) & 1 = 1
			AND ((d >> 11) = (v >> 11) OR ((d >> 11) = 0 AND (f >> 8) & 1 = 1))) IS NOT TRUE);
END $$;

-- Waits a moment for a batch before ours that has not even begun, and says whether it has committed since. Never returns
-- when ours can not commit any more.
CREATE FUNCTION fence_is_reached(p_shard int2, p_epoch int8, p_prev_seq int8, p_framework_version int8) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
	behind int8;
BEGIN
	SELECT p_prev_seq - last_seq INTO behind FROM fence
	WHERE shard = p_shard AND epoch = p_epoch AND framework_version = p_framework_version;
	IF behind IS NULL OR behind < 0 OR (behind > 0 AND clock_timestamp() > statement_timestamp() + interval '1 second') THEN
		PERFORM fence_refusal(p_shard, p_epoch, p_prev_seq, p_framework_version);
	ELSIF behind > 0 THEN
		PERFORM pg_sleep(0.0005);
	END IF;
	RETURN behind = 0;
END $$;

-- Called where a row must not be stored; they never return.
CREATE FUNCTION refuse(code text, said text) RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '%', said USING ERRCODE = code;
END $$;

CREATE FUNCTION refuse_row(p_shard int2, p_epoch int8, kind text, seq int8) RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM fence WHERE shard = p_shard AND epoch = p_epoch) THEN
		RAISE EXCEPTION 'fenced: the epoch is not %', p_epoch USING ERRCODE = 'CF001';
	END IF;
	RAISE EXCEPTION 'a % of another batch, or not whole: %', kind, seq USING ERRCODE = 'CF107';
END $$;

-- What a batch brings, a row type a kind: the columns are those of the tables, in their order. engine/store/batch.c sends
-- the same names in the same order, and an engine that finds others here does not start.
CREATE TYPE command_v1 AS (client text, key uuid, request_hash bytea, seq int8, outcome bytea);
CREATE TYPE package_v1 AS (
	package_no int8, state int2, changed_seq int8, case_ref text, person_ref text, household_ref text, bundle_ref text,
	owner_ref text, list_no int4, sector_no int4, district_no int2, service int2, client_group int2,
	requirement_version int2, visits int4[], visit_facts int8[], skills int4, gender int2, language int2, urgency int2,
	risk int2, cover int2, funding int2, regime int2, prerequisites int2, need_arose_us int8, start_day int4,
	latest_start_us int8, cover_until_us int8, ceiling_pence_hour int4, excluded int4[]);
CREATE TYPE state_v1 AS (package_no int8, was int2, next int2, seq int8);
CREATE TYPE round_v1 AS (
	package_no int8, opened_seq int8, requirement_version int2, list_no int4, list_version int4, policy_no int4,
	outcome int2, looked_at int2);
CREATE TYPE placement_v1 AS (
	package_no int8, role int2, made_seq int8, pool_no int4, provider_no int4, list_no int4, route int2, tier int2,
	rank int2, start_day int4, exit_day int4, price_pence_week int4, carer_minutes_week int4, demand int4[]);
CREATE TYPE ended_v1 AS (package_no int8, role int2, seq int8);
CREATE TYPE declaration_v1 AS (
	pool_no int4, single int2[], paired int2[], declared_at_us int8, expires_us int8, available_from_day int4);

-- Several connections may each be in this function with a batch of the same engine. What no other batch can touch is
-- stored first, side by side; then each waits for the batch before it, and from the fence on they go one after the other.
-- The waiting is by advisory locks: (1128726528 + shard, last_seq) is held by the batch that will end there, and all
-- hold (1128660992 + shard, 0) shared, so that take_over finds none of an older epoch still under way.
CREATE FUNCTION commit_batch_v1(
	p_shard int2, p_epoch int8, p_prev_seq int8, p_framework_version int8, p_clock_us int8,
	p_salts bytea, p_records bytea[], p_commands command_v1[], p_packages package_v1[],
	p_nominations placement_v1[], -- beside the packages: the placement each found at once, or NULL
	p_states state_v1[], p_rounds round_v1[], p_placements placement_v1[], p_ended ended_v1[],
	p_declarations declaration_v1[])
RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
DECLARE
	-- An expression costs a microsecond or three to set up in each transaction: hence so few.
	turn_key int4 := 1128726528 + p_shard;
	until_seq int8 := p_prev_seq + cardinality(p_records);
	all_leaves bytea;
	root bytea;
	prev bytea;
	head bytea;
	stored int8;
	freed placement_v1[]; -- those ended, under role 0
BEGIN
	IF NOT (pg_try_advisory_xact_lock_shared(1128660992 + p_shard, 0)
			AND pg_try_advisory_xact_lock(turn_key, (until_seq & 2147483647)::int4)) THEN
		PERFORM pg_advisory_xact_lock_shared(1128660992 + p_shard, 0);
		PERFORM pg_advisory_xact_lock(turn_key, (until_seq & 2147483647)::int4);
	END IF;

	all_leaves := CASE WHEN until_seq = p_prev_seq + 1 THEN sha256('\x00'::bytea || p_salts || p_records[1])
		ELSE tree_leaves(p_salts, p_records) END;
	IF (until_seq > p_prev_seq AND length(p_salts) = 32 * (until_seq - p_prev_seq)
			AND length(all_leaves) = length(p_salts) AND num_nulls(p_commands, p_packages, p_nominations, p_states, p_rounds,
				p_placements, p_ended, p_declarations) = 0) IS NOT TRUE THEN
		RAISE EXCEPTION 'a batch needs records, each with a salt, and every list, be it empty' USING ERRCODE = 'CF101';
	END IF;

	-- What no other batch can touch. The epoch is looked at with the keys, which come first: a deposed engine hears that it
	-- is, not that a key was used. A placement that came with its package is checked against what came, which is what is
	-- stored.
	INSERT INTO command
	SELECT p_shard, t.* FROM unnest(p_commands) AS t
	WHERE ((SELECT epoch FROM fence WHERE shard = p_shard) = p_epoch AND t.seq BETWEEN p_prev_seq + 1 AND until_seq) IS TRUE
		OR refuse_row(p_shard, p_epoch, 'command', t.seq);
	INSERT INTO package
	SELECT p_shard, t.* FROM unnest(p_packages) AS t
	WHERE (t.package_no BETWEEN p_prev_seq + 1 AND until_seq AND t.changed_seq = t.package_no
		AND cardinality(t.visit_facts) = cardinality(t.visits)) IS TRUE
		OR refuse_row(p_shard, p_epoch, 'package', t.package_no);
	INSERT INTO placement (shard, package_no, role, made_seq, pool_no, provider_no, list_no, route, tier, rank,
		start_day, exit_day, price_pence_week, carer_minutes_week, demand)
	SELECT p_shard, (m).*
	FROM (SELECT unnest(p_packages) AS p, unnest(p_nominations) AS m) AS t
	LEFT JOIN coverage v ON v.shard = p_shard AND v.list_no = (m).list_no AND v.provider_no = (m).provider_no
		AND v.sector_no = (p).sector_no
	WHERE m IS DISTINCT FROM NULL AND (((m).package_no = (p).package_no AND (m).made_seq = (p).package_no
		AND (m).list_no = (p).list_no AND v.pool_no = (m).pool_no
		AND CASE WHEN (m).demand = (p).visits THEN true
			ELSE demand_is_of_visits((m).demand, (p).visits, (p).visit_facts) END) IS TRUE
		OR refuse('CF104', format('the placement of package %s has a pool or demand not its own', (m).package_no)));
	INSERT INTO round
	SELECT p_shard, t.* FROM unnest(p_rounds) AS t
	WHERE t.opened_seq BETWEEN p_prev_seq + 1 AND until_seq OR refuse_row(p_shard, p_epoch, 'round', t.opened_seq);

	root := CASE WHEN until_seq = p_prev_seq + 1 THEN all_leaves ELSE tree_root(all_leaves) END;

	LOOP
		-- Our turn: the batch before holds its lock until it is durable, and must be able to take it, so ours is let go at once.
		IF NOT (pg_try_advisory_lock_shared(turn_key, (p_prev_seq & 2147483647)::int4)
				AND pg_advisory_unlock_shared(turn_key, (p_prev_seq & 2147483647)::int4)) THEN
			PERFORM pg_advisory_lock_shared(turn_key, (p_prev_seq & 2147483647)::int4);
			PERFORM pg_advisory_unlock_shared(turn_key, (p_prev_seq & 2147483647)::int4);
		END IF;

		-- What acts on what earlier batches left, and so must be sure that they did.
		IF cardinality(p_states) + cardinality(p_declarations) + cardinality(p_ended) + cardinality(p_placements) > 0 THEN
			IF NOT fence_is_reached(p_shard, p_epoch, p_prev_seq, p_framework_version) THEN
				CONTINUE;
			END IF;
			IF cardinality(p_states) > 0 THEN
				UPDATE package p SET state = t.next, changed_seq = t.seq
				FROM unnest(p_states) AS t
				WHERE p.shard = p_shard AND p.package_no = t.package_no AND p.state = t.was AND t.seq BETWEEN p_prev_seq + 1 AND until_seq;
				GET DIAGNOSTICS stored = ROW_COUNT;
				IF stored <> cardinality(p_states) THEN
					RAISE EXCEPTION 'a package is not in the state the engine believes' USING ERRCODE = 'CF102';
				END IF;
			END IF;

			IF cardinality(p_declarations) > 0 THEN
				PERFORM capacity_declare(p_shard, p_declarations);
			END IF;

			IF cardinality(p_ended) > 0 THEN
				WITH ended AS (
					UPDATE placement p SET ended_seq = t.seq
					FROM unnest(p_ended) AS t
					WHERE p.shard = p_shard AND p.package_no = t.package_no AND p.role = t.role AND p.ended_seq = 0
						AND t.seq BETWEEN p_prev_seq + 1 AND until_seq -- at 0 it would live on, its capacity freed
					RETURNING p.*
				)
				SELECT count(*), array_agg(ROW(package_no, 0, made_seq, pool_no, provider_no, list_no, route, tier, rank, start_day,
					exit_day, price_pence_week, carer_minutes_week, demand)::placement_v1)
				INTO stored, freed FROM ended;
				IF stored <> cardinality(p_ended) THEN
					RAISE EXCEPTION 'a placement to end does not live' USING ERRCODE = 'CF103';
				END IF;
			END IF;

			IF cardinality(p_placements) > 0 THEN
				INSERT INTO placement (shard, package_no, role, made_seq, pool_no, provider_no, list_no, route, tier, rank,
					start_day, exit_day, price_pence_week, carer_minutes_week, demand)
				SELECT p_shard, m.* FROM unnest(p_placements) AS m
				-- outer joins: they keep this order and each full key, whatever the planner makes of the equal list numbers
				LEFT JOIN package p ON p.shard = p_shard AND p.package_no = m.package_no
				LEFT JOIN coverage v ON v.shard = p_shard AND v.list_no = m.list_no AND v.provider_no = m.provider_no
					AND v.sector_no = p.sector_no
				-- one made again, to carry a visit that its partner carried, stays in its pool wherever coverage has moved
				LEFT JOIN placement o ON o.shard = p_shard AND o.package_no = m.package_no AND o.role = m.role
					AND o.ended_seq = m.made_seq AND o.list_no = m.list_no AND o.provider_no = m.provider_no
				WHERE (m.made_seq BETWEEN p_prev_seq + 1 AND until_seq AND p.list_no = m.list_no
					AND m.pool_no IN (v.pool_no, o.pool_no)
					AND CASE WHEN m.demand = p.visits THEN true ELSE demand_is_of_visits(m.demand, p.visits, p.visit_facts) END) IS TRUE
					OR refuse('CF104', format('the placement of package %s has a pool or demand not its own', m.package_no));
			END IF;
		END IF;

		UPDATE fence f SET last_seq = until_seq, clock_us = greatest(f.clock_us, p_clock_us),
			prev_hash = f.head_hash, head_hash = row_hash(p_shard, p_prev_seq + 1, until_seq, p_epoch, f.head_hash, root)
		WHERE f.shard = p_shard AND f.epoch = p_epoch AND f.last_seq = p_prev_seq
			AND f.framework_version = p_framework_version
		RETURNING f.prev_hash, f.head_hash INTO prev, head;
		EXIT WHEN FOUND;
		PERFORM fence_is_reached(p_shard, p_epoch, p_prev_seq, p_framework_version);
	END LOOP;

	INSERT INTO journal VALUES (p_shard, p_prev_seq + 1, until_seq, p_epoch, p_clock_us, p_framework_version,
		prev, head, all_leaves, p_salts, p_records);

	-- The pools give and take what is derived here from the demand that was stored, never what the engine says. A cell
	-- 900,000 units short would borrow so much that it looks like room: no binding pool is asked for that.
	WITH line AS (
		SELECT pool_no, unnest(demand) & 2047 AS code, CASE role WHEN 0 THEN -1 ELSE 1 END * (unnest(demand) >> 11) AS units
		FROM unnest(p_nominations || p_placements || freed)
	), delta AS (
		SELECT pool_no, sum(units * grid) AS grid, sum(greatest(units, 0)) AS units
		FROM line JOIN grid_shape ON shape = code GROUP BY 1
	)
	UPDATE capacity c
	SET committed = c.committed + d.grid,
		overhang = CASE WHEN c.overhang = 0 THEN c.overhang
			ELSE grid_overhang_left(c.overhang, c.declared, c.committed + d.grid) END
	FROM delta d
	WHERE c.shard = p_shard AND c.pool_no = d.pool_no
		AND (c.mode <> 1 OR d.units < 900000 OR refuse('CF104', format('%s units at once from pool %s', d.units, c.pool_no)));
	RETURN head;
END $$;

-- Declarations: 56 cells a plane. A cut below what is committed leaves an overhang.
CREATE FUNCTION capacity_declare(p_shard int2, p_declarations declaration_v1[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	found_rows int8;
BEGIN
	WITH fresh AS (
		SELECT *, grid_of(single || paired, 1) AS declared FROM unnest(p_declarations)
	)
	UPDATE capacity c
	SET declared = f.declared, overhang = grid_overhang(f.declared, c.committed),
		declared_at_us = f.declared_at_us, expires_us = f.expires_us, available_from_day = f.available_from_day
	FROM fresh f WHERE c.shard = p_shard AND c.pool_no = f.pool_no
		AND cardinality(f.single) = 56 AND cardinality(f.paired) = 56;
	GET DIAGNOSTICS found_rows = ROW_COUNT;
	IF found_rows <> cardinality(p_declarations) THEN
		RAISE EXCEPTION 'a declaration names a pool that is not there, or one twice, or has not 56 cells' USING ERRCODE = 'CF105';
	END IF;
END $$;
RESET ROLE;
