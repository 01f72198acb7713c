/* answer.c — queries: from memory once everything decided has committed, or from the database. */
#include "server/engine.h"

#include "base/check.h"
#include "base/mem.h"
#include "server/log.h"

#include <string.h>

enum { LEASE_US = 2000000 };

static void refuse(struct engine *e, uint64_t session, uint64_t request_id, enum err why)
{
	struct session *s = session_find(e, session);

	if (s == NULL)
		return;
	struct reply r = session_reply(e, s, request_id);

	reply_status(&r, why, NULL, err_retry((int)why) == ERR_RETRY_SAME ? 250 : 0);
}

/* ---- from memory ---- */

static void answer_list(struct engine *e, const struct reply *r, const struct query *q)
{
	uint32_t list = framework_find_list_code(e->framework, q->code, clock_now_us(&e->clock));

	if (list == UINT32_MAX)
		reply_status(r, ERR_NO_LIST, NULL, 0);
	else
		reply_list(r, e->pump.core, list, clock_now_us(&e->clock));
}

static void answer_pools(struct engine *e, const struct reply *r, const struct query *q)
{
	uint32_t provider = UINT32_MAX;

	if (q->code.len > 0) {
		provider = framework_find_provider(e->framework, q->code);
		if (provider == UINT32_MAX) {
			reply_status(r, ERR_UNKNOWN_PROVIDER, NULL, 0);
			return;
		}
	}
	reply_pools(r, e->pump.core, provider, q->after, q->limit, clock_now_us(&e->clock));
}

static void answer_memory(struct engine *e, uint64_t session, uint64_t request_id, enum request_kind kind,
			  const struct query *q)
{
	struct session *s = session_find(e, session);

	if (s == NULL || s->stream.closing)
		return;
	if (stream_backlog(&s->stream) > SESSION_BACKLOG_BYTES_MAX) {
		/* thousands of questions fit one read, each with a page for an answer: the flush would come too late */
		e->stats.slow_readers++;
		stream_close(&s->stream);
		return;
	}
	struct reply r = session_reply(e, s, request_id);

	if (kind == REQUEST_GET_COUNTS)
		reply_counts(&r, e->pump.core, e->journal.fence.last_seq);
	else if (kind == REQUEST_LIST_LOTS)
		reply_lots(&r);
	else if (kind == REQUEST_GET_LIST)
		answer_list(e, &r, q);
	else if (kind == REQUEST_LIST_PROVIDERS)
		reply_providers(&r, e->pump.core, q->after, q->limit);
	else
		answer_pools(e, &r, q);
}

static void hold(struct engine *e, struct session *s, const struct request *r)
{
	struct held *h = mem_zero(1, sizeof *h);

	h->session = s->id;
	h->request_id = r->id;
	h->kind = r->kind;
	h->query = r->query;
	memcpy(h->code, r->query.code.bytes, r->query.code.len);
	memcpy(h->after, r->query.after.bytes, r->query.after.len);
	h->query.code.bytes = h->code;
	h->query.after.bytes = h->after;
	*e->held_last = h;
	e->held_last = &h->next;
}

/* Memory is what was decided; it may be told once all of it has committed, and while the lease holds. */
void answer_held(struct engine *e)
{
	struct held *h = e->held_first, *next;
	bool ready = e->pump.core != NULL, leased = clock_mono_us() - e->pump.last_ack_mono_us < LEASE_US;

	if (h == NULL || (ready && e->pump.batch_count > 0))
		return;
	e->held_first = NULL;
	e->held_last = &e->held_first;
	for (; h != NULL; h = next) {
		next = h->next;
		if (!ready)
			refuse(e, h->session, h->request_id, ERR_LOADING);
		else if (!leased)
			refuse(e, h->session, h->request_id, ERR_STORE_AWAY);
		else
			answer_memory(e, h->session, h->request_id, h->kind, &h->query);
		mem_free(h);
	}
}

/* ---- about the engine itself: answered in every state ---- */

static void answer_health(struct engine *e, const struct reply *r)
{
	static const char *const words[] = {
#define X(name, word) [ENGINE_##name] = word,
		ENGINE_STATE_MAP(X)
#undef X
	};
	bool away = e->state == ENGINE_LOADING && e->open_failures > 0;
	struct health_view h = {
		.state = away ? "store_away" : words[e->state], .epoch = e->journal.fence.epoch,
		.last_seq = e->journal.fence.last_seq, .framework_version = e->journal.fence.framework_version,
		.uptime_us = clock_mono_us() - e->started_us,
		.last_commit_age_us = clock_mono_us() - e->pump.last_ack_mono_us,
	};

	reply_health(r, &h);
}

