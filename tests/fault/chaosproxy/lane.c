/* lane.c — one direction: bytes in, cut into pieces, each with what the rules do to it, out when due. */
#include "link.h"

#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 65536, QUEUE_BYTES_MAX = 4 << 20, FRAME_BYTES_LIMIT = 32 << 20, RETRY_MS = 1, SWALLOW_MS = 300 };

static char read_buffer[READ_BYTES];

static struct rules *rules_of(const struct lane *l)
{
	return &l->link->proxy->rules;
}

static int64_t value(const struct lane *l, enum rule rule)
{
	return rules_of(l)->values[l->direction][rule];
}

static bool strikes(const struct lane *l, enum rule rule)
{
	return rules_strikes(rules_of(l), l->link->number, l->direction, rule, l->pieces);
}

/* ---- in ---- */

static void lane_queue(struct lane *l, const uint8_t *bytes, size_t len, bool reordered)
{
	struct piece *p = malloc(sizeof *p + len), **at = &l->first;
	int64_t now_ms = proxy_now_ms(l->link->proxy), due_ms = now_ms + value(l, RULE_delay_ms);

	if (p == NULL)
		abort();
	if (value(l, RULE_jitter_ms) > 0)
		due_ms += (int64_t)(rules_draw(rules_of(l), l->link->number, l->direction, RULE_jitter_ms, l->pieces) %
				    (uint64_t)(value(l, RULE_jitter_ms) + 1));
	if (reordered)
		due_ms = (due_ms > l->last_due_ms ? due_ms : l->last_due_ms) +
			 (value(l, RULE_reorder_ms) > 0 ? value(l, RULE_reorder_ms) : 20);
	else if (due_ms < l->last_due_ms)
		due_ms = l->last_due_ms;
	if (!reordered)
		l->last_due_ms = due_ms;
	p->due_ms = due_ms;
	p->len = len;
	p->at = 0;
	memcpy(p->bytes, bytes, len);
	/* never before one that is half written */
	while (*at != NULL && ((*at)->due_ms <= due_ms || (*at)->at > 0))
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	l->queued += len;
}

static void lane_piece(struct lane *l, const uint8_t *bytes, size_t len)
{
	struct proxy *proxy = l->link->proxy;
	bool frames = rules_of(l)->frames, reordered = frames && strikes(l, RULE_reorder_percent);
	bool twice = frames && strikes(l, RULE_duplicate_percent);

	lane_queue(l, bytes, len, reordered);
	if (twice)
		lane_queue(l, bytes, len, false);
	proxy->reordered += reordered;
	proxy->duplicated += twice;
	l->pieces++;
}

static size_t frame_bytes(const uint8_t *head)
{
	size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];

	return 4 + len;
}

/* Whole frames go on; what is no frame of ours goes on as it is. */
static void lane_frames(struct lane *l, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	if (l->partial_len + len > l->partial_size) {
		l->partial_size = (l->partial_len + len) * 2;
		l->partial = realloc(l->partial, l->partial_size);
		if (l->partial == NULL)
			abort();
	}
	memcpy(l->partial + l->partial_len, bytes, len);
	l->partial_len += len;
	while (l->partial_len - at >= 4) {
		size_t whole = frame_bytes(l->partial + at);

		if (whole > FRAME_BYTES_LIMIT)
			whole = l->partial_len - at;
		if (whole > l->partial_len - at)
			break;
		lane_piece(l, l->partial + at, whole);
		at += whole;
	}
	memmove(l->partial, l->partial + at, l->partial_len - at);
	l->partial_len -= at;
}

static void lane_flip(struct lane *l, uint8_t *bytes, size_t len)
{
	if (value(l, RULE_flip_ppm) == 0)
		return;
	for (size_t i = 0; i < len; i++) {
		uint64_t draw = rules_draw(rules_of(l), l->link->number, l->direction, RULE_flip_ppm, l->seen + i);

		if ((int64_t)(draw % 1000000) >= value(l, RULE_flip_ppm))
			continue;
		bytes[i] ^= (uint8_t)(1u << (draw >> 40) % 8);
		l->link->proxy->flipped++;
	}
}

/* How many of the bytes come before the place that a rule names; len when none does. */
static size_t lane_before(const struct lane *l, enum rule rule, size_t len)
{
	uint64_t place = l->marked + (uint64_t)value(l, rule);

	if (!rules_of(l)->set[l->direction][rule] || l->seen + len <= place)
		return len;
	return place > l->seen ? (size_t)(place - l->seen) : 0;
}

static void lane_on_swallowed(uv_timer_t *t)
{
	struct lane *l = t->data;

	l->link->proxy->cuts++;
	link_close(l->link, true);
}

