/* test_event.c — the ranges that the core counts on, each at its edges. */
#include "kit/kit.h"

#include "unit/fixture.h"

KIT_SUITE(event);

static struct world world;

static struct event submission(void)
{
	world_submit(&world, 30);
	world.event.seq = 1;
	world.event.now_us = WORLD_TODAY * DAY_US;
	world.event.submit.excluded[0].provider = world.event.submit.skills[0] = text_of("a");
	world.event.submit.excluded_count = world.event.submit.skill_count = 1;
	return world.event;
}

static struct event declaration(void)
{
	return (struct event){.type = EVENT_DECLARE, .seq = 1, .declare = {.pool = text_of("P"), .expires_us = INSTANT_MAX_US}};
}

#define HOLDS(make, change)                                                                                            \
	do {                                                                                                           \
		struct event e = make();                                                                               \
		change;                                                                                                \
		cr_expect(event_holds(&e), "%s", #change);                                                             \
	} while (0)
#define BREAKS(make, change)                                                                                           \
	do {                                                                                                           \
		struct event e = make();                                                                               \
		change;                                                                                                \
		cr_expect(!event_holds(&e), "%s", #change);                                                            \
	} while (0)
/* From low to high, and no further. */
#define WITHIN(make, field, low, high)                                                                                 \
	do {                                                                                                           \
		HOLDS(make, e.field = (low));                                                                          \
		HOLDS(make, e.field = (high));                                                                         \
		BREAKS(make, e.field = (high) + 1);                                                                    \
	} while (0)
#define WITHIN_FROM_ONE(make, field, high)                                                                             \
	do {                                                                                                           \
		WITHIN(make, field, 1, high);                                                                          \
		BREAKS(make, e.field = 0);                                                                             \
	} while (0)

Test(event, its_place_and_time)
{
	WITHIN(submission, now_us, 0, INSTANT_MAX_US);
	BREAKS(submission, e.now_us = -1);
	HOLDS(submission, e.seq = 0); /* not stamped yet */
	BREAKS(submission, e.seq = -1);
	BREAKS(submission, e.type = (enum event_type)0);
	BREAKS(submission, e.type = (enum event_type)(EVENT_DECLARE + 1));
}

Test(event, the_codes_of_a_submission)
{
	WITHIN_FROM_ONE(submission, submit.service, SERVICE_LIVE_IN);
	WITHIN(submission, submit.client_group, 0, GROUP_MEMORY);
	WITHIN(submission, submit.gender, 0, GENDER_MALE);
	WITHIN_FROM_ONE(submission, submit.urgency, URGENCY_STANDARD);
	WITHIN_FROM_ONE(submission, submit.risk, RISK_GREEN);
	WITHIN_FROM_ONE(submission, submit.cover, COVER_PROVIDER);
	WITHIN_FROM_ONE(submission, submit.funding, FUNDING_SELF_FUNDER);
	WITHIN_FROM_ONE(submission, submit.regime, REGIME_PSR);
	WITHIN(submission, submit.prerequisites, 0, 3);
	WITHIN(submission, submit.ceiling_pence_hour, 0, CEILING_PENCE_HOUR_MAX);
}

Test(event, its_dates_are_of_this_millennium_or_none)
{
	const int32_t first = (int32_t)(INSTANT_MIN_US / DAY_US), last = (int32_t)(INSTANT_MAX_US / DAY_US);

	WITHIN(submission, submit.start_day, first, last);
	HOLDS(submission, e.submit.start_day = 0);
	BREAKS(submission, e.submit.start_day = first - 1);
	BREAKS(submission, e.submit.start_day = -1);
	WITHIN(submission, submit.need_arose_us, INSTANT_MIN_US, INSTANT_MAX_US);
	WITHIN(submission, submit.latest_start_us, INSTANT_MIN_US, INSTANT_MAX_US);
	WITHIN(submission, submit.cover_until_us, INSTANT_MIN_US, INSTANT_MAX_US);
	BREAKS(submission, e.submit.latest_start_us = INSTANT_MIN_US - 1);
	BREAKS(submission, e.submit.latest_start_us = -1);
}

Test(event, its_texts_and_lists)
{
	BREAKS(submission, e.submit.case_ref.len = 0);
	BREAKS(submission, e.submit.person_ref.len = 0);
	BREAKS(submission, e.submit.sector.len = 0);
	WITHIN(submission, submit.case_ref.len, 1, REF_BYTES_MAX);
	WITHIN(submission, submit.person_ref.len, 1, REF_BYTES_MAX);
	WITHIN(submission, submit.household_ref.len, 0, REF_BYTES_MAX);
	WITHIN(submission, submit.owner_ref.len, 0, REF_BYTES_MAX);
	WITHIN(submission, submit.bundle_ref.len, 0, REF_BYTES_MAX);
	WITHIN(submission, submit.language.len, 0, ID_BYTES_MAX);
	WITHIN_FROM_ONE(submission, submit.skills[0].len, ID_BYTES_MAX);
	WITHIN_FROM_ONE(submission, submit.excluded[0].provider.len, ID_BYTES_MAX);
	BREAKS(submission, e.submit.skill_count = 2); /* the second has no name */
	BREAKS(submission, e.submit.excluded_count = 2);
	BREAKS(submission, e.submit.skill_count = SKILLS_MAX + 1);
	BREAKS(submission, e.submit.excluded_count = EXCLUDED_MAX + 1);
}

Test(event, its_visits)
{
	BREAKS(submission, e.submit.visit_count = 0);
	BREAKS(submission, e.submit.visit_count = 2); /* the second is on no day */
	BREAKS(submission, e.submit.visit_count = VISITS_MAX + 1);
	HOLDS(submission, (e.submit.visits[1] = e.submit.visits[0], e.submit.visit_count = 2));
	BREAKS(submission, (e.submit.visits[1] = e.submit.visits[0], e.submit.visit_count = 2, e.submit.visits[0].days = 0));
	WITHIN_FROM_ONE(submission, submit.visits[0].days, 127);
	WITHIN_FROM_ONE(submission, submit.visits[0].minutes, VISIT_MINUTES_MAX);
	WITHIN_FROM_ONE(submission, submit.visits[0].carers, 2);
	WITHIN(submission, submit.visits[0].tolerance_minutes, 0, TOLERANCE_MINUTES_MAX);
	HOLDS(submission, (e.submit.visits[0].band = BANDS - 1, e.submit.visits[0].bands = 255));
	BREAKS(submission, (e.submit.visits[0].band = BANDS, e.submit.visits[0].bands = 255));
	BREAKS(submission, (e.submit.visits[0].band = 32, e.submit.visits[0].bands = 255));
	BREAKS(submission, e.submit.visits[0].bands = 255 & ~(1 << BAND_MORNING)); /* not where it is wanted */
}

Test(event, a_declaration)
{
	HOLDS(declaration, (void)e);
	BREAKS(declaration, e.declare.expires_us = 0);
	BREAKS(declaration, e.declare.expires_us = INSTANT_MAX_US + 1);
	BREAKS(declaration, e.declare.available_from_day = 1);
	WITHIN(declaration, declare.declared[0][0], 0, CELL_UNITS_MAX * UNIT_MINUTES);
	WITHIN(declaration, declare.declared[1][CELLS - 1], 0, CELL_UNITS_MAX * UNIT_MINUTES);
}

Test(event, a_change_names_a_package)
{
	static const enum event_type changes[] = {EVENT_CONFIRM, EVENT_WITHDRAW, EVENT_END};

	for (size_t i = 0; i < 3; i++) {
		struct event e = {.type = changes[i]};

		cr_expect(event_holds(&e));
		e.change.package_no = -1;
		cr_expect(!event_holds(&e));
	}
}
