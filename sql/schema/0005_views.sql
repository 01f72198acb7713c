-- What the engine may read, and what it may do: these views and these functions, nothing else.
SET ROLE calloff_owner;
SET search_path = calloff;

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['fence', 'authority', 'district', 'sector', 'sector_district', 'skill', 'language', 'provider',
		'provider_status', 'framework', 'lot', 'lot_district', 'policy', 'policy_clause', 'list', 'list_version', 'list_entry',
		'pool', 'coverage', 'capacity', 'package', 'round', 'placement', 'command', 'journal'] LOOP
		EXECUTE format('CREATE VIEW read_%1$s AS SELECT * FROM %1$s', t);
		EXECUTE format('GRANT SELECT ON read_%s TO calloff_engine, calloff_report', t);
		EXECUTE format('COMMENT ON VIEW read_%1$s IS ''%1$s, as the engine and reporters read it''', t);
	END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION take_over, heartbeat, commit_batch_v1 TO calloff_engine;

-- Commissioners edit the framework, never capacity, packages or the journal.
GRANT SELECT, INSERT, UPDATE, DELETE ON authority, district, sector, sector_district, skill, language, provider,
	provider_status, framework, lot, lot_district, policy, policy_clause, list, list_version, list_entry, pool, coverage
	TO calloff_framework;

-- A pool is unknown until somebody declares: its capacity row comes with it, empty and expired.
CREATE FUNCTION pool_begins_unknown() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
BEGIN
	INSERT INTO capacity (shard, pool_no) VALUES (NEW.shard, NEW.pool_no) ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;
CREATE TRIGGER pool_begins_unknown AFTER INSERT ON pool FOR EACH ROW EXECUTE FUNCTION pool_begins_unknown();

-- framework_version moves once a transaction, at its end, so an idle editor holds no lock on the fence meanwhile.
CREATE FUNCTION framework_was_edited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
BEGIN
	INSERT INTO framework_edit (shard, xid) SELECT DISTINCT shard, pg_current_xact_id() FROM changed ON CONFLICT DO NOTHING;
	RETURN NULL;
END $$;

CREATE FUNCTION framework_version_moves() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = calloff, pg_temp AS $$
BEGIN
	UPDATE fence SET framework_version = framework_version + 1 WHERE shard = NEW.shard;
	NOTIFY calloff_framework;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER framework_version_moves AFTER INSERT ON framework_edit
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION framework_version_moves();

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['authority', 'district', 'sector', 'sector_district', 'skill', 'language', 'provider',
		'provider_status', 'framework', 'lot', 'lot_district', 'policy', 'policy_clause', 'list', 'list_version', 'list_entry',
		'pool', 'coverage'] LOOP
		EXECUTE format('CREATE TRIGGER %1$s_inserted AFTER INSERT ON %1$s REFERENCING NEW TABLE AS changed
			FOR EACH STATEMENT EXECUTE FUNCTION framework_was_edited()', t);
		EXECUTE format('CREATE TRIGGER %1$s_updated AFTER UPDATE ON %1$s REFERENCING NEW TABLE AS changed
			FOR EACH STATEMENT EXECUTE FUNCTION framework_was_edited()', t);
		EXECUTE format('CREATE TRIGGER %1$s_deleted AFTER DELETE ON %1$s REFERENCING OLD TABLE AS changed
			FOR EACH STATEMENT EXECUTE FUNCTION framework_was_edited()', t);
	END LOOP;
END $$;

-- The journal is append-only, against its owner's own slips too.
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'CF106';
END $$;
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
	FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_default
	FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
RESET ROLE;

-- An editor who walks away with a transaction open must not keep the engine waiting.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'calloff_framework'
		AND 'idle_in_transaction_session_timeout=60s' = ANY (rolconfig)) THEN
		ALTER ROLE calloff_framework SET idle_in_transaction_session_timeout = '60s';
	END IF;
EXCEPTION WHEN internal_error OR unique_violation THEN
	NULL; -- roles are the cluster's: another database being migrated at this moment has just set it
END $$;
