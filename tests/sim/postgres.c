#include "postgres.h"

#include "agenda.h"
#include "load.h"
#include "trace.h"
#include "weather.h"

#include "core/record.h"
#include "wire/request.h"

#include <string.h>

enum { LOG_MAX = 65536, CONNECTIONS_MAX = 8192, LOCK_TIMEOUT_US = 10000000, TURN_WAIT_US = 1000000 };

static struct {
	const struct postgres_ops *ops;
	const struct model_market *market;
	struct log_entry log[LOG_MAX];
	int64_t log_count, durable;
	struct db_call *active, *holder; /* at work, in order of arrival; the one that waits for the standby */
	struct connection *connections[CONNECTIONS_MAX];
	uint32_t connection_count;
	int64_t serial, server, lost, away_until_us, full_until_us, stalled_until_us;
	int edits_wanted;
	bool editor_leaves, looks_again;
} db;

static void settle(void);
static void connection_work(struct connection *c);

/* ---- the log: what is visible, what can not be lost ---- */

static void log_advance(void)
{
	if (agenda_now_us < db.stalled_until_us)
		return;
	while (db.durable < db.log_count)
		db.ops->on_durable(&db.log[db.durable++]);
}

static void log_apply(const struct log_entry *e)
{
	switch (e->kind) {
	case LOG_COMMIT:
		if (store_finish(e->commit) != ERR_OK)
			sim_violation(SIMULATOR, "%s", store_said());
		break;
	case LOG_TAKE_OVER:
		store.fence.epoch++;
		store_fence_is(e->name, e->instance);
		break;
	case LOG_HAND_OVER:
		store_fence_is("", 0);
		break;
	case LOG_BEAT:
		if (e->clock_us > store.fence.clock_us)
			store.fence.clock_us = e->clock_us;
		break;
	case LOG_EDIT:
		edit_apply(&store.market, &e->edit);
		store.fence.framework_version++;
		store.framework_id = edit_id(store.framework_id, &e->edit);
		store_framework_moved();
		break;
	}
}

static void log_append(const struct log_entry *e, bool apply)
{
	if (db.log_count == LOG_MAX)
		sim_violation(SIMULATOR, "%s", __func__);
	if (apply)
		log_apply(e);
	db.log[db.log_count++] = *e;
	if (e->kind == LOG_COMMIT) {
		int64_t hash = 0;

		for (int i = 0; i < 7; i++)
			hash = hash << 8 | store.fence.head_hash[i];
		trace(WHO_DATABASE, TRACE_COMMIT, e->commit->prev_seq + 1, store.fence.last_seq, e->commit->epoch, hash);
	} else if (e->kind == LOG_TAKE_OVER || e->kind == LOG_HAND_OVER) {
		trace(WHO_DATABASE, e->kind == LOG_TAKE_OVER ? TRACE_TAKE_OVER : TRACE_HAND_OVER, store.fence.epoch,
		      store.fence.last_seq, 0, 0);
	}
	log_advance();
}

/* ---- calls: their way to the server, through it and back ---- */

static void call_arrives_back(void *what, int64_t number)
{
	struct db_call *call = what;

	(void)number;
	if (!call->connection->closed_here)
		db.ops->on_answer(call->connection->engine, call);
}

static void active_remove(struct db_call *call)
{
	struct db_call **at = &db.active;

	while (*at != NULL && *at != call)
		at = &(*at)->next_active;
	if (*at != NULL)
		*at = call->next_active;
	if (db.holder == call)
		db.holder = NULL;
	call->step = STEP_OVER;
}

/* The call is done, one way or the other: it answers, and its connection goes on to the next. */
static void call_answer(struct db_call *call, enum err why)
{
	struct connection *c = call->connection;
	int64_t at_us = agenda_now_us + weather_message_us();

	active_remove(call);
	call->why = why;
	if (call->kind == CALL_COMMIT && why != ERR_OK)
		trace(WHO_DATABASE, TRACE_REFUSED, call->commit.prev_seq, call->commit.epoch, why, 0);
	if (c->closed_there)
		return;
	c->first = call->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->last_from_us = at_us > c->last_from_us ? at_us : c->last_from_us;
	agenda_add(c->last_from_us - agenda_now_us, call_arrives_back, call, 0);
	connection_work(c);
}

