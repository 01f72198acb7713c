#include "county.h"

#include "../model/model_inside.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct county county;

void cannot_judge(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("replay: cannot judge: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(EXIT_CANNOT_JUDGE);
}

/* ---- fields ---- */

void fields_of(char *line, char **fields, int count, const char *what)
{
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < count; i++) {
		fields[i] = line;
		line = strchr(line, '\t');
		if ((line == NULL) != (i + 1 == count))
			cannot_judge("a line of %s has not %d fields", what, count);
		if (line != NULL)
			*line++ = '\0';
	}
}

long long number_of(const char *field)
{
	char *end;
	long long number = strtoll(field, &end, 10);

	if (end == field || *end != '\0')
		cannot_judge("\"%s\" is not a number", field);
	return number;
}

int numbers_of(const char *field, long long *ret, int most)
{
	int count = 0;

	if (field[0] != '{')
		cannot_judge("\"%s\" is not a list of numbers", field);
	for (field++; *field != '}' && *field != '\0'; count++) {
		char *end;

		if (count == most)
			cannot_judge("a list of more than %d numbers", most);
		ret[count] = strtoll(field, &end, 10);
		if (end == field || (*end != ',' && *end != '}'))
			cannot_judge("\"%s\" is not a list of numbers", field);
		field = *end == ',' ? end + 1 : end;
	}
	return count;
}

/* A number that is an index + 1 of an array of this size. */
static int place_of(const char *field, int most, const char *what)
{
	long long number = number_of(field);

	if (number < 1 || number > most)
		cannot_judge("%s %lld: this build has room for %d", what, number, most);
	return (int)number;
}

static void code_keep(char *to, const char *code)
{
	if (snprintf(to, COUNTY_CODE_BYTES, "%s", code) >= COUNTY_CODE_BYTES)
		cannot_judge("the code \"%s\" is too long", code);
}

static void room_for(int count, int most, const char *what)
{
	if (count >= most)
		cannot_judge("more than %d %s", most, what);
}

static void grow_to(int *count, int number)
{
	if (*count < number)
		*count = number;
}

/* ---- the tables of a framework ---- */

static void take_sector(char **f)
{
	int number = place_of(f[0], MODEL_SECTORS_MAX, "sector");

	code_keep(county.sectors[number], f[1]);
	grow_to(&county.market.sector_n, number);
}

static void take_district(char **f)
{
	int number = place_of(f[0], MODEL_DISTRICTS_MAX, "district");

	code_keep(county.districts[number], f[1]);
	code_keep(county.district_names[number], f[2]);
	grow_to(&county.market.district_n, number);
}

static void take_sector_district(char **f)
{
	struct model_sector *sector = &county.market.sectors[place_of(f[0], MODEL_SECTORS_MAX, "sector") - 1];

	room_for(sector->district_n, MODEL_SECTOR_DISTRICTS_MAX, "districts of a sector");
	sector->districts[sector->district_n++] = place_of(f[1], MODEL_DISTRICTS_MAX, "district");
}

static void take_skill(char **f)
{
	code_keep(county.skills[place_of(f[0], 31, "skill bit") - 1], f[1]); /* told one up: bits count from 0 */
}

static void take_language(char **f)
{
	code_keep(county.languages[place_of(f[0], 62, "language")], f[1]);
}

static void take_provider(char **f)
{
	int number = place_of(f[0], MODEL_PROVIDERS_MAX, "provider");

	code_keep(county.providers[number], f[1]);
	grow_to(&county.market.provider_n, number);
	county.market.providers[number - 1] = (struct model_provider){
		.rating = (int)number_of(f[2]),
		.improvement_plan = (int)number_of(f[3]),
		.skills = (unsigned)number_of(f[4]),
		.genders = (unsigned)number_of(f[5]) << 1, /* bit 0 female, bit 1 male; the model: bit GENDER_... */
		.languages = (unsigned long long)number_of(f[6]),
		.hours_max_minutes_week = (int)number_of(f[7]),
		.starts_day_max = (int)number_of(f[8]),
	};
}

static void take_status(char **f)
{
	room_for(county.market.status_n, MODEL_STATUSES_MAX, "statuses");
	county.market.statuses[county.market.status_n++] = (struct model_status){
		.provider = place_of(f[0], MODEL_PROVIDERS_MAX, "provider"),
		.status = (int)number_of(f[2]), /* f[1], its number, is the order of the lines */
		.list = (int)number_of(f[3]),
		.from_seconds = number_of(f[4]),
		.until_seconds = number_of(f[5]),
		.starts_week_max = (int)number_of(f[6]),
	};
}

static void take_lot_district(char **f)
{
	int number = place_of(f[0], MODEL_LOTS_MAX, "lot");
	struct model_lot *lot = &county.market.lots[number - 1];

	grow_to(&county.market.lot_n, number);
	room_for(lot->district_n, MODEL_DISTRICTS_MAX, "districts of a lot");
	lot->districts[lot->district_n++] = place_of(f[1], MODEL_DISTRICTS_MAX, "district");
}

