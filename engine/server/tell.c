/* tell.c — the engine's state for people: the service manager's status line, and what health explains. */
#include "server/engine.h"

#include "server/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *engine_state_word(const struct engine *e)
{
	static const char *const words[] = {
#define X(name, word) [ENGINE_##name] = word,
		ENGINE_STATE_MAP(X)
#undef X
	};

	return e->state == ENGINE_LOADING && e->open_failures > 0 ? "store_away" : words[e->state];
}

/* As seen by the ticks: right within a quarter of a second. */
int64_t engine_state_age_us(const struct engine *e)
{
	return e->state_word == engine_state_word(e) ? clock_mono_us() - e->state_since_us : 0;
}

const char *engine_trouble_name(const struct engine *e)
{
	enum err why = e->open_failures > 0 ? e->open_result : e->reload_why;

	return why != ERR_OK ? err_name((int)why) : "";
}

void engine_tell_trouble(struct engine *e, const char *note)
{
	size_t len = 0;

	/* a database's message has lines, a status has one */
	for (; *note != '\0' && len + 1 < sizeof e->trouble; note++) {
		bool blank = *note == '\n' || *note == '\t' || *note == ' ';

		if (!blank)
			e->trouble[len++] = *note;
		else if (len > 0 && e->trouble[len - 1] != ' ')
			e->trouble[len++] = ' ';
	}
	while (len > 0 && e->trouble[len - 1] == ' ')
		len--;
	e->trouble[len] = '\0';
}

static void engine_status(const struct engine *e, char *status, size_t size)
{
	long long shard = (long long)e->config.shard;

	switch (e->state) {
	case ENGINE_LOADING:
		if (e->open_failures == 0)
			snprintf(status, size, "loading shard %lld", shard);
		else
			snprintf(status, size, "shard %lld cannot load: %s", shard, e->trouble);
		break;
	case ENGINE_READY:
		snprintf(status, size, "serving shard %lld, epoch %lld, framework version %lld", shard,
			 (long long)e->journal.fence.epoch, (long long)e->journal.fence.framework_version);
		break;
	case ENGINE_DEPOSED:
		snprintf(status, size, "deposed: another engine has shard %lld", shard);
		break;
	case ENGINE_DRAINING:
		snprintf(status, size, "stopping: %s", e->exit_code != 0 ? e->trouble : "answering what was taken in");
		break;
	}
}

static struct manager_view engine_manager_view(const struct engine *e, char *status, size_t size)
{
	engine_status(e, status, size);
	return (struct manager_view){
		.ready = e->state == ENGINE_READY || e->state == ENGINE_DEPOSED, .stopping = e->state == ENGINE_DRAINING,
		.owed = e->opening_now || e->beat_waiting || e->pump.batch_count > 0,
		.answers = e->stats.opens + e->pump.last_ack_mono_us, .loads = e->stats.opens, .status = status,
	};
}

void engine_tell_begin(struct engine *e)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (manager_open(&e->manager, name, getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID")) != ERR_OK)
		log_line(LOG_config, "error=NOTIFY_SOCKET value=\"%s\" mend=\"a path, or @ and a name; nobody is told\"", name);
}

void engine_tell(struct engine *e)
{
	char status[sizeof e->trouble + 64];
	struct manager_view v = engine_manager_view(e, status, sizeof status);
	const char *word = engine_state_word(e);

	if (e->state_word != word) {
		e->state_word = word;
		e->state_since_us = clock_mono_us();
	}
	manager_tick(&e->manager, &v, clock_mono_us());
}

void engine_tell_reloading(struct engine *e)
{
	char status[sizeof e->trouble + 64];
	struct manager_view v = engine_manager_view(e, status, sizeof status);

	if (e->state != ENGINE_DEPOSED) /* which loads nothing, so it would never be ready again */
		manager_reloading(&e->manager, &v, clock_mono_us());
}
