/* Array parameters out, rows and arrays in: PostgreSQL's binary forms, byte by byte. */
#include "kit/kit.h"

#include "base/limits.h"
#include "pg/column.h"
#include "pg/row.h"
#include "pg/rows.h"

#include <string.h>

KIT_SUITE(column);
KIT_SUITE(rows);
KIT_SUITE(row);

/* ---- columns ---- */

static struct column column;

static void expect_value(const void *want, size_t want_len)
{
	int len;
	const char *value = column_value(&column, &len);

	cr_expect_eq((size_t)len, want_len, "%d", len);
	cr_expect_arr_eq(value, want, want_len);
}

Test(column, an_empty_one_is_an_array_of_no_dimension)
{
	column_init(&column, COLUMN_INT4);
	expect_value("\0\0\0\0\0\0\0\0\0\0\0\x17", 12);
	column_free(&column);
}

/* As `COPY (SELECT ARRAY[1,-2]::int2[]) TO STDOUT (FORMAT binary)` writes it, and the like. */
Test(column, numbers_of_each_width_are_as_postgresql_writes_them)
{
	column_init(&column, COLUMN_INT2);
	column_int(&column, 1);
	column_int(&column, -2);
	expect_value("\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\2\0\0\0\1\0\0\0\2\0\1\0\0\0\2\xff\xfe", 32);
	column_free(&column);
	column_init(&column, COLUMN_INT4);
	column_int(&column, -1);
	expect_value("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\xff\xff\xff\xff", 28);
	column_free(&column);
	column_init(&column, COLUMN_INT8);
	column_int(&column, INT64_MIN);
	expect_value("\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\x08\x80\0\0\0\0\0\0\0", 32);
	column_free(&column);
}

Test(column, bytes_and_texts_may_be_empty)
{
	column_init(&column, COLUMN_TEXT);
	column_bytes(&column, "ab", 2);
	column_bytes(&column, "", 0);
	expect_value("\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\2ab\0\0\0\0", 30);
	column_free(&column);
}

Test(column, it_is_built_again_after_clearing)
{
	column_init(&column, COLUMN_INT2);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5000; i++)
			column_int(&column, i);
		column_clear(&column);
		column_int(&column, 7);
		expect_value("\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\1\0\0\0\1\0\0\0\2\0\7", 26);
		column_clear(&column);
	}
	column_free(&column);
}

Test(column, what_it_writes_the_row_reader_reads)
{
	uint8_t tuple[4096] = {0, 1};
	int64_t ints[64];
	struct row r;
	int len;

	column_init(&column, COLUMN_INT8);
	for (int i = 0; i < 64; i++)
		column_int(&column, INT64_MIN + i);
	memcpy(tuple + 6, column_value(&column, &len), 64 * 12 + 20);
	tuple[2] = tuple[3] = 0;
	tuple[4] = (uint8_t)(len >> 8);
	tuple[5] = (uint8_t)len;
	cr_assert(row_of_copy(&r, tuple, 6 + (size_t)len, false));
	cr_assert_eq(row_ints(&r, ints, 64), 64);
	cr_expect_not(r.bad);
	for (int i = 0; i < 64; i++)
		cr_expect_eq(ints[i], INT64_MIN + i);
	column_free(&column);
}

/* ---- arrays of rows ---- */

static struct rows rows;

static void expect_rows(const void *want, size_t want_len)
{
	int len;
	const char *value = rows_value(&rows, &len);

	cr_expect_eq((size_t)len, want_len, "%d", len);
	cr_expect_arr_eq(value, want, want_len);
}

Test(rows, none_is_an_array_of_no_dimension)
{
	rows_init(&rows, 2);
	rows.type_oid = 0x4001;
	expect_rows("\0\0\0\0\0\0\0\0\0\0\x40\1", 12);
	rows_free(&rows);
}

/* As PostgreSQL sends ARRAY[ROW(7::int2, 'ab'::text), NULL]::t[] in binary. */
Test(rows, a_row_is_its_fields_each_with_its_type_and_may_be_null)
{
	rows_init(&rows, 2);
	rows.type_oid = 0x4001;
	rows_begin(&rows);
	rows_int2(&rows, 7);
	rows_text(&rows, "ab", 2);
	rows_end(&rows);
	rows_null(&rows);
	expect_rows("\0\0\0\1\0\0\0\1\0\0\x40\1\0\0\0\2\0\0\0\1" /* one dimension of two, with a NULL */
		    "\0\0\0\x18\0\0\0\2"                            /* 24 bytes, two fields */
		    "\0\0\0\x15\0\0\0\2\0\7"                       /* int2 */
		    "\0\0\0\x19\0\0\0\2ab"                          /* text */
		    "\xff\xff\xff\xff",
		    52);
	rows_clear(&rows);
	expect_rows("\0\0\0\0\0\0\0\0\0\0\x40\1", 12);
	rows_free(&rows);
}

