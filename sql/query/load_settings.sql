-- load_settings: is the database set up to keep what it acknowledges?
-- returns: name text, setting text
SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit',
	'synchronous_standby_names') ORDER BY name;
