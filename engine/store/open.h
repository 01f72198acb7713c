/* open.h — from nothing to a loaded shard: connect, check, look at the fence, take over or follow, load. It blocks: call it
 * on a worker thread.
 *
 * Shape:   store_open: a DSN, a shard and a claim -> a framework and a core filled from one snapshot; and where the claim
 *          allowed to take over (reigns), connections to write and one to read, the fence as taken over, the newest keys.
 *          store_follow, again and again while another reigns: applies what was committed since, deciding each event once
 *          more (differs counts those that came out otherwise) and checking the chain; takes over as soon as the claim
 *          allows, with what it has. fence is the last one seen: fence.endpoint says where the reigning engine is.
 * Errors:  ERR_STORE (no connection; try again), ERR_STORE_UNSAFE, ERR_DEPOSED (another engine took over meanwhile: look
 *          again), ERR_STORE_STALE (following only: the framework was edited, or may have been: another PostgreSQL answers;
 *          open again), ERR_BAD_ROW (following: the
 *          journal is not what was followed, an alarm); note says what, for the log and the operator.
 * Owner:   the caller owns struct opening and everything in it after either returns, whatever it returned:
 *          store_open_free, or take the parts and clear them.
 * Loop:    no libuv here; nothing is shared with the loop until they have returned.
 * Source:  RELIABILITY 3.4: an unknown commit is resolved by take_over, a fenced write; never by a read. Decision 0016.
 */
#pragma once

#include "core/core.h"
#include "store/claim.h"

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
	struct claim claim;             /* kept from one look to the next */
	/* out */
	bool reigns;
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
	int64_t server_us;   /* when the process that answers started: which one it is */
	bool alone;                     /* commits wait for no standby: a failover may lose what was acknowledged */
	int64_t followed, differs;      /* events applied while following; of them decided otherwise now */
	PGconn *beat;                   /* only while loading */
	int64_t beat_us;                /* monotonic: when the fence was last touched, or that was tried */
	int64_t leased_from_us;         /* monotonic: when the last call that the fence took was sent */
	uint32_t beat_calls;
	char note[256];
};

enum err store_open(struct opening *o) ERR_MUST_CHECK;
enum err store_follow(struct opening *o) ERR_MUST_CHECK;
void store_open_free(struct opening *o);
