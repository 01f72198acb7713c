/* calloff doctor: everything an operator asks when something is wrong; also when nobody answers. */
#include "doctor.h"

#include "base/limits.h"
#include "commands.h"
#include "health_text.h"
#include "reflect.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SKEW_WARN_US = 2000000, SKEW_FAIL_US = 60000000 };

static const char *const doctor_verdicts[] = {"ok", "warn", "fail"};

static void doctor_line(const struct doctor *d, enum doctor_verdict verdict, const char *check,
			const char *const texts[3])
{
	static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
	static const char *const heads[] = {"", "why:  ", "mend: "};
	FILE *out = d->cli->out;

	fprintf(out, "%s%-4s%s  %-10s  ", d->cli->colour ? colours[verdict] : "", doctor_verdicts[verdict],
		d->cli->colour ? "\033[0m" : "", check);
	for (int i = 0; i < 3; i++) {
		if (i > 0 && texts[i][0] == '\0')
			continue;
		fprintf(out, "%*s%s", i > 0 ? 18 : 0, "", heads[i]);
		format_clean(out, texts[i]);
		putc('\n', out);
	}
}

static void doctor_json(const struct doctor *d, enum doctor_verdict verdict, const char *check,
			const char *const texts[3])
{
	static const char *const names[] = {"what", "why", "mend"};
	FILE *out = d->cli->out;

	fprintf(out, "{\"check\":\"%s\",\"verdict\":\"%s\"", check, doctor_verdicts[verdict]);
	for (int i = 0; i < 3; i++) {
		fprintf(out, ",\"%s\":", names[i]);
		reflect_print_text(out, texts[i]);
	}
	fputs("}\n", out);
}

void doctor_say(struct doctor *d, enum doctor_verdict verdict, const char *check, const char *why, const char *mend,
		const char *format, ...)
{
	char what[400];
	int named = 0;
	const char *const texts[3] = {what, why != NULL ? why : "", mend != NULL ? mend : ""};
	va_list arguments;

	va_start(arguments, format);
	if (d->several && d->shard != 0)
		named = snprintf(what, sizeof what, "shard %u: ", d->shard);
	vsnprintf(what + named, sizeof what - (size_t)named, format, arguments);
	va_end(arguments);
	d->counts[verdict]++;
	if (d->cli->format == CLI_JSON) {
		doctor_json(d, verdict, check, texts);
	} else if (d->cli->format == CLI_TABLE) {
		doctor_line(d, verdict, check, texts);
	} else {
		table_text(&d->table, doctor_verdicts[verdict]);
		table_text(&d->table, check);
		for (int i = 0; i < 3; i++)
			table_text(&d->table, texts[i]);
	}
	fflush(d->cli->out); /* the next check may take its time */
}

/* One question; NULL: told as this check's failure. */
static const Calloff__V1__Envelope *doctor_ask(struct doctor *d, const char *check,
					       const Calloff__V1__Envelope *request,
					       Calloff__V1__Envelope__BodyCase wanted)
{
	struct cli *cli = d->cli;
	const Calloff__V1__Envelope *reply;

	if (calloff_call(cli->client, request, &reply, &cli->error) != CALLOFF_OK)
		doctor_say(d, DOCTOR_FAIL, check, cli->error.why, cli->error.mend, "%s", cli->error.what);
	else if (reply->body_case != wanted)
		doctor_say(d, DOCTOR_FAIL, check, "client and engine are of different versions",
			   "install both from one release", "the engine answered something else");
	else
		return reply;
	return NULL;
}

static int64_t doctor_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void doctor_clock(struct doctor *d, int64_t engine_us, int64_t before_us, int64_t after_us)
{
	/* the engine read its clock somewhere between */
	int64_t skew_us = engine_us < before_us  ? engine_us - before_us
			  : engine_us > after_us ? engine_us - after_us
						 : 0;
	int64_t size_us = skew_us < 0 ? -skew_us : skew_us;
	const char *why = "the engine's time is its shard's last commit plus monotonic time since: it never jumps, "
			  "so a wall clock "
			  "that was wrong at its start, or was set since, shows here";

	if (size_us < SKEW_WARN_US)
		doctor_say(d, DOCTOR_OK, "clock", NULL, NULL, "the engine's clock is this machine's, within 2 s");
	else
		doctor_say(d, size_us < SKEW_FAIL_US ? DOCTOR_WARN : DOCTOR_FAIL, "clock", why,
			   "check time synchronisation on both machines (timedatectl), then restart the engine",
			   "the engine's clock is %s %s this machine's", format_duration(size_us).s,
			   skew_us > 0 ? "ahead of" : "behind");
}

