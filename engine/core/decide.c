/* decide.c — the rules of each event: read the state, fill an update, change nothing. See core/README.md. */
#include "base/check.h"
#include "core/core.h"
#include "core/life.h"
#include "core/words.h"

#include <string.h>

#define DAY_US INT64_C(86400000000)

struct deciding {
	const struct core *core;
	const struct framework *f;
	const struct event *event;
	struct update *u;
};

static void decide_refuse(struct deciding *d, enum err why, const char *field)
{
	struct outcome *o = &d->u->outcome;
	size_t len = strlen(field);

	o->refusal = (uint16_t)why;
	memcpy(o->field, field, len < sizeof o->field - 1 ? len : sizeof o->field - 1);
}

static enum err decide_refused(struct deciding *d, enum err why, const char *field)
{
	decide_refuse(d, why, field);
	return why;
}

static int32_t day_of(int64_t us)
{
	return (int32_t)(us / DAY_US);
}

/* ---- a new package: where it is, which list, what it needs ---- */

static enum err decide_place(struct deciding *d, struct new_package *n, uint32_t *ret_sector, uint32_t *ret_list)
{
	const struct requirement *r = n->requirement;
	uint32_t sector = framework_find_sector(d->f, r->sector), district = UINT32_MAX;
	const struct sector *s;
	enum err e;

	if (sector == UINT32_MAX)
		return decide_refused(d, ERR_UNKNOWN_SECTOR, "sector");
	s = &d->f->sectors[sector];
	if (r->district.len > 0) {
		bool inside = false;

		district = framework_find_district(d->f, r->district);
		if (district == UINT32_MAX)
			return decide_refused(d, ERR_UNKNOWN_DISTRICT, "district");
		for (uint32_t i = 0; i < s->district_count; i++)
			inside |= s->districts[i] == district;
		if (!inside)
			return decide_refused(d, ERR_SECTOR_NOT_IN_DISTRICT, "district");
	} else if (s->district_count > 1) {
		return decide_refused(d, ERR_SECTOR_NEEDS_DISTRICT, "district");
	} else {
		district = s->districts[0];
	}
	e = framework_choose_list(d->f, district, r->service, r->client_group, d->event->now_us, ret_list);
	if (e != ERR_OK)
		return decide_refused(d, e, e == ERR_NO_LIST ? "service" : "sector");
	if (d->f->policies[d->f->lists[*ret_list].policy].award_style != AWARD_DIRECT)
		return decide_refused(d, ERR_NOT_OFFERED, "");
	n->sector_no = s->sector_no;
	n->district_no = (uint8_t)d->f->districts[district].district_no;
	n->list_no = d->f->lists[*ret_list].list_no;
	*ret_sector = sector;
	return ERR_OK;
}

static enum err decide_words(struct deciding *d, struct new_package *n)
{
	const struct requirement *r = n->requirement;

	n->skills = 0;
	for (uint32_t i = 0; i < r->skill_count; i++) {
		int32_t skill = framework_find_skill(d->f, r->skills[i]);

		if (skill < 0)
			return decide_refused(d, ERR_UNKNOWN_SKILL, "skills");
		n->skills |= 1 << skill;
	}
	n->language = 0;
	if (r->language.len > 0) {
		int32_t language = framework_find_language(d->f, r->language);

		if (language < 0)
			return decide_refused(d, ERR_UNKNOWN_LANGUAGE, "language");
		n->language = (int16_t)language;
	}
	n->excluded_count = (uint8_t)r->excluded_count;
	for (uint32_t i = 0; i < r->excluded_count; i++) {
		uint32_t provider = framework_find_provider(d->f, r->excluded[i].provider);

		if (provider == UINT32_MAX)
			return decide_refused(d, ERR_UNKNOWN_PROVIDER, "excluded");
		n->excluded[i] = d->f->providers[provider].provider_no;
	}
	return ERR_OK;
}

static enum err decide_dates(struct deciding *d, struct new_package *n)
{
	const struct requirement *r = n->requirement;
	int32_t today = day_of(d->event->now_us);

