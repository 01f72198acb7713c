#include "fuzz/small_market.h"

#include "core/words.h"

#include <stdio.h>

#define DAY_US INT64_C(86400000000)

static int32_t within(struct reader *r, int32_t low, int32_t high)
{
	return low + (int32_t)(read_u8(r) % (uint32_t)(high - low + 1));
}

static int32_t number(struct reader *r) /* of a row that others name: mostly small, so that references meet */
{
	uint8_t b = read_u8(r);

	return b == 255 ? (int32_t)(read_u32(r) & INT32_MAX) : b % 16;
}

static int64_t instant(struct reader *r)
{
	return (SMALL_NOW_DAY + within(r, -20, 20)) * DAY_US / 2 * 2;
}

static uint32_t rows_of(struct reader *r)
{
	return read_u8(r) % (SMALL_ROWS + 1);
}

static void code_of(char *to, size_t size, const char *kind, int32_t n)
{
	snprintf(to, size, "%s%d", kind, n % 1000);
}

#define EACH(name) for (uint32_t i = 0, n_ = m->rows.name##_count = rows_of(r); i < n_; i++)

static void read_places(struct reader *r, struct small_market *m)
{
	EACH(districts)
	{
		m->districts[i].district_no = within(r, 1, 12);
		code_of(m->districts[i].code, sizeof m->districts[i].code, "E", m->districts[i].district_no);
		code_of(m->districts[i].name, sizeof m->districts[i].name, "Town ", m->districts[i].district_no);
	}
	EACH(sectors)
	{
		m->sectors[i].sector_no = number(r);
		code_of(m->sectors[i].code, sizeof m->sectors[i].code, "CM0 ", m->sectors[i].sector_no % 12);
	}
	EACH(sector_districts)
	m->sector_districts[i] = (struct row_sector_district){number(r), within(r, 1, 12)};
	EACH(lots)
	{
		m->lots[i].lot_no = number(r);
		code_of(m->lots[i].code, sizeof m->lots[i].code, "LOT", m->lots[i].lot_no);
	}
	EACH(lot_districts)
	m->lot_districts[i] = (struct row_lot_district){number(r), within(r, 1, 12)};
}

static void read_words(struct reader *r, struct small_market *m)
{
	EACH(skills)
	{
		m->skills[i].number = within(r, 0, 31);
		code_of(m->skills[i].code, sizeof m->skills[i].code, "skill", m->skills[i].number % 8);
	}
	EACH(languages)
	{
		m->languages[i].number = within(r, 0, 63);
		code_of(m->languages[i].code, sizeof m->languages[i].code, "l", m->languages[i].number % 8);
	}
}

static void read_providers(struct reader *r, struct small_market *m)
{
	EACH(providers)
	{
		struct row_provider *p = &m->providers[i];

		p->provider_no = number(r);
		code_of(p->code, sizeof p->code, "PRV-", p->provider_no);
		p->rating = within(r, 0, 4);
		p->skills = (int32_t)(read_u32(r) & INT32_MAX);
		p->genders = within(r, 0, 3);
		p->languages = read_i64(r) & INT64_MAX;
		p->starts_a_day_max = within(r, 0, 3);
		p->minutes_week_max = within(r, 0, 3) * 3000;
		p->improvement_plan = (read_u8(r) & 1) != 0;
	}
	EACH(statuses)
	{
		struct row_status *s = &m->statuses[i];

		*s = (struct row_status){.provider_no = number(r),
					 .status_no = within(r, 0, 9),
					 .status = within(r, 2, 7),
					 .list_no = within(r, 0, 5),
					 .starts_week_max = within(r, 0, 3),
					 .from_us = instant(r),
					 .until_us = instant(r)};
		code_of(s->clause, sizeof s->clause, (read_u8(r) & 15) != 0 ? "cl. " : "", 7);
	}
	EACH(pools)
	{
		m->pools[i] =
			(struct row_pool){.pool_no = number(r), .provider_no = number(r), .kind = within(r, 1, 3)};
		code_of(m->pools[i].code, sizeof m->pools[i].code, "POOL-", m->pools[i].pool_no);
	}
}

