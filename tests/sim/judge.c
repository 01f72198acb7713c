#include "judge.h"

#include "agenda.h"
#include "dice.h"
#include "load.h"
#include "trace.h"

#include "../diff/compare.h"
#include "core/record.h"
#include "core/words.h"
#include "server/clock.h"

#include <string.h>

/* What the judge knows of a package: by its number, which is the seq of its submission. */
struct kept {
	int state, bundle, list; /* list: chosen when it was submitted, whatever is chosen for its place later */
	struct model_package package;
};

static struct {
	struct model_market market, before;
	struct model_market first; /* as the run began */
	const struct framework *framework;
	int64_t framework_version;
	struct core *core; /* every record from the first, applied */
	struct world world;
	int64_t last_seq, last_now_us, epoch;
	int writer; /* who reigns in this epoch */
	int64_t writer_life;
	uint8_t head[DIGEST_BYTES];
	struct kept packages[SEQ_MAX];
	const uint8_t *records[SEQ_MAX];
	uint32_t record_lengths[SEQ_MAX];
} judge;
static struct judge_counts counts;
static struct event event;
static struct update update, decided;

struct model_market *judge_market(void)
{
	return &judge.market;
}

struct judge_counts judge_counts(void)
{
	return counts;
}

/* ---- the model's turn ---- */

static bool is_over(int state)
{
	return state == 0 || state == STATE_ENDED || state == STATE_WITHDRAWN;
}

static int64_t bundle_waiting(int bundle)
{
	for (int64_t no = 1; bundle != 0 && no <= judge.last_seq; no++) {
		if (judge.packages[no].bundle == bundle && judge.packages[no].state == STATE_SUBMITTED)
			return no;
	}
	return 0;
}

static bool bundle_in_use(int bundle)
{
	for (int64_t no = 1; bundle != 0 && no <= judge.last_seq; no++) {
		if (judge.packages[no].bundle == bundle && !is_over(judge.packages[no].state) &&
		    judge.packages[no].state != STATE_SUBMITTED)
			return true;
	}
	return false;
}

/* Dates are no part of the model: the rules of core/README.md, "a new package", as the published table of errors has them. */
static enum err dates_refuse(const struct model_package *p, int64_t now_us)
{
	int today = (int)(now_us / INT64_C(86400000000));

	if (p->start_day < today)
		return ERR_START_PAST;
	if (p->start_day > today + START_DAYS_AHEAD_MAX)
		return ERR_START_TOO_FAR;
	if (p->latest_safe_start_seconds > 0 && p->latest_safe_start_seconds / 86400 < p->start_day)
		return ERR_INVALID_FIELD;
	return ERR_OK;
}

static void differs(const char *what)
{
	sim_violation(EQUALS_MODEL, "seq %lld, %s: %s", (long long)event.seq, what, compare_text());
}

static void expect_refusal(int refusal, const char *what)
{
	if (!compare_change(&update, refusal, 0))
		differs(what);
}

/* Live placements first, ended ones away: the model has room for so many. */
static void market_compact(struct model_market *m)
{
	int moved[MODEL_PLACEMENTS_MAX], kept = 0;

	if (m->placement_n < MODEL_PLACEMENTS_MAX / 2)
		return;
	for (int i = 0; i < m->placement_n; i++) {
		moved[i] = m->placements[i].live ? kept : -1;
		if (m->placements[i].live)
			m->placements[kept++] = m->placements[i];
	}
	for (int i = 0; i < kept; i++) {
		if (m->placements[i].other >= 0)
			m->placements[i].other = moved[m->placements[i].other];
	}
	m->placement_n = kept;
}

