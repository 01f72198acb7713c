/* visits.h — the short way to write a week: DAYS:BANDS:MINUTES[xCARERS][:critical][:+-MINUTES][:shared]
 *
 * Shape:   daily:morning:45x2:critical:+-30 · mon,wed,fri:tea|bed:30 · mon-fri:lunch:30; several are parted by ';'.
 *          DAYS: daily, weekdays, weekend, days and ranges (mon-fri) parted by ','. BANDS: the first is where it is
 *          wanted, the others where it may go as well.
 * Units:   minutes; days as bits, bit 0 Monday.
 * Errors:  false, with a sentence that names the part; the engine judges minutes and limits.
 * Owner:   visits live in the caller's arena.
 */
#pragma once

#include "base/arena.h"
#include "calloff/v1/envelope.pb-c.h"

#include <stdbool.h>
#include <stdio.h>

enum { VISITS_PROBLEM_BYTES = 160 };

/* Appends to *visits; both start as NULL and 0. Room for VISITS_MAX is taken at the first. */
bool visits_parse(struct arena *arena, const char *text, Calloff__V1__Visit ***visits, size_t *count,
		  char problem[VISITS_PROBLEM_BYTES]);
bool visits_parse_days(const char *text, size_t len, uint32_t *ret_days);
/* "tea|bed": the first band, and a mask of all of them (bit: the enum's number). */
bool visits_parse_bands(const char *text, size_t len, Calloff__V1__Band *ret_first, uint32_t *ret_mask);
/* "daily", "mon-fri", "mon,wed" (or "Daily", "Mon Wed" for reading) */
void visits_format_days(char *to, size_t size, uint32_t days, bool for_reading);
/* In the syntax above. */
void visits_format(FILE *out, const Calloff__V1__Visit *visit);
