/* market.c — the random generator of markets; market_packages.c and market_events.c: of what happens in them.
 *
 * The weights here are tuned by selftest's coverage table: early checks fail seldom enough that the
 * late ones are reached, and capacity is so short that about every second package finds nobody. */
#include "market_inside.h"

#include <string.h>

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

int market_between(struct market_random *random, int low, int high)
{
	return low + market_random_below(random, high - low + 1);
}

int market_chance(struct market_random *random, int percent)
{
	return market_random_below(random, 100) < percent;
}

long long market_seconds_below(struct market_random *random, long long limit)
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

int market_day(long long seconds)
{
	return (int)(seconds / DAY_SECONDS);
}

/* ---- the skills and languages in use ---- */

/* Few of the possible numbers occur, so that packages and providers meet; which ones is spread
 * over the whole range, first and last included. */
int market_skill_random(struct market_random *random)
{
	static const int skills[] = {0, 1, 5, 17, 29, 30};

	return skills[market_random_below(random, 6)];
}

int market_language_random(struct market_random *random)
{
	static const int languages[] = {1, 2, 31, 32, 33, 62};

	return languages[market_random_below(random, 6)];
}

/* ---- the market ---- */

static void policy_generate(struct market_random *random, struct model_policy *policy)
{
	int routes[] = {ROUTE_FRAMEWORK, ROUTE_SPOT, ROUTE_BRIDGING, ROUTE_POLR};

	if (market_chance(random, 40))
		shuffle(random, routes, 4);
	policy->route_n = market_chance(random, 60) ? 4 : market_between(random, 1, 3);
	memcpy(policy->routes, routes, sizeof(routes));
	/* Drop one from the middle too, not always the last ones. */
	if (policy->route_n == 3 && market_chance(random, 50))
		policy->routes[market_between(random, 0, 2)] = routes[3];
	policy->polr_urgencies = market_chance(random, 30) ? 0 : (unsigned)market_between(random, 0, 31) << 1;
	policy->polr_risks = market_chance(random, 30) ? 0 : (unsigned)market_between(random, 0, 7) << 1;
	policy->polr_no_cover = market_chance(random, 50);
	policy->polr_days = market_between(random, 1, 42);
	policy->rating_min = market_chance(random, 85) ? RATING_GOOD : market_between(random, 1, 4);
	policy->not_rated_open = market_chance(random, 50);
	policy->improvement_plan_open = market_chance(random, 50);
	policy->award = market_chance(random, 2) ? AWARD_OFFER : AWARD_DIRECT;
	policy->confirmation = market_chance(random, 50) ? CONFIRMATION_OFFICER : CONFIRMATION_AUTOMATIC;
	policy->confirm_minutes = market_between(random, 1, 48) * 60;
	policy->travel_minutes_visit = market_chance(random, 40) ? 0 : market_between(random, 1, 15);
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
	market->provider_n = market_between(random, 4, MODEL_PROVIDERS_MAX);
	for (int i = 0; i < market->provider_n; i++) {
		struct model_provider *provider = &market->providers[i];

		provider->rating = rating_random(random);
		provider->improvement_plan = market_chance(random, 40);
		provider->skills = 0x7fffffffU;
		for (int n = market_random_below(random, 3); n > 0; n--)
			provider->skills &= ~(1U << market_skill_random(random));
		provider->genders = 1U << GENDER_FEMALE | 1U << GENDER_MALE;
		if (market_chance(random, 40))
			provider->genders =
				market_chance(random, 85) ? 1U << GENDER_FEMALE : 1U << GENDER_MALE;
		for (int n = market_between(random, 1, 7); n > 0; n--)
			provider->languages |= 1ULL << market_language_random(random);
		if (market_chance(random, 20))
			provider->hours_max_minutes_week = market_between(random, 10, 100) * 60;
		if (market_chance(random, 40))
			provider->starts_day_max = market_between(random, 1, 2);
	}
}

/* Districts, sectors (some straddle), lots; a district may lie in no lot or in two. */
static void places_generate(struct market_random *random, struct model_market *market)
{
	market->district_n = market_between(random, 2, 5);
	market->sector_n = market_between(random, 2, 6);
	market->lot_n = market_between(random, 1, 4);
	for (int i = 0; i < market->sector_n; i++) {
		struct model_sector *sector = &market->sectors[i];

		sector->districts[0] = market_between(random, 1, market->district_n);
		sector->districts[1] = market_between(random, 1, market->district_n);
		sector->district_n = sector->districts[0] == sector->districts[1] ? 1 : 2;
		if (market_chance(random, 50))
			sector->district_n = 1;
	}
	for (int i = 0; i < market->lot_n; i++) {
		struct model_lot *lot = &market->lots[i];

		for (int district = 1; district <= market->district_n; district++)
			if (market_chance(random, 45))
				lot->districts[lot->district_n++] = district;
		if (lot->district_n == 0)
			lot->districts[lot->district_n++] = market_between(random, 1, market->district_n);
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

	list->entry_n = market_between(random, 3, most);
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
		entry->tier = market_between(random, 1, 2);
		entry->rank = market_between(random, 1, 5);
		entry->order_no = order_nos[i];
		entry->price_pence_hour = market_between(random, 2000, 3400);
		entry->share_cap_minutes_week = 0;
		if (market_chance(random, 20))
			entry->share_cap_minutes_week = market_between(random, 5, 50) * 60;
	}
}

