-- What every table, column, function and role means, kept in the database itself: psql's \d+ and \df+ show it.
-- Numbers of reasons, states, routes and so on are those of engine/core/words.h; 0 in a limit means none.
SET ROLE calloff_owner;
SET search_path = calloff, pg_temp;

CREATE PROCEDURE pg_temp.say_columns(t text, said text[]) LANGUAGE plpgsql AS $$
DECLARE
	pair text[];
BEGIN
	FOREACH pair SLICE 1 IN ARRAY said LOOP
		EXECUTE format('COMMENT ON COLUMN calloff.%I.%I IS %L', t, pair[1], pair[2]);
	END LOOP;
END $$;

DO $$
DECLARE
	t text;
BEGIN
	FOR t IN SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
		WHERE relnamespace = 'calloff'::regnamespace AND relkind IN ('r', 'p') AND attname = 'shard' LOOP
		EXECUTE format('COMMENT ON COLUMN calloff.%I.shard IS %L', t, 'The shard this row belongs to; it leads every key.');
	END LOOP;
END $$;

-- ---- the framework ----
COMMENT ON TABLE fence IS 'Where each shard stands: the one row that every commit must find unchanged, and moves.';
CALL pg_temp.say_columns('fence', ARRAY[
	['name', 'What people call the shard.'],
	['epoch', 'Counts the engines that took over; a commit of an older epoch is refused (CF001).'],
	['last_seq', 'Sequence of the last event in the journal; the next batch begins one above.'],
	['head_hash', 'row_hash of the last row of the journal, or the genesis hash; 32 bytes.'],
	['prev_hash', 'The head before that: what the last row of the journal names as the row before it.'],
	['framework_version', 'Counts the transactions that edited the framework; a commit decided on an older one is refused (CF003).'],
	['schema_version', 'The newest migration that the data of this shard is of; an engine serves only its own.'],
	['clock_us', 'The latest time any engine decided at, us UTC; it never goes back.']]);

COMMENT ON TABLE authority IS 'The councils whose frameworks this shard holds.';
CALL pg_temp.say_columns('authority', ARRAY[
	['authority_no', 'Number, stable for ever and never reused.'],
	['code', 'What people and the wire call it.'],
	['name', 'Its name.']]);

COMMENT ON TABLE district IS 'Districts of the authorities; lots are made of them.';
CALL pg_temp.say_columns('district', ARRAY[
	['district_no', 'Number, stable for ever and never reused.'],
	['code', 'Its ONS code: E07000074.'],
	['name', 'Its name, which the wire takes as well.']]);

COMMENT ON TABLE sector IS 'Postcode sectors: the finest place that the engine knows of a person.';
CALL pg_temp.say_columns('sector', ARRAY[
	['sector_no', 'Number, stable for ever and never reused.'],
	['code', 'The sector as it is written: CM0 7.'],
	['easting_m', 'Its middle on the national grid, metres east.'],
	['northing_m', 'Its middle on the national grid, metres north.'],
	['radius_m', 'Metres from its middle that hold most of its addresses.']]);

COMMENT ON TABLE sector_district IS 'The districts that a sector lies in: more than one where it straddles them.';
CALL pg_temp.say_columns('sector_district', ARRAY[
	['sector_no', 'The sector.'],
	['district_no', 'A district that holds a part of it.']]);

COMMENT ON TABLE skill IS 'Skills that a package may need and a provider may have.';
CALL pg_temp.say_columns('skill', ARRAY[
	['skill_no', 'Its bit in sets of skills, 0 to 30; never reused.'],
	['code', 'What the wire calls it: hoist.']]);

COMMENT ON TABLE language IS 'Languages that a person may need a carer to speak.';
CALL pg_temp.say_columns('language', ARRAY[
	['language_no', 'Its bit in sets of languages, 1 to 62; never reused.'],
	['code', 'Its ISO 639 code: pl.']]);

