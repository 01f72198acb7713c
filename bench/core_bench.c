/* core_bench.c — the core alone, without sockets or commits, on the market of a database.
 *
 * match_ns      one call of match_choose where nobody has room: the whole list walked, every candidate with its reason
 * match_first_ns  the same on the market as loaded: the walk ends at the winner
 * step_ns       one core_step: find the list, match, fold in; on the market as loaded
 * county_ms     a whole county of packages from an empty market: what-if, no database
 * Medians of RUNS runs; events are parsed beforehand. Prints one JSON object.
 */
#include "base/arena.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/record.h"
#include "generator.h"
#include "store/open.h"
#include "wire/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 7, COUNTY = 7465 };

static struct event events[COUNTY];
static struct request requests[1];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *runs)
{
	qsort(runs, RUNS, sizeof *runs, by_ns);
	return runs[RUNS / 2];
}

/* Packages as the engine sees them: packed, parsed, kept. Their texts stay in an arena that is never reset. */
static void make_events(const char *weights, int64_t now_us)
{
	static struct generator g;
	struct arena kept = {mem_map((size_t)COUNTY * 16384), (size_t)COUNTY * 16384, 0};

	if (!generator_open(&g, weights, 7, now_us, "CTY")) {
		fprintf(stderr, "core_bench: cannot read %s\n", weights);
		exit(66);
	}
	for (uint32_t i = 0; i < COUNTY; i++) {
		Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
		Calloff__V1__SubmitPackageRequest m = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
		uint8_t body[2048];
		char *sector;

		m.requirement = (Calloff__V1__Requirement *)(uintptr_t)generator_next(&g);
		m.dry_run = true;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
		e.submit_package_request = &m;
		if (calloff__v1__envelope__get_packed_size(&e) > sizeof body ||
		    request_parse(&kept, body, calloff__v1__envelope__pack(&e, body), requests) != ERR_OK) {
			fprintf(stderr, "core_bench: package %u is refused: %s\n", i, requests->violations[0].field);
			exit(70);
		}
		events[i] = requests->event;
		sector = arena_alloc(&kept, sizeof requests->sector);
		memcpy(sector, requests->sector, sizeof requests->sector);
		events[i].submit.sector.bytes = sector;
		events[i].principal = (struct text){"bench", 5};
		events[i].now_us = now_us;
	}
}

static int64_t bench_decide(const struct core *core, int64_t *ret_looked_at)
{
	static struct update u;
	int64_t runs[RUNS], looked = 0;

	for (int r = 0; r < RUNS; r++) {
		int64_t start = now_ns();

		for (uint32_t i = 0; i < COUNTY; i++) {
			events[i].seq = INT64_MAX;
			core_decide(core, &events[i], &u);
			looked += u.decision.looked_at;
		}
		runs[r] = (now_ns() - start) / COUNTY;
	}
	*ret_looked_at = looked / RUNS * 100 / COUNTY;
	return median(runs);
}

/* The call of a package, as decide.c makes it, for timing match_choose alone. */
static bool call_of(const struct core *core, const struct event *e, struct call *call)
{
	const struct framework *f = core_framework(core);
	const struct requirement *r = &e->submit;
	uint32_t district = framework_find_district(f, r->district);

	*call = (struct call){.now_us = e->now_us, .start_day = (int32_t)(e->now_us / INT64_C(86400000000)), .new_starts = 1,
			      .urgency = r->urgency, .risk = r->risk, .genders = r->gender};
	call->latest_day = call->start_day + 5;
	call->sector = framework_find_sector(f, r->sector);
	if (district == UINT32_MAX || call->sector == UINT32_MAX ||
	    framework_choose_list(f, district, r->service, r->client_group, e->now_us, &call->list) != ERR_OK)
		return false;
	for (uint32_t i = 0; i < r->visit_count; i++) {
		const struct visit *v = &r->visits[i];

		call->visits[call->visit_count++] = (struct call_visit){
			visit_code(v->days, visit_lowest_band(v->bands), v->carers == 2, v->minutes / UNIT_MINUTES), v->bands};
		call->carer_minutes_week += (uint32_t)__builtin_popcount(v->days) * v->minutes * v->carers;
	}
	return true;
}

struct matched {
	uint32_t calls;
	int64_t ns, entries, looked_at_100; /* a call; on average */
};

