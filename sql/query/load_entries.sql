-- load_entries: who stands where on each version of a list
-- $1 shard int2
-- returns: list_no, version, provider_no, route, tier, rank, order_no, score_milli, price_pence_hour, share_cap_minutes_week
SELECT list_no, version, provider_no, route, tier, rank, order_no, score_milli, price_pence_hour, share_cap_minutes_week
FROM calloff.read_list_entry WHERE shard = $1 ORDER BY 1, 2, 7;
