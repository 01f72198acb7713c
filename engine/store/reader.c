#include "store/reader.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/record.h"
#include "core/words.h"
#include "pg/column.h"
#include "pg/row.h"
#include "store/journal_rows.h"
#include "store/query.h"

#include <string.h>

enum read_kind { READ_PACKAGES, READ_EXPLAIN, READ_COMMAND, READ_JOURNAL };
enum { STEPS_MAX = 3 };

struct read {
	struct read *next;
	enum read_kind kind;
	void *tag;
	int64_t package_no;
	uint32_t step;
	PGresult *results[STEPS_MAX]; /* packages, placements, rounds; or the one of its kind */
	char *failed;
};

struct params {
	const char *values[4];
	int lengths[4], count;
	uint8_t numbers[4][8];
};

static void param_bytes(struct params *p, const void *bytes, size_t len)
{
	p->values[p->count] = bytes;
	p->lengths[p->count++] = (int)len;
}

static void param_number(struct params *p, int64_t n, size_t width)
{
	uint8_t *to = p->numbers[p->count];

	for (size_t i = 0; i < width; i++)
		to[i] = (uint8_t)((uint64_t)n >> (8 * (width - 1 - i)));
	param_bytes(p, to, width);
}

static enum err reader_send(struct reader *r, enum query_id query, const struct params *p)
{
	static const int formats[] = {1, 1, 1, 1};

	if (r->pipe.closing || PQsendQueryPrepared(r->pipe.pg, query_name(query), p->count, p->values, p->lengths, formats, 1) != 1)
		return ERR_STORE;
	return pipe_sync(&r->pipe);
}

static enum err reader_ask(struct reader *r, enum read_kind kind, int64_t package_no, enum query_id query,
			   const struct params *p, void *tag)
{
	struct read *read;

	if (r->count == READS_MAX)
		return ERR_BUSY;
	TRY(reader_send(r, query, p));
	read = mem_zero(1, sizeof *read);
	read->kind = kind;
	read->tag = tag;
	read->package_no = package_no;
	*r->last = read;
	r->last = &read->next;
	r->count++;
	return ERR_OK;
}

enum err reader_package(struct reader *r, int64_t package_no, void *tag)
{
	struct params p = {.count = 0};

	param_number(&p, r->shard, 2);
	param_number(&p, package_no, 8);
	return reader_ask(r, READ_PACKAGES, package_no, QUERY_read_package, &p, tag);
}

enum err reader_case(struct reader *r, struct text case_ref, void *tag)
{
	struct params p = {.count = 0};

	param_number(&p, r->shard, 2);
	param_bytes(&p, case_ref.bytes, case_ref.len);
	return reader_ask(r, READ_PACKAGES, 0, QUERY_read_case, &p, tag);
}

enum err reader_states(struct reader *r, uint32_t state_mask, int64_t after_no, uint32_t limit, void *tag)
{
	struct params p = {.count = 0};
	struct column states;
	enum err e;
	int len;

	column_init(&states, COLUMN_INT2);
	for (int state = STATE_SUBMITTED; state <= STATE_VOID; state++) {
		if ((state_mask >> state & 1) != 0)
			column_int(&states, state);
	}
	param_number(&p, r->shard, 2);
	param_bytes(&p, column_value(&states, &len), (size_t)len);
	p.lengths[1] = len;
	param_number(&p, after_no, 8);
	param_number(&p, limit, 8);
	e = reader_ask(r, READ_PACKAGES, 0, QUERY_read_states, &p, tag);
	column_free(&states);
	return e;
}

enum err reader_explain(struct reader *r, int64_t package_no, void *tag)
{
	struct params p = {.count = 0};

	param_number(&p, r->shard, 2);
	param_number(&p, package_no, 8);
	return reader_ask(r, READ_EXPLAIN, package_no, QUERY_read_package, &p, tag);
}

enum err reader_command(struct reader *r, struct text client, const uint8_t key[16], void *tag)
{
	struct params p = {.count = 0};

	param_number(&p, r->shard, 2);
	param_bytes(&p, key, 16);
	param_bytes(&p, client.bytes, client.len);
	return reader_ask(r, READ_COMMAND, 0, QUERY_find_command, &p, tag);
}

