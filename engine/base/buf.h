/* buf.h — a growing byte buffer: consumed from the front, appended at the end. Owner: whoever inits it frees it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *bytes;
	size_t from, to, size; /* live bytes are from..to */
};

void buf_free(struct buf *b);
/* Room for len more at bytes + to; moves what is live to the front when that is enough. */
uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_consume(struct buf *b, size_t len);
static inline size_t buf_len(const struct buf *b)
{
	return b->to - b->from;
}
static inline void buf_clear(struct buf *b)
{
	b->from = b->to = 0;
}
