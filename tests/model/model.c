/* model.c — the rules of engine/core/README.md, version 1, as plainly as they can be written.
 * Each part quotes the words it stands for. Readings of unclear words: README.md here. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* A call with its one or two packages made into one. */
struct ask {
	int version; /* index + 1 in market.lists */
	int list;    /* its list */
	int sector;
	int start_day;
	int latest_day;
	int starts;
	int carer_minutes_week;
	unsigned skills;
	unsigned genders;
	unsigned long long languages;
	int ceiling_pence_hour;
	int urgency;
	int risk;
	int no_cover;
	int excluded_n;
	int excluded[2 * MODEL_EXCLUDED_MAX];
	int visit_n;
	struct model_visit visits[2 * MODEL_VISITS_MAX];
};

/* ---- numbers ---- */

/* 1970-01-01 was a Thursday: day 4 of that year was the first Monday. */
int model_monday(int day)
{
	int monday = 4;

	return monday + (day - monday) / 7 * 7;
}

int model_bands_count(unsigned bands)
{
	int count = 0;

	for (int band = 0; band < MODEL_BANDS; band++)
		if (bands >> band & 1)
			count++;
	return count;
}

static int days_count(unsigned days)
{
	int count = 0;

	for (int day = 0; day < MODEL_DAYS; day++)
		if (days >> day & 1)
			count++;
	return count;
}

static int band_lowest(unsigned bands)
{
	for (int band = 0; band < MODEL_BANDS; band++)
		if (bands >> band & 1)
			return band;
	return -1;
}

static int cell_of(int day, int band)
{
	return day * MODEL_BANDS + band;
}

static int plane_of(const struct model_visit *visit)
{
	return visit->carers == 2 ? MODEL_PAIRED : MODEL_SINGLE;
}

int model_visit_units(const struct model_market *market, int pool, const struct model_visit *visit)
{
	int minutes = visit->minutes + market->policy.travel_minutes_visit;
	int units = 0;

	if (market->pools[pool - 1].kind != POOL_KIND_TIME)
		return 1;
	while (units * 5 < minutes)
		units++;
	return units;
}

int model_visit_minutes_week(const struct model_visit *visit)
{
	return days_count(visit->days) * visit->minutes * visit->carers;
}

long long model_price_pence_week(int carer_minutes_week, int price_pence_hour)
{
	long long pence_sixtieths = (long long)carer_minutes_week * price_pence_hour;
	long long pence = pence_sixtieths / 60;
	long long rest = pence_sixtieths % 60;

	return rest >= 30 ? pence + 1 : pence;
}

/* free = max(0, declared - committed) */
static int free_of(const struct model_pool *pool, int plane, int cell)
{
	int free = pool->declared[plane][cell] - pool->committed[plane][cell];

	return free > 0 ? free : 0;
}

int model_placement_minutes_week(const struct model_placement *placement)
{
	int minutes = 0;

	for (int i = 0; i < placement->package.visit_n; i++)
		if (placement->carried[i])
			minutes += model_visit_minutes_week(&placement->package.visits[i]);
	return minutes;
}

int model_minutes_held(const struct model_market *market, int provider, int list)
{
	int minutes = 0;

	for (int i = 0; i < market->placement_n; i++) {
		const struct model_placement *placement = &market->placements[i];

		if (!placement->live || placement->provider != provider)
			continue;
		if (list != 0 && placement->list != list)
			continue;
		minutes += model_placement_minutes_week(placement);
	}
	return minutes;
}

int model_starts(const struct model_market *market, int provider, int first_day, int last_day)
{
	int starts = 0;

	for (int i = 0; i < market->placement_n; i++) {
		const struct model_placement *placement = &market->placements[i];

		if (!placement->live || placement->provider != provider)
			continue;
		if (placement->package.start_day >= first_day &&
		    placement->package.start_day <= last_day)
			starts++;
	}
	return starts;
}

/* ---- which list ---- */

static int sector_has(const struct model_sector *sector, int district)
{
	for (int i = 0; i < sector->district_n; i++)
		if (sector->districts[i] == district)
			return 1;
	return 0;
}

