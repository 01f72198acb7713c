/* The pump in ordinary days: order, batches, deadlines, keys. The fake store says when a commit comes back. */
#include "kit/kit.h"

#include "unit/fake_store.h"

#include <string.h>

KIT_SUITE(pump);
KIT_SUITE(pump_keys);

Test(pump, a_reply_leaves_only_after_the_commit)
{
	begin();
	take_new(1);
	cr_expect_eq(told_count, 0);
	pump_kick(&pump);
	cr_expect_eq(told_count, 0, "decided and sent, not yet committed");
	commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(told_of(1)->receipt.seq, 1);
	cr_expect_eq(told_of(1)->receipt.leaf[0], 1);
	cr_expect_eq(told_of(1)->receipt.row_hash[31], 1);
	cr_expect_eq(told_of(1)->outcome.package_no, 1);
	cr_expect(pump_idle(&pump));
	finish();
}

Test(pump, what_arrives_while_one_batch_is_out_is_the_next)
{
	begin();
	take_new(1);
	pump_kick(&pump);
	for (uint64_t id = 2; id <= 10; id++)
		take_new(id);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 1, "few wait for the first to come back");
	commit();
	pump_kick(&pump);
	cr_expect_eq(batch_sizes[(batch_first + batch_count - 1) % 64], 9);
	commit();
	cr_expect_eq(told_count, 10);
	finish();
}

Test(pump, many_waiting_go_out_before_the_first_batch_is_back)
{
	begin();
	take_new(1);
	pump_kick(&pump);
	for (uint64_t id = 2; id <= 1 + pump.depth_min_events; id++)
		take_new(id);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 2);
	take_new(5000);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 2, "no more than the depth");
	kick_and_commit();
	cr_expect_eq(told_count, 2 + pump.depth_min_events);
	finish();
}

Test(pump, a_second_batch_goes_out_only_as_large_as_its_share)
{
	uint64_t first, id = 1;

	begin();
	first = 4 * pump.depth_min_events;
	for (; id <= first; id++)
		take_new(id);
	pump_kick(&pump);
	for (; id < 2 * first; id++)
		take_new(id);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 1, "one short of half of all");
	take_new(id++);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 2);
	kick_and_commit();
	kick_and_commit();
	cr_expect_eq(told_count, 2 * first);
	finish();
}

Test(pump, answers_come_in_the_order_of_arrival)
{
	begin();
	for (uint64_t id = 1; id <= 3000; id++)
		take_new(id);
	kick_and_commit();
	cr_assert_eq(told_count, 3000);
	for (uint32_t i = 0; i < told_count; i++) {
		cr_assert_eq(told[i].request_id, i + 1);
		cr_assert_eq(told[i].receipt.seq, (int64_t)i + 1);
	}
	cr_expect_eq(stats.batches, 2, "a batch has its limit");
	finish();
}

Test(pump, a_batch_that_takes_no_more_is_sent_first)
{
	begin();
	takes_max = 3;
	for (uint64_t id = 1; id <= 7; id++)
		take_new(id);
	kick_and_commit();
	cr_expect_eq(stats.batches, 3);
	cr_expect_eq(told_count, 7);
	for (uint32_t i = 0; i < told_count; i++)
		cr_expect_eq(told[i].receipt.seq, (int64_t)i + 1);
	finish();
}

Test(pump, a_refusal_by_the_rules_is_an_outcome_like_any_other)
{
	begin();
	take(1, fresh_key(now_us / 1000), 0);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(told_of(1)->outcome.refusal, ERR_UNKNOWN_SECTOR);
	cr_expect_eq(told_of(1)->receipt.seq, 1);
	cr_expect_eq(stats.commands_refused, 1);
	finish();
}

Test(pump, a_dry_run_decides_and_changes_nothing)
{
	struct outcome outcome;
	uint64_t hash;

	begin();
	hash = core_state_hash(world.core);
	world_submit(&world, 30);
	cr_expect(pump_preview(&pump, &world.event, &outcome));
	cr_expect_eq(outcome.package_no, 0, "no package was made");
	cr_expect_eq(outcome.looked_at, 3);
	cr_expect_eq(core_state_hash(world.core), hash);
	cr_expect(pump_idle(&pump));
	cr_expect_eq(flying_count, 0);
	finish();
}