static void follow_submit(const struct command *c)
{
	static struct model_call call;
	static struct model_result result;
	struct kept *p = &judge.packages[event.seq];
	int64_t waiting = bundle_waiting(c->bundle), now_us = event.now_us;
	int list, refusal;

	call = (struct model_call){.now_seconds = now_us / 1000000, .package_n = 1, .packages = {c->package}};
	world_package_is(c->package.number, event.seq);
	refusal = model_list_choose(&judge.market, &c->package, call.now_seconds, &list);
	if (refusal == MODEL_ACCEPTED && judge.market.policy.award == AWARD_DIRECT) {
		enum err dates = dates_refuse(&c->package, now_us);

		if (dates != ERR_OK || (waiting == 0 && bundle_in_use(c->bundle))) {
			expect_refusal(dates != ERR_OK ? dates : ERR_BUNDLE_FULL, "a submission");
			return;
		}
		if (c->bundle != 0 && waiting == 0) {
			if (!compare_change(&update, ERR_OK, STATE_SUBMITTED))
				differs("the first half of a bundle");
			*p = (struct kept){STATE_SUBMITTED, c->bundle, judge.market.lists[list - 1].list, c->package};
			return;
		}
		if (waiting != 0 && judge.packages[waiting].list != judge.market.lists[list - 1].list) {
			expect_refusal(ERR_BUNDLE_MISMATCH, "the second half of a bundle");
			return;
		}
		if (waiting != 0) {
			call.package_n = 2;
			call.packages[1] = c->package;
			call.packages[0] = judge.packages[waiting].package;
			call.packages[0].group = c->package.group; /* its list is chosen; the model would choose again */
		}
	}
	judge.before = judge.market;
	model_choose(&judge.market, &call, &result);
	update.outcome.confirm_by_us -= update.outcome.confirm_by_us > 0 ? now_us % 1000000 : 0; /* the model counts in seconds */
	if (!compare_call(&judge.world, &judge.before, &call, &result, &update))
		differs("a submission");
	if (judge.market.placement_n + call.package_n > MODEL_PLACEMENTS_MAX)
		sim_violation(SIMULATOR, "the model is full: %d placements", judge.market.placement_n);
	model_apply(&judge.market, &call, &result);
	if (result.refusal != MODEL_ACCEPTED)
		return;
	*p = (struct kept){result.state, c->bundle, judge.market.lists[result.list - 1].list, c->package};
	if (waiting != 0)
		judge.packages[waiting].state = result.state;
	counts.placements += result.winner != 0 ? call.package_n : 0;
}

static void follow_confirm(struct kept *p)
{
	int recheck_failed, budget_authority, done;

	if (p->state != STATE_PROVISIONAL) {
		expect_refusal(ERR_WRONG_STATE, "a confirmation");
		return;
	}
	done = model_confirm(&judge.market, p->package.number, event.now_us / 1000000, event.change.with_budget_authority,
			     &recheck_failed, &budget_authority);
	if (!compare_change(&update, done ? ERR_OK : budget_authority ? ERR_BUDGET_AUTHORITY : ERR_RECHECK_FAILED, STATE_PLACED))
		differs("a confirmation");
	if (done)
		p->state = STATE_PLACED;
}

static void follow_leave(struct kept *p, bool ended)
{
	int next = ended ? STATE_ENDED : STATE_WITHDRAWN;
	bool placed = model_placement_find(&judge.market, p->package.number) >= 0, allowed;

	if (placed)
		allowed = model_release(&judge.market, p->package.number, ended) != 0;
	else
		allowed = !ended && (p->state == STATE_SUBMITTED || p->state == STATE_UNSOURCED);
	if (!compare_change(&update, allowed ? ERR_OK : ERR_WRONG_STATE, next))
		differs(ended ? "an end" : "a withdrawal");
	if (allowed)
		p->state = next;
}

static void follow_declare(const struct command *c)
{
	int refusal = model_declare(&judge.market, c->declaration);

	if (!compare_declare(&judge.market, c->declaration, refusal, &update))
		differs("a declaration");
}

static void follow_model(const struct command *c)
{
	int64_t no = event.type == EVENT_SUBMIT || event.type == EVENT_DECLARE ? 0 : event.change.package_no;

	judge.market.now_seconds = event.now_us / 1000000;
	market_compact(&judge.market);
	if (event.type == EVENT_SUBMIT)
		follow_submit(c);
	else if (event.type == EVENT_DECLARE)
		follow_declare(c);
	else if (no < 1 || no >= event.seq || is_over(judge.packages[no].state))
		expect_refusal(ERR_UNKNOWN_PACKAGE, "a change");
	else if (event.type == EVENT_CONFIRM)
		follow_confirm(&judge.packages[no]);
	else
		follow_leave(&judge.packages[no], event.type == EVENT_END);
	counts.refusals += update.outcome.refusal != 0;
}

/* ---- one record ---- */

static int body_of(const struct command *c)
{
	uint8_t bytes[OP_EVENT_BYTES_MAX];
	size_t len = record_event(&event, bytes, sizeof bytes);

	for (uint32_t body = 0; body < c->body_count; body++) {
		if (c->bodies[body].sent && c->bodies[body].event_len == len && memcmp(c->bodies[body].event, bytes, len) == 0)
			return (int)body;
	}
	sim_violation(JOURNAL_OF_REQUESTS, "seq %lld is no request of command %d", (long long)event.seq, c->no);
}

