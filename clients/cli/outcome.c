#include "outcome.h"

#include <inttypes.h>

#define WORD(type, value) format_word(&calloff__v1__##type##__descriptor, (int)(value)).s

struct text outcome_place(Calloff__V1__Route route, uint32_t tier, uint32_t rank)
{
	struct text t;

	if (route == CALLOFF__V1__ROUTE__ROUTE_FRAMEWORK || route == CALLOFF__V1__ROUTE__ROUTE_UNSPECIFIED)
		snprintf(t.s, sizeof t.s, "T%u-%u", tier, rank);
	else if (route == CALLOFF__V1__ROUTE__ROUTE_POLR)
		snprintf(t.s, sizeof t.s, "POLR");
	else
		snprintf(t.s, sizeof t.s, "%.40s %u", WORD(route, route), rank);
	return t;
}

void outcome_row(const struct cli *cli, struct table *t, const Calloff__V1__Outcome *outcome,
		 const Calloff__V1__Receipt *receipt)
{
	static const Calloff__V1__Placement nobody = CALLOFF__V1__PLACEMENT__INIT;
	const Calloff__V1__Placement *p = outcome->placement != NULL ? outcome->placement : &nobody;

	table_text(t, outcome->package);
	table_text(t, WORD(package_state, outcome->state));
	table_text(t, p->provider);
	table_text(t, WORD(route, p->route));
	table_cell(t, "%.0u", p->tier);
	table_cell(t, "%.0u", p->rank);
	table_text(t, p == &nobody ? "" : format_money(p->price_pence_week).s);
	table_text(t, p->start_date);
	table_text(t, outcome->simulated ? "simulated" : "");
	table_text(t, outcome->budget_authority ? "needed" : "");
	table_text(t, cli_instant(cli, outcome->confirm_by_us).s);
	table_cell(t, "%.0" PRId64, receipt != NULL ? receipt->seq : 0);
	table_text(t, receipt != NULL ? format_hex(receipt->leaf, 0).s : "");
}

static void outcome_suggest(const struct cli *cli, int *count, const char *verb, const char *package,
			    const char *option)
{
	fprintf(cli->out, "%scalloff %s %s%s", (*count)++ > 0 ? " | " : "Next: ", verb, package, option);
}

void outcome_next(const struct cli *cli, const char *package, Calloff__V1__PackageState state, unsigned facts)
{
	bool provisional = state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PROVISIONAL;
	bool waits = provisional || state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_SUBMITTED ||
		     state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_UNSOURCED;
	bool runs = (facts & OUTCOME_INTERIM) != 0 ||
		    state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PLACED ||
		    state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_MOBILISING ||
		    state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_LIVE;
	int count = 0;

	if (package[0] == '\0')
		return;
	if (provisional)
		outcome_suggest(cli, &count, "confirm", package,
				(facts & OUTCOME_BUDGET) != 0 ? " --with-budget-authority" : "");
	if ((facts & OUTCOME_EXPLAINED) == 0)
		outcome_suggest(cli, &count, "explain", package, "");
	if (waits)
		outcome_suggest(cli, &count, "withdraw", package, " --reason CODE");
	if (runs)
		outcome_suggest(cli, &count, "end", package, " --reason CODE");
	if (count > 0)
		putc('\n', cli->out);
}

static void outcome_print_lines(const struct cli *cli, const Calloff__V1__Outcome *o,
				const Calloff__V1__Receipt *receipt)
{
	const Calloff__V1__Placement *p = o->placement;
	bool interim = p != NULL && p->role == CALLOFF__V1__PLACEMENT_ROLE__PLACEMENT_ROLE_INTERIM;

	if (o->package[0] != '\0') {
		format_clean(cli->out, o->package);
		fputs("  ", cli->out);
	}
	fprintf(cli->out, "%s%s%s", cli->colour ? "\033[1m" : "",
		format_loud(&calloff__v1__package_state__descriptor, (int)o->state).s,
		cli->colour ? "\033[0m" : "");
	if (p != NULL) {
		fputs(interim ? "  meanwhile with " : "  with ", cli->out);
		format_clean(cli->out, p->provider);
		fprintf(cli->out, " (%s)", outcome_place(p->route, p->tier, p->rank).s);
		fprintf(cli->out, ", from %s", format_date(p->start_date).s);
		if (p->exit_date[0] != '\0')
			fprintf(cli->out, " until %s", format_date(p->exit_date).s);
		fprintf(cli->out, ", %s a week", format_money(p->price_pence_week).s);
	}
	if (o->simulated)
		fprintf(cli->out, "  %sSIMULATED%s: a declaration's yes, not a person's",
			cli->colour ? "\033[33m" : "", cli->colour ? "\033[0m" : "");
	putc('\n', cli->out);
	if (o->budget_authority)
		fputs("The price is above the ceiling: an officer confirms it with budget authority\n",
		      cli->out);
	if (o->confirm_by_us != 0)
		fprintf(cli->out, "Confirm by %s, else it escalates\n", format_when(o->confirm_by_us).s);
	if (o->looked_at > 0)
		fprintf(cli->out, "%u looked at   ", o->looked_at);
	if (receipt != NULL && receipt->leaf.len > 0)
		fprintf(cli->out, "receipt %" PRId64 " %s", receipt->seq, format_hex(receipt->leaf, 4).s);
	if (o->looked_at > 0 || (receipt != NULL && receipt->leaf.len > 0))
		putc('\n', cli->out);
	outcome_next(cli, o->package, o->state,
		     (interim ? OUTCOME_INTERIM : 0) | (o->budget_authority ? OUTCOME_BUDGET : 0));
}

int outcome_print(struct cli *cli, const Calloff__V1__Outcome *outcome, const Calloff__V1__Receipt *receipt,
		  const ProtobufCMessage *whole)
{
	static const Calloff__V1__Outcome nothing = CALLOFF__V1__OUTCOME__INIT;
	int code = cli_keep_receipt(cli, receipt);

	if (outcome == NULL)
		outcome = &nothing;
	if (cli->format == CLI_JSON) {
		cli_print_json(cli, whole);
	} else if (cli->format == CLI_TSV) {
		struct table t;

		if (cli->headed)
			table_begin_headless(&t, cli->out, false, OUTCOME_COLUMNS);
		else
			cli_table(cli, &t, OUTCOME_COLUMNS);
		cli->headed = true;
		outcome_row(cli, &t, outcome, receipt);
		table_end(&t, NULL);
	} else {
		outcome_print_lines(cli, outcome, receipt);
	}
	return code;
}
