/* test_batch.c — what one commit may hold, where each effect travels in it, and what it is signed with. */
#include "kit/kit.h"

#include "unit/fixture.h"

#include "store/batch.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(batch);

static struct world world;
static struct batch batch;
static uint8_t leaf[DIGEST_BYTES];

static void begin(void)
{
	world_rows(&world);
	world.policies[0].confirmation = CONFIRMATION_OFFICER;
	world_open(&world);
	for (int pool = 0; pool < 3; pool++)
		world_declare(&world, world.pools[pool].code, 6000);
	memset(&batch, 0xa5, sizeof batch);
	batch_init(&batch);
}

static void end(void)
{
	batch_free(&batch);
	world_close(&world);
}

/* The event that was just decided. */
static void add(void)
{
	static const struct batch_command command = {.client = {"c", 1}};

	batch_add(&batch, &world.event, &world.update, &command, 1, leaf);
}

static void submit(void)
{
	world_submit(&world, 15);
	world_step(&world);
	add();
}

static bool takes(enum event_type type, int64_t package_no)
{
	struct event event = {.type = type};

	event.change.package_no = package_no;
	return batch_takes(&batch, &event);
}

static bool takes_anything(void)
{
	return takes(EVENT_SUBMIT, 0) && takes(EVENT_DECLARE, 0) && takes(EVENT_CONFIRM, 1) && takes(EVENT_WITHDRAW, 1) &&
	       takes(EVENT_END, 1);
}

Test(batch, an_empty_one_takes_anything)
{
	begin();
	cr_expect(takes_anything());
	end();
}

/* SQL makes placements last: nothing that ends one may follow in the same commit; and what is declared is declared alone. */
Test(batch, after_a_submission_only_submissions)
{
	begin();
	submit();
	cr_expect(takes(EVENT_SUBMIT, 0));
	cr_expect(!takes(EVENT_DECLARE, 0) && !takes(EVENT_CONFIRM, 9) && !takes(EVENT_WITHDRAW, 9) && !takes(EVENT_END, 9));
	end();
}

static void confirm(int64_t package_no)
{
	world_change(&world, EVENT_CONFIRM, package_no);
	cr_assert(world.update.change_count == 1, "%d", world.update.outcome.refusal);
	add();
}

Test(batch, a_package_is_changed_once_in_it)
{
	int64_t first, second;

	begin();
	first = world_place(&world, 30);
	second = world_place(&world, 30);
	confirm(first);
	cr_expect(!takes(EVENT_END, first) && takes(EVENT_END, second) && takes(EVENT_SUBMIT, 0) && !takes(EVENT_DECLARE, 0));
	confirm(second);
	cr_expect(!takes(EVENT_END, first) && !takes(EVENT_END, second) && takes(EVENT_END, second + 1));
	end();
}

Test(batch, cleared_it_is_as_new)
{
	int64_t first, second;

	begin();
	first = world_place(&world, 30);
	second = world_place(&world, 30);
	submit();
	cr_expect(!takes_anything());
	batch_clear(&batch);
	cr_expect(takes_anything() && batch.count == 0 && batch.touched_count == 0);
	for (int kind = 0; kind < BATCH_KIND_COUNT; kind++)
		cr_expect(batch.rows[kind].count == 0);
	confirm(first);
	cr_expect(takes(EVENT_END, second) && !takes(EVENT_END, first));
	end();
}

Test(batch, it_ends_at_so_many_events)
{
	begin();
	world_submit(&world, 15);
	world_step(&world);
	for (int i = 0; i < BATCH_EVENTS_MAX; i++) {
		cr_assert(takes(EVENT_SUBMIT, 0), "%d", i);
		add();
	}
	cr_expect(!takes(EVENT_SUBMIT, 0));
	end();
}

