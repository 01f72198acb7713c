/* calloff metrics: what the engine counts, for Prometheus: to stdout, or to a file for the node exporter's textfile
 * collector. */
#include "base/check.h"
#include "commands.h"
#include "metrics_text.h"
#include "replace.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WORD(type, value) format_word(&calloff__v1__##type##__descriptor, (int)(value)).s

struct scrape_shard {
	uint32_t number;
	char name[12], state[24];
	int64_t state_age_us, last_commit_age_us, epoch, last_seq, framework_version, framework_version_live, waiting;
};

struct scrape {
	struct cli *cli;
	struct metrics m;
	char engine[80];
	struct scrape_shard *shards;
	size_t shard_count;
};

/* Of the engine as a whole. */
static void scrape_one(struct scrape *s, const char *suffix, const char *value)
{
	metrics_sample(&s->m, suffix, (const char *const[]){"engine", s->engine, NULL}, value);
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

static void scrape_state(struct scrape *s, const struct scrape_shard *shard)
{
	static const char *const known[] = {"loading", "ready", "standby", "store_away", "draining"};
	bool listed = false;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		bool is = strcmp(known[i], shard->state) == 0;

		listed = listed || is;
		metrics_sample(&s->m, "",
			       (const char *const[]){"engine", s->engine, "shard", shard->name, "state", known[i], NULL},
			       is ? "1" : "0");
	}
	if (!listed)
		metrics_sample(&s->m, "",
			       (const char *const[]){"engine", s->engine, "shard", shard->name, "state", shard->state, NULL},
			       "1");
}

/* A shard's gauge each: a family stays in one piece, so the shards are asked before. */
static void scrape_shards(struct scrape *s)
{
	static const struct {
		const char *name, *unit, *help;
		size_t at;
		int decimals;
	} gauges[] = {
#define X(field, name, unit, decimals, help) {name, unit, help, offsetof(struct scrape_shard, field), decimals}
		X(state_age_us, "state_age", "_seconds", 6, "how long it has been in this state"),
		X(last_commit_age_us, "last_commit_age", "_seconds", 6,
		  "since the last commit or heartbeat that was answered; above 1 reads are refused"),
		X(epoch, "epoch", "", 0, "of the reign over the shard"),
		X(last_seq, "last_seq", "", 0, "the last event of the journal"),
		X(framework_version, "framework_version", "", 0, "the framework that decides"),
		X(framework_version_live, "framework_version_live", "", 0, "the framework in the database"),
		X(waiting, "commands_waiting", "", 0, "taken in and not yet decided"),
#undef X
	};

	metrics_family(&s->m, "state", "", "gauge", "1: the state the shard is in");
	for (size_t i = 0; i < s->shard_count; i++)
		scrape_state(s, &s->shards[i]);
	for (size_t k = 0; k < sizeof gauges / sizeof gauges[0]; k++) {
		metrics_family(&s->m, gauges[k].name, gauges[k].unit, "gauge", gauges[k].help);
		for (size_t i = 0; i < s->shard_count; i++) {
			int64_t value;

			memcpy(&value, (const char *)&s->shards[i] + gauges[k].at, sizeof value);
			metrics_sample(&s->m, "",
				       (const char *const[]){"engine", s->engine, "shard", s->shards[i].name, NULL},
				       metrics_decimal(value, gauges[k].decimals).s);
		}
	}
}

static int scrape_ask_health(struct scrape *s, uint32_t number, const Calloff__V1__GetHealthResponse **ret_health)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthRequest request = CALLOFF__V1__GET_HEALTH_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	envelope.shard = number;
	CLI_BODY(envelope, GET_HEALTH_REQUEST, get_health_request, &request);
	code = cli_call(s->cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_RESPONSE, &reply);
	if (code == 0)
		*ret_health = reply->get_health_response;
	return code;
}

