/* fuzz_case.c — any file as a scenario: read, or refused with a sentence that names the line; what is read can be run.
 *
 * case_read ends the process where it refuses: here its exit comes back (linked with --wrap=exit). */
#include "fuzz/fuzz.h"

#include "cases/case_read.h"
#include "core/core.h"

#include <setjmp.h>
#include <string.h>

enum { FRAMEWORK_BYTES = 8 << 20, CORE_BYTES = 8 << 20 };

static struct case_file file;
static unsigned char framework_memory[FRAMEWORK_BYTES];
static _Alignas(64) unsigned char core_memory[CORE_BYTES];
static jmp_buf refused;
static bool reading;

_Noreturn void __real_exit(int status);
_Noreturn void __wrap_exit(int status);

_Noreturn void __wrap_exit(int status)
{
	if (!reading)
		__real_exit(status);
	longjmp(refused, status == 2 ? 1 : 2);
}

/* Its sentences go to a buffer: there must be one, and it names the file. */
static bool read_case(FILE *text)
{
	static char said[4096];
	FILE *real = stderr, *sentences = fmemopen(said, sizeof said, "w");
	int how;

	memset(said, 0, sizeof said);
	stderr = sentences;
	reading = true;
	how = setjmp(refused);
	if (how == 0)
		case_read_stream(&file, "a.case", text, INT64_C(1767607200000000));
	reading = false;
	stderr = real;
	fclose(sentences);
	PROMISE(how != 2);
	PROMISE(how == 0 || strncmp(said, "a.case:", 7) == 0);
	return how == 0;
}

static void run(void)
{
	static const struct core_limits limits = {.packages_max = 2 * CASE_EVENTS, .placements_max = 2 * CASE_EVENTS,
						  .blocks_max = 16 * CASE_EVENTS};
	static struct update update;
	struct arena arena = {framework_memory, sizeof framework_memory, 0};
	struct framework_note note;
	const struct framework *f;
	struct core *core;

	PROMISE(framework_bytes(&file.rows) <= FRAMEWORK_BYTES);
	if (framework_seal(&file.rows, &arena, &f, &note) != ERR_OK)
		return;
	PROMISE(core_bytes(f, &limits) <= CORE_BYTES);
	memset(core_memory, 0, core_bytes(f, &limits));
	core = core_init(core_memory, f, &limits);
	for (int i = 0; i < file.event_count; i++) {
		struct case_event *e = &file.events[i];

		PROMISE(e->package >= -1 && e->package < CASE_PACKAGES && e->trace_count <= CASE_TRACE);
		e->event.seq = i + 1;
		e->event.now_us = file.base_us + e->at_seconds * 1000000;
		if (e->event.type != EVENT_SUBMIT && e->event.type != EVENT_DECLARE)
			e->event.change.package_no = e->package + 1;
		core_step(core, &e->event, &update);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *text;

	if (size == 0)
		return 0; /* fmemopen has no empty file */
	text = fmemopen((void *)(uintptr_t)data, size, "r");
	if (text == NULL)
		abort();
	if (read_case(text))
		run();
	fclose(text);
	return 0;
}