COMMENT ON TABLE provider IS 'Providers, keyed by registered location; how far each may be chosen.';
CALL pg_temp.say_columns('provider', ARRAY[
	['provider_no', 'Number, stable for ever and never reused.'],
	['code', 'What people and the wire call it.'],
	['location_code', 'Its location with the regulator.'],
	['rating_overall', 'The regulator''s overall rating: 0 not rated, 1 inadequate to 4 outstanding.'],
	['rating_safe', 'The rating for safe, on the same scale.'],
	['rating_well_led', 'The rating for well-led, on the same scale.'],
	['rated_on', 'The day of the rating; NULL where there is none.'],
	['rating_inherited', 'The rating is a predecessor''s, before a merger or re-registration.'],
	['improvement_plan', 'The council accepted an improvement plan.'],
	['skills', 'Set of skill_no: bit n is skill n.'],
	['genders', 'Carers it has: bit 0 female, bit 1 male.'],
	['languages', 'Set of language_no: bit n is language n.'],
	['starts_a_day_max', 'New packages it starts on one day at most; 0 no limit.'],
	['minutes_week_max', 'Carer minutes a week it holds at most, over all lists; 0 no limit.'],
	['office_sector_no', 'Where its office is; NULL not known.']]);

COMMENT ON TABLE framework IS 'Framework agreements; several live side by side.';
CALL pg_temp.say_columns('framework', ARRAY[
	['framework_no', 'Number, stable for ever and never reused.'],
	['authority_no', 'The council that let it.'],
	['code', 'What people call it: LAH25.'],
	['name', 'Its title.']]);

COMMENT ON TABLE lot IS 'Lots of a framework: sets of districts.';
CALL pg_temp.say_columns('lot', ARRAY[
	['lot_no', 'Number, stable for ever and never reused.'],
	['framework_no', 'The framework it is a lot of.'],
	['code', 'What people call it, within the framework.'],
	['name', 'Its name.']]);

COMMENT ON TABLE lot_district IS 'The districts of each lot.';
CALL pg_temp.say_columns('lot_district', ARRAY[
	['lot_no', 'The lot.'],
	['district_no', 'A district in it.']]);

COMMENT ON TABLE policy IS 'How packages are called off: immutable versions; a change is a new row that list versions point at.';
CALL pg_temp.say_columns('policy', ARRAY[
	['policy_no', 'Number of this version, stable for ever and never reused.'],
	['code', 'What people call it, over all its versions.'],
	['version', 'Counts the versions of the code.'],
	['award_style', 'Who says yes: 1 direct, a binding declaration; 2 offer, the provider is asked.'],
	['confirmation', 'Who confirms: 1 an officer, 2 automatic.'],
	['confirm_minutes', 'Minutes an officer has before a nomination escalates.'],
	['unknown_pool', 'What a pool with an expired declaration means: 1 ask, 2 pass over.'],
	['travel_minutes_visit', 'Minutes of travel counted with every visit.'],
	['rating_min', 'Lowest overall rating that may be chosen; 0 any.'],
	['not_rated_open', 'A provider that is not rated may be chosen.'],
	['improvement_plan_open', 'A provider rated below rating_min may be chosen with an improvement plan.'],
	['routes', 'Routes in the order they are tried: 1 framework, 2 spot, 3 bridging, 4 last resort.'],
	['polr_urgencies', 'Urgencies that open the last resort: bit n is urgency n.'],
	['polr_risks', 'Risks that open the last resort: bit n is risk n.'],
	['polr_no_cover', 'A person with nobody to look after them opens the last resort.'],
	['polr_days', 'Days after its start that a last-resort placement ends.']]);

COMMENT ON TABLE policy_clause IS 'The published clause behind every rule of a policy that can pass a provider over.';
CALL pg_temp.say_columns('policy_clause', ARRAY[
	['policy_no', 'The policy version.'],
	['reason', 'The reason it is the clause of (REASON_MAP).'],
	['clause', 'The clause, as published.']]);

