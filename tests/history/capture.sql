-- What the history checker needs of a database, kept where the engine never looks: every version of the framework as it was
-- committed, and, as text, the rows that a replay must come to. For the test's own database, as a superuser.
CREATE SCHEMA history;

-- The framework as lines, a table and its columns separated by tabs; tests/history/county.c reads them in this order.
CREATE FUNCTION history.framework_lines(p_shard int2) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = calloff, pg_temp AS $$
	(SELECT concat_ws(E'\t', 'district', district_no, code, name) FROM district WHERE shard = p_shard ORDER BY district_no)
	UNION ALL (SELECT concat_ws(E'\t', 'sector', sector_no, code) FROM sector WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'sector_district', sector_no, district_no)
		FROM sector_district WHERE shard = p_shard ORDER BY sector_no, district_no)
	UNION ALL (SELECT concat_ws(E'\t', 'skill', skill_no + 1, code) FROM skill WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'language', language_no, code) FROM language WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'provider', provider_no, code, rating_overall, improvement_plan::int4, skills, genders,
		languages, minutes_week_max, starts_a_day_max) FROM provider WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'status', provider_no, status_no, status, coalesce(list_no, 0), from_us, until_us,
		starts_week_max) FROM provider_status WHERE shard = p_shard ORDER BY provider_no, status_no)
	UNION ALL (SELECT concat_ws(E'\t', 'policy', policy_no, award_style, confirmation, confirm_minutes, travel_minutes_visit,
		rating_min, not_rated_open::int4, improvement_plan_open::int4, polr_urgencies, polr_risks, polr_no_cover::int4,
		polr_days, routes) FROM policy WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'lot_district', lot_no, district_no) FROM lot_district WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'list', list_no, version, lot_no, service, client_group, policy_no, effective_from_us,
		effective_until_us, code) FROM list JOIN list_version USING (shard, list_no) WHERE shard = p_shard ORDER BY list_no, version)
	UNION ALL (SELECT concat_ws(E'\t', 'entry', list_no, version, provider_no, route, tier, rank, order_no, price_pence_hour,
		share_cap_minutes_week) FROM list_entry WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'pool', pool_no, provider_no, kind, code) FROM pool WHERE shard = p_shard)
	UNION ALL (SELECT concat_ws(E'\t', 'coverage', list_no, provider_no, sector_no, pool_no) FROM coverage WHERE shard = p_shard)
$$;

CREATE TABLE history.framework (place bigserial, shard int2, version int8, line text);

-- In the transaction that makes the version, behind the fence's row lock: no edit can be missed or seen half.
CREATE FUNCTION history.framework_moved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
BEGIN
	INSERT INTO history.framework (shard, version, line)
	SELECT NEW.shard, NEW.framework_version, line FROM history.framework_lines(NEW.shard) AS line;
	RETURN NULL;
END $$;
CREATE TRIGGER framework_moved AFTER UPDATE OF framework_version ON calloff.fence
	FOR EACH ROW WHEN (OLD.framework_version <> NEW.framework_version) EXECUTE FUNCTION history.framework_moved();
INSERT INTO history.framework (shard, version, line)
SELECT shard, framework_version, line FROM calloff.fence, LATERAL history.framework_lines(shard) AS line;

-- The rows that are not over, and those that came to be or ended behind a sequence. tests/history/people.c writes the same.
CREATE FUNCTION history.state_lines(p_shard int2, p_after_seq int8) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = calloff, pg_temp AS $$
	(SELECT concat_ws(E'\t', 'capacity', pool_no, mode, grid_cells(declared), grid_cells(committed), grid_cells(overhang),
		declared_at_us, expires_us, available_from_day) FROM capacity WHERE shard = p_shard ORDER BY pool_no)
	UNION ALL (SELECT concat_ws(E'\t', 'package', package_no, state, changed_seq, case_ref, person_ref, household_ref, bundle_ref,
		owner_ref, list_no, sector_no, district_no, service, client_group, requirement_version, visits, visit_facts, skills,
		gender, language, urgency, risk, cover, funding, regime, prerequisites, need_arose_us, start_day, latest_start_us,
		cover_until_us, ceiling_pence_hour, excluded)
		FROM package WHERE shard = p_shard AND (state NOT IN (8, 12, 13) OR changed_seq > p_after_seq) ORDER BY package_no)
	UNION ALL (SELECT concat_ws(E'\t', 'placement', package_no, role, ended_seq, made_seq, pool_no, provider_no, list_no, route,
		tier, rank, start_day, exit_day, price_pence_week, carer_minutes_week, demand)
		FROM placement WHERE shard = p_shard AND (ended_seq = 0 OR ended_seq > p_after_seq) ORDER BY package_no, role)
	UNION ALL (SELECT concat_ws(E'\t', 'round', package_no, opened_seq, requirement_version, list_no, list_version, policy_no,
		outcome, looked_at) FROM round WHERE shard = p_shard AND opened_seq > p_after_seq)
$$;
