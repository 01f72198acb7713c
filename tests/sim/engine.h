/* engine.h — one engine: the real pump, keys, core and batch, in a shell that does what server/store_side.c and shard.c do.
 *
 * Shape:   DOWN -> LOADING -> READY or STANDBY, and between these as in server/shard.c; DRAINING -> DOWN. It looks at the fence,
 *          takes over if the claim allows it, else follows the journal until it does; loads, commits over lanes and tells
 *          their answers in order, beats, reloads, gives way when deposed, hands over when told to leave.
 * Narrow:  this header is all that the rest of the simulator knows of an engine's life: a module of engine/server can take
 *          engine.c's place.
 * Owner:   an engine's ops and keys are the heap's, freed when it ends, wherever it stands; the rest is the run's memory.
 */
#pragma once

#include "postgres.h"

enum engine_life { ENGINE_DOWN, ENGINE_LOADING, ENGINE_READY, ENGINE_STANDBY, ENGINE_DRAINING };

struct engine_ops {
	/* A reply leaves: request_id is the one the request came with. */
	void (*on_reply)(int engine, const struct op *op, enum err why, const struct outcome *outcome,
			 const struct receipt *receipt);
	void (*on_alarm)(int engine, const char *what, const struct op *op);
	/* A standby is level with the journal up to there. */
	void (*on_followed)(int engine, const struct core *core, const struct fence *level);
};

/* What arrives: a command's event as bytes. */
struct request_bytes {
	uint64_t request_id;
	uint8_t key[16];
	struct text client;
	const uint8_t *event;
	uint32_t event_len;
};

void engines_begin(const struct engine_ops *ops);
/* Comes up: next_rules writes the version after RULES_VERSION into its records; at_once: told to take over whoever reigns. */
void engine_start(int engine, bool next_rules, bool at_once);
/* Finishes, hands over and ends. */
void engine_drain(int engine);
void engine_crash(int engine);
void engine_pause(int engine, int64_t for_us);
void engine_jump_clock(int engine, int64_t by_us);
enum engine_life engine_life(int engine);
/* Nothing that it took in this life went without an answer, or got two; true also while it is still at work. */
bool engine_has_answered_all(int engine);
/* Delivered to whoever runs; lost when nobody does. */
void engine_on_request(int engine, struct request_bytes *r);
int64_t engine_now_us(int engine);
/* For postgres_ops. */
void engine_on_answer(int engine, struct db_call *c);
void engine_on_lost(int engine, struct connection *c);
void engine_on_edited(int engine);
/* What all lives counted. */
struct engine_counts {
	int64_t batches, ambiguous, store_refused, quarantined, stale, looked_up, repeated;
};
struct engine_counts engines_counts(void);
