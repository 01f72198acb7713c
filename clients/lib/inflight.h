/* inflight.h — the requests that wait for a reply, with their bytes, in the order they were first sent.
 *
 * Shape:   CALLOFF_IN_FLIGHT_MAX slots; an id names its slot (id % slots) and is never used twice.
 * Units:   due_ms on the caller's monotonic clock; 0: sent, not delayed.
 * Errors:  inflight_add returns NULL when every slot is taken; inflight_find NULL for an id that does not wait.
 * Owner:   the table owns each frame (malloc) from inflight_add on.
 */
#pragma once

#include "calloff.h"

struct request {
	uint64_t id;
	uint8_t *frame;
	size_t frame_len;
	struct request *before, *after; /* in sending order; of a free slot, only after */
	int64_t due_ms;                 /* when to send it again; 0: it is on its way */
	unsigned attempts;
	bool subscription;
};

struct inflight {
	struct request *slots;
	struct request *first, *last, *free;
	size_t count, delayed;
	uint64_t generation;
};

void inflight_init(struct inflight *f);
void inflight_fini(struct inflight *f);
/* The frame still has to be set: its bytes hold the id. */
struct request *inflight_add(struct inflight *f);
struct request *inflight_find(const struct inflight *f, uint64_t id);
void inflight_remove(struct inflight *f, struct request *r);
void inflight_clear(struct inflight *f);
void inflight_delay(struct inflight *f, struct request *r, int64_t due_ms);
void inflight_undelay(struct inflight *f, struct request *r);
/* The earliest due_ms of the delayed ones; -1: none. */
int64_t inflight_next_due_ms(const struct inflight *f);
