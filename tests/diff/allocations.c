#include "allocations.h"

#include <stddef.h>
#include <sys/types.h>

static bool counting;
static long counted;

void allocations_count(bool on)
{
	counting = on;
}

long allocations_counted(void)
{
	return counted;
}

#define WRAP(type, name, parameters, arguments)                                                    \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		counted += counting;                                                               \
		return __real_##name arguments;                                                    \
	}
WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *p, size_t size), (p, size))
WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
WRAP(int, posix_memalign, (void **ret, size_t alignment, size_t size), (ret, alignment, size))
WRAP(void *, mmap, (void *at, size_t length, int protection, int flags, int fd, off_t offset),
     (at, length, protection, flags, fd, offset))
