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

/* A failover can take away an edit that was seen, and the next edit has its number; all else a journal row's hash tells. */
static bool open_is_elsewhere(struct opening *o, int64_t server_us)
{
	bool elsewhere = o->server_us != 0 && o->server_us != server_us;

	o->server_us = server_us;
	return elsewhere;
}

enum err open_check_settings(struct opening *o, struct fetch *f)
{
	PGresult *result;
	enum err e = ERR_OK;

	TRY(fetch_rows(f, QUERY_load_settings, NULL, 0, &result));
	for (int i = 0; i < PQntuples(result); i++) {
		const char *setting = PQgetvalue(result, i, 1);

		if (strcmp(PQgetvalue(result, i, 0), "synchronous_standby_names") == 0)
			o->alone = setting[0] == '\0';
		if (strcmp(PQgetvalue(result, i, 0), "clock_us") == 0)
			o->database_us = strtoll(setting, NULL, 10);
		if (strcmp(PQgetvalue(result, i, 0), "server_us") == 0 && open_is_elsewhere(o, strtoll(setting, NULL, 10)))
			e = fetch_fail(f, ERR_STORE_STALE, "another PostgreSQL answers: what was followed may not be its");
		if (strcmp(setting, "off") == 0 || strcmp(setting, "local") == 0) {
			char what[96];

			snprintf(what, sizeof what, "%s is %s", PQgetvalue(result, i, 0), setting);
			e = fetch_fail(f, ERR_STORE_UNSAFE, what);
		}
	}
	PQclear(result);
	return e;
}

static void open_on_notice(void *warned, const PGresult *notice)
{
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		*(bool *)warned = true;
}

/* The fenced write that also resolves every commit whose answer was lost. One that was made to stop waiting for its standby
 * still succeeds, and says so by a warning alone. */
enum err open_reign(struct opening *o, struct fetch *f, int64_t expected_epoch, bool *ret_reigns)
{
	uint8_t epoch[8], instance[8];
	const struct fetch_param params[] = {{epoch, sizeof epoch}, {o->claim.engine, (int)strlen(o->claim.engine)},
					     {instance, sizeof instance}, {o->claim.endpoint, (int)strlen(o->claim.endpoint)}};

	PQnoticeReceiver before;
	bool warned = false;
	int64_t sent_us;
	enum err e;

	FAILPOINT_OR(take_over_before, ERR_STORE);
	fetch_big_endian(epoch, expected_epoch);
	fetch_big_endian(instance, o->claim.instance);
	before = PQsetNoticeReceiver(f->pg, open_on_notice, &warned);
	sent_us = open_now_us();
	e = fetch_fence(f, QUERY_take_over, params, 4, &o->fence, ret_reigns);
	PQsetNoticeReceiver(f->pg, before, NULL);
	TRY(e);
	if (warned)
		return fetch_fail(f, ERR_STORE, "the take-over did not wait for a standby: it is settled by another");
	FAILPOINT_OR(take_over_after, ERR_STORE);
	o->leased_from_us = sent_us;
	o->beat_us = open_now_us();
	return ERR_OK;
}

void open_pulse(struct opening *o)
{
	uint8_t shard[2] = {(uint8_t)((uint16_t)o->shard >> 8), (uint8_t)o->shard}, epoch[8], clock[8];
	const char *const values[] = {(const char *)shard, (const char *)epoch, (const char *)clock};
	const int lengths[] = {2, 8, 8}, formats[] = {1, 1, 1};
	PGresult *r;

	if (!o->reigns || o->beat == NULL || ++o->beat_calls % 1024 != 0 || open_now_us() - o->beat_us < 250000)
		return;
	o->fence.clock_us += open_now_us() - o->beat_us;
	o->beat_us = open_now_us();
	fetch_big_endian(epoch, o->fence.epoch);
	fetch_big_endian(clock, o->fence.clock_us);
	/* if it fails, the load or the first commit will say so */
	r = PQsendQueryParams(o->beat, query_sql(QUERY_heartbeat), 3, NULL, values, lengths, formats, 1) == 1 ?
		    fetch_result(o->beat) : NULL;
	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		o->leased_from_us = o->beat_us;
	PQclear(r);
}

/* The second connection sees exactly what the first does. */
static enum err open_share_snapshot(struct fetch *f, struct fetch *read)
{
	PGresult *r = PQsendQuery(f->pg, "SELECT pg_export_snapshot()") == 1 ? fetch_result(f->pg) : NULL;
	char sql[128] = "";

