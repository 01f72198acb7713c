/* query.h — every statement of sql/query by name; the SQL is embedded at build time. */
#pragma once

#include "query_map.h"

enum query_id {
#define X(name, nparams, sql) QUERY_##name,
	QUERY_MAP(X)
#undef X
	QUERY_COUNT
};

const char *query_sql(enum query_id id);
const char *query_name(enum query_id id);
int query_nparams(enum query_id id);
