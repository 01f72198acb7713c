/* selftest.c — runs the model on its own over random markets: what must always hold, and how often
 * each thing comes up. usage: selftest [seed_count [first_seed]] */
#include "market.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_N = REASON_LAST + 1, STATE_N = STATE_VOID + 1 };

/* What came up, over all seeds. */
struct coverage {
	long markets, events, calls, packages;
	long refusals[MODEL_REFUSAL_N];
	long reasons[REASON_N];
	long reasons_first[REASON_N]; /* of the best-placed candidate */
	long statuses[STATUS_FAILED + 1];
	long cells_paired;
	long needs_flexible; /* capacity failures whose need is of a flexible visit */
	long packages_framework, packages_spot, packages_bridging, packages_polr, packages_nobody;
	long states[STATE_N];
	long over_ceiling;
	long packages_paired, packages_flexible, bands_moved;
	long kinds[POOL_KIND_PLACES + 1], modes[POOL_MODE_IGNORED + 1];
	long winners_shared_pool, winners_from_below;
	long ties, ties_all;
	long lists_second_choice, lists_rival, lists_rival_same_from;
	long bundles, bundles_shared, bundles_won, bundles_two_languages, bundles_two_genders;
	long releases, passed, confirms, rechecks_failed, declares;
	long declares_over;
	long boundaries_status, boundaries_expiry, boundaries_list;
	long cells_over_before; /* a commitment went by a cell that was already over */
};

static struct coverage seen;
static unsigned long long seed_now;
static int event_now;

static void fail(const char *what)
{
	fprintf(stderr, "selftest: seed %llu event %d: %s\n", seed_now, event_now, what);
	exit(1);
}

static void check(int holds, const char *what)
{
	if (!holds)
		fail(what);
}

/* ---- examples worked out by hand ---- */

static void check_numbers(void)
{
	check(model_price_pence_week(60, 2000) == 2000, "an hour at its price");
	check(model_price_pence_week(1, 30) == 1, "half a penny goes up");
	check(model_price_pence_week(1, 29) == 0, "less than half goes down");
	check(model_price_pence_week(210, 2385) == 8348, "3.5 h at 23.85 is 83.475");
	check(model_monday(4) == 4, "1970-01-05 is a Monday");
	check(model_monday(10) == 4, "its Sunday");
	check(model_monday(11) == 11, "the Monday after");
	check(model_monday(20454) == 20451, "2026-01-01 is a Thursday");
	check(model_bands_count(0x81) == 2, "two bands");
}

/* One list, one provider, one pool: 10 single and 10 paired units everywhere. */
static void example_market(struct model_market *market)
{
	struct model_pool *pool = &market->pools[0];

	memset(market, 0, sizeof(*market));
	market->policy = (struct model_policy){.route_n = 1,
					       .routes = {ROUTE_FRAMEWORK},
					       .rating_min = RATING_GOOD,
					       .award = AWARD_DIRECT,
					       .confirmation = CONFIRMATION_OFFICER,
					       .confirm_minutes = 60,
					       .travel_minutes_visit = 3};
	market->provider_n = 1;
	market->providers[0].rating = RATING_GOOD;
	market->district_n = market->sector_n = market->lot_n = market->list_n = 1;
	market->sectors[0] = (struct model_sector){1, {1}};
	market->lots[0] = (struct model_lot){1, {1}};
	market->lists[0] = (struct model_list){.list = 1,
					       .version = 1,
					       .lot = 1,
					       .service = SERVICE_PERSONAL_CARE,
					       .until_seconds = MODEL_NEVER_SECONDS,
					       .entry_n = 1,
					       .entries = {{1, ROUTE_FRAMEWORK, 1, 1, 1, 2400, 0}}};
	market->coverage_n = 1;
	market->coverages[0] = (struct model_coverage){1, 1, 1, 1};
	market->pool_n = 1;
	pool->provider = 1;
	pool->kind = POOL_KIND_TIME;
	pool->mode = POOL_MODE_BINDING;
	pool->expires_seconds = MODEL_NEVER_SECONDS;
	for (int cell = 0; cell < MODEL_CELLS; cell++)
		pool->declared[MODEL_SINGLE][cell] = pool->declared[MODEL_PAIRED][cell] = 10;
}

