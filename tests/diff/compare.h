/* compare.h — what the model and the core each said of an event, and what each then holds.
 *
 * Each compare_* returns true when they agree, and else leaves the first difference in compare_text().
 */
#pragma once

#include "world.h"

/* A call's decision, event for event: refusal or list, every candidate, winner, state, bands, minutes, price. */
bool compare_call(const struct world *w, const struct model_market *before, const struct model_call *call,
		  const struct model_result *result, const struct update *u);
/* A confirm, withdraw, end: refused with this enum err, or (ERR_OK) done with this state. */
bool compare_change(const struct update *u, int refusal, int state);
bool compare_declare(const struct model_market *after, const struct model_declaration *d, int refusal,
		     const struct update *u);
/* Capacity cell by cell, minutes and starts of each provider, minutes of each entry, every live placement. */
bool compare_state(const struct world *w, const struct model_market *market);

const char *compare_text(void);
void compare_print_candidates(const struct world *w, const struct model_market *market,
			      const struct model_result *result, const struct update *u);