	n->start_day = r->start_day == 0 ? today : r->start_day;
	if (n->start_day < today)
		return decide_refused(d, ERR_START_PAST, "start_date");
	if (n->start_day > today + START_DAYS_AHEAD_MAX)
		return decide_refused(d, ERR_START_TOO_FAR, "start_date");
	n->latest_day = r->latest_start_us > 0 ? day_of(r->latest_start_us) : n->start_day;
	if (n->latest_day < n->start_day)
		return decide_refused(d, ERR_INVALID_FIELD, "latest_safe_start_us");
	return ERR_OK;
}

static void decide_visits(const struct deciding *d, struct new_package *n, uint32_t list)
{
	const struct requirement *r = n->requirement;
	uint32_t travel = (uint32_t)d->f->policies[d->f->lists[list].policy].travel_minutes_visit;

	n->visit_count = (uint8_t)r->visit_count;
	for (uint32_t i = 0; i < r->visit_count; i++) {
		const struct visit *v = &r->visits[i];
		uint32_t units = 1; /* a night, a place */

		if (r->service == SERVICE_PERSONAL_CARE)
			units = (v->minutes + travel + UNIT_MINUTES - 1) / UNIT_MINUTES;
		n->visits[i] = visit_code(v->days, visit_lowest_band(v->bands), v->carers == 2, units);
		n->facts[i] = visit_facts(v);
	}
}

/* ---- the call: what a package, or a bundle as one, asks of the market ---- */

static uint32_t visit_carer_minutes(uint32_t code, uint32_t facts)
{
	struct visit v = visit_of(code, facts);

	return (uint32_t)__builtin_popcount(v.days) * v.minutes * v.carers;
}

/* Adds one package's visits; a shared visit counts for the first of a bundle only. */
static uint32_t call_add_visits(struct call *call, const uint32_t *codes, const uint32_t *facts, uint32_t count,
				bool first)
{
	uint32_t minutes = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!first && (facts[i] >> 8 & 1) != 0)
			continue;
		call->visits[call->visit_count++] = (struct call_visit){codes[i], facts[i] & 255};
		minutes += visit_carer_minutes(codes[i], facts[i]);
	}
	call->carer_minutes_week += minutes;
	return minutes;
}

struct person { /* one package's part in a call */
	int64_t package_no;
	uint32_t visit_first, carer_minutes_week; /* its first visit within the call */
	uint32_t line_count;
	uint32_t codes[VISITS_MAX], facts[VISITS_MAX];
	bool first;
	int16_t requirement_version;
};

static void call_add_person(struct call *call, struct person *p)
{
	p->visit_first = call->visit_count;
	p->carer_minutes_week = call_add_visits(call, p->codes, p->facts, p->line_count, p->first);
	call->new_starts++;
}

static void call_open(struct call *call, const struct deciding *d, const struct new_package *n, uint32_t list,
		      uint32_t sector)
{
	const struct requirement *r = n->requirement;

	*call = (struct call){
		.list = list, .sector = sector, .now_us = d->event->now_us, .ceiling_pence_hour = r->ceiling_pence_hour,
		.skills = n->skills, .start_day = n->start_day, .latest_day = n->latest_day,
		.languages = n->language > 0 ? UINT64_C(1) << n->language : 0, .genders = r->gender,
		.urgency = r->urgency, .risk = r->risk, .no_cover = r->cover == COVER_NONE,
		.excluded_count = n->excluded_count,
	};
	memcpy(call->excluded, n->excluded, n->excluded_count * sizeof *n->excluded);
}

/* The waiting half of a bundle joins the call: the stricter of each. */
static void call_join(struct call *call, const struct core *core, const struct package *p)
{
	int32_t excluded[EXCLUDED_MAX];

	call->skills |= p->skills;
	call->genders |= p->gender;
	call->languages |= p->language > 0 ? UINT64_C(1) << p->language : 0;
	if (p->ceiling_pence_hour > 0 &&
	    (call->ceiling_pence_hour == 0 || p->ceiling_pence_hour < call->ceiling_pence_hour))
		call->ceiling_pence_hour = p->ceiling_pence_hour;
	if (p->latest_day < call->latest_day)
		call->latest_day = p->latest_day;
	if (p->urgency < call->urgency)
		call->urgency = p->urgency;
	if (p->risk < call->risk)
		call->risk = p->risk;
	call->no_cover |= p->cover == COVER_NONE;
	core_excluded(core, p, excluded);
	memcpy(call->excluded + call->excluded_count, excluded, p->excluded_count * sizeof *excluded);
	call->excluded_count += p->excluded_count;
}

