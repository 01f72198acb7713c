#include "unit/examples.h"

#include "core/words.h"

#include <string.h>

static struct text say(const char *s)
{
	return (struct text){s, (uint32_t)strlen(s)};
}

static struct text long_text(uint32_t len)
{
	return (struct text){"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:/-_0123abcd", len};
}

static void example_requirement(struct requirement *r)
{
	*r = (struct requirement){
		.case_ref = say("C-2041"),
		.person_ref = say("X-77"),
		.household_ref = say("H-3"),
		.owner_ref = say("o.smith"),
		.sector = say("CM0 7"),
		.district = say("Maldon"),
		.language = say("pl"),
		.skills = {say("hoist"), say("peg")},
		.excluded = {{say("PRV-C"), say("complaint")}},
		.skill_count = 2,
		.excluded_count = 1,
		.visit_count = 2,
		.service = SERVICE_PERSONAL_CARE,
		.client_group = GROUP_OLDER_PEOPLE,
		.gender = GENDER_FEMALE,
		.urgency = URGENCY_HOSPITAL_PLANNED,
		.risk = RISK_AMBER,
		.cover = COVER_WARD,
		.funding = FUNDING_JOINT,
		.regime = REGIME_CARE_ACT_S19,
		.prerequisites = 3,
		.start_day = 20456,
		.ceiling_pence_hour = 2600,
		.need_arose_us = 1767268800000000,
		.latest_start_us = 1767528000000000,
		.cover_until_us = 1767614400000000,
	};
	r->visits[0] = (struct visit){.days = 127,
				      .band = 1,
				      .bands = 2,
				      .carers = 2,
				      .tolerance_minutes = 30,
				      .time_critical = true,
				      .minutes = 45};
	r->visits[1] = (struct visit){.days = 31, .band = 5, .bands = 0x60, .carers = 1, .minutes = 30};
}

static void example_new(struct example *e)
{
	struct new_package *n = &e->update.packages[0];
	const struct requirement *r = &e->event.submit;

	*n = (struct new_package){
		.package_no = e->event.seq,
		.requirement = r,
		.list_no = 5,
		.sector_no = 201,
		.skills = 3,
		.start_day = 20456,
		.latest_day = 20457,
		.language = 1,
		.district_no = 7,
		.state = STATE_PLACED,
		.visit_count = (uint8_t)r->visit_count,
		.excluded_count = (uint8_t)r->excluded_count,
	};
	for (uint32_t i = 0; i < r->visit_count; i++) {
		n->visits[i] = visit_code(r->visits[i].days, r->visits[i].band, r->visits[i].carers == 2, 9);
		n->facts[i] = visit_facts(&r->visits[i]);
	}
	for (uint32_t i = 0; i < r->excluded_count; i++)
		n->excluded[i] = (int32_t)(3 + i);
	e->update.new_count = 1;
}

static void example_decision(struct update *u, int64_t package_no, uint32_t looked_at)
{
	struct decision *d = &u->decision;

	*d = (struct decision){.list_no = 5,
			       .list_version = 2,
			       .policy_no = 1,
			       .outcome = ROUND_OUTCOME_NOMINATED,
			       .looked_at = (uint16_t)looked_at,
			       .not_reached = 4};
	for (uint32_t i = 0; i < looked_at; i++)
		d->candidates[i] = (struct candidate){.provider_no = (int32_t)(100 + i),
						      .rank = (uint16_t)(i + 1),
						      .route = ROUTE_FRAMEWORK,
						      .tier = 1,
						      .reason = REASON_STATUS,
						      .detail = STATUS_PAUSED,
						      .cell_plane = UINT8_MAX};
	if (looked_at > 1)
		d->candidates[1] = (struct candidate){.provider_no = 101,
						      .rank = 2,
						      .route = ROUTE_FRAMEWORK,
						      .tier = 1,
						      .reason = REASON_PAIR_SHORT,
						      .cell_plane = 83,
						      .need = 9,
						      .free = 2};
	d->candidates[looked_at - 1].reason = REASON_CHOSEN;
	d->candidates[looked_at - 1].detail = 0;
	u->rounds[0] = (struct round){package_no, 1};
	u->round_count = 1;
}