static void take_policy(char **f)
{
	struct model_policy *policy = &county.policies[place_of(f[0], COUNTY_POLICIES_MAX, "policy")];
	long long routes[MODEL_ROUTES_MAX];

	*policy = (struct model_policy){
		.award = (int)number_of(f[1]),
		.confirmation = (int)number_of(f[2]),
		.confirm_minutes = (int)number_of(f[3]),
		.travel_minutes_visit = (int)number_of(f[4]),
		.rating_min = (int)number_of(f[5]),
		.not_rated_open = (int)number_of(f[6]),
		.improvement_plan_open = (int)number_of(f[7]),
		.polr_urgencies = (unsigned)number_of(f[8]),
		.polr_risks = (unsigned)number_of(f[9]),
		.polr_no_cover = (int)number_of(f[10]),
		.polr_days = (int)number_of(f[11]),
		.route_n = numbers_of(f[12], routes, MODEL_ROUTES_MAX),
	};
	for (int i = 0; i < policy->route_n; i++)
		policy->routes[i] = (int)routes[i];
}

static void take_list(char **f)
{
	struct model_market *m = &county.market;

	room_for(m->list_n, MODEL_LISTS_MAX, "list versions");
	county.list_policy[m->list_n] = place_of(f[5], COUNTY_POLICIES_MAX, "policy");
	m->lists[m->list_n++] = (struct model_list){
		.list = place_of(f[0], MODEL_LISTS_MAX, "list"),
		.version = (int)number_of(f[1]),
		.lot = place_of(f[2], MODEL_LOTS_MAX, "lot"),
		.service = (int)number_of(f[3]),
		.group = (int)number_of(f[4]),
		.from_seconds = number_of(f[6]),
		.until_seconds = number_of(f[7]),
	};
}

/* Entries follow their version's line. */
static void take_entry(char **f)
{
	long long list = number_of(f[0]), version = number_of(f[1]);
	struct model_list *to = NULL;

	for (int i = 0; i < county.market.list_n; i++)
		if (county.market.lists[i].list == list && county.market.lists[i].version == version)
			to = &county.market.lists[i];
	if (to == NULL)
		cannot_judge("an entry of list %lld version %lld, which is not there", list, version);
	room_for(to->entry_n, MODEL_ENTRIES_MAX, "entries of a list");
	to->entries[to->entry_n++] = (struct model_entry){
		.provider = place_of(f[2], MODEL_PROVIDERS_MAX, "provider"),
		.route = (int)number_of(f[3]),
		.tier = (int)number_of(f[4]),
		.rank = (int)number_of(f[5]),
		.order_no = (int)number_of(f[6]),
		.price_pence_hour = (int)number_of(f[7]),
		.share_cap_minutes_week = (int)number_of(f[8]),
	};
}

static void take_pool(char **f)
{
	int number = place_of(f[0], MODEL_POOLS_MAX, "pool");
	struct model_pool *pool = &county.market.pools[number - 1];

	code_keep(county.pools[number], f[3]);
	grow_to(&county.market.pool_n, number);
	pool->provider = place_of(f[1], MODEL_PROVIDERS_MAX, "provider");
	pool->kind = (int)number_of(f[2]);
	if (!county.pool_known[number - 1])
		pool->mode = POOL_MODE_BINDING; /* a new pool begins unknown: nothing declared, expired */
	county.pool_known[number - 1] = 1;
}

static void take_coverage(char **f)
{
	room_for(county.market.coverage_n, MODEL_COVERAGES_MAX, "rows of coverage");
	county.market.coverages[county.market.coverage_n++] = (struct model_coverage){
		.list = (int)number_of(f[0]),
		.provider = place_of(f[1], MODEL_PROVIDERS_MAX, "provider"),
		.sector = place_of(f[2], MODEL_SECTORS_MAX, "sector"),
		.pool = place_of(f[3], MODEL_POOLS_MAX, "pool"),
	};
}

static const struct {
	const char *name;
	int fields;
	void (*take)(char **fields);
} tables[] = {
	{"sector", 2, take_sector},   {"district", 3, take_district}, {"sector_district", 2, take_sector_district},
	{"skill", 2, take_skill},     {"language", 2, take_language}, {"provider", 9, take_provider},
	{"status", 7, take_status},   {"policy", 13, take_policy},    {"lot_district", 2, take_lot_district},
	{"list", 9, take_list},       {"entry", 9, take_entry},       {"pool", 4, take_pool},
	{"coverage", 4, take_coverage},
};

static void table_take(char *line)
{
	char *fields[COUNTY_FIELDS_MAX], *rest = strchr(line, '\t');

	if (rest == NULL)
		cannot_judge("a line of framework.tsv without a table");
	*rest++ = '\0';
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		if (strcmp(tables[i].name, line) != 0)
			continue;
		fields_of(rest, fields, tables[i].fields, line);
		tables[i].take(fields);
		return;
	}
	cannot_judge("framework.tsv: table \"%s\"", line);
}

