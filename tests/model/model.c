/* model.c — the rules of engine/core/README.md, version 1, as plainly as they can be written.
 * Each part quotes the words it stands for. Readings of unclear words: README.md here.
 * Here: who is asked, in which order, by which checks, and what follows. Each file needs only those before it:
 * model_week.c, model_where.c, model.c, model_keep.c. */
#include "model_inside.h"

#include <string.h>

/* ---- order of candidates ---- */

/* The route's place in the policy; routes it does not name follow, by route number. */
static int route_position(const struct model_policy *policy, int route)
{
	for (int i = 0; i < policy->route_n; i++)
		if (policy->routes[i] == route)
			return i;
	return MODEL_ROUTES_MAX + route;
}

static int route_is_named(const struct model_policy *policy, int route)
{
	return route_position(policy, route) < MODEL_ROUTES_MAX;
}

/* 1 when entry one comes before entry two. */
static int entry_before(const struct model_policy *policy, const struct model_entry *one,
			const struct model_entry *two)
{
	int position_one = route_position(policy, one->route);
	int position_two = route_position(policy, two->route);

	if (position_one != position_two)
		return position_one < position_two;
	if (one->tier != two->tier)
		return one->tier < two->tier;
	if (one->rank != two->rank)
		return one->rank < two->rank;
	return one->order_no < two->order_no;
}

/* Takes the first of those not yet taken, again and again. */
static void candidates_order(const struct model_market *market, int list_number,
			     struct model_result *result)
{
	const struct model_list *list = &market->lists[list_number - 1];
	int taken[MODEL_ENTRIES_MAX] = {0};

	for (int n = 0; n < list->entry_n; n++) {
		struct model_candidate *candidate = &result->candidates[n];
		int first = -1;

		for (int i = 0; i < list->entry_n; i++) {
			if (taken[i])
				continue;
			if (first < 0 ||
			    entry_before(&market->policy, &list->entries[i], &list->entries[first]))
				first = i;
		}
		taken[first] = 1;
		candidate->entry = first;
		candidate->provider = list->entries[first].provider;
		candidate->route = list->entries[first].route;
		candidate->reason = REASON_NOT_REACHED;
		candidate->cell = -1;
		candidate->plane = -1;
	}
	result->candidate_n = list->entry_n;
}

/* ---- the checks ---- */

static int route_closed(const struct model_policy *policy, const struct model_ask *ask, int route)
{
	if (!route_is_named(policy, route))
		return 1;
	if (route != ROUTE_POLR)
		return 0;
	if (policy->polr_urgencies >> ask->urgency & 1)
		return 0;
	if (policy->polr_risks >> ask->risk & 1)
		return 0;
	if (policy->polr_no_cover && ask->no_cover)
		return 0;
	return 1;
}

int model_status_failing(const struct model_market *market, int provider, int list, int start_day,
			 int new_starts, long long now_seconds)
{
	int monday = model_monday(start_day);
	int starts = model_starts(market, provider, monday, monday + 6);

	/* The row's index is its status number. */
	for (int i = 0; i < market->status_n; i++) {
		const struct model_status *status = &market->statuses[i];

		if (status->provider != provider)
			continue;
		if (status->list != 0 && status->list != list)
			continue;
		if (now_seconds < status->from_seconds || now_seconds >= status->until_seconds)
			continue;
		if (status->status == STATUS_ACTIVE)
			continue;
		if (status->status == STATUS_CAPPED && starts + new_starts <= status->starts_week_max)
			continue;
		return status->status;
	}
	return 0;
}

int model_rating_fails(const struct model_market *market, int provider_number, int route)
{
	const struct model_policy *policy = &market->policy;
	const struct model_provider *provider = &market->providers[provider_number - 1];

	if (route == ROUTE_POLR)
		return 0;
	if (provider->rating == RATING_NOT_RATED)
		return !policy->not_rated_open;
	if (provider->rating >= policy->rating_min)
		return 0;
	return !(policy->improvement_plan_open && provider->improvement_plan);
}

