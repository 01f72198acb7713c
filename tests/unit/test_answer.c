/* Questions: from memory, from the database, and subscriptions; to whom they are answered, and when to nobody. */
#include "kit/kit.h"

#include "base/mem.h"
#include "core/record.h"
#include "unit/fake_shard.h"

#include <string.h>

KIT_SUITE(answer);

static uint8_t zeros[FRAME_BYTES_MAX];

static struct request request_of(enum request_kind kind, uint64_t id)
{
	return (struct request){.kind = kind, .id = id,
				.query = {.code = text_of(""), .after = text_of(""), .limit = 100, .protocol = 1}};
}

static void ask_kind(enum request_kind kind, uint64_t id)
{
	struct request r = request_of(kind, id);

	ask(&r);
}

static void ask_code(enum request_kind kind, uint64_t id, const char *code)
{
	struct request r = request_of(kind, id);

	r.query.code = text_of(code);
	ask(&r);
}

/* ---- from memory ---- */

Test(answer, each_question_of_memory_has_its_own_answer)
{
	begin_shard();
	ask_kind(REQUEST_GET_COUNTS, 1);
	cr_expect_eq(said(1), BODY(GET_COUNTS_RESPONSE));
	ask_kind(REQUEST_LIST_LOTS, 2);
	cr_expect_eq(said(2), BODY(LIST_LOTS_RESPONSE));
	ask_kind(REQUEST_LIST_PROVIDERS, 3);
	cr_expect_eq(said(3), BODY(LIST_PROVIDERS_RESPONSE));
	ask_code(REQUEST_GET_LIST, 4, "LAH25-1");
	cr_expect_eq(said(4), BODY(GET_LIST_RESPONSE));
	ask_code(REQUEST_GET_LIST, 5, "LAH25-9");
	cr_expect_eq(refused(5), ERR_NO_LIST);
	finish_shard();
}

static size_t pools_of(uint64_t id)
{
	const Calloff__V1__Envelope *e = reply_to(id);

	cr_assert(e != NULL && (int)e->body_case == BODY(LIST_POOLS_RESPONSE));
	return e->list_pools_response->n_pools;
}

Test(answer, pools_of_one_provider_or_of_all)
{
	begin_shard();
	ask_code(REQUEST_LIST_POOLS, 1, "");
	cr_expect_eq(pools_of(1), 3);
	ask_code(REQUEST_LIST_POOLS, 2, "PRV-B");
	cr_expect_eq(pools_of(2), 1);
	ask_code(REQUEST_LIST_POOLS, 3, "PRV-X");
	cr_expect_eq(refused(3), ERR_UNKNOWN_PROVIDER);
	finish_shard();
}

/* The request is gone by then: its words were kept. */
Test(answer, a_question_that_waits_is_answered_as_it_was_asked)
{
	char code[] = "PRV-B", after[] = "POOL-1";
	struct request r = request_of(REQUEST_LIST_POOLS, 1);
	const Calloff__V1__Envelope *e;

	begin_shard();
	mono_us += LEASE_US;
	r.query.code = text_of(code);
	ask(&r);
	r = request_of(REQUEST_LIST_POOLS, 2);
	r.query.after = text_of(after);
	ask(&r);
	ask_kind(REQUEST_LIST_LOTS, 3);
	memset(code, 'x', 5);
	memset(after, 'x', 6);
	shard_journal_ops.on_beat(&shard, ERR_OK, 7);
	e = reply_to(1);
	cr_assert(e != NULL && (int)e->body_case == BODY(LIST_POOLS_RESPONSE) && e->list_pools_response->n_pools == 1);
	cr_expect_str_eq(e->list_pools_response->pools[0]->pool, "POOL-2");
	e = reply_to(2);
	cr_assert(e != NULL && (int)e->body_case == BODY(LIST_POOLS_RESPONSE) && e->list_pools_response->n_pools == 2);
	cr_expect_eq(said(3), BODY(LIST_LOTS_RESPONSE));
	ask_kind(REQUEST_GET_COUNTS, 4);
	cr_expect_eq(said(4), BODY(GET_COUNTS_RESPONSE), "and the next one too");
	finish_shard();
}

