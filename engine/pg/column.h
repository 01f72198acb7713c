/* column.h — one typed array parameter of a set-based call, built row by row in PostgreSQL's binary form.
 *
 * Shape:  one dimension, lower bound 1, no NULL. Units: as the caller's. Owner: column_free.
 * Source: PostgreSQL 15 array_recv: ndim, flags, element oid, then length and lower bound of the dimension, elements.
 */
#pragma once

#include "base/buf.h"

enum column_type {
	COLUMN_INT2 = 21,
	COLUMN_INT4 = 23,
	COLUMN_INT8 = 20,
	COLUMN_TEXT = 25,
	COLUMN_BYTEA = 17,
	COLUMN_UUID = 2950,
};

struct column {
	enum column_type type;
	uint32_t count;
	struct buf buf;
};

void column_init(struct column *c, enum column_type type);
void column_free(struct column *c);
void column_clear(struct column *c);
void column_int(struct column *c, int64_t n);
void column_bytes(struct column *c, const void *bytes, size_t len);
/* The finished parameter; valid until the next change. */
const char *column_value(struct column *c, int *ret_len);
