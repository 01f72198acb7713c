/* case_core.c — the story told to the core alone: no clock, no database; the day begins on a Monday at ten. */
#include "case_trace.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct arena arena;
	void *memory;
	const struct framework *framework;
	struct core *core;
	int64_t seq;
	int64_t package_no[CASE_PACKAGES];
	struct update update;
} run;

static int unit_of(const struct case_file *c, uint32_t pool)
{
	return c->pools[pool].kind == POOL_KIND_TIME ? UNIT_MINUTES : 1;
}

static _Noreturn void refuse(const struct case_file *c, const char *what)
{
	fprintf(stderr, "%s: the framework is refused: %s\n", c->path, what);
	exit(2);
}

static void core_open(struct case_file *c)
{
	static const struct core_limits limits = {.packages_max = 64, .placements_max = 64, .blocks_max = 256};
	struct framework_note note;
	struct row_pool pools[CASE_ROWS];

	memcpy(pools, c->pools, sizeof pools);
	run.arena.size = framework_bytes(&c->rows);
	run.arena.base = mem_zero(1, run.arena.size);
	if (framework_seal(&c->rows, &run.arena, &run.framework, &note) != ERR_OK)
		refuse(c, note.text);
	run.memory = mem_map(core_bytes(run.framework, &limits));
	run.core = core_init(run.memory, run.framework, &limits);
	for (uint32_t i = 0; i < c->rows.pools_count; i++) {
		const struct case_pool *p = &c->pool_state[i];
		uint16_t units[2][CELLS];

		for (int cell = 0; cell < 2 * CELLS; cell++)
			units[cell / CELLS][cell % CELLS] = (uint16_t)(p->units[cell / CELLS][cell % CELLS] / unit_of(c, i));
		if (strcmp(pools[i].code, c->pools[i].code) != 0 ||
		    core_load_pool(run.core, c->pools[i].pool_no, p->mode, units, p->expires_us, p->available_from_day) != ERR_OK)
			refuse(c, c->pools[i].code);
	}
}

static void told_candidate_fill(uint32_t unit, const struct candidate *in, struct told_candidate *ret)
{
	*ret = (struct told_candidate){.route = in->route, .tier = in->tier, .rank = in->rank, .reason = in->reason,
				       .status = in->reason == REASON_STATUS ? in->detail : 0, .cell = -1};
	snprintf(ret->provider, sizeof ret->provider, "%s",
		 run.framework->providers[framework_find_provider_no(run.framework, in->provider_no)].code);
	if (in->cell_plane == UINT8_MAX)
		return;
	ret->cell = in->cell_plane / 2;
	ret->paired = in->cell_plane % 2 != 0;
	ret->need = (int)(in->need * unit);
	ret->free = (int)(in->free * unit);
}

static void core_step_event(struct case_file *c, struct case_event *e, struct told *ret)
{
	const struct decision *d = &run.update.decision;
	uint32_t unit = e->event.submit.service == SERVICE_PERSONAL_CARE ? UNIT_MINUTES : 1;

	e->event.seq = ++run.seq;
	e->event.now_us = c->base_us + e->at_seconds * 1000000;
	if (e->event.type == EVENT_CONFIRM || e->event.type == EVENT_WITHDRAW || e->event.type == EVENT_END) {
		e->event.change.package_no = run.package_no[e->package];
		e->event.change.with_budget_authority = e->with_budget_authority;
	}
	core_step(run.core, &e->event, &run.update);
	*ret = (struct told){.refusal = run.update.outcome.refusal};
	if (e->event.type == EVENT_SUBMIT && ret->refusal == ERR_OK)
		run.package_no[e->package] = e->event.seq;
	if (e->event.type != EVENT_SUBMIT || run.update.round_count == 0)
		return;
	ret->decided = true;
	ret->budget_authority = run.update.outcome.budget_authority;
	ret->outcome = d->outcome;
	ret->not_reached = d->not_reached;
	ret->candidate_count = d->looked_at;
	for (int i = 0; i < d->looked_at; i++)
		told_candidate_fill(unit, &d->candidates[i], &ret->candidates[i]);
}

static void look_package(const struct package *p, struct seen_package *ret)
{
	int32_t slot = p->main != NONE ? p->main : p->interim;
	const struct placement *m;
	uint32_t demand[VISITS_MAX];

	ret->state = p->state;
	if (slot == NONE)
		return;
	m = core_placement(run.core, slot);
	ret->role = m->role;
	snprintf(ret->provider, sizeof ret->provider, "%s", run.framework->providers[m->provider].code);
	ret->minutes_week = (int)m->carer_minutes_week;
	ret->pence_week = (int)m->price_pence_week;
	ret->interim_days = m->exit_day > 0 ? m->exit_day - m->start_day : 0;
	core_demand(run.core, m, demand);
	for (int i = 0; i < m->demand_count; i++)
		ret->bands[ret->band_count++] = (uint8_t)visit_code_band(demand[i]);
}

static void core_look(struct case_file *c, struct snapshot *ret)
{
	memset(ret, 0, sizeof *ret);
	for (int i = 0; i < c->package_count; i++) {
		const struct package *p = core_find(run.core, run.package_no[i]);

		if (p != NULL)
			look_package(p, &ret->packages[i]);
	}
	for (uint32_t i = 0; i < c->rows.pools_count; i++) {
		uint32_t pool = framework_find_pool_no(run.framework, c->pools[i].pool_no);
		const struct pool_state *p = &core_market(run.core)->pools[pool];
		int unit = unit_of(c, i);

		for (uint32_t n = 0; n < 2 * CELLS; n++) {
			uint32_t plane = n / CELLS, cell = n % CELLS;

			ret->pools[i].declared[plane][cell] = p->declared[plane][cell] * unit;
			ret->pools[i].committed[plane][cell] = core_committed(run.core, pool, cell, plane) * unit;
		}
	}
}

static void core_close(void)
{
	static const struct core_limits limits = {.packages_max = 64, .placements_max = 64, .blocks_max = 256};

	mem_unmap(run.memory, core_bytes(run.framework, &limits));
	mem_free(run.arena.base);
}

const struct case_engine case_core_engine = {"core", core_open, core_step_event, core_look, core_close};
