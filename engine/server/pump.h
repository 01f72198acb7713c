/* pump.h — the one file that sees both sides: commands in, decisions out, replies after the commit. It decides nothing.
 *
 * Shape:   ops (commands) wait in arrival order; when a batch may be sent they are decided, applied, added to it and
 *          sent as one commit; its answer releases their replies. What arrives meanwhile is the next batch.
 * States:  AWAY (no core: loading, or the database is gone; ops wait) <-> READY.
 *          A batch that is refused, or whose answer is lost, is never patched up: all ops without an answer go back to
 *          the head of the line, the core is dropped, and after the reload each is tried again through the front door,
 *          where its key tells whether it had been committed after all.
 * Errors:  pump_take answers every op it does not keep, through io.reply.
 * Owner:   ops belong to the pump from pump_take until replied; the io owns sockets, store, clock, memory of the core.
 * Loop:    io.reply, io.lookup, io.add, io.send must not call back into the pump.
 * Source:  DESIGN 3, 6; RELIABILITY 3.
 */
#pragma once

#include "core/core.h"
#include "core/view.h"
#include "server/keys.h"
#include "server/stats.h"

enum { OP_QUEUE_MAX = 65536, OP_EVENT_BYTES_MAX = 4096 };

/* One command under way. */
struct op {
	struct op *next, *twins; /* in line; others who sent the same key */
	uint64_t session, request_id;
	int64_t arrived_us, deadline_us, key_ms, seq;
	struct text client; /* the principal; outlives the session's ops */
	uint8_t key[16], request_hash[16], leaf[32];
	struct outcome outcome;
	bool looked_up;
	bool untimed; /* came while the shard was not open, so that its times were not looked at yet */
	uint32_t event_len;
	uint8_t event[]; /* record_event's bytes */
};

struct pump_io {
	int64_t (*now_us)(void *data);
	int64_t (*mono_ns)(void *data); /* for what is counted, never for what is decided */
	bool (*takes)(void *data, const struct event *event);
	int64_t (*next_seq)(void *data);
	void (*add)(void *data, struct op *op, const struct event *event, const struct update *update);
	enum err (*send)(void *data);
	/* outcome and receipt, or why without them */
	void (*reply)(void *data, const struct op *op, enum err why, const struct outcome *outcome, const struct receipt *receipt);
	/* Ask the database for a key; pump_on_lookup follows. An error: it cannot be asked now. */
	enum err (*lookup)(void *data, struct op *op);
	/* The core is not to be trusted any more: reload, then pump_open. */
	void (*reload)(void *data, enum err why);
	void (*alarm)(void *data, const char *what, const struct op *op);
};

struct pump_batch {
	struct op *first, **last;
	uint32_t count;
	int64_t sent_us;
};

struct pump {
	const struct pump_io *io;
	void *data;
	struct stats *stats;
	struct core *core; /* NULL: AWAY */
	struct keys keys;
	int64_t key_age_max_ms;
	uint32_t depth, depth_min_events;
	struct op *first, **last; /* waiting */
	uint32_t waiting;
	struct pump_batch batches[LANES_MAX]; /* sent, oldest first */
	uint32_t batch_count;
	uint32_t alone; /* so many of the next ops go one a batch: one of them was refused */
	int64_t leased_from_us; /* monotonic: when the last answered call was sent; the fence was ours after that */
	struct update update;
	struct event event;
};

void pump_init(struct pump *p, const struct pump_io *io, void *data, struct stats *stats, uint32_t depth,
	       int64_t key_age_max_ms);
void pump_free(struct pump *p);
/* NULL when the event is too large. session and request_id are for io.reply. */
struct op *op_new(const struct event *event, uint64_t session, uint64_t request_id, const uint8_t key[16], struct text client);
void pump_take(struct pump *p, struct op *op);
/* Decide now, commit nothing: returns false while AWAY. */
bool pump_preview(struct pump *p, struct event *event, struct outcome *ret);
/* Send what may be sent: once after each turn of the loop. */
void pump_kick(struct pump *p);
void pump_on_committed(struct pump *p, const uint8_t row_hash[32]);
void pump_on_refused(struct pump *p, enum err why);
/* The connection is gone, with or without batches in flight. */
void pump_on_lost(struct pump *p);
/* request_hash NULL: never used. */
void pump_on_lookup(struct pump *p, struct op *op, const uint8_t *request_hash, const struct outcome *outcome,
		    const struct receipt *receipt);
void pump_on_lookup_failed(struct pump *p, struct op *op);
/* After a load: the new core, the keys it found, and the floor above which they are all. */
void pump_open(struct pump *p, struct core *core, int64_t floor_ms);
void pump_know_key(struct pump *p, struct text client, const uint8_t key[16], int64_t key_ms, int64_t seq);
void pump_opened(struct pump *p);
/* Answers everything that waits (and is not in flight) with why. */
void pump_fail_waiting(struct pump *p, enum err why);
bool pump_idle(const struct pump *p);
