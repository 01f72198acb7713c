/* model_keep.c — keeping what was decided and giving it back: apply, release, confirm, declare. */
#include "model_inside.h"

#include <stdlib.h>
#include <string.h>

/* Takes (sign 1) or frees (sign -1) one visit of a placement in its pool. */
static void visit_commit(struct model_market *market, const struct model_placement *placement,
			 int visit, int sign)
{
	const struct model_visit *what = &placement->package.visits[visit];
	int units = model_visit_units(market, placement->pool, what);

	model_units_add(market->pools[placement->pool - 1].committed, what, placement->bands[visit],
			sign * units);
}

void model_apply(struct model_market *market, const struct model_call *call,
		 const struct model_result *result)
{
	int first = market->placement_n;

	if (result->refusal != MODEL_ACCEPTED || result->winner == 0)
		return;
	if (first + call->package_n > MODEL_PLACEMENTS_MAX)
		abort();
	for (int p = 0; p < call->package_n; p++) {
		struct model_placement *placement = &market->placements[market->placement_n++];

		memset(placement, 0, sizeof(*placement));
		placement->live = 1;
		placement->state = result->state;
		placement->other = call->package_n == 2 ? first + 1 - p : -1;
		placement->package = call->packages[p];
		placement->list = market->lists[result->list - 1].list;
		placement->provider = result->winner;
		placement->pool = result->pool;
		placement->route = result->route;
		placement->role = result->role;
		placement->exit_day = result->exit_day;
		placement->confirm_by_seconds = result->confirm_by_seconds;
		placement->price_pence_hour = result->price_pence_hour;
		placement->requirement_version = 1;
		for (int i = 0; i < placement->package.visit_n; i++) {
			placement->bands[i] = result->packages[p].bands[i];
			placement->carried[i] = !(p == 1 && placement->package.visits[i].shared);
			if (placement->carried[i])
				visit_commit(market, placement, i, 1);
		}
	}
}

static int release_allowed(int state, int ended)
{
	if (state == STATE_UNSOURCED)
		return 1; /* with a live placement it has an interim: both ways are open */
	if (ended)
		return state == STATE_PLACED || state == STATE_MOBILISING || state == STATE_LIVE;
	return state == STATE_PROVISIONAL;
}

int model_release(struct model_market *market, int package, int ended)
{
	int index = model_placement_find(market, package);
	struct model_placement *placement;
	struct model_placement *other = NULL;
	int passed = 0;

	if (index < 0 || !release_allowed(market->placements[index].state, ended))
		return 0;
	placement = &market->placements[index];
	if (placement->other >= 0 && market->placements[placement->other].live)
		other = &market->placements[placement->other];
	for (int i = 0; i < placement->package.visit_n; i++) {
		if (!placement->carried[i])
			continue;
		if (other != NULL && placement->package.visits[i].shared) {
			/* The units stay where they are; they are now the other's. */
			int ordinal = model_shared_ordinal(&placement->package, i);

			other->carried[model_shared_visit(&other->package, ordinal)] = 1;
			passed = 1;
		} else {
			visit_commit(market, placement, i, -1);
		}
		placement->carried[i] = 0;
	}
	if (passed)
		other->requirement_version++;
	placement->live = 0;
	placement->state = ended ? STATE_ENDED : STATE_WITHDRAWN;
	return 1;
}

/* The provider's entry on the version of the list that is effective now, or NULL. */
static const struct model_entry *entry_now(const struct model_market *market, int list,
					   int provider, long long now_seconds)
{
	const struct model_list *best = NULL;

	for (int i = 0; i < market->list_n; i++) {
		const struct model_list *version = &market->lists[i];

		if (version->list == list && model_list_is_effective(version, now_seconds) &&
		    (best == NULL || model_version_after(version, best)))
			best = version;
	}
	for (int i = 0; best != NULL && i < best->entry_n; i++)
		if (best->entries[i].provider == provider)
			return &best->entries[i];
	return NULL;
}

int model_confirm(struct model_market *market, int package, long long now_seconds,
		  int with_budget_authority, int *recheck_failed, int *budget_authority)
{
	int index = model_placement_find(market, package);
	struct model_placement *placement;
	const struct model_entry *entry;
	int ceiling;
	int fails;

	*recheck_failed = *budget_authority = 0;
	if (index < 0 || market->placements[index].state != STATE_PROVISIONAL)
		return 0;
	placement = &market->placements[index];
	/* Its own start is already among the provider's starts: no new one comes. */
	fails = model_status_failing(market, placement->provider, placement->list,
				     placement->package.start_day, 0, now_seconds) != 0;
	entry = entry_now(market, placement->list, placement->provider, now_seconds);
	ceiling = placement->package.ceiling_pence_hour;
	if (entry == NULL)
		fails = 1;
	else if (model_rating_fails(market, placement->provider, entry->route))
		fails = 1;
	*recheck_failed = fails;
	if (fails)
		return 0;
	*budget_authority = !with_budget_authority && ceiling != 0 && entry->price_pence_hour > ceiling;
	if (*budget_authority)
		return 0;
	placement->state = STATE_PLACED;
	placement->confirm_by_seconds = 0;
	return 1;
}

int model_declare(struct model_market *market, const struct model_declaration *declaration)
{
	struct model_pool *pool = &market->pools[declaration->pool - 1];

	/* nights and places: the night band, single */
	for (int cell = 0; cell < MODEL_CELLS && pool->kind != POOL_KIND_TIME; cell++)
		if (declaration->declared[MODEL_PAIRED][cell] != 0 ||
		    (cell % MODEL_BANDS != BAND_NIGHT &&
		     declaration->declared[MODEL_SINGLE][cell] != 0))
			return MODEL_CAPACITY_KIND;
	pool->available_from_day = declaration->available_from_day;
	pool->expires_seconds = declaration->expires_seconds;
	memcpy(pool->declared, declaration->declared, sizeof(pool->declared));
	return MODEL_ACCEPTED;
}

const char *model_refusal_word(int refusal)
{
	static const char *const words[MODEL_REFUSAL_N] = {
		"ACCEPTED",
		"UNKNOWN_SECTOR",
		"UNKNOWN_DISTRICT",
		"SECTOR_NOT_IN_DISTRICT",
		"SECTOR_NEEDS_DISTRICT",
		"SECTOR_OUTSIDE_LOTS",
		"NO_LIST",
		"BUNDLE_MISMATCH",
		"NOT_OFFERED",
		"CAPACITY_KIND",
	};

	return refusal >= 0 && refusal < MODEL_REFUSAL_N ? words[refusal] : "?";
}
