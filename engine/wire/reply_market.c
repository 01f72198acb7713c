/* reply_market.c — lots, lists, providers, pools, counts: what the engine holds in memory. */
#include "base/check.h"
#include "core/words.h"
#include "wire/reply_parts.h"

#include <string.h>

static char *code_of(const char *code)
{
	return (char *)code;
}

void reply_counts(const struct reply *r, const struct core *core, int64_t at_seq)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetCountsResponse m = CALLOFF__V1__GET_COUNTS_RESPONSE__INIT;
	const struct core_counts *counts = core_counts(core);

	arena_reset(r->scratch);
	m.states = reply_array(r, 16, sizeof *m.states);
	m.routes = reply_array(r, 20, sizeof *m.routes);
	for (int state = STATE_SUBMITTED; state <= STATE_VOID; state++) {
		Calloff__V1__StateCount *s;

		if (counts->states[state] == 0)
			continue;
		s = m.states[m.n_states++] = reply_array(r, 1, sizeof *s);
		calloff__v1__state_count__init(s);
		s->state = (Calloff__V1__PackageState)state;
		s->packages = counts->states[state];
	}
	for (int route = ROUTE_FRAMEWORK; route <= ROUTE_POLR; route++) {
		for (int role = ROLE_MAIN; role <= ROLE_OUTGOING; role++) {
			Calloff__V1__RouteCount *c;

			if (counts->routes[route][role].placements == 0)
				continue;
			c = m.routes[m.n_routes++] = reply_array(r, 1, sizeof *c);
			calloff__v1__route_count__init(c);
			c->route = (Calloff__V1__Route)route;
			c->role = (Calloff__V1__PlacementRole)role;
			c->placements = counts->routes[route][role].placements;
			c->carer_minutes_week = counts->routes[route][role].carer_minutes_week;
		}
	}
	m.at_seq = at_seq;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE;
	e.get_counts_response = &m;
	reply_send(r, &e);
}

static Calloff__V1__Lot *lot_message(const struct reply *r, const struct row_lot *lot)
{
	const struct framework *f = r->framework;
	Calloff__V1__Lot *m = reply_array(r, 1, sizeof *m);

	calloff__v1__lot__init(m);
	m->lot = code_of(lot->code);
	m->name = code_of(lot->name);
	m->framework = code_of(lot->framework);
	m->districts = reply_array(r, f->lot_district_count, sizeof *m->districts);
	for (uint32_t i = 0; i < f->lot_district_count; i++) {
		for (uint32_t d = 0; d < f->district_count; d++) {
			if (f->lot_districts[i].lot_no == lot->lot_no &&
			    f->districts[d].district_no == f->lot_districts[i].district_no)
				m->districts[m->n_districts++] = code_of(f->districts[d].name);
		}
	}
	m->lists = reply_array(r, f->list_count, sizeof *m->lists);
	for (uint32_t i = 0; i < f->list_count; i++) {
		bool newest = i + 1 == f->list_count || f->lists[i + 1].list_no != f->lists[i].list_no;

		if (f->lists[i].lot_no == lot->lot_no && newest)
			m->lists[m->n_lists++] = code_of(f->lists[i].code);
	}
	return m;
}

void reply_lots(const struct reply *r)
{
	const struct framework *f = r->framework;
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListLotsResponse m = CALLOFF__V1__LIST_LOTS_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.lots = reply_array(r, f->lot_count, sizeof *m.lots);
	m.n_lots = f->lot_count;
	for (uint32_t i = 0; i < f->lot_count; i++)
		m.lots[i] = lot_message(r, &f->lots[i]);
	m.skills = reply_array(r, f->skill_count, sizeof *m.skills);
	m.n_skills = f->skill_count;
	for (uint32_t i = 0; i < f->skill_count; i++)
		m.skills[i] = code_of(f->skills[i].code);
	m.languages = reply_array(r, f->language_count, sizeof *m.languages);
	m.n_languages = f->language_count;
	for (uint32_t i = 0; i < f->language_count; i++)
		m.languages[i] = code_of(f->languages[i].code);
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_LOTS_RESPONSE;
	e.list_lots_response = &m;
	reply_send(r, &e);
}

