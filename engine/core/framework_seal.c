/* framework_seal.c — from rows in any order to a checked, sorted, indexed snapshot. */
#include "core/framework.h"

#include "base/check.h"
#include "base/sort.h"
#include "core/words.h"

#include <string.h>

struct sealing {
	struct framework_rows *rows;
	struct arena *arena;
	struct framework *f;
	struct framework_note *note;
};

static size_t note_append(char *to, size_t at, size_t size, const char *text)
{
	for (; *text != '\0' && at + 1 < size; text++)
		to[at++] = *text;
	to[at] = '\0';
	return at;
}

/* "coverage 12: pool 7 is not there": table, the row's own number, what is wrong with it. */
static enum err seal_refuse(struct sealing *s, const char *table, int64_t number, const char *what)
{
	char digits[24] = "";
	size_t at = note_append(s->note->text, 0, sizeof s->note->text, table);
	size_t i = sizeof digits - 1;
	uint64_t n = number < 0 ? (uint64_t)-number : (uint64_t)number;

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	at = note_append(s->note->text, at, sizeof s->note->text, " ");
	at = note_append(s->note->text, at, sizeof s->note->text, digits + i);
	at = note_append(s->note->text, at, sizeof s->note->text, ": ");
	note_append(s->note->text, at, sizeof s->note->text, what);
	return ERR_BAD_ROW;
}

#define COMPARE(name, type, field)                                                                 \
	static int name(const void *a, const void *b)                                              \
	{                                                                                          \
		const struct type *x = a, *y = b;                                                  \
		return (x->field > y->field) - (x->field < y->field);                              \
	}
#define COMPARE2(name, type, first, second)                                                        \
	static int name(const void *a, const void *b)                                              \
	{                                                                                          \
		const struct type *x = a, *y = b;                                                  \
		if (x->first != y->first)                                                          \
			return (x->first > y->first) - (x->first < y->first);                      \
		return (x->second > y->second) - (x->second < y->second);                          \
	}
COMPARE(by_district, row_district, district_no)
COMPARE(by_provider, row_provider, provider_no)
COMPARE(by_lot, row_lot, lot_no)
COMPARE(by_policy, row_policy, policy_no)
COMPARE(by_pool, row_pool, pool_no)
COMPARE2(by_status, row_status, provider_no, status_no)
COMPARE2(by_list, row_list, list_no, version)
COMPARE2(by_entry, row_entry, list_no, version)
COMPARE2(by_coverage, row_coverage, list_no, provider_no)
COMPARE2(by_sector_district, row_sector_district, sector_no, district_no)

static int by_sector_code(const void *a, const void *b)
{
	return strcmp(((const struct row_sector *)a)->code, ((const struct row_sector *)b)->code);
}

static void *seal_copy(struct sealing *s, const void *rows, size_t count, size_t size)
{
	void *copy = arena_alloc(s->arena, count * size);

	INSIST(copy != NULL); /* framework_bytes counted it */
	if (count > 0)
		memcpy(copy, rows, count * size);
	return copy;
}

/* The row whose number is the key's; SIZE_MAX: none has it. */
static size_t seal_find(const void *rows, size_t count, size_t size, const void *key, sort_compare *compare)
{
	size_t at = sort_lower(rows, count, size, key, compare);

	return at < count && compare((const char *)rows + at * size, key) == 0 ? at : SIZE_MAX;
}

/* An index sorted by code: insertion into place by binary search would be quadratic, so pairs are sorted. */
struct code_at {
	const char *code;
	uint32_t at;
};

static int by_code_at(const void *a, const void *b)
{
	return strcmp(((const struct code_at *)a)->code, ((const struct code_at *)b)->code);
}

static const uint32_t *seal_index(struct sealing *s, const char *first_code, size_t stride, uint32_t count)
{
	struct code_at *pairs = arena_array(s->arena, count, sizeof *pairs);
	uint32_t *index = arena_array(s->arena, count, sizeof *index);

	INSIST(pairs != NULL && index != NULL);
	for (uint32_t i = 0; i < count; i++)
		pairs[i] = (struct code_at){first_code + i * stride, i};
	sort_rows(pairs, count, sizeof *pairs, by_code_at);
	for (uint32_t i = 0; i < count; i++)
		index[i] = pairs[i].at;
	return index;
}