static bool doctor_hello(struct doctor *d)
{
	struct cli *cli = d->cli;
	int64_t shard = 0, before_us = doctor_now_us();
	struct calloff_options options = {
		.socket_path = options_value(&cli->options, "socket"),
		.client_name = "calloff doctor",
		.timeout_ms = 5000,
		.no_resend = true,
	};

	if (cli_number(cli, "shard", 32767, &shard) != 0)
		return false;
	options.shard = (uint32_t)shard;
	if (calloff_open(&options, &cli->client, &cli->error) != CALLOFF_OK) {
		doctor_say(d, DOCTOR_FAIL, "protocol", cli->error.why, cli->error.mend, "%s", cli->error.what);
		return false;
	}
	const Calloff__V1__HelloResponse *h = calloff_hello(cli->client);

	doctor_say(d, DOCTOR_OK, "protocol", NULL, NULL, "version %u, as this client's; engine %s, rules v%u",
		   h->protocol, h->engine, h->rules_version);
	doctor_say(d, DOCTOR_OK, "you", NULL, NULL, "are %s, role %s", h->principal, h->role);
	doctor_clock(d, h->clock_us, before_us, doctor_now_us());
	return true;
}

static void doctor_database(struct doctor *d, const Calloff__V1__GetHealthResponse *h)
{
	bool loaded = strcmp(h->state, "ready") == 0 || strcmp(h->state, "standby") == 0;

	if (strcmp(h->state, "store_away") == 0 ||
	    (loaded && (h->last_commit_age_us > HEALTH_LEASE_US || h->note[0] != '\0'))) {
		doctor_say(d, DOCTOR_FAIL, "database", h->note,
			   "as the engine's user: psql with the settings of calloffd --print-config; then "
			   "PostgreSQL's own log",
			   !loaded                ? "cannot be loaded from (tried for %s)"
			   : h->note[0] != '\0' ? "did not let itself be looked at, %s ago"
						 : "has not answered for %s",
			   format_duration(loaded ? h->last_commit_age_us : h->state_age_us).s);
		return;
	}
	if (!loaded) {
		doctor_say(d, DOCTOR_WARN, "database",
			   "the engine is not serving, so it has nothing fresh to say of it", NULL, "not known");
		return;
	}
	doctor_say(d, DOCTOR_OK, "database", NULL, NULL,
		   "answered %s ago; fsync, full_page_writes and synchronous_commit were on at the load, schema "
		   "version %u",
		   format_duration(h->last_commit_age_us).s, h->schema_version);
	if (strcmp(h->state, "standby") == 0)
		return; /* what is live it sees at its next look, and reads it before it goes on */
	if (h->framework_version == h->framework_version_live)
		doctor_say(d, DOCTOR_OK, "framework", NULL, NULL, "version %" PRId64 " is loaded and live",
			   h->framework_version);
	else
		doctor_say(d, DOCTOR_WARN, "framework", "it was edited; the engine loads the new version at once",
			   "look again in a few seconds; if it stays, see the engine's log",
			   "version %" PRId64 " decides, %" PRId64 " is in the database", h->framework_version,
			   h->framework_version_live);
}

