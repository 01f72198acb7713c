/* cells.h — the short way to write a week of capacity: [DAYS:][paired:]BANDS=MINUTES, parted by ',' ';' or lines.
 *
 * Shape:   mon-fri:morning=240,paired:bed=60 · mon,wed:lunch|tea=120 · night=2; # begins a remark.
 *          Without days: daily. A cell that is named twice is an error; one that is not named is zero.
 * Units:   minutes a day (nights or places for such pools).
 * Errors:  false, with a sentence that names the item.
 * Owner:   a plain array of the caller's.
 */
#pragma once

#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CELLS_PROBLEM_BYTES = 200, CELLS_MINUTES_MAX = CELL_UNITS_MAX * UNIT_MINUTES };

struct cells {
	uint32_t minutes[2][CELLS]; /* single, paired; day*8 + band */
	bool named[2][CELLS];
	size_t count;
};

bool cells_parse(struct cells *cells, const char *text, char problem[CELLS_PROBLEM_BYTES]);
