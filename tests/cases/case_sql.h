/* case_sql.h — a fresh database for one story: the migrations, and the case's framework as commissioners would write it.
 *
 * Errors: any fault prints what PostgreSQL said and ends the process with 2; the database is dropped by sql_drop.
 */
#pragma once

#include "case.h"

/* Makes database `name` in $PGHOST's cluster and fills it. migrations: the folder of sql/schema. */
void sql_make(const struct case_file *c, const char *name, const char *migrations);
void sql_drop(const char *name);