static void example_placed(struct placed *m, int64_t package_no, uint32_t demand_count)
{
	*m = (struct placed){
		.package_no = package_no,
		.pool_no = 31,
		.provider_no = 102,
		.list_no = 5,
		.start_day = 20456,
		.price_pence_week = 39560,
		.carer_minutes_week = 780,
		.rank = 3,
		.role = ROLE_MAIN,
		.route = ROUTE_FRAMEWORK,
		.tier = 1,
		.demand_count = (uint8_t)demand_count,
	};
	for (uint32_t i = 0; i < demand_count; i++)
		m->demand[i] = visit_code(127, i % BANDS, i % 2 == 0, 9);
}

static void example_placed_outcome(struct update *u)
{
	const struct placed *m = &u->made[u->made_count - 1];
	struct outcome *o = &u->outcome;

	o->package_no = m->package_no;
	o->provider_no = m->provider_no;
	o->list_no = m->list_no;
	o->pool_no = m->pool_no;
	o->start_day = m->start_day;
	o->price_pence_week = m->price_pence_week;
	o->carer_minutes_week = m->carer_minutes_week;
	o->rank = m->rank;
	o->role = m->role;
	o->route = m->route;
	o->tier = m->tier;
	o->band_count = m->demand_count;
	for (uint32_t i = 0; i < m->demand_count; i++)
		o->bands[i] = (uint8_t)visit_code_band(m->demand[i]);
	o->simulated = true;
}

static void example_chosen(struct example *e)
{
	struct update *u = &e->update;

	example_requirement(&e->event.submit);
	example_new(e);
	example_decision(u, e->event.seq, 3);
	example_placed(&u->made[0], e->event.seq, 2);
	u->made_count = 1;
	u->outcome.state = STATE_PLACED;
	u->outcome.looked_at = 3;
	example_placed_outcome(u);
}

static void example_nobody(struct example *e)
{
	example_requirement(&e->event.submit);
	example_new(e);
	e->update.packages[0].state = e->update.outcome.state = STATE_UNSOURCED;
	example_decision(&e->update, e->event.seq, 2);
	e->update.decision.outcome = ROUND_OUTCOME_NOBODY;
	e->update.decision.not_reached = 0;
	e->update.outcome.package_no = e->event.seq;
	e->update.outcome.looked_at = 2;
}

static void example_change(struct example *e, enum event_type type, uint8_t from, uint8_t to)
{
	e->event.type = type;
	e->event.change.package_no = 10482;
	e->event.change.reason = type == EVENT_CONFIRM ? say("") : say("hospital");
	e->event.change.with_budget_authority = type == EVENT_CONFIRM;
	e->update.outcome.type = (uint8_t)type;
	e->update.outcome.package_no = 10482;
	e->update.outcome.state = to;
	e->update.changes[0] = (struct state_change){10482, from, to};
	e->update.change_count = 1;
}

/* One of two who live together leaves: the visit it carried passes to the other. */
static void example_end(struct example *e)
{
	example_change(e, EVENT_END, STATE_LIVE, STATE_ENDED);
	e->update.ended[0] = (struct ended){10482, ROLE_MAIN};
	e->update.ended[1] = (struct ended){10481, ROLE_MAIN};
	e->update.ended_count = 2;
	example_placed(&e->update.made[0], 10481, 5);
	e->update.made_count = 1;
}

static void example_declare(struct example *e)
{
	struct declaration *d = &e->event.declare;
	struct declared *out = &e->update.declared[0];

	e->event.type = EVENT_DECLARE;
	*d = (struct declaration){
		.pool = say("MAL04-TIME-1"), .expires_us = 1768000000000000, .available_from_day = 20460};
	*out = (struct declared){
		.pool_no = 31, .expires_us = d->expires_us, .available_from_day = d->available_from_day};
	for (uint32_t i = 0; i < 2 * CELLS; i++) {
		d->declared[i / CELLS][i % CELLS] = 5 * i;
		out->units[i / CELLS][i % CELLS] = (uint16_t)i;
	}
	e->update.declared_count = 1;
	e->update.outcome.type = EVENT_DECLARE;
	e->update.outcome.pool_no = 31;
	e->update.outcome.cells_over = 6;
}