/* 27 + 3 minutes are 6 units. Two flexible visits: the second one moves on from the morning. A
 * third one, on Tuesday and Wednesday too, finds neither band and names the lowest. */
static void check_flexible(struct model_market *market)
{
	struct model_call call = {.now_seconds = 1767225600, .package_n = 1};
	struct model_package *package = &call.packages[0];
	struct model_visit visit = {.days = 1, .bands = 0x6, .minutes = 27, .carers = 1};
	struct model_result result;

	example_market(market);
	*package = (struct model_package){.number = 1,
					  .sector = 1,
					  .service = SERVICE_PERSONAL_CARE,
					  .start_day = 20454,
					  .visit_n = 2,
					  .visits = {visit, visit},
					  .urgency = URGENCY_STANDARD,
					  .risk = RISK_GREEN,
					  .cover = COVER_FAMILY,
					  .ceiling_pence_hour = 2399};
	model_choose(market, &call, &result);
	check(result.winner == 1 && result.state == STATE_PROVISIONAL, "example: chosen");
	check(result.packages[0].bands[0] == 1 && result.packages[0].bands[1] == 2,
	      "example: the second visit moves");
	check(result.packages[0].price_pence_week == 2160, "example: 54 minutes at 24.00");
	package->visit_n = 3;
	package->visits[2] = visit;
	package->visits[2].days = 7;
	model_choose(market, &call, &result);
	check(result.winner == 0 && result.candidates[0].reason == REASON_TIME_SHORT,
	      "example: the third finds no band");
	check(result.candidates[0].cell == 1 && result.candidates[0].need == 12 &&
		      result.candidates[0].free == 10,
	      "example: Monday morning, 6 taken and 6 more of 10");
}

/* ---- what must hold for every choice ---- */

static int is_capacity(int reason)
{
	return reason == REASON_OVERHANG || reason == REASON_PAIR_SHORT ||
	       reason == REASON_TIME_SHORT;
}

static void check_candidate(const struct model_result *result, int index)
{
	const struct model_candidate *candidate = &result->candidates[index];
	int is_winner = index == result->winner_index;
	int is_below = result->winner_index >= 0 && index > result->winner_index;

	check((candidate->reason == REASON_CHOSEN) == is_winner, "CHOSEN is the winner alone");
	check((candidate->reason == REASON_NOT_REACHED) == is_below, "NOT_REACHED is who is below");
	check(candidate->reason != REASON_HELD, "HELD belongs to offers");
	check((candidate->reason == REASON_STATUS) == (candidate->status != 0), "status detail");
	if (!is_capacity(candidate->reason)) {
		check(candidate->cell == -1 && candidate->plane == -1 && candidate->need == 0 &&
			      candidate->free == 0,
		      "no capacity detail");
		return;
	}
	check(candidate->need > candidate->free && candidate->free >= 0, "need > free");
	check(candidate->reason != REASON_PAIR_SHORT || candidate->plane == MODEL_PAIRED,
	      "PAIR_SHORT is paired");
	check(candidate->reason != REASON_TIME_SHORT || candidate->plane == MODEL_SINGLE,
	      "TIME_SHORT is single");
	check(candidate->reason != REASON_OVERHANG || candidate->free == 0,
	      "nothing is free in a cell that is over");
}

