/* help.h — the help texts: examples first, then the options, then the words.
 *
 * Shape:   one page for the program, one for each sub-command, made from the tables.
 * Errors:  none.
 */
#pragma once

#include "cli.h"

void help_program(FILE *out, const struct command *const *commands, size_t count,
		  const struct option_spec *options);
void help_command(FILE *out, const struct command *command, const struct option_spec *options);
