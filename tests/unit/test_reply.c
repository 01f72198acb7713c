/* What the engine says: each reply unpacks again into what was meant, and none is larger than a frame. */
#include "kit/kit.h"

#include "calloff/v1/envelope.pb-c.h"
#include "core/record.h"
#include "unit/examples.h"
#include "unit/fixture.h"
#include "wire/frame.h"
#include "wire/reply.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(reply);

enum { SCRATCH_BYTES = 64 << 20 };

static struct world world;
static struct buf out;
static struct arena scratch;
static struct reply r;
static Calloff__V1__Envelope *got;
static const uint8_t hash[32] = {1, 2, 3};

static void begin(void)
{
	world_rows(&world);
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	world_declare(&world, "POOL-2", 300);
	scratch = (struct arena){malloc(SCRATCH_BYTES), SCRATCH_BYTES, 0};
	r = (struct reply){
		.out = &out, .scratch = &scratch, .request_id = 77, .shard = 3, .framework = world.framework};
}

static void finish(void)
{
	if (got != NULL)
		calloff__v1__envelope__free_unpacked(got, NULL);
	buf_free(&out);
	free(scratch.base);
	world_close(&world);
}

/* The one frame in the buffer, unpacked. */
static void expect_body(int body_case)
{
	const uint8_t *body;
	size_t len;

	if (got != NULL)
		calloff__v1__envelope__free_unpacked(got, NULL);
	cr_assert_eq(frame_peek(out.bytes + out.from, buf_len(&out), FRAME_REPLY_BYTES_MAX, &body, &len), ERR_OK);
	cr_assert_eq(len + FRAME_HEAD_BYTES, buf_len(&out), "one frame and no more");
	got = calloff__v1__envelope__unpack(NULL, len, body);
	cr_assert_not_null(got);
	cr_expect_eq(got->body_case, (unsigned)body_case, "%d", got->body_case);
	cr_expect_eq(got->request_id, 77);
	cr_expect_eq(got->shard, 3);
	buf_clear(&out);
}

#define BODY(name) expect_body(CALLOFF__V1__ENVELOPE__BODY_##name)

Test(reply, a_status_says_what_and_how_to_mend_it)
{
	static const int numbers[] = {
#define X(name, number, code, retry, what, mend) number,
		ERR_MAP(X)
#undef X
	};

	begin();
	for (size_t i = 1; i < sizeof numbers / sizeof numbers[0]; i++) {
		reply_status(&r, (enum err)numbers[i], NULL, 250);
		BODY(STATUS);
		cr_expect_eq(got->status->number, (uint32_t)numbers[i]);
		cr_expect_eq(got->status->code, (uint32_t)err_code(numbers[i]));
		cr_expect_str_eq(got->status->reason, err_name(numbers[i]));
		cr_expect_str_eq(got->status->what, err_what(numbers[i]));
		cr_expect_str_eq(got->status->mend, err_mend(numbers[i]));
		cr_expect_eq(got->status->retry_same_key, err_retry(numbers[i]) == ERR_RETRY_SAME);
		cr_expect_eq(got->status->retry_after_ms, 250);
		cr_expect_null(got->status->receipt, "nothing was decided");
	}
	finish();
}

Test(reply, violations_are_told_by_field)
{
	static struct request q = {.violation_count = 2,
				   .violations = {{"requirement.sector", "is required"}, {"key", "is not"}}};

	begin();
	reply_status(&r, ERR_INVALID_FIELD, &q, 0);
	BODY(STATUS);
	cr_assert_eq(got->status->n_violations, 2);
	cr_expect_str_eq(got->status->violations[0]->field, "requirement.sector");
	cr_expect_str_eq(got->status->violations[1]->problem, "is not");
	finish();
}

