/* store.h — the tables of one shard and what commit_batch_v1 does to them: sql/schema/0003 and 0004, written a second time.
 *
 * Shape:   store_begin looks at what a batch stores beside others; store_finish does all of it, at once or not at all.
 *          Rows come from the very bytes that the engine would send to PostgreSQL.
 * Errors:  an enum err, as engine/store/journal.c would read the SQLSTATE; store_said tells it in words.
 * Owner:   one static store; commits live in the run's memory.
 */
#pragma once

#include "../model/model.h"
#include "core/core.h"
#include "store/batch.h"
#include "store/fence.h"

#include "rows_read.h"

enum { SEQ_MAX = 8192, PLACEMENT_ROWS_MAX = 16384, JOURNAL_ROWS_MAX = SEQ_MAX };

/* One call of commit_batch_v1 on its way. */
struct commit {
	int64_t epoch, prev_seq, framework_version, clock_us;
	uint32_t count;
	const uint8_t *values[BATCH_PARAMS];
	uint32_t lengths[BATCH_PARAMS];
	int engine; /* who wrote it, for the judge alone */
	int64_t life;
};

struct store_command {
	uint8_t key[16], request_hash[16], outcome[OUTCOME_BYTES_MAX];
	char client[CLIENT_BYTES_MAX + 1];
	uint8_t outcome_len;
};

struct store_package {
	bool there;
	struct package_row row;
	char bundle_ref[REF_BYTES_MAX];
	int64_t changed_seq;
};

struct store_placement {
	struct placed row;
	int64_t made_seq, ended_seq;
};

struct store_pool {
	int mode;
	int32_t declared[2][CELLS], overhang[2][CELLS], committed[2][CELLS];
	int64_t expires_us;
	int32_t available_from_day;
};

struct store_row { /* of the journal */
	int64_t first_seq, last_seq, epoch, clock_us, framework_version;
	uint8_t prev_hash[DIGEST_BYTES], row_hash[DIGEST_BYTES];
	const uint8_t *leaves;
	const struct commit *commit;
};

struct store {
	struct fence fence;
	struct model_market market; /* the framework's tables; no placement or commitment of it is used */
	uint64_t framework_id;      /* tells two frameworks of one version apart, after a failover */
	int32_t coverage[MODEL_LISTS_MAX + 1][MODEL_PROVIDERS_MAX + 1][MODEL_SECTORS_MAX + 1];
	struct store_pool pools[MODEL_POOLS_MAX];
	struct store_command commands[SEQ_MAX]; /* by seq, as are packages: a package is numbered by its submission */
	struct store_package packages[SEQ_MAX];
	struct store_placement placements[PLACEMENT_ROWS_MAX];
	uint32_t placement_count, row_count;
	int64_t round_seq[SEQ_MAX]; /* the last round of each package */
	struct store_row rows[JOURNAL_ROWS_MAX];
	uint8_t poison[16];
	bool poisoned;
};

extern struct store store;

void store_reset(const struct model_market *market);
/* Who reigns from now on; "": nobody. */
void store_fence_is(const char *engine, int64_t instance);
/* After the market's framework part has changed. */
void store_framework_moved(void);
/* The batch that holds this key is refused like one that breaks a constraint. */
void store_poison(const uint8_t key[16]);
enum err store_begin(const struct commit *c);
/* ERR_OK: its turn; ERR_MORE: a batch before it has not committed yet; else it never can. */
enum err store_reached(const struct commit *c);
enum err store_finish(const struct commit *c);
/* Undoes the store_finish that was last; it can be done again. */
void store_undo(void);
const char *store_said(void);
/* The row of a committed seq. */
const struct store_row *store_row_of(int64_t seq);
/* The seq of a key, 0: never used. */
int64_t store_find_key(const uint8_t key[16]);
/* salts and records of a commit, one after another */
void store_records(const struct commit *c, struct array_reader *ret);
