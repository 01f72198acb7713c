/* replace.h — a file that readers find old or new, never half: written beside itself, then renamed.
 *
 * Shape:   bytes -> the file, mode 0644 as far as the umask allows.
 * Errors:  EX_IOERR, told; the old file is then as it was and nothing is left beside it.
 */
#pragma once

#include "cli.h"

int replace_file(const struct cli *cli, const char *path, const char *bytes, size_t len);
