#include "pg/rows.h"

#include "base/bytes.h"
#include "base/check.h"

#include <string.h>

/* pg_type.dat: these never change */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25, OID_UUID = 2950 };
enum { OID_INT2S = 1005, OID_INT4S = 1007, OID_INT8S = 1016 };
enum { ARRAY_HEAD_BYTES = 20, FIELD_HEAD_BYTES = 8, ROW_HEAD_BYTES = 8 };

static uint8_t *rows_field(struct rows *r, uint32_t oid, size_t len)
{
	uint8_t *at = buf_reserve(&r->buf, FIELD_HEAD_BYTES + len);

	REQUIRE(r->fields_left > 0);
	r->fields_left--;
	put_be32(at, oid);
	put_be32(at + 4, (uint32_t)len);
	r->buf.to += FIELD_HEAD_BYTES + len;
	return at + FIELD_HEAD_BYTES;
}

/* The field of an array: what follows are its elements, each its length and bytes. */
static uint8_t *rows_array(struct rows *r, uint32_t array_oid, uint32_t oid, uint32_t width, uint32_t count)
{
	uint8_t *at = rows_field(r, array_oid, count > 0 ? ARRAY_HEAD_BYTES + (size_t)count * (4 + width) : 12);

	put_be32(at, count > 0);
	put_be32(at + 4, 0);
	put_be32(at + 8, oid);
	if (count > 0) {
		put_be32(at + 12, count);
		put_be32(at + 16, 1);
	}
	return at + ARRAY_HEAD_BYTES;
}

void rows_init(struct rows *r, uint32_t fields)
{
	*r = (struct rows){.fields = fields};
	rows_clear(r);
}

void rows_free(struct rows *r)
{
	buf_free(&r->buf);
}

void rows_clear(struct rows *r)
{
	buf_clear(&r->buf);
	buf_reserve(&r->buf, ARRAY_HEAD_BYTES);
	r->buf.to = ARRAY_HEAD_BYTES;
	r->count = r->fields_left = 0;
	r->has_null = false;
}

void rows_begin(struct rows *r)
{
	uint8_t *at = buf_reserve(&r->buf, ROW_HEAD_BYTES);

	REQUIRE(r->fields_left == 0);
	put_be32(at + 4, r->fields);
	r->row_at = r->buf.to;
	r->buf.to += ROW_HEAD_BYTES;
	r->fields_left = r->fields;
}

void rows_null(struct rows *r)
{
	REQUIRE(r->fields_left == 0);
	put_be32(buf_reserve(&r->buf, 4), UINT32_MAX);
	r->buf.to += 4;
	r->has_null = true;
	r->count++;
}

void rows_end(struct rows *r)
{
	REQUIRE(r->fields_left == 0 && r->buf.from == 0);
	put_be32(r->buf.bytes + r->row_at, (uint32_t)(r->buf.to - r->row_at - 4));
	r->count++;
}

void rows_int2(struct rows *r, int64_t n)
{
	put_be16(rows_field(r, OID_INT2, 2), (uint16_t)n);
}

void rows_int4(struct rows *r, int64_t n)
{
	put_be32(rows_field(r, OID_INT4, 4), (uint32_t)n);
}

void rows_int8(struct rows *r, int64_t n)
{
	put_be64(rows_field(r, OID_INT8, 8), (uint64_t)n);
}

static void rows_bytes(struct rows *r, uint32_t oid, const void *bytes, size_t len)
{
	uint8_t *at = rows_field(r, oid, len);

	if (len > 0)
		memcpy(at, bytes, len);
}

void rows_text(struct rows *r, const char *text, size_t len)
{
	rows_bytes(r, OID_TEXT, text, len);
}

void rows_bytea(struct rows *r, const void *bytes, size_t len)
{
	rows_bytes(r, OID_BYTEA, bytes, len);
}

void rows_uuid(struct rows *r, const uint8_t uuid[16])
{
	rows_bytes(r, OID_UUID, uuid, 16);
}

void rows_int2s(struct rows *r, const uint16_t *n, uint32_t count)
{
	uint8_t *at = rows_array(r, OID_INT2S, OID_INT2, 2, count);

	for (uint32_t i = 0; i < count; i++, at += 6) {
		put_be32(at, 2);
		put_be16(at + 4, n[i]);
	}
}

void rows_int4s(struct rows *r, const void *n, uint32_t count)
{
	uint8_t *at = rows_array(r, OID_INT4S, OID_INT4, 4, count);

	for (uint32_t i = 0; i < count; i++, at += 8) {
		uint32_t element;

		memcpy(&element, (const uint8_t *)n + (size_t)i * sizeof element, sizeof element);
		put_be32(at, 4);
		put_be32(at + 4, element);
	}
}

void rows_int8s(struct rows *r, const uint32_t *n, uint32_t count)
{
	uint8_t *at = rows_array(r, OID_INT8S, OID_INT8, 8, count);

	for (uint32_t i = 0; i < count; i++, at += 12) {
		put_be32(at, 8);
		put_be64(at + 4, n[i]);
	}
}

const char *rows_value(struct rows *r, int *ret_len)
{
	uint8_t *head = r->buf.bytes;

	INSIST(r->buf.from == 0 && r->fields_left == 0);
	put_be32(head, r->count > 0);
	put_be32(head + 4, r->has_null);
	put_be32(head + 8, r->type_oid);
	put_be32(head + 12, r->count);
	put_be32(head + 16, 1);
	*ret_len = r->count > 0 ? (int)r->buf.to : 12;
	return (const char *)head;
}
