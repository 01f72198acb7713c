#include "program.h"

#include "commands.h"

const struct command *const program_commands[] = {
#define X(name) &command_##name,
	COMMANDS_MAP(X)
#undef X
};

const size_t program_command_count = sizeof program_commands / sizeof program_commands[0];

const struct option_spec program_options[] = {
	{"socket", "PATH", "the engine's socket (CALLOFF_SOCKET, else " CALLOFF_SOCKET_DEFAULT ")", false},
	{"json", NULL, "one JSON object a line, errors too", false},
	{"tsv", NULL, "TSV even on a terminal", false},
	{"dry-run", NULL, "submit: decide, commit nothing; others that act: print the request, send nothing", false},
	{"receipts", "FILE", "append each receipt: seq, leaf, row hash (audit verify, doctor: check them)", false},
	{"key", "UUIDV7", "the key of an interrupted command, to send it again safely", false},
	{"wait", "SECONDS", "wait so long for an engine that does not listen yet (0)", false},
	{"timeout", "SECONDS", "silence that counts as a lost connection (30; 0: never)", false},
	{"shard", "N", "which shard (the engine's only one)", false},
	{"acting-for", "ID", "the person a trusted gateway speaks for", false},
	{"progress", NULL, "show progress even if stderr is no terminal", false},
	{"help", NULL, "this page", false},
	{NULL, NULL, NULL, false},
};
