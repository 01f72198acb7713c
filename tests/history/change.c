/* change.c — what becomes of a package, and a pool's declaration, beside the model. */
#include "replay.h"

#include "../../engine/base/err.h" /* the numbers of refusals, nothing else */

#include <stdlib.h>

/* ---- confirm ---- */

static int confirm_refusal(const struct record *e, int place)
{
	const struct model_placement *p = &county.market.placements[place];
	int recheck_failed, budget_authority, version = county_list_now(p->list, e->now_us);

	county.market.policy = county.policies[county.held[place].policy];
	if (version >= 0)
		county_policy_of(version);
	if (model_confirm(&county.market, (int)e->package, e->now_us, e->with_budget_authority, &recheck_failed,
			  &budget_authority))
		return ERR_OK;
	if (budget_authority)
		return ERR_BUDGET_AUTHORITY;
	return recheck_failed ? ERR_RECHECK_FAILED : ERR_WRONG_STATE;
}

static int confirm(const struct record *e, struct person *p)
{
	int place = model_placement_find(&county.market, (int)p->number);
	int refusal = p->state != STATE_PROVISIONAL ? ERR_WRONG_STATE
		      : place < 0		    ? ERR_RECHECK_FAILED
						    : confirm_refusal(e, place);

	SAME("refusal", refusal, e->told.refusal);
	if (refusal == ERR_OK) {
		person_state(p, STATE_PLACED);
		p->changed_seq = e->seq;
	}
	SAME("state told", p->state, e->told.state);
	if (refusal != ERR_OK)
		return compare_nothing_done(e);
	SAME("changes", 1, e->change_n);
	SAME("state changed to", STATE_PLACED, e->changes[0].to);
	SAME("placements made or ended", 0, e->made_n + e->ended_n);
	return compare_told_placement(e, place);
}

/* ---- withdraw, end ---- */

static int leave_allowed(const struct person *p, int ended, int place)
{
	if (ended)
		return p->state == STATE_PLACED || p->state == STATE_MOBILISING || p->state == STATE_LIVE ||
		       (p->state == STATE_UNSOURCED && place >= 0);
	return p->state == STATE_SUBMITTED || p->state == STATE_PROVISIONAL || p->state == STATE_UNSOURCED;
}

static char *row_of(int place, int64_t ended_seq)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		cannot_judge("out of memory");
	placement_row(to, place, ended_seq);
	if (fclose(to) != 0)
		cannot_judge("out of memory");
	return text;
}

static void count_again(int place, int sign)
{
	county.market.policy = county.policies[county.held[place].policy];
	placement_counts(place, sign);
}

/* Ends the placement. A shared visit may pass to the partner: then its row ends too, and a new one begins. */
static int release(const struct record *e, int place, int ended, struct touched *t)
{
	struct model_market *m = &county.market;
	int other = m->placements[place].other, version = other >= 0 ? m->placements[other].requirement_version : 0;
	char *row = row_of(place, e->seq), *other_row = other >= 0 ? row_of(other, e->seq) : NULL;
	int passed, done;

	count_again(place, -1);
	if (other >= 0)
		count_again(other, -1);
	county.market.policy = county.policies[county.held[place].policy];
	done = model_release(m, (int)e->package, ended);
	SAME("the model lets it go", 1, done);
	passed = other >= 0 && m->placements[other].requirement_version != version;
	if (other >= 0)
		count_again(other, 1);
	fputs(row, rows_file);
	SAME("placements ended", 1 + passed, e->ended_n);
	SAME("placements made", passed, e->made_n);
	SAME("package of the placement ended", e->package, e->ended[0].package);
	if (passed) {
		fputs(other_row, rows_file);
		county.held[other].made_seq = e->seq;
		touch(t, m->placements[other].package.number);
		SAME("package of the placement passed to", m->placements[other].package.number, e->ended[1].package);
		if (!compare_made(e, &e->made[0], other))
			return 0;
	}
	placement_forget(place);
	free(row);
	free(other_row);
	return 1;
}

