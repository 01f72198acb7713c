#include "rows_read.h"

#include "trace.h"

#include <stddef.h>

static void rows_broken(const char *what)
{
	sim_violation(BATCH_WELL_FORMED, "%s", what);
}

static int64_t big_endian(const uint8_t *bytes, uint32_t len)
{
	uint64_t n = len > 0 && (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;

	for (uint32_t i = 0; i < len; i++)
		n = n << 8 | bytes[i];
	return (int64_t)n;
}

static int64_t array_int(struct array_reader *r)
{
	if (r->end - r->at < 4)
		rows_broken("a parameter ends too soon");
	r->at += 4;
	return big_endian(r->at - 4, 4);
}

void array_open(struct array_reader *r, const uint8_t *bytes, uint32_t len)
{
	int64_t dimensions;

	*r = (struct array_reader){.at = bytes, .end = bytes + len};
	dimensions = array_int(r);
	array_int(r); /* has NULLs: a hint only */
	array_int(r); /* the type of an element */
	if (dimensions == 0)
		return;
	r->count = r->left = (uint32_t)array_int(r);
	if (dimensions != 1 || array_int(r) != 1)
		rows_broken("an array has more than one dimension, or does not begin at 1");
}

bool array_next(struct array_reader *r, const uint8_t **ret_bytes, uint32_t *ret_len)
{
	int64_t len;

	if (r->left == 0)
		return false;
	r->left--;
	len = array_int(r);
	if (len > r->end - r->at)
		rows_broken("an element ends too soon");
	*ret_bytes = len < 0 ? NULL : r->at;
	*ret_len = len < 0 ? 0 : (uint32_t)len;
	r->at += *ret_len;
	return true;
}

bool array_next_row(struct array_reader *r, struct row_fields *ret)
{
	struct array_reader inside = {0};
	const uint8_t *bytes;
	uint32_t len;

	if (!array_next(r, &bytes, &len))
		return false;
	*ret = (struct row_fields){.null = bytes == NULL};
	if (ret->null)
		return true;
	inside = (struct array_reader){.at = bytes, .end = bytes + len};
	ret->count = (uint32_t)array_int(&inside);
	if (ret->count > ROW_FIELDS_MAX)
		rows_broken("a row has too many columns");
	inside.left = ret->count;
	for (uint32_t i = 0; i < ret->count; i++) {
		array_int(&inside); /* the column's type */
		array_next(&inside, &ret->values[i], &ret->lengths[i]);
	}
	return true;
}

int64_t field_int(const struct row_fields *f, uint32_t field)
{
	if (field >= f->count || f->values[field] == NULL || f->lengths[field] > 8)
		rows_broken("a column is not a number");
	return big_endian(f->values[field], f->lengths[field]);
}

uint32_t field_ints(const struct row_fields *f, uint32_t field, int64_t *ret, uint32_t max)
{
	struct array_reader r;
	const uint8_t *bytes;
	uint32_t count = 0, len;

	array_open(&r, f->values[field], f->lengths[field]);
	if (r.count > max)
		rows_broken("an array is too long");
	while (array_next(&r, &bytes, &len))
		ret[count++] = big_endian(bytes, len);
	return count;
}
