#include "world.h"

#include "core/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKILLS = 31, LANGUAGES = 62, NUMBERS = 128, PACKAGES = 256, PACKAGE_NOS = 8192 };
enum { ARENA_BYTES = 4 << 20, CORE_BYTES = 4 << 20 };

static struct {
	struct framework_rows rows;
	struct row_district districts[MODEL_DISTRICTS_MAX];
	struct row_sector sectors[MODEL_SECTORS_MAX];
	struct row_sector_district sector_districts[2 * MODEL_SECTORS_MAX];
	struct row_word skills[SKILLS], languages[LANGUAGES];
	struct row_provider providers[MODEL_PROVIDERS_MAX];
	struct row_status statuses[MODEL_STATUSES_MAX];
	struct row_lot lots[MODEL_LOTS_MAX];
	struct row_lot_district lot_districts[MODEL_LOTS_MAX * MODEL_DISTRICTS_MAX];
	struct row_policy policies[1];
	struct row_clause clauses[3];
	struct row_list lists[MODEL_LISTS_MAX];
	struct row_entry entries[MODEL_LISTS_MAX * MODEL_ENTRIES_MAX];
	struct row_pool pools[MODEL_POOLS_MAX];
	struct row_coverage coverages[MODEL_COVERAGES_MAX];
} fill;

static unsigned char arena_mem[ARENA_BYTES] __attribute__((aligned(64)));
static unsigned char core_mem[CORE_BYTES] __attribute__((aligned(64)));
static int64_t package_nos[PACKAGE_NOS];

/* Names for numbers, written once: "S7", "E07000002", "P11", "skill_4". */
static char sector_codes[NUMBERS][12], district_codes[NUMBERS][12], provider_codes[NUMBERS][12];
static char pool_codes[NUMBERS][12];
static char skill_codes[SKILLS][12], language_codes[LANGUAGES + 1][12];

static void names_make(void)
{
	if (sector_codes[0][0] != '\0')
		return;
	for (int i = 0; i < NUMBERS; i++) {
		snprintf(sector_codes[i], sizeof sector_codes[i], "S%d", i);
		snprintf(district_codes[i], sizeof district_codes[i], "E07%06d", i);
		snprintf(provider_codes[i], sizeof provider_codes[i], "P%d", i);
		snprintf(pool_codes[i], sizeof pool_codes[i], "L%d", i);
	}
	for (int i = 0; i < SKILLS; i++)
		snprintf(skill_codes[i], sizeof skill_codes[i], "skill_%d", i);
	for (int i = 1; i <= LANGUAGES; i++)
		snprintf(language_codes[i], sizeof language_codes[i], "l%d", i);
}

static struct text text_of(const char *s)
{
	return (struct text){s, (uint32_t)strlen(s)};
}

int64_t world_us(long long seconds)
{
	return seconds * INT64_C(1000000);
}

int64_t world_package_no(const struct world *w, int package)
{
	(void)w;
	return package_nos[package % PACKAGE_NOS];
}

void world_package_is(int package, int64_t package_no)
{
	package_nos[package % PACKAGE_NOS] = package_no;
}

static void places_fill(const struct model_market *m)
{
	struct framework_rows *r = &fill.rows;

	for (int i = 0; i < m->district_n; i++) {
		fill.districts[i] = (struct row_district){.district_no = i + 1};
		memcpy(fill.districts[i].code, district_codes[i + 1], 10);
		snprintf(fill.districts[i].name, sizeof fill.districts[i].name, "District %d", i + 1);
	}
	r->districts_count = (uint32_t)m->district_n;
	for (int i = 0; i < m->sector_n; i++) {
		fill.sectors[i] = (struct row_sector){.sector_no = i + 1};
		memcpy(fill.sectors[i].code, sector_codes[i + 1], 9);
		for (int d = 0; d < m->sectors[i].district_n; d++)
			fill.sector_districts[r->sector_districts_count++] =
				(struct row_sector_district){i + 1, m->sectors[i].districts[d]};
	}
	r->sectors_count = (uint32_t)m->sector_n;
	for (int i = 0; i < m->lot_n; i++) {
		fill.lots[i] = (struct row_lot){.lot_no = i + 1};
		snprintf(fill.lots[i].code, sizeof fill.lots[i].code, "T%d", i + 1);
		for (int d = 0; d < m->lots[i].district_n; d++)
			fill.lot_districts[r->lot_districts_count++] =
				(struct row_lot_district){i + 1, m->lots[i].districts[d]};
	}
	r->lots_count = (uint32_t)m->lot_n;
}

static void words_fill(void)
{
	for (int i = 0; i < SKILLS; i++) {
		fill.skills[i].number = i;
		memcpy(fill.skills[i].code, skill_codes[i], 12);
	}
	for (int i = 0; i < LANGUAGES; i++) {
		fill.languages[i].number = i + 1;
		memcpy(fill.languages[i].code, language_codes[i + 1], 12);
	}
	fill.rows.skills_count = SKILLS;
	fill.rows.languages_count = LANGUAGES;
}

