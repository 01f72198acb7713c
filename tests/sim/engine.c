#include "engine_inside.h"

#include "agenda.h"
#include "trace.h"
#include "weather.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/record.h"
#include "server/clock.h"
#include "wire/request.h"

#include <stdio.h>
#include <string.h>

enum { KEY_DAYS = 35, RECORD_RULES_AT = 24, AWAY_FAIL_US = 3000000, HAND_OVER_US = 2000000, SILENCE_US = 5000000 };

static struct engine engines[ENGINES];
static const struct engine_ops *engine_ops;
static struct engine_counts counts;
static bool one_name; /* somebody gave both engines the same */

static void engine_want_reload(struct engine *e, enum err why);

int engine_who(const struct engine *e)
{
	return WHO_ENGINE + e->no;
}

/* What an engine sees is only what happens while it runs: what comes while it stands still waits. */
bool engine_defers(struct engine *e, void (*run)(void *what, int64_t number), void *what, int64_t number)
{
	if (agenda_now_us >= e->paused_until_us)
		return false;
	agenda_add(e->paused_until_us - agenda_now_us, run, what, number);
	return true;
}

/* ---- clock: the fence's at take-over, then monotonic (server/clock.c) ---- */

static int64_t engine_wall_us(const struct engine *e)
{
	return agenda_now_us + e->wall_offset_us;
}

static void engine_set_clock(struct engine *e, int64_t fence_us)
{
	e->clock_since_us = agenda_now_us;
	e->clock_base_us = clock_base_us(engine_wall_us(e), fence_us, e->database_us);
}

int64_t engine_now_us(int engine)
{
	return engines[engine].clock_base_us + agenda_now_us - engines[engine].clock_since_us;
}

/* ---- the turn: after whatever arrived, commit what may be sent ---- */

static void engine_leaves(struct engine *e);

static void engine_turn(void *what, int64_t lives)
{
	struct engine *e = what;

	if (lives != e->lives || engine_defers(e, engine_turn, what, lives))
		return;
	e->turn_wanted = false;
	pump_kick(&e->pump);
	if (e->reload_wanted && e->open_failures == 0)
		opening_begin(e);
	if (e->life == ENGINE_DRAINING)
		engine_leaves(e);
}

void engine_wants_turn(struct engine *e)
{
	if (e->turn_wanted)
		return;
	e->turn_wanted = true;
	agenda_add(dice_between(DICE_ENGINE, 5, 200), engine_turn, e, e->lives);
}

/* ---- what the pump asks ---- */

static int64_t io_now_us(void *data)
{
	return engine_now_us(((struct engine *)data)->no);
}

static int64_t io_mono_ns(void *data)
{
	(void)data;
	return agenda_now_us * 1000;
}

static bool io_takes(void *data, const struct event *event)
{
	return batch_takes(&((struct engine *)data)->batch, event);
}

static int64_t io_next_seq(void *data)
{
	struct engine *e = data;

	return e->fence.last_seq + e->batch.count + 1;
}

/* The same record under the next version's number: what an engine after an upgrade writes. */
static void engine_rewrite_rules(struct engine *e, struct op *op)
{
	struct buf *records = &e->batch.records.buf;
	size_t len = 8 + ((size_t)e->batch.record[4] | (size_t)e->batch.record[5] << 8);

	e->batch.record[RECORD_RULES_AT] = RULES_VERSION + 1;
	memcpy(records->bytes + records->to - len, e->batch.record, len);
	digest_leaf(e->batch.salts + (e->batch.count - 1) * SALT_BYTES, e->batch.record, len, op->leaf);
}

static void io_add(void *data, struct op *op, const struct event *event, const struct update *update)
{
	struct engine *e = data;
	struct batch_command command = {.client = op->client};

	memcpy(command.key, op->key, sizeof command.key);
	memcpy(command.request_hash, op->request_hash, sizeof command.request_hash);
	batch_add(&e->batch, event, update, &command, e->fence.framework_version, op->leaf);
	if (e->next_rules)
		engine_rewrite_rules(e, op);
	trace(engine_who(e), TRACE_DECIDES, event->seq, event->type, update->outcome.refusal, update->outcome.state);
}

