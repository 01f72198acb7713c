/* session.c — one connection: frames to requests, requests to the pump or to answers, replies out in one write a turn. */
#include "server/engine.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "server/log.h"
#include "wire/frame.h"

#include <stdio.h>
#include <string.h>

struct session *session_find(struct engine *e, uint64_t id)
{
	struct session *s = e->slots[id & 0xffff];

	return s != NULL && s->id == id && !s->closed ? s : NULL;
}

struct reply session_reply(struct session *s, const struct shard *sh, uint64_t request_id)
{
	session_dirty(s);
	return (struct reply){
		.out = &s->stream.out, .scratch = &s->engine->scratch, .request_id = request_id,
		.shard = sh != NULL ? (uint32_t)sh->number : 0, .framework = sh != NULL ? sh->framework : NULL,
		.elsewhere = sh != NULL && sh->state == SHARD_STANDBY ? sh->seen.endpoint : "",
	};
}

void session_dirty(struct session *s)
{
	if (s->dirty)
		return;
	s->dirty = true;
	s->dirty_next = s->engine->dirty;
	s->engine->dirty = s;
}

void session_refuse(struct session *s, const struct shard *sh, uint64_t request_id, enum err why, const struct request *violations)
{
	struct reply r = session_reply(s, sh, request_id);

	reply_status(&r, why, violations,
		     why == ERR_BUSY ? s->engine->busy_retry_ms : err_retry((int)why) == ERR_RETRY_SAME ? RETRY_MS : 0);
}

/* When many wait, a connection that holds more of the line than its share is told to come again: a flood from one client
 * leaves the wait of the others as it is. */
static bool session_is_over_its_share(const struct session *s, const struct shard *sh)
{
	uint32_t others = s->engine->busy_sessions;

	return sh->pump.waiting >= SHARE_FROM && s->in_flight > SHARE_FROM / (others > 0 ? others : 1);
}

/* Back-pressure: a client that has much unanswered, or reads nothing, is not read from. */
static void session_pace(struct session *s)
{
	bool full = s->in_flight >= IN_FLIGHT_MAX || stream_backlog(&s->stream) > SESSION_BACKLOG_BYTES_MAX / 4;

	if (stream_backlog(&s->stream) > SESSION_BACKLOG_BYTES_MAX) {
		s->engine->stats.slow_readers++;
		stream_close(&s->stream);
		return;
	}
	stream_read(&s->stream, !full);
}

static void session_command(struct session *s, struct shard *sh, const struct request *r)
{
	struct text principal = {s->principal, (uint32_t)strlen(s->principal)};
	struct outcome outcome;
	struct op *op;

	if (sh->state == SHARD_STANDBY || sh->state == SHARD_DRAINING || sh->state == SHARD_GONE) {
		session_refuse(s, sh, r->id, sh->state == SHARD_STANDBY ? ERR_DEPOSED : ERR_DRAINING, NULL);
		return;
	}
	if (r->dry_run) {
		struct event event = r->event;

		event.principal = principal;
		if (sh->pump.core != NULL && !answer_is_leased(sh)) {
			shard_beat(sh);
			session_refuse(s, sh, r->id, ERR_STORE_AWAY, NULL);
			return;
		}
		if (!pump_preview(&sh->pump, &event, &outcome)) {
			session_refuse(s, sh, r->id, ERR_LOADING, NULL);
			return;
		}
		struct reply reply = session_reply(s, sh, r->id);

		reply_outcome(&reply, &outcome, NULL);
		return;
	}
	if (session_is_over_its_share(s, sh)) {
		s->engine->stats.busy++;
		session_refuse(s, sh, r->id, ERR_BUSY, NULL);
		return;
	}
	op = op_new(&r->event, s->id, r->id, r->key, principal);
	if (op == NULL) {
		session_refuse(s, sh, r->id, ERR_TOO_BIG, NULL);
		return;
	}
	op->deadline_us = r->deadline_us;
	if (s->in_flight++ == 0)
		s->engine->busy_sessions++;
	pump_take(&sh->pump, op);
}

static void session_request(struct session *s, const uint8_t *body, size_t len)
{
	struct engine *e = s->engine;
	struct request *r = &e->request;
	struct shard *sh;
	bool about_engine;
	enum err why;

	FAILPOINT(frame_read);
	arena_reset(&e->parse_arena);
	why = request_parse(&e->parse_arena, body, len, r);
	sh = engine_shard(e, r->shard);
	about_engine = r->shard == 0 && (r->kind == REQUEST_HELLO || r->kind == REQUEST_GET_HEALTH || r->kind == REQUEST_GET_STATS);
	if (why == ERR_OK && sh == NULL && !about_engine)
		why = ERR_WRONG_SHARD;
	if (why == ERR_OK && !s->hello && r->kind != REQUEST_HELLO)
		why = ERR_NO_HELLO;
	if (why != ERR_OK) {
		e->stats.frames_refused++;
		session_refuse(s, NULL, r->id, why, r);
		return;
	}
	if (r->kind == REQUEST_COMMAND)
		session_command(s, sh, r);
	else
		answer_query(s, sh != NULL ? sh : &e->shards[0], r);
}

