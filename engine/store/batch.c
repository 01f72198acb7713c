#include "store/batch.h"

#include "base/check.h"
#include "core/words.h"

#include <stdlib.h>
#include <string.h>

/* ---- the columns of each kind of row: X(name, type, value...) ---- */

#define COMMAND(X)                                                                                 \
	X(client, TEXT, command->client)                                                           \
	X(key, UUID, command->key)                                                                 \
	X(request_hash, BYTEA, command->request_hash, sizeof command->request_hash)                \
	X(seq, INT8, event->seq)                                                                   \
	X(outcome, BYTEA, outcome, outcome_len)

#define PACKAGE(X)                                                                                 \
	X(package_no, INT8, n->package_no)                                                         \
	X(state, INT2, n->state)                                                                   \
	X(changed_seq, INT8, event->seq)                                                           \
	X(case_ref, TEXT, q->case_ref)                                                             \
	X(person_ref, TEXT, q->person_ref)                                                         \
	X(household_ref, TEXT, q->household_ref)                                                   \
	X(bundle_ref, TEXT, q->bundle_ref)                                                         \
	X(owner_ref, TEXT, q->owner_ref)                                                           \
	X(list_no, INT4, n->list_no)                                                               \
	X(sector_no, INT4, n->sector_no)                                                           \
	X(district_no, INT2, n->district_no)                                                       \
	X(service, INT2, q->service)                                                               \
	X(client_group, INT2, q->client_group)                                                     \
	X(requirement_version, INT2, 1)                                                            \
	X(visits, INT4S, n->visits, n->visit_count)                                                \
	X(visit_facts, INT8S, n->facts, n->visit_count)                                            \
	X(skills, INT4, n->skills)                                                                 \
	X(gender, INT2, q->gender)                                                                 \
	X(language, INT2, n->language)                                                             \
	X(urgency, INT2, q->urgency)                                                               \
	X(risk, INT2, q->risk)                                                                     \
	X(cover, INT2, q->cover)                                                                   \
	X(funding, INT2, q->funding)                                                               \
	X(regime, INT2, q->regime)                                                                 \
	X(prerequisites, INT2, q->prerequisites)                                                   \
	X(need_arose_us, INT8, q->need_arose_us)                                                   \
	X(start_day, INT4, n->start_day)                                                           \
	X(latest_start_us, INT8, q->latest_start_us)                                               \
	X(cover_until_us, INT8, q->cover_until_us)                                                 \
	X(ceiling_pence_hour, INT4, q->ceiling_pence_hour)                                         \
	X(excluded, INT4S, n->excluded, n->excluded_count)

#define STATE(X)                                                                                   \
	X(package_no, INT8, s->package_no)                                                         \
	X(was, INT2, s->from)                                                                      \
	X(next, INT2, s->to)                                                                       \
	X(seq, INT8, event->seq)

#define ROUND(X)                                                                                   \
	X(package_no, INT8, r->package_no)                                                         \
	X(opened_seq, INT8, event->seq)                                                            \
	X(requirement_version, INT2, r->requirement_version)                                       \
	X(list_no, INT4, d->list_no)                                                               \
	X(list_version, INT4, d->list_version)                                                     \
	X(policy_no, INT4, d->policy_no)                                                           \
	X(outcome, INT2, d->outcome)                                                               \
	X(looked_at, INT2, d->looked_at)

#define PLACEMENT(X)                                                                               \
	X(package_no, INT8, m->package_no)                                                         \
	X(role, INT2, m->role)                                                                     \
	X(made_seq, INT8, event->seq)                                                              \
	X(pool_no, INT4, m->pool_no)                                                               \
	X(provider_no, INT4, m->provider_no)                                                       \
	X(list_no, INT4, m->list_no)                                                               \
	X(route, INT2, m->route)                                                                   \
	X(tier, INT2, m->tier)                                                                     \
	X(rank, INT2, m->rank)                                                                     \
	X(start_day, INT4, m->start_day)                                                           \
	X(exit_day, INT4, m->exit_day)                                                             \
	X(price_pence_week, INT4, m->price_pence_week)                                             \
	X(carer_minutes_week, INT4, m->carer_minutes_week)                                         \
	X(demand, INT4S, m->demand, m->demand_count)

#define ENDED(X)                                                                                   \
	X(package_no, INT8, e->package_no)                                                         \
	X(role, INT2, e->role)                                                                     \
	X(seq, INT8, event->seq)

