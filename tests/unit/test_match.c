/* A few rules of the walk by hand; tests/diff compares all of them with a second reading of the text. */
#include "kit/kit.h"

#include "unit/fixture.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(match);

static struct world world;
static const struct decision *d = &world.update.decision;

static void begin(void)
{
	world_rows(&world);
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	world_declare(&world, "POOL-2", 300);
	world_declare(&world, "POOL-3", 300);
}

static int reason(uint32_t candidate)
{
	cr_assert_lt(candidate, (uint32_t)d->looked_at);
	return d->candidates[candidate].reason;
}

static int32_t winner(void)
{
	return world.update.outcome.provider_no;
}

Test(match, the_best_rank_that_passes_wins)
{
	begin();
	world_place(&world, 30);
	cr_expect_eq(winner(), 1);
	cr_expect_eq(d->looked_at, 1);
	cr_expect_eq(d->not_reached, 2);
	world_close(&world);
}

Test(match, a_full_provider_is_passed_over_with_its_cell)
{
	begin();
	world_declare(&world, "POOL-1", 25);
	world_place(&world, 30);
	cr_expect_eq(winner(), 2);
	cr_expect_eq(reason(0), REASON_TIME_SHORT);
	cr_expect_eq(d->candidates[0].cell_plane, BAND_MORNING * 2);
	cr_expect_eq(d->candidates[0].need, 6);
	cr_expect_eq(d->candidates[0].free, 5);
	world_close(&world);
}

Test(match, the_first_failing_cell_is_named_single_before_paired)
{
	struct requirement *r;

	begin();
	world_declare(&world, "POOL-1", 0);
	r = world_submit(&world, 30);
	r->visit_count = 3;
	r->visits[0] = (struct visit){.days = 64, .band = BAND_BED, .bands = 1 << BAND_BED, .carers = 2, .minutes = 30};
	r->visits[1] = (struct visit){.days = 4, .band = BAND_TEA, .bands = 1 << BAND_TEA, .carers = 2, .minutes = 30};
	r->visits[2] = (struct visit){.days = 4, .band = BAND_TEA, .bands = 1 << BAND_TEA, .carers = 1, .minutes = 15};
	world_step(&world);
	cr_expect_eq(reason(0), REASON_TIME_SHORT);
	cr_expect_eq(d->candidates[0].cell_plane, (2 * BANDS + BAND_TEA) * 2);
	cr_expect_eq(d->candidates[0].need, 3);
	world_close(&world);
}

Test(match, a_pair_needs_paired_time)
{
	begin();
	world.event.type = EVENT_DECLARE;
	for (uint32_t cell = 0; cell < CELLS; cell++)
		world.event.declare.declared[1][cell] = 0;
	world.event.declare.pool = text_of("POOL-1");
	world_step(&world);
	world_submit(&world, 30)->visits[0].carers = 2;
	world_step(&world);
	cr_expect_eq(reason(0), REASON_PAIR_SHORT);
	cr_expect_eq(winner(), 2);
	world_close(&world);
}

Test(match, nobody_leaves_no_placement)
{
	begin();
	world_place(&world, 305);
	cr_expect_eq(winner(), 0);
	cr_expect_eq(world.update.made_count, 0);
	cr_expect_eq(world.update.outcome.state, STATE_UNSOURCED);
	cr_expect_eq(d->outcome, ROUND_OUTCOME_NOBODY);
	cr_expect_eq(d->looked_at, 3);
	world_close(&world);
}

Test(match, travel_time_counts_and_units_are_rounded_up)
{
	world_rows(&world);
	world.policies[0].travel_minutes_visit = 6;
	world_open(&world);
	world_declare(&world, "POOL-1", 40);
	world_place(&world, 30);
	cr_expect_eq(winner(), 1);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 0, "36 minutes are 8 units");
	world_close(&world);
}

Test(match, a_flexible_visit_takes_the_lowest_band_that_fits)
{
	struct requirement *r;

	begin();
	world_place(&world, 300); /* the mornings of the first are gone */
	r = world_submit(&world, 30);
	r->visits[0].bands = 1 << BAND_MORNING | 1 << BAND_TEA;
	world_step(&world);
	cr_expect_eq(winner(), 1);
	cr_expect_eq(world.update.outcome.bands[0], BAND_TEA);
	cr_expect_eq(d->candidates[0].cell_plane, UINT8_MAX, "the band that did not fit is no reason");
	world_close(&world);
}

