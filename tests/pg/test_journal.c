/* test_journal.c — the write side of the store against a real database: what is told of a call, when, and in which order. */
#include "core/words.h"
#include "kit/kit.h"
#include "store/journal.h"
#include "store/open.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(journal, .fini = kit_fini, .timeout = 30.0);

#define TEXT(s) ((struct text){s, sizeof s - 1})

enum { LANES = 3, TOLD_MAX = 64 };

enum what { COMMITTED, REFUSED, BEAT, HANDED_OVER };

static struct told {
	enum what what;
	enum err why;
	uint8_t row_hash[DIGEST_BYTES];
	int64_t framework_version;
	char message[200];
} told[TOLD_MAX];

static uint32_t told_count, closed_count;
static enum err closed_why;
static char database[80], dsn[300];
static PGconn *admin; /* superuser, in the test's own database */
static struct opening opening;
static struct journal journal;
static struct update update;
static uv_loop_t loop;

/* ---- a database of its own ---- */

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

static void expect_sql(const char *sql, const char *wanted)
{
	PGresult *r = PQexec(admin, sql);

	cr_assert(PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1, "%s: %s", sql, PQerrorMessage(admin));
	cr_expect_str_eq(PQgetvalue(r, 0, 0), wanted, "%s: %s, not %s", sql, PQgetvalue(r, 0, 0), wanted);
	PQclear(r);
}

static void on_told(struct told t)
{
	cr_assert(told_count < TOLD_MAX && closed_count == 0);
	told[told_count++] = t;
}

static void on_committed(void *data, const uint8_t row_hash[DIGEST_BYTES])
{
	struct told t = {.what = COMMITTED};

	cr_assert(data == &opening);
	memcpy(t.row_hash, row_hash, DIGEST_BYTES);
	on_told(t);
}

static void on_refused(void *data, enum err why, const char *message)
{
	struct told t = {.what = REFUSED, .why = why};

	cr_assert(data == &opening);
	snprintf(t.message, sizeof t.message, "%s", message);
	on_told(t);
}

static void on_beat(void *data, enum err why, int64_t framework_version)
{
	cr_assert(data == &opening);
	on_told((struct told){.what = BEAT, .why = why, .framework_version = framework_version});
}

static void on_handed_over(void *data, enum err why)
{
	cr_assert(data == &opening);
	on_told((struct told){.what = HANDED_OVER, .why = why});
}

static void on_closed(void *data, enum err why)
{
	cr_assert(data == &opening);
	journal_free(&journal);
	closed_count++;
	closed_why = why;
}

static const struct journal_ops ops = {.on_committed = on_committed, .on_refused = on_refused, .on_beat = on_beat,
				       .on_handed_over = on_handed_over, .on_closed = on_closed};

static enum err open_journal(uint32_t lanes)
{
	PGconn *connections[LANES];

	memcpy(connections, opening.write, sizeof connections);
	memset(opening.write, 0, sizeof opening.write);
	for (uint32_t i = lanes; i < LANES; i++)
		PQfinish(connections[i]);
	return journal_open(&journal, &loop, connections, lanes, &opening.fence, &ops, &opening);
}

static void open_store(void)
{
	opening = (struct opening){.dsn = dsn, .shard = 1, .keys_max = 1000, .write_count = LANES,
				   .limits = {.packages_max = 20000, .placements_max = 20000, .blocks_max = 10000},
				   .claim = {.instance = 11, .fresh = true, .still_max = 3, .engine = "first"}};
	cr_assert(store_open(&opening) == ERR_OK && opening.reigns && opening.write[LANES - 1] != NULL, "%s", opening.note);
}

static void begin_without_a_journal(void)
{
	const char *template = getenv("CALLOFF_TEMPLATE");
	PGconn *pg = connect_to("postgres");
	char sql[300];

	cr_assert(template != NULL, "needs tests/pg/with_demo.py");
	snprintf(database, sizeof database, "calloff_journal_%d", (int)getpid());
	snprintf(dsn, sizeof dsn, "dbname=%s user=calloff_engine", database);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", database, template);
	run(pg, sql);
	PQfinish(pg);
	admin = connect_to(database);
	run(admin, "SET client_min_messages = warning");
	open_store();
	cr_assert(uv_loop_init(&loop) == 0);
}

static void begin(uint32_t lanes)
{
	begin_without_a_journal();
	cr_assert(open_journal(lanes) == ERR_OK);
}

