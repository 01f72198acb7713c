/* stats.h — what the engine counts, one list: readable through the API, in the log at the end.
 *
 * Those that begin with ALARM must stay 0 for ever.
 */
#pragma once

#include "base/hist.h"

#define COUNTER_MAP(X)                                                                             \
	X(connections, "connections accepted")                                                     \
	X(frames_refused, "frames that were not a valid request")                                  \
	X(commands, "commands taken in")                                                           \
	X(commands_refused, "commands refused by the rules")                                       \
	X(commands_repeated, "commands whose key had been used: answered as before")               \
	X(keys_looked_up, "keys looked up in the database")                                        \
	X(key_reused, "keys used again for another request")                                       \
	X(batches, "batches committed")                                                            \
	X(events, "events committed")                                                              \
	X(batches_stale, "batches refused because the framework had moved")                        \
	X(batches_ambiguous, "batches whose commit was unknown when the database went away")       \
	X(store_refused, "ALARM batches the database refused: a fault of the engine")              \
	X(quarantined, "ALARM commands set aside because the database refuses them")               \
	X(opens, "loads from the database")                                                        \
	X(deposed, "times another engine took over")                                               \
	X(replay_differs, "ALARM events that a standby decides otherwise than the engine that reigned did") \
	X(journal_broken, "ALARM times a journal did not go on from what was followed")            \
	X(busy, "requests refused because too many waited")                                        \
	X(slow_readers, "connections cut because they did not read")

#define HISTOGRAM_MAP(X)                                                                           \
	X(command_us, "us", "from a command's arrival to its reply")                               \
	X(commit_us, "us", "from sending a batch to its answer")                                   \
	X(batch_events, "events", "events a batch")                                                \
	X(decide_ns, "ns", "deciding and applying one event")                                      \
	X(looked_at, "candidates", "candidates looked at a decision")

struct stats {
#define X(name, text) int64_t name;
	COUNTER_MAP(X)
#undef X
#define X(name, unit, text) struct hist name;
	HISTOGRAM_MAP(X)
#undef X
};
