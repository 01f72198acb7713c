/* What an officer does with one package: confirm, withdraw, end. */
#include "commands.h"
#include "outcome.h"

#include <string.h>

static const char *const withdraw_reasons = "not_needed, hospital, moved, died, duplicate, other";
static const char *const end_reasons = "not_needed, care_home, hospital, moved, died, other";

/* true: the reason is one of the words. */
static bool decide_knows_reason(const char *reason, const char *words)
{
	size_t len = strlen(reason);

	for (const char *at = words; *at != '\0';) {
		size_t word = strcspn(at, ",");

		if (word == len && memcmp(at, reason, len) == 0)
			return true;
		at += word;
		at += strspn(at, ", ");
	}
	return false;
}

static bool decide_is_package(const char *id)
{
	return id[0] == 'P' && id[1] == '-' && id[2] != '\0' && strspn(id + 2, "0123456789") == strlen(id + 2);
}

/* Once for each package named: one that fails does not stop the others, but a slip of the keys stops before the first. */
static int decide_each(struct cli *cli, int (*decide)(struct cli *cli, const char *package))
{
	int code = 0;

	if (cli->options.argument_count > 1 && options_has(&cli->options, "key"))
		return cli_usage(cli, "--key belongs to one command: give one package");
	for (size_t i = 0; i < cli->options.argument_count; i++) {
		if (!decide_is_package(cli->options.arguments[i]))
			return cli_usage(cli, "a package is written P-10482; has \"%s\". Nothing was done",
					 cli->options.arguments[i]);
	}
	for (size_t i = 0; i < cli->options.argument_count; i++) {
		int one = decide(cli, cli->options.arguments[i]);

		code = code != 0 ? code : one;
	}
	return code;
}

static int confirm_one(struct cli *cli, const char *package)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ConfirmPackageRequest confirm = CALLOFF__V1__CONFIRM_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	confirm.package = CLI_TEXT(package);
	confirm.with_budget_authority = options_has(&cli->options, "with-budget-authority");
	CLI_BODY(envelope, CONFIRM_PACKAGE_REQUEST, confirm_package_request, &confirm);
	if (cli->dry_run)
		return cli_show_request(cli, &envelope);
	code = cli_command(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_RESPONSE, &reply);
	if (code != 0)
		return code;
	return outcome_print(cli, reply->confirm_package_response->outcome,
			     reply->confirm_package_response->receipt,
			     &reply->confirm_package_response->base);
}

static int confirm_run(struct cli *cli)
{
	return decide_each(cli, confirm_one);
}

static int withdraw_one(struct cli *cli, const char *package)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__WithdrawPackageRequest withdraw = CALLOFF__V1__WITHDRAW_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	withdraw.package = CLI_TEXT(package);
	withdraw.reason = CLI_TEXT(options_value(&cli->options, "reason"));
	CLI_BODY(envelope, WITHDRAW_PACKAGE_REQUEST, withdraw_package_request, &withdraw);
	if (cli->dry_run)
		return cli_show_request(cli, &envelope);
	code = cli_command(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_RESPONSE, &reply);
	if (code != 0)
		return code;
	return outcome_print(cli, reply->withdraw_package_response->outcome,
			     reply->withdraw_package_response->receipt,
			     &reply->withdraw_package_response->base);
}

static int end_one(struct cli *cli, const char *package)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__EndPackageRequest end = CALLOFF__V1__END_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int code;

	end.package = CLI_TEXT(package);
	end.reason = CLI_TEXT(options_value(&cli->options, "reason"));
	CLI_BODY(envelope, END_PACKAGE_REQUEST, end_package_request, &end);
	if (cli->dry_run)
		return cli_show_request(cli, &envelope);
	code = cli_command(cli, &envelope, CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_RESPONSE, &reply);
	if (code != 0)
		return code;
	return outcome_print(cli, reply->end_package_response->outcome, reply->end_package_response->receipt,
			     &reply->end_package_response->base);
}

static int decide_with_reason(struct cli *cli, const char *words,
			      int (*decide)(struct cli *cli, const char *package))
{
	const char *reason = options_value(&cli->options, "reason");

	if (reason == NULL)
		return cli_usage(cli, "--reason is missing: %s", words);
	if (!decide_knows_reason(reason, words))
		return cli_usage(cli, "--reason is one of %s; has \"%s\"", words, reason);
	return decide_each(cli, decide);
}

static int withdraw_run(struct cli *cli)
{
	return decide_with_reason(cli, withdraw_reasons, withdraw_one);
}

static int end_run(struct cli *cli)
{
	return decide_with_reason(cli, end_reasons, end_one);
}

static const struct option_spec confirm_options[] = {
	{"with-budget-authority", NULL, "the price above the ceiling is authorised", false},
	{NULL, NULL, NULL, false},
};

const struct command command_confirm = {
	.name = "confirm",
	.arguments = "PKG...",
	.summary = "an officer's yes: PROVISIONAL becomes PLACED",
	.examples =
		"  calloff confirm P-10482\n"
		"  calloff confirm --with-budget-authority P-10482\n"
		"  calloff queue --state provisional --tsv | tail -n +2 | cut -f1 | xargs calloff confirm\n",
	.options = confirm_options,
	.arguments_min = 1,
	.arguments_max = 10000,
	.run = confirm_run,
};

static const struct option_spec withdraw_options[] = {
	{"reason", "CODE", "not_needed, hospital, moved, died, duplicate, other", false},
	{NULL, NULL, NULL, false},
};

const struct command command_withdraw = {
	.name = "withdraw",
	.arguments = "PKG...",
	.summary = "take a package back before care began",
	.examples = "  calloff withdraw --reason not_needed P-10482\n"
		    "  calloff withdraw --reason duplicate P-10482 P-10483\n",
	.options = withdraw_options,
	.arguments_min = 1,
	.arguments_max = 10000,
	.run = withdraw_run,
};

static const struct option_spec end_options[] = {
	{"reason", "CODE", "not_needed, care_home, hospital, moved, died, other", false},
	{NULL, NULL, NULL, false},
};

const struct command command_end = {
	.name = "end",
	.arguments = "PKG...",
	.summary = "care has ended: its capacity is free again",
	.examples = "  calloff end --reason care_home P-10482\n",
	.options = end_options,
	.arguments_min = 1,
	.arguments_max = 10000,
	.run = end_run,
};
