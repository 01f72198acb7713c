/* calloff explain: why this provider, and why not the others. */
#include "base/limits.h"
#include "commands.h"
#include "explain_text.h"

#include <inttypes.h>

static const char *const explain_days[DAYS] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static void explain_rows(struct table *t, const Calloff__V1__ExplainPackageResponse *e)
{
	for (size_t i = 0; i < e->n_decisions; i++) {
		const Calloff__V1__Decision *d = e->decisions[i];

		for (size_t j = 0; j < d->n_candidates; j++) {
			const Calloff__V1__Candidate *c = d->candidates[j];
			bool cell = c->day >= 1 && c->day <= DAYS;

			table_text(t, e->package != NULL ? e->package->package : "");
			table_cell(t, "%" PRId64, d->seq);
			table_text(t, d->list);
			table_cell(t, "%u", d->list_version);
			table_text(t, d->policy);
			table_text(t, format_word(&calloff__v1__route__descriptor, (int)c->route).s);
			table_cell(t, "%u", c->tier);
			table_cell(t, "%u", c->rank);
			table_text(t, c->provider);
			table_text(t, c->reason);
			table_text(t, c->clause);
			table_text(t, cell ? explain_days[c->day - 1] : "");
			table_text(t, format_word(&calloff__v1__band__descriptor, (int)c->band).s);
			table_cell(t, "%.0u", c->need);
			table_cell(t, cell ? "%u" : "%.0u", c->free);
			table_text(t, c->sentence);
		}
	}
}

static int explain_run(struct cli *cli)
{
	struct table t;
	bool rows = cli->format == CLI_TSV && !options_has(&cli->options, "text");
	int code = cli_connect(cli);

	if (code == 0 && rows)
		cli_table(
			cli, &t,
			"package seq list list_version policy route tier rank provider reason clause day band "
			"need free sentence");
	for (size_t i = 0; code == 0 && i < cli->options.argument_count; i++) {
		Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
		Calloff__V1__ExplainPackageRequest explain = CALLOFF__V1__EXPLAIN_PACKAGE_REQUEST__INIT;
		const Calloff__V1__Envelope *reply;

		explain.package = CLI_TEXT(cli->options.arguments[i]);
		CLI_BODY(envelope, EXPLAIN_PACKAGE_REQUEST, explain_package_request, &explain);
		code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_EXPLAIN_PACKAGE_RESPONSE, &reply);
		if (code != 0)
			break;
		if (cli->format == CLI_JSON)
			cli_print_json(cli, &reply->explain_package_response->base);
		else if (rows)
			explain_rows(&t, reply->explain_package_response);
		else
			explain_print(cli, reply->explain_package_response,
				      options_has(&cli->options, "all"));
	}
	return code;
}

static const struct option_spec explain_options[] = {
	{"all", NULL, "earlier rounds in full", false},
	{"text", NULL, "for reading, even through a pipe", false},
	{NULL, NULL, NULL, false},
};

const struct command command_explain = {
	.name = "explain",
	.arguments = "PKG...",
	.summary = "why this provider, and why not the others",
	.examples =
		"  calloff explain P-10482\n"
		"  calloff explain --all P-10482                earlier rounds in full\n"
		"  calloff explain --text P-10482 | lp\n"
		"  calloff explain P-10482 | cut -f6-10         one line a candidate: route tier rank provider reason\n",
	.notes =
		"T1-5 is tier 1 rank 5. A provider is passed over for the first check it fails, in the published order\n"
		"(engine/core/README.md); [cl 7.2] is the clause behind the rule. For capacity the line names the lowest\n"
		"cell that is short: day, band, minutes needed and free.\n",
	.options = explain_options,
	.arguments_min = 1,
	.arguments_max = 10000,
	.run = explain_run,
};
