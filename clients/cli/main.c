/* calloff: finds the sub-command, reads the options, runs it. */
#include "cli.h"
#include "help.h"
#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The next word that is no option, from *at; skips the values of the program's own options. */
static bool main_next_word(int argc, char **argv, int *at)
{
	for (; *at < argc; ++*at) {
		const struct option_spec *s = options_find(program_options, argv[*at]);

		if (argv[*at][0] != '-')
			return true;
		if (s != NULL && s->value != NULL && strchr(argv[*at], '=') == NULL)
			++*at;
	}
	return false;
}

static void main_remove(int *argc, char **argv, int at)
{
	memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof *argv);
	--*argc;
}

static const struct command *main_find(const char *first, const char *second)
{
	char name[64];

	snprintf(name, sizeof name, "%s%s%s", first, second != NULL ? " " : "", second != NULL ? second : "");
	for (size_t i = 0; i < program_command_count; i++) {
		if (strcmp(program_commands[i]->name, name) == 0)
			return program_commands[i];
	}
	return NULL;
}

/* Takes one or two words out of argv. */
static const struct command *main_take_command(int *argc, char **argv, const char **ret_word)
{
	int first = 0, second;
	const struct command *found = NULL;

	*ret_word = NULL;
	if (!main_next_word(*argc, argv, &first))
		return NULL;
	*ret_word = argv[first];
	second = first + 1;
	if (second < *argc)
		found = main_find(argv[first], argv[second]);
	if (found != NULL)
		main_remove(argc, argv, second);
	else
		found = main_find(argv[first], NULL);
	if (found != NULL)
		main_remove(argc, argv, first);
	return found;
}

static int main_prepare(struct cli *cli)
{
	size_t given = cli->options.argument_count;
	bool terminal = isatty(STDOUT_FILENO) == 1;
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	if (options_has(&cli->options, "json"))
		cli->format = CLI_JSON;
	else if (!terminal || options_has(&cli->options, "tsv"))
		cli->format = CLI_TSV;
	cli->colour = terminal && cli->format == CLI_TABLE && (no_colour == NULL || no_colour[0] == '\0') &&
		      term != NULL && strcmp(term, "dumb") != 0;
	cli->dry_run = options_has(&cli->options, "dry-run");
	cli->progress = isatty(STDERR_FILENO) == 1 || options_has(&cli->options, "progress");
	if (given < cli->command->arguments_min)
		return cli_usage(cli, "%s is missing", cli->command->arguments);
	if (given > cli->command->arguments_max)
		return cli_usage(cli, "\"%s\" is one argument too many",
				 cli->options.arguments[cli->command->arguments_max]);
	return 0;
}

static int main_close(struct cli *cli, int code)
{
	calloff_close(cli->client);
	if (cli->receipts != NULL && fclose(cli->receipts) != 0 && code == 0)
		code = cli_fail_file(cli, "writing", "the receipts", "check the disk");
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == 0)
		code = cli_fail_file(cli, "writing", "the output",
				     "check the disk or the program that reads it");
	options_fini(&cli->options);
	return code;
}

int main(int argc, char **argv)
{
	struct cli cli = {.out = stdout, .resend = true};
	const struct option_spec *tables[2] = {program_options, NULL};
	const char *word;
	char problem[200];
	int code;

	if (getenv("TZ") == NULL) /* Europe/London, spelled out so that it needs no zone files */
		setenv("TZ", "GMT0BST,M3.5.0/1,M10.5.0", 1);
	tzset();
	argc--;
	argv++;
	cli.command = main_take_command(&argc, argv, &word);
	if (cli.command == NULL) {
		if (word != NULL && strcmp(word, "help") != 0)
			return cli_usage(&cli, "there is no command \"%s\"", word);
		bool asked = word != NULL ||
			     (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0));

		if (argc > 0 && strcmp(argv[0], "--version") == 0) {
			puts("calloff 0.1, protocol 1");
			return 0;
		}
		help_program(asked ? stdout : stderr, program_commands, program_command_count, program_options);
		return asked ? 0 : EX_USAGE;
	}
	tables[1] = cli.command->options;
	if (!options_parse(&cli.options, tables, argc, argv, problem)) {
		code = cli_usage(&cli, "%s", problem);
	} else if (options_has(&cli.options, "help")) {
		help_command(stdout, cli.command, program_options);
		code = 0;
	} else {
		code = main_prepare(&cli);
		if (code == 0)
			code = cli.command->run(&cli);
	}
	return main_close(&cli, code);
}
