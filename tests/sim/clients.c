#include "clients.h"

#include "agenda.h"
#include "judge.h"
#include "trace.h"
#include "weather.h"

#include "../diff/world.h"
#include "core/record.h"
#include "core/words.h"

#include <stdio.h>
#include <string.h>

enum { UNDER_WAY_MAX = 8, TIMEOUT_US = 400000, LIVE_MAX = MODEL_PLACEMENTS_MAX - 24, KEY_SLOTS = 16384 };

static struct {
	struct {
		char name[16];
		int target, under_way, pipeline;
		int64_t offset_us;
	} clients[CLIENTS_MAX];
	struct command *commands[2 * COMMANDS_MAX + 1]; /* by no; a new key makes a new one */
	struct command *by_key[KEY_SLOTS];
	int client_count, command_count, asked, wanted, open, bundle_last, submits_open;
	struct model_package bundle_second; /* drawn with the first, sent next */
	int bundle_second_of;
	struct world scratch;
	int64_t acked_seq, pace_us;
	uint8_t poison[16];
	int poison_no;
} crowd;
static struct clients_counts counts;

/* ---- keys ---- */

static uint32_t key_slot(const uint8_t key[16])
{
	uint64_t h;

	memcpy(&h, key + 8, 8);
	h *= 0x9e3779b97f4a7c15u;
	for (uint32_t slot = (uint32_t)(h >> 40) % KEY_SLOTS;; slot = (slot + 1) % KEY_SLOTS) {
		if (crowd.by_key[slot] == NULL || memcmp(crowd.by_key[slot]->key, key, 16) == 0)
			return slot;
	}
}

struct command *clients_find(const uint8_t key[16])
{
	return crowd.by_key[key_slot(key)];
}

static void command_key(struct command *c, int64_t at_ms)
{
	c->key_ms = at_ms;
	for (int i = 0; i < 6; i++)
		c->key[i] = (uint8_t)(at_ms >> 8 * (5 - i));
	for (int i = 6; i < 16; i++)
		c->key[i] = (uint8_t)dice_between(DICE_CLIENT, 0, 255);
	c->key[6] = (uint8_t)(0x70 | (c->key[6] & 15));
	c->key[8] = (uint8_t)(0x80 | (c->key[8] & 63));
	crowd.by_key[key_slot(c->key)] = c;
}

/* ---- what is asked ---- */

static void body_add(struct command *c, const struct event *event)
{
	uint8_t bytes[OP_EVENT_BYTES_MAX], digest[DIGEST_BYTES];
	size_t len = record_event(event, bytes, sizeof bytes);
	uint32_t body = c->body_count++;

	digest_bytes(bytes, len, digest);
	c->bodies[body].event = memcpy(agenda_memory(len), bytes, len);
	c->bodies[body].event_len = (uint32_t)len;
	memcpy(c->bodies[body].hash, digest, 16);
}

static void command_bodies(struct command *c)
{
	static struct event event;
	struct model_market *m = judge_market();
	char bundle[16] = "";

	if (c->bundle != 0)
		snprintf(bundle, sizeof bundle, "B-%d", c->bundle);
	switch (c->type) {
	case EVENT_SUBMIT:
		world_submit(&crowd.scratch, &c->package, 0, bundle, &event);
		break;
	case EVENT_DECLARE:
		world_declare(&crowd.scratch, m, c->declaration, 0, &event);
		break;
	case EVENT_CONFIRM:
	case EVENT_WITHDRAW:
	case EVENT_END:
		world_change(&crowd.scratch, c->type, 0, 0, c->with_budget_authority, &event);
		event.change.package_no = c->package_no;
		break;
	}
	body_add(c, &event);
	if (!weather_has(TROUBLE_REUSE) || !dice_chance(DICE_CLIENT, 6))
		return;
	event = (struct event){.type = EVENT_WITHDRAW}; /* the same key, another request */
	event.change.package_no = judge_some_package();
	body_add(c, &event);
	if (memcmp(c->bodies[0].hash, c->bodies[1].hash, 16) == 0)
		c->body_count = 1;
}

