#include "pg/pipe.h"

#include "base/check.h"

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

static void pipe_take_results(struct pipe *p)
{
	bool ended = false; /* one NULL ends a statement and the pipeline goes on; a second says that nothing follows */

	while (!p->closing && p->jobs > 0 && !PQisBusy(p->pg)) {
		PGresult *r = PQgetResult(p->pg);

		if (r == NULL && ended)
			return; /* the connection broke: the jobs left are never answered */
		ended = r == NULL;
		if (ended)
			continue;
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			p->jobs--;
			p->jobs_done++;
			p->ops->on_sync(p);
		} else {
			p->ops->on_result(p, r);
		}
		PQclear(r);
	}
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
	pipe_take_results(p);
	pipe_take_notifies(p);
	if (!p->closing && pipe_flush(p) != ERR_OK)
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

enum err pipe_sync(struct pipe *p)
{
	if (p->closing || PQpipelineSync(p->pg) != 1)
		return ERR_STORE;
	p->jobs++;
	return pipe_flush(p);
}

const char *pipe_message(const struct pipe *p)
{
	return p->pg != NULL ? PQerrorMessage(p->pg) : "closed";
}
