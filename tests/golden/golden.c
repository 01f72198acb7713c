/* golden.c — the golden journal: a market and sixty events, decided once, committed, and replayed by every later build.
 *
 * golden FILE          decodes each record of FILE, gives its event to a fresh core, and demands the very same bytes again
 * golden --write FILE  decides the events afresh and writes FILE: only together with a new rules or record version
 */
#include "base/mem.h"
#include "core/core.h"
#include "core/record.h"
#include "core/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US INT64_C(1766000000000000) /* 2025-12-17 */
#define TEXT(s) ((struct text){s, sizeof s - 1})

enum { PROVIDERS = 6, POOLS = 7, LISTS = 2, RECORDS_BYTES_MAX = 1 << 20 };

static struct row_district districts[] = {{1, "E07000074", "Maldon"}, {2, "E07000067", "Braintree"}};
static struct row_sector sectors[] = {{1, "CM0 7"}, {2, "CM8 3"}, {3, "CM9 4"}};
static struct row_sector_district sector_districts[] = {{1, 1}, {2, 1}, {2, 2}, {3, 1}};
static struct row_word skills[] = {{0, "hoist"}, {1, "peg"}};
static struct row_word languages[] = {{2, "pl"}};
static struct row_provider providers[PROVIDERS];
static struct row_status statuses[] = {{2, 1, STATUS_PAUSED, 0, 0, 0, INT64_MAX, "7.2"}};
static struct row_lot lots[] = {{1, "MAL", "Maldon", "LAH25"}};
static struct row_lot_district lot_districts[] = {{1, 1}};
static struct row_policy policies[1];
static struct row_clause clauses[19];
static struct row_list lists[LISTS];
static struct row_entry entries[LISTS * PROVIDERS];
static struct row_pool pools[POOLS];
static struct row_coverage coverages[64];

static void make_policy(struct framework_rows *r)
{
	policies[0] = (struct row_policy){.policy_no = 1, .version = 1, .award_style = AWARD_DIRECT,
		.confirmation = CONFIRMATION_OFFICER, .confirm_minutes = 60, .unknown_pool = UNKNOWN_POOL_PASS_OVER,
		.travel_minutes_visit = 5, .rating_min = RATING_REQUIRES_IMPROVEMENT, .polr_urgencies = 1 << URGENCY_EMERGENCY,
		.polr_risks = 1 << RISK_RED, .polr_days = 7, .not_rated_open = true, .polr_no_cover = true,
		.routes = {ROUTE_FRAMEWORK, ROUTE_SPOT, ROUTE_POLR}, .route_count = 3, .code = "GOLDEN"};
	for (int32_t reason = REASON_ROUTE_CLOSED; reason <= REASON_TIME_SHORT; reason++) {
		clauses[r->clauses_count] = (struct row_clause){1, reason, "0.0"};
		snprintf(clauses[r->clauses_count++].clause, 8, "4.%d", reason);
	}
}

static void make_market(struct framework_rows *r)
{
	static const uint8_t routes[] = {ROUTE_FRAMEWORK, ROUTE_FRAMEWORK, ROUTE_FRAMEWORK, ROUTE_FRAMEWORK, ROUTE_SPOT, ROUTE_POLR};

	for (int32_t i = 0; i < PROVIDERS; i++) {
		providers[i] = (struct row_provider){.provider_no = i + 1, .rating = i == 2 ? RATING_INADEQUATE : RATING_GOOD,
			.skills = i == 0 ? 0 : 3, .genders = 3, .languages = i == 3 ? 4 : 0, .starts_a_day_max = i == 3 ? 8 : 0,
			.minutes_week_max = i == 4 ? 60000 : 0};
		snprintf(providers[i].code, sizeof providers[i].code, "PRV-M%02d", i + 1);
		pools[i] = (struct row_pool){.pool_no = i + 1, .provider_no = i + 1, .kind = POOL_KIND_TIME};
		snprintf(pools[i].code, sizeof pools[i].code, "POOL-%d", i + 1);
	}
	pools[6] = (struct row_pool){.pool_no = 7, .provider_no = 4, .kind = POOL_KIND_NIGHTS, .code = "POOL-7"};
	for (int32_t l = 0; l < LISTS; l++) {
		lists[l] = (struct row_list){.list_no = l + 1, .lot_no = 1, .service = l == 0 ? SERVICE_PERSONAL_CARE : SERVICE_NIGHT_AWAKE,
			.version = 1, .policy_no = 1, .until_us = INT64_MAX};
		snprintf(lists[l].code, sizeof lists[l].code, "L-%d", l + 1);
		for (int32_t i = 0; i < PROVIDERS; i++) {
			entries[r->entries_count++] = (struct row_entry){.list_no = l + 1, .version = 1, .provider_no = i + 1,
				.route = routes[i], .tier = routes[i] == ROUTE_FRAMEWORK ? i / 2 + 1 : 3, .rank = i % 2 + 1,
				.order_no = i, .price_pence_hour = 2400 + 40 * i, .share_cap_minutes_week = i == 3 ? 90000 : 0};
			for (int32_t s = 1; s <= 3; s++) {
				bool night = l == 1;

				if ((night && i != 3) || (i == 1 && s == 3))
					continue;
				coverages[r->coverages_count++] = (struct row_coverage){l + 1, i + 1, s, night ? 7 : i + 1};
			}
		}
	}
}