static void expect_placement(const Calloff__V1__Outcome *o)
{
	cr_assert_not_null(o->placement);
	cr_expect_str_eq(o->placement->provider, "PRV-A");
	cr_expect_str_eq(o->placement->list, "LAH25-1");
	cr_expect_str_eq(o->placement->pool, "POOL-1");
	cr_expect_str_eq(o->placement->start_date, "2026-01-01");
	cr_expect_str_eq(o->placement->exit_date, "");
	cr_expect(o->placement->rank == 1 && o->placement->tier == 1 && o->placement->carer_minutes_week == 210);
	cr_expect_eq(o->placement->price_pence_week, 8400);
	cr_assert_eq(o->placement->n_bands, 1);
	cr_expect_eq(o->placement->bands[0], CALLOFF__V1__BAND__BAND_MORNING);
}

Test(reply, an_outcome_is_said_under_the_body_that_was_asked)
{
	struct receipt receipt = {.seq = 9, .leaf = {7}, .row_hash = {8}};
	struct outcome o;

	begin();
	world_place(&world, 30);
	o = world.update.outcome;
	reply_outcome(&r, &o, &receipt);
	BODY(SUBMIT_PACKAGE_RESPONSE);
	cr_expect_str_eq(got->submit_package_response->outcome->package, "P-3");
	cr_expect_eq(got->submit_package_response->outcome->state, CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PLACED);
	cr_expect(got->submit_package_response->outcome->simulated);
	expect_placement(got->submit_package_response->outcome);
	cr_expect_eq(got->submit_package_response->receipt->seq, 9);
	cr_expect_eq(got->submit_package_response->receipt->leaf.len, 32);
	cr_expect_eq(got->submit_package_response->receipt->row_hash.data[0], 8);
	o.type = EVENT_CONFIRM;
	reply_outcome(&r, &o, &receipt);
	BODY(CONFIRM_PACKAGE_RESPONSE);
	expect_placement(got->confirm_package_response->outcome);
	o.type = EVENT_WITHDRAW;
	reply_outcome(&r, &o, &receipt);
	BODY(WITHDRAW_PACKAGE_RESPONSE);
	expect_placement(got->withdraw_package_response->outcome);
	o.type = EVENT_END;
	reply_outcome(&r, &o, &receipt);
	BODY(END_PACKAGE_RESPONSE);
	expect_placement(got->end_package_response->outcome);
	finish();
}

Test(reply, a_dry_run_has_no_receipt_and_no_package)
{
	begin();
	world_submit(&world, 30);
	world_decide(&world);
	world.update.outcome.package_no = 0;
	reply_outcome(&r, &world.update.outcome, NULL);
	BODY(SUBMIT_PACKAGE_RESPONSE);
	cr_expect_null(got->submit_package_response->receipt);
	cr_expect_str_eq(got->submit_package_response->outcome->package, "");
	finish();
}

Test(reply, a_declaration_and_a_refusal_are_outcomes_with_receipts)
{
	struct receipt receipt = {.seq = 9};

	begin();
	world_place(&world, 30);
	world_declare(&world, "POOL-1", 0);
	reply_outcome(&r, &world.update.outcome, &receipt);
	BODY(DECLARE_CAPACITY_RESPONSE);
	cr_expect_eq(got->declare_capacity_response->cells_over, 7);
	cr_expect_eq(got->declare_capacity_response->receipt->seq, 9);
	world_submit(&world, 30)->sector = text_of("ZZ1 1");
	world_step(&world);
	reply_outcome(&r, &world.update.outcome, &receipt);
	BODY(STATUS);
	cr_expect_eq(got->status->number, ERR_UNKNOWN_SECTOR);
	cr_expect_eq(got->status->receipt->seq, 9);
	cr_assert_eq(got->status->n_violations, 1);
	cr_expect_str_eq(got->status->violations[0]->field, "sector");
	finish();
}