COMMENT ON TABLE list IS 'Ranked lists: one for a lot, a service and, where the framework splits them, a client group.';
CALL pg_temp.say_columns('list', ARRAY[
	['list_no', 'Number, stable for ever and never reused.'],
	['lot_no', 'The lot.'],
	['service', 'The service: 1 personal care, 2 waking night, 3 sleeping night, 4 live-in.'],
	['client_group', 'The client group; 0 any.'],
	['code', 'What people and the wire call it.']]);

COMMENT ON TABLE list_version IS 'Versions of a list: who ranks where from when, under which policy.';
CALL pg_temp.say_columns('list_version', ARRAY[
	['list_no', 'The list.'],
	['version', 'Counts the versions of the list.'],
	['effective_from_us', 'The first instant it is effective, us UTC.'],
	['effective_until_us', 'The first instant it is no longer effective, us UTC.'],
	['policy_no', 'The policy version that rules it.']]);

COMMENT ON TABLE list_entry IS 'One provider''s place on a version of a list.';
CALL pg_temp.say_columns('list_entry', ARRAY[
	['list_no', 'The list.'],
	['version', 'Its version.'],
	['provider_no', 'The provider.'],
	['route', 'The route it stands on: 1 framework, 2 spot, 3 bridging, 4 last resort.'],
	['tier', 'Its tier; lower is tried first.'],
	['rank', 'Its rank within the tier; lower is tried first.'],
	['order_no', 'Breaks ties of rank: a total order of the list version.'],
	['score_milli', 'The tender''s score, thousandths.'],
	['price_pence_hour', 'Price of an hour of one carer, pence.'],
	['share_cap_minutes_week', 'Carer minutes a week it holds on this list at most; 0 no cap.']]);

COMMENT ON TABLE provider_status IS 'What closes a provider to new work, on one list or on all, while it holds.';
CALL pg_temp.say_columns('provider_status', ARRAY[
	['provider_no', 'The provider.'],
	['status_no', 'Counts its statuses; several may hold at once.'],
	['status', '2 paused, 3 capped, 4 embargoed, 5 suspended, 6 exiting, 7 failed.'],
	['list_no', 'The list it is about; NULL all.'],
	['from_us', 'The first instant it holds, us UTC.'],
	['until_us', 'The first instant it no longer holds, us UTC.'],
	['starts_week_max', 'For capped: new packages a week, Monday to Sunday.'],
	['clause', 'The published clause it rests on.'],
	['set_by', 'Who set it: an opaque reference.'],
	['why', 'Why, for officers; never shown to other providers.']]);

COMMENT ON TABLE pool IS 'The staff time that one provider offers in the sectors its coverage names; what it holds is in capacity.';
CALL pg_temp.say_columns('pool', ARRAY[
	['pool_no', 'Number, stable for ever and never reused.'],
	['provider_no', 'Whose staff it is.'],
	['code', 'What people and the wire call it.'],
	['kind', 'What a unit is: 1 five minutes of carer time, 2 a night, 3 a live-in place.']]);

COMMENT ON TABLE coverage IS 'Where a provider works on a list, and with which pool: exactly one for a list, provider and sector.';
CALL pg_temp.say_columns('coverage', ARRAY[
	['list_no', 'The list.'],
	['provider_no', 'The provider.'],
	['sector_no', 'A sector it works in.'],
	['pool_no', 'The pool that serves it there.']]);

COMMENT ON TABLE framework_edit IS 'One row a transaction that touched the framework; its deferred trigger moves framework_version once.';
CALL pg_temp.say_columns('framework_edit', ARRAY[
	['xid', 'The transaction.'],
	['edited_by', 'The login role that edited.'],
	['edited_at', 'When the transaction began.']]);

-- ---- the store ----
COMMENT ON TABLE grid_shape IS 'The grid of one unit in one band on a set of days: what multiplies a demand line into a week.';
CALL pg_temp.say_columns('grid_shape', ARRAY[
	['shape', 'days (bits 0 to 6, bit 0 Monday) + band * 128 + paired * 1024: the low eleven bits of a visit code.'],
	['grid', 'The grid with 1 in each of those cells.']]);

