#include "server/pump.h"

#include "base/check.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "core/record.h"
#include "store/digest.h"
#include "wire/request.h"

#include <string.h>

/* ---- ops and their line ---- */

static int64_t pump_mono_us(struct pump *p)
{
	return p->io->mono_ns(p->data) / 1000;
}

struct op *op_new(const struct event *event, uint64_t session, uint64_t request_id, const uint8_t key[16], struct text client)
{
	uint8_t bytes[OP_EVENT_BYTES_MAX], digest[DIGEST_BYTES];
	size_t len = record_event(event, bytes, sizeof bytes);
	struct op *op;

	if (len == 0)
		return NULL;
	op = mem_alloc(sizeof *op + len);
	memset(op, 0, sizeof *op);
	op->session = session;
	op->request_id = request_id;
	op->client = client;
	op->key_ms = request_key_ms(key);
	op->event_len = (uint32_t)len;
	memcpy(op->key, key, sizeof op->key);
	memcpy(op->event, bytes, len);
	digest_bytes(bytes, len, digest);
	memcpy(op->request_hash, digest, sizeof op->request_hash);
	return op;
}

static void pump_append(struct pump *p, struct op *op)
{
	op->next = NULL;
	*p->last = op;
	p->last = &op->next;
	p->waiting++;
}

static struct op *pump_shift(struct pump *p)
{
	struct op *op = p->first;

	p->first = op->next;
	if (p->first == NULL)
		p->last = &p->first;
	p->waiting--;
	op->next = NULL;
	return op;
}

static struct key_entry *pump_entry(struct pump *p, const struct op *op)
{
	return keys_find(&p->keys, keys_client(op->client), op->key);
}

/* Answers an op and everyone who sent the same command meanwhile; the op is gone. */
static void pump_answer(struct pump *p, struct op *op, enum err why, const struct outcome *outcome,
			const struct receipt *receipt)
{
	int64_t now_us = pump_mono_us(p);

	while (op != NULL) {
		struct op *twins = op->twins;

		p->io->reply(p->data, op, why, outcome, receipt);
		if (why == ERR_OK)
			hist_add(&p->stats->command_us, now_us - op->arrived_us);
		mem_free(op);
		op = twins; /* a chain: each twin holds the next */
	}
}

/* Not decided, and not going to be: the key is free again. */
static void pump_drop(struct pump *p, struct op *op, enum err why)
{
	struct key_entry *e = pump_entry(p, op);

	if (e != NULL && e->op == op) {
		e->op = NULL;
		e->seq = 0;
	}
	pump_answer(p, op, why, NULL, NULL);
}

static void pump_lookup(struct pump *p, struct op *op)
{
	enum err e;

	op->looked_up = true;
	p->stats->keys_looked_up++;
	e = p->io->lookup(p->data, op);
	if (e != ERR_OK)
		pump_drop(p, op, e == ERR_STORE ? ERR_STORE_AWAY : e);
}

/* The front door, for new ops and for those whose batch was lost: is this key known? */
static void pump_admit(struct pump *p, struct op *op)
{
	struct key_entry *e = pump_entry(p, op);

	if (e == NULL || (e->op == NULL && e->seq == 0)) {
		if (e == NULL)
			e = keys_insert(&p->keys, keys_client(op->client), op->key, op->key_ms);
		e->op = op;
		if (op->key_ms >= p->keys.floor_ms || op->looked_up)
			pump_append(p, op);
		else
			pump_lookup(p, op); /* memory does not go back that far */
	} else if (e->op == NULL) {
		pump_lookup(p, op); /* done before: the database has the outcome */
	} else if (memcmp(e->op->request_hash, op->request_hash, sizeof op->request_hash) != 0) {
		p->stats->key_reused++;
		pump_answer(p, op, ERR_KEY_REUSED, NULL, NULL);
	} else {
		p->stats->commands_repeated++;
		struct op **end = &op->twins; /* one that was sent before may bring twins of its own */

		while (*end != NULL)
			end = &(*end)->twins;
		*end = e->op->twins;
		e->op->twins = op;
	}
}

/* Its times, by the fence's clock: the machine's own may be years off, and these refusals are final. */
static enum err pump_timely(const struct pump *p, const struct op *op)
{
	int64_t now_us = p->io->now_us(p->data);

	if (op->deadline_us != 0 && op->deadline_us < now_us)
		return ERR_DEADLINE_PASSED;
	if (op->key_ms > now_us / 1000 + INT64_C(600000))
		return ERR_KEY_IN_FUTURE;
	return op->key_ms < now_us / 1000 - p->key_age_max_ms ? ERR_KEY_TOO_OLD : ERR_OK;
}

