#include "receipts.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIPTS_DIGITS = 64 };

bool receipts_hash(const char *hex, uint8_t ret_hash[TREE_HASH_BYTES])
{
	if (strlen(hex) != RECEIPTS_DIGITS || strspn(hex, "0123456789abcdefABCDEF") != RECEIPTS_DIGITS)
		return false;
	for (size_t i = 0; i < TREE_HASH_BYTES; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		ret_hash[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static int receipts_compare(const void *a, const void *b)
{
	const struct receipt *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

bool receipts_load(struct receipts *r, FILE *in, char problem[160])
{
	char text[256], leaf[80], row[80], rest[2];

	memset(r, 0, sizeof *r);
	for (size_t line = 1; fgets(text, sizeof text, in) != NULL; line++) {
		struct receipt e = {.line = line};

		if (text[strspn(text, " \t\r\n")] == '\0' || text[0] == '#')
			continue;
		if (sscanf(text, "%" SCNd64 " %79s %79s %1s", &e.seq, leaf, row, rest) != 3 || e.seq < 1 ||
		    !receipts_hash(leaf, e.leaf) || !receipts_hash(row, e.row)) {
			snprintf(problem, 160, "its line %zu is not SEQ LEAF ROW, with 64 hex digits each",
				 line);
			return false;
		}
		if (r->count == r->size) {
			r->size = r->size == 0 ? 256 : r->size * 2;
			r->list = realloc(r->list, r->size * sizeof *r->list);
			INSIST(r->list != NULL);
		}
		r->list[r->count++] = e;
	}
	if (r->count > 0)
		qsort(r->list, r->count, sizeof *r->list, receipts_compare);
	return true;
}

void receipts_fini(struct receipts *r)
{
	free(r->list);
	memset(r, 0, sizeof *r);
}
