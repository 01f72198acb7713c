/* case_run.c — runs one scenario file through the core alone or a whole server, and compares what it says.
 *
 *	case_run --core FILE         the core alone
 *	case_run --server FILE       a fresh database, a calloffd and the client library: needs PGHOST, see tests/kit/cluster
 *	case_run --accept FILE       writes into the file what the core says
 *
 * Exit: 0 the same, 1 another trace, 2 the file cannot be read or run.
 */
#include "case_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CORE_BASE_US INT64_C(1767607200000000) /* Monday 2026-01-05 10:00 UTC */

static struct case_file file;
static struct trace traces[CASE_EVENTS];

static void story_run(const struct case_engine *engine)
{
	static struct snapshot before, after;
	static struct told told;

	engine->open(&file);
	engine->look(&file, &before);
	for (int i = 0; i < file.event_count; i++) {
		engine->step(&file, &file.events[i], &told);
		engine->look(&file, &after);
		trace_write(&file, &told, &before, &after, &traces[i]);
		before = after;
	}
	engine->close();
}

static bool event_same(const struct case_event *e, const struct trace *t, int *ret_lines)
{
	*ret_lines = 0;
	while (*ret_lines < e->trace_count && *ret_lines < t->count &&
	       strcmp(e->trace[*ret_lines], t->lines[*ret_lines]) == 0)
		(*ret_lines)++;
	return *ret_lines == e->trace_count && *ret_lines == t->count;
}

/* The story up to the first line that differs, then both ways on from there for that event. */
static bool story_compare(const struct case_engine *engine)
{
	int same, wrong = 0;

	while (wrong < file.event_count && event_same(&file.events[wrong], &traces[wrong], &same))
		wrong++;
	if (wrong == file.event_count)
		return true;
	printf("--- %s\n+++ what the %s says\n", file.path, engine->name);
	for (int i = 0; i <= wrong; i++) {
		const struct case_event *e = &file.events[i];

		event_same(e, &traces[i], &same);
		printf(" %s   (line %d)\n", e->text, e->line);
		for (int line = 0; line < same; line++)
			printf("       > %s\n", e->trace[line]);
		for (int line = same; line < e->trace_count; line++)
			printf("-      > %s   (line %d)\n", e->trace[line], e->trace_lines[line]);
		for (int line = same; line < traces[i].count; line++)
			printf("+      > %s\n", traces[i].lines[line]);
	}
	return false;
}

/* The file again, each event's trace behind the last line of what is asked. */
static int story_accept(void)
{
	static char text[CASE_TEXT_BYTES * 2];
	size_t used = 0;
	char line[CASE_LINE_BYTES];
	FILE *f = fopen(file.path, "r");
	int event = -1;

	if (f == NULL)
		return 2;
	for (bool more = true, due = false; more;) {
		more = fgets(line, sizeof line, f) != NULL;
		if (more && line[strspn(line, " \t")] == '>')
			continue;
		if (due && (!more || (line[0] != ' ' && line[0] != '\t'))) {
			for (int i = 0; i < traces[event].count; i++)
				used += (size_t)snprintf(text + used, sizeof text - used, "      > %s\n", traces[event].lines[i]);
			due = false;
		}
		if (!more)
			break;
		used += (size_t)snprintf(text + used, sizeof text - used, "%s", line);
		if (line[0] == '[') {
			event++;
			due = true;
		}
	}
	fclose(f);
	f = fopen(file.path, "w");
	if (f == NULL || fwrite(text, 1, used, f) != used || fclose(f) != 0)
		return 2;
	return 0;
}

/* A start of today must still be today when it is submitted. */
static int64_t now_us(void)
{
	time_t now = time(NULL);

	if (now % CASE_DAY_SECONDS > CASE_DAY_SECONDS - 60) {
		struct timespec rest = {.tv_sec = CASE_DAY_SECONDS - now % CASE_DAY_SECONDS + 1};

		nanosleep(&rest, NULL);
		now = time(NULL);
	}
	return (int64_t)now * 1000000;
}

int main(int argc, char **argv)
{
	const struct case_engine *engine = &case_core_engine;
	bool server = argc == 3 && strcmp(argv[1], "--server") == 0, accept = argc == 3 && strcmp(argv[1], "--accept") == 0;

	if (argc != 3 || !(server || accept || strcmp(argv[1], "--core") == 0)) {
		fprintf(stderr, "usage: case_run --core|--server|--accept FILE\n");
		return 2;
	}
	if (server)
		engine = &case_server_engine;
	case_read(&file, argv[2], server ? now_us() : CORE_BASE_US);
	story_run(engine);
	if (accept)
		return story_accept();
	return story_compare(engine) ? 0 : 1;
}
