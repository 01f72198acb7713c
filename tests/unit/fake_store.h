/* fake_store.h — a store that is a few arrays, for the pump: commits, refuses, forgets and answers when a test says so.
 *
 * Shape:  begin opens a pump over a small market; take hands it commands; pump_kick sends batches to `flying`;
 *         commit moves the oldest to `stored` and answers. Everything told to clients is in `told`, in order.
 */
#pragma once

#include "core/record.h"
#include "server/pump.h"
#include "unit/fixture.h"

#define KEY_AGE_MS INT64_C(3024000000) /* 35 days */

enum { ROWS = 8192 };

struct row { /* a command: decided, and kept once committed */
	uint8_t key[16], hash[16];
	int64_t seq, now_us; /* now_us: when it was decided */
	struct text principal;
	uint64_t request_id;
	struct outcome outcome;
	uint32_t event_len;
	uint8_t event[512];
};

struct told {
	uint64_t request_id;
	enum err why;
	bool has_outcome;
	struct outcome outcome;
	struct receipt receipt;
};

extern struct world world;
extern struct pump pump;
extern struct stats stats;
extern struct row stored[ROWS], flying[ROWS]; /* flying: sent and being built, in order */
extern struct told told[ROWS];
extern const struct pump_io fake_io;
extern uint32_t stored_count, flying_count, told_count, batch_sizes[64], batch_first, batch_count, built;
extern struct op *asked[64];
extern uint32_t asked_count, reload_count, alarm_count, key_serial;
extern enum err reload_why, lookup_answer, send_answer;
extern int64_t now_us;
extern uint32_t takes_max;

/* A load: the core as the stored commands left it, and their keys. */
void open_store(int64_t floor_ms);
/* begin_away: nothing is loaded yet. */
void begin_away(void);
void begin(void);
void finish(void);
/* The oldest batch is on disk; its answer has not arrived. */
void store_batch(void);
void commit(void);
void kick_and_commit(void);
const uint8_t *fresh_key(int64_t at_ms);
/* A command: submit a package of so many minutes; minutes 0 names a sector nobody knows, and is refused. */
struct op *op_of(uint64_t request_id, const uint8_t *key, uint32_t minutes);
void take(uint64_t request_id, const uint8_t *key, uint32_t minutes);
void take_new(uint64_t request_id);
const struct told *told_of(uint64_t request_id);
/* The answer a request got; it must have one. told_of: NULL while it has none; never two. */
enum err why_of(uint64_t request_id);
/* The database's answer to the oldest lookup. */
void answer_lookup(void);
