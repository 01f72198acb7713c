/* reply_package.c — packages as stored, decisions explained, the journal and its events: what the store reads back. */
#include "base/check.h"
#include "core/record.h"
#include "core/words.h"
#include "wire/reply_parts.h"

#include <stdio.h>
#include <string.h>

static Calloff__V1__Visit *visit_message(const struct reply *r, uint32_t code, uint32_t facts)
{
	struct visit v = visit_of(code, facts);
	Calloff__V1__Visit *m = reply_array(r, 1, sizeof *m);

	calloff__v1__visit__init(m);
	m->days = v.days;
	m->band = (Calloff__V1__Band)(v.band + 1);
	m->minutes = v.minutes;
	m->carers = v.carers;
	m->time_critical = v.time_critical;
	m->tolerance_minutes = v.tolerance_minutes;
	m->shared_with_bundle = v.shared;
	m->also_bands = reply_array(r, BANDS, sizeof *m->also_bands);
	for (uint32_t band = 0; band < BANDS; band++) {
		if (band != v.band && (v.bands >> band & 1) != 0)
			m->also_bands[m->n_also_bands++] = (Calloff__V1__Band)(band + 1);
	}
	return m;
}

static char *sector_code(const struct reply *r, int32_t sector_no)
{
	uint32_t s = sector_no >= 0 && sector_no <= SECTORS_MAX ? r->framework->sector_by_no[sector_no] : UINT32_MAX;

	return (char *)(s != UINT32_MAX ? r->framework->sectors[s].code : "");
}

static char *district_name(const struct reply *r, int32_t district_no)
{
	for (uint32_t i = 0; i < r->framework->district_count; i++) {
		if (r->framework->districts[i].district_no == district_no)
			return (char *)r->framework->districts[i].name;
	}
	return (char *)"";
}

static void requirement_words(const struct reply *r, const struct package_view *p, Calloff__V1__Requirement *m)
{
	const struct framework *f = r->framework;

	m->skills = reply_array(r, f->skill_count, sizeof *m->skills);
	for (uint32_t i = 0; i < f->skill_count; i++) {
		if ((p->skills >> f->skills[i].number & 1) != 0)
			m->skills[m->n_skills++] = (char *)f->skills[i].code;
	}
	for (uint32_t i = 0; i < f->language_count; i++) {
		if (p->language > 0 && f->languages[i].number == p->language)
			m->language = (char *)f->languages[i].code;
	}
	m->excluded = reply_array(r, p->excluded_count, sizeof *m->excluded);
	for (uint32_t i = 0; i < p->excluded_count; i++) {
		Calloff__V1__Exclusion *e = m->excluded[m->n_excluded++] = reply_array(r, 1, sizeof *e);

		calloff__v1__exclusion__init(e);
		e->provider = reply_provider(r, p->excluded[i]);
	}
	m->visits = reply_array(r, p->visit_count, sizeof *m->visits);
	for (uint32_t i = 0; i < p->visit_count; i++)
		m->visits[m->n_visits++] = visit_message(r, p->visits[i], p->facts[i]);
}

