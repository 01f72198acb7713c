/* settings.h — what one run is made of: a seed, how much of it, and which kinds of trouble.
 *
 * Shape:  a run draws everything else from the seed. Each kind of trouble can be switched off, which is how a failing seed
 *         is shrunk (shrink.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, flag --no-..., what happens) */
#define TROUBLE_MAP(X)                                                                             \
	X(LOSS, "loss", "a message between client and engine is lost")                             \
	X(DOUBLING, "doubling", "a request arrives twice, or is sent to both engines")             \
	X(DELAY, "delay", "messages and transactions take long")                                   \
	X(CUT, "cut", "the database connections of an engine are cut; the server may notice late") \
	X(CRASH, "crash", "an engine ends and comes back")                                         \
	X(PAUSE, "pause", "an engine stands still and wakes up later, thinking it is active")      \
	X(CONTENDER, "contender", "both engines are started against each other")                   \
	X(HANDOVER, "handover", "an engine is told to leave: it finishes, hands over, comes back") \
	X(CLOCK, "clock", "a wall clock jumps: seconds, an hour, ten years")                       \
	X(RESTART, "restart", "PostgreSQL restarts; what was under way rolls back")                \
	X(FAILOVER, "failover", "a standby takes over; what was not replicated is gone")           \
	X(FULL, "full", "PostgreSQL has no room for a while (53100)")                              \
	X(CONFLICT, "conflict", "a transaction is refused as a serialization failure (40001)")     \
	X(EDIT, "edit", "somebody edits the framework")                                            \
	X(REUSE, "reuse", "a client uses a key for two different requests")                        \
	X(UPGRADE, "upgrade", "an engine comes back with the next version of the rules")           \
	X(POISON, "poison", "PostgreSQL was told to refuse one command: a fault of the engine")

enum trouble {
#define X(name, flag, text) TROUBLE_##name,
	TROUBLE_MAP(X)
#undef X
	TROUBLE_COUNT
};

struct settings {
	uint64_t seed;
	int clients;      /* 0: drawn, 5..50 */
	int commands;     /* 0: drawn, 60..240 */
	int64_t steps;    /* 0: until all is said and done; else the run just stops there */
	bool off[TROUBLE_COUNT];
	bool verbose;     /* every line of the trace, as it happens */
};

enum { CLIENTS_MAX = 50, COMMANDS_MAX = 4000, ENGINES = 2 };
