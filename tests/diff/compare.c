#include "compare.h"

#include "core/words.h"

#include <stdio.h>
#include <string.h>

enum { START_DAYS = 64 };

static char text[300];

const char *compare_text(void)
{
	return text;
}

/* Two numbers that must be alike. */
static bool same(const char *what, int at, long long model, long long core)
{
	if (model == core)
		return true;
	if (at < 0)
		snprintf(text, sizeof text, "%s: the model says %lld, the core %lld", what, model, core);
	else
		snprintf(text, sizeof text, "%s %d: the model says %lld, the core %lld", what, at, model, core);
	return false;
}

#define SAME_AT(at, what, model, core)                                                             \
	do {                                                                                       \
		if (!same(what, (int)(at), (long long)(model), (long long)(core)))                 \
			return false;                                                              \
	} while (0)
#define SAME(what, model, core) SAME_AT(-1, what, model, core)

static int refusal_of(int refusal)
{
	static const int errors[MODEL_REFUSAL_N] = {
		[MODEL_ACCEPTED] = ERR_OK,
		[MODEL_UNKNOWN_SECTOR] = ERR_UNKNOWN_SECTOR,
		[MODEL_UNKNOWN_DISTRICT] = ERR_UNKNOWN_DISTRICT,
		[MODEL_SECTOR_NOT_IN_DISTRICT] = ERR_SECTOR_NOT_IN_DISTRICT,
		[MODEL_SECTOR_NEEDS_DISTRICT] = ERR_SECTOR_NEEDS_DISTRICT,
		[MODEL_SECTOR_OUTSIDE_LOTS] = ERR_SECTOR_OUTSIDE_LOTS,
		[MODEL_NO_LIST] = ERR_NO_LIST,
		[MODEL_BUNDLE_MISMATCH] = ERR_BUNDLE_MISMATCH,
		[MODEL_NOT_OFFERED] = ERR_NOT_OFFERED,
		[MODEL_CAPACITY_KIND] = ERR_CAPACITY_KIND,
	};

	return errors[refusal];
}

static bool compare_candidate(int i, const struct model_candidate *m, const struct candidate *c)
{
	int cell_plane = m->cell < 0 ? UINT8_MAX : m->cell * 2 + m->plane;

	SAME_AT(i, "provider of candidate", m->provider, c->provider_no);
	SAME_AT(i, "route of candidate", m->route, c->route);
	SAME_AT(i, "reason of candidate", m->reason, c->reason);
	if (m->reason == REASON_STATUS)
		SAME_AT(i, "status of candidate", m->status, c->detail);
	SAME_AT(i, "cell and plane of candidate", cell_plane, c->cell_plane);
	SAME_AT(i, "need of candidate", m->need, c->need);
	SAME_AT(i, "free of candidate", m->free, c->free);
	return true;
}

/* Those looked at are told in the decision; the rest stand in the framework in this order. */
static bool compare_candidates(const struct world *w, const struct model_result *r, const struct decision *d)
{
	const struct framework *f = w->framework;
	const struct list *list = &f->lists[0];
	int looked_at = r->winner_index < 0 ? r->candidate_n : r->winner_index + 1;

	while (list->list_no != d->list_no || list->version != d->list_version)
		list++;
	SAME("candidates looked at", looked_at, d->looked_at);
	SAME("candidates not reached", r->candidate_n - looked_at, d->not_reached);
	for (int i = 0; i < r->candidate_n; i++) {
		const struct entry *e = &f->entries[list->entry_first + (uint32_t)i];

		if (i < looked_at && !compare_candidate(i, &r->candidates[i], &d->candidates[i]))
			return false;
		SAME_AT(i, "provider in place", r->candidates[i].provider, f->providers[e->provider].provider_no);
		SAME_AT(i, "rank of entry in place", r->candidates[i].reason == REASON_NOT_REACHED, i >= looked_at);
	}
	return true;
}

static bool compare_made(const struct world *w, const struct model_call *call, int p, const struct model_result *r,
			 const struct placed *m)
{
	SAME_AT(p, "package of placement", world_package_no(w, call->packages[p].number), m->package_no);
	SAME_AT(p, "winner of package", r->winner, m->provider_no);
	SAME_AT(p, "pool of package", r->pool, m->pool_no);
	SAME_AT(p, "role of package", r->role, m->role);
	SAME_AT(p, "route of package", r->route, m->route);
	SAME_AT(p, "exit day of package", r->exit_day, m->exit_day);
	SAME_AT(p, "price a week of package", r->packages[p].price_pence_week, m->price_pence_week);
	SAME_AT(p, "carer minutes of package", r->packages[p].carer_minutes_week, m->carer_minutes_week);
	SAME_AT(p, "visits of package", call->packages[p].visit_n, m->demand_count);
	for (int v = 0; v < m->demand_count; v++)
		SAME_AT(v, p == 0 ? "band of visit of the first" : "band of visit of the second",
			r->packages[p].bands[v], visit_code_band(m->demand[v]));
	return true;
}