#define DECLARATION(X)                                                                             \
	X(pool_no, INT4, d->pool_no)                                                               \
	X(single, INT2S, d->units[0], CELLS)                                                       \
	X(paired, INT2S, d->units[1], CELLS)                                                       \
	X(declared_at_us, INT8, event->now_us)                                                     \
	X(expires_us, INT8, d->expires_us)                                                         \
	X(available_from_day, INT4, d->available_from_day)

/* ---- what the database calls them ---- */

#define WORD_INT2 "int2"
#define WORD_INT4 "int4"
#define WORD_INT8 "int8"
#define WORD_TEXT "text"
#define WORD_BYTEA "bytea"
#define WORD_UUID "uuid"
#define WORD_INT2S "_int2"
#define WORD_INT4S "_int4"
#define WORD_INT8S "_int8"
#define COLUMN_WORDS(name, type, ...) "," #name " " WORD_##type
#define COLUMN_ONE(name, type, ...) +1

static const struct {
	const char *type, *columns;
	uint32_t fields;
} kinds[] = {
	[BATCH_commands] = {"command_v1", "" COMMAND(COLUMN_WORDS), 0 COMMAND(COLUMN_ONE)},
	[BATCH_packages] = {"package_v1", "" PACKAGE(COLUMN_WORDS), 0 PACKAGE(COLUMN_ONE)},
	[BATCH_nominations] = {"placement_v1", "" PLACEMENT(COLUMN_WORDS), 0 PLACEMENT(COLUMN_ONE)},
	[BATCH_states] = {"state_v1", "" STATE(COLUMN_WORDS), 0 STATE(COLUMN_ONE)},
	[BATCH_rounds] = {"round_v1", "" ROUND(COLUMN_WORDS), 0 ROUND(COLUMN_ONE)},
	[BATCH_placements] = {"placement_v1", "" PLACEMENT(COLUMN_WORDS), 0 PLACEMENT(COLUMN_ONE)},
	[BATCH_ended] = {"ended_v1", "" ENDED(COLUMN_WORDS), 0 ENDED(COLUMN_ONE)},
	[BATCH_declarations] = {"declaration_v1", "" DECLARATION(COLUMN_WORDS), 0 DECLARATION(COLUMN_ONE)},
};

bool batch_knows_types(struct batch *b, const PGresult *types)
{
	uint32_t known = 0;

	for (int row = 0; row < PQntuples(types); row++) {
		for (int kind = 0; kind < BATCH_KIND_COUNT; kind++) {
			if (strcmp(PQgetvalue(types, row, 0), kinds[kind].type) != 0 ||
			    strcmp(PQgetvalue(types, row, 2), kinds[kind].columns + 1) != 0)
				continue;
			b->rows[kind].type_oid = (uint32_t)strtoul(PQgetvalue(types, row, 1), NULL, 10);
			known++;
		}
	}
	return known == BATCH_KIND_COUNT;
}

/* ---- building ---- */

