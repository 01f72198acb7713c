/* bulk.h — calloff submit FILE: thousands of packages, many under way at once.
 *
 * Shape:   rows are read, given keys and sent in chunks; replies come in any order, each names its line.
 * Errors:  a bad or refused row is told with its line and the rest goes on; the exit code is the worst one.
 *          A lost engine ends the run; --keys makes the rerun safe.
 * Owner:   one struct bulk for one run.
 */
#pragma once

#include "cli.h"

int bulk_submit(struct cli *cli, const char *path);
