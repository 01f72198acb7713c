/* ledger.c — rule 7: capacity, one live placement a role and rank order at every sequence, from the records alone. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

enum { TOUCHED_MAX = 8 };

static int ledger[MODEL_POOLS_MAX][MODEL_PLANES][MODEL_CELLS];

static int touched[TOUCHED_MAX], touched_n;

/* Calls take with each cell of a placement's demand. */
static int cells_of(const struct ledger_line *line, int (*take)(const struct ledger_line *line, int plane, int cell, int units))
{
	for (int i = 0; i < line->demand_n; i++) {
		int code = line->demand[i], units = code >> 11, plane = code >> 10 & 1, band = code >> 7 & 7;

		for (int day = 0; day < MODEL_DAYS; day++)
			if ((code >> day & 1) && !take(line, plane, day * MODEL_BANDS + band, units))
				return 0;
	}
	return 1;
}

static int cell_take(const struct ledger_line *line, int plane, int cell, int units)
{
	ledger[line->pool - 1][plane][cell] += units;
	return 1;
}

static int cell_give(const struct ledger_line *line, int plane, int cell, int units)
{
	ledger[line->pool - 1][plane][cell] -= units;
	return 1;
}

static void ledger_add(const struct ledger_line *line, int sign)
{
	if (line->pool < 1 || line->pool > MODEL_POOLS_MAX)
		cannot_judge("a placement in pool %d", line->pool);
	if (touched_n < TOUCHED_MAX)
		touched[touched_n++] = line->pool;
	cells_of(line, sign > 0 ? cell_take : cell_give);
}

/* ---- placements by package and role ---- */

struct ledger_package {
	struct ledger_line *live[ROLE_OUTGOING + 1];
};

static struct ledger_package *packages; /* by number */
static int64_t package_n;

static struct ledger_line **line_of(int64_t package, int role)
{
	if (package < 1 || role < ROLE_MAIN || role > ROLE_OUTGOING)
		cannot_judge("a placement of package %lld in role %d", (long long)package, role);
	if (package >= package_n) {
		int64_t size = package * 3 / 2 + 1024;

		packages = realloc(packages, (size_t)size * sizeof *packages);
		if (packages == NULL)
			cannot_judge("out of memory");
		memset(packages + package_n, 0, (size_t)(size - package_n) * sizeof *packages);
		package_n = size;
	}
	return &packages[package].live[role];
}

int ledger_take(int64_t package, int role, const struct ledger_line *line)
{
	struct ledger_line **to = line_of(package, role);

	if (*to != NULL)
		return 0;
	*to = malloc(sizeof *line);
	if (*to == NULL)
		cannot_judge("out of memory");
	**to = *line;
	ledger_add(line, 1);
	return 1;
}

static int ledger_give(int64_t package, int role)
{
	struct ledger_line **from = line_of(package, role);

	if (*from == NULL)
		return 0;
	ledger_add(*from, -1);
	free(*from);
	*from = NULL;
	return 1;
}

static int64_t seq_now;

static int cell_has_room(const struct ledger_line *line, int plane, int cell, int units)
{
	const struct model_pool *pool = &county.market.pools[line->pool - 1];

	seen.cells++;
	if (units == 0 || ledger[line->pool - 1][plane][cell] <= pool->declared[plane][cell])
		return 1;
	return violated(7, seq_now, "pool %d holds %d of %d declared in cell %d, plane %d", line->pool,
			ledger[line->pool - 1][plane][cell], pool->declared[plane][cell], cell, plane);
}

static int made_keep(const struct record *e, const struct record_placement *m)
{
	struct ledger_line line = {.pool = m->pool, .demand_n = m->demand_n};

	for (int i = 0; i < m->demand_n; i++)
		line.demand[i] = m->demand[i];
	if (!ledger_take(m->package, m->role, &line))
		return violated(7, e->seq, "a second live placement of package %lld in role %d", (long long)m->package, m->role);
	seq_now = e->seq;
	/* what passes from one of a bundle to the other may stand in a cell that a declaration cut */
	return e->type != RECORD_SUBMIT || county.market.pools[line.pool - 1].mode != POOL_MODE_BINDING ||
	       cells_of(&line, cell_has_room);
}

