/* level.h — keeps a core level with a journal that another engine writes: what a standby does with each row it reads.
 *
 * Shape:   level_may_reach: can what was followed go on to this fence? level_row for each row after it, in order: its hash
 *          against the row before and its own records, each event decided once more, then done as the record says.
 *          level_reached: all rows up to that fence are in; its newer words (who, where, epoch, clock) become the level's.
 *          level_is_at: the same of a fence that was just taken over: the journal must end there.
 * Differs: an event that comes out otherwise under the same rules is counted, and applied as committed: what was told holds.
 * Errors:  ERR_STORE_STALE (the framework was edited, or a record does not fit what was loaded: open again), ERR_BAD_ROW
 *          (the journal is not what was followed: an alarm), ERR_DEPOSED (another engine committed after the fence that was
 *          taken); why says it in words. The level is of no use afterwards.
 * Owner:   core and framework are the caller's.
 * Loop:    pure: no clock, no I/O.
 * Source:  decision 0016; the layouts hashed are those of sql/schema/0004_commit.sql.
 */
#pragma once

#include "base/err.h"
#include "base/limits.h"
#include "core/core.h"
#include "core/record.h"
#include "core/view.h"
#include "store/fence.h"

struct level {
	struct fence fence; /* as far as was followed */
	const struct framework *framework;
	struct core *core;
	int64_t followed, differs; /* events applied; of them decided otherwise now */
	const char *why;
	/* one event's way: too large for a worker's stack */
	struct event event;
	struct update update, again;
	struct stamp stamp;
	uint8_t record[RECORD_BYTES_MAX];
};

enum err level_may_reach(struct level *l, const struct fence *seen) ERR_MUST_CHECK;
enum err level_row(struct level *l, const struct journal_view *row) ERR_MUST_CHECK;
void level_reached(struct level *l, const struct fence *seen);
enum err level_is_at(struct level *l, const struct fence *taken) ERR_MUST_CHECK;
