#include "server/clock.h"

#include <criterion/criterion.h>

enum { SECOND_US = 1000000 };
#define YEARS_10_US (INT64_C(315360000) * SECOND_US)

/* Both read the same clock, one after the other: a minute is far more than lies between. */
static void expect_near(int64_t got_us, int64_t wanted_us)
{
	cr_expect_geq(got_us, wanted_us - 60 * INT64_C(1000000));
	cr_expect_leq(got_us, wanted_us + 60 * INT64_C(1000000));
}

Test(clock, starts_at_the_wall_clock_when_the_fence_lies_behind)
{
	struct clock c;
	int64_t wall_us = clock_wall_us();

	cr_expect_eq(clock_set(&c, wall_us - YEARS_10_US, wall_us), 0);
	expect_near(clock_now_us(&c), wall_us);
}

Test(clock, never_goes_behind_the_fence)
{
	struct clock c;
	int64_t wall_us = clock_wall_us();

	expect_near(clock_set(&c, wall_us + YEARS_10_US, wall_us), YEARS_10_US);
	cr_expect_geq(clock_now_us(&c), wall_us + YEARS_10_US);
}

Test(clock, takes_the_database_s_time_where_the_machine_is_far_ahead_of_it)
{
	struct clock c;
	int64_t wall_us = clock_wall_us(), database_us = wall_us - YEARS_10_US;

	expect_near(clock_set(&c, database_us - SECOND_US, database_us), YEARS_10_US);
	expect_near(clock_now_us(&c), database_us);
	clock_set(&c, database_us + YEARS_10_US / 2, database_us);
	expect_near(clock_now_us(&c), database_us + YEARS_10_US / 2);
}

Test(clock, follows_no_database_that_is_ahead)
{
	struct clock c;
	int64_t wall_us = clock_wall_us();

	cr_expect_eq(clock_set(&c, 0, wall_us + YEARS_10_US), 0);
	expect_near(clock_now_us(&c), wall_us);
}
