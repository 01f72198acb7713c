/* options.h — the command line: --name value, --name=value, --switch, arguments, -- ends the options.
 *
 * Shape:   two tables of what is known (the program's and the sub-command's), each ended by a NULL name.
 * Errors:  options_parse says in one sentence what is wrong; nothing is printed here.
 * Owner:   options own two arrays; values and arguments point into argv.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct option_spec {
	const char *name;  /* without the dashes */
	const char *value; /* what its value is called in the help; NULL: a switch */
	const char *help;
	bool repeats;
};

struct option {
	const struct option_spec *spec;
	const char *value; /* "" for a switch */
};

struct options {
	struct option *given; /* in order */
	size_t given_count;
	const char **arguments;
	size_t argument_count;
};

bool options_parse(struct options *o, const struct option_spec *const tables[2], int argc, char **argv,
		   char problem[200]);
void options_fini(struct options *o);

/* NULL: not given. Of a repeated option, the last. */
const char *options_value(const struct options *o, const char *name);
bool options_has(const struct options *o, const char *name);
/* The spec a word like --json or --socket=x names; NULL: none. */
const struct option_spec *options_find(const struct option_spec *table, const char *word);