static int lot_has(const struct model_lot *lot, int district)
{
	for (int i = 0; i < lot->district_n; i++)
		if (lot->districts[i] == district)
			return 1;
	return 0;
}

/* The package's district, its own or its sector's. */
static int district_choose(const struct model_market *market, const struct model_package *package,
			   int *district)
{
	const struct model_sector *sector;

	if (package->sector < 1 || package->sector > market->sector_n)
		return MODEL_UNKNOWN_SECTOR;
	if (package->district < 0 || package->district > market->district_n)
		return MODEL_UNKNOWN_DISTRICT;
	sector = &market->sectors[package->sector - 1];
	if (package->district != 0 && !sector_has(sector, package->district))
		return MODEL_SECTOR_NOT_IN_DISTRICT;
	if (package->district == 0 && sector->district_n > 1)
		return MODEL_SECTOR_NEEDS_DISTRICT;
	if (package->district == 0 && sector->district_n == 0)
		return MODEL_SECTOR_OUTSIDE_LOTS;
	*district = package->district != 0 ? package->district : sector->districts[0];
	return MODEL_ACCEPTED;
}

/* 1 when version one goes before version two: the latest from, then the higher list, then version. */
static int version_after(const struct model_list *one, const struct model_list *two)
{
	if (one->from_seconds != two->from_seconds)
		return one->from_seconds > two->from_seconds;
	if (one->list != two->list)
		return one->list > two->list;
	return one->version > two->version;
}

static int is_effective(const struct model_list *list, long long now_seconds)
{
	return list->from_seconds <= now_seconds && now_seconds < list->until_seconds;
}

/* The best effective list of exactly this group in the lots of the district; 0 none. */
static int list_of_group(const struct model_market *market, int district, int service, int group,
			 long long now_seconds)
{
	int best = 0;

	for (int number = 1; number <= market->list_n; number++) {
		const struct model_list *list = &market->lists[number - 1];

		if (!lot_has(&market->lots[list->lot - 1], district))
			continue;
		if (list->service != service || list->group != group)
			continue;
		if (!is_effective(list, now_seconds))
			continue;
		if (best == 0 || version_after(list, &market->lists[best - 1]))
			best = number;
	}
	return best;
}

int model_list_choose(const struct model_market *market, const struct model_package *package,
		      long long now_seconds, int *list)
{
	int district = 0;
	int in_lots = 0;
	int refusal = district_choose(market, package, &district);

	*list = 0;
	if (refusal != MODEL_ACCEPTED)
		return refusal;
	for (int i = 0; i < market->lot_n; i++)
		if (lot_has(&market->lots[i], district))
			in_lots = 1;
	if (!in_lots)
		return MODEL_SECTOR_OUTSIDE_LOTS;
	*list = list_of_group(market, district, package->service, package->group, now_seconds);
	if (*list == 0)
		*list = list_of_group(market, district, package->service, 0, now_seconds);
	return *list == 0 ? MODEL_NO_LIST : MODEL_ACCEPTED;
}

/* ---- bundles ---- */

static int visits_same(const struct model_visit *one, const struct model_visit *two)
{
	return one->days == two->days && one->bands == two->bands && one->minutes == two->minutes &&
	       one->carers == two->carers;
}

/* The index of the package's shared visit number `ordinal` (0..), or -1. */
static int shared_visit(const struct model_package *package, int ordinal)
{
	for (int i = 0; i < package->visit_n; i++) {
		if (!package->visits[i].shared)
			continue;
		if (ordinal == 0)
			return i;
		ordinal--;
	}
	return -1;
}

/* The other way round: which of the package's shared visits this one is. */
static int shared_ordinal(const struct model_package *package, int visit)
{
	int ordinal = 0;

	for (int i = 0; i < visit; i++)
		if (package->visits[i].shared)
			ordinal++;
	return ordinal;
}

