/* The pump when commits are refused, lost, or come late: no command is lost, none is done twice. */
#include "kit/kit.h"

#include "unit/fake_store.h"

#include <string.h>

KIT_SUITE(pump_trouble);

Test(pump_trouble, a_stale_framework_runs_the_batch_again_in_order)
{
	begin();
	for (uint64_t id = 1; id <= 5; id++)
		take_new(id);
	pump_kick(&pump);
	pump_on_refused(&pump, ERR_STORE_STALE);
	cr_expect_eq(told_count, 0, "nobody hears of it");
	cr_expect_eq(reload_count, 1);
	take_new(6);
	open_store(0);
	kick_and_commit();
	cr_assert_eq(told_count, 6);
	for (uint32_t i = 0; i < 6; i++)
		cr_expect_eq(told[i].request_id, i + 1);
	cr_expect(stats.store_refused == 0 && stats.batches_stale == 1);
	finish();
}

Test(pump_trouble, the_second_batch_of_a_refusal_goes_back_too_and_its_answer_is_ignored)
{
	begin();
	take_new(1);
	pump_kick(&pump);
	for (uint64_t id = 2; id <= 1 + pump.depth_min_events; id++)
		take_new(id);
	pump_kick(&pump);
	cr_assert_eq(batch_count, 2);
	pump_on_refused(&pump, ERR_STORE_STALE);
	pump_on_refused(&pump, ERR_STORE_STALE);
	cr_expect_eq(reload_count, 1);
	open_store(0);
	kick_and_commit();
	cr_assert_eq(told_count, 1 + pump.depth_min_events);
	for (uint32_t i = 0; i < told_count; i++)
		cr_assert_eq(told[i].request_id, i + 1);
	finish();
}

Test(pump_trouble, a_refused_batch_is_tried_one_by_one_and_the_poison_set_aside)
{
	uint8_t poison[16];

	begin();
	memcpy(poison, fresh_key(now_us / 1000), 16);
	for (uint64_t id = 1; id <= 5; id++) {
		if (id == 3)
			take(id, poison, 30);
		else
			take_new(id);
	}
	pump_kick(&pump);
	pump_on_refused(&pump, ERR_STORE_REFUSED);
	cr_expect_eq(told_count, 0, "it is not known yet whose fault it is");
	cr_expect_eq(alarm_count, 1);
	open_store(0);
	pump.depth_min_events = 1; /* more lanes would be worth it */
	for (int rounds = 0; rounds < 20; rounds++) {
		pump_kick(&pump);
		if (batch_count == 0)
			break;
		cr_assert_eq(batch_count, 1, "one at a time");
		cr_assert_eq(batch_sizes[batch_first % 64], 1, "each alone");
		if (memcmp(flying[0].key, poison, 16) == 0) {
			pump_on_refused(&pump, ERR_STORE_REFUSED);
			cr_expect_eq(why_of(3), ERR_QUARANTINED);
			open_store(0);
		} else {
			commit();
		}
	}
	for (uint64_t id = 1; id <= 5; id++)
		cr_expect_eq(why_of(id), id == 3 ? ERR_QUARANTINED : ERR_OK, "%llu", (unsigned long long)id);
	cr_expect_eq(stored_count, 4);
	cr_expect_eq(stats.quarantined, 1);
	cr_expect_eq(stats.store_refused, 2, "with the others, and alone");
	take_new(6);
	take_new(7);
	pump_kick(&pump);
	cr_expect_eq(batch_sizes[batch_first % 64], 2, "afterwards batches are batches again");
	kick_and_commit();
	finish();
}

Test(pump_trouble, those_who_sent_the_poison_too_are_told_and_a_retry_is_tried_again)
{
	uint8_t poison[16];

	begin();
	memcpy(poison, fresh_key(now_us / 1000), 16);
	take(1, poison, 30);
	take(2, poison, 30);
	pump_kick(&pump);
	pump_on_refused(&pump, ERR_STORE_REFUSED);
	cr_expect_eq(why_of(1), ERR_QUARANTINED);
	cr_expect_eq(why_of(2), ERR_QUARANTINED);
	take(3, poison, 30);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(3), ERR_OK, "the fault may have been mended meanwhile");
	finish();
}

