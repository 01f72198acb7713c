#include "rows.h"

#include "reflect.h"
#include "requirement.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a: tells a changed row, proves nothing. */
static uint64_t rows_fingerprint(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

static enum rows_result rows_header(struct rows *r)
{
	enum csv_result got = csv_read(&r->csv);

	if (got != CSV_ROW) {
		snprintf(r->problem, sizeof r->problem, "the header cannot be read: %s",
			 got == CSV_BAD ? r->csv.problem : "the file is empty");
		return ROWS_BROKEN;
	}
	for (size_t i = 0; i < r->csv.count; i++) {
		const char *name = csv_field(&r->csv, i);

		if (!requirement_knows(name)) {
			snprintf(r->problem, sizeof r->problem,
				 "the header names a column that a package does not have: \"%.40s\"", name);
			return ROWS_BROKEN;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(r->columns[j], name) == 0) {
				snprintf(r->problem, sizeof r->problem, "the header names %s twice", name);
				return ROWS_BROKEN;
			}
		}
		snprintf(r->columns[r->column_count++], sizeof r->columns[0], "%s", name);
	}
	return ROWS_ROW;
}

enum rows_result rows_open(struct rows *r, FILE *in, enum rows_format format)
{
	memset(r, 0, sizeof *r);
	r->in = in;
	r->format = format;
	if (format == ROWS_UNKNOWN) {
		int first = getc(in);

		while (first != EOF && isspace(first))
			first = getc(in);
		if (first != EOF)
			ungetc(first, in);
		r->format = first == '{' ? ROWS_NDJSON : ROWS_CSV;
	}
	csv_init(&r->csv, in);
	return r->format == ROWS_CSV ? rows_header(r) : ROWS_ROW;
}

void rows_close(struct rows *r)
{
	csv_fini(&r->csv);
	free(r->text);
	r->text = NULL;
}

static enum rows_result rows_next_csv(struct rows *r, struct arena *arena, struct row *ret_row)
{
	enum csv_result got = csv_read(&r->csv);
	Calloff__V1__Requirement *q;

	if (got == CSV_END)
		return ROWS_END;
	ret_row->line = r->csv.row_line;
	if (got == CSV_BAD) {
		snprintf(r->problem, sizeof r->problem, "%s", r->csv.problem);
		return ROWS_BAD;
	}
	if (r->csv.count != r->column_count) {
		snprintf(r->problem, sizeof r->problem, "%zu fields, but the header names %zu", r->csv.count,
			 r->column_count);
		return ROWS_BAD;
	}
	q = arena_array(arena, 1, sizeof *q);
	if (q == NULL) {
		snprintf(r->problem, sizeof r->problem, "the row is too large");
		return ROWS_BAD;
	}
	calloff__v1__requirement__init(q);
	for (size_t i = 0; i < r->column_count; i++) {
		const char *value = csv_field(&r->csv, i);

		if (value[0] != '\0' && !requirement_set(arena, q, r->columns[i], value, r->problem))
			return ROWS_BAD;
	}
	ret_row->fingerprint = rows_fingerprint(r->csv.buffer, r->csv.used);
	ret_row->requirement = q;
	return ROWS_ROW;
}

static enum rows_result rows_next_json(struct rows *r, struct arena *arena, struct row *ret_row)
{
	struct reflect_problem problem;
	ProtobufCMessage *message;
	ssize_t len;

	do {
		errno = 0;
		len = getline(&r->text, &r->text_size, r->in);
		if (len < 0)
			return ROWS_END;
		r->line++;
		while (len > 0 && isspace((unsigned char)r->text[len - 1]))
			len--;
	} while (len == 0);
	ret_row->line = r->line;
	if (len > ROWS_LINE_BYTES_MAX) {
		snprintf(r->problem, sizeof r->problem, "the line is longer than 1 MiB");
		return ROWS_BAD;
	}
	if (!reflect_parse(&calloff__v1__requirement__descriptor, r->text, (size_t)len, arena, &message,
			   &problem)) {
		snprintf(r->problem, sizeof r->problem, "%s%s%s (byte %zu)", problem.field,
			 problem.field[0] != '\0' ? ": " : "", problem.problem, problem.at);
		return ROWS_BAD;
	}
	ret_row->fingerprint = rows_fingerprint(r->text, (size_t)len);
	ret_row->requirement = (Calloff__V1__Requirement *)message;
	return ROWS_ROW;
}

enum rows_result rows_next(struct rows *r, struct arena *arena, struct row *ret_row)
{
	enum rows_result result;

	memset(ret_row, 0, sizeof *ret_row);
	r->problem[0] = '\0';
	result = r->format == ROWS_CSV ? rows_next_csv(r, arena, ret_row) : rows_next_json(r, arena, ret_row);
	if (result == ROWS_END && ferror(r->in)) {
		snprintf(r->problem, sizeof r->problem, "reading failed: %s", strerror(errno));
		return ROWS_BROKEN;
	}
	return result;
}
