/* config.h — settings: defaults < file < environment < flags, each with where it came from.
 *
 * X(name, default, low, high, text)  numbers;  texts have low = high = 0
 * File: name = value, # comments. Environment: CALLOFF_NAME. Flags: --name=value or --name value.
 * Errors: ERR_CONFIG, said on stderr: what, where, how to mend. Unknown names are errors everywhere.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_TEXT_MAP(X)                                                                         \
	X(socket, "/run/calloff/calloff.sock", "Unix socket to listen on")                         \
	X(shard, "1", "the shard this engine serves, or several: 1,2,3")                           \
	X(name, "", "this engine's name among those that serve a shard; empty: host:socket")       \
	X(endpoint, "", "where clients reach it, told them by an engine that stands by; empty: the socket") \
	X(database, "host=/run/postgresql dbname=calloff user=calloff_engine",                     \
	  "libpq connection string; use a socket directory or hostaddr")

#define CONFIG_NUMBER_MAP(X)                                                                       \
	X(packages_max, 2000000, 1000, 20000000, "live and waiting packages held; memory is used as they come") \
	X(key_days, 35, 1, 3650, "how long a command's key is remembered; older ones are refused") \
	X(keys_loaded, 100000, 1000, 120000, "keys read back at start; older ones are looked up")  \
	X(batches_in_flight, 3, 1, 8, "commits sent before the first is answered")                 \
	X(connections_max, 4096, 1, 65536, "connections served at once")                           \
	X(hello_seconds, 5, 1, 60, "a connection must say hello within")                           \
	X(frame_seconds, 10, 1, 600, "a frame that has begun must be whole within")                \
	X(idle_seconds, 3600, 10, 86400, "a silent connection is closed after")                    \
	X(store_silence_seconds, 5, 1, 600, "a database that leaves a call unanswered so long is connected to anew") \
	X(take_over_at_once, 0, 0, 1, "1: at start, take the shard over whoever has it")

/* X(name, value, text) what only the command line takes; value NULL: a switch */
#define CONFIG_FLAG_MAP(X)                                                                         \
	X(config, "FILE", "file to read settings from")                                            \
	X(check_config, NULL, "check the settings and stop")                                       \
	X(print_config, NULL, "print each setting and where it came from, and stop")               \
	X(help, NULL, "this page")

#define CONFIG_WHAT "the Calloff engine: sources home-care packages from ranked lists"
#define CONFIG_ORDER                                                                               \
	"Settings come from defaults, then --config (name = value a line), then CALLOFF_NAME, then --name=value."
#define CONFIG_EXAMPLES                                                                            \
	"  calloffd --socket=/run/calloff/calloff.sock \\\n"                                          \
	"      --database='host=/run/postgresql dbname=calloff user=calloff_engine'\n"                  \
	"  calloffd --config=/etc/calloff/calloffd.conf --check-config\n"                               \
	"  CALLOFF_SHARD=2 calloffd --print-config\n"

enum { CONFIG_TEXT_MAX = 512, CONFIG_SETTINGS_MAX = 24, SHARDS_MAX = 64 };

struct config {
#define X(name, fallback, text) char name[CONFIG_TEXT_MAX];
	CONFIG_TEXT_MAP(X)
#undef X
#define X(name, fallback, low, high, text) int64_t name;
	CONFIG_NUMBER_MAP(X)
#undef X
	int16_t shards[SHARDS_MAX]; /* what shard says */
	uint32_t shard_count;
	bool check_only, print_only, help;
	char file[CONFIG_TEXT_MAX];
	char sources[CONFIG_SETTINGS_MAX][16]; /* by setting: default, file, environment, flag */
};

enum err config_read(struct config *c, int argc, char **argv) ERR_MUST_CHECK;
void config_print(const struct config *c);
void config_help(void);