static enum err seal_places(struct sealing *s)
{
	struct framework_rows *r = s->rows;
	struct framework *f = s->f;
	struct sector *sectors = arena_array(s->arena, r->sectors_count, sizeof *sectors);
	uint64_t *keys = arena_array(s->arena, r->sectors_count, sizeof *keys);

	INSIST(sectors != NULL && keys != NULL);
	sort_rows(r->districts, r->districts_count, sizeof *r->districts, by_district);
	sort_rows(r->sectors, r->sectors_count, sizeof *r->sectors, by_sector_code);
	sort_rows(r->sector_districts, r->sector_districts_count, sizeof *r->sector_districts, by_sector_district);
	if (r->districts_count == 0 || r->districts_count > DISTRICTS_MAX || r->sectors_count > SECTORS_MAX)
		return seal_refuse(s, "district", r->districts_count, "too few or too many districts or sectors");
	for (uint32_t i = 0; i < r->sectors_count; i++) {
		struct row_sector_district key = {r->sectors[i].sector_no, INT32_MIN};
		size_t at = sort_lower(r->sector_districts, r->sector_districts_count, sizeof key, &key, by_sector_district);

		keys[i] = framework_sector_key(r->sectors[i].code, (uint32_t)strlen(r->sectors[i].code));
		sectors[i].sector_no = key.sector_no;
		memcpy(sectors[i].code, r->sectors[i].code, sizeof sectors[i].code);
		for (; at < r->sector_districts_count && r->sector_districts[at].sector_no == key.sector_no; at++) {
			struct row_district want = {.district_no = r->sector_districts[at].district_no};
			size_t d = seal_find(r->districts, r->districts_count, sizeof want, &want, by_district);

			if (d == SIZE_MAX)
				return seal_refuse(s, "sector_district of sector", key.sector_no, "its district is not there");
			if (sectors[i].district_count == SECTOR_DISTRICTS_MAX)
				return seal_refuse(s, "sector", key.sector_no, "lies in too many districts");
			sectors[i].districts[sectors[i].district_count++] = (uint8_t)d;
		}
		if (sectors[i].district_count == 0)
			return seal_refuse(s, "sector", key.sector_no, "lies in no district");
	}
	f->sectors = sectors;
	f->sector_keys = keys;
	f->sector_count = r->sectors_count;
	f->districts = seal_copy(s, r->districts, r->districts_count, sizeof *r->districts);
	f->district_count = r->districts_count;
	return ERR_OK;
}

static enum err seal_words(struct sealing *s)
{
	struct framework_rows *r = s->rows;
	struct framework *f = s->f;

	for (uint32_t i = 0; i < r->skills_count; i++) {
		if (r->skills[i].number < 0 || r->skills[i].number > 30)
			return seal_refuse(s, "skill", r->skills[i].number, "its number is not 0..30");
	}
	for (uint32_t i = 0; i < r->languages_count; i++) {
		if (r->languages[i].number < 1 || r->languages[i].number > 62)
			return seal_refuse(s, "language", r->languages[i].number, "its number is not 1..62");
	}
	f->skills = seal_copy(s, r->skills, r->skills_count, sizeof *r->skills);
	f->skill_count = r->skills_count;
	f->languages = seal_copy(s, r->languages, r->languages_count, sizeof *r->languages);
	f->language_count = r->languages_count;
	return ERR_OK;
}

static enum err seal_providers(struct sealing *s)
{
	struct framework_rows *r = s->rows;
	struct framework *f = s->f;

	sort_rows(r->providers, r->providers_count, sizeof *r->providers, by_provider);
	sort_rows(r->statuses, r->statuses_count, sizeof *r->statuses, by_status);
	if (r->providers_count > PROVIDERS_MAX)
		return seal_refuse(s, "provider", r->providers_count, "too many providers");
	f->providers = seal_copy(s, r->providers, r->providers_count, sizeof *r->providers);
	f->provider_count = r->providers_count;
	f->provider_by_code = seal_index(s, f->provider_count > 0 ? f->providers[0].code : NULL,
					 sizeof *f->providers, f->provider_count);
	f->statuses = seal_copy(s, r->statuses, r->statuses_count, sizeof *r->statuses);
	f->status_count = r->statuses_count;
	for (uint32_t i = 0; i < f->status_count; i++) {
		if (framework_find_provider_no(f, f->statuses[i].provider_no) == UINT32_MAX)
			return seal_refuse(s, "provider_status of provider", f->statuses[i].provider_no, "no such provider");
		if (f->statuses[i].clause[0] == '\0')
			return seal_refuse(s, "provider_status of provider", f->statuses[i].provider_no, "names no clause");
	}
	return ERR_OK;
}