static void check_order(const struct model_market *market, const struct model_result *result)
{
	const struct model_list *list = &market->lists[result->list - 1];
	int places[MODEL_ENTRIES_MAX] = {0};

	for (int i = 0; i < result->candidate_n; i++) {
		const struct model_candidate *candidate = &result->candidates[i];

		places[candidate->entry]++;
		check(places[candidate->entry] == 1, "each entry once");
		check(candidate->provider == list->entries[candidate->entry].provider, "entry");
	}
	check(result->candidate_n == list->entry_n, "every entry is a candidate");
	for (int i = 0; i + 1 < result->candidate_n; i++) {
		const struct model_entry *one = &list->entries[result->candidates[i].entry];
		const struct model_entry *two = &list->entries[result->candidates[i + 1].entry];

		if (one->route != two->route)
			continue;
		check(one->tier <= two->tier, "tiers ascend in a route");
		if (one->tier != two->tier)
			continue;
		check(one->rank <= two->rank, "ranks ascend in a tier");
		if (one->rank == two->rank)
			check(one->order_no < two->order_no, "equal ranks by order_no");
	}
}

static void check_choice(const struct model_market *market, const struct model_call *call,
			 const struct model_result *result)
{
	struct model_result again;

	model_choose(market, call, &again);
	check(memcmp(&again, result, sizeof(again)) == 0, "the same call gives the same result");
	if (result->refusal != MODEL_ACCEPTED) {
		check(result->candidate_n == 0 && result->winner == 0, "a refusal has no round");
		return;
	}
	check_order(market, result);
	for (int i = 0; i < result->candidate_n; i++)
		check_candidate(result, i);
	check((result->winner != 0) == (result->winner_index >= 0), "winner");
	for (int p = 0; p < call->package_n && result->winner != 0; p++)
		for (int i = 0; i < call->packages[p].visit_n; i++)
			check(result->packages[p].bands[i] >= 0 &&
				      (call->packages[p].visits[i].bands >>
					       result->packages[p].bands[i] &
				       1),
			      "each visit has a band that it allows");
}

/* ---- what must hold for the market ---- */

/* Capacity committed is what the live placements carry, no more and no less. */
static void check_committed(const struct model_market *market)
{
	static int sums[MODEL_POOLS_MAX][MODEL_PLANES][MODEL_CELLS];

	memset(sums, 0, sizeof(sums));
	for (int i = 0; i < market->placement_n; i++) {
		const struct model_placement *placement = &market->placements[i];

		for (int v = 0; placement->live && v < placement->package.visit_n; v++) {
			const struct model_visit *visit = &placement->package.visits[v];
			int units = model_visit_units(market, placement->pool, visit);

			for (int day = 0; day < MODEL_DAYS && placement->carried[v]; day++)
				if (visit->days >> day & 1)
					sums[placement->pool - 1][visit->carers - 1]
					    [day * MODEL_BANDS + placement->bands[v]] += units;
		}
	}
	for (int i = 0; i < market->pool_n; i++)
		check(memcmp(sums[i], market->pools[i].committed, sizeof(sums[i])) == 0,
		      "committed is the sum of the live placements");
}

/* No commitment takes a cell of a binding pool over, or adds to one that is. */
static void check_no_overrun(const struct model_market *before, const struct model_market *after)
{
	for (int i = 0; i < after->pool_n; i++) {
		const struct model_pool *old = &before->pools[i];
		const struct model_pool *new = &after->pools[i];

		for (int plane = 0; plane < MODEL_PLANES; plane++) {
			for (int cell = 0; cell < MODEL_CELLS; cell++) {
				int was = old->committed[plane][cell];
				int is = new->committed[plane][cell];

				check(is >= was, "a commitment frees nothing");
				if (new->mode != POOL_MODE_BINDING)
					continue;
				check(is == was || is <= new->declared[plane][cell],
				      "a commitment took a binding cell over");
				if (is == was && is > new->declared[plane][cell])
					seen.cells_over_before++;
			}
		}
	}
}