static int leave(const struct record *e, struct person *p, struct touched *t)
{
	int ended = e->type == RECORD_END, place = model_placement_find(&county.market, (int)p->number);
	int refusal = leave_allowed(p, ended, place) ? ERR_OK : ERR_WRONG_STATE;
	int state = refusal != ERR_OK ? p->state : ended ? STATE_ENDED : STATE_WITHDRAWN;

	SAME("refusal", refusal, e->told.refusal);
	SAME("state told", state, e->told.state);
	if (refusal != ERR_OK)
		return compare_nothing_done(e);
	SAME("changes", 1, e->change_n);
	SAME("package changed", p->number, e->changes[0].package);
	SAME("state changed from", p->state, e->changes[0].from);
	SAME("state changed to", state, e->changes[0].to);
	if (place < 0)
		SAME("placements made or ended", 0, e->made_n + e->ended_n);
	else if (!release(e, place, ended, t))
		return 0;
	person_over(p, e->seq, state);
	return 1;
}

int event_change(const struct record *e, struct touched *t)
{
	struct person *p = person_find(e->package);

	seen.changes++;
	SAME("new packages", 0, e->new_n);
	if (p == NULL) {
		SAME("refusal", ERR_UNKNOWN_PACKAGE, e->told.refusal);
		return compare_nothing_done(e);
	}
	touch(t, e->package);
	SAME("package told", p->number, e->told.package);
	return e->type == RECORD_CONFIRM ? confirm(e, p) : leave(e, p, t);
}

/* ---- declare ---- */

static int declared_units(const struct record *e, struct model_declaration *d)
{
	const struct model_pool *pool = &county.market.pools[d->pool - 1];
	int unit_minutes = pool->kind == POOL_KIND_TIME ? 5 : 1;

	for (int plane = 0; plane < MODEL_PLANES; plane++)
		for (int cell = 0; cell < MODEL_CELLS; cell++) {
			long long units = e->declared[plane][cell] / unit_minutes;

			if (units > 30000)
				return 0;
			d->declared[plane][cell] = (int)units;
		}
	return 1;
}

static int cells_over(int pool)
{
	const struct model_pool *p = &county.market.pools[pool - 1];
	int over = 0;

	for (int i = 0; i < 2 * MODEL_CELLS; i++)
		over += p->committed[i / MODEL_CELLS][i % MODEL_CELLS] > p->declared[i / MODEL_CELLS][i % MODEL_CELLS];
	return over;
}

int event_declare(const struct record *e)
{
	struct model_declaration d = {.pool = county_pool(e->pool), .expires_seconds = e->expires_us,
				      .available_from_day = e->available_from_day};
	int refusal = ERR_UNKNOWN_POOL;

	seen.declarations++;
	if (d.pool != 0)
		refusal = declared_units(e, &d) && model_declare(&county.market, &d) == MODEL_ACCEPTED ? ERR_OK
												       : ERR_CAPACITY_KIND;
	SAME("refusal", refusal, e->told.refusal);
	if (refusal != ERR_OK)
		return compare_nothing_done(e);
	county.declared_at_us[d.pool - 1] = e->now_us;
	SAME("pool told", d.pool, e->told.pool);
	SAME("pools declared", 1, e->declared_n);
	SAME("pool declared", d.pool, e->stored.pool);
	SAME("expiry stored", e->expires_us, e->stored.expires_us);
	SAME("first day stored", e->available_from_day, e->stored.available_from_day);
	for (int i = 0; i < 2 * MODEL_CELLS; i++)
		SAME_AT(i, "units stored in cell", d.declared[i / MODEL_CELLS][i % MODEL_CELLS],
			e->stored.units[i / MODEL_CELLS][i % MODEL_CELLS]);
	SAME("cells over", cells_over(d.pool), e->told.cells_over);
	return 1;
}
