#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool address_parse(const char *text, struct address *ret)
{
	char host[64];
	const char *colon;

	memset(ret, 0, sizeof *ret);
	if (strncmp(text, "unix:", 5) == 0 && strlen(text + 5) < sizeof ret->path) {
		ret->unix_socket = true;
		snprintf(ret->path, sizeof ret->path, "%s", text + 5);
		return true;
	}
	colon = strrchr(text, ':');
	if (strncmp(text, "tcp:", 4) != 0 || colon == text + 3 || (size_t)(colon - text - 4) >= sizeof host)
		return false;
	snprintf(host, sizeof host, "%.*s", (int)(colon - text - 4), text + 4);
	return uv_ip4_addr(host, atoi(colon + 1), &ret->tcp) == 0;
}

int socket_init(uv_loop_t *loop, union socket *s, const struct address *a)
{
	return a->unix_socket ? uv_pipe_init(loop, &s->pipe, 0) : uv_tcp_init(loop, &s->tcp);
}

static void link_on_closed(uv_handle_t *h)
{
	struct link *l = h->type == UV_TIMER ? ((struct lane *)h->data)->link : h->data;

	if (--l->handles > 0)
		return;
	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		l->proxy->links = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	lane_fini(&l->lanes[UP]);
	lane_fini(&l->lanes[DOWN]);
	free(l);
}

void link_close(struct link *l, bool reset)
{
	if (l->closing)
		return;
	l->closing = true;
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		union socket *s = &l->sockets[d];

		if (!reset || s->handle.type != UV_TCP || uv_tcp_close_reset(&s->tcp, link_on_closed) != 0)
			uv_close(&s->handle, link_on_closed);
		uv_close((uv_handle_t *)&l->lanes[d].timer, link_on_closed);
	}
}

static void link_on_connected(uv_connect_t *c, int status)
{
	struct link *l = c->data;

	if (l->closing)
		return;
	if (status < 0) {
		link_close(l, false);
		return;
	}
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		if (l->sockets[d].handle.type == UV_TCP)
			uv_tcp_nodelay(&l->sockets[d].tcp, 1);
	}
	l->open = true;
	lane_advance(&l->lanes[UP]);
	if (!l->closing)
		lane_advance(&l->lanes[DOWN]);
}

void link_accept(struct proxy *p)
{
	struct link *l = calloc(1, sizeof *l);
	const struct address *to = &p->to;

	if (l == NULL)
		abort();
	l->proxy = p;
	l->number = p->connections++;
	l->handles = 2 * DIRECTION_COUNT;
	l->next = p->links;
	if (l->next != NULL)
		l->next->prev = l;
	p->links = l;
	socket_init(p->loop, &l->sockets[UP], &p->listen);
	socket_init(p->loop, &l->sockets[DOWN], to);
	l->sockets[UP].handle.data = l->sockets[DOWN].handle.data = l->connecting.data = l;
	lane_init(&l->lanes[UP], l, UP);
	lane_init(&l->lanes[DOWN], l, DOWN);
	if (uv_accept(&p->listener.stream, &l->sockets[UP].stream) != 0 || p->rules.refuse) {
		link_close(l, true);
		return;
	}
	if (to->unix_socket)
		uv_pipe_connect(&l->connecting, &l->sockets[DOWN].pipe, to->path, link_on_connected);
	else if (uv_tcp_connect(&l->connecting, &l->sockets[DOWN].tcp, (const struct sockaddr *)&to->tcp, link_on_connected) != 0)
		link_close(l, false);
}
