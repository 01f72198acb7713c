/* rows_read.h — reads the parameters of commit_batch_v1 as PostgreSQL would: binary arrays of bytes or of rows.
 *
 * Errors: what is not well formed ends the run (sim_violation): the engine sent it.
 * Owner:  borrows the bytes. Source: array_recv, record_recv of PostgreSQL 15.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ROW_FIELDS_MAX = 32 };

struct array_reader {
	const uint8_t *at, *end;
	uint32_t count, left;
};

struct row_fields {
	bool null;
	uint32_t count;
	const uint8_t *values[ROW_FIELDS_MAX];
	uint32_t lengths[ROW_FIELDS_MAX];
};

void array_open(struct array_reader *r, const uint8_t *bytes, uint32_t len);
/* false: no more. */
bool array_next(struct array_reader *r, const uint8_t **ret_bytes, uint32_t *ret_len);
bool array_next_row(struct array_reader *r, struct row_fields *ret);
int64_t field_int(const struct row_fields *f, uint32_t field);
/* An array of integers; ends the run when it holds more than max. */
uint32_t field_ints(const struct row_fields *f, uint32_t field, int64_t *ret, uint32_t max);