static const struct framework *make_framework(struct arena *arena)
{
	struct framework_rows r = {.version = 1};
	struct framework_note note;
	const struct framework *f;

	make_policy(&r);
	make_market(&r);
#define COUNT(name) r.name = name, r.name##_count = r.name##_count != 0 ? r.name##_count : sizeof name / sizeof name[0]
	COUNT(districts), COUNT(sectors), COUNT(sector_districts), COUNT(skills), COUNT(languages), COUNT(providers);
	COUNT(statuses), COUNT(lots), COUNT(lot_districts), COUNT(policies), COUNT(clauses), COUNT(lists), COUNT(entries);
	COUNT(pools), COUNT(coverages);
#undef COUNT
	*arena = (struct arena){mem_map(framework_bytes(&r)), framework_bytes(&r), 0};
	if (framework_seal(&r, arena, &f, &note) != ERR_OK) {
		fprintf(stderr, "golden: %s\n", note.text);
		exit(1);
	}
	return f;
}

static struct core *make_core(const struct framework *f, void **ret_mem, size_t *ret_bytes)
{
	struct core_limits limits = {1024, 1024, 1024};
	uint16_t declared[2][CELLS];
	struct core *core;

	*ret_bytes = core_bytes(f, &limits);
	*ret_mem = mem_map(*ret_bytes);
	core = core_init(*ret_mem, f, &limits);
	for (int32_t p = 1; p <= POOLS; p++) {
		for (uint32_t cell = 0; cell < CELLS; cell++) {
			declared[0][cell] = p == 7 ? (cell % BANDS == BAND_NIGHT ? 2 : 0) : (uint16_t)(24 + 12 * p);
			declared[1][cell] = p == 7 || p == 1 ? 0 : (uint16_t)(12 * p);
		}
		if (core_load_pool(core, p, p == 6 ? POOL_MODE_IGNORED : POOL_MODE_BINDING, (const uint16_t(*)[CELLS])declared,
				   p == 2 ? NOW_US - 1 : NOW_US + INT64_C(9000000000000), 0) != ERR_OK)
			exit(1);
	}
	return core;
}

/* ---- the events ---- */

static void submit(struct event *e, int i)
{
	static const uint8_t bands[] = {BAND_MORNING, BAND_LUNCH, BAND_TEA, BAND_BED};
	struct requirement *q = &e->submit;

	*q = (struct requirement){.case_ref = TEXT("C-1"), .person_ref = TEXT("X-1"), .service = SERVICE_PERSONAL_CARE,
		.client_group = GROUP_OLDER_PEOPLE, .urgency = (uint8_t)(i % 5 + 1), .risk = (uint8_t)(i % 3 + 1),
		.cover = (uint8_t)(i % 5 + 1), .funding = FUNDING_COUNCIL, .regime = REGIME_CARE_ACT_S18, .sector = TEXT("CM0 7")};
	e->type = EVENT_SUBMIT;
	if (i % 7 == 0)
		q->sector = TEXT("CM8 3"), q->district = i % 14 == 0 ? TEXT("Maldon") : TEXT("");
	if (i % 5 == 1)
		q->skills[q->skill_count++] = TEXT("hoist");
	if (i % 11 == 3)
		q->language = TEXT("pl");
	if (i % 6 == 2)
		q->excluded[q->excluded_count++] = (struct exclusion){TEXT("PRV-M04"), TEXT("complaint")};
	if (i % 10 == 8)
		q->ceiling_pence_hour = 2430;
	if (i == 39 || i == 40)
		q->bundle_ref = TEXT("PAIR-1");
	if (i % 13 == 5) {
		q->service = SERVICE_NIGHT_AWAKE;
		q->visits[q->visit_count++] = (struct visit){127, BAND_NIGHT, 1 << BAND_NIGHT, 1, 0, false, false, 540};
		return;
	}
	for (int v = 0; v <= i % 4; v++)
		q->visits[q->visit_count++] = (struct visit){.days = i % 3 == 0 ? 31 : 127, .band = bands[v],
			.bands = (uint8_t)(1u << bands[v] | (i % 4 == 1 && v == 0 ? 1u << BAND_MIDMORNING : 0)),
			.carers = (uint8_t)(i % 6 == 4 && v != 1 ? 2 : 1), .tolerance_minutes = 30, .minutes = (uint16_t)(30 + 15 * (i % 3)),
			.shared = (i == 39 || i == 40) && v == 0};
	if (i == 39)
		q->visits[0] = (struct visit){31, BAND_MORNING, 1 << BAND_MORNING, 1, 30, false, true, 30};
	if (i == 40)
		q->visits[0] = (struct visit){31, BAND_MORNING, 1 << BAND_MORNING, 1, 30, false, true, 30};
}

