/* endpoints.h — where the engines of a shard may be: a list from the caller, and what an engine said of the one that reigns.
 *
 * Shape:   "a.sock,b.sock": one is current; a hint, while there is one, comes before it.
 * Owner:   endpoints_fini. Paths borrowed from endpoints_current live until the next change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { ENDPOINTS_MAX = 8 };

struct endpoints {
	char *text, *hint; /* hint NULL: none */
	const char *list[ENDPOINTS_MAX];
	size_t count, at;
};

/* At least one; more than ENDPOINTS_MAX are left out. */
void endpoints_init(struct endpoints *e, const char *list);
void endpoints_fini(struct endpoints *e);
const char *endpoints_current(const struct endpoints *e);
/* Nobody there, or not the one: the next of the list. */
void endpoints_next(struct endpoints *e);
/* The engine at the current one names another; "" when it knows none. */
void endpoints_moved(struct endpoints *e, const char *hint);