/* A database that says nothing for seconds, and clients that go on asking. */
Test(answer, so_many_questions_wait_and_the_next_is_told_to_come_again)
{
	const Calloff__V1__Envelope *e;

	begin_shard();
	engine.busy_retry_ms = 40;
	mono_us += LEASE_US;
	for (uint64_t id = 1; id <= HELD_MAX; id++)
		ask_kind(REQUEST_GET_COUNTS, id);
	cr_expect_eq(said(1), 0, "it waits for the lease");
	cr_expect_eq(said(HELD_MAX), 0);
	ask_kind(REQUEST_GET_COUNTS, HELD_MAX + 1);
	e = reply_to(HELD_MAX + 1);
	cr_assert(e != NULL && (int)e->body_case == BODY(STATUS));
	cr_expect(e->status->number == ERR_BUSY && e->status->retry_after_ms == 40 && engine.stats.busy == 1);
	shard_journal_ops.on_beat(&shard, ERR_OK, 7);
	for (uint64_t id = 1; id <= HELD_MAX; id++)
		cr_expect_eq(said(id), BODY(GET_COUNTS_RESPONSE), "nobody who waited is forgotten");
	mono_us += LEASE_US;
	ask_kind(REQUEST_GET_COUNTS, HELD_MAX + 2);
	cr_expect_eq(said(HELD_MAX + 2), 0, "there is room again");
	shard_journal_ops.on_beat(&shard, ERR_OK, 7);
	cr_expect_eq(said(HELD_MAX + 2), BODY(GET_COUNTS_RESPONSE));
	finish_shard();
}

/* Thousands of questions fit one read, each with a page for an answer. */
Test(answer, who_does_not_read_is_cut_off_before_memory_runs_out)
{
	begin_shard();
	buf_reserve(&session->stream.out, SESSION_BACKLOG_BYTES_MAX + 4096);
	session->stream.out.to = SESSION_BACKLOG_BYTES_MAX;
	ask_kind(REQUEST_GET_COUNTS, 1);
	cr_expect(closes == 0 && buf_len(&session->stream.out) > SESSION_BACKLOG_BYTES_MAX);
	session->stream.out.to = SESSION_BACKLOG_BYTES_MAX + 1;
	ask_kind(REQUEST_GET_COUNTS, 2);
	cr_expect(closes == 1 && engine.stats.slow_readers == 1);
	cr_expect_eq(buf_len(&session->stream.out), SESSION_BACKLOG_BYTES_MAX + 1);
	session->stream.out.to = 0;
	ask_kind(REQUEST_GET_COUNTS, 3);
	cr_expect_eq(said(3), 0, "it is closing");
	finish_shard();
}

/* ---- about the engine ---- */

Test(answer, hello_says_which_shards_there_are_and_refuses_another_protocol)
{
	struct request r = request_of(REQUEST_HELLO, 1);
	static struct shard shards[2];
	const Calloff__V1__Envelope *e;

	begin_shard();
	r.query.protocol = 2;
	ask(&r);
	cr_expect(refused(1) == ERR_NO_BODY && !session->hello);
	shards[0].number = 3;
	shards[1].number = 4;
	engine.shards = shards;
	engine.shard_count = 2;
	ask_kind(REQUEST_HELLO, 2);
	e = reply_to(2);
	cr_assert(e != NULL && (int)e->body_case == BODY(HELLO_RESPONSE) && session->hello);
	cr_assert_eq(e->hello_response->n_shards, 2);
	cr_expect(e->hello_response->shards[0] == 3 && e->hello_response->shards[1] == 4);
	finish_shard();
}

Test(answer, health_and_figures_are_told_in_every_state)
{
	static const enum shard_state states[] = {SHARD_LOADING, SHARD_READY, SHARD_STANDBY, SHARD_DRAINING};

	begin_shard();
	mono_us += 10 * LEASE_US;
	shard.answered_us = mono_us - 3 * LEASE_US;
	for (uint64_t i = 0; i < 4; i++) {
		const Calloff__V1__Envelope *e;

		shard.state = states[i];
		ask_kind(REQUEST_GET_HEALTH, i);
		e = reply_to(i);
		cr_assert(e != NULL && (int)e->body_case == BODY(GET_HEALTH_RESPONSE));
		cr_expect_eq(e->get_health_response->last_seq, 100);
		/* who stands by commits nothing: the age of what it saw last */
		cr_expect_eq(e->get_health_response->last_commit_age_us, (states[i] == SHARD_STANDBY ? 3 : 10) * LEASE_US);
		ask_kind(REQUEST_GET_STATS, 10 + i);
		cr_expect_eq(said(10 + i), BODY(GET_STATS_RESPONSE));
	}
	shard.seen.last_seq = 42; /* what a standby saw, where no journal is open */
	shard.journal_open = false;
	ask_kind(REQUEST_GET_HEALTH, 9);
	cr_expect_eq(reply_to(9)->get_health_response->last_seq, 42);
	finish_shard();
}

