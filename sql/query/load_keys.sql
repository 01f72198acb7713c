-- load_keys: every key from a floor upwards
-- $1 shard int2, $2 floor uuid
-- returns: client text, key uuid, seq int8
SELECT client, key, seq FROM calloff.read_command WHERE shard = $1 AND key >= $2 ORDER BY key;
