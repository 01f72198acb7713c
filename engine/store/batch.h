/* batch.h — decided events and their effects, as the parameters of one call of commit_batch_v1.
 *
 * Shape:   batch_add encodes one event into records, salts and typed rows, one list a kind of row. The columns of
 *          batch.c are those of the row types in sql/schema/0004_commit.sql, in their order: batch_knows_types compares.
 * Order:   SQL applies a batch kind by kind; batch_takes lets in only what that order does not change.
 * Owner:   batch_free; the same batch is built again after batch_clear.
 */
#pragma once

#include "core/record.h"
#include "pg/column.h"
#include "pg/rows.h"
#include "store/digest.h"

#include <libpq-fe.h>

enum batch_kind { /* in the order of the call's parameters */
	BATCH_commands,
	BATCH_packages,
	BATCH_nominations, /* beside the packages: the placement each found at once, or NULL */
	BATCH_states,
	BATCH_rounds,
	BATCH_placements,
	BATCH_ended,
	BATCH_declarations,
	BATCH_KIND_COUNT
};

enum { BATCH_TOUCHED_MAX = 256, BATCH_PARAMS = 2 + BATCH_KIND_COUNT };

struct batch {
	uint32_t count; /* events */
	struct column records;
	struct rows rows[BATCH_KIND_COUNT];
	bool makes; /* it makes placements, or declares: nothing that ends one may follow */
	uint32_t touched_count;
	int64_t touched[BATCH_TOUCHED_MAX]; /* packages it changes */
	uint8_t salts[BATCH_EVENTS_MAX * SALT_BYTES];
	uint8_t fresh_salts[64 * SALT_BYTES]; /* drawn, not used yet: the last of them first */
	uint32_t fresh_count;
	uint8_t record[RECORD_BYTES_MAX];
};

struct batch_command { /* who asked, and under which key */
	struct text client;
	uint8_t key[16], request_hash[16];
};

void batch_init(struct batch *b);
void batch_free(struct batch *b);
void batch_clear(struct batch *b);
/* The rows of load_row_types. false: the database's row types are not those of this engine. */
bool batch_knows_types(struct batch *b, const PGresult *types);
/* false: the batch must be sent before this event may be decided and added. */
bool batch_takes(const struct batch *b, const struct event *event);
void batch_add(struct batch *b, const struct event *event, const struct update *update, const struct batch_command *command,
	       int64_t framework_version, uint8_t ret_leaf[DIGEST_BYTES]);
/* The last BATCH_PARAMS parameters of the call; valid until the next change. */
void batch_params(struct batch *b, const char *ret_values[BATCH_PARAMS], int ret_lengths[BATCH_PARAMS]);
