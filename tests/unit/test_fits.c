/* test_fits.c — an update from a journal is folded in only where it can be right; what is refused changes nothing. */
#include "kit/kit.h"

#include "unit/fixture.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(fits);

static struct world world;
static struct event event;
static struct update placed, confirmed, declared, waits; /* what the core says of a submit, a confirm, a declare, half a bundle */

/* Package 5 is to come; package 4 waits for an officer. */
static void open_market(void)
{
	world_rows(&world);
	world.policies[0].confirmation = CONFIRMATION_OFFICER;
	world_open(&world);
	for (int pool = 0; pool < 3; pool++)
		world_declare(&world, world.pools[pool].code, 120);
	world_place(&world, 30);
	world.event.type = EVENT_CONFIRM;
	world.event.change.package_no = 4;
	world.event.change.reason = text_of("");
	world.event.change.with_budget_authority = false;
	world_decide(&world);
	confirmed = world.update;
	world.event.type = EVENT_DECLARE;
	world.event.declare = (struct declaration){.pool = text_of(world.pools[0].code), .expires_us = world.now_us + DAY_US};
	world_decide(&world);
	declared = world.update;
	world_submit(&world, 30)->bundle_ref = text_of("B-1");
	world_decide(&world);
	waits = world.update;
	world_submit(&world, 30);
	world_decide(&world);
	placed = world.update;
	event = world.event;
	cr_assert(placed.new_count == 1 && placed.made_count == 1 && confirmed.change_count == 1 && declared.declared_count == 1);
	cr_assert(waits.packages[0].state == STATE_SUBMITTED);
}

static enum err fits(enum event_type type, const struct update *u)
{
	uint64_t hash = core_state_hash(world.core);
	enum err e;

	event.type = type;
	e = core_fits(world.core, &event, u);
	cr_assert(core_state_hash(world.core) == hash);
	return e;
}

#define REFUSED(type, u, change)                                                                                       \
	do {                                                                                                           \
		struct update changed = (u);                                                                           \
		change;                                                                                                \
		cr_expect_eq(fits(type, &changed), ERR_BAD_ROW, "%s", #change);                                        \
	} while (0)

Test(fits, what_the_core_just_said_fits)
{
	open_market();
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	cr_expect_eq(fits(EVENT_CONFIRM, &confirmed), ERR_OK);
	cr_expect_eq(fits(EVENT_DECLARE, &declared), ERR_OK);
	event.submit.bundle_ref = text_of("B-1");
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_OK);
	world_close(&world);
}

Test(fits, a_new_package_has_a_higher_number_a_state_and_visits)
{
	open_market();
	REFUSED(EVENT_SUBMIT, placed, changed.packages[0].package_no = 4);
	REFUSED(EVENT_SUBMIT, placed, (changed.packages[0].package_no = 4, changed.made_count = 0));
	REFUSED(EVENT_SUBMIT, placed, changed.packages[0].visit_count = 0);
	REFUSED(EVENT_SUBMIT, placed, changed.packages[0].state = 0);
	REFUSED(EVENT_SUBMIT, placed, changed.packages[0].language = -1);
	REFUSED(EVENT_SUBMIT, placed, changed.packages[0].language = LANGUAGE_NO_MAX + 1);
	REFUSED(EVENT_SUBMIT, placed, changed.packages[0].state = STATE_VOID + 1);
	REFUSED(EVENT_WITHDRAW, placed, (void)changed);
	placed.packages[0].state = STATE_VOID;
	placed.packages[0].language = LANGUAGE_NO_MAX;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	world_close(&world);
}

Test(fits, only_so_many_halves_wait)
{
	char ref[16];

	open_market();
	for (int i = 0; i < BUNDLES_WAITING_MAX; i++) {
		event.submit.bundle_ref = text_of("A-1");
		cr_assert_eq(fits(EVENT_SUBMIT, &waits), ERR_OK, "%d", i);
		snprintf(ref, sizeof ref, "B-%d", i);
		world_submit(&world, 30)->bundle_ref = text_of(ref);
		world_step(&world);
		waits.packages[0].package_no = world.seq + 1;
	}
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_BAD_ROW);
	world_close(&world);
}

Test(fits, only_one_half_of_a_named_bundle_waits)
{
	static char longer[REF_BYTES_MAX + 1];

	open_market();
	event.submit.bundle_ref = text_of("");
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_BAD_ROW);
	memset(longer, 'x', sizeof longer);
	event.submit.bundle_ref = (struct text){longer, sizeof longer};
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_BAD_ROW);
	event.submit.bundle_ref.len--;
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_OK);
	world_submit(&world, 30)->bundle_ref = text_of("B-1");
	world_step(&world);
	event.submit.bundle_ref = text_of("B-1");
	waits.packages[0].package_no++;
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_BAD_ROW);
	event.submit.bundle_ref = text_of("B-2");
	cr_expect_eq(fits(EVENT_SUBMIT, &waits), ERR_OK);
	world_close(&world);
}

