/* record.c — reads the bytes of a record, in the order in which engine/core/record.h lists them. */
#include "record.h"

#include <string.h>

struct cursor {
	const uint8_t *at, *end;
	int bad;
};

static uint64_t unsigned_of(struct cursor *c, int width)
{
	uint64_t number = 0;

	if (c->end - c->at < width) {
		c->bad = 1;
		c->at = c->end;
		return 0;
	}
	for (int i = width - 1; i >= 0; i--)
		number = number << 8 | c->at[i];
	c->at += width;
	return number;
}

static int u8(struct cursor *c)
{
	return (int)unsigned_of(c, 1);
}

static int u16(struct cursor *c)
{
	return (int)unsigned_of(c, 2);
}

static int i32(struct cursor *c)
{
	return (int32_t)unsigned_of(c, 4);
}

static int64_t i64(struct cursor *c)
{
	return (int64_t)unsigned_of(c, 8);
}

/* A count that says more than there is room for makes the whole record bad. */
static int count_of(struct cursor *c, int width, int most)
{
	int count = (int)unsigned_of(c, width);

	if (count > most)
		c->bad = 1;
	return c->bad ? 0 : count;
}

static struct record_text text_of(struct cursor *c)
{
	struct record_text text;

	text.len = u8(c);
	text.at = (const char *)c->at;
	if (c->end - c->at < text.len) {
		c->bad = 1;
		text.len = 0;
	}
	c->at += text.len;
	return text;
}

/* ---- the event ---- */

static void visit_read(struct cursor *c, struct record_visit *v)
{
	int flags;

	v->days = u8(c);
	v->band = u8(c);
	v->bands = u8(c);
	v->carers = u8(c);
	v->tolerance_minutes = u8(c);
	flags = u8(c);
	v->time_critical = flags & 1;
	v->shared = flags >> 1 & 1;
	v->minutes = u16(c);
}

static void submit_read(struct cursor *c, struct record *r)
{
	int *codes[] = {&r->service, &r->group, &r->gender, &r->urgency, &r->risk, &r->cover, &r->funding, &r->regime,
			&r->prerequisites};

	for (int i = 0; i < RECORD_TEXTS; i++)
		r->texts[i] = text_of(c);
	for (int i = 0; i < 9; i++)
		*codes[i] = u8(c);
	r->start_day = i32(c);
	r->ceiling_pence_hour = i32(c);
	r->need_arose_us = i64(c);
	r->latest_start_us = i64(c);
	r->cover_until_us = i64(c);
	r->skill_n = count_of(c, 2, RECORD_SKILLS_MAX);
	for (int i = 0; i < r->skill_n; i++)
		r->skills[i] = text_of(c);
	r->excluded_n = count_of(c, 2, RECORD_EXCLUDED_MAX);
	for (int i = 0; i < r->excluded_n; i++) {
		r->excluded[i] = text_of(c);
		(void)text_of(c); /* why */
	}
	r->visit_n = count_of(c, 2, RECORD_VISITS_MAX);
	for (int i = 0; i < r->visit_n; i++)
		visit_read(c, &r->visits[i]);
}

static void event_read(struct cursor *c, struct record *r)
{
	switch (r->type) {
	case RECORD_SUBMIT:
		submit_read(c, r);
		return;
	case RECORD_CONFIRM:
	case RECORD_WITHDRAW:
	case RECORD_END:
		r->package = i64(c);
		(void)text_of(c); /* why */
		r->with_budget_authority = u8(c);
		return;
	case RECORD_DECLARE:
		r->pool = text_of(c);
		r->expires_us = i64(c);
		r->available_from_day = i32(c);
		for (int i = 0; i < 2 * RECORD_CELLS; i++)
			r->declared[i / RECORD_CELLS][i % RECORD_CELLS] = (int64_t)unsigned_of(c, 4);
		return;
	default:
		c->bad = 1;
	}
}

/* ---- what it did ---- */

static void told_placement_read(struct cursor *c, struct record_told *t)
{
	t->provider = i32(c);
	t->list = i32(c);
	t->start_day = i32(c);
	t->exit_day = i32(c);
	t->price_pence_week = i32(c);
	t->carer_minutes_week = i32(c);
	t->rank = u16(c);
	t->role = u8(c);
	t->route = u8(c);
	t->tier = u8(c);
	t->band_n = count_of(c, 1, RECORD_VISITS_MAX);
	for (int i = 0, pair = 0; i < t->band_n; i++) {
		pair = i % 2 == 0 ? u8(c) : pair >> 4;
		t->bands[i] = pair & 15;
	}
}

static void told_read(struct cursor *c, struct record_told *t)
{
	int has;

	t->type = u8(c);
	has = u8(c);
	t->refusal = u16(c);
	t->state = u8(c);
	t->package = i64(c);
	t->looked_at = u16(c);
	t->cells_over = u16(c);
	t->simulated = has >> 3 & 1;
	t->budget_authority = has >> 4 & 1;
	if (has >> 5 & 1)
		t->pool = i32(c);
	if (has >> 2 & 1)
		t->confirm_by_us = i64(c);
	if (has >> 1 & 1)
		(void)text_of(c); /* the field refused */
	if (has & 1)
		told_placement_read(c, t);
}

