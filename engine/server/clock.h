/* clock.h — the engine's time: the fence's clock at take-over plus monotonic time since (DESIGN 6).
 *
 * It never goes backwards over a failover and follows no jump of the wall clock; where the wall clock is ahead of the
 * fence at take-over, it starts there.
 */
#pragma once

#include <stdint.h>

struct clock {
	int64_t base_us, since_mono_us;
};

int64_t clock_mono_us(void);
int64_t clock_mono_ns(void);
int64_t clock_wall_us(void);
/* At take-over. Returns how far the wall clock was behind the fence, us; 0 when it was not. */
int64_t clock_set(struct clock *c, int64_t fence_us);
int64_t clock_now_us(const struct clock *c);
