/* allocations.h — counts every allocation that the program's own code asks for while the counting is on.
 *
 * The linker sends malloc, calloc, realloc, aligned_alloc, posix_memalign and mmap here (--wrap, see meson.build): calls
 * from libcore and libbase cannot go round it. libc's own calls of malloc are not seen; core calls only memcpy, memcmp,
 * memset and strlen of libc (tests/lint says so).
 */
#pragma once

#include <stdbool.h>

void allocations_count(bool on);
long allocations_counted(void);
