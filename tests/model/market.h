/* market.h — small random markets and what happens in them, for the model and the engine alike.
 *
 * The same seed gives the same market and the same events on every machine. An event depends on
 * the market's present state (it declares a pool that is used, ends a package that is placed), so
 * apply each one to the market before the next is drawn:
 *
 *	market_random_seed(&random, seed);
 *	market_generate(&random, market);
 *	for (int n = market_events_count(&random); n > 0; n--) {
 *		market_event_next(&random, market, &event);
 *		market_event_apply(market, &event, &result);
 *	}
 *
 * Left out on purpose, because the rules text leaves it open: see README.md here.
 */
#pragma once

#include "model.h"

struct market_random {
	unsigned long long state;
};

enum market_event_kind {
	MARKET_CALL = 1, /* choose for a package or a bundle, keep what comes out */
	MARKET_DECLARE,  /* a pool's whole week with its expiry */
	MARKET_RELEASE,  /* withdraw or end a package with a live placement */
	MARKET_CONFIRM   /* confirm a package, mostly a PROVISIONAL one */
};

struct market_event {
	enum market_event_kind kind;
	long long now_seconds; /* later than, or at, the event before */
	struct model_call call;
	struct model_declaration declaration;
	int package;               /* release, confirm: the package's number */
	int ended;                 /* release: 1 end, 0 withdraw; always allowed in its state */
	int with_budget_authority; /* confirm */
};

/* What an event came to; `result` is for calls, the other two for release and confirm. */
struct market_event_result {
	struct model_result result;
	int done;           /* release, confirm: 1 done */
	int recheck_failed;   /* confirm: by checks 2 and 3 */
	int budget_authority; /* confirm: by the price */
	int declare_refusal; /* enum model_refusal */
};

void market_random_seed(struct market_random *random, unsigned long long seed);
unsigned long long market_random_next(struct market_random *random);
int market_random_below(struct market_random *random, int limit); /* 0 .. limit - 1 */

void market_generate(struct market_random *random, struct model_market *market);
int market_events_count(struct market_random *random);

/* Moves market->now_seconds and market->package_last on, nothing else in the market. */
void market_event_next(struct market_random *random, struct model_market *market,
		       struct market_event *event);
void market_event_apply(struct model_market *market, const struct market_event *event,
			struct market_event_result *result);
