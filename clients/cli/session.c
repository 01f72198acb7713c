#include "cli.h"

#include "base/err.h"
#include "reflect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_usage(const struct cli *cli, const char *format, ...)
{
	const char *name = cli->command != NULL ? cli->command->name : "";
	const char *space = cli->command != NULL ? " " : "";
	va_list arguments;

	fprintf(stderr, "calloff%s%s: ", space, name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n  mend: see calloff%s%s --help\n", space, name);
	return EX_USAGE;
}

int cli_exit_code(const struct calloff_error *error)
{
	switch (error->fault) {
	case CALLOFF_OK:
		return 0;
	case CALLOFF_MISUSE:
		return EX_DATAERR;
	case CALLOFF_UNREACHABLE:
	case CALLOFF_LOST:
		return error->code == 7 ? EX_NOPERM : EX_UNAVAILABLE;
	case CALLOFF_GARBLED:
		return EX_SOFTWARE;
	case CALLOFF_SYSTEM:
		return EX_OSERR;
	case CALLOFF_REFUSED:
		break;
	}
	switch (error->code) {
	case 7:  /* PERMISSION_DENIED */
	case 16: /* UNAUTHENTICATED */
		return EX_NOPERM;
	case 4:  /* DEADLINE_EXCEEDED */
	case 8:  /* RESOURCE_EXHAUSTED */
	case 14: /* UNAVAILABLE */
		return EX_TEMPFAIL;
	case 12: /* UNIMPLEMENTED */
		return EX_UNAVAILABLE;
	case 2:  /* UNKNOWN */
	case 13: /* INTERNAL */
	case 15: /* DATA_LOSS */
		return EX_SOFTWARE;
	default: /* the request itself, or what it speaks of */
		return EX_DATAERR;
	}
}

static void cli_fail_json(const struct calloff_error *error, const char *about)
{
	const char *const fields[][2] = {{"about", about != NULL ? about : ""},
					 {"reason", error->reason},
					 {"what", error->what},
					 {"why", error->why},
					 {"mend", error->mend}};

	fprintf(stderr, "{\"error\":{\"exit\":%d", cli_exit_code(error));
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (fields[i][1][0] == '\0')
			continue;
		fprintf(stderr, ",\"%s\":", fields[i][0]);
		reflect_print_text(stderr, fields[i][1]);
	}
	fputs("}}\n", stderr);
}

int cli_fail(const struct cli *cli, const struct calloff_error *error, const char *about)
{
	fflush(cli->out);
	if (cli->format == CLI_JSON) {
		cli_fail_json(error, about);
		return cli_exit_code(error);
	}
	fprintf(stderr, "calloff %s: ", cli->command->name);
	if (about != NULL) {
		format_clean(stderr, about);
		fputs(": ", stderr);
	}
	format_clean(stderr, error->what);
	if (error->reason[0] != '\0')
		fprintf(stderr, " [%s]", error->reason);
	if (error->why[0] != '\0') {
		fputs("\n  why:  ", stderr);
		format_clean(stderr, error->why);
	}
	if (error->mend[0] != '\0') {
		fputs("\n  mend: ", stderr);
		format_clean(stderr, error->mend);
	}
	putc('\n', stderr);
	return cli_exit_code(error);
}

int cli_fail_file(const struct cli *cli, const char *doing, const char *path, const char *mend)
{
	struct calloff_error error;
	char what[sizeof error.what];
	int code = errno;

	snprintf(what, sizeof what, "%s %s failed", doing, path);
	calloff_error_set(&error, CALLOFF_SYSTEM, what, code != 0 ? strerror(code) : NULL, mend);
	cli_fail(cli, &error, NULL);
	return EX_IOERR;
}

int cli_number(const struct cli *cli, const char *name, int64_t max, int64_t *ret_value)
{
	const char *text = options_value(&cli->options, name);
	char *end;
	int64_t value;

	if (text == NULL)
		return 0;
	errno = 0;
	value = strtoimax(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0 || value > max)
		return cli_usage(cli, "--%s needs a whole number from 0 to %" PRId64 ", has \"%s\"", name,
				 max, text);
	*ret_value = value;
	return 0;
}