static int is_excluded(const struct model_ask *ask, int provider)
{
	for (int i = 0; i < ask->excluded_n; i++)
		if (ask->excluded[i] == provider)
			return 1;
	return 0;
}

/* Checks 1 to 9. REASON_CHOSEN: passed. */
static int reason_person(const struct model_market *market, const struct model_ask *ask,
			 const struct model_entry *entry, long long now_seconds,
			 struct model_candidate *candidate)
{
	const struct model_provider *provider = &market->providers[entry->provider - 1];

	if (route_closed(&market->policy, ask, entry->route))
		return REASON_ROUTE_CLOSED;
	candidate->status = model_status_failing(market, entry->provider, ask->list, ask->start_day,
						 ask->starts, now_seconds);
	if (candidate->status != 0)
		return REASON_STATUS;
	if (model_rating_fails(market, entry->provider, entry->route))
		return REASON_RATING;
	if (model_pool_of(market, ask->list, entry->provider, ask->sector) == 0)
		return REASON_NOT_COVERED;
	if ((provider->skills & ask->skills) != ask->skills)
		return REASON_SKILL;
	if ((provider->genders & ask->genders) != ask->genders)
		return REASON_GENDER;
	if ((provider->languages & ask->languages) != ask->languages)
		return REASON_LANGUAGE;
	if (is_excluded(ask, entry->provider))
		return REASON_EXCLUDED;
	if (entry->route == ROUTE_SPOT && ask->ceiling_pence_hour != 0 &&
	    entry->price_pence_hour > ask->ceiling_pence_hour)
		return REASON_PRICE_OVER_CEILING;
	return REASON_CHOSEN;
}

/* Checks 10 to 14. */
static int reason_limits(const struct model_market *market, const struct model_ask *ask,
			 const struct model_entry *entry, const struct model_pool *pool,
			 long long now_seconds)
{
	const struct model_provider *provider = &market->providers[entry->provider - 1];
	int on_list = model_minutes_held(market, entry->provider, ask->list);
	int in_all = model_minutes_held(market, entry->provider, 0);
	int starts = model_starts(market, entry->provider, ask->start_day, ask->start_day);

	if (entry->share_cap_minutes_week != 0 &&
	    on_list + ask->carer_minutes_week > entry->share_cap_minutes_week)
		return REASON_SHARE_CAP;
	if (provider->hours_max_minutes_week != 0 &&
	    in_all + ask->carer_minutes_week > provider->hours_max_minutes_week)
		return REASON_HOURS_MAX;
	if (pool->available_from_day > ask->latest_day)
		return REASON_START_DATE;
	if (provider->starts_day_max != 0 && starts + ask->starts > provider->starts_day_max)
		return REASON_STARTS_A_DAY;
	if (pool->mode == POOL_MODE_IGNORED)
		return REASON_CHOSEN;
	if (pool->expires_seconds <= now_seconds)
		return REASON_CAPACITY_UNKNOWN;
	if (pool->mode == POOL_MODE_ADVISORY && market->policy.award == AWARD_DIRECT)
		return REASON_CAPACITY_UNKNOWN;
	return REASON_CHOSEN;
}

/* ---- capacity ---- */

/* The reason of a cell in which `need` does not fit; fills the candidate's detail. */
static int reason_cell(const struct model_pool *pool, int plane, int cell, int need,
		       struct model_candidate *candidate)
{
	candidate->cell = cell;
	candidate->plane = plane;
	candidate->need = need;
	candidate->free = model_units_free(pool, plane, cell);
	if (pool->committed[plane][cell] > pool->declared[plane][cell])
		return REASON_OVERHANG;
	return plane == MODEL_PAIRED ? REASON_PAIR_SHORT : REASON_TIME_SHORT;
}

