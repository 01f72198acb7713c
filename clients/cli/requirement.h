/* requirement.h — one package's requirement from words: command-line options and CSV columns, by one table.
 *
 * Shape:   each field has an option's name (case) and its name on the wire (case_ref); a CSV header may use either.
 * Units:   money as 24.50 -> pence; instants as when.h reads them; lists parted by ';'.
 * Errors:  false, with a sentence; what the values mean is the engine's to judge.
 * Owner:   everything lives in the caller's arena.
 */
#pragma once

#include "base/arena.h"
#include "calloff/v1/envelope.pb-c.h"
#include "options.h"

#include <stdbool.h>

enum { REQUIREMENT_PROBLEM_BYTES = 240 };

/* The options of calloff submit that describe a package; ended by a NULL name. */
extern const struct option_spec requirement_options[];

/* Is this a field's name, in either spelling? */
bool requirement_knows(const char *name);
/* An empty value leaves the field as it is. */
bool requirement_set(struct arena *arena, Calloff__V1__Requirement *requirement, const char *name,
		     const char *value, char problem[REQUIREMENT_PROBLEM_BYTES]);
