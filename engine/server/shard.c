/* shard.c — the life of a shard in this engine: open on a worker, reign or follow, reload, hand over, leave. */
#include "server/engine.h"

#include "base/failpoint.h"
#include "base/mem.h"
#include "server/log.h"

#include <string.h>

enum {
	AWAY_FAIL_US = 3000000, /* so long neither ready nor standby: who waits is told */
	OPEN_FIRST_MS = 50,
	OPEN_MAX_MS = 500,
	HAND_OVER_US = 2000000, /* a database that does not even answer this is not waited for */
};

static void shard_work(struct shard *sh, uv_work_cb work, uv_after_work_cb after)
{
	sh->working = true;
	sh->work.data = sh;
	uv_queue_work(sh->engine->loop, &sh->work, work, after);
}

/* ---- a finished opening becomes the shard ---- */

static void shard_know_keys(struct shard *sh)
{
	struct opening *o = &sh->opening;
	int64_t floor_ms = 0;

	/* several keys may share the floor's millisecond, not all of them loaded */
	if (!o->keys_all && o->key_count > 0)
		floor_ms = request_key_ms(o->keys[0].key) + 1;
	pump_open(&sh->pump, o->core, floor_ms);
	for (uint32_t i = 0; i < o->key_count; i++)
		pump_know_key(&sh->pump, (struct text){o->keys[i].client, (uint32_t)strlen(o->keys[i].client)}, o->keys[i].key,
			      request_key_ms(o->keys[i].key), o->keys[i].seq);
}

/* All connections join the loop. */
static enum err shard_adopt(struct shard *sh)
{
	struct opening *o = &sh->opening;
	PGconn *write[LANES_MAX], *read = o->read;
	enum err why;

	FAILPOINT_OR(adopt, ERR_STORE);
	memcpy(write, o->write, sizeof write);
	memset(o->write, 0, sizeof o->write);
	o->read = NULL;
	why = journal_open(&sh->journal, sh->engine->loop, write, o->write_count, &o->fence, &shard_journal_ops, sh);
	if (why != ERR_OK) {
		PQfinish(read);
		return why;
	}
	sh->journal_open = true;
	why = reader_open(&sh->reader, sh->engine->loop, read, o->shard, &shard_reader_ops, sh);
	if (why != ERR_OK) {
		journal_close(&sh->journal);
		return why;
	}
	sh->reader_open = true;
	sh->framework = o->framework;
	sh->framework_memory = o->framework_memory;
	sh->core_memory = o->core_memory;
	sh->core_memory_bytes = o->core_memory_bytes;
	o->framework_memory = (struct arena){0};
	o->core_memory = NULL;
	shard_know_keys(sh);
	return ERR_OK;
}

static void shard_forget(struct shard *sh)
{
	mem_unmap(sh->framework_memory.base, sh->framework_memory.size);
	mem_unmap(sh->core_memory, sh->core_memory_bytes);
	sh->framework = NULL;
	sh->framework_memory = (struct arena){0};
	sh->core_memory = NULL;
	sh->core_memory_bytes = 0;
}

static void shard_reign(struct shard *sh)
{
	struct opening *o = &sh->opening;
	int64_t off_us = clock_set(&sh->clock, o->fence.clock_us, o->database_us);

	if (off_us > 5000000)
		log_line(LOG_clock_skew, "shard=%d wall_off_us=%lld", sh->number, (long long)off_us);
	sh->state = SHARD_READY;
	sh->open_failures = 0;
	shard_tell_trouble(sh, "");
	sh->framework_version_live = o->fence.framework_version;
	log_line(LOG_ready, "shard=%d epoch=%lld seq=%lld framework=%lld framework_us=%lld state_us=%lld followed=%lld", sh->number,
		 (long long)o->fence.epoch, (long long)o->fence.last_seq, (long long)o->fence.framework_version,
		 (long long)o->framework_us, (long long)o->state_us, (long long)o->followed);
	if (o->alone)
		log_line(LOG_no_standby, "shard=%d note=\"%s\"", sh->number,
			 "synchronous_standby_names is empty: a failover may lose what was acknowledged");
	pump_opened(&sh->pump);
	sh->pump.leased_from_us = o->leased_from_us;
	engine_tell(sh->engine);
}