static uint32_t engine_idlest(const struct engine *e)
{
	uint32_t lane = 0;

	for (uint32_t i = 1; i < e->lane_count; i++) {
		if (e->lane_jobs[i] < e->lane_jobs[lane])
			lane = i;
	}
	return lane;
}

static struct db_call *engine_job(struct engine *e, enum call_kind kind)
{
	uint32_t lane = engine_idlest(e);
	struct db_call *call = postgres_call_new(e->lanes[lane], kind);

	INSIST(e->job_count < JOBS_MAX);
	e->jobs[e->job_count++] = call;
	e->lane_jobs[lane]++;
	call->epoch = e->fence.epoch;
	call->clock_us = engine_now_us(e->no);
	return call;
}

static enum err io_send(void *data)
{
	struct engine *e = data;
	const char *values[BATCH_PARAMS];
	int lengths[BATCH_PARAMS];
	struct db_call *call;

	if (!e->journal_open)
		return ERR_STORE;
	call = engine_job(e, CALL_COMMIT);
	call->commit = (struct commit){.epoch = e->fence.epoch, .prev_seq = e->fence.last_seq, .clock_us = call->clock_us,
				       .framework_version = e->fence.framework_version, .count = e->batch.count, .engine = e->no,
				       .life = e->lives};
	batch_params(&e->batch, values, lengths);
	for (int i = 0; i < BATCH_PARAMS; i++) {
		call->commit.lengths[i] = (uint32_t)lengths[i];
		call->commit.values[i] = memcpy(agenda_memory((size_t)lengths[i]), values[i], (size_t)lengths[i]);
	}
	trace(engine_who(e), TRACE_BATCH, e->fence.last_seq, e->batch.count, e->fence.epoch, e->job_count);
	e->fence.last_seq += e->batch.count;
	batch_clear(&e->batch);
	postgres_call(call);
	return ERR_OK;
}

static void io_reply(void *data, const struct op *op, enum err why, const struct outcome *outcome, const struct receipt *receipt)
{
	struct engine *e = data;

	e->replied++;
	engine_ops->on_reply(e->no, op, why, outcome, receipt);
}

static enum err io_lookup(void *data, struct op *op)
{
	struct engine *e = data;
	struct db_call *call;

	if (e->reader == NULL || e->ask_count == ASKS_MAX)
		return ERR_STORE;
	call = postgres_call_new(e->reader, CALL_FIND);
	call->op = op;
	memcpy(call->key, op->key, sizeof call->key);
	e->asks[e->ask_count++] = call;
	trace(engine_who(e), TRACE_LOOKS_UP, (int64_t)op->request_id / 2, (int64_t)op->request_id % 2, 0, 0);
	postgres_call(call);
	return ERR_OK;
}

static void io_reload(void *data, enum err why)
{
	engine_want_reload(data, why);
}

static void io_alarm(void *data, const char *what, const struct op *op)
{
	struct engine *e = data;

	trace(engine_who(e), TRACE_ALARM, strcmp(what, "quarantined") == 0, op != NULL ? (int64_t)op->request_id / 2 : 0, 0, 0);
	engine_ops->on_alarm(e->no, what, op);
}

void engine_alarm(struct engine *e, const char *what)
{
	io_alarm(e, what, NULL);
}

static const struct pump_io pump_io = {
	.now_us = io_now_us, .mono_ns = io_mono_ns, .takes = io_takes, .next_seq = io_next_seq, .add = io_add, .send = io_send,
	.reply = io_reply, .lookup = io_lookup, .reload = io_reload, .alarm = io_alarm};

/* ---- giving the store up ---- */