/* Every declaration has expired by then: it means ask, not yes. */
Test(pump, a_dry_run_is_decided_at_the_time_it_is_asked)
{
	struct outcome outcome;

	begin();
	world_declare(&world, "POOL-1", 300);
	world_submit(&world, 30);
	cr_assert(pump_preview(&pump, &world.event, &outcome));
	cr_expect_eq(outcome.looked_at, 1);
	now_us += 400 * DAY_US;
	world_submit(&world, 30);
	cr_assert(pump_preview(&pump, &world.event, &outcome));
	cr_expect_gt(outcome.looked_at, 1);
	finish();
}

Test(pump, a_dry_run_needs_a_core)
{
	struct outcome outcome;

	begin_away();
	world_submit(&world, 30);
	cr_expect_not(pump_preview(&pump, &world.event, &outcome));
	finish();
}

Test(pump, what_comes_before_the_load_waits_for_it)
{
	begin_away();
	take_new(1);
	take_new(2);
	pump_kick(&pump);
	cr_expect_eq(told_count + batch_count, 0);
	open_store(0);
	cr_expect_eq(pump.waiting, 2);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

/* Before the load the clock is only the machine's, which may be years off, and these refusals are final. */
Test(pump, times_of_what_comes_before_the_load_are_looked_at_after_it)
{
	begin_away();
	take(1, fresh_key(now_us / 1000 - KEY_AGE_MS - 1), 30);
	take(2, fresh_key(now_us / 1000 + 600001), 30);
	cr_expect_eq(told_count, 0);
	now_us += 600001000;
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_KEY_TOO_OLD);
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

Test(pump, a_passed_deadline_is_not_started)
{
	struct op *op;

	begin();
	op = op_of(1, fresh_key(now_us / 1000), 30);
	op->deadline_us = now_us - 1;
	pump_take(&pump, op);
	cr_expect_eq(why_of(1), ERR_DEADLINE_PASSED);
	op = op_of(2, fresh_key(now_us / 1000), 30);
	op->deadline_us = now_us;
	pump_take(&pump, op);
	kick_and_commit();
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

Test(pump, a_command_is_decided_in_its_clients_name_at_the_time_it_leaves_the_line)
{
	begin();
	take_new(1);
	now_us += 5;
	pump_kick(&pump);
	cr_expect_eq(flying[0].now_us, now_us);
	cr_expect(flying[0].principal.len == 6 && memcmp(flying[0].principal.bytes, "unix:1", 6) == 0);
	commit();
	finish();
}

static uint32_t counted;

static void count_reply(void *data, const struct op *op, enum err why, const struct outcome *outcome,
			const struct receipt *receipt)
{
	(void)data;
	(void)op;
	(void)why;
	(void)outcome;
	(void)receipt;
	counted++;
}

Test(pump, a_full_line_answers_busy)
{
	begin_away(); /* nothing leaves */
	for (uint64_t id = 1; id <= OP_QUEUE_MAX; id++)
		take_new(id % 100 + 1000);
	cr_expect_eq(told_count, 0);
	take_new(7);
	cr_expect_eq(why_of(7), ERR_BUSY);
	cr_expect_eq(stats.busy, 1);
	pump.io = &(const struct pump_io){.now_us = fake_io.now_us, .mono_ns = fake_io.mono_ns, .reply = count_reply};
	pump_fail_waiting(&pump, ERR_DRAINING);
	cr_expect_eq(counted, OP_QUEUE_MAX, "each is answered in the end");
	pump_free(&pump);
	world_close(&world);
}

/* What shutting down waits for. */
Test(pump, it_is_idle_only_when_nothing_waits_and_nothing_is_under_way)
{
	begin();
	cr_expect(pump_idle(&pump));
	take_new(1);
	cr_expect_not(pump_idle(&pump));
	pump_kick(&pump);
	cr_expect_not(pump_idle(&pump), "sent, not answered");
	commit();
	cr_expect(pump_idle(&pump));
	finish();
}

Test(pump, what_is_final_is_told_even_when_the_line_is_full)
{
	begin();
	pump.waiting = OP_QUEUE_MAX; /* as if */
	take(1, fresh_key(now_us / 1000 - KEY_AGE_MS - 1), 30);
	pump.waiting = 0;
	cr_expect_eq(why_of(1), ERR_KEY_TOO_OLD);
	cr_expect_eq(stats.busy, 0);
	finish();
}

/* ---- keys ---- */

Test(pump_keys, too_old_and_future_keys_are_refused)
{
	int64_t now_ms;

	begin();
	now_ms = now_us / 1000;
	take(1, fresh_key(now_ms - KEY_AGE_MS - 1), 30);
	cr_expect_eq(why_of(1), ERR_KEY_TOO_OLD);
	take(2, fresh_key(now_ms + 600001), 30);
	cr_expect_eq(why_of(2), ERR_KEY_IN_FUTURE);
	take(3, fresh_key(now_ms - KEY_AGE_MS), 30);
	take(4, fresh_key(now_ms + 600000), 30);
	kick_and_commit();
	cr_expect_eq(why_of(3), ERR_OK);
	cr_expect_eq(why_of(4), ERR_OK);
	finish();
}

Test(pump_keys, the_same_command_twice_in_flight_gets_one_outcome)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	take(2, key, 30);
	pump_kick(&pump);
	take(3, key, 30); /* sent by now */
	cr_expect_eq(told_count, 0);
	kick_and_commit();
	cr_expect_eq(stored_count, 1, "executed once");
	for (uint64_t id = 1; id <= 3; id++) {
		cr_expect_eq(why_of(id), ERR_OK);
		cr_expect_eq(told_of(id)->receipt.seq, 1);
		cr_expect_eq(told_of(id)->outcome.package_no, 1);
	}
	cr_expect_eq(stats.commands_repeated, 2);
	finish();
}

Test(pump_keys, the_same_key_for_another_request_is_refused)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	take(2, key, 45);
	cr_expect_eq(why_of(2), ERR_KEY_REUSED);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	take(3, key, 45); /* committed by now: the database compares */
	cr_assert_eq(asked_count, 1);
	answer_lookup();
	cr_expect_eq(why_of(3), ERR_KEY_REUSED);
	cr_expect_eq(stats.key_reused, 2);
	finish();
}

