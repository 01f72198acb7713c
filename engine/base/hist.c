#include "base/hist.h"

static uint32_t hist_bucket(uint64_t v)
{
	uint32_t power;

	if (v < HIST_STEPS)
		return (uint32_t)v;
	power = 63 - (uint32_t)__builtin_clzll(v); /* >= 4 */
	if (power - 3 >= HIST_POWERS)
		return HIST_POWERS * HIST_STEPS - 1;
	return (power - 3) * HIST_STEPS + (uint32_t)(v >> (power - 4) & (HIST_STEPS - 1));
}

static int64_t hist_upper(uint32_t bucket)
{
	uint32_t power = bucket / HIST_STEPS, step = bucket % HIST_STEPS;

	if (power == 0)
		return (int64_t)step;
	return (int64_t)(((uint64_t)(HIST_STEPS + step + 1) << (power - 1)) - 1);
}

void hist_add(struct hist *h, int64_t value)
{
	if (value < 0)
		value = 0;
	h->count++;
	if (__builtin_add_overflow(h->sum, value, &h->sum))
		h->sum = INT64_MAX;
	if (value > h->max)
		h->max = value;
	h->buckets[hist_bucket((uint64_t)value)]++;
}

int64_t hist_quantile(const struct hist *h, int per_mille)
{
	int64_t want = (h->count * per_mille + 999) / 1000, seen = 0;

	for (uint32_t i = 0; i < HIST_POWERS * HIST_STEPS && h->count > 0; i++) {
		seen += (int64_t)h->buckets[i];
		if (seen >= want)
			return hist_upper(i) < h->max ? hist_upper(i) : h->max;
	}
	return h->max;
}

int64_t hist_below(const struct hist *h, int power)
{
	uint32_t end = power < 4 ? 1u << power : ((uint32_t)power - 3) * HIST_STEPS;
	int64_t below = 0;

	for (uint32_t i = 0; i < end && i < HIST_POWERS * HIST_STEPS; i++)
		below += (int64_t)h->buckets[i];
	return below;
}
