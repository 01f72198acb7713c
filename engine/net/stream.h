/* stream.h — a listening Unix socket and its connections: bytes in, bytes out, nothing known of what they mean.
 *
 * Shape:   the listener makes a stream for each connection; the owner embeds struct stream and gives it back on_closed.
 * Errors:  a connection that fails closes; on_closed is the last call.
 * Owner:   listener_ops.accept hands out memory for a stream, on_closed takes it back.
 * Loop:    no callback runs inside stream_write, stream_close.
 * Security: the peer's uid comes from the kernel (SO_PEERCRED).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <uv.h>

struct stream;
struct listener;

struct stream_ops {
	void (*on_bytes)(struct stream *s); /* s->in holds them; consume what was used */
	void (*on_drained)(struct stream *s); /* all that was written has left */
	void (*on_closed)(struct stream *s);
};

struct stream {
	uv_pipe_t pipe;
	uv_write_t writing;
	const struct stream_ops *ops;
	struct buf in, out, leaving; /* leaving: handed to the kernel, not yet gone */
	uint32_t peer_uid;
	bool reading, closing;
	uint32_t closes;
};

struct listener {
	uv_pipe_t pipe;
	/* memory for a new connection, or NULL to refuse it */
	struct stream *(*accept)(struct listener *l);
	void (*on_open)(struct listener *l, struct stream *s);
	void (*on_closed)(struct listener *l);
	void *data;
};

/* An old socket file nobody listens on is replaced; one that answers is an error. mode 0660. */
enum err listener_open(struct listener *l, uv_loop_t *loop, const char *path) ERR_MUST_CHECK;
void listener_close(struct listener *l);

/* Sends what is in s->out, as much as the kernel takes now; the rest leaves by itself. */
void stream_write(struct stream *s);
size_t stream_backlog(const struct stream *s);
void stream_read(struct stream *s, bool on);
void stream_close(struct stream *s);
