/* The journal's records are kept for ever: what was written once must read back for ever. */
#include "kit/kit.h"

#include "base/bytes.h"
#include "core/record.h"
#include "core/words.h"
#include "unit/examples.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(record);
KIT_SUITE(outcome);

static struct example example;
static struct event event;
static struct update update;
static struct stamp stamp;
static uint8_t bytes[RECORD_BYTES_MAX], again[RECORD_BYTES_MAX];

static enum err decode(const uint8_t *from, size_t len)
{
	static uint8_t *exact; /* exact size: a read past the end is seen; kept, as texts point into it */

	free(exact);
	exact = malloc(len > 0 ? len : 1);
	for (size_t i = 0; i < len; i++)
		exact[i] = from[i];
	return record_decode(exact, len, &event, &update, &stamp);
}

static void expect_same_text(struct text a, struct text b, const char *what)
{
	cr_expect(a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0), "%s: %.*s / %.*s", what,
		  (int)a.len, a.bytes, (int)b.len, b.bytes);
}

#define SAME(field) cr_expect_eq(a->field, b->field, #field)
#define SAME_TEXT(field) expect_same_text(a->field, b->field, #field)

static void expect_same_requirement(const struct requirement *a, const struct requirement *b)
{
	SAME_TEXT(case_ref);
	SAME_TEXT(person_ref);
	SAME_TEXT(household_ref);
	SAME_TEXT(owner_ref);
	SAME_TEXT(bundle_ref);
	SAME_TEXT(sector);
	SAME_TEXT(district);
	SAME_TEXT(language);
	SAME(service);
	SAME(client_group);
	SAME(gender);
	SAME(urgency);
	SAME(risk);
	SAME(cover);
	SAME(funding);
	SAME(regime);
	SAME(prerequisites);
	SAME(start_day);
	SAME(ceiling_pence_hour);
	SAME(need_arose_us);
	SAME(latest_start_us);
	SAME(cover_until_us);
	SAME(skill_count);
	SAME(excluded_count);
	SAME(visit_count);
	for (uint32_t i = 0; i < a->skill_count; i++)
		SAME_TEXT(skills[i]);
	for (uint32_t i = 0; i < a->excluded_count; i++) {
		SAME_TEXT(excluded[i].provider);
		SAME_TEXT(excluded[i].reason);
	}
	for (uint32_t i = 0; i < a->visit_count; i++) {
		SAME(visits[i].days);
		SAME(visits[i].band);
		SAME(visits[i].bands);
		SAME(visits[i].carers);
		SAME(visits[i].tolerance_minutes);
		SAME(visits[i].time_critical);
		SAME(visits[i].shared);
		SAME(visits[i].minutes);
	}
}

static void expect_same_event(const struct event *a, const struct event *b)
{
	SAME(type);
	if (a->type == EVENT_SUBMIT) {
		expect_same_requirement(&a->submit, &b->submit);
	} else if (a->type == EVENT_DECLARE) {
		SAME_TEXT(declare.pool);
		SAME(declare.expires_us);
		SAME(declare.available_from_day);
		cr_expect_arr_eq(a->declare.declared, b->declare.declared, sizeof a->declare.declared);
	} else {
		SAME(change.package_no);
		SAME_TEXT(change.reason);
		SAME(change.with_budget_authority);
	}
}

static void expect_same_outcome(const struct outcome *a, const struct outcome *b)
{
	SAME(refusal);
	SAME(type);
	SAME(state);
	SAME(package_no);
	SAME(provider_no);
	SAME(list_no);
	SAME(pool_no);
	SAME(start_day);
	SAME(exit_day);
	SAME(price_pence_week);
	SAME(carer_minutes_week);
	SAME(rank);
	SAME(looked_at);
	SAME(cells_over);
	SAME(role);
	SAME(route);
	SAME(tier);
	SAME(simulated);
	SAME(budget_authority);
	SAME(confirm_by_us);
	SAME(band_count);
	cr_expect_arr_eq(a->bands, b->bands, a->band_count);
	cr_expect_str_eq(a->field, b->field);
}

static void expect_same_new(const struct new_package *a, const struct new_package *b)
{
	SAME(package_no);
	SAME(state);
	SAME(list_no);
	SAME(sector_no);
	SAME(district_no);
	SAME(skills);
	SAME(language);
	SAME(start_day);
	SAME(latest_day);
	SAME(visit_count);
	SAME(excluded_count);
	cr_expect_arr_eq(a->visits, b->visits, a->visit_count * sizeof a->visits[0]);
	cr_expect_arr_eq(a->facts, b->facts, a->visit_count * sizeof a->facts[0]);
	cr_expect_arr_eq(a->excluded, b->excluded, a->excluded_count * sizeof a->excluded[0]);
}

