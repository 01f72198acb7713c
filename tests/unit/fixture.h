/* fixture.h — a small market to test with: two lots, a straddling sector, a few providers, one list a lot.
 *
 * Shape:  world_rows fills plain rows; a test changes what it is about; world_open seals them and starts a core.
 * Owner:  the struct is large: keep it static. Everything in it dies with world_close.
 */
#pragma once

#include "core/core.h"
#include "core/words.h"

#define DAY_US INT64_C(86400000000)

enum {
	WORLD_TODAY = 20454, /* 2026-01-01, a Thursday */
	WORLD_ROWS = 640,
	DISTRICT_MALDON = 1,
	DISTRICT_CHELMSFORD = 2,
	DISTRICT_OUTSIDE = 3,
	SECTOR_MALDON = 1,     /* CM0 7 */
	SECTOR_CHELMSFORD = 2, /* CM1 1 */
	SECTOR_STRADDLES = 3,  /* CM3 4 */
	SECTOR_OUTSIDE = 4,    /* CO1 1 */
	LIST_MALDON = 1,
	LIST_CHELMSFORD = 2,
};

struct world {
#define X(type, name) struct row_##type name[WORLD_ROWS];
	FRAMEWORK_TABLES(X)
#undef X
	struct framework_rows rows;
	struct framework_note note;
	const struct framework *framework;
	struct arena arena;
	struct core *core;
	void *core_memory;
	size_t core_memory_bytes;
	struct core_limits limits;
	int64_t now_us, seq;
	struct event event;
	struct update update;
};

/* Three providers ranked 1, 2, 3 on the Maldon list, each with a time pool; nothing is declared yet. */
void world_rows(struct world *w);
enum err world_seal(struct world *w);
/* Seals and starts a core with small limits; the rows must be right. */
void world_open(struct world *w);
/* A second, empty core over the same framework. */
struct core *world_core(struct world *w);
void world_close(struct world *w);

/* Rows past world_rows. */
void world_add_provider(struct world *w, int32_t provider_no, const char *code);
void world_add_entry(struct world *w, int32_t list_no, int32_t version, int32_t provider_no, int32_t rank);
void world_add_pool(struct world *w, int32_t pool_no, int32_t provider_no, int32_t kind);
void world_add_coverage(struct world *w, int32_t list_no, int32_t provider_no, int32_t sector_no, int32_t pool_no);

struct text text_of(const char *s);

/* Events; the event is w->event, its outcome w->update.outcome. All step the core, world_decide does not. */
void world_step(struct world *w);
void world_decide(struct world *w);
/* minutes in each cell of both planes, valid for a year */
void world_declare(struct world *w, const char *pool, uint32_t minutes);
/* One person in Maldon, one visit of minutes every morning; change w->event.submit, then world_step. */
struct requirement *world_submit(struct world *w, uint32_t minutes);
int64_t world_place(struct world *w, uint32_t minutes);
void world_change(struct world *w, enum event_type type, int64_t package_no);
/* All free of a cell, in units. */
int32_t world_free(const struct world *w, int32_t pool_no, uint32_t cell, uint32_t plane);
