#include "base/arena.h"

#include <stdint.h>
#include <string.h>

void *arena_alloc(struct arena *a, size_t size)
{
	size_t at = (a->used + 15u) & ~(size_t)15u;

	if (size > a->size || at > a->size - size)
		return NULL;
	a->used = at + size;
	return a->base + at;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;

	void *p = arena_alloc(a, count * size);

	if (p != NULL)
		memset(p, 0, count * size);
	return p;
}

void arena_reset(struct arena *a)
{
	a->used = 0;
}
