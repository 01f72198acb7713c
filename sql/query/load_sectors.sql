-- load_sectors: postcode sectors, in code order
-- $1 shard int2
-- returns: sector_no, code
SELECT sector_no, code FROM calloff.read_sector WHERE shard = $1 ORDER BY code COLLATE "C";
