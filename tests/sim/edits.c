#include "edits.h"

#include "dice.h"

#include <string.h>

enum edit_kind { EDIT_PRICE, EDIT_RANK, EDIT_STATUS, EDIT_STATUS_END, EDIT_RATING, EDIT_LIMITS, EDIT_LIST_DATES, EDIT_COVERAGE,
		 EDIT_POLICY, EDIT_KINDS };

static int between(int low, int high)
{
	return (int)dice_between(DICE_NEMESIS, low, high);
}

/* To another pool of the same provider and kind, or away (0). */
static struct edit coverage_draw(const struct model_market *m)
{
	int at = between(0, m->coverage_n - 1);
	const struct model_coverage *c = &m->coverages[at];
	int pool = 0;

	for (int i = 0; i < m->pool_n; i++) {
		if (m->pools[i].provider == c->provider && m->pools[i].kind == m->pools[c->pool - 1].kind && i + 1 != c->pool)
			pool = i + 1;
	}
	return (struct edit){EDIT_COVERAGE, at, pool, 0, 0};
}

struct edit edit_draw(const struct model_market *m, long long now)
{
	int list = between(0, m->list_n - 1), kind = between(0, EDIT_KINDS - 1);
	int entry = between(0, m->lists[list].entry_n - 1), provider = between(1, m->provider_n);

	switch ((enum edit_kind)kind) {
	case EDIT_STATUS:
		if (m->status_n == MODEL_STATUSES_MAX)
			break;
		return (struct edit){kind, provider, between(STATUS_ACTIVE, STATUS_FAILED), now - between(0, 60), between(0, 2)};
	case EDIT_STATUS_END:
		if (m->status_n == 0)
			break;
		return (struct edit){kind, between(0, m->status_n - 1), 0, now, 0};
	case EDIT_RATING:
		return (struct edit){kind, provider, between(0, 4), between(0, 1), 0};
	case EDIT_LIMITS:
		return (struct edit){kind, provider, between(0, 3), between(0, 60) * 60, 0};
	case EDIT_LIST_DATES:
		return (struct edit){kind, list, 0, now - between(-2, 100000), now + between(1, 100) * 3600LL};
	case EDIT_COVERAGE:
		if (m->coverage_n == 0)
			break;
		return coverage_draw(m);
	case EDIT_POLICY:
		return (struct edit){kind, between(0, 31) << 1, between(1, 42), between(1, 48) * 60, between(0, 1)};
	case EDIT_RANK:
		return (struct edit){kind, list, entry, between(1, 2), between(1, 5)};
	case EDIT_PRICE:
	case EDIT_KINDS:
		break;
	}
	return (struct edit){EDIT_PRICE, list, entry, between(2000, 3400), 0};
}

uint64_t edit_id(uint64_t before, const struct edit *e)
{
	const long long numbers[] = {e->kind, e->a, e->b, e->c, e->d};
	uint64_t id = before;

	for (int i = 0; i < 5; i++)
		id = (id ^ (uint64_t)numbers[i]) * 0x100000001b3u + 1;
	return id;
}

static void status_add(struct model_market *m, const struct edit *e)
{
	m->statuses[m->status_n++] = (struct model_status){
		.provider = e->a, .status = e->b, .from_seconds = e->c, .until_seconds = MODEL_NEVER_SECONDS,
		.starts_week_max = e->b == STATUS_CAPPED ? (int)e->d : 0,
	};
}

static void coverage_change(struct model_market *m, const struct edit *e)
{
	if (e->b != 0) {
		m->coverages[e->a].pool = e->b;
		return;
	}
	m->coverage_n--;
	memmove(&m->coverages[e->a], &m->coverages[e->a + 1], (size_t)(m->coverage_n - e->a) * sizeof m->coverages[0]);
}

void edit_apply(struct model_market *m, const struct edit *e)
{
	switch ((enum edit_kind)e->kind) {
	case EDIT_PRICE:
		m->lists[e->a].entries[e->b].price_pence_hour = (int)e->c;
		return;
	case EDIT_RANK:
		m->lists[e->a].entries[e->b].tier = (int)e->c;
		m->lists[e->a].entries[e->b].rank = (int)e->d;
		return;
	case EDIT_STATUS:
		status_add(m, e);
		return;
	case EDIT_STATUS_END:
		if (m->statuses[e->a].from_seconds < e->c)
			m->statuses[e->a].until_seconds = e->c;
		return;
	case EDIT_RATING:
		m->providers[e->a - 1].rating = e->b;
		m->providers[e->a - 1].improvement_plan = (int)e->c;
		return;
	case EDIT_LIMITS:
		m->providers[e->a - 1].starts_day_max = e->b;
		m->providers[e->a - 1].hours_max_minutes_week = (int)e->c;
		return;
	case EDIT_LIST_DATES:
		m->lists[e->a].from_seconds = e->c;
		m->lists[e->a].until_seconds = e->d;
		return;
	case EDIT_COVERAGE:
		coverage_change(m, e);
		return;
	case EDIT_POLICY:
		m->policy.polr_urgencies = (unsigned)e->a;
		m->policy.polr_days = e->b;
		m->policy.confirm_minutes = (int)e->c;
		m->policy.confirmation = e->d != 0 ? CONFIRMATION_OFFICER : CONFIRMATION_AUTOMATIC;
		return;
	case EDIT_KINDS:
		return;
	}
}