static int shared_same(const struct model_package *one, const struct model_package *two)
{
	for (int ordinal = 0;; ordinal++) {
		int first = shared_visit(one, ordinal);
		int second = shared_visit(two, ordinal);

		if (first < 0 && second < 0)
			return 1;
		if (first < 0 || second < 0)
			return 0;
		if (!visits_same(&one->visits[first], &two->visits[second]))
			return 0;
	}
}

/* Both packages have a list, so both have a district. */
static int bundle_fits(const struct model_market *market, const struct model_package *one,
		       int list_one, const struct model_package *two, int list_two)
{
	int district_one = 0;
	int district_two = 0;

	district_choose(market, one, &district_one);
	district_choose(market, two, &district_two);
	return one->sector == two->sector && district_one == district_two && list_one == list_two &&
	       one->start_day == two->start_day && shared_same(one, two);
}

static int call_refusal(const struct model_market *market, const struct model_call *call, int *list)
{
	int second = 0;
	int refusal = model_list_choose(market, &call->packages[0], call->now_seconds, list);

	if (refusal != MODEL_ACCEPTED)
		return refusal;
	if (call->package_n == 2) {
		refusal = model_list_choose(market, &call->packages[1], call->now_seconds, &second);
		if (refusal != MODEL_ACCEPTED)
			return refusal;
		if (!bundle_fits(market, &call->packages[0], *list, &call->packages[1], second))
			return MODEL_BUNDLE_MISMATCH;
	}
	if (market->policy.award == AWARD_OFFER)
		return MODEL_NOT_OFFERED;
	return MODEL_ACCEPTED;
}

static int latest_day_of(const struct model_package *package)
{
	if (package->latest_safe_start_seconds == 0)
		return package->start_day;
	return (int)(package->latest_safe_start_seconds / 86400);
}

static void ask_package(struct ask *ask, const struct model_package *package, int is_second)
{
	int latest_day = latest_day_of(package);

	for (int i = 0; i < package->visit_n; i++) {
		/* "shared visits counted once, carried by the first" */
		if (is_second && package->visits[i].shared)
			continue;
		ask->visits[ask->visit_n++] = package->visits[i];
		ask->carer_minutes_week += model_visit_minutes_week(&package->visits[i]);
	}
	ask->starts++;
	ask->skills |= package->skills;
	if (package->gender != GENDER_ANY)
		ask->genders |= 1U << package->gender;
	if (package->language != 0)
		ask->languages |= 1ULL << package->language;
	for (int i = 0; i < package->excluded_n; i++)
		ask->excluded[ask->excluded_n++] = package->excluded[i];
	if (package->ceiling_pence_hour != 0 &&
	    (ask->ceiling_pence_hour == 0 || package->ceiling_pence_hour < ask->ceiling_pence_hour))
		ask->ceiling_pence_hour = package->ceiling_pence_hour;
	if (!is_second || latest_day < ask->latest_day)
		ask->latest_day = latest_day;
	if (!is_second || package->urgency < ask->urgency)
		ask->urgency = package->urgency;
	if (!is_second || package->risk < ask->risk)
		ask->risk = package->risk;
	if (package->cover == COVER_NONE)
		ask->no_cover = 1;
}

static void ask_make(const struct model_market *market, struct ask *ask,
		     const struct model_call *call, int version)
{
	memset(ask, 0, sizeof(*ask));
	ask->version = version;
	ask->list = market->lists[version - 1].list;
	ask->sector = call->packages[0].sector;
	ask->start_day = call->packages[0].start_day;
	for (int i = 0; i < call->package_n; i++)
		ask_package(ask, &call->packages[i], i == 1);
}

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

static int route_closed(const struct model_policy *policy, const struct ask *ask, int route)
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

