/* model_inside.h — what the model's files say to each other; the tests see model.h only.
 *
 * model_week.c <- model_where.c <- model.c <- model_keep.c: each needs only those before it.
 * Cells count from 0: 8 bands a day, Monday's first. Lists here are versions, unless said: index + 1 in market.lists.
 */
#pragma once

#include "model.h"

/* A call with its one or two packages made into one. */
struct model_ask {
	int version; /* index + 1 in market.lists */
	int list;    /* its list */
	int sector;
	int start_day;
	int latest_day;
	int starts;
	int carer_minutes_week;
	unsigned skills;
	unsigned genders;
	unsigned long long languages;
	int ceiling_pence_hour;
	int urgency;
	int risk;
	int no_cover;
	int excluded_n;
	int excluded[2 * MODEL_EXCLUDED_MAX];
	int visit_n;
	struct model_visit visits[2 * MODEL_VISITS_MAX];
};

/* ---- model_week.c ---- */

/* The lowest band of the set, 0..7; -1 of an empty one. */
int model_band_lowest(unsigned bands);
/* 0..55, of day 0 Monday .. 6 Sunday and band 0..7. */
int model_cell(int day, int band);
/* MODEL_SINGLE or MODEL_PAIRED. */
int model_plane(const struct model_visit *visit);
/* Units: free = max(0, declared - committed) */
int model_units_free(const struct model_pool *pool, int plane, int cell);

/* ---- model_where.c ---- */

/* 1 when version one goes before version two: the latest from, then the higher list, then version. */
int model_version_after(const struct model_list *one, const struct model_list *two);
/* 1: from <= now < until. */
int model_list_is_effective(const struct model_list *list, long long now_seconds);
/* The pool in which the provider works for this list in this sector; 0 none. list: model_list.list. */
int model_pool_of(const struct model_market *market, int list, int provider, int sector);
/* The index of the package's shared visit number `ordinal` (0..), or -1. */
int model_shared_visit(const struct model_package *package, int ordinal);
/* The other way round: which of the package's shared visits (0..) the one at index `visit` is. */
int model_shared_ordinal(const struct model_package *package, int visit);
/* MODEL_ACCEPTED with the version in *list, or the enum model_refusal of the whole call. */
int model_call_refusal(const struct model_market *market, const struct model_call *call, int *list);
/* Fills the ask of a call that is not refused. */
void model_ask_make(const struct model_market *market, struct model_ask *ask,
		    const struct model_call *call, int version);

/* ---- model.c ---- */

/* The first status row, by its number, that stops the provider: its enum status; 0 none. list: model_list.list. */
int model_status_failing(const struct model_market *market, int provider, int list, int start_day,
			 int new_starts, long long now_seconds);
/* 1: the provider's rating is too low for this route (enum route). */
int model_rating_fails(const struct model_market *market, int provider_number, int route);
/* Adds the visit's units, in this band, on each of its days; negative units are taken off. */
void model_units_add(int grid[MODEL_PLANES][MODEL_CELLS], const struct model_visit *visit,
		     int band, int units);
