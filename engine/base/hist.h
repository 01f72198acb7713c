/* hist.h — a log-linear histogram: 16 linear steps in each power of two, so that a quantile is within 6 %.
 *
 * Units: whatever is added, >= 0. Memory: fixed, 8 kB. Errors: none; negative values count as 0.
 */
#pragma once

#include <stdint.h>

enum { HIST_STEPS = 16, HIST_POWERS = 60 };

struct hist {
	int64_t count, sum, max;
	uint64_t buckets[HIST_POWERS * HIST_STEPS];
};

void hist_add(struct hist *h, int64_t value);
/* The upper bound of the bucket that holds the per_mille-th value; 0 when empty, never above max. */
int64_t hist_quantile(const struct hist *h, int per_mille);
/* How many values were below 2^power, exactly. */
int64_t hist_below(const struct hist *h, int power);
