#include "unit/fake_store.h"

#include "base/mem.h"
#include "wire/request.h"

#include <criterion/criterion.h>
#include <string.h>

struct world world;
struct pump pump;
struct stats stats;
struct row stored[ROWS], flying[ROWS]; /* flying: sent and being built, in order */
struct told told[ROWS];
uint32_t stored_count, flying_count, told_count, batch_sizes[64], batch_first, batch_count, built;
struct op *asked[64];
uint32_t asked_count, reload_count, alarm_count, key_serial;
enum err reload_why, lookup_answer, send_answer;
int64_t now_us;
uint32_t takes_max;

static int64_t fake_now(void *data)
{
	(void)data;
	return now_us;
}

static int64_t fake_mono_ns(void *data)
{
	(void)data;
	return now_us * 1000;
}

static bool fake_takes(void *data, const struct event *event)
{
	(void)data;
	(void)event;
	return built < takes_max;
}

static int64_t fake_next_seq(void *data)
{
	(void)data;
	return (int64_t)stored_count + flying_count + 1;
}

static void fake_add(void *data, struct op *op, const struct event *event, const struct update *update)
{
	struct row *r = &flying[flying_count++];

	(void)data;
	*r = (struct row){.seq = event->seq,
			  .now_us = event->now_us,
			  .principal = event->principal,
			  .request_id = op->request_id,
			  .outcome = update->outcome,
			  .event_len = op->event_len};
	memcpy(r->key, op->key, 16);
	memcpy(r->hash, op->request_hash, 16);
	cr_assert_leq(op->event_len, sizeof r->event);
	memcpy(r->event, op->event, op->event_len);
	memset(op->leaf, (int)event->seq, sizeof op->leaf);
	built++;
}

static enum err fake_send(void *data)
{
	(void)data;
	batch_sizes[(batch_first + batch_count++) % 64] = built;
	built = 0;
	return send_answer;
}

static void fake_reply(void *data, const struct op *op, enum err why, const struct outcome *outcome,
		       const struct receipt *receipt)
{
	struct told *t = &told[told_count++];

	(void)data;
	*t = (struct told){.request_id = op->request_id, .why = why, .has_outcome = outcome != NULL};
	if (outcome != NULL)
		t->outcome = *outcome;
	if (receipt != NULL)
		t->receipt = *receipt;
}

static enum err fake_lookup(void *data, struct op *op)
{
	(void)data;
	if (lookup_answer == ERR_OK)
		asked[asked_count++] = op;
	return lookup_answer;
}

static void fake_reload(void *data, enum err why)
{
	(void)data;
	reload_count++;
	reload_why = why;
}

static void fake_alarm(void *data, const char *what, const struct op *op)
{
	(void)data;
	(void)what;
	(void)op;
	alarm_count++;
}

const struct pump_io fake_io = {.now_us = fake_now,
				.mono_ns = fake_mono_ns,
				.takes = fake_takes,
				.next_seq = fake_next_seq,
				.add = fake_add,
				.send = fake_send,
				.reply = fake_reply,
				.lookup = fake_lookup,
				.reload = fake_reload,
				.alarm = fake_alarm};

void open_store(int64_t floor_ms)
{
	static struct event event;
	static struct update update;

	flying_count = built = batch_count = 0;
	mem_unmap(world.core_memory, world.core_memory_bytes);
	world.core = world_core(&world);
	world.core_memory = world.core;
	pump_open(&pump, world.core, floor_ms);
	for (uint32_t i = 0; i < stored_count; i++) {
		cr_assert_eq(record_event_decode(stored[i].event, stored[i].event_len, &event), ERR_OK);
		event.seq = stored[i].seq;
		event.now_us = world.now_us;
		event.principal = text_of("unix:1");
		core_step(world.core, &event, &update);
		pump_know_key(&pump, text_of("unix:1"), stored[i].key, request_key_ms(stored[i].key), stored[i].seq);
	}
	pump_opened(&pump);
}

void begin_away(void)
{
	world_rows(&world);
	world_open(&world);
	now_us = world.now_us;
	takes_max = UINT32_MAX;
	pump_init(&pump, &fake_io, NULL, &stats, 2, KEY_AGE_MS);
}

void begin(void)
{
	begin_away();
	open_store(0);
}

void finish(void)
{
	pump_fail_waiting(&pump, ERR_DRAINING);
	pump_free(&pump);
	world_close(&world);
}

void store_batch(void)
{
	uint32_t count = batch_sizes[batch_first++ % 64];

	memcpy(stored + stored_count, flying, count * sizeof *stored);
	stored_count += count;
	flying_count -= count;
	memmove(flying, flying + count, flying_count * sizeof *flying);
	batch_count--;
}

void commit(void)
{
	uint8_t row_hash[32];

	store_batch();
	memset(row_hash, (int)stored_count, sizeof row_hash);
	pump_on_committed(&pump, row_hash);
}

void kick_and_commit(void)
{
	pump_kick(&pump);
	while (batch_count > 0) {
		commit();
		pump_kick(&pump);
	}
}

const uint8_t *fresh_key(int64_t at_ms)
{
	static uint8_t key[16];

	for (int i = 0; i < 6; i++)
		key[i] = (uint8_t)(at_ms >> (8 * (5 - i)));
	key[6] = 0x70;
	key[8] = 0x80;
	key_serial++;
	memcpy(key + 12, &key_serial, 4);
	return key;
}

struct op *op_of(uint64_t request_id, const uint8_t *key, uint32_t minutes)
{
	struct requirement *r = world_submit(&world, minutes > 0 ? minutes : 30);

	if (minutes == 0)
		r->sector = text_of("ZZ9 9");
	return op_new(&world.event, 1, request_id, key, text_of("unix:1"));
}

void take(uint64_t request_id, const uint8_t *key, uint32_t minutes)
{
	pump_take(&pump, op_of(request_id, key, minutes));
}

void take_new(uint64_t request_id)
{
	take(request_id, fresh_key(now_us / 1000), 30);
}

const struct told *told_of(uint64_t request_id)
{
	const struct told *found = NULL;

	for (uint32_t i = 0; i < told_count; i++) {
		if (told[i].request_id == request_id) {
			cr_expect_null(found, "request %llu was answered twice", (unsigned long long)request_id);
			found = &told[i];
		}
	}
	return found;
}

enum err why_of(uint64_t request_id)
{
	const struct told *t = told_of(request_id);

	cr_assert_not_null(t, "request %llu has no answer", (unsigned long long)request_id);
	return t->why;
}

void answer_lookup(void)
{
	struct op *op = asked[0];

	cr_assert_gt(asked_count, 0);
	memmove(asked, asked + 1, --asked_count * sizeof asked[0]);
	for (uint32_t i = 0; i < stored_count; i++) {
		if (memcmp(stored[i].key, op->key, 16) == 0) {
			struct receipt receipt = {.seq = stored[i].seq};

			pump_on_lookup(&pump, op, stored[i].hash, &stored[i].outcome, &receipt);
			return;
		}
	}
	pump_on_lookup(&pump, op, NULL, NULL, NULL);
}