bool compare_call(const struct world *w, const struct model_market *market, const struct model_call *call,
		  const struct model_result *r, const struct update *u)
{
	const struct outcome *o = &u->outcome;
	const struct model_list *list;

	SAME("refusal", refusal_of(r->refusal), o->refusal);
	if (r->refusal != MODEL_ACCEPTED) {
		SAME("rows of a refusal", 0, u->new_count + u->made_count + u->change_count + u->round_count);
		return true;
	}
	list = &market->lists[r->list - 1];
	SAME("rounds", call->package_n, u->round_count);
	SAME("list", list->list, u->decision.list_no);
	SAME("version of the list", list->version, u->decision.list_version);
	if (!compare_candidates(w, r, &u->decision))
		return false;
	SAME("outcome", r->outcome, u->decision.outcome);
	SAME("state", r->state, o->state);
	SAME("winner", r->winner, o->provider_no);
	SAME("confirm by", world_us(r->confirm_by_seconds), o->confirm_by_us);
	SAME("needs budget authority", r->role == ROLE_MAIN && r->ceiling_pence_hour != 0 &&
	     r->price_pence_hour > r->ceiling_pence_hour, o->budget_authority);
	SAME("placements made", r->winner != 0 ? call->package_n : 0, u->made_count);
	for (int p = 0; p < u->made_count; p++)
		if (!compare_made(w, call, p, r, &u->made[p]))
			return false;
	return true;
}

bool compare_change(const struct update *u, int refusal, int state)
{
	SAME("refusal", refusal, u->outcome.refusal);
	if (refusal == ERR_OK)
		SAME("state", state, u->outcome.state);
	else
		SAME("rows of a refusal", 0, u->change_count + u->ended_count + u->made_count);
	return true;
}

bool compare_declare(const struct model_market *after, const struct model_declaration *d, int refusal,
		     const struct update *u)
{
	const struct model_pool *pool = &after->pools[d->pool - 1];
	int over = 0;

	SAME("refusal", refusal_of(refusal), u->outcome.refusal);
	if (refusal != MODEL_ACCEPTED || pool->mode == POOL_MODE_IGNORED)
		return true;
	for (int plane = 0; plane < MODEL_PLANES; plane++)
		for (int cell = 0; cell < MODEL_CELLS; cell++)
			over += pool->committed[plane][cell] > pool->declared[plane][cell];
	SAME("cells over", over, u->outcome.cells_over);
	return true;
}

/* ---- what is held ---- */

static bool compare_pools(const struct world *w, const struct model_market *m)
{
	for (int i = 0; i < m->pool_n; i++) {
		const struct pool_state *p = &core_market(w->core)->pools[i];
		const struct model_pool *pool = &m->pools[i];

		SAME_AT(i + 1, "expiry of pool", world_us(pool->expires_seconds), p->expires_us);
		for (int plane = 0; plane < MODEL_PLANES && pool->mode != POOL_MODE_IGNORED; plane++) {
			int differ = 0;

			for (int cell = 0; cell < MODEL_CELLS; cell++)
				differ |= pool->committed[plane][cell] ^ (p->declared[plane][cell] - p->free[plane][cell]);
			for (int cell = 0; cell < MODEL_CELLS && differ != 0; cell++) {
				snprintf(text, sizeof text, "committed of pool %d cell %d %s: the model says %d, the core %d",
					 i + 1, cell, plane != 0 ? "paired" : "single", pool->committed[plane][cell],
					 p->declared[plane][cell] - p->free[plane][cell]);
				if (pool->committed[plane][cell] != p->declared[plane][cell] - p->free[plane][cell])
					return false;
			}
		}
	}
	return true;
}

struct held {
	int provider_minutes[MODEL_PROVIDERS_MAX + 1];
	int list_minutes[MODEL_LISTS_MAX + 1][MODEL_PROVIDERS_MAX + 1];
	int starts[MODEL_PROVIDERS_MAX + 1][START_DAYS];
	int day_first;
};