static void declare(struct event *e, int i)
{
	e->type = EVENT_DECLARE;
	e->declare = (struct declaration){.pool = i % 2 == 0 ? TEXT("POOL-2") : TEXT("POOL-4"),
		.expires_us = NOW_US + INT64_C(600000000000)};
	for (uint32_t cell = 0; cell < CELLS; cell++)
		e->declare.declared[0][cell] = (uint32_t)(30 * (i % 4));
}

static void make_event(struct event *e, int i)
{
	e->seq = i + 1;
	e->now_us = NOW_US + i * INT64_C(61000000);
	e->principal = TEXT("unix:0");
	if (i % 9 == 7) {
		e->type = EVENT_CONFIRM;
		e->change.package_no = i - 1;
		e->change.reason = TEXT("");
		e->change.with_budget_authority = i % 18 == 7;
	} else if (i % 9 == 8 && i > 20) {
		e->type = i % 2 == 0 ? EVENT_WITHDRAW : EVENT_END;
		e->change.package_no = i - 8;
		e->change.reason = TEXT("moved");
		e->change.with_budget_authority = false;
	} else if (i % 17 == 15) {
		declare(e, i);
	} else {
		submit(e, i);
	}
}

static int write_golden(struct core *core, const char *path)
{
	static struct event event;
	static struct update update;
	struct stamp stamp = {.framework_version = 1, .rules_version = RULES_VERSION};
	uint8_t bytes[RECORD_BYTES_MAX];
	FILE *f = fopen(path, "wb");

	for (int i = 0; i < 60 && f != NULL; i++) {
		memset(&event, 0, sizeof event);
		make_event(&event, i);
		memset(stamp.key, i, sizeof stamp.key);
		core_step(core, &event, &update);
		fwrite(bytes, 1, record_encode(&event, &update, &stamp, bytes, sizeof bytes), f);
	}
	return f != NULL && fclose(f) == 0 ? 0 : 1;
}

/* ---- replay ---- */

static int replay(struct core *core, const char *path)
{
	static uint8_t bytes[RECORDS_BYTES_MAX], again[RECORD_BYTES_MAX];
	static struct event event;
	static struct update update, told;
	FILE *f = fopen(path, "rb");
	size_t len = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0, at = 0;
	uint32_t count = 0, reasons = 0, refusals = 0;

	for (; at + 8 <= len; count++) {
		size_t size = 8 + (bytes[at + 4] | (size_t)bytes[at + 5] << 8 | (size_t)bytes[at + 6] << 16 | (size_t)bytes[at + 7] << 24);
		struct stamp stamp;

		if (size > len - at || record_decode(bytes + at, size, &event, &told, &stamp) != ERR_OK) {
			fprintf(stderr, "golden: record %u cannot be decoded\n", count);
			return 1;
		}
		core_step(core, &event, &update);
		if (record_encode(&event, &update, &stamp, again, sizeof again) != size || memcmp(again, bytes + at, size) != 0) {
			fprintf(stderr, "golden: record %u is decided differently: refusal %u, was %u; provider %d, was %d\n", count,
				update.outcome.refusal, told.outcome.refusal, update.outcome.provider_no, told.outcome.provider_no);
			return 1;
		}
		for (uint32_t c = 0; update.round_count > 0 && c < update.decision.looked_at; c++)
			reasons |= 1u << update.decision.candidates[c].reason;
		refusals += update.outcome.refusal != 0;
		at += size;
	}
	if (f == NULL || at != len || count != 60 || __builtin_popcount(reasons) < 8 || refusals < 3) {
		fprintf(stderr, "golden: %u records, %d kinds of reasons, %u refusals: not the golden journal\n", count,
			__builtin_popcount(reasons), refusals);
		return 1;
	}
	printf("golden: %u records replayed byte for byte, %d kinds of reasons, %u refusals\n", count,
	       __builtin_popcount(reasons), refusals);
	return 0;
}

int main(int argc, char **argv)
{
	struct arena arena;
	const struct framework *f = make_framework(&arena);
	size_t bytes;
	void *mem;
	struct core *core = make_core(f, &mem, &bytes);
	int status = argc == 3 && strcmp(argv[1], "--write") == 0 ? write_golden(core, argv[2]) : argc == 2 ? replay(core, argv[1]) : 64;

	mem_unmap(mem, bytes);
	mem_unmap(arena.base, arena.size);
	return status;
}