static void engine_drop_asks(struct engine *e)
{
	while (e->ask_count > 0) {
		struct op *op = e->asks[0]->op;

		memmove(e->asks, e->asks + 1, --e->ask_count * sizeof e->asks[0]);
		pump_on_lookup_failed(&e->pump, op);
	}
}

/* All connections are closed, a moment after somebody said so. */
static void engine_on_closed(void *what, int64_t lives)
{
	struct engine *e = what;

	if (lives != e->lives || engine_defers(e, engine_on_closed, what, lives))
		return;
	e->closing = false;
	e->reader = NULL;
	e->job_count = 0;
	e->beat_waiting = false;
	batch_clear(&e->batch);
	engine_drop_asks(e);
	if (e->pump.core != NULL || e->pump.batch_count > 0)
		pump_on_lost(&e->pump);
	if (e->life == ENGINE_DRAINING)
		pump_fail_waiting(&e->pump, ERR_DRAINING); /* their keys tell the next engine */
	engine_want_reload(e, ERR_STORE_STALE);
	engine_wants_turn(e);
}

static void engine_close_store(struct engine *e)
{
	if (!e->journal_open)
		return;
	e->journal_open = false;
	e->closing = true;
	for (uint32_t i = 0; i < e->lane_count; i++) {
		postgres_close(e->lanes[i]);
		e->lanes[i] = NULL;
	}
	postgres_close(e->reader);
	agenda_add(dice_between(DICE_ENGINE, 0, 500), engine_on_closed, e, e->lives);
}

static void engine_want_reload(struct engine *e, enum err why)
{
	if (e->life == ENGINE_DRAINING)
		return;
	if (why == ERR_DEPOSED)
		trace(engine_who(e), TRACE_DEPOSED, e->fence.epoch, 0, 0, 0);
	if (e->life != ENGINE_LOADING) {
		trace(engine_who(e), TRACE_RELOADS, why, e->job_count, 0, 0);
		e->away_since_us = agenda_now_us;
	}
	e->life = ENGINE_LOADING;
	e->reload_wanted = true;
	engine_close_store(e);
	engine_wants_turn(e);
}

static void engine_loses(void *what, int64_t lives)
{
	struct connection *c = what;
	struct engine *e = &engines[c->engine];

	if (lives != e->lives || c->closed_here || engine_defers(e, engine_loses, what, lives))
		return;
	if (e->journal_open)
		engine_close_store(e);
	else
		opening_on_lost(e, c);
}

void engine_on_lost(int engine, struct connection *c)
{
	if (engines[engine].life != ENGINE_DOWN && c->life == engines[engine].lives)
		engine_loses(c, c->life);
}

/* ---- reigning and standing by ---- */

void engine_reign(struct engine *e, struct core *core, const struct loaded_keys *keys)
{
	int64_t floor_ms = keys->all || keys->count == 0 ? 0 : request_key_ms(keys->keys[0]->key) + 1;

	e->fence = e->level.fence;
	e->level.core = NULL;
	e->opening = e->reigns = false;
	e->journal_open = true;
	e->job_count = 0;
	e->beat_waiting = false;
	batch_clear(&e->batch);
	pump_open(&e->pump, core, floor_ms);
	for (uint32_t i = 0; i < keys->count; i++)
		pump_know_key(&e->pump, (struct text){keys->keys[i]->client, (uint32_t)strlen(keys->keys[i]->client)},
			      keys->keys[i]->key, request_key_ms(keys->keys[i]->key), keys->seqs[i]);
	engine_set_clock(e, e->fence.clock_us);
	e->life = ENGINE_READY;
	e->open_failures = 0;
	trace(engine_who(e), TRACE_READY, e->fence.epoch, e->fence.last_seq, e->fence.framework_version,
	      (int64_t)core_state_hash(core));
	pump_opened(&e->pump);
	engine_wants_turn(e);
}