static void check_limits(const struct model_market *market, const struct model_result *result)
{
	const struct model_provider *provider;
	const struct model_entry *entry;

	if (result->refusal != MODEL_ACCEPTED || result->winner == 0)
		return;
	provider = &market->providers[result->winner - 1];
	entry = &market->lists[result->list - 1]
			 .entries[result->candidates[result->winner_index].entry];
	check(provider->hours_max_minutes_week == 0 ||
		      model_minutes_held(market, result->winner, 0) <=
			      provider->hours_max_minutes_week,
	      "the winner stays within its hours");
	check(entry->share_cap_minutes_week == 0 ||
		      model_minutes_held(market, result->winner,
					 market->lists[result->list - 1].list) <=
			      entry->share_cap_minutes_week,
	      "the winner stays within its share");
}

/* Ending everything leaves nothing behind. */
static void check_emptied(struct model_market *market)
{
	for (int i = 0; i < market->placement_n; i++) {
		const struct model_placement *placement = &market->placements[i];

		if (placement->live)
			check(model_release(market, placement->package.number,
					    placement->state == STATE_PLACED),
			      "a live placement can be released");
	}
	for (int i = 0; i < market->pool_n; i++)
		for (int plane = 0; plane < MODEL_PLANES; plane++)
			for (int cell = 0; cell < MODEL_CELLS; cell++)
				check(market->pools[i].committed[plane][cell] == 0,
				      "an empty market has nothing committed");
	for (int provider = 1; provider <= market->provider_n; provider++)
		check(model_minutes_held(market, provider, 0) == 0, "nor minutes held");
}

/* ---- counting what came up ---- */

static void count_boundaries(const struct model_market *market)
{
	long long now = market->now_seconds;

	for (int i = 0; i < market->status_n; i++)
		if (market->statuses[i].from_seconds == now ||
		    market->statuses[i].until_seconds == now)
			seen.boundaries_status++;
	for (int i = 0; i < market->pool_n; i++)
		if (market->pools[i].expires_seconds == now)
			seen.boundaries_expiry++;
	for (int i = 0; i < market->list_n; i++)
		if (market->lists[i].from_seconds == now || market->lists[i].until_seconds == now)
			seen.boundaries_list++;
}

static void count_visits(const struct model_call *call, const struct model_result *result)
{
	for (int p = 0; p < call->package_n; p++) {
		const struct model_package *package = &call->packages[p];
		int paired = 0;
		int flexible = 0;

		for (int i = 0; i < package->visit_n; i++) {
			const struct model_visit *visit = &package->visits[i];
			int band = result->packages[p].bands[i];

			if (visit->carers == 2)
				paired = 1;
			if (model_bands_count(visit->bands) > 1)
				flexible = 1;
			if (result->winner != 0 && (visit->bands & ((1U << band) - 1)))
				seen.bands_moved++;
		}
		seen.packages_paired += paired;
		seen.packages_flexible += flexible;
	}
}

static void count_bundle(const struct model_call *call, const struct model_result *result)
{
	const struct model_package *one = &call->packages[0];
	const struct model_package *two = &call->packages[1];

	if (call->package_n < 2)
		return;
	seen.bundles++;
	seen.bundles_won += result->winner != 0;
	for (int i = 0; i < one->visit_n; i++) {
		if (one->visits[i].shared) {
			seen.bundles_shared++;
			break;
		}
	}
	if (one->language != 0 && two->language != 0 && one->language != two->language)
		seen.bundles_two_languages++;
	if (one->gender != 0 && two->gender != 0 && one->gender != two->gender)
		seen.bundles_two_genders++;
}