static enum err seal_policies(struct sealing *s)
{
	/* Reasons that only a policy's rule can give must name the clause behind it. */
	static const uint8_t need_clause[] = {REASON_RATING, REASON_CAPACITY_UNKNOWN, REASON_SHARE_CAP};
	struct framework_rows *r = s->rows;
	struct framework *f = s->f;

	sort_rows(r->policies, r->policies_count, sizeof *r->policies, by_policy);
	f->policies = seal_copy(s, r->policies, r->policies_count, sizeof *r->policies);
	f->policy_count = r->policies_count;
	f->clauses = seal_copy(s, r->clauses, r->clauses_count, sizeof *r->clauses);
	f->clause_count = r->clauses_count;
	for (uint32_t i = 0; i < f->policy_count; i++) {
		for (uint32_t k = 0; k < f->policies[i].route_count; k++) {
			if (k >= ROUTES_MAX || f->policies[i].routes[k] < ROUTE_FRAMEWORK || f->policies[i].routes[k] > ROUTE_POLR)
				return seal_refuse(s, "policy", f->policies[i].policy_no, "names a route that is not there");
		}
		for (size_t c = 0; c < sizeof need_clause; c++) {
			if (framework_clause(f, i, need_clause[c])[0] == '\0')
				return seal_refuse(s, "policy", f->policies[i].policy_no,
						   "names no clause for a rule that passes providers over");
		}
	}
	return ERR_OK;
}

static enum err seal_pools(struct sealing *s)
{
	struct framework_rows *r = s->rows;
	struct framework *f = s->f;
	uint32_t *providers;

	sort_rows(r->pools, r->pools_count, sizeof *r->pools, by_pool);
	if (r->pools_count > POOLS_MAX)
		return seal_refuse(s, "pool", r->pools_count, "too many pools");
	f->pools = seal_copy(s, r->pools, r->pools_count, sizeof *r->pools);
	f->pool_count = r->pools_count;
	f->pool_by_code = seal_index(s, f->pool_count > 0 ? f->pools[0].code : NULL, sizeof *f->pools, f->pool_count);
	providers = arena_array(s->arena, f->pool_count, sizeof *providers);
	INSIST(providers != NULL);
	for (uint32_t i = 0; i < f->pool_count; i++) {
		providers[i] = framework_find_provider_no(f, f->pools[i].provider_no);
		if (providers[i] == UINT32_MAX)
			return seal_refuse(s, "pool", f->pools[i].pool_no, "its provider is not there");
	}
	f->pool_providers = providers;
	return ERR_OK;
}

static uint32_t seal_route_position(const struct row_policy *policy, int route)
{
	for (uint32_t i = 0; i < policy->route_count; i++) {
		if (policy->routes[i] == route)
			return i;
	}
	return 100u + (uint32_t)route;
}

/* Candidate order: route by the policy, tier, rank, order_no. Lists are short: insertion sort, stable and simple. */
static void seal_order_entries(const struct row_policy *policy, struct entry *entries, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct entry e = entries[i];
		uint32_t at = i;

		for (; at > 0; at--) {
			const struct entry *b = &entries[at - 1];
			uint32_t er = seal_route_position(policy, e.route), br = seal_route_position(policy, b->route);

			if (br < er || (br == er && (b->tier < e.tier || (b->tier == e.tier &&
			    (b->rank < e.rank || (b->rank == e.rank && b->order_no <= e.order_no))))))
				break;
			entries[at] = *b;
		}
		entries[at] = e;
	}
}

static enum err seal_entries(struct sealing *s, struct list *list, struct entry *entries, uint32_t *count)
{
	struct framework_rows *r = s->rows;
	const struct framework *f = s->f;
	struct row_entry key = {.list_no = list->list_no, .version = list->version};
	size_t at = sort_lower(r->entries, r->entries_count, sizeof key, &key, by_entry);

