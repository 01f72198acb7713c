/* calloff metrics: what the engine counts, for Prometheus: to stdout, or to a file for the node exporter's textfile
 * collector. */
#include "base/check.h"
#include "commands.h"
#include "metrics_text.h"
#include "replace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORD(type, value) format_word(&calloff__v1__##type##__descriptor, (int)(value)).s

struct scrape {
	struct cli *cli;
	struct metrics m;
	char shard[16];
};

static void scrape_one(struct scrape *s, const char *suffix, const char *value)
{
	metrics_sample(&s->m, suffix, (const char *const[]){"shard", s->shard, NULL}, value);
}

static void scrape_gauge(struct scrape *s, const char *name, const char *unit, const char *help, int64_t value,
			 int decimals)
{
	metrics_family(&s->m, name, unit, "gauge", help);
	scrape_one(s, "", metrics_decimal(value, decimals).s);
}

/* calloff_up has the socket, not the shard: an engine that does not answer cannot say which it serves. */
static void scrape_up(struct scrape *s, bool up)
{
	const char *path = options_value(&s->cli->options, "socket");
	const char *fallback = getenv("CALLOFF_SOCKET");

	if (path == NULL)
		path = fallback != NULL && fallback[0] != '\0' ? fallback : CALLOFF_SOCKET_DEFAULT;
	metrics_family(&s->m, "up", "", "gauge", "1: an engine answers at this socket");
	metrics_sample(&s->m, "", (const char *const[]){"socket", path, NULL}, up ? "1" : "0");
}

static void scrape_state(struct scrape *s, const char *state)
{
	static const char *const known[] = {"loading", "ready", "standby", "store_away", "draining"};
	bool listed = false;

	metrics_family(&s->m, "state", "", "gauge", "1: the state the engine is in");
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		bool is = strcmp(known[i], state) == 0;

		listed = listed || is;
		metrics_sample(&s->m, "", (const char *const[]){"shard", s->shard, "state", known[i], NULL},
			       is ? "1" : "0");
	}
	if (!listed)
		metrics_sample(&s->m, "", (const char *const[]){"shard", s->shard, "state", state, NULL}, "1");
}

static int scrape_health(struct scrape *s)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthRequest request = CALLOFF__V1__GET_HEALTH_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__GetHealthResponse *h;
	char rules[16], schema[16];
	int code;

	CLI_BODY(envelope, GET_HEALTH_REQUEST, get_health_request, &request);
	code = cli_call(s->cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_RESPONSE, &reply);
	if (code != 0)
		return code;
	const Calloff__V1__HelloResponse *hello = calloff_hello(s->cli->client);

	h = reply->get_health_response;
	snprintf(rules, sizeof rules, "%u", hello->rules_version);
	snprintf(schema, sizeof schema, "%u", h->schema_version);
	metrics_family(&s->m, "info", "", "gauge", "always 1; the versions are labels");
	metrics_sample(&s->m, "",
		       (const char *const[]){"shard", s->shard, "engine", hello->engine, "rules", rules, "schema",
					     schema, NULL},
		       "1");
	scrape_state(s, h->state);
	scrape_gauge(s, "state_age", "_seconds", "how long it has been in this state", h->state_age_us, 6);
	scrape_gauge(s, "uptime", "_seconds", "since the engine's start", h->uptime_us, 6);
	scrape_gauge(s, "last_commit_age", "_seconds",
		     "since the last commit or heartbeat that was answered; above 1 reads are refused",
		     h->last_commit_age_us, 6);
	scrape_gauge(s, "clock_timestamp", "_seconds", "the engine's clock when it said hello", hello->clock_us, 6);
	scrape_gauge(s, "epoch", "", "of this engine's reign over the shard", h->epoch, 0);
	scrape_gauge(s, "last_seq", "", "the last event of the journal", h->last_seq, 0);
	scrape_gauge(s, "framework_version", "", "the framework that decides", h->framework_version, 0);
	scrape_gauge(s, "framework_version_live", "", "the framework in the database", h->framework_version_live,
		     0);
	scrape_gauge(s, "commands_waiting", "", "taken in and not yet decided", h->waiting, 0);
	scrape_gauge(s, "connections_open", "", "being served", h->connections, 0);
	return 0;
}

/* What a unit of the engine is in base units: its decimals, its word, and the powers of two that make its buckets.
 */
struct scrape_unit {
	const char *unit, *cut, *word;
	int decimals, first_power, last_power;
};

static const struct scrape_unit *scrape_unit(const char *unit)
{
	static const struct scrape_unit units[] = {
		{"us", "_us", "_seconds", 6, 5, 26}, /* 32 us to 67 s */
		{"ns", "_ns", "_seconds", 9, 8, 30}, /* 256 ns to 1 s */
		{"", "", "", 0, 0, 13},              /* anything that is counted, to 8191 */
	};
	size_t i = 0;

	while (units[i].unit[0] != '\0' && strcmp(units[i].unit, unit) != 0)
		i++;
	return &units[i];
}