/* Forgets the framework; what is held stays. */
static void framework_empty(void)
{
	struct model_market *m = &county.market;

	m->status_n = m->list_n = m->coverage_n = 0;
	memset(m->sectors, 0, sizeof m->sectors);
	memset(m->lots, 0, sizeof m->lots);
	memset(m->providers, 0, sizeof m->providers);
	memset(county.policies, 0, sizeof county.policies);
	memset(county.skills, 0, sizeof county.skills);
	memset(county.languages, 0, sizeof county.languages);
}

/* framework.tsv, read line by line; the line read last waits until its version is wanted. */
static struct {
	FILE *file;
	char *line, *rest; /* rest: behind the version; NULL at the end of the file */
	size_t size;
	int64_t version;
} snapshot;

static void snapshot_next(void)
{
	snapshot.rest = NULL;
	if (getline(&snapshot.line, &snapshot.size, snapshot.file) < 0)
		return;
	snapshot.version = strtoll(snapshot.line, &snapshot.rest, 10);
	if (*snapshot.rest++ != '\t')
		cannot_judge("a line of framework.tsv without a version");
}

/* The whole of the version that the file stands at. */
static void snapshot_take(void)
{
	int64_t version = snapshot.version;

	framework_empty();
	county.framework_version = version;
	while (snapshot.rest != NULL && snapshot.version == version) {
		table_take(snapshot.rest);
		snapshot_next();
	}
}

void county_open(const char *path)
{
	snapshot.file = fopen(path, "r");
	if (snapshot.file == NULL)
		cannot_judge("%s cannot be read", path);
	snapshot_next();
	if (snapshot.rest == NULL)
		cannot_judge("%s is empty", path);
	snapshot_take();
}

void county_framework(int64_t version)
{
	if (version < county.framework_version)
		cannot_judge("the framework went back from version %lld to %lld", (long long)county.framework_version,
			     (long long)version);
	while (snapshot.rest != NULL && snapshot.version <= version)
		snapshot_take();
	if (county.framework_version != version)
		cannot_judge("framework version %lld was not captured: the journal decided by it", (long long)version);
}

void county_capacity(char **f)
{
	int number = place_of(f[0], MODEL_POOLS_MAX, "pool");
	struct model_pool *pool = &county.market.pools[number - 1];
	long long cells[2 * MODEL_CELLS];

	pool->mode = (int)number_of(f[1]);
	for (int grid = 0; grid < 3; grid++) {
		if (numbers_of(f[2 + grid], cells, 2 * MODEL_CELLS) != 2 * MODEL_CELLS)
			cannot_judge("a grid of pool %d has not 112 cells", number);
		for (int i = 0; i < 2 * MODEL_CELLS; i++) {
			int *to = grid == 0   ? pool->declared[i / MODEL_CELLS]
				  : grid == 1 ? pool->committed[i / MODEL_CELLS]
					      : county.overhang[number - 1][i / MODEL_CELLS];

			to[i % MODEL_CELLS] = (int)cells[i];
		}
	}
	county.declared_at_us[number - 1] = number_of(f[5]);
	pool->expires_seconds = number_of(f[6]);
	pool->available_from_day = (int)number_of(f[7]);
	county.pool_known[number - 1] = 1;
}

/* ---- finding ---- */

static int code_find(const char *codes, int count, struct record_text code)
{
	for (int i = 0; i < count; i++) {
		const char *at = codes + (size_t)i * COUNTY_CODE_BYTES;

		if (at[0] != '\0' && strlen(at) == (size_t)code.len && memcmp(at, code.at, (size_t)code.len) == 0)
			return i;
	}
	return -1;
}

static int none_is_zero(int found)
{
	return found < 0 ? 0 : found;
}

int county_sector(struct record_text code)
{
	return none_is_zero(code_find(county.sectors[0], MODEL_SECTORS_MAX + 1, code));
}

int county_district(struct record_text code)
{
	int found = code_find(county.districts[0], MODEL_DISTRICTS_MAX + 1, code);

	return none_is_zero(found >= 0 ? found : code_find(county.district_names[0], MODEL_DISTRICTS_MAX + 1, code));
}

int county_skill(struct record_text code)
{
	return code_find(county.skills[0], 32, code);
}

int county_language(struct record_text code)
{
	return none_is_zero(code_find(county.languages[0], 64, code));
}

int county_provider(struct record_text code)
{
	return none_is_zero(code_find(county.providers[0], MODEL_PROVIDERS_MAX + 1, code));
}

int county_pool(struct record_text code)
{
	return none_is_zero(code_find(county.pools[0], MODEL_POOLS_MAX + 1, code));
}

int county_list_now(int list, int64_t now_us)
{
	const struct model_market *m = &county.market;
	int best = -1;

	for (int i = 0; i < m->list_n; i++)
		if (m->lists[i].list == list && model_list_is_effective(&m->lists[i], now_us) &&
		    (best < 0 || model_version_after(&m->lists[i], &m->lists[best])))
			best = i;
	return best;
}

void county_policy_of(int version_index)
{
	county.market.policy = county.policies[county.list_policy[version_index]];
}
