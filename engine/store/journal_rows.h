/* journal_rows.h — rows of the journal as read_journal returns them, pointed at in place. */
#pragma once

#include "core/view.h"

#include <libpq-fe.h>

/* NULL: a row cannot be right. Views hold as long as the result; journal_rows_free before PQclear. */
struct journal_view *journal_rows_view(const PGresult *result, size_t *ret_count);
void journal_rows_free(struct journal_view *rows, size_t count);
