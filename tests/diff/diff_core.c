/* diff_core.c — the core against the model: the same random markets and events through both, compared after each.
 *
 *	diff_core first_seed count [--coverage]
 *
 * Exit 0: no difference, nothing allocated in core_step and, from 100,000 markets on, everything often enough.
 * Exit 1: the first difference, with seed, event and both tables. The seed alone brings it back: diff_core seed 1.
 */
#include "allocations.h"
#include "compare.h"

#include "base/mem.h"
#include "core/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COVERAGE_MARKETS = 100000, REASON_LEAST = 1000, UNPLACED_PERCENT_LEAST = 30, REASONS = REASON_LAST + 1 };

static struct {
	long markets, events, calls, packages, last_resort, nobody, placed, flexible, paired, bundles, ties, shared_pools;
	long unknown, declarations, confirms, rechecks_failed, releases, unsourced_left, steps;
	long reasons[REASONS], refusals[MODEL_REFUSAL_N];
} seen;

struct run {
	struct model_market market;
	struct market_event event;
	struct market_event_result result;
	struct world world;
	struct event core_event;
	struct update update;
};
static struct run run;

/* Each step is also a proof that the core asks for no memory. */
static void step(struct run *r)
{
	allocations_count(true);
	core_step(r->world.core, &r->core_event, &r->update);
	allocations_count(false);
	seen.steps++;
}

/* ---- one event, through both ---- */

static bool run_leave(struct run *r, enum event_type type, int package, int refusal, int state)
{
	world_change(&r->world, type, package, world_us(r->event.now_seconds), false, &r->core_event);
	step(r);
	return compare_change(&r->update, refusal, state);
}

/* What the model keeps no row for: a first half whose second was refused, and a package that nobody took. */
static bool run_leave_unplaced(struct run *r)
{
	const struct model_call *call = &r->event.call;
	const struct model_result *result = &r->result.result;
	int number = call->packages[0].number;

	if (result->refusal != MODEL_ACCEPTED && call->package_n == 2)
		return run_leave(r, EVENT_END, number, ERR_WRONG_STATE, 0) &&
		       run_leave(r, EVENT_CONFIRM, number, ERR_WRONG_STATE, 0) &&
		       run_leave(r, EVENT_WITHDRAW, number, ERR_OK, STATE_WITHDRAWN) &&
		       run_leave(r, EVENT_CONFIRM, number, ERR_UNKNOWN_PACKAGE, 0);
	if (result->refusal != MODEL_ACCEPTED || result->winner != 0 || number % 4 != 0)
		return true;
	seen.unsourced_left++;
	return run_leave(r, EVENT_END, number, ERR_WRONG_STATE, 0) &&
	       run_leave(r, EVENT_WITHDRAW, number, ERR_OK, STATE_WITHDRAWN) &&
	       run_leave(r, EVENT_WITHDRAW, number, ERR_UNKNOWN_PACKAGE, 0);
}

static bool run_call(struct run *r)
{
	const struct model_call *call = &r->event.call;
	int64_t now_us = world_us(call->now_seconds);
	char bundle[24] = "";

	if (call->package_n == 2) {
		snprintf(bundle, sizeof bundle, "B-%d", call->packages[0].number);
		world_submit(&r->world, &call->packages[0], now_us, bundle, &r->core_event);
		step(r);
		if (r->update.outcome.refusal != ERR_OK || r->update.outcome.state != STATE_SUBMITTED)
			return compare_change(&r->update, ERR_OK, STATE_SUBMITTED);
	}
	world_submit(&r->world, &call->packages[call->package_n - 1], now_us, bundle, &r->core_event);
	step(r);
	return compare_call(&r->world, &r->market, call, &r->result.result, &r->update) && run_leave_unplaced(r);
}

static int confirm_refusal(const struct market_event_result *result)
{
	if (result->done)
		return ERR_OK;
	if (result->budget_authority)
		return ERR_BUDGET_AUTHORITY;
	return result->recheck_failed ? ERR_RECHECK_FAILED : ERR_WRONG_STATE;
}

