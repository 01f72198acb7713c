/* One connection. down --client_connect--> up --the link closes, or falls silent--> down --client_recover--> up.
 * Everything in flight survives "down": its bytes stay in struct inflight and are sent again in their first order. */
#include "calloff.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/err.h"
#include "base/limits.h"
#include "endpoints.h"
#include "inflight.h"
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TIMEOUT_MS = 30000,
	PATIENCE_MS = 30000,
	ATTEMPTS_MAX = 12,
	BACKOFF_FIRST_MS = 50,
	BACKOFF_MAX_MS = 5000,
	MOVE_PAUSE_MS = 200, /* before an engine that has not the shard is asked again */
	UNAVAILABLE = 14,    /* google.rpc.Code */
	FLUSH_BYTES = 64 * 1024,
	HELLO_ID = 1, /* inflight's ids begin at CALLOFF_IN_FLIGHT_MAX */
};

struct calloff_client {
	struct calloff_options options; /* with the defaults filled in; its strings are ours */
	struct endpoints endpoints;
	struct link link;
	struct inflight inflight;
	struct arena arena; /* the current reply */
	ProtobufCAllocator allocator;
	Calloff__V1__Envelope *hello; /* unpacked with malloc: it outlives the replies */
	int64_t moved_ms;
	unsigned losses; /* in a row, without a reply between them */
	int64_t moving_since_ms; /* since the first of the answers in a row that name another engine; 0: none */
	bool moves;              /* go on with another engine */
};

