/* The lease on which memory is told (decision 0016): an engine that has not heard of its fence for so long asks first. */
#include "kit/kit.h"

#include "calloff/v1/envelope.pb-c.h"
#include "server/engine.h"
#include "unit/fixture.h"
#include "wire/frame.h"

#include <string.h>

KIT_SUITE(lease);

static struct engine engine;
static struct shard shard;
static struct world world;
static struct session *session;

/* ---- what the linker puts in the place of the clock and of the heartbeat ---- */

static int64_t now_us = INT64_C(1000) * 1000000;
static uint32_t beats;
static enum err beat_answer;

int64_t __wrap_clock_mono_us(void);
enum err __wrap_journal_beat(struct journal *j, int64_t clock_us);

int64_t __wrap_clock_mono_us(void)
{
	return now_us;
}

enum err __wrap_journal_beat(struct journal *j, int64_t clock_us)
{
	(void)clock_us;
	cr_assert(j == &shard.journal);
	beats++;
	return beat_answer;
}

/* main.c's part, which no library holds. */
void engine_drain(struct engine *e)
{
	e->draining = true;
}

struct shard *engine_shard(struct engine *e, uint32_t number)
{
	return number <= 1 ? e->shards : NULL;
}

/* ---- a shard that reigns, its lease fresh, and somebody connected ---- */

static void begin(void)
{
	engine.config = (struct config){.batches_in_flight = 2, .key_days = 35};
	engine.scratch = (struct arena){malloc(1 << 20), 1 << 20, 0};
	engine.shards = &shard;
	engine.shard_count = 1;
	world_rows(&world);
	world_open(&world);
	shard_init(&engine, &shard, 1);
	pump_open(&shard.pump, world.core, 0);
	shard.framework = world.framework;
	shard.journal_open = true;
	shard.journal.fence.framework_version = 7;
	shard.state = SHARD_READY;
	shard.pump.leased_from_us = now_us;
	session_listen(&engine);
	session = (struct session *)engine.listener.accept(&engine.listener);
}

static void leave(void)
{
	session->stream.ops->on_closed(&session->stream);
	session = NULL;
	engine.dirty = NULL;
}

static void finish(void)
{
	if (session != NULL) {
		buf_free(&session->stream.out);
		leave();
	}
	shard.framework = NULL;
	shard_free(&shard);
	world_close(&world);
	free(engine.scratch.base);
}

static void ask(uint64_t request_id)
{
	const struct request r = {.kind = REQUEST_GET_COUNTS, .id = request_id};

	answer_query(session, &shard, &r);
	answer_held(&shard); /* the end of the loop's turn */
}

/* The next reply, to this request: a body, or the number of a status. */
static int told(uint64_t request_id)
{
	struct buf *out = &session->stream.out;
	Calloff__V1__Envelope *e;
	const uint8_t *body;
	size_t len;
	int what;

	if (frame_peek(out->bytes + out->from, buf_len(out), FRAME_BYTES_MAX, &body, &len) != ERR_OK)
		return -1;
	e = calloff__v1__envelope__unpack(NULL, len, body);
	cr_assert(e != NULL && e->request_id == request_id);
	what = e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS ? (int)e->status->number : 0;
	cr_assert(what != 0 || e->body_case == CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE);
	calloff__v1__envelope__free_unpacked(e, NULL);
	buf_consume(out, FRAME_HEAD_BYTES + len);
	return what;
}

enum { MEMORY = 0, NOTHING = -1 };

static void beat_is_answered(enum err why, int64_t framework_version)
{
	shard_journal_ops.on_beat(&shard, why, framework_version);
}

Test(lease, while_it_holds_memory_is_told)
{
	begin();
	now_us += LEASE_US - 1;
	ask(1);
	cr_expect_eq(told(1), MEMORY);
	cr_expect_eq(beats, 0);
	finish();
}

