#include "core/record.h"

#include "base/bytes.h"
#include "base/check.h"

/* ---- pieces ---- */

static void put_text(struct writer *w, struct text t)
{
	REQUIRE(t.len <= 255);
	write_u8(w, t.len);
	write_bytes(w, t.bytes, t.len);
}

static struct text get_text(struct reader *r)
{
	uint32_t len = read_u8(r);
	const uint8_t *bytes = read_bytes(r, len);

	return bytes == NULL ? (struct text){"", 0} : (struct text){(const char *)bytes, len};
}

static uint32_t get_count(struct reader *r, uint32_t max)
{
	uint32_t n = read_u16(r);

	if (n > max)
		r->bad = true;
	return r->bad ? 0 : n;
}

static uint8_t get_small(struct reader *r, uint32_t max)
{
	uint8_t n = read_u8(r);

	if (n > max)
		r->bad = true;
	return r->bad ? 0 : n;
}

static void put_visit(struct writer *w, const struct visit *v)
{
	write_u8(w, v->days);
	write_u8(w, v->band);
	write_u8(w, v->bands);
	write_u8(w, v->carers);
	write_u8(w, v->tolerance_minutes);
	write_u8(w, (uint32_t)v->time_critical | (uint32_t)v->shared << 1);
	write_u16(w, v->minutes);
}

static void get_visit(struct reader *r, struct visit *v)
{
	uint8_t flags;

	v->days = read_u8(r);
	v->band = read_u8(r);
	v->bands = read_u8(r);
	v->carers = read_u8(r);
	v->tolerance_minutes = read_u8(r);
	flags = read_u8(r);
	v->time_critical = (flags & 1) != 0;
	v->shared = (flags & 2) != 0;
	v->minutes = read_u16(r);
}

static void put_requirement(struct writer *w, const struct requirement *q)
{
	const struct text texts[] = {q->case_ref, q->person_ref, q->household_ref, q->owner_ref, q->bundle_ref,
				     q->sector, q->district, q->language};
	const uint8_t codes[] = {q->service, q->client_group, q->gender, q->urgency, q->risk, q->cover,
				 q->funding, q->regime, q->prerequisites};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		put_text(w, texts[i]);
	write_bytes(w, codes, sizeof codes);
	write_i32(w, q->start_day);
	write_u32(w, q->ceiling_pence_hour);
	write_i64(w, q->need_arose_us);
	write_i64(w, q->latest_start_us);
	write_i64(w, q->cover_until_us);
	write_u16(w, q->skill_count);
	for (uint32_t i = 0; i < q->skill_count; i++)
		put_text(w, q->skills[i]);
	write_u16(w, q->excluded_count);
	for (uint32_t i = 0; i < q->excluded_count; i++) {
		put_text(w, q->excluded[i].provider);
		put_text(w, q->excluded[i].reason);
	}
	write_u16(w, q->visit_count);
	for (uint32_t i = 0; i < q->visit_count; i++)
		put_visit(w, &q->visits[i]);
}

static void get_requirement(struct reader *r, struct requirement *q)
{
	struct text *const texts[] = {&q->case_ref, &q->person_ref, &q->household_ref, &q->owner_ref, &q->bundle_ref,
				      &q->sector, &q->district, &q->language};
	uint8_t *const codes[] = {&q->service, &q->client_group, &q->gender, &q->urgency, &q->risk, &q->cover,
				  &q->funding, &q->regime, &q->prerequisites};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = get_text(r);
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		*codes[i] = read_u8(r);
	q->start_day = read_i32(r);
	q->ceiling_pence_hour = read_u32(r);
	q->need_arose_us = read_i64(r);
	q->latest_start_us = read_i64(r);
	q->cover_until_us = read_i64(r);
	q->skill_count = get_count(r, SKILLS_MAX);
	for (uint32_t i = 0; i < q->skill_count; i++)
		q->skills[i] = get_text(r);
	q->excluded_count = get_count(r, EXCLUDED_MAX);
	for (uint32_t i = 0; i < q->excluded_count; i++) {
		q->excluded[i].provider = get_text(r);
		q->excluded[i].reason = get_text(r);
	}
	q->visit_count = get_count(r, VISITS_MAX);
	for (uint32_t i = 0; i < q->visit_count; i++)
		get_visit(r, &q->visits[i]);
}

static void put_cells(struct writer *w, const uint16_t units[2][CELLS])
{
	for (uint32_t plane = 0; plane < 2; plane++) {
		for (uint32_t cell = 0; cell < CELLS; cell++)
			write_u16(w, units[plane][cell]);
	}
}