/* true: clients of this shard are served, by this engine or by the one that it follows. */
static bool doctor_engine(struct doctor *d, const Calloff__V1__GetHealthResponse *h)
{
	struct health_text t;
	bool passing = strcmp(h->state, "loading") == 0 || strcmp(h->state, "draining") == 0;

	health_explain(&t, h);
	if (t.follows)
		doctor_say(d, DOCTOR_OK, "engine", NULL, NULL,
			   "standby: follows epoch %" PRId64 " at seq %" PRId64 ", reign at %s (%s), for %s", h->epoch, h->last_seq,
			   h->active_endpoint[0] != '\0' ? h->active_endpoint : "an unknown place", h->active_engine,
			   format_duration(h->state_age_us).s);
	else if (t.serves)
		doctor_say(d, DOCTOR_OK, "engine", NULL, NULL, "%s for %s, up %s; epoch %" PRId64 ", journal at %s",
			   h->state, format_duration(h->state_age_us).s, format_duration(h->uptime_us).s, h->epoch,
			   format_count(h->last_seq).s);
	else
		doctor_say(d, passing ? DOCTOR_WARN : DOCTOR_FAIL, "engine", t.why, t.next, "%s for %s. %s",
			   h->state, format_duration(h->state_age_us).s, t.now);
	doctor_database(d, h);
	return t.follows || strcmp(h->state, "ready") == 0;
}

/* One shard of the engine; true as doctor_engine. */
static bool doctor_shard(struct doctor *d)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthRequest health = CALLOFF__V1__GET_HEALTH_REQUEST__INIT;
	const char *receipts = options_value(&d->cli->options, "receipts");
	const Calloff__V1__Envelope *reply;
	bool well;

	envelope.shard = d->shard;
	CLI_BODY(envelope, GET_HEALTH_REQUEST, get_health_request, &health);
	reply = doctor_ask(d, "engine", &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_RESPONSE);
	if (reply == NULL)
		return false;
	well = doctor_engine(d, reply->get_health_response);
	if (receipts != NULL && !d->several) /* a receipt does not say of which shard it is */
		doctor_receipts(d, receipts, reply->get_health_response);
	if (strcmp(reply->get_health_response->state, "ready") == 0)
		doctor_pools(d); /* memory: who follows tells none */
	return well;
}

/* Everything that needs an answer. true: each shard asked for is well. */
static bool doctor_answers(struct doctor *d)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetStatsRequest stats = CALLOFF__V1__GET_STATS_REQUEST__INIT;
	const Calloff__V1__HelloResponse *hello = calloff_hello(d->cli->client);
	bool all = options_value(&d->cli->options, "shard") == NULL, well = true;
	const Calloff__V1__Envelope *reply;

	d->several = all && hello->n_shards > 1;
	for (size_t i = 0; i < (d->several ? hello->n_shards : 1); i++) {
		d->shard = d->several ? hello->shards[i] : 0;
		well = doctor_shard(d) && well;
	}
	d->shard = 0;
	CLI_BODY(envelope, GET_STATS_REQUEST, get_stats_request, &stats);
	reply = doctor_ask(d, "counters", &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_STATS_RESPONSE);
	if (reply != NULL)
		doctor_stats(d, reply->get_stats_response);
	return well;
}

static int doctor_run(struct cli *cli)
{
	struct doctor d = {.cli = cli};
	const char *receipts = options_value(&cli->options, "receipts");
	bool answers, well = false;

	if (cli->format == CLI_TSV)
		cli_table(cli, &d.table, "verdict check what why mend");
	answers = doctor_socket(&d) && doctor_hello(&d);
	if (answers)
		well = doctor_answers(&d);
	else if (receipts != NULL)
		doctor_receipts(&d, receipts, NULL);
	if (cli->format == CLI_TABLE)
		fprintf(cli->out, "%u ok, %u warnings, %u failed\n", d.counts[DOCTOR_OK], d.counts[DOCTOR_WARN],
			d.counts[DOCTOR_FAIL]);
	if (!answers)
		return EX_UNAVAILABLE;
	return !well ? EX_TEMPFAIL : d.counts[DOCTOR_FAIL] > 0 ? EX_DATAERR : 0;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "what is wrong, why, and how to mend it: the engine, the way to it, what it counts",
	.examples = "  calloff doctor\n"
		    "  calloff doctor --receipts mine.txt       is all that I was told still there?\n"
		    "  calloff doctor --json | jq 'select(.verdict != \"ok\")'\n",
	.notes = "A line a check: ok, warn or fail; what is, why, how to mend it. Only looks; works without an "
		 "engine too.\n"
		 "Exit 0: nothing failed (a standby that follows is well), 65: something did, 69: no engine answers, "
		 "75: one does, but neither serves nor follows.\n",
	.run = doctor_run,
};
