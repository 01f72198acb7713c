/* market_packages.c — random packages and bundles, aimed at the market's lists; some are spoilt on purpose. */
#include "market_inside.h"

#include <string.h>

/* ---- packages ---- */

static unsigned days_random(struct market_random *random)
{
	int draw = market_random_below(random, 100);

	if (draw < 45)
		return 0x7f;
	if (draw < 60)
		return 0x1f;
	if (draw < 70)
		return 0x60;
	return (unsigned)market_between(random, 1, 127);
}

static void visit_random(struct market_random *random, int service, struct model_visit *visit)
{
	memset(visit, 0, sizeof(*visit));
	visit->days = days_random(random);
	visit->carers = market_chance(random, 25) ? 2 : 1;
	if (service == SERVICE_PERSONAL_CARE) {
		visit->minutes = market_between(random, 6, 16) * 5;
		if (market_chance(random, 25))
			visit->minutes = market_between(random, 30, 120);
		visit->bands = 1U << market_between(random, BAND_EARLY, BAND_BED);
		if (market_chance(random, 10))
			visit->bands = 1U << BAND_NIGHT;
	} else {
		visit->minutes = market_between(random, 16, 24) * 30;
		visit->bands = 1U << BAND_NIGHT;
		if (service == SERVICE_LIVE_IN)
			visit->bands = 1U << market_between(random, BAND_EARLY, BAND_NIGHT);
	}
	if (market_chance(random, 30))
		visit->bands |= 1U << market_random_below(random, MODEL_BANDS);
	if (market_chance(random, 15))
		visit->bands |= (unsigned)market_between(random, 1, 255);
}

static int latest_safe_day_offset(struct market_random *random)
{
	return market_chance(random, 40) ? 0 : market_between(random, 1, 8);
}

/* Often exactly somebody's price, where > and >= part. */
static int ceiling_random(struct market_random *random, const struct model_market *market)
{
	const struct model_list *list = &market->lists[market_random_below(random, market->list_n)];

	if (market_chance(random, 60))
		return market_between(random, 2100, 3300);
	return list->entries[market_random_below(random, list->entry_n)].price_pence_hour;
}

/* All but place, service, group, start day and visits. */
static void needs_random(struct market_random *random, const struct model_market *market,
			 struct model_package *package)
{
	package->latest_safe_start_seconds = 0;
	if (market_chance(random, 60))
		package->latest_safe_start_seconds =
			(package->start_day + latest_safe_day_offset(random)) * DAY_SECONDS +
			market_seconds_below(random, DAY_SECONDS);
	for (int n = market_random_below(random, 4) - 1; n > 0; n--)
		package->skills |= 1U << market_skill_random(random);
	if (market_chance(random, 25))
		package->gender = market_between(random, GENDER_FEMALE, GENDER_MALE);
	if (market_chance(random, 10))
		package->language = market_language_random(random);
	if (market_chance(random, 25))
		package->excluded_n = market_between(random, 1, MODEL_EXCLUDED_MAX);
	for (int i = 0; i < package->excluded_n; i++) {
		package->excluded[i] = market_between(random, 1, market->provider_n);
		for (int j = 0; j < i; j++)
			if (package->excluded[j] == package->excluded[i])
				package->excluded_n = i; /* no doubles */
	}
	if (market_chance(random, 50))
		package->ceiling_pence_hour = ceiling_random(random, market);
	package->urgency = market_between(random, URGENCY_EMERGENCY, URGENCY_STANDARD);
	package->risk = market_between(random, RISK_RED, RISK_GREEN);
	package->cover = market_between(random, COVER_NONE, COVER_PROVIDER);
}

static int list_of(const struct model_market *market, const struct model_package *package)
{
	int list;

	model_list_choose(market, package, market->now_seconds, &list);
	return list;
}

/* Aims at a list: a sector of its lot with the right district, its service, a group it serves. */
static void place_aim(struct market_random *random, const struct model_market *market,
		      struct model_package *package)
{
	const struct model_list *list = &market->lists[market_random_below(random, market->list_n)];
	const struct model_sector *sector;

	package->service = list->service;
	package->group = list->group != 0 ? list->group : market_between(random, 0, 6);
	package->sector = market_between(random, 1, market->sector_n);
	sector = &market->sectors[package->sector - 1];
	package->district = sector->districts[market_random_below(random, sector->district_n)];
	if (sector->district_n == 1 && market_chance(random, 50))
		package->district = 0;
}

/* The ways in which a place can be wrong. */
static void place_spoil(struct market_random *random, const struct model_market *market,
			struct model_package *package)
{
	switch (market_random_below(random, 5)) {
	case 0:
		package->sector = market->sector_n + market_between(random, 1, 3);
		break;
	case 1:
		package->district = market->district_n + market_between(random, 1, 3);
		break;
	case 2:
		package->district = market_between(random, 1, market->district_n);
		break;
	case 3:
		package->district = 0;
		break;
	default:
		package->service = market_between(random, SERVICE_PERSONAL_CARE, SERVICE_LIVE_IN);
	}
}

