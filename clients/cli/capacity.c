/* Pools of capacity: what was declared, what is free, and declaring anew. */
#include "base/check.h"
#include "cells.h"
#include "commands.h"
#include "when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const capacity_days[DAYS] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

enum { CAPACITY_FILE_BYTES_MAX = 64 * 1024, CAPACITY_PAGE = 500 };

static uint32_t capacity_free(const Calloff__V1__Cell *c)
{
	return c->declared > c->committed ? c->declared - c->committed : 0;
}

static const char *capacity_trust(const Calloff__V1__Pool *p)
{
	return p->unknown ? "unknown: ask" : "declared";
}

/* One plane of one pool: a line a band, a column a day, "free/declared". */
static void capacity_grid(const struct cli *cli, const Calloff__V1__Pool *p, bool paired)
{
	const Calloff__V1__Cell *cells[CELLS] = {NULL};
	size_t used = 0;

	for (size_t i = 0; i < p->n_cells; i++) {
		const Calloff__V1__Cell *c = p->cells[i];

		if ((bool)c->paired != paired || c->day < 1 || c->day > DAYS || (int)c->band < 1 ||
		    (int)c->band > BANDS)
			continue;
		cells[(c->day - 1) * BANDS + (uint32_t)c->band - 1] = c;
		used++;
	}
	if (used == 0)
		return;
	fprintf(cli->out, "  %-13s", paired ? "paired" : "single");
	for (int day = 0; day < DAYS; day++)
		fprintf(cli->out, "%11s", capacity_days[day]);
	putc('\n', cli->out);
	for (int band = 0; band < BANDS; band++) {
		bool any = false;

		for (int day = 0; day < DAYS; day++)
			any = any || cells[day * BANDS + band] != NULL;
		if (!any)
			continue;
		fprintf(cli->out, "  %-13s", format_word(&calloff__v1__band__descriptor, band + 1).s);
		for (int day = 0; day < DAYS; day++) {
			const Calloff__V1__Cell *c = cells[day * BANDS + band];
			char text[40] = "-";

			if (c != NULL)
				snprintf(text, sizeof text, "%u/%u%s", capacity_free(c), c->declared,
					 c->committed > c->declared ? "!" : "");
			fprintf(cli->out, "%11s", text);
		}
		putc('\n', cli->out);
	}
}

static void capacity_show(const struct cli *cli, const Calloff__V1__Pool *p)
{
	format_clean(cli->out, p->pool);
	fputs("  ", cli->out);
	format_clean(cli->out, p->provider);
	fputs("  ", cli->out);
	format_clean(cli->out, p->kind);
	fputs(", ", cli->out);
	format_clean(cli->out, p->mode);
	if (p->declared_at_us != 0)
		fprintf(cli->out, "   declared %s", format_when(p->declared_at_us).s);
	if (p->expires_us != 0)
		fprintf(cli->out, "   valid until %s", format_when(p->expires_us).s);
	fprintf(cli->out, "%s\n", p->unknown ? "   UNKNOWN: ask, it is not full" : "");
	capacity_grid(cli, p, false);
	capacity_grid(cli, p, true);
	if (p->n_cells == 0)
		fputs("  nothing declared or committed\n", cli->out);
}

static void capacity_rows(struct table *t, const Calloff__V1__Pool *p)
{
	for (size_t i = 0; i < p->n_cells; i++) {
		const Calloff__V1__Cell *c = p->cells[i];

		table_text(t, p->pool);
		table_text(t, p->provider);
		table_text(t, c->day >= 1 && c->day <= DAYS ? capacity_days[c->day - 1] : "");
		table_text(t, format_word(&calloff__v1__band__descriptor, (int)c->band).s);
		table_text(t, c->paired ? "paired" : "single");
		table_cell(t, "%u", c->declared);
		table_cell(t, "%u", c->committed);
		table_cell(t, "%u", c->overhang);
		table_cell(t, "%u", capacity_free(c));
	}
}

static void pools_row(const struct cli *cli, struct table *t, const Calloff__V1__Pool *p)
{
	uint32_t declared = 0, committed = 0, over = 0;

	for (size_t i = 0; i < p->n_cells; i++) {
		declared += p->cells[i]->declared;
		committed += p->cells[i]->committed;
		over += p->cells[i]->committed > p->cells[i]->declared;
	}
	table_text(t, p->pool);
	table_text(t, p->provider);
	table_text(t, p->kind);
	table_text(t, p->mode);
	table_text(t, capacity_trust(p));
	table_text(t, cli_instant(cli, p->expires_us).s);
	table_cell(t, "%u", declared);
	table_cell(t, "%u", committed);
	table_cell(t, "%u", over);
}

