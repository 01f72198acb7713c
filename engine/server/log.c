#include "server/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void log_line(enum log_event event, const char *format, ...)
{
	static const char *const names[] = {
#define X(name) #name,
		LOG_MAP(X)
#undef X
	};
	char line[1024], stamp[32];
	struct timespec t;
	struct tm tm;
	va_list args;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (char *c = line; *c != '\0'; c++) {
		if (*c == '\n' || *c == '\r')
			*c = ' '; /* a database's message has lines */
	}
	fprintf(stderr, "at=%s.%03ldZ event=%s%s%s\n", stamp, t.tv_nsec / 1000000, names[event], line[0] != '\0' ? " " : "",
		line);
}
