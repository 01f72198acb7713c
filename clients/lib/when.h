/* when.h — instants as people and case systems write them.
 *
 * Units:   us UTC. Without a zone the text is local time (TZ); "2026-12-19" is its midnight.
 * Shape:   2026-12-19 · 2026-12-19 14:00 · 2026-12-19T14:00[:30[.25]] with Z or +01:00 at will.
 * Errors:  false: not such a text, or a day or hour that does not exist.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool when_parse_us(const char *text, int64_t *ret_us);
/* yyyy-mm-dd of a day that exists. */
bool when_is_date(const char *text);
