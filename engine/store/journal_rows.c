#include "store/journal_rows.h"

#include "base/limits.h"
#include "base/mem.h"
#include "pg/row.h"

/* The records of one row: elements of a bytea array, pointed at in place. NULL: not such an array. */
static struct record_view *view_records(const uint8_t *p, size_t len, size_t count)
{
	struct record_view *records = mem_zero(count, sizeof *records);
	size_t at = 20;

	for (size_t i = 0; i < count; i++) {
		size_t n = at + 4 <= len ? (size_t)p[at] << 24 | (size_t)p[at + 1] << 16 | (size_t)p[at + 2] << 8 | p[at + 3]
					 : SIZE_MAX;

		if (n > len - at - 4 || n > RECORD_BYTES_MAX) {
			mem_free(records);
			return NULL;
		}
		records[i] = (struct record_view){.record = p + at + 4, .len = n};
		at += 4 + n;
	}
	return records;
}

static bool view_journal(struct row *r, struct journal_view *v)
{
	size_t prev, hash, leaves, salts, records, count;
	const uint8_t *p;

	v->first_seq = row_int(r);
	v->last_seq = row_int(r);
	v->epoch = row_int(r);
	v->clock_us = row_int(r);
	v->framework_version = row_int(r);
	v->prev_hash = row_bytes(r, &prev);
	v->row_hash = row_bytes(r, &hash);
	v->leaves = row_bytes(r, &leaves);
	v->salts = row_bytes(r, &salts);
	p = row_bytes(r, &records);
	if (r->bad || v->last_seq < v->first_seq || v->last_seq - v->first_seq >= BATCH_EVENTS_MAX)
		return false;
	count = (size_t)(v->last_seq - v->first_seq + 1);
	if (prev != 32 || hash != 32 || leaves != 32 * count || salts != 32 * count)
		return false;
	v->records = view_records(p, records, count);
	return v->records != NULL;
}

struct journal_view *journal_rows_view(const PGresult *result, size_t *ret_count)
{
	size_t count = (size_t)PQntuples(result);
	struct journal_view *rows = mem_zero(count, sizeof *rows);

	*ret_count = count;
	for (size_t i = 0; i < count; i++) {
		struct row row = row_of(result, (int)i);

		if (!view_journal(&row, &rows[i])) {
			journal_rows_free(rows, count);
			return NULL;
		}
	}
	return rows;
}

void journal_rows_free(struct journal_view *rows, size_t count)
{
	for (size_t i = 0; rows != NULL && i < count; i++)
		mem_free((void *)(uintptr_t)rows[i].records);
	mem_free(rows);
}