static void end_without_a_journal(void)
{
	PGconn *pg;
	char sql[200];

	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(uv_loop_close(&loop) == 0);
	store_open_free(&opening);
	PQfinish(admin);
	pg = connect_to("postgres");
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", database);
	run(pg, sql);
	PQfinish(pg);
}

static void end(void)
{
	if (closed_count == 0)
		journal_close(&journal);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(closed_count == 1, "%u", closed_count);
	end_without_a_journal();
}

/* ---- calls ---- */

static void turn_until_told(uint32_t wanted)
{
	while (told_count < wanted && closed_count == 0)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert(told_count == wanted && closed_count == 0, "%u told", told_count);
}

static void turn_until_closed(void)
{
	while (closed_count == 0)
		uv_run(&loop, UV_RUN_ONCE);
}

/* Whatever is on its way to a lane has arrived; told or not. */
static void turn_until_answered(const struct journal_lane *lane)
{
	while (lane->pipe.jobs > 0 && closed_count == 0)
		uv_run(&loop, UV_RUN_ONCE);
}

/* A submission that the rules refuse: a command, and nothing else of it is kept. */
static void add(void)
{
	static uint8_t serial;
	static struct event event;
	struct batch_command command = {.client = TEXT("unix:0"), .key = {1, [15] = ++serial}};
	uint8_t leaf[DIGEST_BYTES];

	event = (struct event){.type = EVENT_SUBMIT, .principal = command.client, .seq = journal_next_seq(&journal),
			       .now_us = opening.fence.clock_us + 1};
	event.submit = (struct requirement){
		.case_ref = TEXT("C-1"), .person_ref = TEXT("X-1"), .sector = TEXT("ZZ9 9"), .service = SERVICE_PERSONAL_CARE,
		.urgency = URGENCY_STANDARD, .risk = RISK_AMBER, .cover = COVER_FAMILY, .funding = FUNDING_COUNCIL,
		.regime = REGIME_CARE_ACT_S18, .visit_count = 1,
		.visits = {{.days = 127, .band = BAND_LUNCH, .bands = 1 << BAND_LUNCH, .carers = 1, .minutes = 30}}};
	core_step(opening.core, &event, &update);
	journal_add(&journal, &event, &update, &command, leaf);
}

static void send_batch(uint32_t events)
{
	for (uint32_t i = 0; i < events; i++)
		add();
	cr_assert(journal_send(&journal, opening.fence.clock_us + 1) == ERR_OK);
}

static void send_beat(void)
{
	cr_assert(journal_beat(&journal, opening.fence.clock_us + 5) == ERR_OK);
}

/* What the database does with a command of a sequence; when: at once, or as the transaction ends. */
static void on_command(const char *when, int64_t seq, const char *does)
{
	char sql[700];

	snprintf(sql, sizeof sql,
		 "DROP TRIGGER IF EXISTS what ON calloff.command;"
		 "CREATE OR REPLACE FUNCTION public.what() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
		 "IF NEW.seq = %lld THEN %s; END IF; RETURN NULL; END $$;"
		 "CREATE CONSTRAINT TRIGGER what AFTER INSERT ON calloff.command DEFERRABLE INITIALLY %s "
		 "FOR EACH ROW EXECUTE FUNCTION public.what()", (long long)seq, does, when);
	run(admin, sql);
}

#define AT_ONCE "IMMEDIATE"
#define AT_THE_END "DEFERRED"
#define RAISE(state) "RAISE EXCEPTION 'told to' USING ERRCODE = '" state "'"
#define WAIT "PERFORM pg_advisory_xact_lock(77)"

/* ---- what is told ---- */

Test(journal, a_batch_is_told_with_the_hash_of_its_row)
{
	char hex[2 * DIGEST_BYTES + 1], wanted[40];
	int64_t before;

	begin(1);
	before = opening.fence.last_seq;
	cr_expect(journal_next_seq(&journal) == before + 1);
	send_batch(3);
	cr_expect(journal_next_seq(&journal) == before + 4 && told_count == 0);
	turn_until_told(1);
	cr_expect(told[0].what == COMMITTED);
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", told[0].row_hash[i]);
	expect_sql("SELECT encode(row_hash, 'hex') FROM calloff.journal ORDER BY first_seq DESC LIMIT 1", hex);
	snprintf(wanted, sizeof wanted, "%lld", (long long)before + 3);
	expect_sql("SELECT last_seq FROM calloff.fence WHERE shard = 1", wanted);
	snprintf(wanted, sizeof wanted, "%lld", (long long)opening.fence.clock_us + 1);
	expect_sql("SELECT clock_us FROM calloff.fence WHERE shard = 1", wanted);
	send_batch(1);
	turn_until_told(2);
	cr_expect(told[1].what == COMMITTED && memcmp(told[0].row_hash, told[1].row_hash, DIGEST_BYTES) != 0);
	end();
}