	list->entry_first = *count;
	for (; at < r->entries_count && r->entries[at].list_no == list->list_no &&
	       r->entries[at].version == list->version; at++) {
		const struct row_entry *row = &r->entries[at];
		uint32_t provider = framework_find_provider_no(f, row->provider_no);
		struct row_status status = {.provider_no = row->provider_no, .status_no = INT32_MIN};
		size_t first = sort_lower(f->statuses, f->status_count, sizeof status, &status, by_status), last = first;

		if (provider == UINT32_MAX)
			return seal_refuse(s, "list_entry of list", row->list_no, "its provider is not there");
		if (row->route < 1 || row->route > 4 || row->tier < 1 || row->rank < 1 || row->price_pence_hour < 0)
			return seal_refuse(s, "list_entry of list", row->list_no, "route, tier, rank or price is out of range");
		while (last < f->status_count && f->statuses[last].provider_no == row->provider_no)
			last++;
		entries[(*count)++] = (struct entry){
			.languages = (uint64_t)f->providers[provider].languages, .provider_no = row->provider_no,
			.skills = f->providers[provider].skills, .minutes_week_max = f->providers[provider].minutes_week_max,
			.genders = (uint8_t)f->providers[provider].genders, .rating = (uint8_t)f->providers[provider].rating,
			.improvement_plan = f->providers[provider].improvement_plan,
			.starts_a_day_max = (int16_t)f->providers[provider].starts_a_day_max, .provider = provider,
			.status_first = (uint32_t)first, .status_count = (uint16_t)(last - first),
			.rank = (uint16_t)row->rank, .route = (uint8_t)row->route, .tier = (uint8_t)row->tier,
			.order_no = row->order_no, .score_milli = row->score_milli,
			.price_pence_hour = row->price_pence_hour,
			.share_cap_minutes_week = row->share_cap_minutes_week,
		};
	}
	list->entry_count = *count - list->entry_first;
	if (list->entry_count > LIST_ENTRIES_MAX)
		return seal_refuse(s, "list", list->list_no, "has too many entries");
	seal_order_entries(&f->policies[list->policy], entries + list->entry_first, list->entry_count);
	return ERR_OK;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool seal_kind_fits(int kind, int service)
{
	return (kind == POOL_KIND_TIME) == (service == SERVICE_PERSONAL_CARE) &&
	       (kind == POOL_KIND_PLACES) == (service == SERVICE_LIVE_IN);
}

/* Filled list by list: the sectors of each, and its matrix of pools. */
struct covering {
	uint32_t *scratch, *sectors, *cover;
	uint32_t sectors_used, cover_used;
};

/* The sectors a list covers, and the matrix [entry][sector] of pools. */
static enum err seal_cover(struct sealing *s, struct list *list, struct covering *c)
{
	const struct framework_rows *r = s->rows;
	struct framework *f = s->f;
	struct row_coverage key = {.list_no = list->list_no, .provider_no = INT32_MIN};
	size_t first = sort_lower(r->coverages, r->coverages_count, sizeof key, &key, by_coverage), last = first;
	uint32_t *mine = c->sectors + c->sectors_used, *all = c->scratch, count = 0, unique = 0;

	for (; last < r->coverages_count && r->coverages[last].list_no == list->list_no; last++) {
		uint32_t sector = f->sector_by_no[r->coverages[last].sector_no];

		if (sector == UINT32_MAX)
			return seal_refuse(s, "coverage of list", list->list_no, "its sector is not there");
		all[count++] = sector;
	}
	sort_rows(all, count, sizeof *all, by_number);
	for (uint32_t i = 0; i < count; i++) {
		if (unique == 0 || mine[unique - 1] != all[i])
			mine[unique++] = all[i];
	}
	list->sector_first = c->sectors_used;
	list->sector_count = unique;
	list->pool_first = c->cover_used;
	c->sectors_used += unique;
	for (uint32_t i = 0; i < list->entry_count * unique; i++)
		c->cover[c->cover_used + i] = POOL_NONE;
	c->cover_used += list->entry_count * unique;