/* A change of a package that somebody knows: any of the three, in any state, sensible or not. */
static void draw_change(struct command *c, int64_t package_no)
{
	static const enum event_type types[] = {EVENT_CONFIRM, EVENT_CONFIRM, EVENT_WITHDRAW, EVENT_END};

	c->type = types[dice_between(DICE_CLIENT, 0, 3)];
	c->package_no = package_no;
	c->with_budget_authority = dice_chance(DICE_CLIENT, 40);
}

static void draw_of_event(struct command *c, const struct market_event *e)
{
	switch (e->kind) {
	case MARKET_CALL:
		c->type = EVENT_SUBMIT;
		c->package = e->call.packages[0];
		if (e->call.package_n == 2) {
			c->bundle = ++crowd.bundle_last;
			crowd.bundle_second = e->call.packages[1];
			crowd.bundle_second_of = c->bundle;
		}
		return;
	case MARKET_DECLARE:
		c->type = EVENT_DECLARE;
		c->declaration = agenda_memory(sizeof *c->declaration);
		*c->declaration = e->declaration;
		return;
	case MARKET_RELEASE:
		c->type = e->ended ? EVENT_END : EVENT_WITHDRAW;
		break;
	case MARKET_CONFIRM:
		c->type = EVENT_CONFIRM;
		c->with_budget_authority = e->with_budget_authority != 0;
		break;
	}
	c->package_no = world_package_no(&crowd.scratch, e->package);
}

static void draw_command(struct command *c)
{
	static struct market_event event;
	struct model_market *m = judge_market();
	long long now_seconds = m->now_seconds;
	int64_t known = judge_some_package();

	if (crowd.bundle_second_of != 0) {
		c->type = EVENT_SUBMIT;
		c->package = crowd.bundle_second;
		c->bundle = dice_chance(DICE_CLIENT, 95) ? crowd.bundle_second_of : 1 + crowd.bundle_second_of / 2;
		crowd.bundle_second_of = 0;
	} else if ((known != 0 && dice_chance(DICE_CLIENT, 12)) || judge_live() + crowd.submits_open >= LIVE_MAX) {
		draw_change(c, known != 0 ? known : 1); /* of a package that may never be */
	} else {
		m->now_seconds = (agenda_now_us + crowd.clients[c->client].offset_us) / 1000000;
		market_event_next(&dice[DICE_MARKET], m, &event);
		m->now_seconds = now_seconds;
		draw_of_event(c, &event);
	}
	crowd.submits_open += c->type == EVENT_SUBMIT;
	command_bodies(c);
}

/* ---- sending and hearing ---- */

struct reply { /* on its way */
	enum err why;
	struct receipt receipt;
	uint64_t request_id;
};

struct command *clients_command(uint64_t request_id)
{
	return crowd.commands[request_id / 2];
}

static void request_arrives(void *what, int64_t engine)
{
	engine_on_request((int)engine, what);
}

static void command_send(struct command *c, uint32_t body, int engine)
{
	struct request_bytes *r = agenda_memory(sizeof *r);

	*r = (struct request_bytes){.request_id = (uint64_t)c->no * 2 + body, .event = c->bodies[body].event,
				    .event_len = c->bodies[body].event_len,
				    .client = {crowd.clients[c->client].name, (uint32_t)strlen(crowd.clients[c->client].name)}};
	memcpy(r->key, c->key, 16);
	c->bodies[body].sent = true;
	trace(WHO_CLIENT + c->client, TRACE_SENT, c->no, body, engine, c->tries);
	if (weather_strikes(DICE_NETWORK, TROUBLE_LOSS, 80))
		return;
	agenda_add(weather_message_us(), request_arrives, r, engine);
	if (weather_strikes(DICE_NETWORK, TROUBLE_DOUBLING, 80))
		agenda_add(weather_message_us(), request_arrives, r, engine);
	if (weather_strikes(DICE_NETWORK, TROUBLE_DOUBLING, 40))
		agenda_add(weather_message_us(), request_arrives, r, 1 - engine);
}

