-- Peer (b): many packages of one list, in order, one transaction. The list's free capacity is read once into arrays,
-- the packages are decided one by one on them, and everything is written set-based at the end: one statement a table,
-- a capacity row once however often it was hit, one journal row a batch. Lawful for the same reason as submit_one: the
-- list's lock is held until the commit. A repeat of a key, before or inside the batch, gets the stored outcome.
SET search_path = peer;

CREATE FUNCTION submit_batch(p_client text, requests request[]) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
	list int4 := (requests[1]).list_no;
	r request;
	keys uuid[];
	events bytea[];
	hashes bytea[];
	seen int8;
	prev bytea;
	start_seq int8;
	-- the list, by order_no
	ranked int4;
	open bool[];
	skills int4[];
	districts int4[];
	providers int4[];
	pools int4[];
	routes int2[];
	-- free units by (order_no - 1) * 16 + line + 1, before daily[] is taken off; low[] is the poorest day after it
	f_mon int2[]; f_tue int2[]; f_wed int2[]; f_thu int2[]; f_fri int2[]; f_sat int2[]; f_sun int2[];
	low int2[];
	daily int2[];
	touched bool[];
	hits int4[] := '{}';
	-- one package
	visit int4;
	n_visits int4;
	v_line int4[];
	v_days int4[];
	v_units int4[];
	used int4;
	minutes int4;
	e int4;
	i int4;
	units int4;
	fact int8;
	cell int8;
	facts bytea;
	how int2;
	-- results, by place in the batch
	o_facts bytea[];
	o_winner int2[];
	o_how int2[];
	o_minutes int4[];
	outcomes bytea[];
