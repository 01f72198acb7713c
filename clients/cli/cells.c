#include "cells.h"

#include "visits.h"

#include <stdio.h>
#include <string.h>

struct cells_item {
	uint32_t days, bands, minutes;
	int plane;
};

static bool cells_fail(char problem[CELLS_PROBLEM_BYTES], const char *wants, const char *text, size_t len)
{
	snprintf(problem, CELLS_PROBLEM_BYTES, "%s, has \"%.*s\"", wants, len > 60 ? 60 : (int)len, text);
	return false;
}

/* The part before '=': days, plane and bands, in any order, parted by ':'. */
static bool cells_parse_where(const char *text, size_t len, struct cells_item *item,
			      char problem[CELLS_PROBLEM_BYTES])
{
	*item = (struct cells_item){.days = 127};
	for (size_t at = 0; at <= len;) {
		const char *part = text + at;
		const char *colon = memchr(part, ':', len - at);
		size_t n = colon != NULL ? (size_t)(colon - part) : len - at;
		Calloff__V1__Band first;

		at += n + 1;
		while (n > 0 && part[0] == ' ') {
			part++;
			n--;
		}
		while (n > 0 && part[n - 1] == ' ')
			n--;
		if (n == 6 && memcmp(part, "paired", n) == 0)
			item->plane = 1;
		else if (n == 6 && memcmp(part, "single", n) == 0)
			item->plane = 0;
		else if (!visits_parse_days(part, n, &item->days) &&
			 (item->bands != 0 || !visits_parse_bands(part, n, &first, &item->bands)))
			return cells_fail(problem,
					  "before '=' stand days, paired and a band (mon-fri:paired:bed=60)",
					  part, n);
	}
	if (item->bands == 0)
		return cells_fail(problem, "a band is missing (mon-fri:morning=240)", text, len);
	return true;
}

static bool cells_set(struct cells *cells, const struct cells_item *item, char problem[CELLS_PROBLEM_BYTES],
		      const char *text, size_t len)
{
	for (int day = 0; day < DAYS; day++) {
		for (int band = 0; band < BANDS; band++) {
			int cell = day * BANDS + band;

			if ((item->days >> day & 1) == 0 || (item->bands >> (band + 1) & 1) == 0)
				continue;
			if (cells->named[item->plane][cell])
				return cells_fail(problem, "a cell is named twice", text, len);
			cells->named[item->plane][cell] = true;
			cells->minutes[item->plane][cell] = item->minutes;
			cells->count++;
		}
	}
	return true;
}

/* Skips what may stand between two items; false: the end. */
static bool cells_skip(const char **at)
{
	for (;;) {
		*at += strspn(*at, " \t\r\n,;");
		if (**at != '#')
			return **at != '\0';
		*at += strcspn(*at, "\n");
	}
}

bool cells_parse(struct cells *cells, const char *text, char problem[CELLS_PROBLEM_BYTES])
{
	memset(cells, 0, sizeof *cells);
	while (cells_skip(&text)) {
		size_t where = strcspn(text, "=;\r\n#"), digits;
		const char *number = text + where;
		struct cells_item item;

		if (*number != '=')
			return cells_fail(problem, "an item is [DAYS:][paired:]BAND=MINUTES", text, where);
		if (!cells_parse_where(text, where, &item, problem))
			return false;
		number++;
		number += strspn(number, " ");
		digits = strspn(number, "0123456789");
		if (digits == 0 || digits > 6)
			return cells_fail(problem, "after '=' stand minutes, at most 150000", number,
					  strcspn(number, ",; \r\n"));
		for (size_t i = 0; i < digits; i++)
			item.minutes = item.minutes * 10 + (uint32_t)(number[i] - '0');
		if (item.minutes > CELLS_MINUTES_MAX || strchr(",; \t\r\n#", number[digits]) == NULL)
			return cells_fail(problem, "after '=' stand minutes, at most 150000", number,
					  strcspn(number, ",; \r\n"));
		if (!cells_set(cells, &item, problem, text, where))
			return false;
		text = number + digits;
	}
	return true;
}
