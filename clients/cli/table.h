/* table.h — rows for a person on a terminal (aligned, buffered), for a program on a pipe (TSV, at once).
 *
 * Shape:   columns are named in one text, separated by blanks; a '>' before a name sets its numbers right.
 * Errors:  none; texts from outside are cleaned of control characters.
 * Owner:   the table owns copies of its cells until table_end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 24 };

struct table {
	FILE *out;
	bool aligned;
	size_t columns;
	char names[TABLE_COLUMNS_MAX][32];
	bool right[TABLE_COLUMNS_MAX];
	char **cells;
	size_t count, size;
};

void table_begin(struct table *t, FILE *out, bool aligned, const char *columns);
/* The same for more rows of a TSV whose header was printed before. */
void table_begin_headless(struct table *t, FILE *out, bool aligned, const char *columns);
__attribute__((format(printf, 2, 3))) void table_cell(struct table *t, const char *format, ...);
void table_text(struct table *t, const char *text);
/* Prints what was buffered. A table without rows prints only_empty (unless NULL) on a terminal. */
void table_end(struct table *t, const char *only_empty);