COMMENT ON TABLE capacity IS 'What a pool declared of the week and what is committed of it, in the pool''s units, as grids: cell '
	'i = paired*56 + day*8 + band stands in decimal digits 6i to 6i+5.';
CALL pg_temp.say_columns('capacity', ARRAY[
	['pool_no', 'The pool.'],
	['mode', 'What its declaration means: 1 binding, 2 advisory, 3 ignored.'],
	['declared', 'Time declared, of single carers and of two together; a grid with a leading 1 above cell 111.'],
	['overhang', 'How far the committed time was over its declaration when it was cut; it only shrinks.'],
	['committed', 'Time that live placements hold.'],
	['declared_at_us', 'When it was declared, us UTC.'],
	['expires_us', 'When the declaration expires and the pool is unknown, us UTC.'],
	['available_from_day', 'The first day new work can start, days since 1970-01-01; 0 at once.']]);

COMMENT ON TABLE package IS 'Packages of care: what is asked for, and how far it has come. No name, address or birth date has a place here.';
CALL pg_temp.say_columns('package', ARRAY[
	['package_no', 'The sequence of its submission: P-10482 is 10482.'],
	['state', 'Where it is in its life (STATE_MAP).'],
	['changed_seq', 'The sequence that last changed its state.'],
	['case_ref', 'The case, opaque.'],
	['person_ref', 'The person, opaque.'],
	['household_ref', 'The household, opaque.'],
	['bundle_ref', 'Two packages with one reference are called off together; empty: none.'],
	['owner_ref', 'The officer, opaque.'],
	['list_no', 'The ranked list it is called off from.'],
	['sector_no', 'Where the person lives.'],
	['district_no', 'Where the person lives.'],
	['service', 'The service: 1 personal care, 2 waking night, 3 sleeping night, 4 live-in.'],
	['client_group', 'The client group; 0 any.'],
	['requirement_version', 'Counts material changes of what is asked for.'],
	['visits', 'One code a visit: days in bits 0 to 6, band 7 to 9, paired 10, units 11 to 19.'],
	['visit_facts', 'One a visit: bands allowed in bits 0 to 7, carried by the bundle''s partner 8, time-critical 9, tolerance minutes 10 '
		'to 17, minutes 18 to 28, carers 29 to 30.'],
	['skills', 'Set of skill_no it needs: bit n is skill n.'],
	['gender', 'Carers'' gender required: 0 any, 1 female, 2 male.'],
	['language', 'language_no required; 0 none.'],
	['urgency', '1 emergency to 5 standard.'],
	['risk', '1 red, 2 amber, 3 green.'],
	['cover', 'Who looks after the person meanwhile: 1 nobody, 2 ward, 3 family, 4 reablement, 5 present provider.'],
	['funding', 'Who pays: 1 council, 2 joint, 3 continuing healthcare, 4 the person.'],
	['regime', 'The law it is arranged under (REGIME_MAP).'],
	['prerequisites', 'What must be there before the start: bit 0 equipment, bit 1 key safe.'],
	['need_arose_us', 'When the need arose, us UTC.'],
	['start_day', 'The day care should start, days since 1970-01-01.'],
	['latest_start_us', 'The latest safe start, us UTC; 0 the start day.'],
	['cover_until_us', 'How long the cover lasts, us UTC; 0 open.'],
	['ceiling_pence_hour', 'The price an hour that is authorised, pence; 0 none.'],
	['excluded', 'provider_no that may not be chosen for this person.']]);

COMMENT ON TABLE round IS 'Sourcing rounds: each call-off of a package, with the versions it was pinned to.';
CALL pg_temp.say_columns('round', ARRAY[
	['package_no', 'The package.'],
	['opened_seq', 'The sequence of the event that called it off; its record in the journal holds every candidate.'],
	['requirement_version', 'The requirement it was called off with.'],
	['list_no', 'The list.'],
	['list_version', 'The version of the list that was effective.'],
	['policy_no', 'The policy version that ruled it.'],
	['outcome', '1 a provider nominated, 2 last resort or bridging, 3 nobody.'],
	['looked_at', 'How many candidates were looked at.']]);

