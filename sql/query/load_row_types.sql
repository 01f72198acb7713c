-- load_row_types: the row types of commit_batch_v1, with their columns as "name type,name type"
-- returns: type text, oid oid, columns text
SELECT t.typname::text, t.oid, string_agg(a.attname || ' ' || c.typname, ',' ORDER BY a.attnum)
FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 JOIN pg_type c ON c.oid = a.atttypid
WHERE t.typnamespace = 'calloff'::regnamespace AND t.typtype = 'c' AND t.typname LIKE '%\_v1'
GROUP BY t.typname, t.oid;
