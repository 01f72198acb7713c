-- Peer (a): one call, one package, one transaction. Lawful because the list's advisory lock is held until the commit and
-- every pool belongs to one list: the next package of the list sees what this one took, and the journal's order is the
-- order of the decisions. A repeat of a key gets the stored outcome.
SET search_path = peer;

CREATE FUNCTION submit_one(p_client text, r request) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	event bytea := record_send(r);
	hash bytea := substring(sha256(event) FOR 16);
	seen_hash bytea;
	seen_outcome bytea;
	prev bytea;
	seq int8;
	lines int2[];
	days int2[] := array_fill(0::int2, '{16}', '{0}');
	units int2[] := days;
	minutes int4 := 0;
	line int2;
	visit int4;
	lo int2 := 1;
	chunk int8[];
	fact int8;
	facts bytea := '';
	won bool := false;
	w list_entry;
	how int2;
	outcome bytea;
	record bytea;
BEGIN
	PERFORM pg_advisory_xact_lock(r.list_no);
	SELECT j.last_seq + 1, j.row_hash, c.request_hash, c.outcome INTO seq, prev, seen_hash, seen_outcome
	FROM (SELECT) AS one
	LEFT JOIN (SELECT last_seq, row_hash FROM journal WHERE list_no = r.list_no ORDER BY last_seq DESC LIMIT 1)
		AS j ON true
	LEFT JOIN command c ON c.client = p_client AND c.key = r.key;
	IF seen_hash IS NOT NULL THEN
		IF seen_hash <> hash THEN
			RAISE EXCEPTION 'the key was used for another request' USING ERRCODE = 'PE001';
		END IF;
		RETURN seen_outcome;
	END IF;
	IF seq IS NULL THEN
		seq := 1;
		prev := sha256('calloff peer genesis');
	END IF;

	FOREACH visit IN ARRAY r.visits LOOP
		line := (visit >> 7) & 15;
		IF days[line] <> 0 THEN
			RAISE EXCEPTION 'two visit lines for one band and plane' USING ERRCODE = 'PE002';
		END IF;
		lines := lines || line;
		days[line] := visit & 127;
		units[line] := visit >> 11;
		minutes := minutes + 5 * (visit >> 11) * (1 + (line >> 3)) * bit_count((visit & 127)::bit(7));
	END LOOP;

	-- The walk down the list, eight entries a query: the winner is mostly among the first eight.
	<<walk>>
	LOOP
		SELECT array_agg(t.fact) INTO chunk FROM (
			SELECT (e.order_no::int8 << 48) | CASE
				WHEN NOT e.is_open THEN 1::int8 << 40
				WHEN e.districts & (1 << (r.district_no - 1)) = 0 THEN 2::int8 << 40
				WHEN e.skills & r.skills <> r.skills THEN 3::int8 << 40
				WHEN e.provider_no = ANY (r.excluded) THEN 4::int8 << 40
				ELSE coalesce((
					SELECT min(CASE
						WHEN least(c.mon, c.tue, c.wed, c.thu, c.fri, c.sat, c.sun) >= units[c.line] THEN NULL
						ELSE ((c.line & 7)::int8 << 33) + ((c.line >> 3)::int8 << 32) + (units[c.line]::int4 << 16) + CASE
							WHEN c.mon < units[c.line] AND days[c.line] & 1::int2 <> 0 THEN c.mon
							WHEN c.tue < units[c.line] AND days[c.line] & 2::int2 <> 0 THEN (8::int8 << 33) + c.tue
							WHEN c.wed < units[c.line] AND days[c.line] & 4::int2 <> 0 THEN (16::int8 << 33) + c.wed
							WHEN c.thu < units[c.line] AND days[c.line] & 8::int2 <> 0 THEN (24::int8 << 33) + c.thu
							WHEN c.fri < units[c.line] AND days[c.line] & 16::int2 <> 0 THEN (32::int8 << 33) + c.fri
							WHEN c.sat < units[c.line] AND days[c.line] & 32::int2 <> 0 THEN (40::int8 << 33) + c.sat
							WHEN c.sun < units[c.line] AND days[c.line] & 64::int2 <> 0 THEN (48::int8 << 33) + c.sun
						END END)
					FROM capacity c WHERE c.pool_no = e.pool_no AND c.line = ANY (lines)
				) + (5::int8 << 40), 0) END AS fact
			FROM list_entry e
			WHERE e.list_no = r.list_no AND e.order_no BETWEEN lo AND (lo + 7)::int2
			ORDER BY e.order_no) AS t;
		EXIT WHEN chunk IS NULL;
		FOREACH fact IN ARRAY chunk LOOP
			facts := facts || int8send(fact);
			won := (fact >> 40) & 255 = 0;
			EXIT walk WHEN won;
		END LOOP;
		lo := lo + 8;
	END LOOP;

	IF won THEN
		SELECT * INTO w FROM list_entry WHERE list_no = r.list_no AND order_no = (fact >> 48)::int2;
		UPDATE capacity c
		SET mon = mon - units[c.line] * (days[c.line] & 1::int2), tue = tue - units[c.line] * (days[c.line] >> 1 & 1::int2),
			wed = wed - units[c.line] * (days[c.line] >> 2 & 1::int2), thu = thu - units[c.line] * (days[c.line] >> 3 & 1::int2),
			fri = fri - units[c.line] * (days[c.line] >> 4 & 1::int2), sat = sat - units[c.line] * (days[c.line] >> 5 & 1::int2),
			sun = sun - units[c.line] * (days[c.line] >> 6 & 1::int2)
		WHERE c.pool_no = w.pool_no AND c.line = ANY (lines);
	END IF;
	how := CASE WHEN NOT won THEN 3 WHEN w.route = 4 THEN 2 ELSE 1 END;
	outcome := int4send(r.list_no) || int8send(seq) || int2send(how) || int4send(coalesce(w.provider_no, 0));
	record := event || outcome || facts;

	INSERT INTO package VALUES (r.list_no, seq, CASE how WHEN 3 THEN 5 ELSE 4 END, seq, r.case_ref, r.person_ref,
		r.household_ref, r.bundle_ref, r.owner_ref, r.sector_no, r.district_no, r.service, r.client_group,
		r.requirement_version, r.visits, r.visit_facts, r.skills, r.gender, r.language, r.urgency, r.risk, r.cover, r.funding,
		r.regime, r.prerequisites, r.need_arose_us, r.start_day, r.latest_start_us, r.cover_until_us, r.ceiling_pence_hour,
		r.excluded);
	INSERT INTO decision VALUES (r.list_no, seq, r.requirement_version, how, length(facts) / 8, facts);
	IF won THEN
		INSERT INTO placement VALUES (r.list_no, seq, how, 0, seq, w.pool_no, w.provider_no, w.route, w.tier, w.rank,
			r.start_day, 0, w.price_pence_hour * minutes / 60, minutes, r.visits);
	END IF;
	INSERT INTO command VALUES (p_client, r.key, hash, r.list_no, seq, outcome);
	INSERT INTO journal VALUES (r.list_no, seq, seq, now(), prev, row_hash(r.list_no, seq, seq, prev, record), record);
	RETURN outcome;
END $$;
