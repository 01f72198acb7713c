/* case_market.c — the statements of the framework: places, policy, providers, lists, pools. */
#include "case_read.h"

#include <stdio.h>
#include <string.h>

#define ROW(r, table)                                                                              \
	((r)->c->rows.table##_count < CASE_ROWS ? &(r)->c->table[(r)->c->rows.table##_count++] : no_row(r))

enum { MARKET_SKILLS = 31, MARKET_LANGUAGES = 62 }; /* a bit each, in a number that has a sign */

/* What the details of the lines below belong to. */
static struct {
	enum { ON_NOTHING, ON_PROVIDER, ON_LIST, ON_POOL } kind;
	uint32_t row;
} on;

static void *no_row(struct reading *r)
{
	reading_fail(r, "at most 64 rows of a kind");
}

static int64_t instant(struct reading *r)
{
	return r->c->base_us + reading_when(r) * INT64_C(1000000);
}

static int32_t day(struct reading *r)
{
	return (int32_t)(instant(r) / (INT64_C(1000000) * CASE_DAY_SECONDS));
}

/* ---- places ---- */

static int32_t district(struct reading *r, const char *name)
{
	struct row_district *row;

	for (uint32_t i = 0; i < r->c->rows.districts_count; i++)
		if (strcmp(r->c->districts[i].name, name) == 0)
			return r->c->districts[i].district_no;
	row = ROW(r, districts);
	row->district_no = (int32_t)r->c->rows.districts_count;
	snprintf(row->code, sizeof row->code, "E07%06d", row->district_no);
	snprintf(row->name, sizeof row->name, "%s", name);
	return row->district_no;
}

static void lot(struct reading *r)
{
	struct row_lot *row = ROW(r, lots);

	row->lot_no = (int32_t)r->c->rows.lots_count;
	snprintf(row->code, sizeof row->code, "LOT-%d", row->lot_no);
	snprintf(row->name, sizeof row->name, "%s", reading_word(r, "the lot's name"));
	snprintf(row->framework, sizeof row->framework, "LAH");
	while (reading_more(r))
		*(struct row_lot_district *)ROW(r, lot_districts) =
			(struct row_lot_district){row->lot_no, district(r, reading_word(r, "a district"))};
}

static void sector(struct reading *r)
{
	struct row_sector *row = ROW(r, sectors);

	row->sector_no = (int32_t)r->c->rows.sectors_count;
	snprintf(row->code, sizeof row->code, "%s", reading_sector(r));
	while (reading_more(r))
		*(struct row_sector_district *)ROW(r, sector_districts) =
			(struct row_sector_district){row->sector_no, district(r, reading_word(r, "a district"))};
}

static int32_t sector_no(struct reading *r)
{
	const char *code = reading_sector(r);

	for (uint32_t i = 0; i < r->c->rows.sectors_count; i++)
		if (strcmp(r->c->sectors[i].code, code) == 0)
			return r->c->sectors[i].sector_no;
	reading_fail(r, "a sector that stands above");
}

/* ---- the policy ---- */

static void policy_defaults(struct reading *r)
{
	static const int reasons[] = {REASON_RATING, REASON_CAPACITY_UNKNOWN, REASON_SHARE_CAP};
	struct row_policy *p = ROW(r, policies);

	*p = (struct row_policy){
		.policy_no = 1, .version = 1, .award_style = AWARD_DIRECT, .confirmation = CONFIRMATION_AUTOMATIC,
		.confirm_minutes = 240, .unknown_pool = UNKNOWN_POOL_PASS_OVER, .rating_min = RATING_INADEQUATE,
		.polr_days = 14, .not_rated_open = true, .improvement_plan_open = true, .code = "P",
		.routes = {ROUTE_FRAMEWORK, ROUTE_SPOT, ROUTE_BRIDGING, ROUTE_POLR}, .route_count = 4,
	};
	for (size_t i = 0; i < 3; i++)
		*(struct row_clause *)ROW(r, clauses) = (struct row_clause){1, reasons[i], "7.1"};
}

static bool last_resort(struct reading *r, struct row_policy *p)
{
	if (reading_is(r, "urgency"))
		while (reading_more(r))
			p->polr_urgencies |= 1 << reading_of(r, urgency_of, "an urgency");
	else if (reading_is(r, "risk"))
		while (reading_more(r))
			p->polr_risks |= 1 << reading_of(r, risk_of, "a risk");
	else if (reading_is(r, "cover"))
		p->polr_no_cover = reading_is(r, "none");
	else if (reading_is(r, "days"))
		p->polr_days = reading_number(r, "a number of days");
	else
		return false;
	return true;
}

static void route(struct reading *r, struct row_policy *p)
{
	if (p->route_count == ROUTES_MAX)
		reading_fail(r, "at most 8 routes");
	p->routes[p->route_count++] = (uint8_t)reading_of(r, route_of, "a route");
}

static bool policy(struct reading *r)
{
	struct row_policy *p = &r->c->policies[0];

	if (reading_is(r, "routes"))
		for (p->route_count = 0; reading_more(r);)
			route(r, p);
	else if (reading_is(r, "award"))
		p->award_style = reading_of(r, award_of, "direct or offer");
	else if (reading_is(r, "confirmation"))
		p->confirmation = reading_of(r, confirmation_of, "officer or automatic");
	else if (reading_is(r, "travel"))
		p->travel_minutes_visit = reading_number(r, "minutes a visit");
	else if (reading_is(r, "rating"))
		p->rating_min = reading_of(r, rating_of, "a rating");
	else if (reading_is(r, "not_rated"))
		p->not_rated_open = !reading_is(r, "closed") && reading_is(r, "open");
	else if (reading_is(r, "improvement_plan"))
		p->improvement_plan_open = !reading_is(r, "closed") && reading_is(r, "open");
	else if (reading_is(r, "last_resort"))
		return last_resort(r, p);
	else
		return false;
	return true;
}

/* ---- providers ---- */

int32_t market_skill(struct reading *r, const char *word, bool make)
{
	struct row_word *row;

	for (uint32_t i = 0; i < r->c->rows.skills_count; i++)
		if (strcmp(r->c->skills[i].code, word) == 0)
			return r->c->skills[i].number;
	if (!make)
		return -1;
	if (r->c->rows.skills_count == MARKET_SKILLS)
		reading_fail(r, "at most 31 different skills");
	row = ROW(r, skills);
	row->number = (int32_t)r->c->rows.skills_count - 1;
	snprintf(row->code, sizeof row->code, "%s", word);
	return row->number;
}

static int32_t language(struct reading *r, const char *word)
{
	struct row_word *row;

	for (uint32_t i = 0; i < r->c->rows.languages_count; i++)
		if (strcmp(r->c->languages[i].code, word) == 0)
			return r->c->languages[i].number;
	if (r->c->rows.languages_count == MARKET_LANGUAGES)
		reading_fail(r, "at most 62 different languages");
	row = ROW(r, languages);
	row->number = (int32_t)r->c->rows.languages_count;
	snprintf(row->code, sizeof row->code, "%s", word);
	return row->number;
}

static uint32_t provider_row(struct reading *r, const char *code)
{
	for (uint32_t i = 0; i < r->c->rows.providers_count; i++)
		if (strcmp(r->c->providers[i].code, code) == 0)
			return i;
	reading_fail(r, "a provider that stands above");
}

static void provider(struct reading *r)
{
	struct row_provider *row = ROW(r, providers);

	const char *code = reading_word(r, "the provider's code");

	*row = (struct row_provider){
		.provider_no = (int32_t)r->c->rows.providers_count, .rating = RATING_GOOD, .genders = 3,
	};
	snprintf(row->code, sizeof row->code, "%s", code);
	snprintf(row->location, sizeof row->location, "%s", code);
	on.kind = ON_PROVIDER;
	on.row = r->c->rows.providers_count - 1;
}

static int32_t list_no(struct reading *r, const char *code)
{
	for (uint32_t i = 0; i < r->c->rows.lists_count; i++)
		if (strcmp(r->c->lists[i].code, code) == 0)
			return r->c->lists[i].list_no;
	reading_fail(r, "a list that stands above");
}

static void status(struct reading *r, const struct row_provider *p)
{
	struct row_status *s = ROW(r, statuses);

	*s = (struct row_status){
		.provider_no = p->provider_no, .status_no = (int32_t)r->c->rows.statuses_count,
		.status = reading_of(r, status_of, "a status"), .from_us = r->c->base_us - INT64_C(86400000000),
		.until_us = INT64_MAX, .clause = "7.2",
	};
	while (reading_more(r)) {
		if (reading_is(r, "starts"))
			s->starts_week_max = reading_number(r, "starts a week");
		else if (reading_is(r, "from"))
			s->from_us = instant(r);
		else if (reading_is(r, "until"))
			s->until_us = instant(r);
		else
			reading_fail(r, "starts, from or until");
	}
}

static bool provider_detail(struct reading *r, struct row_provider *p)
{
	if (reading_is(r, "rating"))
		p->rating = reading_of(r, rating_of, "a rating");
	else if (reading_is(r, "improvement_plan"))
		p->improvement_plan = true;
	else if (reading_is(r, "skills"))
		while (reading_more(r))
			p->skills |= 1 << market_skill(r, reading_word(r, "a skill"), true);
	else if (reading_is(r, "languages"))
		while (reading_more(r))
			p->languages |= INT64_C(1) << language(r, reading_word(r, "a language"));
	else if (reading_is(r, "carers"))
		p->genders = reading_of(r, gender_of, "female or male");
	else if (reading_is(r, "hours"))
		p->minutes_week_max = 60 * reading_number(r, "hours a week");
	else if (reading_is(r, "starts"))
		p->starts_a_day_max = reading_number(r, "starts a day");
	else if (reading_is(r, "status"))
		status(r, p);
	else
		return false;
	return true;
}

/* ---- lists ---- */

static int32_t lot_no(struct reading *r, const char *name)
{
	for (uint32_t i = 0; i < r->c->rows.lots_count; i++)
		if (strcmp(r->c->lots[i].name, name) == 0)
			return r->c->lots[i].lot_no;
	reading_fail(r, "a lot that stands above");
}

static void list(struct reading *r)
{
	struct row_list *row = ROW(r, lists);

	*row = (struct row_list){
		.list_no = (int32_t)r->c->rows.lists_count, .service = SERVICE_PERSONAL_CARE, .version = 1, .policy_no = 1,
		.from_us = r->c->base_us - 365 * INT64_C(86400000000), .until_us = INT64_MAX,
	};
	snprintf(row->code, sizeof row->code, "%s", reading_word(r, "the list's code"));
	while (reading_more(r)) {
		if (reading_is(r, "lot"))
			row->lot_no = lot_no(r, reading_word(r, "a lot"));
		else if (reading_is(r, "service"))
			row->service = reading_of(r, service_of, "a service");
		else if (reading_is(r, "group"))
			row->client_group = reading_of(r, group_of, "a client group");
		else if (reading_is(r, "from"))
			row->from_us = instant(r);
		else if (reading_is(r, "until"))
			row->until_us = instant(r);
		else if (reading_is(r, "version"))
			row->version = reading_number(r, "the version's number");
		else
			reading_fail(r, "lot, service, group, version, from or until");
	}
	for (uint32_t i = 0; row->version > 1 && i + 1 < r->c->rows.lists_count; i++) {
		if (strcmp(r->c->lists[i].code, row->code) != 0)
			continue;
		row->list_no = r->c->lists[i].list_no;
		row->lot_no = r->c->lists[i].lot_no;
		row->service = r->c->lists[i].service;
		row->client_group = r->c->lists[i].client_group;
	}
	on.kind = ON_LIST;
	on.row = r->c->rows.lists_count - 1;
}

static bool list_detail(struct reading *r, const struct row_list *l)
{
	struct row_entry *e = ROW(r, entries);

	*e = (struct row_entry){
		.list_no = l->list_no, .version = l->version, .route = ROUTE_FRAMEWORK, .tier = 1, .rank = 1,
		.order_no = (int32_t)r->c->rows.entries_count, .price_pence_hour = 2000,
		.provider_no = r->c->providers[provider_row(r, reading_word(r, "a provider"))].provider_no,
	};
	while (reading_more(r)) {
		if (reading_is(r, "tier"))
			e->tier = reading_number(r, "a tier");
		else if (reading_is(r, "rank"))
			e->rank = reading_number(r, "a rank");
		else if (reading_is(r, "price"))
			e->price_pence_hour = reading_pence(r);
		else if (reading_is(r, "route"))
			e->route = reading_of(r, route_of, "a route");
		else if (reading_is(r, "cap"))
			e->share_cap_minutes_week = 60 * reading_number(r, "hours a week");
		else
			reading_fail(r, "tier, rank, price, route or cap");
	}
	return true;
}

/* ---- pools ---- */

static void pool(struct reading *r)
{
	uint32_t at = r->c->rows.pools_count, owner;
	struct row_pool *row = ROW(r, pools);

	*row = (struct row_pool){.pool_no = (int32_t)r->c->rows.pools_count, .kind = POOL_KIND_TIME};
	snprintf(row->code, sizeof row->code, "%s", reading_word(r, "the pool's code"));
	owner = provider_row(r, reading_is(r, "of") ? reading_word(r, "a provider") : row->code);
	row->provider_no = r->c->providers[owner].provider_no;
	while (reading_more(r)) {
		if (reading_is(r, "kind"))
			row->kind = reading_of(r, pool_kind_of, "time, nights or places");
		else if (reading_is(r, "mode"))
			r->c->pool_state[at].mode = reading_of(r, pool_mode_of, "binding, advisory or ignored");
		else
			reading_fail(r, "of, kind or mode");
	}
	if (r->c->pool_state[at].mode == 0)
		r->c->pool_state[at].mode = POOL_MODE_BINDING;
	r->c->pool_state[at].expires_us = r->c->base_us + 28 * INT64_C(86400000000);
	on.kind = ON_POOL;
	on.row = at;
}

uint32_t market_pool(struct reading *r, const char *code)
{
	for (uint32_t i = 0; i < r->c->rows.pools_count; i++)
		if (strcmp(r->c->pools[i].code, code) == 0)
			return i;
	reading_fail(r, "a pool that stands above");
}

static void serves(struct reading *r, const struct row_pool *p)
{
	int32_t list = list_no(r, reading_word(r, "a list"));

	while (reading_more(r)) {
		if (r->c->rows.coverages_count == CASE_COVERAGES)
			reading_fail(r, "fewer sectors");
		r->c->more_coverages[r->c->rows.coverages_count++] =
			(struct row_coverage){list, p->provider_no, sector_no(r), p->pool_no};
	}
}

void market_declared(struct reading *r, uint16_t units[2][CELLS], int64_t *expires_us, int32_t *available_from_day)
{
	uint8_t days, bands;
	int minutes;
	bool paired;

	if (reading_is(r, "expires") || reading_is(r, "expired")) {
		*expires_us = instant(r);
		return;
	}
	if (reading_is(r, "never")) {
		*expires_us = reading_is(r, "declared") ? 0 : *expires_us;
		return;
	}
	if (reading_is(r, "available")) {
		*available_from_day = day(r);
		return;
	}
	days = reading_days(r);
	bands = reading_bands(r);
	minutes = reading_within(r, 0, UINT16_MAX - 1, "minutes, nights or places, at most 65534");
	paired = reading_is(r, "paired");
	for (uint32_t cell = 0; cell < CELLS; cell++)
		if ((days >> cell / BANDS & 1) != 0 && (bands >> cell % BANDS & 1) != 0)
			units[paired][cell] = (uint16_t)minutes;
}

static bool pool_detail(struct reading *r, uint32_t at)
{
	struct case_pool *p = &r->c->pool_state[at];

	if (reading_is(r, "serves"))
		serves(r, &r->c->pools[at]);
	else
		market_declared(r, p->units, &p->expires_us, &p->available_from_day);
	return true;
}

/* ---- */

bool market_statement(struct reading *r, const char *word)
{
	on.kind = ON_NOTHING;
	if (*word == '\0')
		policy_defaults(r);
	else if (strcmp(word, "lot") == 0)
		lot(r);
	else if (strcmp(word, "sector") == 0)
		sector(r);
	else if (strcmp(word, "policy") == 0)
		return policy(r);
	else if (strcmp(word, "provider") == 0)
		provider(r);
	else if (strcmp(word, "list") == 0)
		list(r);
	else if (strcmp(word, "pool") == 0)
		pool(r);
	else
		return false;
	return true;
}

bool market_detail(struct reading *r)
{
	switch (on.kind) {
	case ON_PROVIDER:
		return provider_detail(r, &r->c->providers[on.row]);
	case ON_LIST:
		return list_detail(r, &r->c->lists[on.row]);
	case ON_POOL:
		return pool_detail(r, on.row);
	case ON_NOTHING:
		break;
	}
	return false;
}
