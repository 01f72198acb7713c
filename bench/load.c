/* load.c — calloff-load: many clients submitting packages as fast as the engine acknowledges them.
 *
 * One thread, epoll, frames prepared beforehand: a request is a packed body with a fresh id and key in front, so that the
 * generator costs little beside the engine. Every acknowledged (key, seq, leaf, row hash) can be written out and checked.
 * With --rate so many a second are sent, answered or not, as a crowd would do that knows nothing of the engine's pace; BUSY
 * is then counted apart, and not sent again.
 * Prints one JSON object, own_us being its own processor time a package; times are measured from the moment a request's
 * frame is queued to its reply being parsed.
 */
#include "base/err.h"
#include "calloff.h"
#include "generator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TEMPLATES = 4096, FRAME_MAX = 1024, CLIENTS_MAX = 512, BUFFER = 1 << 18 };

struct template {
	uint32_t len;
	uint8_t bytes[FRAME_MAX];
};

struct client {
	int fd;
	uint32_t in_flight;
	size_t in_len, out_from, out_to;
	uint8_t in[BUFFER], out[BUFFER];
};

static struct {
	const char *socket_path, *sectors, *receipts_path;
	uint32_t clients, depth;
	uint64_t packages, seed;
	double seconds, rate, own_us; /* processor time of the clients themselves */
	struct template *templates;
	struct client *list;
	struct calloff_key_source keys;
	int64_t *sent_ns, *taken_ns;
	uint8_t (*key_of)[16];
	uint64_t sent, acknowledged, refused, busy;
	uint32_t retry_ms_max; /* that a BUSY asked for */
	int64_t start_ns, end_ns;
	FILE *receipts;
} load = {.sectors = "sql/demo/real/sector_weights.csv", .clients = 8, .depth = 64, .packages = 100000, .seed = 1};

static double own_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "calloff-load: %s: %s\n", what, errno != 0 ? strerror(errno) : "no reason given");
	exit(70);
}

static void prepare_templates(void)
{
	static struct generator g;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!generator_open(&g, load.sectors, load.seed, (int64_t)now.tv_sec * 1000000, "LOAD"))
		fail(load.sectors);
	load.templates = calloc(TEMPLATES, sizeof *load.templates);
	for (int i = 0; i < TEMPLATES; i++) {
		Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
		Calloff__V1__SubmitPackageRequest m = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;

		m.requirement = (Calloff__V1__Requirement *)(uintptr_t)generator_next(&g);
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
		e.submit_package_request = &m;
		load.templates[i].len = (uint32_t)calloff__v1__envelope__get_packed_size(&e);
		if (load.templates[i].len > FRAME_MAX)
			fail("a package is too large for the load's frames");
		calloff__v1__envelope__pack(&e, load.templates[i].bytes);
	}
}

static size_t put_varint(uint8_t *to, uint64_t n)
{
	size_t len = 0;

	for (; n >= 128; n >>= 7)
		to[len++] = (uint8_t)(n | 128);
	to[len++] = (uint8_t)n;
	return len;
}

/* request_id (field 1), key (field 4), then the prepared body. */
static void queue_request(struct client *c)
{
	struct template *t = &load.templates[load.sent % TEMPLATES];
	uint8_t *frame = c->out + c->out_to, *at = frame + 4;
	uint64_t id = load.sent++;
	struct calloff_error error;
	size_t body;

	*at++ = 1 << 3;
	at += put_varint(at, id + 1);
	*at++ = 4 << 3 | 2;
	*at++ = 16;
	if (calloff_key_new(&load.keys, load.key_of[id], &error) != CALLOFF_OK)
		fail(error.what);
	memcpy(at, load.key_of[id], 16);
	at += 16;
	memcpy(at, t->bytes, t->len);
	at += t->len;
	body = (size_t)(at - frame) - 4;
	frame[0] = (uint8_t)(body >> 24);
	frame[1] = (uint8_t)(body >> 16);
	frame[2] = (uint8_t)(body >> 8);
	frame[3] = (uint8_t)body;
	c->out_to += body + 4;
	c->in_flight++;
	load.sent_ns[id] = now_ns();
}

static void write_out(struct client *c)
{
	while (c->out_from < c->out_to) {
		ssize_t n = write(c->fd, c->out + c->out_from, c->out_to - c->out_from);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			fail("write");
		c->out_from += (size_t)n;
	}
	c->out_from = c->out_to = 0;
}

