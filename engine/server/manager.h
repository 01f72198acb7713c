/* manager.h — what the service manager (systemd) is told: ready, reloading, stopping, a line of state, and that we live.
 *
 * Shape:   the engine's state as a view, once a tick -> messages over net/notify, each change once.
 * Watchdog: a ping at a third of WATCHDOG_USEC, from the loop's own tick, so a loop that hangs stops pinging. So does one
 *          whose store owes an answer for MANAGER_STUCK_US (a half-open connection): a restart mends that. A database that is
 *          away is neither: it answers with errors, and a restart would not bring it back.
 *          Before READY and while stopping the same pings carry EXTEND_TIMEOUT_USEC, so a long load is no failed start.
 * Units:   monotonic us. Errors: none; without NOTIFY_SOCKET nothing is sent.
 * Owner:   the socket, from manager_open to manager_close.
 */
#pragma once

#include "net/notify.h"

#include <stdint.h>

enum { MANAGER_STUCK_US = 300 * 1000000, MANAGER_EXTEND_US = 30 * 1000000 };

struct manager_view {
	bool ready;      /* serving, or standing by */
	bool stopping;
	int64_t owed_us; /* how long the store has owed an answer */
	int64_t loads;   /* grows with every load that ended, well or not */
	const char *status;
};

struct manager {
	struct notify notify;
	int64_t ping_us;   /* how often to say that we live */
	bool watched;      /* WATCHDOG_USEC is ours */
	bool told_ready, told_stopping, reloading;
	int64_t reload_loads; /* loads when the reload began: ready again after another */
	int64_t pinged_us;
	char status[256];
};

/* From the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID (which must be ours). An error is the caller's to log. */
enum err manager_open(struct manager *m, const char *socket_name, const char *watchdog_us, const char *watchdog_pid) ERR_MUST_CHECK;
void manager_tick(struct manager *m, const struct manager_view *v, int64_t now_us);
/* SIGHUP was heard; READY follows when the engine has loaded again. */
void manager_reloading(struct manager *m, const struct manager_view *v, int64_t now_us);
void manager_close(struct manager *m);