static void scrape_histogram(struct scrape *s, const Calloff__V1__Histogram *h)
{
	const struct scrape_unit *u = scrape_unit(h->unit);
	size_t len = strlen(h->name), cut = strlen(u->cut);
	char name[80], help[240];

	if (len >= cut && strcmp(h->name + len - cut, u->cut) == 0)
		len -= cut;
	snprintf(name, sizeof name, "%.*s", (int)len, h->name);
	snprintf(help, sizeof help, "%s", h->text[0] != '\0' ? h->text : h->name);
	metrics_family(&s->m, name, u->word, "histogram", help);
	for (int power = u->first_power; power <= u->last_power; power++) {
		bool all = (size_t)power >= h->n_below_power_of_two;
		/* whole numbers: below 2^power is at most 2^power - 1 */
		struct text bound = metrics_decimal((INT64_C(1) << power) - 1, u->decimals);
		const char *labels[] = {"shard", s->shard, "le", bound.s, NULL};

		metrics_sample(&s->m, "_bucket", labels,
			       metrics_decimal(all ? h->count : h->below_power_of_two[power], 0).s);
	}
	metrics_sample(&s->m, "_bucket", (const char *const[]){"shard", s->shard, "le", "+Inf", NULL},
		       metrics_decimal(h->count, 0).s);
	scrape_one(s, "_sum", metrics_decimal(h->sum, u->decimals).s);
	scrape_one(s, "_count", metrics_decimal(h->count, 0).s);
}

static int scrape_stats(struct scrape *s)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetStatsRequest request = CALLOFF__V1__GET_STATS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	CLI_BODY(envelope, GET_STATS_REQUEST, get_stats_request, &request);
	code = cli_call(s->cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_STATS_RESPONSE, &reply);
	if (code != 0)
		return code;
	for (size_t i = 0; i < reply->get_stats_response->n_counters; i++) {
		const Calloff__V1__Counter *c = reply->get_stats_response->counters[i];

		metrics_family(&s->m, c->name, "_total", "counter", c->text[0] != '\0' ? c->text : c->name);
		scrape_one(s, "", metrics_decimal(c->value, 0).s);
	}
	for (size_t i = 0; i < reply->get_stats_response->n_histograms; i++)
		scrape_histogram(s, reply->get_stats_response->histograms[i]);
	return 0;
}

/* Packages and placements come from memory, which an engine that does not serve will not tell: then they are
 * absent. */
static int scrape_counts(struct scrape *s)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetCountsRequest request = CALLOFF__V1__GET_COUNTS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__GetCountsResponse *c;
	struct cli *cli = s->cli;
	enum calloff_fault fault;

	CLI_BODY(envelope, GET_COUNTS_REQUEST, get_counts_request, &request);
	fault = calloff_call(cli->client, &envelope, &reply, &cli->error);
	if (fault == CALLOFF_REFUSED)
		return 0;
	if (fault != CALLOFF_OK)
		return cli_fail(cli, &cli->error, NULL);
	if (reply->body_case != CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE)
		return 0;
	c = reply->get_counts_response;
	metrics_family(&s->m, "packages", "", "gauge", "packages by state");
	for (size_t i = 0; i < c->n_states; i++)
		metrics_sample(&s->m, "",
			       (const char *const[]){"shard", s->shard, "state",
						     WORD(package_state, c->states[i]->state), NULL},
			       metrics_decimal(c->states[i]->packages, 0).s);
	metrics_family(&s->m, "placements", "", "gauge", "live placements by route and role");
	for (size_t i = 0; i < c->n_routes; i++)
		metrics_sample(&s->m, "",
			       (const char *const[]){"shard", s->shard, "route", WORD(route, c->routes[i]->route),
						     "role", WORD(placement_role, c->routes[i]->role), NULL},
			       metrics_decimal(c->routes[i]->placements, 0).s);
	return 0;
}

static int scrape_engine(struct scrape *s)
{
	int64_t shard = 0;
	int code = cli_number(s->cli, "shard", 32767, &shard);

	if (code == 0)
		code = cli_connect(s->cli);
	if (code != 0)
		return code;
	const Calloff__V1__HelloResponse *hello = calloff_hello(s->cli->client);

	if (shard == 0 && hello->n_shards > 0)
		shard = hello->shards[0];
	snprintf(s->shard, sizeof s->shard, "%" PRId64, shard);
	scrape_up(s, true);
	code = scrape_health(s);
	if (code == 0)
		code = scrape_stats(s);
	return code == 0 ? scrape_counts(s) : code;
}

static int metrics_run(struct cli *cli)
{
	struct scrape s = {.cli = cli, .m = {.json = cli->format == CLI_JSON}};
	const char *path = options_value(&cli->options, "output");
	char *text = NULL;
	size_t len = 0;
	int code, written;

	cli->brief = true;
	s.m.out = open_memstream(&text, &len);
	INSIST(s.m.out != NULL);
	code = scrape_engine(&s);
	INSIST(fclose(s.m.out) == 0);
	if (code != 0) { /* all or nothing: half of the figures would look like a reset */
		free(text);
		s.m.out = open_memstream(&text, &len);
		INSIST(s.m.out != NULL);
		scrape_up(&s, false);
		INSIST(fclose(s.m.out) == 0);
	}
	written = path != NULL && code != EX_USAGE ? replace_file(cli, path, text, len) : 0;
	if (path == NULL && code != EX_USAGE)
		fwrite(text, 1, len, cli->out);
	free(text);
	return code != 0 ? code : written;
}

static const struct option_spec metrics_options[] = {
	{"output", "FILE", "replace this file, in one step (without it: to stdout)", false},
	{NULL, NULL, NULL, false},
};

const struct command command_metrics = {
	.name = "metrics",
	.arguments = "",
	.summary = "the engine's figures for Prometheus",
	.examples = "  calloff metrics\n"
		    "  calloff metrics --output /var/lib/prometheus/node-exporter/calloff-1.prom\n"
		    "  calloff metrics --json | jq 'select(.name == \"calloff_store_refused_total\").value'\n",
	.notes = "Text exposition format 0.0.4, base units. An engine that does not answer is calloff_up 0, and "
		 "exit 69.\n"
		 "For the node exporter's textfile collector: run it from a timer, see engine/systemd/README.md.\n",
	.options = metrics_options,
	.run = metrics_run,
};