static bool bundle_fits(const struct core *core, const struct package *a, const struct new_package *b)
{
	uint32_t codes[VISITS_MAX], facts[VISITS_MAX], at = 0;

	if (a->sector_no != b->sector_no || a->list_no != b->list_no || a->district_no != b->district_no ||
	    a->start_day != b->start_day)
		return false;
	core_visits(core, a, codes, facts);
	for (uint32_t i = 0; i < b->visit_count; i++) {
		if ((b->facts[i] >> 8 & 1) == 0)
			continue;
		while (at < a->visit_count && (facts[at] >> 8 & 1) == 0)
			at++;
		/* alike in days, bands, minutes, carers; tolerance and criticality may differ */
		if (at == a->visit_count || codes[at] != b->visits[i] ||
		    ((facts[at] ^ b->facts[i]) & ~(UINT32_C(0x1ff) << 9)) != 0)
			return false;
		at++;
	}
	while (at < a->visit_count && (facts[at] >> 8 & 1) == 0)
		at++;
	return at == a->visit_count;
}

/* ---- what a nomination becomes ---- */

static uint32_t price_week(uint32_t carer_minutes_week, uint32_t price_pence_hour)
{
	return (uint32_t)(((uint64_t)carer_minutes_week * price_pence_hour * 2 + 60) / 120);
}

static void decide_placed(struct deciding *d, const struct call *call, const struct match *match,
			  const struct person *first, const struct person *person)
{
	const struct list *list = &d->f->lists[call->list];
	const struct entry *e = &d->f->entries[list->entry_first + match->entry];
	const struct row_policy *policy = &d->f->policies[list->policy];
	bool interim = d->u->decision.outcome == ROUND_OUTCOME_LAST_RESORT;
	struct placed *m = &d->u->made[d->u->made_count++];
	uint32_t v = person->visit_first, at = 0;

	*m = (struct placed){
		.package_no = person->package_no, .pool_no = d->f->pools[match->pool].pool_no,
		.provider_no = d->f->providers[e->provider].provider_no, .list_no = list->list_no,
		.start_day = call->start_day, .exit_day = interim ? call->start_day + policy->polr_days : 0,
		.price_pence_week = price_week(person->carer_minutes_week, (uint32_t)e->price_pence_hour),
		.carer_minutes_week = person->carer_minutes_week, .rank = e->rank,
		.role = interim ? ROLE_INTERIM : ROLE_MAIN, .route = e->route, .tier = e->tier,
		.demand_count = (uint8_t)person->line_count,
	};
	for (uint32_t i = 0; i < person->line_count; i++) {
		if (person->first || (person->facts[i] >> 8 & 1) == 0) {
			m->demand[i] = visit_code_in_band(person->codes[i], match->bands[v++]);
			continue;
		}
		while ((first->facts[at] >> 8 & 1) == 0)
			at++;
		/* the partner carries it: no units, in the band where it is */
		m->demand[i] = visit_code_in_band(person->codes[i] & 2047, match->bands[first->visit_first + at++]);
	}
}

static uint8_t decide_state(const struct deciding *d, const struct call *call, const struct match *match, bool chosen,
			    bool *ret_over_ceiling)
{
	const struct list *list = &d->f->lists[call->list];
	const struct row_policy *policy = &d->f->policies[list->policy];

	*ret_over_ceiling = false;
	if (!chosen || d->u->decision.outcome == ROUND_OUTCOME_LAST_RESORT)
		return STATE_UNSOURCED;
	*ret_over_ceiling = call->ceiling_pence_hour > 0 &&
			    d->f->entries[list->entry_first + match->entry].price_pence_hour > (int32_t)call->ceiling_pence_hour;
	return policy->confirmation == CONFIRMATION_OFFICER || *ret_over_ceiling ? STATE_PROVISIONAL : STATE_PLACED;
}

static void outcome_of_placed(struct outcome *o, const struct placed *m)
{
	o->provider_no = m->provider_no;
	o->list_no = m->list_no;
	o->pool_no = m->pool_no;
	o->start_day = m->start_day;
	o->exit_day = m->exit_day;
	o->price_pence_week = m->price_pence_week;
	o->carer_minutes_week = m->carer_minutes_week;
	o->rank = m->rank;
	o->role = m->role;
	o->route = m->route;
	o->tier = m->tier;
	o->band_count = m->demand_count;
	for (uint32_t i = 0; i < m->demand_count; i++)
		o->bands[i] = (uint8_t)visit_code_band(m->demand[i]);
}

