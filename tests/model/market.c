/* market.c — the random generator of markets and events.
 *
 * The weights here are tuned by selftest's coverage table: early checks fail seldom enough that the
 * late ones are reached, and capacity is so short that about every second package finds nobody. */
#include "market.h"

#include <string.h>

#define DAY_SECONDS 86400LL
#define HOUR_SECONDS 3600LL

/* ---- randomness: splitmix64 ---- */

void market_random_seed(struct market_random *random, unsigned long long seed)
{
	random->state = seed;
}

unsigned long long market_random_next(struct market_random *random)
{
	unsigned long long z;

	random->state += 0x9e3779b97f4a7c15ULL;
	z = random->state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

int market_random_below(struct market_random *random, int limit)
{
	return (int)((market_random_next(random) >> 33) % (unsigned long long)limit);
}

static int between(struct market_random *random, int low, int high)
{
	return low + market_random_below(random, high - low + 1);
}

static int chance(struct market_random *random, int percent)
{
	return market_random_below(random, 100) < percent;
}

static long long seconds_below(struct market_random *random, long long limit)
{
	return (long long)(market_random_next(random) % (unsigned long long)limit);
}

static void shuffle(struct market_random *random, int *numbers, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int j = market_random_below(random, i + 1);
		int kept = numbers[i];

		numbers[i] = numbers[j];
		numbers[j] = kept;
	}
}

static int day_of(long long seconds)
{
	return (int)(seconds / DAY_SECONDS);
}

/* ---- the skills and languages in use ---- */

/* Few of the possible numbers occur, so that packages and providers meet; which ones is spread
 * over the whole range, first and last included. */
static int skill_random(struct market_random *random)
{
	static const int skills[] = {0, 1, 5, 17, 29, 30};

	return skills[market_random_below(random, 6)];
}

static int language_random(struct market_random *random)
{
	static const int languages[] = {1, 2, 31, 32, 33, 62};

	return languages[market_random_below(random, 6)];
}

/* ---- the market ---- */

static void policy_generate(struct market_random *random, struct model_policy *policy)
{
	int routes[] = {ROUTE_FRAMEWORK, ROUTE_SPOT, ROUTE_BRIDGING, ROUTE_POLR};

	if (chance(random, 40))
		shuffle(random, routes, 4);
	policy->route_n = chance(random, 60) ? 4 : between(random, 1, 3);
	memcpy(policy->routes, routes, sizeof(routes));
	/* Drop one from the middle too, not always the last ones. */
	if (policy->route_n == 3 && chance(random, 50))
		policy->routes[between(random, 0, 2)] = routes[3];
	policy->polr_urgencies = chance(random, 30) ? 0 : (unsigned)between(random, 0, 31) << 1;
	policy->polr_risks = chance(random, 30) ? 0 : (unsigned)between(random, 0, 7) << 1;
	policy->polr_no_cover = chance(random, 50);
	policy->polr_days = between(random, 1, 42);
	policy->rating_min = chance(random, 85) ? RATING_GOOD : between(random, 1, 4);
	policy->not_rated_open = chance(random, 50);
	policy->improvement_plan_open = chance(random, 50);
	policy->award = chance(random, 2) ? AWARD_OFFER : AWARD_DIRECT;
	policy->confirmation = chance(random, 50) ? CONFIRMATION_OFFICER : CONFIRMATION_AUTOMATIC;
	policy->confirm_minutes = between(random, 1, 48) * 60;
	policy->travel_minutes_visit = chance(random, 40) ? 0 : between(random, 1, 15);
}

static int rating_random(struct market_random *random)
{
	int draw = market_random_below(random, 100);

	if (draw < 6)
		return RATING_NOT_RATED;
	if (draw < 8)
		return RATING_INADEQUATE;
	if (draw < 15)
		return RATING_REQUIRES_IMPROVEMENT;
	if (draw < 80)
		return RATING_GOOD;
	return RATING_OUTSTANDING;
}

