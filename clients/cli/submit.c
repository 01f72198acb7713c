#include "base/check.h"
#include "bulk.h"
#include "commands.h"
#include "outcome.h"
#include "requirement.h"

#include <stdlib.h>
#include <string.h>

enum { SUBMIT_ARENA_BYTES = 256 * 1024 };

/* Is anything given that describes one package? */
static bool submit_is_one(const struct cli *cli)
{
	for (size_t i = 0; i < cli->options.given_count; i++) {
		if (requirement_knows(cli->options.given[i].spec->name))
			return true;
	}
	return false;
}

static int submit_read_options(struct cli *cli, struct arena *arena, Calloff__V1__Requirement *requirement)
{
	char problem[REQUIREMENT_PROBLEM_BYTES];

	for (size_t i = 0; i < cli->options.given_count; i++) {
		const struct option *o = &cli->options.given[i];

		if (requirement_knows(o->spec->name) &&
		    !requirement_set(arena, requirement, o->spec->name, o->value, problem))
			return cli_usage(cli, "--%s: %s", o->spec->name, problem);
	}
	return 0;
}

static int submit_one(struct cli *cli)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubmitPackageRequest submit = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
	Calloff__V1__Requirement requirement = CALLOFF__V1__REQUIREMENT__INIT;
	const Calloff__V1__Envelope *reply;
	struct arena arena = {.base = malloc(SUBMIT_ARENA_BYTES), .size = SUBMIT_ARENA_BYTES};
	int code;

	INSIST(arena.base != NULL);
	code = submit_read_options(cli, &arena, &requirement);
	submit.requirement = &requirement;
	submit.dry_run = cli->dry_run;
	CLI_BODY(envelope, SUBMIT_PACKAGE_REQUEST, submit_package_request, &submit);
	if (code == 0)
		code = cli_command(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE,
				   &reply);
	free(arena.base);
	if (code != 0)
		return code;
	if (cli->dry_run && cli->format == CLI_TABLE)
		fputs("DRY RUN, nothing was committed:\n", cli->out);
	return outcome_print(cli, reply->submit_package_response->outcome,
			     reply->submit_package_response->receipt, &reply->submit_package_response->base);
}

static int submit_run(struct cli *cli)
{
	bool one = submit_is_one(cli);

	if (one && cli->options.argument_count > 0)
		return cli_usage(cli, "give the options of one package or a file of rows, not both");
	if (cli->options.argument_count > 0)
		return bulk_submit(cli, cli->options.arguments[0]);
	if (!one)
		return cli_usage(cli, "nothing to submit: describe a package by options, or give a file");
	if (options_has(&cli->options, "keys") || options_has(&cli->options, "window") ||
	    options_has(&cli->options, "format") || options_has(&cli->options, "check"))
		return cli_usage(cli, "--keys, --window, --format and --check belong to a file of rows");
	return submit_one(cli);
}

const struct command command_submit = {
	.name = "submit",
	.arguments = "[FILE|-]",
	.summary = "call off one package, or a file of them",
	.examples =
		"  calloff submit --case C-1 --person X-1 --sector \"CM0 7\" --district Maldon --service personal_care \\\n"
		"      --visit daily:morning:45x2:critical:+-30 --visit daily:lunch:30 --visit mon,wed,fri:tea|bed:30 \\\n"
		"      --urgency hospital_planned --risk amber --cover ward --start 2026-12-19\n"
		"  calloff submit --dry-run --case C-1 ...         decide, commit nothing\n"
		"  calloff submit --check week51.csv               read every row, send nothing\n"
		"  calloff submit --keys week51.keys week51.csv    send; after an interruption, the same line again\n"
		"  case-export | calloff submit --json - > answers.ndjson\n",
	.notes =
		"VISIT is DAYS:BANDS:MINUTES[xCARERS][:critical][:+-MINUTES][:shared]\n"
		"  DAYS  daily, weekdays, weekend, mon,wed,fri, mon-fri\n"
		"  BANDS early morning midmorning lunch afternoon tea bed night; tea|bed: wanted at tea, bed will do\n"
		"FILE is NDJSON, one requirement a line with the names of proto/calloff/v1/package.proto:\n"
		"  {\"case_ref\":\"C-1\",\"sector\":\"CM0 7\",\"service\":\"personal_care\",\n"
		"   \"visits\":[{\"days\":127,\"band\":\"morning\",\"minutes\":45,\"carers\":2}],\"urgency\":\"standard\"}\n"
		"or CSV, whose header names options or those names, lists parted by ';':\n"
		"  case,person,sector,district,service,visits,urgency,risk,cover,start\n"
		"  C-1,X-1,CM0 7,Maldon,personal_care,daily:morning:45x2;daily:lunch:30,standard,amber,family,2026-12-19\n",
	.options = requirement_options,
	.arguments_max = 1,
	.run = submit_run,
};