Test(reply, the_engine_speaks_of_itself_without_a_framework)
{
	struct health_view h = {.state = "loading",
				.epoch = 1,
				.last_seq = 2,
				.framework_version = 3,
				.uptime_us = 4,
				.last_commit_age_us = 5,
				.engine = "a", .active_engine = "b", .active_endpoint = "/run/b",
				.reason = "STORE",
				.note = "no server"};
	struct counter_view counters[] = {{"commands", "taken in", 1}, {"busy", "too many", INT64_MAX}};
	static struct hist hist;
	struct histogram_view histograms[] = {{"commit_us", "us", "until its answer", &hist}};
	const uint32_t shards[] = {3, 5};

	begin();
	hist_add(&hist, 0);
	hist_add(&hist, 5);
	hist_add(&hist, 5);
	r.framework = NULL;
	reply_hello(&r, "unix:0", shards, 2, 41, 1767268800000000);
	BODY(HELLO_RESPONSE);
	cr_expect(got->hello_response->protocol == 1 && got->hello_response->n_shards == 2 &&
		  got->hello_response->shards[0] == 3 && got->hello_response->shards[1] == 5);
	cr_expect_str_eq(got->hello_response->principal, "unix:0");
	reply_health(&r, &h);
	BODY(GET_HEALTH_RESPONSE);
	cr_expect_str_eq(got->get_health_response->state, "loading");
	cr_expect(got->get_health_response->epoch == 1 && got->get_health_response->last_commit_age_us == 5);
	cr_expect_str_eq(got->get_health_response->note, "no server");
	cr_expect_str_eq(got->get_health_response->active_endpoint, "/run/b");
	r.elsewhere = "/run/b";
	reply_status(&r, ERR_DEPOSED, NULL, 250);
	BODY(STATUS);
	cr_expect_str_eq(got->status->active_endpoint, "/run/b");
	reply_status(&r, ERR_BUSY, NULL, 250);
	BODY(STATUS);
	cr_expect_str_eq(got->status->active_endpoint, "");
	reply_stats(&r, counters, 2, histograms, 1);
	BODY(GET_STATS_RESPONSE);
	cr_assert(got->get_stats_response->n_counters == 2 && got->get_stats_response->n_histograms == 1);
	cr_expect_eq(got->get_stats_response->counters[1]->value, INT64_MAX);
	cr_expect_str_eq(got->get_stats_response->counters[0]->text, "taken in");
	const Calloff__V1__Histogram *told = got->get_stats_response->histograms[0];

	cr_expect(told->count == 3 && told->sum == 10 && told->p999 == 5 && told->max == 5);
	cr_assert_eq(told->n_below_power_of_two, 3, "below 1, 2 and 4; all three are below 8");
	cr_expect(told->below_power_of_two[0] == 1 && told->below_power_of_two[1] == 1 && told->below_power_of_two[2] == 1);
	reply_subscribed(&r, 12);
	BODY(SUBSCRIBE_RESPONSE);
	cr_expect_eq(got->subscribe_response->from_seq, 12);
	finish();
}

Test(reply, the_market_is_told_as_it_stands)
{
	begin();
	world_place(&world, 30);
	reply_counts(&r, world.core, 3);
	BODY(GET_COUNTS_RESPONSE);
	cr_assert_eq(got->get_counts_response->n_states, 1);
	cr_expect_eq(got->get_counts_response->states[0]->packages, 1);
	cr_assert_eq(got->get_counts_response->n_routes, 1);
	cr_expect_eq(got->get_counts_response->routes[0]->carer_minutes_week, 210);
	reply_lots(&r);
	BODY(LIST_LOTS_RESPONSE);
	cr_assert_eq(got->list_lots_response->n_lots, 2);
	cr_expect_str_eq(got->list_lots_response->lots[0]->districts[0], "Maldon");
	cr_expect_str_eq(got->list_lots_response->lots[0]->lists[0], "LAH25-1");
	cr_expect_eq(got->list_lots_response->n_skills, 2);
	reply_list(&r, world.core, framework_find_list(world.framework, LIST_MALDON, 0), world.now_us);
	BODY(GET_LIST_RESPONSE);
	cr_assert_eq(got->get_list_response->n_entries, 3);
	cr_expect_str_eq(got->get_list_response->entries[0]->provider, "PRV-A");
	cr_expect_str_eq(got->get_list_response->entries[0]->pools[0], "POOL-1");
	cr_expect_eq(got->get_list_response->entries[0]->n_pools, 1, "one pool in two sectors is one pool");
	cr_expect(got->get_list_response->entries[0]->live_packages == 1 &&
		  got->get_list_response->entries[1]->live_packages == 0);
	reply_providers(&r, world.core, text_of(""), 10);
	BODY(LIST_PROVIDERS_RESPONSE);
	cr_expect(got->list_providers_response->providers[0]->live_packages == 1 &&
		  got->list_providers_response->providers[1]->live_packages == 0);
	finish();
}

