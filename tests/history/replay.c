/* replay.c — the journal of a capture through the independently written model: rules 5 and 7, and what rules 6 and 8 ask.
 *
 *	history_replay DIR [--naive]
 *
 * Reads    DIR/framework.tsv  every version of the framework, as it was committed
 *          DIR/start.tsv      capacity, packages and live placements before the first event
 *          DIR/journal.tsv    the rows of the journal
 *          DIR/wanted.tsv     what was read: "package N", or "counts SEQ" in ascending order; may be missing
 * Writes   DIR/replayed.tsv   the rows that the database must hold at the end
 *          DIR/states.tsv     how each wanted package read after each event that touched it; the counts at each wanted seq
 *          stdout             "looked TAB what TAB count" and at most one "violation TAB rule TAB seq TAB what"
 * Exit     0 no difference, 1 a difference (the replay stops there), 69 this capture cannot be judged, 70 own fault
 */
#include "replay.h"

#include "index.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_POOLS_EVERY = 4096, JOURNAL_FIELDS = 10, HASHES_BYTES_MAX = 1 << 20 };

struct seen seen;

static struct {
	FILE *states;
	unsigned char *packages; /* by number: 1 wanted */
	int64_t package_n;
	int64_t *counts;
	size_t count_n, count_at;
} wanted;

int violated(int rule, int64_t seq, const char *format, ...)
{
	va_list arguments;

	printf("violation\t%d\t%lld\t", rule, (long long)seq);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	return 0;
}

int same(const struct record *e, const char *what, int at, long long model, long long record)
{
	if (model == record)
		return 1;
	if (at < 0)
		return violated(5, e->seq, "%s: the model says %lld, the record %lld", what, model, record);
	return violated(5, e->seq, "%s %d: the model says %lld, the record %lld", what, at, model, record);
}

void touch(struct touched *t, int64_t package)
{
	if (t->package_n < 4)
		t->packages[t->package_n++] = package;
}

/* ---- files ---- */

static FILE *file_open(const char *directory, const char *name, const char *mode)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return fopen(path, mode);
}

static FILE *file_need(const char *directory, const char *name, const char *mode)
{
	FILE *f = file_open(directory, name, mode);

	if (f == NULL)
		cannot_judge("%s/%s cannot be opened", directory, name);
	return f;
}

/* Capacity, then packages, then placements: in this order in the file. */
static void start_read(const char *directory)
{
	FILE *f = file_need(directory, "start.tsv", "r");
	char *fields[COUNTY_FIELDS_MAX], *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, f) >= 0) {
		char *rest = strchr(line, '\t');

		if (rest == NULL)
			cannot_judge("a line of start.tsv without a table");
		*rest++ = '\0';
		if (strcmp(line, "capacity") == 0) {
			fields_of(rest, fields, CAPACITY_FIELDS, line);
			county_capacity(fields);
		} else if (strcmp(line, "package") == 0) {
			fields_of(rest, fields, PACKAGE_FIELDS, line);
			people_package(fields);
		} else if (strcmp(line, "placement") == 0) {
			fields_of(rest, fields, PLACEMENT_FIELDS, line);
			people_placement(fields);
		} else {
			cannot_judge("start.tsv: table \"%s\"", line);
		}
	}
	people_join();
	free(line);
	fclose(f);
}

static void wanted_read(const char *directory)
{
	FILE *f = file_open(directory, "wanted.tsv", "r");
	char what[16];
	long long number;

	while (f != NULL && fscanf(f, "%15s %lld", what, &number) == 2) {
		if (strcmp(what, "counts") == 0) {
			wanted.counts = realloc(wanted.counts, (wanted.count_n + 1) * sizeof *wanted.counts);
			if (wanted.counts == NULL)
				cannot_judge("out of memory");
			wanted.counts[wanted.count_n++] = number;
			continue;
		}
		if (number >= wanted.package_n) {
			int64_t size = number * 2 + 1024;

			wanted.packages = realloc(wanted.packages, (size_t)size);
			if (wanted.packages == NULL)
				cannot_judge("out of memory");
			memset(wanted.packages + wanted.package_n, 0, (size_t)(size - wanted.package_n));
			wanted.package_n = size;
		}
		wanted.packages[number] = 1;
	}
	if (f != NULL)
		fclose(f);
}

/* ---- what readers saw ---- */

static void placement_state(int place)
{
	const struct model_placement *p = &county.market.placements[place];
	int minutes = model_placement_minutes_week(p);

	fprintf(wanted.states, "%d,%d,%d,%d,%d,%d,%d,%d,%lld,%d,%d,", p->role, p->provider, p->route, county.held[place].tier,
		county.held[place].rank, p->list, p->pool, minutes, model_price_pence_week(minutes, p->price_pence_hour),
		p->package.start_day, p->exit_day);
	for (int i = 0; i < p->package.visit_n; i++)
		fprintf(wanted.states, "%s%d", i > 0 ? "." : "", p->bands[i]);
}

static void states_write(const struct record *e, const struct touched *t)
{
	for (int i = 0; i < t->package_n; i++) {
		int64_t number = t->packages[i];
		const struct person *p = person_find(number);
		int place;

		if (number >= wanted.package_n || !wanted.packages[number])
			continue;
		if (p == NULL) {
			fprintf(wanted.states, "package\t%lld\t%lld\t%d\t%lld\t\n", (long long)number, (long long)e->seq,
				e->told.state, (long long)e->seq);
			continue;
		}
		fprintf(wanted.states, "package\t%lld\t%lld\t%d\t%lld\t", (long long)number, (long long)e->seq, p->state,
			(long long)p->changed_seq);
		place = model_placement_find(&county.market, (int)number);
		if (place >= 0)
			placement_state(place);
		fputc('\n', wanted.states);
	}
}