	for (uint32_t e = 0; e < list->entry_count; e++) {
		key.provider_no = f->providers[f->entries[list->entry_first + e].provider].provider_no;
		size_t at = sort_lower(r->coverages, r->coverages_count, sizeof key, &key, by_coverage);

		for (; at < last && r->coverages[at].provider_no == key.provider_no; at++) {
			uint32_t pool = framework_find_pool_no(f, r->coverages[at].pool_no);
			uint32_t sector = f->sector_by_no[r->coverages[at].sector_no];

			if (pool == UINT32_MAX || f->pools[pool].provider_no != key.provider_no)
				return seal_refuse(s, "coverage of list", list->list_no, "its pool is not that provider's");
			if (!seal_kind_fits(f->pools[pool].kind, list->service))
				return seal_refuse(s, "coverage of list", list->list_no, "its pool is of another kind");
			size_t column = sort_lower(mine, unique, sizeof sector, &sector, by_number);

			c->cover[list->pool_first + column * list->entry_count + e] = pool;
		}
	}
	return ERR_OK;
}

static enum err seal_sector_numbers(struct sealing *s)
{
	struct framework *f = s->f;
	uint32_t *by_no = arena_array(s->arena, SECTORS_MAX + 1, sizeof *by_no);

	INSIST(by_no != NULL);
	memset(by_no, 0xff, (SECTORS_MAX + 1) * sizeof *by_no);
	for (uint32_t i = 0; i < f->sector_count; i++) {
		if (f->sectors[i].sector_no < 1 || f->sectors[i].sector_no > SECTORS_MAX)
			return seal_refuse(s, "sector", f->sectors[i].sector_no, "its number is not 1..20000");
		by_no[f->sectors[i].sector_no] = i;
	}
	f->sector_by_no = by_no;
	for (uint32_t i = 0; i < s->rows->coverages_count; i++) {
		if (s->rows->coverages[i].sector_no < 1 || s->rows->coverages[i].sector_no > SECTORS_MAX)
			return seal_refuse(s, "coverage of sector", s->rows->coverages[i].sector_no, "no such sector");
	}
	return ERR_OK;
}

/* The lists of each district and service, so that a call looks at few. */
static void seal_district_lists(struct sealing *s)
{
	struct framework *f = s->f;
	uint32_t *first = arena_array(s->arena, (size_t)f->district_count * SERVICES + 1, sizeof *first);
	uint32_t *lists = arena_alloc(s->arena, (size_t)f->lot_district_count * f->list_count * sizeof *lists), used = 0;

	INSIST(first != NULL && lists != NULL);
	for (uint32_t at = 0; at < f->district_count * SERVICES; at++) {
		first[at] = used;
		for (uint32_t l = 0; l < f->list_count; l++) {
			bool holds = false;

			for (uint32_t i = 0; i < f->lot_district_count && !holds; i++)
				holds = f->lot_districts[i].lot_no == f->lists[l].lot_no &&
					f->lot_districts[i].district_no == f->districts[at / SERVICES].district_no;
			if (holds && f->lists[l].service == (int32_t)(at % SERVICES) + 1)
				lists[used++] = l;
		}
	}
	first[f->district_count * SERVICES] = used;
	f->district_list_first = first;
	f->district_lists = lists;
}

static enum err seal_lists(struct sealing *s)
{
	struct framework_rows *r = s->rows;
	struct framework *f = s->f;
	struct list *lists = arena_array(s->arena, r->lists_count, sizeof *lists);
	struct entry *entries = arena_array(s->arena, r->entries_count, sizeof *entries);
	struct covering covering = {
		.scratch = arena_array(s->arena, r->coverages_count, sizeof(uint32_t)),
		.sectors = arena_alloc(s->arena, (size_t)r->lists_count * r->sectors_count * sizeof(uint32_t)),
		.cover = arena_alloc(s->arena, (size_t)r->entries_count * r->sectors_count * sizeof(uint32_t)),
	};
	uint32_t entry_used = 0;