static void fresh_read(struct cursor *c, struct record *r)
{
	r->fresh.package = i64(c);
	r->fresh.state = u8(c);
	r->fresh.list = i32(c);
	r->fresh.sector = i32(c);
	r->fresh.district = u8(c);
	r->fresh.skills = i32(c);
	r->fresh.language = u8(c);
	r->fresh.start_day = i32(c);
	r->fresh.latest_day = i32(c);
	r->fresh.visit_n = count_of(c, 2, RECORD_VISITS_MAX);
	for (int i = 0; i < r->fresh.visit_n; i++) {
		r->fresh.visits[i] = (int64_t)unsigned_of(c, 4);
		r->fresh.facts[i] = (int64_t)unsigned_of(c, 4);
	}
	r->fresh.excluded_n = count_of(c, 2, RECORD_EXCLUDED_MAX);
	for (int i = 0; i < r->fresh.excluded_n; i++)
		r->fresh.excluded[i] = i32(c);
}

static void candidate_read(struct cursor *c, struct record_candidate *k)
{
	int packed;

	*k = (struct record_candidate){.provider = i32(c), .cell_plane = 255};
	packed = u8(c);
	k->route = packed >> 4;
	k->tier = packed & 15;
	k->rank = u16(c);
	packed = u8(c);
	k->reason = packed & 63;
	if (packed >> 6 & 1)
		k->detail = i32(c);
	if (packed >> 7 & 1) {
		k->cell_plane = u8(c);
		k->need = u16(c);
		k->free = u16(c);
	}
}

static void rounds_read(struct cursor *c, struct record *r)
{
	r->round_n = count_of(c, 1, 2);
	if (r->round_n == 0)
		return;
	for (int i = 0; i < r->round_n; i++) {
		r->rounds[i].package = i64(c);
		r->rounds[i].requirement_version = u16(c);
	}
	r->list = i32(c);
	r->list_version = i32(c);
	r->policy = i32(c);
	r->outcome = u8(c);
	r->not_reached = u16(c);
	r->looked_at = count_of(c, 2, RECORD_CANDIDATES_MAX);
	for (int i = 0; i < r->looked_at; i++)
		candidate_read(c, &r->candidates[i]);
}

static void made_read(struct cursor *c, struct record_placement *m)
{
	m->package = i64(c);
	m->pool = i32(c);
	m->provider = i32(c);
	m->list = i32(c);
	m->start_day = i32(c);
	m->exit_day = i32(c);
	m->price_pence_week = i32(c);
	m->carer_minutes_week = i32(c);
	m->rank = u16(c);
	m->role = u8(c);
	m->route = u8(c);
	m->tier = u8(c);
	m->demand_n = count_of(c, 2, RECORD_VISITS_MAX);
	for (int i = 0; i < m->demand_n; i++)
		m->demand[i] = i32(c);
}

static void stored_read(struct cursor *c, struct record *r)
{
	r->stored.pool = i32(c);
	r->stored.expires_us = i64(c);
	r->stored.available_from_day = i32(c);
	for (int i = 0; i < 2 * RECORD_CELLS; i++)
		r->stored.units[i / RECORD_CELLS][i % RECORD_CELLS] = u16(c);
}

static void effects_read(struct cursor *c, struct record *r)
{
	told_read(c, &r->told);
	r->new_n = count_of(c, 1, 1);
	if (r->new_n > 0)
		fresh_read(c, r);
	r->change_n = count_of(c, 1, 2);
	for (int i = 0; i < r->change_n; i++) {
		r->changes[i].package = i64(c);
		r->changes[i].from = u8(c);
		r->changes[i].to = u8(c);
	}
	rounds_read(c, r);
	r->made_n = count_of(c, 1, 2);
	for (int i = 0; i < r->made_n; i++)
		made_read(c, &r->made[i]);
	r->ended_n = count_of(c, 1, 4);
	for (int i = 0; i < r->ended_n; i++) {
		r->ended[i].package = i64(c);
		r->ended[i].role = u8(c);
	}
	r->declared_n = count_of(c, 1, 1);
	if (r->declared_n > 0)
		stored_read(c, r);
}

int record_read(const uint8_t *bytes, size_t len, struct record *ret)
{
	struct cursor c = {bytes, bytes + len, 0};
	int version;

	memset(ret, 0, offsetof(struct record, candidates)); /* the lists behind are told by their counts */
	ret->type = u16(&c);
	version = u16(&c);
	if (version != 1 || unsigned_of(&c, 4) != (uint64_t)(c.end - c.at))
		return 0;
	ret->seq = i64(&c);
	ret->now_us = i64(&c);
	ret->rules_version = u16(&c);
	ret->framework_version = i64(&c);
	ret->principal = text_of(&c);
	for (int i = 0; i < 16; i++)
		ret->key[i] = (uint8_t)u8(&c);
	event_read(&c, ret);
	effects_read(&c, ret);
	return !c.bad && c.at == c.end;
}