static void check_stamp(const struct stamp *stamp, int64_t seq)
{
	if (event.seq != seq)
		sim_violation(JOURNAL_GAPLESS, "record %lld says that it is %lld", (long long)seq, (long long)event.seq);
	if (event.now_us < judge.last_now_us)
		sim_violation(TIME_FORWARD, "seq %lld: %lld us after %lld", (long long)seq,
			      (long long)event.now_us, (long long)judge.last_now_us);
	if (event.now_us > agenda_now_us + CLOCK_SKEW_MAX_US)
		sim_violation(TIME_SANE, "seq %lld: %lld us ahead", (long long)seq, (long long)(event.now_us - agenda_now_us));
	if (stamp->framework_version != judge.framework_version)
		sim_violation(FRAMEWORK_READ, "seq %lld: version %lld, not %lld",
			      (long long)seq, (long long)stamp->framework_version, (long long)judge.framework_version);
}

/* The record's own event, decided again: the same bytes. */
static void check_replay(const struct stamp *stamp, const uint8_t *record, uint32_t len)
{
	static uint8_t again[RECORD_BYTES_MAX];
	size_t again_len;

	core_decide(judge.core, &event, &decided);
	again_len = record_encode(&event, &decided, stamp, again, sizeof again);
	if (again_len != len || memcmp(again, record, len) != 0)
		sim_violation(REPLAYS_ALIKE, "seq %lld: %zu bytes, then %u",
			      (long long)event.seq, again_len, len);
}

static void check_command_row(const struct command *c, int body)
{
	const struct store_command *row = &store.commands[event.seq];
	uint8_t outcome[OUTCOME_BYTES_MAX];
	size_t len = outcome_encode(&decided.outcome, outcome, sizeof outcome);

	if (memcmp(row->key, c->key, 16) != 0 || memcmp(row->request_hash, c->bodies[body].hash, 16) != 0 ||
	    row->outcome_len != len || memcmp(row->outcome, outcome, len) != 0)
		sim_violation(OUTCOME_STORED, "seq %lld", (long long)event.seq);
}

static void check_record(const uint8_t *record, uint32_t len, int64_t seq)
{
	struct stamp stamp;
	struct command *c;
	int body;

	if (record_decode(record, len, &event, &update, &stamp) != ERR_OK)
		sim_violation(RECORDS_READABLE, "seq %lld", (long long)seq);
	check_stamp(&stamp, seq);
	c = clients_find(stamp.key);
	if (c == NULL)
		sim_violation(JOURNAL_OF_REQUESTS, "seq %lld has a key nobody sent", (long long)seq);
	if (c->seq != 0)
		sim_violation(KEY_ACTS_ONCE, "command %d acts at seq %lld and again at %lld", c->no, (long long)c->seq,
			      (long long)seq);
	if (seq <= c->acked_before)
		sim_violation(REAL_TIME_ORDER, "command %d is seq %lld, asked after %lld was told", c->no,
			      (long long)seq, (long long)c->acked_before);
	body = body_of(c);
	check_replay(&stamp, record, len);
	check_command_row(c, body);
	follow_model(c);
	core_apply(judge.core, &event, &decided);
	c->seq = seq;
	c->body_acted = body;
	judge.records[seq] = record;
	judge.record_lengths[seq] = len;
	judge.last_seq = seq;
	judge.last_now_us = event.now_us;
	counts.events++;
}

/* ---- one row of the journal, and the tables beside it ---- */

static void check_chain(const struct store_row *row, const struct commit *c)
{
	if (row == NULL || row->first_seq != judge.last_seq + 1 || row->last_seq != judge.last_seq + c->count)
		sim_violation(JOURNAL_GAPLESS, "a row after seq %lld", (long long)judge.last_seq);
	if (memcmp(row->prev_hash, judge.head, DIGEST_BYTES) != 0)
		sim_violation(JOURNAL_CHAINED, "the row after seq %lld does not name the one before", (long long)judge.last_seq);
	if (row->epoch != judge.epoch || c->engine != judge.writer || c->life != judge.writer_life)
		sim_violation(ONE_WRITER, "epoch %lld is engine %d's, life %lld; engine %d, life %lld wrote in %lld",
			      (long long)judge.epoch, judge.writer, (long long)judge.writer_life, c->engine, (long long)c->life,
			      (long long)row->epoch);
	memcpy(judge.head, row->row_hash, DIGEST_BYTES);
}

