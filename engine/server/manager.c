#include "server/manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PING_UNWATCHED_US = MANAGER_EXTEND_US / 3 };

enum err manager_open(struct manager *m, const char *socket_name, const char *watchdog_us, const char *watchdog_pid)
{
	int64_t every_us = watchdog_us != NULL ? strtoll(watchdog_us, NULL, 10) : 0;

	memset(m, 0, sizeof *m);
	/* the variables are inherited: a child of the watched process is not the one meant */
	m->watched = every_us > 0 && (watchdog_pid == NULL || strtoll(watchdog_pid, NULL, 10) == getpid());
	m->ping_us = m->watched ? every_us / 3 : PING_UNWATCHED_US;
	m->pinged_us = INT64_MIN / 2;
	return notify_open(&m->notify, socket_name);
}

static void manager_ping(struct manager *m, int64_t now_us)
{
	char text[96];
	bool waited_for = !m->told_ready || m->told_stopping;

	if (now_us - m->pinged_us < m->ping_us || (!m->watched && !waited_for))
		return;
	snprintf(text, sizeof text, "WATCHDOG=1");
	if (waited_for)
		snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%d%s", (int)MANAGER_EXTEND_US, m->watched ? "\nWATCHDOG=1" : "");
	if (notify_send(&m->notify, text))
		m->pinged_us = now_us;
}

void manager_tick(struct manager *m, const struct manager_view *v, int64_t now_us)
{
	bool now_ready, now_stopping;
	char text[sizeof m->status + 64];

	if (m->notify.fd < 0)
		return;
	if (v->owed_us < MANAGER_STUCK_US)
		manager_ping(m, now_us);
	now_stopping = v->stopping && !m->told_stopping;
	now_ready = v->ready && !v->stopping && (!m->told_ready || (m->reloading && v->loads > m->reload_loads));
	if (!now_ready && !now_stopping && strncmp(m->status, v->status, sizeof m->status - 1) == 0)
		return;
	snprintf(text, sizeof text, "%s%sSTATUS=%.*s", now_stopping ? "STOPPING=1\n" : "", now_ready ? "READY=1\n" : "",
		 (int)sizeof m->status - 1, v->status);
	if (!notify_send(&m->notify, text))
		return; /* said again at the next tick */
	snprintf(m->status, sizeof m->status, "%s", v->status);
	m->told_stopping |= now_stopping;
	m->told_ready |= now_ready;
	m->reloading &= !now_ready;
}

void manager_reloading(struct manager *m, const struct manager_view *v, int64_t now_us)
{
	char text[64];

	if (!m->told_ready || m->told_stopping)
		return;
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now_us);
	m->reloading = notify_send(&m->notify, text);
	m->reload_loads = v->loads;
}

void manager_close(struct manager *m)
{
	notify_close(&m->notify);
}
