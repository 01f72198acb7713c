/* rows.h — an array of a composite type as one parameter of a call, field by field in PostgreSQL's binary form.
 *
 * Shape:  rows_begin, then each field of the type in its order, and so on; rows_value is the finished parameter. No field is
 *         NULL; a row may be.
 *         One such array costs a call as much as one array of numbers, and spares it an array a column.
 * Errors: none; a field missing or one too many is a fault of the caller. Owner: rows_free.
 * Source: PostgreSQL 15 array_recv and record_recv: ndim, flags, element oid, length and lower bound; a row is its number
 *         of fields, a field is its type's oid, its length and its bytes.
 */
#pragma once

#include "base/buf.h"

#include <stdbool.h>

struct rows {
	uint32_t type_oid; /* of one row */
	uint32_t fields;   /* of one row */
	uint32_t count, fields_left;
	bool has_null;
	size_t row_at; /* where the row being built begins */
	struct buf buf;
};

void rows_init(struct rows *r, uint32_t fields);
void rows_free(struct rows *r);
void rows_clear(struct rows *r);
void rows_null(struct rows *r); /* instead of a row */
void rows_begin(struct rows *r);
void rows_int2(struct rows *r, int64_t n);
void rows_int4(struct rows *r, int64_t n);
void rows_int8(struct rows *r, int64_t n);
void rows_text(struct rows *r, const char *text, size_t len);
void rows_bytea(struct rows *r, const void *bytes, size_t len);
void rows_uuid(struct rows *r, const uint8_t uuid[16]);
void rows_int2s(struct rows *r, const uint16_t *n, uint32_t count);
void rows_int4s(struct rows *r, const void *n, uint32_t count); /* int32_t or uint32_t */
void rows_int8s(struct rows *r, const uint32_t *n, uint32_t count);
void rows_end(struct rows *r);
/* The finished parameter; valid until the next change. */
const char *rows_value(struct rows *r, int *ret_len);