static void expect_same_decision(const struct decision *a, const struct decision *b)
{
	SAME(list_no);
	SAME(list_version);
	SAME(policy_no);
	SAME(outcome);
	SAME(looked_at);
	SAME(not_reached);
	for (uint32_t i = 0; i < a->looked_at; i++) {
		SAME(candidates[i].provider_no);
		SAME(candidates[i].detail);
		SAME(candidates[i].rank);
		SAME(candidates[i].need);
		SAME(candidates[i].free);
		SAME(candidates[i].route);
		SAME(candidates[i].tier);
		SAME(candidates[i].reason);
		SAME(candidates[i].cell_plane);
	}
}

static void expect_same_made(const struct placed *a, const struct placed *b)
{
	SAME(package_no);
	SAME(pool_no);
	SAME(provider_no);
	SAME(list_no);
	SAME(start_day);
	SAME(exit_day);
	SAME(price_pence_week);
	SAME(carer_minutes_week);
	SAME(rank);
	SAME(role);
	SAME(route);
	SAME(tier);
	SAME(demand_count);
	cr_expect_arr_eq(a->demand, b->demand, a->demand_count * sizeof a->demand[0]);
}

static void expect_same_update(const struct update *a, const struct update *b)
{
	expect_same_outcome(&a->outcome, &b->outcome);
	SAME(new_count);
	SAME(change_count);
	SAME(round_count);
	SAME(made_count);
	SAME(ended_count);
	SAME(declared_count);
	for (uint32_t i = 0; i < a->new_count; i++)
		expect_same_new(&a->packages[i], &b->packages[i]);
	for (uint32_t i = 0; i < a->change_count; i++) {
		SAME(changes[i].package_no);
		SAME(changes[i].from);
		SAME(changes[i].to);
	}
	for (uint32_t i = 0; i < a->round_count; i++) {
		SAME(rounds[i].package_no);
		SAME(rounds[i].requirement_version);
	}
	if (a->round_count > 0)
		expect_same_decision(&a->decision, &b->decision);
	for (uint32_t i = 0; i < a->made_count; i++)
		expect_same_made(&a->made[i], &b->made[i]);
	for (uint32_t i = 0; i < a->ended_count; i++) {
		SAME(ended[i].package_no);
		SAME(ended[i].role);
	}
	for (uint32_t i = 0; i < a->declared_count; i++) {
		SAME(declared[i].pool_no);
		SAME(declared[i].expires_us);
		SAME(declared[i].available_from_day);
		cr_expect_arr_eq(a->declared[i].units, b->declared[i].units, sizeof a->declared[i].units);
	}
}

static size_t encode(enum example_name name)
{
	example_make(name, &example);
	return record_encode(&example.event, &example.update, &example.stamp, bytes, sizeof bytes);
}

Test(record, every_kind_of_event_reads_back_as_it_was)
{
	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		size_t len = encode((enum example_name)i);

		cr_assert_eq(decode(bytes, len), ERR_OK, "%s", example_word((enum example_name)i));
		cr_expect_eq(event.seq, example.event.seq);
		cr_expect_eq(event.now_us, example.event.now_us);
		expect_same_text(event.principal, example.event.principal, "principal");
		cr_expect_eq(stamp.framework_version, example.stamp.framework_version);
		cr_expect_eq(stamp.rules_version, example.stamp.rules_version);
		cr_expect_arr_eq(stamp.key, example.stamp.key, sizeof stamp.key);
		expect_same_event(&example.event, &event);
		expect_same_update(&example.update, &update);
		if (update.new_count > 0)
			cr_expect_eq(update.packages[0].requirement, &event.submit);
		cr_expect_eq(record_encode(&event, &update, &stamp, again, sizeof again), len);
		cr_expect_arr_eq(again, bytes, len);
	}
}

Test(record, the_largest_event_fits_its_limit)
{
	cr_expect_leq(encode(EXAMPLE_LARGEST), (size_t)RECORD_BYTES_MAX);
}