static void get_cells(struct reader *r, uint16_t units[2][CELLS])
{
	for (uint32_t plane = 0; plane < 2; plane++) {
		for (uint32_t cell = 0; cell < CELLS; cell++)
			units[plane][cell] = read_u16(r);
	}
}

/* ---- the event ---- */

static void put_event(struct writer *w, const struct event *e)
{
	switch (e->type) {
	case EVENT_SUBMIT:
		put_requirement(w, &e->submit);
		return;
	case EVENT_CONFIRM:
	case EVENT_WITHDRAW:
	case EVENT_END:
		write_i64(w, e->change.package_no);
		put_text(w, e->change.reason);
		write_u8(w, e->change.with_budget_authority);
		return;
	case EVENT_DECLARE:
		put_text(w, e->declare.pool);
		write_i64(w, e->declare.expires_us);
		write_i32(w, e->declare.available_from_day);
		for (uint32_t i = 0; i < 2 * CELLS; i++)
			write_u32(w, e->declare.declared[i / CELLS][i % CELLS]);
		return;
	}
	UNREACHABLE();
}

static void get_event(struct reader *r, struct event *e)
{
	switch (e->type) {
	case EVENT_SUBMIT:
		get_requirement(r, &e->submit);
		return;
	case EVENT_CONFIRM:
	case EVENT_WITHDRAW:
	case EVENT_END:
		e->change.package_no = read_i64(r);
		e->change.reason = get_text(r);
		e->change.with_budget_authority = read_u8(r) != 0;
		return;
	case EVENT_DECLARE:
		e->declare.pool = get_text(r);
		e->declare.expires_us = read_i64(r);
		e->declare.available_from_day = read_i32(r);
		for (uint32_t i = 0; i < 2 * CELLS; i++)
			e->declare.declared[i / CELLS][i % CELLS] = read_u32(r);
		return;
	}
	r->bad = true;
}

size_t record_event(const struct event *event, uint8_t *bytes, size_t size)
{
	struct writer w = {.bytes = bytes, .size = size};

	write_u16(&w, (uint32_t)event->type);
	put_event(&w, event);
	return w.full ? 0 : w.used;
}

enum err record_event_decode(const uint8_t *bytes, size_t len, struct event *ret)
{
	struct reader r = {.bytes = bytes, .size = len};

	ret->type = (enum event_type)read_u16(&r);
	get_event(&r, ret);
	return r.bad || r.used != len ? ERR_BAD_ROW : ERR_OK;
}

/* ---- the outcome: a bit for each part that is there, so that most take 60 bytes ---- */

enum { HAS_PLACEMENT = 1, HAS_FIELD = 2, HAS_CONFIRM_BY = 4, IS_SIMULATED = 8, NEEDS_BUDGET = 16, HAS_POOL = 32 };

static void put_bands(struct writer *w, const struct outcome *o)
{
	write_u8(w, o->band_count);
	for (uint32_t i = 0; i < o->band_count; i += 2) /* two bands a byte */
		write_u8(w, (uint32_t)o->bands[i] | (i + 1 < o->band_count ? (uint32_t)o->bands[i + 1] << 4 : 0));
}

static void get_bands(struct reader *r, struct outcome *o)
{
	o->band_count = read_u8(r);
	if (o->band_count > VISITS_MAX) {
		r->bad = true;
		o->band_count = 0;
	}
	for (uint32_t i = 0; i < o->band_count; i += 2) {
		uint8_t two = read_u8(r);

		o->bands[i] = two & 7;
		if (i + 1 < o->band_count)
			o->bands[i + 1] = two >> 4 & 7;
	}
}

static void put_outcome(struct writer *w, const struct outcome *o)
{
	uint32_t has = (o->provider_no != 0 ? HAS_PLACEMENT : 0u) | (o->field[0] != '\0' ? HAS_FIELD : 0u) |
		       (o->confirm_by_us != 0 ? HAS_CONFIRM_BY : 0u) | (o->simulated ? IS_SIMULATED : 0u) |
		       (o->budget_authority ? NEEDS_BUDGET : 0u) | (o->pool_no != 0 ? HAS_POOL : 0u);

	write_u8(w, o->type);
	write_u8(w, has);
	write_u16(w, o->refusal);
	write_u8(w, o->state);
	write_i64(w, o->package_no);
	write_u16(w, o->looked_at);
	write_u16(w, o->cells_over);
	if ((has & HAS_POOL) != 0)
		write_i32(w, o->pool_no);
	if ((has & HAS_CONFIRM_BY) != 0)
		write_i64(w, o->confirm_by_us);
	if ((has & HAS_FIELD) != 0)
		put_text(w, (struct text){o->field, (uint32_t)strlen(o->field)});
	if ((has & HAS_PLACEMENT) == 0)
		return;
	write_i32(w, o->provider_no);
	write_i32(w, o->list_no);
	write_i32(w, o->start_day);
	write_i32(w, o->exit_day);
	write_u32(w, o->price_pence_week);
	write_u32(w, o->carer_minutes_week);
	write_u16(w, o->rank);
	write_u8(w, o->role);
	write_u8(w, o->route);
	write_u8(w, o->tier);
	put_bands(w, o);
}