Test(journal, a_beat_moves_the_clock_and_tells_the_version_of_the_framework)
{
	char wanted[40];

	begin(1);
	run(admin, "UPDATE calloff.fence SET framework_version = 72623859790382856"); /* each byte another */
	send_beat();
	turn_until_told(1);
	cr_expect(told[0].what == BEAT && told[0].why == ERR_OK && told[0].framework_version == 72623859790382856);
	snprintf(wanted, sizeof wanted, "%lld", (long long)opening.fence.clock_us + 5);
	expect_sql("SELECT clock_us FROM calloff.fence WHERE shard = 1", wanted);
	end();
}

Test(journal, a_beat_of_an_engine_that_was_deposed_says_so)
{
	begin(1);
	run(admin, "SELECT calloff.take_over(1::int2, epoch) FROM calloff.fence WHERE shard = 1");
	send_beat();
	turn_until_told(1);
	cr_expect(told[0].what == BEAT && told[0].why == ERR_DEPOSED);
	end();
}

Test(journal, a_shard_is_handed_over)
{
	begin(1);
	expect_sql("SELECT engine FROM calloff.fence WHERE shard = 1", "first");
	cr_assert(journal_hand_over(&journal) == ERR_OK);
	turn_until_told(1);
	cr_expect(told[0].what == HANDED_OVER && told[0].why == ERR_OK);
	expect_sql("SELECT engine FROM calloff.fence WHERE shard = 1", "");
	end();
}

static void refused(const char *does, enum err wanted)
{
	on_command(AT_ONCE, journal_next_seq(&journal), does);
	told_count = 0;
	send_batch(1);
	turn_until_told(1);
	cr_expect(told[0].what == REFUSED && told[0].why == wanted, "%s: %s", does, err_name((int)told[0].why));
	cr_expect(strstr(told[0].message, "told to") != NULL, "%s", told[0].message);
	journal.fence.last_seq--; /* as a reload would find it */
}

/* By PostgreSQL's classes of SQLSTATE, and our own CF. */
Test(journal, a_refusal_says_what_the_engine_must_do)
{
	begin(1);
	refused(RAISE("CF001"), ERR_DEPOSED);
	refused(RAISE("CF002"), ERR_STORE_STALE);
	refused(RAISE("CF003"), ERR_STORE_STALE);
	refused(RAISE("40001"), ERR_STORE_STALE); /* serialization failure */
	refused(RAISE("40P01"), ERR_STORE_STALE); /* deadlock */
	refused(RAISE("53100"), ERR_STORE_AWAY);  /* disk full */
	refused(RAISE("57014"), ERR_STORE_AWAY);  /* cancelled */
	refused(RAISE("58030"), ERR_STORE_AWAY);  /* an input or output error */
	refused(RAISE("55P03"), ERR_STORE_AWAY);  /* a lock that could not be had */
	refused(RAISE("23505"), ERR_STORE_REFUSED);
	refused(RAISE("CF104"), ERR_STORE_REFUSED);
	refused(RAISE("54000"), ERR_STORE_REFUSED); /* a limit of the program */
	end();
}

/* The row's hash had come already. */
Test(journal, a_result_is_not_yet_a_commit)
{
	begin(1);
	on_command(AT_THE_END, journal_next_seq(&journal), RAISE("23514"));
	send_batch(1);
	turn_until_told(1);
	cr_expect(told[0].what == REFUSED && told[0].why == ERR_STORE_REFUSED);
	end();
}

/* A commit that was made to stop waiting for its standby says so by a warning, after its result (RELIABILITY 3.4). */
static void with_a_warning(const char *when)
{
	begin(2);
	on_command(when, journal_next_seq(&journal), "RAISE WARNING 'told to'");
	send_batch(1);
	turn_until_closed();
	cr_expect(told_count == 0 && closed_why == ERR_STORE, "%s", err_name((int)closed_why));
	end();
}

Test(journal, what_commits_with_a_warning_is_not_told)
{
	with_a_warning(AT_THE_END);
}

Test(journal, a_warning_before_the_result_counts_as_well)
{
	with_a_warning(AT_ONCE);
}

