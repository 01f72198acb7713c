/* receipts.h — a file of receipts, "SEQ LEAF ROW" a line (what --receipts writes), held against the journal.
 *
 * Shape:   sorted by seq; the same receipt may stand twice.
 * Errors:  receipts_load says which line cannot be a receipt.
 * Owner:   the list owns its entries.
 */
#pragma once

#include "tree.h"

#include <stdio.h>

struct receipt {
	int64_t seq;
	uint8_t leaf[TREE_HASH_BYTES], row[TREE_HASH_BYTES];
	size_t line;
};

struct receipts {
	struct receipt *list;
	size_t count, size;
	size_t at; /* the first that is not checked yet */
};

bool receipts_load(struct receipts *r, FILE *in, char problem[160]);
void receipts_fini(struct receipts *r);
/* 64 hex digits. */
bool receipts_hash(const char *hex, uint8_t ret_hash[TREE_HASH_BYTES]);
