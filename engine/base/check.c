#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_fail(const char *kind, const char *text, const char *file, int line)
{
	fprintf(stderr, "event=assertion_failed kind=%s text=\"%s\" at=%s:%d\n", kind, text, file, line);
	abort();
}
