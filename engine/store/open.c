#include "store/open.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "store/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t open_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static enum err open_connect(struct opening *o, struct fetch *f, PGconn **ret)
{
	/* the first four tell of a host that is gone without a word, and are before dbname, so that the DSN may say otherwise */
	const char *const keywords[] = {"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
					"dbname", "connect_timeout", "application_name", "options", NULL};
	/* jit costs more than it saves on calls of microseconds; a generic plan spares planning them at all; parallel workers and
	 * scans that join another's half-way would shuffle rows that lie in order */
	const char *const values[] = {"5", "2", "3", "10000", o->dsn, "5", "calloffd",
				      "-c jit=off -c plan_cache_mode=force_generic_plan -c statement_timeout=60000"
				      " -c lock_timeout=10000 -c max_parallel_workers_per_gather=0"
				      " -c synchronize_seqscans=off", NULL};

	*ret = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(*ret) != CONNECTION_OK)
		return fetch_fail(f, ERR_STORE, PQerrorMessage(*ret));
	PQsetErrorVerbosity(*ret, PQERRORS_TERSE);
	return ERR_OK;
}

static enum err open_check_settings(struct opening *o, struct fetch *f)
{
	PGresult *result;
	enum err e = ERR_OK;

	TRY(fetch_rows(f, QUERY_load_settings, NULL, 0, &result));
	for (int i = 0; i < PQntuples(result); i++) {
		const char *setting = PQgetvalue(result, i, 1);

		if (strcmp(PQgetvalue(result, i, 0), "clock_us") == 0)
			o->database_us = strtoll(setting, NULL, 10);
		if (strcmp(setting, "off") == 0 || strcmp(setting, "local") == 0) {
			char what[96];

			snprintf(what, sizeof what, "%s is %s", PQgetvalue(result, i, 0), setting);
			e = fetch_fail(f, ERR_STORE_UNSAFE, what);
		}
	}
	PQclear(result);
	return e;
}

static enum err open_read_fence(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count,
				struct fence *ret, bool *ret_found)
{
	PGresult *result;
	struct row r;
	const uint8_t *hash;
	size_t len;

	TRY(fetch_rows(f, query, more, more_count, &result));
	*ret_found = PQntuples(result) == 1;
	if (!*ret_found) {
		PQclear(result);
		return ERR_OK;
	}
	r = row_of(result, 0);
	ret->shard = f->shard;
	ret->epoch = row_int(&r);
	ret->last_seq = row_int(&r);
	ret->framework_version = row_int(&r);
	ret->schema_version = row_int(&r);
	ret->clock_us = row_int(&r);
	hash = row_bytes(&r, &len);
	if (len == sizeof ret->head_hash)
		memcpy(ret->head_hash, hash, len);
	PQclear(result);
	return r.bad || len != sizeof ret->head_hash ? fetch_fail(f, ERR_BAD_ROW, "the fence cannot be read") : ERR_OK;
}

/* The fenced write that also resolves every commit whose answer was lost. */
static enum err open_take_over(struct opening *o, struct fetch *f)
{
	uint8_t epoch[8];
	struct fetch_param expected = {epoch, sizeof epoch};
	bool found;

	TRY(open_read_fence(f, QUERY_load_fence, NULL, 0, &o->fence, &found));
	if (!found)
		return fetch_fail(f, ERR_STORE_UNSAFE, "there is no such shard");
	if (o->fence.schema_version != SCHEMA_VERSION)
		return fetch_fail(f, ERR_STORE_UNSAFE, "the schema is not of this engine's version: migrate it");
	FAILPOINT_OR(take_over_before, ERR_STORE);
	fetch_big_endian(epoch, o->fence.epoch);
	TRY(open_read_fence(f, QUERY_take_over, &expected, 1, &o->fence, &found));
	return found ? ERR_OK : fetch_fail(f, ERR_DEPOSED, "another engine took over at the same moment");
}

static enum err open_exec(struct fetch *f, const char *sql)
{
	PGresult *r = PQexec(f->pg, sql);
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;

	PQclear(r);
	return ok ? ERR_OK : fetch_fail(f, ERR_STORE, PQerrorMessage(f->pg));
}

/* The second connection sees exactly what the first does. */
static enum err open_share_snapshot(struct fetch *f, struct fetch *read)
{
	PGresult *r = PQexec(f->pg, "SELECT pg_export_snapshot()");
	char sql[128] = "";

	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQgetlength(r, 0, 0) < 64)
		snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%s'", PQgetvalue(r, 0, 0));
	PQclear(r);
	if (sql[0] == '\0')
		return fetch_fail(f, ERR_STORE, PQerrorMessage(f->pg));
	TRY(open_exec(read, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
	return open_exec(read, sql);
}

static enum err open_load(struct opening *o, struct fetch *f)
{
	struct fence seen;
	int64_t start_us = open_now_us(), loaded_us;
	struct fetch read = *f;
	bool found;

	read.pg = o->read;
	TRY(open_exec(f, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
	TRY(open_share_snapshot(f, &read));
	TRY(open_read_fence(f, QUERY_load_fence, NULL, 0, &seen, &found));
	if (!found || seen.epoch != o->fence.epoch)
		return fetch_fail(f, ERR_DEPOSED, "another engine took over before the load");
	o->fence = seen; /* an editor may have moved the framework since the take-over: this is what is loaded */
	TRY(load_framework(f, o));
	FAILPOINT_OR(load_framework, ERR_STORE);
	loaded_us = open_now_us();
	o->framework_us = loaded_us - start_us;
	TRY(load_state(f, &read, o));
	TRY(load_keys(f, o));
	FAILPOINT_OR(load_state, ERR_STORE);
	o->state_us = open_now_us() - loaded_us;
	TRY(open_exec(&read, "COMMIT"));
	return open_exec(f, "COMMIT");
}

enum err store_open(struct opening *o)
{
	struct fetch f = {.shard = o->shard, .note = o->note, .note_size = sizeof o->note};

	REQUIRE(o->write_count > 0 && o->write_count <= LANES_MAX);
	for (uint32_t i = 0; i < o->write_count; i++)
		TRY(open_connect(o, &f, &o->write[i]));
	TRY(open_connect(o, &f, &o->read));
	f.pg = o->write[0];
	FAILPOINT_OR(connect, ERR_STORE);
	TRY(open_check_settings(o, &f));
	TRY(open_take_over(o, &f));
	FAILPOINT_OR(take_over_after, ERR_STORE);
	TRY(open_load(o, &f));
	f.pg = o->read;
	return open_exec(&f, "LISTEN calloff_framework");
}

void store_open_free(struct opening *o)
{
	for (uint32_t i = 0; i < LANES_MAX; i++) {
		PQfinish(o->write[i]);
		o->write[i] = NULL;
	}
	if (o->read != NULL)
		PQfinish(o->read);
	mem_unmap(o->framework_memory.base, o->framework_memory.size);
	mem_unmap(o->core_memory, o->core_memory_bytes);
	mem_free(o->keys);
	o->read = NULL;
	o->framework_memory = (struct arena){0};
	o->core_memory = NULL;
	o->core_memory_bytes = 0;
	o->keys = NULL;
}