static void answer_stats(struct engine *e, const struct reply *r)
{
	const struct counter_view counters[] = {
#define X(name, text) {#name, e->stats.name},
		COUNTER_MAP(X)
#undef X
	};
	const struct histogram_view histograms[] = {
#define X(name, unit, text)                                                                        \
	{#name, unit, e->stats.name.count, hist_quantile(&e->stats.name, 500), hist_quantile(&e->stats.name, 900), \
	 hist_quantile(&e->stats.name, 990), hist_quantile(&e->stats.name, 999), e->stats.name.max},
		HISTOGRAM_MAP(X)
#undef X
	};

	reply_stats(r, counters, sizeof counters / sizeof counters[0], histograms, sizeof histograms / sizeof histograms[0]);
}

static void answer_hello(struct session *s, const struct request *q)
{
	struct reply r = session_reply(s->engine, s, q->id);

	if (q->query.protocol != 1) {
		reply_status(&r, ERR_NO_BODY, NULL, 0);
		return;
	}
	s->hello = true;
	reply_hello(&r, s->principal, s->engine->journal.fence.framework_version, clock_now_us(&s->engine->clock));
}

/* ---- from the database ---- */

static enum err ask_send(struct engine *e, const struct request *r, struct ask *a)
{
	const struct query *q = &r->query;

	if (!e->reader_open)
		return ERR_STORE_AWAY;
	if (r->kind == REQUEST_EXPLAIN_PACKAGE)
		return reader_explain(&e->reader, q->package_no, a);
	if (r->kind == REQUEST_LIST_PACKAGES)
		return reader_states(&e->reader, q->state_mask, q->after_no, q->limit, a);
	if (r->kind == REQUEST_READ_JOURNAL)
		return reader_journal(&e->reader, q->after_no, q->limit > 64 ? 64 : q->limit, a);
	if (q->case_ref.len > 0)
		return reader_case(&e->reader, q->case_ref, a);
	return reader_package(&e->reader, q->package_no, a);
}

static void ask_database(struct session *s, const struct request *r)
{
	struct ask *a = mem_zero(1, sizeof *a);
	enum err why;

	*a = (struct ask){.session = s->id, .request_id = r->id, .kind = r->kind, .after_no = r->query.after_no,
			  .limit = r->query.limit};
	why = ask_send(s->engine, r, a);
	if (why == ERR_OK)
		return;
	refuse(s->engine, s->id, r->id, why == ERR_STORE ? ERR_STORE_AWAY : why);
	mem_free(a);
}

static void on_packages(void *data, void *tag, const struct package_view *packages, size_t count)
{
	struct engine *e = data;
	struct ask *a = tag;
	struct session *s = session_find(e, a->session);

	if (s != NULL && e->framework != NULL) {
		struct reply r = session_reply(e, s, a->request_id);

		if (a->kind == REQUEST_LIST_PACKAGES)
			reply_package_page(&r, packages, count, count == a->limit ? packages[count - 1].package_no : 0);
		else if (count == 0)
			reply_status(&r, ERR_UNKNOWN_PACKAGE, NULL, 0);
		else
			reply_packages(&r, packages, count);
	}
	mem_free(a);
}

static void on_explained(void *data, void *tag, const struct package_view *package, const struct record_view *rounds,
			 size_t count)
{
	struct engine *e = data;
	struct ask *a = tag;
	struct session *s = session_find(e, a->session);

	if (s != NULL && e->framework != NULL) {
		struct reply r = session_reply(e, s, a->request_id);

		if (package == NULL)
			reply_status(&r, ERR_UNKNOWN_PACKAGE, NULL, 0);
		else
			reply_explain(&r, package, rounds, count);
	}
	mem_free(a);
}

static void on_journal(void *data, void *tag, const struct journal_view *rows, size_t count)
{
	struct engine *e = data;
	struct ask *a = tag;
	struct session *s = session_find(e, a->session);

	if (s != NULL) {
		struct reply r = session_reply(e, s, a->request_id);

		if (!a->subscription) {
			/* rows of a batch may be large: as many as a frame holds, at least one */
			size_t bytes = 0, fits = 0;

			for (; fits < count; fits++) {
				for (int64_t i = 0; i <= rows[fits].last_seq - rows[fits].first_seq; i++)
					bytes += rows[fits].records[i].len + 80;
				if (fits > 0 && bytes > FRAME_BYTES_MAX - 4096)
					break;
			}
			reply_journal(&r, rows, fits, e->journal.fence.last_seq, e->journal.fence.head_hash);
		} else {
			s->subscription_reading = false;
			for (size_t i = 0; i < count; i++)
				(void)reply_events(&r, rows + i, 1, s->subscription_seq);
			if (count > 0)
				s->subscription_seq = rows[count - 1].last_seq;
		}
	}
	mem_free(a);
}

