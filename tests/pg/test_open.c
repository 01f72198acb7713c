/* test_open.c — store_open against a real database: what it loads equals what SQL counts, and what
 * it refuses. */
#include "base/mem.h"
#include "core/words.h"
#include "kit/kit.h"
#include "store/fetch.h"
#include "store/journal.h"
#include "store/open.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

TestSuite(open, .fini = kit_fini, .timeout = 60.0);

struct fixture {
	char name[80], dsn[300];
	PGconn *admin; /* superuser, in the test's own database */
	struct opening opening;
};

static PGconn *connect_to(const char *database)
{
	const char *const keywords[] = {"dbname", NULL}, *const values[] = {database, NULL};
	PGconn *pg = PQconnectdbParams(keywords, values, 0);

	cr_assert(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
	return pg;
}

static void run(PGconn *pg, const char *sql)
{
	PGresult *r = PQexec(pg, sql);

	cr_assert(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK,
		  "%s: %s", sql, PQerrorMessage(pg));
	PQclear(r);
}

static int64_t number(const struct fixture *f, const char *sql)
{
	PGresult *r = PQexec(f->admin, sql);
	int64_t n;

	cr_assert(PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1, "%s: %s", sql,
		  PQerrorMessage(f->admin));
	n = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	return n;
}

static void begin(struct fixture *f)
{
	const char *template = getenv("CALLOFF_TEMPLATE");
	PGconn *pg;
	char sql[300];

	cr_assert(template != NULL && getenv("PGHOST") != NULL,
		  "needs PostgreSQL: tests/kit/cluster meson test -C build --suite pg");
	pg = connect_to("postgres");
	snprintf(f->name, sizeof f->name, "calloff_open_%d", (int)getpid());
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", f->name, template);
	run(pg, sql);
	PQfinish(pg);
	f->admin = connect_to(f->name);
	snprintf(f->dsn, sizeof f->dsn, "dbname=%s user=calloff_engine", f->name);
	f->opening = (struct opening){
		.dsn = f->dsn,
		.shard = 1,
		.keys_max = 1000, .write_count = 1,
		.limits = {.packages_max = 20000, .placements_max = 20000, .blocks_max = 10000},
	};
}

static void end(struct fixture *f)
{
	PGconn *pg = connect_to("postgres");
	char sql[200];

	store_open_free(&f->opening);
	PQfinish(f->admin);
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", f->name);
	run(pg, sql);
	PQfinish(pg);
}

static void expect(struct fixture *f, enum err wanted, const char *note)
{
	enum err e = store_open(&f->opening);

	cr_expect(e == wanted, "%s, not %s: %s", err_name((int)e), err_name((int)wanted),
		  f->opening.note);
	cr_expect(strstr(f->opening.note, note) != NULL, "the note is: %s", f->opening.note);
	end(f);
}

/* Packages by state, placements by route and role: as many as SQL counts, and none that is over. */
static void expect_live(const struct fixture *f)
{
	const struct core_counts *counted = core_counts(f->opening.core);
	char sql[300];

	for (int state = 1; state <= STATE_VOID; state++) {
		snprintf(sql, sizeof sql, "SELECT count(*) FROM calloff.package WHERE state = %d AND state NOT IN (8, 12, 13)",
			 state);
		cr_expect_eq(counted->states[state], number(f, sql), "packages of state %d", state);
	}
	for (int route = 1; route <= ROUTE_POLR; route++) {
		for (int role = 1; role <= ROLE_OUTGOING; role++) {
			const char *where = "FROM calloff.placement WHERE ended_seq = 0 AND route";

			snprintf(sql, sizeof sql, "SELECT count(*) %s = %d AND role = %d", where, route, role);
			cr_expect_eq(counted->routes[route][role].placements, number(f, sql));
			snprintf(sql, sizeof sql, "SELECT coalesce(sum(carer_minutes_week), 0) %s = %d AND role = %d", where, route,
				 role);
			cr_expect_eq(counted->routes[route][role].carer_minutes_week, number(f, sql));
		}
	}
}

Test(open, what_it_loads_is_what_the_database_counts)
{
	static const struct {
		const char *table;
		size_t at;
	} counts[] = {
		{"district", offsetof(struct framework, district_count)},
		{"sector", offsetof(struct framework, sector_count)},
		{"skill", offsetof(struct framework, skill_count)},
		{"language", offsetof(struct framework, language_count)},
		{"provider", offsetof(struct framework, provider_count)},
		{"lot", offsetof(struct framework, lot_count)},
		{"policy", offsetof(struct framework, policy_count)},
		{"pool", offsetof(struct framework, pool_count)},
		{"list_entry", offsetof(struct framework, entry_count)},
		{"list_version", offsetof(struct framework, list_count)},
		{"provider_status", offsetof(struct framework, status_count)},
		{"policy_clause", offsetof(struct framework, clause_count)},
	};
	struct fixture f;
	char sql[300];

	begin(&f);
	enum err e = store_open(&f.opening);
	cr_assert(e == ERR_OK, "%s: %s", err_name((int)e), f.opening.note);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		snprintf(sql, sizeof sql, "SELECT count(*) FROM calloff.%s", counts[i].table);
		uint32_t loaded =
			*(const uint32_t *)((const char *)f.opening.framework + counts[i].at);
		cr_expect((int64_t)loaded == number(&f, sql), "%s: %u", counts[i].table, loaded);
	}
	expect_live(&f);
	end(&f);
}

