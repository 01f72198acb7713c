#include "people.h"

#include "index.h"

#include <stdlib.h>
#include <string.h>

enum { BUNDLE_BUCKETS = 1 << 16 };

FILE *rows_file;
struct people_counts people_counts;

static struct person **people; /* by number */
static int64_t people_size;
static struct bundle *bundles[BUNDLE_BUCKETS];

static void *memory(void *p)
{
	if (p == NULL)
		cannot_judge("out of memory");
	return p;
}

struct person *person_find(int64_t number)
{
	return number > 0 && number < people_size ? people[number] : NULL;
}

void person_state(struct person *p, int state)
{
	people_counts.states[p->state]--;
	people_counts.states[state]++;
	p->state = state;
}

struct person *person_add(int64_t number, int state, char *columns)
{
	struct person *p = memory(calloc(1, sizeof *p));

	if (number >= people_size) {
		int64_t size = number * 3 / 2 + 1024;

		people = memory(realloc(people, (size_t)size * sizeof(struct person *)));
		memset(people + people_size, 0, (size_t)(size - people_size) * sizeof(struct person *));
		people_size = size;
	}
	if (people[number] != NULL)
		cannot_judge("package %lld comes twice", (long long)number);
	people[number] = p;
	p->number = p->changed_seq = number;
	p->columns = columns;
	p->state = state;
	people_counts.states[state]++;
	return p;
}

static void package_row(const struct person *p)
{
	fprintf(rows_file, "package\t%lld\t%d\t%lld\t%s\n", (long long)p->number, p->state, (long long)p->changed_seq, p->columns);
}

void person_over(struct person *p, int64_t seq, int state)
{
	person_state(p, state);
	p->changed_seq = seq;
	package_row(p);
	people[p->number] = NULL;
	free(p->package);
	free(p->columns);
	free(p);
}

struct bundle *bundle_of(struct record_text ref)
{
	unsigned hash = 2166136261u;
	struct bundle **at, *b;

	for (int i = 0; i < ref.len; i++)
		hash = (hash ^ (unsigned char)ref.at[i]) * 16777619u;
	at = &bundles[hash % BUNDLE_BUCKETS];
	while ((b = *at) != NULL) {
		if (strlen(b->ref) == (size_t)ref.len && memcmp(b->ref, ref.at, (size_t)ref.len) == 0)
			return b;
		if (person_find(b->first) == NULL && person_find(b->second) == NULL) {
			*at = b->next; /* over: the reference is free again */
			free(b);
		} else {
			at = &b->next;
		}
	}
	b = memory(calloc(1, sizeof *b + (size_t)ref.len + 1));
	memcpy(b->ref, ref.at, (size_t)ref.len);
	b->next = bundles[hash % BUNDLE_BUCKETS];
	bundles[hash % BUNDLE_BUCKETS] = b;
	return b;
}

/* ---- placements ---- */

int demand_code(const struct model_placement *p, int visit)
{
	const struct model_visit *v = &p->package.visits[visit];
	int units = p->carried[visit] ? model_visit_units(&county.market, p->pool, v) : 0;

	return (int)v->days | p->bands[visit] << 7 | (v->carers == 2) << 10 | units << 11;
}

static void placement_policy(int place)
{
	county.market.policy = county.policies[county.held[place].policy];
}

void placement_counts(int place, int sign)
{
	const struct model_placement *p = &county.market.placements[place];

	people_counts.routes[p->route][p->role].placements += sign;
	people_counts.routes[p->route][p->role].carer_minutes_week += (long long)sign * model_placement_minutes_week(p);
	index_counts(&county.market, place, sign);
}

void placement_row(FILE *to, int place, int64_t ended_seq)
{
	const struct model_placement *p = &county.market.placements[place];
	const struct county_held *h = &county.held[place];
	int minutes = model_placement_minutes_week(p);

	placement_policy(place);
	fprintf(to, "placement\t%d\t%d\t%lld\t%lld\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%lld\t%d\t{", p->package.number, p->role,
		(long long)ended_seq, (long long)h->made_seq, p->pool, p->provider, p->list, p->route, h->tier, h->rank,
		p->package.start_day, p->exit_day, model_price_pence_week(minutes, p->price_pence_hour), minutes);
	for (int i = 0; i < p->package.visit_n; i++)
		fprintf(to, "%s%d", i > 0 ? "," : "", demand_code(p, i));
	fputs("}\n", to);
}

