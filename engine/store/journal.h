/* journal.h — the write side of the store: events and their effects, batched into one fenced, gapless call.
 *
 * Shape:   journal_add encodes one decided event into the batch being built; journal_send commits it as one call of
 *          commit_batch_v1 = one transaction = one fsync. Batches are answered in the order sent.
 * Errors:  a refused batch refuses all sent after it (their sequence does not fit): the owner reloads.
 *          on_refused says why: ERR_STORE_STALE (framework moved), ERR_DEPOSED (another engine), ERR_STORE_AWAY (no room,
 *          shutting down), ERR_STORE_REFUSED (a constraint fired: a fault of the engine, an alarm).
 * Owner:   adopts the PGconn; the caller owns struct journal and frees it after on_closed.
 * Order:   SQL applies a batch kind by kind; journal_takes lets in only what that order does not change.
 */
#pragma once

#include "core/record.h"
#include "pg/column.h"
#include "pg/pipe.h"
#include "store/digest.h"
#include "store/fence.h"

#define JOURNAL_COLUMNS(X)                                                                         \
	X(records, BYTEA)                                                                          \
	X(c_client, TEXT) X(c_key, UUID) X(c_hash, BYTEA) X(c_seq, INT8) X(c_outcome, BYTEA)       \
	X(n_package_no, INT8) X(n_state, INT2) X(n_case, TEXT) X(n_person, TEXT) X(n_household, TEXT) \
	X(n_bundle, TEXT) X(n_owner, TEXT) X(n_list, INT4) X(n_sector, INT4) X(n_district, INT2)   \
	X(n_service, INT2) X(n_group, INT2) X(n_requirement, INT2) X(n_visit_last, INT4)           \
	X(n_visits, INT4) X(n_facts, INT8) X(n_skills, INT4) X(n_gender, INT2) X(n_language, INT2) \
	X(n_urgency, INT2) X(n_risk, INT2) X(n_cover, INT2) X(n_funding, INT2) X(n_regime, INT2)   \
	X(n_prerequisites, INT2) X(n_need_arose, INT8) X(n_start_day, INT4) X(n_latest_start, INT8) \
	X(n_cover_until, INT8) X(n_ceiling, INT4) X(n_excluded_last, INT4) X(n_excluded, INT4)     \
	X(s_package_no, INT8) X(s_from, INT2) X(s_to, INT2) X(s_seq, INT8)                         \
	X(r_package_no, INT8) X(r_seq, INT8) X(r_requirement, INT2) X(r_list, INT4) X(r_version, INT4) \
	X(r_policy, INT4) X(r_outcome, INT2) X(r_looked_at, INT2)                                  \
	X(m_package_no, INT8) X(m_role, INT2) X(m_seq, INT8) X(m_pool, INT4) X(m_provider, INT4)   \
	X(m_list, INT4) X(m_route, INT2) X(m_tier, INT2) X(m_rank, INT2) X(m_start_day, INT4)      \
	X(m_exit_day, INT4) X(m_price, INT4) X(m_minutes, INT4) X(m_demand_last, INT4) X(m_demand, INT4) \
	X(e_package_no, INT8) X(e_role, INT2) X(e_seq, INT8)                                       \
	X(d_pool, INT4) X(d_single, INT2) X(d_paired, INT2) X(d_at, INT8) X(d_expires, INT8)       \
	X(d_available_from, INT4)

enum { JOURNAL_TOUCHED_MAX = 256 };

enum journal_column {
#define X(name, type) JOURNAL_##name,
	JOURNAL_COLUMNS(X)
#undef X
	JOURNAL_COLUMN_COUNT
};

struct journal_ops {
	void (*on_committed)(void *data, const uint8_t row_hash[DIGEST_BYTES]); /* the oldest batch sent */
	void (*on_refused)(void *data, enum err why, const char *message);      /* the oldest batch sent */
	void (*on_beat)(void *data, enum err why, int64_t framework_version);   /* a heartbeat's answer */
	void (*on_closed)(void *data, enum err why);
};

struct journal {
	struct pipe pipe;
	const struct journal_ops *ops;
	void *data;
	struct fence fence;    /* as it will stand when all that was sent has committed */
	uint32_t count;        /* events in the batch being built */
	struct column columns[JOURNAL_COLUMN_COUNT];
	bool makes;            /* it makes placements, or declares: nothing that ends one may follow */
	uint32_t touched_count;
	int64_t touched[JOURNAL_TOUCHED_MAX]; /* packages it changes */
	uint8_t salts[BATCH_EVENTS_MAX * SALT_BYTES];
	uint8_t record[RECORD_BYTES_MAX];
	uint8_t jobs[64]; /* what each job sent was: a ring */
	uint32_t job_first, job_count;
	bool answered;
};

struct journal_command { /* who asked, and under which key */
	struct text client;
	uint8_t key[16], request_hash[16];
};

enum err journal_open(struct journal *j, uv_loop_t *loop, PGconn *pg, const struct fence *fence,
		      const struct journal_ops *ops, void *data) ERR_MUST_CHECK;
/* false: the batch must be sent before this event may be decided and added. */
bool journal_takes(const struct journal *j, const struct event *event);
/* The sequence the next event will have. */
int64_t journal_next_seq(const struct journal *j);
void journal_add(struct journal *j, const struct event *event, const struct update *update,
		 const struct journal_command *command, uint8_t ret_leaf[DIGEST_BYTES]);
enum err journal_send(struct journal *j, int64_t clock_us) ERR_MUST_CHECK;
enum err journal_beat(struct journal *j, int64_t clock_us) ERR_MUST_CHECK;
void journal_close(struct journal *j);
/* After on_closed. */
void journal_free(struct journal *j);
