-- Roles are the cluster's, not the database's: made once, kept by every later migration.
-- The engine may execute its functions and read its views, nothing else.
DO $$
DECLARE
	pair text[];
BEGIN
	FOREACH pair SLICE 1 IN ARRAY ARRAY[['calloff_owner', 'NOLOGIN'], ['calloff_framework', 'NOLOGIN'],
		['calloff_report', 'NOLOGIN'], ['calloff_engine', 'LOGIN']] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = pair[1]) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I %s', pair[1], pair[2]);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL; -- another database, being migrated at this moment, has just made it
			END;
		END IF;
	END LOOP;
END $$;

CREATE SCHEMA calloff AUTHORIZATION calloff_owner;
REVOKE ALL ON SCHEMA calloff FROM PUBLIC;
GRANT USAGE ON SCHEMA calloff TO calloff_engine, calloff_framework, calloff_report;
ALTER DEFAULT PRIVILEGES FOR ROLE calloff_owner IN SCHEMA calloff REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE calloff_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