/* ---- from the database ---- */

static void ask_number(enum request_kind kind, uint64_t id, int64_t number)
{
	struct request r = request_of(kind, id);

	r.query.package_no = r.query.after_no = number;
	r.query.limit = 70;
	r.query.state_mask = 6;
	ask(&r);
}

static void nobody_answers(void)
{
	shard_reader_ops.on_failed(&shard, asked.tag, "gone");
}

Test(answer, the_database_is_asked_what_the_client_asked)
{
	struct request r = request_of(REQUEST_GET_PACKAGE, 5);

	begin_shard();
	ask_number(REQUEST_GET_PACKAGE, 1, 11);
	cr_expect(strcmp(asked.what, "package") == 0 && asked.number == 11);
	nobody_answers();
	ask_number(REQUEST_EXPLAIN_PACKAGE, 2, 12);
	cr_expect(strcmp(asked.what, "explain") == 0 && asked.number == 12);
	nobody_answers();
	ask_number(REQUEST_LIST_PACKAGES, 3, 13);
	cr_expect(strcmp(asked.what, "states") == 0 && asked.number == 13 && asked.limit == 70 && asked.state_mask == 6);
	nobody_answers();
	ask_number(REQUEST_READ_JOURNAL, 4, 14);
	cr_expect(strcmp(asked.what, "journal") == 0 && asked.number == 14 && asked.limit == 64);
	nobody_answers();
	r.query.case_ref = text_of("C-9");
	ask(&r);
	cr_expect(strcmp(asked.what, "case") == 0 && strcmp(asked.text, "C-9") == 0);
	nobody_answers();
	for (uint64_t id = 1; id <= 5; id++)
		cr_expect_eq(refused(id), ERR_STORE_AWAY, "each is told that it could not be read");
	cr_expect_eq(logged[LOG_read_failed], 5);
	finish_shard();
}

Test(answer, when_the_database_cannot_be_asked_the_client_is_told_why)
{
	begin_shard();
	read_answer = ERR_BUSY;
	ask_number(REQUEST_GET_PACKAGE, 1, 1);
	cr_expect(refused(1) == ERR_BUSY && engine.stats.busy == 1);
	read_answer = ERR_STORE;
	ask_number(REQUEST_GET_PACKAGE, 2, 1);
	cr_expect_eq(refused(2), ERR_STORE_AWAY);
	shard.reader_open = false;
	ask_number(REQUEST_GET_PACKAGE, 3, 1);
	cr_expect_eq(refused(3), ERR_STORE_AWAY);
	shard.state = SHARD_STANDBY;
	ask_number(REQUEST_GET_PACKAGE, 4, 1);
	cr_expect_eq(refused(4), ERR_DEPOSED);
	cr_expect_eq(reads, 2);
	finish_shard();
}

static struct package_view view(int64_t package_no)
{
	return (struct package_view){
		.package_no = package_no, .list_no = LIST_MALDON, .sector_no = SECTOR_MALDON, .district_no = DISTRICT_MALDON,
		.requirement_version = 1, .state = STATE_PLACED, .service = SERVICE_PERSONAL_CARE, .urgency = URGENCY_STANDARD,
		.risk = RISK_GREEN, .cover = COVER_FAMILY, .funding = FUNDING_COUNCIL, .regime = REGIME_CARE_ACT_S18,
		.case_ref = text_of("C-1"), .person_ref = text_of("X-1"), .household_ref = text_of(""), .bundle_ref = text_of(""),
		.owner_ref = text_of(""), .visit_count = 1, .visits = {visit_code(127, BAND_MORNING, false, 6)},
		.facts = {1u << BAND_MORNING},
	};
}

