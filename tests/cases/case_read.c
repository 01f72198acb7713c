#include "case_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

_Noreturn void reading_fail(const struct reading *r, const char *expected)
{
	fprintf(stderr, "%s:%d: expected %s", r->c->path, r->line, expected);
	if (r->at > 0)
		fprintf(stderr, " after \"%s\"", r->words[r->at - 1]);
	if (r->at < r->count)
		fprintf(stderr, ", found \"%s\"", r->words[r->at]);
	fprintf(stderr, "\n");
	exit(2);
}

bool reading_more(const struct reading *r)
{
	return r->at < r->count;
}

const char *reading_word(struct reading *r, const char *expected)
{
	if (!reading_more(r))
		reading_fail(r, expected);
	return r->words[r->at++];
}

bool reading_is(struct reading *r, const char *word)
{
	if (!reading_more(r) || strcmp(r->words[r->at], word) != 0)
		return false;
	r->at++;
	return true;
}

void reading_end(const struct reading *r)
{
	if (reading_more(r))
		reading_fail(r, "the end of the line");
}

int reading_number(struct reading *r, const char *expected)
{
	char *end;
	long number = reading_more(r) ? strtol(r->words[r->at], &end, 10) : -1;

	if (number < 0 || number > 1000000 || *end != '\0')
		reading_fail(r, expected);
	r->at++;
	return (int)number;
}

int reading_within(struct reading *r, int low, int high, const char *expected)
{
	int number = reading_number(r, expected);

	if (number < low || number > high) {
		r->at--;
		reading_fail(r, expected);
	}
	return number;
}

int reading_pence(struct reading *r)
{
	int pounds, pence, used = 0;

	if (!reading_more(r) || sscanf(r->words[r->at], "%6d.%2d%n", &pounds, &pence, &used) != 2 ||
	    r->words[r->at][used] != '\0' || pounds < 0 || pence < 0)
		reading_fail(r, "a price like 21.50");
	r->at++;
	return pounds * 100 + pence;
}

static int reading_unit_seconds(struct reading *r)
{
	static const struct {
		const char *word;
		int seconds;
	} units[] = {{"days", CASE_DAY_SECONDS}, {"day", CASE_DAY_SECONDS}, {"hours", 3600}, {"hour", 3600},
		     {"minutes", 60}, {"minute", 60}};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (reading_is(r, units[i].word))
			return units[i].seconds;
	reading_fail(r, "days, hours or minutes");
}

int64_t reading_when(struct reading *r)
{
	bool ahead = reading_is(r, "in");
	int64_t seconds;

	if (!ahead && (reading_is(r, "now") || reading_is(r, "today")))
		return 0;
	seconds = reading_number(r, "\"in 2 days\", \"3 days ago\" or \"now\"");
	seconds *= reading_unit_seconds(r);
	if (ahead)
		return seconds;
	if (!reading_is(r, "ago"))
		reading_fail(r, "\"ago\"");
	return -seconds;
}

int reading_of(struct reading *r, int (*of)(const char *), const char *expected)
{
	int number = of(reading_word(r, expected));

	if (number < 0) {
		r->at--;
		reading_fail(r, expected);
	}
	return number;
}

/* One of the words between '+' or '|' marks: writes it, returns what follows it or NULL at the end. */
static const char *part(const char *from, char *ret, size_t size)
{
	size_t len = strcspn(from, "+|");

	snprintf(ret, size, "%.*s", (int)len, from);
	return from[len] != '\0' ? from + len + 1 : NULL;
}

uint8_t reading_days(struct reading *r)
{
	static const struct {
		const char *word;
		uint8_t days;
	} words[] = {{"mon", 1}, {"tue", 2}, {"wed", 4}, {"thu", 8}, {"fri", 16}, {"sat", 32}, {"sun", 64},
		     {"daily", 127}, {"weekdays", 31}, {"weekend", 96}};
	uint8_t days = 0;

	for (const char *at = reading_word(r, "days"); at != NULL;) {
		char word[16];
		uint8_t found = 0;

		at = part(at, word, sizeof word);
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			found |= strcmp(words[i].word, word) == 0 ? words[i].days : 0;
		if (found == 0)
			reading_fail(r, "days: daily, weekdays, weekend or mon+wed+fri");
		days |= found;
	}
	return days;
}