static void providers_generate(struct market_random *random, struct model_market *market)
{
	market->provider_n = between(random, 4, MODEL_PROVIDERS_MAX);
	for (int i = 0; i < market->provider_n; i++) {
		struct model_provider *provider = &market->providers[i];

		provider->rating = rating_random(random);
		provider->improvement_plan = chance(random, 40);
		provider->skills = 0x7fffffffU;
		for (int n = market_random_below(random, 3); n > 0; n--)
			provider->skills &= ~(1U << skill_random(random));
		provider->genders = 1U << GENDER_FEMALE | 1U << GENDER_MALE;
		if (chance(random, 40))
			provider->genders =
				chance(random, 85) ? 1U << GENDER_FEMALE : 1U << GENDER_MALE;
		for (int n = between(random, 1, 7); n > 0; n--)
			provider->languages |= 1ULL << language_random(random);
		if (chance(random, 20))
			provider->hours_max_minutes_week = between(random, 10, 100) * 60;
		if (chance(random, 40))
			provider->starts_day_max = between(random, 1, 2);
	}
}

/* Districts, sectors (some straddle), lots; a district may lie in no lot or in two. */
static void places_generate(struct market_random *random, struct model_market *market)
{
	market->district_n = between(random, 2, 5);
	market->sector_n = between(random, 2, 6);
	market->lot_n = between(random, 1, 4);
	for (int i = 0; i < market->sector_n; i++) {
		struct model_sector *sector = &market->sectors[i];

		sector->districts[0] = between(random, 1, market->district_n);
		sector->districts[1] = between(random, 1, market->district_n);
		sector->district_n = sector->districts[0] == sector->districts[1] ? 1 : 2;
		if (chance(random, 50))
			sector->district_n = 1;
	}
	for (int i = 0; i < market->lot_n; i++) {
		struct model_lot *lot = &market->lots[i];

		for (int district = 1; district <= market->district_n; district++)
			if (chance(random, 45))
				lot->districts[lot->district_n++] = district;
		if (lot->district_n == 0)
			lot->districts[lot->district_n++] = between(random, 1, market->district_n);
	}
}

static int route_random(struct market_random *random)
{
	int draw = market_random_below(random, 100);

	if (draw < 60)
		return ROUTE_FRAMEWORK;
	if (draw < 78)
		return ROUTE_SPOT;
	return draw < 87 ? ROUTE_BRIDGING : ROUTE_POLR;
}

static void entries_generate(struct market_random *random, const struct model_market *market,
			     struct model_list *list)
{
	int providers[MODEL_PROVIDERS_MAX];
	int order_nos[MODEL_ENTRIES_MAX];
	int most = market->provider_n < MODEL_ENTRIES_MAX ? market->provider_n : MODEL_ENTRIES_MAX;

	list->entry_n = between(random, 3, most);
	for (int i = 0; i < market->provider_n; i++)
		providers[i] = i + 1;
	for (int i = 0; i < list->entry_n; i++)
		order_nos[i] = i + 1;
	shuffle(random, providers, market->provider_n);
	shuffle(random, order_nos, list->entry_n);
	for (int i = 0; i < list->entry_n; i++) {
		struct model_entry *entry = &list->entries[i];

		entry->provider = providers[i];
		entry->route = route_random(random);
		entry->tier = between(random, 1, 2);
		entry->rank = between(random, 1, 5);
		entry->order_no = order_nos[i];
		entry->price_pence_hour = between(random, 2000, 3400);
		entry->share_cap_minutes_week = 0;
		if (chance(random, 20))
			entry->share_cap_minutes_week = between(random, 5, 50) * 60;
	}
}

static int service_random(struct market_random *random)
{
	int draw = market_random_below(random, 100);

	if (draw < 65)
		return SERVICE_PERSONAL_CARE;
	return draw < 90 ? between(random, SERVICE_NIGHT_AWAKE, SERVICE_NIGHT_SLEEP)
			 : SERVICE_LIVE_IN;
}

static int version_next(const struct model_market *market, int count, int list)
{
	int version = 1;

	for (int i = 0; i < count; i++)
		if (market->lists[i].list == list)
			version++;
	return version;
}

