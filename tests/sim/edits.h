/* edits.h — what commissioners change in the framework's tables while everything goes on.
 *
 * Shape:  drawn from a market, applied to any copy of it: the database's and the judge's.
 * Left out: a provider, pool or list that goes away (foreign keys forbid it while it is used); travel_minutes_visit, since the
 *           model adds a placement's units up afresh by the policy of now.
 */
#pragma once

#include "../model/model.h"

#include <stdint.h>

struct edit {
	int kind, a, b;
	long long c, d;
};

struct edit edit_draw(const struct model_market *market, long long now_seconds);
/* Tells what a framework has become by its edits: two of the same version differ after a failover. */
uint64_t edit_id(uint64_t before, const struct edit *e);
void edit_apply(struct model_market *market, const struct edit *e);
