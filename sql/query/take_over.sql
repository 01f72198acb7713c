-- take_over: compare-and-set to the next epoch; no row: another engine was faster
-- $1 shard int2, $2 expected_epoch int8
-- returns: epoch, last_seq, framework_version, schema_version, clock_us int8, head_hash bytea
SELECT epoch, last_seq, framework_version, schema_version, clock_us, head_hash FROM calloff.take_over($1, $2);
