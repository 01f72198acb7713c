/* test_follow.c — store_follow against a real database: an engine that reigns commits, another keeps level with it. */
#include "base/mem.h"
#include "core/words.h"
#include "kit/kit.h"
#include "store/journal.h"
#include "store/open.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(follow, .fini = kit_fini, .timeout = 60.0);

#define TEXT(s) ((struct text){s, sizeof s - 1})
enum { STILL_MAX = 3 };

static char database[80], dsn[300];
static PGconn *admin; /* superuser, in the test's own database */
static struct opening reigning, following;
static struct journal journal;
static struct update update;
static struct event event;
static uv_loop_t loop;
static uint32_t committed, refused;
static bool closed;

static PGconn *connect_to(const char *name)
{
	const char *const keywords[] = {"dbname", NULL}, *const values[] = {name, NULL};
	PGconn *pg = PQconnectdbParams(keywords, values, 0);

	cr_assert(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
	return pg;
}

static void run(PGconn *pg, const char *sql)
{
	PGresult *r = PQexec(pg, sql);

	cr_assert(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(pg));
	PQclear(r);
}

static void on_committed(void *data, const uint8_t row_hash[DIGEST_BYTES])
{
	(void)data;
	(void)row_hash;
	committed++;
}

static void on_refused(void *data, enum err why, const char *message)
{
	(void)data;
	(void)why;
	(void)message;
	refused++;
}

static void on_beat(void *data, enum err why, int64_t framework_version)
{
	(void)data;
	(void)framework_version;
	cr_expect(why == ERR_OK);
}

static void on_handed_over(void *data, enum err why)
{
	(void)data;
	cr_expect(why == ERR_OK);
}

static void on_closed(void *data, enum err why)
{
	(void)data;
	(void)why;
	journal_free(&journal);
	closed = true;
}

static const struct journal_ops ops = {.on_committed = on_committed, .on_refused = on_refused, .on_beat = on_beat,
				       .on_handed_over = on_handed_over, .on_closed = on_closed};

static struct opening opening_of(const char *name, int64_t instance)
{
	struct opening o = {.dsn = dsn, .shard = 1, .keys_max = 1000, .write_count = 1,
			    .limits = {.packages_max = 20000, .placements_max = 20000, .blocks_max = 10000},
			    .claim = {.instance = instance, .fresh = true, .still_max = STILL_MAX}};

	snprintf(o.claim.engine, sizeof o.claim.engine, "%s", name);
	return o;
}

/* One engine reigns and may commit; the other follows. */
static void begin(void)
{
	const char *template = getenv("CALLOFF_TEMPLATE");
	PGconn *pg = connect_to("postgres");
	char sql[300];

	cr_assert(template != NULL, "needs tests/pg/with_demo.py");
	snprintf(database, sizeof database, "calloff_follow_%d", (int)getpid());
	snprintf(dsn, sizeof dsn, "dbname=%s user=calloff_engine", database);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", database, template);
	run(pg, sql);
	PQfinish(pg);
	admin = connect_to(database);
	reigning = opening_of("first", 11);
	following = opening_of("second", 22);
	cr_assert(store_open(&reigning) == ERR_OK && reigning.reigns, "%s", reigning.note);
	cr_assert(store_open(&following) == ERR_OK && !following.reigns, "%s", following.note);
	cr_expect_str_eq(following.fence.engine, "first");
	cr_assert(uv_loop_init(&loop) == 0);
	cr_assert(journal_open(&journal, &loop, &reigning.write[0], 1, &reigning.fence, &ops, NULL) == ERR_OK);
	reigning.write[0] = NULL;
}

static void end(void)
{
	PGconn *pg;
	char sql[200];

	journal_close(&journal);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(closed && uv_loop_close(&loop) == 0);
	store_open_free(&reigning);
	store_open_free(&following);
	PQfinish(admin);
	pg = connect_to("postgres");
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", database);
	run(pg, sql);
	PQfinish(pg);
}

static void turn_until(const uint32_t *count, uint32_t wanted)
{
	for (int i = 0; i < 10000 && *count < wanted && refused == 0; i++)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert(*count >= wanted && refused == 0);
}

/* Submits so many packages, in one batch, on the core that reigns. */
static void submit(uint32_t count)
{
	static uint8_t serial;
	uint8_t leaf[DIGEST_BYTES];

	for (uint32_t i = 0; i < count; i++) {
		struct batch_command command = {.client = TEXT("unix:0"), .key = {1, [15] = ++serial}};

		memset(&event, 0, sizeof event);
		event.type = EVENT_SUBMIT;
		event.principal = command.client;
		event.seq = journal_next_seq(&journal);
		event.now_us = reigning.fence.clock_us + event.seq;
		event.submit = (struct requirement){
			.case_ref = TEXT("C-1"), .person_ref = TEXT("X-1"), .sector = TEXT("CM0 7"), .district = TEXT("Maldon"),
			.service = SERVICE_PERSONAL_CARE, .urgency = URGENCY_STANDARD, .risk = RISK_AMBER, .cover = COVER_FAMILY,
			.funding = FUNDING_COUNCIL, .regime = REGIME_CARE_ACT_S18, .visit_count = 1,
			.visits = {{.days = 127, .band = BAND_LUNCH, .bands = 1 << BAND_LUNCH, .carers = 1,
				    .minutes = (uint16_t)(15 + 15 * (serial % 3))}}};
		core_step(reigning.core, &event, &update);
		journal_add(&journal, &event, &update, &command, leaf);
	}
	cr_assert(journal_send(&journal, event.now_us) == ERR_OK);
	turn_until(&committed, committed + 1);
}

static void expect(enum err wanted, const char *note)
{
	enum err e = store_follow(&following);

	cr_expect(e == wanted, "%s, not %s: %s", err_name((int)e), err_name((int)wanted), following.note);
	cr_expect(strstr(following.note, note) != NULL, "the note is: %s", following.note);
}

Test(follow, what_was_followed_is_what_was_decided)
{
	begin();
	submit(1);
	submit(40);
	expect(ERR_OK, "");
	cr_expect(following.followed == 41 && following.differs == 0);
	cr_expect(core_state_hash(following.core) == core_state_hash(reigning.core));
	submit(3);
	expect(ERR_OK, "");
	cr_expect(core_state_hash(following.core) == core_state_hash(reigning.core));
	cr_expect(!following.reigns && following.fence.last_seq == journal.fence.last_seq);
	end();
}

Test(follow, silence_is_so_many_looks_at_a_fence_that_does_not_move)
{
	begin();
	submit(2);
	for (int look = 0; look < STILL_MAX; look++)
		expect(ERR_OK, "");
	cr_expect(!following.reigns);
	cr_assert(journal_beat(&journal, event.now_us + 5) == ERR_OK);
	uv_run(&loop, UV_RUN_ONCE);
	usleep(200000);
	for (int look = 0; look < STILL_MAX; look++)
		expect(ERR_OK, "");
	cr_expect(!following.reigns, "the beat was not seen");
	submit(2);
	for (int look = 0; look < STILL_MAX; look++)
		expect(ERR_OK, "");
	cr_expect(!following.reigns, "a commit moves the fence too");
	expect(ERR_OK, "");
	cr_expect(following.reigns && following.fence.epoch == reigning.fence.epoch + 1);
	cr_expect(following.followed == 4 && core_state_hash(following.core) == core_state_hash(reigning.core));
	cr_expect(following.keys_all && following.key_count == 4, "%u keys", following.key_count);
	cr_expect(following.write[0] != NULL);
	end();
}

Test(follow, a_shard_that_was_handed_over_is_taken_at_once)
{
	begin();
	submit(1);
	cr_assert(journal_hand_over(&journal) == ERR_OK);
	uv_run(&loop, UV_RUN_ONCE);
	usleep(200000);
	expect(ERR_OK, "");
	cr_expect(following.reigns && following.followed == 1);
	end();
}

Test(follow, a_framework_that_was_edited_must_be_read_again)
{
	begin();
	run(admin, "UPDATE calloff.provider SET genders = genders WHERE provider_no = 1");
	expect(ERR_STORE_STALE, "framework");
	end();
}

/* Its connection to read is ended by the server. */
static void cut(void)
{
	char sql[80];

	snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(following.read));
	run(admin, sql);
	expect(ERR_STORE, "");
}

