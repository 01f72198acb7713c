/* control.c — a Unix socket that takes one command a line and answers each with a line: ok ..., or error.
 *
 *	set RULE VALUE     up.RULE, down.RULE or both.RULE of rules.h; or refuse
 *	clear              all rules off
 *	cut                every connection now, by RST on TCP
 *	to ADDRESS         where new connections lead
 *	stats              what was done so far
 */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct controller {
	uv_pipe_t pipe;
	struct proxy *proxy;
	char line[256];
	size_t len;
};

static void control_on_closed(uv_handle_t *h)
{
	free(h->data);
}

static bool control_to(struct proxy *p, const char *address)
{
	struct address to;

	if (!address_parse(address, &to))
		return false;
	p->to = to;
	return true;
}

static void control_cut(struct proxy *p)
{
	for (struct link *l = p->links; l != NULL; l = l->next) {
		p->cuts += !l->closing;
		link_close(l, true);
	}
}

static void control_obey(struct proxy *p, const char *line, char *ret, size_t size)
{
	char name[64], more[160];
	long long number;

	snprintf(ret, size, "ok\n");
	if (sscanf(line, "set %63s %lld", name, &number) == 2 && rules_set(&p->rules, name, number, proxy_now_ms(p)))
		return;
	if (sscanf(line, "to %159s", more) == 1 && control_to(p, more))
		return;
	if (strcmp(line, "clear") == 0) {
		rules_clear(&p->rules);
	} else if (strcmp(line, "cut") == 0) {
		control_cut(p);
	} else if (strcmp(line, "stats") == 0) {
		unsigned open = 0;

		for (struct link *l = p->links; l != NULL; l = l->next)
			open += !l->closing;
		snprintf(ret, size, "ok connections=%llu open=%u up=%llu down=%llu flipped=%llu duplicated=%llu reordered=%llu "
			 "swallowed=%llu cuts=%llu\n",
			 (unsigned long long)p->connections, open, (unsigned long long)p->bytes[UP],
			 (unsigned long long)p->bytes[DOWN], (unsigned long long)p->flipped, (unsigned long long)p->duplicated,
			 (unsigned long long)p->reordered, (unsigned long long)p->swallowed, (unsigned long long)p->cuts);
	} else {
		snprintf(ret, size, "error: not a command: %.200s\n", line);
	}
}

static void control_on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct controller *c = h->data;

	(void)suggested;
	*ret = uv_buf_init(c->line + c->len, (unsigned)(sizeof c->line - 1 - c->len));
}

static void control_on_read(uv_stream_t *s, ssize_t len, const uv_buf_t *buf)
{
	struct controller *c = s->data;
	char *end, said[400];

	(void)buf;
	if (len < 0) { /* a line that fills the buffer, too */
		uv_close((uv_handle_t *)s, control_on_closed);
		return;
	}
	c->len += (size_t)len;
	c->line[c->len] = '\0';
	while ((end = strchr(c->line, '\n')) != NULL) {
		uv_buf_t b;

		*end = '\0';
		control_obey(c->proxy, c->line, said, sizeof said);
		b = uv_buf_init(said, (unsigned)strlen(said));
		(void)uv_try_write(s, &b, 1); /* a line always fits an idle socket */
		c->len -= (size_t)(end + 1 - c->line);
		memmove(c->line, end + 1, c->len + 1);
		proxy_advance(c->proxy);
	}
}

static void control_on_connection(uv_stream_t *s, int status)
{
	struct controller *c;

	if (status < 0)
		return;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		abort();
	c->proxy = s->data;
	uv_pipe_init(s->loop, &c->pipe, 0);
	c->pipe.data = c;
	if (uv_accept(s, (uv_stream_t *)&c->pipe) != 0 ||
	    uv_read_start((uv_stream_t *)&c->pipe, control_on_alloc, control_on_read) != 0)
		uv_close((uv_handle_t *)&c->pipe, control_on_closed);
}

int control_listen(struct proxy *p, const char *path)
{
	int e = uv_pipe_init(p->loop, &p->control, 0);

	p->control.data = p;
	if (e == 0)
		e = uv_pipe_bind(&p->control, path);
	return e == 0 ? uv_listen((uv_stream_t *)&p->control, 16, control_on_connection) : e;
}