/* A record of the largest size still fits in what is left. */
Test(batch, it_ends_at_so_many_bytes)
{
	size_t before;

	begin();
	submit();
	before = buf_len(&batch.records.buf);
	batch.records.buf.to = batch.records.buf.from + BATCH_BYTES_MAX - RECORD_BYTES_MAX;
	cr_expect(takes(EVENT_SUBMIT, 0));
	batch.records.buf.to++;
	cr_expect(!takes(EVENT_SUBMIT, 0));
	batch.records.buf.to = batch.records.buf.from + before;
	end();
}

Test(batch, it_ends_where_no_more_changed_packages_can_be_remembered)
{
	begin();
	confirm(world_place(&world, 30));
	batch.touched_count = BATCH_TOUCHED_MAX - 2;
	memset(batch.touched, 0, sizeof batch.touched);
	cr_expect(takes(EVENT_END, 77), "a bundle changes two");
	batch.touched_count++;
	cr_expect(!takes(EVENT_END, 77));
	end();
}

static void expect_rows(enum batch_kind kind, uint32_t count, const char *name)
{
	cr_expect(batch.rows[kind].count == count, "%u %s", batch.rows[kind].count, name);
}

#define EXPECT_ROWS(kind, count) expect_rows(BATCH_##kind, count, #kind)

Test(batch, a_placement_found_at_once_travels_beside_its_package)
{
	begin();
	submit();
	EXPECT_ROWS(commands, 1);
	EXPECT_ROWS(packages, 1);
	EXPECT_ROWS(nominations, 1);
	EXPECT_ROWS(rounds, 1);
	EXPECT_ROWS(placements, 0);
	cr_expect(!batch.rows[BATCH_nominations].has_null);
	end();
}

Test(batch, a_package_that_waits_has_no_placement_beside_it)
{
	begin();
	world_submit(&world, 15)->bundle_ref = text_of("B-1");
	world_step(&world);
	add();
	EXPECT_ROWS(packages, 1);
	EXPECT_ROWS(nominations, 1);
	EXPECT_ROWS(rounds, 0);
	cr_expect(batch.rows[BATCH_nominations].has_null);
	end();
}

/* The half that waited is placed with the one that came. */
Test(batch, the_placements_of_a_bundle_travel_by_themselves)
{
	begin();
	for (int half = 0; half < 2; half++) {
		world_submit(&world, 15)->bundle_ref = text_of("B-1");
		world_step(&world);
	}
	cr_assert(world.update.made_count == 2 && world.update.new_count == 1);
	add();
	EXPECT_ROWS(packages, 1);
	EXPECT_ROWS(placements, 2);
	EXPECT_ROWS(rounds, world.update.round_count);
	cr_expect(world.update.round_count > 0 && batch.rows[BATCH_nominations].has_null);
	cr_expect(world.update.change_count > 0 && batch.touched_count == 0, "where nothing that changes a package may follow");
	end();
}

Test(batch, a_leaf_is_of_its_salt_and_record_and_no_salt_comes_twice)
{
	enum { MANY = 150 }; /* more than are drawn at once */
	const char *values[BATCH_PARAMS];
	uint8_t again[DIGEST_BYTES];
	int lengths[BATCH_PARAMS];

	begin();
	for (int i = 0; i < MANY; i++) {
		struct buf *records = &batch.records.buf;
		const uint8_t *record;

		submit();
		record = records->bytes + records->to;
		record -= 8 + (batch.record[4] | batch.record[5] << 8); /* a record says how long it is */
		digest_leaf(batch.salts + i * SALT_BYTES, record, (size_t)(records->bytes + records->to - record), again);
		cr_assert(memcmp(leaf, again, DIGEST_BYTES) == 0, "event %d", i);
	}
	batch_params(&batch, values, lengths);
	cr_expect(lengths[0] == MANY * SALT_BYTES);
	for (int i = 0; i < MANY; i++) {
		for (int j = 0; j < i; j++)
			cr_assert(memcmp(values[0] + i * SALT_BYTES, values[0] + j * SALT_BYTES, SALT_BYTES) != 0, "%d, %d", i, j);
	}
	end();
}