Test(record, the_event_alone_reads_back_and_is_what_a_request_hash_is_taken_of)
{
	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		struct event back;
		size_t len;

		example_make((enum example_name)i, &example);
		len = record_event(&example.event, bytes, sizeof bytes);
		cr_assert_gt(len, 0);
		cr_assert_eq(record_event_decode(bytes, len, &back), ERR_OK);
		expect_same_event(&example.event, &back);
		example.event.seq++;
		example.event.now_us++;
		example.event.principal = (struct text){"somebody", 8};
		cr_expect_eq(record_event(&example.event, again, sizeof again), len);
		cr_expect_arr_eq(again, bytes, len, "stamps are no part of the request");
	}
}

Test(record, too_small_a_buffer_says_so)
{
	example_make(EXAMPLE_CONFIRM, &example);
	size_t len = record_event(&example.event, bytes, sizeof bytes);

	for (size_t size = 0; size < len; size++)
		cr_expect_eq(record_event(&example.event, bytes, size), 0);
	cr_expect_eq(record_event(&example.event, bytes, len), len);
}

Test(record, a_record_cut_anywhere_is_a_bad_row)
{
	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		size_t len = encode((enum example_name)i);

		for (size_t cut = 0; cut < len; cut++)
			cr_assert_eq(decode(bytes, cut), ERR_BAD_ROW, "%s cut at %zu",
				     example_word((enum example_name)i), cut);
	}
}

/* The head says how long the rest is: cut both, so that the cut is met by what reads the fields. */
static void set_length(uint8_t *record, size_t len)
{
	struct writer w = {.bytes = record + 4, .size = 4};

	write_u32(&w, (uint32_t)len - 8);
}

Test(record, a_record_cut_with_its_length_is_a_bad_row)
{
	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		size_t len = encode((enum example_name)i);

		for (size_t cut = 8; cut < len; cut++) {
			memcpy(again, bytes, cut);
			set_length(again, cut);
			cr_assert_eq(decode(again, cut), ERR_BAD_ROW, "%s cut at %zu",
				     example_word((enum example_name)i), cut);
		}
	}
}

Test(record, an_event_cut_anywhere_is_a_bad_row)
{
	struct event back;

	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		example_make((enum example_name)i, &example);
		size_t len = record_event(&example.event, bytes, sizeof bytes);

		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *exact = malloc(cut > 0 ? cut : 1);

			memcpy(exact, bytes, cut);
			cr_assert_eq(record_event_decode(exact, cut, &back), ERR_BAD_ROW);
			free(exact);
		}
	}
}

Test(record, bytes_after_the_end_are_a_bad_row)
{
	size_t len = encode(EXAMPLE_CHOSEN);

	bytes[len] = 0;
	cr_expect_eq(decode(bytes, len + 1), ERR_BAD_ROW);
	set_length(bytes, len + 1);
	cr_expect_eq(decode(bytes, len + 1), ERR_BAD_ROW);
	cr_expect_eq(decode(bytes, len), ERR_BAD_ROW, "it says that it is longer");
	set_length(bytes, len);
	cr_expect_eq(decode(bytes, len), ERR_OK);
}

Test(record, a_new_package_comes_of_a_submit_only)
{
	static struct example submit;
	size_t len;

	example_make(EXAMPLE_CHOSEN, &submit);
	example_make(EXAMPLE_CONFIRM, &example);
	len = record_encode(&example.event, &submit.update, &example.stamp, bytes, sizeof bytes);
	cr_expect_eq(decode(bytes, len), ERR_BAD_ROW);
}

Test(record, an_unknown_type_or_version_is_a_bad_row)
{
	size_t len = encode(EXAMPLE_CHOSEN);

	bytes[0] = 0;
	cr_expect_eq(decode(bytes, len), ERR_BAD_ROW);
	bytes[0] = EVENT_DECLARE + 1;
	cr_expect_eq(decode(bytes, len), ERR_BAD_ROW);
	bytes[0] = EVENT_SUBMIT;
	bytes[2] = RECORD_VERSION + 1;
	cr_expect_eq(decode(bytes, len), ERR_BAD_ROW);
}

/* A submit event of empty texts: where its three counts lie. */
enum { SKILLS_AT = 2 + 8 + 9 + 4 + 4 + 24, EXCLUDED_AT = SKILLS_AT + 2, VISITS_AT = EXCLUDED_AT + 2 };

