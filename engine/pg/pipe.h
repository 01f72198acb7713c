/* pipe.h — one PostgreSQL connection in pipeline mode on a libuv loop.
 *
 * Shape:  a connected PGconn is adopted (store/open connects on a worker thread); jobs are sent one after the other, each
 *         ended by a Sync; results come back in order.
 * States: OPEN -> CLOSING -> CLOSED; a failure goes to CLOSING with why set.
 * Errors: ERR_STORE; pipe_message until on_closed. Never logs.
 * Owner:  the caller owns struct pipe and may free it only after on_closed; the pipe finishes the PGconn.
 * Loop:   no callback runs inside pipe_sync or pipe_close.
 * Source: libpq "Pipeline mode": an error aborts only up to the next Sync; the sequence chain in SQL does the rest.
 */
#pragma once

#include "base/err.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

struct pipe;

struct pipe_ops {
	void (*on_result)(struct pipe *p, const PGresult *result); /* borrowed */
	void (*on_sync)(struct pipe *p);                           /* one job is over */
	void (*on_notify)(struct pipe *p, const char *channel);    /* may be NULL */
	void (*on_closed)(struct pipe *p, enum err why);           /* last call ever */
};

struct pipe {
	uv_poll_t poll;
	PGconn *pg;
	const struct pipe_ops *ops;
	void *data; /* owner's */
	uint32_t jobs;
	uint64_t jobs_done;
	bool closing, writing;
	enum err why;
};

/* pg: connected, idle, blocking mode. On failure pg is finished. */
enum err pipe_adopt(struct pipe *p, uv_loop_t *loop, PGconn *pg, const struct pipe_ops *ops, void *data) ERR_MUST_CHECK;
/* After PQsend*(p->pg, ...): ends the job and sends it. */
enum err pipe_sync(struct pipe *p) ERR_MUST_CHECK;
void pipe_close(struct pipe *p, enum err why);
const char *pipe_message(const struct pipe *p);