/* ---- the row types of the database ---- */

/* As load_row_types answers from sql/schema/0004. */
static const char *const types[][2] = {
	{"command_v1", "client text,key uuid,request_hash bytea,seq int8,outcome bytea"},
	{"declaration_v1", "pool_no int4,single _int2,paired _int2,declared_at_us int8,expires_us int8,available_from_day int4"},
	{"ended_v1", "package_no int8,role int2,seq int8"},
	{"package_v1",
	 "package_no int8,state int2,changed_seq int8,case_ref text,person_ref text,household_ref text,bundle_ref text,"
	 "owner_ref text,list_no int4,sector_no int4,district_no int2,service int2,client_group int2,requirement_version int2,"
	 "visits _int4,visit_facts _int8,skills int4,gender int2,language int2,urgency int2,risk int2,cover int2,funding int2,"
	 "regime int2,prerequisites int2,need_arose_us int8,start_day int4,latest_start_us int8,cover_until_us int8,"
	 "ceiling_pence_hour int4,excluded _int4"},
	{"placement_v1",
	 "package_no int8,role int2,made_seq int8,pool_no int4,provider_no int4,list_no int4,route int2,tier int2,rank int2,"
	 "start_day int4,exit_day int4,price_pence_week int4,carer_minutes_week int4,demand _int4"},
	{"round_v1",
	 "package_no int8,opened_seq int8,requirement_version int2,list_no int4,list_version int4,policy_no int4,outcome int2,"
	 "looked_at int2"},
	{"state_v1", "package_no int8,was int2,next int2,seq int8"},
	{"unknown_v1", "package_no int8,was int2,next int2,seq int8"}, /* of a later schema, say */
};

enum { TYPES = sizeof types / sizeof types[0], TYPES_NEEDED = TYPES - 1, OID_FIRST = 16400, NO_TYPE = -1 };

static PGresult *answer(int skipped, int changed)
{
	static PGresAttDesc attributes[3] = {{.name = (char *)"type"}, {.name = (char *)"oid"}, {.name = (char *)"columns"}};
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	char type[32], oid[16], columns[800];
	int row = 0;

	cr_assert(PQsetResultAttrs(result, 3, attributes) == 1);
	for (int i = 0; i < TYPES; i++) {
		if (i == skipped)
			continue;
		snprintf(type, sizeof type, "%s", types[i][0]);
		snprintf(oid, sizeof oid, "%d", OID_FIRST + i);
		snprintf(columns, sizeof columns, "%s%s", types[i][1], i == changed ? ",more int4" : "");
		cr_assert(PQsetvalue(result, row, 0, type, (int)strlen(type)) &&
			  PQsetvalue(result, row, 1, oid, (int)strlen(oid)) &&
			  PQsetvalue(result, row, 2, columns, (int)strlen(columns)));
		row++;
	}
	return result;
}

static bool knows(int skipped, int changed)
{
	PGresult *result = answer(skipped, changed);
	bool known;

	batch_init(&batch);
	known = batch_knows_types(&batch, result);
	PQclear(result);
	batch_free(&batch); /* what it learnt stays readable */
	return known;
}

Test(batch, it_knows_the_row_types_of_the_schema_and_no_others)
{
	cr_expect(knows(TYPES - 1, NO_TYPE), "without the one that it does not know");
	cr_expect(knows(NO_TYPE, NO_TYPE));
	cr_expect(batch.rows[BATCH_commands].type_oid == OID_FIRST);
	cr_expect(batch.rows[BATCH_states].type_oid == OID_FIRST + TYPES_NEEDED - 1);
	cr_expect(batch.rows[BATCH_placements].type_oid == OID_FIRST + 4);
	cr_expect(batch.rows[BATCH_nominations].type_oid == OID_FIRST + 4);
	for (int type = 0; type < TYPES_NEEDED; type++)
		cr_expect(!knows(type, NO_TYPE) && !knows(NO_TYPE, type), "%s", types[type][0]);
}
