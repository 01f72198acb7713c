#include "case_sql.h"

#include <dirent.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char sql[512 * 1024];
static size_t sql_used;

static __attribute__((format(printf, 1, 2))) void add(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	sql_used += (size_t)vsnprintf(sql + sql_used, sizeof sql - sql_used, format, list);
	va_end(list);
	if (sql_used >= sizeof sql) {
		fprintf(stderr, "case_run: the framework is too large\n");
		exit(2);
	}
}

/* ---- the framework's rows ---- */

static void add_places(const struct case_file *c)
{
	const struct framework_rows *r = &c->rows;

	add("INSERT INTO authority VALUES (1, 1, 'A', 'Authority');");
	add("INSERT INTO framework VALUES (1, 1, 1, 'LAH', 'Live at Home');");
	for (uint32_t i = 0; i < r->districts_count; i++)
		add("INSERT INTO district VALUES (1, %d, '%s', '%s');", r->districts[i].district_no, r->districts[i].code,
		    r->districts[i].name);
	for (uint32_t i = 0; i < r->sectors_count; i++)
		add("INSERT INTO sector VALUES (1, %d, '%s', 0, 0, 0);", r->sectors[i].sector_no, r->sectors[i].code);
	for (uint32_t i = 0; i < r->sector_districts_count; i++)
		add("INSERT INTO sector_district VALUES (1, %d, %d);", r->sector_districts[i].sector_no,
		    r->sector_districts[i].district_no);
	for (uint32_t i = 0; i < r->lots_count; i++)
		add("INSERT INTO lot VALUES (1, %d, 1, '%s', '%s');", r->lots[i].lot_no, r->lots[i].code, r->lots[i].name);
	for (uint32_t i = 0; i < r->lot_districts_count; i++)
		add("INSERT INTO lot_district VALUES (1, %d, %d);", r->lot_districts[i].lot_no, r->lot_districts[i].district_no);
}

static void add_policy(const struct case_file *c)
{
	const struct row_policy *p = &c->policies[0];

	add("INSERT INTO policy VALUES (1, 1, 'P', 1, %d, %d, %d, %d, %d, %d, %d::bool, %d::bool, '{", p->award_style,
	    p->confirmation, p->confirm_minutes, p->unknown_pool, p->travel_minutes_visit, p->rating_min, p->not_rated_open,
	    p->improvement_plan_open);
	for (uint32_t i = 0; i < p->route_count; i++)
		add("%s%d", i > 0 ? "," : "", p->routes[i]);
	add("}', %d, %d, %d::bool, %d);", p->polr_urgencies, p->polr_risks, p->polr_no_cover, p->polr_days);
	for (uint32_t i = 0; i < c->rows.clauses_count; i++)
		add("INSERT INTO policy_clause VALUES (1, 1, %d, '%s');", c->clauses[i].reason, c->clauses[i].clause);
}

static void add_providers(const struct case_file *c)
{
	const struct framework_rows *r = &c->rows;

	for (uint32_t i = 0; i < r->skills_count; i++)
		add("INSERT INTO skill VALUES (1, %d, '%s');", r->skills[i].number, r->skills[i].code);
	for (uint32_t i = 0; i < r->languages_count; i++)
		add("INSERT INTO language VALUES (1, %d, '%s');", r->languages[i].number, r->languages[i].code);
	for (uint32_t i = 0; i < r->providers_count; i++) {
		const struct row_provider *p = &r->providers[i];

		add("INSERT INTO provider (shard, provider_no, code, location_code, rating_overall, rating_safe, rating_well_led, "
		    "improvement_plan, skills, genders, languages, starts_a_day_max, minutes_week_max) VALUES (1, %d, '%s', '%s', "
		    "%d, %d, %d, %d::bool, %d, %d, %" PRId64 ", %d, %d);",
		    p->provider_no, p->code, p->location, p->rating, p->rating, p->rating, p->improvement_plan, p->skills,
		    p->genders, p->languages, p->starts_a_day_max, p->minutes_week_max);
	}
	for (uint32_t i = 0; i < r->statuses_count; i++) {
		const struct row_status *s = &r->statuses[i];

		add("INSERT INTO provider_status VALUES (1, %d, %d, %d, NULL, %" PRId64 ", %" PRId64 ", %d, '%s', 'officer', '');",
		    s->provider_no, s->status_no, s->status, s->from_us, s->until_us, s->starts_week_max, s->clause);
	}
}

static void add_lists(const struct case_file *c)
{
	const struct framework_rows *r = &c->rows;

	for (uint32_t i = 0; i < r->lists_count; i++) {
		const struct row_list *l = &r->lists[i];

		if (l->version == 1)
			add("INSERT INTO list VALUES (1, %d, %d, %d, %d, '%s');", l->list_no, l->lot_no, l->service,
			    l->client_group, l->code);
		add("INSERT INTO list_version VALUES (1, %d, %d, %" PRId64 ", %" PRId64 ", 1);", l->list_no, l->version,
		    l->from_us, l->until_us);
	}
	for (uint32_t i = 0; i < r->entries_count; i++) {
		const struct row_entry *e = &r->entries[i];

		add("INSERT INTO list_entry VALUES (1, %d, %d, %d, %d, %d, %d, %d, 0, %d, %d);", e->list_no, e->version,
		    e->provider_no, e->route, e->tier, e->rank, e->order_no, e->price_pence_hour, e->share_cap_minutes_week);
	}
	for (uint32_t i = 0; i < r->pools_count; i++)
		add("INSERT INTO pool VALUES (1, %d, %d, '%s', %d);", r->pools[i].pool_no, r->pools[i].provider_no,
		    r->pools[i].code, r->pools[i].kind);
	for (uint32_t i = 0; i < r->coverages_count; i++)
		add("INSERT INTO coverage VALUES (1, %d, %d, %d, %d);", r->coverages[i].list_no, r->coverages[i].provider_no,
		    r->coverages[i].sector_no, r->coverages[i].pool_no);
}