static Calloff__V1__Requirement *requirement_message(const struct reply *r, const struct package_view *p)
{
	Calloff__V1__Requirement *m = reply_array(r, 1, sizeof *m);

	calloff__v1__requirement__init(m);
	m->case_ref = reply_text(r, p->case_ref);
	m->person_ref = reply_text(r, p->person_ref);
	m->household_ref = reply_text(r, p->household_ref);
	m->owner_ref = reply_text(r, p->owner_ref);
	m->bundle_ref = reply_text(r, p->bundle_ref);
	m->sector = sector_code(r, p->sector_no);
	m->district = district_name(r, p->district_no);
	m->service = (Calloff__V1__Service)p->service;
	m->client_group = (Calloff__V1__ClientGroup)p->client_group;
	m->carer_gender = (Calloff__V1__CarerGender)p->gender;
	m->urgency = (Calloff__V1__Urgency)p->urgency;
	m->risk = (Calloff__V1__Risk)p->risk;
	m->cover = (Calloff__V1__Cover)p->cover;
	m->cover_until_us = p->cover_until_us;
	m->need_arose_us = p->need_arose_us;
	m->start_date = reply_date(r, p->start_day);
	m->latest_safe_start_us = p->latest_start_us;
	m->ceiling_pence_hour = p->ceiling_pence_hour;
	m->funding = (Calloff__V1__Funding)p->funding;
	m->legal_regime = (Calloff__V1__LegalRegime)p->regime;
	m->needs_equipment = (p->prerequisites & 1) != 0;
	m->needs_key_safe = (p->prerequisites & 2) != 0;
	requirement_words(r, p, m);
	return m;
}

static Calloff__V1__Placement *placement_message(const struct reply *r, const struct placed *p)
{
	Calloff__V1__Placement *m = reply_array(r, 1, sizeof *m);

	calloff__v1__placement__init(m);
	m->role = (Calloff__V1__PlacementRole)p->role;
	m->provider = reply_provider(r, p->provider_no);
	m->route = (Calloff__V1__Route)p->route;
	m->tier = p->tier;
	m->rank = p->rank;
	m->list = reply_list_code(r, p->list_no);
	m->pool = reply_pool_code(r, p->pool_no);
	m->price_pence_week = p->price_pence_week;
	m->carer_minutes_week = p->carer_minutes_week;
	m->start_date = reply_date(r, p->start_day);
	m->exit_date = p->exit_day > 0 ? reply_date(r, p->exit_day) : (char *)"";
	m->bands = reply_array(r, p->demand_count, sizeof *m->bands);
	for (uint32_t i = 0; i < p->demand_count; i++)
		m->bands[m->n_bands++] = (Calloff__V1__Band)(visit_code_band(p->demand[i]) + 1);
	return m;
}

static Calloff__V1__Package *package_message(const struct reply *r, const struct package_view *p)
{
	Calloff__V1__Package *m = reply_array(r, 1, sizeof *m);

	calloff__v1__package__init(m);
	m->package = reply_package_id(r, p->package_no);
	m->state = (Calloff__V1__PackageState)p->state;
	m->requirement_version = (uint32_t)p->requirement_version;
	m->requirement = requirement_message(r, p);
	m->list = reply_list_code(r, p->list_no);
	m->changed_seq = p->changed_seq;
	m->placements = reply_array(r, p->placed_count, sizeof *m->placements);
	for (uint32_t i = 0; i < p->placed_count; i++)
		m->placements[m->n_placements++] = placement_message(r, &p->placed[i]);
	return m;
}

static Calloff__V1__Package **packages_message(const struct reply *r, const struct package_view *packages, size_t count)
{
	Calloff__V1__Package **list = reply_array(r, count, sizeof *list);

	for (size_t i = 0; i < count; i++)
		list[i] = package_message(r, &packages[i]);
	return list;
}

void reply_packages(const struct reply *r, const struct package_view *packages, size_t count)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetPackageResponse m = CALLOFF__V1__GET_PACKAGE_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.packages = packages_message(r, packages, count);
	m.n_packages = count;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_PACKAGE_RESPONSE;
	e.get_package_response = &m;
	reply_send(r, &e);
}

void reply_package_page(const struct reply *r, const struct package_view *packages, size_t count, int64_t next)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListPackagesResponse m = CALLOFF__V1__LIST_PACKAGES_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.packages = packages_message(r, packages, count);
	m.n_packages = count;
	m.next = next;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_PACKAGES_RESPONSE;
	e.list_packages_response = &m;
	reply_send(r, &e);
}

