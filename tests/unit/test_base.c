#include "kit/kit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hist.h"
#include "base/mem.h"
#include "base/sort.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

KIT_SUITE(arena);
KIT_SUITE(buf);
KIT_SUITE(bytes);
KIT_SUITE(sort);
KIT_SUITE(hist);
KIT_SUITE(err);

Test(arena, what_it_gives_is_aligned_and_apart)
{
	static _Alignas(16) unsigned char memory[256];
	struct arena a = {memory, sizeof memory, 0};
	unsigned char *one = arena_alloc(&a, 1), *two = arena_alloc(&a, 17), *three = arena_alloc(&a, 16);

	cr_expect_eq((uintptr_t)one % 16, 0);
	cr_expect_eq((uintptr_t)two % 16, 0);
	cr_expect_geq(two, one + 1);
	cr_expect_geq(three, two + 17);
	cr_expect_leq(a.used, sizeof memory);
}

Test(arena, a_full_one_gives_null_and_stays_as_it_was)
{
	static unsigned char memory[64];
	struct arena a = {memory, sizeof memory, 0};

	cr_expect_not_null(arena_alloc(&a, 64));
	cr_expect_null(arena_alloc(&a, 1));
	cr_expect_eq(a.used, 64);
	arena_reset(&a);
	cr_expect_null(arena_alloc(&a, 65));
	cr_expect_null(arena_alloc(&a, SIZE_MAX));
	cr_expect_not_null(arena_alloc(&a, 49));
	cr_expect_null(arena_alloc(&a, 1), "the rest is lost to alignment");
}

Test(arena, an_array_is_zeroed_and_never_overflows)
{
	static unsigned char memory[64];
	struct arena a = {memory, sizeof memory, 0};

	memset(memory, 0xff, sizeof memory);
	uint32_t *numbers = arena_array(&a, 4, sizeof *numbers);
	for (int i = 0; i < 4; i++)
		cr_expect_eq(numbers[i], 0);
	cr_expect_null(arena_array(&a, SIZE_MAX / 2, 4));
	cr_expect_null(arena_array(&a, SIZE_MAX / 4 + 2, 4), "the product wraps to 4");
	cr_expect_not_null(arena_array(&a, 0, 8));
}

Test(buf, bytes_come_out_as_they_went_in)
{
	struct buf b = {0};
	uint8_t in = 0, out = 0;

	for (int round = 0; round < 2000; round++) {
		size_t add = (size_t)(round * 7919 % 300), take = (size_t)(round * 104729 % 300);

		for (size_t i = 0; i < add; i++) {
			buf_append(&b, &in, 1);
			in++;
		}
		take = take > buf_len(&b) ? buf_len(&b) : take;
		for (size_t i = 0; i < take; i++)
			cr_assert_eq(b.bytes[b.from + i], out++);
		buf_consume(&b, take);
	}
	cr_expect_lt(b.size, 1u << 20, "consumed room is used again");
	buf_free(&b);
	cr_expect_null(b.bytes);
}

Test(buf, reserving_keeps_what_is_live)
{
	struct buf b = {0};

	buf_append(&b, "abcdef", 6);
	buf_consume(&b, 4);
	memset(buf_reserve(&b, 100000), 'x', 100000);
	cr_expect(buf_len(&b) == 2 && memcmp(b.bytes + b.from, "ef", 2) == 0);
	buf_clear(&b);
	cr_expect_eq(buf_len(&b), 0);
	buf_free(&b);
}

Test(buf, consuming_more_than_there_is_is_a_bug, .signal = SIGABRT)
{
	struct buf b = {0};

	buf_append(&b, "a", 1);
	buf_consume(&b, 2);
}

Test(bytes, numbers_of_every_width_read_back)
{
	uint8_t memory[64];
	struct writer w = {.bytes = memory, .size = sizeof memory};
	struct reader r = {.bytes = memory};

	write_u8(&w, 0xfe);
	write_u16(&w, 0xfedc);
	write_u32(&w, 0xfedcba98);
	write_i32(&w, INT32_MIN);
	write_i64(&w, INT64_MIN + 1);
	r.size = w.used;
	cr_expect_eq(memory[1], 0xdc, "little-endian");
	cr_expect_eq(read_u8(&r), 0xfe);
	cr_expect_eq(read_u16(&r), 0xfedc);
	cr_expect_eq(read_u32(&r), 0xfedcba98);
	cr_expect_eq(read_i32(&r), INT32_MIN);
	cr_expect_eq(read_i64(&r), INT64_MIN + 1);
	cr_expect(!r.bad && r.used == r.size && !w.full);
}

