/* follow.c — what an engine does while another reigns: keep its core level with the journal, check what it reads, wait. */
#include "store/fetch.h"
#include "store/open.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/record.h"
#include "store/digest.h"
#include "store/journal_rows.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_A_READ = 64 };

struct follow { /* one event's way: too large for a worker's stack */
	struct event event;
	struct update update, again;
	struct stamp stamp;
	uint8_t record[RECORD_BYTES_MAX];
};

/* Is the row what the one before says must follow, and are its records those its hash was taken of? */
static bool follow_row_fits(const struct fence *fence, const struct journal_view *row)
{
	uint8_t leaves[BATCH_EVENTS_MAX * DIGEST_BYTES], root[DIGEST_BYTES], hash[DIGEST_BYTES];
	size_t count = (size_t)(row->last_seq - row->first_seq + 1);

	if (row->first_seq != fence->last_seq + 1 || memcmp(row->prev_hash, fence->head_hash, DIGEST_BYTES) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		digest_leaf(row->salts + i * SALT_BYTES, row->records[i].record, row->records[i].len, leaves + i * DIGEST_BYTES);
	if (memcmp(leaves, row->leaves, count * DIGEST_BYTES) != 0)
		return false;
	digest_root(leaves, count, root);
	digest_row(fence->shard, row->first_seq, row->last_seq, row->epoch, row->prev_hash, root, hash);
	return memcmp(hash, row->row_hash, DIGEST_BYTES) == 0;
}

/* Decides the event again, as another engine did, and then does as the record says. false: not a record of this core. */
static bool follow_event(struct opening *o, struct follow *at, const struct record_view *record)
{
	size_t len;

	if (record_decode(record->record, record->len, &at->event, &at->update, &at->stamp) != ERR_OK || !core_has_room(o->core) ||
	    core_fits(o->core, &at->event, &at->update) != ERR_OK)
		return false;
	if (at->stamp.rules_version == RULES_VERSION) {
		core_decide(o->core, &at->event, &at->again);
		len = record_encode(&at->event, &at->again, &at->stamp, at->record, sizeof at->record);
		if (len != record->len || memcmp(at->record, record->record, len) != 0)
			o->differs++;
	}
	core_apply(o->core, &at->event, &at->update);
	o->followed++;
	return true;
}

static enum err follow_row(struct opening *o, struct fetch *f, struct follow *at, const struct journal_view *row)
{
	if (!follow_row_fits(&o->fence, row))
		return fetch_fail(f, ERR_BAD_ROW, "the journal does not go on from what was followed");
	if (row->framework_version != o->framework->version)
		return fetch_fail(f, ERR_STORE_STALE, "the framework was edited");
	for (int64_t i = 0; i <= row->last_seq - row->first_seq; i++) {
		if (!follow_event(o, at, &row->records[i]))
			return fetch_fail(f, ERR_STORE_STALE, "a record of the journal cannot be applied to what was loaded");
	}
	o->fence.last_seq = row->last_seq;
	memcpy(o->fence.head_hash, row->row_hash, DIGEST_BYTES);
	return ERR_OK;
}

static enum err follow_read(struct opening *o, struct fetch *f, struct follow *at, size_t *ret_count)
{
	uint8_t after[8], limit[8];
	const struct fetch_param params[] = {{after, sizeof after}, {limit, sizeof limit}};
	struct journal_view *rows;
	PGresult *result;
	enum err e = ERR_OK;

	fetch_big_endian(after, o->fence.last_seq);
	fetch_big_endian(limit, ROWS_A_READ);
	TRY(fetch_rows(f, QUERY_read_journal, params, 2, &result));
	rows = journal_rows_view(result, ret_count);
	if (rows == NULL)
		e = fetch_fail(f, ERR_BAD_ROW, "a row of the journal cannot be read");
	for (size_t i = 0; e == ERR_OK && i < *ret_count; i++)
		e = follow_row(o, f, at, &rows[i]);
	journal_rows_free(rows, *ret_count);
	PQclear(result);
	return e;
}

/* Up to the fence that was seen; its newer words (who, where, epoch, clock) become ours. */
static enum err follow_up_to(struct opening *o, struct fetch *f, const struct fence *seen)
{
	struct follow *at = mem_zero(1, sizeof *at);
	struct fence reached;
	enum err e = ERR_OK;
	size_t count = 1;

	if (seen->last_seq < o->fence.last_seq ||
	    (seen->last_seq == o->fence.last_seq && memcmp(seen->head_hash, o->fence.head_hash, DIGEST_BYTES) != 0))
		e = fetch_fail(f, ERR_BAD_ROW, "the journal lost what was followed: a restore, or a failover with loss?");
	else if (seen->framework_version != o->framework->version)
		e = fetch_fail(f, ERR_STORE_STALE, "the framework was edited");
	while (e == ERR_OK && o->fence.last_seq < seen->last_seq && count > 0)
		e = follow_read(o, f, at, &count);
	mem_free(at);
	if (e == ERR_OK && o->fence.last_seq < seen->last_seq)
		e = fetch_fail(f, ERR_BAD_ROW, "the journal ends before the fence");
	reached = *seen;
	reached.last_seq = o->fence.last_seq;
	memcpy(reached.head_hash, o->fence.head_hash, DIGEST_BYTES);
	o->fence = reached;
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
	taken = o->fence;
	o->fence = level;
	f->pg = o->read;
	TRY(follow_up_to(o, f, &taken));
	if (memcmp(o->fence.head_hash, taken.head_hash, DIGEST_BYTES) != 0)
		return fetch_fail(f, ERR_BAD_ROW, "the journal does not end in the fence's hash");
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
	TRY(fetch_fence(&f, QUERY_load_fence, NULL, 0, &seen, &found));
	if (!found || seen.schema_version != SCHEMA_VERSION)
		return fetch_fail(&f, ERR_STORE_UNSAFE, "the schema is not of this engine's version: migrate it");
	TRY(follow_up_to(o, &f, &seen));
	return claim_look(&o->claim, &seen) ? follow_take_over(o, &f, &seen) : ERR_OK;
}
