/* notify.h — one datagram to the service manager that started us: the protocol of sd_notify, without libsystemd.
 *
 * Shape:   text of NAME=VALUE lines -> the socket that NOTIFY_SOCKET names, a path or "@" and an abstract name.
 * Errors:  ERR_CONFIG for a name that cannot be one, ERR_SYSTEM; a manager that is gone or full loses a message, and the
 *          next one tries again: nobody waits for it.
 * Owner:   the descriptor, until notify_close.
 * Source:  systemd 252, sd_notify(3), "Notes".
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un to;
	socklen_t to_bytes;
};

/* name NULL or "": nobody wants to know, which is well. */
enum err notify_open(struct notify *n, const char *name) ERR_MUST_CHECK;
/* true: the manager has it. */
bool notify_send(struct notify *n, const char *text);
void notify_close(struct notify *n);
