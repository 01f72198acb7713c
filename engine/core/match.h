/* match.h — choose the provider for one call: the ranked list, every check in its published order, one reason each.
 *
 * Shape:   one call (a package, or a bundle as one) + the market -> the winner's position in its list, or none, and
 *          a candidate with its reason for every entry looked at.
 * Units:   capacity in the pool's units; minutes a week; days since 1970-01-01; us UTC.
 * Order:   core/README.md. Ties never depend on memory or hash order.
 * Errors:  none: nobody fitting is an answer. Never aborts on data.
 * Owner:   borrows all inputs; writes only *ret.
 * Source:  "call-off from the lists in descending order of the ranking starting with ranked position 1 on Tier 1"
 *          (Essex provider hub, contract details notice LAH 2025).
 */
#pragma once

#include "core/framework.h"
#include "core/update.h"
#include "core/words.h"

enum { LOAD_DAYS = 128 };

/* What is taken of a pool. Hot: free is all that a check reads of 56 cells. */
struct pool_state {
	int64_t expires_us;
	int32_t available_from_day;
	uint8_t mode;
	int16_t free[2][64]; /* declared - committed, negative where over; padded to whole vectors */
	uint16_t declared[2][CELLS];
};

/* What a provider holds in all: hours for its limit, starts by day for its limits. */
struct provider_state {
	int32_t minutes_week;
	int32_t live_packages;
	struct {
		int32_t day;
		int32_t starts;
	} starts[LOAD_DAYS]; /* slot day % LOAD_DAYS; another day in the slot means none that day */
};

struct market {
	const struct framework *framework;
	struct pool_state *pools;         /* by pool index */
	struct provider_state *providers; /* by provider index */
	int32_t *entry_minutes_week;      /* by entry index: what the provider holds on this list */
	int32_t *entry_packages;
};

/* One visit of a call, as capacity sees it. */
struct call_visit {
	uint32_t code;  /* days, lowest band, plane, units */
	uint32_t bands; /* allowed */
};

struct call {
	uint32_t list, sector; /* indexes */
	int64_t now_us;
	uint32_t carer_minutes_week, ceiling_pence_hour;
	int32_t skills, start_day, latest_day;
	uint64_t languages; /* bits; all are required */
	uint8_t genders;    /* bits 1 female, 2 male; all are required */
	uint8_t urgency, risk, new_starts;
	bool no_cover;
	uint32_t excluded_count, visit_count;
	int32_t excluded[EXCLUDED_MAX * BUNDLE_PACKAGES]; /* provider_no */
	struct call_visit visits[VISITS_MAX * BUNDLE_PACKAGES];
};

struct match {
	uint32_t entry, pool;                          /* of the winner: position in the list, pool index */
	uint8_t bands[VISITS_MAX * BUNDLE_PACKAGES];   /* where each visit goes */
};

/* Fills decision->candidates, looked_at, not_reached, outcome; *ret only when somebody is chosen (true). */
bool match_choose(const struct market *m, const struct call *call, struct decision *decision, struct match *ret);
/* Checks 2 and 3 again, for confirmation: REASON_CHOSEN or the reason it would now be passed over for. */
enum reason match_recheck(const struct market *m, const struct list *list, const struct entry *e, int32_t start_day,
			       int64_t now_us);
int32_t match_starts(const struct provider_state *p, int32_t day);
int32_t match_starts_week(const struct provider_state *p, int32_t day);