static struct matched bench_match(const struct core *core)
{
	static struct call calls[COUNTY];
	static struct decision decision;
	struct match match;
	struct matched m = {0};
	int64_t runs[RUNS], entries = 0, looked = 0;

	for (uint32_t i = 0; i < COUNTY; i++) {
		if (events[i].submit.service == 1 && call_of(core, &events[i], &calls[m.calls])) {
			entries += core_framework(core)->lists[calls[m.calls].list].entry_count;
			m.calls++;
		}
	}
	for (int r = 0; r < RUNS; r++) {
		int64_t start = now_ns();

		for (uint32_t i = 0; i < m.calls; i++) {
			match_choose(core_market(core), &calls[i], &decision, &match);
			looked += decision.looked_at;
		}
		runs[r] = (now_ns() - start) / m.calls;
	}
	m.entries = entries / m.calls;
	m.looked_at_100 = looked * 100 / RUNS / m.calls;
	m.ns = median(runs);
	return m;
}

static const struct core_limits county_limits = {20000, 20000, 20000};

/* A core without people, with the pools as declared in the one loaded; full: nobody but the last resort has room. */
static struct core *empty_market(const struct core *loaded, bool full, void *mem)
{
	static const uint16_t none[2][CELLS];
	const struct framework *f = core_framework(loaded);
	struct core *core = core_init(mem, f, &county_limits);

	for (uint32_t p = 0; p < f->pool_count; p++) {
		const struct pool_state *s = &core_market(loaded)->pools[p];

		if (core_load_pool(core, f->pools[p].pool_no, s->mode, full && s->mode == POOL_MODE_BINDING ? none : s->declared,
				   s->expires_us, s->available_from_day) != ERR_OK)
			exit(70);
	}
	return core;
}

static struct matched bench_match_full(const struct core *loaded)
{
	size_t bytes = core_bytes(core_framework(loaded), &county_limits);
	void *mem = mem_map(bytes);
	struct matched m = bench_match(empty_market(loaded, true, mem));

	mem_unmap(mem, bytes);
	return m;
}

static int64_t bench_county(const struct core *loaded, uint32_t *ret_placed)
{
	size_t bytes = core_bytes(core_framework(loaded), &county_limits);
	static struct update u;
	int64_t runs[RUNS];

	for (int r = 0; r < RUNS; r++) {
		void *mem = mem_map(bytes);
		struct core *core = empty_market(loaded, false, mem);
		int64_t start = now_ns();

		*ret_placed = 0;
		for (uint32_t i = 0; i < COUNTY; i++) {
			events[i].seq = i + 1;
			core_step(core, &events[i], &u);
			*ret_placed += u.made_count;
		}
		runs[r] = now_ns() - start;
		mem_unmap(mem, bytes);
	}
	return median(runs);
}

int main(int argc, char **argv)
{
	struct opening o = {.dsn = argc > 1 ? argv[1] : "", .shard = 1, .limits = {4000000, 4000000, 2000000}, .keys_max = 1000,
			    .write_count = 1};
	struct matched match, match_full;
	uint32_t placed;
	int64_t decide_ns, county_ns, looked_at;

	if (argc < 3) {
		fprintf(stderr, "usage: core_bench DSN sql/demo/real/sector_weights.csv\n");
		return 64;
	}
	if (store_open(&o) != ERR_OK) {
		fprintf(stderr, "core_bench: %s\n", o.note);
		return 69;
	}
	make_events(argv[2], wall_us());
	match = bench_match(o.core);
	match_full = bench_match_full(o.core);
	decide_ns = bench_decide(o.core, &looked_at);
	county_ns = bench_county(o.core, &placed);
	printf("{\"match_ns\":%lld,\"match_looked_at\":%.2f,\"match_list_entries\":%lld,\"match_first_ns\":%lld,"
	       "\"match_first_looked_at\":%.2f,\"decide_ns\":%lld,\"looked_at\":%.2f,\"county_ms\":%.3f,\"county_placed\":%u}\n",
	       (long long)match_full.ns, (double)match_full.looked_at_100 / 100, (long long)match_full.entries,
	       (long long)match.ns, (double)match.looked_at_100 / 100, (long long)decide_ns, (double)looked_at / 100,
	       (double)county_ns / 1e6, placed);
	return 0;
}
