/* reply.h — what the engine says, as frames appended to a buffer. Protobuf structs live only in here.
 *
 * Shape:   values of core in, one frame out. Names (codes) are looked up in the framework given.
 * Errors:  none: a reply too large for a frame becomes a TOO_BIG status.
 * Owner:   scratch is reset by each call.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/hist.h"
#include "core/core.h"
#include "core/view.h"
#include "wire/request.h"

struct reply {
	struct buf *out;
	struct arena *scratch;
	uint64_t request_id;
	uint32_t shard;
	const struct framework *framework; /* may be NULL for status, hello, health, stats */
	const char *elsewhere; /* with DEPOSED: where the engine is that has the shard; may be NULL */
};

struct health_view {
	const char *state;
	int64_t epoch, last_seq, framework_version, uptime_us, last_commit_age_us, state_age_us, framework_version_live;
	const char *engine, *active_engine, *active_endpoint, *reason, *note;
	uint32_t schema_version, waiting, connections;
};

struct counter_view {
	const char *name, *text;
	int64_t value;
};

struct histogram_view {
	const char *name, *unit, *text;
	const struct hist *hist;
};

void reply_status(const struct reply *r, enum err why, const struct request *violations, uint32_t retry_after_ms);
void reply_outcome(const struct reply *r, const struct outcome *o, const struct receipt *receipt);
void reply_hello(const struct reply *r, const char *principal, const uint32_t *shards, size_t shard_count,
		 int64_t framework_version, int64_t clock_us);
void reply_health(const struct reply *r, const struct health_view *h);
void reply_stats(const struct reply *r, const struct counter_view *counters, size_t counter_count,
		 const struct histogram_view *histograms, size_t histogram_count);
void reply_counts(const struct reply *r, const struct core *core, int64_t at_seq);
void reply_lots(const struct reply *r);
void reply_list(const struct reply *r, const struct core *core, uint32_t list, int64_t now_us);
void reply_providers(const struct reply *r, const struct core *core, struct text after, uint32_t limit);
void reply_pools(const struct reply *r, const struct core *core, uint32_t provider, struct text after, uint32_t limit,
		 int64_t now_us);
void reply_packages(const struct reply *r, const struct package_view *packages, size_t count);
void reply_package_page(const struct reply *r, const struct package_view *packages, size_t count, int64_t next);
void reply_explain(const struct reply *r, const struct package_view *package, const struct record_view *rounds, size_t count);
void reply_journal(const struct reply *r, const struct journal_view *rows, size_t count, int64_t head_seq,
		   const uint8_t head_hash[32]);
void reply_subscribed(const struct reply *r, int64_t from_seq);
/* Events of the records, a record that was erased or cannot be decoded is passed over; false when there is none. */
bool reply_events(const struct reply *r, const struct journal_view *rows, size_t count, int64_t after_seq);