void model_units_add(int grid[MODEL_PLANES][MODEL_CELLS], const struct model_visit *visit,
		     int band, int units)
{
	for (int day = 0; day < MODEL_DAYS; day++)
		if (visit->days >> day & 1)
			grid[model_plane(visit)][model_cell(day, band)] += units;
}

/* The first day on which the visit does not fit into this band; -1 it fits. */
static int day_short(const struct model_pool *pool, int taken[MODEL_PLANES][MODEL_CELLS],
		     const struct model_visit *visit, int band, int units)
{
	int plane = model_plane(visit);

	for (int day = 0; day < MODEL_DAYS; day++) {
		int cell = model_cell(day, band);

		if (!(visit->days >> day & 1))
			continue;
		if (taken[plane][cell] + units > model_units_free(pool, plane, cell))
			return day;
	}
	return -1;
}

/* Step 1: all visits with one band together. */
static int reason_fixed(const struct model_pool *pool, int taken[MODEL_PLANES][MODEL_CELLS],
			struct model_candidate *candidate)
{
	for (int cell = 0; cell < MODEL_CELLS; cell++)
		for (int plane = MODEL_SINGLE; plane <= MODEL_PAIRED; plane++)
			if (taken[plane][cell] > model_units_free(pool, plane, cell))
				return reason_cell(pool, plane, cell, taken[plane][cell],
						   candidate);
	return REASON_CHOSEN;
}

/* Step 2: one visit with several bands. Fills *band when it fits. */
static int reason_flexible(const struct model_pool *pool, int taken[MODEL_PLANES][MODEL_CELLS],
			   const struct model_visit *visit, int units, int *band,
			   struct model_candidate *candidate)
{
	int plane = model_plane(visit);
	int lowest = model_band_lowest(visit->bands);
	int cell;

	for (*band = 0; *band < MODEL_BANDS; (*band)++)
		if ((visit->bands >> *band & 1) && day_short(pool, taken, visit, *band, units) < 0)
			return REASON_CHOSEN;
	cell = model_cell(day_short(pool, taken, visit, lowest, units), lowest);
	return reason_cell(pool, plane, cell, units + taken[plane][cell], candidate);
}

/* Check 15. Fills the band of each of the ask's visits as far as it gets. */
static int reason_capacity(const struct model_market *market, const struct model_ask *ask,
			   int pool_number, int *bands, struct model_candidate *candidate)
{
	const struct model_pool *pool = &market->pools[pool_number - 1];
	int taken[MODEL_PLANES][MODEL_CELLS] = {{0}};
	int reason;

	for (int i = 0; i < ask->visit_n; i++) {
		const struct model_visit *visit = &ask->visits[i];

		/* For flexible visits in a pool that is ignored this stands: nothing can fail. */
		bands[i] = model_band_lowest(visit->bands);
		if (model_bands_count(visit->bands) == 1)
			model_units_add(taken, visit, bands[i],
					model_visit_units(market, pool_number, visit));
	}
	if (pool->mode == POOL_MODE_IGNORED)
		return REASON_CHOSEN;
	reason = reason_fixed(pool, taken, candidate);
	if (reason != REASON_CHOSEN)
		return reason;
	for (int i = 0; i < ask->visit_n; i++) {
		const struct model_visit *visit = &ask->visits[i];
		int units = model_visit_units(market, pool_number, visit);

		if (model_bands_count(visit->bands) == 1)
			continue;
		reason = reason_flexible(pool, taken, visit, units, &bands[i], candidate);
		if (reason != REASON_CHOSEN)
			return reason;
		model_units_add(taken, visit, bands[i], units);
	}
	return REASON_CHOSEN;
}

static int reason_entry(const struct model_market *market, const struct model_ask *ask,
			const struct model_entry *entry, long long now_seconds, int *bands,
			struct model_candidate *candidate)
{
	int reason = reason_person(market, ask, entry, now_seconds, candidate);
	int pool;

