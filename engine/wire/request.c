#include "wire/request.h"

#include "core/words.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <string.h>

struct parsing {
	struct request *r;
};

static void violate(struct parsing *p, const char *field, const char *problem)
{
	struct violation *v;

	if (p->r->violation_count == VIOLATIONS_MAX)
		return;
	v = &p->r->violations[p->r->violation_count++];
	snprintf(v->field, sizeof v->field, "%s", field);
	snprintf(v->problem, sizeof v->problem, "%s", problem);
}

static void violate_visit(struct parsing *p, size_t index, const char *field, const char *problem)
{
	char path[48];

	snprintf(path, sizeof path, "requirement.visits[%u].%s", (unsigned)(index % VISITS_MAX), field);
	violate(p, path, problem);
}

static struct text parse_text(struct parsing *p, const char *s, enum text_kind kind, const char *field, bool required)
{
	struct text t;
	const char *wrong = unpack_text(s, kind, &t);

	if (wrong != NULL)
		violate(p, field, wrong);
	else if (required && t.len == 0)
		violate(p, field, "is required");
	return t;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int64_t package_no_of(struct text id)
{
	int64_t n = 0;

	if (id.len < 3 || id.len > 20 || id.bytes[0] != 'P' || id.bytes[1] != '-')
		return -1;
	for (uint32_t i = 2; i < id.len; i++) {
		if (!is_digit(id.bytes[i]))
			return -1;
		n = n * 10 + (id.bytes[i] - '0');
	}
	return n;
}

int64_t request_key_ms(const uint8_t key[16])
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | key[i];
	return ms;
}

/* Days since 1970-01-01 of a civil date (proleptic Gregorian; Hinnant's formula). */
static int32_t day_of_date(int32_t y, int32_t m, int32_t d)
{
	int32_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int32_t parse_date(struct parsing *p, const char *s, const char *field)
{
	static const int32_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	struct text t = parse_text(p, s, TEXT_ID, field, false);
	int32_t y, m, d;

	if (t.len == 0)
		return 0;
	for (uint32_t i = 0; i < t.len; i++) {
		if (t.len != 10 || (i == 4 || i == 7 ? t.bytes[i] != '-' : !is_digit(t.bytes[i]))) {
			violate(p, field, "is not a date like 2026-12-19");
			return 0;
		}
	}
	y = (t.bytes[0] - '0') * 1000 + (t.bytes[1] - '0') * 100 + (t.bytes[2] - '0') * 10 + t.bytes[3] - '0';
	m = (t.bytes[5] - '0') * 10 + t.bytes[6] - '0';
	d = (t.bytes[8] - '0') * 10 + t.bytes[9] - '0';
	if (y < 2000 || y > 2999 || m < 1 || m > 12 || d < 1 || d > month_days[m - 1] ||
	    (m == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))) {
		violate(p, field, "is not a day of the calendar");
		return 0;
	}
	return day_of_date(y, m, d);
}

/* "cm07", "CM0 7" -> "CM0 7". */
static struct text parse_sector(struct parsing *p, const char *s)
{
	struct text t = parse_text(p, s, TEXT_NAME, "requirement.sector", true);
	char letters[8];
	uint32_t len = 0;

