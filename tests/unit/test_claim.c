/* Who may take a shard over, look by look. */
#include "kit/kit.h"

#include "store/claim.h"

#include <stdio.h>

KIT_SUITE(claim);

static struct claim claim_of(const char *engine, int64_t instance)
{
	struct claim c = {.instance = instance, .fresh = true, .still_max = 3};

	snprintf(c.engine, sizeof c.engine, "%s", engine);
	return c;
}

static struct fence fence_of(const char *engine, int64_t instance)
{
	struct fence f = {.epoch = 4, .last_seq = 10, .clock_us = 1000, .instance = instance};

	snprintf(f.engine, sizeof f.engine, "%s", engine);
	return f;
}

Test(claim, a_shard_that_nobody_has_is_taken)
{
	struct claim c = claim_of("west", 1);
	struct fence f = fence_of("", 0);

	cr_expect(claim_look(&c, &f));
}

Test(claim, its_own_reign_goes_on_whoever_it_was_called_by)
{
	struct claim c = claim_of("west", 1);
	struct fence f = fence_of("west", 1);

	c.fresh = false;
	cr_expect(claim_look(&c, &f));
}

Test(claim, a_restart_goes_on_where_its_last_process_left)
{
	struct claim c = claim_of("west", 2);
	struct fence f = fence_of("west", 1);

	cr_expect(claim_look(&c, &f));
}

Test(claim, a_process_that_was_followed_by_another_of_its_name_does_not_fight_it)
{
	struct claim c = claim_of("west", 1);
	struct fence f = fence_of("west", 2);

	c.fresh = false;
	cr_expect(!claim_look(&c, &f));
}

Test(claim, whoever_reigns_is_followed)
{
	struct claim c = claim_of("west", 1);
	struct fence f = fence_of("east", 2);

	for (int look = 0; look < 100; look++) {
		f.clock_us++;
		cr_expect(!claim_look(&c, &f));
	}
}

Test(claim, told_to_it_takes_over_at_once_but_only_at_first)
{
	struct claim c = claim_of("west", 1);
	struct fence f = fence_of("east", 2);

	c.at_once = true;
	cr_expect(claim_look(&c, &f));
	c.fresh = false;
	f.clock_us++;
	cr_expect(!claim_look(&c, &f));
}

Test(claim, silence_is_so_many_looks_in_a_row_at_a_fence_that_stands_still)
{
	struct claim c = claim_of("west", 1);
	struct fence f = fence_of("east", 2);
	int64_t *const moves[] = {&f.clock_us, &f.last_seq, &f.epoch};

	cr_expect(!claim_look(&c, &f)); /* the first look has nothing to compare with */
	for (size_t i = 0; i < 3; i++) {
		cr_expect(!claim_look(&c, &f));
		cr_expect(!claim_look(&c, &f));
		++*moves[i];
		cr_expect(!claim_look(&c, &f), "any sign of life counts");
	}
	cr_expect(!claim_look(&c, &f));
	cr_expect(!claim_look(&c, &f));
	cr_expect(claim_look(&c, &f));
}
