#include "server/clock.h"

#include <time.h>

static int64_t clock_read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

int64_t clock_mono_us(void)
{
	return clock_mono_ns() / 1000;
}

int64_t clock_wall_us(void)
{
	return clock_read_ns(CLOCK_REALTIME) / 1000;
}

/* What the machine says, unless the database calls that wrong; and never before what the fence has seen. */
static int64_t clock_believed_us(int64_t wall_us, int64_t database_us)
{
	return wall_us > database_us + CLOCK_SKEW_MAX_US ? database_us : wall_us;
}

int64_t clock_base_us(int64_t wall_us, int64_t fence_us, int64_t database_us)
{
	int64_t now_us = clock_believed_us(wall_us, database_us);

	return now_us > fence_us ? now_us : fence_us;
}

int64_t clock_set(struct clock *c, int64_t fence_us, int64_t database_us)
{
	int64_t wall_us = clock_wall_us(), now_us = clock_believed_us(wall_us, database_us);

	c->since_mono_us = clock_mono_us();
	c->base_us = clock_base_us(wall_us, fence_us, database_us);
	return now_us != wall_us ? wall_us - now_us : fence_us > wall_us ? fence_us - wall_us : 0;
}

int64_t clock_now_us(const struct clock *c)
{
	return c->base_us + clock_mono_us() - c->since_mono_us;
}