/* ---- why ---- */

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* "bed Sat paired: needs 30 min, has 10", in the unit of the service. */
static void capacity_sentence(const struct candidate *c, int service, char *to, size_t size)
{
	uint32_t cell = c->cell_plane / 2u;
	bool time = service == SERVICE_PERSONAL_CARE;
	uint32_t unit = time ? UNIT_MINUTES : 1;

	snprintf(to, size, "%s %s%s: needs %u%s, has %u", band_word((int)(cell % BANDS)), day_names[cell / BANDS],
		 c->cell_plane % 2 == 1 ? ", two carers together" : "", c->need * unit,
		 time ? " min" : service == SERVICE_LIVE_IN ? " place" : " night", c->free * unit);
}

static const char *word_of_number(const struct row_word *words, uint32_t count, int32_t number)
{
	for (uint32_t i = 0; i < count; i++) {
		if (words[i].number == number)
			return words[i].code;
	}
	return "?";
}

static void candidate_sentence(const struct reply *r, const struct candidate *c, int service, char *to, size_t size)
{
	const struct framework *f = r->framework;

	switch ((enum reason)c->reason) {
	case REASON_OVERHANG:
	case REASON_PAIR_SHORT:
	case REASON_TIME_SHORT:
		capacity_sentence(c, service, to, size);
		return;
	case REASON_STATUS:
		snprintf(to, size, "%s", status_text(c->detail));
		return;
	case REASON_RATING:
		snprintf(to, size, "%s: %s", reason_text(c->reason), rating_text(c->detail));
		return;
	case REASON_SKILL:
		snprintf(to, size, "%s: %s", reason_text(c->reason), word_of_number(f->skills, f->skill_count, c->detail));
		return;
	case REASON_LANGUAGE:
		snprintf(to, size, "%s: %s", reason_text(c->reason), word_of_number(f->languages, f->language_count, c->detail));
		return;
	case REASON_GENDER:
		snprintf(to, size, "no %s", gender_text(c->detail));
		return;
	case REASON_PRICE_OVER_CEILING:
		snprintf(to, size, "%s: %d.%02d an hour", reason_text(c->reason), c->detail / 100, c->detail % 100);
		return;
	case REASON_SHARE_CAP:
	case REASON_HOURS_MAX:
		snprintf(to, size, "%s: %d h a week", reason_text(c->reason), c->detail / 60);
		return;
	case REASON_START_DATE:
		snprintf(to, size, "%s: from %s", reason_text(c->reason), reply_date(r, c->detail));
		return;
	case REASON_STARTS_A_DAY:
		snprintf(to, size, "%s: %d a day", reason_text(c->reason), c->detail);
		return;
	case REASON_CHOSEN:
	case REASON_NOT_REACHED:
	case REASON_ROUTE_CLOSED:
	case REASON_NOT_COVERED:
	case REASON_EXCLUDED:
	case REASON_CAPACITY_UNKNOWN:
	case REASON_HELD:
		snprintf(to, size, "%s", reason_text(c->reason));
		return;
	}
	snprintf(to, size, "%s", "a reason this engine does not know");
}

static const char *candidate_clause(const struct framework *f, const struct decision *d, const struct candidate *c)
{
	/* a status carries the clause it was set under; the live one of that kind is the best this snapshot knows */
	for (uint32_t i = 0; c->reason == REASON_STATUS && i < f->status_count; i++) {
		if (f->statuses[i].provider_no == c->provider_no && f->statuses[i].status == c->detail)
			return f->statuses[i].clause;
	}
	for (uint32_t i = 0; i < f->policy_count; i++) {
		if (f->policies[i].policy_no == d->policy_no)
			return framework_clause(f, i, c->reason);
	}
	return "";
}