BEGIN
	IF requests IS NULL OR cardinality(requests) = 0 THEN
		RAISE EXCEPTION 'a batch needs packages' USING ERRCODE = 'PE003';
	END IF;
	PERFORM pg_advisory_xact_lock(list);

	FOREACH r IN ARRAY requests LOOP
		IF r.list_no <> list THEN
			RAISE EXCEPTION 'a batch is of one list' USING ERRCODE = 'PE003';
		END IF;
		keys := keys || r.key;
		events := events || record_send(r);
		hashes := hashes || substring(sha256(events[cardinality(events)]) FOR 16);
	END LOOP;
	SELECT count(*) INTO seen FROM command WHERE client = p_client AND key = ANY (keys);
	IF seen > 0 OR cardinality(keys) <> (SELECT count(DISTINCT k) FROM unnest(keys) AS k) THEN
		RETURN submit_batch_again(p_client, requests, keys, hashes);
	END IF;

	SELECT last_seq, row_hash INTO start_seq, prev FROM journal WHERE list_no = list ORDER BY last_seq DESC LIMIT 1;
	IF start_seq IS NULL THEN
		start_seq := 0;
		prev := sha256('calloff peer genesis');
	END IF;
	SELECT count(*), array_agg(t.is_open), array_agg(t.skills), array_agg(t.districts), array_agg(t.provider_no),
		array_agg(t.pool_no), array_agg(t.route)
	INTO ranked, open, skills, districts, providers, pools, routes
	FROM (SELECT * FROM list_entry WHERE list_no = list ORDER BY order_no) AS t;
	SELECT array_agg(t.mon), array_agg(t.tue), array_agg(t.wed), array_agg(t.thu), array_agg(t.fri), array_agg(t.sat),
		array_agg(t.sun), array_agg(least(t.mon, t.tue, t.wed, t.thu, t.fri, t.sat, t.sun))
	INTO f_mon, f_tue, f_wed, f_thu, f_fri, f_sat, f_sun, low
	FROM (SELECT c.* FROM list_entry x JOIN capacity c USING (pool_no) WHERE x.list_no = list ORDER BY x.order_no, c.line)
		AS t;
	daily := array_fill(0::int2, ARRAY[16 * ranked]);
	touched := array_fill(false, ARRAY[16 * ranked]);

	FOREACH r IN ARRAY requests LOOP
		n_visits := 0;
		used := 0;
		minutes := 0;
		FOREACH visit IN ARRAY r.visits LOOP
			n_visits := n_visits + 1;
			v_line[n_visits] := ((visit >> 7) & 15) + 1;
			v_days[n_visits] := visit & 127;
			v_units[n_visits] := visit >> 11;
			IF used & (1 << v_line[n_visits]) <> 0 THEN
				RAISE EXCEPTION 'two visit lines for one band and plane' USING ERRCODE = 'PE002';
			END IF;
			used := used | (1 << v_line[n_visits]);
			minutes := minutes + 5 * (visit >> 11) * (1 + ((visit >> 10) & 1)) * bit_count((visit & 127)::bit(7));
		END LOOP;

		facts := '';
		e := 0;
		LOOP
			e := e + 1;
			IF e > ranked THEN
				e := 0;
				EXIT;
			END IF;
			fact := 0;
			IF NOT open[e] THEN
				fact := 1::int8 << 40;
			ELSIF districts[e] & (1 << (r.district_no - 1)) = 0 THEN
				fact := 2::int8 << 40;
			ELSIF skills[e] & r.skills <> r.skills THEN
				fact := 3::int8 << 40;
			ELSIF providers[e] = ANY (r.excluded) THEN
				fact := 4::int8 << 40;
			ELSE
				FOR k IN 1 .. n_visits LOOP
					i := (e - 1) * 16 + v_line[k];
					IF low[i] < v_units[k] THEN
						units := v_units[k] + daily[i];
						cell := CASE
							WHEN f_mon[i] < units AND v_days[k] & 1 <> 0 THEN (0::int8 << 33) + f_mon[i] - daily[i]
							WHEN f_tue[i] < units AND v_days[k] & 2 <> 0 THEN (8::int8 << 33) + f_tue[i] - daily[i]
							WHEN f_wed[i] < units AND v_days[k] & 4 <> 0 THEN (16::int8 << 33) + f_wed[i] - daily[i]
							WHEN f_thu[i] < units AND v_days[k] & 8 <> 0 THEN (24::int8 << 33) + f_thu[i] - daily[i]
							WHEN f_fri[i] < units AND v_days[k] & 16 <> 0 THEN (32::int8 << 33) + f_fri[i] - daily[i]
							WHEN f_sat[i] < units AND v_days[k] & 32 <> 0 THEN (40::int8 << 33) + f_sat[i] - daily[i]
							WHEN f_sun[i] < units AND v_days[k] & 64 <> 0 THEN (48::int8 << 33) + f_sun[i] - daily[i]
						END + ((v_line[k] - 1 & 7)::int8 << 33) + ((v_line[k] - 1 >> 3)::int8 << 32) + (v_units[k] << 16) + (5::int8 << 40);
						fact := CASE WHEN cell IS NULL THEN fact WHEN fact = 0 THEN cell ELSE least(fact, cell) END;
					END IF;
				END LOOP;
			END IF;
			facts := facts || int8send((e::int8 << 48) | fact);
			EXIT WHEN fact = 0;
		END LOOP;

		IF e > 0 THEN
			FOR k IN 1 .. n_visits LOOP
				i := (e - 1) * 16 + v_line[k];
				IF NOT touched[i] THEN
					touched[i] := true;
					hits := hits || i;
				END IF;
				IF v_days[k] = 127 THEN
					daily[i] := daily[i] + v_units[k];
					low[i] := low[i] - v_units[k];
				ELSE
					f_mon[i] := f_mon[i] - v_units[k] * (v_days[k] & 1);
					f_tue[i] := f_tue[i] - v_units[k] * ((v_days[k] >> 1) & 1);
					f_wed[i] := f_wed[i] - v_units[k] * ((v_days[k] >> 2) & 1);
					f_thu[i] := f_thu[i] - v_units[k] * ((v_days[k] >> 3) & 1);
					f_fri[i] := f_fri[i] - v_units[k] * ((v_days[k] >> 4) & 1);
					f_sat[i] := f_sat[i] - v_units[k] * ((v_days[k] >> 5) & 1);
					f_sun[i] := f_sun[i] - v_units[k] * ((v_days[k] >> 6) & 1);
					low[i] := least(f_mon[i], f_tue[i], f_wed[i], f_thu[i], f_fri[i], f_sat[i], f_sun[i]) - daily[i];
				END IF;
			END LOOP;
		END IF;
		how := CASE WHEN e = 0 THEN 3 WHEN routes[e] = 4 THEN 2 ELSE 1 END;
		o_facts := o_facts || facts;
		o_winner := o_winner || e::int2;
		o_how := o_how || how;
		o_minutes := o_minutes || minutes;
		outcomes := outcomes || (int4send(list) || int8send(start_seq + cardinality(o_how)) || int2send(how)
			|| int4send(CASE e WHEN 0 THEN 0 ELSE providers[e] END));
	END LOOP;

	UPDATE capacity c
	SET mon = f_mon[h] - daily[h], tue = f_tue[h] - daily[h], wed = f_wed[h] - daily[h], thu = f_thu[h] - daily[h],
		fri = f_fri[h] - daily[h], sat = f_sat[h] - daily[h], sun = f_sun[h] - daily[h]
	FROM unnest(hits) AS h
	WHERE c.pool_no = pools[(h - 1) / 16 + 1] AND c.line = ((h - 1) % 16)::int2;
	INSERT INTO package
	SELECT list, start_seq + q.ordinality, CASE o_how[q.ordinality] WHEN 3 THEN 5 ELSE 4 END, start_seq + q.ordinality,
		q.case_ref, q.person_ref, q.household_ref, q.bundle_ref, q.owner_ref, q.sector_no, q.district_no, q.service,
		q.client_group, q.requirement_version, q.visits, q.visit_facts, q.skills, q.gender, q.language, q.urgency,
		q.risk, q.cover, q.funding, q.regime, q.prerequisites, q.need_arose_us, q.start_day, q.latest_start_us,
		q.cover_until_us, q.ceiling_pence_hour, q.excluded
	FROM unnest(requests) WITH ORDINALITY AS q;
	INSERT INTO decision
	SELECT list, start_seq + q.ordinality, q.requirement_version, o_how[q.ordinality], length(o_facts[q.ordinality]) / 8,
		o_facts[q.ordinality]
	FROM unnest(requests) WITH ORDINALITY AS q;
	INSERT INTO placement
	SELECT list, start_seq + q.ordinality, o_how[q.ordinality], 0, start_seq + q.ordinality, w.pool_no, w.provider_no,
		w.route, w.tier, w.rank, q.start_day, 0, w.price_pence_hour * o_minutes[q.ordinality] / 60,
		o_minutes[q.ordinality], q.visits
	FROM unnest(requests) WITH ORDINALITY AS q
	JOIN list_entry w ON w.list_no = list AND w.order_no = o_winner[q.ordinality];
	INSERT INTO command
	SELECT p_client, t.key, t.hash, list, start_seq + t.n, t.outcome
	FROM unnest(keys, hashes, outcomes) WITH ORDINALITY AS t(key, hash, outcome, n);
	INSERT INTO journal
	SELECT list, start_seq + 1, start_seq + cardinality(keys), now(), prev,
		row_hash(list, start_seq + 1, start_seq + cardinality(keys), prev, records), records
	FROM (SELECT string_agg(int4send(length(event) + length(outcome) + length(t.facts)) || event || outcome || t.facts,
			''::bytea ORDER BY n) AS records
		FROM unnest(events, outcomes, o_facts) WITH ORDINALITY AS t(event, outcome, facts, n)) AS j;
	RETURN outcomes;
