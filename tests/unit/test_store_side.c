/* What the pump and the store say to each other, and what of it an operator and the clients hear. */
#include "kit/kit.h"

#include "base/mem.h"
#include "unit/fake_shard.h"

#include <string.h>

KIT_SUITE(store_side);

static const uint8_t row_hash[DIGEST_BYTES] = {1, 2, [31] = 3};

static struct op *op_of(uint8_t number)
{
	uint8_t key[16] = {[6] = 0x70, [8] = 0x80, [15] = number};

	world_submit(&world, 30);
	return op_new(&world.event, session->id, number, key, text_of("unix:1"));
}

/* A command that waits in line. */
static void take(uint8_t number)
{
	if (session->in_flight++ == 0)
		engine.busy_sessions++;
	shard.pump.key_age_max_ms = INT64_MAX / 2;
	pump_take(&shard.pump, op_of(number));
}

/* A batch of one command is under way. */
static void send_one(uint8_t number)
{
	struct op *op = op_of(number);

	if (session->in_flight++ == 0)
		engine.busy_sessions++;
	shard.pump.batches[0] = (struct pump_batch){.first = op, .last = &op->next, .count = 1, .sent_us = mono_us};
	shard.pump.batch_count = 1;
}

Test(store_side, a_command_travels_with_its_key_and_gets_its_leaf)
{
	struct event event;
	struct update update;
	struct op *op;

	begin_shard();
	op = op_of(9);
	shard_pump_io.add(&shard, op, &event, &update);
	cr_expect(added.event == &event && added.update == &update && op->leaf[0] == 0x1e && op->leaf[31] == 0x1e);
	cr_expect(memcmp(added.command.key, op->key, 16) == 0);
	cr_expect(memcmp(added.command.request_hash, op->request_hash, 16) == 0);
	cr_expect(added.command.client.len == 6 && memcmp(added.command.client.bytes, "unix:1", 6) == 0);
	mem_free(op);
	finish_shard();
}

Test(store_side, a_commit_is_told_and_wakes_those_who_subscribed)
{
	struct request subscribe = {.kind = REQUEST_SUBSCRIBE, .id = 7, .query = {.after_no = 100}};

	begin_shard();
	ask(&subscribe);
	said(7);
	shard.pump.batches[0] = (struct pump_batch){.sent_us = mono_us};
	shard.pump.batch_count = 1;
	shard.journal.fence.last_seq = 101;
	shard_journal_ops.on_committed(&shard, row_hash);
	cr_expect(memcmp(shard.journal.fence.head_hash, row_hash, DIGEST_BYTES) == 0);
	cr_expect(shard.pump.batch_count == 0 && engine.stats.batches == 1);
	cr_expect(reads == 1 && asked.number == 100);
	finish_shard();
}

/* Its keys are found at the reload. */
Test(store_side, a_commit_that_comes_after_it_was_given_up_is_told_nobody)
{
	begin_shard();
	shard.pump.core = NULL;
	shard_journal_ops.on_committed(&shard, row_hash);
	cr_expect_eq(engine.stats.batches, 0);
	finish_shard();
}

static void refused_as(enum err why, uint32_t alarms)
{
	memset(logged, 0, sizeof logged);
	begin_shard();
	send_one(1);
	shard_journal_ops.on_refused(&shard, why, "told to");
	cr_expect(shard.pump.core == NULL && shard.reload_wanted && shard.reload_why == why);
	cr_expect_eq(logged[LOG_ALARM_batch_refused] - (why == ERR_STORE_REFUSED), alarms, "%s", err_name((int)why));
	memset(logged, 0, sizeof logged);
	shard_journal_ops.on_refused(&shard, ERR_STORE_REFUSED, "those behind it too");
	cr_expect_eq(logged[LOG_ALARM_batch_refused], 0, "one refusal is one alarm");
	pump_fail_waiting(&shard.pump, ERR_DRAINING);
	finish_shard();
}

/* The pump alarms as well, by the command. */
Test(store_side, what_the_database_holds_for_a_fault_of_ours_is_an_alarm_and_nothing_else_is)
{
	refused_as(ERR_STORE_REFUSED, 1);
	refused_as(ERR_STORE_STALE, 0);
	refused_as(ERR_STORE_AWAY, 0);
	refused_as(ERR_DEPOSED, 0);
}

Test(store_side, a_journal_that_closes_is_opened_again_and_what_waits_goes_on_waiting)
{
	begin_shard();
	take(1);
	shard.beat_waiting = true;
	shard_journal_ops.on_closed(&shard, ERR_STORE);
	cr_expect(!shard.journal_open && !shard.beat_waiting && shard.pump.core == NULL);
	cr_expect(shard.reload_wanted && shard.reload_why == ERR_STORE && logged[LOG_store_lost] == 1);
	cr_expect_eq(said(1), 0);
	pump_fail_waiting(&shard.pump, ERR_DRAINING);
	finish_shard();
}

/* The rest was said when it was closed. */
Test(store_side, a_journal_closed_on_purpose_is_no_loss)
{
	begin_shard();
	shard.pump.core = NULL;
	shard_journal_ops.on_closed(&shard, ERR_OK);
	cr_expect(shard.reload_wanted && shard.reload_why == ERR_STORE_STALE && logged[LOG_store_lost] == 0);
	finish_shard();
}

Test(store_side, an_engine_that_leaves_loads_nothing_and_answers_who_waits)
{
	begin_shard();
	take(1);
	shard.state = SHARD_DRAINING;
	shard_journal_ops.on_closed(&shard, ERR_OK);
	cr_expect(!shard.reload_wanted && logged[LOG_store_lost] == 0);
	cr_expect_eq(refused(1), ERR_DRAINING);
	finish_shard();
}

Test(store_side, an_engine_that_leaves_says_when_a_batch_was_under_way)
{
	begin_shard();
	send_one(1);
	shard.state = SHARD_DRAINING;
	shard_journal_ops.on_closed(&shard, ERR_STORE);
	cr_expect(logged[LOG_store_lost] == 1 && engine.stats.batches_ambiguous == 1);
	cr_expect_eq(refused(1), ERR_DRAINING, "its key tells the next engine");
	finish_shard();
}

Test(store_side, a_hand_over_ends_it_whatever_the_answer)
{
	begin_shard();
	shard_journal_ops.on_handed_over(&shard, ERR_DEPOSED);
	cr_expect(shard.handed_over);
	finish_shard();
}
