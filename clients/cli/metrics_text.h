/* metrics_text.h — figures as Prometheus reads them, text exposition format 0.0.4; or one JSON object a sample.
 *
 * Shape:   a family (HELP, TYPE), then its samples. Names from outside are made names; texts are escaped.
 * Units:   metrics_decimal: value / 10^decimals, exactly; base units are the caller's care.
 * Errors:  none.
 * Source:  prometheus.io, "Exposition formats", text-based format.
 */
#pragma once

#include "format.h"

#include <stdbool.h>

struct metrics {
	FILE *out;
	bool json;
	char name[160];
	const char *type;
};

/* name: two parts that are joined by the prefix "calloff_", e.g. "batches", "_total". */
void metrics_family(struct metrics *m, const char *name, const char *unit, const char *type, const char *help);
/* labels: name, value, ..., NULL. suffix: "_bucket" of a histogram, else "". */
void metrics_sample(struct metrics *m, const char *suffix, const char *const *labels, const char *value);
struct text metrics_decimal(int64_t value, int decimals);