static bool run_event(struct run *r)
{
	const struct market_event *e = &r->event;
	int64_t now_us = world_us(e->now_seconds);

	switch (e->kind) {
	case MARKET_CALL:
		return run_call(r);
	case MARKET_DECLARE:
		world_declare(&r->world, &r->market, &e->declaration, now_us, &r->core_event);
		step(r);
		return compare_declare(&r->market, &e->declaration, r->result.declare_refusal, &r->update);
	case MARKET_RELEASE:
		world_change(&r->world, e->ended ? EVENT_END : EVENT_WITHDRAW, e->package, now_us, false, &r->core_event);
		step(r);
		return compare_change(&r->update, r->result.done ? ERR_OK : ERR_WRONG_STATE,
				      e->ended ? STATE_ENDED : STATE_WITHDRAWN) &&
		       run_leave(r, EVENT_END, e->package, ERR_UNKNOWN_PACKAGE, 0);
	case MARKET_CONFIRM:
		world_change(&r->world, EVENT_CONFIRM, e->package, now_us, e->with_budget_authority, &r->core_event);
		step(r);
		return compare_change(&r->update, confirm_refusal(&r->result), STATE_PLACED);
	}
	return false;
}

/* ---- what came up ---- */

static bool pool_is_shared(const struct model_market *m, int pool)
{
	int list = 0;

	for (int i = 0; i < m->coverage_n; i++) {
		if (m->coverages[i].pool != pool)
			continue;
		if (list != 0 && m->coverages[i].list != list)
			return true;
		list = m->coverages[i].list;
	}
	return false;
}

static void count_visits(const struct model_call *call)
{
	for (int p = 0; p < call->package_n; p++) {
		bool flexible = false, paired = false;

		for (int v = 0; v < call->packages[p].visit_n; v++) {
			flexible |= model_bands_count(call->packages[p].visits[v].bands) > 1;
			paired |= call->packages[p].visits[v].carers == 2;
		}
		seen.flexible += flexible;
		seen.paired += paired;
	}
}

static void count_call(const struct model_market *m, const struct model_call *call, const struct model_result *r)
{
	const struct model_list *list;

	seen.calls++;
	seen.refusals[r->refusal]++;
	if (r->refusal != MODEL_ACCEPTED)
		return;
	list = &m->lists[r->list - 1];
	seen.packages += call->package_n;
	seen.bundles += call->package_n == 2;
	seen.nobody += r->winner == 0 ? call->package_n : 0;
	seen.last_resort += r->route == ROUTE_POLR ? call->package_n : 0;
	seen.placed += r->winner != 0 ? call->package_n : 0;
	seen.shared_pools += r->winner != 0 && pool_is_shared(m, r->pool);
	count_visits(call);
	for (int i = 0; i < r->candidate_n; i++) {
		const struct model_entry *e = &list->entries[r->candidates[i].entry];
		const struct model_entry *next = i + 1 < r->candidate_n ? &list->entries[r->candidates[i + 1].entry] : NULL;

		seen.reasons[r->candidates[i].reason]++;
		seen.unknown += r->candidates[i].reason == REASON_CAPACITY_UNKNOWN;
		seen.ties += next != NULL && next->route == e->route && next->tier == e->tier && next->rank == e->rank;
	}
}

static void count_event(const struct run *r)
{
	seen.events++;
	switch (r->event.kind) {
	case MARKET_CALL:
		count_call(&r->market, &r->event.call, &r->result.result);
		break;
	case MARKET_DECLARE:
		seen.declarations++;
		seen.refusals[MODEL_CAPACITY_KIND] += r->result.declare_refusal != MODEL_ACCEPTED;
		break;
	case MARKET_RELEASE:
		seen.releases++;
		break;
	case MARKET_CONFIRM:
		seen.confirms++;
		seen.rechecks_failed += r->result.recheck_failed;
		break;
	}
}

static void print_share(const char *what, long count, long of)
{
	printf("  %-28s %10ld  %5.1f %%\n", what, count, of > 0 ? 100.0 * (double)count / (double)of : 0.0);
}

static void print_coverage(void)
{
	printf("reasons, of all candidates\n");
	for (int reason = REASON_CHOSEN; reason <= REASON_LAST; reason++)
		printf("  %-28s %10ld\n", reason_word(reason), seen.reasons[reason]);
	printf("refusals, of %ld calls and %ld declarations\n", seen.calls, seen.declarations);
	for (int refusal = 1; refusal < MODEL_REFUSAL_N; refusal++)
		printf("  %-28s %10ld\n", model_refusal_word(refusal), seen.refusals[refusal]);
	printf("packages with a round %ld\n", seen.packages);
	print_share("provider of last resort", seen.last_resort, seen.packages);
	print_share("nobody", seen.nobody, seen.packages);
	print_share("last resort or nobody", seen.last_resort + seen.nobody, seen.packages);
	print_share("with a flexible visit", seen.flexible, seen.packages);
	print_share("with a paired visit", seen.paired, seen.packages);
	print_share("in a bundle", 2 * seen.bundles, seen.packages);
	printf("others\n");
	printf("  %-28s %10ld\n", "ties of rank, neighbours", seen.ties);
	printf("  %-28s %10ld\n", "candidates unknown", seen.unknown);
	printf("  %-28s %10ld\n", "calls won in a shared pool", seen.shared_pools);
	printf("  %-28s %10ld, refused by the re-check %ld\n", "confirmations", seen.confirms, seen.rechecks_failed);
	printf("  %-28s %10ld, and of packages without a placement %ld\n", "withdrawn or ended", seen.releases,
	       seen.unsourced_left);
}