/* Calls the market for one or two people, and writes what becomes of each. people[last] is the new package. */
static void decide_call(struct deciding *d, const struct call *call, const struct person *people, uint32_t count)
{
	const struct row_policy *policy = &d->f->policies[d->f->lists[call->list].policy];
	struct update *u = d->u;
	struct match match;
	bool over_ceiling, chosen = match_choose(core_market(d->core), call, &u->decision, &match);
	uint8_t state = decide_state(d, call, &match, chosen, &over_ceiling);

	for (uint32_t i = 0; i < count; i++) {
		u->rounds[u->round_count++] = (struct round){people[i].package_no, people[i].requirement_version};
		if (chosen)
			decide_placed(d, call, &match, &people[0], &people[i]);
		if (i + 1 < count)
			u->changes[u->change_count++] = (struct state_change){people[i].package_no, STATE_SUBMITTED, state};
	}
	u->packages[0].state = state;
	u->outcome.state = state;
	u->outcome.looked_at = u->decision.looked_at;
	if (!chosen)
		return;
	outcome_of_placed(&u->outcome, &u->made[u->made_count - 1]);
	u->outcome.simulated = true; /* direct award: a declaration said yes, no person did */
	u->outcome.budget_authority = over_ceiling;
	if (state == STATE_PROVISIONAL)
		u->outcome.confirm_by_us = d->event->now_us + policy->confirm_minutes * INT64_C(60000000);
}

static void person_of_new(struct person *p, const struct new_package *n, bool first)
{
	p->package_no = n->package_no;
	p->line_count = n->visit_count;
	p->first = first;
	p->requirement_version = 1;
	memcpy(p->codes, n->visits, n->visit_count * sizeof *p->codes);
	memcpy(p->facts, n->facts, n->visit_count * sizeof *p->facts);
}

static void decide_submit(struct deciding *d)
{
	struct new_package *n = &d->u->packages[0];
	const struct requirement *r = &d->event->submit;
	const struct package *waiting = NULL;
	struct person people[BUNDLE_PACKAGES];
	uint32_t sector, list, count = 0;
	struct call call;

	n->requirement = r;
	n->package_no = d->event->seq;
	if (decide_place(d, n, &sector, &list) != ERR_OK || decide_words(d, n) != ERR_OK || decide_dates(d, n) != ERR_OK)
		return;
	if (r->bundle_ref.len > 0)
		waiting = core_bundle_waiting(d->core, r->bundle_ref);
	if (!core_has_room(d->core) || (r->bundle_ref.len > 0 && waiting == NULL && core_bundles_full(d->core))) {
		decide_refuse(d, ERR_TOO_MANY_PACKAGES, "");
		return;
	}
	decide_visits(d, n, list);
	if (waiting != NULL && !bundle_fits(d->core, waiting, n)) {
		decide_refuse(d, ERR_BUNDLE_MISMATCH, "bundle_ref");
		return;
	}
	if (waiting == NULL && r->bundle_ref.len > 0 && core_bundle_in_use(d->core, r->bundle_ref)) {
		decide_refuse(d, ERR_BUNDLE_FULL, "bundle_ref");
		return;
	}
	d->u->outcome.package_no = n->package_no;
	d->u->new_count = 1;
	if (r->bundle_ref.len > 0 && waiting == NULL) {
		n->state = d->u->outcome.state = STATE_SUBMITTED;
		return;
	}
	call_open(&call, d, n, list, sector);
	if (waiting != NULL) {
		struct person *p = &people[count++];

		*p = (struct person){.package_no = waiting->package_no, .line_count = waiting->visit_count, .first = true,
				     .requirement_version = waiting->requirement_version};
		core_visits(d->core, waiting, p->codes, p->facts);
		call_join(&call, d->core, waiting);
		call_add_person(&call, p);
	}
	person_of_new(&people[count], n, count == 0);
	call_add_person(&call, &people[count]);
	decide_call(d, &call, people, count + 1);
}

/* ---- afterwards ---- */

