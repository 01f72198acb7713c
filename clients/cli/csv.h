/* csv.h — RFC 4180 records from a stream: commas, quotes, LF or CRLF, a BOM at the start is skipped.
 *
 * Shape:   one record at a time, at most CSV_RECORD_BYTES_MAX; empty lines are skipped.
 * Errors:  CSV_BAD with problem set; the reader has then skipped to the next line and can go on.
 * Owner:   fields live in the reader's buffer until the next csv_read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CSV_RECORD_BYTES_MAX = 1024 * 1024, CSV_FIELDS_MAX = 64 };

enum csv_result { CSV_ROW, CSV_END, CSV_BAD };

struct csv {
	FILE *in;
	size_t line;     /* where the next record begins; the first is 1 */
	size_t row_line; /* where this record began */
	char *buffer;
	size_t used, size;
	size_t starts[CSV_FIELDS_MAX];
	size_t count;
	const char *problem;
};

void csv_init(struct csv *c, FILE *in);
void csv_fini(struct csv *c);
enum csv_result csv_read(struct csv *c);
const char *csv_field(const struct csv *c, size_t i);