Test(answer, a_package_is_found_or_it_is_not)
{
	struct package_view v = view(11);

	begin_shard();
	ask_number(REQUEST_GET_PACKAGE, 1, 11);
	shard_reader_ops.on_packages(&shard, asked.tag, &v, 1);
	cr_expect_eq(said(1), BODY(GET_PACKAGE_RESPONSE));
	ask_number(REQUEST_GET_PACKAGE, 2, 12);
	shard_reader_ops.on_packages(&shard, asked.tag, NULL, 0);
	cr_expect_eq(refused(2), ERR_UNKNOWN_PACKAGE);
	ask_number(REQUEST_EXPLAIN_PACKAGE, 3, 11);
	shard_reader_ops.on_explained(&shard, asked.tag, &v, NULL, 0);
	cr_expect_eq(said(3), BODY(EXPLAIN_PACKAGE_RESPONSE));
	ask_number(REQUEST_EXPLAIN_PACKAGE, 4, 12);
	shard_reader_ops.on_explained(&shard, asked.tag, NULL, NULL, 0);
	cr_expect_eq(refused(4), ERR_UNKNOWN_PACKAGE);
	finish_shard();
}

static int64_t next_after(uint64_t id, size_t count)
{
	struct package_view page[] = {view(11), view(15)};
	struct request r = request_of(REQUEST_LIST_PACKAGES, id);
	const Calloff__V1__Envelope *e;

	r.query.limit = 2;
	ask(&r);
	shard_reader_ops.on_packages(&shard, asked.tag, page, count);
	e = reply_to(id);
	cr_assert(e != NULL && (int)e->body_case == BODY(LIST_PACKAGES_RESPONSE));
	cr_assert_eq(e->list_packages_response->n_packages, count);
	return e->list_packages_response->next;
}

Test(answer, a_full_page_says_where_the_next_begins)
{
	begin_shard();
	cr_expect_eq(next_after(1, 2), 15);
	cr_expect_eq(next_after(2, 1), 0);
	cr_expect_eq(next_after(3, 0), 0, "an empty page is a page");
	finish_shard();
}

Test(answer, who_left_is_not_answered)
{
	struct package_view v = view(11);
	const struct journal_view none = {0};

	begin_shard();
	ask_number(REQUEST_GET_PACKAGE, 1, 11);
	struct asked first = asked;
	ask_number(REQUEST_EXPLAIN_PACKAGE, 2, 11);
	struct asked second = asked;
	ask_number(REQUEST_READ_JOURNAL, 3, 11);
	struct asked third = asked;
	ask_number(REQUEST_READ_JOURNAL, 4, 11);
	leave();
	shard_reader_ops.on_packages(&shard, first.tag, &v, 1);
	shard_reader_ops.on_explained(&shard, second.tag, &v, NULL, 0);
	shard_reader_ops.on_journal(&shard, third.tag, &none, 0);
	nobody_answers();
	cr_expect_null(engine.sessions);
	finish_shard();
}

/* ---- the journal ---- */

static struct journal_view row_of(int64_t first_seq, int64_t last_seq, const struct record_view *records)
{
	return (struct journal_view){.first_seq = first_seq, .last_seq = last_seq, .epoch = 1, .prev_hash = zeros,
				     .row_hash = zeros, .leaves = zeros, .salts = zeros, .records = records};
}

static size_t rows_told(uint64_t id, size_t first_bytes, size_t second_bytes)
{
	/* an event takes 80 bytes beside its record */
	const struct record_view one[] = {{.record = zeros, .len = first_bytes / 2 - 80},
					  {.record = zeros, .len = first_bytes - first_bytes / 2 - 80}};
	const struct record_view two[] = {{.record = zeros, .len = second_bytes - 80}};
	const struct journal_view rows[] = {row_of(12, 13, one), row_of(14, 14, two)};
	const Calloff__V1__Envelope *e;

	ask_number(REQUEST_READ_JOURNAL, id, 11);
	shard_reader_ops.on_journal(&shard, asked.tag, rows, 2);
	e = reply_to(id);
	cr_assert(e != NULL && (int)e->body_case == BODY(READ_JOURNAL_RESPONSE));
	cr_expect_eq(e->read_journal_response->head_seq, 100);
	return e->read_journal_response->n_rows;
}

Test(answer, of_the_journal_as_many_rows_as_a_frame_holds_and_at_least_one)
{
	const size_t room = FRAME_BYTES_MAX - 4096;

	begin_shard();
	cr_expect_eq(rows_told(1, 1000, 1000), 2);
	cr_expect_eq(rows_told(2, room - 1000, 1000), 2);
	cr_expect_eq(rows_told(3, room - 1000, 1001), 1);
	cr_expect_eq(rows_told(4, room + 1, 1000), 1);
	finish_shard();
}

