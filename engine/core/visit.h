/* visit.h — how one visit line is stored: a code (what it takes) and facts (what it may become).
 *
 * code   days 0-6 (bit 0 Monday), band 7-9, paired 10, units 11-19
 * facts  allowed bands 0-7, shared with the bundle's partner 8, time-critical 9, tolerance minutes 10-17,
 *        minutes 18-28, carers 29-30
 * The same layouts are checked in SQL (sql/schema/0004_commit.sql: demand_is_of_visits).
 */
#pragma once

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct visit {
	uint8_t days;  /* bit 0 Monday */
	uint8_t band;  /* where it is wanted */
	uint8_t bands; /* where it may go, band included */
	uint8_t carers;
	uint8_t tolerance_minutes;
	bool time_critical, shared;
	uint16_t minutes;
};

static inline uint32_t visit_code(uint32_t days, uint32_t band, bool paired, uint32_t units)
{
	return days | band << 7 | (uint32_t)paired << 10 | units << 11;
}

static inline uint32_t visit_code_days(uint32_t code)
{
	return code & 127;
}

static inline uint32_t visit_code_band(uint32_t code)
{
	return code >> 7 & 7;
}

static inline bool visit_code_paired(uint32_t code)
{
	return (code >> 10 & 1) != 0;
}

static inline uint32_t visit_code_units(uint32_t code)
{
	return code >> 11 & 511;
}

static inline uint32_t visit_code_in_band(uint32_t code, uint32_t band)
{
	return (code & ~(7u << 7)) | band << 7;
}

static inline uint32_t visit_facts(const struct visit *v)
{
	return v->bands | (uint32_t)v->shared << 8 | (uint32_t)v->time_critical << 9 |
	       (uint32_t)v->tolerance_minutes << 10 | (uint32_t)v->minutes << 18 | (uint32_t)v->carers << 29;
}

static inline uint32_t visit_lowest_band(uint32_t bands)
{
	return (uint32_t)__builtin_ctz(bands);
}

/* What is stored, read back; the band wanted is kept as the lowest allowed. */
static inline struct visit visit_of(uint32_t code, uint32_t facts)
{
	return (struct visit){
		.days = (uint8_t)visit_code_days(code),
		.band = (uint8_t)visit_code_band(code),
		.bands = (uint8_t)facts,
		.shared = (facts >> 8 & 1) != 0,
		.time_critical = (facts >> 9 & 1) != 0,
		.tolerance_minutes = (uint8_t)(facts >> 10),
		.minutes = (uint16_t)(facts >> 18 & 2047),
		.carers = (uint8_t)(facts >> 29 & 3),
	};
}