Test(reply, pages_end_where_they_say)
{
	static const char *const want[] = {"PRV-A", "PRV-B", "PRV-C"};
	char after[32] = "";

	begin();
	for (uint32_t i = 0; i < 3; i++) {
		reply_providers(&r, world.core, text_of(after), 1);
		BODY(LIST_PROVIDERS_RESPONSE);
		cr_assert_eq(got->list_providers_response->n_providers, 1);
		cr_expect_str_eq(got->list_providers_response->providers[0]->provider, want[i]);
		cr_expect_str_eq(got->list_providers_response->next, i < 2 ? want[i] : "");
		snprintf(after, sizeof after, "%s", want[i]);
	}
	reply_providers(&r, world.core, text_of(after), 1);
	BODY(LIST_PROVIDERS_RESPONSE);
	cr_expect_eq(got->list_providers_response->n_providers, 0);
	reply_pools(&r, world.core, 1, text_of(""), 10, world.now_us);
	BODY(LIST_POOLS_RESPONSE);
	cr_assert_eq(got->list_pools_response->n_pools, 1);
	cr_expect_str_eq(got->list_pools_response->pools[0]->pool, "POOL-2");
	cr_expect_eq(got->list_pools_response->pools[0]->n_cells, 2 * CELLS);
	cr_expect_eq(got->list_pools_response->pools[0]->cells[0]->declared, 300);
	finish();
}

Test(reply, a_pool_shows_what_is_over_and_what_is_unknown)
{
	const Calloff__V1__Pool *p;

	begin();
	world_place(&world, 30);
	world_declare(&world, "POOL-1", 10);
	reply_pools(&r, world.core, 0, text_of(""), 10, world.now_us + 400 * DAY_US);
	BODY(LIST_POOLS_RESPONSE);
	p = got->list_pools_response->pools[0];
	cr_expect(p->unknown);
	for (size_t i = 0; i < p->n_cells; i++) {
		bool morning = p->cells[i]->band == CALLOFF__V1__BAND__BAND_MORNING && !p->cells[i]->paired;

		cr_expect_eq(p->cells[i]->committed, morning ? 30 : 0);
		cr_expect_eq(p->cells[i]->overhang, morning ? 20 : 0);
	}
	finish();
}

static struct package_view view(void)
{
	struct package_view v = {
		.package_no = 10482,
		.changed_seq = 10482,
		.requirement_version = 1,
		.list_no = LIST_MALDON,
		.sector_no = SECTOR_MALDON,
		.district_no = 1,
		.skills = 2,
		.language = 1,
		.start_day = WORLD_TODAY,
		.ceiling_pence_hour = 2500,
		.state = STATE_PLACED,
		.service = SERVICE_PERSONAL_CARE,
		.urgency = URGENCY_STANDARD,
		.risk = RISK_GREEN,
		.cover = COVER_FAMILY,
		.funding = FUNDING_COUNCIL,
		.regime = REGIME_CARE_ACT_S18,
		.prerequisites = 3,
		.case_ref = text_of("C-1"),
		.person_ref = text_of("X-1"),
		.household_ref = text_of(""),
		.bundle_ref = text_of(""),
		.owner_ref = text_of(""),
		.visit_count = 1,
		.visits = {visit_code(127, BAND_MORNING, false, 6)},
		.facts = {6 | 30u << 18 | 1u << 29},
		.excluded_count = 1,
		.excluded = {3},
		.placed_count = 1,
	};