Test(fits, a_placement_names_what_is_there_and_a_free_role)
{
	open_market();
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].role = 0);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].role = ROLE_OUTGOING + 1);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].route = 0);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].route = ROUTE_POLR + 1);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].pool_no = 99);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].provider_no = 99);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].carer_minutes_week = UINT32_MAX);
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].package_no = 4); /* has a main placement */
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].package_no = 6); /* neither there nor new */
	REFUSED(EVENT_SUBMIT, placed, (changed.made[changed.made_count] = changed.made[0], changed.made_count = 2));
	REFUSED(EVENT_SUBMIT, placed, (changed.new_count = 0));
	world_close(&world);
}

Test(fits, a_role_that_ends_in_the_same_update_is_free_again)
{
	open_market();
	placed.made[0].package_no = 4;
	placed.ended[placed.ended_count++] = (struct ended){4, ROLE_MAIN};
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	placed.ended[0].role = ROLE_INTERIM;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_BAD_ROW);
	world_close(&world);
}

Test(fits, what_ends_frees_its_own_role_of_its_own_package)
{
	open_market();
	world_place(&world, 30);
	placed.new_count = 0;
	placed.made[0].package_no = 4;
	placed.ended[0] = (struct ended){5, ROLE_MAIN};
	placed.ended_count = 1;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_BAD_ROW);
	placed.made[0].role = ROLE_OUTGOING;
	placed.ended_count = 0;
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	placed.made[0].role = ROLE_MAIN;
	placed.ended[0] = (struct ended){4, ROLE_OUTGOING};
	placed.ended_count = 1;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_BAD_ROW);
	world_close(&world);
}

/* To the unit, in the last cell there is, and pool by pool. */
Test(fits, a_cell_is_filled_up_to_its_last_unit)
{
	const uint32_t sunday = 1 << 6, last = BANDS - 1, left = 24 - 2 * VISITS_MAX * 511 - INT16_MIN;

	open_market();
	placed.made[0].demand_count = VISITS_MAX;
	for (uint32_t i = 0; i < VISITS_MAX; i++)
		placed.made[0].demand[i] = visit_code(sunday, last, true, 511);
	placed.made[1] = placed.made[0];
	placed.made[1].role = ROLE_INTERIM;
	placed.made_count = 2;
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	placed.new_count = 0;
	placed.made[0].role = ROLE_OUTGOING;
	placed.made[0].demand_count = placed.made_count = 1;
	placed.made[0].demand[0] = visit_code(sunday, last, true, left);
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	placed.made[1].package_no = 4;
	placed.made[1].pool_no = placed.made[1].provider_no = 2;
	placed.made_count = 2;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK, "another pool's");
	placed.made_count = 1;
	placed.made[0].demand[0] = visit_code(sunday, last, true, left + 1);
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_BAD_ROW);
	world_close(&world);
}

/* With nothing declared any more, all that is committed is over. */
Test(fits, a_declaration_leaves_what_is_over_countable)
{
	const uint32_t sunday = 1 << 6, last = BANDS - 1;

	open_market();
	placed.made[0].demand_count = VISITS_MAX;
	for (uint32_t i = 0; i < VISITS_MAX; i++)
		placed.made[0].demand[i] = visit_code(sunday, last, true, 511);
	placed.made[1] = placed.made[0];
	placed.made[1].role = ROLE_INTERIM;
	placed.made_count = 2;
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	placed.new_count = 0;
	placed.made[0].role = placed.made[1].role = ROLE_OUTGOING;
	placed.made[0].demand_count = placed.made[1].demand_count = 1;
	placed.made[0].demand[0] = visit_code(sunday, last, true, -INT16_MIN - 2 * VISITS_MAX * 511);
	placed.made[1].demand[0] = visit_code(sunday, last, true, 1);
	placed.made[1].package_no = 4;
	placed.made_count = 1;
	core_apply(world.core, &event, &placed);
	cr_expect_eq(fits(EVENT_DECLARE, &declared), ERR_OK);
	placed.made[0] = placed.made[1];
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	cr_expect_eq(fits(EVENT_DECLARE, &declared), ERR_BAD_ROW);
	world_close(&world);
}

/* Room is left for what is under way. */
Test(fits, minutes_of_a_placement_and_of_a_provider_have_their_most)
{
	const uint32_t most = VISITS_MAX * DAYS * 2 * VISIT_MINUTES_MAX;

	open_market();
	placed.made[0].provider_no = placed.made[0].pool_no = 3;
	REFUSED(EVENT_SUBMIT, placed, changed.made[0].carer_minutes_week = most + 1);
	placed.made[0].carer_minutes_week = most;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	placed.made[0].carer_minutes_week = INT32_MAX - 2 * most - 1;
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	placed.new_count = 0;
	placed.made[0].carer_minutes_week = 1;
	placed.made[0].role = ROLE_INTERIM;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	core_apply(world.core, &event, &placed);
	placed.made[0].role = ROLE_OUTGOING;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_BAD_ROW);
	world_close(&world);
}