/* All rows of packages after the first 130, another 28 times under numbers of their own. */
static void make_many(const struct fixture *f, const char *table)
{
	char sql[400];

	snprintf(sql, sizeof sql, "CREATE TEMP TABLE many_%1$s AS SELECT t.*, k FROM calloff.%1$s t, generate_series(1, 28) AS k"
				  " WHERE package_no > 130", table);
	run(f->admin, sql);
	snprintf(sql, sizeof sql, "UPDATE many_%1$s SET package_no = package_no + 10000 * k;"
				  " ALTER TABLE many_%1$s DROP COLUMN k; INSERT INTO calloff.%1$s SELECT * FROM many_%1$s", table);
	run(f->admin, sql);
}

/* Few that live are found by index, many by reading all packages: both find who waits without a placement, too. */
Test(open, whoever_is_not_over_is_loaded_however_few_or_many)
{
	struct fixture f;

	for (int many = 0; many < 2; many++) {
		begin(&f);
		run(f.admin, "UPDATE calloff.placement SET ended_seq = 9000000 WHERE package_no <= 130");
		run(f.admin, "UPDATE calloff.package SET state = 1 + package_no % 13 WHERE package_no <= 130");
		/* these states have a placement */
		run(f.admin, "UPDATE calloff.package SET state = 8 WHERE package_no <= 130 AND state BETWEEN 4 AND 7");
		if (many) {
			f.opening.limits = (struct core_limits){300000, 300000, 10000};
			make_many(&f, "package");
			make_many(&f, "placement");
			cr_expect_gt(number(&f, "SELECT count(*) FROM calloff.placement WHERE ended_seq = 0"), 200000);
		}
		enum err e = store_open(&f.opening);
		cr_assert(e == ERR_OK, "%s: %s", err_name((int)e), f.opening.note);
		expect_live(&f);
		end(&f);
	}
}

Test(open, every_cell_committed_is_what_the_database_says)
{
	struct fixture f;
	PGresult *r;
	int wrong = 0;

	begin(&f);
	cr_assert(store_open(&f.opening) == ERR_OK);
	r = PQexec(f.admin, "SELECT pool_no, (i - 1) / 56, (i - 1) % 56, units FROM calloff.capacity, "
			    "unnest(calloff.grid_cells(committed)) WITH ORDINALITY AS u(units, i) WHERE "
			    "mode <> 3"); /* 3: without a limit memory counts nothing */
	cr_assert(PQntuples(r) > 10000);
	for (int i = 0; i < PQntuples(r); i++) {
		uint32_t pool =
			framework_find_pool_no(f.opening.framework, atoi(PQgetvalue(r, i, 0)));
		uint32_t plane = (uint32_t)atoi(PQgetvalue(r, i, 1)),
			 cell = (uint32_t)atoi(PQgetvalue(r, i, 2));

		if (core_committed(f.opening.core, pool, cell, plane) == atoi(PQgetvalue(r, i, 3)))
			continue;
		if (wrong++ == 0)
			cr_log_error("pool %s plane %u cell %u: %d, not %s", PQgetvalue(r, i, 0),
				     plane, cell, core_committed(f.opening.core, pool, cell, plane),
				     PQgetvalue(r, i, 3));
	}
	cr_expect(wrong == 0, "%d cells differ", wrong);
	PQclear(r);
	end(&f);
}

Test(open, opening_takes_the_shard_over)
{
	struct fixture f;
	int64_t epoch;

	begin(&f);
	epoch = number(&f, "SELECT epoch FROM calloff.fence");
	cr_assert(store_open(&f.opening) == ERR_OK);
	cr_expect(f.opening.fence.epoch == epoch + 1 &&
		  number(&f, "SELECT epoch FROM calloff.fence") == epoch + 1);
	cr_expect(f.opening.fence.last_seq == number(&f, "SELECT last_seq FROM calloff.fence"));
	cr_expect(f.opening.fence.framework_version ==
		  number(&f, "SELECT framework_version FROM calloff.fence"));
	cr_expect(f.opening.keys_all && f.opening.key_count == 0);
	end(&f);
}

