/* engine.h — everything one calloffd holds, wired together: sockets, and for each shard its pump, store and clock.
 *
 * States:  of a shard: LOADING -> READY <-> LOADING (framework edited, batch refused, database lost); LOADING -> STANDBY
 *          while another engine reigns over it, back to READY when that one hands over or falls silent; DRAINING -> GONE.
 * Owner:   main makes and ends it. One loop thread; store_open and store_follow alone run on workers, each on a struct
 *          opening that nobody else looks at meanwhile.
 */
#pragma once

#include "net/stream.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/manager.h"
#include "server/pump.h"
#include "store/journal.h"
#include "store/open.h"
#include "store/reader.h"
#include "wire/reply.h"

#define SHARD_STATE_MAP(X)                                                                         \
	X(LOADING, "loading")                                                                      \
	X(READY, "ready")                                                                          \
	X(STANDBY, "standby")                                                                      \
	X(DRAINING, "draining")                                                                    \
	X(GONE, "gone")

enum shard_state {
#define X(name, word) SHARD_##name,
	SHARD_STATE_MAP(X)
#undef X
};

enum {
	TICK_MS = 250,         /* a heartbeat of an idle engine, a look of a standby */
	SHARE_FROM = 16384, /* so many waiting, less than half a second: from here on each connection has its share of the line */
	RETRY_MS = 250,
	RETRY_MAX_MS = 10000,
	LEASE_US = 1000000,    /* memory may be told so long after the fence was last touched: less than the looks take */
	HELD_MAX = 8192,       /* questions about memory that wait for a commit or the lease; as many reads wait for the database */
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
	struct shard *subscription_shard;
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

struct shard {
	struct engine *engine;
	int16_t number;
	enum shard_state state;
	struct clock clock;
	struct pump pump;
	struct journal journal;
	struct reader reader;
	bool journal_open, reader_open, working, reload_wanted, beat_waiting, handing_over, handed_over;
	int64_t beat_sent_us, away_since_us; /* monotonic; away: neither READY nor STANDBY since */
	struct opening opening;              /* a worker's while working; a standby's core lies in it */
	uv_work_t work;
	enum err work_result;
	struct claim claim;
	const struct framework *framework;
	struct arena framework_memory;
	void *core_memory;
	size_t core_memory_bytes;
	uint32_t open_failures;
	uv_timer_t retry;
	struct fence seen; /* as last looked at: who reigns, and where */
	int64_t differs;   /* of what this process followed, see store_follow */
	struct held *held_first, **held_last;
	uint32_t held_count;
	/* tell.c: what operators are told */
	const char *state_word;
	int64_t state_since_us, answered_us, answers, framework_version_live;
	enum err reload_why;
	char trouble[256]; /* why loading failed last; "" since it succeeded */
};

struct engine {
	uv_loop_t *loop;
	struct config config;
	bool draining;
	struct stats stats;
	struct shard *shards;
	uint32_t shard_count;
	int64_t instance; /* of this process */
	int64_t started_us;
	struct listener listener;
	bool listening;
	struct session *sessions, *dirty;
	struct session *slots[65536]; /* by the low 16 bits of an id */
	uint32_t session_count, busy_sessions; /* busy: with something in flight */
	uint64_t session_serial;
	int64_t events_before;  /* at the last tick */
	uint32_t busy_retry_ms; /* when a place in the line may be free again */
	struct arena parse_arena, scratch;
	struct request request;
	uv_check_t check;
	uv_timer_t tick;
	uv_signal_t sigterm, sigint, sighup;
	uint32_t ticks;
	int argc; /* to read the settings again */
	char **argv;
	int exit_code;
	struct manager manager;
};

/* main.c */
void engine_drain(struct engine *e);
/* NULL: not served here. 0: the only one. */
struct shard *engine_shard(struct engine *e, uint32_t number);
/* shard.c: the life of a shard in this engine */
void shard_init(struct engine *e, struct shard *sh, int16_t number);
void shard_free(struct shard *sh);
void shard_open(struct shard *sh);
/* The core is not to be trusted any more; ERR_DEPOSED: another engine reigns. */
void shard_want_reload(struct shard *sh, enum err why);
void shard_on_turn(struct shard *sh);
void shard_on_tick(struct shard *sh);
bool shard_beat(struct shard *sh);
void shard_drain(struct shard *sh);
/* Goes on with leaving; true: nothing of it is open any more. */
bool shard_leave(struct shard *sh);
/* store_side.c: what the pump and the store say to each other */
extern const struct pump_io shard_pump_io;
extern const struct journal_ops shard_journal_ops;
/* session.c */
void session_listen(struct engine *e);
struct session *session_find(struct engine *e, uint64_t id);
/* sh NULL: about the engine itself */
struct reply session_reply(struct session *s, const struct shard *sh, uint64_t request_id);
void session_refuse(struct session *s, const struct shard *sh, uint64_t request_id, enum err why, const struct request *violations);
void session_dirty(struct session *s);
void session_flush_all(struct engine *e);
void session_sweep(struct engine *e);
void session_on_reply(struct shard *sh, const struct op *op, enum err why, const struct outcome *outcome,
		      const struct receipt *receipt);
/* tell.c: the service manager, and what health explains */
void engine_tell_begin(struct engine *e);
void engine_tell(struct engine *e);
void engine_tell_reloading(struct engine *e);
/* Why loading failed, as the database said it; "": it did not. */
void shard_tell_trouble(struct shard *sh, const char *note);
const char *shard_state_word(const struct shard *sh);
int64_t shard_state_age_us(const struct shard *sh);
/* Of the error table: why it cannot load, or why it loaded last; "": it had just started. */
const char *shard_trouble_name(const struct shard *sh);
/* answer.c: queries */
void answer_query(struct session *s, struct shard *sh, const struct request *r);
/* No engine that was deposed tells what it remembers: the fence was ours so recently that none can have reigned since. */
bool answer_is_leased(const struct shard *sh);
void answer_held(struct shard *sh);
void answer_subscriptions(struct shard *sh);
void answer_unsubscribe(struct shard *sh);
extern const struct reader_ops shard_reader_ops;
