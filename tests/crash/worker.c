/* worker.c — one connection's life: send, take replies, lose the engine, find it again, send what
 * is unanswered again. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOT_SENT = UINT32_MAX };
enum { UNAVAILABLE = 14 }; /* google.rpc.Code */

static void line_push(struct worker *w, uint32_t command)
{
	if (w->commands[command].waiting)
		return;
	w->commands[command].waiting = true;
	w->line[w->line_to++ % COMMANDS_MAX] = command;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nobody asks again for a read, nor, now and then, for a command: what became of that stays unknown. */
static bool give_up(struct worker *w, struct command *c)
{
	c->given_up = c->acknowledged == 0 && !c->waiting &&
		      (command_only_reads(c) ||
		       (load.abandon > 0 && generator_below(&w->generator, load.abandon) == 0));
	return c->given_up;
}

/* Of several engines one serves, and this was not it. */
static void move_on(struct worker *w)
{
	w->moves = false;
	w->socket = (w->socket + 1) % load.socket_count;
}

static void lose(struct worker *w)
{
	int64_t at_ns = now_ns();
	uint32_t slots[CALLOFF_IN_FLIGHT_MAX], count = 0;

	calloff_close(w->client);
	w->client = NULL;
	move_on(w);
	for (uint32_t slot = 0; slot < CALLOFF_IN_FLIGHT_MAX; slot++) {
		if (w->by_slot[slot] != NOT_SENT)
			slots[count++] = w->by_slot[slot];
		w->by_slot[slot] = NOT_SENT;
	}
	qsort(slots, count, sizeof slots[0],
	      by_number); /* sent again in the order they were made */
	for (uint32_t i = 0; i < count; i++) {
		struct command *c = &w->commands[slots[i]];

		if (c->given_up || give_up(w, c))
			continue;
		line_push(w, slots[i]);
		if (c->acknowledged > 0)
			continue;
		c->lost = true;
		if (w->loss_count < LOSSES_MAX)
			w->losses[w->loss_count++] = (struct loss){slots[i], at_ns};
	}
}

static bool find_engine(struct worker *w)
{
	bool several = load.socket_count > 1;
	struct calloff_options options = {.socket_path = load.sockets[w->socket],
					  .client_name = "crash",
					  .no_resend = true,
					  .connect_wait_ms = several ? 0 : 20000,
					  .timeout_ms =
						  (int)(300 + generator_below(&w->generator, 700))};
	struct calloff_error error;

	if (calloff_open(&options, &w->client, &error) == CALLOFF_OK)
		return true;
	if (error.fault == CALLOFF_UNREACHABLE || error.fault == CALLOFF_SYSTEM ||
	    error.retry_same_key) {
		move_on(w);
		usleep(several ? 20000 : 0);
		return false;
	}
	violation(NULL, "an engine that answers says hello", error.what);
}

static void send_command(struct worker *w, uint32_t number)
{
	struct command *c = &w->commands[number];
	Calloff__V1__Envelope *e =
		calloff__v1__envelope__unpack(NULL, c->request.len, c->request.at);
	struct calloff_error error;
	uint64_t id;

	if (c->first_sent_ns == 0)
		c->first_sent_ns = now_ns();
	if (e == NULL || calloff_send(w->client, e, &id, &error) != CALLOFF_OK)
		violation(c, "a request can be sent",
			  e == NULL ? "it cannot be unpacked" : error.what);
	calloff__v1__envelope__free_unpacked(e, NULL);
	c->sent++;
	c->waiting = false;
	w->by_slot[id % CALLOFF_IN_FLIGHT_MAX] = number;
}

static bool may_make(const struct worker *w)
{
	int64_t elapsed_ns = now_ns() - w->started_ns;

	if (w->command_count == COMMANDS_MAX || w->repeating)
		return false;
	if (atomic_load(&load.stopping))
		return load.tidy && w->open_count > 0;
	return load.rate == 0 ||
	       w->command_count < (uint64_t)elapsed_ns / 1000 * load.rate / load.workers / 1000000;
}

/* One may always be sent twice, so that the same key comes while the first is under way. */
static void fill(struct worker *w)
{
	while (calloff_in_flight(w->client) + 1 < load.depth) {
		uint32_t number;

		if (w->line_from != w->line_to) {
			number = w->line[w->line_from++ % COMMANDS_MAX];
		} else if (may_make(w)) {
			number = w->command_count++;
			command_make(w, &w->commands[number]);
		} else {
			return;
		}
		send_command(w, number);
		if (!command_only_reads(&w->commands[number]) &&
		    generator_below(&w->generator, 64) == 0)
			send_command(w, number);
	}
}

static const Calloff__V1__Receipt *receipt_of(const Calloff__V1__Envelope *e)
{
	switch ((int)e->body_case) {
	case CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE:
		return e->submit_package_response->receipt;
	case CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_RESPONSE:
		return e->confirm_package_response->receipt;
	case CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_RESPONSE:
		return e->withdraw_package_response->receipt;
	case CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_RESPONSE:
		return e->end_package_response->receipt;
	case CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_RESPONSE:
		return e->declare_capacity_response->receipt;
	case CALLOFF__V1__ENVELOPE__BODY_STATUS:
		return e->status->receipt;
	default:
		return NULL;
	}
}

static void acknowledge(struct worker *w, struct command *c, const Calloff__V1__Envelope *reply)
{
	Calloff__V1__Envelope plain = *reply;
	struct bytes bytes;

	plain.request_id = 0;
	bytes = pack_envelope(&plain);
	if (c->acknowledged++ == 0) {
		c->first_reply_ns = now_ns();
		c->first_reply = bytes;
		command_learn(w, c, reply);
		atomic_fetch_add(load.acknowledged, 1);
		return;
	}
	if (bytes.len == c->first_reply.len && memcmp(bytes.at, c->first_reply.at, bytes.len) == 0)
		w->repeated++;
	else if (load.may_forget)
		w->answered_otherwise++;
	else
		violation(c, "a repeated key is answered like the first time",
			  reply->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS
				  ? reply->status->reason
				  : "the replies differ");
	free(bytes.at);
}

static void take_read(struct command *c, const Calloff__V1__Envelope *reply)
{
	Calloff__V1__Envelope plain = *reply;

	if (reply->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS && reply->status->retry_same_key) {
		c->given_up = true;
		return;
	}
	plain.request_id = 0;
	c->first_reply_ns = now_ns();
	c->first_reply = pack_envelope(&plain);
	c->acknowledged = 1;
}

static void count_reason(struct worker *w, const Calloff__V1__Status *status)
{
	struct reason *r = &w->reasons[status->number % REASONS_MAX];

	snprintf(r->name, sizeof r->name, "%s", status->reason);
	r->count++;
}

static void take(struct worker *w, const struct calloff_reply *reply)
{
	uint32_t slot = reply->request_id % CALLOFF_IN_FLIGHT_MAX, number = w->by_slot[slot];
	const Calloff__V1__Envelope *e = reply->envelope;
	struct command *c;

	if (reply->request_id == 0 || number == NOT_SENT)
		violation(NULL, "a reply answers a request",
			  "its request_id was never sent, or is 0");
	c = &w->commands[number];
	w->by_slot[slot] = NOT_SENT;
	if (command_only_reads(c)) {
		take_read(c, e);
	} else if (receipt_of(e) != NULL) {
		acknowledge(w, c, e);
	} else if (e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS &&
		   e->status->retry_same_key) {
		count_reason(w, e->status);
		line_push(w, number);
		w->quiet_until_ns = now_ns() + 20000000;
		w->moves = load.socket_count > 1 && e->status->code == UNAVAILABLE;
	} else {
		violation(c, "a command is decided, or refused for a retry",
			  e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS ? e->status->reason
									     : "no receipt");
	}
}

/* Once nothing is open: a part of the acknowledged, and everything that was ever lost, is sent once
 * more. */
static bool begin_repeating(struct worker *w)
{
	uint32_t every = w->command_count / 1000 + 1;

	if (w->repeating || load.may_forget) /* what was forgotten would be done anew, and look kept */
		return false;
	w->repeating = true;
	for (uint32_t i = 0; i < w->command_count; i++) {
		if (command_only_reads(&w->commands[i]) || w->commands[i].given_up)
			continue;
		if (w->commands[i].acknowledged == 0)
			violation(&w->commands[i], "every command is acknowledged in the end",
				  "it is not");
		if (w->commands[i].lost || i % every == 0)
			line_push(w, i);
	}
	return true;
}

static bool worker_turn(struct worker *w)
{
	struct calloff_reply reply;
	struct calloff_error error;

	if (w->client == NULL && !find_engine(w))
		return true;
	if (now_ns() >= w->quiet_until_ns)
		fill(w);
	if (calloff_in_flight(w->client) > 0) {
		enum calloff_fault fault = calloff_receive(w->client, &reply, &error);

		if (fault == CALLOFF_OK)
			take(w, &reply);
		if (w->moves || fault == CALLOFF_LOST || fault == CALLOFF_UNREACHABLE)
			lose(w);
		else if (fault != CALLOFF_OK)
			violation(NULL, "what the engine sends is its protocol", error.what);
		return true;
	}
	if (w->line_from == w->line_to && atomic_load(&load.stopping) && !may_make(w))
		return begin_repeating(w);
	usleep(2000);
	return true;
}

void *worker_run(void *worker)
{
	struct worker *w = worker;

	memset(w->by_slot, 0xff, sizeof w->by_slot);
	w->started_ns = now_ns();
	while (worker_turn(w))
		;
	return NULL;
}
