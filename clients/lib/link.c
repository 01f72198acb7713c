#include "link.h"

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, HEAD_BYTES = 4 };

static void link_buffer_reserve(struct link_buffer *b, size_t more)
{
	if (b->at == b->len)
		b->at = b->len = 0;
	if (b->size - b->len >= more)
		return;
	if (b->at > 0) {
		memmove(b->data, b->data + b->at, b->len - b->at);
		b->len -= b->at;
		b->at = 0;
	}
	if (b->size - b->len >= more)
		return;

	size_t size = b->size < READ_BYTES ? READ_BYTES : b->size;

	while (size - b->len < more)
		size *= 2;
	b->data = realloc(b->data, size);
	INSIST(b->data != NULL);
	b->size = size;
}

void link_init(struct link *l)
{
	memset(l, 0, sizeof *l);
	l->fd = -1;
}

void link_fini(struct link *l)
{
	link_close(l);
	free(l->out.data);
	free(l->in.data);
	link_init(l);
}

void link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->out.at = l->out.len = 0;
	l->in.at = l->in.len = 0;
}

static enum calloff_fault link_refused(struct calloff_error *error, const char *path, int code)
{
	char what[sizeof error->what];
	const char *mend = "is it the engine's socket? Give it with --socket or CALLOFF_SOCKET";

	snprintf(what, sizeof what, "no engine answers at %s", path);
	if (code == EACCES || code == EPERM)
		mend = "ask the operator to admit your account to the socket's group";
	else if (code == ENOENT || code == ECONNREFUSED)
		mend = "start calloffd, or give the right path with --socket or CALLOFF_SOCKET";
	calloff_error_set(error, CALLOFF_UNREACHABLE, what, strerror(code), mend);
	error->code = code == EACCES || code == EPERM ? 7 : 14;
	return CALLOFF_UNREACHABLE;
}

enum calloff_fault link_open(struct link *l, const char *path, struct calloff_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	link_close(l);
	if (len == 0 || len >= sizeof address.sun_path)
		return calloff_error_set(error, CALLOFF_MISUSE, "the socket's path cannot be used",
					 len == 0 ? "it is empty" : "it is longer than 107 bytes",
					 "give another path with --socket or CALLOFF_SOCKET");
	memcpy(address.sun_path, path, len);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return calloff_error_set(error, CALLOFF_SYSTEM, "no socket could be made", strerror(errno),
					 "check the limit of open files (ulimit -n)");
	while (connect(l->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		int code = errno;

		if (code == EINTR)
			continue;
		link_close(l);
		return link_refused(error, path, code);
	}
	return CALLOFF_OK;
}

void link_put_frame(struct link *l, const uint8_t *body, size_t len)
{
	REQUIRE(len <= UINT32_MAX);
	link_buffer_reserve(&l->out, HEAD_BYTES + len);
	for (int i = 0; i < HEAD_BYTES; i++)
		l->out.data[l->out.len++] = (uint8_t)(len >> (24 - 8 * i));
	memcpy(l->out.data + l->out.len, body, len);
	l->out.len += len;
}

/* false: the peer is gone */
static bool link_write(struct link *l, bool *moved)
{
	while (l->out.at < l->out.len) {
		ssize_t n = send(l->fd, l->out.data + l->out.at, l->out.len - l->out.at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		l->out.at += (size_t)n;
		*moved = true;
	}
	return true;
}

static bool link_read(struct link *l, bool *moved)
{
	for (int turns = 0; turns < 16; turns++) {
		link_buffer_reserve(&l->in, READ_BYTES);

		ssize_t n = recv(l->fd, l->in.data + l->in.len, l->in.size - l->in.len, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (n == 0)
			return false;
		l->in.len += (size_t)n;
		*moved = true;
	}
	return true;
}

enum link_state link_pump(struct link *l, int timeout_ms)
{
	bool moved = false;

	if (l->fd < 0)
		return LINK_CLOSED;

	/* a peer that stopped reading may still have said why: read before giving up */
	bool writable = link_write(l, &moved);
	struct pollfd watch = {.fd = l->fd, .events = POLLIN};

	if (writable && l->out.at < l->out.len)
		watch.events |= POLLOUT;
	if (poll(&watch, 1, moved || !writable ? 0 : timeout_ms) < 0 && errno != EINTR)
		return LINK_CLOSED;
	if ((watch.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !link_read(l, &moved))
		return moved ? LINK_MOVED : LINK_CLOSED;
	if (!writable)
		return moved ? LINK_MOVED : LINK_CLOSED;
	return moved || (watch.revents & POLLOUT) != 0 ? LINK_MOVED : LINK_IDLE;
}

enum link_frame link_next_frame(struct link *l, const uint8_t **ret_body, size_t *ret_len)
{
	const uint8_t *at = l->in.data + l->in.at;
	size_t have = l->in.len - l->in.at;

	if (have < HEAD_BYTES)
		return LINK_NO_FRAME;

	size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];

	if (len > CALLOFF_REPLY_BYTES_MAX)
		return LINK_TOO_BIG;
	if (have - HEAD_BYTES < len)
		return LINK_NO_FRAME;
	*ret_body = at + HEAD_BYTES;
	*ret_len = len;
	l->in.at += HEAD_BYTES + len;
	return LINK_FRAME;
}