static void check_pools(void)
{
	for (int pool = 0; pool < judge.market.pool_n; pool++) {
		const struct store_pool *p = &store.pools[pool];
		const struct model_pool *m = &judge.market.pools[pool];

		if (memcmp(p->committed, m->committed, sizeof p->committed) != 0)
			sim_violation(TABLES_EQUAL_REPLAY, "committed of pool %d after seq %lld", pool + 1,
				      (long long)judge.last_seq);
		for (int cell = 0; p->mode == POOL_MODE_BINDING && cell < 2 * CELLS; cell++) {
			if (p->committed[cell / CELLS][cell % CELLS] >
			    p->declared[cell / CELLS][cell % CELLS] + p->overhang[cell / CELLS][cell % CELLS])
				sim_violation(CAPACITY, "pool %d cell %d after seq %lld", pool + 1, cell,
					      (long long)judge.last_seq);
		}
	}
}

static void check_placements(void)
{
	static uint8_t live[SEQ_MAX];
	int count = 0, of_model = 0;

	memset(live, 0, (size_t)judge.last_seq + 1);
	for (uint32_t i = 0; i < store.placement_count; i++) {
		const struct store_placement *p = &store.placements[i];

		if (p->ended_seq != 0)
			continue;
		if (live[p->row.package_no] & 1 << p->row.role)
			sim_violation(ONE_LIVE, "package %lld", (long long)p->row.package_no);
		live[p->row.package_no] |= (uint8_t)(1 << p->row.role);
		count++;
	}
	for (int i = 0; i < judge.market.placement_n; i++)
		of_model += judge.market.placements[i].live;
	if (count != of_model)
		sim_violation(TABLES_EQUAL_REPLAY, "%d live placements, the model has %d", count, of_model);
}

static void check_states(void)
{
	for (int64_t no = 1; no <= judge.last_seq; no++) {
		const struct store_package *p = &store.packages[no];

		if (p->there != (judge.packages[no].state != 0) || (p->there && p->row.state != judge.packages[no].state))
			sim_violation(TABLES_EQUAL_REPLAY, "package %lld is in state %d, not %d", (long long)no,
				      p->there ? p->row.state : 0, judge.packages[no].state);
	}
}

static void judge_commit(const struct log_entry *e)
{
	const struct commit *c = e->commit;
	const struct store_row *row = store_row_of(c->prev_seq + 1);
	struct array_reader r;
	const uint8_t *record;
	uint32_t len;

	check_chain(row, c);
	store_records(c, &r);
	for (int64_t seq = c->prev_seq + 1; array_next(&r, &record, &len); seq++)
		check_record(record, len, seq);
	if (!compare_state(&judge.world, &judge.market))
		sim_violation(STATE_EQUALS_MODEL, "after seq %lld: %s", (long long)judge.last_seq, compare_text());
	counts.batches++;
	if (store.fence.last_seq != judge.last_seq)
		return; /* the tables are already further: they are looked at with the last */
	check_pools();
	check_placements();
	check_states();
}

/* ---- the framework moves: replay from the first record, on what it has become ---- */

static void judge_load_pools(struct core *core)
{
	for (int i = 0; i < judge.first.pool_n; i++) {
		const struct model_pool *p = &judge.first.pools[i];
		uint16_t declared[2][CELLS];

		for (int cell = 0; cell < 2 * CELLS; cell++)
			declared[cell / CELLS][cell % CELLS] = (uint16_t)p->declared[cell / CELLS][cell % CELLS];
		if (core_load_pool(core, i + 1, p->mode, (const uint16_t(*)[CELLS])declared, p->expires_seconds * 1000000,
				   p->available_from_day) != ERR_OK)
			sim_violation(LOADABLE, "pool %d", i + 1);
	}
}

static void judge_replay(void)
{
	static uint64_t serial;
	struct stamp stamp;

	judge.framework = load_framework_of(&judge.market, judge.framework_version, ~++serial);
	judge.core = load_core_empty(judge.framework);
	judge.world = (struct world){.framework = judge.framework, .core = judge.core};
	judge_load_pools(judge.core);
	for (int64_t seq = 1; seq <= judge.last_seq; seq++) {
		if (record_decode(judge.records[seq], judge.record_lengths[seq], &event, &update, &stamp) != ERR_OK)
			sim_violation(RECORDS_READABLE, "seq %lld", (long long)seq);
		core_apply(judge.core, &event, &update);
	}
}

void judge_on_durable(const struct log_entry *e)
{
	switch (e->kind) {
	case LOG_COMMIT:
		judge_commit(e);
		trace(WHO_DATABASE, TRACE_DURABLE, judge.last_seq, 0, 0, 0);
		return;
	case LOG_TAKE_OVER:
		judge.epoch++;
		judge.writer = e->engine;
		judge.writer_life = e->life;
		counts.take_overs++;
		return;
	case LOG_HAND_OVER:
		counts.hand_overs++;
		return;
	case LOG_BEAT:
		return;
	case LOG_EDIT:
		edit_apply(&judge.market, &e->edit);
		judge.framework_version++;
		counts.edits++;
		judge_replay();
		return;
	}
}