	v.placed[0] = (struct placed){.pool_no = 1,
				      .provider_no = 1,
				      .list_no = LIST_MALDON,
				      .start_day = WORLD_TODAY,
				      .role = ROLE_MAIN,
				      .route = ROUTE_FRAMEWORK,
				      .tier = 1,
				      .rank = 1,
				      .demand_count = 1,
				      .demand = {v.visits[0]}};
	return v;
}

Test(reply, a_package_is_said_as_it_was_submitted)
{
	struct package_view v = view();
	const Calloff__V1__Requirement *q;

	begin();
	reply_packages(&r, &v, 1);
	BODY(GET_PACKAGE_RESPONSE);
	cr_assert_eq(got->get_package_response->n_packages, 1);
	cr_expect_str_eq(got->get_package_response->packages[0]->package, "P-10482");
	q = got->get_package_response->packages[0]->requirement;
	cr_expect_str_eq(q->sector, "CM0 7");
	cr_expect_str_eq(q->district, "Maldon");
	cr_expect_str_eq(q->case_ref, "C-1");
	cr_expect_str_eq(q->language, "pl");
	cr_expect_str_eq(q->start_date, "2026-01-01");
	cr_assert(q->n_skills == 1 && q->n_excluded == 1 && q->n_visits == 1);
	cr_expect_str_eq(q->skills[0], "peg");
	cr_expect_str_eq(q->excluded[0]->provider, "PRV-C");
	cr_expect(q->visits[0]->days == 127 && q->visits[0]->minutes == 30 && q->visits[0]->carers == 1);
	cr_expect_eq(q->visits[0]->band, CALLOFF__V1__BAND__BAND_MORNING);
	cr_assert_eq(q->visits[0]->n_also_bands, 1);
	cr_expect_eq(q->visits[0]->also_bands[0], CALLOFF__V1__BAND__BAND_MIDMORNING);
	cr_expect(q->needs_equipment && q->needs_key_safe);
	reply_package_page(&r, &v, 1, 10482);
	BODY(LIST_PACKAGES_RESPONSE);
	cr_expect_eq(got->list_packages_response->next, 10482);
	reply_package_page(&r, &v, 0, 0);
	BODY(LIST_PACKAGES_RESPONSE);
	cr_expect_eq(got->list_packages_response->n_packages, 0);
	finish();
}

/* One record with a candidate of every reason: each has its sentence. */
Test(reply, every_reason_has_a_sentence)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	static struct example e;
	struct package_view v = view();
	struct record_view record = {.record = bytes, .receipt = {.seq = 10482}};
	struct decision *d = &e.update.decision;
	const Calloff__V1__Decision *said;

	begin();
	example_make(EXAMPLE_CHOSEN, &e);
	d->list_no = LIST_MALDON;
	d->looked_at = REASON_LAST;
	for (int reason = REASON_CHOSEN; reason <= REASON_LAST; reason++) {
		bool capacity = reason >= REASON_OVERHANG && reason <= REASON_TIME_SHORT;

		d->candidates[reason - 1] =
			(struct candidate){.provider_no = 1,
					   .reason = (uint8_t)reason,
					   .route = ROUTE_FRAMEWORK,
					   .tier = 1,
					   .rank = 1,
					   .detail = 1,
					   .cell_plane = capacity ? (5 * BANDS + BAND_BED) * 2 + 1 : UINT8_MAX,
					   .need = 6,
					   .free = 2};
	}
	record.len = record_encode(&e.event, &e.update, &e.stamp, bytes, sizeof bytes);
	reply_explain(&r, &v, &record, 1);
	BODY(EXPLAIN_PACKAGE_RESPONSE);
	cr_assert_eq(got->explain_package_response->n_decisions, 1);
	said = got->explain_package_response->decisions[0];
	cr_assert_eq(said->n_candidates, REASON_LAST);
	for (size_t i = 0; i < said->n_candidates; i++) {
		cr_expect_str_eq(said->candidates[i]->reason, reason_word((int)i + 1));
		cr_expect_gt(strlen(said->candidates[i]->sentence), 5, "%s", said->candidates[i]->reason);
		cr_expect_lt(strlen(said->candidates[i]->sentence), 95, "%s is cut", said->candidates[i]->reason);
	}
	cr_expect_str_eq(said->candidates[REASON_PAIR_SHORT - 1]->sentence,
			 "bed Sat, two carers together: needs 30 min, has 10");
	cr_expect(said->candidates[REASON_PAIR_SHORT - 1]->day == 6 &&
		  said->candidates[REASON_PAIR_SHORT - 1]->need == 30);
	cr_expect_str_eq(said->candidates[REASON_RATING - 1]->clause, "cl. 7");
	finish();
}