void pump_take(struct pump *p, struct op *op)
{
	enum err why = p->core != NULL ? pump_timely(p, op) : ERR_OK;

	op->arrived_us = pump_mono_us(p);
	p->stats->commands++;
	if (why == ERR_OK && p->waiting >= OP_QUEUE_MAX) {
		p->stats->busy++;
		why = ERR_BUSY;
	}
	if (why != ERR_OK) {
		pump_answer(p, op, why, NULL, NULL);
	} else if (p->core == NULL) {
		op->untimed = true;
		pump_append(p, op); /* admitted once the keys and the clock are known: see pump_opened */
	} else {
		pump_admit(p, op);
	}
}

/* ---- deciding and sending ---- */

/* Decides the op at the head of the line into the batch; false: the batch must be sent first. */
static bool pump_decide(struct pump *p, struct pump_batch *batch)
{
	struct op *op = p->first;
	int64_t start_ns = p->io->mono_ns(p->data);
	struct key_entry *e;

	FAILPOINT(decide_before);
	INSIST(record_event_decode(op->event, op->event_len, &p->event) == ERR_OK); /* our own bytes */
	if (!p->io->takes(p->data, &p->event))
		return false;
	p->event.seq = op->seq = p->io->next_seq(p->data);
	p->event.now_us = p->io->now_us(p->data);
	p->event.principal = op->client;
	core_step(p->core, &p->event, &p->update);
	FAILPOINT(decide_after);
	op->outcome = p->update.outcome;
	if (p->update.outcome.refusal != 0)
		p->stats->commands_refused++;
	if (p->update.round_count > 0)
		hist_add(&p->stats->looked_at, p->update.decision.looked_at);
	hist_add(&p->stats->decide_ns, p->io->mono_ns(p->data) - start_ns);
	p->io->add(p->data, op, &p->event, &p->update);
	e = pump_entry(p, op);
	if (e != NULL)
		e->seq = op->seq;
	pump_shift(p);
	*batch->last = op;
	batch->last = &op->next;
	batch->count++;
	return true;
}

static void pump_send(struct pump *p)
{
	struct pump_batch *batch = &p->batches[p->batch_count];
	uint32_t max = p->alone > 0 ? 1 : BATCH_EVENTS_MAX;

	*batch = (struct pump_batch){.last = &batch->first};
	while (p->first != NULL && batch->count < max && pump_decide(p, batch))
		;
	INSIST(batch->count > 0); /* an empty batch takes anything */
	if (p->alone > 0)
		p->alone--;
	batch->sent_us = pump_mono_us(p);
	hist_add(&p->stats->batch_events, batch->count);
	p->batch_count++;
	if (p->io->send(p->data) != ERR_OK)
		pump_on_lost(p);
}

/* While a batch is under way another is sent only when it is as large as its share of all that is wanted: a transaction
 * has a fixed cost, so many small ones would be slower than few that grow. */
static bool pump_worth_a_lane(const struct pump *p)
{
	uint32_t under_way = 0;

	for (uint32_t i = 0; i < p->batch_count; i++)
		under_way += p->batches[i].count;
	return p->alone == 0 && p->waiting >= p->depth_min_events && p->waiting * p->depth >= p->waiting + under_way;
}

void pump_kick(struct pump *p)
{
	while (p->core != NULL && p->first != NULL && p->batch_count < p->depth) {
		if (p->batch_count > 0 && !pump_worth_a_lane(p))
			return;
		pump_send(p);
	}
}

bool pump_preview(struct pump *p, struct event *event, struct outcome *ret)
{
	if (p->core == NULL)
		return false;
	event->seq = INT64_MAX;
	event->now_us = p->io->now_us(p->data);
	core_decide(p->core, event, &p->update);
	*ret = p->update.outcome;
	ret->package_no = 0;
	return true;
}

/* ---- answers of the store ---- */

static struct pump_batch pump_take_batch(struct pump *p)
{
	struct pump_batch batch = p->batches[0];

	INSIST(p->batch_count > 0);
	p->batch_count--;
	memmove(p->batches, p->batches + 1, p->batch_count * sizeof p->batches[0]);
	return batch;
}

void pump_on_committed(struct pump *p, const uint8_t row_hash[32])
{
	struct pump_batch batch = pump_take_batch(p);
	int64_t now_us = pump_mono_us(p);

	FAILPOINT(committed);
	p->stats->batches++;
	p->stats->events += batch.count;
	p->leased_from_us = batch.sent_us;
	hist_add(&p->stats->commit_us, now_us - batch.sent_us);
	for (struct op *op = batch.first, *next; op != NULL; op = next) {
		struct key_entry *e = pump_entry(p, op);
		struct receipt receipt = {.seq = op->seq};
		struct outcome outcome = op->outcome;

		next = op->next;
		if (e != NULL)
			e->op = NULL;
		memcpy(receipt.leaf, op->leaf, sizeof receipt.leaf);
		memcpy(receipt.row_hash, row_hash, sizeof receipt.row_hash);
		pump_answer(p, op, ERR_OK, &outcome, &receipt);
		FAILPOINT(reply_between);
	}
}