/* Every page of a provider's pools (or everybody's), each shown by show. */
static int capacity_pages(struct cli *cli, const char *provider, struct table *t, bool summary)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListPoolsRequest list = CALLOFF__V1__LIST_POOLS_REQUEST__INIT;
	char after[ID_BYTES_MAX * 4] = "";
	int code;

	list.provider = CLI_TEXT(provider);
	list.limit = CAPACITY_PAGE;
	CLI_BODY(envelope, LIST_POOLS_REQUEST, list_pools_request, &list);
	do {
		const Calloff__V1__Envelope *reply;

		list.after = after;
		code = cli_call(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_LIST_POOLS_RESPONSE, &reply);
		if (code != 0)
			return code;
		for (size_t i = 0; i < reply->list_pools_response->n_pools; i++) {
			const Calloff__V1__Pool *p = reply->list_pools_response->pools[i];

			if (cli->format == CLI_JSON)
				cli_print_json(cli, &p->base);
			else if (summary)
				pools_row(cli, t, p);
			else if (cli->format == CLI_TSV)
				capacity_rows(t, p);
			else
				capacity_show(cli, p);
		}
		if (strcmp(after, reply->list_pools_response->next) == 0)
			break;
		snprintf(after, sizeof after, "%s", reply->list_pools_response->next);
	} while (after[0] != '\0');
	return 0;
}

static int capacity_run(struct cli *cli)
{
	struct table t = {0};
	int code = cli_connect(cli);

	if (code == 0 && cli->format == CLI_TSV)
		cli_table(cli, &t, "pool provider day band plane declared committed overhang free");
	for (size_t i = 0; code == 0 && i < cli->options.argument_count; i++)
		code = capacity_pages(cli, cli->options.arguments[i], &t, false);
	return code;
}

static int pools_run(struct cli *cli)
{
	struct table t = {0};
	int code = cli_connect(cli);

	if (code == 0 && cli->format != CLI_JSON)
		cli_table(cli, &t,
			  "pool provider kind mode trust valid_until >declared >committed >cells_over");
	if (code == 0)
		code = capacity_pages(cli, cli->options.argument_count > 0 ? cli->options.arguments[0] : "",
				      &t, true);
	if (t.columns > 0)
		table_end(&t, code == 0 ? "no pools" : "");
	return code;
}

/* --cells is a file if one has that name, else the text itself. The caller frees. */
static int declare_read(const struct cli *cli, const char *cells, char **ret_text)
{
	bool piped = strcmp(cells, "-") == 0;
	FILE *in;
	size_t n;

	*ret_text = NULL;
	if (!piped && access(cells, F_OK) != 0) {
		*ret_text = strdup(cells);
		INSIST(*ret_text != NULL);
		return 0;
	}
	in = piped ? stdin : fopen(cells, "re");
	if (in == NULL)
		return cli_fail_file(cli, "reading", cells, "give a readable file, or the cells themselves");
	*ret_text = calloc(1, CAPACITY_FILE_BYTES_MAX + 1);
	INSIST(*ret_text != NULL);
	n = fread(*ret_text, 1, CAPACITY_FILE_BYTES_MAX + 1, in);
	bool bad = ferror(in) != 0;

	if (!piped)
		fclose(in);
	if (!bad && n <= CAPACITY_FILE_BYTES_MAX)
		return 0;
	free(*ret_text);
	*ret_text = NULL;
	errno = bad ? errno : EFBIG;
	return cli_fail_file(cli, "reading", cells, "a week of cells is at most 64 KiB");
}

static int declare_send(struct cli *cli, Calloff__V1__DeclareCapacityRequest *declare)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__DeclareCapacityResponse *response;
	int code, kept;

	CLI_BODY(envelope, DECLARE_CAPACITY_REQUEST, declare_capacity_request, declare);
	if (cli->dry_run)
		return cli_show_request(cli, &envelope);
	code = cli_command(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_RESPONSE, &reply);
	if (code != 0)
		return code;
	response = reply->declare_capacity_response;
	kept = cli_keep_receipt(cli, response->receipt);
	if (cli->format == CLI_JSON) {
		cli_print_json(cli, &response->base);
	} else if (cli->format == CLI_TSV) {
		fprintf(cli->out, "pool\tcells_over\tseq\n%s\t%u\t%lld\n", declare->pool,
			response->cells_over,
			response->receipt != NULL ? (long long)response->receipt->seq : 0);
	} else {
		fprintf(cli->out, "declared %zu cells of %s", declare->n_cells, declare->pool);
		if (declare->expires_us != 0)
			fprintf(cli->out, ", valid until %s", format_when(declare->expires_us).s);
		if (response->cells_over > 0)
			fprintf(cli->out, "; in %u more is committed than that: nothing new fits there",
				response->cells_over);
		putc('\n', cli->out);
	}
	return kept;
}