Test(pump_trouble, a_lost_batch_that_was_committed_is_found_and_not_done_twice)
{
	begin();
	for (uint64_t id = 1; id <= 3; id++)
		take_new(id);
	pump_kick(&pump);
	store_batch(); /* committed, but the answer never comes */
	pump_on_lost(&pump);
	cr_expect_eq(told_count, 0);
	cr_expect_eq(reload_count, 1);
	cr_expect_eq(reload_why, ERR_STORE);
	open_store(0);
	pump_kick(&pump);
	cr_expect_eq(batch_count, 0, "nothing is executed again");
	cr_assert_eq(asked_count, 3);
	while (asked_count > 0)
		answer_lookup();
	cr_expect_eq(stored_count, 3);
	for (uint64_t id = 1; id <= 3; id++) {
		cr_expect_eq(why_of(id), ERR_OK);
		cr_expect_eq(told_of(id)->receipt.seq, (int64_t)id);
	}
	finish();
}

Test(pump_trouble, a_lost_batch_that_was_not_committed_is_done)
{
	begin();
	for (uint64_t id = 1; id <= 3; id++)
		take_new(id);
	pump_kick(&pump);
	pump_on_lost(&pump);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(stored_count, 3);
	for (uint64_t id = 1; id <= 3; id++)
		cr_expect_eq(why_of(id), ERR_OK);
	cr_expect_eq(stats.batches_ambiguous, 1);
	finish();
}

Test(pump_trouble, of_two_lost_batches_each_command_is_done_once)
{
	begin();
	take_new(1);
	pump_kick(&pump);
	for (uint64_t id = 2; id <= 1 + pump.depth_min_events; id++)
		take_new(id);
	pump_kick(&pump);
	cr_assert_eq(batch_count, 2);
	store_batch(); /* the first reached the disk, the second did not */
	pump_on_lost(&pump);
	open_store(0);
	while (asked_count > 0)
		answer_lookup();
	kick_and_commit();
	cr_expect_eq(stored_count, 1 + pump.depth_min_events);
	for (uint64_t id = 1; id <= 1 + pump.depth_min_events; id++)
		cr_expect_eq(why_of(id), ERR_OK);
	finish();
}

Test(pump_trouble, a_send_that_fails_is_a_loss)
{
	begin();
	take_new(1);
	send_answer = ERR_STORE;
	pump_kick(&pump);
	cr_expect_eq(reload_count, 1);
	send_answer = ERR_OK;
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(stored_count, 1);
	finish();
}

Test(pump_trouble, a_retry_of_the_poison_before_the_reload_is_a_command_of_its_own)
{
	uint8_t poison[16];

	begin();
	memcpy(poison, fresh_key(now_us / 1000), 16);
	take(1, poison, 30);
	pump_kick(&pump);
	pump_on_refused(&pump, ERR_STORE_REFUSED);
	cr_assert_eq(why_of(1), ERR_QUARANTINED, "it was alone");
	take(2, poison, 30);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

Test(pump_trouble, a_loss_with_nothing_under_way_is_a_reload_too)
{
	begin();
	pump_on_lost(&pump);
	cr_expect_eq(reload_count, 1);
	cr_expect_null(pump.core);
	finish();
}

Test(pump_trouble, a_loss_while_away_changes_nothing)
{
	begin_away();
	take_new(1);
	pump_on_lost(&pump);
	pump_on_refused(&pump, ERR_STORE_STALE);
	cr_expect_eq(reload_count, 0);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	finish();
}

Test(pump_trouble, a_retry_that_comes_while_away_joins_its_first)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	pump_kick(&pump);
	pump_on_lost(&pump);
	take(2, key, 30);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(stored_count, 1);
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

Test(pump_trouble, when_waiting_is_given_up_each_is_told_and_may_retry)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	pump_kick(&pump);
	pump_on_lost(&pump);
	pump_fail_waiting(&pump, ERR_STORE_AWAY);
	cr_expect_eq(why_of(1), ERR_STORE_AWAY);
	take(2, key, 30);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(2), ERR_OK);
	finish();
}

/* A is looked up (its key is old) with A2 beside it; the core goes; B, the same command, comes and waits; only then the
 * database says that A was never done. B is first in the line, A and A2 join it: all three are answered. */
Test(pump_trouble, those_beside_a_command_that_joins_another_are_answered_too)
{
	uint8_t key[16];

	begin_away();
	open_store(now_us / 1000);
	memcpy(key, fresh_key(now_us / 1000 - 1), 16);
	take(1, key, 30);
	take(2, key, 30);
	take_new(9);
	pump_kick(&pump);
	pump_on_refused(&pump, ERR_STORE_STALE);
	take(3, key, 30);
	answer_lookup();
	open_store(now_us / 1000);
	while (asked_count > 0)
		answer_lookup();
	kick_and_commit();
	cr_expect_eq(why_of(1), ERR_OK);
	cr_expect_eq(why_of(3), ERR_OK);
	cr_expect_not_null(told_of(2), "the twin of a twin was forgotten");
	finish();
}

