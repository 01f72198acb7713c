#include "package.h"

#include "commands.h"
#include "outcome.h"
#include "reflect.h"

#include <string.h>

#define WORD(type, value) format_word(&calloff__v1__##type##__descriptor, (int)(value)).s

const Calloff__V1__Placement *package_placement(const Calloff__V1__Package *package)
{
	const Calloff__V1__Placement *best = NULL;

	for (size_t i = 0; i < package->n_placements; i++) {
		const Calloff__V1__Placement *p = package->placements[i];

		if (best == NULL || p->role < best->role) /* main 1, interim 2, outgoing 3 */
			best = p;
	}
	return best;
}

void package_table(const struct cli *cli, struct table *t)
{
	cli_table(
		cli, t,
		cli->format == CLI_TABLE
			? "package state risk urgency cover sector district provider place start latest_start owner"
			: "package state risk urgency cover sector district provider place start latest_start owner "
			  "case_ref service list price_week need_arose");
}

void package_row(const struct cli *cli, struct table *t, const Calloff__V1__Package *package)
{
	static const Calloff__V1__Requirement nothing = CALLOFF__V1__REQUIREMENT__INIT;
	const Calloff__V1__Requirement *r = package->requirement != NULL ? package->requirement : &nothing;
	const Calloff__V1__Placement *p = package_placement(package);

	table_text(t, package->package);
	table_text(t, WORD(package_state, package->state));
	table_text(t, WORD(risk, r->risk));
	table_text(t, WORD(urgency, r->urgency));
	table_text(t, WORD(cover, r->cover));
	table_text(t, r->sector);
	table_text(t, r->district);
	table_text(t, p != NULL ? p->provider : "");
	table_text(t, p != NULL ? outcome_place(p->route, p->tier, p->rank).s : "");
	table_text(t, p != NULL ? p->start_date : r->start_date);
	table_text(t, cli_instant(cli, r->latest_safe_start_us).s);
	table_text(t, r->owner_ref);
	if (cli->format == CLI_TABLE)
		return;
	table_text(t, r->case_ref);
	table_text(t, WORD(service, r->service));
	table_text(t, package->list);
	table_text(t, p != NULL ? format_money(p->price_pence_week).s : "");
	table_text(t, cli_instant(cli, r->need_arose_us).s);
}

static void package_show(const struct cli *cli, struct table *t, const Calloff__V1__Package *package)
{
	if (cli->format == CLI_JSON)
		cli_print_json(cli, &package->base);
	else
		package_row(cli, t, package);
}

static int status_ask(struct cli *cli, struct table *t, const char *package, const char *case_ref)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetPackageRequest get = CALLOFF__V1__GET_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	get.package = CLI_TEXT(package);
	get.case_ref = CLI_TEXT(case_ref);
	CLI_BODY(envelope, GET_PACKAGE_REQUEST, get_package_request, &get);
	code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_GET_PACKAGE_RESPONSE, &reply);
	for (size_t i = 0; code == 0 && i < reply->get_package_response->n_packages; i++)
		package_show(cli, t, reply->get_package_response->packages[i]);
	return code;
}

static int status_run(struct cli *cli)
{
	const char *case_ref = options_value(&cli->options, "case");
	struct table t;
	int code = 0;

	if ((case_ref != NULL) == (cli->options.argument_count > 0))
		return cli_usage(cli, "give packages, or --case with a case's reference");
	code = cli_connect(cli); /* before the header is printed */
	if (code != 0)
		return code;
	if (cli->format != CLI_JSON)
		package_table(cli, &t);
	if (case_ref != NULL)
		code = status_ask(cli, &t, "", case_ref);
	for (size_t i = 0; i < cli->options.argument_count; i++) {
		int one = status_ask(cli, &t, cli->options.arguments[i], "");

		code = code != 0 ? code : one;
	}
	if (cli->format != CLI_JSON)
		table_end(&t, code == 0 ? "no package has that case reference" : "");
	return code;
}

static int queue_states(const struct cli *cli, Calloff__V1__PackageState *states, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < cli->options.given_count; i++) {
		const struct option *o = &cli->options.given[i];
		int state;

		if (strcmp(o->spec->name, "state") != 0)
			continue;
		if (!reflect_enum_value(&calloff__v1__package_state__descriptor, o->value, &state) ||
		    *ret_count == 16)
			return cli_usage(
				cli, "\"%s\" is not a state: submitted, provisional, placed, unsourced, ...",
				o->value);
		states[(*ret_count)++] = (Calloff__V1__PackageState)state;
	}
	return 0;
}

static int queue_run(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListPackagesRequest list = CALLOFF__V1__LIST_PACKAGES_REQUEST__INIT;
	Calloff__V1__PackageState states[16];
	const Calloff__V1__Envelope *reply;
	struct table t;
	int64_t limit = INT64_MAX, shown = 0;
	int code = queue_states(cli, states, &list.n_states);

	if (code == 0)
		code = cli_number(cli, "limit", INT64_MAX, &limit);
	if (code == 0)
		code = cli_connect(cli);
	if (code != 0)
		return code;
	list.states = states;
	CLI_BODY(envelope, LIST_PACKAGES_REQUEST, list_packages_request, &list);
	if (cli->format != CLI_JSON)
		package_table(cli, &t);
	do {
		list.limit = limit - shown < 500 ? (uint32_t)(limit - shown) : 500;
		code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_LIST_PACKAGES_RESPONSE, &reply);
		if (code != 0)
			break;
		for (size_t i = 0; i < reply->list_packages_response->n_packages && shown < limit;
		     i++, shown++)
			package_show(cli, &t, reply->list_packages_response->packages[i]);
		if (reply->list_packages_response->next != 0 &&
		    reply->list_packages_response->next == list.after)
			break; /* a cursor that stands still */
		list.after = reply->list_packages_response->next;
	} while (list.after != 0 && shown < limit);
	if (cli->format != CLI_JSON)
		table_end(&t, code == 0 ? "nobody waits" : "");
	if (code == 0 && list.after != 0 && cli->format == CLI_TABLE)
		fprintf(stderr, "there are more: raise --limit\n");
	return code;
}

static const struct option_spec status_options[] = {
	{"case", "REF", "every package of this case", false},
	{NULL, NULL, NULL, false},
};

const struct command command_status = {
	.name = "status",
	.arguments = "PKG...",
	.summary = "where packages stand",
	.examples = "  calloff status P-10482 P-10483\n"
		    "  calloff status --case C-1\n"
		    "  calloff status --json P-10482 | jq .placements\n",
	.options = status_options,
	.arguments_max = 10000,
	.run = status_run,
};

static const struct option_spec queue_options[] = {
	{"state", "WORD", "only this state, e.g. provisional (may be repeated)", true},
	{"limit", "N", "at most so many", false},
	{NULL, NULL, NULL, false},
};

const struct command command_queue = {
	.name = "queue",
	.arguments = "",
	.summary = "who waits for somebody",
	.examples = "  calloff queue\n"
		    "  calloff queue --state provisional            what officers have to confirm\n"
		    "  calloff queue --state unsourced --json\n"
		    "  calloff queue --state placed --limit 20\n",
	.options = queue_options,
	.run = queue_run,
};
