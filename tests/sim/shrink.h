/* shrink.h — the smallest run found that breaks the same invariant, as a command line.
 *
 * Shape:  tries fewer clients and commands, each kind of trouble switched off, and stopping sooner; each try is a process
 *         of its own. A try counts when the same invariant breaks.
 */
#pragma once

#include "run.h"

/* --each=, --clients=, --steps=, --no-...: false when the word is none of these. */
bool settings_read(struct settings *s, const char *word);
void shrink_and_print(const struct settings *s, const struct result *r);
