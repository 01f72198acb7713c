#include "core/match.h"

#include "base/check.h"

#include <string.h>

/* One call made ready for looking at many pools: its fixed demand by cell, once; its flexible visits, in order. */
struct need {
	uint32_t cell_count;
	struct {
		uint8_t cell_plane; /* cell*2 + paired: ascending is the published order */
		uint16_t units;
	} cells[CELLS * 2];
	uint32_t flexible_count;
	uint8_t flexible[VISITS_MAX * BUNDLE_PACKAGES]; /* visit positions */
};

struct look {
	const struct market *market;
	const struct call *call;
	const struct list *list;
	const struct entry *entry;
	const struct row_policy *policy;
	const uint32_t *cover; /* of the call's sector, by position */
	uint32_t position, pool, open_routes;
	struct candidate *candidate;
	struct match *match;
};

static uint32_t need_cell(uint32_t day, uint32_t code)
{
	return (day * BANDS + visit_code_band(code)) * 2 + visit_code_paired(code);
}

static void need_prepare(const struct call *call, struct need *need)
{
	uint16_t units[CELLS * 2]; /* valid where a bit of used is set */
	uint64_t used[(CELLS * 2 + 63) / 64] = {0};

	need->cell_count = 0;
	need->flexible_count = 0;
	for (uint32_t v = 0; v < call->visit_count; v++) {
		uint32_t code = call->visits[v].code, bands = call->visits[v].bands;

		if ((bands & (bands - 1)) != 0) {
			need->flexible[need->flexible_count++] = (uint8_t)v;
			continue;
		}
		for (uint32_t days = visit_code_days(code); days != 0; days &= days - 1) {
			uint32_t at = need_cell((uint32_t)__builtin_ctz(days), code);
			bool again = (used[at / 64] >> at % 64 & 1) != 0;

			units[at] = (uint16_t)((again ? units[at] : 0) + visit_code_units(code));
			used[at / 64] |= UINT64_C(1) << at % 64;
		}
	}
	for (uint32_t word = 0; word < sizeof used / sizeof *used; word++) {
		for (uint64_t left = used[word]; left != 0; left &= left - 1) {
			uint32_t at = word * 64 + (uint32_t)__builtin_ctzll(left);

			need->cells[need->cell_count].cell_plane = (uint8_t)at;
			need->cells[need->cell_count].units = units[at];
			need->cell_count += units[at] != 0;
		}
	}
}

/* A cell that is too short: over its declaration, or short of paired or single time. */
static enum reason match_short(struct candidate *c, uint32_t cell_plane, int need, int free)
{
	c->cell_plane = (uint8_t)cell_plane;
	c->need = (uint16_t)need;
	c->free = (uint16_t)(free > 0 ? free : 0);
	if (free < 0)
		return REASON_OVERHANG;
	return cell_plane & 1 ? REASON_PAIR_SHORT : REASON_TIME_SHORT;
}

static int pool_free(const struct pool_state *p, uint32_t cell_plane)
{
	return p->free[cell_plane & 1][cell_plane >> 1];
}

/* The lowest allowed band in which the visit fits on all its days; else the reason in its lowest band. */
static enum reason match_flexible(struct look *l, uint32_t v, uint16_t *taken)
{
	const struct pool_state *pool = &l->market->pools[l->pool];
	uint32_t lowest = visit_lowest_band(l->call->visits[v].bands);

	for (uint32_t bands = l->call->visits[v].bands; bands != 0; bands &= bands - 1) {
		uint32_t band = visit_lowest_band(bands);
		uint32_t code = visit_code_in_band(l->call->visits[v].code, band);
		int units = (int)visit_code_units(code);
		bool fits = true;

		for (uint32_t days = visit_code_days(code); days != 0 && fits; days &= days - 1) {
			uint32_t at = need_cell((uint32_t)__builtin_ctz(days), code);

			fits = units + taken[at] <= pool_free(pool, at);
			if (!fits && band == lowest) /* kept: the reason, should no band fit */
				l->candidate->reason = (uint8_t)match_short(l->candidate, at, units + taken[at],
									    pool_free(pool, at));
		}
		if (!fits)
			continue;
		for (uint32_t days = visit_code_days(code); days != 0; days &= days - 1)
			taken[need_cell((uint32_t)__builtin_ctz(days), code)] += (uint16_t)units;
		l->match->bands[v] = (uint8_t)band;
		return REASON_CHOSEN;
	}
	return (enum reason)l->candidate->reason;
}

static enum reason match_capacity(struct look *l, const struct need *need)
{
	const struct pool_state *pool = &l->market->pools[l->pool];

