/* county.h — a framework version and what is held, read from a capture into a market of the model.
 *
 * Shape:   one static market. Numbers are the database's own; a sector, district, provider or pool number is its index + 1
 *          in the model's arrays, a list *version* is its place in market.lists. Beside it stands what the model does not
 *          keep: codes, the policy of each list version, what a placement's row tells more than the model needs.
 * Units:   the model only orders instants, so it is given microseconds where it says seconds; what it computes from one
 *          (confirm_by) is translated where it is compared.
 * Errors:  a capture that cannot be judged ends the program with 69 and says why: never a silent pass.
 */
#pragma once

#include "record.h"

#include "../model/model.h"

#include <stdio.h>

enum {
	COUNTY_POLICIES_MAX = 256,
	COUNTY_CODE_BYTES = 48,
	COUNTY_FIELDS_MAX = 48,
	EXIT_VIOLATED = 1,
	EXIT_CANNOT_JUDGE = 69,
};

/* What a placement's row holds beside the model's; at the same index as market.placements. */
struct county_held {
	int64_t made_seq;
	int tier, rank, policy;
};

struct county {
	struct model_market market;
	struct county_held held[MODEL_PLACEMENTS_MAX];
	struct model_policy policies[COUNTY_POLICIES_MAX + 1]; /* by policy number */
	int list_policy[MODEL_LISTS_MAX];                      /* of the version at this index */
	int64_t framework_version;
	/* capacity, which the model does not need */
	int64_t declared_at_us[MODEL_POOLS_MAX];
	int overhang[MODEL_POOLS_MAX][MODEL_PLANES][MODEL_CELLS];
	int pool_known[MODEL_POOLS_MAX];
	/* codes by number */
	char sectors[MODEL_SECTORS_MAX + 1][COUNTY_CODE_BYTES], districts[MODEL_DISTRICTS_MAX + 1][COUNTY_CODE_BYTES],
		district_names[MODEL_DISTRICTS_MAX + 1][COUNTY_CODE_BYTES], skills[32][COUNTY_CODE_BYTES],
		languages[64][COUNTY_CODE_BYTES], providers[MODEL_PROVIDERS_MAX + 1][COUNTY_CODE_BYTES],
		pools[MODEL_POOLS_MAX + 1][COUNTY_CODE_BYTES];
};

extern struct county county;

/* Says why and ends with EXIT_CANNOT_JUDGE. */
void cannot_judge(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Splits a line at its tabs, in place; ends the program when it has not `count` fields. */
void fields_of(char *line, char **fields, int count, const char *what);
long long number_of(const char *field);
/* {1,2,3} to numbers; returns how many, ends the program above most. */
int numbers_of(const char *field, long long *ret, int most);

/* framework.tsv: its first version, the one of the start; then, in the order of the journal, the others. */
void county_open(const char *path);
void county_framework(int64_t version);
/* A row of start.tsv: capacity. */
void county_capacity(char **fields);

/* A code's number; 0 (languages, places) or -1 (skills) when there is none. */
int county_sector(struct record_text code);
int county_district(struct record_text code_or_name);
int county_skill(struct record_text code);
int county_language(struct record_text code);
int county_provider(struct record_text code);
int county_pool(struct record_text code);
/* The place of the version of a list that is effective then, -1 none; and of one version. */
int county_list_now(int list, int64_t now_us);
/* The model has one policy for all lists: it gets that of this version before it is asked about it. */
void county_policy_of(int version_index);
