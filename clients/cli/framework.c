/* What the engine read of the framework: lots, ranked lists, providers. */
#include "base/limits.h"
#include "commands.h"
#include "outcome.h"

#include <string.h>

#define WORD(type, value) format_word(&calloff__v1__##type##__descriptor, (int)(value)).s

/* a, b, c; cut where the room ends. */
static const char *framework_join(char *to, size_t size, char *const *words, size_t count)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		int n = snprintf(to + used, size - used, "%s%s", i > 0 ? "," : "", words[i]);

		used += n > 0 ? (size_t)n : 0;
	}
	return to;
}

static int lots_show(struct cli *cli, const Calloff__V1__ListLotsResponse *lots)
{
	char words[8192];
	struct table t;

	if (cli->format == CLI_JSON) {
		for (size_t i = 0; i < lots->n_lots; i++)
			cli_print_json(cli, &lots->lots[i]->base);
		return 0;
	}
	cli_table(cli, &t, "lot name framework districts lists");
	for (size_t i = 0; i < lots->n_lots; i++) {
		const Calloff__V1__Lot *l = lots->lots[i];

		table_text(&t, l->lot);
		table_text(&t, l->name);
		table_text(&t, l->framework);
		table_text(&t, framework_join(words, sizeof words, l->districts, l->n_districts));
		table_text(&t, framework_join(words, sizeof words, l->lists, l->n_lists));
	}
	table_end(&t, "no lots");
	return 0;
}

static int lots_show_words(struct cli *cli, const Calloff__V1__ListLotsResponse *lots)
{
	struct table t;

	if (cli->format == CLI_JSON) {
		Calloff__V1__ListLotsResponse words = *lots;

		words.n_lots = 0;
		cli_print_json(cli, &words.base);
		return 0;
	}
	cli_table(cli, &t, "kind code");
	for (size_t i = 0; i < lots->n_skills; i++) {
		table_text(&t, "skill");
		table_text(&t, lots->skills[i]);
	}
	for (size_t i = 0; i < lots->n_languages; i++) {
		table_text(&t, "language");
		table_text(&t, lots->languages[i]);
	}
	table_end(&t, "no skills or languages");
	return 0;
}

static int lots_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListLotsRequest request = CALLOFF__V1__LIST_LOTS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	CLI_BODY(envelope, LIST_LOTS_REQUEST, list_lots_request, &request);
	code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_LIST_LOTS_RESPONSE, &reply);
	if (code != 0)
		return code;
	return options_has(&cli->options, "skills") ? lots_show_words(cli, reply->list_lots_response)
						    : lots_show(cli, reply->list_lots_response);
}

static int list_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetListRequest request = CALLOFF__V1__GET_LIST_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__GetListResponse *list;
	char pools[1024];
	struct table t;
	int code;

	request.list = CLI_TEXT(cli->options.arguments[0]);
	CLI_BODY(envelope, GET_LIST_REQUEST, get_list_request, &request);
	code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_LIST_RESPONSE, &reply);
	if (code != 0)
		return code;
	list = reply->get_list_response;
	if (cli->format == CLI_JSON) {
		cli_print_json(cli, &list->base);
		return 0;
	}
	if (cli->format == CLI_TABLE) {
		struct text group =
			format_phrase(&calloff__v1__client_group__descriptor, (int)list->client_group);

		format_clean(cli->out, list->list);
		fprintf(cli->out, " v%u   %s, %s   policy ", list->version,
			format_phrase(&calloff__v1__service__descriptor, (int)list->service).s,
			list->client_group == 0 ? "any client group" : group.s);
		format_clean(cli->out, list->policy);
		putc('\n', cli->out);
	}
	cli_table(cli, &t,
		  "place provider route >price_hour >score rating status >packages >carer_time_week pools");
	for (size_t i = 0; i < list->n_entries; i++) {
		const Calloff__V1__ListEntry *e = list->entries[i];

		table_text(&t, outcome_place(e->route, e->tier, e->rank).s);
		table_text(&t, e->provider);
		table_text(&t, WORD(route, e->route));
		table_text(&t, format_money(e->price_pence_hour).s);
		table_cell(&t, "%u.%03u", e->score_milli / 1000, e->score_milli % 1000);
		table_text(&t, e->rating == 0 ? "not_rated" : WORD(rating, e->rating));
		table_text(&t, e->status);
		table_cell(&t, "%u", e->live_packages);
		table_text(&t, format_hours(e->carer_minutes_week).s);
		table_text(&t, framework_join(pools, sizeof pools, e->pools, e->n_pools));
	}
	table_end(&t, "the list is empty");
	return 0;
}