Test(journal, a_notice_is_no_warning)
{
	begin(1);
	on_command(AT_THE_END, journal_next_seq(&journal), "RAISE NOTICE 'told to'");
	send_batch(1);
	turn_until_told(1);
	cr_expect(told[0].what == COMMITTED);
	end();
}

/* ---- lanes ---- */

/* The first batch waits in the database. */
static void begin_with_one_under_way(uint32_t lanes)
{
	begin(lanes);
	run(admin, "SELECT pg_advisory_lock(77)");
	on_command(AT_ONCE, journal_next_seq(&journal), WAIT);
	send_batch(1);
}

static void let_go(void)
{
	run(admin, "SELECT pg_advisory_unlock(77)");
}

/* The loop stands still meanwhile. */
static void wait_for_commit(void)
{
	char sql[400];

	snprintf(sql, sizeof sql, "DO $$ BEGIN FOR i IN 1..500 LOOP EXIT WHEN (SELECT last_seq FROM calloff.fence) = %lld; "
		 "PERFORM pg_sleep(0.01); END LOOP; PERFORM pg_sleep(0.05); END $$", (long long)journal.fence.last_seq);
	run(admin, sql);
}

/* The result was read long before, by itself: a notice makes PostgreSQL send what it has. */
Test(journal, a_warning_that_is_read_with_the_end_of_its_transaction_counts)
{
	begin(1);
	run(admin, "SELECT pg_advisory_lock(77)");
	on_command(AT_THE_END, journal_next_seq(&journal), "RAISE NOTICE 'told to'; " WAIT "; RAISE WARNING 'told to'");
	send_batch(1);
	while (!journal.jobs[0].answered)
		uv_run(&loop, UV_RUN_ONCE);
	let_go();
	wait_for_commit();
	turn_until_closed();
	cr_expect(told_count == 0 && closed_why == ERR_STORE, "%s", err_name((int)closed_why));
	end();
}

Test(journal, each_call_takes_the_lane_with_the_least_to_do)
{
	begin_with_one_under_way(LANES);
	for (int round = 0; round < 2; round++) {
		send_beat();
		send_beat();
		for (int i = 0; i < LANES; i++)
			cr_expect(journal.lanes[i].pipe.jobs == 1, "lane %d", i);
		turn_until_answered(&journal.lanes[1]);
		turn_until_answered(&journal.lanes[2]);
	}
	let_go();
	turn_until_told(5);
	end();
}

Test(journal, answers_are_told_in_the_order_of_the_calls_whatever_lane_is_first)
{
	begin_with_one_under_way(2);
	for (int i = 0; i < 2; i++) {
		send_beat();
		turn_until_answered(&journal.lanes[1]);
	}
	cr_expect(told_count == 0, "the batch is still under way");
	let_go();
	turn_until_told(3);
	cr_expect(told[0].what == COMMITTED && told[1].what == BEAT && told[2].what == BEAT);
	cr_expect(told[1].framework_version == opening.fence.framework_version);
	cr_expect(told[2].framework_version == opening.fence.framework_version);
	end();
}

Test(journal, a_refused_batch_refuses_those_behind_it)
{
	begin(LANES);
	on_command(AT_ONCE, journal_next_seq(&journal), RAISE("23505"));
	for (int i = 0; i < LANES; i++)
		send_batch(1);
	turn_until_told(LANES);
	cr_expect(told[0].what == REFUSED && told[0].why == ERR_STORE_REFUSED);
	for (int i = 1; i < LANES; i++)
		cr_expect(told[i].what == REFUSED && told[i].why == ERR_STORE_STALE, "%s", err_name((int)told[i].why));
	end();
}

Test(journal, more_calls_than_it_remembers_at_once_follow_each_other)
{
	enum { CALLS = 3 * JOURNAL_JOBS_MAX };

	begin(2);
	for (uint32_t i = 0; i < CALLS; i += 2) {
		send_beat();
		send_batch(1);
		turn_until_told(i + 2);
		cr_expect(told[i].what == BEAT && told[i + 1].what == COMMITTED);
	}
	end();
}

/* ---- its end ---- */

static void cut(uint32_t lane)
{
	char sql[100];

	snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(journal.lanes[lane].pipe.pg));
	run(admin, sql);
}

Test(journal, one_lane_lost_closes_all_and_nothing_more_is_told)
{
	begin_with_one_under_way(LANES);
	cut(1);
	turn_until_closed();
	cr_expect(told_count == 0 && closed_why == ERR_STORE);
	let_go();
	end();
	cr_expect(told_count == 0);
}