COMMENT ON TABLE placement IS 'Who holds a package, and what it takes of which pool; the primary key lets one live main, interim and outgoing stand.';
CALL pg_temp.say_columns('placement', ARRAY[
	['package_no', 'The package.'],
	['role', '1 main, 2 interim, 3 outgoing.'],
	['ended_seq', 'The sequence that ended it; 0 while it lives.'],
	['made_seq', 'The sequence that made it.'],
	['pool_no', 'The pool it takes capacity of.'],
	['provider_no', 'The provider.'],
	['list_no', 'The list it was called off from.'],
	['route', '1 framework, 2 spot, 3 bridging, 4 last resort.'],
	['tier', 'The provider''s tier when it was chosen.'],
	['rank', 'The provider''s rank when it was chosen.'],
	['start_day', 'The day care starts, days since 1970-01-01.'],
	['exit_day', 'The day an interim placement ends, days since 1970-01-01; 0 open.'],
	['price_pence_week', 'Its price a week, pence.'],
	['carer_minutes_week', 'Its carer minutes a week: two carers together count twice.'],
	['demand', 'The package''s visits in the bands they went to; what capacity is taken of.']]);

COMMENT ON TABLE command IS 'Client and key of every command ever decided, with what was told: the same key never acts twice.';
COMMENT ON TABLE command_default IS 'Commands of no partition of their own.';
CALL pg_temp.say_columns('command', ARRAY[
	['client', 'The principal that sent it: unix:1000.'],
	['key', 'The key, UUIDv7.'],
	['request_hash', 'First 16 bytes of the SHA-256 of the event: the same key must ask the same.'],
	['seq', 'The sequence it was decided under.'],
	['outcome', 'What was told (engine/core/record.h: outcome_encode), at most 128 bytes.']]);

COMMENT ON TABLE journal IS 'Every event and its effects, one row a batch; append-only, gapless, chained by hashes.';
COMMENT ON TABLE journal_default IS 'Rows of the journal of no partition of their own.';
CALL pg_temp.say_columns('journal', ARRAY[
	['first_seq', 'Sequence of its first event.'],
	['last_seq', 'Sequence of its last event.'],
	['epoch', 'The epoch of the engine that decided it.'],
	['clock_us', 'The engine''s time when it sent the batch, us UTC.'],
	['framework_version', 'The version of the framework it was decided on.'],
	['prev_hash', 'row_hash of the row before, or the genesis hash.'],
	['row_hash', 'SHA-256 over shard, sequences, epoch, prev_hash and the root of the leaves.'],
	['leaves', '32 bytes an event: SHA-256 of its salt and record; a leaf outlives its record.'],
	['salts', '32 random bytes an event; zero where the record was erased.'],
	['records', 'One an event (engine/core/record.h); empty where it was erased.']]);

-- ---- views and partitions: the words of the columns they show ----
DO $$
DECLARE
	v record;
BEGIN
	FOR v IN SELECT c.relname AS view_name, a.attname, col_description(t.oid, b.attnum) AS said
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		JOIN pg_class t ON t.relnamespace = c.relnamespace AND c.relname IN ('read_' || t.relname, t.relname || '_default')
		JOIN pg_attribute b ON b.attrelid = t.oid AND b.attname = a.attname
		WHERE c.relnamespace = 'calloff'::regnamespace AND c.relkind IN ('v', 'r') AND t.relkind IN ('r', 'p')
			AND a.attnum > 0 LOOP
		EXECUTE format('COMMENT ON COLUMN calloff.%I.%I IS %L', v.view_name, v.attname, v.said);
	END LOOP;
END $$;