/* ---- opening and following ---- */

static void on_retry(uv_timer_t *t)
{
	shard_open(t->data);
}

static void shard_open_failed(struct shard *sh, enum err why)
{
	uint32_t doublings = sh->open_failures < 6 ? sh->open_failures : 6;
	uint64_t wait_ms = (uint64_t)OPEN_FIRST_MS << doublings;

	sh->open_failures++;
	shard_tell_trouble(sh, sh->opening.note);
	log_line(LOG_load_failed, "shard=%d why=%s note=\"%s\"", sh->number, err_name((int)why), sh->opening.note);
	if (why == ERR_STORE_UNSAFE && sh->open_failures == 1) {
		sh->engine->exit_code = 78; /* EX_CONFIG: waiting will not mend it */
		engine_drain(sh->engine);
		return;
	}
	uv_timer_start(&sh->retry, on_retry, wait_ms > OPEN_MAX_MS ? OPEN_MAX_MS : wait_ms, 0);
}

static void shard_stand_by(struct shard *sh)
{
	if (sh->state != SHARD_STANDBY)
		log_line(LOG_standby, "shard=%d engine=\"%s\" endpoint=\"%s\" epoch=%lld seq=%lld", sh->number, sh->seen.engine,
			 sh->seen.endpoint, (long long)sh->seen.epoch, (long long)sh->seen.last_seq);
	sh->state = SHARD_STANDBY;
	sh->open_failures = 0;
	shard_tell_trouble(sh, "");
	pump_fail_waiting(&sh->pump, ERR_DEPOSED);
	answer_held(sh);
	answer_unsubscribe(sh);
}

/* What a worker came back with: to reign, to go on following, or an error and nothing. */
static void shard_take_work(struct shard *sh)
{
	struct opening *o = &sh->opening;
	enum err why = sh->work_result;

	sh->working = false;
	sh->claim = o->claim;
	if (o->fence.shard != 0)
		sh->seen = o->fence;
	if (o->differs > sh->differs) {
		sh->engine->stats.replay_differs += o->differs - sh->differs;
		log_line(LOG_ALARM_replay_differs, "shard=%d events=%lld until_seq=%lld", sh->number,
			 (long long)(o->differs - sh->differs), (long long)o->fence.last_seq);
	}
	sh->differs = o->differs;
	if (why == ERR_OK && o->reigns && sh->state != SHARD_DRAINING)
		why = sh->work_result = shard_adopt(sh);
	if (why == ERR_OK && !o->reigns && sh->state != SHARD_DRAINING) {
		shard_stand_by(sh);
		return; /* with what was opened, to follow on */
	}
	if (why == ERR_OK && sh->state != SHARD_DRAINING)
		shard_reign(sh);
	store_open_free(o);
}

static void open_on_worker(uv_work_t *w)
{
	struct shard *sh = w->data;

	sh->work_result = store_open(&sh->opening);
}

static void opened_on_loop(uv_work_t *w, int status)
{
	struct shard *sh = w->data;

	(void)status;
	sh->engine->stats.opens++;
	shard_take_work(sh);
	if (sh->work_result != ERR_OK && sh->state != SHARD_DRAINING)
		shard_open_failed(sh, sh->work_result);
}

static void follow_on_worker(uv_work_t *w)
{
	struct shard *sh = w->data;

	sh->work_result = store_follow(&sh->opening);
}

