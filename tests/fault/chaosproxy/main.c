/* main.c — calloff-chaosproxy: between two stream sockets, with faults by seed. See README.md. */
#include "link.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t proxy_now_ms(const struct proxy *p)
{
	return (int64_t)uv_now(p->loop);
}

void proxy_advance(struct proxy *p)
{
	for (struct link *l = p->links, *next; l != NULL; l = next) {
		next = l->next;
		lane_advance(&l->lanes[UP]);
		lane_advance(&l->lanes[DOWN]);
	}
}

static void proxy_on_connection(uv_stream_t *s, int status)
{
	if (status == 0)
		link_accept(s->data);
}

static int proxy_listen(struct proxy *p)
{
	int e = socket_init(p->loop, &p->listener, &p->listen);

	p->listener.handle.data = p;
	if (e == 0)
		e = p->listen.unix_socket ? uv_pipe_bind(&p->listener.pipe, p->listen.path) :
					    uv_tcp_bind(&p->listener.tcp, (const struct sockaddr *)&p->listen.tcp, 0);
	return e == 0 ? uv_listen(&p->listener.stream, 256, proxy_on_connection) : e;
}

static void usage(void)
{
	fprintf(stderr, "usage: calloff-chaosproxy --listen ADDRESS --to ADDRESS --control PATH [--seed N] [--frames 1]\n"
			"         [--RULE VALUE]...\n"
			"  ADDRESS: unix:PATH or tcp:IPV4:PORT. RULE: up.NAME, down.NAME or both.NAME, or refuse:\n"
#define X(name, text) "    " #name "  " text "\n"
			RULE_MAP(X)
#undef X
	);
	exit(64);
}

static const char *flags(struct proxy *p, int argc, char **argv)
{
	const char *control = NULL;
	bool listen = false, to = false;

	for (int i = 1; i + 1 < argc; i += 2) {
		const char *f = argv[i], *v = argv[i + 1];

		if (strcmp(f, "--listen") == 0)
			listen = address_parse(v, &p->listen);
		else if (strcmp(f, "--to") == 0)
			to = address_parse(v, &p->to);
		else if (strcmp(f, "--control") == 0)
			control = v;
		else if (strcmp(f, "--seed") == 0)
			p->rules.seed = strtoull(v, NULL, 10);
		else if (strcmp(f, "--frames") == 0)
			p->rules.frames = atoi(v) != 0;
		else if (strncmp(f, "--", 2) != 0 || !rules_set(&p->rules, f + 2, strtoll(v, NULL, 10), proxy_now_ms(p)))
			usage();
	}
	if (argc % 2 == 0 || !listen || !to || control == NULL)
		usage();
	return control;
}

int main(int argc, char **argv)
{
	static struct proxy proxy;
	const char *control;
	int e;

	signal(SIGPIPE, SIG_IGN);
	proxy.loop = uv_default_loop();
	control = flags(&proxy, argc, argv);
	e = control_listen(&proxy, control);
	if (e == 0)
		e = proxy_listen(&proxy);
	if (e != 0) {
		fprintf(stderr, "calloff-chaosproxy: cannot listen: %s\n", uv_strerror(e));
		return 69;
	}
	return uv_run(proxy.loop, UV_RUN_DEFAULT); /* until it is killed */
}
