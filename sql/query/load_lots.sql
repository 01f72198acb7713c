-- load_lots: lots with their framework's code
-- $1 shard int2
-- returns: lot_no, code, name, framework code
SELECT l.lot_no, l.code, l.name, f.code
FROM calloff.read_lot l JOIN calloff.read_framework f USING (shard, framework_no) WHERE l.shard = $1 ORDER BY 1;