Test(fits, only_a_live_placement_ends_and_once)
{
	open_market();
	placed.ended[0] = (struct ended){4, ROLE_MAIN};
	placed.ended_count = 1;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	REFUSED(EVENT_SUBMIT, placed, (changed.ended[1] = changed.ended[0], changed.ended_count = 2));
	REFUSED(EVENT_SUBMIT, placed, changed.ended[0].package_no = 99);
	REFUSED(EVENT_SUBMIT, placed, changed.ended[0].role = 0);
	REFUSED(EVENT_SUBMIT, placed, changed.ended[0].role = ROLE_OUTGOING + 1);
	REFUSED(EVENT_SUBMIT, placed, changed.ended[0].role = ROLE_OUTGOING);
	placed.new_count = placed.ended_count = 0;
	placed.made[0].package_no = 4;
	placed.made[0].role = ROLE_OUTGOING;
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	placed.made_count = 0;
	placed.ended[0].role = ROLE_OUTGOING;
	placed.ended_count = 1;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	placed.ended[1] = (struct ended){4, ROLE_MAIN};
	placed.ended_count = 2;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	world_close(&world);
}

Test(fits, placements_of_two_packages_end_together)
{
	open_market();
	world_place(&world, 30);
	placed.new_count = placed.made_count = 0;
	placed.ended[0] = (struct ended){4, ROLE_MAIN};
	placed.ended[1] = (struct ended){5, ROLE_MAIN};
	placed.ended_count = 2;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	world_close(&world);
}

Test(fits, a_change_starts_from_the_state_that_is_and_goes_where_the_event_leads)
{
	open_market();
	REFUSED(EVENT_CONFIRM, confirmed, changed.changes[0].package_no = 99);
	REFUSED(EVENT_CONFIRM, confirmed, changed.changes[0].from = STATE_UNSOURCED);
	REFUSED(EVENT_CONFIRM, confirmed, changed.changes[0].to = STATE_ENDED);
	REFUSED(EVENT_WITHDRAW, confirmed, (void)changed);
	REFUSED(EVENT_END, confirmed, (changed.changes[0].from = STATE_PLACED, changed.changes[0].to = STATE_ENDED));
	REFUSED(EVENT_CONFIRM, confirmed, (changed.changes[1] = changed.changes[0], changed.change_count = 2));
	confirmed.changes[1] = confirmed.changes[0];
	confirmed.changes[1].package_no = world_place(&world, 30);
	confirmed.change_count = 2;
	cr_expect_eq(fits(EVENT_CONFIRM, &confirmed), ERR_OK, "two packages, each once");
	world_close(&world);
}

Test(fits, cells_hold_what_they_can_count)
{
	open_market();
	REFUSED(EVENT_DECLARE, declared, changed.declared[0].pool_no = 99);
	REFUSED(EVENT_DECLARE, declared, changed.declared[0].units[1][CELLS - 1] = CELL_UNITS_MAX + 1);
	declared.declared[0].units[1][CELLS - 1] = CELL_UNITS_MAX;
	cr_expect_eq(fits(EVENT_DECLARE, &declared), ERR_OK);
	placed.made[0].demand_count = VISITS_MAX;
	for (uint32_t i = 0; i < VISITS_MAX; i++)
		placed.made[0].demand[i] = visit_code(127, BAND_MORNING, false, 511);
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK); /* 16,352 units below what was free */
	placed.made[1] = placed.made[0];
	placed.made[1].role = ROLE_INTERIM;
	placed.made_count = 2;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	cr_expect_eq(fits(EVENT_DECLARE, &declared), ERR_OK);
	placed.new_count = 0;
	placed.made[0].role = ROLE_OUTGOING;
	placed.made_count = 1;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_BAD_ROW); /* a cell would pass 16 bits */
	placed.made[0].demand_count = 1;
	placed.made[0].demand[0] = visit_code(127, BAND_MORNING, false, 70);
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	event.type = EVENT_SUBMIT;
	core_apply(world.core, &event, &placed);
	cr_expect_eq(fits(EVENT_DECLARE, &declared), ERR_BAD_ROW); /* and so would this one, declared to nothing */
	world_close(&world);
}

Test(fits, a_full_core_takes_no_more)
{
	open_market();
	world_close(&world);
	world.limits.packages_max = 2;
	world_open(&world);
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_OK);
	core_apply(world.core, &event, &placed);
	placed.packages[0].package_no++;
	placed.made[0].package_no++;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_TOO_MANY_PACKAGES);
	placed.new_count = 0;
	placed.made[0].package_no--;
	placed.made[0].role = ROLE_INTERIM;
	cr_expect_eq(fits(EVENT_SUBMIT, &placed), ERR_TOO_MANY_PACKAGES);
	world_close(&world);
}