	for (uint32_t i = 0; i < t.len; i++) {
		char c = t.bytes[i];

		if (c == ' ')
			continue;
		if (len == sizeof letters - 2)
			break;
		letters[len++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	}
	if (t.len == 0)
		return t;
	if (len < 3 || len > 5 || !is_digit(letters[len - 1])) {
		violate(p, "requirement.sector", "is not a postcode sector like CM0 7: never a full postcode");
		return t;
	}
	memcpy(p->r->sector, letters, len - 1);
	p->r->sector[len - 1] = ' ';
	p->r->sector[len] = letters[len - 1];
	return (struct text){p->r->sector, len + 1};
}

static uint8_t parse_code(struct parsing *p, int number, int low, int high, const char *field)
{
	if (number < low || number > high) {
		violate(p, field, number == 0 ? "is required" : "is not a value this engine knows");
		return 0;
	}
	return (uint8_t)number;
}

static void parse_visit(struct parsing *p, size_t i, const Calloff__V1__Visit *in, int service, struct visit *v)
{
	bool nights = service != SERVICE_PERSONAL_CARE;

	*v = (struct visit){.time_critical = in->time_critical != 0, .shared = in->shared_with_bundle != 0};
	if (in->days < 1 || in->days > 127)
		violate_visit(p, i, "days", "must name days: bits 1 (Monday) to 64 (Sunday)");
	if ((int)in->band < 1 || (int)in->band > BANDS) /* the enum is unsigned: -1 would pass */
		violate_visit(p, i, "band", "is required");
	else if (nights && in->band != CALLOFF__V1__BAND__BAND_NIGHT)
		violate_visit(p, i, "band", "nights and live-in care go in the night band");
	if (in->minutes < 5 || in->minutes > VISIT_MINUTES_MAX || in->minutes % UNIT_MINUTES != 0)
		violate_visit(p, i, "minutes", "must be 5 to 1440, a multiple of 5");
	if (in->carers < 1 || in->carers > 2 || (nights && in->carers != 1))
		violate_visit(p, i, "carers", nights ? "must be 1 for nights and live-in care" : "must be 1 or 2");
	if (in->tolerance_minutes > TOLERANCE_MINUTES_MAX)
		violate_visit(p, i, "tolerance_minutes", "must be at most 120");
	if (in->n_also_bands > BANDS)
		violate_visit(p, i, "also_bands", "names more bands than there are");
	v->days = (uint8_t)in->days;
	v->minutes = (uint16_t)in->minutes;
	v->carers = (uint8_t)in->carers;
	v->tolerance_minutes = (uint8_t)in->tolerance_minutes;
	if ((int)in->band >= 1 && (int)in->band <= BANDS) {
		v->band = (uint8_t)(in->band - 1);
		v->bands = (uint8_t)(1u << v->band);
	}
	for (size_t b = 0; b < in->n_also_bands && b < BANDS; b++) {
		if ((int)in->also_bands[b] < 1 || (int)in->also_bands[b] > BANDS || nights)
			violate_visit(p, i, "also_bands", "is not a band this visit may take");
		else
			v->bands |= (uint8_t)(1u << (in->also_bands[b] - 1));
	}
}

static void parse_visits(struct parsing *p, const Calloff__V1__Requirement *in, struct requirement *q)
{
	uint32_t minutes_day[DAYS] = {0};

	if (in->n_visits < 1 || in->n_visits > VISITS_MAX) {
		violate(p, "requirement.visits", "must be 1 to 32 visits");
		return;
	}
	q->visit_count = (uint32_t)in->n_visits;
	for (size_t i = 0; i < in->n_visits; i++) {
		parse_visit(p, i, in->visits[i], q->service, &q->visits[i]);
		if (q->visits[i].shared && q->bundle_ref.len == 0)
			violate_visit(p, i, "shared_with_bundle", "needs a bundle_ref");
		for (uint32_t day = 0; day < DAYS; day++)
			minutes_day[day] += (q->visits[i].days >> day & 1) * q->visits[i].minutes;
	}
	for (uint32_t day = 0; day < DAYS; day++) {
		if (minutes_day[day] > VISIT_MINUTES_MAX) {
			violate(p, "requirement.visits", "add up to more than 24 hours in a day");
			return;
		}
	}
}

static int64_t parse_instant(struct parsing *p, int64_t us, const char *field)
{
	if (us != 0 && (us < INSTANT_MIN_US || us > INSTANT_MAX_US)) {
		violate(p, field, "is not an instant in microseconds UTC");
		return 0;
	}
	return us;
}

static void parse_people(struct parsing *p, const Calloff__V1__Requirement *in, struct requirement *q)
{
	q->case_ref = parse_text(p, in->case_ref, TEXT_REF, "requirement.case_ref", true);
	q->person_ref = parse_text(p, in->person_ref, TEXT_REF, "requirement.person_ref", true);
	q->household_ref = parse_text(p, in->household_ref, TEXT_REF, "requirement.household_ref", false);
	q->owner_ref = parse_text(p, in->owner_ref, TEXT_REF, "requirement.owner_ref", false);
	q->bundle_ref = parse_text(p, in->bundle_ref, TEXT_REF, "requirement.bundle_ref", false);
	q->language = parse_text(p, in->language, TEXT_ID, "requirement.language", false);
	if (in->n_skills > SKILLS_MAX)
		violate(p, "requirement.skills", "must be at most 8");
	else
		q->skill_count = (uint32_t)in->n_skills;
	for (uint32_t i = 0; i < q->skill_count; i++)
		q->skills[i] = parse_text(p, in->skills[i], TEXT_ID, "requirement.skills", true);
	if (in->n_excluded > EXCLUDED_MAX)
		violate(p, "requirement.excluded", "must be at most 8");
	else
		q->excluded_count = (uint32_t)in->n_excluded;
	for (uint32_t i = 0; i < q->excluded_count; i++) {
		q->excluded[i].provider = parse_text(p, in->excluded[i]->provider, TEXT_ID, "requirement.excluded.provider", true);
		q->excluded[i].reason = parse_text(p, in->excluded[i]->reason, TEXT_ID, "requirement.excluded.reason", true);
	}
}

static void parse_submit(struct parsing *p, const Calloff__V1__SubmitPackageRequest *in, struct requirement *q)
{
	const Calloff__V1__Requirement *r = in->requirement;

	if (r == NULL) {
		violate(p, "requirement", "is required");
		return;
	}
	memset(q, 0, sizeof *q);
	parse_people(p, r, q);
	q->sector = parse_sector(p, r->sector);
	q->district = parse_text(p, r->district, TEXT_NAME, "requirement.district", false);
	q->service = parse_code(p, (int)r->service, SERVICE_PERSONAL_CARE, SERVICE_LIVE_IN, "requirement.service");
	q->client_group = parse_code(p, (int)r->client_group, GROUP_ANY, GROUP_MEMORY, "requirement.client_group");
	q->gender = parse_code(p, (int)r->carer_gender, GENDER_ANY, GENDER_MALE, "requirement.carer_gender");
	q->urgency = parse_code(p, (int)r->urgency, URGENCY_EMERGENCY, URGENCY_STANDARD, "requirement.urgency");
	q->risk = parse_code(p, (int)r->risk, RISK_RED, RISK_GREEN, "requirement.risk");
	q->cover = parse_code(p, (int)r->cover, COVER_NONE, COVER_PROVIDER, "requirement.cover");
	q->funding = parse_code(p, r->funding == 0 ? (int)FUNDING_COUNCIL : (int)r->funding, FUNDING_COUNCIL, FUNDING_SELF_FUNDER,
				"requirement.funding");
	q->regime = parse_code(p, r->legal_regime == 0 ? (int)REGIME_CARE_ACT_S18 : (int)r->legal_regime, REGIME_CARE_ACT_S18,
			       REGIME_PSR, "requirement.legal_regime");
	q->prerequisites = (uint8_t)((r->needs_equipment ? 1 : 0) | (r->needs_key_safe ? 2 : 0));
	q->start_day = parse_date(p, r->start_date, "requirement.start_date");
	q->need_arose_us = parse_instant(p, r->need_arose_us, "requirement.need_arose_us");
	q->latest_start_us = parse_instant(p, r->latest_safe_start_us, "requirement.latest_safe_start_us");
	q->cover_until_us = parse_instant(p, r->cover_until_us, "requirement.cover_until_us");
	if (r->ceiling_pence_hour > CEILING_PENCE_HOUR_MAX)
		violate(p, "requirement.ceiling_pence_hour", "must be at most 1000000");
	q->ceiling_pence_hour = r->ceiling_pence_hour;
	parse_visits(p, r, q);
}

static void parse_change(struct parsing *p, const char *package, const char *reason, bool reason_required,
			 struct event *e)
{
	struct text id = parse_text(p, package, TEXT_PACKAGE, "package", true);

