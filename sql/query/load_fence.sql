-- load_fence: where the shard stands, and who has it
-- $1 shard int2
-- returns: epoch, last_seq, framework_version, schema_version, clock_us int8, head_hash bytea, engine text, instance int8, endpoint text
SELECT epoch, last_seq, framework_version, schema_version, clock_us, head_hash, engine, instance, endpoint
FROM calloff.read_fence WHERE shard = $1;
