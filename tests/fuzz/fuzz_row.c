/* fuzz_row.c — tuples of a binary COPY and their arrays, as the store reads them at a load: any bytes are a row or bad.
 *
 * Input: a byte of flags (1: the first message, with its signature), a count of reads, that many kinds, the message. */
#include "fuzz/fuzz.h"

#include "base/limits.h"
#include "pg/row.h"

#include <string.h>

static void read_one(struct row *r, uint8_t kind)
{
	bool was_bad = r->bad;
	int64_t ints[VISITS_MAX + 1];
	char text[ID_BYTES_MAX + 1];
	size_t len = SIZE_MAX;
	uint32_t max = kind / 8 % (VISITS_MAX + 1), count;

	switch (kind % 5) {
	case 0:
		PROMISE(row_int(r) == 0 || !r->bad);
		break;
	case 1:
		PROMISE(!row_bool(r) || !r->bad);
		break;
	case 2:
		memset(text, 'x', sizeof text);
		row_text(r, text, sizeof text);
		PROMISE(memchr(text, 0, sizeof text) != NULL && (!r->bad || text[0] == '\0' || !was_bad));
		break;
	case 3:
		ints[max] = 4711;
		count = row_ints(r, ints, max);
		PROMISE(count <= max && ints[max] == 4711 && (count == 0 || !r->bad));
		break;
	default:
		PROMISE(row_bytes(r, &len) != NULL && len != SIZE_MAX && (len == 0 || !r->bad));
		break;
	}
	PROMISE(!was_bad || r->bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct row r;
	size_t reads, at;

	if (size < 2)
		return 0;
	reads = data[1] % 32;
	at = 2 + reads;
	if (size < at)
		return 0;
	if (!row_of_copy(&r, data + at, size - at, (data[0] & 1) != 0))
		return 0;
	for (size_t i = 0; i < reads; i++) {
		read_one(&r, data[2 + i]);
		PROMISE(r.copy >= data + at && r.copy + r.copy_left <= data + size);
	}
	return 0;
}
