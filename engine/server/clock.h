/* clock.h — the engine's time: the fence's clock at take-over plus monotonic time since (DESIGN 6).
 *
 * It never goes backwards over a failover and follows no jump of the wall clock; where the wall clock is ahead of the
 * fence at take-over, it starts there, unless PostgreSQL's says that it is wrong: what the fence has once taken it keeps
 * for ever, and one start on a machine ten years ahead would make every later key too old.
 */
#pragma once

#include <stdint.h>

#define CLOCK_SKEW_MAX_US INT64_C(300000000)

struct clock {
	int64_t base_us, since_mono_us;
};

int64_t clock_mono_us(void);
int64_t clock_mono_ns(void);
int64_t clock_wall_us(void);
/* Where an engine's time begins when it takes over: pure. */
int64_t clock_base_us(int64_t wall_us, int64_t fence_us, int64_t database_us);
/* At take-over. Returns how far the wall clock is off, us: behind the fence, or more than CLOCK_SKEW_MAX_US ahead of the
 * database's; else 0. */
int64_t clock_set(struct clock *c, int64_t fence_us, int64_t database_us);
int64_t clock_now_us(const struct clock *c);
