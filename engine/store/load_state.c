/* load_state.c — pools, live packages and placements to the core; the newest command keys. Streams by binary COPY. */
#include "store/fetch.h"
#include "store/open.h"

#include "base/mem.h"
#include "core/words.h"

#include <stdio.h>
#include <assert.h>
#include <string.h>

enum { LIVE_MANY = 200000 }; /* where load_live_count stops */

/* A declared grid is '1' and 112 groups of six digits, the last paired cell first (sql/schema/0003). */
static bool grid_read(struct row *r, uint16_t cells[2][CELLS])
{
	enum { DIGITS = 6 };
	size_t len;
	const uint8_t *p = row_bytes(r, &len);

	if (len != 1 + DIGITS * 2 * CELLS)
		return false;
	for (uint32_t cell = 0; cell < 2 * CELLS; cell++) {
		const uint8_t *d = p + 1 + (2 * CELLS - 1 - cell) * DIGITS;
		uint32_t n = 0;

		for (int i = 0; i < DIGITS; i++) {
			if (d[i] < '0' || d[i] > '9')
				return false;
			n = n * 10 + (uint32_t)(d[i] - '0');
		}
		if (n > CELL_UNITS_MAX)
			return false;
		cells[cell / CELLS][cell % CELLS] = (uint16_t)n;
	}
	return true;
}

static enum err load_capacity(struct fetch *f, struct core *core)
{
	PGresult *result;
	enum err e = ERR_OK;

	TRY(fetch_rows(f, QUERY_load_capacity, NULL, 0, &result));
	for (int i = 0; i < PQntuples(result) && e == ERR_OK; i++) {
		struct row r = row_of(result, i);
		uint16_t declared[2][CELLS];
		int32_t pool_no = (int32_t)row_int(&r);
		int mode = (int)row_int(&r);
		int64_t expires_us = row_int(&r);
		int32_t available_from_day = (int32_t)row_int(&r);
		bool grid = grid_read(&r, declared);

		if (r.bad || !grid ||
		    core_load_pool(core, pool_no, mode, declared, expires_us, available_from_day) != ERR_OK)
			e = fetch_fail(f, ERR_BAD_ROW, "a row of capacity cannot be right");
	}
	PQclear(result);
	return e;
}

/* A binary COPY read tuple by tuple. */
struct copying {
	struct fetch *f;
	char *bytes; /* of the tuple last read */
	bool header, over;
	struct row row;
	int64_t package_no; /* comes first in every tuple */
};

static enum err copy_next(struct copying *c)
{
	enum err e = ERR_OK;
	PGresult *r;
	int len;

	PQfreemem(c->bytes);
	c->bytes = NULL;
	while ((len = PQgetCopyData(c->f->pg, &c->bytes, 1)) >= 0) {
		if (len == 0) {
			if (!fetch_wait(c->f->pg))
				return fetch_fail(c->f, ERR_STORE, "the database stopped in the middle of a COPY");
			continue;
		}
		bool tuple = row_of_copy(&c->row, (const uint8_t *)c->bytes, (size_t)len, c->header);

		c->header = false;
		if (tuple) {
			c->package_no = row_int(&c->row);
			return ERR_OK;
		}
		PQfreemem(c->bytes);
		c->bytes = NULL;
	}
	c->over = true;
	c->package_no = INT64_MAX;
	r = fetch_result(c->f->pg);
	if (len != -1 || PQresultStatus(r) != PGRES_COMMAND_OK)
		e = fetch_fail(c->f, ERR_STORE, PQerrorMessage(c->f->pg));
	PQclear(r);
	return e;
}

/* half 0 or 1: the packages of even or odd number. */
static enum err copy_open(struct copying *c, struct fetch *f, const char *query, int half)
{
	char sql[1024];
	PGresult *r;
	bool ok;

	*c = (struct copying){.f = f, .header = true};
	snprintf(sql, sizeof sql, query, f->shard, half);
	r = PQsendQuery(f->pg, sql) == 1 ? fetch_result(f->pg) : NULL;
	ok = PQresultStatus(r) == PGRES_COPY_OUT;
	PQclear(r);
	return ok ? copy_next(c) : fetch_fail(f, ERR_STORE, PQerrorMessage(f->pg));
}

static enum err take_package(struct core *core, int64_t package_no, struct row *r)
{
	struct package_row p = {.package_no = package_no};
	int64_t ints[VISITS_MAX];
	size_t len;

