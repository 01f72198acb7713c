-- The bench's market: the Essex framework and pools, without people, and so much room that a long run never runs dry.
-- One framework pool in six has room, so that a walk looks at about as many ranks as the peers' (bench/peer): the others
-- are declared, current and full. Limits of providers are off: they would end the run, not slow it.
\set ON_ERROR_STOP 1
BEGIN;
SET search_path = calloff;
TRUNCATE placement, round, package, command;
UPDATE provider SET starts_a_day_max = 0, minutes_week_max = 0;
UPDATE list_entry SET share_cap_minutes_week = 0;
DELETE FROM provider_status;
UPDATE capacity SET committed = 0, overhang = 0,
	available_from_day = 0, expires_us = 4102444800000000, declared_at_us = 0,
	declared = grid_of(array_fill(CASE WHEN mode = 3 OR (pool_no::int8 * 7919) % 6 = 0 THEN 30000 ELSE 0 END::int2,
		ARRAY[112]), 1);
COMMIT;
