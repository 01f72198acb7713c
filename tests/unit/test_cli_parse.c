/* What a person types or a spreadsheet holds: visits, cells, money, instants, CSV, options, keys kept in a file. */
#include "kit/kit.h"

#include "cells.h"
#include "csv.h"
#include "keys.h"
#include "options.h"
#include "requirement.h"
#include "rows.h"
#include "visits.h"
#include "when.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

KIT_SUITE(visits);
KIT_SUITE(cells);
KIT_SUITE(requirement);
KIT_SUITE(when);
KIT_SUITE(csv);
KIT_SUITE(rows);
KIT_SUITE(options);
KIT_SUITE(keys);

static unsigned char memory[256 * 1024];
static struct arena arena;
static Calloff__V1__Visit **visits;
static size_t visit_count;
static char why[VISITS_PROBLEM_BYTES];

static bool parse_visits(const char *text)
{
	arena = (struct arena){memory, sizeof memory, 0};
	visits = NULL;
	visit_count = 0;
	return visits_parse(&arena, text, &visits, &visit_count, why);
}

Test(visits, the_short_form_is_read_in_full)
{
	const Calloff__V1__Visit *v;

	cr_assert(parse_visits("daily:morning:45x2:critical:+-30; mon,wed,fri:tea|bed:30 ;sat-mon:lunch:15:shared;"), "%s", why);
	cr_assert_eq(visit_count, 3);
	v = visits[0];
	cr_expect(v->days == 127 && v->band == CALLOFF__V1__BAND__BAND_MORNING && v->minutes == 45 && v->carers == 2);
	cr_expect(v->time_critical && v->tolerance_minutes == 30 && v->n_also_bands == 0 && !v->shared_with_bundle);
	v = visits[1];
	cr_expect(v->days == 21 && v->band == CALLOFF__V1__BAND__BAND_TEA && v->minutes == 30 && v->carers == 1);
	cr_expect(v->n_also_bands == 1 && v->also_bands[0] == CALLOFF__V1__BAND__BAND_BED && !v->time_critical);
	cr_expect_eq(visits[2]->days, 0x61);
	cr_expect(visits[2]->shared_with_bundle);
}

Test(visits, days_have_names_ranges_and_shorthands)
{
	static const struct {
		const char *text;
		uint32_t days;
	} good[] = {{"daily", 127}, {"weekdays", 31}, {"weekend", 96}, {"Tuesday", 2}, {"thurs", 8}, {"mon-fri", 31},
		    {"fri-mon", 0x71}, {"mon,mon", 1}, {"weekdays,sun", 0x5f}};
	static const char *const bad[] = {"", "mo", "day", "mon-", "-fri", "mon,", "mon-xyz", "mondayy"};
	uint32_t days;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		cr_expect(visits_parse_days(good[i].text, strlen(good[i].text), &days), "%s", good[i].text);
		cr_expect_eq(days, good[i].days, "%s: %x", good[i].text, days);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_not(visits_parse_days(bad[i], strlen(bad[i]), &days), "\"%s\" was taken", bad[i]);
}

