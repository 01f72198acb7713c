/* Streams over real sockets and a real loop; every test ends with nothing left in the loop. */
#include "kit/kit.h"

#include "net/stream.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

KIT_SUITE(stream);
KIT_SUITE(listener);

static uv_loop_t loop;
static struct listener listener;
static struct stream streams[8];
static uint32_t accepted, opened, drained, closed, listeners_closed, refuse_from = 8;
static struct buf heard;
static char path[100], folder[64];

static void on_bytes(struct stream *s)
{
	buf_append(&heard, s->in.bytes + s->in.from, buf_len(&s->in));
	buf_consume(&s->in, buf_len(&s->in));
}

static void on_drained(struct stream *s)
{
	cr_expect_eq(stream_backlog(s), 0);
	drained++;
}

static void on_closed(struct stream *s)
{
	(void)s;
	closed++;
}

static const struct stream_ops ops = {.on_bytes = on_bytes, .on_drained = on_drained, .on_closed = on_closed};

static struct stream *on_accept(struct listener *l)
{
	(void)l;
	if (accepted >= refuse_from)
		return NULL;
	streams[accepted].ops = &ops;
	return &streams[accepted++];
}

static void on_open(struct listener *l, struct stream *s)
{
	(void)l;
	opened++;
	stream_read(s, true);
}

static void on_listener_closed(struct listener *l)
{
	(void)l;
	listeners_closed++;
}

static void begin(void)
{
	cr_assert_eq(uv_loop_init(&loop), 0);
	snprintf(folder, sizeof folder, "/tmp/calloff-stream-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
	listener = (struct listener){.accept = on_accept, .on_open = on_open, .on_closed = on_listener_closed};
}

static void listen_here(void)
{
	begin();
	cr_assert_eq(listener_open(&listener, &loop, path), ERR_OK);
}

/* Turns of the loop without waiting; enough for whatever is ready. */
static void turn(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void finish(void)
{
	for (uint32_t i = 0; i < accepted; i++)
		stream_close(&streams[i]);
	if (listener.pipe.loop != NULL)
		listener_close(&listener);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_expect_eq(uv_loop_close(&loop), 0, "something was left in the loop");
	cr_expect_eq(closed, accepted, "each stream says once that it is closed");
	buf_free(&heard);
	unlink(path);
	rmdir(folder);
}

static int connect_client(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	turn();
	return fd;
}

static size_t read_all(int fd, void *to, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, (char *)to + len, size - len)) > 0)
		len += (size_t)n;
	return len;
}

static void write_out(struct stream *s, const void *bytes, size_t len)
{
	buf_append(&s->out, bytes, len);
	stream_write(s);
}

static uint8_t large[1 << 20], got[4 << 20];

static void fill_large(void)
{
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (uint8_t)(i * 2654435761u >> 13);
}

Test(stream, bytes_come_in_and_go_out)
{
	int fd;

	listen_here();
	fd = connect_client();
	cr_assert_eq(opened, 1);
	cr_expect_eq(streams[0].peer_uid, getuid());
	cr_assert_eq(write(fd, "hello", 5), 5);
	turn();
	cr_expect(buf_len(&heard) == 5 && memcmp(heard.bytes + heard.from, "hello", 5) == 0);
	write_out(&streams[0], "you", 3);
	cr_expect_eq(read_all(fd, got, sizeof got), 3);
	cr_expect_eq(stream_backlog(&streams[0]), 0);
	close(fd);
	finish();
}

Test(stream, a_slow_reader_gets_every_byte_in_order)
{
	size_t len = 0;
	int fd;

	listen_here();
	fill_large();
	fd = connect_client();
	write_out(&streams[0], large, sizeof large);
	cr_expect_gt(stream_backlog(&streams[0]), 0, "the socket takes less than that");
	for (size_t more = 0; more < 3; more++)
		write_out(&streams[0], large, sizeof large);
	while (len < sizeof got) {
		size_t n = read_all(fd, got + len, 10000);

		cr_assert(n > 0 || stream_backlog(&streams[0]) > 0, "%zu bytes came, then nothing", len);
		len += n;
		turn();
	}
	for (size_t i = 0; i < 4; i++)
		cr_expect_arr_eq(got + i * sizeof large, large, sizeof large);
	cr_expect_eq(stream_backlog(&streams[0]), 0);
	close(fd);
	finish();
}