/* Some lists are the next version of an earlier one, or its rival with the same `from`. */
static void lists_generate(struct market_random *random, struct model_market *market)
{
	market->list_n = between(random, 2, 6);
	for (int i = 0; i < market->list_n; i++) {
		struct model_list *list = &market->lists[i];

		list->list = i + 1;
		list->version = 1;
		list->lot = between(random, 1, market->lot_n);
		list->service = service_random(random);
		list->group = chance(random, 50) ? 0 : between(random, 1, 6);
		list->from_seconds = market->now_seconds - between(random, 0, 400) * HOUR_SECONDS;
		list->until_seconds = MODEL_NEVER_SECONDS;
		if (chance(random, 20))
			list->until_seconds =
				market->now_seconds + between(random, 1, 200) * HOUR_SECONDS;
		if (i > 0 && chance(random, 30)) {
			*list = market->lists[market_random_below(random, i)];
			if (chance(random, 40))
				list->list = i + 1; /* a rival of its own */
			list->version = version_next(market, i, list->list);
			if (chance(random, 70))
				list->from_seconds = market->now_seconds +
						     between(random, -100, 100) * HOUR_SECONDS;
			if (list->until_seconds <= list->from_seconds || chance(random, 50))
				list->until_seconds = MODEL_NEVER_SECONDS;
			memset(list->entries, 0, sizeof(list->entries));
		}
		entries_generate(random, market, list);
	}
}

static void statuses_generate(struct market_random *random, struct model_market *market)
{
	for (int provider = 1; provider <= market->provider_n; provider++) {
		int count = chance(random, 28) ? between(random, 1, 2) : 0;

		for (int n = 0; n < count; n++) {
			struct model_status *status = &market->statuses[market->status_n++];

			status->provider = provider;
			status->status = chance(random, 50)
						 ? STATUS_CAPPED
						 : between(random, STATUS_ACTIVE, STATUS_FAILED);
			status->list = 0;
			if (chance(random, 40))
				status->list = market->lists[market_random_below(random, market->list_n)].list;
			status->from_seconds =
				market->now_seconds + between(random, -120, 120) * HOUR_SECONDS;
			status->until_seconds =
				status->from_seconds + between(random, 1, 200) * HOUR_SECONDS;
			if (chance(random, 30))
				status->until_seconds = MODEL_NEVER_SECONDS;
			if (status->status == STATUS_CAPPED)
				status->starts_week_max = between(random, 0, 3);
		}
	}
}

/* ---- capacity ---- */

static int kind_of_service(int service)
{
	if (service == SERVICE_PERSONAL_CARE)
		return POOL_KIND_TIME;
	return service == SERVICE_LIVE_IN ? POOL_KIND_PLACES : POOL_KIND_NIGHTS;
}

/* One level for the plane, other levels for some bands, holes in some cells. */
static void plane_generate(struct market_random *random, int kind, int plane, int *cells)
{
	static const int levels_time[MODEL_PLANES][6] = {
		{6, 14, 24, 36, 48, 90},
		{0, 8, 14, 20, 30, 48},
	};
	static const int levels_other[MODEL_PLANES][6] = {
		{1, 1, 1, 2, 3, 4},
		{0, 1, 1, 1, 2, 2},
	};
	const int *levels = kind == POOL_KIND_TIME ? levels_time[plane] : levels_other[plane];
	int level = levels[market_random_below(random, 6)];

	for (int band = 0; band < MODEL_BANDS; band++) {
		int level_band =
			chance(random, 25) ? levels[market_random_below(random, 6)] : level;

		for (int day = 0; day < MODEL_DAYS; day++) {
			int cell = day * MODEL_BANDS + band;

			cells[cell] = level_band;
			if (chance(random, 2))
				cells[cell] = market_random_below(random, level_band + 1);
		}
	}
}