Test(reply, an_erased_or_broken_record_is_passed_over)
{
	static uint8_t zeros[40];
	struct package_view v = view();
	struct record_view records[] = {{.record = zeros, .len = sizeof zeros}, {.record = zeros, .len = 0}};
	struct journal_view row = {.first_seq = 1,
				   .last_seq = 2,
				   .prev_hash = hash,
				   .row_hash = hash,
				   .leaves = zeros,
				   .salts = zeros,
				   .records = records};

	begin();
	reply_explain(&r, &v, records, 2);
	BODY(EXPLAIN_PACKAGE_RESPONSE);
	cr_expect_eq(got->explain_package_response->n_decisions, 0);
	cr_expect_not(reply_events(&r, &row, 1, 0));
	cr_expect_eq(buf_len(&out), 0);
	finish();
}

Test(reply, a_record_with_a_cell_outside_the_week_is_passed_over)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	static struct example e;
	struct package_view v = view();
	struct record_view record = {.record = bytes};

	begin();
	example_make(EXAMPLE_NOBODY, &e);
	for (int plane = 2 * CELLS; plane < 255; plane += 7) {
		e.update.decision.candidates[1].cell_plane = (uint8_t)plane;
		record.len = record_encode(&e.event, &e.update, &e.stamp, bytes, sizeof bytes);
		reply_explain(&r, &v, &record, 1);
		BODY(EXPLAIN_PACKAGE_RESPONSE);
		cr_expect_eq(got->explain_package_response->n_decisions, 0);
	}
	finish();
}

Test(reply, the_journal_and_its_events_come_out_whole)
{
	static uint8_t bytes[EXAMPLE_LARGEST][RECORD_BYTES_MAX], hashes[EXAMPLE_LARGEST * 32];
	static struct record_view records[EXAMPLE_LARGEST];
	static struct example e;
	struct journal_view row = {.first_seq = 1,
				   .last_seq = EXAMPLE_LARGEST,
				   .epoch = 2,
				   .prev_hash = hash,
				   .row_hash = hash,
				   .leaves = hashes,
				   .salts = hashes,
				   .records = records};

	begin();
	for (int i = 0; i < EXAMPLE_LARGEST; i++) {
		example_make((enum example_name)i, &e);
		e.event.seq = i + 1;
		records[i] = (struct record_view){
			.record = bytes[i],
			.len = record_encode(&e.event, &e.update, &e.stamp, bytes[i], RECORD_BYTES_MAX)};
	}
	reply_journal(&r, &row, 1, 99, hash);
	BODY(READ_JOURNAL_RESPONSE);
	cr_assert_eq(got->read_journal_response->n_rows, 1);
	cr_expect_eq(got->read_journal_response->rows[0]->n_records, EXAMPLE_LARGEST);
	cr_expect_eq(got->read_journal_response->rows[0]->leaves.len, 32 * EXAMPLE_LARGEST);
	cr_expect_eq(got->read_journal_response->head_seq, 99);
	cr_expect(reply_events(&r, &row, 1, 2));
	BODY(EVENT_BATCH);
	/* the refused one (3) is no event; 1 and 2 were heard before */
	cr_assert_eq(got->event_batch->n_events, EXAMPLE_LARGEST - 3);
	cr_expect_eq(got->event_batch->events[0]->seq, 4);
	cr_expect_str_eq(got->event_batch->events[0]->kind, "package_confirmed");
	cr_expect_not(reply_events(&r, &row, 1, EXAMPLE_LARGEST));
	finish();
}