static const struct package *decide_find(struct deciding *d)
{
	const struct package *p = core_find(d->core, d->event->change.package_no);

	/* What is over is no part of the state: a core loaded since then does not know it, and must answer the same. */
	if (p == NULL || p->state == STATE_ENDED || p->state == STATE_WITHDRAWN || p->state == STATE_VOID) {
		decide_refuse(d, ERR_UNKNOWN_PACKAGE, "package");
		return NULL;
	}
	d->u->outcome.package_no = p->package_no;
	d->u->outcome.state = p->state;
	return p;
}

static bool decide_moves(struct deciding *d, const struct package *p, uint8_t to)
{
	if (!life_allows(p->state, d->event->type, to)) {
		decide_refuse(d, ERR_WRONG_STATE, "package");
		return false;
	}
	d->u->changes[d->u->change_count++] = (struct state_change){p->package_no, p->state, to};
	d->u->outcome.state = to;
	return true;
}

static struct placed placed_of(const struct core *core, const struct package *p, const struct placement *m)
{
	const struct framework *f = core_framework(core);
	struct placed row = {
		.package_no = p->package_no, .pool_no = f->pools[m->pool].pool_no,
		.provider_no = f->providers[m->provider].provider_no, .list_no = m->list_no, .start_day = m->start_day,
		.exit_day = m->exit_day, .price_pence_week = m->price_pence_week,
		.carer_minutes_week = m->carer_minutes_week, .rank = m->rank, .role = m->role, .route = m->route,
		.tier = m->tier, .demand_count = m->demand_count,
	};

	core_demand(core, m, row.demand);
	return row;
}

static void decide_confirm(struct deciding *d)
{
	const struct package *p = decide_find(d);
	const struct placement *m;
	const struct entry *e;
	struct placed row;
	uint32_t list, entry;

	if (p == NULL || !decide_moves(d, p, STATE_PLACED))
		return;
	if (p->main == NONE) { /* rows that cannot be right: nothing to confirm */
		d->u->change_count = 0;
		d->u->outcome.state = p->state;
		decide_refuse(d, ERR_RECHECK_FAILED, "package");
		return;
	}
	m = core_placement(d->core, p->main);
	/* the list as it is now: by what it says of the provider today, not of the day it was nominated or a day to come */
	list = framework_find_list(d->f, m->list_no, d->event->now_us);
	entry = list == UINT32_MAX ? UINT32_MAX : framework_find_entry(d->f, &d->f->lists[list], m->provider);
	e = entry == UINT32_MAX ? NULL : &d->f->entries[entry];
	d->u->change_count = 0;
	d->u->outcome.state = p->state;
	if (e == NULL || match_recheck(core_market(d->core), &d->f->lists[list], e, m->start_day, d->event->now_us) !=
				 REASON_CHOSEN) {
		decide_refuse(d, ERR_RECHECK_FAILED, "package");
		return;
	}
	if (!d->event->change.with_budget_authority && p->ceiling_pence_hour > 0 &&
	    e->price_pence_hour > (int32_t)p->ceiling_pence_hour) {
		decide_refuse(d, ERR_BUDGET_AUTHORITY, "with_budget_authority");
		return;
	}
	(void)decide_moves(d, p, STATE_PLACED);
	row = placed_of(d->core, p, m);
	outcome_of_placed(&d->u->outcome, &row);
}

/* The price an hour of a bundle, placed as one: the fuller of its two weeks tells it, exactly from 61 minutes on. */
static uint32_t price_hour(const struct placement *a, const struct placed *b)
{
	bool second = b->carer_minutes_week > a->carer_minutes_week;
	uint64_t price = second ? b->price_pence_week : a->price_pence_week;
	uint64_t minutes = second ? b->carer_minutes_week : a->carer_minutes_week;

	return (uint32_t)((price * 120 + minutes) / (2 * minutes));
}

