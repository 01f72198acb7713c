/* world.h — a model market as the engine sees it: framework rows, a core with its pools, and events.
 *
 * Numbers: provider, list, lot, pool, sector and district numbers are the model's own; their codes are a letter and
 *          the number ("P3", "S1"). Package numbers are the events' sequence: world_package_no maps a model's.
 * Memory:  one static world, reused for each market.
 */
#pragma once

#include "../model/market.h"
#include "core/core.h"

struct world {
	const struct framework *framework;
	struct core *core;
	int64_t seq;
};

/* The rows alone, for whoever seals and loads them itself: static, filled afresh by each call; version 0. */
struct framework_rows *world_rows(const struct model_market *market);
/* Ends the process with a message when the rows are refused: the generator's fault. */
void world_make(struct world *w, const struct model_market *market);

/* The events of one model event; each takes the next seq. bundle: "" or a reference. */
void world_submit(struct world *w, const struct model_package *package, int64_t now_us, const char *bundle,
		  struct event *ret);
void world_change(struct world *w, enum event_type type, int package, int64_t now_us, bool with_budget_authority,
		  struct event *ret);
void world_declare(struct world *w, const struct model_market *market, const struct model_declaration *declaration,
		   int64_t now_us, struct event *ret);

int64_t world_package_no(const struct world *w, int package);
/* Where the sequence is not the one of world_submit. */
void world_package_is(int package, int64_t package_no);
int64_t world_us(long long seconds);
