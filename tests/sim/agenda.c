#include "agenda.h"

#include "trace.h"

#include "base/mem.h"

#include <string.h>

enum { TASKS_MAX = 65536, CHUNK_BYTES = 1 << 20, CHUNKS_MAX = 4096 };

struct task {
	int64_t at_us;
	uint64_t serial;
	void (*run)(void *what, int64_t number);
	void *what;
	int64_t number;
};

int64_t agenda_now_us;

static struct task tasks[TASKS_MAX]; /* a heap: the soonest first */
static uint32_t task_count;
static uint64_t task_serial;
static struct {
	unsigned char *chunks[CHUNKS_MAX];
	size_t sizes[CHUNKS_MAX];
	uint32_t count, open; /* chunks there are; the one being filled */
	size_t used;
} memory;

/* ---- time ---- */

static bool task_sooner(const struct task *a, const struct task *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->serial < b->serial;
}

void agenda_add(int64_t after_us, void (*run)(void *what, int64_t number), void *what, int64_t number)
{
	uint32_t at = task_count++;
	struct task task = {agenda_now_us + (after_us > 0 ? after_us : 0), task_serial++, run, what, number};

	if (task_count > TASKS_MAX)
		sim_violation(SIMULATOR, "%s", __func__);
	for (; at > 0 && task_sooner(&task, &tasks[(at - 1) / 2]); at = (at - 1) / 2)
		tasks[at] = tasks[(at - 1) / 2];
	tasks[at] = task;
}

static struct task task_take(void)
{
	struct task first = tasks[0], last = tasks[--task_count];
	uint32_t at = 0, child;

	for (; (child = at * 2 + 1) < task_count; at = child) {
		if (child + 1 < task_count && task_sooner(&tasks[child + 1], &tasks[child]))
			child++;
		if (!task_sooner(&tasks[child], &last))
			break;
		tasks[at] = tasks[child];
	}
	tasks[at] = last;
	return first;
}

bool agenda_step(void)
{
	struct task task;

	if (task_count == 0)
		return false;
	task = task_take();
	agenda_now_us = task.at_us;
	task.run(task.what, task.number);
	return true;
}

/* ---- memory ---- */

void *agenda_memory(size_t bytes)
{
	void *p;

	bytes = (bytes + 15) & ~(size_t)15;
	while (memory.open >= memory.count || memory.used + bytes > memory.sizes[memory.open]) {
		if (memory.open < memory.count)
			memory.open++;
		memory.used = 0;
		if (memory.open < memory.count)
			continue;
		if (memory.count == CHUNKS_MAX)
			sim_violation(SIMULATOR, "%s", __func__);
		memory.sizes[memory.count] = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		memory.chunks[memory.count] = mem_alloc(memory.sizes[memory.count]);
		memory.count++;
	}
	p = memory.chunks[memory.open] + memory.used;
	memory.used += bytes;
	return memset(p, 0, bytes);
}

void agenda_begin(int64_t start_us)
{
	agenda_now_us = start_us;
	task_count = 0;
	task_serial = 0;
	memory.open = 0;
	memory.used = 0;
}

void agenda_end(void)
{
	for (uint32_t i = 0; i < memory.count; i++)
		mem_free(memory.chunks[i]);
	memory.count = memory.open = 0;
	memory.used = 0;
}