/* ---- subscriptions ---- */

static void subscribe(uint64_t id, int64_t after)
{
	struct request r = request_of(REQUEST_SUBSCRIBE, id);

	r.query.after_no = after;
	ask(&r);
}

Test(answer, a_subscription_begins_at_its_cursor_or_at_the_end)
{
	begin_shard();
	subscribe(1, 40);
	cr_expect_eq(reply_to(1)->subscribe_response->from_seq, 40);
	cr_expect(session->subscribed && session->subscription_shard == &shard && session->subscription_id == 1);
	subscribe(2, -1);
	cr_expect_eq(reply_to(2)->subscribe_response->from_seq, 100);
	subscribe(3, 0);
	cr_expect_eq(reply_to(3)->subscribe_response->from_seq, 0, "all there ever was");
	finish_shard();
}

Test(answer, without_memory_nobody_subscribes)
{
	begin_shard();
	shard.pump.core = NULL;
	shard.state = SHARD_LOADING;
	subscribe(1, 40);
	cr_expect_eq(refused(1), ERR_LOADING);
	shard.state = SHARD_STANDBY;
	subscribe(2, 40);
	cr_expect_eq(refused(2), ERR_DEPOSED);
	cr_expect_not(session->subscribed);
	finish_shard();
}

Test(answer, a_subscriber_reads_the_journal_once_at_a_time_until_its_end)
{
	const struct record_view records[] = {{.record = zeros, .len = 0}, {.record = zeros, .len = 0}};
	const struct journal_view rows[] = {row_of(41, 41, records), row_of(42, 100, records)};

	begin_shard();
	answer_subscriptions(&shard);
	cr_expect_eq(reads, 0, "nobody has subscribed");
	subscribe(1, 40);
	said(1);
	answer_subscriptions(&shard);
	answer_subscriptions(&shard);
	cr_expect(reads == 1 && strcmp(asked.what, "journal") == 0 && asked.number == 40 && asked.limit == 16);
	shard_reader_ops.on_journal(&shard, asked.tag, rows, 1);
	answer_subscriptions(&shard);
	cr_expect(reads == 2 && asked.number == 41);
	shard_reader_ops.on_journal(&shard, asked.tag, NULL, 0);
	answer_subscriptions(&shard);
	cr_expect(reads == 3 && asked.number == 41, "nothing yet: from the same place again");
	nobody_answers();
	cr_expect_eq(said(1), 0, "it goes on later, and hears nothing of it");
	answer_subscriptions(&shard);
	cr_expect(reads == 4 && asked.number == 41);
	shard.journal.fence.last_seq = 41;
	shard_reader_ops.on_journal(&shard, asked.tag, NULL, 0);
	answer_subscriptions(&shard);
	cr_expect_eq(reads, 4, "it has read all there is");
	finish_shard();
}

static struct record_view record_of_a_package(int64_t *ret_seq)
{
	static uint8_t bytes[2][RECORD_BYTES_MAX];
	static int next;
	struct stamp stamp = {.framework_version = 7, .rules_version = RULES_VERSION};
	uint8_t *record = bytes[next++ % 2];

	world_place(&world, 30);
	*ret_seq = world.event.seq;
	return (struct record_view){.record = record, .len = record_encode(&world.event, &world.update, &stamp, record,
									    RECORD_BYTES_MAX)};
}

Test(answer, a_subscriber_hears_of_each_row)
{
	struct record_view records[2];
	struct journal_view rows[2];
	int64_t seq;

	begin_shard();
	subscribe(1, 0);
	said(1);
	answer_subscriptions(&shard);
	for (int i = 0; i < 2; i++) {
		records[i] = record_of_a_package(&seq);
		rows[i] = row_of(seq, seq, &records[i]);
	}
	shard_reader_ops.on_journal(&shard, asked.tag, rows, 2);
	cr_expect_eq(said(1), BODY(EVENT_BATCH));
	cr_expect_eq(said(1), BODY(EVENT_BATCH));
	cr_expect_eq(said(1), 0);
	finish_shard();
}

Test(answer, a_subscriber_who_left_is_not_looked_for)
{
	begin_shard();
	subscribe(1, 40);
	said(1);
	answer_subscriptions(&shard);
	leave();
	nobody_answers();
	answer_subscriptions(&shard);
	cr_expect_eq(reads, 1);
	finish_shard();
}