static void on_command(void *data, void *tag, const uint8_t *request_hash, const struct outcome *outcome,
		       const struct receipt *receipt)
{
	struct engine *e = data;
	struct ask *a = tag;

	pump_on_lookup(&e->pump, a->op, request_hash, outcome, receipt);
	mem_free(a);
}

static void on_failed(void *data, void *tag, const char *message)
{
	struct engine *e = data;
	struct ask *a = tag;
	struct session *s;

	log_line(LOG_read_failed, "message=\"%s\"", message);
	if (a->op != NULL) {
		pump_on_lookup_failed(&e->pump, a->op);
	} else {
		s = session_find(e, a->session);
		if (s != NULL && a->subscription)
			s->subscription_reading = false; /* tried again with the next commit or tick */
		else
			refuse(e, a->session, a->request_id, ERR_STORE_AWAY);
	}
	mem_free(a);
}

static void on_framework_edited(void *data)
{
	struct engine *e = data;

	if (e->journal_open && !e->beat_waiting) {
		e->beat_us = clock_mono_us();
		e->beat_waiting = journal_beat(&e->journal, clock_now_us(&e->clock)) == ERR_OK; /* its answer has the version */
	}
}

static void on_reader_closed(void *data)
{
	struct engine *e = data;

	e->reader_open = false;
	engine_want_reload(e, ERR_STORE);
}

const struct reader_ops engine_reader_ops = {
	.on_packages = on_packages, .on_explained = on_explained, .on_command = on_command, .on_journal = on_journal,
	.on_failed = on_failed, .on_framework_edited = on_framework_edited, .on_closed = on_reader_closed};

/* ---- subscriptions: each reads the journal from its cursor, when there is more of it ---- */

void answer_subscriptions(struct engine *e)
{
	for (struct session *s = e->sessions; s != NULL && e->reader_open; s = s->next) {
		struct ask *a;

		if (!s->subscribed || s->closed || s->subscription_reading || stream_backlog(&s->stream) > 0 ||
		    s->subscription_seq >= e->journal.fence.last_seq)
			continue;
		a = mem_zero(1, sizeof *a);
		*a = (struct ask){.session = s->id, .request_id = s->subscription_id, .kind = REQUEST_SUBSCRIBE,
				  .subscription = true};
		s->subscription_reading = reader_journal(&e->reader, s->subscription_seq, 16, a) == ERR_OK;
		if (!s->subscription_reading)
			mem_free(a);
	}
}

static void answer_subscribe(struct session *s, const struct request *r)
{
	struct reply reply = session_reply(s->engine, s, r->id);

	if (s->engine->pump.core == NULL) {
		reply_status(&reply, ERR_LOADING, NULL, 250);
		return;
	}
	s->subscribed = true;
	s->subscription_id = r->id;
	s->subscription_seq = r->query.after_no < 0 ? s->engine->journal.fence.last_seq : r->query.after_no;
	reply_subscribed(&reply, s->subscription_seq);
}

void answer_query(struct session *s, const struct request *r)
{
	struct reply reply;

	switch (r->kind) {
	case REQUEST_HELLO:
		answer_hello(s, r);
		return;
	case REQUEST_GET_HEALTH:
		reply = session_reply(s->engine, s, r->id);
		answer_health(s->engine, &reply);
		return;
	case REQUEST_GET_STATS:
		reply = session_reply(s->engine, s, r->id);
		answer_stats(s->engine, &reply);
		return;
	case REQUEST_GET_PACKAGE:
	case REQUEST_EXPLAIN_PACKAGE:
	case REQUEST_LIST_PACKAGES:
	case REQUEST_READ_JOURNAL:
		ask_database(s, r);
		return;
	case REQUEST_LIST_POOLS:
	case REQUEST_LIST_LOTS:
	case REQUEST_GET_LIST:
	case REQUEST_LIST_PROVIDERS:
	case REQUEST_GET_COUNTS:
		hold(s->engine, s, r);
		return;
	case REQUEST_SUBSCRIBE:
		answer_subscribe(s, r);
		return;
	case REQUEST_COMMAND:
		UNREACHABLE();
	}
	UNREACHABLE();
}
