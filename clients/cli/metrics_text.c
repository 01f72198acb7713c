#include "metrics_text.h"

#include "reflect.h"

#include <inttypes.h>
#include <string.h>

static void metrics_name(char *to, size_t size, const char *name, const char *unit)
{
	snprintf(to, size, "calloff_%s%s", name, unit);
	for (char *c = to; *c != '\0'; c++) {
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
			*c = '_';
	}
}

/* Backslash and line feed in every text; the quote in a label's value only. */
static void metrics_escaped(FILE *out, const char *text, bool quoted)
{
	char escaped[1024];
	size_t len = 0;

	for (; *text != '\0' && len + 2 < sizeof escaped; text++) {
		if (*text == '\n' || *text == '\\' || (quoted && *text == '"'))
			escaped[len++] = '\\';
		escaped[len++] = *text == '\n' ? 'n' : *text;
	}
	escaped[len] = '\0';
	format_clean(out, escaped); /* what is left of control characters and broken UTF-8 */
}

void metrics_family(struct metrics *m, const char *name, const char *unit, const char *type, const char *help)
{
	metrics_name(m->name, sizeof m->name, name, unit);
	m->type = type;
	if (m->json)
		return;
	fprintf(m->out, "# HELP %s ", m->name);
	metrics_escaped(m->out, help, false);
	fprintf(m->out, "\n# TYPE %s %s\n", m->name, type);
}

static void metrics_sample_json(const struct metrics *m, const char *suffix, const char *const *labels,
				const char *value)
{
	fprintf(m->out, "{\"name\":\"%s%s\",\"type\":\"%s\",\"labels\":{", m->name, suffix, m->type);
	for (size_t i = 0; labels[i] != NULL; i += 2) {
		fprintf(m->out, "%s\"%s\":", i > 0 ? "," : "", labels[i]);
		reflect_print_text(m->out, labels[i + 1]);
	}
	fprintf(m->out, "},\"value\":%s}\n", value);
}

void metrics_sample(struct metrics *m, const char *suffix, const char *const *labels, const char *value)
{
	if (m->json) {
		metrics_sample_json(m, suffix, labels, value);
		return;
	}
	fprintf(m->out, "%s%s", m->name, suffix);
	for (size_t i = 0; labels[i] != NULL; i += 2) {
		fprintf(m->out, "%c%s=\"", i > 0 ? ',' : '{', labels[i]);
		metrics_escaped(m->out, labels[i + 1], true);
		putc('"', m->out);
	}
	fprintf(m->out, "%s %s\n", labels[0] != NULL ? "}" : "", value);
}

struct text metrics_decimal(int64_t value, int decimals)
{
	struct text t;
	uint64_t size = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value, unit = 1;
	int len;

	for (int i = 0; i < decimals; i++)
		unit *= 10;
	len = snprintf(t.s, sizeof t.s, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", size / unit, decimals,
		       size % unit);
	while (len > 0 && t.s[len - 1] == '0' && strchr(t.s, '.') != NULL)
		t.s[--len] = '\0';
	if (len > 0 && t.s[len - 1] == '.')
		t.s[len - 1] = '\0';
	return t;
}