static void get_outcome(struct reader *r, struct outcome *o)
{
	uint32_t has;

	*o = (struct outcome){.type = read_u8(r)};
	has = read_u8(r);
	o->refusal = read_u16(r);
	o->state = read_u8(r);
	o->package_no = read_i64(r);
	o->looked_at = read_u16(r);
	o->cells_over = read_u16(r);
	o->simulated = (has & IS_SIMULATED) != 0;
	o->budget_authority = (has & NEEDS_BUDGET) != 0;
	if ((has & HAS_POOL) != 0)
		o->pool_no = read_i32(r);
	if ((has & HAS_CONFIRM_BY) != 0)
		o->confirm_by_us = read_i64(r);
	if ((has & HAS_FIELD) != 0) {
		struct text field = get_text(r);

		if (field.len >= sizeof o->field)
			r->bad = true;
		else
			memcpy(o->field, field.bytes, field.len);
	}
	if ((has & HAS_PLACEMENT) == 0)
		return;
	o->provider_no = read_i32(r);
	o->list_no = read_i32(r);
	o->start_day = read_i32(r);
	o->exit_day = read_i32(r);
	o->price_pence_week = read_u32(r);
	o->carer_minutes_week = read_u32(r);
	o->rank = read_u16(r);
	o->role = read_u8(r);
	o->route = read_u8(r);
	o->tier = read_u8(r);
	get_bands(r, o);
}

size_t outcome_encode(const struct outcome *o, uint8_t *bytes, size_t size)
{
	struct writer w = {.bytes = bytes, .size = size};

	put_outcome(&w, o);
	return w.full ? 0 : w.used;
}

enum err outcome_decode(const uint8_t *bytes, size_t len, struct outcome *ret)
{
	struct reader r = {.bytes = bytes, .size = len};
	struct outcome o;

	get_outcome(&r, &o);
	if (r.bad || r.used != len)
		return ERR_BAD_ROW;
	*ret = o;
	return ERR_OK;
}

/* ---- effects ---- */

static void put_new(struct writer *w, const struct new_package *n)
{
	write_i64(w, n->package_no);
	write_u8(w, n->state);
	write_i32(w, n->list_no);
	write_i32(w, n->sector_no);
	write_u8(w, n->district_no);
	write_i32(w, n->skills);
	write_u8(w, (uint32_t)n->language);
	write_i32(w, n->start_day);
	write_i32(w, n->latest_day);
	write_u16(w, n->visit_count);
	for (uint32_t i = 0; i < n->visit_count; i++) {
		write_u32(w, n->visits[i]);
		write_u32(w, n->facts[i]);
	}
	write_u16(w, n->excluded_count);
	for (uint32_t i = 0; i < n->excluded_count; i++)
		write_i32(w, n->excluded[i]);
}

static void get_new(struct reader *r, struct new_package *n, const struct event *e)
{
	n->requirement = &e->submit;
	n->package_no = read_i64(r);
	n->state = read_u8(r);
	n->list_no = read_i32(r);
	n->sector_no = read_i32(r);
	n->district_no = read_u8(r);
	n->skills = read_i32(r);
	n->language = read_u8(r);
	n->start_day = read_i32(r);
	n->latest_day = read_i32(r);
	n->visit_count = (uint8_t)get_count(r, VISITS_MAX);
	for (uint32_t i = 0; i < n->visit_count; i++) {
		n->visits[i] = read_u32(r);
		n->facts[i] = read_u32(r);
	}
	n->excluded_count = (uint8_t)get_count(r, EXCLUDED_MAX);
	for (uint32_t i = 0; i < n->excluded_count; i++)
		n->excluded[i] = read_i32(r);
	if (e->type != EVENT_SUBMIT)
		r->bad = true;
}