static void example_largest_requirement(struct requirement *r)
{
	example_requirement(r);
	r->case_ref = r->person_ref = r->household_ref = r->owner_ref = r->bundle_ref = r->district =
		long_text(REF_BYTES_MAX);
	r->language = long_text(ID_BYTES_MAX);
	r->skill_count = SKILLS_MAX;
	r->excluded_count = EXCLUDED_MAX;
	r->visit_count = VISITS_MAX;
	for (uint32_t i = 0; i < SKILLS_MAX; i++)
		r->skills[i] = long_text(ID_BYTES_MAX);
	for (uint32_t i = 0; i < EXCLUDED_MAX; i++)
		r->excluded[i] = (struct exclusion){long_text(ID_BYTES_MAX), long_text(ID_BYTES_MAX)};
	for (uint32_t i = 0; i < VISITS_MAX; i++)
		r->visits[i] = (struct visit){.days = 127,
					      .band = (uint8_t)(i % BANDS),
					      .bands = 255,
					      .carers = 2,
					      .tolerance_minutes = 120,
					      .time_critical = true,
					      .shared = true,
					      .minutes = 1440};
}

/* More than any real event: every list full, every optional part there. */
static void example_largest(struct example *e)
{
	struct update *u = &e->update;

	e->event.principal = long_text(CLIENT_BYTES_MAX);
	example_largest_requirement(&e->event.submit);
	example_new(e);
	example_decision(u, e->event.seq, LIST_ENTRIES_MAX);
	for (uint32_t i = 0; i < LIST_ENTRIES_MAX; i++)
		u->decision.candidates[i] = (struct candidate){.provider_no = INT32_MAX,
							       .detail = INT32_MIN,
							       .rank = UINT16_MAX,
							       .need = UINT16_MAX,
							       .free = UINT16_MAX,
							       .route = 15,
							       .tier = 15,
							       .reason = 63,
							       .cell_plane = 111};
	for (uint32_t i = 0; i < BUNDLE_PACKAGES; i++) {
		u->rounds[i] = (struct round){INT64_MAX, INT16_MAX};
		u->changes[i] = (struct state_change){INT64_MAX, 255, 255};
		example_placed(&u->made[i], INT64_MAX, VISITS_MAX);
	}
	u->round_count = u->change_count = u->made_count = BUNDLE_PACKAGES;
	for (uint32_t i = 0; i < 4; i++)
		u->ended[i] = (struct ended){INT64_MAX, 255};
	u->ended_count = 4;
	u->declared[0] = (struct declared){.pool_no = INT32_MAX, .expires_us = INT64_MAX};
	memset(u->declared[0].units, 0xff, sizeof u->declared[0].units);
	u->declared_count = 1;
	example_placed_outcome(u);
	u->outcome.confirm_by_us = INT64_MAX;
	memset(u->outcome.field, 'f', sizeof u->outcome.field - 1);
}

void example_make(enum example_name name, struct example *e)
{
	memset(e, 0, sizeof *e);
	e->event.type = EVENT_SUBMIT;
	e->event.seq = 10482;
	e->event.now_us = 1767268812345678;
	e->event.principal = say("unix:1000");
	e->stamp.framework_version = 41;
	e->stamp.rules_version = RULES_VERSION;
	for (uint32_t i = 0; i < RECORD_KEY_BYTES; i++)
		e->stamp.key[i] = (uint8_t)(0x10 * i + 7);
	e->update.outcome.type = EVENT_SUBMIT;
	switch (name) {
	case EXAMPLE_CHOSEN:
		example_chosen(e);
		return;
	case EXAMPLE_NOBODY:
		example_nobody(e);
		return;
	case EXAMPLE_REFUSED:
		example_change(e, EVENT_WITHDRAW, STATE_LIVE, STATE_LIVE);
		e->update.change_count = 0;
		e->update.outcome.refusal = ERR_WRONG_STATE;
		memcpy(e->update.outcome.field, "package", 8);
		return;
	case EXAMPLE_CONFIRM:
		example_change(e, EVENT_CONFIRM, STATE_PROVISIONAL, STATE_PLACED);
		return;
	case EXAMPLE_WITHDRAW:
		example_change(e, EVENT_WITHDRAW, STATE_PROVISIONAL, STATE_WITHDRAWN);
		e->update.ended[0] = (struct ended){10482, ROLE_MAIN};
		e->update.ended_count = 1;
		return;
	case EXAMPLE_END:
		example_end(e);
		return;
	case EXAMPLE_DECLARE:
		example_declare(e);
		return;
	case EXAMPLE_LARGEST:
		example_largest(e);
		return;
	case EXAMPLE_COUNT:
		return;
	}
}

const char *example_word(enum example_name name)
{
	static const char *const words[] = {
#define X(name_, word) word,
		EXAMPLE_MAP(X)
#undef X
	};

	return words[name];
}
