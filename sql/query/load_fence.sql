-- load_fence: where the shard stands
-- $1 shard int2
-- returns: epoch, last_seq, framework_version, schema_version, clock_us int8, head_hash bytea
SELECT epoch, last_seq, framework_version, schema_version, clock_us, head_hash FROM calloff.read_fence WHERE shard = $1;
