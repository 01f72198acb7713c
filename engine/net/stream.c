#include "net/stream.h"

#include "base/check.h"
#include "base/failpoint.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { STREAM_READ_BYTES = 64 * 1024 };

static void stream_on_pipe_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	if (--s->closes > 0)
		return; /* a write is still to be called back */
	buf_free(&s->in);
	buf_free(&s->out);
	buf_free(&s->leaving);
	s->ops->on_closed(s);
}

void stream_close(struct stream *s)
{
	if (s->closing)
		return;
	s->closing = true;
	s->closes++;
	uv_close((uv_handle_t *)&s->pipe, stream_on_pipe_closed);
}

static void stream_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct stream *s = h->data;

	(void)suggested;
	*ret = uv_buf_init((char *)buf_reserve(&s->in, STREAM_READ_BYTES), STREAM_READ_BYTES);
}

static void stream_on_read(uv_stream_t *h, ssize_t len, const uv_buf_t *buf)
{
	struct stream *s = h->data;

	(void)buf;
	if (s->closing)
		return;
	if (len < 0) {
		stream_close(s);
		return;
	}
	s->in.to += (size_t)len;
	if (len > 0)
		s->ops->on_bytes(s);
}

void stream_read(struct stream *s, bool on)
{
	if (s->closing || s->reading == on)
		return;
	s->reading = on;
	if (!on)
		uv_read_stop((uv_stream_t *)&s->pipe);
	else if (uv_read_start((uv_stream_t *)&s->pipe, stream_alloc, stream_on_read) != 0)
		stream_close(s);
}

static void stream_on_written(uv_write_t *w, int status)
{
	struct stream *s = w->data;

	buf_clear(&s->leaving);
	if (s->closing) {
		stream_on_pipe_closed((uv_handle_t *)&s->pipe);
		return;
	}
	s->closes--;
	if (status < 0) {
		stream_close(s);
		return;
	}
	stream_write(s); /* what was added meanwhile: it may leave at once, and then nothing else tells of it */
	if (!s->closing && stream_backlog(s) == 0)
		s->ops->on_drained(s);
}

void stream_write(struct stream *s)
{
	uv_buf_t b = uv_buf_init((char *)s->out.bytes + s->out.from, (unsigned)buf_len(&s->out));
	struct buf t;
	int n;

	if (s->closing || b.len == 0 || buf_len(&s->leaving) > 0)
		return;
	b.len = FAILPOINT_HALF(reply_half, b.len);
	n = uv_try_write((uv_stream_t *)&s->pipe, &b, 1);
	FAILPOINT(reply_half);
	if (n > 0)
		buf_consume(&s->out, (size_t)n);
	if (n < 0 && n != UV_EAGAIN) {
		stream_close(s);
		return;
	}
	if (buf_len(&s->out) == 0)
		return;
	t = s->leaving;
	s->leaving = s->out;
	s->out = t;
	b = uv_buf_init((char *)s->leaving.bytes + s->leaving.from, (unsigned)buf_len(&s->leaving));
	s->writing.data = s;
	s->closes++;
	if (uv_write(&s->writing, (uv_stream_t *)&s->pipe, &b, 1, stream_on_written) != 0) {
		s->closes--;
		stream_close(s);
	}
}

size_t stream_backlog(const struct stream *s)
{
	return buf_len(&s->out) + buf_len(&s->leaving);
}

static void listener_on_connection(uv_stream_t *h, int status)
{
	struct listener *l = h->data;
	struct stream *s;
	struct ucred peer;
	socklen_t len = sizeof peer;
	uv_os_fd_t fd;

	if (status < 0)
		return;
	s = l->accept(l);
	if (s == NULL)
		return; /* libuv keeps it waiting: the backlog is the queue */
	s->in = s->out = s->leaving = (struct buf){0};
	s->reading = s->closing = false;
	s->closes = 0;
	INSIST(uv_pipe_init(h->loop, &s->pipe, 0) == 0);
	s->pipe.data = s;
	if (uv_accept(h, (uv_stream_t *)&s->pipe) != 0 || uv_fileno((uv_handle_t *)&s->pipe, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
		stream_close(s);
		return;
	}
	s->peer_uid = peer.uid;
	l->on_open(l, s);
}

/* Is somebody listening there? */
static bool socket_answers(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	if (fd < 0)
		return true;
	memcpy(a.sun_path, path, strlen(path) + 1);
	answers = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
	close(fd);
	return answers;
}

enum err listener_open(struct listener *l, uv_loop_t *loop, const char *path)
{
	struct stat st;

	if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
		return ERR_CONFIG;
	if (lstat(path, &st) == 0 && (!S_ISSOCK(st.st_mode) || socket_answers(path) || unlink(path) != 0))
		return ERR_CONFIG;
	INSIST(uv_pipe_init(loop, &l->pipe, 0) == 0);
	l->pipe.data = l;
	if (uv_pipe_bind(&l->pipe, path) != 0 || chmod(path, 0660) != 0 ||
	    uv_listen((uv_stream_t *)&l->pipe, 512, listener_on_connection) != 0) {
		uv_close((uv_handle_t *)&l->pipe, NULL);
		return ERR_SYSTEM;
	}
	return ERR_OK;
}

static void listener_on_pipe_closed(uv_handle_t *h)
{
	struct listener *l = h->data;

	l->on_closed(l);
}

void listener_close(struct listener *l)
{
	if (!uv_is_closing((uv_handle_t *)&l->pipe))
		uv_close((uv_handle_t *)&l->pipe, listener_on_pipe_closed);
}