	INSIST(lists != NULL && entries != NULL && covering.scratch != NULL && covering.sectors != NULL && covering.cover != NULL);
	sort_rows(r->lots, r->lots_count, sizeof *r->lots, by_lot);
	sort_rows(r->lists, r->lists_count, sizeof *r->lists, by_list);
	sort_rows(r->entries, r->entries_count, sizeof *r->entries, by_entry);
	sort_rows(r->coverages, r->coverages_count, sizeof *r->coverages, by_coverage);
	TRY(seal_sector_numbers(s));
	f->lots = seal_copy(s, r->lots, r->lots_count, sizeof *r->lots);
	f->lot_count = r->lots_count;
	f->lot_districts = seal_copy(s, r->lot_districts, r->lot_districts_count, sizeof *r->lot_districts);
	f->lot_district_count = r->lot_districts_count;
	f->lists = lists;
	f->entries = entries;
	f->list_sectors = covering.sectors;
	f->cover = covering.cover;
	for (uint32_t i = 0; i < r->lists_count; i++) {
		const struct row_list *row = &r->lists[i];
		struct row_lot lot = {.lot_no = row->lot_no};
		struct row_policy policy = {.policy_no = row->policy_no};
		size_t l = seal_find(f->lots, f->lot_count, sizeof lot, &lot, by_lot);
		size_t p = seal_find(f->policies, f->policy_count, sizeof policy, &policy, by_policy);

		if (i > 0 && by_list(&r->lists[i - 1], row) == 0)
			return seal_refuse(s, "list", row->list_no, "has one version twice"); /* its entries would be, too */
		if (l == SIZE_MAX)
			return seal_refuse(s, "list", row->list_no, "its lot is not there");
		if (p == SIZE_MAX)
			return seal_refuse(s, "list", row->list_no, "its policy is not there");
		lists[i] = (struct list){
			.list_no = row->list_no, .lot_no = row->lot_no, .service = row->service,
			.client_group = row->client_group, .version = row->version, .lot = (uint32_t)l,
			.policy = (uint32_t)p, .from_us = row->from_us, .until_us = row->until_us,
		};
		memcpy(lists[i].code, row->code, sizeof lists[i].code);
		TRY(seal_entries(s, &lists[i], entries, &entry_used));
		f->entry_count = entry_used;
		TRY(seal_cover(s, &lists[i], &covering));
	}
	f->list_count = r->lists_count;
	seal_district_lists(s);
	return ERR_OK;
}

size_t framework_bytes(const struct framework_rows *r)
{
	size_t bytes = sizeof(struct framework) + 64 * 16; /* that many pieces, each where 16 bytes begin */

	bytes += r->districts_count * sizeof *r->districts + r->skills_count * sizeof *r->skills +
		 r->languages_count * sizeof *r->languages + r->providers_count * sizeof *r->providers +
		 r->statuses_count * sizeof *r->statuses + r->lots_count * sizeof *r->lots +
		 r->lot_districts_count * sizeof *r->lot_districts + r->policies_count * sizeof *r->policies +
		 r->clauses_count * sizeof *r->clauses + r->pools_count * (sizeof *r->pools + sizeof(uint32_t));
	bytes += (size_t)r->sectors_count * (sizeof(struct sector) + sizeof(uint64_t)) + (SECTORS_MAX + 1) * sizeof(uint32_t);
	bytes += (size_t)(r->providers_count + r->pools_count) * (sizeof(struct code_at) + sizeof(uint32_t));
	bytes += (size_t)r->lists_count * sizeof(struct list) + r->entries_count * sizeof(struct entry);
	bytes += ((size_t)r->districts_count * SERVICES + 1 + (size_t)r->lot_districts_count * r->lists_count) * sizeof(uint32_t);
	bytes += r->coverages_count * sizeof(uint32_t);
	bytes += ((size_t)r->lists_count + r->entries_count) * r->sectors_count * sizeof(uint32_t);
	return bytes;
}

enum err framework_seal(struct framework_rows *rows, struct arena *arena, const struct framework **ret_framework,
			struct framework_note *note)
{
	struct sealing s = {rows, arena, arena_array(arena, 1, sizeof(struct framework)), note};

	REQUIRE(s.f != NULL);
	s.f->version = rows->version;
	note->text[0] = '\0';
	TRY(seal_places(&s));
	TRY(seal_words(&s));
	TRY(seal_providers(&s));
	TRY(seal_policies(&s));
	TRY(seal_pools(&s));
	TRY(seal_lists(&s));
	*ret_framework = s.f;
	return ERR_OK;
}
