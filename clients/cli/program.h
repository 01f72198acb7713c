/* program.h — the program's own tables: every sub-command, and the options that all of them take.
 *
 * Shape:   what main parses by, help prints, and pages turns into the manual page and the completion.
 * Errors:  none.
 */
#pragma once

#include "cli.h"

extern const struct command *const program_commands[];
extern const size_t program_command_count;
extern const struct option_spec program_options[];