static void count_winner(const struct model_market *market, const struct model_call *call,
			 const struct model_result *result)
{
	const struct model_pool *pool;
	int uses = 0;

	seen.states[result->state] += call->package_n;
	if (result->winner == 0) {
		seen.packages_nobody += call->package_n;
		return;
	}
	if (result->route == ROUTE_FRAMEWORK)
		seen.packages_framework += call->package_n;
	if (result->route == ROUTE_SPOT)
		seen.packages_spot += call->package_n;
	if (result->route == ROUTE_BRIDGING)
		seen.packages_bridging += call->package_n;
	if (result->route == ROUTE_POLR)
		seen.packages_polr += call->package_n;
	if (result->route == ROUTE_FRAMEWORK && result->ceiling_pence_hour != 0 &&
	    result->price_pence_hour > result->ceiling_pence_hour)
		seen.over_ceiling++;
	pool = &market->pools[result->pool - 1];
	seen.kinds[pool->kind]++;
	seen.modes[pool->mode]++;
	seen.winners_from_below += result->winner_index > 0;
	for (int i = 0; i < market->coverage_n; i++)
		if (market->coverages[i].pool == result->pool &&
		    market->coverages[i].list != market->lists[result->list - 1].list)
			uses = 1;
	seen.winners_shared_pool += uses;
}

/* Capacity failures in step 2: the need is not that of the fixed visits of this cell. */
static int is_flexible_need(const struct model_market *market, const struct model_call *call,
			    int list, const struct model_candidate *candidate)
{
	int day = candidate->cell / MODEL_BANDS;
	int band = candidate->cell % MODEL_BANDS;
	int pool = 0;
	int need = 0;

	for (int i = 0; i < market->coverage_n; i++)
		if (market->coverages[i].list == list &&
		    market->coverages[i].provider == candidate->provider &&
		    market->coverages[i].sector == call->packages[0].sector)
			pool = market->coverages[i].pool;
	for (int p = 0; p < call->package_n; p++) {
		for (int i = 0; i < call->packages[p].visit_n; i++) {
			const struct model_visit *visit = &call->packages[p].visits[i];

			if ((p == 1 && visit->shared) || visit->bands != 1U << band)
				continue;
			if (visit->carers - 1 == candidate->plane && (visit->days >> day & 1))
				need += model_visit_units(market, pool, visit);
		}
	}
	return need != candidate->need;
}

static void count_list(const struct model_market *market, const struct model_call *call,
		       const struct model_result *result)
{
	const struct model_list *list = &market->lists[result->list - 1];

	seen.lists_second_choice += list->group != call->packages[0].group;
	for (int i = 0; i < market->list_n; i++) {
		const struct model_list *rival = &market->lists[i];

		if (rival == list || rival->lot != list->lot || rival->service != list->service ||
		    rival->group != list->group || rival->from_seconds > call->now_seconds ||
		    rival->until_seconds <= call->now_seconds)
			continue;
		seen.lists_rival++;
		seen.lists_rival_same_from += rival->from_seconds == list->from_seconds;
	}
}

static void count_candidates(const struct model_market *market, const struct model_call *call,
			     const struct model_result *result)
{
	const struct model_list *list = &market->lists[result->list - 1];

	for (int i = 0; i < result->candidate_n; i++) {
		const struct model_candidate *candidate = &result->candidates[i];
		const struct model_entry *entry = &list->entries[candidate->entry];

		seen.reasons[candidate->reason]++;
		seen.statuses[candidate->status]++;
		if (i == 0)
			seen.reasons_first[candidate->reason]++;
		if (is_capacity(candidate->reason) && candidate->plane == MODEL_PAIRED)
			seen.cells_paired++;
		if (is_capacity(candidate->reason))
			seen.needs_flexible +=
				is_flexible_need(market, call, list->list, candidate);
		if (i + 1 < result->candidate_n) {
			const struct model_entry *next =
				&list->entries[result->candidates[i + 1].entry];

			seen.ties_all++;
			seen.ties += entry->route == next->route && entry->tier == next->tier &&
				     entry->rank == next->rank;
		}
	}
}

