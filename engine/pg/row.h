/* row.h — typed reads of a result's binary values; a value of another width, or NULL, makes the reader bad.
 *
 * Shape:  a cursor over a PGresult, or over the rows of a binary COPY. Columns are read in order.
 * Errors: row.bad, checked once a row or once at the end. Owner: text points into the result or copy buffer.
 */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row {
	const PGresult *result;
	int row, column;
	const uint8_t *copy; /* set instead of result: one COPY tuple's fields */
	size_t copy_left;
	bool bad;
};

static inline struct row row_of(const PGresult *result, int number)
{
	return (struct row){.result = result, .row = number};
}
/* A COPY data message's tuple; false at its header-only or trailer message. header: the first message of the COPY. */
bool row_of_copy(struct row *r, const uint8_t *bytes, size_t len, bool header);

const uint8_t *row_bytes(struct row *r, size_t *ret_len);
int64_t row_int(struct row *r); /* int2, int4, int8 */
bool row_bool(struct row *r);
/* Copies a text and ends it; too long is bad. */
void row_text(struct row *r, char *to, size_t size);
/* Elements of a one-dimensional int array without NULLs; more than max is bad. */
uint32_t row_ints(struct row *r, int64_t *ret, uint32_t max);