static int64_t client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int client_backoff_ms(unsigned attempts)
{
	int ms = BACKOFF_FIRST_MS << (attempts < 8 ? attempts : 8);

	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void *client_arena_alloc(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void client_arena_free(void *arena, void *memory)
{
	(void)arena;
	(void)memory;
}

static char *client_strdup(const char *text)
{
	char *copy = strdup(text != NULL ? text : "");

	INSIST(copy != NULL);
	return copy;
}

static void client_put(struct calloff_client *c, const Calloff__V1__Envelope *envelope)
{
	size_t len = calloff__v1__envelope__get_packed_size(envelope);
	uint8_t *frame = malloc(len + 1);

	INSIST(frame != NULL);
	calloff__v1__envelope__pack(envelope, frame);
	link_put_frame(&c->link, frame, len);
	free(frame);
}

static enum calloff_fault client_garbled(struct calloff_client *c, struct calloff_error *error,
					 const char *why)
{
	link_close(&c->link);
	return calloff_error_set(
		error, CALLOFF_GARBLED, "the answer is not calloff's protocol", why,
		"check that the socket is a calloff engine's, and that its version fits this client's");
}

/* Waits for the one frame that answers hello. */
static enum calloff_fault client_await_hello(struct calloff_client *c, struct calloff_error *error)
{
	int64_t give_up_ms =
		client_now_ms() + (c->options.timeout_ms > 0 ? c->options.timeout_ms : TIMEOUT_MS);
	const uint8_t *body;
	size_t len;
	enum link_frame got;

	while ((got = link_next_frame(&c->link, &body, &len)) == LINK_NO_FRAME) {
		int64_t left_ms = give_up_ms - client_now_ms();

		if (left_ms > 0 && link_pump(&c->link, (int)left_ms) != LINK_CLOSED)
			continue;
		link_close(&c->link);
		calloff_error_set(error, CALLOFF_UNREACHABLE, "the engine did not answer hello",
				  left_ms > 0 ? "it closed the connection" : "it stayed silent",
				  "look at the engine's log, then try again");
		error->code = 14;
		return error->fault;
	}

	Calloff__V1__Envelope *reply = got == LINK_FRAME && len <= FRAME_BYTES_MAX
					       ? calloff__v1__envelope__unpack(NULL, len, body)
					       : NULL;

	if (reply == NULL)
		return client_garbled(c, error, "hello was answered with something else");
	calloff__v1__envelope__free_unpacked(c->hello, NULL);
	c->hello = reply;
	if (reply->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS) {
		link_close(&c->link);
		return calloff_error_from_status(error, reply->status);
	}
	if (reply->body_case != CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE)
		return client_garbled(c, error, "hello was answered with something else");
	if (reply->hello_response->protocol != CALLOFF_PROTOCOL)
		return client_garbled(c, error, "the engine speaks another version of the protocol");
	return CALLOFF_OK;
}

static enum calloff_fault client_connect(struct calloff_client *c, struct calloff_error *error)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__HelloRequest hello = CALLOFF__V1__HELLO_REQUEST__INIT;
	enum calloff_fault fault = link_open(&c->link, endpoints_current(&c->endpoints), error);

	if (fault != CALLOFF_OK)
		return fault;
	hello.client = (char *)(uintptr_t)c->options.client_name;
	hello.protocol = CALLOFF_PROTOCOL;
	envelope.request_id = HELLO_ID;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_HELLO_REQUEST;
	envelope.hello_request = &hello;
	client_put(c, &envelope);
	fault = client_await_hello(c, error);
	c->moved_ms = client_now_ms();
	return fault;
}

static bool client_may_pass(enum calloff_fault fault, const struct calloff_error *error)
{
	return (fault == CALLOFF_UNREACHABLE && error->code != 7) || (fault == CALLOFF_REFUSED && error->retry_same_key);
}

/* Each endpoint once, the current one first. */
static enum calloff_fault client_connect_any(struct calloff_client *c, struct calloff_error *error)
{
	size_t more = c->endpoints.count - 1 + (c->endpoints.hint != NULL);
	enum calloff_fault fault = client_connect(c, error);

	for (; more > 0 && client_may_pass(fault, error); more--) {
		endpoints_next(&c->endpoints);
		fault = client_connect(c, error);
	}
	return fault;
}

static enum calloff_fault client_connect_within(struct calloff_client *c, int wait_ms,
						struct calloff_error *error)
{
	int64_t give_up_ms = client_now_ms() + wait_ms;

	for (unsigned attempts = 0;; attempts++) {
		enum calloff_fault fault = client_connect_any(c, error);
		int64_t left_ms = give_up_ms - client_now_ms();
		int64_t pause_ms = client_backoff_ms(attempts < 3 ? attempts : 3);

		if (fault == CALLOFF_OK || !client_may_pass(fault, error) || left_ms <= 0)
			return fault;
		if (pause_ms < error->retry_after_ms)
			pause_ms = error->retry_after_ms;
		poll(NULL, 0, (int)(pause_ms < left_ms ? pause_ms : left_ms));
	}
}

static void client_send_request(struct calloff_client *c, struct request *r)
{
	inflight_undelay(&c->inflight, r);
	r->attempts++;
	link_put_frame(&c->link, r->frame, r->frame_len);
}

static void client_send_due(struct calloff_client *c)
{
	if (c->inflight.delayed == 0)
		return;

	int64_t now_ms = client_now_ms();

	for (struct request *r = c->inflight.first; r != NULL; r = r->after) {
		if (r->due_ms != 0 && r->due_ms <= now_ms)
			client_send_request(c, r);
	}
}

static enum calloff_fault client_recover(struct calloff_client *c, struct calloff_error *error)
{
	c->moves = false;
	link_close(&c->link);
	if (c->options.no_resend)
		return calloff_error_set(error, CALLOFF_LOST, "the connection to the engine ended", NULL,
					 "connect again and go on from the last cursor");
	if (++c->losses > c->options.attempts_max)
		return calloff_error_set(error, CALLOFF_UNREACHABLE, "the engine closes every connection",
					 "no reply came between the last attempts",
					 "look at the engine's log");

	enum calloff_fault fault = client_connect_within(c, c->options.patience_ms, error);

	if (fault != CALLOFF_OK)
		return fault;
	for (struct request *r = c->inflight.first; r != NULL; r = r->after) {
		if (r->due_ms == 0)
			client_send_request(c, r);
	}
	return CALLOFF_OK;
}

enum calloff_fault calloff_open(const struct calloff_options *options, struct calloff_client **ret_client,
				struct calloff_error *error)
{
	const char *path = options->socket_path != NULL ? options->socket_path : getenv("CALLOFF_SOCKET");
	struct calloff_client *c = calloc(1, sizeof *c);

	INSIST(c != NULL);
	c->options = *options;
	endpoints_init(&c->endpoints, path != NULL && path[0] != '\0' ? path : CALLOFF_SOCKET_DEFAULT);
	c->options.client_name =
		client_strdup(options->client_name != NULL ? options->client_name : "libcalloff");
	c->options.acting_for = client_strdup(options->acting_for);
	c->options.timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_MS;
	c->options.patience_ms = options->patience_ms != 0 ? options->patience_ms : PATIENCE_MS;
	c->options.attempts_max = options->attempts_max != 0 ? options->attempts_max : ATTEMPTS_MAX;
	link_init(&c->link);
	inflight_init(&c->inflight);
	c->arena.size = CALLOFF_UNPACK_BYTES_MAX; /* untouched pages cost nothing */
	c->arena.base = malloc(c->arena.size);
	INSIST(c->arena.base != NULL);
	c->allocator = (ProtobufCAllocator){client_arena_alloc, client_arena_free, &c->arena};

	enum calloff_fault fault = client_connect_within(c, options->connect_wait_ms, error);

	if (fault != CALLOFF_OK) {
		calloff_close(c);
		return fault;
	}
	*ret_client = c;
	return CALLOFF_OK;
}

void calloff_close(struct calloff_client *client)
{
	if (client == NULL)
		return;
	link_fini(&client->link);
	inflight_fini(&client->inflight);
	calloff__v1__envelope__free_unpacked(client->hello, NULL);
	free(client->arena.base);
	endpoints_fini(&client->endpoints);
	free((char *)(uintptr_t)client->options.client_name);
	free((char *)(uintptr_t)client->options.acting_for);
	free(client);
}

const Calloff__V1__HelloResponse *calloff_hello(const struct calloff_client *client)
{
	static const Calloff__V1__HelloResponse nothing = CALLOFF__V1__HELLO_RESPONSE__INIT;

	if (client->hello == NULL || client->hello->body_case != CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE)
		return &nothing;
	return client->hello->hello_response;
}

bool calloff_is_command(const Calloff__V1__Envelope *request)
{
	return request->body_case == CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST ||
	       request->body_case == CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST ||
	       request->body_case == CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST ||
	       request->body_case == CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST ||
	       request->body_case == CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST;
}

size_t calloff_in_flight(const struct calloff_client *client)
{
	return client->inflight.count;
}

enum calloff_fault calloff_send(struct calloff_client *client, const Calloff__V1__Envelope *request,
				uint64_t *ret_request_id, struct calloff_error *error)
{
	Calloff__V1__Envelope envelope = *request;
	struct request *r;

	if (calloff_is_command(request) && request->key.len != CALLOFF_KEY_BYTES)
		return calloff_error_set(error, CALLOFF_MISUSE, err_what(ERR_KEY_MISSING), NULL,
					 err_mend(ERR_KEY_MISSING));
	r = inflight_add(&client->inflight);
	if (r == NULL)
		return calloff_error_set(error, CALLOFF_MISUSE, "too many requests wait for a reply",
					 "4,096 are in flight", "receive some replies first");
	envelope.request_id = r->id;
	if (envelope.shard == 0)
		envelope.shard = client->options.shard;
	if (envelope.acting_for[0] == '\0')
		envelope.acting_for = (char *)(uintptr_t)client->options.acting_for;
	r->frame_len = calloff__v1__envelope__get_packed_size(&envelope);
	if (r->frame_len > FRAME_BYTES_MAX) {
		inflight_remove(&client->inflight, r);
		return calloff_error_set(error, CALLOFF_MISUSE, "the request is larger than the limit",
					 "a frame holds at most 1 MiB", err_mend(ERR_TOO_BIG));
	}
	r->frame = malloc(r->frame_len + 1);
	INSIST(r->frame != NULL);
	calloff__v1__envelope__pack(&envelope, r->frame);
	r->subscription = envelope.body_case == CALLOFF__V1__ENVELOPE__BODY_SUBSCRIBE_REQUEST;
	*ret_request_id = r->id;
	if (client->inflight.count == 1)
		client->moved_ms = client_now_ms();
	if (client->link.fd < 0)
		return CALLOFF_OK; /* calloff_receive connects again and sends it */
	client_send_request(client, r);
	if (client->link.out.len - client->link.out.at >= FLUSH_BYTES)
		(void)link_pump(&client->link, 0); /* a lost connection shows again in calloff_receive */
	return CALLOFF_OK;
}

/* A Status that says "again, the same": when, and whether of another engine. false: the caller shall hear it. */
static bool client_takes_again(struct calloff_client *c, struct request *r, const Calloff__V1__Status *status)
{
	int64_t now_ms = client_now_ms(), pause_ms = client_backoff_ms(r->attempts);
	bool elsewhere = status->number == ERR_DEPOSED;

	if (!status->retry_same_key || c->options.no_resend)
		return false;
	if (elsewhere) {
		/* a change of reign takes seconds: it is waited for by time, not by attempts */
		if (c->moving_since_ms == 0)
			c->moving_since_ms = now_ms;
		if (now_ms - c->moving_since_ms > c->options.patience_ms)
			return false;
		r->attempts--;
		pause_ms = MOVE_PAUSE_MS;
	} else if (r->attempts >= c->options.attempts_max) {
		return false;
	} else if (pause_ms < status->retry_after_ms) {
		pause_ms = status->retry_after_ms;
	}
	inflight_delay(&c->inflight, r, now_ms + pause_ms);
	if (c->moves || !(elsewhere || (status->code == UNAVAILABLE && c->endpoints.count > 1)))
		return true;
	if (elsewhere)
		endpoints_moved(&c->endpoints, status->active_endpoint);
	else
		endpoints_next(&c->endpoints); /* it may be cut off from its database, and another not */
	c->moves = true;
	return true;
}

/* One frame came. *ret_done: it is for the caller. */
static enum calloff_fault client_take(struct calloff_client *c, const uint8_t *body, size_t len,
				      struct calloff_reply *ret_reply, bool *ret_done)
{
	Calloff__V1__Envelope *e;

	arena_reset(&c->arena);
	e = calloff__v1__envelope__unpack(&c->allocator, len, body);
	if (e == NULL)
		return CALLOFF_GARBLED;

	struct request *r = inflight_find(&c->inflight, e->request_id);
	bool status = e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS;

	c->losses = 0;
	*ret_done = false;
	if (r == NULL && !(status && e->request_id == 0))
		return CALLOFF_OK; /* answered before, on the connection that was lost */
	if (r != NULL && status && client_takes_again(c, r, e->status))
		return CALLOFF_OK;
	c->moving_since_ms = 0;
	ret_reply->request_id = e->request_id;
	ret_reply->envelope = e;
	*ret_done = true;
	if (r != NULL && (status || !r->subscription))
		inflight_remove(&c->inflight, r);
	return CALLOFF_OK;
}

/* How long poll may wait: until a delayed request is due, or the silence is too long. -1: for ever. */
static int client_wait_ms(const struct calloff_client *c, int64_t now_ms)
{
	int64_t due_ms = inflight_next_due_ms(&c->inflight);
	int64_t wait_ms = -1;

	if (c->options.timeout_ms > 0 && c->inflight.count > c->inflight.delayed)
		wait_ms = c->moved_ms + c->options.timeout_ms - now_ms;
	else if (due_ms < 0)
		return -1;
	if (due_ms >= 0 && (wait_ms < 0 || due_ms - now_ms < wait_ms))
		wait_ms = due_ms - now_ms;
	return wait_ms > 0 ? (int)wait_ms : 0;
}

/* Writes, waits, reads; a connection that is lost or silent is repaired. */
static enum calloff_fault client_turn(struct calloff_client *c, struct calloff_error *error)
{
	if (c->moves)
		link_close(&c->link);
	if (c->link.fd < 0)
		return client_recover(c, error);
	client_send_due(c);

	enum link_state state = link_pump(&c->link, client_wait_ms(c, client_now_ms()));
	int64_t now_ms = client_now_ms();

	if (state == LINK_MOVED)
		c->moved_ms = now_ms;
	if (state == LINK_CLOSED)
		return client_recover(c, error);
	if (state == LINK_IDLE && c->options.timeout_ms > 0 && c->inflight.count > c->inflight.delayed &&
	    now_ms - c->moved_ms >= c->options.timeout_ms)
		return client_recover(c, error);
	return CALLOFF_OK;
}

enum calloff_fault calloff_receive(struct calloff_client *client, struct calloff_reply *ret_reply,
				   struct calloff_error *error)
{
	REQUIRE(client->inflight.count > 0);
	for (;;) {
		const uint8_t *body;
		size_t len;
		bool done = false;
		enum link_frame got = link_next_frame(&client->link, &body, &len);
		enum calloff_fault fault = CALLOFF_OK;

		if (got == LINK_TOO_BIG)
			return client_garbled(client, error, "a frame claims more than 16 MiB");
		if (got == LINK_NO_FRAME)
			fault = client_turn(client, error);
		else if (client_take(client, body, len, ret_reply, &done) != CALLOFF_OK)
			fault = client_garbled(client, error,
					       "a frame does not decode, or unpacks to more than 64 MiB");
		if (fault != CALLOFF_OK || done)
			return fault;
	}
}

enum calloff_fault calloff_call(struct calloff_client *client, const Calloff__V1__Envelope *request,
				const Calloff__V1__Envelope **ret_reply, struct calloff_error *error)
{
	struct calloff_reply reply = {0, NULL};
	uint64_t id;
	enum calloff_fault fault;

	REQUIRE(client->inflight.count == 0);
	fault = calloff_send(client, request, &id, error);
	if (fault == CALLOFF_OK)
		fault = calloff_receive(client, &reply, error);
	inflight_clear(&client->inflight);
	if (fault != CALLOFF_OK)
		return fault;
	INSIST(reply.envelope != NULL);
	if (reply.envelope->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS)
		return calloff_error_from_status(error, reply.envelope->status);
	*ret_reply = reply.envelope;
	return CALLOFF_OK;
}
