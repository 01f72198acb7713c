/* commands.h — every sub-command, one table; each lives in the file its group is named after.
 *
 * Shape:   COMMANDS_MAP(X) in the order the help shows them.
 * Errors:  run returns an exit code of sysexits.h.
 */
#pragma once

#include "cli.h"

#define COMMANDS_MAP(X)     \
	X(submit)           \
	X(explain)          \
	X(status)           \
	X(queue)            \
	X(confirm)          \
	X(withdraw)         \
	X(end)              \
	X(capacity)         \
	X(capacity_declare) \
	X(pools)            \
	X(lots)             \
	X(list)             \
	X(providers)        \
	X(counts)           \
	X(watch)            \
	X(audit_verify)     \
	X(health)           \
	X(doctor)           \
	X(stats)            \
	X(metrics)

#define X(name) extern const struct command command_##name;
COMMANDS_MAP(X)
#undef X