static void read_policies(struct reader *r, struct small_market *m)
{
	EACH(policies)
	{
		struct row_policy *p = &m->policies[i];

		*p = (struct row_policy){
			.policy_no = within(r, 1, 4),
			.version = 1,
			.award_style = (read_u8(r) & 15) != 0 ? AWARD_DIRECT : AWARD_OFFER,
			.confirmation = within(r, 1, 2),
			.confirm_minutes = within(r, 1, 200),
			.unknown_pool = within(r, 1, 2),
			.travel_minutes_visit = within(r, 0, 120),
			.rating_min = within(r, 0, 4),
			.polr_urgencies = within(r, 0, 63),
			.polr_risks = within(r, 0, 15),
			.polr_days = within(r, 1, 200),
			.not_rated_open = (read_u8(r) & 1) != 0,
			.improvement_plan_open = (read_u8(r) & 1) != 0,
			.polr_no_cover = (read_u8(r) & 1) != 0,
			.route_count = (uint32_t)within(r, 1, ROUTES_MAX),
		};
		for (uint32_t k = 0; k < p->route_count; k++)
			p->routes[k] = read_u8(r);
	}
	EACH(clauses)
	{
		m->clauses[i] = (struct row_clause){.policy_no = within(r, 1, 4), .reason = within(r, 1, 20)};
		code_of(m->clauses[i].clause, sizeof m->clauses[i].clause, "cl. ", (int32_t)i);
	}
}

static void read_lists(struct reader *r, struct small_market *m)
{
	EACH(lists)
	{
		m->lists[i] = (struct row_list){.list_no = within(r, 1, 5),
						.lot_no = number(r),
						.service = within(r, 1, 4),
						.client_group = within(r, 0, 6) % 3,
						.version = within(r, 1, 3),
						.policy_no = within(r, 1, 4),
						.from_us = instant(r),
						.until_us = instant(r)};
		code_of(m->lists[i].code, sizeof m->lists[i].code, "LIST-", m->lists[i].list_no);
	}
	EACH(entries)
	m->entries[i] = (struct row_entry){.list_no = within(r, 1, 5),
					   .version = within(r, 1, 3),
					   .provider_no = number(r),
					   .route = within(r, 1, 4),
					   .tier = within(r, 1, 9),
					   .rank = within(r, 1, 9),
					   .order_no = within(r, 0, 30),
					   .price_pence_hour = within(r, 0, 100) * 100,
					   .share_cap_minutes_week = within(r, 0, 3) * 1000};
	EACH(coverages)
	m->coverages[i] = (struct row_coverage){within(r, 1, 5), number(r), number(r), number(r)};
}

void small_market_read(struct reader *r, struct small_market *m)
{
	memset(m, 0, sizeof *m);
#define X(type, name) m->rows.name = m->name;
	FRAMEWORK_TABLES(X)
#undef X
	m->rows.version = 1;
	read_places(r, m);
	read_words(r, m);
	read_providers(r, m);
	read_policies(r, m);
	read_lists(r, m);
}

/* ---- events ---- */

static struct text text_of(const char *s)
{
	return (struct text){s, (uint32_t)strlen(s)};
}

