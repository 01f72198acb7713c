/* fetch.h — blocking queries for store/open and its loaders: one call, binary rows, a note when it fails.
 *
 * Errors: ERR_STORE, also when the database takes a query and says nothing for FETCH_SILENCE_S: it may be frozen, or its
 *         connection half open. The connection is of no use afterwards.
 */
#pragma once

#include "base/err.h"
#include "pg/row.h"
#include "store/query.h"

enum { FETCH_SILENCE_S = 15 }; /* longer than lock_timeout: a lock that is not had is said */

struct fetch {
	PGconn *pg;
	int16_t shard;
	char *note;
	size_t note_size;
};

/* Parameters after the shard ($1) are 8-byte integers and uuids as big-endian bytes, or texts. */
struct fetch_param {
	const void *bytes;
	int len;
};

/* ret_result: PQclear it; NULL on error. takes_shard: $1 is f->shard. */
enum err fetch_rows(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count,
		    PGresult **ret_result) ERR_MUST_CHECK;
enum err fetch_fail(struct fetch *f, enum err why, const char *what);
void fetch_big_endian(uint8_t ret[8], int64_t n);

/* Connects as the engine does everywhere. first: a connection whose host this one shall have too, or NULL. */
enum err fetch_connect(struct fetch *f, const char *dsn, const PGconn *first, PGconn **ret) ERR_MUST_CHECK;
enum err fetch_exec(struct fetch *f, const char *sql) ERR_MUST_CHECK;
/* After a PQsend...: the last result; PQclear it. NULL: the connection is gone, or silent. */
PGresult *fetch_result(PGconn *pg);
/* Until something came to read. false: gone, or silent. */
bool fetch_wait(PGconn *pg);
struct fence;
/* A query that returns the fence, or no row. */
enum err fetch_fence(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count, struct fence *ret,
		     bool *ret_found) ERR_MUST_CHECK;

struct opening;
/* Parts of store_open that store_follow needs too. open_pulse: an engine that loads for long still touches its fence. */
enum err open_reign(struct opening *o, struct fetch *f, int64_t expected_epoch, bool *ret_reigns) ERR_MUST_CHECK;
enum err open_load(struct opening *o, struct fetch *f) ERR_MUST_CHECK;
enum err open_check_settings(struct opening *o, struct fetch *f) ERR_MUST_CHECK;
void open_pulse(struct opening *o);
enum err load_framework(struct fetch *f, struct opening *o) ERR_MUST_CHECK;
/* read: a second connection in the same snapshot. */
enum err load_state(struct fetch *f, struct fetch *read, struct opening *o) ERR_MUST_CHECK;
enum err load_keys(struct fetch *f, struct opening *o) ERR_MUST_CHECK;
