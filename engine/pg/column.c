#include "pg/column.h"

#include "base/check.h"

enum { COLUMN_HEAD_BYTES = 20 };

static void put_big_endian(uint8_t *to, uint64_t n, size_t width)
{
	for (size_t i = 0; i < width; i++)
		to[i] = (uint8_t)(n >> (8 * (width - 1 - i)));
}

void column_init(struct column *c, enum column_type type)
{
	*c = (struct column){.type = type};
	column_clear(c);
}

void column_free(struct column *c)
{
	buf_free(&c->buf);
}

void column_clear(struct column *c)
{
	buf_clear(&c->buf);
	buf_reserve(&c->buf, COLUMN_HEAD_BYTES);
	c->buf.to = COLUMN_HEAD_BYTES;
	c->count = 0;
}

void column_int(struct column *c, int64_t n)
{
	uint32_t width = c->type == COLUMN_INT8 ? 8 : c->type == COLUMN_INT4 ? 4 : 2;
	uint8_t *to = buf_reserve(&c->buf, 4 + width);

	REQUIRE(c->type == COLUMN_INT2 || c->type == COLUMN_INT4 || c->type == COLUMN_INT8);
	put_big_endian(to, width, 4);
	put_big_endian(to + 4, (uint64_t)n, width);
	c->buf.to += 4 + width;
	c->count++;
}

void column_bytes(struct column *c, const void *bytes, size_t len)
{
	uint8_t head[4];

	put_big_endian(head, len, 4);
	buf_append(&c->buf, head, sizeof head);
	buf_append(&c->buf, bytes, len);
	c->count++;
}

const char *column_value(struct column *c, int *ret_len)
{
	uint8_t *head = c->buf.bytes;

	INSIST(c->buf.from == 0);
	put_big_endian(head, c->count > 0 ? 1 : 0, 4);
	put_big_endian(head + 4, 0, 4);
	put_big_endian(head + 8, (uint64_t)c->type, 4);
	put_big_endian(head + 12, c->count, 4);
	put_big_endian(head + 16, 1, 4);
	*ret_len = c->count > 0 ? (int)c->buf.to : 12;
	return (const char *)head;
}