int cli_connect(struct cli *cli)
{
	int64_t wait_s = cli->reconnecting ? 30 : 0, timeout_s = cli->brief ? 5 : cli->resend ? 30 : 0, shard = 0;
	int code = cli_number(cli, "wait", 86400, &wait_s);

	if (code == 0)
		code = cli_number(cli, "timeout", 86400, &timeout_s);
	if (code == 0)
		code = cli_number(cli, "shard", 32767, &shard);
	if (code != 0 || cli->client != NULL)
		return code;

	struct calloff_options options = {
		.socket_path = options_value(&cli->options, "socket"),
		.client_name = "calloff 0.1",
		.acting_for = options_value(&cli->options, "acting-for"),
		.shard = (uint32_t)shard,
		.connect_wait_ms = (int)wait_s * 1000,
		.timeout_ms = timeout_s == 0 ? -1 : (int)timeout_s * 1000,
		.no_resend = !cli->resend || cli->brief,
	};

	if (calloff_open(&options, &cli->client, &cli->error) != CALLOFF_OK)
		return cli_fail(cli, &cli->error, NULL);
	return 0;
}

int cli_call(struct cli *cli, const Calloff__V1__Envelope *request, Calloff__V1__Envelope__BodyCase wanted,
	     const Calloff__V1__Envelope **ret_reply)
{
	const Calloff__V1__Envelope *reply;
	int code = cli_connect(cli);

	if (code != 0)
		return code;
	if (calloff_call(cli->client, request, &reply, &cli->error) != CALLOFF_OK)
		return cli_fail(cli, &cli->error, NULL);
	if (reply->body_case != wanted) {
		calloff_error_set(&cli->error, CALLOFF_GARBLED, "the engine answered something else", NULL,
				  "check the client's version against the engine's, see calloff health");
		return cli_fail(cli, &cli->error, NULL);
	}
	*ret_reply = reply;
	return 0;
}

/* The command may have been acted on: only the same key makes it safe to send again. */
static void cli_tell_key(struct cli *cli)
{
	char key[37];

	if (cli->error.fault != CALLOFF_UNREACHABLE && cli->error.fault != CALLOFF_GARBLED &&
	    !(cli->error.fault == CALLOFF_REFUSED && cli->error.retry_same_key))
		return;
	calloff_key_format(cli->key, key);
	if (cli->format == CLI_JSON)
		fprintf(stderr, "{\"retry_key\":\"%s\"}\n", key);
	else
		fprintf(stderr, "  to send the very same command again: add --key %s\n", key);
}

int cli_command(struct cli *cli, Calloff__V1__Envelope *request, Calloff__V1__Envelope__BodyCase wanted,
		const Calloff__V1__Envelope **ret_reply)
{
	const char *given = options_value(&cli->options, "key");
	int code;

	if (given != NULL && !calloff_key_parse(given, cli->key))
		return cli_usage(
			cli, "--key needs a UUIDv7, e.g. 0193d2c4-8f00-7abc-8123-456789abcdef, has \"%s\"",
			given);
	if (given == NULL && calloff_key_new(&cli->keys, cli->key, &cli->error) != CALLOFF_OK)
		return cli_fail(cli, &cli->error, NULL);
	request->key.data = cli->key;
	request->key.len = sizeof cli->key;
	code = cli_connect(cli); /* nothing was sent before this: no key to tell */
	if (code != 0)
		return code;
	code = cli_call(cli, request, wanted, ret_reply);
	if (code != 0)
		cli_tell_key(cli);
	return code;
}

int cli_show_request(const struct cli *cli, const Calloff__V1__Envelope *request)
{
	if (cli->format == CLI_TABLE)
		fputs("nothing was sent; this would be:\n", stderr);
	cli_print_json(cli, &request->base);
	return 0;
}

void cli_print_json(const struct cli *cli, const ProtobufCMessage *message)
{
	reflect_print(cli->out, message);
	putc('\n', cli->out);
}

void cli_table(const struct cli *cli, struct table *t, const char *columns)
{
	table_begin(t, cli->out, cli->format == CLI_TABLE, columns);
}

struct text cli_instant(const struct cli *cli, int64_t us)
{
	return cli->format == CLI_TABLE ? format_instant(us) : format_iso(us);
}

int cli_keep_receipt(struct cli *cli, const Calloff__V1__Receipt *receipt)
{
	const char *path = options_value(&cli->options, "receipts");

	if (path == NULL || receipt == NULL || receipt->leaf.len == 0)
		return 0;
	if (cli->receipts == NULL)
		cli->receipts = fopen(path, "ae");
	errno = 0;
	if (cli->receipts == NULL ||
	    fprintf(cli->receipts, "%" PRId64 " %s %s\n", receipt->seq, format_hex(receipt->leaf, 0).s,
		    format_hex(receipt->row_hash, 0).s) < 0 ||
	    fflush(cli->receipts) != 0)
		return cli_fail_file(cli, "writing receipts to", path,
				     "the commands themselves were answered; see calloff status");
	return 0;
}
