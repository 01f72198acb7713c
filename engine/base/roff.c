#include "base/roff.h"

#include <stdbool.h>
#include <string.h>

static void roff_escaped(FILE *out, const char *text, size_t len)
{
	bool start = true;

	for (size_t i = 0; i < len; i++) {
		if (start && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", out);
		start = text[i] == '\n';
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else if (text[i] == '\'')
			fputs("\\(aq", out);
		else
			putc(text[i], out);
	}
}

void roff_title(FILE *out, const char *name, const char *section, const char *what)
{
	fprintf(out, ".TH %s %s\n.SH NAME\n%s \\- ", name, section, name);
	roff_escaped(out, what, strlen(what));
	putc('\n', out);
}

static void roff_heading(FILE *out, const char *macro, const char *heading)
{
	fprintf(out, ".%s\n", macro); /* without words, the heading is the next line */
	roff_escaped(out, heading, strlen(heading));
	putc('\n', out);
}

void roff_section(FILE *out, const char *heading)
{
	roff_heading(out, "SH", heading);
}

void roff_subsection(FILE *out, const char *heading)
{
	roff_heading(out, "SS", heading);
}

void roff_text(FILE *out, const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	fputs(".PP\n", out);
	roff_escaped(out, text, len);
	putc('\n', out);
}

void roff_block(FILE *out, const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	fputs(".PP\n.nf\n", out);
	roff_escaped(out, text, len);
	fputs("\n.fi\n", out);
}

void roff_term(FILE *out, const char *term, const char *value, const char *text)
{
	fputs(".TP\n\\fB", out);
	roff_escaped(out, term, strlen(term));
	fputs("\\fR", out);
	if (value != NULL) {
		fputs(" \\fI", out);
		roff_escaped(out, value, strlen(value));
		fputs("\\fR", out);
	}
	putc('\n', out);
	roff_escaped(out, text, strlen(text));
	putc('\n', out);
}