static void followed_on_loop(uv_work_t *w, int status)
{
	struct shard *sh = w->data;
	enum err why = sh->work_result;

	(void)status;
	if (why == ERR_STORE && !sh->opening.reigns && sh->state != SHARD_DRAINING) {
		/* the database is away, from here: what was followed stays, and a look that failed is no look */
		sh->working = false;
		sh->seen = sh->opening.fence;
		shard_tell_trouble(sh, sh->opening.note);
		if (sh->open_failures++ == 0)
			log_line(LOG_store_lost, "shard=%d note=\"%s\"", sh->number, sh->opening.note);
		return;
	}
	if (why == ERR_BAD_ROW) {
		sh->engine->stats.journal_broken++;
		log_line(LOG_ALARM_journal_broken, "shard=%d note=\"%s\"", sh->number, sh->opening.note);
	}
	shard_take_work(sh);
	if (sh->work_result == ERR_OK || sh->state == SHARD_DRAINING)
		return;
	if (why == ERR_STORE_STALE)
		log_line(LOG_reloading, "shard=%d why=\"%s\"", sh->number, sh->opening.note);
	shard_open(sh);
}

void shard_open(struct shard *sh)
{
	const struct config *c = &sh->engine->config;

	if (sh->working || sh->journal_open || sh->reader_open || sh->state == SHARD_DRAINING || sh->state == SHARD_GONE)
		return;
	shard_forget(sh);
	uv_timer_stop(&sh->retry);
	sh->reload_wanted = false;
	sh->differs = 0;
	if (sh->state != SHARD_STANDBY)
		sh->state = SHARD_LOADING;
	sh->opening = (struct opening){
		.dsn = c->database, .shard = sh->number, .claim = sh->claim,
		.limits = {.packages_max = (uint32_t)c->packages_max, .placements_max = (uint32_t)c->packages_max,
			   .blocks_max = (uint32_t)c->packages_max / 2},
		.keys_max = (uint32_t)c->keys_loaded,
		.write_count = (uint32_t)c->batches_in_flight,
	};
	log_line(LOG_loading, "shard=%d", sh->number);
	shard_work(sh, open_on_worker, opened_on_loop);
}

static void shard_close_store(struct shard *sh)
{
	if (sh->journal_open)
		journal_close(&sh->journal);
	if (sh->reader_open)
		reader_close(&sh->reader);
}

void shard_want_reload(struct shard *sh, enum err why)
{
	if (sh->state == SHARD_DRAINING || sh->state == SHARD_GONE)
		return;
	FAILPOINT(reload);
	if (why == ERR_DEPOSED)
		log_line(LOG_deposed, "shard=%d epoch=%lld", sh->number, (long long)sh->journal.fence.epoch);
	if (sh->state != SHARD_LOADING)
		sh->away_since_us = clock_mono_us();
	sh->state = SHARD_LOADING;
	sh->reload_why = why;
	sh->reload_wanted = true;
	shard_close_store(sh);
	answer_held(sh);
}

/* ---- in the loop ---- */

bool shard_beat(struct shard *sh)
{
	if (sh->state != SHARD_READY || !sh->journal_open)
		return false;
	FAILPOINT_OR(beat_due, false);
	if (!sh->beat_waiting) {
		sh->beat_sent_us = clock_mono_us();
		sh->beat_waiting = journal_beat(&sh->journal, clock_now_us(&sh->clock)) == ERR_OK;
	}
	return sh->beat_waiting;
}

void shard_on_turn(struct shard *sh)
{
	if (sh->held_first == NULL || sh->pump.batch_count == 0)
		pump_kick(&sh->pump);
	if (sh->pump.batch_count == 0)
		answer_held(sh);
	if (sh->reload_wanted && sh->open_failures == 0)
		shard_open(sh);
}