static bool more_to_send(void)
{
	return load.sent < load.packages && (load.seconds <= 0 || now_ns() - load.start_ns < (int64_t)(load.seconds * 1e9));
}

/* Is one due already? Without a rate always. */
static bool is_due(void)
{
	return load.rate <= 0 || (double)load.sent < (double)(now_ns() - load.start_ns) / 1e9 * load.rate;
}

static void fill(struct client *c)
{
	while (c->in_flight < load.depth && BUFFER - c->out_to > FRAME_MAX + 64 && more_to_send() && is_due())
		queue_request(c);
	write_out(c);
}

static void take_reply(const uint8_t *body, size_t len, int64_t at_ns)
{
	Calloff__V1__Envelope *e = calloff__v1__envelope__unpack(NULL, len, body);
	const Calloff__V1__Receipt *r;
	uint64_t id;

	if (e == NULL || e->request_id == 0 || e->request_id > load.sent)
		fail("a reply cannot be read");
	id = e->request_id - 1;
	load.taken_ns[id] = at_ns - load.sent_ns[id];
	if (e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS && e->status->number == ERR_BUSY && load.rate > 0) {
		load.busy++;
		if (e->status->retry_after_ms > load.retry_ms_max)
			load.retry_ms_max = e->status->retry_after_ms;
		calloff__v1__envelope__free_unpacked(e, NULL);
		return;
	}
	if (e->body_case != CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE) {
		if (load.refused++ == 0)
			fprintf(stderr, "calloff-load: first refusal: %s %s\n",
				e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS ? e->status->reason : "?",
				e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS && e->status->n_violations > 0
					? e->status->violations[0]->field : "");
		calloff__v1__envelope__free_unpacked(e, NULL);
		return;
	}
	load.acknowledged++;
	r = e->submit_package_response->receipt;
	if (load.receipts != NULL && r != NULL) {
		fprintf(load.receipts, "%lld\t", (long long)r->seq);
		for (size_t i = 0; i < r->leaf.len; i++)
			fprintf(load.receipts, "%02x", r->leaf.data[i]);
		fputc('\t', load.receipts);
		for (size_t i = 0; i < r->row_hash.len; i++)
			fprintf(load.receipts, "%02x", r->row_hash.data[i]);
		fputc('\n', load.receipts);
	}
	calloff__v1__envelope__free_unpacked(e, NULL);
}

static void read_in(struct client *c)
{
	ssize_t n = read(c->fd, c->in + c->in_len, BUFFER - c->in_len);
	size_t at = 0;
	int64_t at_ns;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("the engine closed a connection");
	c->in_len += (size_t)n;
	at_ns = now_ns();
	while (c->in_len - at >= 4) {
		const uint8_t *p = c->in + at;
		size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (c->in_len - at - 4 < len)
			break;
		take_reply(p + 4, len, at_ns);
		c->in_flight--;
		at += 4 + len;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
}

static void connect_one(struct client *c)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	static const uint8_t hello[] = {0, 0, 0, 14, 0x08, 1, 0x52, 10, 0x0a, 6, 'l', 'o', 'a', 'd', 'e', 'r', 0x10, 1};
	uint8_t head[4];
	size_t len, got = 0;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", load.socket_path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    write(c->fd, hello, sizeof hello) != sizeof hello ||
	    read(c->fd, head, 4) != 4)
		fail("connect");
	len = (size_t)head[2] << 8 | head[3];
	while (got < len) {
		ssize_t n = read(c->fd, c->in, len - got);

		if (n <= 0)
			fail("hello");
		got += (size_t)n;
	}
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void run(void)
{
	struct epoll_event events[CLIENTS_MAX];
	int ep = epoll_create1(EPOLL_CLOEXEC);

	for (uint32_t i = 0; i < load.clients; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};

		connect_one(&load.list[i]);
		epoll_ctl(ep, EPOLL_CTL_ADD, load.list[i].fd, &e);
	}
	load.own_us = own_us();
	load.start_ns = now_ns();
	for (uint32_t i = 0; i < load.clients; i++)
		fill(&load.list[i]);
	while (load.acknowledged + load.refused + load.busy < load.sent || more_to_send()) {
		int n = epoll_wait(ep, events, CLIENTS_MAX, load.rate > 0 ? 1 : 30000);

		if (n < 0 || (n == 0 && load.rate <= 0))
			fail("no reply for 30 seconds");
		for (uint32_t i = 0; load.rate > 0 && i < load.clients; i++)
			fill(&load.list[(load.sent + i) % load.clients]);
		for (int i = 0; i < n; i++) {
			struct client *c = &load.list[events[i].data.u32];

			read_in(c);
			fill(c);
		}
	}
	load.end_ns = now_ns();
	load.own_us = own_us() - load.own_us;
	for (uint32_t i = 0; i < load.clients; i++)
		close(load.list[i].fd);
	close(ep);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double quantile_us(double q)
{
	uint64_t at = (uint64_t)(q * (double)load.sent);

	return load.sent == 0 ? 0 : (double)load.taken_ns[at < load.sent ? at : load.sent - 1] / 1000;
}