static bool coverage_suffices(void)
{
	bool enough = 100 * (seen.last_resort + seen.nobody) >= UNPLACED_PERCENT_LEAST * seen.packages;

	if (!enough)
		printf("RARE: fewer than %d %% at the last resort or with nobody\n", UNPLACED_PERCENT_LEAST);
	for (int reason = REASON_CHOSEN; reason <= REASON_LAST; reason++) {
		if (seen.reasons[reason] >= REASON_LEAST || reason == REASON_HELD) /* held rooms belong to offers */
			continue;
		printf("RARE: %s came up fewer than %d times\n", reason_word(reason), REASON_LEAST);
		enough = false;
	}
	return enough;
}

/* ---- one market ---- */

static void print_difference(const struct run *r, unsigned long long seed, int number)
{
	static const char *const kinds[] = {"", "call", "declare", "release", "confirm"};
	const struct market_event *e = &r->event;

	printf("DIFFERENCE seed %llu, event %d (%s)\n  %s\n", seed, number, kinds[e->kind], compare_text());
	if (e->kind == MARKET_RELEASE || e->kind == MARKET_CONFIRM)
		printf("  package %d, ended %d, budget authority %d\n", e->package, e->ended, e->with_budget_authority);
	if (e->kind == MARKET_DECLARE)
		printf("  pool %d\n", e->declaration.pool);
	for (int p = 0; e->kind == MARKET_CALL && p < e->call.package_n; p++) {
		const struct model_package *package = &e->call.packages[p];

		printf("  package %d: sector %d district %d service %s group %s start %d\n", package->number, package->sector,
		       package->district, service_word(package->service), group_word(package->group), package->start_day);
		for (int v = 0; v < package->visit_n; v++)
			printf("    visit %d: days %#x bands %#x %d min x%d%s\n", v, package->visits[v].days,
			       package->visits[v].bands, package->visits[v].minutes, package->visits[v].carers,
			       package->visits[v].shared ? " shared" : "");
	}
	if (e->kind == MARKET_CALL)
		compare_print_candidates(&r->world, &r->market, &r->result.result, &r->update);
	printf("again: diff_core %llu 1\n", seed);
}

static bool run_market(struct run *r, unsigned long long seed)
{
	struct market_random random;
	int events;

	market_random_seed(&random, seed);
	market_generate(&random, &r->market);
	events = market_events_count(&random);
	world_make(&r->world, &r->market);
	seen.markets++;
	for (int n = 1; n <= events; n++) {
		market_event_next(&random, &r->market, &r->event);
		market_event_apply(&r->market, &r->event, &r->result);
		if (!run_event(r) || !compare_state(&r->world, &r->market)) {
			print_difference(r, seed, n);
			return false;
		}
		count_event(r);
	}
	return true;
}

/* The counter counts: an allocation by libbase is seen. */
static bool counter_works(void)
{
	long before = allocations_counted();
	void *p;

	allocations_count(true);
	p = mem_alloc(16);
	allocations_count(false);
	mem_free(p);
	return allocations_counted() == before + 1;
}

int main(int argc, char **argv)
{
	bool coverage = argc == 4 && strcmp(argv[3], "--coverage") == 0;
	unsigned long long first;
	long count, allocated;

	if (argc != 3 && !coverage) {
		fprintf(stderr, "usage: diff_core first_seed count [--coverage]\n");
		return 2;
	}
	first = strtoull(argv[1], NULL, 10);
	count = strtol(argv[2], NULL, 10);
	if (!counter_works()) {
		printf("the counter of allocations does not count: see --wrap in meson.build\n");
		return 1;
	}
	allocated = allocations_counted();
	for (long i = 0; i < count; i++)
		if (!run_market(&run, first + (unsigned long long)i))
			return 1;
	allocated = allocations_counted() - allocated;
	if (coverage)
		print_coverage();
	printf("%ld markets, %ld events, %ld steps of the core: no difference; %ld allocations in core_step\n", seen.markets,
	       seen.events, seen.steps, allocated);
	if (allocated != 0)
		return 1;
	return count < COVERAGE_MARKETS || coverage_suffices() ? 0 : 1;
}