/* A database that took a call and says nothing: its connection may be half open. What was sent is then settled by take_over. */
static void shard_watch_store(struct shard *sh)
{
	int64_t now_us = clock_mono_us(), limit_us = sh->engine->config.store_silence_seconds * 1000000;
	int64_t sent_us = sh->pump.batch_count > 0 ? sh->pump.batches[0].sent_us : now_us;

	if (sh->beat_waiting && sh->beat_sent_us < sent_us)
		sent_us = sh->beat_sent_us;
	if (sh->reader_open)
		reader_check(&sh->reader, (uint64_t)limit_us / 1000);
	if (!sh->journal_open || now_us - sent_us < limit_us)
		return;
	log_line(LOG_store_silent, "shard=%d unanswered_us=%lld batches_in_flight=%u", sh->number, (long long)(now_us - sent_us),
		 sh->pump.batch_count);
	shard_close_store(sh);
}

void shard_on_tick(struct shard *sh)
{
	if (sh->state == SHARD_READY && sh->pump.batch_count == 0)
		shard_beat(sh);
	else if (sh->state == SHARD_STANDBY && !sh->working && sh->opening.core != NULL)
		shard_work(sh, follow_on_worker, followed_on_loop);
	shard_watch_store(sh);
	if (sh->state == SHARD_READY && core_is_worth_a_load(sh->pump.core)) {
		log_line(LOG_reloading, "shard=%d why=\"the packages that are over take too much room\"", sh->number);
		pump_on_refused(&sh->pump, ERR_STORE_STALE);
	}
	answer_subscriptions(sh);
	if (sh->reload_wanted && !uv_is_active((uv_handle_t *)&sh->retry))
		shard_open(sh);
	if (sh->state == SHARD_LOADING && clock_mono_us() - sh->away_since_us > AWAY_FAIL_US)
		pump_fail_waiting(&sh->pump, sh->open_failures > 0 ? ERR_STORE_AWAY : ERR_LOADING);
}

/* ---- leaving ---- */

void shard_drain(struct shard *sh)
{
	if (sh->pump.core == NULL)
		pump_fail_waiting(&sh->pump, ERR_DRAINING);
	sh->state = SHARD_DRAINING;
}

/* So that a standby need not wait for silence. true: over, one way or the other. */
static bool shard_hand_over(struct shard *sh)
{
	if (!sh->journal_open || sh->handed_over || sh->pump.core == NULL)
		return true;
	if (!sh->handing_over) {
		sh->handing_over = true;
		sh->away_since_us = clock_mono_us();
		return journal_hand_over(&sh->journal) != ERR_OK;
	}
	return clock_mono_us() - sh->away_since_us > HAND_OVER_US;
}

bool shard_leave(struct shard *sh)
{
	if (sh->state == SHARD_GONE)
		return true;
	if ((sh->pump.core != NULL && !pump_idle(&sh->pump)) || !shard_hand_over(sh))
		return false;
	shard_close_store(sh);
	if (sh->working || sh->journal_open || sh->reader_open)
		return false;
	store_open_free(&sh->opening);
	uv_close((uv_handle_t *)&sh->retry, NULL);
	sh->state = SHARD_GONE;
	return true;
}

void shard_init(struct engine *e, struct shard *sh, int16_t number)
{
	*sh = (struct shard){.engine = e, .number = number, .away_since_us = clock_mono_us()};
	sh->claim = (struct claim){.instance = e->instance, .fresh = true, .at_once = e->config.take_over_at_once != 0,
				   .still_max = LOOKS_UNTIL_SILENT};
	memcpy(sh->claim.engine, e->config.name, sizeof sh->claim.engine);
	memcpy(sh->claim.endpoint, e->config.endpoint, sizeof sh->claim.endpoint);
	sh->held_last = &sh->held_first;
	sh->retry.data = sh;
	clock_set(&sh->clock, 0, INT64_MAX / 2);
	pump_init(&sh->pump, &shard_pump_io, sh, &e->stats, (uint32_t)e->config.batches_in_flight,
		  e->config.key_days * INT64_C(86400000));
}

void shard_free(struct shard *sh)
{
	pump_free(&sh->pump);
	shard_forget(sh);
}
