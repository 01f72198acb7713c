#include "trace.h"

#include "agenda.h"
#include "run.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINES_KEPT = 4096 };

static const char *const sentences[TRACE_COUNT] = {
#define X(name, text) text,
	TRACE_MAP(X)
#undef X
};

static const char *const names[TRACE_COUNT] = {
#define X(name, text) #name,
	TRACE_MAP(X)
#undef X
};

struct line {
	int64_t at_us, numbers[4];
	int who;
	enum trace_what what;
};

static struct line lines[LINES_KEPT];
static int64_t counts[TRACE_COUNT];
static int64_t line_count, start_us;
static uint64_t hash;
static bool loud;

void trace_begin(bool verbose)
{
	line_count = 0;
	start_us = agenda_now_us;
	hash = 0xcbf29ce484222325u;
	loud = verbose;
}

static void line_print(const struct line *l)
{
	int64_t us = l->at_us - start_us;
	char who[24];

	if (l->who == WHO_DATABASE)
		snprintf(who, sizeof who, "database");
	else if (l->who == WHO_NEMESIS)
		snprintf(who, sizeof who, "nemesis");
	else if (l->who < WHO_NEMESIS)
		snprintf(who, sizeof who, "engine %d", l->who - WHO_ENGINE);
	else
		snprintf(who, sizeof who, "client %d", l->who - WHO_CLIENT);
	printf("%5lld.%06lld s  %-9s ", (long long)(us / 1000000), (long long)(us % 1000000), who);
	printf(sentences[l->what], (long long)l->numbers[0], (long long)l->numbers[1], (long long)l->numbers[2],
	       (long long)l->numbers[3]);
	printf("\n");
}

/* splitmix64's last step: each number moves every bit */
static uint64_t mix(uint64_t h, uint64_t n)
{
	h = (h ^ n) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
	return h ^ (h >> 31);
}

void trace(int who, enum trace_what what, int64_t a, int64_t b, int64_t c, int64_t d)
{
	struct line *l = &lines[line_count++ % LINES_KEPT];

	counts[what]++;
	*l = (struct line){agenda_now_us, {a, b, c, d}, who, what};
	hash = mix(mix(mix(hash, (uint64_t)agenda_now_us), (uint64_t)who << 32 | what), (uint64_t)a);
	hash = mix(mix(mix(hash, (uint64_t)b), (uint64_t)c), (uint64_t)d);
	if (loud)
		line_print(l);
}

uint64_t trace_hash(void)
{
	return hash;
}

int64_t trace_count(enum trace_what what)
{
	return counts[what];
}

const char *trace_name(enum trace_what what)
{
	return names[what];
}

void trace_print(int count)
{
	int64_t kept = line_count < LINES_KEPT ? line_count : LINES_KEPT;

	if (loud)
		return; /* they were all printed */
	for (int64_t i = line_count - (kept < count ? kept : count); i < line_count; i++)
		line_print(&lines[i % LINES_KEPT]);
}

const char *invariant_text(enum invariant i)
{
	static const char *const texts[] = {
#define X(name, text) text,
		INVARIANT_MAP(X)
#undef X
	};

	return texts[i];
}

_Noreturn void sim_violation(enum invariant invariant, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	run_leave(invariant, text);
}
