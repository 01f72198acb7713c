/* case.h — a scenario file read into rows, events and the trace it expects. The language: README.md here.
 *
 * Shape:   the framework stands as struct framework_rows, as the store would load it; each event as the core takes it.
 * Times:   every instant counts from case.base_us, which the mode chooses: a fixed Monday, or now.
 * Owner:   one static struct case; texts live in it, each NUL-terminated.
 * Errors:  case_read prints file, line and what was expected, and ends the process with 2.
 */
#pragma once

#include "core/core.h"
#include "core/words.h"

enum {
	CASE_ROWS = 64,
	CASE_COVERAGES = 256,
	CASE_EVENTS = 64,
	CASE_PACKAGES = 32,
	CASE_TRACE = 64,      /* lines of one event */
	CASE_LINE_BYTES = 200,
	CASE_TEXT_BYTES = 64 * 1024,
	CASE_DAY_SECONDS = 86400,
};

struct case_pool { /* beside rows.pools, in the same order */
	uint16_t units[2][CELLS];
	int64_t expires_us;
	int32_t available_from_day;
	int mode;
};

struct case_event {
	int line;          /* in the file */
	char text[CASE_LINE_BYTES]; /* as written, for the story */
	int64_t at_seconds;
	struct event event; /* type, and submit or declare; now_us and seq are set by the mode */
	int package;        /* index into case.packages; -1 for declare */
	bool with_budget_authority;
	int trace_count;
	int trace_lines[CASE_TRACE]; /* in the file */
	const char *trace[CASE_TRACE];
};

struct case_file {
	const char *path;
	int64_t base_us;
	struct framework_rows rows;
#define X(type, name) struct row_##type name[CASE_ROWS];
	FRAMEWORK_TABLES(X)
#undef X
	struct row_coverage more_coverages[CASE_COVERAGES];
	struct case_pool pool_state[CASE_ROWS];
	const char *packages[CASE_PACKAGES]; /* their names, in order of submission */
	bool package_flexible[CASE_PACKAGES];
	int package_count;
	struct case_event events[CASE_EVENTS];
	int event_count;
	char texts[CASE_TEXT_BYTES];
	size_t texts_used;
};

void case_read(struct case_file *c, const char *path, int64_t base_us);
