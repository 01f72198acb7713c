-- Who reigns over a shard: an engine says its name with the epoch it takes, so that others know whom they follow, clients
-- where to go, and an engine that starts again its own reign from another's.
SET ROLE calloff_owner;
SET search_path = calloff;

-- As domains: the fence is written in every commit, and a CHECK of its table would be read again in each (see 0003).
CREATE DOMAIN engine_name AS text CONSTRAINT engine_name_64 CHECK (length(VALUE) <= 64);
CREATE DOMAIN endpoint AS text CONSTRAINT endpoint_128 CHECK (length(VALUE) <= 128);
ALTER TABLE fence
	ADD engine engine_name NOT NULL DEFAULT '',
	ADD instance int8 NOT NULL DEFAULT 0,
	ADD endpoint endpoint NOT NULL DEFAULT '';
CREATE OR REPLACE VIEW read_fence AS SELECT * FROM fence;

DROP FUNCTION take_over(int2, int8);
CREATE FUNCTION take_over(p_shard int2, p_expected_epoch int8, p_engine text DEFAULT 'unnamed', p_instance int8 DEFAULT 0,
	p_endpoint text DEFAULT '')
RETURNS TABLE (epoch int8, last_seq int8, head_hash bytea, framework_version int8, schema_version int4, clock_us int8,
	engine text, instance int8, endpoint text)
LANGUAGE sql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
	-- waits for every batch that is under way: what comes after it finds the new epoch
	SELECT pg_advisory_xact_lock(1128660992 + p_shard, 0);
	UPDATE fence f SET epoch = f.epoch + 1, engine = p_engine, instance = p_instance, endpoint = p_endpoint
	WHERE f.shard = p_shard AND f.epoch = p_expected_epoch
	RETURNING f.epoch, f.last_seq, f.head_hash, f.framework_version, f.schema_version, f.clock_us, f.engine, f.instance,
		f.endpoint
$$;
COMMENT ON FUNCTION take_over IS 'Compare-and-set to the next epoch: fences the engine before, and so resolves every commit whose answer was lost. No row: another engine was faster.';

CREATE FUNCTION hand_over(p_shard int2, p_epoch int8) RETURNS int8
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
DECLARE
	version int8;
BEGIN
	UPDATE fence SET engine = '', instance = 0, endpoint = '' WHERE shard = p_shard AND epoch = p_epoch
	RETURNING framework_version INTO version;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'fenced: another engine has shard %', p_shard USING ERRCODE = 'CF001';
	END IF;
	RETURN version;
END $$;
COMMENT ON FUNCTION hand_over IS 'The end of a reign in peace: nobody has the shard, so who follows need not wait for silence. Answers like heartbeat.';
DO $$
DECLARE
	shown text;
BEGIN
	FOREACH shown IN ARRAY ARRAY['fence', 'read_fence'] LOOP
		EXECUTE format('COMMENT ON COLUMN %I.engine IS %L', shown,
			'Name of the engine that reigns since this epoch began; empty: nobody does, the shard may be taken at once.');
		EXECUTE format('COMMENT ON COLUMN %I.instance IS %L', shown,
			'Which process of that engine: a number drawn when it started.');
		EXECUTE format('COMMENT ON COLUMN %I.endpoint IS %L', shown, 'Where clients reach it.');
	END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION take_over, hand_over TO calloff_engine;

UPDATE fence SET schema_version = 7 WHERE schema_version = 6;
RESET ROLE;