static void pool_generate(struct market_random *random, struct model_market *market, int provider,
			  int kind)
{
	struct model_pool *pool = &market->pools[market->pool_n++];
	int draw = market_random_below(random, 100);

	pool->provider = provider;
	pool->kind = kind;
	pool->mode = POOL_MODE_BINDING;
	if (draw < 5)
		pool->mode = POOL_MODE_ADVISORY;
	else if (draw < 10)
		pool->mode = POOL_MODE_IGNORED;
	pool->available_from_day =
		day_of(market->now_seconds) +
		(chance(random, 75) ? between(random, -60, 0) : between(random, 1, 14));
	pool->expires_seconds = market->now_seconds + between(random, 1, 30) * DAY_SECONDS;
	if (chance(random, 6)) /* expired before it begins */
		pool->expires_seconds = market->now_seconds - between(random, 0, 90) * HOUR_SECONDS;
	for (int plane = 0; plane < MODEL_PLANES; plane++)
		plane_generate(random, kind, plane, pool->declared[plane]);
}

/* A pool of this provider and kind: mostly one that is there, so that lists and sectors share it.
 */
static int pool_pick(struct market_random *random, struct model_market *market, int provider,
		     int kind)
{
	for (int number = 1; number <= market->pool_n; number++) {
		const struct model_pool *pool = &market->pools[number - 1];

		if (pool->provider == provider && pool->kind == kind && chance(random, 70))
			return number;
	}
	if (market->pool_n < MODEL_POOLS_MAX) {
		pool_generate(random, market, provider, kind);
		return market->pool_n;
	}
	return 0;
}

static int sector_in_lot(const struct model_market *market, int sector, int lot_number)
{
	const struct model_sector *where = &market->sectors[sector - 1];
	const struct model_lot *lot = &market->lots[lot_number - 1];

	for (int i = 0; i < where->district_n; i++)
		for (int j = 0; j < lot->district_n; j++)
			if (where->districts[i] == lot->districts[j])
				return 1;
	return 0;
}

static int is_covered(const struct model_market *market, int list, int provider, int sector)
{
	for (int i = 0; i < market->coverage_n; i++)
		if (market->coverages[i].list == list &&
		    market->coverages[i].provider == provider &&
		    market->coverages[i].sector == sector)
			return 1;
	return 0;
}

static void coverages_generate(struct market_random *random, struct model_market *market)
{
	for (int number = 1; number <= market->list_n; number++) {
		const struct model_list *list = &market->lists[number - 1];

		for (int i = 0; i < list->entry_n; i++) {
			for (int sector = 1; sector <= market->sector_n; sector++) {
				struct model_coverage *coverage =
					&market->coverages[market->coverage_n];
				int provider = list->entries[i].provider;

				if (!sector_in_lot(market, sector, list->lot) || chance(random, 7))
					continue;
				if (is_covered(market, list->list, provider, sector))
					continue;
				coverage->list = list->list;
				coverage->provider = provider;
				coverage->sector = sector;
				coverage->pool = pool_pick(random, market, provider,
							   kind_of_service(list->service));
				if (coverage->pool != 0)
					market->coverage_n++;
			}
		}
	}
}

void market_generate(struct market_random *random, struct model_market *market)
{
	memset(market, 0, sizeof(*market));
	/* Within two years from 2026-01-01, on any weekday and hour. */
	market->now_seconds = 1767225600LL + seconds_below(random, 730 * DAY_SECONDS);
	policy_generate(random, &market->policy);
	providers_generate(random, market);
	places_generate(random, market);
	lists_generate(random, market);
	statuses_generate(random, market);
	coverages_generate(random, market);
}

int market_events_count(struct market_random *random)
{
	return between(random, 10, 32);
}

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
	return (unsigned)between(random, 1, 127);
}

static void visit_random(struct market_random *random, int service, struct model_visit *visit)
{
	memset(visit, 0, sizeof(*visit));
	visit->days = days_random(random);
	visit->carers = chance(random, 25) ? 2 : 1;
	if (service == SERVICE_PERSONAL_CARE) {
		visit->minutes = between(random, 6, 16) * 5;
		if (chance(random, 25))
			visit->minutes = between(random, 30, 120);
		visit->bands = 1U << between(random, BAND_EARLY, BAND_BED);
		if (chance(random, 10))
			visit->bands = 1U << BAND_NIGHT;
	} else {
		visit->minutes = between(random, 16, 24) * 30;
		visit->bands = 1U << BAND_NIGHT;
		if (service == SERVICE_LIVE_IN)
			visit->bands = 1U << between(random, BAND_EARLY, BAND_NIGHT);
	}
	if (chance(random, 30))
		visit->bands |= 1U << market_random_below(random, MODEL_BANDS);
	if (chance(random, 15))
		visit->bands |= (unsigned)between(random, 1, 255);
}

