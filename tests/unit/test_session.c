/* One connection of a real engine without a store: what it says when nothing is loaded, and how it paces a client. */
#include "kit/kit.h"

#include "calloff/v1/envelope.pb-c.h"
#include "server/engine.h"
#include "unit/fixture.h"
#include "wire/frame.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

KIT_SUITE(session);

static struct engine engine;
static struct shard shard;

/* main.c's part, which no library holds. */
void engine_drain(struct engine *e)
{
	e->draining = true;
}

struct shard *engine_shard(struct engine *e, uint32_t number)
{
	return number <= 1 ? e->shards : NULL;
}

static uv_loop_t loop;
static struct session *session;
static int client;
static struct buf heard;

static void begin(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(uv_loop_init(&loop), 0);
	engine.loop = &loop;
	engine.config = (struct config){
		.batches_in_flight = 2, .key_days = 35,
		.connections_max = 8, .hello_seconds = 5, .frame_seconds = 10, .idle_seconds = 3600};
	engine.parse_arena = (struct arena){malloc(UNPACK_BYTES_MAX * 2), UNPACK_BYTES_MAX * 2, 0};
	engine.scratch = (struct arena){malloc(1 << 20), 1 << 20, 0};
	engine.shards = &shard;
	engine.shard_count = 1;
	shard_init(&engine, &shard, 1);
	session_listen(&engine);
	/* what listener_on_connection does, over a pair of sockets */
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	session = (struct session *)engine.listener.accept(&engine.listener);
	cr_assert_eq(uv_pipe_init(&loop, &session->stream.pipe, 0), 0);
	session->stream.pipe.data = &session->stream;
	cr_assert_eq(uv_pipe_open(&session->stream.pipe, fds[0]), 0);
	engine.listener.on_open(&engine.listener, &session->stream);
	client = fds[1];
}

/* As after a load: times are looked at, new keys wait in line. Nothing here decides. */
static void open_shard(void)
{
	shard.pump.core = (struct core *)&shard;
	keys_clear(&shard.pump.keys, 0);
}

static void turn(void)
{
	for (int i = 0; i < 20; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		session_flush_all(&engine);
	}
}

static void finish(void)
{
	pump_fail_waiting(&shard.pump, ERR_DRAINING);
	for (struct session *s = engine.sessions; s != NULL; s = s->next)
		stream_close(&s->stream);
	turn();
	close(client);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&loop), 0);
	cr_expect_eq(engine.session_count, 0);
	shard_free(&shard);
	free(engine.parse_arena.base);
	free(engine.scratch.base);
	buf_free(&heard);
}

static void send_bytes(const void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(client, (const char *)bytes + at, len - at);

		if (n > 0)
			at += (size_t)n;
		turn();
	}
}

static void append_envelope(struct buf *to, const Calloff__V1__Envelope *e)
{
	size_t len = calloff__v1__envelope__get_packed_size(e);
	uint8_t *at = buf_reserve(to, FRAME_HEAD_BYTES + len);

	frame_put_head(at, len);
	calloff__v1__envelope__pack(e, at + FRAME_HEAD_BYTES);
	to->to += FRAME_HEAD_BYTES + len;
}

static void send_envelope(const Calloff__V1__Envelope *e)
{
	struct buf b = {0};

	append_envelope(&b, e);
	send_bytes(b.bytes, buf_len(&b));
	buf_free(&b);
}

static void say_hello(void)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__HelloRequest m = CALLOFF__V1__HELLO_REQUEST__INIT;

	m.protocol = 1;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_HELLO_REQUEST;
	e.hello_request = &m;
	send_envelope(&e);
}

/* The next reply, NULL when none came. */
static Calloff__V1__Envelope *next_reply(void)
{
	const uint8_t *body;
	size_t len;
	Calloff__V1__Envelope *e;
	ssize_t n;

	turn();
	while ((n = read(client, buf_reserve(&heard, 65536), 65536)) > 0)
		heard.to += (size_t)n;
	if (frame_peek(heard.bytes + heard.from, buf_len(&heard), FRAME_BYTES_MAX, &body, &len) != ERR_OK)
		return NULL;
	e = calloff__v1__envelope__unpack(NULL, len, body);
	cr_assert_not_null(e);
	buf_consume(&heard, FRAME_HEAD_BYTES + len);
	return e;
}

static uint32_t next_status(void)
{
	Calloff__V1__Envelope *e = next_reply();
	uint32_t number;

	cr_assert_not_null(e);
	cr_assert_eq(e->body_case, CALLOFF__V1__ENVELOPE__BODY_STATUS);
	number = e->status->number;
	calloff__v1__envelope__free_unpacked(e, NULL);
	return number;
}

static void expect_reply(int body)
{
	Calloff__V1__Envelope *e = next_reply();

	cr_assert_not_null(e);
	cr_expect_eq((int)e->body_case, body);
	calloff__v1__envelope__free_unpacked(e, NULL);
}