/* Silence, or an answer that says to try again: the same key, now and then elsewhere. */
static void command_again(void *what, int64_t tries)
{
	struct command *c = what;

	if (c->done || c->tries != tries)
		return;
	c->tries++;
	counts.retries++;
	if (dice_chance(DICE_CLIENT, 30))
		crowd.clients[c->client].target ^= 1;
	command_send(c, 0, crowd.clients[c->client].target);
	agenda_add(TIMEOUT_US + dice_between(DICE_CLIENT, 0, TIMEOUT_US), command_again, c, c->tries);
}

/* Some ask again long after they were told: it must say the same. */
static void command_repeat(void *what, int64_t number)
{
	struct command *c = what;

	(void)number;
	counts.repeated++;
	command_send(c, 0, (int)dice_between(DICE_CLIENT, 0, 1));
}

static void command_done(struct command *c)
{
	if (c->done)
		return;
	c->done = true;
	crowd.open--;
	crowd.submits_open -= c->type == EVENT_SUBMIT;
	crowd.clients[c->client].under_way--;
	if (dice_chance(DICE_CLIENT, 10))
		agenda_add(dice_tail(DICE_CLIENT, 1000, 5000000), command_repeat, c, 0);
}

/* The key is out of the engine's time: the client sets its clock by the engine and decides again, with a new key. Should the
 * old one act after all (it may still be on its way), then both did, and the client can look that up. */
static void command_anew(struct command *c)
{
	int64_t engine_us = engine_now_us(crowd.clients[c->client].target);
	struct command *anew;

	if (c->told || c->seq != 0 || c->body_count > 1) {
		command_done(c);
		return;
	}
	anew = agenda_memory(sizeof *anew);
	*anew = *c;
	c->done = true;
	anew->no = ++crowd.command_count;
	anew->acked_before = crowd.acked_seq;
	if (c->type == EVENT_SUBMIT)
		anew->package.number = ++judge_market()->package_last;
	crowd.commands[anew->no] = anew;
	crowd.clients[c->client].offset_us = engine_us - agenda_now_us;
	command_key(anew, engine_us / 1000);
	command_send(anew, 0, crowd.clients[c->client].target);
	agenda_add(TIMEOUT_US, command_again, anew, anew->tries);
}

static void reply_ok(struct command *c, uint32_t body, const struct reply *r)
{
	if (c->told && (memcmp(&c->receipt, &r->receipt, sizeof r->receipt) != 0 || c->body_acted != (int)body))
		sim_violation(EQUAL_OUTCOME, "command %d was told of seq %lld, now of %lld", c->no,
			      (long long)c->receipt.seq, (long long)r->receipt.seq);
	if (c->told)
		counts.again++;
	else
		counts.told++;
	c->told = true;
	c->receipt = r->receipt;
	if (r->receipt.seq > crowd.acked_seq)
		crowd.acked_seq = r->receipt.seq;
	command_done(c);
}

static void reply_arrives(void *what, int64_t number)
{
	const struct reply *r = what;
	struct command *c = clients_command(r->request_id);
	uint32_t body = (uint32_t)(r->request_id % 2);

	(void)number;
	counts.errors[r->why]++;
	trace(WHO_CLIENT + c->client, TRACE_TOLD, c->no, body, r->why, r->receipt.seq);
	if (r->why == ERR_OK) {
		reply_ok(c, body, r);
		return;
	}
	if (c->done)
		return;
	if (r->why == ERR_KEY_TOO_OLD || r->why == ERR_KEY_IN_FUTURE) {
		command_anew(c);
	} else if (r->why == ERR_KEY_REUSED) {
		if (body == 0)
			command_done(c);
	} else if (r->why == ERR_QUARANTINED) {
		command_done(c);
	} else if (err_retry(r->why) == ERR_RETRY_SAME) {
		if (r->why == ERR_DEPOSED)
			crowd.clients[c->client].target ^= 1;
		agenda_add(dice_between(DICE_CLIENT, 1000, 200000), command_again, c, c->tries);
	} else {
		sim_violation(EXPECTED_ANSWER, "command %d was told %s", c->no, err_name(r->why));
	}
}

