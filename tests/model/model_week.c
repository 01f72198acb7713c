/* model_week.c — the numbers: cells, units, minutes and pence of a week, and what a provider holds and starts. */
#include "model_inside.h"

/* 1970-01-01 was a Thursday: day 4 of that year was the first Monday. */
int model_monday(int day)
{
	int monday = 4;

	return monday + (day - monday) / 7 * 7;
}

int model_bands_count(unsigned bands)
{
	int count = 0;

	for (int band = 0; band < MODEL_BANDS; band++)
		if (bands >> band & 1)
			count++;
	return count;
}

static int days_count(unsigned days)
{
	int count = 0;

	for (int day = 0; day < MODEL_DAYS; day++)
		if (days >> day & 1)
			count++;
	return count;
}

int model_band_lowest(unsigned bands)
{
	for (int band = 0; band < MODEL_BANDS; band++)
		if (bands >> band & 1)
			return band;
	return -1;
}

int model_cell(int day, int band)
{
	return day * MODEL_BANDS + band;
}

int model_plane(const struct model_visit *visit)
{
	return visit->carers == 2 ? MODEL_PAIRED : MODEL_SINGLE;
}

int model_visit_units(const struct model_market *market, int pool, const struct model_visit *visit)
{
	int minutes = visit->minutes + market->policy.travel_minutes_visit;
	int units = 0;

	if (market->pools[pool - 1].kind != POOL_KIND_TIME)
		return 1;
	while (units * 5 < minutes)
		units++;
	return units;
}

int model_visit_minutes_week(const struct model_visit *visit)
{
	return days_count(visit->days) * visit->minutes * visit->carers;
}

long long model_price_pence_week(int carer_minutes_week, int price_pence_hour)
{
	long long pence_sixtieths = (long long)carer_minutes_week * price_pence_hour;
	long long pence = pence_sixtieths / 60;
	long long rest = pence_sixtieths % 60;

	return rest >= 30 ? pence + 1 : pence;
}

int model_units_free(const struct model_pool *pool, int plane, int cell)
{
	int free = pool->declared[plane][cell] - pool->committed[plane][cell];

	return free > 0 ? free : 0;
}

int model_placement_minutes_week(const struct model_placement *placement)
{
	int minutes = 0;

	for (int i = 0; i < placement->package.visit_n; i++)
		if (placement->carried[i])
			minutes += model_visit_minutes_week(&placement->package.visits[i]);
	return minutes;
}

int model_minutes_held(const struct model_market *market, int provider, int list)
{
	int minutes = 0;

	for (int i = 0; i < market->placement_n; i++) {
		const struct model_placement *placement = &market->placements[i];

		if (!placement->live || placement->provider != provider)
			continue;
		if (list != 0 && placement->list != list)
			continue;
		minutes += model_placement_minutes_week(placement);
	}
	return minutes;
}

int model_starts(const struct model_market *market, int provider, int first_day, int last_day)
{
	int starts = 0;

	for (int i = 0; i < market->placement_n; i++) {
		const struct model_placement *placement = &market->placements[i];

		if (!placement->live || placement->provider != provider)
			continue;
		if (placement->package.start_day >= first_day &&
		    placement->package.start_day <= last_day)
			starts++;
	}
	return starts;
}

int model_placement_find(const struct model_market *market, int package)
{
	for (int i = 0; i < market->placement_n; i++)
		if (market->placements[i].live && market->placements[i].package.number == package)
			return i;
	return -1;
}