static int scrape_health(struct scrape *s)
{
	const Calloff__V1__HelloResponse *hello = calloff_hello(s->cli->client);
	const Calloff__V1__GetHealthResponse *h = NULL;
	char rules[16], schema[16];

	for (size_t i = 0; i < s->shard_count; i++) {
		struct scrape_shard *shard = &s->shards[i];
		int code = scrape_ask_health(s, shard->number, &h);

		if (code != 0)
			return code;
		snprintf(shard->name, sizeof shard->name, "%u", shard->number);
		snprintf(shard->state, sizeof shard->state, "%s", h->state);
		shard->state_age_us = h->state_age_us;
		shard->last_commit_age_us = h->last_commit_age_us;
		shard->epoch = h->epoch;
		shard->last_seq = h->last_seq;
		shard->framework_version = h->framework_version;
		shard->framework_version_live = h->framework_version_live;
		shard->waiting = h->waiting;
	}
	snprintf(s->engine, sizeof s->engine, "%s", h->engine);
	snprintf(rules, sizeof rules, "%u", hello->rules_version);
	snprintf(schema, sizeof schema, "%u", h->schema_version);
	metrics_family(&s->m, "info", "", "gauge", "always 1; the versions are labels");
	metrics_sample(&s->m, "",
		       (const char *const[]){"engine", s->engine, "rules", rules, "schema", schema, NULL}, "1");
	scrape_gauge(s, "uptime", "_seconds", "since the engine's start", h->uptime_us, 6);
	scrape_gauge(s, "clock_timestamp", "_seconds", "the engine's clock when it said hello", hello->clock_us, 6);
	scrape_gauge(s, "connections_open", "", "being served", h->connections, 0);
	scrape_shards(s);
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
		const char *labels[] = {"engine", s->engine, "le", bound.s, NULL};

		metrics_sample(&s->m, "_bucket", labels,
			       metrics_decimal(all ? h->count : h->below_power_of_two[power], 0).s);
	}
	metrics_sample(&s->m, "_bucket", (const char *const[]){"engine", s->engine, "le", "+Inf", NULL},
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

static void scrape_packages(struct scrape *s, const char *shard, const Calloff__V1__GetCountsResponse *c)
{
	for (size_t i = 0; i < c->n_states; i++)
		metrics_sample(&s->m, "",
			       (const char *const[]){"engine", s->engine, "shard", shard, "state",
						     WORD(package_state, c->states[i]->state), NULL},
			       metrics_decimal(c->states[i]->packages, 0).s);
}

static void scrape_placements(struct scrape *s, const char *shard, const Calloff__V1__GetCountsResponse *c)
{
	for (size_t i = 0; i < c->n_routes; i++)
		metrics_sample(&s->m, "",
			       (const char *const[]){"engine", s->engine, "shard", shard, "route",
						     WORD(route, c->routes[i]->route), "role",
						     WORD(placement_role, c->routes[i]->role), NULL},
			       metrics_decimal(c->routes[i]->placements, 0).s);
}

/* Packages and placements come from memory, which a shard that is not served here will not tell: then they are absent. */
static int scrape_counts(struct scrape *s, const char *name, const char *help,
			 void (*tell)(struct scrape *s, const char *shard, const Calloff__V1__GetCountsResponse *c))
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetCountsRequest request = CALLOFF__V1__GET_COUNTS_REQUEST__INIT;
	struct cli *cli = s->cli;
	bool first = true;

	CLI_BODY(envelope, GET_COUNTS_REQUEST, get_counts_request, &request);
	for (size_t i = 0; i < s->shard_count; i++) {
		const Calloff__V1__Envelope *reply;
		enum calloff_fault fault;

		envelope.shard = s->shards[i].number;
		fault = calloff_call(cli->client, &envelope, &reply, &cli->error);
		if (fault == CALLOFF_REFUSED)
			continue;
		if (fault != CALLOFF_OK)
			return cli_fail(cli, &cli->error, NULL);
		if (reply->body_case != CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE)
			continue;
		if (first)
			metrics_family(&s->m, name, "", "gauge", help);
		first = false;
		tell(s, s->shards[i].name, reply->get_counts_response);
	}
	return 0;
}

/* The shards asked for: --shard's, or all of the engine's. */
static int scrape_engine(struct scrape *s)
{
	int64_t shard = 0;
	int code = cli_number(s->cli, "shard", 32767, &shard);

	if (code == 0)
		code = cli_connect(s->cli);
	if (code != 0)
		return code;
	const Calloff__V1__HelloResponse *hello = calloff_hello(s->cli->client);

	s->shard_count = shard != 0 || hello->n_shards == 0 ? 1 : hello->n_shards;
	s->shards = calloc(s->shard_count, sizeof *s->shards);
	INSIST(s->shards != NULL);
	for (size_t i = 0; i < s->shard_count; i++)
		s->shards[i].number = shard != 0 || hello->n_shards == 0 ? (uint32_t)shard : hello->shards[i];
	scrape_up(s, true);
	code = scrape_health(s);
	if (code == 0)
		code = scrape_stats(s);
	if (code == 0)
		code = scrape_counts(s, "packages", "packages by state", scrape_packages);
	return code == 0 ? scrape_counts(s, "placements", "live placements by route and role", scrape_placements) : code;
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
	free(s.shards);
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