Test(match, an_expired_declaration_is_unknown_never_full)
{
	begin();
	world.now_us += 366 * DAY_US;
	world_declare(&world, "POOL-2", 300);
	world_place(&world, 30);
	cr_expect_eq(reason(0), REASON_CAPACITY_UNKNOWN);
	cr_expect_eq(winner(), 2);
	world_close(&world);
}

Test(match, who_the_provider_is_comes_before_what_it_has)
{
	struct requirement *r;

	world_rows(&world);
	world.providers[0].rating = RATING_INADEQUATE;
	world.providers[1].genders = 1;
	world.providers[2].skills = 1;
	world_add_provider(&world, 4, "PRV-D");
	world_add_entry(&world, LIST_MALDON, 1, 4, 4);
	world_open(&world);
	r = world_submit(&world, 30);
	r->gender = GENDER_MALE;
	r->skill_count = 1;
	r->skills[0] = text_of("hoist");
	world.providers[1].skills = 0;
	world_step(&world);
	cr_expect_eq(reason(0), REASON_RATING);
	cr_expect_eq(reason(1), REASON_SKILL);
	cr_expect_eq(reason(2), REASON_CAPACITY_UNKNOWN);
	cr_expect_eq(reason(3), REASON_NOT_COVERED);
	world_close(&world);
}

Test(match, the_last_resort_is_open_by_urgency_risk_or_no_cover)
{
	world_rows(&world);
	world.entries[2].route = ROUTE_POLR;
	world.policies[0].polr_risks = 1 << RISK_RED;
	world.policies[0].polr_no_cover = true;
	world_open(&world);
	world_declare(&world, "POOL-3", 3000);
	for (int way = 0; way < 4; way++) {
		struct requirement *r = world_submit(&world, 30);

		if (way == 1)
			r->urgency = URGENCY_EMERGENCY;
		if (way == 2)
			r->risk = RISK_RED;
		if (way == 3)
			r->cover = COVER_NONE;
		world_step(&world);
		cr_expect_eq(winner(), way == 0 ? 0 : 3, "%d", way);
		cr_expect_eq(reason(2), way == 0 ? REASON_ROUTE_CLOSED : REASON_CHOSEN);
		if (way > 0) {
			cr_expect_eq(world.update.outcome.role, ROLE_INTERIM);
			cr_expect_eq(world.update.outcome.state, STATE_UNSOURCED);
			cr_expect_eq(world.update.outcome.exit_day, WORLD_TODAY + 7);
		}
	}
	world_close(&world);
}

Test(match, a_price_is_a_ceiling_only_for_the_spot_market)
{
	world_rows(&world);
	world.entries[0].route = ROUTE_SPOT;
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	world_declare(&world, "POOL-2", 300);
	world_submit(&world, 30)->ceiling_pence_hour = 2399;
	world_step(&world);
	cr_expect_eq(winner(), 2, "the framework's price stops for budget authority instead");
	cr_expect_eq(world.update.outcome.state, STATE_PROVISIONAL);
	cr_expect(world.update.outcome.budget_authority);
	world_close(&world);
}

Test(match, a_list_of_512_is_walked_to_its_end)
{
	world_rows(&world);
	for (int32_t p = 4; p <= LIST_ENTRIES_MAX; p++) {
		char code[16];

		snprintf(code, sizeof code, "X-%03d", p);
		world_add_provider(&world, p, code);
		world_add_entry(&world, LIST_MALDON, 1, p, p);
	}
	world_add_pool(&world, 512, 512, POOL_KIND_TIME);
	world_add_coverage(&world, LIST_MALDON, 512, SECTOR_MALDON, 512);
	world_open(&world);
	world_declare(&world, "POOL-512", 300);
	world_place(&world, 30);
	cr_expect_eq(winner(), 512);
	cr_expect_eq(d->looked_at, 512);
	for (uint32_t i = 3; i < 511; i++)
		cr_expect_eq(reason(i), REASON_NOT_COVERED);
	cr_expect_eq(reason(511), REASON_CHOSEN);
	world_close(&world);
}