static const char *entry_status(const struct framework *f, const struct list *list, const struct entry *e, int64_t now_us)
{
	for (uint32_t i = 0; i < e->status_count; i++) {
		const struct row_status *s = &f->statuses[e->status_first + i];

		if ((s->list_no == 0 || s->list_no == list->list_no) && s->from_us <= now_us && now_us < s->until_us)
			return status_word(s->status);
	}
	return status_word(STATUS_ACTIVE);
}

static Calloff__V1__ListEntry *entry_message(const struct reply *r, const struct core *core, const struct list *list,
					     uint32_t position, int64_t now_us)
{
	const struct framework *f = r->framework;
	const struct entry *e = &f->entries[list->entry_first + position];
	Calloff__V1__ListEntry *m = reply_array(r, 1, sizeof *m);

	calloff__v1__list_entry__init(m);
	m->provider = code_of(f->providers[e->provider].code);
	m->route = (Calloff__V1__Route)e->route;
	m->tier = e->tier;
	m->rank = e->rank;
	m->price_pence_hour = (uint32_t)e->price_pence_hour;
	m->score_milli = (uint32_t)e->score_milli;
	m->rating = (Calloff__V1__Rating)f->providers[e->provider].rating;
	m->status = code_of(entry_status(f, list, e, now_us));
	m->live_packages = (uint32_t)core_market(core)->entry_packages[list->entry_first + position];
	m->carer_minutes_week = (uint32_t)core_market(core)->entry_minutes_week[list->entry_first + position];
	m->pools = reply_array(r, list->sector_count, sizeof *m->pools);
	for (uint32_t i = 0; i < list->sector_count; i++) {
		uint32_t pool = f->cover[list->pool_first + (size_t)i * list->entry_count + position];
		bool seen = pool == POOL_NONE;

		for (size_t k = 0; k < m->n_pools && !seen; k++)
			seen = m->pools[k] == f->pools[pool].code;
		if (!seen)
			m->pools[m->n_pools++] = code_of(f->pools[pool].code);
	}
	return m;
}

void reply_list(const struct reply *r, const struct core *core, uint32_t list, int64_t now_us)
{
	const struct framework *f = r->framework;
	const struct list *l = &f->lists[list];
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetListResponse m = CALLOFF__V1__GET_LIST_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.list = code_of(l->code);
	m.version = (uint32_t)l->version;
	m.policy = code_of(f->policies[l->policy].code);
	m.service = (Calloff__V1__Service)l->service;
	m.client_group = (Calloff__V1__ClientGroup)l->client_group;
	m.entries = reply_array(r, l->entry_count, sizeof *m.entries);
	m.n_entries = l->entry_count;
	for (uint32_t i = 0; i < l->entry_count; i++)
		m.entries[i] = entry_message(r, core, l, i, now_us);
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_LIST_RESPONSE;
	e.get_list_response = &m;
	reply_send(r, &e);
}

static Calloff__V1__Provider *provider_message(const struct reply *r, const struct core *core, uint32_t provider)
{
	const struct framework *f = r->framework;
	const struct row_provider *p = &f->providers[provider];
	Calloff__V1__Provider *m = reply_array(r, 1, sizeof *m);

	calloff__v1__provider__init(m);
	m->provider = code_of(p->code);
	m->location = code_of(p->location);
	m->rating = (Calloff__V1__Rating)p->rating;
	m->starts_a_day_max = (uint32_t)p->starts_a_day_max;
	m->minutes_week_max = (uint32_t)p->minutes_week_max;
	m->live_packages = (uint32_t)core_market(core)->providers[provider].live_packages;
	m->carer_minutes_week = (uint32_t)core_market(core)->providers[provider].minutes_week;
	m->skills = reply_array(r, f->skill_count, sizeof *m->skills);
	for (uint32_t i = 0; i < f->skill_count; i++) {
		if ((p->skills >> f->skills[i].number & 1) != 0)
			m->skills[m->n_skills++] = code_of(f->skills[i].code);
	}
	uint32_t count = 0; /* counted first: a page of providers has room for its own pools, not for all each time */

	for (uint32_t i = 0; i < f->pool_count; i++)
		count += f->pool_providers[i] == provider;
	m->pools = reply_array(r, count, sizeof *m->pools);
	for (uint32_t i = 0; i < f->pool_count; i++) {
		if (f->pool_providers[i] == provider)
			m->pools[m->n_pools++] = code_of(f->pools[i].code);
	}
	return m;
}