static int latest_safe_day_offset(struct market_random *random)
{
	return chance(random, 40) ? 0 : between(random, 1, 8);
}

/* Often exactly somebody's price, where > and >= part. */
static int ceiling_random(struct market_random *random, const struct model_market *market)
{
	const struct model_list *list = &market->lists[market_random_below(random, market->list_n)];

	if (chance(random, 60))
		return between(random, 2100, 3300);
	return list->entries[market_random_below(random, list->entry_n)].price_pence_hour;
}

/* All but place, service, group, start day and visits. */
static void needs_random(struct market_random *random, const struct model_market *market,
			 struct model_package *package)
{
	package->latest_safe_start_seconds = 0;
	if (chance(random, 60))
		package->latest_safe_start_seconds =
			(package->start_day + latest_safe_day_offset(random)) * DAY_SECONDS +
			seconds_below(random, DAY_SECONDS);
	for (int n = market_random_below(random, 4) - 1; n > 0; n--)
		package->skills |= 1U << skill_random(random);
	if (chance(random, 25))
		package->gender = between(random, GENDER_FEMALE, GENDER_MALE);
	if (chance(random, 10))
		package->language = language_random(random);
	if (chance(random, 25))
		package->excluded_n = between(random, 1, MODEL_EXCLUDED_MAX);
	for (int i = 0; i < package->excluded_n; i++) {
		package->excluded[i] = between(random, 1, market->provider_n);
		for (int j = 0; j < i; j++)
			if (package->excluded[j] == package->excluded[i])
				package->excluded_n = i; /* no doubles */
	}
	if (chance(random, 50))
		package->ceiling_pence_hour = ceiling_random(random, market);
	package->urgency = between(random, URGENCY_EMERGENCY, URGENCY_STANDARD);
	package->risk = between(random, RISK_RED, RISK_GREEN);
	package->cover = between(random, COVER_NONE, COVER_PROVIDER);
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
	package->group = list->group != 0 ? list->group : between(random, 0, 6);
	package->sector = between(random, 1, market->sector_n);
	sector = &market->sectors[package->sector - 1];
	package->district = sector->districts[market_random_below(random, sector->district_n)];
	if (sector->district_n == 1 && chance(random, 50))
		package->district = 0;
}

/* The ways in which a place can be wrong. */
static void place_spoil(struct market_random *random, const struct model_market *market,
			struct model_package *package)
{
	switch (market_random_below(random, 5)) {
	case 0:
		package->sector = market->sector_n + between(random, 1, 3);
		break;
	case 1:
		package->district = market->district_n + between(random, 1, 3);
		break;
	case 2:
		package->district = between(random, 1, market->district_n);
		break;
	case 3:
		package->district = 0;
		break;
	default:
		package->service = between(random, SERVICE_PERSONAL_CARE, SERVICE_LIVE_IN);
	}
}

static void place_random(struct market_random *random, const struct model_market *market,
			 struct model_package *package)
{
	int tries = chance(random, 5) ? 1 : 20;

	while (tries-- > 0) {
		place_aim(random, market, package);
		if (list_of(market, package) != 0)
			break;
	}
	if (chance(random, 6))
		place_spoil(random, market, package);
}

static void package_random(struct market_random *random, struct model_market *market,
			   struct model_package *package)
{
	memset(package, 0, sizeof(*package));
	package->number = ++market->package_last;
	package->start_day = day_of(market->now_seconds) + between(random, 0, 6);
	place_random(random, market, package);
	needs_random(random, market, package);
	package->visit_n = between(random, 1, 3);
	if (package->service != SERVICE_PERSONAL_CARE)
		package->visit_n = between(random, 1, 2);
	for (int i = 0; i < package->visit_n; i++)
		visit_random(random, package->service, &package->visits[i]);
}