void engine_on_followed(const struct engine *e)
{
	trace(engine_who(e), TRACE_FOLLOWS, e->level.fence.last_seq, e->level.fence.framework_version,
	      (int64_t)core_state_hash(e->level.core), 0);
	engine_ops->on_followed(e->no, e->level.core, &e->level.fence);
}

/* ---- what the database answers ---- */

static void engine_tell_beat(struct engine *e, const struct db_call *job)
{
	e->beat_waiting = false;
	if (e->pump.core == NULL)
		return;
	if (job->why != ERR_OK)
		pump_on_refused(&e->pump, job->why);
	else if (job->framework_version != e->fence.framework_version)
		pump_on_refused(&e->pump, ERR_STORE_STALE);
}

/* Answers are told in the order sent, whatever lane is read first. */
static void engine_tell(struct engine *e)
{
	while (e->job_count > 0 && e->jobs[0]->over) {
		struct db_call *job = e->jobs[0];

		memmove(e->jobs, e->jobs + 1, --e->job_count * sizeof e->jobs[0]);
		if (job->kind == CALL_BEAT)
			engine_tell_beat(e, job);
		else if (job->kind == CALL_HAND_OVER)
			e->handing_over_since_us = agenda_now_us - HAND_OVER_US; /* over, one way or the other */
		else if (job->why != ERR_OK)
			pump_on_refused(&e->pump, job->why);
		else if (e->pump.core != NULL)
			pump_on_committed(&e->pump, job->row_hash);
	}
}

static void engine_found(struct engine *e, struct db_call *call)
{
	for (uint32_t i = 0; i < e->ask_count; i++) {
		if (e->asks[i] != call)
			continue;
		memmove(e->asks + i, e->asks + i + 1, (--e->ask_count - i) * sizeof e->asks[0]);
		pump_on_lookup(&e->pump, call->op, call->found ? call->request_hash : NULL, &call->outcome, &call->receipt);
		return;
	}
}

static void engine_takes_answer(void *what, int64_t lives)
{
	struct db_call *call = what;
	struct engine *e = &engines[call->connection->engine];

	if (lives != e->lives || call->connection->closed_here || engine_defers(e, engine_takes_answer, what, lives))
		return;
	switch (call->kind) {
	case CALL_FENCE:
	case CALL_TAKE_OVER:
	case CALL_LOAD:
	case CALL_KEYS:
	case CALL_ROWS:
		opening_on_answer(e, call);
		break;
	case CALL_FIND:
		engine_found(e, call);
		break;
	case CALL_COMMIT:
	case CALL_BEAT:
	case CALL_HAND_OVER:
		call->over = true;
		for (uint32_t i = 0; i < e->lane_count; i++)
			e->lane_jobs[i] -= e->lanes[i] == call->connection;
		engine_tell(e);
		break;
	}
	engine_wants_turn(e);
}

void engine_on_answer(int engine, struct db_call *c)
{
	if (c->connection->life == engines[engine].lives && engines[engine].life != ENGINE_DOWN)
		engine_takes_answer(c, engines[engine].lives);
}

static void engine_beat(struct engine *e)
{
	if (!e->journal_open || e->beat_waiting)
		return;
	e->beat_waiting = true;
	postgres_call(engine_job(e, CALL_BEAT));
}

static void engine_notified(void *what, int64_t lives)
{
	struct engine *e = what;

	if (lives == e->lives && !engine_defers(e, engine_notified, what, lives))
		engine_beat(e);
}

void engine_on_edited(int engine)
{
	struct engine *e = &engines[engine];

	if (e->reader != NULL && !e->reader->closed_here && !e->reader->closed_there)
		agenda_add(weather_message_us(), engine_notified, e, e->lives);
}

