#include "store/level.h"

#include "base/check.h"
#include "store/digest.h"

#include <string.h>

static enum err level_fail(struct level *l, enum err why, const char *what)
{
	l->why = what;
	return why;
}

enum err level_may_reach(struct level *l, const struct fence *seen)
{
	if (seen->last_seq < l->fence.last_seq ||
	    (seen->last_seq == l->fence.last_seq && memcmp(seen->head_hash, l->fence.head_hash, DIGEST_BYTES) != 0))
		return level_fail(l, ERR_BAD_ROW, "the journal lost what was followed: a restore, or a failover with loss?");
	if (seen->framework_version != l->framework->version)
		return level_fail(l, ERR_STORE_STALE, "the framework was edited");
	return ERR_OK;
}

/* Is the row what the one before says must follow, and are its records those its hash was taken of? */
static bool level_row_fits(const struct fence *fence, const struct journal_view *row)
{
	uint8_t leaves[BATCH_EVENTS_MAX * DIGEST_BYTES], root[DIGEST_BYTES], hash[DIGEST_BYTES];
	size_t count = (size_t)(row->last_seq - row->first_seq + 1);

	if (row->first_seq != fence->last_seq + 1 || memcmp(row->prev_hash, fence->head_hash, DIGEST_BYTES) != 0)
		return false;
	for (size_t i = 0; i < count; i++)
		digest_leaf(row->salts + i * SALT_BYTES, row->records[i].record, row->records[i].len, leaves + i * DIGEST_BYTES);
	if (memcmp(leaves, row->leaves, count * DIGEST_BYTES) != 0)
		return false;
	digest_root(leaves, count, root);
	digest_row(fence->shard, row->first_seq, row->last_seq, row->epoch, row->prev_hash, root, hash);
	return memcmp(hash, row->row_hash, DIGEST_BYTES) == 0;
}

/* Decides the event again, as another engine did, and then does as the record says. false: not a record of this core. */
static bool level_event(struct level *l, const struct record_view *record)
{
	size_t len;

	if (record_decode(record->record, record->len, &l->event, &l->update, &l->stamp) != ERR_OK ||
	    core_fits(l->core, &l->event, &l->update) != ERR_OK)
		return false;
	if (l->stamp.rules_version == RULES_VERSION) {
		core_decide(l->core, &l->event, &l->again);
		len = record_encode(&l->event, &l->again, &l->stamp, l->record, sizeof l->record);
		if (len != record->len || memcmp(l->record, record->record, len) != 0)
			l->differs++;
	}
	core_apply(l->core, &l->event, &l->update);
	l->followed++;
	return true;
}

enum err level_row(struct level *l, const struct journal_view *row)
{
	REQUIRE(row->last_seq >= row->first_seq && row->last_seq - row->first_seq < BATCH_EVENTS_MAX);
	if (!level_row_fits(&l->fence, row))
		return level_fail(l, ERR_BAD_ROW, "the journal does not go on from what was followed");
	if (row->framework_version != l->framework->version)
		return level_fail(l, ERR_STORE_STALE, "the framework was edited");
	for (int64_t i = 0; i <= row->last_seq - row->first_seq; i++) {
		if (!level_event(l, &row->records[i]))
			return level_fail(l, ERR_STORE_STALE, "a record of the journal cannot be applied to what was loaded");
	}
	l->fence.last_seq = row->last_seq;
	memcpy(l->fence.head_hash, row->row_hash, DIGEST_BYTES);
	return ERR_OK;
}

void level_reached(struct level *l, const struct fence *seen)
{
	struct fence reached = *seen;

	reached.last_seq = l->fence.last_seq;
	memcpy(reached.head_hash, l->fence.head_hash, DIGEST_BYTES);
	l->fence = reached;
}

enum err level_is_at(struct level *l, const struct fence *taken)
{
	if (l->fence.last_seq > taken->last_seq)
		return level_fail(l, ERR_DEPOSED, "another engine took over, and committed, before the journal was read");
	if (memcmp(l->fence.head_hash, taken->head_hash, DIGEST_BYTES) != 0)
		return level_fail(l, ERR_BAD_ROW, "the journal does not end in the fence's hash");
	level_reached(l, taken);
	return ERR_OK;
}
