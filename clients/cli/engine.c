/* How the engine itself is: counts, stats, health. */
#include "commands.h"
#include "health_text.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define WORD(type, value) format_word(&calloff__v1__##type##__descriptor, (int)(value)).s

static int counts_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetCountsRequest request = CALLOFF__V1__GET_COUNTS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__GetCountsResponse *counts;
	struct table t;
	int code;

	CLI_BODY(envelope, GET_COUNTS_REQUEST, get_counts_request, &request);
	code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE, &reply);
	if (code != 0)
		return code;
	counts = reply->get_counts_response;
	if (cli->format == CLI_JSON) {
		cli_print_json(cli, &counts->base);
		return 0;
	}
	cli_table(cli, &t, "what state_or_route role >count >carer_time_week");
	for (size_t i = 0; i < counts->n_states; i++) {
		table_text(&t, "packages");
		table_text(&t, WORD(package_state, counts->states[i]->state));
		table_text(&t, "");
		table_cell(&t, "%" PRId64, counts->states[i]->packages);
		table_text(&t, "");
	}
	for (size_t i = 0; i < counts->n_routes; i++) {
		const Calloff__V1__RouteCount *r = counts->routes[i];

		table_text(&t, "placements");
		table_text(&t, WORD(route, r->route));
		table_text(&t, WORD(placement_role, r->role));
		table_cell(&t, "%" PRId64, r->placements);
		table_text(&t, format_hours(r->carer_minutes_week).s);
	}
	table_end(&t, "no packages yet");
	if (cli->format == CLI_TABLE)
		fprintf(cli->out, "as of journal %s\n", format_count(counts->at_seq).s);
	return 0;
}

static int stats_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetStatsRequest request = CALLOFF__V1__GET_STATS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__GetStatsResponse *stats;
	struct table t;
	int code;

	CLI_BODY(envelope, GET_STATS_REQUEST, get_stats_request, &request);
	code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_STATS_RESPONSE, &reply);
	if (code != 0)
		return code;
	stats = reply->get_stats_response;
	if (cli->format == CLI_JSON) {
		cli_print_json(cli, &stats->base);
		return 0;
	}
	cli_table(cli, &t, "name unit >value >p50 >p90 >p99 >p99.9 >max");
	for (size_t i = 0; i < stats->n_counters; i++) {
		table_text(&t, stats->counters[i]->name);
		table_text(&t, "");
		table_cell(&t, "%" PRId64, stats->counters[i]->value);
		for (int column = 0; column < 5; column++)
			table_text(&t, "");
	}
	for (size_t i = 0; i < stats->n_histograms; i++) {
		const Calloff__V1__Histogram *h = stats->histograms[i];
		const int64_t values[] = {h->count, h->p50, h->p90, h->p99, h->p999, h->max};

		table_text(&t, h->name);
		table_text(&t, h->unit);
		for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
			table_cell(&t, "%" PRId64, values[j]);
	}
	table_end(&t, "no figures yet");
	return 0;
}

static void health_sentences(const struct cli *cli, const Calloff__V1__GetHealthResponse *health)
{
	struct health_text t;
	int64_t now_us = (int64_t)time(NULL) * 1000000;

	health_explain(&t, health);
	fputs("\nnow    ", cli->out);
	format_clean(cli->out, t.now);
	fputs("\nwhy    ", cli->out);
	format_clean(cli->out, t.why);
	fprintf(cli->out, "\nsince  %s, %s ago\nnext   ", format_when(now_us - health->state_age_us).s,
		format_duration(health->state_age_us).s);
	format_clean(cli->out, t.next);
	putc('\n', cli->out);
}

static void health_show(const struct cli *cli, const Calloff__V1__GetHealthResponse *health)
{
	const Calloff__V1__HelloResponse *hello = calloff_hello(cli->client);

	if (cli->format == CLI_JSON) {
		cli_print_json(cli, &health->base);
		return;
	}
	if (cli->format == CLI_TSV) {
		fprintf(cli->out,
			"state\tepoch\tlast_seq\tframework_version\tuptime_us\tlast_commit_age_us\tstate_age_us\t"
			"framework_version_live\twaiting\tconnections\treason\tnote\n");
		format_clean(cli->out, health->state);
		fprintf(cli->out,
			"\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%u\t%u\t",
			health->epoch, health->last_seq, health->framework_version, health->uptime_us,
			health->last_commit_age_us, health->state_age_us, health->framework_version_live, health->waiting,
			health->connections);
		format_clean(cli->out, health->reason);
		putc('\t', cli->out);
		format_clean(cli->out, health->note);
		putc('\n', cli->out);
		return;
	}
	fprintf(cli->out, "%s",
		cli->colour ? (strcmp(health->state, "ready") == 0 ? "\033[32m" : "\033[31m") : "");
	format_clean(cli->out, health->state);
	fprintf(cli->out, "%s   up %s   last commit %s ago\n", cli->colour ? "\033[0m" : "",
		format_duration(health->uptime_us).s, format_duration(health->last_commit_age_us).s);
	fprintf(cli->out, "journal %s   epoch %" PRId64 "   framework version %" PRId64 "\n",
		format_count(health->last_seq).s, health->epoch, health->framework_version);
	fputs("engine ", cli->out);
	format_clean(cli->out, hello->engine);
	fprintf(cli->out, "   rules v%u   you are ", hello->rules_version);
	format_clean(cli->out, hello->principal);
	fputs(", ", cli->out);
	format_clean(cli->out, hello->role);
	putc('\n', cli->out);
	health_sentences(cli, health);
}

/* With --wait: asks until the engine is ready or the time is over. */
static int health_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthRequest request = CALLOFF__V1__GET_HEALTH_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int64_t wait_s = 0;
	int code = cli_number(cli, "wait", 86400, &wait_s);

	CLI_BODY(envelope, GET_HEALTH_REQUEST, get_health_request, &request);
	for (int64_t tenths = wait_s * 10; code == 0; tenths--) {
		code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_RESPONSE, &reply);
		if (code != 0)
			break;
		bool ready = strcmp(reply->get_health_response->state, "ready") == 0;

		if (ready || tenths <= 0) {
			health_show(cli, reply->get_health_response);
			return ready ? 0 : EX_TEMPFAIL;
		}
		poll(NULL, 0, 100);
	}
	return code;
}

const struct command command_counts = {
	.name = "counts",
	.arguments = "",
	.summary = "how many packages there are, and where they are placed",
	.examples = "  calloff counts\n"
		    "  calloff counts --json\n",
	.run = counts_run,
};

const struct command command_stats = {
	.name = "stats",
	.arguments = "",
	.summary = "the engine's counters and latencies",
	.examples = "  calloff stats\n"
		    "  calloff stats --json | jq '.histograms[] | {name, p99}'\n",
	.run = stats_run,
};

const struct command command_health = {
	.name = "health",
	.arguments = "",
	.summary = "is the engine ready, and if not, why? Exit 0: yes, 75: not yet, 69: nobody answers",
	.examples = "  calloff health\n"
		    "  calloff health --wait 30 && calloff counts\n",
	.run = health_run,
};