/* ---- bundles ---- */

/* The shared visits keep their order among the second package's own ones. */
static void bundle_visits(struct market_random *random, struct model_package *first,
			  struct model_package *second)
{
	int shared_n = between(random, 0, first->visit_n);
	int own_n = between(random, shared_n == 0 ? 1 : 0, 2);

	for (int i = 0; i < shared_n; i++)
		first->visits[i].shared = 1;
	if (shared_n > 0 && shared_n < first->visit_n && chance(random, 50)) {
		struct model_visit kept = first->visits[0];

		first->visits[0] = first->visits[first->visit_n - 1];
		first->visits[first->visit_n - 1] = kept;
	}
	second->visit_n = 0;
	for (int i = 0; i < first->visit_n; i++) {
		if (own_n > 0 && chance(random, 50)) {
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
		other.sector = between(random, 1, market->sector_n);
	if (how == 0 || how == 1)
		other.district = market->sectors[other.sector - 1].districts[market_random_below(
			random, market->sectors[other.sector - 1].district_n)];
	if (how == 2) {
		other.service = between(random, SERVICE_PERSONAL_CARE, SERVICE_LIVE_IN);
		other.group = between(random, 0, 6);
	}
	if (list_of(market, &other) != 0)
		*second = other;
	if (how == 3) {
		second->start_day++;
		second->latest_safe_start_seconds = 0;
	}
	for (int i = 0; i < second->visit_n; i++)
		if (second->visits[i].shared && chance(random, 25))
			visit_spoil(random, &second->visits[i]);
}

static void bundle_random(struct market_random *random, struct model_market *market,
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
	second->group = between(random, 0, 6); /* another group, where it leads to the same list */
	if (list_of(market, second) != list)
		second->group = first->group;
	needs_random(random, market, second);
	bundle_visits(random, &call->packages[0], second);
	if (chance(random, 12))
		bundle_spoil(random, market, second);
}

/* ---- events ---- */

/* The nearest moment after now at which something begins, ends or expires; 0 none. */
static long long boundary_next(const struct model_market *market)
{
	long long times[2 * MODEL_STATUSES_MAX + 2 * MODEL_LISTS_MAX + MODEL_POOLS_MAX];
	int count = 0;
	long long next = 0;

	for (int i = 0; i < market->status_n; i++) {
		times[count++] = market->statuses[i].from_seconds;
		times[count++] = market->statuses[i].until_seconds;
	}
	for (int i = 0; i < market->list_n; i++) {
		times[count++] = market->lists[i].from_seconds;
		times[count++] = market->lists[i].until_seconds;
	}
	for (int i = 0; i < market->pool_n; i++)
		times[count++] = market->pools[i].expires_seconds;
	for (int i = 0; i < count; i++)
		if (times[i] > market->now_seconds && (next == 0 || times[i] < next))
			next = times[i];
	return next;
}

/* Often exactly onto a boundary, or one second before it, where < and <= part. */
static void clock_advance(struct market_random *random, struct model_market *market)
{
	long long boundary = boundary_next(market);

	if (chance(random, 30) && boundary != 0 &&
	    boundary < market->now_seconds + 3 * DAY_SECONDS) {
		market->now_seconds = boundary - (chance(random, 40) ? 1 : 0);
		return;
	}
	market->now_seconds += 1 + seconds_below(random, 10 * HOUR_SECONDS);
}

/* A new week: fresh; everything cut to a part; or as it was, but short of some of what is taken,
 * so that single cells are over and their neighbours are not. */
static void declared_random(struct market_random *random, const struct model_pool *pool, int plane,
			    int *declared)
{
	int draw = market_random_below(random, 100);
	int percent = market_random_below(random, 100);

	plane_generate(random, pool->kind, plane, declared);
	if (draw < 40)
		return;
	for (int cell = 0; cell < MODEL_CELLS; cell++) {
		int was = pool->declared[plane][cell];
		int taken = pool->committed[plane][cell];

		declared[cell] = was;
		if (draw < 55)
			declared[cell] = was * percent / 100;
		else if (taken > 0 && chance(random, 50))
			declared[cell] = market_random_below(random, taken + 1);
	}
}

static void declaration_random(struct market_random *random, const struct model_market *market,
			       struct model_declaration *declaration)
{
	const struct model_pool *pool;

	declaration->pool = between(random, 1, market->pool_n);
	if (market->placement_n > 0 && chance(random, 80)) /* one that is in use */
		declaration->pool =
			market->placements[market_random_below(random, market->placement_n)].pool;
	pool = &market->pools[declaration->pool - 1];
	declaration->expires_seconds =
		market->now_seconds + between(random, 1, 15 * 24) * HOUR_SECONDS;
	declaration->available_from_day = pool->available_from_day;
	if (chance(random, 20))
		declaration->available_from_day = day_of(market->now_seconds) + between(random, -5, 10);
	for (int plane = 0; plane < MODEL_PLANES; plane++)
		declared_random(random, pool, plane, declaration->declared[plane]);
	/* Nights and places are declared in the night band, single; now and then somebody tries else. */
	if (pool->kind == POOL_KIND_TIME || chance(random, 15))
		return;
	for (int cell = 0; cell < MODEL_CELLS; cell++) {
		declaration->declared[MODEL_PAIRED][cell] = 0;
		if (cell % MODEL_BANDS != BAND_NIGHT)
			declaration->declared[MODEL_SINGLE][cell] = 0;
	}
}

/* A live placement, -1 none; with `state` not 0 one in that state if a few tries find it. */
static int placement_pick(struct market_random *random, const struct model_market *market,
			  int state)
{
	int found = -1;

	for (int tries = 0; tries < 12 && market->placement_n > 0; tries++) {
		int index = market_random_below(random, market->placement_n);

		if (!market->placements[index].live)
			continue;
		found = index;
		if (state == 0 || market->placements[index].state == state)
			return index;
	}
	return found;
}

static void release_random(struct market_random *random, const struct model_market *market,
			   int index, struct market_event *event)
{
	const struct model_placement *placement = &market->placements[index];

	event->kind = MARKET_RELEASE;
	event->package = placement->package.number;
	event->ended = placement->state == STATE_PLACED;
	if (placement->state == STATE_UNSOURCED)
		event->ended = chance(random, 50);
}

void market_event_next(struct market_random *random, struct model_market *market,
		       struct market_event *event)
{
	int draw = market_random_below(random, 100);
	int index;

	memset(event, 0, sizeof(*event));
	clock_advance(random, market);
	event->now_seconds = market->now_seconds;
	event->call.now_seconds = market->now_seconds;
	if (draw < 14 && market->pool_n > 0) {
		event->kind = MARKET_DECLARE;
		declaration_random(random, market, &event->declaration);
		return;
	}
	index = placement_pick(random, market, draw < 22 ? STATE_PROVISIONAL : 0);
	if (draw < 22 && index >= 0) {
		event->kind = MARKET_CONFIRM;
		event->package = market->placements[index].package.number;
		event->with_budget_authority = chance(random, 40);
		return;
	}
	if (draw < 32 && index >= 0) {
		release_random(random, market, index, event);
		return;
	}
	event->kind = MARKET_CALL;
	event->call.package_n = 1;
	package_random(random, market, &event->call.packages[0]);
	if (chance(random, 18))
		bundle_random(random, market, &event->call);
}

void market_event_apply(struct model_market *market, const struct market_event *event,
			struct market_event_result *result)
{
	memset(result, 0, sizeof(*result));
	switch (event->kind) {
	case MARKET_CALL:
		model_choose(market, &event->call, &result->result);
		model_apply(market, &event->call, &result->result);
		break;
	case MARKET_DECLARE:
		result->declare_refusal = model_declare(market, &event->declaration);
		break;
	case MARKET_RELEASE:
		result->done = model_release(market, event->package, event->ended);
		break;
	case MARKET_CONFIRM:
		result->done = model_confirm(market, event->package, event->now_seconds,
					     event->with_budget_authority, &result->recheck_failed,
					     &result->budget_authority);
		break;
	}
}