	p.state = (uint8_t)row_int(r);
	p.requirement_version = (int16_t)row_int(r);
	p.list_no = (int32_t)row_int(r);
	p.sector_no = (int32_t)row_int(r);
	p.district_no = (uint8_t)row_int(r);
	p.service = (uint8_t)row_int(r);
	p.client_group = (uint8_t)row_int(r);
	p.skills = (int32_t)row_int(r);
	p.gender = (uint8_t)row_int(r);
	p.language = (int16_t)row_int(r);
	p.urgency = (uint8_t)row_int(r);
	p.risk = (uint8_t)row_int(r);
	p.cover = (uint8_t)row_int(r);
	p.start_day = (int32_t)row_int(r);
	p.latest_day = (int32_t)(row_int(r) / INT64_C(86400000000));
	if (p.latest_day == 0)
		p.latest_day = p.start_day;
	p.ceiling_pence_hour = (uint32_t)row_int(r);
	p.bundle_ref.bytes = (const char *)row_bytes(r, &len);
	p.bundle_ref.len = (uint32_t)len;
	p.visit_count = (uint8_t)row_ints(r, ints, VISITS_MAX);
	for (uint32_t i = 0; i < p.visit_count; i++)
		p.visits[i] = (uint32_t)ints[i];
	if (row_ints(r, ints, VISITS_MAX) != p.visit_count)
		r->bad = true;
	for (uint32_t i = 0; i < p.visit_count; i++)
		p.facts[i] = (uint32_t)ints[i];
	p.excluded_count = (uint8_t)row_ints(r, ints, EXCLUDED_MAX);
	for (uint32_t i = 0; i < p.excluded_count; i++)
		p.excluded[i] = (int32_t)ints[i];
	return r->bad || p.bundle_ref.len > REF_BYTES_MAX ? ERR_BAD_ROW : core_load_package(core, &p);
}

static enum err take_placement(struct core *core, int64_t package_no, struct row *r)
{
	struct placed m = {.package_no = package_no};
	int64_t demand[VISITS_MAX];

	m.role = (uint8_t)row_int(r);
	m.pool_no = (int32_t)row_int(r);
	m.provider_no = (int32_t)row_int(r);
	m.list_no = (int32_t)row_int(r);
	m.route = (uint8_t)row_int(r);
	m.tier = (uint8_t)row_int(r);
	m.rank = (uint16_t)row_int(r);
	m.start_day = (int32_t)row_int(r);
	m.exit_day = (int32_t)row_int(r);
	m.price_pence_week = (uint32_t)row_int(r);
	m.carer_minutes_week = (uint32_t)row_int(r);
	m.demand_count = (uint8_t)row_ints(r, demand, VISITS_MAX);
	for (uint32_t i = 0; i < m.demand_count; i++)
		m.demand[i] = (uint32_t)demand[i];
	return r->bad ? ERR_BAD_ROW : core_load_placement(core, &m);
}

#define PACKAGE_COLUMNS                                                                            \
	"p.package_no, p.state, p.requirement_version, p.list_no, p.sector_no, p.district_no, p.service, p.client_group,"  \
	" p.skills, p.gender, p.language, p.urgency, p.risk, p.cover, p.start_day, p.latest_start_us,"                    \
	" p.ceiling_pence_hour, p.bundle_ref, p.visits, p.visit_facts, p.excluded"

/* Where few live, by index, however much is over: who has a placement, and who waits without one. */
static const char load_few_packages_sql[] =
	"COPY (SELECT " PACKAGE_COLUMNS " FROM"
	" (SELECT package_no FROM calloff.read_placement WHERE shard = %1$d AND ended_seq = 0 AND package_no %% 2 = %2$d"
	" UNION SELECT package_no FROM calloff.read_package WHERE shard = %1$d AND package_no %% 2 = %2$d"
	" AND state IN (1, 2, 3, 9, 10, 11)) AS live"
	" JOIN calloff.read_package p ON p.shard = %1$d AND p.package_no = live.package_no ORDER BY live.package_no)"
	" TO STDOUT (FORMAT binary)";
static const char load_many_packages_sql[] =
	"COPY (SELECT " PACKAGE_COLUMNS " FROM calloff.read_package p WHERE shard = %1$d AND state NOT IN (8, 12, 13)"
	" AND package_no %% 2 = %2$d) TO STDOUT (FORMAT binary)";