Test(follow, a_cut_connection_costs_a_look_and_no_load)
{
	begin();
	submit(2);
	expect(ERR_OK, "");
	cut();
	submit(1);
	expect(ERR_OK, "");
	cr_expect(following.followed == 3);
	end();
}

/* A failover may have taken an edit away that was read here, and the next edit has its number. */
Test(follow, of_another_postgresql_the_framework_is_read_again)
{
	begin();
	submit(1);
	expect(ERR_OK, "");
	cut();
	following.server_us--; /* as if what it read was on the one before */
	expect(ERR_STORE_STALE, "another PostgreSQL");
	end();
}

Test(follow, a_record_that_was_changed_is_noticed)
{
	begin();
	submit(3);
	run(admin, "SET session_replication_role = replica; UPDATE calloff.journal SET "
		   "records[2] = set_byte(records[2], 30, 1 - get_byte(records[2], 30) % 2)");
	expect(ERR_BAD_ROW, "does not go on");
	end();
}

Test(follow, a_journal_that_lost_its_end_is_noticed)
{
	begin();
	submit(1);
	expect(ERR_OK, "");
	run(admin, "SET session_replication_role = replica; DELETE FROM calloff.journal; "
		   "UPDATE calloff.fence SET last_seq = last_seq - 1, head_hash = prev_hash");
	expect(ERR_BAD_ROW, "lost");
	end();
}

Test(follow, an_engine_that_decides_otherwise_is_counted)
{
	begin();
	submit(1);
	/* the follower believes that every declaration has expired: it would have passed them all over */
	for (uint32_t i = 0; i < following.framework->pool_count; i++) {
		static const uint16_t none[2][CELLS];
		int32_t pool_no = following.framework->pools[i].pool_no;

		cr_assert(core_load_pool(following.core, pool_no, POOL_MODE_BINDING, none, 1, 0) == ERR_OK);
	}
	expect(ERR_OK, "");
	cr_expect(following.differs == 1);
	end();
}
