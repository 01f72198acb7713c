#include "inflight.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void inflight_init(struct inflight *f)
{
	memset(f, 0, sizeof *f);
	f->slots = calloc(CALLOFF_IN_FLIGHT_MAX, sizeof *f->slots);
	INSIST(f->slots != NULL);
	for (size_t i = CALLOFF_IN_FLIGHT_MAX; i-- > 0;) {
		f->slots[i].after = f->free;
		f->free = &f->slots[i];
	}
}

void inflight_fini(struct inflight *f)
{
	if (f->slots == NULL)
		return;
	inflight_clear(f);
	free(f->slots);
	memset(f, 0, sizeof *f);
}

struct request *inflight_add(struct inflight *f)
{
	struct request *r = f->free;

	if (r == NULL)
		return NULL;
	f->free = r->after;
	memset(r, 0, sizeof *r);
	r->id = ++f->generation * CALLOFF_IN_FLIGHT_MAX + (uint64_t)(r - f->slots);
	r->before = f->last;
	if (f->last != NULL)
		f->last->after = r;
	else
		f->first = r;
	f->last = r;
	f->count++;
	return r;
}

struct request *inflight_find(const struct inflight *f, uint64_t id)
{
	struct request *r = &f->slots[id % CALLOFF_IN_FLIGHT_MAX];

	return id != 0 && r->id == id ? r : NULL;
}

void inflight_remove(struct inflight *f, struct request *r)
{
	inflight_undelay(f, r);
	if (r->before != NULL)
		r->before->after = r->after;
	else
		f->first = r->after;
	if (r->after != NULL)
		r->after->before = r->before;
	else
		f->last = r->before;
	free(r->frame);
	memset(r, 0, sizeof *r);
	r->after = f->free;
	f->free = r;
	f->count--;
}

void inflight_clear(struct inflight *f)
{
	while (f->first != NULL)
		inflight_remove(f, f->first);
}

void inflight_delay(struct inflight *f, struct request *r, int64_t due_ms)
{
	if (r->due_ms == 0)
		f->delayed++;
	r->due_ms = due_ms;
}

void inflight_undelay(struct inflight *f, struct request *r)
{
	if (r->due_ms != 0)
		f->delayed--;
	r->due_ms = 0;
}

int64_t inflight_next_due_ms(const struct inflight *f)
{
	int64_t next = -1;

	if (f->delayed == 0)
		return -1;
	for (const struct request *r = f->first; r != NULL; r = r->after) {
		if (r->due_ms != 0 && (next < 0 || r->due_ms < next))
			next = r->due_ms;
	}
	return next;
}