/* As after a failover that lost it. Nobody is asked again meanwhile: there may be nobody to ask. */
Test(pump_trouble, a_key_that_the_database_does_not_know_any_more_waits_for_the_load)
{
	uint8_t key[16];

	begin();
	memcpy(key, fresh_key(now_us / 1000), 16);
	take(1, key, 30);
	kick_and_commit();
	take(2, key, 30);
	cr_assert_eq(asked_count, 1);
	pump_on_lost(&pump);
	stored_count = 0;
	answer_lookup();
	cr_expect_eq(asked_count, 0);
	cr_expect_eq(pump.waiting, 1);
	open_store(0);
	kick_and_commit();
	cr_expect_eq(why_of(2), ERR_OK);
	cr_expect_eq(stored_count, 1);
	finish();
}

Test(pump_trouble, deposed_fails_what_waits_and_keeps_nothing)
{
	begin();
	take_new(1);
	pump_kick(&pump);
	pump_on_refused(&pump, ERR_DEPOSED);
	cr_expect_eq(reload_why, ERR_DEPOSED);
	pump_fail_waiting(&pump, ERR_DEPOSED);
	cr_expect_eq(why_of(1), ERR_DEPOSED);
	cr_expect(pump_idle(&pump));
	cr_expect_eq(stats.deposed, 1);
	finish();
}

/* Everything at once, many times: no answer is lost, none comes twice, no command is done twice. */
static void storm(uint64_t seed)
{
	uint64_t random = seed, id = 0, answered = 0;
	static uint8_t keys[64][16];

	for (int step = 0; step < 2000; step++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		uint32_t dice = (uint32_t)(random >> 33) % 100, which = (uint32_t)(random >> 40) % 64;

		if (stored_count + flying_count + pump.waiting > 1500 || id > 4000)
			dice = 60;
		if (dice < 50) {
			if (dice < 25 || keys[which][6] == 0)
				memcpy(keys[which], fresh_key(now_us / 1000 - (int64_t)(dice % 5)), 16);
			take(++id, keys[which], 30);
		} else if (dice < 65) {
			pump_kick(&pump);
		} else if (dice < 85) {
			if (pump.core != NULL && batch_count > 0)
				commit();
		} else if (dice < 88) {
			if (batch_count > 0 && dice == 85)
				store_batch();
			pump_on_lost(&pump);
		} else if (dice < 90) {
			if (batch_count > 0)
				pump_on_refused(&pump, ERR_STORE_STALE);
		} else if (asked_count > 0 && pump.core != NULL) {
			answer_lookup();
		}
		if (pump.core == NULL && dice % 3 == 0) {
			while (asked_count > 0) { /* the reader closes: what it was asked fails */
				struct op *op = asked[--asked_count];

				pump_on_lookup_failed(&pump, op);
			}
			open_store(dice % 2 == 0 ? 0 : now_us / 1000 - 2);
		}
		if (asked_count > 50) {
			while (asked_count > 0)
				answer_lookup();
		}
	}
	if (pump.core == NULL) {
		while (asked_count > 0)
			pump_on_lookup_failed(&pump, asked[--asked_count]);
		open_store(0);
	}
	do {
		kick_and_commit();
		while (asked_count > 0)
			answer_lookup();
	} while (!pump_idle(&pump));
	for (uint64_t i = 1; i <= id; i++)
		answered += told_of(i) != NULL;
	cr_assert_eq(answered, id, "seed %llu", (unsigned long long)seed);
	for (uint32_t i = 0; i < stored_count; i++) {
		for (uint32_t k = i + 1; k < stored_count; k++)
			cr_assert_neq(memcmp(stored[i].key, stored[k].key, 16), 0, "seed %llu: done twice",
				      (unsigned long long)seed);
	}
}

Test(pump_trouble, in_any_storm_each_command_is_answered_once_and_done_at_most_once)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		memset(&stats, 0, sizeof stats);
		stored_count = flying_count = told_count = asked_count = batch_first = batch_count = built = 0;
		begin();
		storm(seed);
		finish();
	}
}
