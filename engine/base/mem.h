/* mem.h — memory that never fails: out of memory ends the process, PostgreSQL holds the truth.
 *
 * Sizes that come from outside are checked against limits.h before they get here.
 */
#pragma once

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zero(size_t count, size_t size);
void *mem_grow(void *p, size_t size);
void mem_free(void *p);
/* A reserved mapping: zeroed pages that cost nothing until touched; 4 KiB aligned. */
void *mem_map(size_t size);
void mem_unmap(void *p, size_t size);