static void providers_fill(const struct model_market *m)
{
	for (int i = 0; i < m->provider_n; i++) {
		const struct model_provider *p = &m->providers[i];

		fill.providers[i] = (struct row_provider){
			.provider_no = i + 1, .rating = p->rating, .skills = (int32_t)p->skills,
			.genders = (int32_t)(p->genders >> 1), .starts_a_day_max = p->starts_day_max,
			.minutes_week_max = p->hours_max_minutes_week, .languages = (int64_t)p->languages,
			.improvement_plan = p->improvement_plan,
		};
		memcpy(fill.providers[i].code, provider_codes[i + 1], 12);
	}
	fill.rows.providers_count = (uint32_t)m->provider_n;
	for (int i = 0; i < m->status_n; i++) {
		const struct model_status *s = &m->statuses[i];

		fill.statuses[i] = (struct row_status){
			.provider_no = s->provider, .status_no = i + 1, .status = s->status, .list_no = s->list,
			.starts_week_max = s->starts_week_max, .from_us = world_us(s->from_seconds),
			.until_us = world_us(s->until_seconds), .clause = "1.1",
		};
	}
	fill.rows.statuses_count = (uint32_t)m->status_n;
}

static void policy_fill(const struct model_policy *p)
{
	static const int reasons[] = {REASON_RATING, REASON_CAPACITY_UNKNOWN, REASON_SHARE_CAP};

	fill.policies[0] = (struct row_policy){
		.policy_no = 1, .version = 1, .award_style = p->award, .confirmation = p->confirmation,
		.confirm_minutes = p->confirm_minutes, .unknown_pool = UNKNOWN_POOL_PASS_OVER,
		.travel_minutes_visit = p->travel_minutes_visit, .rating_min = p->rating_min,
		.polr_urgencies = (int32_t)p->polr_urgencies, .polr_risks = (int32_t)p->polr_risks,
		.polr_days = p->polr_days, .not_rated_open = p->not_rated_open,
		.improvement_plan_open = p->improvement_plan_open, .polr_no_cover = p->polr_no_cover,
		.route_count = (uint32_t)p->route_n,
	};
	for (int i = 0; i < p->route_n; i++)
		fill.policies[0].routes[i] = (uint8_t)p->routes[i];
	fill.rows.policies_count = 1;
	for (uint32_t i = 0; i < 3; i++)
		fill.clauses[i] = (struct row_clause){1, reasons[i], "2.2"};
	fill.rows.clauses_count = 3;
}

static void lists_fill(const struct model_market *m)
{
	struct framework_rows *r = &fill.rows;

	for (int i = 0; i < m->list_n; i++) {
		const struct model_list *l = &m->lists[i];

		fill.lists[i] = (struct row_list){
			.list_no = l->list, .lot_no = l->lot, .service = l->service, .client_group = l->group,
			.version = l->version, .policy_no = 1, .from_us = world_us(l->from_seconds),
			.until_us = world_us(l->until_seconds),
		};
		for (int e = 0; e < l->entry_n; e++)
			fill.entries[r->entries_count++] = (struct row_entry){
				.list_no = l->list, .version = l->version, .provider_no = l->entries[e].provider,
				.route = l->entries[e].route, .tier = l->entries[e].tier, .rank = l->entries[e].rank,
				.order_no = l->entries[e].order_no, .price_pence_hour = l->entries[e].price_pence_hour,
				.share_cap_minutes_week = l->entries[e].share_cap_minutes_week,
			};
	}
	r->lists_count = (uint32_t)m->list_n;
}

static void pools_fill(const struct model_market *m)
{
	for (int i = 0; i < m->pool_n; i++) {
		fill.pools[i] = (struct row_pool){i + 1, m->pools[i].provider, m->pools[i].kind, ""};
		memcpy(fill.pools[i].code, pool_codes[i + 1], 12);
	}
	fill.rows.pools_count = (uint32_t)m->pool_n;
	for (int i = 0; i < m->coverage_n; i++)
		fill.coverages[i] = (struct row_coverage){m->coverages[i].list, m->coverages[i].provider,
							  m->coverages[i].sector, m->coverages[i].pool};
	fill.rows.coverages_count = (uint32_t)m->coverage_n;
}

static void pools_load(struct world *w, const struct model_market *m)
{
	for (int i = 0; i < m->pool_n; i++) {
		const struct model_pool *p = &m->pools[i];
		uint16_t declared[2][CELLS];

		for (int plane = 0; plane < 2; plane++)
			for (int cell = 0; cell < CELLS; cell++)
				declared[plane][cell] = (uint16_t)p->declared[plane][cell];
		if (core_load_pool(w->core, i + 1, p->mode, declared, world_us(p->expires_seconds),
				   p->available_from_day) != ERR_OK) {
			fprintf(stderr, "diff_core: pool %d was refused\n", i + 1);
			exit(2);
		}
	}
}

