#include "pg/pipe.h"

#include "base/check.h"

#include <string.h>

static void pipe_on_poll(uv_poll_t *h, int status, int events);

static void pipe_on_poll_closed(uv_handle_t *h)
{
	struct pipe *p = h->data;

	PQfinish(p->pg); /* only after the poll handle is gone */
	p->pg = NULL;
	p->ops->on_closed(p, p->why);
}

void pipe_close(struct pipe *p, enum err why)
{
	if (p->closing)
		return;
	p->closing = true;
	p->why = why;
	uv_close((uv_handle_t *)&p->poll, pipe_on_poll_closed);
}

static enum err pipe_arm(struct pipe *p, bool writing)
{
	if (writing == p->writing)
		return ERR_OK;
	p->writing = writing;
	return uv_poll_start(&p->poll, UV_READABLE | (writing ? UV_WRITABLE : 0), pipe_on_poll) == 0 ? ERR_OK : ERR_STORE;
}

static enum err pipe_flush(struct pipe *p)
{
	int left = PQflush(p->pg);

	return left < 0 ? ERR_STORE : pipe_arm(p, left > 0);
}

/* An error that the server did not send: libpq's own, out of memory or broken. What it was to say is lost, a sync maybe. */
static bool result_is_made_up(const PGresult *r)
{
	return r != NULL && PQresultStatus(r) == PGRES_FATAL_ERROR && PQresultErrorField(r, PG_DIAG_SQLSTATE) == NULL;
}

static void pipe_take_results(struct pipe *p)
{
	bool ended = false; /* one NULL ends a statement and the pipeline goes on; a second says that nothing follows */

	while (!p->closing && p->jobs > 0 && !PQisBusy(p->pg)) {
		PGresult *r = PQgetResult(p->pg);

		if ((r == NULL && ended) || result_is_made_up(r)) {
			PQclear(r);
			pipe_close(p, ERR_STORE); /* the jobs left are never answered */
			return;
		}
		ended = r == NULL;
		if (ended)
			continue;
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			p->jobs--;
			p->ops->on_sync(p);
		} else {
			p->ops->on_result(p, r);
		}
		PQclear(r);
	}
}

/* libpq 15 without memory for a sync's result stays busy for ever, and says so in its message alone (fe-protocol3.c, 'Z'). */
static bool pipe_ran_out(const struct pipe *p)
{
	return strstr(PQerrorMessage(p->pg), "out of memory") != NULL;
}

static void pipe_take_notifies(struct pipe *p)
{
	for (PGnotify *n; !p->closing && (n = PQnotifies(p->pg)) != NULL; PQfreemem(n)) {
		if (p->ops->on_notify != NULL)
			p->ops->on_notify(p, n->relname);
	}
}

static void pipe_on_poll(uv_poll_t *h, int status, int events)
{
	struct pipe *p = h->data;

	(void)events; /* may be spurious: libpq knows */
	if (p->closing)
		return;
	if (status < 0 || PQconsumeInput(p->pg) != 1) {
		/* what arrived before the connection broke still counts: a commit's answer may be in it */
		pipe_take_results(p);
		pipe_close(p, ERR_STORE);
		return;
	}
	p->heard_ms = uv_now(h->loop);
	pipe_take_results(p);
	pipe_take_notifies(p);
	if (!p->closing && (pipe_ran_out(p) || pipe_flush(p) != ERR_OK))
		pipe_close(p, ERR_STORE);
}

enum err pipe_adopt(struct pipe *p, uv_loop_t *loop, PGconn *pg, const struct pipe_ops *ops, void *data)
{
	*p = (struct pipe){.pg = pg, .ops = ops, .data = data};
	if (PQsetnonblocking(pg, 1) != 0 || PQenterPipelineMode(pg) != 1 ||
	    uv_poll_init(loop, &p->poll, PQsocket(pg)) != 0) {
		PQfinish(pg);
		return ERR_STORE;
	}
	p->poll.data = p;
	INSIST(uv_poll_start(&p->poll, UV_READABLE, pipe_on_poll) == 0);
	return ERR_OK;
}

/* A call that left in part would answer in the next one's place: nothing more is asked of this connection. */
static enum err pipe_sent(struct pipe *p, bool whole)
{
	if (!whole)
		pipe_close(p, ERR_STORE);
	return whole ? ERR_OK : ERR_STORE;
}

enum err pipe_send(struct pipe *p, const char *name, int count, const char *const *values, const int *lengths,
		   const int *formats)
{
	return pipe_sent(p, !p->closing && PQsendQueryPrepared(p->pg, name, count, values, lengths, formats, 1) == 1);
}

enum err pipe_sync(struct pipe *p)
{
	TRY(pipe_sent(p, !p->closing && PQpipelineSync(p->pg) == 1));
	if (p->jobs++ == 0)
		p->heard_ms = uv_now(p->poll.loop);
	return pipe_sent(p, pipe_flush(p) == ERR_OK);
}

void pipe_check(struct pipe *p, uint64_t patience_ms)
{
	if (p->jobs > 0 && uv_now(p->poll.loop) - p->heard_ms > patience_ms)
		pipe_close(p, ERR_STORE);
}

const char *pipe_message(const struct pipe *p)
{
	return p->pg != NULL ? PQerrorMessage(p->pg) : "closed";
}
