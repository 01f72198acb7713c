-- load_key_floor: the oldest of the newest keys, from which memory knows every key
-- $1 shard int2, $2 how many int8
-- returns: key uuid; no row when there are fewer
SELECT key FROM calloff.read_command WHERE shard = $1 ORDER BY key DESC OFFSET $2 LIMIT 1;
