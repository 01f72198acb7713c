-- load_skills: skills
-- $1 shard int2
-- returns: skill_no, code
SELECT skill_no, code FROM calloff.read_skill WHERE shard = $1 ORDER BY 1;
