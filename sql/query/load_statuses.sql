-- load_statuses: what closes a provider to new work, on one list or all
-- $1 shard int2
-- returns: provider_no, status_no, status, list_no, starts_week_max, from_us, until_us, clause
SELECT provider_no, status_no, status, coalesce(list_no, 0), starts_week_max, from_us, until_us, clause
FROM calloff.read_provider_status WHERE shard = $1 ORDER BY 1, 2;