static Calloff__V1__Candidate *candidate_message(const struct reply *r, const struct decision *d,
						 const struct candidate *c, int service)
{
	uint32_t unit = service == SERVICE_PERSONAL_CARE ? UNIT_MINUTES : 1;
	Calloff__V1__Candidate *m = reply_array(r, 1, sizeof *m);

	calloff__v1__candidate__init(m);
	m->provider = reply_provider(r, c->provider_no);
	m->route = (Calloff__V1__Route)c->route;
	m->tier = c->tier;
	m->rank = c->rank;
	m->reason = (char *)reason_word(c->reason);
	m->sentence = reply_array(r, 96, 1);
	candidate_sentence(r, c, service, m->sentence, 96);
	m->clause = c->reason == REASON_CHOSEN ? (char *)"" : (char *)candidate_clause(r->framework, d, c);
	if (c->cell_plane == UINT8_MAX)
		return m;
	m->need = c->need * unit;
	m->free = c->free * unit;
	m->paired = c->cell_plane % 2 == 1;
	m->day = c->cell_plane / 2u / BANDS + 1;
	m->band = (Calloff__V1__Band)(c->cell_plane / 2u % BANDS + 1);
	return m;
}

static Calloff__V1__Decision *decision_message(const struct reply *r, const struct record_view *view, struct event *event,
					       struct update *update, int service)
{
	const struct decision *d = &update->decision;
	struct stamp stamp;
	Calloff__V1__Decision *m;

	if (record_decode(view->record, view->len, event, update, &stamp) != ERR_OK || update->round_count == 0)
		return NULL; /* erased */
	m = reply_array(r, 1, sizeof *m);
	calloff__v1__decision__init(m);
	m->seq = event->seq;
	m->decided_us = event->now_us;
	m->list = reply_list_code(r, d->list_no);
	m->list_version = (uint32_t)d->list_version;
	m->policy = (char *)"";
	for (uint32_t i = 0; i < r->framework->policy_count; i++) {
		const struct row_policy *p = &r->framework->policies[i];

		if (p->policy_no != d->policy_no)
			continue;
		m->simulated = p->award_style == AWARD_DIRECT;
		m->policy = reply_array(r, 64, 1);
		snprintf(m->policy, 64, "%s v%d: %s, %s", p->code, p->version, award_word(p->award_style),
			 confirmation_word(p->confirmation));
	}
	m->requirement_version = (uint32_t)update->rounds[0].requirement_version;
	m->outcome = (char *)round_outcome_word(d->outcome);
	m->not_reached = d->not_reached;
	m->rules_version = stamp.rules_version;
	m->receipt = reply_receipt(r, &view->receipt);
	m->candidates = reply_array(r, d->looked_at, sizeof *m->candidates);
	for (uint32_t i = 0; i < d->looked_at; i++)
		m->candidates[m->n_candidates++] = candidate_message(r, d, &d->candidates[i], service);
	return m;
}

void reply_explain(const struct reply *r, const struct package_view *package, const struct record_view *rounds, size_t count)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ExplainPackageResponse m = CALLOFF__V1__EXPLAIN_PACKAGE_RESPONSE__INIT;
	static struct update update; /* 10 kB: one loop, one reply at a time */
	static struct event event;

	arena_reset(r->scratch);
	m.package = package_message(r, package);
	m.decisions = reply_array(r, count, sizeof *m.decisions);
	for (size_t i = 0; i < count; i++) {
		Calloff__V1__Decision *d = decision_message(r, &rounds[i], &event, &update, package->service);

		if (d != NULL)
			m.decisions[m.n_decisions++] = d;
	}
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_EXPLAIN_PACKAGE_RESPONSE;
	e.explain_package_response = &m;
	reply_send(r, &e);
}

/* ---- the journal ---- */

static ProtobufCBinaryData binary(const uint8_t *bytes, size_t len)
{
	return (ProtobufCBinaryData){len, (uint8_t *)bytes};
}

