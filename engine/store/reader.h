/* reader.h — the read side of the store: rows read back for people, keys looked up, the journal, on one connection.
 *
 * Shape:   a read is asked and answered once, later, from the loop, in the order asked. Views borrow from the database's
 *          results and hold only during the callback.
 * Errors:  on_failed for a read that could not be done; on_closed when the connection is gone (all reads failed before).
 * Owner:   adopts the PGconn. tag is the caller's.
 */
#pragma once

#include "core/view.h"
#include "pg/pipe.h"

struct reader_ops {
	void (*on_packages)(void *data, void *tag, const struct package_view *packages, size_t count);
	/* package NULL: there is no such package */
	void (*on_explained)(void *data, void *tag, const struct package_view *package, const struct record_view *rounds,
			     size_t count);
	/* request_hash NULL: the key was never used */
	void (*on_command)(void *data, void *tag, const uint8_t *request_hash, const struct outcome *outcome,
			   const struct receipt *receipt);
	void (*on_journal)(void *data, void *tag, const struct journal_view *rows, size_t count);
	void (*on_failed)(void *data, void *tag, const char *message);
	void (*on_framework_edited)(void *data);
	void (*on_closed)(void *data);
};

enum { READS_MAX = 8192 };

struct read; /* one read under way */

struct reader {
	struct pipe pipe;
	const struct reader_ops *ops;
	void *data;
	int16_t shard;
	struct read *first, **last;
	uint32_t count;
};

enum err reader_open(struct reader *r, uv_loop_t *loop, PGconn *pg, int16_t shard, const struct reader_ops *ops,
		     void *data) ERR_MUST_CHECK;
/* All: ERR_BUSY when too many wait, ERR_STORE when the connection is going. */
enum err reader_package(struct reader *r, int64_t package_no, void *tag) ERR_MUST_CHECK;
enum err reader_case(struct reader *r, struct text case_ref, void *tag) ERR_MUST_CHECK;
enum err reader_states(struct reader *r, uint32_t state_mask, int64_t after_no, uint32_t limit, void *tag) ERR_MUST_CHECK;
enum err reader_explain(struct reader *r, int64_t package_no, void *tag) ERR_MUST_CHECK;
enum err reader_command(struct reader *r, struct text client, const uint8_t key[16], void *tag) ERR_MUST_CHECK;
enum err reader_journal(struct reader *r, int64_t after_seq, uint32_t limit, void *tag) ERR_MUST_CHECK;
void reader_close(struct reader *r);
/* Closes it when a read has had no answer for so long: see pipe_check. */
void reader_check(struct reader *r, uint64_t patience_ms);