static void add_capacity(const struct case_file *c)
{
	for (uint32_t i = 0; i < c->rows.pools_count; i++) {
		const struct case_pool *p = &c->pool_state[i];
		int unit = c->pools[i].kind == POOL_KIND_TIME ? UNIT_MINUTES : 1;

		add("UPDATE capacity SET mode = %d, expires_us = %" PRId64 ", available_from_day = %d", p->mode, p->expires_us,
		    p->available_from_day);
		add(", declared = grid_of('{");
		for (int plane = 0; plane < 2; plane++)
			for (int cell = 0; cell < CELLS; cell++)
				add("%s%d", plane + cell > 0 ? "," : "", p->units[plane][cell] / unit);
		add("}', 1) WHERE shard = 1 AND pool_no = %d;", c->pools[i].pool_no);
	}
}

/* ---- PostgreSQL ---- */

static PGconn *sql_connect(const char *database)
{
	const char *names[] = {"dbname", "application_name", "client_encoding", NULL};
	const char *values[] = {database, "case_run", "UTF8", NULL};
	PGconn *pg = PQconnectdbParams(names, values, 0);

	if (PQstatus(pg) != CONNECTION_OK) {
		fprintf(stderr, "case_run: %s", PQerrorMessage(pg));
		exit(2);
	}
	PQsetNoticeProcessor(pg, NULL, NULL);
	return pg;
}

static void sql_run(PGconn *pg, const char *text, const char *what)
{
	PGresult *result = PQexec(pg, text);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		fprintf(stderr, "case_run: %s: %s", what, PQerrorMessage(pg));
		exit(2);
	}
	PQclear(result);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_sql(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 4 && strcmp(d->d_name + len - 4, ".sql") == 0;
}

/* Each file in a transaction of its own, in the order of its name. Returns the last's number: the schema's version. */
static int sql_migrate(PGconn *pg, const char *folder)
{
	static char text[512 * 1024];
	struct dirent **files;
	int count = scandir(folder, &files, is_sql, by_name), version = 0;

	if (count <= 0) {
		fprintf(stderr, "case_run: no migrations in %s\n", folder);
		exit(2);
	}
	for (int i = 0; i < count; i++) {
		char path[1024];
		FILE *f;
		size_t len;

		snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		f = fopen(path, "r");
		len = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
		if (f == NULL || fclose(f) != 0 || len == sizeof text - 1) {
			fprintf(stderr, "case_run: %s cannot be read\n", path);
			exit(2);
		}
		text[len] = '\0';
		sql_run(pg, "BEGIN", path);
		sql_run(pg, text, path);
		sql_run(pg, "COMMIT", path);
		sql_run(pg, "RESET ALL; RESET ROLE", path);
		version = atoi(files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return version;
}

/* Roles belong to the cluster: two first migrations at a time would both make them. */
static int sql_migrate_alone(PGconn *maintenance, PGconn *pg, const char *migrations)
{
	int version;

	sql_run(maintenance, "SELECT pg_advisory_lock(20260105)", "the lock of the migrations");
	version = sql_migrate(pg, migrations);
	sql_run(maintenance, "SELECT pg_advisory_unlock(20260105)", "the lock of the migrations");
	return version;
}

void sql_make(const struct case_file *c, const char *name, const char *migrations)
{
	PGconn *maintenance = sql_connect("postgres"), *pg;
	char create[200];
	int version;

	snprintf(create, sizeof create, "CREATE DATABASE %s", name);
	sql_run(maintenance, create, "create database");
	pg = sql_connect(name);
	sql_run(pg, "SET client_min_messages = warning", "messages");
	version = sql_migrate_alone(maintenance, pg, migrations);
	PQfinish(maintenance);
	sql_used = 0;
	add("BEGIN; SET LOCAL ROLE calloff_owner; SET LOCAL search_path = calloff;");
	add("INSERT INTO fence (shard, name, schema_version) VALUES (1, 'case', %d);", version);
	add("SET LOCAL ROLE calloff_framework;");
	add_places(c);
	add_policy(c);
	add_providers(c);
	add_lists(c);
	add("SET LOCAL ROLE calloff_owner;");
	add_capacity(c);
	add("COMMIT");
	sql_run(pg, sql, "the framework");
	PQfinish(pg);
}

void sql_drop(const char *name)
{
	PGconn *pg = sql_connect("postgres");
	char drop[200];

	snprintf(drop, sizeof drop, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
	sql_run(pg, drop, "drop database");
	PQfinish(pg);
}
