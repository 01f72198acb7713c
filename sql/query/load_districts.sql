-- load_districts: districts
-- $1 shard int2
-- returns: district_no, code, name
SELECT district_no, code, name FROM calloff.read_district WHERE shard = $1 ORDER BY 1;