static void providers_row(struct table *t, const Calloff__V1__Provider *p)
{
	char words[2048];

	table_text(t, p->provider);
	table_text(t, p->location);
	table_text(t, p->rating == 0 ? "not_rated" : WORD(rating, p->rating));
	table_cell(t, "%u", p->live_packages);
	table_text(t, format_hours(p->carer_minutes_week).s);
	table_text(t, p->minutes_week_max > 0 ? format_hours(p->minutes_week_max).s : "");
	table_cell(t, "%.0u", p->starts_a_day_max);
	table_text(t, framework_join(words, sizeof words, p->skills, p->n_skills));
	table_text(t, framework_join(words, sizeof words, p->pools, p->n_pools));
}

static int providers_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListProvidersRequest request = CALLOFF__V1__LIST_PROVIDERS_REQUEST__INIT;
	char after[ID_BYTES_MAX * 4] = "";
	struct table t;
	int code = cli_connect(cli);

	if (code != 0)
		return code;
	if (cli->format != CLI_JSON)
		cli_table(
			cli, &t,
			"provider location rating >packages >carer_time_week >limit_week >starts_a_day skills pools");
	request.limit = 500;
	CLI_BODY(envelope, LIST_PROVIDERS_REQUEST, list_providers_request, &request);
	do {
		const Calloff__V1__Envelope *reply;

		request.after = after;
		code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_LIST_PROVIDERS_RESPONSE, &reply);
		if (code != 0)
			break;
		for (size_t i = 0; i < reply->list_providers_response->n_providers; i++) {
			const Calloff__V1__Provider *p = reply->list_providers_response->providers[i];

			if (cli->format == CLI_JSON)
				cli_print_json(cli, &p->base);
			else
				providers_row(&t, p);
		}
		if (strcmp(after, reply->list_providers_response->next) == 0)
			break;
		snprintf(after, sizeof after, "%s", reply->list_providers_response->next);
	} while (after[0] != '\0');
	if (cli->format != CLI_JSON)
		table_end(&t, code == 0 ? "no providers" : "");
	return code;
}

static const struct option_spec lots_options[] = {
	{"skills", NULL, "the codes of skills and languages instead", false},
	{NULL, NULL, NULL, false},
};

const struct command command_lots = {
	.name = "lots",
	.arguments = "",
	.summary = "the framework's lots, their districts and ranked lists",
	.examples = "  calloff lots\n"
		    "  calloff lots --skills                        codes for --skill and --language\n",
	.options = lots_options,
	.run = lots_run,
};

const struct command command_list = {
	.name = "list",
	.arguments = "CODE",
	.summary = "one ranked list: who is asked in which order",
	.examples = "  calloff list LAH25-MAL-PC\n"
		    "  calloff list --json LAH25-MAL-PC | jq '.entries[].provider'\n",
	.arguments_min = 1,
	.arguments_max = 1,
	.run = list_run,
};

const struct command command_providers = {
	.name = "providers",
	.arguments = "",
	.summary = "every provider, what it holds and its limits",
	.examples = "  calloff providers\n"
		    "  calloff providers | sort -t$'\\t' -k4,4nr | head\n",
	.run = providers_run,
};