static int service_random(struct market_random *random)
{
	int draw = market_random_below(random, 100);

	if (draw < 65)
		return SERVICE_PERSONAL_CARE;
	return draw < 90 ? market_between(random, SERVICE_NIGHT_AWAKE, SERVICE_NIGHT_SLEEP)
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
	market->list_n = market_between(random, 2, 6);
	for (int i = 0; i < market->list_n; i++) {
		struct model_list *list = &market->lists[i];

		list->list = i + 1;
		list->version = 1;
		list->lot = market_between(random, 1, market->lot_n);
		list->service = service_random(random);
		list->group = market_chance(random, 50) ? 0 : market_between(random, 1, 6);
		list->from_seconds = market->now_seconds - market_between(random, 0, 400) * HOUR_SECONDS;
		list->until_seconds = MODEL_NEVER_SECONDS;
		if (market_chance(random, 20))
			list->until_seconds =
				market->now_seconds + market_between(random, 1, 200) * HOUR_SECONDS;
		if (i > 0 && market_chance(random, 30)) {
			*list = market->lists[market_random_below(random, i)];
			if (market_chance(random, 40))
				list->list = i + 1; /* a rival of its own */
			list->version = version_next(market, i, list->list);
			if (market_chance(random, 70))
				list->from_seconds = market->now_seconds +
						     market_between(random, -100, 100) * HOUR_SECONDS;
			if (list->until_seconds <= list->from_seconds || market_chance(random, 50))
				list->until_seconds = MODEL_NEVER_SECONDS;
			memset(list->entries, 0, sizeof(list->entries));
		}
		entries_generate(random, market, list);
	}
}

static void statuses_generate(struct market_random *random, struct model_market *market)
{
	for (int provider = 1; provider <= market->provider_n; provider++) {
		int count = market_chance(random, 28) ? market_between(random, 1, 2) : 0;

		for (int n = 0; n < count; n++) {
			struct model_status *status = &market->statuses[market->status_n++];

			status->provider = provider;
			status->status = market_chance(random, 50)
						 ? STATUS_CAPPED
						 : market_between(random, STATUS_ACTIVE, STATUS_FAILED);
			status->list = 0;
			if (market_chance(random, 40))
				status->list = market->lists[market_random_below(random, market->list_n)].list;
			status->from_seconds =
				market->now_seconds + market_between(random, -120, 120) * HOUR_SECONDS;
			status->until_seconds =
				status->from_seconds + market_between(random, 1, 200) * HOUR_SECONDS;
			if (market_chance(random, 30))
				status->until_seconds = MODEL_NEVER_SECONDS;
			if (status->status == STATUS_CAPPED)
				status->starts_week_max = market_between(random, 0, 3);
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
void market_plane_generate(struct market_random *random, int kind, int plane, int *cells)
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
			market_chance(random, 25) ? levels[market_random_below(random, 6)] : level;

		for (int day = 0; day < MODEL_DAYS; day++) {
			int cell = day * MODEL_BANDS + band;

			cells[cell] = level_band;
			if (market_chance(random, 2))
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
		market_day(market->now_seconds) +
		(market_chance(random, 75) ? market_between(random, -60, 0) : market_between(random, 1, 14));
	pool->expires_seconds = market->now_seconds + market_between(random, 1, 30) * DAY_SECONDS;
	if (market_chance(random, 6)) /* expired before it begins */
		pool->expires_seconds = market->now_seconds - market_between(random, 0, 90) * HOUR_SECONDS;
	for (int plane = 0; plane < MODEL_PLANES; plane++)
		market_plane_generate(random, kind, plane, pool->declared[plane]);
}

/* A pool of this provider and kind: mostly one that is there, so that lists and sectors share it.
 */
static int pool_pick(struct market_random *random, struct model_market *market, int provider,
		     int kind)
{
	for (int number = 1; number <= market->pool_n; number++) {
		const struct model_pool *pool = &market->pools[number - 1];

		if (pool->provider == provider && pool->kind == kind && market_chance(random, 70))
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

				if (!sector_in_lot(market, sector, list->lot) || market_chance(random, 7))
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
	market->now_seconds = 1767225600LL + market_seconds_below(random, 730 * DAY_SECONDS);
	policy_generate(random, &market->policy);
	providers_generate(random, market);
	places_generate(random, market);
	lists_generate(random, market);
	statuses_generate(random, market);
	coverages_generate(random, market);
}

int market_events_count(struct market_random *random)
{
	return market_between(random, 10, 32);
}