/* Committed: the answer of each kind is what the fence now says. done: the store has it already. */
static void call_committed(struct db_call *call, bool done)
{
	struct log_entry e = {.clock_us = call->clock_us, .engine = call->connection->engine, .life = call->connection->life,
			      .commit = &call->commit,
			      .kind = call->kind == CALL_COMMIT      ? LOG_COMMIT :
				      call->kind == CALL_BEAT      ? LOG_BEAT :
				      call->kind == CALL_HAND_OVER ? LOG_HAND_OVER :
								     LOG_TAKE_OVER};

	if (call->kind == CALL_TAKE_OVER) {
		e.name = call->claim->engine;
		e.instance = call->claim->instance;
	}

	log_append(&e, !done);
	memcpy(call->row_hash, store.fence.head_hash, sizeof call->row_hash);
	call->fence = store.fence;
	call->framework_version = store.fence.framework_version;
	call->found = true;
}

static void call_commits(struct db_call *call)
{
	bool stalled = agenda_now_us < db.stalled_until_us;

	if (call->kind == CALL_COMMIT) {
		enum err why = store_finish(&call->commit);

		if (why != ERR_OK) { /* a constraint says so at once, stalled or not */
			call_answer(call, why);
			return;
		}
	}
	if (stalled) {
		if (call->kind == CALL_COMMIT)
			store_undo(); /* nobody sees it before the standby has it; its locks keep all others away */
		call->step = STEP_REPLICATES;
		db.holder = call;
		return;
	}
	call_committed(call, call->kind == CALL_COMMIT);
	call_answer(call, ERR_OK);
}

/* ---- waiting, as the locks of the real one make it ---- */

static bool waits_for_take_over(const struct db_call *call)
{
	for (const struct db_call *other = db.active; other != NULL; other = other->next_active) {
		if (other->kind == CALL_TAKE_OVER && (other->serial < call->serial || other->step == STEP_REPLICATES))
			return true;
	}
	return false;
}

static bool waits_for_batches(const struct db_call *call)
{
	for (const struct db_call *other = db.active; other != NULL; other = other->next_active) {
		if (other->kind == CALL_COMMIT && other->step != STEP_WAITS_SHARED)
			return true;
		if (other->kind == CALL_TAKE_OVER && other->serial < call->serial)
			return true;
	}
	return db.holder != NULL;
}

static bool waits_for_its_turn(const struct db_call *call)
{
	for (const struct db_call *other = db.active; other != NULL; other = other->next_active) {
		if (other != call && other->kind == CALL_COMMIT && other->step != STEP_WAITS_SHARED &&
		    other->commit.prev_seq + other->commit.count == call->commit.prev_seq)
			return true;
	}
	return false;
}

static void poke(void *what, int64_t number)
{
	(void)what;
	(void)number;
	settle();
}

/* A batch whose predecessor has not begun looks again: the real one each half millisecond. */
static void look_again(void *what, int64_t number)
{
	db.looks_again = false;
	poke(what, number);
}

static void stored(void *what, int64_t number)
{
	struct db_call *call = what;

	(void)number;
	if (call->step != STEP_STORES)
		return;
	call->step = STEP_TURN;
	settle();
}

/* 0: no such trouble */
static enum err call_strikes(void)
{
	if (agenda_now_us < db.full_until_us && dice_chance(DICE_DATABASE, 70))
		return ERR_STORE_AWAY;
	return weather_strikes(DICE_DATABASE, TROUBLE_CONFLICT, 10) ? ERR_STORE_STALE : ERR_OK;
}

static bool commit_moves(struct db_call *call)
{
	enum err why;

	if (call->step == STEP_WAITS_SHARED) {
		if (waits_for_take_over(call))
			return false;
		call->begun_us = agenda_now_us;
		trace(WHO_DATABASE, TRACE_BEGIN, call->commit.prev_seq, call->commit.epoch, call->commit.count, 0);
		why = store_begin(&call->commit);
		if (why != ERR_OK) {
			call_answer(call, why);
			return true;
		}
		call->step = STEP_STORES;
		agenda_add(weather_work_us(), stored, call, 0);
		return true;
	}
	if (call->step != STEP_TURN || waits_for_its_turn(call))
		return false;
	why = store_reached(&call->commit);
	if (why == ERR_MORE && agenda_now_us <= call->begun_us + TURN_WAIT_US) {
		if (!db.looks_again)
			agenda_add(5000, look_again, NULL, 0);
		db.looks_again = true;
		return false;
	}
	if (why == ERR_OK && db.holder != NULL)
		return false;
	if (why == ERR_OK)
		why = call_strikes();
	if (why == ERR_OK)
		call_commits(call);
	else
		call_answer(call, why == ERR_MORE ? ERR_STORE_STALE : why);
	return true;
}

