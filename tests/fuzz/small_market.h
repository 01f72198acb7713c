/* small_market.h — a framework's rows from bytes: few rows, any references between them, numbers as the schema allows.
 *
 * Shape:  sql/schema/0002_framework.sql CHECKs are kept (they are what the loader can meet); references, dates, orders
 *         and route numbers are whatever the bytes say, and so are duplicates.
 * Owner:  the struct holds the rows; keep it static.
 */
#pragma once

#include "base/bytes.h"
#include "core/framework.h"

enum { SMALL_ROWS = 24, SMALL_NOW_DAY = 20454 };

struct small_market {
#define X(type, name) struct row_##type name[SMALL_ROWS];
	FRAMEWORK_TABLES(X)
#undef X
	struct framework_rows rows;
};

void small_market_read(struct reader *r, struct small_market *m);
/* An event as wire/request could have let it in, naming what is in the rows, mostly. */
void small_market_event(struct reader *r, const struct small_market *m, struct event *event);
