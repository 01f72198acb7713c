#include "unit/fixture.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int64_t far_us(void)
{
	return INT64_C(32503680000000000);
}

struct text text_of(const char *s)
{
	return (struct text){s, (uint32_t)strlen(s)};
}

void world_add_provider(struct world *w, int32_t provider_no, const char *code)
{
	struct row_provider *p = &w->providers[w->rows.providers_count++];

	*p = (struct row_provider){.provider_no = provider_no, .rating = RATING_GOOD, .genders = 3};
	snprintf(p->code, sizeof p->code, "%s", code);
	snprintf(p->location, sizeof p->location, "LOC-%d", provider_no);
}

void world_add_entry(struct world *w, int32_t list_no, int32_t version, int32_t provider_no, int32_t rank)
{
	w->entries[w->rows.entries_count++] = (struct row_entry){
		.list_no = list_no,
		.version = version,
		.provider_no = provider_no,
		.route = ROUTE_FRAMEWORK,
		.tier = 1,
		.rank = rank,
		.order_no = rank,
		.price_pence_hour = 2400,
	};
}

void world_add_pool(struct world *w, int32_t pool_no, int32_t provider_no, int32_t kind)
{
	struct row_pool *p = &w->pools[w->rows.pools_count++];

	*p = (struct row_pool){.pool_no = pool_no, .provider_no = provider_no, .kind = kind};
	snprintf(p->code, sizeof p->code, "POOL-%d", pool_no);
}

void world_add_coverage(struct world *w, int32_t list_no, int32_t provider_no, int32_t sector_no, int32_t pool_no)
{
	w->coverages[w->rows.coverages_count++] = (struct row_coverage){list_no, provider_no, sector_no, pool_no};
}

static void world_places(struct world *w)
{
	static const struct row_district districts[] = {
		{1, "E07000074", "Maldon"}, {2, "E07000070", "Chelmsford"}, {3, "E07000071", "Colchester"}};
	static const struct row_sector sectors[] = {{1, "CM0 7"}, {2, "CM1 1"}, {3, "CM3 4"}, {4, "CO1 1"}};
	static const struct row_sector_district pairs[] = {{1, 1}, {2, 2}, {3, 1}, {3, 2}, {4, 3}};
	static const struct row_lot_district lots[] = {{1, 1}, {2, 2}};

	memcpy(w->districts, districts, sizeof districts);
	memcpy(w->sectors, sectors, sizeof sectors);
	memcpy(w->sector_districts, pairs, sizeof pairs);
	memcpy(w->lot_districts, lots, sizeof lots);
	w->rows.districts_count = 3;
	w->rows.sectors_count = 4;
	w->rows.sector_districts_count = 5;
	w->rows.lot_districts_count = 2;
	w->lots[0] = (struct row_lot){1, "MAL", "Maldon", "LAH25"};
	w->lots[1] = (struct row_lot){2, "CHE", "Chelmsford", "LAH25"};
	w->rows.lots_count = 2;
}

static void world_policy(struct world *w)
{
	static const int reasons[] = {REASON_RATING, REASON_CAPACITY_UNKNOWN, REASON_SHARE_CAP};
	static const uint8_t routes[] = {ROUTE_FRAMEWORK, ROUTE_SPOT, ROUTE_BRIDGING, ROUTE_POLR};

	w->policies[0] = (struct row_policy){
		.policy_no = 1,
		.version = 1,
		.award_style = AWARD_DIRECT,
		.confirmation = CONFIRMATION_AUTOMATIC,
		.confirm_minutes = 60,
		.unknown_pool = UNKNOWN_POOL_PASS_OVER,
		.rating_min = RATING_GOOD,
		.polr_urgencies = 1 << URGENCY_EMERGENCY,
		.polr_days = 7,
		.route_count = 4,
		.code = "LAH25-1",
	};
	memcpy(w->policies[0].routes, routes, sizeof routes);
	w->rows.policies_count = 1;
	for (uint32_t i = 0; i < 3; i++)
		w->clauses[i] = (struct row_clause){1, reasons[i], "cl. 7"};
	w->rows.clauses_count = 3;
}

