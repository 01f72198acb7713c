#include "table.h"

#include "base/check.h"
#include "format.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void table_begin_headless(struct table *t, FILE *out, bool aligned, const char *columns)
{
	memset(t, 0, sizeof *t);
	t->out = out;
	t->aligned = aligned;
	while (*columns != '\0') {
		size_t len = strcspn(columns, " ");

		INSIST(t->columns < TABLE_COLUMNS_MAX);
		t->right[t->columns] = columns[0] == '>';
		columns += t->right[t->columns];
		len -= t->right[t->columns];
		snprintf(t->names[t->columns++], sizeof t->names[0], "%.*s", (int)len, columns);
		columns += len;
		columns += strspn(columns, " ");
	}
}

void table_begin(struct table *t, FILE *out, bool aligned, const char *columns)
{
	table_begin_headless(t, out, aligned, columns);
	for (size_t i = 0; i < t->columns && !aligned; i++)
		fprintf(out, "%s%s", t->names[i], i + 1 < t->columns ? "\t" : "\n");
}

void table_text(struct table *t, const char *text)
{
	if (!t->aligned) {
		format_clean(t->out, text);
		t->count++;
		putc(t->count % t->columns == 0 ? '\n' : '\t', t->out);
		return;
	}
	if (t->count == t->size) {
		t->size = t->size == 0 ? 256 : t->size * 2;
		t->cells = realloc(t->cells, t->size * sizeof *t->cells);
		INSIST(t->cells != NULL);
	}
	t->cells[t->count] = strdup(text);
	INSIST(t->cells[t->count] != NULL);
	t->count++;
}

void table_cell(struct table *t, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	table_text(t, text);
}

static size_t table_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void table_print_row(const struct table *t, const char *const *cells, const size_t *widths)
{
	for (size_t i = 0; i < t->columns; i++) {
		bool last = i + 1 == t->columns;
		size_t width = table_width(cells[i]);
		int pad = width < widths[i] ? (int)(widths[i] - width) : 0;

		if (t->right[i])
			fprintf(t->out, "%*s", pad, "");
		format_clean(t->out, cells[i]);
		if (!last)
			fprintf(t->out, "%*s", (t->right[i] ? 0 : pad) + 2, "");
	}
	putc('\n', t->out);
}

void table_end(struct table *t, const char *only_empty)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};
	const char *names[TABLE_COLUMNS_MAX];

	INSIST(t->count % t->columns == 0);
	if (!t->aligned)
		return;
	if (t->count == 0 && only_empty != NULL) {
		fprintf(t->out, "%s%s", only_empty, only_empty[0] != '\0' ? "\n" : "");
		return;
	}
	for (size_t i = 0; i < t->columns; i++) {
		names[i] = t->names[i];
		widths[i] = table_width(t->names[i]);
	}
	for (size_t i = 0; i < t->count; i++) {
		size_t width = table_width(t->cells[i]);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	table_print_row(t, names, widths);
	for (size_t i = 0; i < t->count; i += t->columns)
		table_print_row(t, (const char *const *)t->cells + i, widths);
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->count = t->size = 0;
}