Test(stream, when_all_has_left_the_owner_is_told)
{
	int fd;

	listen_here();
	fd = connect_client();
	write_out(&streams[0], large, sizeof large);
	cr_expect_eq(drained, 0);
	while (stream_backlog(&streams[0]) > 0) {
		read_all(fd, got, sizeof got);
		turn();
	}
	cr_expect_eq(drained, 1);
	close(fd);
	finish();
}

/* What was added while a write was under way may leave at once when that write is done: then too. */
Test(stream, when_the_rest_leaves_at_once_the_owner_is_told_too)
{
	int fd;

	listen_here();
	fd = connect_client();
	write_out(&streams[0], large, sizeof large);
	write_out(&streams[0], "a little more", 13);
	cr_assert_gt(buf_len(&streams[0].out), 0);
	while (stream_backlog(&streams[0]) > 0) {
		read_all(fd, got, sizeof got);
		turn();
	}
	cr_expect_eq(drained, 1, "a session that stopped reading until this would stop for ever");
	close(fd);
	finish();
}

Test(stream, closing_with_writes_pending_ends_once)
{
	int fd;

	listen_here();
	fd = connect_client();
	write_out(&streams[0], large, sizeof large);
	cr_expect_gt(stream_backlog(&streams[0]), 0);
	stream_close(&streams[0]);
	stream_close(&streams[0]);
	cr_expect_eq(closed, 0, "no callback runs inside close");
	turn();
	cr_expect_eq(closed, 1);
	close(fd);
	finish();
}

Test(stream, a_peer_that_leaves_closes_it)
{
	int fd;

	listen_here();
	fd = connect_client();
	close(fd);
	turn();
	cr_expect_eq(closed, 1);
	finish();
}

Test(stream, a_peer_that_leaves_with_replies_pending_closes_it)
{
	int fd;

	listen_here();
	fd = connect_client();
	write_out(&streams[0], large, sizeof large);
	close(fd);
	turn();
	cr_expect_eq(closed, 1);
	finish();
}

Test(stream, while_reading_is_off_nothing_is_heard)
{
	int fd;

	listen_here();
	fd = connect_client();
	stream_read(&streams[0], false);
	cr_assert_eq(write(fd, "hello", 5), 5);
	turn();
	cr_expect_eq(buf_len(&heard), 0);
	stream_read(&streams[0], true);
	turn();
	cr_expect_eq(buf_len(&heard), 5);
	close(fd);
	finish();
}

Test(stream, after_close_nothing_is_written_or_read)
{
	int fd;

	listen_here();
	fd = connect_client();
	stream_close(&streams[0]);
	write_out(&streams[0], "hello", 5);
	stream_read(&streams[0], true);
	turn();
	cr_expect_eq(read_all(fd, got, sizeof got), 0);
	close(fd);
	finish();
}

Test(listener, a_socket_left_behind_is_replaced)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	begin();
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd); /* nobody listens on it any more */
	cr_expect_eq(listener_open(&listener, &loop, path), ERR_OK);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
	finish();
}

Test(listener, one_that_answers_is_left_alone)
{
	struct listener second = {.on_closed = on_listener_closed};
	int fd;

	listen_here();
	cr_expect_eq(listener_open(&second, &loop, path), ERR_CONFIG);
	turn();
	fd = connect_client();
	cr_expect_geq(opened, 1);
	close(fd);
	finish();
}

Test(listener, a_file_that_is_no_socket_is_left_alone)
{
	FILE *f;

	begin();
	f = fopen(path, "w");
	fclose(f);
	cr_expect_eq(listener_open(&listener, &loop, path), ERR_CONFIG);
	cr_expect_eq(access(path, F_OK), 0);
	listener.pipe.loop = NULL;
	finish();
}

Test(listener, a_path_too_long_or_a_folder_not_there_is_refused)
{
	static char longer[200];

	begin();
	memset(longer, 'x', sizeof longer - 1);
	cr_expect_eq(listener_open(&listener, &loop, longer), ERR_CONFIG);
	cr_expect_eq(listener_open(&listener, &loop, "/nowhere/at/all/socket"), ERR_SYSTEM);
	listener.pipe.loop = NULL;
	finish();
}

Test(listener, connections_of_a_burst_are_all_taken)
{
	int fds[8];

	listen_here();
	for (int i = 0; i < 8; i++)
		fds[i] = connect_client();
	cr_expect_eq(opened, 8);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	turn();
	cr_expect_eq(closed, 8);
	finish();
	cr_expect_eq(listeners_closed, 1);
}
