-- load_clauses: the published clause behind each reason
-- $1 shard int2
-- returns: policy_no, reason, clause
SELECT policy_no, reason, clause FROM calloff.read_policy_clause WHERE shard = $1 ORDER BY 1, 2;