Test(pump_keys, a_key_done_before_is_answered_by_the_database)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	kick_and_commit();
	take(2, key, 30);
	cr_assert_eq(asked_count, 1);
	cr_expect_null(told_of(2));
	answer_lookup();
	cr_expect_eq(why_of(2), ERR_OK);
	cr_expect_eq(told_of(2)->outcome.package_no, told_of(1)->outcome.package_no);
	cr_expect_eq(told_of(2)->receipt.seq, 1);
	kick_and_commit();
	cr_expect_eq(stored_count, 1);
	cr_expect_eq(stats.commands_repeated, 1);
	finish();
}

Test(pump_keys, the_key_of_another_client_is_another_key)
{
	uint8_t key[16];
	struct op *op;

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	world_submit(&world, 45);
	op = op_new(&world.event, 2, 2, key, text_of("unix:2"));
	pump_take(&pump, op);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(why_of(2), ERR_OK);
	cr_expect_eq(stored_count, 2);
	finish();
}

Test(pump_keys, one_older_than_memory_is_looked_up_then_done)
{
	begin_away();
	open_store(now_us / 1000); /* memory knows no key before this moment */
	take(1, fresh_key(now_us / 1000 - 1), 30);
	cr_assert_eq(asked_count, 1);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 0);
	answer_lookup();
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(stats.keys_looked_up, 1);
	take(2, fresh_key(now_us / 1000), 30);
	cr_expect_eq(asked_count, 0, "at the floor memory knows");
	kick_and_commit();
	finish();
}

Test(pump_keys, one_older_than_memory_that_was_done_is_answered_each_time_by_the_database)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	kick_and_commit();
	keys_clear(&pump.keys, now_us / 1000 + 1); /* as after a load that left this key out */
	for (uint64_t id = 2; id <= 3; id++) {
		take(id, key, 30);
		cr_assert_eq(asked_count, 1);
		answer_lookup();
		cr_expect_eq(why_of(id), ERR_OK);
		cr_expect_eq(told_of(id)->receipt.seq, 1);
	}
	cr_expect_eq(stored_count, 1);
	finish();
}

