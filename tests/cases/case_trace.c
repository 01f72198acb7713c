#include "case_trace.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __attribute__((format(printf, 2, 3))) void say(struct trace *t, const char *format, ...)
{
	va_list list;

	if (t->count == CASE_TRACE) {
		fprintf(stderr, "case_run: an event has more than %d lines of trace\n", CASE_TRACE);
		exit(2);
	}
	va_start(list, format);
	vsnprintf(t->lines[t->count++], CASE_LINE_BYTES, format, list);
	va_end(list);
}

static const char *days_word(unsigned days, char *ret)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	if (days == 127 || days == 31 || days == 96)
		return days == 127 ? "daily" : days == 31 ? "weekdays" : "weekend";
	ret[0] = '\0';
	for (int day = 0; day < DAYS; day++)
		if (days >> day & 1)
			strcat(strcat(ret, ret[0] != '\0' ? "+" : ""), names[day]);
	return ret;
}

/* ---- the decision ---- */

static void trace_candidate(struct trace *t, const struct told_candidate *c)
{
	char days[32], cell[80] = "", route[24] = "";

	if (c->reason == REASON_CHOSEN) {
		if (c->route != ROUTE_FRAMEWORK)
			snprintf(route, sizeof route, " %s", route_word(c->route));
		say(t, "%s %s%s tier %d rank %d",
		    c->route == ROUTE_POLR || c->route == ROUTE_BRIDGING ? "last resort" : "nominate", c->provider, route,
		    c->tier, c->rank);
		return;
	}
	if (c->reason == REASON_STATUS)
		snprintf(cell, sizeof cell, " %s", status_word(c->status));
	if (c->cell >= 0)
		snprintf(cell, sizeof cell, " %s %s%s needs %d, has %d", days_word(1u << c->cell / BANDS, days),
			 band_word(c->cell % BANDS), c->reason != REASON_OVERHANG ? "" : c->paired ? " paired" : " single",
			 c->need, c->free);
	say(t, "pass over %s: %s%s", c->provider, reason_word(c->reason), cell);
}

static void trace_decision(struct trace *t, const struct told *told)
{
	if (told->refusal != ERR_OK)
		say(t, "refused %s", err_name(told->refusal));
	if (!told->decided)
		return;
	for (int i = 0; i < told->candidate_count; i++)
		trace_candidate(t, &told->candidates[i]);
	if (told->outcome == ROUND_OUTCOME_NOBODY)
		say(t, "nobody");
	if (told->not_reached > 0)
		say(t, "%d not reached", told->not_reached);
	if (told->budget_authority)
		say(t, "needs budget authority");
}

/* ---- what changed ---- */

static void trace_package(struct trace *t, const char *name, bool flexible, const struct seen_package *p)
{
	char place[120] = "", bands[200] = "";

	for (int i = 0; i < p->band_count && flexible; i++)
		snprintf(bands + strlen(bands), sizeof bands - strlen(bands), "%s %s", i == 0 ? ", at" : "",
			 band_word(p->bands[i]));
	if (p->role == ROLE_MAIN)
		snprintf(place, sizeof place, " with %s", p->provider);
	else if (p->role != 0)
		snprintf(place, sizeof place, ", %s with %s for %d days", role_word(p->role), p->provider, p->interim_days);
	if (p->role != 0)
		snprintf(place + strlen(place), sizeof place - strlen(place), ", %d minutes, %d.%02d a week", p->minutes_week,
			 p->pence_week / 100, p->pence_week % 100);
	say(t, "%s %s%s%s", name, state_word(p->state), place, bands);
}

static int left_of(const struct seen_pool *p, int plane, int cell)
{
	return p->declared[plane][cell] - p->committed[plane][cell];
}

/* The days of one band that are left with the same, and changed, are said together. */
static void trace_band(struct trace *t, const char *pool, const struct seen_pool *before, const struct seen_pool *after,
		       int band, int plane)
{
	unsigned said = 0;
	char word[32];

	for (int day = 0; day < DAYS; day++) {
		int left = left_of(after, plane, day * BANDS + band);
		unsigned days = 0;

		if ((said >> day & 1) != 0 || left == left_of(before, plane, day * BANDS + band))
			continue;
		for (int other = day; other < DAYS; other++) {
			int cell = other * BANDS + band;

			if (left_of(after, plane, cell) == left && left_of(before, plane, cell) != left)
				days |= 1u << other;
		}
		said |= days;
		if (left >= 0)
			say(t, "capacity %s %s %s %s %d left", pool, days_word(days, word), band_word(band),
			    plane != 0 ? "paired" : "single", left);
		else
			say(t, "capacity %s %s %s %s over by %d", pool, days_word(days, word), band_word(band),
			    plane != 0 ? "paired" : "single", -left);
	}
}

static bool package_same(const struct seen_package *a, const struct seen_package *b)
{
	return a->state == b->state && a->role == b->role && strcmp(a->provider, b->provider) == 0 &&
	       a->minutes_week == b->minutes_week && a->pence_week == b->pence_week;
}

void trace_write(const struct case_file *c, const struct told *told, const struct snapshot *before,
		 const struct snapshot *after, struct trace *ret)
{
	ret->count = 0;
	trace_decision(ret, told);
	for (int i = 0; i < c->package_count; i++)
		if (!package_same(&before->packages[i], &after->packages[i]))
			trace_package(ret, c->packages[i], c->package_flexible[i], &after->packages[i]);
	for (uint32_t i = 0; i < c->rows.pools_count; i++)
		for (int band = 0; band < BANDS; band++)
			for (int plane = 0; plane < 2; plane++)
				trace_band(ret, c->pools[i].code, &before->pools[i], &after->pools[i], band, plane);
}
