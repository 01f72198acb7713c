/* package.h — one package as a row of a table.
 *
 * Shape:   the same columns for status and queue.
 * Errors:  none; what the engine left out stays empty.
 */
#pragma once

#include "cli.h"

/* Begins the table: on a terminal with the columns that fit one. */
void package_table(const struct cli *cli, struct table *t);
void package_row(const struct cli *cli, struct table *t, const Calloff__V1__Package *package);
/* The main placement, else the interim one, else any; NULL: none. */
const Calloff__V1__Placement *package_placement(const Calloff__V1__Package *package);
