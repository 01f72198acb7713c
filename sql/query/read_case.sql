-- read_case: every package of a case
-- $1 shard int2, $2 case_ref text
-- returns: the columns of struct package_view, in its order; as_of int8, the last event of this moment
SELECT p.package_no, p.state, p.changed_seq, p.requirement_version, p.list_no, p.sector_no, p.district_no, p.service, p.client_group, p.skills,
	p.gender, p.language, p.urgency, p.risk, p.cover, p.funding, p.regime, p.prerequisites, p.need_arose_us, p.start_day,
	p.latest_start_us, p.cover_until_us, p.ceiling_pence_hour, p.case_ref, p.person_ref, p.household_ref, p.bundle_ref, p.owner_ref,
	p.visits, p.visit_facts, p.excluded,
	(SELECT last_seq FROM calloff.read_fence WHERE shard = $1) AS as_of
FROM calloff.read_package p WHERE p.shard = $1 AND p.case_ref = $2 ORDER BY p.package_no LIMIT 100;
