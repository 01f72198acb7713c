/* What an operator reads: sentences of health for every state, and figures that nobody's text can break. */
#include "kit/kit.h"

#include "health_text.h"
#include "metrics_text.h"

#include <stdlib.h>
#include <string.h>

KIT_SUITE(health_text);
KIT_SUITE(metrics_text);

static Calloff__V1__GetHealthResponse health;
static struct health_text text;

static void explain(const char *state, const char *reason, const char *note)
{
	health.state = (char *)(uintptr_t)state;
	health.reason = (char *)(uintptr_t)reason;
	health.note = (char *)(uintptr_t)note;
	health_explain(&text, &health);
	cr_expect(text.now[0] != '\0' && text.why[0] != '\0' && text.next[0] != '\0', "%s leaves something out", state);
	for (const char *const *s = (const char *const[]){text.now, text.why, text.next, NULL}; *s != NULL; s++)
		cr_expect_eq((*s)[strlen(*s) - 1], '.', "cut off: %s", *s);
}

static void begin(void)
{
	health = (Calloff__V1__GetHealthResponse)CALLOFF__V1__GET_HEALTH_RESPONSE__INIT;
	health.framework_version = health.framework_version_live = 7;
}

Test(health_text, only_a_ready_engine_with_its_lease_serves)
{
	begin();
	explain("ready", "", "");
	cr_expect(text.serves);
	health.last_commit_age_us = HEALTH_LEASE_US + 1;
	explain("ready", "", "");
	cr_expect_not(text.serves);
	cr_expect_not_null(strstr(text.now, "reads are refused"));
	health.last_commit_age_us = 0;
	for (const char *const *s = (const char *const[]){"loading", "store_away", "standby", "draining", "new", NULL};
	     *s != NULL; s++) {
		explain(*s, "", "");
		cr_expect_not(text.serves, "%s", *s);
	}
	cr_expect_not_null(strstr(text.now, "does not know"), "a newer engine's state is not guessed at");
}

Test(health_text, a_standby_follows_while_it_sees_somebody_reign)
{
	begin();
	explain("standby", "", "");
	cr_expect_not(text.follows, "nobody reigns");
	health.active_engine = (char *)(uintptr_t)"b";
	explain("standby", "", "");
	cr_expect(text.follows);
	explain("standby", "", "no such host");
	cr_expect_not(text.follows);
	health.last_commit_age_us = HEALTH_LEASE_US + 1;
	explain("standby", "", "");
	cr_expect_not(text.follows);
	cr_expect_not_null(strstr(text.now, "does not see whether b"));
	health.last_commit_age_us = 0;
	explain("loading", "", "");
	cr_expect_not(text.follows);
}

Test(health_text, why_it_loads_is_told_from_the_reason)
{
	begin();
	explain("loading", "STORE", "");
	cr_expect_not_null(strstr(text.why, "connection to PostgreSQL was lost"));
	explain("loading", "STORE_REFUSED", "");
	cr_expect_not_null(strstr(text.why, "ALARM"));
	explain("loading", "SOMETHING_NEW", "");
	cr_expect_not_null(strstr(text.why, "SOMETHING_NEW"));
	explain("store_away", "STORE", "no such host");
	cr_expect_not_null(strstr(text.why, "cannot be reached: no such host"));
	explain("store_away", "BAD_ROW", "policy 3: names no clause");
	cr_expect_not_null(strstr(text.why, "a row of it cannot be used: policy 3"));
	cr_expect_not_null(strstr(text.next, "that row is mended"));
	health.active_engine = (char *)(uintptr_t)"b:/run/b";
	health.active_endpoint = (char *)(uintptr_t)"/run/b";
	explain("standby", "", "");
	cr_expect_not_null(strstr(text.now, "b:/run/b has the shard"));
	cr_expect_not_null(strstr(text.next, "sent to /run/b."));
	health.framework_version_live = 8;
	explain("ready", "", "");
	cr_expect_not_null(strstr(text.why, "version 7 decides, 8 is in the database"));
}

Test(health_text, a_note_of_any_length_leaves_whole_sentences_around_it)
{
	static char note[4000];

	begin();
	memset(note, 'x', sizeof note - 1);
	explain("store_away", "STORE", note);
	explain("draining", "STORE", note);
	explain(note, "", "");
}

static char *written;
static size_t written_len;

static struct metrics figures(bool json)
{
	return (struct metrics){.out = open_memstream(&written, &written_len), .json = json};
}

static void expect_written(struct metrics *m, const char *wanted)
{
	fclose(m->out);
	cr_expect_str_eq(written, wanted);
	free(written);
}

Test(metrics_text, texts_from_outside_stay_in_their_place)
{
	struct metrics m = figures(false);
	const char *labels[] = {"shard", "a\"b\\c\nd\x01\xff", NULL};

	metrics_family(&m, "evil name{}\n", "_total", "counter", "one\ntwo \\ \"three\"");
	metrics_sample(&m, "", labels, "1");
	expect_written(&m, "# HELP calloff_evil_name____total one\\ntwo \\\\ \"three\"\n"
			   "# TYPE calloff_evil_name____total counter\n"
			   "calloff_evil_name____total{shard=\"a\\\"b\\\\c\\nd??\"} 1\n");
}

Test(metrics_text, without_labels_there_are_no_braces_and_json_is_an_object)
{
	struct metrics m = figures(false);

	metrics_family(&m, "up", "", "gauge", "x");
	metrics_sample(&m, "", (const char *const[]){NULL}, "1");
	expect_written(&m, "# HELP calloff_up x\n# TYPE calloff_up gauge\ncalloff_up 1\n");
	m = figures(true);
	metrics_family(&m, "up", "", "gauge", "x");
	metrics_sample(&m, "_sum", (const char *const[]){"a", "\"", NULL}, "0.5");
	expect_written(&m, "{\"name\":\"calloff_up_sum\",\"type\":\"gauge\",\"labels\":{\"a\":\"\\\"\"},\"value\":0.5}\n");
}

Test(metrics_text, decimals_are_exact)
{
	const struct {
		int64_t value;
		int decimals;
		const char *wanted;
	} cases[] = {{0, 0, "0"}, {0, 6, "0"}, {1, 6, "0.000001"}, {1500000, 6, "1.5"}, {100, 0, "100"}, {-2500, 3, "-2.5"},
		     {INT64_MAX, 6, "9223372036854.775807"}, {INT64_MIN, 9, "-9223372036.854775808"},
		     {INT64_MAX, 0, "9223372036854775807"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_expect_str_eq(metrics_decimal(cases[i].value, cases[i].decimals).s, cases[i].wanted);
}
