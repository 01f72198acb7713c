/* framework.h — an immutable snapshot of what commissioners wrote: places, lots, lists, policies, pools' coverage.
 *
 * Shape:   the caller (store/load, a scenario, a simulator) fills struct framework_rows, plain arrays in any order;
 *          framework_seal checks every reference, sorts, and indexes them in an arena.
 * Order:   candidates of a list by route, tier, rank, order_no (core/README.md): never by memory or hash.
 * Units:   prices in pence an hour; caps in carer minutes a week; instants in us UTC.
 * Errors:  ERR_BAD_ROW with a note that names table, row and column; never aborts on data.
 * Owner:   everything lives in the arena; rows may be freed after sealing.
 * Source:  DESIGN 4; ranked lists of Essex's Live at Home framework (district lot x tier x service type).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "core/event.h"

struct row_district {
	int32_t district_no;
	char code[10], name[32];
};
struct row_sector {
	int32_t sector_no;
	char code[9];
};
struct row_sector_district {
	int32_t sector_no, district_no;
};
struct row_word { /* a skill or a language: its number and code */
	int32_t number;
	char code[33];
};
struct row_provider {
	int32_t provider_no;
	char code[ID_BYTES_MAX + 1], location[ID_BYTES_MAX + 1];
	int32_t rating, skills, genders, starts_a_day_max, minutes_week_max;
	int64_t languages;
	bool improvement_plan;
};
struct row_status {
	int32_t provider_no, status_no, status, list_no /* 0: every list */, starts_week_max;
	int64_t from_us, until_us;
	char clause[33];
};
struct row_lot {
	int32_t lot_no;
	char code[ID_BYTES_MAX + 1], name[64], framework[ID_BYTES_MAX + 1];
};
struct row_lot_district {
	int32_t lot_no, district_no;
};
struct row_policy {
	int32_t policy_no, version, award_style, confirmation, confirm_minutes, unknown_pool;
	int32_t travel_minutes_visit, rating_min, polr_urgencies, polr_risks, polr_days;
	bool not_rated_open, improvement_plan_open, polr_no_cover;
	uint8_t routes[ROUTES_MAX];
	uint32_t route_count;
	char code[33];
};
struct row_clause {
	int32_t policy_no, reason;
	char clause[33];
};
struct row_list { /* one version of a list */
	int32_t list_no, lot_no, service, client_group, version, policy_no;
	int64_t from_us, until_us;
	char code[ID_BYTES_MAX + 1];
};
struct row_entry {
	int32_t list_no, version, provider_no, route, tier, rank, order_no, score_milli;
	int32_t price_pence_hour, share_cap_minutes_week;
};
struct row_pool {
	int32_t pool_no, provider_no, kind;
	char code[33];
};
struct row_coverage {
	int32_t list_no, provider_no, sector_no, pool_no;
};

struct framework_rows {
	int64_t version;
#define FRAMEWORK_TABLES(X)                                                                        \
	X(district, districts)                                                                     \
	X(sector, sectors)                                                                         \
	X(sector_district, sector_districts)                                                       \
	X(word, skills)                                                                            \
	X(word, languages)                                                                         \
	X(provider, providers)                                                                     \
	X(status, statuses)                                                                        \
	X(lot, lots)                                                                               \
	X(lot_district, lot_districts)                                                             \
	X(policy, policies)                                                                        \
	X(clause, clauses)                                                                         \
	X(list, lists)                                                                             \
	X(entry, entries)                                                                          \
	X(pool, pools)                                                                             \
	X(coverage, coverages)
#define X(type, name)                                                                              \
	struct row_##type *name;                                                                   \
	uint32_t name##_count;
	FRAMEWORK_TABLES(X)
#undef X
};

/* One place on a list, with what a check asks of its provider beside it: a walk reads 64 bytes a candidate, in order. */
struct entry {
	uint64_t languages;     /* of the provider, as are the next six */
	int32_t provider_no, skills, minutes_week_max;
	uint8_t genders, rating;
	bool improvement_plan;
	int16_t starts_a_day_max;
	uint32_t provider;      /* index */
	uint32_t status_first;  /* into framework.statuses: all of the provider's, this list's picked by list_no */
	uint16_t status_count;
	uint16_t rank;
	uint8_t route, tier;
	int32_t order_no, score_milli, price_pence_hour, share_cap_minutes_week;
};

