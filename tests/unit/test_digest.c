#include "kit/kit.h"

#include "store/digest.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(digest);

static void expect_hex(const uint8_t digest[DIGEST_BYTES], const char *hex)
{
	char got[2 * DIGEST_BYTES + 1];

	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(got + 2 * i, 3, "%02x", digest[i]);
	cr_expect_str_eq(got, hex);
}

/* FIPS 180-4 examples, as in RFC 6234 section 8.5 */
Test(digest, the_published_vectors_come_out)
{
	static const char long_text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static char million[1000000];
	uint8_t d[DIGEST_BYTES];

	digest_bytes("abc", 3, d);
	expect_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_bytes(long_text, sizeof long_text - 1, d);
	expect_hex(d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof million);
	digest_bytes(million, sizeof million, d);
	expect_hex(d, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	digest_bytes("", 0, d);
	expect_hex(d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 6962: a leaf begins with 0x00, so that no inner node can pass for one. */
Test(digest, a_leaf_is_zero_salt_record)
{
	uint8_t salt[SALT_BYTES], bytes[1 + SALT_BYTES + 6], whole[DIGEST_BYTES], leaf[DIGEST_BYTES];

	for (int i = 0; i < SALT_BYTES; i++)
		salt[i] = (uint8_t)(i + 1);
	bytes[0] = 0;
	memcpy(bytes + 1, salt, SALT_BYTES);
	memcpy(bytes + 1 + SALT_BYTES, "record", 6);
	digest_bytes(bytes, sizeof bytes, whole);
	digest_leaf(salt, "record", 6, leaf);
	cr_expect_arr_eq(leaf, whole, DIGEST_BYTES);
}

Test(digest, salts_are_their_own)
{
	static uint8_t salts[64 * SALT_BYTES];

	digest_salts(salts, 64);
	for (int i = 0; i < 64; i++) {
		for (int k = 0; k < i; k++)
			cr_expect_neq(memcmp(salts + i * SALT_BYTES, salts + k * SALT_BYTES, SALT_BYTES), 0);
	}
}
