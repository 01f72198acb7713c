/* pages: calloff.1 and calloff's completion, from the tables that main parses by; run by the build. */
#include "base/roff.h"
#include "help.h"
#include "program.h"

#include <string.h>

static void page_options(const struct option_spec *options)
{
	for (const struct option_spec *s = options; s != NULL && s->name != NULL; s++) {
		char term[64];

		snprintf(term, sizeof term, "--%s", s->name);
		roff_term(stdout, term, s->value, s->help);
	}
}

static void page_command(const struct command *c)
{
	char usage[160];

	snprintf(usage, sizeof usage, "calloff %s [options]%s%s", c->name, c->arguments[0] != '\0' ? " " : "",
		 c->arguments);
	roff_subsection(stdout, usage);
	roff_text(stdout, c->summary);
	if (c->notes != NULL)
		roff_block(stdout, c->notes);
	page_options(c->options);
	roff_block(stdout, c->examples);
}

static void page_manual(void)
{
	roff_title(stdout, HELP_NAME, "1", HELP_WHAT);
	roff_section(stdout, "SYNOPSIS");
	roff_text(stdout, HELP_USAGE);
	roff_section(stdout, "COMMANDS");
	for (size_t i = 0; i < program_command_count; i++)
		page_command(program_commands[i]);
	roff_section(stdout, "OPTIONS of every command");
	page_options(program_options);
	for (const struct help_note *n = help_notes; n->heading != NULL; n++) {
		roff_section(stdout, n->heading);
		roff_block(stdout, n->text);
	}
	roff_section(stdout, "EXAMPLES");
	roff_block(stdout, help_examples);
	roff_section(stdout, "SEE ALSO");
	roff_text(stdout, "calloffd(8)");
}

/* Their names, each behind the text before. */
static void page_words(const struct option_spec *options, bool only_valued, const char *before)
{
	for (const struct option_spec *s = options; s != NULL && s->name != NULL; s++) {
		if (s->value != NULL || !only_valued)
			printf("%s--%s", before, s->name);
	}
}

static void page_case_of_valued(void)
{
	printf("_calloff_takes_a_value()\n{\n\tcase $1 in\n\t=");
	page_words(program_options, true, " | ");
	for (size_t i = 0; i < program_command_count; i++)
		page_words(program_commands[i]->options, true, " | ");
	printf(") return 0 ;;\n\tesac\n\treturn 1\n}\n");
}

static size_t page_first_len(size_t i)
{
	return strcspn(program_commands[i]->name, " ");
}

/* Is the first word of this command one of the commands before it, too? */
static bool page_first_seen(size_t i, bool whole)
{
	const char *name = program_commands[i]->name;
	size_t len = page_first_len(i);

	for (size_t k = 0; k < (whole ? program_command_count : i); k++) {
		const char *other = program_commands[k]->name;

		if (strncmp(other, name, len) == 0 && (other[len] == '\0' || (!whole && other[len] == ' ')))
			return true;
	}
	return false;
}

/* What may follow the first word of command i: the second words of all that begin with it. */
static void page_second_words(size_t i)
{
	size_t len = page_first_len(i);

	for (size_t k = 0; k < program_command_count; k++) {
		const char *other = program_commands[k]->name;

		if (strncmp(other, program_commands[i]->name, len) == 0 && other[len] == ' ')
			printf("%s ", other + len + 1);
	}
}

static void page_case_of_words(void)
{
	printf("_calloff_words()\n{\n\tcase $1 in\n");
	for (size_t i = 0; i < program_command_count; i++) {
		const struct command *c = program_commands[i];
		int len = (int)page_first_len(i);

		if (c->name[len] == ' ' && !page_first_seen(i, true) && !page_first_seen(i, false)) {
			printf("\t%.*s) echo '", len,
			       c->name); /* "audit" is no command, only the first word of some */
			page_second_words(i);
			printf("' ;;\n");
		}
		printf("\t'%s') echo '", c->name);
		if (c->name[len] == '\0')
			page_second_words(i);
		page_words(c->options, false, " ");
		page_words(program_options, false, " ");
		printf("' ;;\n");
	}
	printf("\t*) echo 'help");
	for (size_t i = 0; i < program_command_count; i++) {
		if (!page_first_seen(i, false))
			printf(" %.*s", (int)page_first_len(i), program_commands[i]->name);
	}
	page_words(program_options, false, " ");
	printf("' ;;\n\tesac\n}\n");
}

static void page_completion(void)
{
	printf("# bash completion of calloff, made from its own tables of commands and options\n");
	page_case_of_valued();
	page_case_of_words();
	printf("_calloff()\n"
	       "{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' word i\n"
	       "\tCOMPREPLY=()\n"
	       "\t[[ $cur == = ]] && return\n"
	       "\t_calloff_takes_a_value \"$prev\" && return # bash goes on with file names\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tword=${COMP_WORDS[i]}\n"
	       "\t\tif _calloff_takes_a_value \"$word\"; then\n"
	       "\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	       "\t\t\t((i++))\n"
	       "\t\telif [[ $word != -* ]]; then\n"
	       "\t\t\tif [[ -z $command ]]; then\n"
	       "\t\t\t\tcommand=$word\n"
	       "\t\t\telif [[ $command != *' '* && \" $(_calloff_words \"$command\") \" == *\" $word \"* ]]; then\n"
	       "\t\t\t\tcommand+=\" $word\"\n"
	       "\t\t\tfi\n"
	       "\t\tfi\n"
	       "\tdone\n"
	       "\tCOMPREPLY=($(compgen -W \"$(_calloff_words \"$command\")\" -- \"$cur\"))\n"
	       "}\n"
	       "complete -o default -F _calloff calloff\n");
}

int main(int argc, char **argv)
{
	const char *page = argc == 2 ? argv[1] : "";

	if (strcmp(page, "man") == 0)
		page_manual();
	else if (strcmp(page, "bash") == 0)
		page_completion();
	else
		return EX_USAGE;
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : EX_IOERR;
}
