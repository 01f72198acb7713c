/* answer.c — queries: from memory once everything decided has committed, or from the database. */
#include "server/engine.h"

#include "base/check.h"
#include "base/mem.h"
#include "server/log.h"

#include <string.h>

static void refuse(struct shard *sh, uint64_t session, uint64_t request_id, enum err why)
{
	struct session *s = session_find(sh->engine, session);

	if (s != NULL)
		session_refuse(s, sh, request_id, why, NULL);
}

/* ---- from memory ---- */

static void answer_list(struct shard *sh, const struct reply *r, const struct query *q)
{
	uint32_t list = framework_find_list_code(sh->framework, q->code, clock_now_us(&sh->clock));

	if (list == UINT32_MAX)
		reply_status(r, ERR_NO_LIST, NULL, 0);
	else
		reply_list(r, sh->pump.core, list, clock_now_us(&sh->clock));
}

static void answer_pools(struct shard *sh, const struct reply *r, const struct query *q)
{
	uint32_t provider = UINT32_MAX;

	if (q->code.len > 0) {
		provider = framework_find_provider(sh->framework, q->code);
		if (provider == UINT32_MAX) {
			reply_status(r, ERR_UNKNOWN_PROVIDER, NULL, 0);
			return;
		}
	}
	reply_pools(r, sh->pump.core, provider, q->after, q->limit, clock_now_us(&sh->clock));
}

static void answer_memory(struct shard *sh, uint64_t session, uint64_t request_id, enum request_kind kind,
			  const struct query *q)
{
	struct session *s = session_find(sh->engine, session);

	if (s == NULL || s->stream.closing)
		return;
	if (stream_backlog(&s->stream) > SESSION_BACKLOG_BYTES_MAX) {
		/* thousands of questions fit one read, each with a page for an answer: the flush would come too late */
		sh->engine->stats.slow_readers++;
		stream_close(&s->stream);
		return;
	}
	struct reply r = session_reply(s, sh, request_id);

	if (kind == REQUEST_GET_COUNTS)
		reply_counts(&r, sh->pump.core, sh->journal.fence.last_seq);
	else if (kind == REQUEST_LIST_LOTS)
		reply_lots(&r);
	else if (kind == REQUEST_GET_LIST)
		answer_list(sh, &r, q);
	else if (kind == REQUEST_LIST_PROVIDERS)
		reply_providers(&r, sh->pump.core, q->after, q->limit);
	else
		answer_pools(sh, &r, q);
}

static void refuse_busy(struct session *s, struct shard *sh, uint64_t request_id)
{
	s->engine->stats.busy++;
	session_refuse(s, sh, request_id, ERR_BUSY, NULL);
}

/* While the database is silent they only grow more: as many as there is room for, who asks later is told to come again. */
static void hold(struct shard *sh, struct session *s, const struct request *r)
{
	struct held *h;

	if (sh->held_count == HELD_MAX) {
		refuse_busy(s, sh, r->id);
		return;
	}
	h = mem_zero(1, sizeof *h);
	h->session = s->id;
	h->request_id = r->id;
	h->kind = r->kind;
	h->query = r->query;
	memcpy(h->code, r->query.code.bytes, r->query.code.len);
	memcpy(h->after, r->query.after.bytes, r->query.after.len);
	h->query.code.bytes = h->code;
	h->query.after.bytes = h->after;
	*sh->held_last = h;
	sh->held_last = &h->next;
	sh->held_count++;
}

bool answer_is_leased(const struct shard *sh)
{
	return clock_mono_us() - sh->pump.leased_from_us < LEASE_US;
}

/* Memory is what was decided; it may be told once all of it has committed. Without a lease a heartbeat fetches one first. */
void answer_held(struct shard *sh)
{
	struct held *h = sh->held_first, *next;
	bool ready = sh->pump.core != NULL, leased = answer_is_leased(sh);

	if (h == NULL || (ready && sh->pump.batch_count > 0) || (ready && !leased && shard_beat(sh)))
		return;
	sh->held_first = NULL;
	sh->held_last = &sh->held_first;
	sh->held_count = 0;
	for (; h != NULL; h = next) {
		next = h->next;
		if (!ready)
			refuse(sh, h->session, h->request_id, sh->state == SHARD_STANDBY ? ERR_DEPOSED : ERR_LOADING);
		else if (!leased)
			refuse(sh, h->session, h->request_id, ERR_STORE_AWAY);
		else
			answer_memory(sh, h->session, h->request_id, h->kind, &h->query);
		mem_free(h);
	}
}

/* ---- about the engine itself: answered in every state ---- */

