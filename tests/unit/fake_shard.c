#include "unit/fake_shard.h"

#include "wire/frame.h"

#include <criterion/criterion.h>
#include <string.h>

struct engine engine;
struct shard shard;
struct world world;
struct session *session;
int64_t mono_us = INT64_C(1000) * 1000000;
uint32_t beats, reads, closes;
enum err beat_answer, read_answer;
struct asked asked;
struct added added;
uint32_t logged[64];
static Calloff__V1__Envelope *got;

/* main.c's part, which no library holds. */
void engine_drain(struct engine *e)
{
	e->draining = true;
}

struct shard *engine_shard(struct engine *e, uint32_t number)
{
	return number <= 1 ? e->shards : NULL;
}

/* ---- in the place of the real ones ---- */

int64_t __wrap_clock_mono_us(void);
void __wrap_log_line(enum log_event event, const char *format, ...);
enum err __wrap_journal_beat(struct journal *j, int64_t clock_us);
void __wrap_journal_add(struct journal *j, const struct event *event, const struct update *update,
			const struct batch_command *command, uint8_t ret_leaf[DIGEST_BYTES]);
void __wrap_stream_close(struct stream *s);
void __wrap_reader_close(struct reader *r);
enum err __wrap_reader_package(struct reader *r, int64_t package_no, void *tag);
enum err __wrap_reader_explain(struct reader *r, int64_t package_no, void *tag);
enum err __wrap_reader_case(struct reader *r, struct text case_ref, void *tag);
enum err __wrap_reader_states(struct reader *r, uint32_t state_mask, int64_t after_no, uint32_t limit, void *tag);
enum err __wrap_reader_journal(struct reader *r, int64_t after_seq, uint32_t limit, void *tag);
enum err __wrap_reader_command(struct reader *r, struct text client, const uint8_t key[16], void *tag);

int64_t __wrap_clock_mono_us(void)
{
	return mono_us;
}

enum err __wrap_journal_beat(struct journal *j, int64_t clock_us)
{
	(void)clock_us;
	cr_assert(j == &shard.journal);
	beats++;
	return beat_answer;
}

void __wrap_journal_add(struct journal *j, const struct event *event, const struct update *update,
			const struct batch_command *command, uint8_t ret_leaf[DIGEST_BYTES])
{
	cr_assert(j == &shard.journal);
	added = (struct added){.event = event, .update = update, .command = *command};
	memset(ret_leaf, 0x1e, DIGEST_BYTES);
}

void __wrap_log_line(enum log_event event, const char *format, ...)
{
	(void)format;
	logged[event]++;
}

void __wrap_stream_close(struct stream *s)
{
	s->closing = true;
	closes++;
}

void __wrap_reader_close(struct reader *r)
{
	cr_assert(r == &shard.reader);
}

static enum err read_asked(const struct reader *r, struct asked a)
{
	cr_assert(r == &shard.reader && a.tag != NULL);
	asked = a;
	reads++;
	return read_answer;
}

enum err __wrap_reader_package(struct reader *r, int64_t package_no, void *tag)
{
	return read_asked(r, (struct asked){.what = "package", .number = package_no, .tag = tag});
}

enum err __wrap_reader_explain(struct reader *r, int64_t package_no, void *tag)
{
	return read_asked(r, (struct asked){.what = "explain", .number = package_no, .tag = tag});
}

enum err __wrap_reader_case(struct reader *r, struct text case_ref, void *tag)
{
	struct asked a = {.what = "case", .tag = tag};

	memcpy(a.text, case_ref.bytes, case_ref.len);
	return read_asked(r, a);
}

enum err __wrap_reader_states(struct reader *r, uint32_t state_mask, int64_t after_no, uint32_t limit, void *tag)
{
	return read_asked(r, (struct asked){.what = "states", .number = after_no, .limit = limit, .state_mask = state_mask,
					    .tag = tag});
}

enum err __wrap_reader_journal(struct reader *r, int64_t after_seq, uint32_t limit, void *tag)
{
	return read_asked(r, (struct asked){.what = "journal", .number = after_seq, .limit = limit, .tag = tag});
}

enum err __wrap_reader_command(struct reader *r, struct text client, const uint8_t key[16], void *tag)
{
	struct asked a = {.what = "command", .number = key[15], .tag = tag};

	memcpy(a.text, client.bytes, client.len);
	return read_asked(r, a);
}

/* ---- life ---- */

void begin_shard(void)
{
	engine.config = (struct config){.batches_in_flight = 2, .key_days = 35};
	engine.scratch = (struct arena){malloc(4 << 20), 4 << 20, 0};
	engine.shards = &shard;
	engine.shard_count = 1;
	world_rows(&world);
	world_open(&world);
	shard_init(&engine, &shard, 1);
	pump_open(&shard.pump, world.core, 0);
	shard.framework = world.framework;
	shard.journal_open = shard.reader_open = true;
	shard.journal.fence = (struct fence){.shard = 1, .last_seq = 100, .framework_version = 7};
	shard.state = SHARD_READY;
	shard.pump.leased_from_us = mono_us;
	shard.clock.base_us = world.now_us;
	session_listen(&engine);
	session = (struct session *)engine.listener.accept(&engine.listener);
}

void leave(void)
{
	buf_free(&session->stream.out);
	session->stream.ops->on_closed(&session->stream);
	session = NULL;
}

void finish_shard(void)
{
	if (session != NULL)
		leave();
	if (got != NULL)
		calloff__v1__envelope__free_unpacked(got, NULL);
	shard.framework = NULL;
	shard_free(&shard);
	world_close(&world);
	free(engine.scratch.base);
}

void ask(const struct request *r)
{
	answer_query(session, &shard, r);
	answer_held(&shard);
}

const Calloff__V1__Envelope *reply_to(uint64_t request_id)
{
	struct buf *out = &session->stream.out;
	const uint8_t *body;
	size_t len;

	if (got != NULL)
		calloff__v1__envelope__free_unpacked(got, NULL);
	got = NULL;
	if (frame_peek(out->bytes + out->from, buf_len(out), FRAME_BYTES_MAX, &body, &len) != ERR_OK)
		return NULL;
	got = calloff__v1__envelope__unpack(NULL, len, body);
	cr_assert(got != NULL && got->request_id == request_id);
	buf_consume(out, FRAME_HEAD_BYTES + len);
	return got;
}

int said(uint64_t request_id)
{
	const Calloff__V1__Envelope *e = reply_to(request_id);

	return e != NULL ? (int)e->body_case : 0;
}

int refused(uint64_t request_id)
{
	const Calloff__V1__Envelope *e = reply_to(request_id);

	return e != NULL && e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS ? (int)e->status->number : -1;
}