/* The first status row, by its number, that stops the provider: its enum status; 0 none. */
static int status_failing(const struct model_market *market, int provider, int list, int start_day,
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

static int rating_fails(const struct model_market *market, int provider_number, int route)
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

/* 0 none */
static int pool_of(const struct model_market *market, int list, int provider, int sector)
{
	for (int i = 0; i < market->coverage_n; i++) {
		const struct model_coverage *coverage = &market->coverages[i];

		if (coverage->list == list && coverage->provider == provider &&
		    coverage->sector == sector)
			return coverage->pool;
	}
	return 0;
}

static int is_excluded(const struct ask *ask, int provider)
{
	for (int i = 0; i < ask->excluded_n; i++)
		if (ask->excluded[i] == provider)
			return 1;
	return 0;
}

/* Checks 1 to 9. REASON_CHOSEN: passed. */
static int reason_person(const struct model_market *market, const struct ask *ask,
			 const struct model_entry *entry, long long now_seconds,
			 struct model_candidate *candidate)
{
	const struct model_provider *provider = &market->providers[entry->provider - 1];

	if (route_closed(&market->policy, ask, entry->route))
		return REASON_ROUTE_CLOSED;
	candidate->status = status_failing(market, entry->provider, ask->list, ask->start_day,
					   ask->starts, now_seconds);
	if (candidate->status != 0)
		return REASON_STATUS;
	if (rating_fails(market, entry->provider, entry->route))
		return REASON_RATING;
	if (pool_of(market, ask->list, entry->provider, ask->sector) == 0)
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
static int reason_limits(const struct model_market *market, const struct ask *ask,
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
	candidate->free = free_of(pool, plane, cell);
	if (pool->committed[plane][cell] > pool->declared[plane][cell])
		return REASON_OVERHANG;
	return plane == MODEL_PAIRED ? REASON_PAIR_SHORT : REASON_TIME_SHORT;
}

/* Adds the visit's units, in this band, on each of its days. */
static void units_add(int grid[MODEL_PLANES][MODEL_CELLS], const struct model_visit *visit,
		      int band, int units)
{
	for (int day = 0; day < MODEL_DAYS; day++)
		if (visit->days >> day & 1)
			grid[plane_of(visit)][cell_of(day, band)] += units;
}

/* The first day on which the visit does not fit into this band; -1 it fits. */
static int day_short(const struct model_pool *pool, int taken[MODEL_PLANES][MODEL_CELLS],
		     const struct model_visit *visit, int band, int units)
{
	int plane = plane_of(visit);

	for (int day = 0; day < MODEL_DAYS; day++) {
		int cell = cell_of(day, band);

		if (!(visit->days >> day & 1))
			continue;
		if (taken[plane][cell] + units > free_of(pool, plane, cell))
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
			if (taken[plane][cell] > free_of(pool, plane, cell))
				return reason_cell(pool, plane, cell, taken[plane][cell],
						   candidate);
	return REASON_CHOSEN;
}

/* Step 2: one visit with several bands. Fills *band when it fits. */
static int reason_flexible(const struct model_pool *pool, int taken[MODEL_PLANES][MODEL_CELLS],
			   const struct model_visit *visit, int units, int *band,
			   struct model_candidate *candidate)
{
	int plane = plane_of(visit);
	int lowest = band_lowest(visit->bands);
	int cell;

	for (*band = 0; *band < MODEL_BANDS; (*band)++)
		if ((visit->bands >> *band & 1) && day_short(pool, taken, visit, *band, units) < 0)
			return REASON_CHOSEN;
	cell = cell_of(day_short(pool, taken, visit, lowest, units), lowest);
	return reason_cell(pool, plane, cell, units + taken[plane][cell], candidate);
}

/* Check 15. Fills the band of each of the ask's visits as far as it gets. */
static int reason_capacity(const struct model_market *market, const struct ask *ask,
			   int pool_number, int *bands, struct model_candidate *candidate)
{
	const struct model_pool *pool = &market->pools[pool_number - 1];
	int taken[MODEL_PLANES][MODEL_CELLS] = {{0}};
	int reason;

	for (int i = 0; i < ask->visit_n; i++) {
		const struct model_visit *visit = &ask->visits[i];

		/* For flexible visits in a pool that is ignored this stands: nothing can fail. */
		bands[i] = band_lowest(visit->bands);
		if (model_bands_count(visit->bands) == 1)
			units_add(taken, visit, bands[i],
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
		units_add(taken, visit, bands[i], units);
	}
	return REASON_CHOSEN;
}

static int reason_entry(const struct model_market *market, const struct ask *ask,
			const struct model_entry *entry, long long now_seconds, int *bands,
			struct model_candidate *candidate)
{
	int reason = reason_person(market, ask, entry, now_seconds, candidate);
	int pool;

	if (reason != REASON_CHOSEN)
		return reason;
	pool = pool_of(market, ask->list, entry->provider, ask->sector);
	reason = reason_limits(market, ask, entry, &market->pools[pool - 1], now_seconds);
	if (reason != REASON_CHOSEN)
		return reason;
	return reason_capacity(market, ask, pool, bands, candidate);
}

/* ---- what follows ---- */

static void outcome_fill(const struct model_market *market, const struct model_call *call,
			 const struct ask *ask, struct model_result *result)
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
				int first = shared_visit(&call->packages[0],
							 shared_ordinal(package, i));

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
	struct ask ask;
	int bands[2 * MODEL_VISITS_MAX] = {0};

	memset(result, 0, sizeof(*result));
	result->winner_index = -1;
	result->refusal = call_refusal(market, call, &result->list);
	if (result->refusal != MODEL_ACCEPTED) {
		result->list = 0;
		return;
	}
	ask_make(market, &ask, call, result->list);
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
		result->pool = pool_of(market, ask.list, entry->provider, ask.sector);
		break;
	}
	outcome_fill(market, call, &ask, result);
	shares_fill(call, bands, result);
}

/* ---- keeping and giving back ---- */

/* Takes (sign 1) or frees (sign -1) one visit of a placement in its pool. */
static void visit_commit(struct model_market *market, const struct model_placement *placement,
			 int visit, int sign)
{
	const struct model_visit *what = &placement->package.visits[visit];
	int units = model_visit_units(market, placement->pool, what);

	units_add(market->pools[placement->pool - 1].committed, what, placement->bands[visit],
		  sign * units);
}

void model_apply(struct model_market *market, const struct model_call *call,
		 const struct model_result *result)
{
	int first = market->placement_n;

	if (result->refusal != MODEL_ACCEPTED || result->winner == 0)
		return;
	if (first + call->package_n > MODEL_PLACEMENTS_MAX)
		abort();
	for (int p = 0; p < call->package_n; p++) {
		struct model_placement *placement = &market->placements[market->placement_n++];

		memset(placement, 0, sizeof(*placement));
		placement->live = 1;
		placement->state = result->state;
		placement->other = call->package_n == 2 ? first + 1 - p : -1;
		placement->package = call->packages[p];
		placement->list = market->lists[result->list - 1].list;
		placement->provider = result->winner;
		placement->pool = result->pool;
		placement->route = result->route;
		placement->role = result->role;
		placement->exit_day = result->exit_day;
		placement->confirm_by_seconds = result->confirm_by_seconds;
		placement->price_pence_hour = result->price_pence_hour;
		placement->requirement_version = 1;
		for (int i = 0; i < placement->package.visit_n; i++) {
			placement->bands[i] = result->packages[p].bands[i];
			placement->carried[i] = !(p == 1 && placement->package.visits[i].shared);
			if (placement->carried[i])
				visit_commit(market, placement, i, 1);
		}
	}
}

int model_placement_find(const struct model_market *market, int package)
{
	for (int i = 0; i < market->placement_n; i++)
		if (market->placements[i].live && market->placements[i].package.number == package)
			return i;
	return -1;
}

static int release_allowed(int state, int ended)
{
	if (state == STATE_UNSOURCED)
		return 1; /* with a live placement it has an interim: both ways are open */
	if (ended)
		return state == STATE_PLACED || state == STATE_MOBILISING || state == STATE_LIVE;
	return state == STATE_PROVISIONAL;
}

int model_release(struct model_market *market, int package, int ended)
{
	int index = model_placement_find(market, package);
	struct model_placement *placement;
	struct model_placement *other = NULL;
	int passed = 0;

	if (index < 0 || !release_allowed(market->placements[index].state, ended))
		return 0;
	placement = &market->placements[index];
	if (placement->other >= 0 && market->placements[placement->other].live)
		other = &market->placements[placement->other];
	for (int i = 0; i < placement->package.visit_n; i++) {
		if (!placement->carried[i])
			continue;
		if (other != NULL && placement->package.visits[i].shared) {
			/* The units stay where they are; they are now the other's. */
			int ordinal = shared_ordinal(&placement->package, i);

			other->carried[shared_visit(&other->package, ordinal)] = 1;
			passed = 1;
		} else {
			visit_commit(market, placement, i, -1);
		}
		placement->carried[i] = 0;
	}
	if (passed)
		other->requirement_version++;
	placement->live = 0;
	placement->state = ended ? STATE_ENDED : STATE_WITHDRAWN;
	return 1;
}

/* The provider's entry on the version of the list that is effective now, or NULL. */
static const struct model_entry *entry_now(const struct model_market *market, int list,
					   int provider, long long now_seconds)
{
	const struct model_list *best = NULL;

	for (int i = 0; i < market->list_n; i++) {
		const struct model_list *version = &market->lists[i];

		if (version->list == list && is_effective(version, now_seconds) &&
		    (best == NULL || version_after(version, best)))
			best = version;
	}
	for (int i = 0; best != NULL && i < best->entry_n; i++)
		if (best->entries[i].provider == provider)
			return &best->entries[i];
	return NULL;
}

int model_confirm(struct model_market *market, int package, long long now_seconds,
		  int with_budget_authority, int *recheck_failed, int *budget_authority)
{
	int index = model_placement_find(market, package);
	struct model_placement *placement;
	const struct model_entry *entry;
	int ceiling;
	int fails;

	*recheck_failed = *budget_authority = 0;
	if (index < 0 || market->placements[index].state != STATE_PROVISIONAL)
		return 0;
	placement = &market->placements[index];
	/* Its own start is already among the provider's starts: no new one comes. */
	fails = status_failing(market, placement->provider, placement->list,
			       placement->package.start_day, 0, now_seconds) != 0;
	entry = entry_now(market, placement->list, placement->provider, now_seconds);
	ceiling = placement->package.ceiling_pence_hour;
	if (entry == NULL)
		fails = 1;
	else if (rating_fails(market, placement->provider, entry->route))
		fails = 1;
	*recheck_failed = fails;
	if (fails)
		return 0;
	*budget_authority = !with_budget_authority && ceiling != 0 && entry->price_pence_hour > ceiling;
	if (*budget_authority)
		return 0;
	placement->state = STATE_PLACED;
	placement->confirm_by_seconds = 0;
	return 1;
}

int model_declare(struct model_market *market, const struct model_declaration *declaration)
{
	struct model_pool *pool = &market->pools[declaration->pool - 1];

	/* nights and places: the night band, single */
	for (int cell = 0; cell < MODEL_CELLS && pool->kind != POOL_KIND_TIME; cell++)
		if (declaration->declared[MODEL_PAIRED][cell] != 0 ||
		    (cell % MODEL_BANDS != BAND_NIGHT &&
		     declaration->declared[MODEL_SINGLE][cell] != 0))
			return MODEL_CAPACITY_KIND;
	pool->available_from_day = declaration->available_from_day;
	pool->expires_seconds = declaration->expires_seconds;
	memcpy(pool->declared, declaration->declared, sizeof(pool->declared));
	return MODEL_ACCEPTED;
}

const char *model_refusal_word(int refusal)
{
	static const char *const words[MODEL_REFUSAL_N] = {
		"ACCEPTED",
		"UNKNOWN_SECTOR",
		"UNKNOWN_DISTRICT",
		"SECTOR_NOT_IN_DISTRICT",
		"SECTOR_NEEDS_DISTRICT",
		"SECTOR_OUTSIDE_LOTS",
		"NO_LIST",
		"BUNDLE_MISMATCH",
		"NOT_OFFERED",
		"CAPACITY_KIND",
	};

	return refusal >= 0 && refusal < MODEL_REFUSAL_N ? words[refusal] : "?";
}
