#include "store/claim.h"

#include <string.h>

static bool claim_is_silent(struct claim *c, const struct fence *seen)
{
	bool moved = seen->epoch != c->epoch || seen->last_seq != c->last_seq || seen->clock_us != c->clock_us;

	c->epoch = seen->epoch;
	c->last_seq = seen->last_seq;
	c->clock_us = seen->clock_us;
	c->still = moved ? 0 : c->still + 1;
	return c->still >= c->still_max;
}

bool claim_look(struct claim *c, const struct fence *seen)
{
	bool silent = claim_is_silent(c, seen);

	if (seen->engine[0] == '\0')
		return true; /* handed over, or never had */
	if (seen->instance == c->instance)
		return true; /* ours: a reload, or a take_over whose answer was lost */
	/* the process before this one; a process that reigned meets a younger one under its name only when it was thought dead */
	if (c->fresh && (c->at_once || strcmp(seen->engine, c->engine) == 0))
		return true;
	return silent;
}