struct list {
	int32_t list_no, lot_no, service, client_group, version;
	uint32_t lot, policy;
	int64_t from_us, until_us;
	uint32_t entry_first, entry_count; /* into framework.entries, in candidate order */
	uint32_t sector_first, sector_count; /* into framework.list_sectors, ascending sector index */
	uint32_t pool_first; /* into framework.cover: [sector][entry], pool index or POOL_NONE */
	char code[ID_BYTES_MAX + 1];
};

#define POOL_NONE UINT32_MAX

struct sector {
	int32_t sector_no;
	char code[9];
	uint8_t district_count;
	uint8_t districts[SECTOR_DISTRICTS_MAX]; /* indexes */
};

/* Indexes into the arrays below are called by the noun (list, provider, pool); *_no are the database's numbers. */
struct framework {
	int64_t version;
	uint32_t district_count, sector_count, skill_count, language_count, provider_count, status_count, lot_count;
	uint32_t lot_district_count, policy_count, clause_count, list_count, entry_count, pool_count;
	const struct row_district *districts;
	const struct sector *sectors; /* by code */
	const uint64_t *sector_keys;  /* their codes as numbers, in the same order: what a look-up compares */
	const struct row_word *skills, *languages;
	const struct row_provider *providers; /* by provider_no */
	const struct row_status *statuses;    /* by provider_no, status_no */
	const struct row_lot *lots;
	const struct row_lot_district *lot_districts;
	const struct row_policy *policies;
	const struct row_clause *clauses;
	const struct list *lists;         /* by list_no, version */
	const struct entry *entries;
	const struct row_pool *pools; /* by pool_no */
	const uint32_t *pool_providers; /* pool -> provider index */
	const uint32_t *provider_by_code, *pool_by_code, *sector_by_no;
	const uint32_t *list_sectors, *cover;
	const uint32_t *district_list_first; /* by district and service, one past the last too; into district_lists */
	const uint32_t *district_lists;      /* lists, ascending */
};

struct framework_note {
	char text[200];
};

/* Bytes of arena that framework_seal may need for these rows. */
size_t framework_bytes(const struct framework_rows *rows);
/* Sorts rows in place; on ERR_BAD_ROW says in note which row is wrong and why. */
enum err framework_seal(struct framework_rows *rows, struct arena *arena, const struct framework **ret_framework,
			struct framework_note *note) ERR_MUST_CHECK;

uint64_t framework_sector_key(const char *code, uint32_t len);
/* Look-ups; UINT32_MAX when there is none. */
uint32_t framework_find_sector(const struct framework *f, struct text code);
uint32_t framework_find_district(const struct framework *f, struct text code_or_name);
uint32_t framework_find_provider(const struct framework *f, struct text code);
uint32_t framework_find_provider_no(const struct framework *f, int32_t provider_no);
uint32_t framework_find_pool(const struct framework *f, struct text code);
uint32_t framework_find_pool_no(const struct framework *f, int32_t pool_no);
int32_t framework_find_skill(const struct framework *f, struct text code);
int32_t framework_find_language(const struct framework *f, struct text code);
/* Versions of a list stand together: where they begin; lists[i].list_no says whether there is one. */
uint32_t framework_first_version(const struct framework *f, int32_t list_no);
/* The newest version of a list, or where now_us > 0 the one effective then (core/README.md, "Which list"). */
uint32_t framework_find_list(const struct framework *f, int32_t list_no, int64_t now_us);
uint32_t framework_find_list_code(const struct framework *f, struct text code, int64_t now_us);
/* The list live at now_us for a district, service and client group (core/README.md, "Which list"). */
enum err framework_choose_list(const struct framework *f, uint32_t district, int service, int client_group,
			       int64_t now_us, uint32_t *ret_list) ERR_MUST_CHECK;
/* Where a provider stands on a version of a list: into framework.entries, or UINT32_MAX. */
uint32_t framework_find_entry(const struct framework *f, const struct list *list, uint32_t provider);
/* The pools of a list's entries, in order, in one sector (POOL_NONE: does not work there); NULL: nobody does. */
const uint32_t *framework_cover(const struct framework *f, const struct list *list, uint32_t sector);
/* The published clause behind a reason, "" where the policy names none. */
const char *framework_clause(const struct framework *f, uint32_t policy, int reason);