struct framework_rows *world_rows(const struct model_market *m)
{
	names_make();
	memset(&fill.rows, 0, sizeof fill.rows);
#define X(type, name) fill.rows.name = fill.name;
	FRAMEWORK_TABLES(X)
#undef X
	places_fill(m);
	words_fill();
	providers_fill(m);
	policy_fill(&m->policy);
	lists_fill(m);
	pools_fill(m);
	return &fill.rows;
}

void world_make(struct world *w, const struct model_market *m)
{
	static const struct core_limits limits = {
		.packages_max = PACKAGES, .placements_max = PACKAGES, .blocks_max = PACKAGES,
	};
	struct arena arena = {.base = arena_mem, .size = sizeof arena_mem};
	struct framework_note note;

	if (framework_seal(world_rows(m), &arena, &w->framework, &note) != ERR_OK ||
	    core_bytes(w->framework, &limits) > sizeof core_mem) {
		fprintf(stderr, "diff_core: the framework was refused: %s\n", note.text);
		exit(2);
	}
	memset(core_mem, 0, core_bytes(w->framework, &limits));
	w->core = core_init(core_mem, w->framework, &limits);
	w->seq = 0;
	pools_load(w, m);
}

/* ---- events ---- */

static void event_open(struct world *w, enum event_type type, int64_t now_us, struct event *ret)
{
	*ret = (struct event){.type = type, .seq = ++w->seq, .now_us = now_us, .principal = text_of("diff")};
}

void world_submit(struct world *w, const struct model_package *p, int64_t now_us, const char *bundle, struct event *ret)
{
	struct requirement *r = &ret->submit;

	event_open(w, EVENT_SUBMIT, now_us, ret);
	world_package_is(p->number, ret->seq);
	r->case_ref = text_of("C-1");
	r->person_ref = text_of("X-1");
	r->bundle_ref = text_of(bundle);
	r->funding = FUNDING_COUNCIL;
	r->regime = REGIME_CARE_ACT_S18;
	r->sector = text_of(sector_codes[p->sector]);
	r->district = p->district != 0 ? text_of(district_codes[p->district]) : text_of("");
	r->language = p->language != 0 ? text_of(language_codes[p->language]) : text_of("");
	for (int skill = 0; skill < SKILLS; skill++)
		if (p->skills >> skill & 1)
			r->skills[r->skill_count++] = text_of(skill_codes[skill]);
	for (int i = 0; i < p->excluded_n; i++)
		r->excluded[r->excluded_count++].provider = text_of(provider_codes[p->excluded[i]]);
	for (int i = 0; i < p->visit_n; i++)
		r->visits[r->visit_count++] = (struct visit){
			.days = (uint8_t)p->visits[i].days,
			.band = (uint8_t)visit_lowest_band(p->visits[i].bands),
			.bands = (uint8_t)p->visits[i].bands,
			.carers = (uint8_t)p->visits[i].carers,
			.shared = p->visits[i].shared,
			.minutes = (uint16_t)p->visits[i].minutes,
		};
	r->service = (uint8_t)p->service;
	r->client_group = (uint8_t)p->group;
	r->gender = (uint8_t)p->gender;
	r->urgency = (uint8_t)p->urgency;
	r->risk = (uint8_t)p->risk;
	r->cover = (uint8_t)p->cover;
	r->start_day = p->start_day;
	r->ceiling_pence_hour = (uint32_t)p->ceiling_pence_hour;
	r->latest_start_us = world_us(p->latest_safe_start_seconds);
}

void world_change(struct world *w, enum event_type type, int package, int64_t now_us, bool with_budget_authority,
		  struct event *ret)
{
	event_open(w, type, now_us, ret);
	ret->change.package_no = world_package_no(w, package);
	ret->change.with_budget_authority = with_budget_authority;
}

void world_declare(struct world *w, const struct model_market *m, const struct model_declaration *d, int64_t now_us,
		   struct event *ret)
{
	uint32_t unit = m->pools[d->pool - 1].kind == POOL_KIND_TIME ? UNIT_MINUTES : 1;

	event_open(w, EVENT_DECLARE, now_us, ret);
	ret->declare.pool = text_of(pool_codes[d->pool]);
	ret->declare.expires_us = world_us(d->expires_seconds);
	ret->declare.available_from_day = d->available_from_day;
	for (int plane = 0; plane < 2; plane++)
		for (int cell = 0; cell < CELLS; cell++)
			ret->declare.declared[plane][cell] = (uint32_t)d->declared[plane][cell] * unit;
}
