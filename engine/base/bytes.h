/* bytes.h — write and read little-endian fields with bounds: journal records, outcomes; and big-endian ones for PostgreSQL.
 *
 * Errors: a writer that runs out is full, a reader that runs out (or meets a bad length) is bad: checked once, at the
 *         end. A bad reader yields zeros. Owner: borrows the buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	uint8_t *bytes;
	size_t size, used;
	bool full;
};

struct reader {
	const uint8_t *bytes;
	size_t size, used;
	bool bad;
};

static inline void write_bytes(struct writer *w, const void *bytes, size_t len)
{
	if (w->full || len > w->size - w->used) {
		w->full = true;
		return;
	}
	if (len > 0)
		memcpy(w->bytes + w->used, bytes, len);
	w->used += len;
}

static inline void write_number(struct writer *w, uint64_t n, size_t width)
{
	uint8_t b[8];

	for (size_t i = 0; i < width; i++)
		b[i] = (uint8_t)(n >> (8 * i));
	write_bytes(w, b, width);
}

static inline void write_u8(struct writer *w, uint32_t n)
{
	write_number(w, n, 1);
}

static inline void write_u16(struct writer *w, uint32_t n)
{
	write_number(w, n, 2);
}

static inline void write_u32(struct writer *w, uint32_t n)
{
	write_number(w, n, 4);
}

static inline void write_i32(struct writer *w, int32_t n)
{
	write_number(w, (uint32_t)n, 4);
}

static inline void write_i64(struct writer *w, int64_t n)
{
	write_number(w, (uint64_t)n, 8);
}

static inline const uint8_t *read_bytes(struct reader *r, size_t len)
{
	if (r->bad || len > r->size - r->used) {
		r->bad = true;
		return NULL;
	}
	r->used += len;
	return r->bytes + r->used - len;
}

static inline uint64_t read_number(struct reader *r, size_t width)
{
	const uint8_t *b = read_bytes(r, width);
	uint64_t n = 0;

	for (size_t i = 0; b != NULL && i < width; i++)
		n |= (uint64_t)b[i] << (8 * i);
	return n;
}

static inline uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_number(r, 1);
}

static inline uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_number(r, 2);
}

static inline uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_number(r, 4);
}

static inline int32_t read_i32(struct reader *r)
{
	return (int32_t)read_number(r, 4);
}

static inline int64_t read_i64(struct reader *r)
{
	return (int64_t)read_number(r, 8);
}

/* Network order, no bounds: the caller has made room. */
static inline void put_be16(uint8_t *to, uint16_t n)
{
	n = __builtin_bswap16(n);
	memcpy(to, &n, sizeof n);
}

static inline void put_be32(uint8_t *to, uint32_t n)
{
	n = __builtin_bswap32(n);
	memcpy(to, &n, sizeof n);
}

static inline void put_be64(uint8_t *to, uint64_t n)
{
	n = __builtin_bswap64(n);
	memcpy(to, &n, sizeof n);
}
