/* case_events.c — the statements of the story: what is asked, and the trace that follows it. */
#include "case_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text text_of(const char *s)
{
	return (struct text){s, (uint32_t)strlen(s)};
}

static struct case_event *event_last(struct reading *r)
{
	return &r->c->events[r->c->event_count - 1];
}

/* "0s" "5m" "2h" "3d" */
static int64_t clock_seconds(struct reading *r)
{
	char *end;
	long number = strtol(reading_word(r, "a time like 0s, 5m, 2h or 3d"), &end, 10);
	int64_t unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? CASE_DAY_SECONDS : 0;

	if (unit == 0 || end[1] != '\0' || number < 0 || number > 1000000)
		reading_fail(r, "a time like 0s, 5m, 2h or 3d");
	return number * unit;
}

static int package_index(struct reading *r, bool make)
{
	struct case_file *c = r->c;
	const char *name = reading_word(r, "a package's name");

	for (int i = 0; i < c->package_count; i++)
		if (strcmp(c->packages[i], name) == 0)
			return i;
	if (!make)
		return CASE_PACKAGES - 1; /* nobody submitted it: its number is 0 */
	if (c->package_count == CASE_PACKAGES - 1)
		reading_fail(r, "at most 31 packages");
	c->packages[c->package_count] = reading_keep(r, name);
	return c->package_count++;
}

static void submit(struct reading *r, struct case_event *e)
{
	struct requirement *q = &e->event.submit;

	e->event.type = EVENT_SUBMIT;
	e->package = package_index(r, true);
	q->case_ref = q->person_ref = text_of(r->c->packages[e->package]);
	q->sector = text_of(reading_sector(r));
	q->service = SERVICE_PERSONAL_CARE;
	q->urgency = URGENCY_STANDARD;
	q->risk = RISK_GREEN;
	q->cover = COVER_FAMILY;
	q->funding = FUNDING_COUNCIL;
	q->regime = REGIME_CARE_ACT_S18;
	q->start_day = 0; /* today, whenever that is */
}

static void declare(struct reading *r, struct case_event *e)
{
	e->event.type = EVENT_DECLARE;
	e->package = -1;
	e->event.declare.pool = text_of(reading_keep(r, reading_word(r, "a pool")));
	e->event.declare.expires_us = r->c->base_us + 28 * INT64_C(86400000000);
}

void event_statement(struct reading *r)
{
	struct case_event *e = &r->c->events[r->c->event_count++];

	if (r->c->event_count > CASE_EVENTS)
		reading_fail(r, "at most 64 events");
	e->line = r->line;
	e->at_seconds = clock_seconds(r);
	if (reading_is(r, "submit")) {
		submit(r, e);
	} else if (reading_is(r, "declare")) {
		declare(r, e);
	} else if (reading_is(r, "confirm")) {
		e->event.type = EVENT_CONFIRM;
		e->package = package_index(r, false);
		e->with_budget_authority = reading_is(r, "with") && reading_is(r, "budget") && reading_is(r, "authority");
	} else if (reading_is(r, "withdraw")) {
		e->event.type = EVENT_WITHDRAW;
		e->package = package_index(r, false);
	} else if (reading_is(r, "end")) {
		e->event.type = EVENT_END;
		e->package = package_index(r, false);
	} else {
		reading_fail(r, "submit, confirm, withdraw, end or declare");
	}
}

static void visit(struct reading *r, struct case_event *e)
{
	struct requirement *q = &e->event.submit;
	struct visit *v = &q->visits[q->visit_count++];

	if (q->visit_count > VISITS_MAX)
		reading_fail(r, "at most 32 visits");
	*v = (struct visit){.days = reading_days(r), .bands = reading_bands(r), .carers = 1};
	v->band = (uint8_t)visit_lowest_band(v->bands);
	v->minutes = (uint16_t)reading_within(r, UNIT_MINUTES, VISIT_MINUTES_MAX, "minutes of a visit, 5 to 1440");
	if (reading_is(r, "x2"))
		v->carers = 2;
	else if (reading_is(r, "x1"))
		v->carers = 1;
	v->shared = reading_is(r, "shared");
	r->c->package_flexible[e->package] |= (v->bands & (v->bands - 1)) != 0;
}

