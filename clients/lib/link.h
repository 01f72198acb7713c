/* link.h — frames over one Unix stream socket: 4 bytes of big-endian length, then that many bytes.
 *
 * Shape:   two growing buffers; out gathers many frames for one write, in holds what came.
 * Units:   bytes; timeouts in milliseconds, -1 waits for ever.
 * Errors:  link_open explains itself; afterwards a link is only open or closed.
 * Owner:   the link owns its buffers; a frame borrowed from link_next_frame lives until the next link_pump.
 */
#pragma once

#include "calloff.h"

struct link_buffer {
	uint8_t *data;
	size_t at, len, size; /* unread bytes: [at, len) */
};

struct link {
	int fd; /* -1: closed */
	struct link_buffer out, in;
};

enum link_state { LINK_MOVED, LINK_IDLE, LINK_CLOSED };
enum link_frame { LINK_NO_FRAME, LINK_FRAME, LINK_TOO_BIG };

void link_init(struct link *l);
void link_fini(struct link *l);
enum calloff_fault link_open(struct link *l, const char *path, struct calloff_error *error);
/* Drops both buffers. */
void link_close(struct link *l);

void link_put_frame(struct link *l, const uint8_t *body, size_t len);
/* Writes and reads what it can; waits at most timeout_ms for something to move. */
enum link_state link_pump(struct link *l, int timeout_ms);
enum link_frame link_next_frame(struct link *l, const uint8_t **ret_body, size_t *ret_len);