static void session_on_bytes(struct stream *stream)
{
	struct session *s = (struct session *)stream;
	int64_t now_us = clock_mono_us();
	const uint8_t *body;
	size_t len;
	enum err e = ERR_OK;

	s->heard_us = now_us;
	while (!stream->closing && s->in_flight < IN_FLIGHT_MAX) {
		e = frame_peek(stream->in.bytes + stream->in.from, buf_len(&stream->in),
			       s->hello ? FRAME_BYTES_MAX : FRAME_BYTES_MAX_BEFORE_HELLO, &body, &len);
		if (e != ERR_OK)
			break;
		session_request(s, body, len);
		buf_consume(&stream->in, FRAME_HEAD_BYTES + len);
	}
	if (e == ERR_TOO_BIG) {
		/* what follows cannot be told from the rest of the frame: say why, then close */
		s->engine->stats.frames_refused++;
		session_refuse(s, NULL, 0, ERR_TOO_BIG, NULL);
		stream_write(stream);
		stream_close(stream);
		return;
	}
	s->frame_since_us = buf_len(&stream->in) == 0 ? 0 : s->frame_since_us == 0 ? now_us : s->frame_since_us;
	session_pace(s);
}

static void session_on_drained(struct stream *stream)
{
	session_pace((struct session *)stream);
}

static void session_free_closed(struct session *s)
{
	struct engine *e = s->engine;
	struct session **at = &e->dirty;

	while (s->dirty && *at != s)
		at = &(*at)->dirty_next;
	if (s->dirty)
		*at = s->dirty_next;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		e->sessions = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	e->slots[s->id & 0xffff] = NULL;
	e->session_count--;
	mem_free(s);
}

/* Its ops may still name its principal: the session stays, closed, until the last is answered. */
static void session_on_closed(struct stream *stream)
{
	struct session *s = (struct session *)stream;

	s->closed = true;
	if (s->in_flight == 0)
		session_free_closed(s);
}

static const struct stream_ops session_stream_ops = {
	.on_bytes = session_on_bytes, .on_drained = session_on_drained, .on_closed = session_on_closed};

static struct stream *session_accept(struct listener *l)
{
	struct engine *e = l->data;
	struct session *s = mem_zero(1, sizeof *s);

	do
		e->session_serial++;
	while ((e->session_serial & 0xffff) == 0 || e->slots[e->session_serial & 0xffff] != NULL);
	s->engine = e;
	s->id = e->session_serial;
	s->stream.ops = &session_stream_ops;
	s->next = e->sessions;
	if (s->next != NULL)
		s->next->prev = s;
	e->sessions = s;
	e->slots[s->id & 0xffff] = s;
	e->session_count++;
	return &s->stream;
}

static void session_on_open(struct listener *l, struct stream *stream)
{
	struct engine *e = l->data;
	struct session *s = (struct session *)stream;

	FAILPOINT(accept);
	e->stats.connections++;
	s->opened_us = s->heard_us = clock_mono_us();
	snprintf(s->principal, sizeof s->principal, "unix:%u", stream->peer_uid);
	if (e->session_count > (uint32_t)e->config.connections_max || e->session_count > 60000) {
		log_line(LOG_connection_refused, "why=too_many connections=%u", e->session_count);
		stream_close(stream);
		return;
	}
	stream_read(stream, true);
}

static void session_on_listener_closed(struct listener *l)
{
	struct engine *e = l->data;

	e->listening = false;
}

void session_listen(struct engine *e)
{
	e->listener = (struct listener){.accept = session_accept, .on_open = session_on_open,
					.on_closed = session_on_listener_closed, .data = e};
}

void session_flush_all(struct engine *e)
{
	while (e->dirty != NULL) {
		struct session *s = e->dirty;

		e->dirty = s->dirty_next;
		s->dirty = false;
		if (s->closed || s->stream.closing)
			continue;
		stream_write(&s->stream);
		FAILPOINT(flush_between);
		/* one that was full may have whole frames waiting in its buffer, and no byte may come to wake it */
		if (buf_len(&s->stream.in) >= FRAME_HEAD_BYTES && s->in_flight < IN_FLIGHT_MAX)
			session_on_bytes(&s->stream);
		else
			session_pace(s);
	}
}

/* Once a second: who never said hello, who began a frame and stopped, who has been silent too long. */
void session_sweep(struct engine *e)
{
	int64_t now_us = clock_mono_us();

	for (struct session *s = e->sessions; s != NULL; s = s->next) {
		int64_t silent_us = now_us - s->heard_us;

		if (s->closed || s->stream.closing)
			continue;
		bool half = s->frame_since_us != 0 && s->stream.reading; /* not one that we made wait */

		if ((!s->hello && now_us - s->opened_us > e->config.hello_seconds * 1000000) ||
		    (half && now_us - s->frame_since_us > e->config.frame_seconds * 1000000) ||
		    (s->in_flight == 0 && !s->subscribed && silent_us > e->config.idle_seconds * 1000000))
			stream_close(&s->stream);
	}
}

/* The pump's answer to an op. */
void session_on_reply(struct shard *sh, const struct op *op, enum err why, const struct outcome *outcome,
		      const struct receipt *receipt)
{
	struct engine *e = sh->engine;
	struct session *s = e->slots[op->session & 0xffff];

	if (s == NULL || s->id != op->session)
		return;
	INSIST(s->in_flight > 0);
	if (--s->in_flight == 0)
		e->busy_sessions--;
	if (s->closed) {
		if (s->in_flight == 0)
			session_free_closed(s);
		return;
	}
	struct reply r = session_reply(s, sh, op->request_id);

	if (why == ERR_OK)
		reply_outcome(&r, outcome, receipt);
	else
		session_refuse(s, sh, op->request_id, why, NULL);
}