END $$;

-- The rare path: some key was used before, or stands twice in the batch. Decide the new ones, answer all from the store.
CREATE FUNCTION submit_batch_again(p_client text, requests request[], keys uuid[], hashes bytea[]) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
	fresh request[];
BEGIN
	IF EXISTS (
		SELECT FROM unnest(keys, hashes) AS t(key, hash)
		LEFT JOIN command c ON c.client = p_client AND c.key = t.key
		GROUP BY t.key HAVING count(DISTINCT t.hash) > 1 OR bool_or(t.hash <> c.request_hash)
	) THEN
		RAISE EXCEPTION 'the key was used for another request' USING ERRCODE = 'PE001';
	END IF;
	fresh := ARRAY(
		SELECT requests[n] FROM (
			SELECT min(n) AS n FROM unnest(keys) WITH ORDINALITY AS t(key, n)
			WHERE NOT EXISTS (SELECT FROM command c WHERE c.client = p_client AND c.key = t.key)
			GROUP BY t.key) AS first
		ORDER BY n);
	IF cardinality(fresh) > 0 THEN
		PERFORM submit_batch(p_client, fresh);
	END IF;
	RETURN ARRAY(
		SELECT c.outcome FROM unnest(keys) WITH ORDINALITY AS t(key, n)
		JOIN command c ON c.client = p_client AND c.key = t.key ORDER BY n);
END $$;
