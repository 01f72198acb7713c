-- load_policies: call-off policies
-- $1 shard int2
-- returns: the columns of struct row_policy, in its order
SELECT policy_no, version, award_style, confirmation, confirm_minutes, unknown_pool, travel_minutes_visit, rating_min,
	polr_urgencies, polr_risks, polr_days, not_rated_open, improvement_plan_open, polr_no_cover, routes, code
FROM calloff.read_policy WHERE shard = $1 ORDER BY 1;