uint8_t reading_bands(struct reading *r)
{
	uint8_t bands = 0;

	if (reading_is(r, "any"))
		return 255;
	for (const char *at = reading_word(r, "bands"); at != NULL;) {
		char word[16];
		int band;

		at = part(at, word, sizeof word);
		band = band_of(word);
		if (band < 0)
			reading_fail(r, "bands: early morning midmorning lunch afternoon tea bed night, tea|bed or any");
		bands |= (uint8_t)(1u << band);
	}
	return bands;
}

const char *reading_keep(struct reading *r, const char *text)
{
	struct case_file *c = r->c;
	size_t len = strlen(text) + 1;
	char *kept = c->texts + c->texts_used;

	if (c->texts_used + len > sizeof c->texts)
		reading_fail(r, "a shorter file");
	memcpy(kept, text, len);
	c->texts_used += len;
	return kept;
}

const char *reading_sector(struct reading *r)
{
	char sector[CASE_LINE_BYTES * 2];

	snprintf(sector, sizeof sector, "%s %s", reading_word(r, "a sector like CM0 7"), "");
	snprintf(sector + strlen(sector), 16, "%.10s", reading_word(r, "a sector like CM0 7"));
	return reading_keep(r, sector);
}

/* ---- lines ---- */

/* Commas, colons and brackets only part words. */
static void reading_split(struct reading *r, const char *line)
{
	char *at;

	snprintf(r->text, sizeof r->text, "%s", line);
	r->count = r->at = 0;
	for (at = strtok(r->text, " \t,:[]"); at != NULL; at = strtok(NULL, " \t,:[]")) {
		if (strlen(at) > REF_BYTES_MAX)
			reading_fail(r, "words of at most 64 characters"); /* as the wire has it */
		r->words[r->count++] = at;
	}
	r->detail = line[0] == ' ' || line[0] == '\t';
}

static void reading_line(struct reading *r, const char *line, bool *in_event)
{
	const char *trace = line + strspn(line, " \t");

	if (*trace == '>') {
		event_trace(r, trace + 1 + strspn(trace + 1, " "));
		return;
	}
	reading_split(r, line);
	if (r->count == 0)
		return;
	if (!r->detail && line[0] == '[') {
		*in_event = true;
		event_statement(r);
		snprintf(r->c->events[r->c->event_count - 1].text, CASE_LINE_BYTES, "%s", line);
	} else if (r->detail) {
		if (!(*in_event ? event_detail(r) : market_detail(r))) {
			r->at = 0;
			reading_fail(r, "a detail of the statement above");
		}
	} else if (*in_event || !market_statement(r, reading_word(r, "a statement"))) {
		r->at = 0;
		reading_fail(r, *in_event ? "an event like \"[ 0s] submit\"" : "a statement of the framework");
	}
	reading_end(r);
}

void case_read_stream(struct case_file *c, const char *path, FILE *f, int64_t base_us)
{
	static struct reading r;
	char line[CASE_LINE_BYTES];
	bool in_event = false;

	memset(c, 0, sizeof *c);
	c->path = path;
	c->base_us = base_us;
#define X(type, name) c->rows.name = c->name;
	FRAMEWORK_TABLES(X)
#undef X
	c->rows.coverages = c->more_coverages;
	c->rows.version = 1;
	r = (struct reading){.c = c};
	market_statement(&r, ""); /* the defaults */
	while (fgets(line, sizeof line, f) != NULL) {
		size_t len = strlen(line);

		r.line++;
		if (len + 1 == sizeof line && line[len - 1] != '\n')
			reading_fail(&r, "a line of at most 198 characters");
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		if (line[0] != '#')
			reading_line(&r, line, &in_event);
	}
	r.at = r.count = 0;
	if (c->event_count == 0)
		reading_fail(&r, "at least one event");
}

void case_read(struct case_file *c, const char *path, int64_t base_us)
{
	FILE *f = fopen(path, "r");

	if (f == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(2);
	}
	case_read_stream(c, path, f, base_us);
	fclose(f);
}