Test(pump_keys, what_the_database_does_not_know_is_not_asked_for_twice)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	kick_and_commit();
	take(2, key, 30);
	cr_assert_eq(asked_count, 1);
	pump_on_lost(&pump);
	stored_count = 0; /* a failover lost it */
	open_store(now_us / 1000 + 1);
	answer_lookup();
	cr_expect_eq(asked_count, 0);
	kick_and_commit();
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

/* It was done: whatever becomes of a retry, memory goes on knowing that. */
Test(pump_keys, a_retry_that_could_not_be_looked_up_leaves_the_key_used)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	kick_and_commit();
	take(2, key, 30);
	cr_assert_eq(asked_count, 1);
	pump_on_lookup_failed(&pump, asked[--asked_count]);
	cr_expect_eq(why_of(2), ERR_STORE_AWAY);
	take(3, key, 30);
	cr_assert_eq(asked_count, 1);
	answer_lookup();
	kick_and_commit();
	cr_expect_eq(told_of(3)->receipt.seq, 1);
	cr_expect_eq(stored_count, 1, "it was done again");
	finish();
}

Test(pump_keys, those_who_send_it_while_it_is_looked_up_wait_with_it)
{
	uint8_t key[16];

	begin_away();
	open_store(now_us / 1000);
	memcpy(key, fresh_key(now_us / 1000 - 1), 16);
	take(1, key, 30);
	take(2, key, 30);
	cr_assert_eq(asked_count, 1);
	answer_lookup();
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(why_of(2), ERR_OK);
	cr_expect_eq(stored_count, 1);
	finish();
}

Test(pump_keys, when_the_database_cannot_be_asked_the_key_stays_free)
{
	uint8_t key[16];

	begin_away();
	open_store(now_us / 1000);
	memcpy(key, fresh_key(now_us / 1000 - 1), 16);
	lookup_answer = ERR_STORE;
	take(1, key, 30);
	cr_expect_eq(why_of(1), ERR_STORE_AWAY);
	lookup_answer = ERR_OK;
	take(2, key, 30);
	cr_assert_eq(asked_count, 1);
	struct op *op = asked[0];
	asked_count = 0;
	pump_on_lookup_failed(&pump, op);
	cr_expect_eq(why_of(2), ERR_STORE_AWAY);
	take(3, key, 30);
	answer_lookup();
	kick_and_commit();
	cr_expect_eq(why_of(3), ERR_OK);
	finish();
}

Test(pump_keys, an_event_too_large_makes_no_op)
{
	struct requirement *r;
	static char text[256];

	world_rows(&world);
	r = world_submit(&world, 30);
	memset(text, 'x', 255);
	r->skill_count = SKILLS_MAX;
	r->excluded_count = EXCLUDED_MAX;
	for (int i = 0; i < SKILLS_MAX; i++) {
		r->skills[i] = (struct text){text, 255};
		r->excluded[i] = (struct exclusion){{text, 255}, {text, 255}};
	}
	cr_expect_null(op_new(&world.event, 1, 1, fresh_key(1), text_of("unix:1")));
}

/* The fence was ours when the commit was sent; its answer may have been long on the way. */
Test(pump, the_lease_counts_from_when_the_commit_was_sent)
{
	int64_t sent_us;

	begin();
	sent_us = now_us;
	take_new(1);
	pump_kick(&pump);
	now_us += 900000;
	commit();
	cr_expect_eq(pump.leased_from_us, sent_us);
	finish();
}

/* Of two commands, one of which no rule had to look at a provider for. */
Test(pump, what_was_done_is_counted_and_timed)
{
	begin();
	take(1, fresh_key(now_us / 1000), 0);
	take_new(2);
	now_us += 300;
	pump_kick(&pump);
	now_us += 700;
	commit();
	cr_expect(stats.commands == 2 && stats.commands_refused == 1 && stats.batches == 1 && stats.events == 2);
	cr_expect(stats.command_us.count == 2 && stats.command_us.sum == 2000);
	cr_expect(stats.commit_us.count == 1 && stats.commit_us.sum == 700);
	cr_expect(stats.batch_events.count == 1 && stats.batch_events.sum == 2);
	cr_expect(stats.decide_ns.count == 2 && stats.decide_ns.sum == 0, "the clock stood still");
	cr_expect(stats.looked_at.count == 1 && stats.looked_at.sum == 3);
	finish();
}