/* A withdrawal whose key was made at at_ms. */
static void append_command(struct buf *to, uint64_t request_id, int64_t at_ms)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__WithdrawPackageRequest m = CALLOFF__V1__WITHDRAW_PACKAGE_REQUEST__INIT;
	uint8_t key[16] = {0};

	for (int i = 0; i < 6; i++)
		key[i] = (uint8_t)(at_ms >> (8 * (5 - i)));
	key[6] = 0x70;
	key[8] = 0x80;
	memcpy(key + 9, &request_id, 7);
	m.package = (char *)"P-1";
	m.reason = (char *)"other";
	e.request_id = request_id;
	e.key = (ProtobufCBinaryData){16, key};
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST;
	e.withdraw_package_request = &m;
	append_envelope(to, &e);
}

Test(session, hello_comes_first)
{
	struct buf b = {0};

	begin();
	append_command(&b, 1, clock_wall_us() / 1000);
	send_bytes(b.bytes, buf_len(&b));
	cr_expect_eq(next_status(), ERR_NO_HELLO);
	say_hello();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE);
	send_bytes(b.bytes, buf_len(&b));
	cr_expect_null(next_reply(), "it waits for the load");
	cr_expect_eq(session->in_flight, 1);
	buf_free(&b);
	finish();
}

Test(session, frames_in_pieces_are_put_together)
{
	struct buf b = {0};

	begin();
	open_shard();
	say_hello();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE);
	for (uint64_t id = 1; id <= 3; id++)
		append_command(&b, id, 1); /* far too old */
	for (size_t i = 0; i < buf_len(&b); i++)
		send_bytes(b.bytes + i, 1);
	for (uint64_t id = 1; id <= 3; id++)
		cr_expect_eq(next_status(), ERR_KEY_TOO_OLD);
	cr_expect_eq(session->in_flight, 0);
	buf_free(&b);
	finish();
}

Test(session, a_frame_too_big_is_told_why_and_closed)
{
	begin();
	send_bytes("\0\xff\0\0", 4);
	cr_expect_eq(next_status(), ERR_TOO_BIG);
	turn();
	cr_expect_eq(engine.session_count, 0);
	finish();
}

Test(session, nonsense_is_answered_and_the_connection_stays)
{
	begin();
	send_bytes("\0\0\0\2\xff\xff", 6);
	cr_expect_eq(next_status(), ERR_NOT_DECODED);
	say_hello();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE);
	finish();
}

Test(session, a_client_that_leaves_with_commands_waiting_is_forgotten_when_they_are_answered)
{
	struct buf b = {0};

	begin();
	say_hello();
	append_command(&b, 1, clock_wall_us() / 1000);
	send_bytes(b.bytes, buf_len(&b));
	cr_expect_eq(shard.pump.waiting, 1);
	shutdown(client, SHUT_RDWR);
	turn();
	cr_expect_eq(engine.session_count, 1, "its command still names it");
	pump_fail_waiting(&shard.pump, ERR_STORE_AWAY);
	cr_expect_eq(engine.session_count, 0);
	buf_free(&b);
	finish();
}

Test(session, more_than_the_limit_unanswered_is_not_read)
{
	struct buf b = {0};
	int64_t now_ms = clock_wall_us() / 1000;

	begin();
	say_hello();
	for (uint64_t id = 1; id <= IN_FLIGHT_MAX + 10; id++)
		append_command(&b, id, now_ms);
	for (size_t at = 0; at < buf_len(&b); at += 4096) {
		size_t len = buf_len(&b) - at < 4096 ? buf_len(&b) - at : 4096;
		ssize_t n = write(client, b.bytes + at, len);

		cr_assert_eq(n, (ssize_t)len);
		turn();
	}
	cr_expect_eq(session->in_flight, IN_FLIGHT_MAX);
	cr_expect_not(session->stream.reading);
	pump_fail_waiting(&shard.pump, ERR_STORE_AWAY);
	turn();
	pump_fail_waiting(&shard.pump, ERR_STORE_AWAY);
	turn();
	cr_expect_eq(session->in_flight, 0, "those that waited in its buffer were taken in");
	cr_expect(session->stream.reading);
	for (uint64_t id = 0; id < IN_FLIGHT_MAX + 11; id++) {
		Calloff__V1__Envelope *e = next_reply();

		cr_assert_not_null(e, "reply %llu never came", (unsigned long long)id);
		calloff__v1__envelope__free_unpacked(e, NULL);
	}
	buf_free(&b);
	finish();
}

