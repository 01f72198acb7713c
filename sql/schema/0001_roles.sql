-- Roles are the cluster's, not the database's: made once, kept by every later migration.
-- The engine may execute its functions and read its views, nothing else.
DO $$
DECLARE r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['calloff_owner', 'calloff_framework', 'calloff_report'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', r);
		END IF;
	END LOOP;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'calloff_engine') THEN
		CREATE ROLE calloff_engine LOGIN;
	END IF;
END $$;

CREATE SCHEMA calloff AUTHORIZATION calloff_owner;
REVOKE ALL ON SCHEMA calloff FROM PUBLIC;
GRANT USAGE ON SCHEMA calloff TO calloff_engine, calloff_framework, calloff_report;
ALTER DEFAULT PRIVILEGES FOR ROLE calloff_owner IN SCHEMA calloff REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE calloff_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
