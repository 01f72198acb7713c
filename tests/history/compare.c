/* compare.c — the model's placement beside the one that the record tells of. */
#include "replay.h"

int compare_nothing_done(const struct record *e)
{
	SAME("rows of a refusal", 0, e->new_n + e->change_n + e->round_n + e->made_n + e->ended_n + e->declared_n);
	return 1;
}

int compare_made(const struct record *e, const struct record_placement *made, int place)
{
	const struct model_placement *p = &county.market.placements[place];
	const struct county_held *h = &county.held[place];
	int minutes = model_placement_minutes_week(p);

	SAME("package of the placement", p->package.number, made->package);
	SAME("provider of the placement", p->provider, made->provider);
	SAME("pool of the placement", p->pool, made->pool);
	SAME("list of the placement", p->list, made->list);
	SAME("role of the placement", p->role, made->role);
	SAME("route of the placement", p->route, made->route);
	SAME("tier of the placement", h->tier, made->tier);
	SAME("rank of the placement", h->rank, made->rank);
	SAME("start day of the placement", p->package.start_day, made->start_day);
	SAME("exit day of the placement", p->exit_day, made->exit_day);
	SAME("carer minutes a week", minutes, made->carer_minutes_week);
	SAME("price a week", model_price_pence_week(minutes, p->price_pence_hour), made->price_pence_week);
	SAME("visits of the placement", p->package.visit_n, made->demand_n);
	for (int i = 0; i < made->demand_n; i++)
		SAME_AT(i, "demand of visit", demand_code(p, i), made->demand[i]);
	return 1;
}

int compare_told_placement(const struct record *e, int place)
{
	const struct record_told *t = &e->told;
	const struct model_placement *p = &county.market.placements[place];
	int minutes = model_placement_minutes_week(p);

	SAME("provider told", p->provider, t->provider);
	SAME("list told", p->list, t->list);
	SAME("pool told", p->pool, t->pool);
	SAME("start day told", p->package.start_day, t->start_day);
	SAME("exit day told", p->exit_day, t->exit_day);
	SAME("carer minutes told", minutes, t->carer_minutes_week);
	SAME("price told", model_price_pence_week(minutes, p->price_pence_hour), t->price_pence_week);
	SAME("rank told", county.held[place].rank, t->rank);
	SAME("tier told", county.held[place].tier, t->tier);
	SAME("role told", p->role, t->role);
	SAME("route told", p->route, t->route);
	SAME("bands told", p->package.visit_n, t->band_n);
	for (int i = 0; i < t->band_n; i++)
		SAME_AT(i, "band told of visit", p->bands[i], t->bands[i]);
	return 1;
}
