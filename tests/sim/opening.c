#include "engine_inside.h"

#include "agenda.h"
#include "trace.h"
#include "weather.h"

#include "server/clock.h"

enum { OPEN_FIRST_US = 50000, OPEN_MAX_US = 500000 };

static void opening_retry(void *what, int64_t lives)
{
	struct engine *e = what;

	if (lives == e->lives && !engine_defers(e, opening_retry, what, lives) && e->level.core == NULL)
		opening_begin(e);
}

void opening_close(struct engine *e)
{
	for (uint32_t i = 0; i < e->lane_count; i++) {
		if (e->lanes[i] != NULL)
			postgres_close(e->lanes[i]);
		e->lanes[i] = NULL;
	}
	if (e->reader != NULL)
		postgres_close(e->reader);
	e->reader = NULL;
	e->work = NULL;
	e->opening = e->reigns = false;
	e->level.core = NULL;
}

static void opening_failed(struct engine *e, enum err why)
{
	uint32_t doublings = e->open_failures < 6 ? e->open_failures : 6;
	int64_t wait_us = (int64_t)OPEN_FIRST_US << doublings;

	opening_close(e);
	e->open_failures++;
	trace(engine_who(e), TRACE_OPEN_FAILED, why, e->open_failures, 0, 0);
	agenda_add(wait_us > OPEN_MAX_US ? OPEN_MAX_US : wait_us, opening_retry, e, e->lives);
}

static void opening_calls(struct engine *e, struct connection *c, enum call_kind kind)
{
	struct db_call *call = postgres_call_new(c, kind);

	call->claim = &e->claim;
	call->epoch = e->seen.epoch;
	call->after_seq = e->level.fence.last_seq;
	call->keys_max = e->keys_max;
	e->work = call;
	postgres_call(call);
}

/* fetch_connect, for every lane that is not there. */
static bool opening_connects(struct engine *e, uint32_t lanes)
{
	for (uint32_t i = 0; i < lanes; i++) {
		if (e->lanes[i] != NULL)
			continue;
		e->lanes[i] = postgres_connect(e->no, e->lives, false);
		e->lane_jobs[i] = 0;
		if (e->lanes[i] == NULL)
			return false;
	}
	return true;
}

void opening_begin(struct engine *e)
{
	if (e->opening || e->work != NULL || e->journal_open || e->closing || e->life == ENGINE_DOWN || e->life == ENGINE_READY ||
	    e->life == ENGINE_DRAINING)
		return;
	opening_close(e);
	e->reload_wanted = false;
	trace(engine_who(e), TRACE_OPENS, e->lives, 0, 0, 0);
	if (!opening_connects(e, 1) || (e->reader = postgres_connect(e->no, e->lives, true)) == NULL) {
		opening_failed(e, ERR_STORE);
		return;
	}
	e->opening = true;
	e->server = e->reader->server;
	e->database_us = agenda_now_us;
	opening_calls(e, e->lanes[0], CALL_FENCE);
}

static void opening_stands_by(struct engine *e)
{
	e->opening = false;
	e->claim.fresh = false;
	e->open_failures = 0;
	if (e->life != ENGINE_STANDBY)
		trace(engine_who(e), TRACE_STANDS_BY, e->seen.epoch, e->seen.last_seq, 0, 0);
	e->life = ENGINE_STANDBY;
	pump_fail_waiting(&e->pump, ERR_DEPOSED);
}

static void opening_goes_on(struct engine *e, struct db_call *done)
{
	switch (done->kind) {
	case CALL_FENCE:
		e->seen = done->fence;
		opening_calls(e, e->lanes[0], claim_look(&e->claim, &e->seen) ? CALL_TAKE_OVER : CALL_LOAD);
		return;
	case CALL_TAKE_OVER:
		if (!done->found || !opening_connects(e, e->lane_count)) {
			opening_failed(e, done->found ? ERR_STORE : ERR_DEPOSED);
			return;
		}
		e->reigns = true;
		e->seen = done->fence;
		opening_calls(e, e->lanes[0], CALL_LOAD);
		return;
	case CALL_LOAD:
		if (e->reigns && done->loaded->fence.epoch != e->seen.epoch) {
			opening_failed(e, ERR_DEPOSED);
			return;
		}
		e->seen = e->level.fence = done->loaded->fence;
		e->level.framework = done->loaded->framework;
		e->level.core = done->loaded->core;
		e->level.differs = 0;
		if (e->reigns)
			opening_calls(e, e->lanes[0], CALL_KEYS);
		else
			opening_stands_by(e);
		return;
	case CALL_KEYS:
		e->claim.fresh = false;
		engine_reign(e, e->level.core, done->keys);
		return;
	case CALL_ROWS:
	case CALL_COMMIT:
	case CALL_BEAT:
	case CALL_HAND_OVER:
	case CALL_FIND:
		return;
	}
}

/* ---- following ---- */