Test(session, in_a_long_line_a_connection_has_its_share_and_is_told_when_to_come_again)
{
	struct buf b = {0};
	Calloff__V1__Envelope *e;

	begin();
	say_hello();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE);
	for (uint64_t id = 1; id <= 5; id++)
		append_command(&b, id, clock_wall_us() / 1000);
	shard.pump.waiting = SHARE_FROM; /* as if others had sent so many, over so many connections */
	engine.busy_sessions = SHARE_FROM / 2 - 1;
	engine.busy_retry_ms = 777;
	send_bytes(b.bytes, buf_len(&b));
	cr_expect_eq(session->in_flight, 3);
	for (uint64_t id = 4; id <= 5; id++) {
		e = next_reply();
		cr_assert(e != NULL && e->request_id == id && e->status->number == ERR_BUSY);
		cr_expect_eq(e->status->retry_after_ms, 777);
		cr_expect(e->status->retry_same_key);
		calloff__v1__envelope__free_unpacked(e, NULL);
	}
	cr_expect_null(next_reply());
	shard.pump.waiting -= SHARE_FROM;
	buf_free(&b);
	finish();
}

/* The last place taken by a command that is answered at once: its answer wakes the session, whose frame is still there.
 */
Test(session, a_command_refused_at_the_limit_is_answered_once)
{
	struct buf b = {0};
	int64_t now_ms = clock_wall_us() / 1000;
	uint32_t too_old = 0;

	begin();
	open_shard();
	say_hello();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE);
	for (uint64_t id = 1; id < IN_FLIGHT_MAX; id++)
		append_command(&b, id, now_ms);
	append_command(&b, IN_FLIGHT_MAX, 1); /* too old: refused at once */
	append_command(&b, IN_FLIGHT_MAX + 1, 1);
	send_bytes(b.bytes, buf_len(&b));
	while (engine.session_count > 0) {
		Calloff__V1__Envelope *e = next_reply();

		if (e == NULL)
			break;
		too_old += e->status->number == ERR_KEY_TOO_OLD;
		calloff__v1__envelope__free_unpacked(e, NULL);
	}
	cr_expect_eq(too_old, 2);
	cr_expect_eq(session->in_flight, IN_FLIGHT_MAX - 1);
	buf_free(&b);
	finish();
}

/* ---- what is told from memory ---- */

static struct world world;

static void open_memory(void)
{
	begin();
	say_hello();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE);
	world_rows(&world);
	world_open(&world);
	for (int pool = 0; pool < 3; pool++)
		world_declare(&world, world.pools[pool].code, 600);
	shard.pump.core = world.core;
	shard.framework = world.framework;
	shard.state = SHARD_READY;
	shard.pump.leased_from_us = clock_mono_us();
}

static void close_memory(void)
{
	shard.pump.core = NULL;
	shard.framework = NULL;
	world_close(&world);
	finish();
}

static void ask_counts(void)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetCountsRequest m = CALLOFF__V1__GET_COUNTS_REQUEST__INIT;

	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_REQUEST;
	e.get_counts_request = &m;
	send_envelope(&e);
	answer_held(&shard); /* the end of the loop's turn */
}

/* What if this person came now? */
static void ask_preview(void)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubmitPackageRequest m = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
	Calloff__V1__Requirement q = CALLOFF__V1__REQUIREMENT__INIT;
	Calloff__V1__Visit visit = CALLOFF__V1__VISIT__INIT, *visits[] = {&visit};

	visit.days = 127;
	visit.band = CALLOFF__V1__BAND__BAND_MORNING;
	visit.minutes = 30;
	visit.carers = 1;
	q.case_ref = (char *)"C-1";
	q.person_ref = (char *)"X-1";
	q.sector = (char *)"CM0 7";
	q.service = CALLOFF__V1__SERVICE__SERVICE_PERSONAL_CARE;
	q.urgency = CALLOFF__V1__URGENCY__URGENCY_STANDARD;
	q.risk = CALLOFF__V1__RISK__RISK_GREEN;
	q.cover = CALLOFF__V1__COVER__COVER_FAMILY;
	q.visits = visits;
	q.n_visits = 1;
	m.requirement = &q;
	m.dry_run = 1;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	e.submit_package_request = &m;
	send_envelope(&e);
}

Test(session, memory_is_told_while_the_lease_holds_and_not_a_moment_longer)
{
	open_memory();
	ask_counts();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE);
	ask_preview();
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE);
	/* paused, say: another may have reigned since */
	shard.pump.leased_from_us = clock_mono_us() - LEASE_US;
	ask_counts();
	cr_expect_eq(next_status(), ERR_STORE_AWAY);
	ask_preview();
	cr_expect_eq(next_status(), ERR_STORE_AWAY);
	close_memory();
}

Test(session, memory_with_something_in_it_that_may_not_commit_waits)
{
	open_memory();
	shard.pump.batch_count = 1;
	ask_counts();
	cr_expect_null(next_reply());
	shard.pump.batch_count = 0;
	answer_held(&shard);
	expect_reply(CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_RESPONSE);
	close_memory();
}