Test(lease, without_one_a_beat_fetches_it_first)
{
	begin();
	now_us += LEASE_US;
	ask(1);
	ask(2);
	cr_expect_eq(told(1), NOTHING, "another engine may reign");
	cr_expect_eq(beats, 1, "one for all who ask");
	beat_is_answered(ERR_OK, 7);
	cr_expect_eq(told(1), MEMORY);
	cr_expect_eq(told(2), MEMORY);
	now_us += LEASE_US - 1;
	ask(3);
	cr_expect_eq(told(3), MEMORY);
	cr_expect_eq(beats, 1);
	finish();
}

Test(lease, it_counts_from_when_the_beat_was_sent)
{
	begin();
	now_us += LEASE_US;
	ask(1);
	now_us += LEASE_US; /* that long on its way */
	beat_is_answered(ERR_OK, 7);
	cr_expect_eq(told(1), NOTHING);
	cr_expect_eq(beats, 2, "and another is sent");
	now_us += LEASE_US - 1;
	beat_is_answered(ERR_OK, 7);
	cr_expect_eq(told(1), MEMORY);
	finish();
}

Test(lease, a_commit_renews_it)
{
	begin();
	now_us += LEASE_US;
	shard.pump.batches[0] = (struct pump_batch){.sent_us = now_us};
	shard.pump.batch_count = 1;
	now_us += LEASE_US - 1;
	ask(1);
	cr_expect_eq(told(1), NOTHING, "what was decided may never commit");
	cr_expect_eq(beats, 0);
	shard_journal_ops.on_committed(&shard, (const uint8_t[DIGEST_BYTES]){0});
	cr_expect_eq(told(1), MEMORY);
	cr_expect_eq(beats, 0);
	finish();
}

Test(lease, when_no_beat_can_be_sent_the_store_is_away)
{
	begin();
	now_us += LEASE_US;
	beat_answer = ERR_STORE;
	ask(1);
	cr_expect_eq(told(1), ERR_STORE_AWAY);
	cr_expect_eq(beats, 1);
	beat_answer = ERR_OK;
	shard.journal_open = false; /* it closes: there is nobody to ask */
	ask(2);
	cr_expect_eq(told(2), ERR_STORE_AWAY);
	shard.journal_open = true;
	shard.state = SHARD_DRAINING;
	ask(3);
	cr_expect_eq(told(3), ERR_STORE_AWAY);
	cr_expect_eq(beats, 1);
	finish();
}

Test(lease, a_beat_that_was_refused_ends_it)
{
	begin();
	now_us += LEASE_US;
	ask(1);
	beat_is_answered(ERR_DEPOSED, 0);
	cr_expect_eq(told(1), ERR_LOADING);
	cr_expect(shard.pump.core == NULL && shard.reload_wanted);
	cr_expect_eq(engine.stats.deposed, 1);
	ask(2);
	cr_expect_eq(told(2), ERR_LOADING);
	shard.state = SHARD_STANDBY; /* as it finds out next */
	ask(3);
	cr_expect_eq(told(3), ERR_DEPOSED);
	beat_is_answered(ERR_OK, 7); /* of the time before */
	ask(4);
	cr_expect_eq(told(4), ERR_DEPOSED);
	finish();
}

Test(lease, a_framework_that_was_edited_is_read_before_memory_is_told)
{
	begin();
	now_us += LEASE_US;
	ask(1);
	beat_is_answered(ERR_OK, 8);
	cr_expect_eq(told(1), ERR_LOADING);
	cr_expect(shard.pump.core == NULL && shard.reload_wanted && shard.framework_version_live == 8);
	finish();
}

Test(lease, one_beat_is_under_way_at_a_time)
{
	begin();
	cr_expect(shard_beat(&shard) && shard_beat(&shard));
	cr_expect_eq(beats, 1);
	beat_is_answered(ERR_OK, 7);
	cr_expect(shard_beat(&shard));
	cr_expect_eq(beats, 2);
	finish();
}

Test(lease, who_asked_and_left_is_told_nothing)
{
	begin();
	now_us += LEASE_US;
	ask(1);
	leave();
	beat_is_answered(ERR_OK, 7);
	cr_expect_null(shard.held_first);
	finish();
}
