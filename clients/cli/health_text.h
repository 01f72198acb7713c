/* health_text.h — an engine's state in plain sentences: what it does, why, what comes next.
 *
 * Shape:   the engine's own figures -> four sentences; a state this program does not know is said to be so.
 * Units:   us; ages as the engine measured them.
 * Errors:  none. Owner: the caller's struct.
 */
#pragma once

#include "calloff.h"

#include <stdbool.h>

enum { HEALTH_LEASE_US = 2000000 };

struct health_text {
	bool serves;  /* commands are decided and answered */
	bool follows; /* level with the engine that does, and could take over from it */
	char now[240];
	char why[560];
	char next[320];
};

void health_explain(struct health_text *t, const Calloff__V1__GetHealthResponse *h);
