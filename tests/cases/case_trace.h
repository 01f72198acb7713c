/* case_trace.h — what an engine told and what it holds, and the lines that say so. Both modes fill these structs.
 *
 * Units: minutes, nights or places; pence; days.
 */
#pragma once

#include "case.h"

struct told_candidate {
	char provider[ID_BYTES_MAX + 1];
	int route, tier, rank, reason;
	int status;           /* of reason STATUS: which; else 0 */
	int cell, need, free; /* cell -1: not a matter of capacity */
	bool paired;
};

/* The answer to one event. */
struct told {
	int refusal;  /* enum err */
	bool decided; /* the rest is set: a submit that called the market */
	bool budget_authority;
	int outcome, candidate_count, not_reached;
	struct told_candidate candidates[LIST_ENTRIES_MAX];
};

struct seen_package {
	int state, role; /* state 0: there is none; role 0: no placement */
	char provider[ID_BYTES_MAX + 1];
	int minutes_week, pence_week, interim_days;
	int band_count;
	uint8_t bands[VISITS_MAX];
};

struct seen_pool {
	int declared[2][CELLS], committed[2][CELLS];
};

struct snapshot {
	struct seen_package packages[CASE_PACKAGES];
	struct seen_pool pools[CASE_ROWS];
};

struct trace {
	int count;
	char lines[CASE_TRACE][CASE_LINE_BYTES];
};

/* How a mode runs a story. Faults that are not refusals end the process with 2, everything started stopped. */
struct case_engine {
	const char *name;
	void (*open)(struct case_file *c);
	void (*step)(struct case_file *c, struct case_event *e, struct told *ret);
	void (*look)(struct case_file *c, struct snapshot *ret);
	void (*close)(void);
};
extern const struct case_engine case_core_engine, case_server_engine;

void trace_write(const struct case_file *c, const struct told *told, const struct snapshot *before,
		 const struct snapshot *after, struct trace *ret);
