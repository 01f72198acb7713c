#include "pg/column.h"

#include "base/bytes.h"
#include "base/check.h"

enum { COLUMN_HEAD_BYTES = 20 };

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
	put_be32(to, width);
	if (width == 8)
		put_be64(to + 4, (uint64_t)n);
	else if (width == 4)
		put_be32(to + 4, (uint32_t)n);
	else
		put_be16(to + 4, (uint16_t)n);
	c->buf.to += 4 + width;
	c->count++;
}

void column_bytes(struct column *c, const void *bytes, size_t len)
{
	uint8_t head[4];

	put_be32(head, (uint32_t)len);
	buf_append(&c->buf, head, sizeof head);
	buf_append(&c->buf, bytes, len);
	c->count++;
}

const char *column_value(struct column *c, int *ret_len)
{
	uint8_t *head = c->buf.bytes;

	INSIST(c->buf.from == 0);
	put_be32(head, c->count > 0 ? 1 : 0);
	put_be32(head + 4, 0);
	put_be32(head + 8, (uint32_t)c->type);
	put_be32(head + 12, c->count);
	put_be32(head + 16, 1);
	*ret_len = c->count > 0 ? (int)c->buf.to : 12;
	return (const char *)head;
}