enum err reader_journal(struct reader *r, int64_t after_seq, uint32_t limit, void *tag)
{
	struct params p = {.count = 0};

	param_number(&p, r->shard, 2);
	param_number(&p, after_seq, 8);
	param_number(&p, limit, 8);
	return reader_ask(r, READ_JOURNAL, 0, QUERY_read_journal, &p, tag);
}

/* ---- answers ---- */

static struct text row_text_view(struct row *r)
{
	size_t len;
	const uint8_t *p = row_bytes(r, &len);

	return (struct text){(const char *)p, (uint32_t)len};
}

static bool view_package(struct row *r, struct package_view *v)
{
	int64_t ints[VISITS_MAX];

	*v = (struct package_view){.package_no = row_int(r)};
	v->state = (uint8_t)row_int(r);
	v->changed_seq = row_int(r);
	v->requirement_version = (int32_t)row_int(r);
	v->list_no = (int32_t)row_int(r);
	v->sector_no = (int32_t)row_int(r);
	v->district_no = (int32_t)row_int(r);
	v->service = (uint8_t)row_int(r);
	v->client_group = (uint8_t)row_int(r);
	v->skills = (int32_t)row_int(r);
	v->gender = (uint8_t)row_int(r);
	v->language = (int32_t)row_int(r);
	v->urgency = (uint8_t)row_int(r);
	v->risk = (uint8_t)row_int(r);
	v->cover = (uint8_t)row_int(r);
	v->funding = (uint8_t)row_int(r);
	v->regime = (uint8_t)row_int(r);
	v->prerequisites = (uint8_t)row_int(r);
	v->need_arose_us = row_int(r);
	v->start_day = (int32_t)row_int(r);
	v->latest_start_us = row_int(r);
	v->cover_until_us = row_int(r);
	v->ceiling_pence_hour = (uint32_t)row_int(r);
	v->case_ref = row_text_view(r);
	v->person_ref = row_text_view(r);
	v->household_ref = row_text_view(r);
	v->bundle_ref = row_text_view(r);
	v->owner_ref = row_text_view(r);
	v->visit_count = row_ints(r, ints, VISITS_MAX);
	for (uint32_t i = 0; i < v->visit_count; i++)
		v->visits[i] = (uint32_t)ints[i];
	if (row_ints(r, ints, VISITS_MAX) != v->visit_count)
		r->bad = true;
	for (uint32_t i = 0; i < v->visit_count; i++)
		v->facts[i] = (uint32_t)ints[i];
	v->excluded_count = row_ints(r, ints, EXCLUDED_MAX);
	for (uint32_t i = 0; i < v->excluded_count; i++)
		v->excluded[i] = (int32_t)ints[i];
	return !r->bad;
}

static bool view_placed(struct row *r, struct placed *m)
{
	int64_t demand[VISITS_MAX];

	*m = (struct placed){.package_no = row_int(r)};
	m->pool_no = (int32_t)row_int(r);
	m->provider_no = (int32_t)row_int(r);
	m->list_no = (int32_t)row_int(r);
	m->start_day = (int32_t)row_int(r);
	m->exit_day = (int32_t)row_int(r);
	m->price_pence_week = (uint32_t)row_int(r);
	m->carer_minutes_week = (uint32_t)row_int(r);
	m->rank = (uint16_t)row_int(r);
	m->role = (uint8_t)row_int(r);
	m->route = (uint8_t)row_int(r);
	m->tier = (uint8_t)row_int(r);
	m->demand_count = (uint8_t)row_ints(r, demand, VISITS_MAX);
	for (uint32_t i = 0; i < m->demand_count; i++)
		m->demand[i] = (uint32_t)demand[i];
	return !r->bad;
}

/* Packages with their placements; both results are in package order, so one pass joins them. NULL: a bad row. */
static struct package_view *view_packages(const struct read *read, size_t *ret_count)
{
	const PGresult *packages = read->results[0], *placements = read->results[1];
	size_t count = (size_t)PQntuples(packages);
	struct package_view *views = mem_zero(count, sizeof *views);
	bool ok = true;