Test(journal, closed_on_purpose_it_says_so_once)
{
	begin(LANES);
	send_beat();
	journal_close(&journal);
	journal_close(&journal);
	cr_expect(closed_count == 0, "never inside the owner's call");
	turn_until_closed();
	cr_expect(told_count == 0 && closed_why == ERR_OK);
	end();
}

Test(journal, while_it_closes_nothing_is_sent)
{
	int64_t before;

	begin(1);
	add();
	before = journal.fence.last_seq;
	journal_close(&journal);
	cr_expect(journal_send(&journal, 1) == ERR_STORE && journal_beat(&journal, 1) == ERR_STORE);
	cr_expect(journal.fence.last_seq == before);
	end();
}

Test(journal, opened_again_it_remembers_nothing)
{
	begin_with_one_under_way(2);
	send_beat();
	send_beat();
	add(); /* into the next batch, which is never sent */
	journal_close(&journal);
	turn_until_closed();
	let_go();
	closed_count = told_count = 0;
	store_open_free(&opening);
	open_store();
	cr_assert(open_journal(1) == ERR_OK);
	send_batch(1);
	turn_until_told(1);
	cr_expect(told[0].what == COMMITTED && journal.lane_count == 1);
	end();
}

/* ---- its beginning ---- */

static void expect_no_connection_left(void)
{
	/* the one that reads is the opening's */
	run(admin, "CREATE OR REPLACE VIEW public.engines AS SELECT count(*) FROM pg_stat_activity "
		   "WHERE datname = current_database() AND usename = 'calloff_engine'");
	run(admin, "DO $$ BEGIN FOR i IN 1..500 LOOP PERFORM pg_stat_clear_snapshot(); "
		   "EXIT WHEN (TABLE public.engines) = 1; PERFORM pg_sleep(0.01); END LOOP; END $$");
	expect_sql("TABLE public.engines", "1");
}

static void does_not_open(enum err why)
{
	enum err e = open_journal(LANES);

	cr_expect(e == why, "%s", err_name((int)e));
	expect_no_connection_left();
	end_without_a_journal();
}

Test(journal, it_does_not_open_on_row_types_it_does_not_know)
{
	begin_without_a_journal();
	run(admin, "ALTER TYPE calloff.command_v1 ADD ATTRIBUTE more int4");
	does_not_open(ERR_STORE_UNSAFE);
}

static void without_connection(int lane)
{
	char sql[100];

	begin_without_a_journal();
	snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", PQbackendPID(opening.write[lane]));
	run(admin, sql);
	does_not_open(ERR_STORE);
}

Test(journal, it_does_not_open_without_its_first_connection)
{
	without_connection(0);
}

Test(journal, it_does_not_open_when_the_last_connection_is_gone)
{
	without_connection(LANES - 1);
}

Test(journal, a_statement_that_cannot_be_prepared_is_an_error)
{
	static const char *const statements[] = {"\"commit\"", "beat", "hand_over"};

	for (int i = 0; i < 3; i++) {
		char sql[64];

		begin_without_a_journal();
		snprintf(sql, sizeof sql, "PREPARE %s AS SELECT 1", statements[i]);
		run(opening.write[1], sql);
		does_not_open(ERR_STORE);
	}
}

static void never(uv_poll_t *h, int status, int events)
{
	(void)h;
	(void)status;
	(void)events;
}

/* The loop watches that lane's socket already, and does not take it twice. */
static enum err open_without(int lane)
{
	static uv_poll_t taken;
	enum err e;

	begin_without_a_journal();
	cr_assert(uv_poll_init(&loop, &taken, PQsocket(opening.write[lane])) == 0);
	cr_assert(uv_poll_start(&taken, UV_READABLE, never) == 0);
	e = open_journal(LANES);
	uv_close((uv_handle_t *)&taken, NULL);
	return e;
}

Test(journal, past_the_first_a_lane_that_cannot_be_had_is_only_missed)
{
	cr_assert(open_without(1) == ERR_OK);
	cr_expect(journal.lane_count == 2 && journal.lanes_open == 2);
	for (uint32_t i = 0; i < 4; i++)
		send_batch(1);
	turn_until_told(4);
	cr_expect(told[3].what == COMMITTED);
	end();
}

Test(journal, without_the_first_lane_it_does_not_open)
{
	cr_expect(open_without(0) == ERR_STORE);
	expect_no_connection_left();
	end_without_a_journal();
}
