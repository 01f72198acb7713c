#include "load.h"

#include "agenda.h"
#include "dice.h"
#include "trace.h"

#include "../diff/world.h"
#include "core/words.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMEWORKS_KEPT = 64 };

static struct {
	uint64_t id;
	int64_t version;
	const struct framework *framework;
} kept[FRAMEWORKS_KEPT];
static uint32_t kept_count, kept_next;
static struct core_limits limits;

void load_begin(uint32_t packages_max)
{
	kept_count = kept_next = 0;
	limits = (struct core_limits){packages_max, packages_max, 2 * packages_max};
}

const struct framework *load_framework_of(const struct model_market *market, int64_t version, uint64_t id)
{
	struct framework_rows *rows;
	struct framework_note note;
	struct arena arena = {0};
	uint32_t at;

	for (uint32_t i = 0; i < kept_count; i++) {
		if (kept[i].id == id && kept[i].version == version)
			return kept[i].framework;
	}
	rows = world_rows(market);
	rows->version = version;
	arena.size = framework_bytes(rows);
	arena.base = agenda_memory(arena.size);
	at = kept_next++ % FRAMEWORKS_KEPT;
	kept_count = kept_next < FRAMEWORKS_KEPT ? kept_next : (uint32_t)FRAMEWORKS_KEPT;
	kept[at].id = id;
	kept[at].version = version;
	if (framework_seal(rows, &arena, &kept[at].framework, &note) != ERR_OK)
		sim_violation(LOADABLE, "%s", note.text);
	return kept[at].framework;
}

struct core *load_core_empty(const struct framework *f)
{
	size_t bytes = core_bytes(f, &limits);
	unsigned char *mem = agenda_memory(bytes + 64);

	mem += -(uintptr_t)mem & 63;
	return core_init(mem, f, &limits);
}

static void must(enum err why, const char *what, int64_t no)
{
	if (why != ERR_OK)
		sim_violation(LOADABLE, "%s %lld: error %d", what, (long long)no, why);
}

static void load_pools(struct core *core)
{
	for (int i = 0; i < store.market.pool_n; i++) {
		const struct store_pool *p = &store.pools[i];
		uint16_t declared[2][CELLS];

		for (int cell = 0; cell < 2 * CELLS; cell++)
			declared[cell / CELLS][cell % CELLS] = (uint16_t)p->declared[cell / CELLS][cell % CELLS];
		must(core_load_pool(core, i + 1, p->mode, (const uint16_t(*)[CELLS])declared, p->expires_us, p->available_from_day),
		     "pool", i + 1);
	}
}

static bool is_over(int state)
{
	return state == STATE_ENDED || state == STATE_WITHDRAWN || state == STATE_VOID;
}

/* Rows come in no order that anybody promised: two halves, one of them backwards. */
static void load_packages(struct core *core)
{
	int64_t last = store.fence.last_seq;

	for (int half = 0; half < 2; half++) {
		for (int64_t i = 1; i <= last; i++) {
			int64_t no = half == 0 ? i : last + 1 - i;
			struct store_package *p = &store.packages[no];

			if (!p->there || no % 2 != half || is_over(p->row.state))
				continue;
			p->row.bundle_ref.bytes = p->bundle_ref;
			must(core_load_package(core, &p->row), "package", no);
		}
	}
}

static int by_key(const void *a, const void *b)
{
	const struct store_command *x = *(const struct store_command *const *)a, *y = *(const struct store_command *const *)b;

	return memcmp(x->key, y->key, 16);
}

struct loaded_keys *load_keys(uint32_t keys_max)
{
	uint32_t count = (uint32_t)store.fence.last_seq;
	const struct store_command **all = agenda_memory((count + 1) * sizeof *all);
	struct loaded_keys *l = agenda_memory(sizeof *l);

	for (uint32_t i = 0; i < count; i++)
		all[i] = &store.commands[i + 1];
	qsort(all, count, sizeof *all, by_key);
	l->all = count < keys_max;
	l->count = l->all ? count : keys_max;
	l->keys = agenda_memory((l->count + 1) * sizeof *l->keys);
	l->seqs = agenda_memory((l->count + 1) * sizeof *l->seqs);
	for (uint32_t i = 0; i < l->count; i++) {
		const struct store_command *c = all[count - l->count + i];
		struct store_command *copy = agenda_memory(sizeof *copy); /* of now: the row may be gone after a failover */

		*copy = *c;
		l->keys[i] = copy;
		l->seqs[i] = c - store.commands;
	}
	return l;
}

struct loaded *load_all(void)
{
	struct loaded *l = agenda_memory(sizeof *l);

	l->fence = store.fence;
	l->framework = load_framework_of(&store.market, store.fence.framework_version, store.framework_id);
	l->core = load_core_empty(l->framework);
	load_pools(l->core);
	load_packages(l->core);
	must(core_loaded(l->core), "packages", 0);
	for (uint32_t i = 0; i < store.placement_count; i++) {
		if (store.placements[i].ended_seq == 0)
			must(core_load_placement(l->core, &store.placements[i].row), "placement of package",
			     store.placements[i].row.package_no);
	}
	return l;
}