static const char load_placements_sql[] =
	"COPY (SELECT package_no, role, pool_no, provider_no, list_no, route, tier, rank, start_day, exit_day, price_pence_week,"
	" carer_minutes_week, demand FROM calloff.read_placement WHERE shard = %1$d AND package_no %% 2 = %2$d AND ended_seq = 0)"
	" TO STDOUT (FORMAT binary)";
static_assert(STATE_SUBMITTED == 1 && STATE_SOURCING == 2 && STATE_OFFERED == 3 && STATE_ON_HOLD == 9 && STATE_SUSPENDED == 10 &&
		      STATE_UNSOURCED == 11, "states in which a package may live without a placement");
static_assert(STATE_ENDED == 8 && STATE_WITHDRAWN == 12 && STATE_VOID == 13, "states of a package that is over");

/* Two backends scan at once, half the rows each; taking the lower number first gives the core its ascending order as long
 * as the tables are in it, and core_loaded mends the rest. An ordered scan by index would cost four times as much. */
static enum err load_halves(struct fetch *write, struct fetch *read, const char *sql, struct opening *o,
			    enum err (*take)(struct core *core, int64_t package_no, struct row *row), const char *wrong)
{
	struct copying even, odd;
	enum err e;

	TRY(copy_open(&even, write, sql, 0));
	e = copy_open(&odd, read, sql, 1);
	while (e == ERR_OK && !(even.over && odd.over)) {
		struct copying *lower = even.package_no <= odd.package_no ? &even : &odd;

		open_pulse(o);
		e = take(o->core, lower->package_no, &lower->row);
		if (e == ERR_OK)
			e = copy_next(lower);
		else
			fetch_fail(write, e, wrong);
	}
	PQfreemem(even.bytes);
	PQfreemem(odd.bytes);
	return e;
}

/* Does so much live that reading all packages is quicker than finding those? */
static enum err load_is_of_many(struct fetch *f, bool *ret)
{
	PGresult *result;

	TRY(fetch_rows(f, QUERY_load_live_count, NULL, 0, &result));
	struct row r = row_of(result, 0);

	*ret = row_int(&r) >= LIVE_MANY;
	PQclear(result);
	return ERR_OK;
}

enum err load_state(struct fetch *f, struct fetch *read, struct opening *o)
{
	bool many;

	TRY(load_is_of_many(f, &many));
	o->core_memory_bytes = core_bytes(o->framework, &o->limits);
	o->core_memory = mem_map(o->core_memory_bytes);
	o->core = core_init(o->core_memory, o->framework, &o->limits);
	TRY(load_capacity(f, o->core));
	TRY(load_halves(f, read, many ? load_many_packages_sql : load_few_packages_sql, o, take_package,
			"a row of package cannot be right, or there are more than packages_max"));
	if (core_loaded(o->core) != ERR_OK)
		return fetch_fail(f, ERR_BAD_ROW, "a package is there twice, or too many bundles wait");
	return load_halves(f, read, load_placements_sql, o, take_placement, "a row of placement cannot be right");
}

enum err load_keys(struct fetch *f, struct opening *o)
{
	uint8_t count[8], floor[16] = {0};
	struct fetch_param how_many = {count, sizeof count}, from = {floor, sizeof floor};
	PGresult *result;
	enum err e = ERR_OK;

	fetch_big_endian(count, o->keys_max - 1);
	TRY(fetch_rows(f, QUERY_load_key_floor, &how_many, 1, &result));
	o->keys_all = PQntuples(result) == 0;
	if (!o->keys_all)
		memcpy(floor, PQgetvalue(result, 0, 0), sizeof floor);
	PQclear(result);
	TRY(fetch_rows(f, QUERY_load_keys, &from, 1, &result));
	o->key_count = (uint32_t)PQntuples(result);
	o->keys = mem_zero(o->key_count, sizeof *o->keys);
	for (uint32_t i = 0; i < o->key_count && e == ERR_OK; i++) {
		struct row r = row_of(result, (int)i);
		const uint8_t *key;
		size_t len;

		row_text(&r, o->keys[i].client, sizeof o->keys[i].client);
		key = row_bytes(&r, &len);
		if (len == sizeof o->keys[i].key)
			memcpy(o->keys[i].key, key, len);
		o->keys[i].seq = row_int(&r);
		if (r.bad || len != sizeof o->keys[i].key)
			e = fetch_fail(f, ERR_BAD_ROW, "a row of command cannot be right");
	}
	PQclear(result);
	return e;
}
