-- take_over: compare-and-set to the next epoch; no row: another engine was faster
-- $1 shard int2, $2 expected_epoch int8, $3 engine text, $4 instance int8, $5 endpoint text
-- returns: epoch, last_seq, framework_version, schema_version, clock_us int8, head_hash bytea, engine text, instance int8, endpoint text
SELECT epoch, last_seq, framework_version, schema_version, clock_us, head_hash, engine, instance, endpoint
FROM calloff.take_over($1, $2, $3, $4, $5);