static void count_call(const struct model_market *market, const struct model_call *call,
		       const struct model_result *result)
{
	seen.calls++;
	seen.refusals[result->refusal]++;
	if (result->refusal != MODEL_ACCEPTED)
		return;
	seen.packages += call->package_n;
	count_list(market, call, result);
	count_candidates(market, call, result);
	count_visits(call, result);
	count_bundle(call, result);
	count_winner(market, call, result);
}

static int versions_sum(const struct model_market *market)
{
	int sum = 0;

	for (int i = 0; i < market->placement_n; i++)
		sum += market->placements[i].requirement_version;
	return sum;
}

static void count_event(const struct model_market *before, const struct model_market *after,
			const struct market_event *event, const struct market_event_result *result)
{
	const struct model_pool *pool;

	seen.events++;
	count_boundaries(after);
	switch (event->kind) {
	case MARKET_CALL:
		count_call(before, &event->call, &result->result);
		break;
	case MARKET_DECLARE:
		seen.declares++;
		pool = &after->pools[event->declaration.pool - 1];
		for (int cell = 0; cell < MODEL_CELLS; cell++) {
			if (pool->committed[0][cell] > pool->declared[0][cell]) {
				seen.declares_over++;
				break;
			}
		}
		break;
	case MARKET_RELEASE:
		check(result->done, "the generator releases what may be released");
		seen.releases++;
		seen.passed += versions_sum(after) > versions_sum(before);
		break;
	case MARKET_CONFIRM:
		seen.confirms += result->done;
		seen.rechecks_failed += result->recheck_failed;
		break;
	}
}

/* ---- a market's life ---- */

/* FNV-1a over all results, to compare two runs of a seed. */
static unsigned long long hash_add(unsigned long long hash, const void *data, size_t bytes_n)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < bytes_n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

static unsigned long long run_quietly(struct model_market *market, unsigned long long seed)
{
	struct market_random random;
	struct market_event event;
	struct market_event_result result;
	unsigned long long hash = 0xcbf29ce484222325ULL;

	market_random_seed(&random, seed);
	market_generate(&random, market);
	for (int n = market_events_count(&random); n > 0; n--) {
		market_event_next(&random, market, &event);
		market_event_apply(market, &event, &result);
		hash = hash_add(hash, &result, sizeof(result));
	}
	return hash_add(hash, market, sizeof(*market));
}

static void run_checked(struct model_market *market, struct model_market *before,
			unsigned long long seed)
{
	struct market_random random;
	struct market_event event;
	struct market_event_result result;

	seed_now = seed;
	seen.markets++;
	market_random_seed(&random, seed);
	market_generate(&random, market);
	event_now = 0;
	for (int n = market_events_count(&random); n > 0; n--) {
		event_now++;
		market_event_next(&random, market, &event);
		memcpy(before, market, sizeof(*before));
		market_event_apply(market, &event, &result);
		if (event.kind == MARKET_CALL) {
			check_choice(before, &event.call, &result.result);
			check_no_overrun(before, market);
			check_limits(market, &result.result);
		}
		check_committed(market);
		count_event(before, market, &event, &result);
	}
	check_emptied(market);
}

/* ---- the table ---- */

