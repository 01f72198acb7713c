#include "store/fetch.h"

#include "base/check.h"
#include "store/fence.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void fetch_big_endian(uint8_t ret[8], int64_t n)
{
	for (int i = 0; i < 8; i++)
		ret[i] = (uint8_t)((uint64_t)n >> (8 * (7 - i)));
}

enum err fetch_fail(struct fetch *f, enum err why, const char *what)
{
	snprintf(f->note, f->note_size, "%s", what);
	for (char *c = f->note; *c != '\0'; c++) {
		if (*c == '\n' || *c == '"')
			*c = ' ';
	}
	return why;
}

bool fetch_wait(PGconn *pg)
{
	struct pollfd watch = {.fd = PQsocket(pg), .events = POLLIN};
	int ready;

	while ((ready = poll(&watch, 1, FETCH_SILENCE_S * 1000)) < 0 && errno == EINTR)
		;
	if (ready == 0) /* silent: libpq shall find the connection broken, or a standby would go on asking it */
		shutdown(watch.fd, SHUT_RDWR);
	return PQconsumeInput(pg) == 1;
}

PGresult *fetch_result(PGconn *pg)
{
	PGresult *last = NULL, *next;

	for (;;) {
		while (PQisBusy(pg)) {
			if (!fetch_wait(pg)) {
				PQclear(last);
				return NULL;
			}
		}
		next = PQgetResult(pg);
		if (next == NULL)
			return last;
		PQclear(last);
		last = next;
		if (PQresultStatus(last) == PGRES_COPY_OUT)
			return last; /* rows follow, and only then its end */
	}
}

enum err fetch_rows(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count,
		    PGresult **ret_result)
{
	uint8_t shard[2] = {(uint8_t)((uint16_t)f->shard >> 8), (uint8_t)f->shard};
	const char *values[6] = {(const char *)shard};
	int lengths[6] = {2}, formats[6] = {1, 1, 1, 1, 1, 1};
	PGresult *r;

	REQUIRE(more_count < 6 && query_nparams(query) <= 1 + more_count);
	for (int i = 0; i < more_count; i++) {
		values[1 + i] = more[i].bytes;
		lengths[1 + i] = more[i].len;
	}
	r = PQsendQueryParams(f->pg, query_sql(query), query_nparams(query), NULL, values, lengths, formats, 1) == 1 ?
		    fetch_result(f->pg) : NULL;
	*ret_result = NULL;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		char what[200];

		snprintf(what, sizeof what, "%s: %s", query_name(query), PQerrorMessage(f->pg));
		PQclear(r);
		return fetch_fail(f, ERR_STORE, what);
	}
	*ret_result = r;
	return ERR_OK;
}

enum err fetch_connect(struct fetch *f, const char *dsn, const PGconn *first, PGconn **ret)
{
	/* only a primary will do; over TCP a peer that is gone without a word is noticed in seconds; the DSN may say otherwise */
	const char *const keywords[] = {"target_session_attrs", "connect_timeout", "keepalives_idle", "keepalives_interval",
					"keepalives_count", "tcp_user_timeout", "application_name", "dbname", "options",
					"host", "hostaddr", "port", NULL};
	/* jit costs more than it saves on calls of microseconds; a generic plan spares planning them at all; parallel workers and
	 * scans that join another's half-way would shuffle rows that lie in order */
	const char *const values[] = {"read-write", "2", "2", "2", "3", "6000", "calloffd", dsn,
				      "-c jit=off -c plan_cache_mode=force_generic_plan -c statement_timeout=60000"
				      " -c lock_timeout=10000 -c max_parallel_workers_per_gather=0"
				      " -c synchronize_seqscans=off",
				      first != NULL ? PQhost(first) : NULL, first != NULL ? PQhostaddr(first) : NULL,
				      first != NULL ? PQport(first) : NULL, NULL};

	*ret = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(*ret) != CONNECTION_OK)
		return fetch_fail(f, ERR_STORE, PQerrorMessage(*ret));
	PQsetErrorVerbosity(*ret, PQERRORS_TERSE);
	return ERR_OK;
}

enum err fetch_exec(struct fetch *f, const char *sql)
{
	PGresult *r = PQsendQuery(f->pg, sql) == 1 ? fetch_result(f->pg) : NULL;
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;

	PQclear(r);
	return ok ? ERR_OK : fetch_fail(f, ERR_STORE, PQerrorMessage(f->pg));
}

enum err fetch_fence(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count, struct fence *ret,
		     bool *ret_found)
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
	row_text(&r, ret->engine, sizeof ret->engine);
	ret->instance = row_int(&r);
	row_text(&r, ret->endpoint, sizeof ret->endpoint);
	PQclear(result);
	return r.bad || len != sizeof ret->head_hash ? fetch_fail(f, ERR_BAD_ROW, "the fence cannot be read") : ERR_OK;
}
