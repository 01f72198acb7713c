/* core.h — the deterministic heart: one shard's packages, pools and providers, and the only way to change them.
 *
 * Shape:   core_decide(core, event) -> update, without changing anything; core_apply(core, update) folds it in.
 *          core_step is both. A dry run is decide alone; loading and replay are apply alone.
 * Memory:  one region, given at start and sized by limits (core_bytes): arrays by kind, grown by count only, so that
 *          untouched pages of a reserved mapping cost nothing. No pointer into it survives outside core/.
 * Order:   packages are added in ascending package_no, so that a number is found by binary search.
 * Errors:  a refusal is an outcome (update.outcome.refusal), decided like any other. Never aborts on data.
 * Loop:    pure; no I/O, clock, randomness, allocation.
 */
#pragma once

#include "core/match.h"

struct core_limits {
	uint32_t packages_max;   /* live and waiting, and those ended since the last load */
	uint32_t placements_max;
	uint32_t blocks_max; /* packages with many visits or exclusions take more than their own row */
};

enum { PACKAGE_LINES = 4, PLACEMENT_LINES = 8, BLOCK_WORDS = 15, BUNDLES_WAITING_MAX = 256, NONE = -1 };

/* A package as the core keeps it: what a later decision may need. */
struct package {
	int64_t package_no;
	uint64_t bundle; /* 0, or a hash of its bundle reference */
	int32_t main, interim, outgoing; /* placement slots, or NONE */
	int32_t partner;                 /* slot of the bundle's other package, or NONE */
	int32_t more;                    /* block chain: excluded providers, then visits past PACKAGE_LINES; or NONE */
	int32_t list_no, sector_no, skills, start_day, latest_day;
	uint32_t ceiling_pence_hour;
	int16_t requirement_version;
	uint8_t state, service, client_group, gender, language, urgency, risk, cover, district_no;
	uint8_t visit_count, excluded_count;
	uint32_t codes[PACKAGE_LINES], facts[PACKAGE_LINES];
};

struct placement {
	int32_t package; /* slot; NONE while free */
	uint32_t pool, provider; /* framework indexes */
	int32_t list_no, start_day, exit_day;
	uint32_t carer_minutes_week, price_pence_week;
	int32_t more; /* block chain: demand past PLACEMENT_LINES, or NONE; next free slot while free */
	uint16_t rank;
	uint8_t role, route, tier, demand_count;
	uint32_t demand[PLACEMENT_LINES];
};

struct core;

size_t core_bytes(const struct framework *f, const struct core_limits *limits);
/* mem: core_bytes long, zeroed, 64-byte aligned; the framework must outlive the core. */
struct core *core_init(void *mem, const struct framework *f, const struct core_limits *limits);

void core_decide(const struct core *core, const struct event *event, struct update *ret);
/* update must be what core_decide just said of this very state, or what a journal says of it. */
void core_apply(struct core *core, const struct event *event, const struct update *update);
void core_step(struct core *core, const struct event *event, struct update *ret);
/* Whether an update that a journal tells of may be folded into this very state: ERR_BAD_ROW when it cannot be right here,
 * ERR_TOO_MANY_PACKAGES when there is no room for it. What core_decide just said always may. */
enum err core_fits(const struct core *core, const struct event *event, const struct update *update) ERR_MUST_CHECK;
/* false: this event might not find room, see ERR_TOO_MANY_PACKAGES. */
bool core_has_room(const struct core *core);
/* Three quarters of its memory are taken, a quarter of that by packages that are over: a load would free it. A package
 * that is over keeps its slot until then, so that an event is answered alike before and after. */
bool core_is_worth_a_load(const struct core *core);

/* Loading, before the first event: rows as the store keeps them. ERR_BAD_ROW when one cannot be right. */
struct package_row {
	int64_t package_no;
	int32_t list_no, sector_no, skills, start_day, latest_day;
	uint32_t ceiling_pence_hour;
	int16_t requirement_version, language;
	uint8_t state, service, client_group, gender, urgency, risk, cover, district_no, visit_count, excluded_count;
	uint32_t visits[VISITS_MAX], facts[VISITS_MAX];
	int32_t excluded[EXCLUDED_MAX];
	struct text bundle_ref;
};
enum err core_load_pool(struct core *core, int32_t pool_no, int mode, const uint16_t declared[2][CELLS],
			int64_t expires_us, int32_t available_from_day) ERR_MUST_CHECK;
enum err core_load_package(struct core *core, const struct package_row *row) ERR_MUST_CHECK;
/* After the last package, before the first placement: puts them in order, joins bundles. */
enum err core_loaded(struct core *core) ERR_MUST_CHECK;
enum err core_load_placement(struct core *core, const struct placed *row) ERR_MUST_CHECK;

/* Reading. */
const struct framework *core_framework(const struct core *core);
const struct market *core_market(const struct core *core);
/* NULL when unknown. */
const struct package *core_find(const struct core *core, int64_t package_no);
const struct placement *core_placement(const struct core *core, int32_t slot);
/* All visits of a package: codes and facts, VISITS_MAX long. */
void core_visits(const struct core *core, const struct package *p, uint32_t *ret_codes, uint32_t *ret_facts);
void core_excluded(const struct core *core, const struct package *p, int32_t *ret_excluded);
/* The bundle's other package; p->partner must not be NONE. */
const struct package *core_partner(const struct core *core, const struct package *p);
/* All of a placement's demand, VISITS_MAX long. */
void core_demand(const struct core *core, const struct placement *p, uint32_t *ret_demand);
/* The package waiting in SUBMITTED for its bundle's other half; NULL when none. */
const struct package *core_bundle_waiting(const struct core *core, struct text bundle_ref);
bool core_bundles_full(const struct core *core);
/* Does a package that is not over belong to a bundle of this reference that is complete? Looks at every package. */
bool core_bundle_in_use(const struct core *core, struct text bundle_ref);
struct core_counts {
	int64_t states[16];
	struct {
		int64_t placements, carer_minutes_week;
	} routes[5][4]; /* by route, role */
};
const struct core_counts *core_counts(const struct core *core);
/* A digest of everything a decision may depend on, equal after a load and after the events that led there. */
uint64_t core_state_hash(const struct core *core);
/* committed of one cell: declared - free, never below 0. */
int32_t core_committed(const struct core *core, uint32_t pool, uint32_t cell, uint32_t plane);
