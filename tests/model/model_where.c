/* model_where.c — which list serves a call, or why none does; and its one or two packages made into one ask. */
#include "model_inside.h"

#include <string.h>

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

int model_version_after(const struct model_list *one, const struct model_list *two)
{
	if (one->from_seconds != two->from_seconds)
		return one->from_seconds > two->from_seconds;
	if (one->list != two->list)
		return one->list > two->list;
	return one->version > two->version;
}

int model_list_is_effective(const struct model_list *list, long long now_seconds)
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
		if (!model_list_is_effective(list, now_seconds))
			continue;
		if (best == 0 || model_version_after(list, &market->lists[best - 1]))
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

/* ---- which pool ---- */

int model_pool_of(const struct model_market *market, int list, int provider, int sector)
{
	for (int i = 0; i < market->coverage_n; i++) {
		const struct model_coverage *coverage = &market->coverages[i];

		if (coverage->list == list && coverage->provider == provider &&
		    coverage->sector == sector)
			return coverage->pool;
	}
	return 0;
}

/* ---- bundles ---- */

static int visits_same(const struct model_visit *one, const struct model_visit *two)
{
	return one->days == two->days && one->bands == two->bands && one->minutes == two->minutes &&
	       one->carers == two->carers;
}

int model_shared_visit(const struct model_package *package, int ordinal)
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

int model_shared_ordinal(const struct model_package *package, int visit)
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
		int first = model_shared_visit(one, ordinal);
		int second = model_shared_visit(two, ordinal);

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

int model_call_refusal(const struct model_market *market, const struct model_call *call, int *list)
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

static void ask_package(struct model_ask *ask, const struct model_package *package, int is_second)
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

void model_ask_make(const struct model_market *market, struct model_ask *ask,
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