static void put_candidate(struct writer *w, const struct candidate *c)
{
	uint32_t has = (c->detail != 0 ? 1u : 0u) | (c->cell_plane != UINT8_MAX ? 2u : 0u);

	write_i32(w, c->provider_no);
	write_u8(w, (uint32_t)c->route << 4 | c->tier);
	write_u16(w, c->rank);
	write_u8(w, c->reason | has << 6);
	if ((has & 1) != 0)
		write_i32(w, c->detail);
	if ((has & 2) != 0) {
		write_u8(w, c->cell_plane);
		write_u16(w, c->need);
		write_u16(w, c->free);
	}
}

static void get_candidate(struct reader *r, struct candidate *c)
{
	uint8_t route_tier, reason;

	*c = (struct candidate){.provider_no = read_i32(r), .cell_plane = UINT8_MAX};
	route_tier = read_u8(r);
	c->route = route_tier >> 4;
	c->tier = route_tier & 15;
	c->rank = read_u16(r);
	reason = read_u8(r);
	c->reason = reason & 63;
	if ((reason >> 6 & 1) != 0)
		c->detail = read_i32(r);
	if ((reason >> 6 & 2) != 0) {
		c->cell_plane = read_u8(r);
		if (c->cell_plane >= 2 * CELLS)
			r->bad = true; /* explain names its day and band */
		c->need = read_u16(r);
		c->free = read_u16(r);
	}
}

static void put_decision(struct writer *w, const struct update *u)
{
	const struct decision *d = &u->decision;

	write_u8(w, u->round_count);
	if (u->round_count == 0)
		return;
	for (uint32_t i = 0; i < u->round_count; i++) {
		write_i64(w, u->rounds[i].package_no);
		write_u16(w, (uint16_t)u->rounds[i].requirement_version);
	}
	write_i32(w, d->list_no);
	write_i32(w, d->list_version);
	write_i32(w, d->policy_no);
	write_u8(w, d->outcome);
	write_u16(w, d->not_reached);
	write_u16(w, d->looked_at);
	for (uint32_t i = 0; i < d->looked_at; i++)
		put_candidate(w, &d->candidates[i]);
}

static void get_decision(struct reader *r, struct update *u)
{
	struct decision *d = &u->decision;

	u->round_count = get_small(r, BUNDLE_PACKAGES);
	if (u->round_count == 0)
		return;
	for (uint32_t i = 0; i < u->round_count; i++) {
		u->rounds[i].package_no = read_i64(r);
		u->rounds[i].requirement_version = (int16_t)read_u16(r);
	}
	d->list_no = read_i32(r);
	d->list_version = read_i32(r);
	d->policy_no = read_i32(r);
	d->outcome = read_u8(r);
	d->not_reached = read_u16(r);
	d->looked_at = (uint16_t)get_count(r, LIST_ENTRIES_MAX);
	for (uint32_t i = 0; i < d->looked_at; i++)
		get_candidate(r, &d->candidates[i]);
}

static void put_made(struct writer *w, const struct placed *m)
{
	write_i64(w, m->package_no);
	write_i32(w, m->pool_no);
	write_i32(w, m->provider_no);
	write_i32(w, m->list_no);
	write_i32(w, m->start_day);
	write_i32(w, m->exit_day);
	write_u32(w, m->price_pence_week);
	write_u32(w, m->carer_minutes_week);
	write_u16(w, m->rank);
	write_u8(w, m->role);
	write_u8(w, m->route);
	write_u8(w, m->tier);
	write_u16(w, m->demand_count);
	for (uint32_t i = 0; i < m->demand_count; i++)
		write_u32(w, m->demand[i]);
}

static void get_made(struct reader *r, struct placed *m)
{
	m->package_no = read_i64(r);
	m->pool_no = read_i32(r);
	m->provider_no = read_i32(r);
	m->list_no = read_i32(r);
	m->start_day = read_i32(r);
	m->exit_day = read_i32(r);
	m->price_pence_week = read_u32(r);
	m->carer_minutes_week = read_u32(r);
	m->rank = read_u16(r);
	m->role = read_u8(r);
	m->route = read_u8(r);
	m->tier = read_u8(r);
	m->demand_count = (uint8_t)get_count(r, VISITS_MAX);
	for (uint32_t i = 0; i < m->demand_count; i++)
		m->demand[i] = read_u32(r);
}

