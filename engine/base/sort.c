#include "base/sort.h"

#include "base/check.h"

#include <stdbool.h>
#include <string.h>

static void sort_swap(unsigned char *a, unsigned char *b, size_t size)
{
	unsigned char t[512];

	memcpy(t, a, size);
	memcpy(a, b, size);
	memcpy(b, t, size);
}

static void sort_sift(unsigned char *rows, size_t from, size_t count, size_t size, sort_compare *compare)
{
	for (size_t at = from, child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && compare(rows + child * size, rows + (child + 1) * size) < 0)
			child++;
		if (compare(rows + at * size, rows + child * size) >= 0)
			return;
		sort_swap(rows + at * size, rows + child * size, size);
	}
}

/* Insertion, as long as no more than a few moves a row are needed; false: too far out of order, and still a permutation. */
static bool sort_nearly(unsigned char *rows, size_t count, size_t size, sort_compare *compare)
{
	enum { MOVES_A_ROW = 8 };
	unsigned char t[512];
	size_t moves_left = count * MOVES_A_ROW;

	for (size_t i = 1; i < count; i++) {
		size_t at = i;

		while (at > 0 && compare(rows + (at - 1) * size, rows + i * size) > 0) {
			if (moves_left-- == 0)
				return false;
			at--;
		}
		if (at == i)
			continue;
		memcpy(t, rows + i * size, size);
		memmove(rows + (at + 1) * size, rows + at * size, (i - at) * size);
		memcpy(rows + at * size, t, size);
	}
	return true;
}

void sort_rows(void *rows, size_t count, size_t size, sort_compare *compare)
{
	unsigned char *bytes = rows;

	REQUIRE(size > 0 && size <= 512);
	if (sort_nearly(bytes, count, size, compare))
		return;
	for (size_t i = count / 2; i-- > 0;)
		sort_sift(bytes, i, count, size, compare);
	for (size_t i = count; i-- > 1;) {
		sort_swap(bytes, bytes + i * size, size);
		sort_sift(bytes, 0, i, size, compare);
	}
}

size_t sort_lower(const void *rows, size_t count, size_t size, const void *key, sort_compare *compare)
{
	const unsigned char *bytes = rows;
	size_t low = 0;

	while (count > 0) {
		size_t half = count / 2;

		if (compare(bytes + (low + half) * size, key) < 0) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}
