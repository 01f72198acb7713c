/* rows.h — many requirements from a file: NDJSON (one Requirement a line) or CSV (a header, then one a record).
 *
 * Shape:   a stream; a bad row does not end it. CSV columns: requirement.h's names; visits parted by ';'.
 * Errors:  ROWS_BAD with problem set for one row; ROWS_BROKEN when the file cannot be read on.
 * Owner:   a row's requirement lives in the caller's arena.
 */
#pragma once

#include "base/arena.h"
#include "calloff/v1/envelope.pb-c.h"
#include "csv.h"

#include <stdint.h>

enum { ROWS_LINE_BYTES_MAX = 1024 * 1024 };

enum rows_result { ROWS_ROW, ROWS_BAD, ROWS_END, ROWS_BROKEN };
enum rows_format { ROWS_UNKNOWN, ROWS_NDJSON, ROWS_CSV };

struct rows {
	FILE *in;
	enum rows_format format;
	struct csv csv;
	char columns[CSV_FIELDS_MAX][40];
	size_t column_count;
	char *text;
	size_t text_size, line;
	char problem[400];
};

struct row {
	size_t line;
	uint64_t fingerprint; /* of its text: the same line with the same content has the same */
	Calloff__V1__Requirement *requirement;
};

/* format ROWS_UNKNOWN: by the first byte, '{' is NDJSON. Reads a CSV's header. */
enum rows_result rows_open(struct rows *r, FILE *in, enum rows_format format);
void rows_close(struct rows *r);
enum rows_result rows_next(struct rows *r, struct arena *arena, struct row *ret_row);
