/* core.c — the state and how an update folds into it. The rules are in decide.c and match.c. */
#include "core/core.h"

#include "base/check.h"
#include "base/sort.h"
#include "core/life.h"
#include "core/words.h"

#include <string.h>

struct block {
	int32_t next;
	uint32_t words[BLOCK_WORDS];
};

struct bundle_waiting {
	char ref[REF_BYTES_MAX];
	uint32_t len;
	int32_t package;
	int64_t package_no; /* while loading: slots may move */
};

struct core {
	struct core_limits limits;
	struct market market;
	struct package *packages;
	struct placement *placements;
	struct block *blocks;
	uint32_t package_count, placement_count, block_count, bundle_count;
	int32_t placement_free, block_free;
	struct bundle_waiting bundles[BUNDLES_WAITING_MAX];
	struct core_counts counts;
};

static size_t core_align(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

size_t core_bytes(const struct framework *f, const struct core_limits *l)
{
	return core_align(sizeof(struct core)) + core_align(f->pool_count * sizeof(struct pool_state)) +
	       core_align(f->provider_count * sizeof(struct provider_state)) +
	       2 * core_align(f->entry_count * sizeof(int32_t)) +
	       core_align((size_t)l->packages_max * sizeof(struct package)) +
	       core_align((size_t)l->placements_max * sizeof(struct placement)) +
	       core_align((size_t)l->blocks_max * sizeof(struct block));
}

static void *core_take(unsigned char **at, size_t bytes)
{
	void *p = *at;

	*at += core_align(bytes);
	return p;
}

struct core *core_init(void *mem, const struct framework *f, const struct core_limits *limits)
{
	unsigned char *at = mem;
	struct core *c = core_take(&at, sizeof *c);

	REQUIRE(((uintptr_t)mem & 63) == 0);
	c->limits = *limits;
	c->market.framework = f;
	c->market.pools = core_take(&at, f->pool_count * sizeof(struct pool_state));
	c->market.providers = core_take(&at, f->provider_count * sizeof(struct provider_state));
	c->market.entry_minutes_week = core_take(&at, f->entry_count * sizeof(int32_t));
	c->market.entry_packages = core_take(&at, f->entry_count * sizeof(int32_t));
	c->packages = core_take(&at, (size_t)limits->packages_max * sizeof(struct package));
	c->placements = core_take(&at, (size_t)limits->placements_max * sizeof(struct placement));
	c->blocks = core_take(&at, (size_t)limits->blocks_max * sizeof(struct block));
	c->placement_free = c->block_free = NONE;
	for (uint32_t i = 0; i < f->pool_count; i++)
		c->market.pools[i].mode = POOL_MODE_BINDING;
	return c;
}

/* ---- words past the fixed part of a row ---- */

static int32_t words_put(struct core *c, const uint32_t *words, uint32_t count)
{
	int32_t first = NONE, *link = &first;

	for (uint32_t at = 0; at < count; at += BLOCK_WORDS) {
		int32_t slot = c->block_free;

		if (slot != NONE)
			c->block_free = c->blocks[slot].next;
		else
			slot = (int32_t)c->block_count++;
		INSIST((uint32_t)slot < c->limits.blocks_max);
		c->blocks[slot].next = NONE;
		memcpy(c->blocks[slot].words, words + at,
		       (count - at < BLOCK_WORDS ? count - at : BLOCK_WORDS) * sizeof *words);
		*link = slot;
		link = &c->blocks[slot].next;
	}
	return first;
}

static void words_get(const struct core *c, int32_t slot, uint32_t *ret, uint32_t count)
{
	for (uint32_t at = 0; at < count; at += BLOCK_WORDS, slot = c->blocks[slot].next) {
		INSIST(slot != NONE);
		memcpy(ret + at, c->blocks[slot].words, (count - at < BLOCK_WORDS ? count - at : BLOCK_WORDS) * sizeof *ret);
	}
}

static void words_free(struct core *c, int32_t slot)
{
	while (slot != NONE) {
		int32_t next = c->blocks[slot].next;

		c->blocks[slot].next = c->block_free;
		c->block_free = slot;
		slot = next;
	}
}

static uint32_t package_more_count(const struct package *p)
{
	uint32_t lines = p->visit_count > PACKAGE_LINES ? p->visit_count - (uint32_t)PACKAGE_LINES : 0u;

	return p->excluded_count + 2 * lines;
}

void core_visits(const struct core *c, const struct package *p, uint32_t *ret_codes, uint32_t *ret_facts)
{
	uint32_t words[EXCLUDED_MAX + 2 * VISITS_MAX];

	words_get(c, p->more, words, package_more_count(p));
	for (uint32_t i = 0; i < p->visit_count; i++) {
		const uint32_t *line = words + p->excluded_count + 2 * (i - PACKAGE_LINES);

		ret_codes[i] = i < PACKAGE_LINES ? p->codes[i] : line[0];
		ret_facts[i] = i < PACKAGE_LINES ? p->facts[i] : line[1];
	}
}

void core_excluded(const struct core *c, const struct package *p, int32_t *ret_excluded)
{
	words_get(c, p->more, (uint32_t *)ret_excluded, p->excluded_count);
}

void core_demand(const struct core *c, const struct placement *p, uint32_t *ret_demand)
{
	uint32_t inside = p->demand_count < PLACEMENT_LINES ? p->demand_count : (uint32_t)PLACEMENT_LINES;

	memcpy(ret_demand, p->demand, inside * sizeof *ret_demand);
	words_get(c, p->more, ret_demand + inside, p->demand_count - inside);
}

/* ---- finding ---- */

static int32_t core_find_slot(const struct core *c, int64_t package_no)
{
	uint32_t low = 0, count = c->package_count, hint = c->placement_count; /* loading: most have one placement each, in order */

	if (hint < count && c->packages[hint].package_no == package_no)
		return (int32_t)hint;
	while (count > 0) {
		uint32_t half = count / 2;

		if (c->packages[low + half].package_no < package_no) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low < c->package_count && c->packages[low].package_no == package_no ? (int32_t)low : NONE;
}

const struct package *core_find(const struct core *c, int64_t package_no)
{
	int32_t slot = core_find_slot(c, package_no);

	return slot != NONE ? &c->packages[slot] : NULL;
}

const struct placement *core_placement(const struct core *c, int32_t slot)
{
	REQUIRE(slot >= 0 && (uint32_t)slot < c->placement_count);
	return &c->placements[slot];
}

const struct package *core_partner(const struct core *c, const struct package *p)
{
	REQUIRE(p->partner != NONE);
	return &c->packages[p->partner];
}

const struct package *core_bundle_waiting(const struct core *c, struct text ref)
{
	for (uint32_t i = 0; i < c->bundle_count; i++) {
		if (c->bundles[i].len == ref.len && memcmp(c->bundles[i].ref, ref.bytes, ref.len) == 0)
			return &c->packages[c->bundles[i].package];
	}
	return NULL;
}

bool core_bundles_full(const struct core *c)
{
	return c->bundle_count == BUNDLES_WAITING_MAX;
}

const struct framework *core_framework(const struct core *c)
{
	return c->market.framework;
}

const struct market *core_market(const struct core *c)
{
	return &c->market;
}

const struct core_counts *core_counts(const struct core *c)
{
	return &c->counts;
}

int32_t core_committed(const struct core *c, uint32_t pool, uint32_t cell, uint32_t plane)
{
	const struct pool_state *p = &c->market.pools[pool];

	return (int32_t)p->declared[plane][cell] - p->free[plane][cell];
}

bool core_has_room(const struct core *c)
{
	return c->package_count + BUNDLE_PACKAGES <= c->limits.packages_max &&
	       c->placement_count + BUNDLE_PACKAGES <= c->limits.placements_max &&
	       c->block_count + 16 <= c->limits.blocks_max;
}

bool core_is_worth_a_load(const struct core *c)
{
	int64_t over = c->counts.states[STATE_ENDED] + c->counts.states[STATE_WITHDRAWN] + c->counts.states[STATE_VOID];
	bool full = c->package_count >= c->limits.packages_max / 4 * 3 || c->block_count >= c->limits.blocks_max / 4 * 3;

	return full && over * 4 >= c->package_count;
}

/* ---- folding ---- */

static uint64_t core_hash_bytes(uint64_t h, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
	return h;
}

/* What is held on a list counts for each version of it, the one to come included. */
static void market_hold(struct core *c, const struct placement *p, int sign)
{
	const struct framework *f = c->market.framework;

	for (uint32_t i = framework_first_version(f, p->list_no); i < f->list_count && f->lists[i].list_no == p->list_no; i++) {
		uint32_t entry = framework_find_entry(f, &f->lists[i], p->provider);

		if (entry == UINT32_MAX)
			continue;
		c->market.entry_minutes_week[entry] += sign * (int32_t)p->carer_minutes_week;
		c->market.entry_packages[entry] += sign;
	}
}

static void market_take(struct core *c, const struct placement *p, int sign)
{
	struct pool_state *pool = &c->market.pools[p->pool];
	struct provider_state *provider = &c->market.providers[p->provider];
	uint32_t demand[VISITS_MAX];

	core_demand(c, p, demand);
	/* an ignored pool has no limit, so its cells are not kept: they would pass what 16 bits hold */
	for (uint32_t i = 0; i < p->demand_count && pool->mode != POOL_MODE_IGNORED; i++) {
		uint32_t band = visit_code_band(demand[i]), plane = visit_code_paired(demand[i]);

		for (uint32_t days = visit_code_days(demand[i]); days != 0; days &= days - 1)
			pool->free[plane][(uint32_t)__builtin_ctz(days) * BANDS + band] -=
				(int16_t)(sign * (int)visit_code_units(demand[i]));
	}
	provider->minutes_week += sign * (int32_t)p->carer_minutes_week;
	provider->live_packages += sign;
	market_hold(c, p, sign);
	c->counts.routes[p->route][p->role].placements += sign;
	c->counts.routes[p->route][p->role].carer_minutes_week += sign * (int64_t)p->carer_minutes_week;

	uint32_t slot = (uint32_t)p->start_day % LOAD_DAYS;

	if (provider->starts[slot].day < p->start_day && sign > 0) {
		provider->starts[slot].day = p->start_day;
		provider->starts[slot].starts = 0;
	}
	if (provider->starts[slot].day == p->start_day)
		provider->starts[slot].starts += sign;
}

static int32_t *package_role(struct package *p, int role)
{
	switch ((enum role)role) {
	case ROLE_MAIN:
		return &p->main;
	case ROLE_INTERIM:
		return &p->interim;
	case ROLE_OUTGOING:
		return &p->outgoing;
	}
	UNREACHABLE();
}

static void core_make(struct core *c, const struct placed *m)
{
	const struct framework *f = c->market.framework;
	int32_t package = core_find_slot(c, m->package_no), slot = c->placement_free;
	uint32_t inside = m->demand_count < PLACEMENT_LINES ? m->demand_count : (uint32_t)PLACEMENT_LINES;
	struct placement *p;

	INSIST(package != NONE);
	if (slot != NONE)
		c->placement_free = c->placements[slot].more;
	else
		slot = (int32_t)c->placement_count++;
	INSIST((uint32_t)slot < c->limits.placements_max);
	p = &c->placements[slot];
	*p = (struct placement){
		.package = package, .pool = framework_find_pool_no(f, m->pool_no),
		.provider = framework_find_provider_no(f, m->provider_no), .list_no = m->list_no,
		.start_day = m->start_day, .exit_day = m->exit_day, .carer_minutes_week = m->carer_minutes_week,
		.price_pence_week = m->price_pence_week, .rank = m->rank, .role = m->role, .route = m->route,
		.tier = m->tier, .demand_count = m->demand_count,
	};
	INSIST(p->pool != UINT32_MAX && p->provider != UINT32_MAX);
	memcpy(p->demand, m->demand, inside * sizeof *p->demand);
	p->more = words_put(c, m->demand + inside, m->demand_count - inside);
	INSIST(*package_role(&c->packages[package], m->role) == NONE);
	*package_role(&c->packages[package], m->role) = slot;
	market_take(c, p, 1);
}

static void core_end(struct core *c, const struct ended *e)
{
	int32_t package = core_find_slot(c, e->package_no), slot;

	INSIST(package != NONE);
	slot = *package_role(&c->packages[package], e->role);
	INSIST(slot != NONE);
	market_take(c, &c->placements[slot], -1);
	words_free(c, c->placements[slot].more);
	c->placements[slot].package = NONE;
	c->placements[slot].more = c->placement_free;
	c->placement_free = slot;
	*package_role(&c->packages[package], e->role) = NONE;
}

static int32_t core_add(struct core *c, const struct package *fixed, const uint32_t *codes, const uint32_t *facts,
			const int32_t *excluded)
{
	int32_t slot = (int32_t)c->package_count++;
	uint32_t inside = fixed->visit_count < PACKAGE_LINES ? fixed->visit_count : (uint32_t)PACKAGE_LINES;
	uint32_t more[EXCLUDED_MAX + 2 * VISITS_MAX], count = 0;
	struct package *p = &c->packages[slot];

	INSIST((uint32_t)slot < c->limits.packages_max);
	*p = *fixed;
	p->main = p->interim = p->outgoing = p->partner = NONE;
	for (uint32_t i = 0; i < fixed->excluded_count; i++)
		more[count++] = (uint32_t)excluded[i];
	for (uint32_t i = 0; i < fixed->visit_count; i++) {
		if (i < inside) {
			p->codes[i] = codes[i];
			p->facts[i] = facts[i];
		} else {
			more[count++] = codes[i];
			more[count++] = facts[i];
		}
	}
	p->more = words_put(c, more, count);
	c->counts.states[p->state]++;
	return slot;
}

static void bundle_wait(struct core *c, struct text ref, int32_t package)
{
	struct bundle_waiting *b = &c->bundles[c->bundle_count++];

	INSIST(c->bundle_count <= BUNDLES_WAITING_MAX && ref.len <= REF_BYTES_MAX);
	memcpy(b->ref, ref.bytes, ref.len);
	b->len = ref.len;
	b->package = package;
}

static void bundle_stop_waiting(struct core *c, int32_t package)
{
	for (uint32_t i = 0; i < c->bundle_count; i++) {
		if (c->bundles[i].package == package) {
			c->bundles[i] = c->bundles[--c->bundle_count];
			return;
		}
	}
}

static uint64_t bundle_hash(struct text ref)
{
	return ref.len == 0 ? 0 : core_hash_bytes(0xcbf29ce484222325u, ref.bytes, ref.len) | 1;
}

static void apply_new(struct core *c, const struct event *event, const struct new_package *n)
{
	const struct requirement *r = &event->submit;
	const struct package *waiting = r->bundle_ref.len > 0 ? core_bundle_waiting(c, r->bundle_ref) : NULL;
	int32_t partner = waiting != NULL ? (int32_t)(waiting - c->packages) : NONE;
	struct package fixed = {
		.package_no = n->package_no, .bundle = bundle_hash(r->bundle_ref), .list_no = n->list_no,
		.sector_no = n->sector_no, .skills = n->skills, .start_day = n->start_day, .latest_day = n->latest_day,
		.ceiling_pence_hour = r->ceiling_pence_hour, .requirement_version = 1, .state = n->state,
		.service = r->service, .client_group = r->client_group, .gender = r->gender,
		.language = (uint8_t)n->language, .urgency = r->urgency, .risk = r->risk, .cover = r->cover,
		.district_no = n->district_no, .visit_count = n->visit_count, .excluded_count = n->excluded_count,
	};
	int32_t slot = core_add(c, &fixed, n->visits, n->facts, n->excluded);

	INSIST(slot == 0 || c->packages[slot - 1].package_no < n->package_no);
	if (n->state == STATE_SUBMITTED) {
		bundle_wait(c, r->bundle_ref, slot);
	} else if (partner != NONE) {
		c->packages[slot].partner = partner;
		c->packages[partner].partner = slot;
	}
}

static void apply_change(struct core *c, enum event_type type, const struct state_change *change)
{
	int32_t slot = core_find_slot(c, change->package_no);
	struct package *p;

	INSIST(slot != NONE && life_allows(change->from, type, change->to));
	p = &c->packages[slot];
	INSIST(p->state == change->from);
	c->counts.states[p->state]--;
	c->counts.states[change->to]++;
	p->state = change->to;
	if (change->from == STATE_SUBMITTED)
		bundle_stop_waiting(c, slot);
	if ((change->to == STATE_ENDED || change->to == STATE_WITHDRAWN) && p->partner != NONE) {
		c->packages[p->partner].partner = NONE;
		p->partner = NONE;
	}
}

static void apply_declared(struct core *c, const struct declared *d)
{
	uint32_t pool = framework_find_pool_no(c->market.framework, d->pool_no);
	struct pool_state *p = &c->market.pools[pool];

	INSIST(pool != UINT32_MAX);
	for (uint32_t plane = 0; plane < 2; plane++) {
		for (uint32_t cell = 0; cell < CELLS; cell++) {
			p->free[plane][cell] = (int16_t)(p->free[plane][cell] - p->declared[plane][cell] +
							 d->units[plane][cell]);
			p->declared[plane][cell] = d->units[plane][cell];
		}
	}
	p->expires_us = d->expires_us;
	p->available_from_day = d->available_from_day;
}

void core_apply(struct core *c, const struct event *event, const struct update *u)
{
	for (uint32_t i = 0; i < u->new_count; i++)
		apply_new(c, event, &u->packages[i]);
	for (uint32_t i = 0; i < u->ended_count; i++)
		core_end(c, &u->ended[i]);
	for (uint32_t i = 0; i < u->made_count; i++)
		core_make(c, &u->made[i]);
	for (uint32_t i = 0; i < u->change_count; i++)
		apply_change(c, event->type, &u->changes[i]);
	for (uint32_t i = 0; i < u->declared_count; i++)
		apply_declared(c, &u->declared[i]);
}

void core_step(struct core *c, const struct event *event, struct update *ret)
{
	core_decide(c, event, ret);
	core_apply(c, event, ret);
}

/* ---- an update of another's making: a journal is bytes from outside, and folding trusts what it is given ---- */

static enum err fits_new(const struct core *c, const struct event *event, const struct new_package *n)
{
	struct text ref = event->submit.bundle_ref;

	if (event->type != EVENT_SUBMIT || n->visit_count < 1 || n->state < STATE_SUBMITTED || n->state > STATE_VOID ||
	    n->language < 0 || n->language > LANGUAGE_NO_MAX ||
	    (c->package_count > 0 && c->packages[c->package_count - 1].package_no >= n->package_no))
		return ERR_BAD_ROW;
	if (n->state == STATE_SUBMITTED &&
	    (ref.len == 0 || ref.len > REF_BYTES_MAX || core_bundles_full(c) || core_bundle_waiting(c, ref) != NULL))
		return ERR_BAD_ROW;
	return core_has_room(c) ? ERR_OK : ERR_TOO_MANY_PACKAGES;
}

static bool fits_ended(const struct core *c, const struct update *u, uint32_t i)
{
	const struct ended *e = &u->ended[i];
	int32_t package = core_find_slot(c, e->package_no);

	for (uint32_t before = 0; before < i; before++) {
		if (u->ended[before].package_no == e->package_no && u->ended[before].role == e->role)
			return false;
	}
	return package != NONE && e->role >= ROLE_MAIN && e->role <= ROLE_OUTGOING &&
	       *package_role(&c->packages[package], e->role) != NONE;
}

/* Is this role of the package open once what ends has ended? */
static bool fits_role(const struct core *c, const struct update *u, uint32_t i)
{
	const struct placed *m = &u->made[i];
	int32_t package = core_find_slot(c, m->package_no);

	for (uint32_t before = 0; before < i; before++) {
		if (u->made[before].package_no == m->package_no && u->made[before].role == m->role)
			return false;
	}
	if (package == NONE)
		return u->new_count > 0 && u->packages[0].package_no == m->package_no;
	for (uint32_t k = 0; k < u->ended_count; k++) {
		if (u->ended[k].package_no == m->package_no && u->ended[k].role == m->role)
			return true;
	}
	return *package_role(&c->packages[package], m->role) == NONE;
}

/* What all that is made takes of one pool, in what a cell can count. */
static bool fits_cells(const struct core *c, const struct update *u, int32_t pool_no)
{
	const struct pool_state *pool = &c->market.pools[framework_find_pool_no(c->market.framework, pool_no)];
	int32_t free[2][CELLS];

	for (uint32_t i = 0; i < 2 * CELLS; i++)
		free[i / CELLS][i % CELLS] = pool->free[i / CELLS][i % CELLS];
	for (uint32_t i = 0; i < u->made_count; i++) {
		for (uint32_t k = 0; k < u->made[i].demand_count && u->made[i].pool_no == pool_no; k++) {
			uint32_t code = u->made[i].demand[k], plane = visit_code_paired(code);

			for (uint32_t days = visit_code_days(code); days != 0; days &= days - 1) {
				uint32_t cell = (uint32_t)__builtin_ctz(days) * BANDS + visit_code_band(code);

				free[plane][cell] -= (int32_t)visit_code_units(code);
				if (free[plane][cell] < INT16_MIN)
					return false;
			}
		}
	}
	return true;
}

static bool fits_made(const struct core *c, const struct update *u, uint32_t i)
{
	static const uint32_t minutes_max = VISITS_MAX * DAYS * 2 * VISIT_MINUTES_MAX; /* all of them by two carers */
	const struct framework *f = c->market.framework;
	const struct placed *m = &u->made[i];
	uint32_t provider = framework_find_provider_no(f, m->provider_no);

	if (m->role < ROLE_MAIN || m->role > ROLE_OUTGOING || m->route < ROUTE_FRAMEWORK || m->route > ROUTE_POLR ||
	    framework_find_pool_no(f, m->pool_no) == UINT32_MAX || provider == UINT32_MAX || m->carer_minutes_week > minutes_max)
		return false;
	return c->market.providers[provider].minutes_week < INT32_MAX - 2 * (int32_t)minutes_max && fits_role(c, u, i) &&
	       fits_cells(c, u, m->pool_no);
}

static bool fits_change(const struct core *c, enum event_type type, const struct update *u, uint32_t i)
{
	const struct state_change *change = &u->changes[i];
	const struct package *p = core_find(c, change->package_no);

	return p != NULL && p->state == change->from && life_allows(change->from, type, change->to) &&
	       (i == 0 || u->changes[0].package_no != change->package_no);
}

static bool fits_declared(const struct core *c, const struct declared *d)
{
	uint32_t pool = framework_find_pool_no(c->market.framework, d->pool_no);

	for (uint32_t i = 0; i < 2 * CELLS && pool != UINT32_MAX; i++) {
		if (d->units[i / CELLS][i % CELLS] > CELL_UNITS_MAX ||
		    d->units[i / CELLS][i % CELLS] - core_committed(c, pool, i % CELLS, i / CELLS) < INT16_MIN)
			return false;
	}
	return pool != UINT32_MAX;
}

enum err core_fits(const struct core *c, const struct event *event, const struct update *u)
{
	for (uint32_t i = 0; i < u->new_count; i++)
		TRY(fits_new(c, event, &u->packages[i]));
	for (uint32_t i = 0; i < u->ended_count; i++)
		if (!fits_ended(c, u, i))
			return ERR_BAD_ROW;
	for (uint32_t i = 0; i < u->made_count; i++)
		if (!fits_made(c, u, i))
			return ERR_BAD_ROW;
	for (uint32_t i = 0; i < u->change_count; i++)
		if (!fits_change(c, event->type, u, i))
			return ERR_BAD_ROW;
	for (uint32_t i = 0; i < u->declared_count; i++)
		if (!fits_declared(c, &u->declared[i]))
			return ERR_BAD_ROW;
	return u->made_count == 0 || core_has_room(c) ? ERR_OK : ERR_TOO_MANY_PACKAGES;
}

/* ---- loading ---- */

enum err core_load_pool(struct core *c, int32_t pool_no, int mode, const uint16_t declared[2][CELLS],
			int64_t expires_us, int32_t available_from_day)
{
	uint32_t pool = framework_find_pool_no(c->market.framework, pool_no);

	if (pool == UINT32_MAX || mode < POOL_MODE_BINDING || mode > POOL_MODE_IGNORED)
		return ERR_BAD_ROW;

	struct pool_state *p = &c->market.pools[pool];

	p->mode = (uint8_t)mode;
	p->expires_us = expires_us;
	p->available_from_day = available_from_day;
	for (uint32_t plane = 0; plane < 2; plane++) {
		for (uint32_t cell = 0; cell < CELLS; cell++) {
			if (declared[plane][cell] > CELL_UNITS_MAX)
				return ERR_BAD_ROW;
			p->free[plane][cell] = (int16_t)(p->free[plane][cell] + declared[plane][cell]);
		}
	}
	memcpy(p->declared, declared, sizeof p->declared);
	return ERR_OK;
}

enum err core_load_package(struct core *c, const struct package_row *row)
{
	if (!core_has_room(c))
		return ERR_TOO_MANY_PACKAGES;
	if (row->visit_count < 1 || row->visit_count > VISITS_MAX || row->excluded_count > EXCLUDED_MAX ||
	    row->state < STATE_SUBMITTED || row->state > STATE_VOID || row->language < 0 || row->language > LANGUAGE_NO_MAX)
		return ERR_BAD_ROW;

	struct package fixed = {
		.package_no = row->package_no, .bundle = bundle_hash(row->bundle_ref), .list_no = row->list_no,
		.sector_no = row->sector_no, .skills = row->skills, .start_day = row->start_day,
		.latest_day = row->latest_day, .ceiling_pence_hour = row->ceiling_pence_hour,
		.requirement_version = row->requirement_version, .state = row->state, .service = row->service,
		.client_group = row->client_group, .gender = row->gender, .language = (uint8_t)row->language,
		.urgency = row->urgency, .risk = row->risk, .cover = row->cover, .district_no = row->district_no,
		.visit_count = row->visit_count, .excluded_count = row->excluded_count,
	};
	int32_t slot = core_add(c, &fixed, row->visits, row->facts, row->excluded);

	if (fixed.bundle != 0 && fixed.state == STATE_SUBMITTED) {
		if (core_bundles_full(c))
			return ERR_BAD_ROW;
		bundle_wait(c, row->bundle_ref, slot); /* its slot may still move: core_loaded finds it again by number */
		c->bundles[c->bundle_count - 1].package_no = row->package_no;
	}
	return ERR_OK;
}

bool core_bundle_in_use(const struct core *c, struct text ref)
{
	uint64_t bundle = bundle_hash(ref);

	for (uint32_t i = 0; i < c->package_count; i++) {
		const struct package *p = &c->packages[i];

		if (p->bundle == bundle && p->state != STATE_SUBMITTED && p->state != STATE_ENDED &&
		    p->state != STATE_WITHDRAWN && p->state != STATE_VOID)
			return true;
	}
	return false;
}

static int package_by_no(const void *a, const void *b)
{
	const struct package *x = a, *y = b;

	return (x->package_no > y->package_no) - (x->package_no < y->package_no);
}

/* The other live package of a bundle, if it was loaded too. */
static void core_join_bundle(struct core *c, uint32_t slot, const uint32_t *members, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct package *p = &c->packages[members[i]];

		if (p->bundle == c->packages[slot].bundle && p->partner == NONE) {
			p->partner = (int32_t)slot;
			c->packages[slot].partner = (int32_t)members[i];
			return;
		}
	}
}

enum err core_loaded(struct core *c)
{
	/* the room behind the blocks in use, given back empty: nothing may be allocated here */
	uint32_t *members = (uint32_t *)(void *)(c->blocks + c->block_count), count = 0;
	uint32_t members_max = (uint32_t)((c->limits.blocks_max - c->block_count) * (sizeof(struct block) / 4));

	sort_rows(c->packages, c->package_count, sizeof *c->packages, package_by_no);
	for (uint32_t i = 0; i < c->package_count; i++) {
		struct package *p = &c->packages[i];

		if (i > 0 && p[-1].package_no == p->package_no)
			return ERR_BAD_ROW;
		if (p->bundle == 0 || p->state == STATE_SUBMITTED)
			continue;
		core_join_bundle(c, i, members, count);
		if (p->partner == NONE && count < members_max)
			members[count++] = i;
	}
	memset(members, 0, count * sizeof *members);
	for (uint32_t i = 0; i < c->bundle_count; i++)
		c->bundles[i].package = core_find_slot(c, c->bundles[i].package_no);
	return ERR_OK;
}

enum err core_load_placement(struct core *c, const struct placed *row)
{
	const struct framework *f = c->market.framework;
	int32_t package = core_find_slot(c, row->package_no);

	if (package == NONE || framework_find_pool_no(f, row->pool_no) == UINT32_MAX ||
	    framework_find_provider_no(f, row->provider_no) == UINT32_MAX || row->role < ROLE_MAIN ||
	    row->role > ROLE_OUTGOING || row->route < ROUTE_FRAMEWORK || row->route > ROUTE_POLR ||
	    row->demand_count > VISITS_MAX || *package_role(&c->packages[package], row->role) != NONE)
		return ERR_BAD_ROW;
	if (c->placement_count >= c->limits.placements_max || c->block_count + 2 > c->limits.blocks_max)
		return ERR_TOO_MANY_PACKAGES;
	core_make(c, row);
	return ERR_OK;
}

uint64_t core_state_hash(const struct core *c)
{
	const struct framework *f = c->market.framework;
	uint64_t h = 0xcbf29ce484222325u;

	for (uint32_t i = 0; i < f->pool_count; i++) {
		const struct pool_state *p = &c->market.pools[i];

		for (uint32_t plane = 0; plane < 2; plane++) {
			h = core_hash_bytes(h, p->free[plane], CELLS * sizeof p->free[plane][0]);
			h = core_hash_bytes(h, p->declared[plane], sizeof p->declared[plane]);
		}
		h = core_hash_bytes(h, &p->expires_us, sizeof p->expires_us);
	}
	for (uint32_t i = 0; i < f->provider_count; i++)
		h = core_hash_bytes(h, &c->market.providers[i].minutes_week, sizeof(int32_t));
	for (uint32_t i = 0; i < c->package_count; i++) {
		const struct package *p = &c->packages[i];
		const int32_t roles[] = {p->main, p->interim, p->outgoing};

		if (p->state == STATE_ENDED || p->state == STATE_WITHDRAWN || p->state == STATE_VOID)
			continue;
		h = core_hash_bytes(h, &p->package_no, sizeof p->package_no);
		h = core_hash_bytes(h, &p->state, sizeof p->state);
		for (uint32_t r = 0; r < 3; r++) {
			uint32_t provider = roles[r] == NONE ? UINT32_MAX : c->placements[roles[r]].provider;

			h = core_hash_bytes(h, &provider, sizeof provider);
		}
	}
	return h;
}
