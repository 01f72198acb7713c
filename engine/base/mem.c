#include "base/mem.h"

#include "base/check.h"

#include <stdlib.h>
#include <sys/mman.h>

void *mem_alloc(size_t size)
{
	void *p = malloc(size == 0 ? 1 : size);

	INSIST(p != NULL);
	return p;
}

void *mem_zero(size_t count, size_t size)
{
	void *p = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

	INSIST(p != NULL);
	return p;
}

void *mem_grow(void *p, size_t size)
{
	p = realloc(p, size == 0 ? 1 : size);
	INSIST(p != NULL);
	return p;
}

void mem_free(void *p)
{
	free(p);
}

void *mem_map(size_t size)
{
	void *p = mmap(NULL, size == 0 ? 1 : size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	INSIST(p != MAP_FAILED);
	return p;
}

void mem_unmap(void *p, size_t size)
{
	if (p != NULL)
		munmap(p, size == 0 ? 1 : size);
}