	if (pool->mode == POOL_MODE_IGNORED) {
		for (uint32_t v = 0; v < l->call->visit_count; v++)
			l->match->bands[v] = (uint8_t)visit_lowest_band(l->call->visits[v].bands);
		return REASON_CHOSEN;
	}
	if (pool->expires_us <= l->call->now_us ||
	    (pool->mode == POOL_MODE_ADVISORY && l->policy->award_style == AWARD_DIRECT))
		return REASON_CAPACITY_UNKNOWN;
	for (uint32_t i = 0; i < need->cell_count; i++) {
		int free = pool_free(pool, need->cells[i].cell_plane);

		if (need->cells[i].units > free)
			return match_short(l->candidate, need->cells[i].cell_plane, need->cells[i].units, free);
	}
	for (uint32_t v = 0; v < l->call->visit_count; v++)
		l->match->bands[v] = (uint8_t)visit_code_band(l->call->visits[v].code);
	if (need->flexible_count == 0)
		return REASON_CHOSEN;

	uint16_t taken[CELLS * 2] = {0};

	for (uint32_t i = 0; i < need->cell_count; i++)
		taken[need->cells[i].cell_plane] = need->cells[i].units;
	for (uint32_t i = 0; i < need->flexible_count; i++) {
		enum reason reason = match_flexible(l, need->flexible[i], taken);

		if (reason != REASON_CHOSEN)
			return reason;
	}
	l->candidate->cell_plane = UINT8_MAX; /* a low band that did not fit is not a reason any more */
	l->candidate->need = l->candidate->free = 0;
	return REASON_CHOSEN;
}

int32_t match_starts(const struct provider_state *p, int32_t day)
{
	uint32_t slot = (uint32_t)day % LOAD_DAYS;

	return p->starts[slot].day == day ? p->starts[slot].starts : 0;
}

int32_t match_starts_week(const struct provider_state *p, int32_t day)
{
	int32_t monday = day - (day + 3) % 7, sum = 0; /* 1970-01-01 was a Thursday */

	for (int32_t i = 0; i < 7; i++)
		sum += match_starts(p, monday + i);
	return sum;
}

/* The routes open to this call, a bit each. */
static uint32_t match_open_routes(const struct row_policy *policy, const struct call *call)
{
	bool last_resort = (policy->polr_urgencies >> call->urgency & 1) != 0 ||
			   (policy->polr_risks >> call->risk & 1) != 0 || (policy->polr_no_cover && call->no_cover);
	uint32_t open = 0;

	for (uint32_t i = 0; i < policy->route_count; i++)
		open |= 1u << policy->routes[i];
	return last_resort ? open : open & ~(1u << ROUTE_POLR);
}

/* 0, or the status that closes the provider to this list now. */
static int match_status(const struct market *m, const struct list *list, const struct entry *e, int32_t start_day,
			uint32_t new_starts, int64_t now_us)
{
	for (uint32_t i = 0; i < e->status_count; i++) {
		const struct row_status *s = &m->framework->statuses[e->status_first + i];

		if ((s->list_no != 0 && s->list_no != list->list_no) || now_us < s->from_us || now_us >= s->until_us ||
		    s->status == STATUS_ACTIVE)
			continue;
		if (s->status != STATUS_CAPPED ||
		    match_starts_week(&m->providers[e->provider], start_day) + (int32_t)new_starts > s->starts_week_max)
			return s->status;
	}
	return 0;
}

static bool match_rating_open(const struct row_policy *policy, const struct entry *e)
{
	if (e->route == ROUTE_POLR)
		return true;
	if (e->rating == RATING_NOT_RATED)
		return policy->not_rated_open;
	return e->rating >= policy->rating_min || (policy->improvement_plan_open && e->improvement_plan);
}

static bool match_is_excluded(const struct call *call, int32_t provider_no)
{
	for (uint32_t i = 0; i < call->excluded_count; i++) {
		if (call->excluded[i] == provider_no)
			return true;
	}
	return false;
}

/* Checks 1 to 9: who the provider is. */
static enum reason match_provider(struct look *l)
{
	const struct call *call = l->call;
	int status;