Test(open, the_newest_keys_are_known_and_it_is_said_when_they_are_not_all)
{
	struct fixture f;

	begin(&f);
	run(f.admin, "INSERT INTO calloff.command SELECT 1, 'unix:0', gen_random_uuid(), "
		     "sha256('')::bytea, n, '' "
		     "FROM generate_series(1, 0) AS n");
	run(f.admin,
	    "INSERT INTO calloff.command SELECT 1, 'unix:0', ('00000000-0000-7000-8000-' || "
	    "to_char(n, 'FM000000000000'))"
	    "::uuid, substring(sha256('') FOR 16), n, '' FROM generate_series(1, 1500) AS n");
	cr_assert(store_open(&f.opening) == ERR_OK);
	cr_expect(!f.opening.keys_all && f.opening.key_count == 1000);
	cr_expect(f.opening.keys[0].seq == 501 && f.opening.keys[999].seq == 1500);
	cr_expect(strcmp(f.opening.keys[0].client, "unix:0") == 0);
	end(&f);
}

Test(open, no_connection_is_worth_another_try)
{
	struct fixture f;

	begin(&f);
	f.opening.dsn = "host=/nowhere dbname=calloff";
	expect(&f, ERR_STORE, "/nowhere");
}

static void make_read_only(struct fixture *f)
{
	char sql[200];

	snprintf(sql, sizeof sql, "ALTER DATABASE %s SET default_transaction_read_only = on", f->name);
	run(f->admin, sql);
}

Test(open, only_a_primary_will_do)
{
	struct fixture f;

	begin(&f);
	make_read_only(&f);
	expect(&f, ERR_STORE, "session is read-only");
}

Test(open, what_the_connection_string_says_stands)
{
	struct fixture f;

	begin(&f);
	make_read_only(&f);
	strcat(f.dsn, " target_session_attrs=any");
	expect(&f, ERR_STORE, "cannot execute UPDATE");
}

Test(open, it_is_known_whether_commits_wait_for_a_standby)
{
	struct fixture f;

	begin(&f);
	cr_assert(store_open(&f.opening) == ERR_OK);
	cr_expect(f.opening.alone == (number(&f, "SELECT (current_setting('synchronous_standby_names') = "
						 "'')::int4") == 1));
	end(&f);
}

Test(open, synchronous_commit_off_is_unsafe)
{
	struct fixture f;
	char sql[200];

	begin(&f);
	snprintf(sql, sizeof sql,
		 "ALTER ROLE calloff_engine IN DATABASE %s SET synchronous_commit = off", f.name);
	run(f.admin, sql);
	expect(&f, ERR_STORE_UNSAFE, "synchronous_commit is off");
}

Test(open, synchronous_commit_local_is_unsafe)
{
	struct fixture f;
	char sql[200];

	begin(&f);
	snprintf(sql, sizeof sql, "ALTER DATABASE %s SET synchronous_commit = local", f.name);
	run(f.admin, sql);
	expect(&f, ERR_STORE_UNSAFE, "synchronous_commit is local");
}

Test(open, a_schema_of_another_version_is_unsafe_and_stays_untouched)
{
	struct fixture f;

	begin(&f);
	run(f.admin, "UPDATE calloff.fence SET schema_version = schema_version + 1");
	enum err e = store_open(&f.opening);
	cr_expect(e == ERR_STORE_UNSAFE && strstr(f.opening.note, "migrate") != NULL, "%s",
		  f.opening.note);
	cr_expect(number(&f, "SELECT epoch FROM calloff.fence") == 0);
	end(&f);
}

Test(open, a_shard_that_is_not_there_is_unsafe)
{
	struct fixture f;

	begin(&f);
	f.opening.shard = 9;
	expect(&f, ERR_STORE_UNSAFE, "no such shard");
}

Test(open, a_row_that_cannot_be_right_is_said)
{
	struct fixture f;

	begin(&f);
	run(f.admin, "UPDATE calloff.capacity SET mode = 3, declared = declared * 10 "
		     "WHERE pool_no = 1");
	expect(&f, ERR_BAD_ROW, "capacity");
}

Test(open, more_packages_than_the_limit_is_said)
{
	struct fixture f;

	begin(&f);
	f.opening.limits.packages_max = 100;
	expect(&f, ERR_TOO_MANY_PACKAGES, "");
}

static void *commit_later(void *admin)
{
	usleep(300000);
	run(admin, "COMMIT");
	return NULL;
}

Test(open, another_engine_that_takes_over_at_the_same_moment_wins)
{
	struct fixture f;
	pthread_t thread;

	begin(&f);
	run(f.admin, "BEGIN");
	run(f.admin, "SELECT calloff.take_over(1::int2, 0)"); /* its row is locked until the thread
								 commits */
	pthread_create(&thread, NULL, commit_later, f.admin);
	enum err e = store_open(&f.opening);
	pthread_join(thread, NULL);
	cr_expect(e == ERR_DEPOSED, "%s: %s", err_name((int)e), f.opening.note);
	cr_expect(number(&f, "SELECT epoch FROM calloff.fence") == 1);
	end(&f);
}