/* A shared visit that the leaving package carried passes to its partner, at the leaving placement's price an hour. */
static void decide_pass_shared(struct deciding *d, const struct package *leaving, int32_t slot)
{
	const struct placement *from = core_placement(d->core, slot);
	const struct package *partner;
	uint32_t codes[VISITS_MAX], facts[VISITS_MAX], demand[VISITS_MAX], gained = 0, hour;
	struct placed row;
	int32_t to;

	if (leaving->partner == NONE)
		return;
	partner = core_partner(d->core, leaving);
	to = from->role == ROLE_MAIN ? partner->main : partner->interim;
	if (to == NONE || core_placement(d->core, to)->pool != from->pool)
		return;
	row = placed_of(d->core, partner, core_placement(d->core, to));
	core_visits(d->core, partner, codes, facts);
	core_demand(d->core, from, demand);
	for (uint32_t i = 0, shared = 0; i < row.demand_count; i++) {
		uint32_t lines[VISITS_MAX], line_facts[VISITS_MAX];

		if ((facts[i] >> 8 & 1) == 0 || visit_code_units(row.demand[i]) != 0)
			continue;
		core_visits(d->core, leaving, lines, line_facts);
		while (shared < leaving->visit_count && (line_facts[shared] >> 8 & 1) == 0)
			shared++;
		INSIST(shared < leaving->visit_count);
		row.demand[i] = demand[shared++];
		gained += visit_carer_minutes(codes[i], facts[i]);
	}
	if (gained == 0)
		return;
	hour = price_hour(from, &row);
	row.carer_minutes_week += gained;
	row.price_pence_week = price_week(row.carer_minutes_week, hour);
	d->u->ended[d->u->ended_count++] = (struct ended){partner->package_no, row.role};
	d->u->made[d->u->made_count++] = row;
}

static void decide_leave(struct deciding *d, uint8_t to)
{
	const struct package *p = decide_find(d);

	if (p == NULL)
		return;
	/* waiting with nobody in the house is withdrawn, not ended */
	if (d->event->type == EVENT_END && p->state == STATE_UNSOURCED && p->interim == NONE) {
		decide_refuse(d, ERR_WRONG_STATE, "package");
		return;
	}
	if (!decide_moves(d, p, to))
		return;

	const int32_t roles[] = {p->main, p->interim, p->outgoing};

	for (uint32_t i = 0; i < 3; i++) {
		if (roles[i] == NONE)
			continue;
		d->u->ended[d->u->ended_count++] = (struct ended){p->package_no, core_placement(d->core, roles[i])->role};
		decide_pass_shared(d, p, roles[i]);
	}
}

static void decide_declare(struct deciding *d)
{
	const struct declaration *in = &d->event->declare;
	uint32_t pool = framework_find_pool(d->f, in->pool);
	struct declared *out = &d->u->declared[0];

	if (pool == UINT32_MAX) {
		decide_refuse(d, ERR_UNKNOWN_POOL, "pool");
		return;
	}
	out->pool_no = d->u->outcome.pool_no = d->f->pools[pool].pool_no;
	out->expires_us = in->expires_us;
	out->available_from_day = in->available_from_day;
	for (uint32_t plane = 0; plane < 2; plane++) {
		for (uint32_t cell = 0; cell < CELLS; cell++) {
			bool time = d->f->pools[pool].kind == POOL_KIND_TIME;
			uint32_t units = in->declared[plane][cell] / (time ? (uint32_t)UNIT_MINUTES : 1);

			if (units > CELL_UNITS_MAX || (!time && units > 0 && (plane == 1 || cell % BANDS != BAND_NIGHT))) {
				decide_refuse(d, ERR_CAPACITY_KIND, "cells");
				return;
			}
			out->units[plane][cell] = (uint16_t)units;
			if (core_committed(d->core, pool, cell, plane) > (int32_t)units)
				d->u->outcome.cells_over++;
		}
	}
	d->u->declared_count = 1;
}

void core_decide(const struct core *core, const struct event *event, struct update *ret)
{
	struct deciding d = {.core = core, .f = core_framework(core), .event = event, .u = ret};

	ret->new_count = ret->change_count = ret->round_count = ret->made_count = ret->ended_count = 0;
	ret->declared_count = 0;
	ret->outcome = (struct outcome){.type = (uint8_t)event->type};
	switch (event->type) {
	case EVENT_SUBMIT:
		decide_submit(&d);
		break;
	case EVENT_CONFIRM:
		decide_confirm(&d);
		break;
	case EVENT_WITHDRAW:
		decide_leave(&d, STATE_WITHDRAWN);
		break;
	case EVENT_END:
		decide_leave(&d, STATE_ENDED);
		break;
	case EVENT_DECLARE:
		decide_declare(&d);
		break;
	}
}
