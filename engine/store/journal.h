/* journal.h — the write side of the store: batches committed by one fenced, gapless call each, over a few connections.
 *
 * Shape:   journal_add encodes one decided event into the batch being built; journal_send commits it as one call of
 *          commit_batch_v1 = one transaction = one fsync, on the lane (connection) with the least to do. Lanes store side by
 *          side and commit one after the other: the database makes each wait for the batch before it.
 * Answers: in the order sent, whatever lane was read first, and only when the transaction is over: a result is not yet a
 *          commit.
 * Errors:  a refused batch refuses all sent after it (their sequence does not fit): the owner reloads.
 *          on_refused says why: ERR_STORE_STALE (framework moved), ERR_DEPOSED (another engine), ERR_STORE_AWAY (no room,
 *          shutting down), ERR_STORE_REFUSED (a constraint fired: a fault of the engine, an alarm).
 * Owner:   adopts the PGconns; the caller owns struct journal and frees it after on_closed. One lane lost closes all.
 */
#pragma once

#include "pg/pipe.h"
#include "store/batch.h"
#include "store/fence.h"

struct journal_ops {
	void (*on_committed)(void *data, const uint8_t row_hash[DIGEST_BYTES]); /* the oldest batch sent */
	void (*on_refused)(void *data, enum err why, const char *message);      /* the oldest batch sent */
	void (*on_beat)(void *data, enum err why, int64_t framework_version);   /* a heartbeat's answer */
	void (*on_handed_over)(void *data, enum err why);                       /* nothing more will be committed */
	void (*on_closed)(void *data, enum err why);
};

struct journal_lane {
	struct pipe pipe;
	struct journal *journal;
};

enum journal_call { JOURNAL_BATCH, JOURNAL_BEAT, JOURNAL_HAND_OVER };

struct journal_job { /* one call sent */
	enum journal_call call;
	bool answered, over;
	uint8_t lane;
	enum err why;
	int64_t framework_version;
	uint8_t row_hash[DIGEST_BYTES];
	char message[160];
};

enum { JOURNAL_JOBS_MAX = 16 };

struct journal {
	const struct journal_ops *ops;
	void *data;
	struct fence fence; /* as it will stand when all that was sent has committed */
	struct batch batch; /* being built */
	struct journal_lane lanes[LANES_MAX];
	uint32_t lane_count, lanes_open;
	struct journal_job jobs[JOURNAL_JOBS_MAX]; /* a ring, oldest first */
	uint32_t job_first, job_count;
	bool closing;
	enum err why;
};

/* Takes every connection, whatever it returns: ERR_STORE, or ERR_STORE_UNSAFE when the schema is not of this engine. */
enum err journal_open(struct journal *j, uv_loop_t *loop, PGconn *const *connections, uint32_t connection_count,
		      const struct fence *fence, const struct journal_ops *ops, void *data) ERR_MUST_CHECK;
/* The sequence the next event will have. */
int64_t journal_next_seq(const struct journal *j);
void journal_add(struct journal *j, const struct event *event, const struct update *update,
		 const struct batch_command *command, uint8_t ret_leaf[DIGEST_BYTES]);
enum err journal_send(struct journal *j, int64_t clock_us) ERR_MUST_CHECK;
enum err journal_beat(struct journal *j, int64_t clock_us) ERR_MUST_CHECK;
/* The end of this reign in peace, after the last batch. */
enum err journal_hand_over(struct journal *j) ERR_MUST_CHECK;
void journal_close(struct journal *j);
/* After on_closed. */
void journal_free(struct journal *j);
