#include "core/event.h"

#include "core/words.h"

#include <stddef.h>

#define US_A_DAY INT64_C(86400000000)

static bool is_within(int64_t n, int64_t low, int64_t high)
{
	return n >= low && n <= high;
}

static bool instant_holds(int64_t us)
{
	return us == 0 || is_within(us, INSTANT_MIN_US, INSTANT_MAX_US);
}

static bool day_holds(int32_t day)
{
	return day == 0 || is_within(day, INSTANT_MIN_US / US_A_DAY, INSTANT_MAX_US / US_A_DAY);
}

static bool visit_holds(const struct visit *v)
{
	return is_within(v->days, 1, 127) && v->band < BANDS && (v->bands >> v->band & 1) != 0 &&
	       is_within(v->minutes, 1, VISIT_MINUTES_MAX) && is_within(v->carers, 1, 2) &&
	       v->tolerance_minutes <= TOLERANCE_MINUTES_MAX;
}

static bool visits_hold(const struct requirement *q)
{
	bool held = is_within(q->visit_count, 1, VISITS_MAX);

	for (uint32_t i = 0; held && i < q->visit_count; i++)
		held = visit_holds(&q->visits[i]);
	return held;
}

static bool texts_hold(const struct requirement *q)
{
	const struct text *refs[] = {&q->case_ref, &q->person_ref, &q->household_ref, &q->owner_ref, &q->bundle_ref};
	bool held = q->case_ref.len > 0 && q->person_ref.len > 0 && q->sector.len > 0 && q->language.len <= ID_BYTES_MAX;

	if (q->skill_count > SKILLS_MAX || q->excluded_count > EXCLUDED_MAX)
		return false;
	for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++)
		held &= refs[i]->len <= REF_BYTES_MAX;
	for (uint32_t i = 0; i < q->skill_count; i++)
		held &= is_within(q->skills[i].len, 1, ID_BYTES_MAX);
	for (uint32_t i = 0; i < q->excluded_count; i++)
		held &= is_within(q->excluded[i].provider.len, 1, ID_BYTES_MAX);
	return held;
}

static bool requirement_holds(const struct requirement *q)
{
	return texts_hold(q) && is_within(q->service, SERVICE_PERSONAL_CARE, SERVICE_LIVE_IN) &&
	       is_within(q->client_group, GROUP_ANY, GROUP_MEMORY) && is_within(q->gender, GENDER_ANY, GENDER_MALE) &&
	       is_within(q->urgency, URGENCY_EMERGENCY, URGENCY_STANDARD) && is_within(q->risk, RISK_RED, RISK_GREEN) &&
	       is_within(q->cover, COVER_NONE, COVER_PROVIDER) && is_within(q->funding, FUNDING_COUNCIL, FUNDING_SELF_FUNDER) &&
	       is_within(q->regime, REGIME_CARE_ACT_S18, REGIME_PSR) && q->prerequisites <= 3 && day_holds(q->start_day) &&
	       q->ceiling_pence_hour <= CEILING_PENCE_HOUR_MAX && instant_holds(q->need_arose_us) &&
	       instant_holds(q->latest_start_us) && instant_holds(q->cover_until_us) && visits_hold(q);
}

static bool declaration_holds(const struct declaration *d)
{
	bool held = d->expires_us != 0 && instant_holds(d->expires_us) && day_holds(d->available_from_day);

	for (uint32_t i = 0; i < 2 * CELLS; i++)
		held &= d->declared[i / CELLS][i % CELLS] <= CELL_UNITS_MAX * UNIT_MINUTES;
	return held;
}

bool event_holds(const struct event *e)
{
	if (e->seq < 0 || !is_within(e->now_us, 0, INSTANT_MAX_US))
		return false;
	switch (e->type) {
	case EVENT_SUBMIT:
		return requirement_holds(&e->submit);
	case EVENT_DECLARE:
		return declaration_holds(&e->declare);
	case EVENT_CONFIRM:
	case EVENT_WITHDRAW:
	case EVENT_END:
		return e->change.package_no >= 0;
	}
	return false;
}
