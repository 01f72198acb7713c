/* fetch.h — blocking queries for store/open and its loaders: one call, binary rows, a note when it fails. */
#pragma once

#include "base/err.h"
#include "pg/row.h"
#include "store/query.h"

struct fetch {
	PGconn *pg;
	int16_t shard;
	char *note;
	size_t note_size;
};

/* Parameters after the shard ($1) are 8-byte integers or uuids, as big-endian bytes. */
struct fetch_param {
	const void *bytes;
	int len;
};

/* ret_result: PQclear it; NULL on error. takes_shard: $1 is f->shard. */
enum err fetch_rows(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count,
		    PGresult **ret_result) ERR_MUST_CHECK;
enum err fetch_fail(struct fetch *f, enum err why, const char *what);
void fetch_big_endian(uint8_t ret[8], int64_t n);

struct opening;
enum err load_framework(struct fetch *f, struct opening *o) ERR_MUST_CHECK;
/* read: a second connection in the same snapshot. */
enum err load_state(struct fetch *f, struct fetch *read, struct opening *o) ERR_MUST_CHECK;
enum err load_keys(struct fetch *f, struct opening *o) ERR_MUST_CHECK;
