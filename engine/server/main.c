/* main.c — calloffd: read the settings, run the loop, leave nothing behind. */
#include "server/engine.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "server/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

void engine_want_reload(struct engine *e, enum err why)
{
	if (e->state == ENGINE_DRAINING || e->state == ENGINE_DEPOSED)
		return;
	if (why == ERR_DEPOSED) {
		e->state = ENGINE_DEPOSED;
		log_line(LOG_deposed, "epoch=%lld", (long long)e->journal.fence.epoch);
		engine_close_store(e);
		pump_fail_waiting(&e->pump, ERR_DEPOSED);
		answer_held(e);
		return;
	}
	FAILPOINT(reload);
	e->state = ENGINE_LOADING;
	e->reload_wanted = true;
	engine_close_store(e);
	answer_held(e);
}

void engine_drain(struct engine *e)
{
	if (e->state == ENGINE_DRAINING)
		return;
	FAILPOINT(drain_begin);
	log_line(LOG_draining, "waiting=%u connections=%u", e->pump.waiting, e->session_count);
	if (e->pump.core == NULL)
		pump_fail_waiting(&e->pump, ERR_DRAINING);
	e->state = ENGINE_DRAINING;
	if (e->listening)
		listener_close(&e->listener);
}

/* Everything taken in is answered and has left: close what is open, the loop ends by itself. */
static void engine_finish_drain(struct engine *e)
{
	if (e->state != ENGINE_DRAINING || (e->pump.core != NULL && !pump_idle(&e->pump)))
		return;
	for (struct session *s = e->sessions; s != NULL; s = s->next) {
		if (!s->closed && !s->stream.closing && stream_backlog(&s->stream) > 0)
			return;
	}
	FAILPOINT(drain_end);
	for (struct session *s = e->sessions, *next; s != NULL; s = next) {
		next = s->next;
		if (!s->closed)
			stream_close(&s->stream);
	}
	engine_close_store(e);
	if (e->session_count > 0 || e->journal_open || e->reader_open || e->opening_now)
		return;
	uv_close((uv_handle_t *)&e->check, NULL);
	uv_close((uv_handle_t *)&e->tick, NULL);
	uv_close((uv_handle_t *)&e->retry, NULL);
	uv_close((uv_handle_t *)&e->sigterm, NULL);
	uv_close((uv_handle_t *)&e->sigint, NULL);
	uv_close((uv_handle_t *)&e->sighup, NULL);
	e->state = ENGINE_DEPOSED; /* nothing more to do in this or any turn */
}

/* Once after each turn of the loop: commit what came in, then one write a connection. */
static void engine_on_check(uv_check_t *c)
{
	struct engine *e = c->data;

	if (e->held_first == NULL || e->pump.batch_count == 0)
		pump_kick(&e->pump);
	if (e->pump.batch_count == 0)
		answer_held(e);
	session_flush_all(e);
	if (e->pump.batch_count == 0)
		pump_kick(&e->pump); /* what flushing let in has nobody else to send it */
	if (e->reload_wanted && !e->journal_open && !e->reader_open && e->open_failures == 0)
		engine_open_store(e);
}

static void engine_on_tick(uv_timer_t *t)
{
	struct engine *e = t->data;

	if (e->ticks++ % 4 == 0)
		session_sweep(e);
	if (e->state == ENGINE_READY && e->journal_open && !e->beat_waiting && e->pump.batch_count == 0) {
		e->beat_us = clock_mono_us();
		e->beat_waiting = journal_beat(&e->journal, clock_now_us(&e->clock)) == ERR_OK;
	}
	engine_watch_store(e);
	answer_subscriptions(e);
	if (e->reload_wanted && !uv_is_active((uv_handle_t *)&e->retry))
		engine_open_store(e);
	engine_finish_drain(e);
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
	if (config_read(&fresh, e->argc, e->argv) == ERR_OK) {
		/* where it listens and what it serves hold until the next start */
		memcpy(fresh.socket, e->config.socket, sizeof fresh.socket);
		fresh.shard = e->config.shard;
		e->config = fresh;
		e->pump.key_age_max_ms = fresh.key_days * INT64_C(86400000);
		e->pump.depth = (uint32_t)fresh.batches_in_flight;
	} else {
		log_line(LOG_config, "error=kept_the_old mend=\"see the message above, then SIGHUP again\"");
	}
	if (e->pump.core != NULL)
		pump_on_refused(&e->pump, ERR_STORE_STALE);
}

static void engine_start(struct engine *e)
{
	e->started_us = clock_mono_us();
	clock_set(&e->clock, 0, INT64_MAX / 2);
	e->held_last = &e->held_first;
	e->parse_arena = (struct arena){mem_map(UNPACK_BYTES_MAX * 2), UNPACK_BYTES_MAX * 2, 0};
	e->scratch = (struct arena){mem_map(64 * 1024 * 1024), 64 * 1024 * 1024, 0};
	pump_init(&e->pump, &engine_pump_io, e, &e->stats, (uint32_t)e->config.batches_in_flight,
		  e->config.key_days * INT64_C(86400000));
	e->pump.last_ack_mono_us = e->started_us; /* it may load for as long before clients are told */
	e->check.data = e->tick.data = e->retry.data = e->sigterm.data = e->sigint.data = e->sighup.data = e;
	INSIST(uv_check_init(e->loop, &e->check) == 0 && uv_check_start(&e->check, engine_on_check) == 0);
	INSIST(uv_timer_init(e->loop, &e->tick) == 0 && uv_timer_start(&e->tick, engine_on_tick, 100, 250) == 0);
	INSIST(uv_timer_init(e->loop, &e->retry) == 0);
	INSIST(uv_signal_init(e->loop, &e->sigterm) == 0 && uv_signal_start(&e->sigterm, engine_on_stop, SIGTERM) == 0);
	INSIST(uv_signal_init(e->loop, &e->sigint) == 0 && uv_signal_start(&e->sigint, engine_on_stop, SIGINT) == 0);
	INSIST(uv_signal_init(e->loop, &e->sighup) == 0 && uv_signal_start(&e->sighup, engine_on_hangup, SIGHUP) == 0);
}

static void engine_end(struct engine *e)
{
	pump_free(&e->pump);
	mem_unmap(e->parse_arena.base, e->parse_arena.size);
	mem_unmap(e->scratch.base, e->scratch.size);
	mem_unmap(e->framework_memory.base, e->framework_memory.size);
	mem_unmap(e->core_memory, e->core_memory_bytes);
}

void engine_run(struct engine *e)
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
		engine_open_store(e);
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
	log_line(LOG_starting, "shard=%lld rules=%d schema=%d", (long long)engine.config.shard, RULES_VERSION, SCHEMA_VERSION);
	engine_run(&engine);
	log_line(LOG_stopped, "commands=%lld events=%lld store_refused=%lld", (long long)engine.stats.commands,
		 (long long)engine.stats.events, (long long)engine.stats.store_refused);
	return engine.exit_code;
}