Test(visits, what_is_wrong_is_refused_with_the_part)
{
	static const char *const bad[][2] = {
		{"", "days"},
		{"daily", "DAYS:BAND:MINUTES"},
		{"daily:morning", "DAYS:BAND:MINUTES"},
		{"someday:morning:30", "someday"},
		{"daily:brunch:30", "brunch"},
		{"daily:tea|:30", "band"},
		{"daily:tea:", "minutes"},
		{"daily:tea:0", "minutes"},
		{"daily:tea:30x", "30x"},
		{"daily:tea:30x0", "30x0"},
		{"daily:tea:30 minutes", "30 minutes"},
		{"daily:tea:1441", "1441"},
		{"daily:tea:99999999999", "99999999999"},
		{"daily:tea:30:urgent", "urgent"},
		{"daily:tea:30:+-", "+-"},
		{"daily:unspecified:30", "unspecified"},
		{"daily:tea:30;;daily:bed:30", "days"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cr_expect_not(parse_visits(bad[i][0]), "\"%s\" was taken", bad[i][0]);
		cr_expect_not_null(strstr(why, bad[i][1]), "%s: %s", bad[i][0], why);
	}
}

Test(visits, a_week_has_at_most_thirty_two_lines)
{
	char text[33 * 20] = "";

	for (int i = 0; i < 33; i++)
		strcat(text, "mon:tea:30;");
	cr_expect_not(parse_visits(text));
	cr_expect_eq(visit_count, 32);
}

Test(visits, what_is_written_reads_back)
{
	static const char *const texts[] = {"daily:morning:45x2:critical:+-30", "mon,wed,fri:tea|bed:30", "mon-fri:lunch:15",
					    "sat,sun:night:60:shared"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char again[100] = "";
		FILE *out = fmemopen(again, sizeof again, "w");

		cr_assert(parse_visits(texts[i]));
		visits_format(out, visits[0]);
		fclose(out);
		cr_expect_str_eq(again, texts[i]);
	}
}

Test(cells, days_planes_and_bands_in_any_order)
{
	struct cells cells;
	char problem[CELLS_PROBLEM_BYTES];

	cr_assert(cells_parse(&cells, "mon-fri:morning=240,paired:bed=60\nmon,wed:lunch|tea = 30 # remark\n\n", problem), "%s",
		  problem);
	cr_expect_eq(cells.count, 5 + 7 + 4);
	cr_expect_eq(cells.minutes[0][4 * 8 + 1], 240);
	cr_expect_eq(cells.minutes[0][5 * 8 + 1], 0);
	cr_expect_eq(cells.minutes[1][6 * 8 + 6], 60);
	cr_expect_eq(cells.minutes[0][2 * 8 + 5], 30);
}

Test(cells, what_is_wrong_is_refused)
{
	static const char *const bad[] = {"morning", "morning=", "morning=x", "morning=1x", "=5", "mon=5", "noon=5",
					  "morning=5,morning=6", "daily:morning=5;mon:morning=1", "morning=150001",
					  "mon:tue:wed:x=1"};
	struct cells cells;
	char problem[CELLS_PROBLEM_BYTES];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_not(cells_parse(&cells, bad[i], problem), "\"%s\" was taken", bad[i]);
}

static const char *set(Calloff__V1__Requirement *r, const char *name, const char *value)
{
	static char problem[REQUIREMENT_PROBLEM_BYTES];

	return requirement_set(&arena, r, name, value, problem) ? NULL : problem;
}

Test(requirement, every_field_has_an_option_and_sets_its_own)
{
	static const char *const values[][2] = {
		{"case", "C-1"}, {"person", "X"}, {"household", "H"}, {"owner", "o"}, {"bundle", "B"}, {"sector", "CM0 7"},
		{"district", "Maldon"}, {"service", "live_in"}, {"group", "memory"}, {"visit", "daily:tea:30"},
		{"skill", "peg; stoma"}, {"gender", "female"}, {"language", "pl"}, {"exclude", "PRV-1:person"},
		{"urgency", "standard"}, {"risk", "red"}, {"cover", "none"}, {"cover-until", "2026-12-19 14:00"},
		{"need-arose", "2026-12-17"}, {"start", "2026-12-19"}, {"latest-start", "2026-12-20T08:00Z"},
		{"ceiling", "24.5"}, {"funding", "chc"}, {"regime", "s117"}, {"equipment", ""}, {"key-safe", "yes"},
	};
	Calloff__V1__Requirement r = CALLOFF__V1__REQUIREMENT__INIT;

	arena = (struct arena){memory, sizeof memory, 0};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		cr_expect_null(set(&r, values[i][0], values[i][1]), "%s", values[i][0]);
	cr_expect_eq(sizeof values / sizeof values[0], calloff__v1__requirement__descriptor.n_fields);
	cr_expect_eq(r.ceiling_pence_hour, 2450);
	cr_expect_eq(r.n_skills, 2);
	cr_expect_str_eq(r.skills[1], "stoma");
	cr_expect_str_eq(r.excluded[0]->reason, "person");
	cr_expect(r.needs_equipment && r.needs_key_safe);
}

Test(requirement, a_wrong_value_is_refused_by_its_field)
{
	static const char *const bad[][2] = {{"urgency", "soon"},   {"start", "2026-02-30"}, {"start", "19/12/2026"},
					     {"ceiling", "24.555"}, {"ceiling", "24,5"},     {"ceiling", "-1"},
					     {"ceiling", ".5"},	    {"key-safe", "maybe"},   {"exclude", "PRV-1"},
					     {"exclude", ":x"},	    {"cover-until", "noon"}, {"nosuch", "1"},
					     {"person", "\xff"}};
	Calloff__V1__Requirement r = CALLOFF__V1__REQUIREMENT__INIT;

	arena = (struct arena){memory, sizeof memory, 0};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_not_null(set(&r, bad[i][0], bad[i][1]), "%s %s was taken", bad[i][0], bad[i][1]);
}

Test(when, local_time_follows_summer_time)
{
	int64_t us;

	setenv("TZ", "GMT0BST,M3.5.0/1,M10.5.0", 1);
	tzset();
	cr_assert(when_parse_us("2026-12-19 14:00", &us));
	cr_expect_eq(us, INT64_C(1797688800000000));
	cr_assert(when_parse_us("2026-07-01 14:00", &us));
	cr_expect_eq(us, INT64_C(1782910800000000));
	cr_assert(when_parse_us("2026-07-01T13:00Z", &us));
	cr_expect_eq(us, INT64_C(1782910800000000));
	cr_expect_not(when_parse_us("2026-03-29 01:30", &us)); /* the hour that does not exist */
	cr_expect_not(when_parse_us("2026-02-29", &us));
	cr_expect_not(when_parse_us("2026-12-19 24:00", &us));
	cr_expect_not(when_parse_us("2026-12-19T14:00+1", &us));
	cr_expect_not(when_parse_us("2026-12-19 14:00 ", &us));
}

static struct csv csv;

static FILE *open_text(const char *text)
{
	return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

Test(csv, quotes_line_ends_and_a_bom_are_understood)
{
	FILE *in = open_text("\xef\xbb\xbf" "a,b\r\n\r\n\"x, \"\"y\"\"\n2\",\r\nlast,\"\"");

	csv_init(&csv, in);
	cr_assert_eq(csv_read(&csv), CSV_ROW);
	cr_expect(csv.count == 2 && strcmp(csv_field(&csv, 0), "a") == 0 && csv.row_line == 1);
	cr_assert_eq(csv_read(&csv), CSV_ROW);
	cr_expect_str_eq(csv_field(&csv, 0), "x, \"y\"\n2");
	cr_expect_str_eq(csv_field(&csv, 1), "");
	cr_expect_eq(csv.row_line, 3);
	cr_assert_eq(csv_read(&csv), CSV_ROW);
	cr_expect(csv.count == 2 && strcmp(csv_field(&csv, 1), "") == 0 && csv.row_line == 5);
	cr_expect_eq(csv_read(&csv), CSV_END);
	csv_fini(&csv);
	fclose(in);
}

Test(csv, a_bad_record_does_not_end_the_file)
{
	FILE *in = open_text("a\"b,c\n\"a\"b,c\ngood,1\n\"open,2\n");

	csv_init(&csv, in);
	cr_expect_eq(csv_read(&csv), CSV_BAD);
	cr_expect_eq(csv_read(&csv), CSV_BAD);
	cr_assert_eq(csv_read(&csv), CSV_ROW);
	cr_expect_str_eq(csv_field(&csv, 0), "good");
	cr_expect_eq(csv.row_line, 3);
	cr_expect_eq(csv_read(&csv), CSV_BAD);
	cr_expect_eq(csv_read(&csv), CSV_END);
	csv_fini(&csv);
	fclose(in);
}

Test(rows, a_bad_row_names_its_line_and_the_rest_goes_on)
{
	FILE *in = open_text("case,visits,key-safe\nC-1,daily:tea:30;mon:bed:15,yes\nC-2,daily:brunch:30,\nC-3,daily:tea:30,\n");
	struct rows rows;
	struct row row;

	arena = (struct arena){memory, sizeof memory, 0};
	cr_assert_eq(rows_open(&rows, in, ROWS_UNKNOWN), ROWS_ROW);
	cr_assert_eq(rows_next(&rows, &arena, &row), ROWS_ROW);
	cr_expect(row.requirement->n_visits == 2 && row.requirement->needs_key_safe && row.line == 2);
	cr_assert_eq(rows_next(&rows, &arena, &row), ROWS_BAD);
	cr_expect_eq(row.line, 3);
	cr_expect_not_null(strstr(rows.problem, "brunch"));
	cr_assert_eq(rows_next(&rows, &arena, &row), ROWS_ROW);
	cr_expect(!row.requirement->needs_key_safe);
	cr_expect_eq(rows_next(&rows, &arena, &row), ROWS_END);
	rows_close(&rows);
	fclose(in);
}

Test(rows, an_unknown_column_is_refused_before_any_row)
{
	FILE *in = open_text("case,nhs_number\nC-1,1\n");
	struct rows rows;

	cr_expect_eq(rows_open(&rows, in, ROWS_UNKNOWN), ROWS_BROKEN);
	cr_expect_not_null(strstr(rows.problem, "nhs_number"));
	rows_close(&rows);
	fclose(in);
}

Test(rows, ndjson_is_known_by_its_first_byte)
{
	FILE *in = open_text("{\"case_ref\":\"C-1\"}\n\n{\"case_ref\":}\n{\"case_ref\":\"C-3\"}");
	struct rows rows;
	struct row row;

	arena = (struct arena){memory, sizeof memory, 0};
	cr_assert_eq(rows_open(&rows, in, ROWS_UNKNOWN), ROWS_ROW);
	cr_expect_eq(rows_next(&rows, &arena, &row), ROWS_ROW);
	cr_expect_eq(rows_next(&rows, &arena, &row), ROWS_BAD);
	cr_expect_eq(row.line, 3);
	cr_assert_eq(rows_next(&rows, &arena, &row), ROWS_ROW);
	cr_expect_str_eq(row.requirement->case_ref, "C-3");
	cr_expect_eq(rows_next(&rows, &arena, &row), ROWS_END);
	rows_close(&rows);
	fclose(in);
}

static const struct option_spec specs[] = {
	{"name", "X", "", false}, {"many", "X", "", true}, {"flag", NULL, "", false}, {NULL, NULL, NULL, false}};

static bool parse_options(struct options *o, int argc, const char *const *argv, char problem[200])
{
	const struct option_spec *const tables[2] = {specs, NULL};

	return options_parse(o, tables, argc, (char **)(uintptr_t)argv, problem);
}

Test(options, values_switches_and_arguments_are_told_apart)
{
	const char *const argv[] = {"P-1", "--name=a=b", "--many", "1", "--many", "--flag", "--flag", "-", "--", "--name"};
	struct options o;
	char problem[200];

	cr_assert(parse_options(&o, 10, argv, problem), "%s", problem);
	cr_expect_str_eq(options_value(&o, "name"), "a=b");
	cr_expect_str_eq(options_value(&o, "many"), "--flag");
	cr_expect(options_has(&o, "flag") && o.given_count == 4);
	cr_assert_eq(o.argument_count, 3);
	cr_expect_str_eq(o.arguments[1], "-");
	cr_expect_str_eq(o.arguments[2], "--name");
	options_fini(&o);
}

Test(options, mistakes_are_named)
{
	static const char *const bad[][3] = {{"--nam", NULL, "did you mean --name?"},
					     {"--name", NULL, "needs a value"},
					     {"--flag=1", NULL, "takes no value"},
					     {"--name=1", "--name=2", "twice"},
					     {"-x", NULL, "no option -x"}};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct options o;
		char problem[200];

		cr_expect_not(parse_options(&o, bad[i][1] != NULL ? 2 : 1, bad[i], problem));
		cr_expect_not_null(strstr(problem, bad[i][2]), "%s", problem);
		options_fini(&o);
	}
}

Test(keys, a_kept_key_comes_back_and_a_changed_row_is_noticed)
{
	char path[] = "/tmp/calloff-keys-XXXXXX", problem[240];
	uint8_t key[16] = {1, 2, 3, 4, 5, 6, 0x7f, 8, 0x9f}, again[16];
	struct keys keys, second;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert(keys_open(&keys, path, problem), "%s", problem);
	cr_expect_not(keys_open(&second, path, problem));
	keys_close(&second);
	keys_add(&keys, 17, 42, key);
	cr_assert(keys_sync(&keys));
	keys_close(&keys);
	fd = open(path, O_WRONLY | O_APPEND);
	cr_assert_eq(write(fd, "18 00", 5), 5); /* a crash in the middle of a line */
	close(fd);
	cr_assert(keys_open(&keys, path, problem), "%s", problem);
	cr_expect_eq(keys_find(&keys, 17, 42, again), KEYS_FOUND);
	cr_expect_arr_eq(again, key, 16);
	cr_expect_eq(keys_find(&keys, 17, 43, again), KEYS_CHANGED);
	cr_expect_eq(keys_find(&keys, 18, 42, again), KEYS_NEW);
	keys_close(&keys);
	unlink(path);
}

Test(keys, a_file_that_is_something_else_is_left_alone)
{
	char path[] = "/tmp/calloff-keys-XXXXXX", problem[240];
	struct keys keys;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, "case,person", 11), 11);
	cr_expect_not(keys_open(&keys, path, problem));
	keys_close(&keys);
	cr_expect_eq(lseek(fd, 0, SEEK_END), 11);
	close(fd);
	unlink(path);
}