static int64_t instant(struct reading *r)
{
	return r->c->base_us + reading_when(r) * INT64_C(1000000);
}

static void skill(struct reading *r, struct requirement *q)
{
	if (q->skill_count == SKILLS_MAX)
		reading_fail(r, "at most 8 skills");
	q->skills[q->skill_count++] = text_of(reading_keep(r, reading_word(r, "a skill")));
}

static void exclude(struct reading *r, struct requirement *q)
{
	if (q->excluded_count == EXCLUDED_MAX)
		reading_fail(r, "at most 8 excluded providers");
	q->excluded[q->excluded_count++] =
		(struct exclusion){text_of(reading_keep(r, reading_word(r, "a provider"))), text_of("person")};
}

static bool submit_needs(struct reading *r, struct requirement *q)
{
	if (reading_is(r, "skills"))
		while (reading_more(r))
			skill(r, q);
	else if (reading_is(r, "exclude"))
		while (reading_more(r))
			exclude(r, q);
	else if (reading_is(r, "language"))
		q->language = text_of(reading_keep(r, reading_word(r, "a language")));
	else if (reading_is(r, "carers"))
		q->gender = (uint8_t)reading_of(r, gender_of, "female or male");
	else if (reading_is(r, "ceiling"))
		q->ceiling_pence_hour = (uint32_t)reading_pence(r);
	else if (reading_is(r, "start"))
		q->start_day = (int32_t)(instant(r) / (INT64_C(1000000) * CASE_DAY_SECONDS));
	else if (reading_is(r, "latest_start"))
		q->latest_start_us = instant(r);
	else
		return false;
	return true;
}

static bool submit_detail(struct reading *r, struct case_event *e)
{
	struct requirement *q = &e->event.submit;

	if (reading_is(r, "visit"))
		visit(r, e);
	else if (reading_is(r, "district"))
		q->district = text_of(reading_keep(r, reading_word(r, "a district")));
	else if (reading_is(r, "service"))
		q->service = (uint8_t)reading_of(r, service_of, "a service");
	else if (reading_is(r, "group"))
		q->client_group = (uint8_t)reading_of(r, group_of, "a client group");
	else if (reading_is(r, "urgency"))
		q->urgency = (uint8_t)reading_of(r, urgency_of, "an urgency");
	else if (reading_is(r, "risk"))
		q->risk = (uint8_t)reading_of(r, risk_of, "a risk");
	else if (reading_is(r, "cover"))
		q->cover = (uint8_t)reading_of(r, cover_of, "a cover");
	else if (reading_is(r, "bundle"))
		q->bundle_ref = text_of(reading_keep(r, reading_word(r, "a bundle's name")));
	else
		return submit_needs(r, q);
	return true;
}

bool event_detail(struct reading *r)
{
	struct case_event *e = event_last(r);
	struct declaration *d = &e->event.declare;
	uint16_t units[2][CELLS];

	if (e->event.type == EVENT_SUBMIT)
		return submit_detail(r, e);
	if (e->event.type != EVENT_DECLARE)
		return false;
	memset(units, 0xff, sizeof units);
	market_declared(r, units, &d->expires_us, &d->available_from_day);
	for (uint32_t i = 0; i < 2 * CELLS; i++)
		if (units[i / CELLS][i % CELLS] != UINT16_MAX)
			d->declared[i / CELLS][i % CELLS] = units[i / CELLS][i % CELLS];
	return true;
}

void event_trace(struct reading *r, const char *line)
{
	struct case_event *e;

	if (r->c->event_count == 0)
		reading_fail(r, "an event before its trace");
	e = event_last(r);
	if (e->trace_count == CASE_TRACE)
		reading_fail(r, "at most 64 lines of trace");
	e->trace_lines[e->trace_count] = r->line;
	e->trace[e->trace_count++] = reading_keep(r, line);
}