Test(match, a_week_of_32_visits_is_taken_whole_or_not)
{
	struct requirement *r;

	begin();
	r = world_submit(&world, 30);
	r->visit_count = VISITS_MAX;
	for (uint32_t i = 0; i < VISITS_MAX; i++)
		r->visits[i] = (struct visit){.days = (uint8_t)(1 << (i % 7)),
					      .band = (uint8_t)(i % BANDS),
					      .bands = (uint8_t)(1 << (i % BANDS)),
					      .carers = (uint8_t)(1 + i % 2),
					      .minutes = 30};
	world_step(&world);
	cr_expect_eq(winner(), 1);
	cr_expect_eq(world.update.outcome.band_count, VISITS_MAX);
	cr_expect_eq(world.update.made[0].carer_minutes_week, 16 * 30 + 16 * 60);
	for (uint32_t i = 0; i < VISITS_MAX; i++)
		cr_expect_eq(world.update.outcome.bands[i], i % BANDS);
	world_change(&world, EVENT_END, world.seq);
	for (uint32_t cell = 0; cell < CELLS; cell++)
		cr_expect(world_free(&world, 1, cell, 0) == 60 && world_free(&world, 1, cell, 1) == 60);
	world_close(&world);
}

/* Essex writes next month's ranking in advance: the version of today must still count what its providers hold. */
Test(match, a_share_cap_holds_while_a_later_version_waits)
{
	world_rows(&world);
	world.entries[0].share_cap_minutes_week = 300;
	world.lists[0].until_us = world.now_us + 30 * DAY_US;
	world.lists[world.rows.lists_count] = world.lists[0];
	world.lists[world.rows.lists_count].version = 2;
	world.lists[world.rows.lists_count].from_us = world.now_us + 30 * DAY_US;
	world.lists[world.rows.lists_count++].until_us = world.now_us + 60 * DAY_US;
	world_add_entry(&world, LIST_MALDON, 2, 1, 1);
	world.entries[world.rows.entries_count - 1].share_cap_minutes_week = 300;
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	world_declare(&world, "POOL-2", 300);
	world_place(&world, 30); /* 210 a week */
	cr_expect_eq(winner(), 1);
	world_place(&world, 30);
	cr_expect_eq(reason(0), REASON_SHARE_CAP);
	cr_expect_eq(winner(), 2);
	world_close(&world);
}

Test(match, who_has_not_the_carers_or_not_the_date_is_told_which)
{
	struct requirement *r;

	for (uint8_t gender = GENDER_FEMALE; gender <= GENDER_MALE; gender++) {
		world_rows(&world);
		world.providers[0].genders = gender == GENDER_MALE ? 1 : 2;
		world_open(&world);
		world_declare(&world, "POOL-2", 300);
		world.event.declare.pool = text_of("POOL-2");
		world.event.type = EVENT_DECLARE;
		world.event.declare.available_from_day = WORLD_TODAY + 9;
		world_step(&world);
		r = world_submit(&world, 30);
		r->gender = gender;
		r->latest_start_us = (WORLD_TODAY + 2) * DAY_US;
		world_step(&world);
		cr_expect_eq(reason(0), REASON_GENDER);
		cr_expect_eq(d->candidates[0].detail, gender);
		cr_expect_eq(reason(1), REASON_START_DATE);
		cr_expect_eq(d->candidates[1].detail, WORLD_TODAY + 9);
		world_close(&world);
	}
}

Test(match, who_is_passed_over_for_a_skill_or_a_limit_is_told_which)
{
	struct requirement *r;

	world_rows(&world);
	world.providers[0].skills = 1;
	world.providers[1].minutes_week_max = 200;
	world.providers[1].skills = world.providers[2].skills = 3;
	world.entries[2].share_cap_minutes_week = 209;
	world_open(&world);
	for (int pool = 0; pool < 3; pool++)
		world_declare(&world, world.pools[pool].code, 300);
	r = world_submit(&world, 30); /* 210 minutes a week */
	r->skill_count = 2;
	r->skills[0] = text_of("hoist");
	r->skills[1] = text_of("peg");
	world_step(&world);
	cr_expect(reason(0) == REASON_SKILL && d->candidates[0].detail == 1);
	cr_expect(reason(1) == REASON_HOURS_MAX && d->candidates[1].detail == 200);
	cr_expect(reason(2) == REASON_SHARE_CAP && d->candidates[2].detail == 209);
	world_close(&world);
}

/* Starts a week are a cap's alone. */
Test(match, a_paused_provider_is_closed_whatever_number_stands_beside_it)
{
	world_rows(&world);
	world.statuses[0] = (struct row_status){.provider_no = 1, .status_no = 1, .status = STATUS_PAUSED, .starts_week_max = 9,
						.until_us = INT64_MAX, .clause = "cl. 7"};
	world.rows.statuses_count = 1;
	world_open(&world);
	for (int pool = 0; pool < 3; pool++)
		world_declare(&world, world.pools[pool].code, 300);
	world_place(&world, 30);
	cr_expect(reason(0) == REASON_STATUS && winner() == 2);
	world_close(&world);
}