Test(reply, one_too_large_for_a_frame_becomes_a_status)
{
	static uint8_t big[6 << 20];
	struct record_view record = {.record = big, .len = sizeof big};
	struct journal_view rows[4];

	begin();
	for (int i = 0; i < 4; i++)
		rows[i] = (struct journal_view){.first_seq = 1,
						.last_seq = 1,
						.prev_hash = hash,
						.row_hash = hash,
						.leaves = hash,
						.salts = hash,
						.records = &record};
	reply_journal(&r, rows, 4, 1, hash);
	BODY(STATUS);
	cr_expect_eq(got->status->number, ERR_TOO_BIG);
	finish();
}

Test(reply, replies_follow_each_other_in_the_buffer)
{
	const uint8_t *body;
	size_t len, frames = 0;

	begin();
	for (int i = 0; i < 100; i++)
		reply_status(&r, ERR_BUSY, NULL, 250);
	while (frame_peek(out.bytes + out.from, buf_len(&out), FRAME_BYTES_MAX, &body, &len) == ERR_OK) {
		buf_consume(&out, FRAME_HEAD_BYTES + len);
		frames++;
	}
	cr_expect(frames == 100 && buf_len(&out) == 0);
	finish();
}

Test(reply, dates_are_days_of_the_calendar)
{
	static const struct {
		int32_t day;
		const char *date;
	} days[] = {{0, "1970-01-01"},
		    {11016, "2000-02-29"},
		    {19782, "2024-02-29"},
		    {20454, "2026-01-01"},
		    {20818, "2026-12-31"}};
	struct package_view v = view();

	begin();
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		v.start_day = days[i].day;
		reply_packages(&r, &v, 1);
		BODY(GET_PACKAGE_RESPONSE);
		cr_expect_str_eq(got->get_package_response->packages[0]->requirement->start_date, days[i].date);
	}
	finish();
}

/* As many providers and pools as the limits allow: the page's memory must be enough. */
Test(reply, a_full_page_of_the_largest_market_fits_its_memory)
{
	static struct row_provider providers[PROVIDERS_MAX];
	static struct row_pool pools[POOLS_MAX];

	world_rows(&world);
	world.rows.entries_count = world.rows.coverages_count = 0;
	world.rows.providers = providers;
	world.rows.pools = pools;
	world.rows.providers_count = PROVIDERS_MAX;
	world.rows.pools_count = POOLS_MAX;
	for (int32_t i = 0; i < PROVIDERS_MAX; i++) {
		providers[i].provider_no = i + 1;
		snprintf(providers[i].code, sizeof providers[i].code, "PRV-%d", i);
	}
	for (int32_t i = 0; i < POOLS_MAX; i++) {
		pools[i] = (struct row_pool){
			.pool_no = i + 1, .provider_no = i % PROVIDERS_MAX + 1, .kind = POOL_KIND_TIME};
		snprintf(pools[i].code, sizeof pools[i].code, "POOL-%d", i);
	}
	world_open(&world);
	scratch = (struct arena){malloc(SCRATCH_BYTES), SCRATCH_BYTES, 0};
	r = (struct reply){
		.out = &out, .scratch = &scratch, .request_id = 77, .shard = 3, .framework = world.framework};
	reply_providers(&r, world.core, text_of(""), PAGE_ROWS_MAX);
	BODY(LIST_PROVIDERS_RESPONSE);
	cr_expect_eq(got->list_providers_response->n_providers, PAGE_ROWS_MAX);
	finish();
}
