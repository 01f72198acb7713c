-- heartbeat: is this engine still the one? touches the fence, not the journal
-- $1 shard int2, $2 epoch int8, $3 clock_us int8
-- returns: framework_version int8
SELECT calloff.heartbeat($1, $2, $3);