static void lane_take(struct lane *l, uint8_t *bytes, size_t len)
{
	size_t cut, drop, keep;

	if (l->generation != rules_of(l)->generation) {
		l->generation = rules_of(l)->generation;
		l->marked = l->seen;
	}
	lane_flip(l, bytes, len);
	cut = lane_before(l, RULE_cut_after, len);
	drop = l->swallowing ? 0 : lane_before(l, RULE_drop_after, len);
	keep = cut < drop ? cut : drop;
	l->link->proxy->swallowed += len - keep;
	l->link->proxy->bytes[l->direction] += keep;
	if (rules_of(l)->frames && keep > 0)
		lane_frames(l, bytes, keep);
	else if (keep > 0)
		lane_piece(l, bytes, keep);
	if (drop < len && !l->swallowing) {
		l->swallowing = true;
		uv_timer_start(&l->timer, lane_on_swallowed, SWALLOW_MS, 0);
	}
	if (cut < len)
		l->ended = true; /* what came before it still goes out */
	l->seen += len;
}

static void lane_on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	(void)h;
	(void)suggested;
	*ret = uv_buf_init(read_buffer, sizeof read_buffer);
}

static void lane_on_read(uv_stream_t *s, ssize_t len, const uv_buf_t *buf)
{
	struct link *link = s->data;
	struct lane *l = &link->lanes[s == &link->sockets[UP].stream ? UP : DOWN];

	if (link->closing)
		return;
	if (len < 0)
		l->ended = true;
	else if (len > 0)
		lane_take(l, (uint8_t *)buf->base, (size_t)len);
	lane_advance(l);
}

/* ---- out ---- */

static void lane_on_timer(uv_timer_t *t)
{
	lane_advance(t->data);
}

static void lane_read(struct lane *l, bool on)
{
	if (l->reading == on)
		return;
	l->reading = on;
	if (!on)
		uv_read_stop(&l->from->stream);
	else if (uv_read_start(&l->from->stream, lane_on_alloc, lane_on_read) != 0)
		link_close(l->link, false);
}

/* The next write, cut to what split and rate allow; false: the socket takes no more now. */
static bool lane_write(struct lane *l, struct piece *p)
{
	int64_t split = value(l, RULE_split_bytes), rate = value(l, RULE_rate_bytes_s), share = rate / 50 > 0 ? rate / 50 : 1;
	size_t len = p->len - p->at;
	uv_buf_t b;
	int n;

	if (split > 0 && len > (size_t)split)
		len = (size_t)split;
	if (rate > 0 && len > (size_t)share)
		len = (size_t)share;
	b = uv_buf_init((char *)p->bytes + p->at, (unsigned)len);
	n = uv_try_write(&l->to->stream, &b, 1);
	if (n == UV_EAGAIN)
		return false;
	if (n < 0) {
		l->broken = true; /* nobody reads there any more; what comes from there, and its end, is still told */
		lane_read(l, false);
		return false;
	}
	p->at += (size_t)n;
	l->queued -= (size_t)n;
	if (rate > 0)
		l->next_write_ms = proxy_now_ms(l->link->proxy) + n * INT64_C(1000) / rate;
	if (p->at == p->len) {
		l->first = p->next;
		free(p);
	}
	return true;
}

/* When to look again, ms from now; 0: nothing waits for time. */
static int64_t lane_drain(struct lane *l)
{
	int64_t now_ms = proxy_now_ms(l->link->proxy);

	while (l->first != NULL && !l->broken) {
		int64_t due_ms = l->first->due_ms > l->next_write_ms ? l->first->due_ms : l->next_write_ms;

		if (l->first->at > 0)
			due_ms = l->next_write_ms;
		if (due_ms > now_ms)
			return due_ms - now_ms;
		if (!lane_write(l, l->first))
			return RETRY_MS;
	}
	return 0;
}

void lane_advance(struct lane *l)
{
	int64_t now_ms = proxy_now_ms(l->link->proxy), wait_ms = 0;

	if (!l->link->open || l->link->closing || l->broken)
		return;
	if (rules_stalled(rules_of(l), l->direction, now_ms)) {
		lane_read(l, false);
		if (!l->swallowing)
			uv_timer_start(&l->timer, lane_on_timer, 10, 0);
		return;
	}
	wait_ms = lane_drain(l);
	if (l->link->closing || l->broken)
		return;
	if (l->ended && l->first == NULL) {
		l->link->proxy->cuts += rules_of(l)->set[l->direction][RULE_cut_after];
		link_close(l->link, rules_of(l)->set[l->direction][RULE_cut_after]);
		return;
	}
	lane_read(l, !l->ended && l->queued < QUEUE_BYTES_MAX);
	if (wait_ms > 0 && !l->swallowing)
		uv_timer_start(&l->timer, lane_on_timer, (uint64_t)wait_ms, 0);
}

/* ---- life ---- */

void lane_init(struct lane *l, struct link *link, enum direction d)
{
	*l = (struct lane){.link = link, .direction = d, .from = &link->sockets[d],
			   .to = &link->sockets[d == UP ? DOWN : UP], .generation = link->proxy->rules.generation};
	uv_timer_init(link->proxy->loop, &l->timer);
	l->timer.data = l;
}

void lane_fini(struct lane *l)
{
	for (struct piece *p = l->first, *next; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	free(l->partial);
}