	if ((l->open_routes >> l->entry->route & 1) == 0)
		return REASON_ROUTE_CLOSED;
	status = l->entry->status_count == 0 ? 0 : match_status(l->market, l->list, l->entry, call->start_day, call->new_starts,
								call->now_us);
	if (status != 0) {
		l->candidate->detail = status;
		return REASON_STATUS;
	}
	if (!match_rating_open(l->policy, l->entry)) {
		l->candidate->detail = l->entry->rating;
		return REASON_RATING;
	}
	l->pool = l->cover == NULL ? POOL_NONE : l->cover[l->position];
	if (l->pool == POOL_NONE)
		return REASON_NOT_COVERED;
	if ((call->skills & ~l->entry->skills) != 0) {
		l->candidate->detail = __builtin_ctz((unsigned)(call->skills & ~l->entry->skills));
		return REASON_SKILL;
	}
	if ((call->genders & ~l->entry->genders) != 0) {
		l->candidate->detail = (call->genders & ~l->entry->genders & 1) != 0 ? GENDER_FEMALE : GENDER_MALE;
		return REASON_GENDER;
	}
	if ((call->languages & ~l->entry->languages) != 0) {
		l->candidate->detail = __builtin_ctzll(call->languages & ~l->entry->languages);
		return REASON_LANGUAGE;
	}
	if (match_is_excluded(call, l->entry->provider_no))
		return REASON_EXCLUDED;
	if (l->entry->route == ROUTE_SPOT && call->ceiling_pence_hour > 0 &&
	    l->entry->price_pence_hour > (int32_t)call->ceiling_pence_hour) {
		l->candidate->detail = l->entry->price_pence_hour;
		return REASON_PRICE_OVER_CEILING;
	}
	return REASON_CHOSEN;
}

/* Checks 10 to 13: how much it already has, and when it can start. */
static enum reason match_load(struct look *l)
{
	const struct call *call = l->call;
	const struct provider_state *load = &l->market->providers[l->entry->provider];
	int32_t on_list = l->market->entry_minutes_week[l->list->entry_first + l->position];
	int32_t minutes = (int32_t)call->carer_minutes_week;

	if (l->entry->share_cap_minutes_week > 0 && on_list + minutes > l->entry->share_cap_minutes_week) {
		l->candidate->detail = l->entry->share_cap_minutes_week;
		return REASON_SHARE_CAP;
	}
	if (l->entry->minutes_week_max > 0 && load->minutes_week + minutes > l->entry->minutes_week_max) {
		l->candidate->detail = l->entry->minutes_week_max;
		return REASON_HOURS_MAX;
	}
	if (l->market->pools[l->pool].available_from_day > call->latest_day) {
		l->candidate->detail = l->market->pools[l->pool].available_from_day;
		return REASON_START_DATE;
	}
	if (l->entry->starts_a_day_max > 0 &&
	    match_starts(load, call->start_day) + call->new_starts > l->entry->starts_a_day_max) {
		l->candidate->detail = l->entry->starts_a_day_max;
		return REASON_STARTS_A_DAY;
	}
	return REASON_CHOSEN;
}

bool match_choose(const struct market *m, const struct call *call, struct decision *decision, struct match *ret)
{
	const struct framework *f = m->framework;
	const struct list *list = &f->lists[call->list];
	struct look look = {.market = m, .call = call, .list = list, .policy = &f->policies[list->policy], .match = ret};
	struct need need;

	REQUIRE(call->visit_count <= VISITS_MAX * BUNDLE_PACKAGES);
	need_prepare(call, &need);
	look.cover = framework_cover(f, list, call->sector);
	look.open_routes = match_open_routes(look.policy, call);
	decision->list_no = list->list_no;
	decision->list_version = list->version;
	decision->policy_no = look.policy->policy_no;
	for (uint32_t i = 0; i < list->entry_count; i++) {
		struct candidate *c = &decision->candidates[i];
		enum reason reason;

		look.entry = &f->entries[list->entry_first + i];
		look.position = i;
		look.candidate = c;
		*c = (struct candidate){
			.provider_no = look.entry->provider_no, .rank = look.entry->rank, .route = look.entry->route,
			.tier = look.entry->tier, .cell_plane = UINT8_MAX,
		};
		reason = match_provider(&look);
		if (reason == REASON_CHOSEN)
			reason = match_load(&look);
		if (reason == REASON_CHOSEN)
			reason = match_capacity(&look, &need);
		c->reason = (uint8_t)reason;
		if (reason != REASON_CHOSEN)
			continue;
		decision->looked_at = (uint16_t)(i + 1);
		decision->not_reached = (uint16_t)(list->entry_count - i - 1);
		decision->outcome = c->route == ROUTE_POLR || c->route == ROUTE_BRIDGING ? ROUND_OUTCOME_LAST_RESORT
											 : ROUND_OUTCOME_NOMINATED;
		ret->entry = i;
		ret->pool = look.pool;
		return true;
	}
	decision->looked_at = (uint16_t)list->entry_count;
	decision->not_reached = 0;
	decision->outcome = ROUND_OUTCOME_NOBODY;
	return false;
}

enum reason match_recheck(const struct market *m, const struct list *list, const struct entry *e, int32_t start_day,
			  int64_t now_us)
{
	const struct framework *f = m->framework;

	/* its own start is already counted among the starts: nothing new is added */
	if (match_status(m, list, e, start_day, 0, now_us) != 0)
		return REASON_STATUS;
	if (!match_rating_open(&f->policies[list->policy], e))
		return REASON_RATING;
	return REASON_CHOSEN;
}
