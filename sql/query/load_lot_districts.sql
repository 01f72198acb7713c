-- load_lot_districts: the districts of each lot
-- $1 shard int2
-- returns: lot_no, district_no
SELECT lot_no, district_no FROM calloff.read_lot_district WHERE shard = $1 ORDER BY 1, 2;
