/* fake_shard.h — a shard that reigns over the small market, and somebody connected: no loop, no socket, no database.
 *
 * Shape:  the linker puts fake_shard.c's clock, heartbeat, reads, log and closing in the place of the real ones. ask
 *         hands a request over as the session would; what is said to it lies in the session's buffer.
 * Owner:  begin_shard to finish_shard; a reply until the next one.
 */
#pragma once

#include "calloff/v1/envelope.pb-c.h"
#include "server/engine.h"
#include "server/log.h"
#include "unit/fixture.h"

#define BODY(name) ((int)CALLOFF__V1__ENVELOPE__BODY_##name)

struct asked { /* of the database */
	const char *what;
	int64_t number;
	char text[64];
	uint32_t limit, state_mask;
	void *tag;
};

struct added { /* to the batch */
	const struct event *event;
	const struct update *update;
	struct batch_command command;
};

extern struct engine engine;
extern struct shard shard;
extern struct world world;
extern struct session *session;
extern int64_t mono_us;
extern uint32_t beats, reads, closes;
extern enum err beat_answer, read_answer;
extern struct asked asked; /* last */
extern struct added added; /* last */
extern uint32_t logged[64]; /* lines, by enum log_event */

/* READY, its lease fresh. */
void begin_shard(void);
void finish_shard(void);
/* The connection is gone. */
void leave(void);
/* Handed over, to the end of the loop's turn. */
void ask(const struct request *r);
/* NULL: nothing was said. Otherwise it must be to this request. */
const Calloff__V1__Envelope *reply_to(uint64_t request_id);
/* The body of what was said next, or 0. */
int said(uint64_t request_id);
/* The number of the status that was said next, or -1. */
int refused(uint64_t request_id);