Test(rows, numbers_keep_their_width_and_sign)
{
	rows_init(&rows, 2);
	rows_begin(&rows);
	rows_int4(&rows, -2);
	rows_int8(&rows, INT64_MIN);
	rows_end(&rows);
	expect_rows("\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\x20\0\0\0\2"
		    "\0\0\0\x17\0\0\0\4\xff\xff\xff\xfe\0\0\0\x14\0\0\0\x08\x80\0\0\0\0\0\0\0",
		    56);
	rows_free(&rows);
}

Test(rows, a_field_may_be_an_array_and_that_may_be_empty)
{
	const uint32_t two[] = {1, 0x80000000};

	rows_init(&rows, 2);
	rows_begin(&rows);
	rows_int4s(&rows, NULL, 0);
	rows_int8s(&rows, two, 2);
	rows_end(&rows);
	expect_rows("\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\x4c\0\0\0\2"
		    "\0\0\3\xef\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\x17"
		    "\0\0\3\xf8\0\0\0\x2c\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\2\0\0\0\1"
		    "\0\0\0\x08\0\0\0\0\0\0\0\1\0\0\0\x08\0\0\0\0\x80\0\0\0",
		    100);
	rows_free(&rows);
}

/* ---- rows ---- */

static struct row row;
static uint8_t *exact;

/* One tuple of one field, in memory of its own size. */
static void field(const void *bytes, size_t len)
{
	free(exact);
	exact = malloc(6 + len);
	memcpy(exact, "\0\1", 2);
	exact[2] = exact[3] = 0;
	exact[4] = (uint8_t)(len >> 8);
	exact[5] = (uint8_t)len;
	memcpy(exact + 6, bytes, len);
	cr_assert(row_of_copy(&row, exact, 6 + len, false));
}

