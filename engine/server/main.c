/* main.c — calloffd: read the settings, run the loop, leave nothing behind. */
#include "server/engine.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "server/log.h"
#include "store/digest.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct shard *engine_shard(struct engine *e, uint32_t number)
{
	for (uint32_t i = 0; i < e->shard_count; i++) {
		if ((number == 0 && e->shard_count == 1) || (uint32_t)e->shards[i].number == number)
			return &e->shards[i];
	}
	return NULL;
}

void engine_drain(struct engine *e)
{
	if (e->draining)
		return;
	FAILPOINT(drain_begin);
	e->draining = true;
	log_line(LOG_draining, "connections=%u", e->session_count);
	for (uint32_t i = 0; i < e->shard_count; i++)
		shard_drain(&e->shards[i]);
	if (e->listening)
		listener_close(&e->listener);
	engine_tell(e);
}

/* Everything taken in is answered and has left: close what is open, the loop ends by itself. */
static void engine_finish_drain(struct engine *e)
{
	bool left = true;

	if (!e->draining || uv_is_closing((uv_handle_t *)&e->tick))
		return;
	for (uint32_t i = 0; i < e->shard_count; i++)
		left &= shard_leave(&e->shards[i]);
	for (struct session *s = e->sessions; left && s != NULL; s = s->next)
		left = s->closed || s->stream.closing || stream_backlog(&s->stream) == 0;
	if (!left)
		return;
	FAILPOINT(drain_end);
	for (struct session *s = e->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (!s->closed)
			stream_close(&s->stream);
	}
	if (e->session_count > 0)
		return;
	uv_close((uv_handle_t *)&e->check, NULL);
	uv_close((uv_handle_t *)&e->tick, NULL);
	uv_close((uv_handle_t *)&e->sigterm, NULL);
	uv_close((uv_handle_t *)&e->sigint, NULL);
	uv_close((uv_handle_t *)&e->sighup, NULL);
}

/* Once after each turn of the loop: commit what came in, then one write a connection. */
static void engine_on_check(uv_check_t *c)
{
	struct engine *e = c->data;

	for (uint32_t i = 0; i < e->shard_count; i++)
		shard_on_turn(&e->shards[i]);
	session_flush_all(e);
	for (uint32_t i = 0; i < e->shard_count; i++) {
		if (e->shards[i].pump.batch_count == 0)
			pump_kick(&e->shards[i].pump); /* what flushing let in has nobody else to send it */
	}
	engine_finish_drain(e);
}

/* As long as the line is, at the pace of the last tick. */
static void engine_estimate_retry(struct engine *e)
{
	int64_t done = e->stats.events - e->events_before, waiting = 0;
	int64_t wait_ms;

	for (uint32_t i = 0; i < e->shard_count; i++)
		waiting += e->shards[i].pump.waiting;
	wait_ms = done > 0 ? waiting * TICK_MS / done : RETRY_MS;
	e->busy_retry_ms = (uint32_t)(wait_ms < RETRY_MS ? RETRY_MS : wait_ms > RETRY_MAX_MS ? RETRY_MAX_MS : wait_ms);
	e->events_before = e->stats.events;
}

static void engine_on_tick(uv_timer_t *t)
{
	struct engine *e = t->data;

	engine_tell(e);
	engine_estimate_retry(e);
	if (e->ticks++ % 4 == 0)
		session_sweep(e);
	for (uint32_t i = 0; i < e->shard_count; i++)
		shard_on_tick(&e->shards[i]);
}

static void engine_on_stop(uv_signal_t *s, int number)
{
	(void)number;
	engine_drain(s->data);
}

static void engine_on_hangup(uv_signal_t *s, int number)
{
	static struct config fresh;
	struct engine *e = s->data;

	(void)number;
	FAILPOINT(hangup);
	log_line(LOG_reloading, "why=SIGHUP");
	engine_tell_reloading(e);
	if (config_read(&fresh, e->argc, e->argv) == ERR_OK) {
		/* where it listens and what it serves hold until the next start */
		memcpy(fresh.socket, e->config.socket, sizeof fresh.socket);
		memcpy(fresh.shard, e->config.shard, sizeof fresh.shard);
		memcpy(fresh.shards, e->config.shards, sizeof fresh.shards);
		fresh.shard_count = e->config.shard_count;
		e->config = fresh;
	} else {
		log_line(LOG_config, "error=kept_the_old mend=\"see the message above, then SIGHUP again\"");
	}
	for (uint32_t i = 0; i < e->shard_count; i++) {
		struct pump *p = &e->shards[i].pump;

		p->key_age_max_ms = e->config.key_days * INT64_C(86400000);
		p->depth = (uint32_t)e->config.batches_in_flight;
		if (p->core != NULL)
			pump_on_refused(p, ERR_STORE_STALE);
	}
}

