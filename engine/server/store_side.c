/* store_side.c — the pump's io over the real store, and the store's life: open on a worker, close, open again. */
#include "server/engine.h"

#include "base/failpoint.h"
#include "base/mem.h"
#include "server/log.h"
#include "wire/request.h"

#include <string.h>

/* ---- what the pump asks ---- */

static int64_t io_now_us(void *data)
{
	return clock_now_us(&((struct engine *)data)->clock);
}

static bool io_takes(void *data, const struct event *event)
{
	return batch_takes(&((struct engine *)data)->journal.batch, event);
}

static int64_t io_next_seq(void *data)
{
	return journal_next_seq(&((struct engine *)data)->journal);
}

static void io_add(void *data, struct op *op, const struct event *event, const struct update *update)
{
	struct engine *e = data;
	struct batch_command command = {.client = op->client};

	memcpy(command.key, op->key, sizeof command.key);
	memcpy(command.request_hash, op->request_hash, sizeof command.request_hash);
	journal_add(&e->journal, event, update, &command, op->leaf);
}

static enum err io_send(void *data)
{
	struct engine *e = data;

	return journal_send(&e->journal, clock_now_us(&e->clock));
}

static void io_reply(void *data, const struct op *op, enum err why, const struct outcome *outcome,
		     const struct receipt *receipt)
{
	session_on_reply(data, op, why, outcome, receipt);
}

static enum err io_lookup(void *data, struct op *op)
{
	struct engine *e = data;
	struct ask *a;
	enum err why;

	FAILPOINT_OR(lookup_before, ERR_STORE);
	if (!e->reader_open)
		return ERR_STORE;
	a = mem_zero(1, sizeof *a);
	a->op = op;
	why = reader_command(&e->reader, op->client, op->key, a);
	if (why != ERR_OK)
		mem_free(a);
	return why;
}

static void io_reload(void *data, enum err why)
{
	engine_want_reload(data, why);
}

static void io_alarm(void *data, const char *what, const struct op *op)
{
	(void)data;
	log_line(strcmp(what, "quarantined") == 0 ? LOG_ALARM_quarantined : LOG_ALARM_batch_refused,
		 "key_ms=%lld event_bytes=%u", (long long)(op != NULL ? op->key_ms : 0), op != NULL ? op->event_len : 0);
}

const struct pump_io engine_pump_io = {
	.now_us = io_now_us, .takes = io_takes, .next_seq = io_next_seq, .add = io_add, .send = io_send, .reply = io_reply,
	.lookup = io_lookup, .reload = io_reload, .alarm = io_alarm};

/* ---- what the journal answers ---- */

static void on_committed(void *data, const uint8_t row_hash[DIGEST_BYTES])
{
	struct engine *e = data;

	memcpy(e->journal.fence.head_hash, row_hash, DIGEST_BYTES);
	if (e->pump.core == NULL)
		return; /* answered after it was given up: its keys are found at the reload */
	pump_on_committed(&e->pump, row_hash);
	answer_held(e);
	answer_subscriptions(e);
}

static void on_refused(void *data, enum err why, const char *message)
{
	struct engine *e = data;

	if (e->pump.core != NULL && why == ERR_STORE_REFUSED)
		log_line(LOG_ALARM_batch_refused, "message=\"%s\"", message);
	pump_on_refused(&e->pump, why);
}

static void on_beat(void *data, enum err why, int64_t framework_version)
{
	struct engine *e = data;

	e->beat_waiting = false;
	if (e->pump.core == NULL)
		return;
	if (why != ERR_OK) {
		pump_on_refused(&e->pump, why);
		return;
	}
	e->pump.last_ack_mono_us = clock_mono_us();
	if (framework_version != e->journal.fence.framework_version) {
		log_line(LOG_framework_edited, "version=%lld", (long long)framework_version);
		pump_on_refused(&e->pump, ERR_STORE_STALE);
	}
	answer_held(e);
}

static void on_journal_closed(void *data, enum err why)
{
	struct engine *e = data;

	journal_free(&e->journal);
	e->journal_open = e->beat_waiting = false;
	if (e->pump.batch_count > 0 || (e->pump.core != NULL && e->state != ENGINE_DRAINING))
		log_line(LOG_store_lost, "batches_in_flight=%u", e->pump.batch_count);
	pump_on_lost(&e->pump);
	if (e->state == ENGINE_DRAINING) {
		pump_fail_waiting(&e->pump, ERR_DRAINING); /* their keys tell the next engine */
		return;
	}
	engine_want_reload(e, why == ERR_OK ? ERR_STORE_STALE : why);
}

static const struct journal_ops engine_journal_ops = {
	.on_committed = on_committed, .on_refused = on_refused, .on_beat = on_beat, .on_closed = on_journal_closed};

/* ---- opening and closing ---- */

static void open_on_worker(uv_work_t *w)
{
	struct engine *e = w->data;

	e->open_result = store_open(&e->opening);
}

static void engine_know_keys(struct engine *e)
{
	struct opening *o = &e->opening;
	int64_t floor_ms = 0;

	/* several keys may share the floor's millisecond, not all of them loaded */
	if (!o->keys_all && o->key_count > 0)
		floor_ms = request_key_ms(o->keys[0].key) + 1;
	pump_open(&e->pump, o->core, floor_ms);
	for (uint32_t i = 0; i < o->key_count; i++)
		pump_know_key(&e->pump, (struct text){o->keys[i].client, (uint32_t)strlen(o->keys[i].client)}, o->keys[i].key,
			      request_key_ms(o->keys[i].key), o->keys[i].seq);
}

