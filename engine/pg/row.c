#include "pg/row.h"

#include <string.h>

static uint64_t get_big_endian(const uint8_t *p, size_t width)
{
	uint64_t n = 0;

	for (size_t i = 0; i < width; i++)
		n = n << 8 | p[i];
	return n;
}

static int64_t get_signed(const uint8_t *p, size_t width)
{
	uint64_t n = get_big_endian(p, width);

	return width == 2 ? (int16_t)n : width == 4 ? (int32_t)n : (int64_t)n;
}

bool row_of_copy(struct row *r, const uint8_t *bytes, size_t len, bool header)
{
	enum { SIGNATURE_BYTES = 19 }; /* "PGCOPY\n\377\r\n\0", flags, extension length */

	*r = (struct row){.copy = bytes, .copy_left = len};
	if (header) {
		if (len < SIGNATURE_BYTES || memcmp(bytes, "PGCOPY\n\377\r\n", 11) != 0) {
			r->bad = true;
			return false;
		}
		r->copy += SIGNATURE_BYTES;
		r->copy_left -= SIGNATURE_BYTES;
	}
	if (r->copy_left < 2)
		return false;
	r->copy += 2;
	r->copy_left -= 2;
	return get_signed(r->copy - 2, 2) >= 0; /* -1: the trailer */
}

const uint8_t *row_bytes(struct row *r, size_t *ret_len)
{
	static const uint8_t none[8];
	const uint8_t *at;
	int64_t len;

	*ret_len = 0;
	if (r->result != NULL) {
		int column = r->column++;

		if (column >= PQnfields(r->result) || PQgetisnull(r->result, r->row, column)) {
			r->bad = true;
			return none;
		}
		*ret_len = (size_t)PQgetlength(r->result, r->row, column);
		return (const uint8_t *)PQgetvalue(r->result, r->row, column);
	}
	if (r->bad || r->copy_left < 4 || (len = get_signed(r->copy, 4)) < 0 || (size_t)len > r->copy_left - 4) {
		r->bad = true;
		return none;
	}
	at = r->copy + 4;
	r->copy += 4 + len;
	r->copy_left -= 4 + (size_t)len;
	*ret_len = (size_t)len;
	return at;
}

int64_t row_int(struct row *r)
{
	size_t len;
	const uint8_t *p = row_bytes(r, &len);

	if (len != 2 && len != 4 && len != 8) {
		r->bad = true;
		return 0;
	}
	return get_signed(p, len);
}

bool row_bool(struct row *r)
{
	size_t len;
	const uint8_t *p = row_bytes(r, &len);

	if (len != 1)
		r->bad = true;
	return len == 1 && p[0] != 0;
}

void row_text(struct row *r, char *to, size_t size)
{
	size_t len;
	const uint8_t *p = row_bytes(r, &len);

	if (len >= size || memchr(p, 0, len) != NULL) {
		r->bad = true;
		len = 0;
	}
	memcpy(to, p, len);
	memset(to + len, 0, size - len);
}

uint32_t row_ints(struct row *r, int64_t *ret, uint32_t max)
{
	size_t len, at = 20;
	const uint8_t *p = row_bytes(r, &len);
	uint32_t count;

	if (len >= 12 && get_big_endian(p, 4) == 0)
		return 0;
	if (len < 20 || get_big_endian(p, 4) != 1 || get_big_endian(p + 4, 4) != 0) {
		r->bad = true;
		return 0;
	}
	count = (uint32_t)get_big_endian(p + 12, 4);
	if (count > max) {
		r->bad = true;
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		size_t width = at + 4 <= len ? (size_t)get_big_endian(p + at, 4) : 0;

		if ((width != 2 && width != 4 && width != 8) || at + 4 + width > len) {
			r->bad = true;
			return 0;
		}
		ret[i] = get_signed(p + at + 4, width);
		at += 4 + width;
	}
	return count;
}