	for (size_t i = 0; i < count && ok; i++) {
		struct row r = row_of(packages, (int)i);

		ok = view_package(&r, &views[i]);
	}
	for (int k = 0; placements != NULL && k < PQntuples(placements) && ok; k++) {
		struct row r = row_of(placements, k);
		struct placed m;

		ok = view_placed(&r, &m);
		for (size_t i = 0; i < count && ok; i++) {
			if (views[i].package_no == m.package_no && views[i].placed_count < 3)
				views[i].placed[views[i].placed_count++] = m;
		}
	}
	*ret_count = count;
	if (ok)
		return views;
	mem_free(views);
	return NULL;
}

static bool view_receipt(struct row *r, struct receipt *receipt)
{
	size_t leaf_len, hash_len;
	const uint8_t *leaf = row_bytes(r, &leaf_len), *hash = row_bytes(r, &hash_len);

	if (r->bad || leaf_len != 32 || hash_len != 32)
		return false;
	memcpy(receipt->leaf, leaf, 32);
	memcpy(receipt->row_hash, hash, 32);
	return true;
}

static void answer_packages(struct reader *r, struct read *read)
{
	size_t count;
	struct package_view *views = view_packages(read, &count);

	if (views == NULL)
		r->ops->on_failed(r->data, read->tag, "a row of package cannot be read");
	else
		r->ops->on_packages(r->data, read->tag, views, count);
	mem_free(views);
}

static void answer_explain(struct reader *r, struct read *read)
{
	size_t count, rounds = read->results[2] != NULL ? (size_t)PQntuples(read->results[2]) : 0;
	struct package_view *views = view_packages(read, &count);
	struct record_view *records = mem_zero(rounds, sizeof *records);
	bool ok = views != NULL;

	for (size_t i = 0; i < rounds && ok; i++) {
		struct row row = row_of(read->results[2], (int)i);

		records[i].receipt.seq = row_int(&row);
		records[i].record = row_bytes(&row, &records[i].len);
		ok = view_receipt(&row, &records[i].receipt);
	}
	if (!ok)
		r->ops->on_failed(r->data, read->tag, "a row of a round cannot be read");
	else
		r->ops->on_explained(r->data, read->tag, count > 0 ? views : NULL, records, rounds);
	mem_free(records);
	mem_free(views);
}

static void answer_command(struct reader *r, struct read *read)
{
	struct row row = row_of(read->results[0], 0);
	struct receipt receipt = {0};
	struct outcome outcome;
	const uint8_t *hash, *bytes;
	size_t hash_len, len;

	if (PQntuples(read->results[0]) == 0) {
		r->ops->on_command(r->data, read->tag, NULL, NULL, NULL);
		return;
	}
	hash = row_bytes(&row, &hash_len);
	receipt.seq = row_int(&row);
	bytes = row_bytes(&row, &len);
	if (!view_receipt(&row, &receipt) || hash_len != 16 || outcome_decode(bytes, len, &outcome) != ERR_OK)
		r->ops->on_failed(r->data, read->tag, "a row of command cannot be read");
	else
		r->ops->on_command(r->data, read->tag, hash, &outcome, &receipt);
}

static void answer_journal(struct reader *r, struct read *read)
{
	size_t count;
	struct journal_view *rows = journal_rows_view(read->results[0], &count);

	if (rows == NULL)
		r->ops->on_failed(r->data, read->tag, "a row of the journal cannot be read");
	else
		r->ops->on_journal(r->data, read->tag, rows, count);
	journal_rows_free(rows, count);
}

static void reader_answer(struct reader *r, struct read *read)
{
	if (read->failed != NULL) {
		r->ops->on_failed(r->data, read->tag, read->failed);
		return;
	}
	switch (read->kind) {
	case READ_PACKAGES:
		answer_packages(r, read);
		return;
	case READ_EXPLAIN:
		answer_explain(r, read);
		return;
	case READ_COMMAND:
		answer_command(r, read);
		return;
	case READ_JOURNAL:
		answer_journal(r, read);
		return;
	}
	UNREACHABLE();
}

static void read_free(struct read *read)
{
	for (uint32_t i = 0; i < STEPS_MAX; i++)
		PQclear(read->results[i]);
	mem_free(read->failed);
	mem_free(read);
}