static bool compare_placement(const struct world *w, const struct model_placement *m, int minutes)
{
	const struct package *p = core_find(w->core, world_package_no(w, m->package.number));
	int32_t slot = p == NULL ? NONE : m->role == ROLE_MAIN ? p->main : p->interim;
	const struct placement *c;
	uint32_t demand[VISITS_MAX];

	SAME_AT(m->package.number, "a live placement of package", 1, slot != NONE);
	c = core_placement(w->core, slot);
	SAME_AT(m->package.number, "state of package", m->state, p->state);
	SAME_AT(m->package.number, "provider of package", m->provider, w->framework->providers[c->provider].provider_no);
	SAME_AT(m->package.number, "minutes of package", minutes, c->carer_minutes_week);
	SAME_AT(m->package.number, "price a week of package", model_price_pence_week(minutes, m->price_pence_hour),
		c->price_pence_week);
	core_demand(w->core, c, demand);
	for (int v = 0; v < m->package.visit_n; v++) {
		SAME_AT(v, "held band of visit", m->bands[v], visit_code_band(demand[v]));
		SAME_AT(v, "carries visit", m->carried[v], visit_code_units(demand[v]) != 0);
	}
	return true;
}

/* Adds up what the model's live placements hold, comparing each on the way. */
static bool held_add_up(const struct world *w, const struct model_market *m, struct held *h)
{
	int live = 0;

	memset(h, 0, sizeof *h);
	h->day_first = (int)(m->now_seconds / 86400) - START_DAYS / 2;
	for (int i = 0; i < m->placement_n; i++) {
		const struct model_placement *p = &m->placements[i];
		int minutes, day = p->package.start_day - h->day_first;

		if (!p->live)
			continue;
		minutes = model_placement_minutes_week(p);
		if (!compare_placement(w, p, minutes))
			return false;
		h->provider_minutes[p->provider] += minutes;
		h->list_minutes[p->list][p->provider] += minutes;
		if (day >= 0 && day < START_DAYS)
			h->starts[p->provider][day]++;
		live++;
	}
	for (int route = 1, core_live = 0; route <= MODEL_ROUTES_MAX; route++) {
		for (int role = ROLE_MAIN; role <= ROLE_OUTGOING; role++)
			core_live += (int)core_counts(w->core)->routes[route][role].placements;
		if (route == MODEL_ROUTES_MAX)
			SAME("live placements", live, core_live);
	}
	return true;
}

bool compare_state(const struct world *w, const struct model_market *m)
{
	const struct market *core = core_market(w->core);
	static struct held h;

	if (!compare_pools(w, m) || !held_add_up(w, m, &h))
		return false;
	for (int p = 1; p <= m->provider_n; p++) {
		const struct provider_state *state = &core->providers[p - 1];

		SAME_AT(p, "minutes of provider", h.provider_minutes[p], state->minutes_week);
		for (int day = 0; day < START_DAYS; day++)
			SAME_AT(p, "starts of provider", h.starts[p][day], match_starts(state, h.day_first + day));
	}
	for (uint32_t l = 0; l < w->framework->list_count; l++) {
		const struct list *list = &w->framework->lists[l];

		for (uint32_t e = list->entry_first; e < list->entry_first + list->entry_count; e++)
			SAME_AT(list->list_no, "minutes of an entry of list",
				h.list_minutes[list->list_no][w->framework->entries[e].provider + 1],
				core->entry_minutes_week[e]);
	}
	return true;
}

/* ---- for a person ---- */

static void print_cell(int cell, int plane, int need, int free)
{
	if (cell >= 0)
		printf(" day %d %s %s needs %d, has %d", cell / BANDS, band_word(cell % BANDS),
		       plane != 0 ? "paired" : "single", need, free);
}

void compare_print_candidates(const struct world *w, const struct model_market *market,
			      const struct model_result *r, const struct update *u)
{
	(void)w;
	if (r->refusal != MODEL_ACCEPTED) {
		printf("  the model refuses: %s; the core: %s\n", model_refusal_word(r->refusal), err_name(u->outcome.refusal));
		return;
	}
	printf("  model: list %d version %d, %s, winner P%d\n", market->lists[r->list - 1].list,
	       market->lists[r->list - 1].version, round_outcome_word(r->outcome), r->winner);
	for (int i = 0; i < r->candidate_n; i++) {
		const struct model_candidate *m = &r->candidates[i];

		printf("    %2d P%-2d %-9s %s", i, m->provider, route_word(m->route), reason_word(m->reason));
		print_cell(m->cell, m->plane, m->need, m->free);
		printf("\n");
	}
	printf("  core: %s, list %d version %d, %s, winner P%d\n", err_name(u->outcome.refusal), u->decision.list_no,
	       u->decision.list_version, round_outcome_word(u->decision.outcome), u->outcome.provider_no);
	for (int i = 0; i < u->decision.looked_at && u->round_count > 0; i++) {
		const struct candidate *c = &u->decision.candidates[i];

		printf("    %2d P%-2d %-9s %s", i, c->provider_no, route_word(c->route), reason_word(c->reason));
		print_cell(c->cell_plane == UINT8_MAX ? -1 : c->cell_plane / 2, c->cell_plane & 1, c->need, c->free);
		printf("\n");
	}
}
