/* claim.h — may this engine take a shard over? Decided from what it sees of the fence, by every engine alike.
 *
 * Shape:   claim_look at each look at the fence: false means follow whoever reigns. The epoch looked at is what take_over
 *          must then find, so being wrong here costs a reload and never safety: the fence alone keeps that (decision 0016).
 * Silence: an engine that reigns touches the fence at least every 250 ms. Only whole looks count, never elapsed time: an
 *          engine that was itself paused, or whose database was, has seen nothing and so claims nothing.
 * Loop:    pure: no clock, no I/O.
 */
#pragma once

#include "store/fence.h"

#include <stdbool.h>

enum { LOOKS_UNTIL_SILENT = 6 }; /* 250 ms apart: longer than the lease on which memory is told */

struct claim {
	/* this engine */
	char engine[ENGINE_BYTES_MAX + 1]; /* unique among engines, the same after a restart */
	int64_t instance;                  /* of this process, drawn at start, never 0 */
	char endpoint[ENDPOINT_BYTES_MAX + 1];
	bool fresh;   /* this process has neither reigned nor followed yet */
	bool at_once; /* told to take over whoever reigns, while fresh */
	/* the reign it watches */
	int64_t epoch, last_seq, clock_us;
	uint32_t still, still_max; /* looks in a row that found the fence unmoved; so many are silence */
};

bool claim_look(struct claim *c, const struct fence *seen);