/* shard_on_tick */
static void engine_tick(void *what, int64_t lives)
{
	struct engine *e = what;

	if (lives != e->lives || engine_defers(e, engine_tick, what, lives))
		return;
	if (e->life == ENGINE_READY && e->pump.batch_count == 0)
		engine_beat(e);
	else if (e->life == ENGINE_STANDBY)
		opening_follow(e);
	if (e->job_count > 0 && agenda_now_us - e->jobs[0]->sent_us > SILENCE_US)
		engine_close_store(e);
	if (e->life == ENGINE_LOADING && agenda_now_us - e->away_since_us > AWAY_FAIL_US)
		pump_fail_waiting(&e->pump, e->open_failures > 0 ? ERR_STORE_AWAY : ERR_LOADING);
	engine_wants_turn(e);
	agenda_add(TICK_US, engine_tick, e, e->lives);
}

/* ---- what clients ask ---- */

static void engine_request_again(void *what, int64_t engine)
{
	engine_on_request((int)engine, what);
}

void engine_on_request(int engine, struct request_bytes *r)
{
	static struct event event;
	struct engine *e = &engines[engine];
	struct op *op;

	if (e->life == ENGINE_DOWN)
		return;
	if (agenda_now_us < e->paused_until_us) {
		agenda_add(e->paused_until_us - agenda_now_us, engine_request_again, r, engine);
		return;
	}
	INSIST(record_event_decode(r->event, r->event_len, &event) == ERR_OK);
	op = op_new(&event, 1, r->request_id, r->key, r->client);
	if (e->life == ENGINE_STANDBY || e->life == ENGINE_DRAINING) { /* as server/session.c does */
		engine_ops->on_reply(engine, op, e->life == ENGINE_STANDBY ? ERR_DEPOSED : ERR_DRAINING, NULL, NULL);
		mem_free(op);
		return;
	}
	e->taken++;
	pump_take(&e->pump, op);
	engine_wants_turn(e);
}

/* ---- life ---- */

void engine_start(int engine, bool next_rules, bool at_once)
{
	struct engine *e = &engines[engine];

	REQUIRE(e->life == ENGINE_DOWN);
	e->life = ENGINE_LOADING;
	e->lives++;
	e->next_rules = next_rules;
	e->turn_wanted = e->journal_open = e->closing = e->beat_waiting = e->reload_wanted = e->handing_over = false;
	e->job_count = e->ask_count = e->open_failures = 0;
	e->paused_until_us = e->taken = e->replied = 0;
	e->away_since_us = agenda_now_us;
	e->fence = e->seen = (struct fence){0};
	e->claim = (struct claim){.instance = e->lives * ENGINES + engine + 1, .fresh = true, .at_once = at_once,
				  .still_max = LOOKS_UNTIL_SILENT};
	if (dice_chance(DICE_ENGINE, 50)) /* nothing may rest on it: an impatient standby costs reloads, never safety */
		e->claim.still_max = (uint32_t)dice_between(DICE_ENGINE, 1, LOOKS_UNTIL_SILENT);
	snprintf(e->claim.engine, sizeof e->claim.engine, "engine-%d", one_name ? 0 : engine);
	e->lane_count = (uint32_t)dice_between(DICE_ENGINE, 1, 4);
	e->keys_max = dice_chance(DICE_ENGINE, 50) ? 100000 : (uint32_t)dice_between(DICE_ENGINE, 1, 40);
	e->database_us = agenda_now_us;
	engine_set_clock(e, 0);
	memset(&e->stats, 0, sizeof e->stats);
	pump_init(&e->pump, &pump_io, e, &e->stats, e->lane_count, KEY_DAYS * INT64_C(86400000));
	e->pump.depth_min_events = dice_chance(DICE_ENGINE, 70) ? 1 : 8; /* else so few clients would never fill a second lane */
	batch_init(&e->batch);
	agenda_add(TICK_US / 2, engine_tick, e, e->lives);
	opening_begin(e);
}

static void ops_free(struct op *op)
{
	while (op != NULL) {
		struct op *next = op->next;

		while (op != NULL) {
			struct op *twin = op->twins;

			mem_free(op);
			op = twin;
		}
		op = next;
	}
}

