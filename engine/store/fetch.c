#include "store/fetch.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

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

enum err fetch_rows(struct fetch *f, enum query_id query, const struct fetch_param *more, int more_count,
		    PGresult **ret_result)
{
	uint8_t shard[2] = {(uint8_t)((uint16_t)f->shard >> 8), (uint8_t)f->shard};
	const char *values[4] = {(const char *)shard};
	int lengths[4] = {2}, formats[4] = {1, 1, 1, 1};
	PGresult *r;

	REQUIRE(more_count < 4 && query_nparams(query) <= 1 + more_count);
	for (int i = 0; i < more_count; i++) {
		values[1 + i] = more[i].bytes;
		lengths[1 + i] = more[i].len;
	}
	r = PQexecParams(f->pg, query_sql(query), query_nparams(query), NULL, values, lengths, formats, 1);
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
