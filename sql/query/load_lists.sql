-- load_lists: every version of every list
-- $1 shard int2
-- returns: list_no, lot_no, service, client_group, version, policy_no, from_us, until_us, code
SELECT l.list_no, l.lot_no, l.service, l.client_group, v.version, v.policy_no, v.effective_from_us, v.effective_until_us, l.code
FROM calloff.read_list l JOIN calloff.read_list_version v USING (shard, list_no) WHERE l.shard = $1 ORDER BY 1, 5;
