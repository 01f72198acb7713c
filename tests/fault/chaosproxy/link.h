/* link.h — one client's connection and ours to the server, with a lane each way.
 *
 * States:  CONNECTING (the client is not read from) -> OPEN -> CLOSING -> freed.
 * Owner:   the proxy's list, until the last of its handles is closed. Lanes belong to their link.
 * Loop:    one; nothing here blocks.
 */
#pragma once

#include "rules.h"

#include <stddef.h>
#include <uv.h>

union socket {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_pipe_t pipe;
	uv_tcp_t tcp;
};

struct address { /* unix:PATH or tcp:IPV4:PORT */
	bool unix_socket;
	char path[108];
	struct sockaddr_in tcp;
};

struct piece {
	struct piece *next;
	int64_t due_ms;
	size_t len, at;
	uint8_t bytes[];
};

struct lane {
	struct link *link;
	enum direction direction;
	union socket *from, *to;
	uint64_t seen, marked, pieces; /* bytes read; of them before the last rule was set; pieces queued */
	uint32_t generation;
	uint8_t *partial; /* of a frame */
	size_t partial_len, partial_size;
	struct piece *first;
	size_t queued;
	int64_t last_due_ms, next_write_ms;
	bool ended, broken, reading, swallowing;
	uv_timer_t timer;
};

struct link {
	struct proxy *proxy;
	struct link *next, *prev;
	union socket sockets[DIRECTION_COUNT]; /* the client's, the server's */
	struct lane lanes[DIRECTION_COUNT];
	uv_connect_t connecting;
	uint64_t number;
	int handles;
	bool open, closing;
};

struct proxy {
	uv_loop_t *loop;
	struct rules rules;
	struct address listen, to;
	union socket listener;
	uv_pipe_t control;
	struct link *links;
	uint64_t connections;
	uint64_t bytes[DIRECTION_COUNT], flipped, duplicated, reordered, swallowed, cuts;
};

/* link.c */
bool address_parse(const char *text, struct address *ret);
int socket_init(uv_loop_t *loop, union socket *s, const struct address *a);
void link_accept(struct proxy *p);
void link_close(struct link *l, bool reset);
/* lane.c */
void lane_init(struct lane *l, struct link *link, enum direction d);
void lane_fini(struct lane *l);
/* Reads, or not; writes what is due. After any change. */
void lane_advance(struct lane *l);
/* main.c */
void proxy_advance(struct proxy *p);
int64_t proxy_now_ms(const struct proxy *p);
/* control.c */
int control_listen(struct proxy *p, const char *path);
