-- hand_over: the end of this engine's reign; another may take the shard at once
-- $1 shard int2, $2 epoch int8
-- returns: framework_version int8
SELECT calloff.hand_over($1, $2);
