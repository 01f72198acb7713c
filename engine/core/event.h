/* event.h — what comes into the core: one command, stamped with its sequence and time.
 *
 * Shape:   a tagged struct of plain values and borrowed text; nothing refers to the wire or the database.
 * Units:   instants in us UTC; days since 1970-01-01; money in pence; care time in minutes.
 * Ranges:  event_holds says what the core counts on. The wire lets in less, and tells a client which field (wire/request.c); a
 *          record that breaks it was written by no engine.
 * Owner:   text is borrowed from the request's arena (or the record) and must outlive the step only.
 * Privacy: references are opaque; the place is a sector.
 */
#pragma once

#include "base/limits.h"
#include "core/visit.h"

#include <stdint.h>

/* Instants from 2000 to 2999; 0 is none. */
#define INSTANT_MIN_US INT64_C(946684800000000)
#define INSTANT_MAX_US INT64_C(32503680000000000)

struct text {
	const char *bytes;
	uint32_t len;
};

enum event_type {
	EVENT_SUBMIT = 1,
	EVENT_CONFIRM = 2,
	EVENT_WITHDRAW = 3,
	EVENT_END = 4,
	EVENT_DECLARE = 5,
};

struct exclusion {
	struct text provider, reason;
};

struct requirement {
	struct text case_ref, person_ref, household_ref, owner_ref, bundle_ref, sector, district, language;
	struct text skills[SKILLS_MAX];
	struct exclusion excluded[EXCLUDED_MAX];
	struct visit visits[VISITS_MAX];
	uint32_t skill_count, excluded_count, visit_count;
	uint8_t service, client_group, gender, urgency, risk, cover, funding, regime;
	uint8_t prerequisites; /* bit 0 equipment, bit 1 key safe */
	int32_t start_day;     /* 0: today */
	uint32_t ceiling_pence_hour;
	int64_t need_arose_us, latest_start_us, cover_until_us;
};

struct declaration {
	struct text pool;
	int64_t expires_us;
	int32_t available_from_day;
	uint32_t declared[2][CELLS]; /* [0] single, [1] paired; minutes, or nights, or places */
};

struct event {
	enum event_type type;
	int64_t seq, now_us;
	struct text principal;
	union {
		struct requirement submit;
		struct {
			int64_t package_no;
			struct text reason;
			bool with_budget_authority;
		} change; /* confirm, withdraw, end */
		struct declaration declare;
	};
};

bool event_holds(const struct event *event);