-- ---- functions ----
COMMENT ON FUNCTION take_over IS 'Compare-and-set to the next epoch: fences the engine before, and so resolves every commit whose answer was lost. No '
	'row: another engine was faster.';
COMMENT ON FUNCTION heartbeat IS 'Is this engine still the one? Moves the fence''s clock and tells the framework version; CF001 when it is deposed.';
COMMENT ON FUNCTION commit_batch_v1 IS 'Commits one batch of decisions, whole or not at all: fence, journal, commands, packages, states, rounds, '
	'declarations, placements and the capacity they take. Returns the journal row''s hash.';
COMMENT ON FUNCTION fence_refusal IS 'Says why the fence did not move: CF001 deposed or no such shard, CF002 out of sequence, CF003 another framework.';
COMMENT ON FUNCTION capacity_declare IS 'Puts declared weeks in place, 56 cells a pool and plane; what is committed beyond them becomes overhang. CF105: '
	'no such pool, or one twice.';
COMMENT ON FUNCTION demand_is_of_visits IS 'Does each line of a demand stand for its visit: same days, plane and units, in a band the visit allows?';
COMMENT ON FUNCTION refuse IS 'Raises an error under a code of ours, from within a query.';
COMMENT ON FUNCTION refuse_row IS 'CF107: a row whose sequence is not of the batch; CF001 when the engine was deposed.';
COMMENT ON FUNCTION fence_is_reached IS 'Has the batch before ours committed? A short wait when it has not; CF001, CF002, CF003 when ours never can.';
COMMENT ON FUNCTION tree_leaves IS 'The leaves of a batch: SHA-256 over 0x00, a salt and a record, 32 bytes each.';
COMMENT ON FUNCTION tree_root IS 'Root of the hash tree over 32-byte leaves, fan-out 16.';
COMMENT ON FUNCTION row_hash IS 'Hash of a journal row: what chains it to the row before.';
COMMENT ON FUNCTION grid_of IS 'Packs 112 cells into a grid, behind a lead of 1 for a declaration or 0 for anything else.';
COMMENT ON FUNCTION grid_cells IS 'Unpacks a grid into its 112 cells.';
COMMENT ON FUNCTION grid_overhang IS 'Cell by cell, how far committed is above declared.';
COMMENT ON FUNCTION grid_overhang_left IS 'What is left of an overhang, cell by cell, when so much is committed.';
COMMENT ON FUNCTION pool_begins_unknown IS 'A new pool gets its capacity row, empty and expired: unknown.';
COMMENT ON FUNCTION framework_was_edited IS 'Notes, once a transaction and shard, that the framework was touched.';
COMMENT ON FUNCTION framework_version_moves IS 'At the transaction''s end moves framework_version by one and notifies engines.';
COMMENT ON FUNCTION journal_is_append_only IS 'Refuses UPDATE, DELETE and TRUNCATE of the journal (CF106).';
COMMENT ON SCHEMA calloff IS 'Calloff: the framework that councils write, and what the engine decided.';
RESET ROLE;

-- Roles are the cluster's: another database being migrated at this moment may be saying the same of them.
DO $$
DECLARE
	pair text[];
BEGIN
	FOREACH pair SLICE 1 IN ARRAY ARRAY[
		['calloff_owner', 'Owns the schema; never logs in.'],
		['calloff_engine', 'The engine: executes take_over, heartbeat and commit_batch_v1, reads the read_ views, nothing else.'],
		['calloff_framework', 'Commissioners: edit the framework, never capacity, packages or the journal.'],
		['calloff_report', 'Reports: read the read_ views.']] LOOP
		IF shobj_description((SELECT oid FROM pg_roles WHERE rolname = pair[1]), 'pg_authid') IS DISTINCT FROM pair[2] THEN
			BEGIN
				EXECUTE format('COMMENT ON ROLE %I IS %L', pair[1], pair[2]);
			EXCEPTION WHEN internal_error OR unique_violation THEN
				NULL; -- "tuple concurrently updated"
			END;
		END IF;
	END LOOP;
END $$;