static int declare_cells(struct cli *cli, const struct cells *cells,
			 Calloff__V1__DeclareCapacityRequest *declare)
{
	Calloff__V1__Cell all[2 * CELLS], *pointers[2 * CELLS];

	for (int plane = 0; plane < 2; plane++) {
		for (uint32_t i = 0; i < CELLS; i++) {
			Calloff__V1__Cell *c = &all[declare->n_cells];

			if (cells->minutes[plane][i] == 0)
				continue;
			calloff__v1__cell__init(c);
			c->day = i / BANDS + 1;
			c->band = (Calloff__V1__Band)(i % BANDS + 1);
			c->paired = plane == 1;
			c->declared = cells->minutes[plane][i];
			pointers[declare->n_cells++] = c;
		}
	}
	declare->cells = pointers;
	return declare_send(cli, declare);
}

static int declare_run(struct cli *cli)
{
	Calloff__V1__DeclareCapacityRequest declare = CALLOFF__V1__DECLARE_CAPACITY_REQUEST__INIT;
	const char *until = options_value(&cli->options, "valid-until"),
		   *spec = options_value(&cli->options, "cells");
	const char *from = options_value(&cli->options, "available-from");
	struct cells cells;
	char problem[CELLS_PROBLEM_BYTES], *text = NULL;
	bool well;
	int code;

	if (spec == NULL)
		return cli_usage(
			cli, "--cells is missing: the whole week, e.g. mon-fri:morning=240,paired:bed=60");
	if (until == NULL)
		return cli_usage(
			cli,
			"--valid-until is missing: a declaration that never expires is never looked at again");
	if (!when_parse_us(until, &declare.expires_us))
		return cli_usage(cli, "--valid-until: write 2026-12-19 14:00, has \"%s\"", until);
	if (from != NULL && !when_is_date(from))
		return cli_usage(cli, "--available-from: write 2026-12-19, has \"%s\"", from);
	code = declare_read(cli, spec, &text);
	if (text == NULL)
		return code;
	well = cells_parse(&cells, text, problem);
	free(text);
	if (!well)
		return cli_usage(cli, "--cells: %s", problem);
	declare.pool = CLI_TEXT(cli->options.arguments[0]);
	if (from != NULL)
		declare.available_from = CLI_TEXT(from);
	return declare_cells(cli, &cells, &declare);
}

const struct command command_capacity = {
	.name = "capacity",
	.arguments = "PROVIDER...",
	.summary = "a provider's week: free and declared, cell by cell",
	.examples =
		"  calloff capacity PRV-M07\n"
		"  calloff capacity PRV-M07 | awk -F'\\t' '$9 > 0'     cells with room\n"
		"  calloff capacity declare POOL-M07-MAL --valid-until 2026-12-21 --cells mon-fri:morning=240\n",
	.notes =
		"On a terminal a cell reads free/declared, in minutes; ! marks one that is over its declaration.\n",
	.arguments_min = 1,
	.arguments_max = 1000,
	.run = capacity_run,
};

static const struct option_spec declare_options[] = {
	{"cells", "CELLS|FILE|-", "the whole week; what is not named is zero", false},
	{"valid-until", "WHEN", "then the pool is unknown: it means ask, never full", false},
	{"available-from", "DATE", "no start before that day", false},
	{NULL, NULL, NULL, false},
};

const struct command command_capacity_declare = {
	.name = "capacity declare",
	.arguments = "POOL",
	.summary = "declare the whole week of a pool",
	.examples = "  calloff capacity declare POOL-M07-MAL --valid-until \"2026-12-21 18:00\" \\\n"
		    "      --cells mon-fri:morning=240,mon-fri:lunch=120,paired:bed=60\n"
		    "  calloff capacity declare POOL-M07-MAL --valid-until 2026-12-21 --cells week.txt\n"
		    "  calloff capacity declare --dry-run ...           show what would be sent\n",
	.notes = "CELLS is [DAYS:][paired:]BANDS=MINUTES, parted by commas or lines; without days: daily.\n"
		 "  mon,wed:lunch|tea=120     paired:bed=60     night=2 (nights or places, for such pools)\n",
	.options = declare_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = declare_run,
};

const struct command command_pools = {
	.name = "pools",
	.arguments = "[PROVIDER]",
	.summary = "capacity pools, one line each",
	.examples = "  calloff pools\n"
		    "  calloff pools PRV-M07\n"
		    "  calloff pools | awk -F'\\t' '$5 != \"declared\"'    whom to ask for figures\n",
	.arguments_max = 1,
	.run = pools_run,
};
