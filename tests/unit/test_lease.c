/* The lease on which memory is told (decision 0016): an engine that has not heard of its fence for so long asks first. */
#include "kit/kit.h"

#include "unit/fake_shard.h"

KIT_SUITE(lease);

enum { TOLD = CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE, NOTHING = 0 };

static void ask_counts(uint64_t request_id)
{
	ask(&(const struct request){.kind = REQUEST_GET_COUNTS, .id = request_id,
				    .query = {.code = text_of(""), .after = text_of("")}});
}

static void beat_is_answered(enum err why, int64_t framework_version)
{
	shard_journal_ops.on_beat(&shard, why, framework_version);
}

Test(lease, while_it_holds_memory_is_told)
{
	begin_shard();
	mono_us += LEASE_US - 1;
	ask_counts(1);
	cr_expect_eq(said(1), TOLD);
	cr_expect_eq(beats, 0);
	finish_shard();
}

Test(lease, without_one_a_beat_fetches_it_first)
{
	begin_shard();
	mono_us += LEASE_US;
	ask_counts(1);
	ask_counts(2);
	cr_expect_eq(said(1), NOTHING, "another engine may reign");
	cr_expect_eq(beats, 1, "one for all who ask");
	beat_is_answered(ERR_OK, 7);
	cr_expect_eq(said(1), TOLD);
	cr_expect_eq(said(2), TOLD);
	mono_us += LEASE_US - 1;
	ask_counts(3);
	cr_expect_eq(said(3), TOLD);
	cr_expect_eq(beats, 1);
	finish_shard();
}

Test(lease, nobody_asks_nobody_beats)
{
	begin_shard();
	mono_us += LEASE_US;
	answer_held(&shard);
	cr_expect_eq(beats, 0);
	finish_shard();
}

Test(lease, it_counts_from_when_the_beat_was_sent)
{
	begin_shard();
	mono_us += LEASE_US;
	ask_counts(1);
	mono_us += LEASE_US; /* that long on its way */
	beat_is_answered(ERR_OK, 7);
	cr_expect_eq(said(1), NOTHING);
	cr_expect_eq(beats, 2, "and another is sent");
	mono_us += LEASE_US - 1;
	beat_is_answered(ERR_OK, 7);
	cr_expect_eq(said(1), TOLD);
	finish_shard();
}

Test(lease, a_commit_renews_it)
{
	begin_shard();
	mono_us += LEASE_US;
	shard.pump.batches[0] = (struct pump_batch){.sent_us = mono_us};
	shard.pump.batch_count = 1;
	mono_us += LEASE_US - 1;
	ask_counts(1);
	cr_expect_eq(said(1), NOTHING, "what was decided may never commit");
	cr_expect_eq(beats, 0);
	shard_journal_ops.on_committed(&shard, (const uint8_t[DIGEST_BYTES]){0});
	cr_expect_eq(said(1), TOLD);
	cr_expect_eq(beats, 0);
	finish_shard();
}

Test(lease, when_no_beat_can_be_sent_the_store_is_away)
{
	begin_shard();
	mono_us += LEASE_US;
	beat_answer = ERR_STORE;
	ask_counts(1);
	cr_expect_eq(refused(1), ERR_STORE_AWAY);
	cr_expect_eq(beats, 1);
	beat_answer = ERR_OK;
	shard.journal_open = false; /* it closes: there is nobody to ask */
	ask_counts(2);
	cr_expect_eq(refused(2), ERR_STORE_AWAY);
	shard.journal_open = true;
	shard.state = SHARD_DRAINING;
	ask_counts(3);
	cr_expect_eq(refused(3), ERR_STORE_AWAY);
	cr_expect_eq(beats, 1);
	finish_shard();
}

Test(lease, a_beat_that_was_refused_ends_it)
{
	begin_shard();
	mono_us += LEASE_US;
	ask_counts(1);
	beat_is_answered(ERR_DEPOSED, 0);
	cr_expect_eq(refused(1), ERR_LOADING);
	cr_expect(shard.pump.core == NULL && shard.reload_wanted);
	cr_expect_eq(engine.stats.deposed, 1);
	ask_counts(2);
	cr_expect_eq(refused(2), ERR_LOADING);
	shard.state = SHARD_STANDBY; /* as it finds out next */
	ask_counts(3);
	cr_expect_eq(refused(3), ERR_DEPOSED);
	beat_is_answered(ERR_OK, 7); /* of the time before */
	ask_counts(4);
	cr_expect_eq(refused(4), ERR_DEPOSED);
	finish_shard();
}

Test(lease, a_framework_that_was_edited_is_read_before_memory_is_told)
{
	begin_shard();
	mono_us += LEASE_US;
	ask_counts(1);
	beat_is_answered(ERR_OK, 8);
	cr_expect_eq(refused(1), ERR_LOADING);
	cr_expect(shard.pump.core == NULL && shard.reload_wanted && shard.framework_version_live == 8);
	cr_expect_eq(logged[LOG_framework_edited], 1);
	finish_shard();
}

Test(lease, one_beat_is_under_way_at_a_time)
{
	begin_shard();
	cr_expect(shard_beat(&shard) && shard_beat(&shard));
	cr_expect_eq(beats, 1);
	beat_is_answered(ERR_OK, 7);
	cr_expect(shard_beat(&shard));
	cr_expect_eq(beats, 2);
	finish_shard();
}

Test(lease, who_asked_and_left_is_told_nothing)
{
	begin_shard();
	mono_us += LEASE_US;
	ask_counts(1);
	leave();
	beat_is_answered(ERR_OK, 7);
	cr_expect_null(shard.held_first);
	finish_shard();
}