Test(bytes, a_full_writer_and_a_bad_reader_stay_so)
{
	uint8_t memory[3] = {1, 2, 3};
	struct writer w = {.bytes = memory, .size = sizeof memory};
	struct reader r = {.bytes = memory, .size = sizeof memory};

	write_u32(&w, 0);
	write_u8(&w, 9);
	cr_expect(w.full && w.used == 0 && memory[0] == 1);
	cr_expect_eq(read_u32(&r), 0);
	cr_expect_eq(read_u8(&r), 0, "a bad reader yields zeros");
	cr_expect(r.bad && read_bytes(&r, 0) == NULL);
}

static int by_value(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

Test(sort, any_order_becomes_ascending)
{
	static int rows[500];
	uint32_t random = 1;

	for (size_t count = 0; count < 500; count += count < 20 ? 1 : 37) {
		int64_t before = 0, after = 0;

		for (size_t i = 0; i < count; i++) {
			random = random * 1664525 + 1013904223;
			rows[i] = (int)(random >> 16) % (count % 2 ? 10 : 30000);
			before += rows[i];
		}
		sort_rows(rows, count, sizeof *rows, by_value);
		for (size_t i = 0; i < count; i++) {
			after += rows[i];
			cr_assert(i == 0 || rows[i - 1] <= rows[i], "%zu of %zu", i, count);
		}
		cr_expect_eq(before, after);
	}
}

static uint64_t compared;

static int by_value_counted(const void *a, const void *b)
{
	compared++;
	return by_value(a, b);
}

enum { SHUFFLED = 10000 };

/* Sorts 0 to SHUFFLED - 1, with at most so many comparisons a row. */
static void sort_within(int rows[SHUFFLED], uint64_t comparisons_max)
{
	compared = 0;
	sort_rows(rows, SHUFFLED, sizeof *rows, by_value_counted);
	for (int i = 0; i < SHUFFLED; i++)
		cr_assert_eq(rows[i], i);
	cr_expect_leq(compared, comparisons_max * SHUFFLED, "%llu", (unsigned long long)compared);
}

Test(sort, rows_nearly_in_order_cost_little_more_than_a_pass)
{
	static int rows[SHUFFLED];

	for (int i = 0; i < SHUFFLED; i++)
		rows[i] = i % 20 == 3 ? i + 16 : i % 20 > 3 ? i - 1 : i; /* as rows of a page that were updated */
	sort_within(rows, 3);
}

Test(sort, rows_far_out_of_order_are_sorted_all_the_same)
{
	static int rows[SHUFFLED];

	for (int i = 0; i < SHUFFLED; i++)
		rows[i] = (i + SHUFFLED / 3) % SHUFFLED; /* as of a scan that began in the middle */
	sort_within(rows, 50);
}

Test(sort, the_lower_bound_is_the_first_not_below)
{
	static const int rows[] = {1, 3, 3, 3, 7};
	static const size_t want[] = {0, 0, 1, 1, 4, 4, 4, 4, 5};

	for (int key = 0; key < 9; key++)
		cr_expect_eq(sort_lower(rows, 5, sizeof *rows, &key, by_value), want[key], "%d", key);
	cr_expect_eq(sort_lower(rows, 0, sizeof *rows, &want, by_value), 0);
}

static struct hist hist;

Test(hist, a_quantile_is_within_a_sixteenth_above)
{
	for (int64_t n = 1; n < INT64_MAX / 11; n = n * 11 / 10 + 1) {
		memset(&hist, 0, sizeof hist);
		hist_add(&hist, n);
		hist_add(&hist, INT64_MAX); /* so that the answer is not cut at the largest */
		int64_t q = hist_quantile(&hist, 500);

		cr_assert_geq(q, n);
		cr_assert_leq(q - n, n / 16, "%lld: %lld", (long long)n, (long long)q);
	}
}

Test(hist, quantiles_of_a_thousand)
{
	for (int64_t n = 1000; n > 0; n--)
		hist_add(&hist, n);
	for (int per_mille = 1; per_mille <= 1000; per_mille++) {
		int64_t q = hist_quantile(&hist, per_mille);

		cr_expect_geq(q, per_mille);
		cr_expect_leq(q, per_mille + per_mille / 16 + 1);
	}
	cr_expect_eq(hist_quantile(&hist, 1000), 1000);
	cr_expect(hist.count == 1000 && hist.max == 1000 && hist.sum == 500500);
}

Test(hist, counts_below_powers_of_two_are_exact)
{
	const int64_t values[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 1023, 1024, 1 << 20};

	memset(&hist, 0, sizeof hist);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		hist_add(&hist, values[i]);
	for (int power = 0; power < HIST_POWERS; power++) {
		int64_t below = 0;

		for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
			below += values[i] < INT64_C(1) << power;
		cr_expect_eq(hist_below(&hist, power), below, "power %d: %lld", power, (long long)hist_below(&hist, power));
	}
}

Test(hist, the_ends_hold)
{
	cr_expect_eq(hist_quantile(&hist, 500), 0, "empty");
	hist_add(&hist, -5);
	cr_expect_eq(hist_quantile(&hist, 999), 0, "negative counts as nothing");
	hist_add(&hist, INT64_MAX);
	cr_expect_eq(hist_quantile(&hist, 1000), INT64_MAX);
	for (int64_t n = 0; n < 16; n++) {
		memset(&hist, 0, sizeof hist);
		hist_add(&hist, n);
		cr_expect_eq(hist_quantile(&hist, 500), n, "small ones are exact");
	}
}

#define X(name, number, code, retry, what, mend) number,
static const int numbers[] = {ERR_MAP(X)};
#undef X
enum { ERRORS = sizeof numbers / sizeof numbers[0] };

Test(err, every_number_is_its_own)
{
	for (int i = 0; i < ERRORS; i++) {
		for (int k = i + 1; k < ERRORS; k++)
			cr_expect_neq(numbers[i], numbers[k], "%s and %s", err_name(numbers[i]), err_name(numbers[k]));
	}
}

Test(err, every_code_is_one_of_google_rpc)
{
	for (int i = 1; i < ERRORS; i++) {
		int code = err_code(numbers[i]);

		cr_expect(code >= 3 && code <= 14 && code != 6, "%s: %d", err_name(numbers[i]), code);
	}
	cr_expect_eq(err_code(ERR_OK), 0);
}

Test(err, each_says_what_and_how_to_mend_it)
{
	for (int i = 0; i < ERRORS; i++) {
		const char *what = err_what(numbers[i]), *mend = err_mend(numbers[i]);
		size_t len = strlen(what);

		cr_expect_gt(len, 0, "%s", err_name(numbers[i]));
		if (numbers[i] != ERR_OK && numbers[i] != ERR_MORE) /* those two never reach a person */
			cr_expect_gt(strlen(mend), 0, "%s", err_name(numbers[i]));
		cr_expect(len == 0 || what[len - 1] != '.', "%s ends in a full stop", err_name(numbers[i]));
		cr_expect_null(strchr(what, '\n'));
	}
}

Test(err, names_are_upper_case_and_their_own)
{
	for (int i = 0; i < ERRORS; i++) {
		for (const char *c = err_name(numbers[i]); *c != '\0'; c++)
			cr_expect(isupper((unsigned char)*c) || *c == '_', "%s", err_name(numbers[i]));
		for (int k = i + 1; k < ERRORS; k++)
			cr_expect_str_neq(err_name(numbers[i]), err_name(numbers[k]));
	}
}

Test(err, a_retry_with_the_same_key_is_for_what_was_not_decided)
{
	for (int i = 0; i < ERRORS; i++) {
		int code = err_code(numbers[i]);

		if (err_retry(numbers[i]) == ERR_RETRY_SAME) /* away, busy, or a fault: not the request's */
			cr_expect(code == 8 || code == 13 || code == 14, "%s", err_name(numbers[i]));
		if (code == 3)
			cr_expect_eq(err_retry(numbers[i]), ERR_RETRY_MEND, "%s: an argument must change",
				     err_name(numbers[i]));
	}
}

Test(err, an_unknown_number_has_words_too)
{
	static const int unknown[] = {-1, 19, 9999, INT32_MIN};

	for (int i = 0; i < 4; i++) {
		cr_expect_str_eq(err_name(unknown[i]), "UNKNOWN");
		cr_expect_gt(strlen(err_what(unknown[i])) + strlen(err_mend(unknown[i])), 0);
		cr_expect_eq(err_code(unknown[i]), 2);
	}
}