static bool code_after(const char *code, struct text after)
{
	size_t len = strlen(code);
	int c = memcmp(code, after.bytes, len < after.len ? len : after.len);

	return c > 0 || (c == 0 && len > after.len);
}

void reply_providers(const struct reply *r, const struct core *core, struct text after, uint32_t limit)
{
	const struct framework *f = r->framework;
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListProvidersResponse m = CALLOFF__V1__LIST_PROVIDERS_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.providers = reply_array(r, limit, sizeof *m.providers);
	for (uint32_t i = 0; i < f->provider_count; i++) {
		uint32_t provider = f->provider_by_code[i];

		if (!code_after(f->providers[provider].code, after))
			continue;
		if (m.n_providers == limit) {
			m.next = m.providers[limit - 1]->provider;
			break;
		}
		m.providers[m.n_providers++] = provider_message(r, core, provider);
	}
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_PROVIDERS_RESPONSE;
	e.list_providers_response = &m;
	reply_send(r, &e);
}

static Calloff__V1__Pool *pool_message(const struct reply *r, const struct core *core, uint32_t pool, int64_t now_us)
{
	const struct framework *f = r->framework;
	const struct pool_state *p = &core_market(core)->pools[pool];
	uint32_t unit = f->pools[pool].kind == POOL_KIND_TIME ? UNIT_MINUTES : 1;
	Calloff__V1__Pool *m = reply_array(r, 1, sizeof *m);

	calloff__v1__pool__init(m);
	m->pool = code_of(f->pools[pool].code);
	m->provider = code_of(f->providers[f->pool_providers[pool]].code);
	m->kind = code_of(pool_kind_word(f->pools[pool].kind));
	m->mode = code_of(pool_mode_word(p->mode));
	m->expires_us = p->expires_us;
	m->unknown = p->mode != POOL_MODE_IGNORED && p->expires_us <= now_us;
	m->cells = reply_array(r, 2 * CELLS, sizeof *m->cells);
	for (uint32_t i = 0; i < 2 * CELLS; i++) {
		uint32_t cell = i / 2, plane = i % 2, committed = (uint32_t)core_committed(core, pool, cell, plane);
		uint32_t declared = p->declared[plane][cell];
		Calloff__V1__Cell *c;

		if (declared == 0 && committed == 0)
			continue;
		c = m->cells[m->n_cells++] = reply_array(r, 1, sizeof *c);
		calloff__v1__cell__init(c);
		c->day = cell / BANDS + 1;
		c->band = (Calloff__V1__Band)(cell % BANDS + 1);
		c->paired = plane == 1;
		c->declared = declared * unit;
		c->committed = committed * unit;
		c->overhang = committed > declared ? (committed - declared) * unit : 0;
	}
	return m;
}

void reply_pools(const struct reply *r, const struct core *core, uint32_t provider, struct text after, uint32_t limit,
		 int64_t now_us)
{
	const struct framework *f = r->framework;
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListPoolsResponse m = CALLOFF__V1__LIST_POOLS_RESPONSE__INIT;

	arena_reset(r->scratch);
	if (limit > 100)
		limit = 100; /* a pool's week is up to 112 cells */
	m.pools = reply_array(r, limit, sizeof *m.pools);
	for (uint32_t i = 0; i < f->pool_count; i++) {
		uint32_t pool = f->pool_by_code[i];

		if ((provider != UINT32_MAX && f->pool_providers[pool] != provider) || !code_after(f->pools[pool].code, after))
			continue;
		if (m.n_pools == limit) {
			m.next = m.pools[limit - 1]->pool;
			break;
		}
		m.pools[m.n_pools++] = pool_message(r, core, pool, now_us);
	}
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_POOLS_RESPONSE;
	e.list_pools_response = &m;
	reply_send(r, &e);
}