void world_rows(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->now_us = WORLD_TODAY * DAY_US + DAY_US / 2;
	w->limits = (struct core_limits){.packages_max = 2048, .placements_max = 2048, .blocks_max = 8192};
	w->rows.version = 7;
#define X(type, name) w->rows.name = w->name;
	FRAMEWORK_TABLES(X)
#undef X
	world_places(w);
	world_policy(w);
	w->skills[0] = (struct row_word){0, "hoist"};
	w->skills[1] = (struct row_word){1, "peg"};
	w->rows.skills_count = 2;
	w->languages[0] = (struct row_word){1, "pl"};
	w->languages[1] = (struct row_word){2, "bn"};
	w->rows.languages_count = 2;
	for (int32_t list = 1; list <= 2; list++) {
		w->lists[list - 1] = (struct row_list){
			.list_no = list,
			.lot_no = list,
			.service = SERVICE_PERSONAL_CARE,
			.version = 1,
			.policy_no = 1,
			.until_us = far_us(),
		};
		snprintf(w->lists[list - 1].code, sizeof w->lists[0].code, "LAH25-%d", list);
	}
	w->rows.lists_count = 2;
	for (int32_t p = 1; p <= 3; p++) {
		char code[16];

		snprintf(code, sizeof code, "PRV-%c", 'A' + p - 1);
		world_add_provider(w, p, code);
		world_add_pool(w, p, p, POOL_KIND_TIME);
		world_add_entry(w, LIST_MALDON, 1, p, p);
		world_add_coverage(w, LIST_MALDON, p, SECTOR_MALDON, p);
		world_add_coverage(w, LIST_MALDON, p, SECTOR_STRADDLES, p);
	}
}

enum err world_seal(struct world *w)
{
	w->arena.size = framework_bytes(&w->rows);
	w->arena.base = mem_map(w->arena.size);
	w->arena.used = 0;
	return framework_seal(&w->rows, &w->arena, &w->framework, &w->note);
}

struct core *world_core(struct world *w)
{
	w->core_memory_bytes = core_bytes(w->framework, &w->limits);
	return core_init(mem_map(w->core_memory_bytes), w->framework, &w->limits);
}

void world_open(struct world *w)
{
	cr_assert_eq(world_seal(w), ERR_OK, "%s", w->note.text);
	w->core = world_core(w);
	w->core_memory = w->core; /* the core lies at the start of its memory */
}

void world_close(struct world *w)
{
	mem_unmap(w->core_memory, w->core_memory_bytes);
	mem_unmap(w->arena.base, w->arena.size);
	w->core_memory = NULL;
	w->arena.base = NULL;
}

void world_decide(struct world *w)
{
	w->event.seq = w->seq + 1;
	w->event.now_us = w->now_us;
	core_decide(w->core, &w->event, &w->update);
}

void world_step(struct world *w)
{
	w->event.seq = ++w->seq;
	w->event.now_us = w->now_us;
	core_step(w->core, &w->event, &w->update);
}

void world_declare(struct world *w, const char *pool, uint32_t minutes)
{
	struct declaration *d = &w->event.declare;

	w->event.type = EVENT_DECLARE;
	*d = (struct declaration){.pool = text_of(pool), .expires_us = w->now_us + 365 * DAY_US};
	for (uint32_t i = 0; i < 2 * CELLS; i++)
		d->declared[i / CELLS][i % CELLS] = minutes;
	world_step(w);
	cr_assert_eq(w->update.outcome.refusal, 0, "declare %s: %s", pool, err_name(w->update.outcome.refusal));
}

struct requirement *world_submit(struct world *w, uint32_t minutes)
{
	struct requirement *r = &w->event.submit;

	w->event.type = EVENT_SUBMIT;
	*r = (struct requirement){
		.case_ref = text_of("C-1"),
		.person_ref = text_of("X-1"),
		.sector = text_of("CM0 7"),
		.visit_count = 1,
		.service = SERVICE_PERSONAL_CARE,
		.urgency = URGENCY_STANDARD,
		.risk = RISK_GREEN,
		.cover = COVER_FAMILY,
		.funding = FUNDING_COUNCIL,
		.regime = REGIME_CARE_ACT_S18,
	};
	r->visits[0] = (struct visit){.days = 127,
				      .band = BAND_MORNING,
				      .bands = 1 << BAND_MORNING,
				      .carers = 1,
				      .minutes = (uint16_t)minutes};
	return r;
}

int64_t world_place(struct world *w, uint32_t minutes)
{
	world_submit(w, minutes);
	world_step(w);
	cr_assert_eq(w->update.outcome.refusal, 0, "submit: %s", err_name(w->update.outcome.refusal));
	return w->update.outcome.package_no;
}

void world_change(struct world *w, enum event_type type, int64_t package_no)
{
	w->event.type = type;
	w->event.change.package_no = package_no;
	w->event.change.reason = text_of("other");
	w->event.change.with_budget_authority = false;
	world_step(w);
}

int32_t world_free(const struct world *w, int32_t pool_no, uint32_t cell, uint32_t plane)
{
	return core_market(w->core)->pools[framework_find_pool_no(w->framework, pool_no)].free[plane][cell];
}