	if (PQresultStatus(r) == PGRES_TUPLES_OK && PQgetlength(r, 0, 0) < 64)
		snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%s'", PQgetvalue(r, 0, 0));
	PQclear(r);
	if (sql[0] == '\0')
		return fetch_fail(f, ERR_STORE, PQerrorMessage(f->pg));
	TRY(fetch_exec(read, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
	return fetch_exec(read, sql);
}

enum err open_load(struct opening *o, struct fetch *f)
{
	struct fence seen;
	int64_t start_us = open_now_us(), loaded_us;
	struct fetch read = *f;
	bool found;

	read.pg = o->read;
	TRY(fetch_exec(f, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
	TRY(open_share_snapshot(f, &read));
	TRY(fetch_fence(f, QUERY_load_fence, NULL, 0, &seen, &found));
	if (!found || (o->reigns && seen.epoch != o->fence.epoch))
		return fetch_fail(f, ERR_DEPOSED, "another engine took over before the load");
	o->fence = seen; /* an editor may have moved the framework since the take-over: this is what is loaded */
	TRY(load_framework(f, o));
	FAILPOINT_OR(load_framework, ERR_STORE);
	loaded_us = open_now_us();
	o->framework_us = loaded_us - start_us;
	TRY(load_state(f, &read, o));
	if (o->reigns)
		TRY(load_keys(f, o));
	FAILPOINT_OR(load_state, ERR_STORE);
	o->state_us = open_now_us() - loaded_us;
	TRY(fetch_exec(&read, "COMMIT"));
	return fetch_exec(f, "COMMIT");
}

/* Looks at the fence and takes over if the claim allows it. */
static enum err open_look(struct opening *o, struct fetch *f)
{
	bool found;

	TRY(fetch_fence(f, QUERY_load_fence, NULL, 0, &o->fence, &found));
	if (!found)
		return fetch_fail(f, ERR_STORE_UNSAFE, "there is no such shard");
	if (o->fence.schema_version != SCHEMA_VERSION)
		return fetch_fail(f, ERR_STORE_UNSAFE, "the schema is not of this engine's version: migrate it");
	o->reigns = false;
	if (!claim_look(&o->claim, &o->fence))
		return ERR_OK;
	TRY(open_reign(o, f, o->fence.epoch, &o->reigns));
	return o->reigns ? ERR_OK : fetch_fail(f, ERR_DEPOSED, "another engine took over at the same moment");
}

enum err store_open(struct opening *o)
{
	struct fetch f = {.shard = o->shard, .note = o->note, .note_size = sizeof o->note};
	enum err e;

	REQUIRE(o->write_count > 0 && o->write_count <= LANES_MAX);
	TRY(fetch_connect(&f, o->dsn, NULL, &o->write[0]));
	TRY(fetch_connect(&f, o->dsn, o->write[0], &o->read));
	f.pg = o->write[0];
	FAILPOINT_OR(connect, ERR_STORE);
	TRY(open_check_settings(o, &f));
	TRY(open_look(o, &f));
	for (uint32_t i = 1; o->reigns && i < o->write_count; i++)
		TRY(fetch_connect(&f, o->dsn, o->write[0], &o->write[i]));
	if (o->reigns)
		TRY(fetch_connect(&f, o->dsn, o->write[0], &o->beat));
	e = open_load(o, &f);
	PQfinish(o->beat);
	o->beat = NULL;
	TRY(e);
	o->claim.fresh = false;
	f.pg = o->read;
	return o->reigns ? fetch_exec(&f, "LISTEN calloff_framework") : ERR_OK;
}

void store_open_free(struct opening *o)
{
	for (uint32_t i = 0; i < LANES_MAX; i++) {
		PQfinish(o->write[i]);
		o->write[i] = NULL;
	}
	PQfinish(o->read);
	PQfinish(o->beat);
	mem_unmap(o->framework_memory.base, o->framework_memory.size);
	mem_unmap(o->core_memory, o->core_memory_bytes);
	mem_free(o->keys);
	o->read = o->beat = NULL;
	o->framework_memory = (struct arena){0};
	o->core_memory = NULL;
	o->core = NULL;
	o->core_memory_bytes = 0;
	o->keys = NULL;
}
