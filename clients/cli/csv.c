#include "csv.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void csv_init(struct csv *c, FILE *in)
{
	memset(c, 0, sizeof *c);
	c->in = in;
	c->line = 1;
}

void csv_fini(struct csv *c)
{
	free(c->buffer);
	memset(c, 0, sizeof *c);
}

const char *csv_field(const struct csv *c, size_t i)
{
	return i < c->count ? c->buffer + c->starts[i] : "";
}

static int csv_get(struct csv *c)
{
	int got = getc(c->in);

	if (got == '\n')
		c->line++;
	return got;
}

/* false: the record is longer than it may be */
static bool csv_put(struct csv *c, int byte)
{
	if (c->used == CSV_RECORD_BYTES_MAX)
		return false;
	if (c->used == c->size) {
		c->size = c->size == 0 ? 4096 : c->size * 2;
		c->buffer = realloc(c->buffer, c->size);
		INSIST(c->buffer != NULL);
	}
	c->buffer[c->used++] = (char)byte;
	return true;
}

static enum csv_result csv_bad(struct csv *c, const char *problem, int last)
{
	c->problem = problem;
	while (last != '\n' && last != EOF)
		last = csv_get(c);
	return CSV_BAD;
}

/* What ends a record: LF, CRLF or the end of the file. */
static int csv_line_end(struct csv *c, int got)
{
	if (got != '\r')
		return got;
	got = csv_get(c);
	if (got == '\n' || got == EOF)
		return '\n';
	ungetc(got, c->in);
	return '\r';
}

/* Reads one field; *ret_last is the byte after it. NULL: well. */
static const char *csv_read_field(struct csv *c, int got, int *ret_last)
{
	bool quoted = got == '"';

	if (quoted)
		got = csv_get(c);
	while (got != EOF) {
		if (quoted && got == '"') {
			got = csv_get(c);
			if (got != '"') {
				*ret_last = csv_line_end(c, got);
				return *ret_last == ',' || *ret_last == '\n' || *ret_last == EOF
					       ? NULL
					       : "something follows a closing quote; write a quote inside a field twice";
			}
		} else if (!quoted) {
			got = csv_line_end(c, got);
			if (got == ',' || got == '\n')
				break;
			if (got == '"')
				return *ret_last = got,
				       "a quote stands inside a field that does not begin with one";
		}
		if (got == '\0')
			return *ret_last = got, "a NUL byte";
		if (!csv_put(c, got))
			return *ret_last = got, "the record is longer than 1 MiB";
		got = csv_get(c);
	}
	*ret_last = got;
	return quoted ? "a quoted field does not end" : NULL;
}

static int csv_first(struct csv *c)
{
	int got = csv_get(c);

	if (c->line == 1 && got == 0xef) { /* a spreadsheet's BOM */
		int second = csv_get(c), third = csv_get(c);

		if (second == 0xbb && third == 0xbf)
			got = csv_get(c);
	}
	return got;
}

enum csv_result csv_read(struct csv *c)
{
	int got, last = '\n';

	c->used = c->count = 0;
	c->problem = NULL;
	do {
		c->row_line = c->line;
		got = csv_line_end(c, csv_first(c));
	} while (got == '\n');
	if (got == EOF)
		return CSV_END;
	for (;;) {
		const char *problem;

		if (c->count == CSV_FIELDS_MAX)
			return csv_bad(c, "the record has more than 64 fields", got);
		c->starts[c->count++] = c->used;
		if (got == ',' || got == '\n' || got == EOF) {
			last = got;
			problem = NULL;
		} else {
			problem = csv_read_field(c, got, &last);
		}
		if (problem == NULL && !csv_put(c, '\0'))
			problem = "the record is longer than 1 MiB";
		if (problem != NULL)
			return csv_bad(c, problem, last);
		if (last != ',')
			return CSV_ROW;
		got = csv_line_end(c, csv_get(c));
	}
}
