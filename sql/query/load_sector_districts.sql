-- load_sector_districts: which districts a sector lies in
-- $1 shard int2
-- returns: sector_no, district_no
SELECT sector_no, district_no FROM calloff.read_sector_district WHERE shard = $1 ORDER BY 1, 2;
