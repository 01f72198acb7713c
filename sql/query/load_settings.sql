-- load_settings: is the database set up to keep what it acknowledges, and which process of PostgreSQL is it?
-- returns: name text, setting text
SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit',
	'synchronous_standby_names')
UNION ALL SELECT 'clock_us', (extract(epoch FROM clock_timestamp()) * 1000000)::int8::text
UNION ALL SELECT 'server_us', (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8::text
ORDER BY name;
