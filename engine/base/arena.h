/* arena.h — bump memory that lives as long as one request, one snapshot, or one load.
 *
 * Owner:  the caller owns base; the arena only counts. Errors: NULL when full, never a crash.
 */
#pragma once

#include <stddef.h>

struct arena {
	unsigned char *base;
	size_t size, used;
};

/* 16-byte aligned; NULL when it does not fit. */
void *arena_alloc(struct arena *a, size_t size);
/* The same, zeroed, for count elements; NULL also when count*size overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);
void arena_reset(struct arena *a);
