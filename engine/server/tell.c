/* tell.c — the engine's state for people: the service manager's status line, and what health explains. */
#include "server/engine.h"

#include "server/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *shard_state_word(const struct shard *sh)
{
	static const char *const words[] = {
#define X(name, word) [SHARD_##name] = word,
		SHARD_STATE_MAP(X)
#undef X
	};

	return sh->state == SHARD_LOADING && sh->open_failures > 0 ? "store_away" : words[sh->state];
}

/* As seen by the ticks: right within a quarter of a second. */
int64_t shard_state_age_us(const struct shard *sh)
{
	return sh->state_word == shard_state_word(sh) ? clock_mono_us() - sh->state_since_us : 0;
}

const char *shard_trouble_name(const struct shard *sh)
{
	enum err why = sh->open_failures > 0 ? sh->work_result : sh->reload_why;

	return why != ERR_OK ? err_name((int)why) : "";
}

void shard_tell_trouble(struct shard *sh, const char *note)
{
	size_t len = 0;

	/* a database's message has lines, a status has one */
	for (; *note != '\0' && len + 1 < sizeof sh->trouble; note++) {
		bool blank = *note == '\n' || *note == '\t' || *note == ' ';

		if (!blank)
			sh->trouble[len++] = *note;
		else if (len > 0 && sh->trouble[len - 1] != ' ')
			sh->trouble[len++] = ' ';
	}
	while (len > 0 && sh->trouble[len - 1] == ' ')
		len--;
	sh->trouble[len] = '\0';
}

static void shard_status(const struct shard *sh, char *status, size_t size)
{
	switch (sh->state) {
	case SHARD_LOADING:
		if (sh->open_failures == 0)
			snprintf(status, size, "loading shard %d", sh->number);
		else
			snprintf(status, size, "shard %d cannot load: %s", sh->number, sh->trouble);
		break;
	case SHARD_READY:
		snprintf(status, size, "serving shard %d, epoch %lld, framework version %lld", sh->number,
			 (long long)sh->journal.fence.epoch, (long long)sh->journal.fence.framework_version);
		break;
	case SHARD_STANDBY:
		snprintf(status, size, "standing by for shard %d, which %s has", sh->number,
			 sh->seen.engine[0] != '\0' ? sh->seen.engine : "nobody");
		break;
	case SHARD_DRAINING:
	case SHARD_GONE:
		snprintf(status, size, "stopping: %s",
			 sh->engine->exit_code != 0 && sh->trouble[0] != '\0' ? sh->trouble : "answering what was taken in");
		break;
	}
}

/* Once a tick: how long the store has owed this shard an answer. */
static int64_t shard_owed_us(struct shard *sh, int64_t now_us)
{
	bool owed = sh->working || sh->beat_waiting || sh->pump.batch_count > 0;
	int64_t answers = sh->pump.leased_from_us + sh->open_failures;

	if (!owed || answers != sh->answers)
		sh->answered_us = now_us;
	sh->answers = answers;
	return now_us - sh->answered_us;
}

void engine_tell_begin(struct engine *e)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (manager_open(&e->manager, name, getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID")) != ERR_OK)
		log_line(LOG_config, "error=NOTIFY_SOCKET value=\"%s\" mend=\"a path, or @ and a name; nobody is told\"", name);
}

void engine_tell(struct engine *e)
{
	int64_t now_us = clock_mono_us();
	char status[1024] = "";
	struct manager_view v = {.ready = true, .stopping = e->draining, .loads = e->stats.opens, .status = status};
	size_t len = 0;

	for (uint32_t i = 0; i < e->shard_count; i++) {
		struct shard *sh = &e->shards[i];
		const char *word = shard_state_word(sh);
		int64_t owed_us = shard_owed_us(sh, now_us);

		if (sh->state_word != word) {
			sh->state_word = word;
			sh->state_since_us = now_us;
		}
		v.ready &= sh->state == SHARD_READY || sh->state == SHARD_STANDBY;
		v.owed_us = owed_us > v.owed_us ? owed_us : v.owed_us;
		if (len + 3 < sizeof status && !(e->draining && i > 0)) { /* of many shards the first are named */
			len += (size_t)snprintf(status + len, sizeof status - len, "%s", i > 0 ? "; " : "");
			shard_status(sh, status + len, sizeof status - len);
			len += strlen(status + len);
		}
	}
	manager_tick(&e->manager, &v, now_us);
}

void engine_tell_reloading(struct engine *e)
{
	struct manager_view v = {.loads = e->stats.opens, .status = ""};

	for (uint32_t i = 0; i < e->shard_count; i++) {
		if (e->shards[i].pump.core != NULL) { /* who only stands by loads nothing, and would never be ready again */
			manager_reloading(&e->manager, &v, clock_mono_us());
			return;
		}
	}
}