static double percent(long part, long whole)
{
	return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

static void row(const char *name, long count)
{
	printf("  %-28s %10ld\n", name, count);
}

static void row_share(const char *name, long count, long whole)
{
	printf("  %-28s %10ld  %5.1f %%\n", name, count, percent(count, whole));
}

static void print_reasons(void)
{
	static const char *const words[REASON_N] = {"",
#define X(name, number, word, text) [number] = word,
						    REASON_MAP(X)
#undef X
	};
	static const char *const statuses[STATUS_FAILED + 1] = {"",
#define X(name, number, word, text) [number] = word,
								STATUS_MAP(X)
#undef X
	};

	printf("reasons: candidates, of these first in order (RARE: below 1,000 in 100,000)\n");
	for (int i = 1; i < REASON_N; i++)
		printf("  %-28s %10ld %10ld%s\n", words[i], seen.reasons[i], seen.reasons_first[i],
		       seen.reasons[i] * 100 < seen.markets && i != REASON_HELD ? "  RARE" : "");
	row("capacity, paired plane", seen.cells_paired);
	row("capacity, a flexible visit", seen.needs_flexible);
	for (int i = STATUS_PAUSED; i <= STATUS_FAILED; i++)
		row(statuses[i], seen.statuses[i]);
	printf("refusals: calls\n");
	for (int i = 0; i < MODEL_REFUSAL_N; i++)
		row(model_refusal_word(i), seen.refusals[i]);
}

static void print_packages(void)
{
	long whole = seen.packages;

	printf("lists chosen\n");
	row("without the asked group", seen.lists_second_choice);
	row("over an effective rival", seen.lists_rival);
	row("with the same from", seen.lists_rival_same_from);
	printf("packages with a round\n");
	row_share("framework", seen.packages_framework, whole);
	row_share("spot", seen.packages_spot, whole);
	row_share("bridging", seen.packages_bridging, whole);
	row_share("polr", seen.packages_polr, whole);
	row_share("nobody", seen.packages_nobody, whole);
	row_share("polr or nobody", seen.packages_polr + seen.packages_nobody, whole);
	row_share("provisional", seen.states[STATE_PROVISIONAL], whole);
	row_share("placed", seen.states[STATE_PLACED], whole);
	row("calls over ceiling, framework", seen.over_ceiling);
	row_share("with a paired visit", seen.packages_paired, whole);
	row_share("with a flexible visit", seen.packages_flexible, whole);
	row("visits above lowest band", seen.bands_moved);
	printf("winners\n");
	row("not the first in order", seen.winners_from_below);
	row("in a pool of other lists too", seen.winners_shared_pool);
	row("time pools", seen.kinds[POOL_KIND_TIME]);
	row("nights pools", seen.kinds[POOL_KIND_NIGHTS]);
	row("places pools", seen.kinds[POOL_KIND_PLACES]);
	row("ignored pools", seen.modes[POOL_MODE_IGNORED]);
	row_share("ties in rank, neighbours", seen.ties, seen.ties_all);
}

static void print_rest(void)
{
	printf("bundles\n");
	row("with a round", seen.bundles);
	row("with a shared visit", seen.bundles_shared);
	row("won", seen.bundles_won);
	row("two languages", seen.bundles_two_languages);
	row("two genders", seen.bundles_two_genders);
	printf("other events\n");
	row("declarations", seen.declares);
	row("leaving a single cell over", seen.declares_over);
	row("releases", seen.releases);
	row("passing a shared visit on", seen.passed);
	row("confirmations", seen.confirms);
	row("re-checks failed", seen.rechecks_failed);
	printf("moments exactly on a boundary\n");
	row("of a status", seen.boundaries_status);
	row("of an expiry", seen.boundaries_expiry);
	row("of a list", seen.boundaries_list);
	row("cells over, passed by", seen.cells_over_before);
}

int main(int argc, char **argv)
{
	unsigned long long seed_count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
	unsigned long long first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct model_market *market = calloc(1, sizeof(*market));
	struct model_market *before = calloc(1, sizeof(*before));

	if (market == NULL || before == NULL)
		abort();
	check_numbers();
	check_flexible(market);
	for (unsigned long long seed = first; seed < first + seed_count; seed++) {
		run_checked(market, before, seed);
		if (seed % 100 == 0)
			check(run_quietly(market, seed) == run_quietly(before, seed),
			      "a seed gives the same life twice");
	}
	printf("markets %ld, events %ld, calls %ld, packages with a round %ld; %zu bytes a "
	       "market\n",
	       seen.markets, seen.events, seen.calls, seen.packages, sizeof(*market));
	print_reasons();
	print_packages();
	print_rest();
	free(market);
	free(before);
	return 0;
}