static void counts_write(int64_t seq)
{
	for (; wanted.count_at < wanted.count_n && wanted.counts[wanted.count_at] <= seq; wanted.count_at++) {
		if (wanted.counts[wanted.count_at] != seq)
			continue;
		fprintf(wanted.states, "counts\t%lld\t", (long long)seq);
		for (int state = STATE_SUBMITTED; state <= STATE_VOID; state++)
			fprintf(wanted.states, "%lld,", people_counts.states[state]);
		fputc('\t', wanted.states);
		for (int route = ROUTE_FRAMEWORK; route <= ROUTE_POLR; route++)
			for (int role = ROLE_MAIN; role <= ROLE_OUTGOING; role++)
				fprintf(wanted.states, "%lld:%lld,", people_counts.routes[route][role].placements,
					people_counts.routes[route][role].carer_minutes_week);
		fputc('\n', wanted.states);
	}
}

/* ---- the journal ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of one record, up to the comma or the end; returns how many, -1 for what is not hexadecimal. */
static long record_bytes(const char *hex, uint8_t *bytes, size_t size, const char **ret_end)
{
	size_t count = 0;

	for (; *hex != ',' && *hex != '\0'; hex += 2) {
		int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);

		if (low < 0 || count == size)
			return -1;
		bytes[count++] = (uint8_t)(high << 4 | low);
	}
	*ret_end = hex;
	return (long)count;
}

static int event_replay(const struct record *e)
{
	struct touched t = {0};
	int agreed;

	seen.events++;
	if (!ledger_event(e))
		return 0;
	agreed = e->type == RECORD_SUBMIT    ? event_submit(e, &t)
		 : e->type == RECORD_DECLARE ? event_declare(e)
					     : event_change(e, &t);
	if (!agreed || !ledger_touched(e))
		return 0;
	states_write(e, &t);
	counts_write(e->seq);
	return seen.events % ALL_POOLS_EVERY != 0 || ledger_all(e->seq);
}

static int record_replay(int64_t seq, int64_t framework_version, const uint8_t *bytes, long len)
{
	static struct record e;
	static int64_t now_us;

	if (len == 0)
		cannot_judge("the record of event %lld was erased: what came after it cannot be replayed", (long long)seq);
	if (len < 0 || !record_read(bytes, (size_t)len, &e))
		return violated(5, seq, "the record cannot be read");
	if (e.rules_version != 1)
		cannot_judge("event %lld was decided by rules version %d, the model has version 1", (long long)seq,
			     e.rules_version);
	if (e.seq != seq)
		return violated(7, seq, "the record says that it is event %lld", (long long)e.seq);
	if (e.framework_version != framework_version)
		return violated(7, seq, "the record names framework %lld, its row %lld", (long long)e.framework_version,
				(long long)framework_version);
	if (e.now_us < now_us)
		return violated(7, seq, "the clock went back");
	now_us = e.now_us;
	if (county.framework_version != framework_version) {
		county_framework(framework_version);
		index_framework(&county.market);
		seen.frameworks++;
	}
	return event_replay(&e);
}

static int journal_replay(const char *directory)
{
	static uint8_t bytes[HASHES_BYTES_MAX];
	FILE *f = file_need(directory, "journal.tsv", "r");
	char *fields[JOURNAL_FIELDS], *line = NULL;
	size_t size = 0;
	int agreed = 1;

	while (agreed && getline(&line, &size, f) >= 0) {
		const char *at;
		int64_t last;

		fields_of(line, fields, JOURNAL_FIELDS, "journal.tsv");
		last = number_of(fields[1]);
		if (seen.events == 0)
			counts_write(number_of(fields[0]) - 1); /* as it stood at the start */
		at = fields[9];
		for (int64_t seq = number_of(fields[0]); agreed && seq <= last; seq++) {
			long len = record_bytes(at, bytes, sizeof bytes, &at);

			agreed = record_replay(seq, number_of(fields[4]), bytes, len);
			if (*at == ',')
				at++;
		}
	}
	free(line);
	fclose(f);
	return agreed;
}

static void report(void)
{
	printf("looked\tevents\t%lld\nlooked\tdecisions\t%lld\nlooked\tcandidates\t%lld\nlooked\trefusals\t%lld\n", seen.events,
	       seen.decisions, seen.candidates, seen.refusals);
	printf("looked\tplacements\t%lld\nlooked\tchanges\t%lld\nlooked\tdeclarations\t%lld\n", seen.placements, seen.changes,
	       seen.declarations);
	printf("looked\tcells\t%lld\nlooked\tpools\t%lld\nlooked\tframeworks\t%lld\nlooked\tindex_cross_checks\t%lld\n", seen.cells,
	       seen.pools, seen.frameworks, index_cross_checks());
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : NULL;
	char path[4096];
	int agreed;

	if (directory == NULL || argc > 3 || (argc == 3 && strcmp(argv[2], "--naive") != 0)) {
		fprintf(stderr, "usage: history_replay DIR [--naive]\n");
		return 64;
	}
	if (argc == 3)
		index_off();
	snprintf(path, sizeof path, "%s/framework.tsv", directory);
	county_open(path);
	index_framework(&county.market);
	rows_file = file_need(directory, "replayed.tsv", "w");
	wanted.states = file_need(directory, "states.tsv", "w");
	start_read(directory);
	wanted_read(directory);
	agreed = ledger_all(0) && journal_replay(directory) && ledger_all(0);
	people_rows();
	if (fclose(rows_file) != 0 || fclose(wanted.states) != 0)
		cannot_judge("the results cannot be written");
	report();
	return agreed ? 0 : EXIT_VIOLATED;
}