static void engine_start(struct engine *e)
{
	uint8_t salt[SALT_BYTES];

	digest_start();
	e->started_us = clock_mono_us();
	engine_tell_begin(e);
	/* so that no two processes claim as one */
	digest_salts(salt, 1);
	memcpy(&e->instance, salt, sizeof e->instance);
	e->instance = (e->instance & INT64_MAX) | 1;
	e->parse_arena = (struct arena){mem_map(UNPACK_BYTES_MAX * 2), UNPACK_BYTES_MAX * 2, 0};
	e->scratch = (struct arena){mem_map(64 * 1024 * 1024), 64 * 1024 * 1024, 0};
	e->shard_count = e->config.shard_count;
	e->shards = mem_zero(e->shard_count, sizeof *e->shards);
	for (uint32_t i = 0; i < e->shard_count; i++) {
		shard_init(e, &e->shards[i], e->config.shards[i]);
		INSIST(uv_timer_init(e->loop, &e->shards[i].retry) == 0);
	}
	e->check.data = e->tick.data = e->sigterm.data = e->sigint.data = e->sighup.data = e;
	INSIST(uv_check_init(e->loop, &e->check) == 0 && uv_check_start(&e->check, engine_on_check) == 0);
	INSIST(uv_timer_init(e->loop, &e->tick) == 0 && uv_timer_start(&e->tick, engine_on_tick, 100, TICK_MS) == 0);
	INSIST(uv_signal_init(e->loop, &e->sigterm) == 0 && uv_signal_start(&e->sigterm, engine_on_stop, SIGTERM) == 0);
	INSIST(uv_signal_init(e->loop, &e->sigint) == 0 && uv_signal_start(&e->sigint, engine_on_stop, SIGINT) == 0);
	INSIST(uv_signal_init(e->loop, &e->sighup) == 0 && uv_signal_start(&e->sighup, engine_on_hangup, SIGHUP) == 0);
}

static void engine_end(struct engine *e)
{
	manager_close(&e->manager);
	for (uint32_t i = 0; i < e->shard_count; i++)
		shard_free(&e->shards[i]);
	mem_free(e->shards);
	mem_unmap(e->parse_arena.base, e->parse_arena.size);
	mem_unmap(e->scratch.base, e->scratch.size);
}

static void engine_run(struct engine *e)
{
	uv_loop_t loop;
	enum err why;

	INSIST(uv_loop_init(&loop) == 0);
	e->loop = &loop;
	engine_start(e);
	session_listen(e);
	why = listener_open(&e->listener, &loop, e->config.socket);
	if (why != ERR_OK) {
		log_line(LOG_config, "error=cannot_listen socket=%s mend=\"is another engine there? is the directory writable?\"",
			 e->config.socket);
		e->exit_code = 78;
		engine_drain(e);
	} else {
		e->listening = true;
		log_line(LOG_listening, "socket=%s", e->config.socket);
		for (uint32_t i = 0; i < e->shard_count; i++)
			shard_open(&e->shards[i]);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	INSIST(uv_loop_close(&loop) == 0);
	engine_end(e);
}

int main(int argc, char **argv)
{
	static struct engine engine;

	signal(SIGPIPE, SIG_IGN); /* a client that leaves with replies pending must not end us */
	if (config_read(&engine.config, argc, argv) != ERR_OK)
		return 78;
	if (engine.config.help) {
		config_help();
		return 0;
	}
	if (engine.config.print_only)
		config_print(&engine.config);
	engine.argc = argc;
	engine.argv = argv;
	if (engine.config.print_only || engine.config.check_only)
		return 0;
	log_line(LOG_starting, "engine=\"%s\" shard=%s rules=%d schema=%d", engine.config.name, engine.config.shard, RULES_VERSION,
		 SCHEMA_VERSION);
	engine_run(&engine);
	log_line(LOG_stopped, "commands=%lld events=%lld store_refused=%lld", (long long)engine.stats.commands,
		 (long long)engine.stats.events, (long long)engine.stats.store_refused);
	return engine.exit_code;
}