void placement_added(int place, int64_t seq, int tier, int rank, int policy)
{
	county.held[place] = (struct county_held){seq, tier, rank, policy};
	placement_counts(place, 1);
	index_place(&county.market, county.market.placements[place].package.number, place);
}

void placement_forget(int place)
{
	struct model_market *m = &county.market;
	int last = m->placement_n - 1;

	if (m->placements[place].other >= 0)
		m->placements[m->placements[place].other].other = -1;
	index_place(m, m->placements[place].package.number, -1);
	if (place != last) {
		index_place(m, m->placements[last].package.number, place); /* the index looks where it still is */
		m->placements[place] = m->placements[last];
		county.held[place] = county.held[last];
		if (m->placements[place].other >= 0)
			m->placements[m->placements[place].other].other = place;
	}
	m->placement_n--;
}

/* ---- the start ---- */

static struct record_text text_of(const char *s)
{
	return (struct record_text){s, (int)strlen(s)};
}

static void visits_read(struct model_package *p, const char *codes, const char *facts)
{
	long long code[MODEL_VISITS_MAX], fact[MODEL_VISITS_MAX];

	p->visit_n = numbers_of(codes, code, MODEL_VISITS_MAX);
	if (numbers_of(facts, fact, MODEL_VISITS_MAX) != p->visit_n)
		cannot_judge("package %d has not as many facts as visits", p->number);
	for (int i = 0; i < p->visit_n; i++)
		p->visits[i] = (struct model_visit){
			.days = (unsigned)code[i] & 127,
			.bands = (unsigned)fact[i] & 255,
			.minutes = (int)(fact[i] >> 18 & 2047),
			.carers = (int)(fact[i] >> 29 & 3),
			.shared = (int)(fact[i] >> 8 & 1),
		};
}

/* package_no state changed_seq case person household bundle owner list sector district service group version visits facts
 * skills gender language urgency risk cover funding regime prerequisites need_arose start_day latest_start cover_until
 * ceiling excluded */
static struct model_package *package_read(char **f)
{
	struct model_package *p = memory(calloc(1, sizeof *p));
	long long excluded[MODEL_EXCLUDED_MAX];

	p->number = (int)number_of(f[0]);
	p->sector = (int)number_of(f[9]);
	p->district = (int)number_of(f[10]);
	p->service = (int)number_of(f[11]);
	p->group = (int)number_of(f[12]);
	visits_read(p, f[14], f[15]);
	p->skills = (unsigned)number_of(f[16]);
	p->gender = (int)number_of(f[17]);
	p->language = (int)number_of(f[18]);
	p->urgency = (int)number_of(f[19]);
	p->risk = (int)number_of(f[20]);
	p->cover = (int)number_of(f[21]);
	p->start_day = (int)number_of(f[26]);
	p->latest_safe_start_seconds = number_of(f[27]) / 1000000;
	p->ceiling_pence_hour = (int)number_of(f[29]);
	p->excluded_n = numbers_of(f[30], excluded, MODEL_EXCLUDED_MAX);
	for (int i = 0; i < p->excluded_n; i++)
		p->excluded[i] = (int)excluded[i];
	return p;
}

void people_package(char **f)
{
	char *columns = memory(strdup(f[3]));
	struct person *p;

	for (int i = 4; i < PACKAGE_FIELDS; i++) {
		columns = memory(realloc(columns, strlen(columns) + strlen(f[i]) + 2));
		columns[strlen(columns) + 1] = '\0';
		columns[strlen(columns)] = '\t';
		strcat(columns, f[i]);
	}
	p = person_add(number_of(f[0]), (int)number_of(f[1]), columns);
	p->changed_seq = number_of(f[2]);
	p->package = package_read(f);
	if (f[6][0] != '\0') {
		struct bundle *b = bundle_of(text_of(f[6]));

		*(b->first == 0 ? &b->first : &b->second) = p->number;
	}
}

static struct ledger_line demand_read(int pool, const char *demand)
{
	struct ledger_line line = {.pool = pool};
	long long codes[RECORD_VISITS_MAX];

	line.demand_n = numbers_of(demand, codes, RECORD_VISITS_MAX);
	for (int i = 0; i < line.demand_n; i++)
		line.demand[i] = (int)codes[i];
	return line;
}

