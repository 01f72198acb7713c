#include "kit/kit.h"

#include "server/keys.h"

#include <string.h>

KIT_SUITE(keys);

static struct keys keys;
static struct key_entry *find(uint64_t client, int64_t n);

static const uint8_t *key_of(int64_t n)
{
	static uint8_t key[16];

	memset(key, 0, sizeof key);
	for (int i = 0; i < 6; i++)
		key[i] = (uint8_t)(n >> (8 * (5 - i)));
	key[6] = 0x70;
	key[8] = 0x80;
	memcpy(key + 9, &n, 7);
	return key;
}

static struct key_entry *find(uint64_t client, int64_t n)
{
	return keys_find(&keys, client, key_of(n));
}

static void insert(uint64_t client, int64_t n)
{
	keys_insert(&keys, client, key_of(n), n)->seq = n;
}

static void begin(void)
{
	keys_init(&keys);
	keys_clear(&keys, 0);
}

Test(keys, before_anything_was_loaded_every_key_is_below_the_floor)
{
	keys_init(&keys);
	cr_expect_eq(keys.floor_ms, INT64_MAX);
	cr_expect_null(find(1, 1));
	keys_free(&keys);
}

Test(keys, what_was_put_in_is_found_with_its_client)
{
	begin();
	insert(1, 1000);
	cr_assert_not_null(find(1, 1000));
	cr_expect_eq(find(1, 1000)->seq, 1000);
	cr_expect_null(find(2, 1000), "another client's key");
	cr_expect_null(find(1, 1001));
	insert(2, 1000);
	find(2, 1000)->seq = 5;
	cr_expect_eq(find(1, 1000)->seq, 1000);
	keys_free(&keys);
}

Test(keys, clients_are_told_apart)
{
	cr_expect_neq(keys_client((struct text){"unix:0", 6}), keys_client((struct text){"unix:1", 6}));
	cr_expect_neq(keys_client((struct text){"a", 1}), keys_client((struct text){"aa", 2}));
}

Test(keys, the_floor_stays_while_nothing_was_forgotten)
{
	begin();
	for (int64_t n = 1; n <= 2 * KEYS_GENERATION; n++)
		insert(1, n);
	cr_expect_eq(keys.floor_ms, 0);
	for (int64_t n = 1; n <= 2 * KEYS_GENERATION; n++)
		cr_assert_not_null(find(1, n), "%lld", (long long)n);
	keys_free(&keys);
}

Test(keys, the_floor_rises_above_what_is_forgotten)
{
	begin();
	for (int64_t n = 1; n <= 2 * KEYS_GENERATION + 1; n++)
		insert(1, n);
	cr_expect_eq(keys.floor_ms, KEYS_GENERATION + 1);
	cr_expect_null(find(1, 1));
	for (int64_t n = keys.floor_ms; n <= 2 * KEYS_GENERATION + 1; n++)
		cr_assert_not_null(find(1, n), "at or above the floor a key is known: %lld", (long long)n);
	keys_free(&keys);
}

Test(keys, every_key_at_or_above_the_floor_is_known_whatever_their_order)
{
	uint64_t random = 7;
	enum { COUNT = 5 * KEYS_GENERATION };
	static int64_t times[COUNT];

	begin();
	for (int64_t i = 0; i < COUNT; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		times[i] = 1000 + i / 4 + (int64_t)(random >> 44) % 30000; /* late ones among newer, some of one ms */
		keys_insert(&keys, 1000 + (uint64_t)i, key_of(times[i]), times[i]);
	}
	for (int64_t i = 0; i < COUNT; i++) {
		if (times[i] >= keys.floor_ms)
			cr_assert_not_null(find(1000 + (uint64_t)i, times[i]), "%lld", (long long)times[i]);
	}
	cr_expect_gt(keys.floor_ms, 0);
	keys_free(&keys);
}

Test(keys, clearing_forgets_everything)
{
	begin();
	insert(1, 1000);
	keys_clear(&keys, 500);
	cr_expect_null(find(1, 1000));
	cr_expect_eq(keys.floor_ms, 500);
	insert(1, 1000);
	cr_expect_not_null(find(1, 1000));
	keys_free(&keys);
}
