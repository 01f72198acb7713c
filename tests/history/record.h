/* record.h — the journal's record of one event, read by a decoder of the checker's own.
 *
 * Shape:   what engine/core/record.h says of the bytes, version 1, and nothing of its code: plain numbers and text that
 *          points into the bytes.
 * Units:   us UTC, days since 1970-01-01, minutes, pence.
 * Errors:  record_read is false for bytes that are not such a record to their last byte.
 * Owner:   text borrows the record's bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_VISITS_MAX = 32,
	RECORD_SKILLS_MAX = 8,
	RECORD_EXCLUDED_MAX = 8,
	RECORD_CANDIDATES_MAX = 512,
	RECORD_TEXTS = 8,
	RECORD_CELLS = 56,
};

enum record_type { RECORD_SUBMIT = 1, RECORD_CONFIRM, RECORD_WITHDRAW, RECORD_END, RECORD_DECLARE };
enum { TEXT_CASE, TEXT_PERSON, TEXT_HOUSEHOLD, TEXT_OWNER, TEXT_BUNDLE, TEXT_SECTOR, TEXT_DISTRICT, TEXT_LANGUAGE };

struct record_text {
	const char *at;
	int len;
};

struct record_visit {
	int days, band, bands, carers, tolerance_minutes, time_critical, shared, minutes;
};

struct record_told { /* the outcome */
	int type, refusal, state, looked_at, cells_over, simulated, budget_authority;
	int64_t package, confirm_by_us;
	int pool, provider, list, start_day, exit_day, price_pence_week, carer_minutes_week, rank, role, route, tier;
	int band_n, bands[RECORD_VISITS_MAX];
};

struct record_candidate {
	int provider, route, tier, rank, reason, detail, cell_plane, need, free; /* cell_plane 255: none */
};

struct record_placement {
	int64_t package;
	int pool, provider, list, start_day, exit_day, price_pence_week, carer_minutes_week, rank, role, route, tier;
	int demand_n, demand[RECORD_VISITS_MAX];
};

struct record {
	int type, rules_version;
	int64_t seq, now_us, framework_version;
	struct record_text principal;
	uint8_t key[16];

	/* submit */
	struct record_text texts[RECORD_TEXTS];
	int service, group, gender, urgency, risk, cover, funding, regime, prerequisites;
	int start_day, ceiling_pence_hour;
	int64_t need_arose_us, latest_start_us, cover_until_us;
	int skill_n, excluded_n, visit_n;
	struct record_text skills[RECORD_SKILLS_MAX], excluded[RECORD_EXCLUDED_MAX];
	struct record_visit visits[RECORD_VISITS_MAX];
	/* confirm, withdraw, end */
	int64_t package;
	int with_budget_authority;
	/* declare */
	struct record_text pool;
	int64_t expires_us;
	int available_from_day;
	int64_t declared[2][RECORD_CELLS]; /* minutes, nights or places */

	/* effects */
	struct record_told told;
	int new_n, change_n, round_n, made_n, ended_n, declared_n;
	struct {
		int64_t package;
		int state, list, sector, district, skills, language, start_day, latest_day;
		int visit_n, excluded_n;
		int64_t visits[RECORD_VISITS_MAX], facts[RECORD_VISITS_MAX];
		int excluded[RECORD_EXCLUDED_MAX];
	} fresh;
	struct {
		int64_t package;
		int from, to;
	} changes[2];
	struct {
		int64_t package;
		int requirement_version;
	} rounds[2];
	int list, list_version, policy, outcome, not_reached, looked_at;
	struct record_candidate candidates[RECORD_CANDIDATES_MAX];
	struct record_placement made[2];
	struct {
		int64_t package;
		int role;
	} ended[4];
	struct {
		int pool, available_from_day;
		int64_t expires_us;
		int units[2][RECORD_CELLS];
	} stored;
};

int record_read(const uint8_t *bytes, size_t len, struct record *ret);
