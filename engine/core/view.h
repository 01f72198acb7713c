/* view.h — what is read back for people: rows of the store, as the wire shows them. Plain values, borrowed text. */
#pragma once

#include "core/update.h"

#include <stddef.h>

struct package_view {
	int64_t package_no;
	int64_t changed_seq, need_arose_us, latest_start_us, cover_until_us;
	int32_t requirement_version, list_no, sector_no, district_no, skills, language, start_day;
	uint32_t ceiling_pence_hour;
	uint8_t state, service, client_group, gender, urgency, risk, cover, funding, regime, prerequisites;
	struct text case_ref, person_ref, household_ref, bundle_ref, owner_ref;
	uint32_t visit_count, excluded_count, placed_count;
	uint32_t visits[VISITS_MAX], facts[VISITS_MAX];
	int32_t excluded[EXCLUDED_MAX];
	struct placed placed[3];
};

struct receipt {
	int64_t seq;
	uint8_t leaf[32], row_hash[32];
};

/* One journal record with its proof. */
struct record_view {
	const uint8_t *record;
	size_t len;
	struct receipt receipt;
};

struct journal_view {
	int64_t first_seq, last_seq, epoch, clock_us, framework_version;
	const uint8_t *prev_hash, *row_hash, *leaves, *salts; /* 32 bytes; 32 bytes a record */
	const struct record_view *records;                    /* last_seq - first_seq + 1 */
};