/* All that was sent goes back to the head of the line, in order; the core with its speculation is dropped. */
static uint32_t pump_take_back(struct pump *p)
{
	struct op *head = NULL, **last = &head;
	uint32_t count = 0;

	for (uint32_t i = 0; i < p->batch_count; i++) {
		*last = p->batches[i].first;
		while (*last != NULL) {
			(*last)->seq = 0;
			last = &(*last)->next;
		}
		count += p->batches[i].count;
	}
	*last = p->first;
	if (p->first == NULL)
		p->last = last;
	p->first = head;
	if (p->first == NULL)
		p->last = &p->first;
	p->waiting += count;
	p->batch_count = 0;
	p->core = NULL;
	return count;
}

/* Its key is free again: the load that follows begins with new keys. */
static void pump_quarantine(struct pump *p)
{
	struct op *op = pump_shift(p);

	p->stats->quarantined++;
	p->io->alarm(p->data, "quarantined", op);
	pump_answer(p, op, ERR_QUARANTINED, NULL, NULL);
}

void pump_on_refused(struct pump *p, enum err why)
{
	uint32_t first, count;

	FAILPOINT(refused);
	if (p->core == NULL)
		return; /* an answer to a later batch of the same refusal */
	first = p->batches[0].count;
	count = pump_take_back(p);
	if (why == ERR_STORE_REFUSED) {
		p->stats->store_refused++;
		p->io->alarm(p->data, "batch_refused", p->first);
		if (first == 1)
			pump_quarantine(p);
		else
			p->alone = count;
	} else if (why == ERR_STORE_AWAY) {
		pump_fail_waiting(p, ERR_STORE_AWAY); /* rolled back for want of room or a server: clients retry, we do not spin */
	} else if (why == ERR_STORE_STALE) {
		p->stats->batches_stale++;
	} else if (why == ERR_DEPOSED) {
		p->stats->deposed++;
	}
	p->io->reload(p->data, why);
}

void pump_on_lost(struct pump *p)
{
	if (p->core == NULL)
		return; /* all that was under way went back with it */
	p->stats->batches_ambiguous += p->batch_count;
	pump_take_back(p);
	p->io->reload(p->data, ERR_STORE);
}

/* ---- keys in the database ---- */

void pump_on_lookup(struct pump *p, struct op *op, const uint8_t *request_hash, const struct outcome *outcome,
		    const struct receipt *receipt)
{
	struct key_entry *e = pump_entry(p, op);
	bool first = e != NULL && e->op == op; /* nobody knew the key: it was looked up because it is old */

	FAILPOINT(lookup_after);
	if (request_hash == NULL) {
		if (p->core == NULL || first)
			pump_append(p, op);
		else
			pump_admit(p, op);
		return;
	}
	if (first) {
		e->op = NULL;
		e->seq = receipt->seq;
	}
	if (memcmp(request_hash, op->request_hash, sizeof op->request_hash) != 0) {
		p->stats->key_reused++;
		pump_answer(p, op, ERR_KEY_REUSED, NULL, NULL);
		return;
	}
	p->stats->commands_repeated++;
	pump_answer(p, op, ERR_OK, outcome, receipt);
}

void pump_on_lookup_failed(struct pump *p, struct op *op)
{
	pump_drop(p, op, ERR_STORE_AWAY);
}

/* ---- life ---- */

void pump_init(struct pump *p, const struct pump_io *io, void *data, struct stats *stats, uint32_t depth,
	       int64_t key_age_max_ms)
{
	*p = (struct pump){.io = io, .data = data, .stats = stats, .depth = depth, .depth_min_events = 64,
			   .key_age_max_ms = key_age_max_ms};
	p->last = &p->first;
	keys_init(&p->keys);
}

void pump_free(struct pump *p)
{
	keys_free(&p->keys);
}

void pump_open(struct pump *p, struct core *core, int64_t floor_ms)
{
	REQUIRE(p->core == NULL && p->batch_count == 0);
	p->core = core;
	keys_clear(&p->keys, floor_ms);
}

void pump_know_key(struct pump *p, struct text client, const uint8_t key[16], int64_t key_ms, int64_t seq)
{
	uint64_t hash = keys_client(client);

	if (keys_find(&p->keys, hash, key) == NULL)
		keys_insert(&p->keys, hash, key, key_ms)->seq = seq;
}

void pump_opened(struct pump *p)
{
	struct op *op = p->first, *next;

	p->first = NULL;
	p->last = &p->first;
	p->waiting = 0;
	for (; op != NULL; op = next) {
		next = op->next;
		op->looked_up = false;
		enum err why = op->untimed ? pump_timely(p, op) : ERR_OK;

		op->untimed = false; /* from now on it may have been committed: its key tells, no clock */
		if (why != ERR_OK)
			pump_answer(p, op, why, NULL, NULL);
		else
			pump_admit(p, op);
	}
}

void pump_fail_waiting(struct pump *p, enum err why)
{
	while (p->first != NULL)
		pump_drop(p, pump_shift(p), why);
}

bool pump_idle(const struct pump *p)
{
	return p->first == NULL && p->batch_count == 0;
}
