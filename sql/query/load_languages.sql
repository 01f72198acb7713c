-- load_languages: languages
-- $1 shard int2
-- returns: language_no, code
SELECT language_no, code FROM calloff.read_language WHERE shard = $1 ORDER BY 1;