/* The last event of the moment at which the packages were read; what is asked next is asked as of then. */
static void param_as_of(struct params *p, const PGresult *packages)
{
	int column = PQnfields(packages) - 1;

	param_bytes(p, PQgetvalue(packages, 0, column), (size_t)PQgetlength(packages, 0, column));
}

/* Is there a next query for this read? Then it goes to the end of the line, with what it has so far. */
static bool reader_next_step(struct reader *r, struct read *read)
{
	struct params p = {.count = 0};
	struct column numbers;
	bool more = false;
	int len;

	if (read->failed != NULL || (read->kind != READ_PACKAGES && read->kind != READ_EXPLAIN) ||
	    PQntuples(read->results[0]) == 0)
		return false;
	param_number(&p, r->shard, 2);
	if (read->step == 1) {
		column_init(&numbers, COLUMN_INT8);
		for (int i = 0; i < PQntuples(read->results[0]); i++) {
			struct row row = row_of(read->results[0], i);

			column_int(&numbers, row_int(&row));
		}
		param_bytes(&p, column_value(&numbers, &len), 0);
		p.lengths[1] = len;
		param_as_of(&p, read->results[0]);
		more = reader_send(r, QUERY_read_placements, &p) == ERR_OK;
		column_free(&numbers);
	} else if (read->step == 2 && read->kind == READ_EXPLAIN) {
		param_number(&p, read->package_no, 8);
		param_as_of(&p, read->results[0]);
		more = reader_send(r, QUERY_read_rounds, &p) == ERR_OK;
	}
	if (!more)
		return false;
	*r->last = read;
	r->last = &read->next;
	r->count++;
	return true;
}

static void reader_on_result(struct pipe *p, const PGresult *result)
{
	struct reader *r = p->data;
	struct read *read = r->first;

	if (read == NULL || read->step == STEPS_MAX)
		return;
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		/* kept until the read is answered: a copy shares nothing with the pipe's */
		read->results[read->step] = PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
		INSIST(read->results[read->step] != NULL);
	} else if (read->failed == NULL) {
		const char *message = PQresultErrorMessage(result);

		read->failed = mem_alloc(strlen(message) + 1);
		memcpy(read->failed, message, strlen(message) + 1);
	}
	read->step++;
}

static void reader_on_sync(struct pipe *p)
{
	struct reader *r = p->data;
	struct read *read = r->first;

	if (read == NULL)
		return;
	r->first = read->next;
	if (r->first == NULL)
		r->last = &r->first;
	r->count--;
	read->next = NULL;
	if (reader_next_step(r, read))
		return;
	reader_answer(r, read);
	read_free(read);
}

static void reader_on_notify(struct pipe *p, const char *channel)
{
	struct reader *r = p->data;

	if (strcmp(channel, "calloff_framework") == 0)
		r->ops->on_framework_edited(r->data);
}

static void reader_on_closed(struct pipe *p, enum err why)
{
	struct reader *r = p->data;

	(void)why;
	while (r->first != NULL) {
		struct read *read = r->first;

		r->first = read->next;
		r->ops->on_failed(r->data, read->tag, "the connection was lost");
		read_free(read);
	}
	r->last = &r->first;
	r->count = 0;
	r->ops->on_closed(r->data);
}

static const struct pipe_ops reader_pipe_ops = {
	.on_result = reader_on_result, .on_sync = reader_on_sync, .on_notify = reader_on_notify, .on_closed = reader_on_closed};

enum err reader_open(struct reader *r, uv_loop_t *loop, PGconn *pg, int16_t shard, const struct reader_ops *ops, void *data)
{
	static const enum query_id queries[] = {QUERY_read_package, QUERY_read_case, QUERY_read_states, QUERY_read_placements,
						QUERY_read_rounds, QUERY_read_journal, QUERY_find_command};

	*r = (struct reader){.ops = ops, .data = data, .shard = shard};
	r->last = &r->first;
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		PGresult *result = PQprepare(pg, query_name(queries[i]), query_sql(queries[i]), 0, NULL);
		bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

		PQclear(result);
		if (!ok) {
			PQfinish(pg);
			return ERR_STORE;
		}
	}
	return pipe_adopt(&r->pipe, loop, pg, &reader_pipe_ops, r);
}

void reader_close(struct reader *r)
{
	pipe_close(&r->pipe, ERR_OK);
}
