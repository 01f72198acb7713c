/* update.h — what the core decided: the outcome to tell, the effects to store, the state to become.
 *
 * Shape:   at most a bundle's worth of rows. Filled by core_decide, folded into the state by core_apply, encoded by
 *          record.h, stored by store/journal. Plain values; text is borrowed from the event.
 * Units:   as event.h. Owner: the caller; reused for the next event.
 */
#pragma once

#include "base/err.h"
#include "core/event.h"

struct candidate {
	int32_t provider_no;
	int32_t detail; /* what the reason turns on: a status, a rating, a skill's number, minutes over a cap */
	uint16_t rank;
	uint16_t need, free; /* capacity only, in the pool's unit */
	uint8_t route, tier, reason;
	uint8_t cell_plane; /* cell*2 + paired; 255: not a matter of capacity */
};

struct decision {
	int32_t list_no, list_version, policy_no;
	uint8_t outcome;      /* enum round_outcome */
	uint16_t looked_at;   /* candidates filled */
	uint16_t not_reached;
	struct candidate candidates[LIST_ENTRIES_MAX];
};

/* The live placement that the outcome tells of, and that the store inserts. */
struct placed {
	int64_t package_no;
	int32_t pool_no, provider_no, list_no, start_day, exit_day;
	uint32_t price_pence_week, carer_minutes_week;
	uint16_t rank;
	uint8_t role, route, tier;
	uint8_t demand_count;
	uint32_t demand[VISITS_MAX]; /* visit codes in their chosen band */
};

struct new_package {
	int64_t package_no;
	const struct requirement *requirement;
	int32_t list_no, sector_no, skills, start_day, latest_day;
	int16_t language;
	uint8_t district_no, state;
	uint8_t visit_count, excluded_count;
	uint32_t visits[VISITS_MAX], facts[VISITS_MAX];
	int32_t excluded[EXCLUDED_MAX];
};

struct state_change {
	int64_t package_no;
	uint8_t from, to;
};

struct round {
	int64_t package_no;
	int16_t requirement_version;
};

struct ended {
	int64_t package_no;
	uint8_t role;
};

struct declared {
	int32_t pool_no;
	int64_t expires_us;
	int32_t available_from_day;
	uint16_t units[2][CELLS];
};

/* What the client is told, now and whenever the same key comes again. */
struct outcome {
	uint16_t refusal;  /* enum err; 0: done */
	uint8_t type;      /* enum event_type */
	uint8_t state;
	int64_t package_no;
	int32_t provider_no, list_no, pool_no, start_day, exit_day; /* of the live placement; provider_no 0: none */
	uint32_t price_pence_week, carer_minutes_week;
	uint16_t rank, looked_at, cells_over;
	uint8_t role, route, tier;
	bool simulated, budget_authority;
	int64_t confirm_by_us;
	uint8_t band_count;
	uint8_t bands[VISITS_MAX]; /* where each visit went, 0..7 */
	char field[24];            /* of a refusal */
};

struct update {
	struct outcome outcome;
	uint8_t new_count, change_count, round_count, made_count, ended_count, declared_count;
	struct new_package packages[1];
	struct state_change changes[BUNDLE_PACKAGES];
	struct round rounds[BUNDLE_PACKAGES];
	struct placed made[BUNDLE_PACKAGES];
	struct ended ended[4]; /* main, interim, outgoing, and a partner's that takes a shared visit over */
	struct declared declared[1];
	struct decision decision; /* valid when round_count > 0 */
};