#define PUT_INT2(r, value) rows_int2(r, (int64_t)(value))
#define PUT_INT4(r, value) rows_int4(r, (int64_t)(value))
#define PUT_INT8(r, value) rows_int8(r, (int64_t)(value))
#define PUT_TEXT(r, t) rows_text(r, (t).bytes, (t).len)
#define PUT_BYTEA(r, bytes, len) rows_bytea(r, bytes, len)
#define PUT_UUID(r, uuid) rows_uuid(r, uuid)
#define PUT_INT2S(r, n, count) rows_int2s(r, n, count)
#define PUT_INT4S(r, n, count) rows_int4s(r, n, count)
#define PUT_INT8S(r, n, count) rows_int8s(r, n, count)
#define PUT(name, type, ...) PUT_##type(row, __VA_ARGS__);
#define ADD_ROW(b, kind, COLUMNS)                                                                  \
	do {                                                                                       \
		struct rows *row = &(b)->rows[BATCH_##kind];                                       \
		rows_begin(row);                                                                   \
		COLUMNS(PUT)                                                                       \
		rows_end(row);                                                                     \
	} while (0)

static void add_effects(struct batch *b, const struct event *event, const struct update *u)
{
	bool at_once = u->new_count > 0 && u->made_count > 0 && u->made[0].package_no == u->packages[0].package_no;

	for (uint32_t i = 0; i < u->new_count; i++) {
		const struct new_package *n = &u->packages[i];
		const struct requirement *q = n->requirement;

		ADD_ROW(b, packages, PACKAGE);
		if (!at_once)
			rows_null(&b->rows[BATCH_nominations]);
	}
	for (uint32_t i = 0; i < u->change_count; i++) {
		const struct state_change *s = &u->changes[i];

		ADD_ROW(b, states, STATE);
	}
	for (uint32_t i = 0; i < u->round_count; i++) {
		const struct round *r = &u->rounds[i];
		const struct decision *d = &u->decision;

		ADD_ROW(b, rounds, ROUND);
	}
	for (uint32_t i = 0; i < u->made_count; i++) {
		const struct placed *m = &u->made[i];

		if (i == 0 && at_once)
			ADD_ROW(b, nominations, PLACEMENT);
		else
			ADD_ROW(b, placements, PLACEMENT);
	}
	for (uint32_t i = 0; i < u->ended_count; i++) {
		const struct ended *e = &u->ended[i];

		ADD_ROW(b, ended, ENDED);
	}
	for (uint32_t i = 0; i < u->declared_count; i++) {
		const struct declared *d = &u->declared[i];

		ADD_ROW(b, declarations, DECLARATION);
	}
}

bool batch_takes(const struct batch *b, const struct event *event)
{
	if (b->count == 0)
		return true;
	if (b->count == BATCH_EVENTS_MAX || buf_len(&b->records.buf) > BATCH_BYTES_MAX - RECORD_BYTES_MAX)
		return false;
	switch (event->type) {
	case EVENT_SUBMIT:
		return true;
	case EVENT_DECLARE:
		return false;
	case EVENT_CONFIRM:
	case EVENT_WITHDRAW:
	case EVENT_END:
		if (b->makes || b->touched_count + 2 > BATCH_TOUCHED_MAX)
			return false;
		for (uint32_t i = 0; i < b->touched_count; i++) {
			if (b->touched[i] == event->change.package_no)
				return false;
		}
		return true;
	}
	UNREACHABLE();
}

static void batch_salt(struct batch *b, uint8_t ret[SALT_BYTES])
{
	if (b->fresh_count == 0) {
		b->fresh_count = sizeof b->fresh_salts / SALT_BYTES;
		digest_salts(b->fresh_salts, b->fresh_count);
	}
	memcpy(ret, b->fresh_salts + --b->fresh_count * SALT_BYTES, SALT_BYTES);
}

void batch_add(struct batch *b, const struct event *event, const struct update *update, const struct batch_command *command,
	       int64_t framework_version, uint8_t ret_leaf[DIGEST_BYTES])
{
	struct stamp stamp = {.framework_version = framework_version, .rules_version = RULES_VERSION};
	uint8_t outcome[OUTCOME_BYTES_MAX];
	size_t outcome_len = outcome_encode(&update->outcome, outcome, sizeof outcome), len;

	REQUIRE(b->count < BATCH_EVENTS_MAX);
	INSIST(outcome_len > 0);
	batch_salt(b, b->salts + b->count * SALT_BYTES);
	memcpy(stamp.key, command->key, sizeof stamp.key);
	len = record_encode(event, update, &stamp, b->record, sizeof b->record);
	digest_leaf(b->salts + b->count * SALT_BYTES, b->record, len, ret_leaf);
	column_bytes(&b->records, b->record, len);
	ADD_ROW(b, commands, COMMAND);
	add_effects(b, event, update);
	b->count++;
	b->makes |= event->type == EVENT_SUBMIT || event->type == EVENT_DECLARE || update->made_count > 0;
	for (uint32_t i = 0; !b->makes && i < update->change_count; i++)
		b->touched[b->touched_count++] = update->changes[i].package_no;
}

void batch_params(struct batch *b, const char *ret_values[BATCH_PARAMS], int ret_lengths[BATCH_PARAMS])
{
	ret_values[0] = (const char *)b->salts;
	ret_lengths[0] = (int)(b->count * SALT_BYTES);
	ret_values[1] = column_value(&b->records, &ret_lengths[1]);
	for (int i = 0; i < BATCH_KIND_COUNT; i++)
		ret_values[2 + i] = rows_value(&b->rows[i], &ret_lengths[2 + i]);
}

/* ---- life ---- */

void batch_init(struct batch *b)
{
	b->count = b->touched_count = b->fresh_count = 0;
	b->makes = false;
	column_init(&b->records, COLUMN_BYTEA);
	for (int i = 0; i < BATCH_KIND_COUNT; i++)
		rows_init(&b->rows[i], kinds[i].fields);
}

void batch_clear(struct batch *b)
{
	b->count = b->touched_count = 0;
	b->makes = false;
	column_clear(&b->records);
	for (int i = 0; i < BATCH_KIND_COUNT; i++)
		rows_clear(&b->rows[i]);
}

void batch_free(struct batch *b)
{
	column_free(&b->records);
	for (int i = 0; i < BATCH_KIND_COUNT; i++)
		rows_free(&b->rows[i]);
}
