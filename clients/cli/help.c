#include "help.h"

#include <string.h>

static void help_options(FILE *out, const struct option_spec *options)
{
	for (const struct option_spec *s = options; s != NULL && s->name != NULL; s++) {
		int width = fprintf(out, "  --%s%s%s", s->name, s->value != NULL ? " " : "",
				    s->value != NULL ? s->value : "");

		if (width < 30)
			fprintf(out, "%*s%s\n", 30 - width, "", s->help);
		else
			fprintf(out, "\n%*s%s\n", 30, "", s->help);
	}
}

const char help_examples[] =
	"  calloff counts                                 how many packages there are, and where\n"
	"  calloff queue                                  who waits for somebody\n"
	"  calloff submit --case C-1 --person X-1 --sector \"CM0 7\" --district Maldon \\\n"
	"      --service personal_care --visit daily:morning:45x2 --visit daily:lunch:30 \\\n"
	"      --urgency hospital_planned --risk amber --cover ward --start 2026-12-19\n"
	"  calloff explain P-10482                        why this provider, and why not the others\n"
	"  calloff confirm P-10482\n"
	"  calloff submit --keys week51.keys week51.csv   many at once; the same line again after an interruption\n"
	"  calloff audit verify --receipts mine.txt       check the journal by yourself\n";

const struct help_note help_notes[] = {
	{"OUTPUT", "a table on a terminal, TSV with a header line on a pipe, JSON with --json.\n"},
	{"TIMES", "local; Europe/London unless TZ is set. On a pipe: ISO 8601 with the offset.\n"},
	{"EXIT", "0 done, 64 usage, 65 data, 69 no engine, 70 a fault, 71/74 the system or a file,\n"
		 "75 try again later (the same command, the same key), 77 not allowed.\n"},
	{NULL, NULL},
};

static void help_note(FILE *out, const struct help_note *n)
{
	fprintf(out, "%-9s", n->heading);
	for (const char *c = n->text; *c != '\0'; c++)
		fprintf(out, "%c%*s", *c, *c == '\n' && c[1] != '\0' ? 9 : 0, "");
}

void help_program(FILE *out, const struct command *const *commands, size_t count,
		  const struct option_spec *options)
{
	fprintf(out, "EXAMPLES\n%s\n%s: %s.\nusage: %s\n\nCOMMANDS\n", help_examples, HELP_NAME, HELP_WHAT, HELP_USAGE);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %-18s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nOPTIONS of every command\n", out);
	help_options(out, options);
	putc('\n', out);
	for (const struct help_note *n = help_notes; n->heading != NULL; n++)
		help_note(out, n);
	fputs("calloff COMMAND --help shows a command's examples and options.\n", out);
}

void help_command(FILE *out, const struct command *command, const struct option_spec *options)
{
	fprintf(out, "EXAMPLES\n%s\n%s: %s\nusage: calloff %s [options]%s%s\n", command->examples,
		command->name, command->summary, command->name, command->arguments[0] != '\0' ? " " : "",
		command->arguments);
	if (command->notes != NULL)
		fprintf(out, "\n%s", command->notes);
	if (command->options != NULL) {
		fputs("\nOPTIONS\n", out);
		help_options(out, command->options);
	}
	fputs("\nOPTIONS of every command\n", out);
	help_options(out, options);
}
