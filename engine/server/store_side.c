/* store_side.c — the pump's io over the real store, and what the store answers. */
#include "server/engine.h"

#include "base/failpoint.h"
#include "base/mem.h"
#include "server/log.h"
#include "wire/request.h"

#include <string.h>

/* ---- what the pump asks ---- */

static int64_t io_now_us(void *data)
{
	return clock_now_us(&((struct shard *)data)->clock);
}

static int64_t io_mono_ns(void *data)
{
	(void)data;
	return clock_mono_ns();
}

static bool io_takes(void *data, const struct event *event)
{
	return batch_takes(&((struct shard *)data)->journal.batch, event);
}

static int64_t io_next_seq(void *data)
{
	return journal_next_seq(&((struct shard *)data)->journal);
}

static void io_add(void *data, struct op *op, const struct event *event, const struct update *update)
{
	struct shard *sh = data;
	struct batch_command command = {.client = op->client};

	memcpy(command.key, op->key, sizeof command.key);
	memcpy(command.request_hash, op->request_hash, sizeof command.request_hash);
	journal_add(&sh->journal, event, update, &command, op->leaf);
}

static enum err io_send(void *data)
{
	struct shard *sh = data;

	return journal_send(&sh->journal, clock_now_us(&sh->clock));
}

static void io_reply(void *data, const struct op *op, enum err why, const struct outcome *outcome,
		     const struct receipt *receipt)
{
	session_on_reply(data, op, why, outcome, receipt);
}

static enum err io_lookup(void *data, struct op *op)
{
	struct shard *sh = data;
	struct ask *a;
	enum err why;

	FAILPOINT_OR(lookup_before, ERR_STORE);
	if (!sh->reader_open)
		return ERR_STORE;
	a = mem_zero(1, sizeof *a);
	a->op = op;
	why = reader_command(&sh->reader, op->client, op->key, a);
	if (why != ERR_OK)
		mem_free(a);
	return why;
}

static void io_reload(void *data, enum err why)
{
	shard_want_reload(data, why);
}

static void io_alarm(void *data, const char *what, const struct op *op)
{
	(void)data;
	log_line(strcmp(what, "quarantined") == 0 ? LOG_ALARM_quarantined : LOG_ALARM_batch_refused,
		 "key_ms=%lld event_bytes=%u", (long long)(op != NULL ? op->key_ms : 0), op != NULL ? op->event_len : 0);
}

const struct pump_io shard_pump_io = {
	.now_us = io_now_us, .mono_ns = io_mono_ns, .takes = io_takes, .next_seq = io_next_seq, .add = io_add, .send = io_send,
	.reply = io_reply, .lookup = io_lookup, .reload = io_reload, .alarm = io_alarm};

/* ---- what the journal answers ---- */

static void on_committed(void *data, const uint8_t row_hash[DIGEST_BYTES])
{
	struct shard *sh = data;

	memcpy(sh->journal.fence.head_hash, row_hash, DIGEST_BYTES);
	if (sh->pump.core == NULL)
		return; /* answered after it was given up: its keys are found at the reload */
	pump_on_committed(&sh->pump, row_hash);
	answer_held(sh);
	answer_subscriptions(sh);
}

static void on_refused(void *data, enum err why, const char *message)
{
	struct shard *sh = data;

	if (sh->pump.core != NULL && why == ERR_STORE_REFUSED)
		log_line(LOG_ALARM_batch_refused, "message=\"%s\"", message);
	pump_on_refused(&sh->pump, why);
}

static void on_beat(void *data, enum err why, int64_t framework_version)
{
	struct shard *sh = data;

	sh->beat_waiting = false;
	if (sh->pump.core == NULL)
		return;
	if (why != ERR_OK) {
		pump_on_refused(&sh->pump, why);
		return;
	}
	sh->pump.leased_from_us = sh->beat_sent_us;
	sh->framework_version_live = framework_version;
	if (framework_version != sh->journal.fence.framework_version) {
		log_line(LOG_framework_edited, "version=%lld", (long long)framework_version);
		pump_on_refused(&sh->pump, ERR_STORE_STALE);
	}
	answer_held(sh);
}

static void on_handed_over(void *data, enum err why)
{
	struct shard *sh = data;

	(void)why; /* refused: another engine has it already */
	sh->handed_over = true;
}

static void on_journal_closed(void *data, enum err why)
{
	struct shard *sh = data;

	journal_free(&sh->journal);
	sh->journal_open = sh->beat_waiting = false;
	if (sh->pump.batch_count > 0 || (sh->pump.core != NULL && sh->state != SHARD_DRAINING))
		log_line(LOG_store_lost, "batches_in_flight=%u", sh->pump.batch_count);
	pump_on_lost(&sh->pump);
	if (sh->state == SHARD_DRAINING) {
		pump_fail_waiting(&sh->pump, ERR_DRAINING); /* their keys tell the next engine */
		return;
	}
	shard_want_reload(sh, why == ERR_OK ? ERR_STORE_STALE : why);
}

const struct journal_ops shard_journal_ops = {
	.on_committed = on_committed, .on_refused = on_refused, .on_beat = on_beat, .on_handed_over = on_handed_over,
	.on_closed = on_journal_closed};

