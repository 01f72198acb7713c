-- load_providers: providers
-- $1 shard int2
-- returns: provider_no, code, location_code, rating, skills, genders, starts_a_day_max, minutes_week_max, languages, plan
SELECT provider_no, code, location_code, rating_overall, skills, genders, starts_a_day_max, minutes_week_max, languages,
	improvement_plan
FROM calloff.read_provider WHERE shard = $1 ORDER BY 1;
