/* postgres.h — a virtual PostgreSQL server: connections, calls, transactions that wait for each other, replication, failures.
 *
 * Shape:   an engine opens connections and makes calls on them; each is answered once, in the order made on its connection,
 *          unless the connection goes first. commit_batch_v1 waits as the real one does: shared with take_over, for the batch
 *          before it, for the fence's row; a take_over waits for every batch under way.
 * Commits: a log. With replication held back a commit waits for the standby, holding its locks; if its connection goes
 *          meanwhile, reads see it although it may still be lost at a failover (RELIABILITY 3.4).
 * Owner:   connections and calls live in the run's memory.
 * Source:  sql/schema/0004; PostgreSQL 15, synchronous replication: a cancelled wait ends with the commit visible locally.
 */
#pragma once

#include "edits.h"
#include "settings.h"
#include "store.h"

#include "server/pump.h"
#include "store/claim.h"

enum { ROWS_A_READ = 64 };

enum call_kind {
	CALL_FENCE, CALL_TAKE_OVER, CALL_LOAD, CALL_KEYS, CALL_ROWS, CALL_COMMIT, CALL_BEAT, CALL_HAND_OVER, CALL_FIND
};

/* What a load finds: a core filled from rows. */
struct loaded {
	struct fence fence;
	const struct framework *framework;
	struct core *core;
};

/* The newest keys, ascending. */
struct loaded_keys {
	bool all;
	uint32_t count;
	const struct store_command **keys;
	int64_t *seqs;
};

struct connection {
	int engine;
	int64_t life;
	int64_t server; /* which process of PostgreSQL it leads to */
	bool reader;
	bool closed_here, closed_there; /* as the engine sees it; as the server does */
	bool lossy;                     /* what is on its way to the server will not arrive */
	int64_t last_to_us, last_from_us;
	struct db_call *first, **last; /* arrived, in order: the first is being worked on */
};

enum call_step { STEP_WAITS_SHARED, STEP_STORES, STEP_TURN, STEP_REPLICATES, STEP_WAITS_ALONE, STEP_OVER };

struct db_call {
	struct db_call *next, *next_active;
	struct connection *connection;
	enum call_kind kind;
	enum call_step step;
	int64_t serial, begun_us;
	/* in */
	struct commit commit;
	const struct claim *claim; /* take-over: who */
	int64_t epoch, clock_us, after_seq, sent_us;
	uint32_t keys_max;
	struct op *op;
	uint8_t key[16];
	bool over; /* for the engine: answered, not told yet */
	/* out */
	enum err why;
	bool found;
	struct fence fence;
	int64_t framework_version;
	uint8_t row_hash[DIGEST_BYTES];
	uint8_t request_hash[16];
	struct outcome outcome;
	struct receipt receipt;
	struct loaded *loaded;
	struct loaded_keys *keys;
	struct journal_view *rows;
	uint32_t row_count;
};

/* An entry of the log: what changed the database, in order. */
enum log_kind { LOG_COMMIT, LOG_TAKE_OVER, LOG_BEAT, LOG_HAND_OVER, LOG_EDIT };
struct log_entry {
	enum log_kind kind;
	const struct commit *commit;
	int64_t clock_us;
	int engine;
	int64_t life, instance;
	const char *name; /* of the engine that takes over */
	struct edit edit;
};

struct postgres_ops {
	void (*on_answer)(int engine, struct db_call *c);     /* may come after the connection was given up: not called then */
	void (*on_lost)(int engine, struct connection *c); /* the engine notices that a connection is gone */
	void (*on_edited)(int engine);                     /* a NOTIFY on a reader's connection */
	void (*on_durable)(const struct log_entry *e);     /* in order, each once */
	void (*on_state_read)(const struct loaded *l);     /* a load has been read, of all that is visible */
};

void postgres_begin(const struct model_market *market, const struct postgres_ops *ops);
/* NULL: it takes no connection now. */
struct connection *postgres_connect(int engine, int64_t life, bool reader);
struct db_call *postgres_call_new(struct connection *c, enum call_kind kind);
/* Sends it; what it points to must not change any more. */
void postgres_call(struct db_call *call);
void postgres_close(struct connection *c);

/* trouble */
void postgres_cut(int engine, int64_t server_notices_us);
void postgres_restart(int64_t away_us);
void postgres_stall(int64_t for_us);
void postgres_failover(int64_t away_us);
void postgres_full(int64_t for_us);
/* As soon as the fence's row is free; while replication is held back the editor may not wait for it. */
void postgres_edit(void);
/* So much that was visible is gone by failovers: what a standby may have followed. */
int64_t postgres_lost(void);
void postgres_heal(void);