Test(row, numbers_have_their_sign)
{
	field("\xff\xfe", 2);
	cr_expect_eq(row_int(&row), -2);
	field("\x80\0\0\0", 4);
	cr_expect_eq(row_int(&row), INT32_MIN);
	field("\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
	cr_expect_eq(row_int(&row), INT64_MAX);
	cr_expect_not(row.bad);
}

Test(row, a_number_of_another_width_is_bad)
{
	for (size_t len = 0; len < 12; len++) {
		field("\0\0\0\0\0\0\0\0\0\0\0\0", len);
		cr_expect_eq(row_int(&row), 0);
		cr_expect_eq(row.bad, len != 2 && len != 4 && len != 8, "%zu", len);
	}
}

Test(row, a_truth_is_one_byte)
{
	field("\1", 1);
	cr_expect(row_bool(&row) && !row.bad);
	field("\0", 1);
	cr_expect(!row_bool(&row) && !row.bad);
	field("\1\1", 2);
	cr_expect(!row_bool(&row) && row.bad);
	field("", 0);
	cr_expect(!row_bool(&row) && row.bad);
}

Test(row, a_text_is_ended_and_fits)
{
	char to[5];

	field("abcd", 4);
	row_text(&row, to, sizeof to);
	cr_expect(!row.bad && strcmp(to, "abcd") == 0);
	field("abcde", 5);
	row_text(&row, to, sizeof to);
	cr_expect(row.bad && to[0] == '\0');
	field("a\0b", 3);
	row_text(&row, to, sizeof to);
	cr_expect(row.bad && to[0] == '\0');
	field("", 0);
	row_text(&row, to, sizeof to);
	cr_expect(!row.bad && to[0] == '\0');
}

Test(row, once_bad_it_stays_bad_and_gives_nothing)
{
	char to[8];
	int64_t ints[4];
	size_t len;

	field("\1\2\3", 3);
	(void)row_int(&row);
	cr_assert(row.bad);
	cr_expect_eq(row_int(&row), 0);
	cr_expect_not(row_bool(&row));
	cr_expect_eq(row_ints(&row, ints, 4), 0);
	row_text(&row, to, sizeof to);
	cr_expect_str_eq(to, "");
	cr_expect_not_null(row_bytes(&row, &len));
	cr_expect_eq(len, 0);
}

Test(row, null_and_a_field_too_few_are_bad)
{
	static const uint8_t null[] = {0, 1, 0xff, 0xff, 0xff, 0xff}, none[] = {0, 0};

	cr_assert(row_of_copy(&row, null, sizeof null, false));
	(void)row_int(&row);
	cr_expect(row.bad);
	cr_assert(row_of_copy(&row, none, sizeof none, false));
	(void)row_int(&row);
	cr_expect(row.bad);
}

Test(row, a_length_past_the_tuple_is_bad)
{
	static const uint8_t longer[] = {0, 1, 0, 0, 0, 5, 1, 2, 3, 4}, huge[] = {0, 1, 0x7f, 0xff, 0xff, 0xff, 1};

	cr_assert(row_of_copy(&row, longer, sizeof longer, false));
	(void)row_int(&row);
	cr_expect(row.bad);
	cr_assert(row_of_copy(&row, huge, sizeof huge, false));
	(void)row_int(&row);
	cr_expect(row.bad);
}

Test(row, the_header_and_the_trailer_are_no_rows)
{
	uint8_t header[19 + 2] = "PGCOPY\n\377\r\n";

	memcpy(header + 19, "\xff\xff", 2);
	cr_expect_not(row_of_copy(&row, header, 21, true));
	cr_expect_not(row.bad);
	cr_expect_not(row_of_copy(&row, header, 19, true));
	cr_expect_not(row_of_copy(&row, header, 18, true));
	cr_expect(row.bad);
	header[0] = 'Q';
	cr_expect_not(row_of_copy(&row, header, 21, true));
	cr_expect(row.bad);
	cr_expect_not(row_of_copy(&row, (const uint8_t *)"\xff\xff", 2, false));
	cr_expect_not(row.bad);
}

#define ARRAY(ndim, flags, count, elements)                                                                            \
	"\0\0\0" ndim "\0\0\0" flags "\0\0\0\x17"                                                                      \
	"\0\0\0" count "\0\0\0\1" elements

Test(row, an_array_of_numbers)
{
	int64_t ints[3] = {9, 9, 9};

	field(ARRAY("\1", "\0", "\2", "\0\0\0\4\0\0\0\5\0\0\0\4\xff\xff\xff\xff"), 36);
	cr_expect_eq(row_ints(&row, ints, 3), 2);
	cr_expect(!row.bad && ints[0] == 5 && ints[1] == -1 && ints[2] == 9);
	field("\0\0\0\0\0\0\0\0\0\0\0\x17", 12);
	cr_expect_eq(row_ints(&row, ints, 3), 0);
	cr_expect_not(row.bad, "empty");
}

Test(row, an_array_that_is_not_plain_is_bad)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} bad[] = {
		{ARRAY("\2", "\0", "\1", "\0\0\0\4\0\0\0\5"), 28, "two dimensions"},
		{ARRAY("\1", "\1", "\1", "\0\0\0\4\0\0\0\5"), 28, "may hold NULL"},
		{ARRAY("\1", "\0", "\4", "\0\0\0\4\0\0\0\5"), 28, "more than asked for"},
		{ARRAY("\1", "\0", "\2", "\0\0\0\4\0\0\0\5"), 28, "an element short"},
		{ARRAY("\1", "\0", "\1", "\0\0\0\3\0\0\0\5"), 28, "an odd width"},
		{ARRAY("\1", "\0", "\1", "\xff\xff\xff\xff"), 24, "NULL"},
		{ARRAY("\1", "\0", "\1", "\0\0\0\x08\0\0\0\5"), 28, "wider than there is"},
		{"\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0", 19, "a head cut"},
		{"\0\0\0\0\0\0\0\0", 8, "an empty one cut"},
		{"", 0, "nothing"},
		{"\xff\xff\xff\xff\0\0\0\0\0\0\0\x17\xff\xff\xff\xff\0\0\0\1", 20, "enormous"},
	};
	int64_t ints[3];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		field(bad[i].bytes, bad[i].len);
		cr_expect_eq(row_ints(&row, ints, 3), 0, "%s", bad[i].why);
		cr_expect(row.bad, "%s", bad[i].why);
	}
}
