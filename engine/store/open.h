/* open.h — from nothing to a loaded shard: connect, check, take over, load. Runs on a worker thread, so it may block.
 *
 * Shape:   a DSN and a shard -> connections to write and one to read, the fence as taken over, a framework and a core filled
 *          from one snapshot, and the newest command keys.
 * Errors:  ERR_STORE (no connection; try again), ERR_STORE_UNSAFE, ERR_DEPOSED (another engine took over meanwhile),
 *          ERR_BAD_ROW; note says what, for the log and the operator.
 * Owner:   the caller owns struct opening and everything in it after store_open returns, whatever it returned:
 *          store_open_free, or take the parts and clear them.
 * Loop:    no libuv here; nothing is shared with the loop until store_open has returned.
 * Source:  RELIABILITY 3.4: an unknown commit is resolved by take_over, a fenced write; never by a read.
 */
#pragma once

#include "core/core.h"
#include "store/fence.h"

#include <libpq-fe.h>

struct key_row {
	uint8_t key[16];
	char client[CLIENT_BYTES_MAX + 1];
	int64_t seq;
};

struct opening {
	/* in */
	const char *dsn;
	int16_t shard;
	struct core_limits limits;
	uint32_t keys_max, write_count; /* connections to commit over, 1..LANES_MAX */
	/* out */
	PGconn *write[LANES_MAX], *read;
	struct fence fence;
	struct arena framework_memory;
	const struct framework *framework;
	void *core_memory;
	size_t core_memory_bytes;
	struct core *core;
	struct key_row *keys; /* ascending by key */
	uint32_t key_count;
	bool keys_all; /* every key ever, so that memory knows all */
	int64_t framework_us, state_us; /* how long loading took */
	int64_t database_us; /* PostgreSQL's clock, when it was asked */
	char note[256];
};

enum err store_open(struct opening *o) ERR_MUST_CHECK;
void store_open_free(struct opening *o);
