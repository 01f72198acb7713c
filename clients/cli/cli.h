/* cli.h — what every sub-command of calloff shares: its options, its connection, its manners.
 *
 * Shape:   one process, one sub-command, one connection (opened when first needed).
 * Errors:  every function that can fail returns an exit code of sysexits.h, 0 is well, and has already told the
 *          person what is wrong, why, and how to mend it.
 * Owner:   main.c owns struct cli; a reply belongs to the client and lives until the next call.
 */
#pragma once

#include "calloff.h"
#include "format.h"
#include "options.h"
#include "table.h"

#include <stdio.h>
#include <sysexits.h>

enum cli_format { CLI_TABLE, CLI_TSV, CLI_JSON };

struct cli;

struct command {
	const char *name;      /* "capacity declare" */
	const char *arguments; /* "PKG..." */
	const char *summary;
	const char *examples;
	const char *notes;                 /* may be NULL */
	const struct option_spec *options; /* may be NULL */
	size_t arguments_min, arguments_max;
	int (*run)(struct cli *cli);
};

struct cli {
	const struct command *command;
	struct options options;
	enum cli_format format;
	bool colour, dry_run, progress, resend;
	bool brief;        /* a look at the engine: an answer within seconds, or none */
	bool reconnecting; /* the engine was there a moment ago: wait for it */
	bool headed;       /* the header line of outcomes is printed */
	FILE *out;
	FILE *receipts;
	struct calloff_client *client;
	struct calloff_key_source keys;
	uint8_t key[CALLOFF_KEY_BYTES]; /* of the last single command: told when its fate is unknown */
	struct calloff_error error;
};

/* Says what was wrong with the command line. EX_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage(const struct cli *cli, const char *format, ...);
/* Tells error; about (may be NULL) says of which row or package. Its exit code. */
int cli_fail(const struct cli *cli, const struct calloff_error *error, const char *about);
int cli_fail_file(const struct cli *cli, const char *doing, const char *path, const char *mend);
int cli_exit_code(const struct calloff_error *error);
/* 0..max as an option's value, or the default; EX_USAGE is told. */
int cli_number(const struct cli *cli, const char *name, int64_t max, int64_t *ret_value);

int cli_connect(struct cli *cli);
/* One request, and the reply that must carry the body wanted. */
int cli_call(struct cli *cli, const Calloff__V1__Envelope *request, Calloff__V1__Envelope__BodyCase wanted,
	     const Calloff__V1__Envelope **ret_reply);
/* The same for a command: gives it a key (or --key's). */
int cli_command(struct cli *cli, Calloff__V1__Envelope *request, Calloff__V1__Envelope__BodyCase wanted,
		const Calloff__V1__Envelope **ret_reply);
/* --dry-run: what would be sent, as JSON. 0. */
int cli_show_request(const struct cli *cli, const Calloff__V1__Envelope *request);

void cli_print_json(const struct cli *cli, const ProtobufCMessage *message);
void cli_table(const struct cli *cli, struct table *t, const char *columns);
/* An instant for a table: short on a terminal, ISO 8601 with its offset on a pipe. */
struct text cli_instant(const struct cli *cli, int64_t us);
/* Appends "seq leaf row" to --receipts. */
int cli_keep_receipt(struct cli *cli, const Calloff__V1__Receipt *receipt);

/* Gives an envelope its one body. */
#define CLI_BODY(envelope, NAME, field_, body_) \
	((envelope).body_case = CALLOFF__V1__ENVELOPE__BODY_##NAME, (envelope).field_ = (body_))
/* protobuf-c's fields are not const; a packed text is only read. */
#define CLI_TEXT(text) ((char *)(uintptr_t)(text))