static bool take_over_moves(struct db_call *call)
{
	enum err why;

	if (call->step != STEP_WAITS_ALONE || waits_for_batches(call))
		return false;
	why = call_strikes();
	call->found = store.fence.epoch == call->epoch;
	if (why == ERR_OK && call->found)
		call_commits(call);
	else
		call_answer(call, why);
	return true;
}

/* A heartbeat or a hand-over: the fence's row, if it is still this engine's. */
static bool touch_moves(struct db_call *call)
{
	if (call->step != STEP_TURN || db.holder != NULL)
		return false;
	if (store.fence.epoch != call->epoch)
		call_answer(call, ERR_DEPOSED);
	else
		call_commits(call);
	return true;
}

static void edit_now(void)
{
	struct log_entry e = {.kind = LOG_EDIT, .edit = edit_draw(&store.market, agenda_now_us / 1000000)};

	db.edits_wanted--;
	db.editor_leaves = false;
	log_append(&e, true);
	trace(WHO_DATABASE, TRACE_EDIT, store.fence.framework_version, e.edit.kind, e.edit.a, 0);
	for (int engine = 0; engine < ENGINES; engine++)
		db.ops->on_edited(engine);
}

static bool one_moves(void)
{
	if (db.edits_wanted > 0 && db.holder == NULL && (agenda_now_us >= db.stalled_until_us || db.editor_leaves)) {
		edit_now();
		return true;
	}
	for (struct db_call *call = db.active; call != NULL; call = call->next_active) {
		if ((call->kind == CALL_COMMIT && commit_moves(call)) ||
		    ((call->kind == CALL_BEAT || call->kind == CALL_HAND_OVER) && touch_moves(call)) ||
		    (call->kind == CALL_TAKE_OVER && take_over_moves(call)))
			return true;
	}
	return false;
}

static void settle(void)
{
	while (one_moves())
		;
}

/* lock_timeout */
static void timed_out(void *what, int64_t number)
{
	struct db_call *call = what;

	(void)number;
	if (call->step == STEP_WAITS_SHARED || call->step == STEP_WAITS_ALONE || call->step == STEP_TURN) {
		call_answer(call, ERR_STORE_AWAY);
		settle();
	}
}

/* ---- reads: of what is visible, replicated or not ---- */

static void find_command(struct db_call *call)
{
	int64_t seq = store_find_key(call->key);
	const struct store_row *row;

	call->found = seq != 0;
	if (!call->found)
		return;
	row = store_row_of(seq);
	memcpy(call->request_hash, store.commands[seq].request_hash, sizeof call->request_hash);
	if (outcome_decode(store.commands[seq].outcome, store.commands[seq].outcome_len, &call->outcome) != ERR_OK)
		sim_violation(RECORDS_READABLE, "seq %lld", (long long)seq);
	call->receipt.seq = seq;
	memcpy(call->receipt.leaf, row->leaves + (seq - row->first_seq) * DIGEST_BYTES, DIGEST_BYTES);
	memcpy(call->receipt.row_hash, row->row_hash, DIGEST_BYTES);
}

static void read_row(const struct store_row *row, struct journal_view *ret)
{
	struct record_view *records = agenda_memory(row->commit->count * sizeof *records);
	uint8_t *hashes = agenda_memory(2 * DIGEST_BYTES);
	struct array_reader r;
	const uint8_t *record;
	uint32_t len;

	store_records(row->commit, &r);
	for (uint32_t i = 0; array_next(&r, &record, &len); i++)
		records[i] = (struct record_view){.record = record, .len = len};
	memcpy(hashes, row->prev_hash, DIGEST_BYTES);
	memcpy(hashes + DIGEST_BYTES, row->row_hash, DIGEST_BYTES);
	*ret = (struct journal_view){.first_seq = row->first_seq, .last_seq = row->last_seq, .epoch = row->epoch,
				     .clock_us = row->clock_us, .framework_version = row->framework_version, .prev_hash = hashes,
				     .row_hash = hashes + DIGEST_BYTES, .leaves = row->leaves, .salts = row->commit->values[0],
				     .records = records};
}

