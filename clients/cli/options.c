#include "options.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec *options_find(const struct option_spec *table, const char *word)
{
	size_t len;

	if (strncmp(word, "--", 2) != 0 || table == NULL)
		return NULL;
	word += 2;
	len = strcspn(word, "=");
	for (; table->name != NULL; table++) {
		if (strlen(table->name) == len && memcmp(table->name, word, len) == 0)
			return table;
	}
	return NULL;
}

/* What a mistyped option may have meant: the longest common beginning of at least three letters. */
static const char *options_like(const struct option_spec *const tables[2], const char *word)
{
	const char *best = NULL;
	size_t best_len = 2;

	for (int i = 0; i < 2; i++) {
		for (const struct option_spec *s = tables[i]; s != NULL && s->name != NULL; s++) {
			size_t len = 0;

			while (s->name[len] != '\0' && s->name[len] == word[len])
				len++;
			if (len > best_len) {
				best_len = len;
				best = s->name;
			}
		}
	}
	return best;
}

static bool options_unknown(const struct option_spec *const tables[2], const char *word, char problem[200])
{
	const char *like = strlen(word) > 2 ? options_like(tables, word + 2) : NULL;

	snprintf(problem, 200, "there is no option %.40s%s%s%s", word,
		 like != NULL ? "; did you mean --" : "", like != NULL ? like : "", like != NULL ? "?" : "");
	return false;
}

/* One option at argv[*at]; moves *at past its value. */
static bool options_take(struct options *o, const struct option_spec *const tables[2], int argc, char **argv,
			 int *at, char problem[200])
{
	const char *word = strcmp(argv[*at], "-h") == 0 ? "--help" : argv[*at];
	const char *equals = strchr(word, '=');
	const struct option_spec *s = options_find(tables[0], word);
	const char *value = "";

	if (s == NULL)
		s = options_find(tables[1], word);
	if (s == NULL)
		return options_unknown(tables, word, problem);
	if (!s->repeats && options_has(o, s->name)) {
		snprintf(problem, 200, "--%s is given twice", s->name);
		return false;
	}
	if (s->value == NULL && equals != NULL) {
		snprintf(problem, 200, "--%s takes no value", s->name);
		return false;
	}
	if (s->value != NULL) {
		if (equals == NULL && *at + 1 == argc) {
			snprintf(problem, 200, "--%s needs a value: %s", s->name, s->value);
			return false;
		}
		value = equals != NULL ? equals + 1 : argv[++*at];
	}
	o->given[o->given_count++] = (struct option){s, value};
	return true;
}

bool options_parse(struct options *o, const struct option_spec *const tables[2], int argc, char **argv,
		   char problem[200])
{
	bool only_arguments = false;

	memset(o, 0, sizeof *o);
	o->given = calloc((size_t)argc + 1, sizeof *o->given);
	o->arguments = calloc((size_t)argc + 1, sizeof *o->arguments);
	INSIST(o->given != NULL && o->arguments != NULL);
	for (int at = 0; at < argc; at++) {
		if (only_arguments || argv[at][0] != '-' || argv[at][1] == '\0')
			o->arguments[o->argument_count++] = argv[at];
		else if (strcmp(argv[at], "--") == 0)
			only_arguments = true;
		else if (!options_take(o, tables, argc, argv, &at, problem))
			return false;
	}
	return true;
}

void options_fini(struct options *o)
{
	free(o->given);
	free(o->arguments);
	memset(o, 0, sizeof *o);
}

const char *options_value(const struct options *o, const char *name)
{
	for (size_t i = o->given_count; i-- > 0;) {
		const struct option_spec *s = o->given[i].spec;

		if (s != NULL && strcmp(s->name, name) == 0)
			return o->given[i].value;
	}
	return NULL;
}

bool options_has(const struct options *o, const char *name)
{
	return options_value(o, name) != NULL;
}