static void engine_count(const struct engine *e)
{
	counts.batches += e->stats.batches;
	counts.ambiguous += e->stats.batches_ambiguous;
	counts.store_refused += e->stats.store_refused;
	counts.quarantined += e->stats.quarantined;
	counts.stale += e->stats.batches_stale;
	counts.looked_up += e->stats.keys_looked_up;
	counts.repeated += e->stats.commands_repeated;
}

static void engine_ends(struct engine *e)
{
	engine_count(e);
	opening_close(e);
	for (uint32_t i = 0; i < e->pump.batch_count; i++)
		ops_free(e->pump.batches[i].first);
	ops_free(e->pump.first);
	for (uint32_t i = 0; i < e->ask_count; i++) {
		e->asks[i]->op->next = NULL; /* in no line */
		ops_free(e->asks[i]->op);
	}
	pump_free(&e->pump);
	batch_free(&e->batch);
	e->life = ENGINE_DOWN;
	e->lives++;
}

void engine_crash(int engine)
{
	struct engine *e = &engines[engine];

	if (e->life == ENGINE_DOWN)
		return;
	trace(engine_who(e), TRACE_CRASH, e->lives, 0, 0, 0);
	engine_ends(e);
}

/* shard_leave: what was taken is answered, then the shard is handed over, so that a standby need not wait for silence. */
static void engine_leaves(struct engine *e)
{
	if (e->pump.core != NULL && !pump_idle(&e->pump))
		return;
	if (e->journal_open && e->pump.core != NULL && !e->handing_over) {
		e->handing_over = true;
		e->handing_over_since_us = agenda_now_us;
		postgres_call(engine_job(e, CALL_HAND_OVER));
		return;
	}
	if (e->journal_open && e->handing_over && agenda_now_us - e->handing_over_since_us < HAND_OVER_US)
		return;
	engine_close_store(e);
	if (e->closing)
		return;
	if (e->taken != e->replied)
		sim_violation(ANSWERED_ONCE, "engine %d left %lld without an answer", e->no, (long long)(e->taken - e->replied));
	trace(engine_who(e), TRACE_LEAVES, e->lives, 0, 0, 0);
	engine_ends(e);
}

void engine_drain(int engine)
{
	struct engine *e = &engines[engine];

	if (e->life == ENGINE_DOWN || e->life == ENGINE_DRAINING)
		return;
	trace(engine_who(e), TRACE_DRAINS, e->lives, 0, 0, 0);
	if (e->pump.core == NULL)
		pump_fail_waiting(&e->pump, ERR_DRAINING);
	e->life = ENGINE_DRAINING;
	engine_wants_turn(e);
}

void engine_pause(int engine, int64_t for_us)
{
	trace(WHO_ENGINE + engine, TRACE_PAUSE, for_us, 0, 0, 0);
	engines[engine].paused_until_us = agenda_now_us + for_us;
}

void engine_jump_clock(int engine, int64_t by_us)
{
	trace(WHO_NEMESIS, TRACE_CLOCK, WHO_ENGINE + engine, by_us / 1000000, 0, 0);
	engines[engine].wall_offset_us += by_us;
}

enum engine_life engine_life(int engine)
{
	return engines[engine].life;
}

bool engine_has_answered_all(int engine)
{
	const struct engine *e = &engines[engine];

	return e->life == ENGINE_DOWN || e->pump.core == NULL || !pump_idle(&e->pump) || e->ask_count > 0 || e->taken == e->replied;
}

struct engine_counts engines_counts(void)
{
	return counts;
}

void engines_begin(const struct engine_ops *ops)
{
	engine_ops = ops;
	one_name = dice_chance(DICE_NEMESIS, 5);
	memset(&counts, 0, sizeof counts);
	for (int i = 0; i < ENGINES; i++)
		engines[i] = (struct engine){.no = i};
}