/* A policy whose travel gives the units that are stored: the version a placement was made by may be long over. */
static int policy_of(int place, const struct ledger_line *line)
{
	const struct model_placement *p = &county.market.placements[place];

	for (int policy = 1; policy <= COUNTY_POLICIES_MAX; policy++) {
		int alike = county.policies[policy].route_n > 0;

		county.market.policy = county.policies[policy];
		for (int i = 0; i < line->demand_n && alike; i++)
			alike = demand_code(p, i) == line->demand[i];
		if (alike)
			return policy;
	}
	cannot_judge("the demand of package %d is that of no policy", p->package.number);
}

/* package role ended made pool provider list route tier rank start exit price minutes demand */
void people_placement(char **f)
{
	struct model_market *m = &county.market;
	struct person *p = person_find(number_of(f[0]));
	struct model_placement *to = &m->placements[m->placement_n];
	long long price = number_of(f[12]), minutes = number_of(f[13]);
	struct ledger_line line = demand_read((int)number_of(f[4]), f[14]);

	if (p == NULL || m->placement_n >= MODEL_PLACEMENTS_MAX)
		cannot_judge("a placement of package %s, which is over, or too many", f[0]);
	*to = (struct model_placement){
		.live = 1, .state = p->state, .other = -1, .package = *p->package, .list = (int)number_of(f[6]),
		.provider = (int)number_of(f[5]), .pool = (int)number_of(f[4]), .route = (int)number_of(f[7]),
		.role = (int)number_of(f[1]), .exit_day = (int)number_of(f[11]), .requirement_version = 1,
		.price_pence_hour = minutes > 0 ? (int)((price * 120 + minutes) / (2 * minutes)) : 0,
	};
	to->package.start_day = (int)number_of(f[10]);
	if (line.demand_n != to->package.visit_n || !ledger_take(p->number, to->role, &line))
		cannot_judge("package %s starts with two placements in a role, or one not its own", f[0]);
	for (int i = 0; i < to->package.visit_n; i++) {
		to->bands[i] = line.demand[i] >> 7 & 7;
		to->carried[i] = line.demand[i] >> 11 != 0;
	}
	placement_added(m->placement_n, number_of(f[3]), (int)number_of(f[8]), (int)number_of(f[9]),
			policy_of(m->placement_n, &line));
	m->placement_n++;
}

static int placement_of(int64_t number)
{
	return model_placement_find(&county.market, (int)number);
}

void people_join(void)
{
	for (int i = 0; i < BUNDLE_BUCKETS; i++) {
		for (struct bundle *b = bundles[i]; b != NULL; b = b->next) {
			int one = placement_of(b->first), two = placement_of(b->second);

			if (one < 0 || two < 0)
				continue;
			county.market.placements[one].other = two;
			county.market.placements[two].other = one;
		}
	}
	for (int64_t i = 0; i < people_size; i++) {
		if (people[i] == NULL || people[i]->state == STATE_SUBMITTED)
			continue;
		free(people[i]->package); /* the model's placement has it */
		people[i]->package = NULL;
	}
}

/* ---- the end ---- */

static void cells_row(const int cells[MODEL_PLANES][MODEL_CELLS])
{
	for (int i = 0; i < 2 * MODEL_CELLS; i++)
		fprintf(rows_file, "%c%d", i == 0 ? '{' : ',', cells[i / MODEL_CELLS][i % MODEL_CELLS]);
	fputs("}\t", rows_file);
}

void people_rows(void)
{
	const struct model_market *m = &county.market;

	for (int64_t i = 0; i < people_size; i++)
		if (people[i] != NULL)
			package_row(people[i]);
	for (int i = 0; i < m->placement_n; i++)
		placement_row(rows_file, i, 0);
	for (int i = 0; i < m->pool_n; i++) {
		const struct model_pool *p = &m->pools[i];

		if (!county.pool_known[i])
			continue;
		fprintf(rows_file, "capacity\t%d\t%d\t", i + 1, p->mode);
		cells_row(p->declared);
		cells_row(p->committed);
		cells_row(county.overhang[i]);
		fprintf(rows_file, "%lld\t%lld\t%d\n", (long long)county.declared_at_us[i], p->expires_seconds,
			p->available_from_day);
	}
}