static void place_random(struct market_random *random, const struct model_market *market,
			 struct model_package *package)
{
	int tries = market_chance(random, 5) ? 1 : 20;

	while (tries-- > 0) {
		place_aim(random, market, package);
		if (list_of(market, package) != 0)
			break;
	}
	if (market_chance(random, 6))
		place_spoil(random, market, package);
}

void market_package_random(struct market_random *random, struct model_market *market,
			   struct model_package *package)
{
	memset(package, 0, sizeof(*package));
	package->number = ++market->package_last;
	package->start_day = market_day(market->now_seconds) + market_between(random, 0, 6);
	place_random(random, market, package);
	needs_random(random, market, package);
	package->visit_n = market_between(random, 1, 3);
	if (package->service != SERVICE_PERSONAL_CARE)
		package->visit_n = market_between(random, 1, 2);
	for (int i = 0; i < package->visit_n; i++)
		visit_random(random, package->service, &package->visits[i]);
}

/* ---- bundles ---- */

/* The shared visits keep their order among the second package's own ones. */
static void bundle_visits(struct market_random *random, struct model_package *first,
			  struct model_package *second)
{
	int shared_n = market_between(random, 0, first->visit_n);
	int own_n = market_between(random, shared_n == 0 ? 1 : 0, 2);

	for (int i = 0; i < shared_n; i++)
		first->visits[i].shared = 1;
	if (shared_n > 0 && shared_n < first->visit_n && market_chance(random, 50)) {
		struct model_visit kept = first->visits[0];

		first->visits[0] = first->visits[first->visit_n - 1];
		first->visits[first->visit_n - 1] = kept;
	}
	second->visit_n = 0;
	for (int i = 0; i < first->visit_n; i++) {
		if (own_n > 0 && market_chance(random, 50)) {
			visit_random(random, second->service, &second->visits[second->visit_n++]);
			own_n--;
		}
		if (first->visits[i].shared)
			second->visits[second->visit_n++] = first->visits[i];
	}
	while (own_n-- > 0)
		visit_random(random, second->service, &second->visits[second->visit_n++]);
	/* A package without any visit of its own is allowed, one without any visit is not. */
	if (second->visit_n == 0)
		visit_random(random, second->service, &second->visits[second->visit_n++]);
}

static void visit_spoil(struct market_random *random, struct model_visit *visit)
{
	switch (market_random_below(random, 5)) {
	case 0:
		visit->days ^= 1U << market_random_below(random, MODEL_DAYS);
		if (visit->days == 0)
			visit->days = 0x7f;
		break;
	case 1:
		visit->bands ^= 1U << market_random_below(random, MODEL_BANDS);
		if (visit->bands == 0)
			visit->bands = 0xff;
		break;
	case 2:
		visit->minutes += 5;
		break;
	case 3:
		visit->carers = 3 - visit->carers;
		break;
	default:
		visit->shared = 0;
	}
}

/* Makes the second one differ in a thing in which it must not. Each of the two still has a list of
 * its own: which of two refusals comes first is not what we ask here. */
static void bundle_spoil(struct market_random *random, const struct model_market *market,
			 struct model_package *second)
{
	struct model_package other = *second;
	int how = market_random_below(random, 4);

	if (how == 0)
		other.sector = market_between(random, 1, market->sector_n);
	if (how == 0 || how == 1)
		other.district = market->sectors[other.sector - 1].districts[market_random_below(
			random, market->sectors[other.sector - 1].district_n)];
	if (how == 2) {
		other.service = market_between(random, SERVICE_PERSONAL_CARE, SERVICE_LIVE_IN);
		other.group = market_between(random, 0, 6);
	}
	if (list_of(market, &other) != 0)
		*second = other;
	if (how == 3) {
		second->start_day++;
		second->latest_safe_start_seconds = 0;
	}
	for (int i = 0; i < second->visit_n; i++)
		if (second->visits[i].shared && market_chance(random, 25))
			visit_spoil(random, &second->visits[i]);
}

void market_bundle_random(struct market_random *random, struct model_market *market,
			  struct model_call *call)
{
	const struct model_package *first = &call->packages[0];
	struct model_package *second = &call->packages[1];
	int list = list_of(market, first);

	/* Under `offer` the page does not say what the waiting first one is told. */
	if (list == 0 || market->policy.award == AWARD_OFFER)
		return;
	call->package_n = 2;
	memset(second, 0, sizeof(*second));
	second->number = ++market->package_last;
	second->sector = first->sector;
	second->district = first->district;
	second->service = first->service;
	second->start_day = first->start_day;
	second->group = market_between(random, 0, 6); /* another group, where it leads to the same list */
	if (list_of(market, second) != list)
		second->group = first->group;
	needs_random(random, market, second);
	bundle_visits(random, &call->packages[0], second);
	if (market_chance(random, 12))
		bundle_spoil(random, market, second);
}