#define PICK(name, field)                                                                                              \
	(m->rows.name##_count > 0 ? text_of(m->name[read_u8(r) % m->rows.name##_count].field) : text_of("none"))

static void read_visits(struct reader *r, struct requirement *q)
{
	bool care = q->service == SERVICE_PERSONAL_CARE;
	uint32_t want = (uint32_t)within(r, 1, VISITS_MAX), minutes_day[DAYS] = {0};

	for (q->visit_count = 0; q->visit_count < want; q->visit_count++) {
		struct visit *v = &q->visits[q->visit_count];
		uint8_t bands = read_u8(r);

		*v = (struct visit){.days = (uint8_t)within(r, 1, 127),
				    .band = (uint8_t)(care ? within(r, 0, 7) : BAND_NIGHT),
				    .carers = (uint8_t)(care ? within(r, 1, 2) : 1),
				    .minutes = (uint16_t)(within(r, 1, 255) * 5),
				    .shared = q->bundle_ref.len > 0 && bands % 3 == 0};
		v->bands = (uint8_t)(1u << v->band | (care && (bands & 1) != 0 ? bands : 0u));
		for (uint32_t day = 0; day < DAYS; day++) {
			minutes_day[day] += (v->days >> day & 1) * v->minutes;
			if (minutes_day[day] > VISIT_MINUTES_MAX && q->visit_count > 0)
				return; /* a day has 24 hours */
		}
	}
}

static void read_submit(struct reader *r, const struct small_market *m, struct requirement *q)
{
	static const char *const bundles[] = {"", "", "", "B-1", "B-2"};
	uint8_t flags = read_u8(r);

	memset(q, 0, sizeof *q);
	q->case_ref = q->person_ref = text_of("C-1");
	q->sector = PICK(sectors, code);
	if ((flags & 1) != 0)
		q->district = PICK(districts, name);
	q->bundle_ref = text_of(bundles[within(r, 0, 4)]);
	q->service = (uint8_t)within(r, 1, 4);
	q->client_group = (uint8_t)(within(r, 0, 6) % 3);
	q->gender = (uint8_t)within(r, 0, 2);
	q->urgency = (uint8_t)within(r, 1, 5);
	q->risk = (uint8_t)within(r, 1, 3);
	q->cover = (uint8_t)within(r, 1, 5);
	q->funding = q->regime = 1;
	if ((flags & 2) != 0)
		q->language = PICK(languages, code);
	q->skill_count = (flags & 4) != 0 ? 1u : 0;
	q->skills[0] = PICK(skills, code);
	q->excluded_count = (flags & 8) != 0 ? 1u : 0;
	q->excluded[0] = (struct exclusion){PICK(providers, code), text_of("other")};
	q->start_day = (flags & 16) != 0 ? SMALL_NOW_DAY + within(r, -3, 70) : 0;
	q->latest_start_us = (flags & 32) != 0 ? (SMALL_NOW_DAY + within(r, -3, 70)) * DAY_US : 0;
	q->ceiling_pence_hour = (flags & 64) != 0 ? (uint32_t)within(r, 0, 100) * 100 : 0;
	read_visits(r, q);
}

static void read_declare(struct reader *r, const struct small_market *m, struct declaration *d)
{
	uint32_t minutes = (uint32_t)within(r, 0, 255) * 10;
	uint8_t flags = read_u8(r);

	memset(d, 0, sizeof *d);
	d->pool = PICK(pools, code);
	d->expires_us = (SMALL_NOW_DAY + ((flags & 1) != 0 ? 300 : within(r, -3, 3))) * DAY_US;
	d->available_from_day = (flags & 2) != 0 ? SMALL_NOW_DAY + within(r, -3, 70) : 0;
	for (uint32_t i = 0; i < 2 * CELLS; i++) {
		if ((flags & 4) == 0 || i % CELLS % BANDS == BAND_NIGHT)
			d->declared[i / CELLS][i % CELLS] = (flags & 4) != 0 && i >= CELLS ? 0 : minutes;
	}
}

void small_market_event(struct reader *r, const struct small_market *m, struct event *event)
{
	uint8_t kind = read_u8(r) % 8;

	event->principal = text_of("unix:0");
	if (kind < 3) {
		event->type = EVENT_SUBMIT;
		read_submit(r, m, &event->submit);
	} else if (kind < 5) {
		event->type = EVENT_DECLARE;
		read_declare(r, m, &event->declare);
	} else {
		event->type = kind == 5 ? EVENT_CONFIRM : kind == 6 ? EVENT_WITHDRAW : EVENT_END;
		event->change.package_no = within(r, 0, 24);
		event->change.reason = text_of(kind == 5 ? "" : "other");
		event->change.with_budget_authority = (read_u8(r) & 1) != 0;
	}
}
