/* market_events.c — the random events, one after another, and what each does to the market. */
#include "market_inside.h"

#include <string.h>

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

	if (market_chance(random, 30) && boundary != 0 &&
	    boundary < market->now_seconds + 3 * DAY_SECONDS) {
		market->now_seconds = boundary - (market_chance(random, 40) ? 1 : 0);
		return;
	}
	market->now_seconds += 1 + market_seconds_below(random, 10 * HOUR_SECONDS);
}

/* A new week: fresh; everything cut to a part; or as it was, but short of some of what is taken,
 * so that single cells are over and their neighbours are not. */
static void declared_random(struct market_random *random, const struct model_pool *pool, int plane,
			    int *declared)
{
	int draw = market_random_below(random, 100);
	int percent = market_random_below(random, 100);

	market_plane_generate(random, pool->kind, plane, declared);
	if (draw < 40)
		return;
	for (int cell = 0; cell < MODEL_CELLS; cell++) {
		int was = pool->declared[plane][cell];
		int taken = pool->committed[plane][cell];

		declared[cell] = was;
		if (draw < 55)
			declared[cell] = was * percent / 100;
		else if (taken > 0 && market_chance(random, 50))
			declared[cell] = market_random_below(random, taken + 1);
	}
}

static void declaration_random(struct market_random *random, const struct model_market *market,
			       struct model_declaration *declaration)
{
	const struct model_pool *pool;

	declaration->pool = market_between(random, 1, market->pool_n);
	if (market->placement_n > 0 && market_chance(random, 80)) /* one that is in use */
		declaration->pool =
			market->placements[market_random_below(random, market->placement_n)].pool;
	pool = &market->pools[declaration->pool - 1];
	declaration->expires_seconds =
		market->now_seconds + market_between(random, 1, 15 * 24) * HOUR_SECONDS;
	declaration->available_from_day = pool->available_from_day;
	if (market_chance(random, 20))
		declaration->available_from_day = market_day(market->now_seconds) + market_between(random, -5, 10);
	for (int plane = 0; plane < MODEL_PLANES; plane++)
		declared_random(random, pool, plane, declaration->declared[plane]);
	/* Nights and places are declared in the night band, single; now and then somebody tries else. */
	if (pool->kind == POOL_KIND_TIME || market_chance(random, 15))
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
		event->ended = market_chance(random, 50);
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
		event->with_budget_authority = market_chance(random, 40);
		return;
	}
	if (draw < 32 && index >= 0) {
		release_random(random, market, index, event);
		return;
	}
	event->kind = MARKET_CALL;
	event->call.package_n = 1;
	market_package_random(random, market, &event->call.packages[0]);
	if (market_chance(random, 18))
		market_bundle_random(random, market, &event->call);
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