	e->change.package_no = package_no_of(id);
	if (id.len > 0 && e->change.package_no < 0)
		violate(p, "package", "is not a package id like P-10482");
	e->change.reason = parse_text(p, reason, TEXT_ID, "reason", reason_required);
	e->change.with_budget_authority = false;
}

static void parse_declare(struct parsing *p, const Calloff__V1__DeclareCapacityRequest *in, struct declaration *d)
{
	uint64_t seen[2] = {0};

	memset(d, 0, sizeof *d);
	d->pool = parse_text(p, in->pool, TEXT_REF, "pool", true);
	d->expires_us = parse_instant(p, in->expires_us, "expires_us");
	if (in->expires_us == 0)
		violate(p, "expires_us", "is required: a declaration must say until when it holds");
	d->available_from_day = parse_date(p, in->available_from, "available_from");
	if (in->n_cells > 2 * CELLS) {
		violate(p, "cells", "must be at most 112");
		return;
	}
	for (size_t i = 0; i < in->n_cells; i++) {
		const Calloff__V1__Cell *c = in->cells[i];
		uint32_t at;

		if (c->day < 1 || c->day > DAYS || (int)c->band < 1 || (int)c->band > BANDS) {
			violate(p, "cells", "needs day 1 to 7 and a band");
			return;
		}
		at = (c->day - 1) * BANDS + (uint32_t)c->band - 1;
		if ((seen[c->paired ? 1 : 0] >> at & 1) != 0)
			violate(p, "cells", "names a cell twice");
		seen[c->paired ? 1 : 0] |= UINT64_C(1) << at;
		if (c->declared > CELL_UNITS_MAX * UNIT_MINUTES)
			violate(p, "cells", "declares more than 150000 minutes in a cell");
		else
			d->declared[c->paired ? 1 : 0][at] = c->declared;
	}
}

static uint32_t parse_limit(uint32_t limit)
{
	return limit == 0 || limit > PAGE_ROWS_MAX ? (uint32_t)PAGE_ROWS_MAX : limit;
}

static void parse_get(struct parsing *p, const char *package, const char *case_ref)
{
	struct query *q = &p->r->query;
	struct text id = parse_text(p, package, TEXT_PACKAGE, "package", false);

	q->package_no = id.len > 0 ? package_no_of(id) : 0;
	q->case_ref = parse_text(p, case_ref, TEXT_REF, "case_ref", false);
	if (q->package_no < 0)
		violate(p, "package", "is not a package id like P-10482");
	if (id.len == 0 && q->case_ref.len == 0)
		violate(p, "package", "is required");
}

static void parse_states(struct parsing *p, const Calloff__V1__ListPackagesRequest *in)
{
	struct query *q = &p->r->query;

	for (size_t i = 0; i < in->n_states && i < STATES_MAX; i++) {
		if ((int)in->states[i] < STATE_SUBMITTED || (int)in->states[i] > STATE_VOID)
			violate(p, "states", "is not a state this engine knows");
		else
			q->state_mask |= 1u << in->states[i];
	}
	if (in->n_states == 0)
		q->state_mask = 1u << STATE_SUBMITTED | 1u << STATE_SOURCING | 1u << STATE_OFFERED |
				1u << STATE_PROVISIONAL | 1u << STATE_UNSOURCED | 1u << STATE_ON_HOLD;
	q->after_no = in->after;
	q->limit = parse_limit(in->limit);
}

/* Queries; false: not one of them. */
static bool parse_query(struct parsing *p, const Calloff__V1__Envelope *e)
{
	struct request *r = p->r;
	struct query *q = &r->query;

	memset(q, 0, sizeof *q);
	q->case_ref.bytes = q->code.bytes = q->after.bytes = "";
	switch ((int)e->body_case) {
	case CALLOFF__V1__ENVELOPE__BODY_HELLO_REQUEST:
		r->kind = REQUEST_HELLO;
		q->code = parse_text(p, e->hello_request->client, TEXT_NAME, "client", false);
		q->protocol = e->hello_request->protocol;
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_GET_PACKAGE_REQUEST:
		r->kind = REQUEST_GET_PACKAGE;
		parse_get(p, e->get_package_request->package, e->get_package_request->case_ref);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_EXPLAIN_PACKAGE_REQUEST:
		r->kind = REQUEST_EXPLAIN_PACKAGE;
		parse_get(p, e->explain_package_request->package, NULL);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_LIST_PACKAGES_REQUEST:
		r->kind = REQUEST_LIST_PACKAGES;
		parse_states(p, e->list_packages_request);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_LIST_POOLS_REQUEST:
		r->kind = REQUEST_LIST_POOLS;
		q->code = parse_text(p, e->list_pools_request->provider, TEXT_ID, "provider", false);
		q->after = parse_text(p, e->list_pools_request->after, TEXT_REF, "after", false);
		q->limit = parse_limit(e->list_pools_request->limit);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_LIST_LOTS_REQUEST:
		r->kind = REQUEST_LIST_LOTS;
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_GET_LIST_REQUEST:
		r->kind = REQUEST_GET_LIST;
		q->code = parse_text(p, e->get_list_request->list, TEXT_ID, "list", true);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_LIST_PROVIDERS_REQUEST:
		r->kind = REQUEST_LIST_PROVIDERS;
		q->after = parse_text(p, e->list_providers_request->after, TEXT_ID, "after", false);
		q->limit = parse_limit(e->list_providers_request->limit);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_REQUEST:
		r->kind = REQUEST_GET_COUNTS;
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_REQUEST:
		r->kind = REQUEST_GET_HEALTH;
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_GET_STATS_REQUEST:
		r->kind = REQUEST_GET_STATS;
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_READ_JOURNAL_REQUEST:
		r->kind = REQUEST_READ_JOURNAL;
		q->after_no = e->read_journal_request->after_seq;
		q->limit = parse_limit(e->read_journal_request->limit_rows);
		return true;
	case CALLOFF__V1__ENVELOPE__BODY_SUBSCRIBE_REQUEST:
		r->kind = REQUEST_SUBSCRIBE;
		q->after_no = e->subscribe_request->after_seq;
		return true;
	default: /* the generated enum of bodies also holds responses, and grows: the rest is not a query */
		return false;
	}
}

static bool parse_command(struct parsing *p, const Calloff__V1__Envelope *e)
{
	struct request *r = p->r;
	struct event *event = &r->event;

	switch ((int)e->body_case) {
	case CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST:
		event->type = EVENT_SUBMIT;
		r->dry_run = e->submit_package_request->dry_run != 0;
		parse_submit(p, e->submit_package_request, &event->submit);
		break;
	case CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST:
		event->type = EVENT_CONFIRM;
		parse_change(p, e->confirm_package_request->package, NULL, false, event);
		event->change.with_budget_authority = e->confirm_package_request->with_budget_authority != 0;
		break;
	case CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST:
		event->type = EVENT_WITHDRAW;
		parse_change(p, e->withdraw_package_request->package, e->withdraw_package_request->reason, true, event);
		break;
	case CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST:
		event->type = EVENT_END;
		parse_change(p, e->end_package_request->package, e->end_package_request->reason, true, event);
		break;
	case CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST:
		event->type = EVENT_DECLARE;
		parse_declare(p, e->declare_capacity_request, &event->declare);
		break;
	default: /* see parse_query */
		return false;
	}
	r->kind = REQUEST_COMMAND;
	return true;
}

static enum err parse_key(struct request *r, const ProtobufCBinaryData *key)
{
	if (key->len == 0)
		return r->dry_run ? ERR_OK : ERR_KEY_MISSING;
	if (key->len != sizeof r->key || key->data[6] >> 4 != 7 || key->data[8] >> 6 != 2) {
		violate(&(struct parsing){r}, "key", "is not a UUIDv7 of 16 bytes");
		return ERR_INVALID_FIELD;
	}
	memcpy(r->key, key->data, sizeof r->key);
	return ERR_OK;
}

enum err request_parse(struct arena *arena, const uint8_t *body, size_t len, struct request *ret)
{
	struct parsing p = {ret};
	Calloff__V1__Envelope *e;

	ret->id = 0;
	ret->violation_count = 0;
	ret->dry_run = false;
	TRY(unpack_envelope(arena, body, len, &e));
	ret->id = e->request_id;
	ret->shard = e->shard;
	ret->deadline_us = e->deadline_us;
	if (!parse_query(&p, e) && !parse_command(&p, e))
		return ERR_NO_BODY;
	if (ret->violation_count > 0)
		return ERR_INVALID_FIELD;
	return ret->kind == REQUEST_COMMAND ? parse_key(ret, &e->key) : ERR_OK;
}