void clients_on_reply(int engine, const struct op *op, enum err why, const struct outcome *outcome,
		      const struct receipt *receipt)
{
	struct reply *r = agenda_memory(sizeof *r);
	struct command *c = clients_command(op->request_id);

	trace(WHO_ENGINE + engine, TRACE_REPLIES, c->no, (int64_t)op->request_id % 2, why, receipt != NULL ? receipt->seq : 0);
	judge_on_reply(c, (uint32_t)(op->request_id % 2), why, outcome, receipt);
	*r = (struct reply){.why = why, .request_id = op->request_id};
	if (receipt != NULL)
		r->receipt = *receipt;
	if (weather_strikes(DICE_NETWORK, TROUBLE_LOSS, 80))
		return;
	agenda_add(weather_message_us(), reply_arrives, r, 0);
	if (weather_strikes(DICE_NETWORK, TROUBLE_DOUBLING, 40))
		agenda_add(weather_message_us(), reply_arrives, r, 0);
}

/* ---- a client's day ---- */

static void command_open(int client)
{
	struct command *c = agenda_memory(sizeof *c);

	c->no = ++crowd.command_count;
	c->client = client;
	c->acked_before = crowd.acked_seq;
	crowd.commands[c->no] = c;
	crowd.open++;
	crowd.clients[client].under_way++;
	counts.commands++;
	command_key(c, (agenda_now_us + crowd.clients[client].offset_us) / 1000);
	draw_command(c);
	if (c->no == crowd.poison_no) {
		memcpy(crowd.poison, c->key, 16);
		store_poison(c->key);
	}
	command_send(c, 0, crowd.clients[client].target);
	if (c->body_count > 1) {
		c->tries++;
		command_send(c, 1, (int)dice_between(DICE_CLIENT, 0, 1));
	}
	agenda_add(TIMEOUT_US + dice_between(DICE_CLIENT, 0, TIMEOUT_US), command_again, c, c->tries);
}

static void client_asks(int client)
{
	while (crowd.asked < crowd.wanted && crowd.clients[client].under_way < crowd.clients[client].pipeline) {
		crowd.asked++;
		command_open(client);
		if (dice_chance(DICE_CLIENT, 40))
			return;
	}
}

static void client_goes_on(void *what, int64_t client)
{
	client_asks((int)client);
	if (crowd.asked < crowd.wanted)
		agenda_add(dice_tail(DICE_CLIENT, 1000, crowd.pace_us), client_goes_on, what, client);
}

void clients_begin(int clients, int commands)
{
	memset(&crowd, 0, sizeof crowd);
	memset(&counts, 0, sizeof counts);
	crowd.client_count = clients;
	crowd.wanted = commands;
	crowd.pace_us = dice_between(DICE_CLIENT, 50000, 4000000);
	if (weather_has(TROUBLE_POISON) && dice_chance(DICE_CLIENT, 30))
		crowd.poison_no = (int)dice_between(DICE_CLIENT, 1, commands);
	for (int i = 0; i < clients; i++) {
		snprintf(crowd.clients[i].name, sizeof crowd.clients[i].name, "client-%d", i);
		crowd.clients[i].pipeline = (int)dice_between(DICE_CLIENT, 1, UNDER_WAY_MAX);
		agenda_add(dice_between(DICE_CLIENT, 0, crowd.pace_us), client_goes_on, NULL, i);
	}
}

void clients_jump_clock(int64_t by_us)
{
	int client = (int)dice_between(DICE_NEMESIS, 0, crowd.client_count - 1);

	trace(WHO_NEMESIS, TRACE_CLOCK, WHO_CLIENT + client, by_us / 1000000, 0, 0);
	crowd.clients[client].offset_us += by_us;
}

int clients_open(void)
{
	return crowd.open;
}

bool clients_all_sent(void)
{
	return crowd.asked == crowd.wanted;
}

const uint8_t *clients_poison(void)
{
	return crowd.poison_no != 0 ? crowd.poison : NULL;
}

struct clients_counts clients_counts(void)
{
	return counts;
}
