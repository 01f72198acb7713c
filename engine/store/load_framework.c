/* load_framework.c — the framework's tables to rows; core/framework_seal checks and indexes them. */
#include "store/fetch.h"
#include "store/open.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static void read_district(struct row *r, struct row_district *d)
{
	d->district_no = (int32_t)row_int(r);
	row_text(r, d->code, sizeof d->code);
	row_text(r, d->name, sizeof d->name);
}

static void read_sector(struct row *r, struct row_sector *s)
{
	s->sector_no = (int32_t)row_int(r);
	row_text(r, s->code, sizeof s->code);
}

static void read_sector_district(struct row *r, struct row_sector_district *s)
{
	s->sector_no = (int32_t)row_int(r);
	s->district_no = (int32_t)row_int(r);
}

static void read_word(struct row *r, struct row_word *w)
{
	w->number = (int32_t)row_int(r);
	row_text(r, w->code, sizeof w->code);
}

static void read_provider(struct row *r, struct row_provider *p)
{
	p->provider_no = (int32_t)row_int(r);
	row_text(r, p->code, sizeof p->code);
	row_text(r, p->location, sizeof p->location);
	p->rating = (int32_t)row_int(r);
	p->skills = (int32_t)row_int(r);
	p->genders = (int32_t)row_int(r);
	p->starts_a_day_max = (int32_t)row_int(r);
	p->minutes_week_max = (int32_t)row_int(r);
	p->languages = row_int(r);
	p->improvement_plan = row_bool(r);
}

static void read_status(struct row *r, struct row_status *s)
{
	s->provider_no = (int32_t)row_int(r);
	s->status_no = (int32_t)row_int(r);
	s->status = (int32_t)row_int(r);
	s->list_no = (int32_t)row_int(r);
	s->starts_week_max = (int32_t)row_int(r);
	s->from_us = row_int(r);
	s->until_us = row_int(r);
	row_text(r, s->clause, sizeof s->clause);
}

static void read_lot(struct row *r, struct row_lot *l)
{
	l->lot_no = (int32_t)row_int(r);
	row_text(r, l->code, sizeof l->code);
	row_text(r, l->name, sizeof l->name);
	row_text(r, l->framework, sizeof l->framework);
}

static void read_lot_district(struct row *r, struct row_lot_district *l)
{
	l->lot_no = (int32_t)row_int(r);
	l->district_no = (int32_t)row_int(r);
}

static void read_policy(struct row *r, struct row_policy *p)
{
	int64_t routes[ROUTES_MAX];

	p->policy_no = (int32_t)row_int(r);
	p->version = (int32_t)row_int(r);
	p->award_style = (int32_t)row_int(r);
	p->confirmation = (int32_t)row_int(r);
	p->confirm_minutes = (int32_t)row_int(r);
	p->unknown_pool = (int32_t)row_int(r);
	p->travel_minutes_visit = (int32_t)row_int(r);
	p->rating_min = (int32_t)row_int(r);
	p->polr_urgencies = (int32_t)row_int(r);
	p->polr_risks = (int32_t)row_int(r);
	p->polr_days = (int32_t)row_int(r);
	p->not_rated_open = row_bool(r);
	p->improvement_plan_open = row_bool(r);
	p->polr_no_cover = row_bool(r);
	p->route_count = row_ints(r, routes, ROUTES_MAX);
	for (uint32_t i = 0; i < p->route_count; i++)
		p->routes[i] = (uint8_t)routes[i];
	row_text(r, p->code, sizeof p->code);
}

static void read_clause(struct row *r, struct row_clause *c)
{
	c->policy_no = (int32_t)row_int(r);
	c->reason = (int32_t)row_int(r);
	row_text(r, c->clause, sizeof c->clause);
}

static void read_list(struct row *r, struct row_list *l)
{
	l->list_no = (int32_t)row_int(r);
	l->lot_no = (int32_t)row_int(r);
	l->service = (int32_t)row_int(r);
	l->client_group = (int32_t)row_int(r);
	l->version = (int32_t)row_int(r);
	l->policy_no = (int32_t)row_int(r);
	l->from_us = row_int(r);
	l->until_us = row_int(r);
	row_text(r, l->code, sizeof l->code);
}

static void read_entry(struct row *r, struct row_entry *e)
{
	e->list_no = (int32_t)row_int(r);
	e->version = (int32_t)row_int(r);
	e->provider_no = (int32_t)row_int(r);
	e->route = (int32_t)row_int(r);
	e->tier = (int32_t)row_int(r);
	e->rank = (int32_t)row_int(r);
	e->order_no = (int32_t)row_int(r);
	e->score_milli = (int32_t)row_int(r);
	e->price_pence_hour = (int32_t)row_int(r);
	e->share_cap_minutes_week = (int32_t)row_int(r);
}

static void read_pool(struct row *r, struct row_pool *p)
{
	p->pool_no = (int32_t)row_int(r);
	p->provider_no = (int32_t)row_int(r);
	p->kind = (int32_t)row_int(r);
	row_text(r, p->code, sizeof p->code);
}

static void read_coverage(struct row *r, struct row_coverage *c)
{
	c->list_no = (int32_t)row_int(r);
	c->provider_no = (int32_t)row_int(r);
	c->sector_no = (int32_t)row_int(r);
	c->pool_no = (int32_t)row_int(r);
}

/* One function a table: rows->name = what the query of that name says. */
#define X(type, name)                                                                              \
	static enum err load_##name(struct fetch *f, struct framework_rows *rows)                  \
	{                                                                                          \
		PGresult *result;                                                                  \
                                                                                                   \
		TRY(fetch_rows(f, QUERY_load_##name, NULL, 0, &result));                           \
		rows->name##_count = (uint32_t)PQntuples(result);                                  \
		rows->name = mem_zero(rows->name##_count, sizeof *rows->name);                     \
		bool bad = false;                                                                  \
                                                                                                   \
		for (uint32_t i = 0; i < rows->name##_count && !bad; i++) {                        \
			struct row row = row_of(result, (int)i);                                   \
                                                                                                   \
			read_##type(&row, &rows->name[i]);                                         \
			bad = row.bad;                                                             \
		}                                                                                  \
		PQclear(result);                                                                   \
		return bad ? fetch_fail(f, ERR_BAD_ROW, "a row of " #name " cannot be read") : ERR_OK; \
	}
FRAMEWORK_TABLES(X)
#undef X

static enum err load_rows(struct fetch *f, struct framework_rows *rows)
{
#define X(type, name) TRY(load_##name(f, rows));
	FRAMEWORK_TABLES(X)
#undef X
	return ERR_OK;
}

enum err load_framework(struct fetch *f, struct opening *o)
{
	struct framework_rows rows = {.version = o->fence.framework_version};
	struct framework_note note;
	enum err e = load_rows(f, &rows);

	if (e == ERR_OK) {
		o->framework_memory.size = framework_bytes(&rows);
		o->framework_memory.base = mem_map(o->framework_memory.size);
		e = framework_seal(&rows, &o->framework_memory, &o->framework, &note);
		if (e != ERR_OK)
			fetch_fail(f, e, note.text);
	}
#define X(type, name) mem_free(rows.name);
	FRAMEWORK_TABLES(X)
#undef X
	return e;
}
