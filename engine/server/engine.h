/* engine.h — everything one calloffd holds, wired together: sockets, pump, store, clock.
 *
 * States:  LOADING -> READY <-> LOADING (framework edited, batch refused, database lost) -> DRAINING -> gone;
 *          DEPOSED: another engine has the shard, every command is answered so.
 * Owner:   main makes and ends it. One loop thread; store_open alone runs on a worker, on memory nobody else sees.
 */
#pragma once

#include "net/stream.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/pump.h"
#include "store/journal.h"
#include "store/open.h"
#include "store/reader.h"
#include "wire/reply.h"

#define ENGINE_STATE_MAP(X)                                                                        \
	X(LOADING, "loading")                                                                      \
	X(READY, "ready")                                                                          \
	X(DEPOSED, "deposed")                                                                      \
	X(DRAINING, "draining")

enum engine_state {
#define X(name, word) ENGINE_##name,
	ENGINE_STATE_MAP(X)
#undef X
};

struct session {
	struct stream stream;
	struct engine *engine;
	struct session *next, *prev, *dirty_next;
	uint64_t id;
	char principal[CLIENT_BYTES_MAX + 1];
	bool hello, dirty, closed, subscribed, subscription_reading;
	uint32_t in_flight;
	int64_t opened_us, heard_us, frame_since_us; /* monotonic; frame_since 0: no frame is half read */
	uint64_t subscription_id;
	int64_t subscription_seq;
};

/* A read under way for a session: the tag that the reader carries. */
struct ask {
	uint64_t session, request_id;
	enum request_kind kind;
	int64_t after_no; /* of a page: to tell whether there is a next */
	uint32_t limit;
	struct op *op; /* a key being looked up; session 0 */
	bool subscription;
};

/* A question about memory that waits until everything decided has committed. */
struct held {
	struct held *next;
	uint64_t session, request_id;
	enum request_kind kind;
	struct query query;
	char code[REF_BYTES_MAX], after[REF_BYTES_MAX];
};

struct engine {
	uv_loop_t *loop;
	struct config config;
	enum engine_state state;
	struct stats stats;
	struct clock clock;
	struct pump pump;
	struct journal journal;
	struct reader reader;
	bool journal_open, reader_open, opening_now, reload_wanted, beat_waiting;
	struct opening opening;
	uv_work_t open_work;
	enum err open_result;
	const struct framework *framework;
	struct arena framework_memory;
	void *core_memory;
	size_t core_memory_bytes;
	uint32_t open_failures;
	int64_t started_us, beat_us, read_us; /* it started, sent the last heartbeat, saw the reader idle or answered; monotonic */
	uint64_t reads_done;
	struct listener listener;
	bool listening;
	struct session *sessions, *dirty;
	struct session *slots[65536]; /* by the low 16 bits of an id */
	uint32_t session_count;
	uint64_t session_serial;
	struct held *held_first, **held_last;
	struct arena parse_arena, scratch;
	struct request request;
	uv_check_t check;
	uv_timer_t tick, retry;
	uv_signal_t sigterm, sigint, sighup;
	uint32_t ticks;
	int argc; /* to read the settings again */
	char **argv;
	int exit_code;
};

/* engine.c */
void engine_run(struct engine *e);
void engine_want_reload(struct engine *e, enum err why);
void engine_drain(struct engine *e);
/* store_side.c: what the pump and the store say to each other */
extern const struct pump_io engine_pump_io;
void engine_open_store(struct engine *e);
void engine_close_store(struct engine *e);
/* Gives up a database that is silent: its connections may be half open, and nothing else would tell. Each tick. */
void engine_watch_store(struct engine *e);
/* session.c */
void session_listen(struct engine *e);
struct session *session_find(struct engine *e, uint64_t id);
struct reply session_reply(struct engine *e, struct session *s, uint64_t request_id);
void session_dirty(struct session *s);
void session_flush_all(struct engine *e);
void session_sweep(struct engine *e);
void session_on_reply(struct engine *e, const struct op *op, enum err why, const struct outcome *outcome,
		      const struct receipt *receipt);
/* answer.c: queries */
void answer_query(struct session *s, const struct request *r);
void answer_held(struct engine *e);
void answer_subscriptions(struct engine *e);
extern const struct reader_ops engine_reader_ops;