void reply_journal(const struct reply *r, const struct journal_view *rows, size_t count, int64_t head_seq,
		   const uint8_t head_hash[32])
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ReadJournalResponse m = CALLOFF__V1__READ_JOURNAL_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.head_seq = head_seq;
	m.head_hash = binary(head_hash, 32);
	m.rows = reply_array(r, count, sizeof *m.rows);
	for (size_t i = 0; i < count; i++) {
		const struct journal_view *v = &rows[i];
		size_t events = (size_t)(v->last_seq - v->first_seq + 1);
		Calloff__V1__JournalRow *row = m.rows[m.n_rows++] = reply_array(r, 1, sizeof *row);

		calloff__v1__journal_row__init(row);
		row->first_seq = v->first_seq;
		row->last_seq = v->last_seq;
		row->epoch = v->epoch;
		row->clock_us = v->clock_us;
		row->framework_version = v->framework_version;
		row->prev_hash = binary(v->prev_hash, 32);
		row->row_hash = binary(v->row_hash, 32);
		row->leaves = binary(v->leaves, 32 * events);
		row->salts = binary(v->salts, 32 * events);
		row->records = reply_array(r, events, sizeof *row->records);
		for (size_t k = 0; k < events; k++)
			row->records[row->n_records++] = binary(v->records[k].record, v->records[k].len);
	}
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_READ_JOURNAL_RESPONSE;
	e.read_journal_response = &m;
	reply_send(r, &e);
}

void reply_subscribed(const struct reply *r, int64_t from_seq)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubscribeResponse m = CALLOFF__V1__SUBSCRIBE_RESPONSE__INIT;

	m.from_seq = from_seq;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBSCRIBE_RESPONSE;
	e.subscribe_response = &m;
	reply_send(r, &e);
}

static const char *event_kind(enum event_type type)
{
	switch (type) {
	case EVENT_SUBMIT:
		return "package_submitted";
	case EVENT_CONFIRM:
		return "package_confirmed";
	case EVENT_WITHDRAW:
		return "package_withdrawn";
	case EVENT_END:
		return "package_ended";
	case EVENT_DECLARE:
		return "capacity_declared";
	}
	UNREACHABLE();
}

static Calloff__V1__Event *event_message(const struct reply *r, const struct record_view *view)
{
	static struct update update; /* as in reply_explain */
	static struct event event;
	struct stamp stamp;
	const struct outcome *o = &update.outcome;
	Calloff__V1__Event *m;

	if (record_decode(view->record, view->len, &event, &update, &stamp) != ERR_OK || o->refusal != 0)
		return NULL;
	m = reply_array(r, 1, sizeof *m);
	calloff__v1__event__init(m);
	m->seq = event.seq;
	m->at_us = event.now_us;
	m->kind = (char *)event_kind(event.type);
	m->package = o->package_no > 0 ? reply_package_id(r, o->package_no) : (char *)"";
	m->state = (Calloff__V1__PackageState)o->state;
	m->provider = reply_provider(r, o->provider_no);
	m->pool = event.type == EVENT_DECLARE ? reply_pool_code(r, o->pool_no) : (char *)"";
	return m;
}

bool reply_events(const struct reply *r, const struct journal_view *rows, size_t count, int64_t after_seq)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__EventBatch m = CALLOFF__V1__EVENT_BATCH__INIT;
	size_t total = 0;

	arena_reset(r->scratch);
	for (size_t i = 0; i < count; i++)
		total += (size_t)(rows[i].last_seq - rows[i].first_seq + 1);
	m.events = reply_array(r, total, sizeof *m.events);
	for (size_t i = 0; i < count; i++) {
		for (int64_t seq = rows[i].first_seq; seq <= rows[i].last_seq; seq++) {
			Calloff__V1__Event *event =
				seq > after_seq ? event_message(r, &rows[i].records[seq - rows[i].first_seq]) : NULL;

			if (event != NULL)
				m.events[m.n_events++] = event;
		}
	}
	if (m.n_events == 0)
		return false;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_EVENT_BATCH;
	e.event_batch = &m;
	reply_send(r, &e);
	return true;
}