static bool follow_is_connected(const struct engine *e)
{
	bool connected = e->reader != NULL;

	for (uint32_t i = 0; i < e->lane_count; i++)
		connected &= e->lanes[i] != NULL;
	return connected;
}

/* What was followed is of no use any more. */
static void follow_gives_up(struct engine *e, enum err why)
{
	if (why == ERR_BAD_ROW)
		engine_alarm(e, "journal_broken");
	opening_close(e);
	opening_begin(e);
}

/* The database is away, from here: what was followed stays, and a look that failed is no look; a reign must be read anew. */
static void follow_waits(struct engine *e)
{
	if (e->reigns)
		follow_gives_up(e, ERR_STORE);
}

void opening_follow(struct engine *e)
{
	if (e->work != NULL || e->level.core == NULL)
		return;
	if (e->reader == NULL) {
		e->reader = postgres_connect(e->no, e->lives, true);
		if (e->reader == NULL)
			return;
		for (uint32_t i = 0; i < e->lane_count; i++) { /* where the primary was */
			if (e->lanes[i] != NULL)
				postgres_close(e->lanes[i]);
			e->lanes[i] = NULL;
		}
		if (e->reader->server != e->server) {
			follow_gives_up(e, ERR_STORE_STALE);
			return;
		}
	}
	opening_calls(e, e->reader, CALL_FENCE);
}

/* Level with what was seen: take over if the claim allows it; with the shard taken, the keys are all that is missing. */
static void follow_reached(struct engine *e)
{
	enum err why = e->reigns ? level_is_at(&e->level, &e->seen) : ERR_OK;

	if (why != ERR_OK) {
		follow_gives_up(e, why);
		return;
	}
	level_reached(&e->level, &e->seen);
	engine_on_followed(e);
	if (e->level.differs > 0)
		engine_alarm(e, "replay_differs");
	if (e->reigns) {
		opening_calls(e, e->reader, CALL_KEYS);
	} else if (claim_look(&e->claim, &e->seen) && opening_connects(e, e->lane_count)) {
		e->database_us = agenda_now_us;
		opening_calls(e, e->lanes[0], CALL_TAKE_OVER);
	}
}

/* Now and then it stands still at the worst moment: the shard taken, the journal not read. */
static void opening_took_over(struct engine *e)
{
	e->reigns = true;
	if (weather_strikes(DICE_ENGINE, TROUBLE_PAUSE, 150))
		engine_pause(e->no, dice_tail(DICE_ENGINE, 1000, 8000000));
}

/* Rows until the fence that was seen. */
static void follow_reads_on(struct engine *e)
{
	if (e->level.fence.last_seq < e->seen.last_seq)
		opening_calls(e, e->reader, CALL_ROWS);
	else
		follow_reached(e);
}

static void follow_goes_on(struct engine *e, struct db_call *done)
{
	enum err why = ERR_OK;

	switch (done->kind) {
	case CALL_TAKE_OVER:
		if (!done->found)
			return; /* another was faster: follow that one */
		opening_took_over(e);
		if (!follow_is_connected(e)) {
			follow_waits(e);
			return;
		}
		/* fall through */
	case CALL_FENCE:
		e->seen = done->fence;
		why = level_may_reach(&e->level, &e->seen);
		break;
	case CALL_ROWS:
		for (uint32_t i = 0; why == ERR_OK && i < done->row_count; i++)
			why = level_row(&e->level, &done->rows[i]);
		if (why == ERR_OK && done->row_count == 0)
			why = ERR_BAD_ROW; /* the journal ends before the fence */
		break;
	case CALL_KEYS:
		if (follow_is_connected(e))
			engine_reign(e, e->level.core, done->keys);
		else
			follow_waits(e);
		return;
	case CALL_LOAD:
	case CALL_COMMIT:
	case CALL_BEAT:
	case CALL_HAND_OVER:
	case CALL_FIND:
		return;
	}
	if (why != ERR_OK)
		follow_gives_up(e, why);
	else
		follow_reads_on(e);
}

/* ---- what the database says ---- */

void opening_on_answer(struct engine *e, struct db_call *done)
{
	if (e->work != done)
		return;
	e->work = NULL;
	if (e->opening && done->why != ERR_OK)
		opening_failed(e, done->why);
	else if (e->opening)
		opening_goes_on(e, done);
	else if (done->why != ERR_OK)
		follow_waits(e);
	else
		follow_goes_on(e, done);
}

void opening_on_lost(struct engine *e, struct connection *c)
{
	bool of_work = e->work != NULL && e->work->connection == c;

	if (e->opening) {
		opening_failed(e, ERR_STORE);
		return;
	}
	postgres_close(c);
	if (c == e->reader)
		e->reader = NULL;
	for (uint32_t i = 0; i < e->lane_count; i++) {
		if (e->lanes[i] == c)
			e->lanes[i] = NULL;
	}
	if (of_work) {
		e->work = NULL;
		follow_waits(e);
	}
}
