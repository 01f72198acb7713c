#include "base/buf.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void buf_free(struct buf *b)
{
	mem_free(b->bytes);
	*b = (struct buf){0};
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
	size_t live = b->to - b->from;

	if (len <= b->size - b->to)
		return b->bytes + b->to;
	if (b->from > 0 && live > 0)
		memmove(b->bytes, b->bytes + b->from, live);
	b->from = 0;
	b->to = live;
	if (len > b->size - live) {
		size_t size = b->size < 4096 ? 4096 : b->size;

		while (size - live < len)
			size *= 2;
		b->bytes = mem_grow(b->bytes, size);
		b->size = size;
	}
	return b->bytes + b->to;
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_reserve(b, len), bytes, len);
	b->to += len;
}

void buf_consume(struct buf *b, size_t len)
{
	REQUIRE(len <= b->to - b->from);
	b->from += len;
	if (b->from == b->to)
		b->from = b->to = 0;
}