static void put_effects(struct writer *w, const struct update *u)
{
	put_outcome(w, &u->outcome);
	write_u8(w, u->new_count);
	for (uint32_t i = 0; i < u->new_count; i++)
		put_new(w, &u->packages[i]);
	write_u8(w, u->change_count);
	for (uint32_t i = 0; i < u->change_count; i++) {
		write_i64(w, u->changes[i].package_no);
		write_u8(w, u->changes[i].from);
		write_u8(w, u->changes[i].to);
	}
	put_decision(w, u);
	write_u8(w, u->made_count);
	for (uint32_t i = 0; i < u->made_count; i++)
		put_made(w, &u->made[i]);
	write_u8(w, u->ended_count);
	for (uint32_t i = 0; i < u->ended_count; i++) {
		write_i64(w, u->ended[i].package_no);
		write_u8(w, u->ended[i].role);
	}
	write_u8(w, u->declared_count);
	for (uint32_t i = 0; i < u->declared_count; i++) {
		write_i32(w, u->declared[i].pool_no);
		write_i64(w, u->declared[i].expires_us);
		write_i32(w, u->declared[i].available_from_day);
		put_cells(w, u->declared[i].units);
	}
}

static void get_effects(struct reader *r, struct update *u, const struct event *e)
{
	get_outcome(r, &u->outcome);
	u->new_count = get_small(r, 1);
	for (uint32_t i = 0; i < u->new_count; i++)
		get_new(r, &u->packages[i], e);
	u->change_count = get_small(r, BUNDLE_PACKAGES);
	for (uint32_t i = 0; i < u->change_count; i++) {
		u->changes[i].package_no = read_i64(r);
		u->changes[i].from = read_u8(r);
		u->changes[i].to = read_u8(r);
	}
	get_decision(r, u);
	u->made_count = get_small(r, BUNDLE_PACKAGES);
	for (uint32_t i = 0; i < u->made_count; i++)
		get_made(r, &u->made[i]);
	u->ended_count = get_small(r, sizeof u->ended / sizeof u->ended[0]);
	for (uint32_t i = 0; i < u->ended_count; i++) {
		u->ended[i].package_no = read_i64(r);
		u->ended[i].role = read_u8(r);
	}
	u->declared_count = get_small(r, 1);
	for (uint32_t i = 0; i < u->declared_count; i++) {
		u->declared[i].pool_no = read_i32(r);
		u->declared[i].expires_us = read_i64(r);
		u->declared[i].available_from_day = read_i32(r);
		get_cells(r, u->declared[i].units);
	}
}

/* ---- the whole ---- */

enum { RECORD_HEAD_BYTES = 8 };

size_t record_encode(const struct event *event, const struct update *update, const struct stamp *stamp, uint8_t *bytes,
		     size_t size)
{
	struct writer w = {.bytes = bytes, .size = size}, head = {.bytes = bytes, .size = RECORD_HEAD_BYTES};

	REQUIRE(size >= RECORD_HEAD_BYTES);
	w.used = RECORD_HEAD_BYTES;
	write_i64(&w, event->seq);
	write_i64(&w, event->now_us);
	write_u16(&w, stamp->rules_version);
	write_i64(&w, stamp->framework_version);
	put_text(&w, event->principal);
	write_bytes(&w, stamp->key, sizeof stamp->key);
	put_event(&w, event);
	put_effects(&w, update);
	INSIST(!w.full);
	write_u16(&head, (uint32_t)event->type);
	write_u16(&head, RECORD_VERSION);
	write_u32(&head, (uint32_t)(w.used - RECORD_HEAD_BYTES));
	return w.used;
}

enum err record_decode(const uint8_t *bytes, size_t len, struct event *ret_event, struct update *ret_update,
		       struct stamp *ret_stamp)
{
	struct reader r = {.bytes = bytes, .size = len};
	const uint8_t *key;
	uint32_t type = read_u16(&r), version = read_u16(&r), length = read_u32(&r);

	if (version != RECORD_VERSION || length != len - RECORD_HEAD_BYTES)
		return ERR_BAD_ROW;
	ret_event->type = (enum event_type)type;
	ret_event->seq = read_i64(&r);
	ret_event->now_us = read_i64(&r);
	ret_stamp->rules_version = read_u16(&r);
	ret_stamp->framework_version = read_i64(&r);
	ret_event->principal = get_text(&r);
	key = read_bytes(&r, sizeof ret_stamp->key);
	if (key != NULL)
		memcpy(ret_stamp->key, key, sizeof ret_stamp->key);
	get_event(&r, ret_event);
	get_effects(&r, ret_update, ret_event);
	return r.bad || r.used != len || !event_holds(ret_event) ? ERR_BAD_ROW : ERR_OK;
}
