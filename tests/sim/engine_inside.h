/* engine_inside.h — one engine as its own files see it: engine.c (pump, commits, life) and opening.c (open, follow, reign).
 *
 * Shape:  lives counts starts and ends: a task that was asked for in another life does nothing.
 */
#pragma once

#include "engine.h"

#include "store/level.h"

enum { ASKS_MAX = 4096, JOBS_MAX = 64, TICK_US = 250000 };

struct engine {
	int no;
	enum engine_life life;
	int64_t lives, paused_until_us, wall_offset_us;
	int64_t clock_base_us, clock_since_us;
	bool next_rules, turn_wanted, journal_open, closing, beat_waiting, reload_wanted, handing_over;
	struct pump pump;
	struct stats stats;
	struct batch batch;
	struct fence fence; /* as it will stand when all that was sent has committed */
	struct connection *lanes[LANES_MAX], *reader;
	uint32_t lane_count, lane_jobs[LANES_MAX], keys_max;
	struct db_call *jobs[JOBS_MAX]; /* sent, oldest first */
	uint32_t job_count;
	struct db_call *asks[ASKS_MAX];
	uint32_t ask_count;
	int64_t taken, replied; /* requests, in this life */
	int64_t away_since_us, handing_over_since_us;
	/* opening and following: one call under way at most */
	struct claim claim;
	struct level level;
	struct fence seen;        /* the last that a look found */
	struct db_call *work;     /* what opening or following waits for; NULL: nothing */
	int64_t server, database_us; /* who was followed; PostgreSQL's clock when it was asked */
	bool opening, reigns;     /* reigns: taken over, not ready yet */
	uint32_t open_failures;
};

/* ---- engine.c ---- */
int engine_who(const struct engine *e);
/* What an engine sees is only what happens while it runs: true, when run will be called after its pause. */
bool engine_defers(struct engine *e, void (*run)(void *what, int64_t number), void *what, int64_t number);
void engine_wants_turn(struct engine *e);
/* The state as loaded or followed becomes the pump's. */
void engine_reign(struct engine *e, struct core *core, const struct loaded_keys *keys);
void engine_alarm(struct engine *e, const char *what);
void engine_on_followed(const struct engine *e);

/* ---- opening.c: store/open.c, store/follow.c and the part of server/shard.c that calls them ---- */
void opening_begin(struct engine *e);
/* A standby's look, each tick. */
void opening_follow(struct engine *e);
void opening_on_answer(struct engine *e, struct db_call *done);
/* A connection is gone while opening or following. */
void opening_on_lost(struct engine *e, struct connection *c);
void opening_close(struct engine *e);
