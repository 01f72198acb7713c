/* run.h — one run from one seed: begin, step until all is said and healed, end; or leave at the first violation. */
#pragma once

#include "clients.h"
#include "engine.h"
#include "judge.h"
#include "settings.h"
#include "trace.h"

struct result {
	bool violated;
	enum invariant invariant;
	char text[600];
	uint64_t hash;
	int64_t steps;
	struct clients_counts clients;
	struct judge_counts judge;
	struct engine_counts engines;
};

void run_once(const struct settings *s, struct result *ret);
/* Back to run_once. */
_Noreturn void run_leave(enum invariant invariant, const char *text);
