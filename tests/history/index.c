#include "index.h"

#include "../model/model_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAYS_KEPT = 8192,
	DAY_FIRST = 16000, /* 2013-10-22: the days kept reach into 2036; others are added up by the model */
	COVERAGE_SLOTS = 4 * MODEL_COVERAGES_MAX,
	PACKAGE_SLOTS = 4 * MODEL_PLACEMENTS_MAX,
	GONE = -1,
};

static int off;
static long long calls, cross_checks;
static int minutes[MODEL_PROVIDERS_MAX + 1][MODEL_LISTS_MAX + 1]; /* list 0: all */
static int starts[MODEL_PROVIDERS_MAX + 1][DAYS_KEPT];
static int coverage_slots[COVERAGE_SLOTS]; /* index + 1 of market.coverages; 0 empty */
static int package_slots[PACKAGE_SLOTS];   /* place + 1 of the live placement; GONE; 0 empty */

int __real_model_minutes_held(const struct model_market *market, int provider, int list);
int __wrap_model_minutes_held(const struct model_market *market, int provider, int list);
int __real_model_starts(const struct model_market *market, int provider, int first_day, int last_day);
int __wrap_model_starts(const struct model_market *market, int provider, int first_day, int last_day);
int __real_model_pool_of(const struct model_market *market, int list, int provider, int sector);
int __wrap_model_pool_of(const struct model_market *market, int list, int provider, int sector);
int __real_model_placement_find(const struct model_market *market, int package);
int __wrap_model_placement_find(const struct model_market *market, int package);

void index_off(void)
{
	off = 1;
}

long long index_cross_checks(void)
{
	return cross_checks;
}

/* 1: the model's own answer is wanted as well. */
static int is_sample(void)
{
	return calls++ % INDEX_SAMPLE == 0;
}

static int checked(const char *what, int kept, int naive)
{
	cross_checks++;
	if (kept != naive) {
		fprintf(stderr, "replay: the index is wrong: %s: %d, the model's sum is %d\n", what, kept, naive);
		exit(70);
	}
	return kept;
}

static unsigned mixed(unsigned a, unsigned b, unsigned c)
{
	unsigned long long h = (a * 73856093ULL) ^ (b * 19349663ULL) ^ (c * 83492791ULL);

	return (unsigned)((h * 0x9e3779b97f4a7c15ULL) >> 33);
}

/* ---- coverage ---- */

static unsigned coverage_slot(const struct model_market *m, int list, int provider, int sector)
{
	unsigned slot = mixed((unsigned)list, (unsigned)provider, (unsigned)sector) % COVERAGE_SLOTS;

	for (; coverage_slots[slot] != 0; slot = (slot + 1) % COVERAGE_SLOTS) {
		const struct model_coverage *c = &m->coverages[coverage_slots[slot] - 1];

		if (c->list == list && c->provider == provider && c->sector == sector)
			break;
	}
	return slot;
}

void index_framework(const struct model_market *m)
{
	memset(coverage_slots, 0, sizeof coverage_slots);
	for (int i = 0; i < m->coverage_n; i++) {
		const struct model_coverage *c = &m->coverages[i];

		coverage_slots[coverage_slot(m, c->list, c->provider, c->sector)] = i + 1;
	}
}

int __wrap_model_pool_of(const struct model_market *m, int list, int provider, int sector)
{
	int found, pool;

	if (off)
		return __real_model_pool_of(m, list, provider, sector);
	found = coverage_slots[coverage_slot(m, list, provider, sector)];
	pool = found == 0 ? 0 : m->coverages[found - 1].pool;
	return is_sample() ? checked("pool", pool, __real_model_pool_of(m, list, provider, sector)) : pool;
}

/* ---- placements ---- */

static int day_is_kept(int day)
{
	return day >= DAY_FIRST && day < DAY_FIRST + DAYS_KEPT;
}

/* The package's slot, or the first that is free for it. */
static unsigned package_slot(const struct model_market *m, int package)
{
	unsigned slot = mixed((unsigned)package, 1, 2) % PACKAGE_SLOTS;

	for (; package_slots[slot] != 0; slot = (slot + 1) % PACKAGE_SLOTS)
		if (package_slots[slot] > 0 && m->placements[package_slots[slot] - 1].package.number == package)
			break;
	return slot;
}

void index_counts(const struct model_market *m, int place, int sign)
{
	const struct model_placement *p = &m->placements[place];
	int carried = sign * model_placement_minutes_week(p);

	minutes[p->provider][p->list] += carried;
	minutes[p->provider][0] += carried;
	if (day_is_kept(p->package.start_day))
		starts[p->provider][p->package.start_day - DAY_FIRST] += sign;
}

/* Slots of those that are gone stay taken until the table is filled anew. */
static void packages_fill(const struct model_market *m)
{
	memset(package_slots, 0, sizeof package_slots);
	for (int i = 0; i < m->placement_n; i++)
		if (m->placements[i].live)
			package_slots[package_slot(m, m->placements[i].package.number)] = i + 1;
}

void index_place(const struct model_market *m, int package, int place)
{
	static int gone;

	package_slots[package_slot(m, package)] = place < 0 ? GONE : place + 1;
	if (place >= 0 || ++gone < PACKAGE_SLOTS / 4)
		return;
	gone = 0;
	packages_fill(m);
}

int __wrap_model_placement_find(const struct model_market *m, int package)
{
	int place;

	if (off)
		return __real_model_placement_find(m, package);
	place = package_slots[package_slot(m, package)] - 1;
	return is_sample() ? checked("placement", place, __real_model_placement_find(m, package)) : place;
}

int __wrap_model_minutes_held(const struct model_market *m, int provider, int list)
{
	int kept = minutes[provider][list];

	if (off)
		return __real_model_minutes_held(m, provider, list);
	return is_sample() ? checked("minutes", kept, __real_model_minutes_held(m, provider, list)) : kept;
}

int __wrap_model_starts(const struct model_market *m, int provider, int first_day, int last_day)
{
	int kept = 0;

	if (off || !day_is_kept(first_day) || !day_is_kept(last_day))
		return __real_model_starts(m, provider, first_day, last_day);
	for (int day = first_day; day <= last_day; day++)
		kept += starts[provider][day - DAY_FIRST];
	return is_sample() ? checked("starts", kept, __real_model_starts(m, provider, first_day, last_day)) : kept;
}
