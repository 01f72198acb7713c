/* help.h — the help texts: examples first, then the options, then the words.
 *
 * Shape:   one page for the program, one for each sub-command, made from the tables.
 * Errors:  none.
 */
#pragma once

#include "cli.h"

#define HELP_NAME "calloff"
#define HELP_WHAT "the officer's client of the Calloff brokerage engine"
#define HELP_USAGE "calloff COMMAND [options] [arguments]"

struct help_note {
	const char *heading, *text;
};

/* Of the program as a whole; the notes end with a NULL heading. */
extern const char help_examples[];
extern const struct help_note help_notes[];

void help_program(FILE *out, const struct command *const *commands, size_t count,
		  const struct option_spec *options);
void help_command(FILE *out, const struct command *command, const struct option_spec *options);