/* sql/query/read_journal.sql */
static void read_rows(struct db_call *call)
{
	int64_t seq = call->after_seq + 1;
	const struct store_row *row;

	call->rows = agenda_memory(ROWS_A_READ * sizeof *call->rows);
	while (call->row_count < ROWS_A_READ && seq <= store.fence.last_seq && (row = store_row_of(seq)) != NULL) {
		read_row(row, &call->rows[call->row_count++]);
		seq = row->last_seq + 1;
	}
}

static void call_reads(void *what, int64_t number)
{
	struct db_call *call = what;

	(void)number;
	if (call->connection->closed_there || call->step == STEP_OVER)
		return;
	call->found = true;
	call->fence = store.fence;
	if (call->kind == CALL_FIND)
		find_command(call);
	if (call->kind == CALL_ROWS)
		read_rows(call);
	if (call->kind == CALL_KEYS)
		call->keys = load_keys(call->keys_max);
	if (call->kind == CALL_LOAD) {
		call->loaded = load_all();
		db.ops->on_state_read(call->loaded);
	}
	call_answer(call, ERR_OK);
}

/* ---- connections ---- */

static void connection_work(struct connection *c)
{
	struct db_call *call = c->first, **end = &db.active;

	if (call == NULL || c->closed_there)
		return;
	switch (call->kind) {
	case CALL_FENCE:
	case CALL_LOAD:
	case CALL_KEYS:
	case CALL_ROWS:
	case CALL_FIND:
		agenda_add(weather_work_us(), call_reads, call, 0);
		return;
	case CALL_COMMIT:
		call->step = STEP_WAITS_SHARED;
		break;
	case CALL_TAKE_OVER:
		call->step = STEP_WAITS_ALONE;
		break;
	case CALL_BEAT:
	case CALL_HAND_OVER:
		call->step = STEP_TURN;
		break;
	}
	call->serial = ++db.serial;
	while (*end != NULL)
		end = &(*end)->next_active;
	*end = call;
	agenda_add(LOCK_TIMEOUT_US, timed_out, call, 0);
	agenda_add(0, poke, NULL, 0);
}

static void call_arrives(void *what, int64_t number)
{
	struct db_call *call = what;
	struct connection *c = call->connection;

	(void)number;
	if (c->closed_there || c->lossy)
		return;
	*c->last = call;
	c->last = &call->next;
	if (c->first == call)
		connection_work(c);
}

struct connection *postgres_connect(int engine, int64_t life, bool reader)
{
	struct connection *c;

	if (agenda_now_us < db.away_until_us || db.connection_count == CONNECTIONS_MAX)
		return NULL;
	c = agenda_memory(sizeof *c);
	*c = (struct connection){.engine = engine, .life = life, .server = db.server, .reader = reader};
	c->last = &c->first;
	db.connections[db.connection_count++] = c;
	return c;
}

struct db_call *postgres_call_new(struct connection *c, enum call_kind kind)
{
	struct db_call *call = agenda_memory(sizeof *call);

	call->connection = c;
	call->kind = kind;
	return call;
}

void postgres_call(struct db_call *call)
{
	struct connection *c = call->connection;
	int64_t at_us = agenda_now_us + weather_message_us();

	call->sent_us = agenda_now_us;
	c->last_to_us = at_us > c->last_to_us ? at_us : c->last_to_us;
	agenda_add(c->last_to_us - agenda_now_us, call_arrives, call, 0);
}

/* The server sees that the client is gone: what waits for the standby shows itself, the rest rolls back. */
static void connection_dies(void *what, int64_t number)
{
	struct connection *c = what;
	struct db_call *call = c->first;

	(void)number;
	if (c->closed_there)
		return;
	c->closed_there = true;
	c->first = NULL;
	if (call == NULL || call->step == STEP_OVER)
		return;
	if (call == db.holder) {
		trace(WHO_DATABASE, TRACE_VISIBLE, db.log_count, 0, 0, 0);
		call_committed(call, false);
	} else {
		trace(WHO_DATABASE, TRACE_ROLLED_BACK, call->kind, 0, 0, 0);
	}
	active_remove(call);
	settle();
}

static void connection_notices(void *what, int64_t number)
{
	struct connection *c = what;

	(void)number;
	if (!c->closed_here)
		db.ops->on_lost(c->engine, c);
}

void postgres_close(struct connection *c)
{
	if (c->closed_here)
		return;
	c->closed_here = true;
	agenda_add(weather_message_us(), connection_dies, c, 0);
}