	if (reason != REASON_CHOSEN)
		return reason;
	pool = model_pool_of(market, ask->list, entry->provider, ask->sector);
	reason = reason_limits(market, ask, entry, &market->pools[pool - 1], now_seconds);
	if (reason != REASON_CHOSEN)
		return reason;
	return reason_capacity(market, ask, pool, bands, candidate);
}

/* ---- what follows ---- */

static void outcome_fill(const struct model_market *market, const struct model_call *call,
			 const struct model_ask *ask, struct model_result *result)
{
	const struct model_policy *policy = &market->policy;
	int over_ceiling = result->route == ROUTE_FRAMEWORK && ask->ceiling_pence_hour != 0 &&
			   result->price_pence_hour > ask->ceiling_pence_hour;

	if (result->winner == 0) {
		result->outcome = ROUND_OUTCOME_NOBODY;
		result->state = STATE_UNSOURCED;
		return;
	}
	if (result->route == ROUTE_BRIDGING || result->route == ROUTE_POLR) {
		result->outcome = ROUND_OUTCOME_LAST_RESORT;
		result->state = STATE_UNSOURCED;
		result->role = ROLE_INTERIM;
		result->exit_day = ask->start_day + policy->polr_days;
		return;
	}
	result->outcome = ROUND_OUTCOME_NOMINATED;
	result->role = ROLE_MAIN;
	result->state = STATE_PLACED;
	if (policy->confirmation == CONFIRMATION_OFFICER || over_ceiling) {
		result->state = STATE_PROVISIONAL;
		result->confirm_by_seconds = call->now_seconds + 60LL * policy->confirm_minutes;
	}
}

/* Gives the ask's bands back to the packages they came from: minutes, bands, price. */
static void shares_fill(const struct model_call *call, const int *bands,
			struct model_result *result)
{
	int next = 0;

	result->package_n = call->package_n;
	for (int p = 0; p < call->package_n; p++) {
		const struct model_package *package = &call->packages[p];
		struct model_share *share = &result->packages[p];

		for (int i = 0; i < MODEL_VISITS_MAX; i++)
			share->bands[i] = -1;
		for (int i = 0; i < package->visit_n; i++) {
			int is_carried = !(p == 1 && package->visits[i].shared);
			int band;

			if (is_carried) {
				share->carer_minutes_week +=
					model_visit_minutes_week(&package->visits[i]);
				band = bands[next++];
			} else {
				int first = model_shared_visit(&call->packages[0],
							       model_shared_ordinal(package, i));

				band = result->packages[0].bands[first];
			}
			if (result->winner != 0)
				share->bands[i] = band;
		}
		if (result->winner != 0)
			share->price_pence_week = model_price_pence_week(share->carer_minutes_week,
									 result->price_pence_hour);
	}
}

void model_choose(const struct model_market *market, const struct model_call *call,
		  struct model_result *result)
{
	struct model_ask ask;
	int bands[2 * MODEL_VISITS_MAX] = {0};

	memset(result, 0, sizeof(*result));
	result->winner_index = -1;
	result->refusal = model_call_refusal(market, call, &result->list);
	if (result->refusal != MODEL_ACCEPTED) {
		result->list = 0;
		return;
	}
	model_ask_make(market, &ask, call, result->list);
	result->ceiling_pence_hour = ask.ceiling_pence_hour;
	candidates_order(market, result->list, result);
	for (int i = 0; i < result->candidate_n; i++) {
		struct model_candidate *candidate = &result->candidates[i];
		const struct model_entry *entry =
			&market->lists[result->list - 1].entries[candidate->entry];

		candidate->reason =
			reason_entry(market, &ask, entry, call->now_seconds, bands, candidate);
		if (candidate->reason != REASON_CHOSEN)
			continue;
		result->winner_index = i;
		result->winner = entry->provider;
		result->route = entry->route;
		result->price_pence_hour = entry->price_pence_hour;
		result->pool = model_pool_of(market, ask.list, entry->provider, ask.sector);
		break;
	}
	outcome_fill(market, call, &ask, result);
	shares_fill(call, bands, result);
}
