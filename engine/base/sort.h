/* sort.h — in-place sort and binary search over plain rows: no allocation, no recursion, for the pure core.
 *
 * Order:  sort_rows is not stable: a comparison must be total where order matters.
 */
#pragma once

#include <stddef.h>

typedef int sort_compare(const void *a, const void *b);

/* Rows in order, or nearly (each a few places from its own), cost one pass; others heap sort. size <= 512 bytes. */
void sort_rows(void *rows, size_t count, size_t size, sort_compare *compare);
/* Index of the first row that is not below key (count when all are); compare(row, key). */
size_t sort_lower(const void *rows, size_t count, size_t size, const void *key, sort_compare *compare);