Test(record, counts_past_their_limit_are_a_bad_row)
{
	static const struct {
		size_t at;
		uint32_t max, bytes_each;
	} counts[] = {{SKILLS_AT, SKILLS_MAX, 1}, {EXCLUDED_AT, EXCLUDED_MAX, 2}, {VISITS_AT, VISITS_MAX, 8}};
	struct event back;

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		memset(bytes, 0, sizeof bytes);
		bytes[0] = EVENT_SUBMIT;
		bytes[counts[i].at] = (uint8_t)counts[i].max;
		cr_expect_eq(record_event_decode(bytes, VISITS_AT + 2 + counts[i].max * counts[i].bytes_each, &back),
			     ERR_OK, "at %zu", counts[i].at);
		bytes[counts[i].at]++;
		cr_expect_eq(
			record_event_decode(bytes, VISITS_AT + 2 + (counts[i].max + 1) * counts[i].bytes_each, &back),
			ERR_BAD_ROW, "at %zu", counts[i].at);
		bytes[counts[i].at + 1] = 0xff;
		cr_expect_eq(record_event_decode(bytes, sizeof bytes, &back), ERR_BAD_ROW);
	}
}

/* The effects of a refused withdrawal are empty: its last six bytes count the lists. */
Test(record, effect_counts_past_their_limit_are_a_bad_row)
{
	static const uint32_t max[] = {
		0 /* no new package without a submit */, BUNDLE_PACKAGES, BUNDLE_PACKAGES, BUNDLE_PACKAGES, 4, 1};
	static const uint32_t bytes_each[] = {0, 10, 0, 43, 9, 16 + 4 * CELLS};

	for (uint32_t i = 0; i < 6; i++) {
		size_t len = encode(EXAMPLE_REFUSED), at = len - 6 + i;

		for (uint32_t count = max[i] + 1; count < 256; count += 50) {
			memset(bytes + len, 0, sizeof bytes - len);
			bytes[at] = (uint8_t)count;
			for (size_t more = 0; more < 64; more++) {
				set_length(bytes, len + more * 97);
				cr_assert_eq(decode(bytes, len + more * 97), ERR_BAD_ROW, "list %u", i);
			}
		}
		if (bytes_each[i] == 0)
			continue;
		memset(bytes + len, 0, sizeof bytes - len);
		bytes[at] = (uint8_t)max[i];
		set_length(bytes, len + max[i] * bytes_each[i]);
		cr_expect_eq(decode(bytes, len + max[i] * bytes_each[i]), ERR_OK, "list %u", i);
	}
}

Test(record, no_byte_of_a_record_turned_over_crashes_the_reader)
{
	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		size_t len = encode((enum example_name)i);

		for (size_t at = 0; at < len; at++) {
			memcpy(again, bytes, len);
			again[at] ^= 0xff;
			if (record_decode(again, len, &event, &update, &stamp) == ERR_OK)
				cr_assert_leq(record_encode(&event, &update, &stamp, bytes + 0, sizeof bytes), len);
			encode((enum example_name)i);
		}
	}
}

/* ---- golden vectors: bytes that were once written ---- */

static size_t golden_read(const char *name, uint8_t *to, size_t size)
{
	char path[512];
	size_t len = 0;
	unsigned byte;
	FILE *f;

	snprintf(path, sizeof path, GOLDEN_DIR "/%s.hex", name);
	f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	while (len < size && fscanf(f, "%2x", &byte) == 1)
		to[len++] = (uint8_t)byte;
	cr_assert(feof(f), "%s holds more than hex", path);
	fclose(f);
	return len;
}

static void golden_write(const char *name, const uint8_t *from, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, GOLDEN_DIR "/%s.hex", name);
	f = fopen(path, "w");
	cr_assert_not_null(f, "%s", path);
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02x%s", from[i], i % 32 == 31 || i + 1 == len ? "\n" : "");
	fclose(f);
}

/* GOLDEN_WRITE=1 writes files that are not there yet: only ever for a new name, old bytes stay. */
Test(record, what_was_once_written_still_reads_and_writes_alike)
{
	static uint8_t golden[RECORD_BYTES_MAX];

	for (int i = 0; i < EXAMPLE_COUNT; i++) {
		const char *name = example_word((enum example_name)i);
		size_t len, golden_len;

		if (getenv("GOLDEN_WRITE") != NULL)
			golden_write(name, bytes, encode((enum example_name)i));
		golden_len = golden_read(name, golden, sizeof golden);
		cr_assert_eq(decode(golden, golden_len), ERR_OK, "%s", name);
		len = record_encode(&event, &update, &stamp, again, sizeof again);
		cr_assert_eq(len, golden_len, "%s", name);
		cr_expect_arr_eq(again, golden, len, "%s", name);
		len = encode((enum example_name)i);
		cr_assert_eq(len, golden_len, "%s: the same event is written otherwise now", name);
		cr_expect_arr_eq(bytes, golden, len, "%s: the same event is written otherwise now", name);
	}
}