static void report(void)
{
	double seconds = (double)(load.end_ns - load.start_ns) / 1e9;
	double each_us = load.own_us / (double)(load.acknowledged == 0 ? 1 : load.acknowledged);

	qsort(load.taken_ns, load.sent, sizeof *load.taken_ns, by_time);
	printf("{\"clients\":%u,\"depth\":%u,\"acknowledged\":%llu,\"refused\":%llu,\"busy\":%llu,\"retry_ms_max\":%u,"
	       "\"seconds\":%.4f,\"per_s\":%.0f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
	       "\"own_us\":%.2f}\n",
	       load.clients, load.depth, (unsigned long long)load.acknowledged, (unsigned long long)load.refused,
	       (unsigned long long)load.busy, load.retry_ms_max, seconds, (double)load.acknowledged / seconds,
	       quantile_us(0.5), quantile_us(0.9), quantile_us(0.99), quantile_us(0.999), quantile_us(1), each_us);
}

static void flags(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *f = argv[i], *v = argv[i + 1];

		if (strcmp(f, "--socket") == 0)
			load.socket_path = v;
		else if (strcmp(f, "--clients") == 0)
			load.clients = (uint32_t)atoi(v);
		else if (strcmp(f, "--depth") == 0)
			load.depth = (uint32_t)atoi(v);
		else if (strcmp(f, "--packages") == 0)
			load.packages = strtoull(v, NULL, 10);
		else if (strcmp(f, "--seconds") == 0)
			load.seconds = atof(v);
		else if (strcmp(f, "--rate") == 0)
			load.rate = atof(v);
		else if (strcmp(f, "--seed") == 0)
			load.seed = strtoull(v, NULL, 10);
		else if (strcmp(f, "--sectors") == 0)
			load.sectors = v;
		else if (strcmp(f, "--receipts") == 0)
			load.receipts_path = v;
		else
			argc = 0;
	}
	if (argc % 2 == 0 || load.socket_path == NULL || load.clients < 1 || load.clients > CLIENTS_MAX || load.depth < 1) {
		fprintf(stderr, "usage: calloff-load --socket PATH [--clients 1..512] [--depth N] [--packages N] [--seconds S]\n"
				"  [--rate N] [--seed N] [--sectors FILE] [--receipts FILE]\n");
		exit(64);
	}
}

int main(int argc, char **argv)
{
	if (getenv("CALLOFF_SOCKET") != NULL)
		load.socket_path = getenv("CALLOFF_SOCKET");
	flags(argc, argv);
	prepare_templates();
	load.list = calloc(load.clients, sizeof *load.list);
	load.sent_ns = calloc(load.packages + 1, sizeof *load.sent_ns);
	load.taken_ns = calloc(load.packages + 1, sizeof *load.taken_ns);
	load.key_of = calloc(load.packages + 1, 16);
	if (load.list == NULL || load.sent_ns == NULL || load.taken_ns == NULL || load.key_of == NULL)
		fail("memory");
	if (load.receipts_path != NULL && (load.receipts = fopen(load.receipts_path, "w")) == NULL)
		fail(load.receipts_path);
	errno = 0;
	run();
	if (load.receipts != NULL && fclose(load.receipts) != 0)
		fail(load.receipts_path);
	report();
	return load.refused == 0 ? 0 : 1;
}