static void answer_health(struct shard *sh, const struct reply *r)
{
	bool reigns = sh->state == SHARD_READY;
	const struct fence *f = sh->journal_open ? &sh->journal.fence : &sh->seen;
	struct health_view h = {
		.state = shard_state_word(sh), .epoch = f->epoch, .last_seq = f->last_seq,
		.framework_version = f->framework_version, .uptime_us = clock_mono_us() - sh->engine->started_us,
		.last_commit_age_us = clock_mono_us() - (sh->state == SHARD_STANDBY ? sh->answered_us : sh->pump.leased_from_us),
		.engine = sh->engine->config.name, .active_engine = reigns ? sh->engine->config.name : sh->seen.engine,
		.active_endpoint = reigns ? sh->engine->config.endpoint : sh->seen.endpoint,
		.state_age_us = shard_state_age_us(sh), .reason = shard_trouble_name(sh), .note = sh->trouble,
		.schema_version = SCHEMA_VERSION, .framework_version_live = sh->framework_version_live,
		.waiting = sh->pump.waiting, .connections = sh->engine->session_count,
	};

	reply_health(r, &h);
}

static void answer_stats(struct engine *e, const struct reply *r)
{
	const struct counter_view counters[] = {
#define X(name, text) {#name, text, e->stats.name},
		COUNTER_MAP(X)
#undef X
	};
	const struct histogram_view histograms[] = {
#define X(name, unit, text) \
	{#name, unit, text, &e->stats.name},
		HISTOGRAM_MAP(X)
#undef X
	};

	reply_stats(r, counters, sizeof counters / sizeof counters[0], histograms, sizeof histograms / sizeof histograms[0]);
}

static void answer_hello(struct session *s, struct shard *sh, const struct request *q)
{
	struct engine *e = s->engine;
	struct reply r = session_reply(s, sh, q->id);
	uint32_t shards[SHARDS_MAX];

	if (q->query.protocol != 1) {
		reply_status(&r, ERR_NO_BODY, NULL, 0);
		return;
	}
	s->hello = true;
	for (uint32_t i = 0; i < e->shard_count; i++)
		shards[i] = (uint32_t)e->shards[i].number;
	reply_hello(&r, s->principal, shards, e->shard_count, sh->seen.framework_version, clock_now_us(&sh->clock));
}

/* ---- from the database ---- */

static enum err ask_send(struct shard *sh, const struct request *r, struct ask *a)
{
	const struct query *q = &r->query;

	if (!sh->reader_open)
		return sh->state == SHARD_STANDBY ? ERR_DEPOSED : ERR_STORE_AWAY;
	if (r->kind == REQUEST_EXPLAIN_PACKAGE)
		return reader_explain(&sh->reader, q->package_no, a);
	if (r->kind == REQUEST_LIST_PACKAGES)
		return reader_states(&sh->reader, q->state_mask, q->after_no, q->limit, a);
	if (r->kind == REQUEST_READ_JOURNAL)
		return reader_journal(&sh->reader, q->after_no, q->limit > 64 ? 64 : q->limit, a);
	if (q->case_ref.len > 0)
		return reader_case(&sh->reader, q->case_ref, a);
	return reader_package(&sh->reader, q->package_no, a);
}

static void ask_database(struct session *s, struct shard *sh, const struct request *r)
{
	struct ask *a = mem_zero(1, sizeof *a);
	enum err why;

	*a = (struct ask){.session = s->id, .request_id = r->id, .kind = r->kind, .after_no = r->query.after_no,
			  .limit = r->query.limit};
	why = ask_send(sh, r, a);
	if (why == ERR_OK)
		return;
	if (why == ERR_BUSY)
		refuse_busy(s, sh, r->id);
	else
		session_refuse(s, sh, r->id, why == ERR_STORE ? ERR_STORE_AWAY : why, NULL);
	mem_free(a);
}

static void on_packages(void *data, void *tag, const struct package_view *packages, size_t count)
{
	struct shard *sh = data;
	struct ask *a = tag;
	struct session *s = session_find(sh->engine, a->session);

	if (s != NULL && sh->framework != NULL) {
		struct reply r = session_reply(s, sh, a->request_id);

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
	struct shard *sh = data;
	struct ask *a = tag;
	struct session *s = session_find(sh->engine, a->session);

	if (s != NULL && sh->framework != NULL) {
		struct reply r = session_reply(s, sh, a->request_id);

		if (package == NULL)
			reply_status(&r, ERR_UNKNOWN_PACKAGE, NULL, 0);
		else
			reply_explain(&r, package, rounds, count);
	}
	mem_free(a);
}

static void on_journal(void *data, void *tag, const struct journal_view *rows, size_t count)
{
	struct shard *sh = data;
	struct ask *a = tag;
	struct session *s = session_find(sh->engine, a->session);

	if (s != NULL) {
		struct reply r = session_reply(s, sh, a->request_id);

		if (!a->subscription) {
			/* rows of a batch may be large: as many as a frame holds, at least one */
			size_t bytes = 0, fits = 0;

			for (; fits < count; fits++) {
				for (int64_t i = 0; i <= rows[fits].last_seq - rows[fits].first_seq; i++)
					bytes += rows[fits].records[i].len + 80;
				if (fits > 0 && bytes > FRAME_BYTES_MAX - 4096)
					break;
			}
			reply_journal(&r, rows, fits, sh->journal.fence.last_seq, sh->journal.fence.head_hash);
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
	struct shard *sh = data;
	struct ask *a = tag;

	pump_on_lookup(&sh->pump, a->op, request_hash, outcome, receipt);
	mem_free(a);
}

static void on_failed(void *data, void *tag, const char *message)
{
	struct shard *sh = data;
	struct ask *a = tag;
	struct session *s;

	log_line(LOG_read_failed, "message=\"%s\"", message);
	if (a->op != NULL) {
		pump_on_lookup_failed(&sh->pump, a->op);
	} else {
		s = session_find(sh->engine, a->session);
		if (s != NULL && a->subscription)
			s->subscription_reading = false; /* tried again with the next commit or tick */
		else
			refuse(sh, a->session, a->request_id, ERR_STORE_AWAY);
	}
	mem_free(a);
}

static void on_framework_edited(void *data)
{
	(void)shard_beat(data); /* its answer has the version */
}

static void on_reader_closed(void *data)
{
	struct shard *sh = data;

	sh->reader_open = false;
	shard_want_reload(sh, ERR_STORE);
}

const struct reader_ops shard_reader_ops = {
	.on_packages = on_packages, .on_explained = on_explained, .on_command = on_command, .on_journal = on_journal,
	.on_failed = on_failed, .on_framework_edited = on_framework_edited, .on_closed = on_reader_closed};

/* ---- subscriptions: each reads the journal from its cursor, when there is more of it ---- */

void answer_subscriptions(struct shard *sh)
{
	for (struct session *s = sh->engine->sessions; s != NULL && sh->reader_open; s = s->next) {
		struct ask *a;

		if (!s->subscribed || s->subscription_shard != sh || s->closed || s->subscription_reading ||
		    stream_backlog(&s->stream) > 0 || s->subscription_seq >= sh->journal.fence.last_seq)
			continue;
		a = mem_zero(1, sizeof *a);
		*a = (struct ask){.session = s->id, .request_id = s->subscription_id, .kind = REQUEST_SUBSCRIBE,
				  .subscription = true};
		s->subscription_reading = reader_journal(&sh->reader, s->subscription_seq, 16, a) == ERR_OK;
		if (!s->subscription_reading)
			mem_free(a);
	}
}

/* Another engine has the shard: who listens here must go there. */
void answer_unsubscribe(struct shard *sh)
{
	for (struct session *s = sh->engine->sessions; s != NULL; s = s->next) {
		if (!s->subscribed || s->subscription_shard != sh || s->closed)
			continue;
		s->subscribed = false;
		session_refuse(s, sh, s->subscription_id, ERR_DEPOSED, NULL);
	}
}

static void answer_subscribe(struct session *s, struct shard *sh, const struct request *r)
{
	struct reply reply = session_reply(s, sh, r->id);

	if (sh->pump.core == NULL) {
		session_refuse(s, sh, r->id, sh->state == SHARD_STANDBY ? ERR_DEPOSED : ERR_LOADING, NULL);
		return;
	}
	s->subscribed = true;
	s->subscription_shard = sh;
	s->subscription_id = r->id;
	s->subscription_seq = r->query.after_no < 0 ? sh->journal.fence.last_seq : r->query.after_no;
	reply_subscribed(&reply, s->subscription_seq);
}

void answer_query(struct session *s, struct shard *sh, const struct request *r)
{
	struct reply reply;

	switch (r->kind) {
	case REQUEST_HELLO:
		answer_hello(s, sh, r);
		return;
	case REQUEST_GET_HEALTH:
		reply = session_reply(s, sh, r->id);
		answer_health(sh, &reply);
		return;
	case REQUEST_GET_STATS:
		reply = session_reply(s, sh, r->id);
		answer_stats(s->engine, &reply);
		return;
	case REQUEST_GET_PACKAGE:
	case REQUEST_EXPLAIN_PACKAGE:
	case REQUEST_LIST_PACKAGES:
	case REQUEST_READ_JOURNAL:
		ask_database(s, sh, r);
		return;
	case REQUEST_LIST_POOLS:
	case REQUEST_LIST_LOTS:
	case REQUEST_GET_LIST:
	case REQUEST_LIST_PROVIDERS:
	case REQUEST_GET_COUNTS:
		hold(sh, s, r);
		return;
	case REQUEST_SUBSCRIBE:
		answer_subscribe(s, sh, r);
		return;
	case REQUEST_COMMAND:
		UNREACHABLE();
	}
	UNREACHABLE();
}