/* The parts of a finished opening become the engine's; all connections join the loop. */
static enum err engine_adopt(struct engine *e)
{
	struct opening *o = &e->opening;
	PGconn *write[LANES_MAX], *read = o->read;
	enum err why;

	FAILPOINT_OR(adopt, ERR_STORE);
	memcpy(write, o->write, sizeof write);
	memset(o->write, 0, sizeof o->write);
	o->read = NULL;
	why = journal_open(&e->journal, e->loop, write, o->write_count, &o->fence, &engine_journal_ops, e);
	if (why != ERR_OK) {
		PQfinish(read);
		return why;
	}
	e->journal_open = true;
	why = reader_open(&e->reader, e->loop, read, o->shard, &engine_reader_ops, e);
	if (why != ERR_OK) {
		journal_close(&e->journal);
		return why;
	}
	e->reader_open = true;
	e->framework = o->framework;
	e->framework_memory = o->framework_memory;
	e->core_memory = o->core_memory;
	e->core_memory_bytes = o->core_memory_bytes;
	o->framework_memory = (struct arena){0};
	o->core_memory = NULL;
	engine_know_keys(e);
	return ERR_OK;
}

static void engine_forget(struct engine *e)
{
	mem_unmap(e->framework_memory.base, e->framework_memory.size);
	mem_unmap(e->core_memory, e->core_memory_bytes);
	e->framework = NULL;
	e->framework_memory = (struct arena){0};
	e->core_memory = NULL;
	e->core_memory_bytes = 0;
}

static void engine_on_retry(uv_timer_t *t)
{
	engine_open_store(t->data);
}

static void open_on_loop(uv_work_t *w, int status)
{
	struct engine *e = w->data;
	struct opening *o = &e->opening;
	uint64_t wait_ms;

	(void)status;
	e->opening_now = false;
	if (e->open_result == ERR_OK && e->state != ENGINE_DRAINING)
		e->open_result = engine_adopt(e);
	store_open_free(o);
	e->stats.opens++;
	if (e->state == ENGINE_DRAINING)
		return;
	if (e->open_result == ERR_OK) {
		int64_t off_us = clock_set(&e->clock, o->fence.clock_us, o->database_us);

		if (off_us > 5000000)
			log_line(LOG_clock_skew, "wall_off_us=%lld", (long long)off_us);
		e->state = ENGINE_READY;
		e->open_failures = 0;
		log_line(LOG_ready, "epoch=%lld seq=%lld framework=%lld framework_us=%lld state_us=%lld", (long long)o->fence.epoch,
			 (long long)o->fence.last_seq, (long long)o->fence.framework_version, (long long)o->framework_us,
			 (long long)o->state_us);
		pump_opened(&e->pump);
		return;
	}
	e->open_failures++;
	log_line(LOG_load_failed, "why=%s note=\"%s\"", err_name((int)e->open_result), o->note);
	if (e->open_result == ERR_STORE_UNSAFE && e->open_failures == 1) {
		e->exit_code = 78; /* EX_CONFIG: waiting will not mend it */
		engine_drain(e);
		return;
	}
	if (e->open_failures > 3)
		pump_fail_waiting(&e->pump, ERR_STORE_AWAY);
	wait_ms = 50u << (e->open_failures < 6 ? e->open_failures : 6);
	uv_timer_start(&e->retry, engine_on_retry, wait_ms > 2000 ? 2000 : wait_ms, 0);
}

void engine_open_store(struct engine *e)
{
	if (e->opening_now || e->journal_open || e->reader_open || e->state == ENGINE_DRAINING || e->state == ENGINE_DEPOSED)
		return;
	engine_forget(e);
	e->opening_now = true;
	e->reload_wanted = false;
	e->state = ENGINE_LOADING;
	e->opening = (struct opening){
		.dsn = e->config.database, .shard = (int16_t)e->config.shard,
		.limits = {.packages_max = (uint32_t)e->config.packages_max, .placements_max = (uint32_t)e->config.packages_max,
			   .blocks_max = (uint32_t)e->config.packages_max / 2},
		.keys_max = (uint32_t)e->config.keys_loaded,
		.write_count = (uint32_t)e->config.batches_in_flight,
	};
	e->open_work.data = e;
	log_line(LOG_loading, "shard=%lld", (long long)e->config.shard);
	uv_queue_work(e->loop, &e->open_work, open_on_worker, open_on_loop);
}

void engine_watch_store(struct engine *e)
{
	int64_t now_us = clock_mono_us(), limit_us = e->config.silence_seconds * 1000000, asked_us = now_us;

	if (e->beat_waiting)
		asked_us = e->beat_us;
	if (e->pump.batch_count > 0 && e->pump.batches[0].sent_us < asked_us)
		asked_us = e->pump.batches[0].sent_us;
	if (!e->reader_open || e->reader.pipe.jobs == 0 || e->reader.pipe.jobs_done != e->reads_done)
		e->read_us = now_us;
	e->reads_done = e->reader.pipe.jobs_done;
	if ((e->journal_open && now_us - asked_us > limit_us) || now_us - e->read_us > limit_us) {
		log_line(LOG_store_silent, "seconds=%lld", (long long)e->config.silence_seconds);
		engine_close_store(e);
	}
	/* whoever waits for the store to come back may hear so, and need not */
	if (e->pump.core == NULL && now_us - e->pump.last_ack_mono_us > limit_us)
		pump_fail_waiting(&e->pump, ERR_STORE_AWAY);
}

void engine_close_store(struct engine *e)
{
	if (e->journal_open)
		journal_close(&e->journal);
	if (e->reader_open)
		reader_close(&e->reader);
}
