/* market_inside.h — what the generator's files say to each other; the tests see market.h only.
 *
 * market.c <- market_packages.c <- market_events.c: each needs only those before it. Whoever draws moves the random
 * numbers on, so the order of draws is part of what a seed means.
 */
#pragma once

#include "market.h"

#define DAY_SECONDS 86400LL
#define HOUR_SECONDS 3600LL

/* ---- market.c ---- */

/* low .. high, both included. */
int market_between(struct market_random *random, int low, int high);
/* 1 in `percent` of 100 draws, else 0. */
int market_chance(struct market_random *random, int percent);
/* 0 .. limit - 1, for what an int does not hold. */
long long market_seconds_below(struct market_random *random, long long limit);
/* Days since 1970-01-01 of seconds since then. */
int market_day(long long seconds);
/* 0..30, a bit's number in a set of skills. */
int market_skill_random(struct market_random *random);
/* 1..62 */
int market_language_random(struct market_random *random);
/* Fills cells[MODEL_CELLS] with declared units; kind: enum pool_kind. */
void market_plane_generate(struct market_random *random, int kind, int plane, int *cells);

/* ---- market_packages.c ---- */

/* Fills a package with the market's next number, to start within a week of now. */
void market_package_random(struct market_random *random, struct model_market *market,
			   struct model_package *package);
/* Gives a call of one package its second one, where the first has a list; else leaves it as it is. */
void market_bundle_random(struct market_random *random, struct model_market *market,
			  struct model_call *call);