/* ---- the lease on which memory is told (decision 0016) ---- */

static int64_t mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Gives the fence's row free as soon as somebody waits for it; when, is told. Others' waits in this cluster are not meant, and
 * pg_stat_activity would stand still within this transaction. */
#define WAITERS_FOR_THE_FENCE                                                                                                     \
	"SELECT count(*) FROM pg_locks AS waits JOIN pg_locks AS holds USING (pid) WHERE NOT waits.granted AND holds.granted "    \
	"AND holds.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "                                  \
	"AND holds.relation = 'calloff.fence'::regclass"

static void *free_the_fence(void *fixture)
{
	struct fixture *f = fixture;
	static int64_t freed_us;

	while (number(f, WAITERS_FOR_THE_FENCE) == 0)
		usleep(10000);
	freed_us = mono_us();
	run(f->admin, "COMMIT");
	return &freed_us;
}

Test(open, the_lease_counts_from_when_the_take_over_was_sent)
{
	struct fixture f;
	pthread_t thread;
	void *freed_us;

	begin(&f);
	run(f.admin, "BEGIN");
	run(f.admin, "SELECT FROM calloff.fence WHERE shard = 1 FOR UPDATE");
	pthread_create(&thread, NULL, free_the_fence, &f);
	cr_assert(store_open(&f.opening) == ERR_OK, "%s", f.opening.note);
	pthread_join(thread, &freed_us);
	cr_expect(f.opening.leased_from_us > 0 && f.opening.leased_from_us < *(int64_t *)freed_us,
		  "the answer was long on its way: another may have reigned since");
	end(&f);
}

/* So many rows later: the next look at the time. */
static void pulse(struct opening *o)
{
	o->beat_calls = 1023;
	o->beat_us -= 250000;
	open_pulse(o);
}

Test(open, a_pulse_while_loading_renews_the_lease_unless_it_was_refused)
{
	struct fixture f;
	int64_t before_us;

	begin(&f);
	cr_assert(store_open(&f.opening) == ERR_OK, "%s", f.opening.note);
	f.opening.beat = f.opening.write[0]; /* the connection that a load keeps for it */
	before_us = f.opening.leased_from_us;
	pulse(&f.opening);
	cr_expect(f.opening.leased_from_us > before_us);
	before_us = f.opening.leased_from_us;
	run(f.admin, "SELECT calloff.take_over(1::int2, epoch) FROM calloff.fence WHERE shard = 1");
	pulse(&f.opening);
	cr_expect(f.opening.leased_from_us == before_us, "another reigns");
	f.opening.beat = NULL;
	end(&f);
}

/* ---- deposed ---- */

struct deposed {
	struct journal journal;
	enum err beat;
	bool closed;
};

static void on_committed(void *data, const uint8_t row_hash[DIGEST_BYTES])
{
	(void)data;
	(void)row_hash;
}

static void on_refused(void *data, enum err why, const char *message)
{
	(void)data;
	(void)why;
	(void)message;
}

static void on_beat(void *data, enum err why, int64_t framework_version)
{
	struct deposed *d = data;

	(void)framework_version;
	d->beat = why;
	journal_close(&d->journal);
}

static void on_closed(void *data, enum err why)
{
	struct deposed *d = data;

	(void)why;
	journal_free(&d->journal);
	d->closed = true;
}

Test(open, an_engine_learns_by_its_heartbeat_that_a_second_took_over)
{
	static const struct journal_ops ops = {.on_committed = on_committed,
					       .on_refused = on_refused,
					       .on_beat = on_beat,
					       .on_closed = on_closed};
	struct deposed *d = calloc(1, sizeof *d);
	struct fixture f;
	uv_loop_t loop;
	PGconn *write;

	begin(&f);
	cr_assert(store_open(&f.opening) == ERR_OK);
	struct opening second = {
		.dsn = f.dsn, .shard = 1, .keys_max = 1000, .write_count = 1, .limits = f.opening.limits};

	cr_assert(store_open(&second) == ERR_OK, "%s", second.note);
	cr_expect(second.fence.epoch == f.opening.fence.epoch + 1);
	write = f.opening.write[0];
	f.opening.write[0] = NULL;
	uv_loop_init(&loop);
	cr_assert(journal_open(&d->journal, &loop, &write, 1, &f.opening.fence, &ops, d) == ERR_OK);
	cr_assert(journal_beat(&d->journal, 1) == ERR_OK);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect(d->beat == ERR_DEPOSED, "%s", err_name((int)d->beat));
	cr_expect(d->closed && uv_loop_close(&loop) == 0);
	free(d);
	store_open_free(&second);
	end(&f);
}
