/* The journal's hashes and the clients' keys against vectors made by another program (python3 hashlib, uuid). */
#include "kit/kit.h"

#include "calloff.h"
#include "receipts.h"
#include "tree.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(tree);
KIT_SUITE(key);

static void expect_hex(const uint8_t hash[TREE_HASH_BYTES], const char *hex)
{
	char text[2 * TREE_HASH_BYTES + 1];

	for (int i = 0; i < TREE_HASH_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	cr_expect_str_eq(text, hex);
}

/* leaf i of the vectors: 32 times the byte i */
static void make_leaves(uint8_t *leaves, size_t count)
{
	for (size_t i = 0; i < count; i++)
		memset(leaves + i * TREE_HASH_BYTES, (int)(i & 255), TREE_HASH_BYTES);
}

Test(tree, roots_of_one_to_many_leaves_match_the_vectors)
{
	static const struct {
		size_t count;
		const char *root;
	} vectors[] = {
		{1, "0000000000000000000000000000000000000000000000000000000000000000"},
		{2, "2ad82c3a51e8ed6418cb5bf267c5f9e521b99f7ab4fce657f460a8f1a3e87b2e"},
		{16, "741f3d05601ce1abadbbb3f504be7f9b07ccd7555652ee91f45888ed0acd7642"},
		{17, "28b8885ca6ef227116125019e390faa8be56e368bac8b7407a6a70dd6de4eced"},
		{256, "2f631160ce2e492fb9013f1e9bfe2c87e3d2eff7225a12f7b210a97e6993388d"},
		{257, "518652073ae41b93749944a392cb493179ac99fb372ed5f4395d41f15062f924"},
		{2048, "b1e1cc18668877bb64108233202199c3425aa1da9c352360a13eac0a436cd61b"},
	};
	static uint8_t leaves[2048 * TREE_HASH_BYTES];
	struct tree *t = tree_new();

	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		make_leaves(leaves, vectors[i].count);
		cr_assert(tree_root(t, leaves, vectors[i].count));
		expect_hex(leaves, vectors[i].root);
	}
	tree_free(t);
}

Test(tree, leaf_row_and_genesis_match_the_vectors)
{
	const int64_t numbers[3] = {1001, 1064, 3};
	uint8_t salt[TREE_HASH_BYTES], prev[TREE_HASH_BYTES], root[TREE_HASH_BYTES], hash[TREE_HASH_BYTES];
	struct tree *t = tree_new();

	memset(salt, 0xaa, sizeof salt);
	memset(root, 0xbb, sizeof root);
	cr_assert(tree_leaf(t, salt, (const uint8_t *)"record", 6, hash));
	expect_hex(hash, "1a535d3d71e36c4d1146e6e4ea9ded9d60974f5fbb57873553ed93c465057f74");
	cr_assert(tree_genesis(t, prev));
	expect_hex(prev, "a0daeca7f98c6daf4692ffbcc8b23925ad0e23e860b5419997e5f82b9515e2fd");
	cr_assert(tree_row(t, 1, numbers, prev, root, hash));
	expect_hex(hash, "604b238e20f3d881125c439d09bf65906f546cf2638ac818e0a0f5376e04fe04");
	tree_free(t);
}

Test(tree, receipts_are_read_and_sorted)
{
	char text[400], problem[160];
	struct receipts r;
	const char *a = "1111111111111111111111111111111111111111111111111111111111111111";
	FILE *in;

	snprintf(text, sizeof text, "# kept\n7 %s %s\n3 %s %s\n", a, a, a, a);
	in = fmemopen(text, strlen(text), "r");
	cr_assert(receipts_load(&r, in, problem), "%s", problem);
	fclose(in);
	cr_assert_eq(r.count, 2);
	cr_expect(r.list[0].seq == 3 && r.list[0].line == 3 && r.list[0].leaf[31] == 0x11);
	receipts_fini(&r);
	in = fmemopen((void *)(uintptr_t)"7 12 34\n", 8, "r");
	cr_expect_not(receipts_load(&r, in, problem));
	fclose(in);
	receipts_fini(&r);
}

Test(key, keys_rise_and_carry_version_and_variant)
{
	struct calloff_key_source source = {0, 0};
	struct calloff_error error;
	uint8_t before[16] = {0}, key[16];

	for (int i = 0; i < 20000; i++) {
		cr_assert_eq(calloff_key_new(&source, key, &error), CALLOFF_OK);
		cr_assert_lt(memcmp(before, key, 16), 0);
		cr_assert_eq(key[6] >> 4, 7);
		cr_assert_eq(key[8] >> 6, 2);
		memcpy(before, key, 16);
	}
}

Test(key, keys_stay_in_order_when_the_clock_goes_back)
{
	struct calloff_key_source source = {(uint64_t)1 << 47, 0xffe};
	struct calloff_error error;
	uint8_t a[16], b[16], c[16];

	cr_assert_eq(calloff_key_new(&source, a, &error), CALLOFF_OK);
	cr_assert_eq(calloff_key_new(&source, b, &error), CALLOFF_OK);
	cr_assert_eq(calloff_key_new(&source, c, &error), CALLOFF_OK);
	cr_expect_lt(memcmp(a, b, 16), 0);
	cr_expect_lt(memcmp(b, c, 16), 0);
}

Test(key, text_and_bytes_are_the_same_key)
{
	static const char *const bad[] = {"", "0193d2c4-8f00-6abc-8123-456789abcdef", "0193d2c4-8f00-7abc-c123-456789abcdef",
					  "0193d2c48f007abc8123456789abcdef", "0193d2c4-8f00-7abc-8123-456789abcdeg",
					  "0193d2c48-f00-7abc-8123-456789abcdef"};
	uint8_t key[16];
	char text[37];

	cr_assert(calloff_key_parse("0193D2C4-8f00-7abc-8123-456789abcdef", key));
	calloff_key_format(key, text);
	cr_expect_str_eq(text, "0193d2c4-8f00-7abc-8123-456789abcdef");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_not(calloff_key_parse(bad[i], key), "%s was taken", bad[i]);
}