static int route_position(int policy, int route)
{
	const struct model_policy *p = &county.policies[policy];

	for (int i = 0; i < p->route_n; i++)
		if (p->routes[i] == route)
			return i;
	return MODEL_ROUTES_MAX + route;
}

/* Nobody stands above somebody better, all above the winner were passed over for a reason, and the winner is who was placed. */
static int rank_order(const struct record *e)
{
	for (int i = 0; i < e->looked_at; i++) {
		const struct record_candidate *c = &e->candidates[i], *before = i > 0 ? c - 1 : NULL;
		int last = i + 1 == e->looked_at;

		if (c->reason == REASON_NOT_REACHED || (c->reason == REASON_CHOSEN) != (last && e->made_n > 0))
			return violated(7, e->seq, "candidate %d of %d has reason %d", i, e->looked_at, c->reason);
		if (c->reason == REASON_CHOSEN && c->provider != e->made[0].provider)
			return violated(7, e->seq, "provider %d is chosen, %d placed", c->provider, e->made[0].provider);
		if (before == NULL)
			continue;
		int one = route_position(e->policy, before->route), two = route_position(e->policy, c->route);

		if (one > two || (one == two && (before->tier > c->tier || (before->tier == c->tier && before->rank > c->rank))))
			return violated(7, e->seq, "candidate %d stands below a worse one", i);
	}
	return 1;
}

int ledger_event(const struct record *e)
{
	touched_n = 0;
	for (int i = 0; i < e->ended_n; i++)
		if (!ledger_give(e->ended[i].package, e->ended[i].role))
			return violated(7, e->seq, "a placement of package %lld ends that does not live",
					(long long)e->ended[i].package);
	for (int i = 0; i < e->made_n; i++)
		if (!made_keep(e, &e->made[i]))
			return 0;
	return e->round_n == 0 || rank_order(e);
}

static int pool_same(int64_t seq, int pool)
{
	const struct model_pool *p = &county.market.pools[pool - 1];

	seen.pools++;
	for (int i = 0; i < 2 * MODEL_CELLS; i++) {
		int plane = i / MODEL_CELLS, cell = i % MODEL_CELLS, over;

		if (p->committed[plane][cell] != ledger[pool - 1][plane][cell])
			return violated(7, seq, "pool %d, plane %d, cell %d: the model holds %d, the records' placements %d", pool,
					plane, cell, p->committed[plane][cell], ledger[pool - 1][plane][cell]);
		/* an overhang shrinks with what is given back and grows only by a declaration */
		over = p->committed[plane][cell] - p->declared[plane][cell];
		if (county.overhang[pool - 1][plane][cell] > over)
			county.overhang[pool - 1][plane][cell] = over > 0 ? over : 0;
	}
	return 1;
}

static void overhang_declared(int pool)
{
	const struct model_pool *p = &county.market.pools[pool - 1];

	for (int i = 0; i < 2 * MODEL_CELLS; i++) {
		int over = p->committed[i / MODEL_CELLS][i % MODEL_CELLS] - p->declared[i / MODEL_CELLS][i % MODEL_CELLS];

		county.overhang[pool - 1][i / MODEL_CELLS][i % MODEL_CELLS] = over > 0 ? over : 0;
	}
}

int ledger_touched(const struct record *e)
{
	if (e->declared_n > 0)
		overhang_declared(e->stored.pool);
	for (int i = 0; i < touched_n; i++)
		if (!pool_same(e->seq, touched[i]))
			return 0;
	return 1;
}

int ledger_all(int64_t seq)
{
	for (int pool = 1; pool <= county.market.pool_n; pool++)
		if (!pool_same(seq, pool))
			return 0;
	return 1;
}
