/* follow.c — what an engine does while another reigns: keep its core level with the journal, check what it reads, wait. */
#include "store/fetch.h"
#include "store/open.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "store/journal_rows.h"
#include "store/level.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_A_READ = 64 };

static enum err follow_read(struct fetch *f, struct level *l, size_t *ret_count)
{
	uint8_t after[8], limit[8];
	const struct fetch_param params[] = {{after, sizeof after}, {limit, sizeof limit}};
	struct journal_view *rows;
	PGresult *result;
	enum err e = ERR_OK;

	fetch_big_endian(after, l->fence.last_seq);
	fetch_big_endian(limit, ROWS_A_READ);
	TRY(fetch_rows(f, QUERY_read_journal, params, 2, &result));
	FAILPOINT(follow_rows);
	rows = journal_rows_view(result, ret_count);
	if (rows == NULL)
		e = fetch_fail(f, ERR_BAD_ROW, "a row of the journal cannot be read");
	for (size_t i = 0; e == ERR_OK && i < *ret_count; i++)
		e = level_row(l, &rows[i]);
	journal_rows_free(rows, *ret_count);
	PQclear(result);
	return e;
}

/* Up to the fence that was seen; when it was taken over, to there and no further. */
static enum err follow_up_to(struct opening *o, struct fetch *f, const struct fence *seen, bool taken)
{
	struct level *l = mem_zero(1, sizeof *l);
	size_t count = 1;
	enum err e;

	l->fence = o->fence;
	l->framework = o->framework;
	l->core = o->core;
	e = level_may_reach(l, seen);
	while (e == ERR_OK && l->fence.last_seq < seen->last_seq && count > 0)
		e = follow_read(f, l, &count);
	if (e == ERR_OK && l->fence.last_seq < seen->last_seq)
		e = fetch_fail(f, ERR_BAD_ROW, "the journal ends before the fence");
	if (e == ERR_OK && taken)
		e = level_is_at(l, seen);
	if (l->why != NULL)
		fetch_fail(f, e, l->why);
	level_reached(l, seen);
	o->fence = l->fence;
	o->followed += l->followed;
	o->differs += l->differs;
	mem_free(l);
	return e;
}

static enum err follow_connect(struct opening *o, struct fetch *f)
{
	if (PQstatus(o->read) == CONNECTION_OK)
		return ERR_OK;
	PQfinish(o->read);
	o->read = NULL;
	for (uint32_t i = 0; i < o->write_count; i++) { /* where the primary was */
		PQfinish(o->write[i]);
		o->write[i] = NULL;
	}
	TRY(fetch_connect(f, o->dsn, NULL, &o->read));
	f->pg = o->read;
	return open_check_settings(o, f);
}

/* With what was followed as the state: no load, but for the keys. */
static enum err follow_take_over(struct opening *o, struct fetch *f, const struct fence *seen)
{
	const struct fence level = o->fence;
	struct fence taken;

	FAILPOINT_OR(follow_take_over, ERR_STORE);
	for (uint32_t i = 0; i < o->write_count; i++) {
		if (PQstatus(o->write[i]) == CONNECTION_OK)
			continue;
		PQfinish(o->write[i]);
		TRY(fetch_connect(f, o->dsn, o->read, &o->write[i]));
	}
	f->pg = o->write[0];
	TRY(open_check_settings(o, f)); /* again: what time PostgreSQL has now, and whether it is as safe as it was */
	TRY(open_reign(o, f, seen->epoch, &o->reigns));
	if (!o->reigns)
		return ERR_OK; /* another was faster: follow that one */
	FAILPOINT_OR(follow_level, ERR_STORE);
	taken = o->fence;
	o->fence = level;
	f->pg = o->read;
	TRY(follow_up_to(o, f, &taken, true));
	FAILPOINT_OR(follow_keys, ERR_STORE);
	TRY(load_keys(f, o));
	return fetch_exec(f, "LISTEN calloff_framework");
}

enum err store_follow(struct opening *o)
{
	struct fetch f = {.shard = o->shard, .note = o->note, .note_size = sizeof o->note};
	struct fence seen;
	bool found;

	REQUIRE(!o->reigns && o->core != NULL);
	TRY(follow_connect(o, &f));
	f.pg = o->read;
	FAILPOINT_OR(follow_look, ERR_STORE);
	TRY(fetch_fence(&f, QUERY_load_fence, NULL, 0, &seen, &found));
	if (!found || seen.schema_version != SCHEMA_VERSION)
		return fetch_fail(&f, ERR_STORE_UNSAFE, "the schema is not of this engine's version: migrate it");
	TRY(follow_up_to(o, &f, &seen, false));
	return claim_look(&o->claim, &seen) ? follow_take_over(o, &f, &seen) : ERR_OK;
}