static void connections_live(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < db.connection_count; i++) {
		if (!db.connections[i]->closed_here || !db.connections[i]->closed_there)
			db.connections[kept++] = db.connections[i];
	}
	db.connection_count = kept;
}

/* ---- trouble ---- */

void postgres_cut(int engine, int64_t server_notices_us)
{
	bool all = dice_chance(DICE_NETWORK, 50);

	connections_live();
	trace(WHO_NEMESIS, TRACE_CUT, engine, server_notices_us, 0, 0);
	for (uint32_t i = 0; i < db.connection_count; i++) {
		struct connection *c = db.connections[i];

		if (c->engine != engine || c->closed_here || (!all && dice_chance(DICE_NETWORK, 50)))
			continue;
		c->lossy = dice_chance(DICE_NETWORK, 50);
		agenda_add(dice_tail(DICE_NETWORK, 0, 5000000), connection_notices, c, 0);
		agenda_add(server_notices_us, connection_dies, c, 0);
	}
}

static void everybody_out(int64_t away_us)
{
	connections_live();
	db.server++;
	db.away_until_us = agenda_now_us + away_us;
	db.active = NULL;
	db.holder = NULL;
	for (uint32_t i = 0; i < db.connection_count; i++) {
		struct connection *c = db.connections[i];

		for (struct db_call *call = c->first; call != NULL; call = call->next)
			call->step = STEP_OVER;
		c->closed_there = true;
		c->first = NULL;
		agenda_add(dice_tail(DICE_NETWORK, 0, 300000), connection_notices, c, 0);
	}
}

void postgres_restart(int64_t away_us)
{
	struct db_call *holder = db.holder;

	trace(WHO_DATABASE, TRACE_RESTART, away_us, 0, 0, 0);
	if (holder != NULL) { /* in the log of this server, so recovery brings it back */
		trace(WHO_DATABASE, TRACE_VISIBLE, db.log_count, 0, 0, 0);
		db.holder = NULL;
		call_committed(holder, false);
	}
	everybody_out(away_us);
}

void postgres_failover(int64_t away_us)
{
	trace(WHO_DATABASE, TRACE_FAILOVER, db.durable, db.log_count, 0, 0);
	db.stalled_until_us = 0; /* the one with the frozen standby is gone */
	everybody_out(away_us);
	if (db.durable == db.log_count)
		return;
	db.lost += db.log_count - db.durable;
	db.log_count = db.durable;
	store_reset(db.market);
	for (int64_t i = 0; i < db.log_count; i++)
		log_apply(&db.log[i]);
}

static void stall_ends(void *what, int64_t number)
{
	struct db_call *holder = db.holder;

	(void)what;
	(void)number;
	if (agenda_now_us < db.stalled_until_us)
		return;
	log_advance();
	if (holder != NULL) {
		db.holder = NULL;
		call_committed(holder, false);
		call_answer(holder, ERR_OK);
	}
	settle();
}

void postgres_stall(int64_t for_us)
{
	trace(WHO_DATABASE, TRACE_STALL, for_us, 0, 0, 0);
	db.stalled_until_us = agenda_now_us + for_us;
	agenda_add(for_us, stall_ends, NULL, 0);
}

void postgres_full(int64_t for_us)
{
	trace(WHO_DATABASE, TRACE_FULL, for_us, 0, 0, 0);
	db.full_until_us = agenda_now_us + for_us;
}

void postgres_edit(void)
{
	db.edits_wanted++;
	db.editor_leaves = dice_chance(DICE_DATABASE, 50);
	settle();
}

int64_t postgres_lost(void)
{
	return db.lost;
}

void postgres_heal(void)
{
	db.full_until_us = 0;
	if (db.stalled_until_us > agenda_now_us) {
		db.stalled_until_us = agenda_now_us;
		agenda_add(0, stall_ends, NULL, 0);
	}
}

void postgres_begin(const struct model_market *market, const struct postgres_ops *ops)
{
	db.ops = ops;
	db.market = market;
	db.log_count = db.durable = db.serial = db.server = db.lost = db.away_until_us = db.full_until_us = db.stalled_until_us = 0;
	db.active = db.holder = NULL;
	db.connection_count = 0;
	db.edits_wanted = 0;
	db.editor_leaves = db.looks_again = false;
	store.poisoned = false;
	store_reset(market);
}
