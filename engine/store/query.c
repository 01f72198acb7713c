#include "store/query.h"

static const struct {
	const char *name, *sql;
	int nparams;
} queries[] = {
#define X(name, nparams, sql) [QUERY_##name] = {#name, sql, nparams},
	QUERY_MAP(X)
#undef X
};

const char *query_sql(enum query_id id)
{
	return queries[id].sql;
}

const char *query_name(enum query_id id)
{
	return queries[id].name;
}

int query_nparams(enum query_id id)
{
	return queries[id].nparams;
}