void judge_on_state_read(const struct loaded *l)
{
	if (l->fence.last_seq != judge.last_seq || l->fence.framework_version != judge.framework_version)
		return; /* it sees what may still be lost */
	counts.loads++;
	if (core_state_hash(l->core) != core_state_hash(judge.core))
		sim_violation(LOAD_EQUALS_REPLAY, "at seq %lld", (long long)judge.last_seq);
}

void judge_on_followed(int engine, const struct core *core, const struct fence *level)
{
	if (level->last_seq != judge.last_seq || level->framework_version != judge.framework_version ||
	    memcmp(level->head_hash, judge.head, DIGEST_BYTES) != 0)
		return; /* it sees what may still be lost */
	counts.followed++;
	if (core_state_hash(core) != core_state_hash(judge.core))
		sim_violation(STANDBY_LEVEL, "engine %d at seq %lld", engine, (long long)level->last_seq);
}

/* ---- replies ---- */

void judge_on_reply(const struct command *c, uint32_t body, enum err why, const struct outcome *outcome,
		    const struct receipt *receipt)
{
	const struct store_row *row;
	uint8_t bytes[OUTCOME_BYTES_MAX];
	size_t len;

	if (why == ERR_QUARANTINED && (clients_poison() == NULL || memcmp(clients_poison(), c->key, 16) != 0))
		sim_violation(NOTHING_QUARANTINED, "command %d", c->no);
	if (why == ERR_KEY_REUSED && c->body_count < 2)
		sim_violation(KEY_REUSED_TRULY, "command %d", c->no);
	if (why != ERR_OK)
		return;
	if (c->seq == 0)
		sim_violation(REPLY_AFTER_COMMIT, "command %d is told of seq %lld", c->no,
			      (long long)receipt->seq);
	row = store_row_of(c->seq);
	len = outcome_encode(outcome, bytes, sizeof bytes);
	if (c->body_acted != (int)body || receipt->seq != c->seq)
		sim_violation(EQUAL_OUTCOME, "command %d is seq %lld by body %d; told of seq %lld for %u",
			      c->no, (long long)c->seq, c->body_acted, (long long)receipt->seq, body);
	if (len != store.commands[c->seq].outcome_len || memcmp(bytes, store.commands[c->seq].outcome, len) != 0)
		sim_violation(EQUAL_OUTCOME, "command %d, seq %lld: another outcome", c->no,
			      (long long)c->seq);
	if (memcmp(receipt->row_hash, row->row_hash, DIGEST_BYTES) != 0 ||
	    memcmp(receipt->leaf, row->leaves + (c->seq - row->first_seq) * DIGEST_BYTES, DIGEST_BYTES) != 0)
		sim_violation(RECEIPT_PROVES, "command %d, seq %lld", c->no, (long long)c->seq);
}

/* ---- for the clients ---- */

int64_t judge_some_package(void)
{
	int64_t no = 0;

	for (int tries = 0; tries < 12 && judge.last_seq > 0; tries++) {
		no = 1 + market_random_below(&dice[DICE_CLIENT], (int)judge.last_seq);
		if (!is_over(judge.packages[no].state))
			return no;
	}
	return no;
}

int judge_live(void)
{
	int live = 0;

	for (int i = 0; i < judge.market.placement_n; i++)
		live += judge.market.placements[i].live;
	for (int64_t no = 1; no <= judge.last_seq; no++)
		live += judge.packages[no].state == STATE_SUBMITTED;
	return live;
}

/* ---- life ---- */

void judge_begin(const struct model_market *market)
{
	memset(judge.packages, 0, (size_t)(judge.last_seq + 1) * sizeof judge.packages[0]);
	judge.market = judge.first = *market;
	judge.last_seq = judge.last_now_us = 0;
	judge.epoch = 1;
	judge.writer = -1;
	judge.framework_version = 1;
	memset(judge.head, 0, sizeof judge.head);
	memset(&counts, 0, sizeof counts);
	judge_replay();
}

void judge_end(void)
{
	if (store.fence.last_seq != judge.last_seq)
		sim_violation(BECOMES_DURABLE, "seq %lld, judged %lld", (long long)store.fence.last_seq,
			      (long long)judge.last_seq);
	if (core_state_hash(load_all()->core) != core_state_hash(judge.core))
		sim_violation(LOAD_EQUALS_REPLAY, "at the end, seq %lld", (long long)judge.last_seq);
}