/* ---- outcomes ---- */

static struct outcome outcome_largest(void)
{
	struct outcome o = {
		.refusal = UINT16_MAX,
		.type = EVENT_SUBMIT,
		.state = STATE_PROVISIONAL,
		.package_no = INT64_MAX,
		.provider_no = INT32_MAX,
		.list_no = INT32_MAX,
		.pool_no = INT32_MAX,
		.start_day = INT32_MAX,
		.exit_day = INT32_MAX,
		.price_pence_week = UINT32_MAX,
		.carer_minutes_week = UINT32_MAX,
		.rank = UINT16_MAX,
		.looked_at = UINT16_MAX,
		.cells_over = UINT16_MAX,
		.role = ROLE_MAIN,
		.route = ROUTE_POLR,
		.tier = 255,
		.simulated = true,
		.budget_authority = true,
		.confirm_by_us = INT64_MAX,
		.band_count = VISITS_MAX,
	};

	for (uint32_t i = 0; i < VISITS_MAX; i++)
		o.bands[i] = (uint8_t)(i % BANDS);
	memset(o.field, 'f', sizeof o.field - 1);
	return o;
}

Test(outcome, the_largest_fits_its_column)
{
	struct outcome o = outcome_largest();

	cr_expect_gt(outcome_encode(&o, bytes, sizeof bytes), 0);
	cr_expect_leq(outcome_encode(&o, bytes, sizeof bytes), (size_t)OUTCOME_BYTES_MAX);
}

Test(outcome, the_largest_and_the_smallest_read_back)
{
	struct outcome all[] = {outcome_largest(), {.type = EVENT_END}}, back;

	for (int i = 0; i < 2; i++) {
		size_t len = outcome_encode(&all[i], bytes, OUTCOME_BYTES_MAX);

		cr_assert_eq(outcome_decode(bytes, len, &back), ERR_OK);
		expect_same_outcome(&all[i], &back);
	}
}

Test(outcome, one_cut_anywhere_is_a_bad_row_and_leaves_the_result_alone)
{
	struct outcome o = outcome_largest(), back = {.package_no = 42};
	size_t len = outcome_encode(&o, bytes, OUTCOME_BYTES_MAX);

	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut > 0 ? cut : 1);

		memcpy(exact, bytes, cut);
		cr_assert_eq(outcome_decode(exact, cut, &back), ERR_BAD_ROW);
		free(exact);
	}
	cr_expect_eq(outcome_decode(bytes, len + 1, &back), ERR_BAD_ROW);
	cr_expect_eq(back.package_no, 42);
}

Test(outcome, more_bands_than_visits_are_a_bad_row)
{
	struct outcome o = {.type = EVENT_SUBMIT, .provider_no = 1}, back;
	size_t len = outcome_encode(&o, bytes, OUTCOME_BYTES_MAX);

	memset(bytes + len, 0, 200);
	bytes[len - 1] = VISITS_MAX + 1;
	cr_expect_eq(outcome_decode(bytes, len + 17, &back), ERR_BAD_ROW);
	cr_expect_eq(outcome_decode(bytes, len, &back), ERR_BAD_ROW);
	bytes[len - 1] = VISITS_MAX;
	cr_expect_eq(outcome_decode(bytes, len + 16, &back), ERR_OK);
}

Test(outcome, a_field_too_long_for_its_place_is_a_bad_row)
{
	struct outcome o = {.type = EVENT_SUBMIT, .refusal = ERR_NO_LIST, .field = "service"}, back;
	size_t len = outcome_encode(&o, bytes, OUTCOME_BYTES_MAX), at = len - 8;

	cr_assert_eq(bytes[at], 7);
	memset(bytes + at + 1, 'f', 64);
	bytes[at] = sizeof o.field - 1;
	cr_expect_eq(outcome_decode(bytes, at + sizeof o.field, &back), ERR_OK);
	bytes[at] = sizeof o.field;
	cr_expect_eq(outcome_decode(bytes, at + 1 + sizeof o.field, &back), ERR_BAD_ROW);
}