Test(answer, a_subscriber_who_is_told_elsewhere_or_reads_slowly_waits)
{
	static struct shard other;

	begin_shard();
	subscribe(1, 40);
	answer_subscriptions(&shard);
	cr_expect_eq(reads, 0, "what was said before has not left");
	said(1);
	session->subscription_shard = &other;
	answer_subscriptions(&shard);
	session->subscription_shard = &shard;
	session->closed = true;
	answer_subscriptions(&shard);
	session->closed = false;
	shard.reader_open = false;
	answer_subscriptions(&shard);
	shard.reader_open = true;
	cr_expect_eq(reads, 0);
	read_answer = ERR_BUSY;
	answer_subscriptions(&shard);
	cr_expect(reads == 1 && !session->subscription_reading, "tried again with the next commit or tick");
	finish_shard();
}

Test(answer, subscribers_of_a_shard_that_is_lost_must_go_elsewhere)
{
	static struct shard other;

	begin_shard();
	other.engine = &engine;
	answer_unsubscribe(&shard);
	cr_expect_eq(said(0), 0, "nobody has subscribed");
	subscribe(1, 40);
	said(1);
	answer_unsubscribe(&other);
	session->closed = true;
	answer_unsubscribe(&shard);
	session->closed = false;
	cr_expect(session->subscribed && said(1) == 0);
	answer_unsubscribe(&shard);
	cr_expect_eq(refused(1), ERR_DEPOSED);
	answer_unsubscribe(&shard);
	answer_subscriptions(&shard);
	cr_expect(said(1) == 0 && reads == 0, "it is told once, and nothing is read for it any more");
	finish_shard();
}

/* ---- keys, and the end of the connection that reads ---- */

static struct op *op_waiting(void)
{
	static uint8_t key[16] = {[6] = 0x70, [8] = 0x80, [15] = 9};

	world_submit(&world, 30);
	return op_new(&world.event, session->id, 5, key, text_of("unix:1"));
}

Test(answer, a_key_is_asked_of_the_database_and_the_pump_hears_the_answer)
{
	struct outcome outcome = {.type = EVENT_SUBMIT, .state = STATE_SUBMITTED, .package_no = 11};
	struct receipt receipt = {.seq = 11};
	struct op *op;
	uint8_t hash[16];

	begin_shard();
	for (int found = 1; found >= 0; found--) {
		session->in_flight = engine.busy_sessions = 1;
		op = op_waiting();
		memcpy(hash, op->request_hash, sizeof hash);
		cr_assert_eq(shard_pump_io.lookup(&shard, op), ERR_OK);
		cr_expect(strcmp(asked.what, "command") == 0 && strcmp(asked.text, "unix:1") == 0 && asked.number == 9);
		if (found)
			shard_reader_ops.on_command(&shard, asked.tag, hash, &outcome, &receipt);
		else
			nobody_answers();
		if (found)
			cr_expect_eq(said(5), BODY(SUBMIT_PACKAGE_RESPONSE));
		else
			cr_expect_eq(refused(5), ERR_STORE_AWAY);
		cr_expect(session->in_flight == 0 && engine.busy_sessions == 0);
	}
	finish_shard();
}

Test(answer, a_key_that_cannot_be_asked_for_is_said_to_be)
{
	struct op *op;

	begin_shard();
	op = op_waiting();
	shard.reader_open = false;
	cr_expect_eq(shard_pump_io.lookup(&shard, op), ERR_STORE);
	cr_expect_eq(reads, 0);
	shard.reader_open = true;
	read_answer = ERR_BUSY;
	cr_expect_eq(shard_pump_io.lookup(&shard, op), ERR_BUSY);
	mem_free(op);
	finish_shard();
}

Test(answer, when_the_connection_that_reads_is_gone_all_is_loaded_again)
{
	begin_shard();
	shard_reader_ops.on_closed(&shard);
	cr_expect(!shard.reader_open && shard.reload_wanted && shard.state == SHARD_LOADING);
	finish_shard();
}

Test(answer, an_edit_of_the_framework_is_looked_at_by_a_beat)
{
	begin_shard();
	shard_reader_ops.on_framework_edited(&shard);
	cr_expect_eq(beats, 1);
	finish_shard();
}
