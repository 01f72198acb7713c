#include "store/digest.h"

#include "base/bytes.h"
#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* One context and one fetched algorithm for the life of a thread: a fetch a call costs more than the hash. */
static _Thread_local EVP_MD *digest_sha256;
static _Thread_local EVP_MD_CTX *digest_context;

static EVP_MD_CTX *digest_begin(void)
{
	if (digest_context == NULL) {
		digest_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
		digest_context = EVP_MD_CTX_new();
		INSIST(digest_sha256 != NULL && digest_context != NULL);
	}
	INSIST(EVP_DigestInit_ex2(digest_context, digest_sha256, NULL) == 1);
	return digest_context;
}

void digest_bytes(const void *bytes, size_t len, uint8_t ret[DIGEST_BYTES])
{
	EVP_MD_CTX *c = digest_begin();

	INSIST(EVP_DigestUpdate(c, bytes, len) == 1 && EVP_DigestFinal_ex(c, ret, NULL) == 1);
}

void digest_leaf(const uint8_t salt[SALT_BYTES], const void *record, size_t len, uint8_t ret[DIGEST_BYTES])
{
	static const uint8_t tag = 0x00;
	EVP_MD_CTX *c = digest_begin();

	INSIST(EVP_DigestUpdate(c, &tag, 1) == 1 && EVP_DigestUpdate(c, salt, SALT_BYTES) == 1 &&
	       EVP_DigestUpdate(c, record, len) == 1 && EVP_DigestFinal_ex(c, ret, NULL) == 1);
}

void digest_root(uint8_t *leaves, size_t count, uint8_t ret[DIGEST_BYTES])
{
	static const uint8_t tag = 0x01;
	enum { FAN_OUT = 16 };

	while (count > 1) {
		size_t level = 0;

		for (size_t at = 0; at < count; at += FAN_OUT, level++) {
			size_t few = count - at < FAN_OUT ? count - at : (size_t)FAN_OUT;
			EVP_MD_CTX *c = digest_begin();

			INSIST(EVP_DigestUpdate(c, &tag, 1) == 1 &&
			       EVP_DigestUpdate(c, leaves + at * DIGEST_BYTES, few * DIGEST_BYTES) == 1 &&
			       EVP_DigestFinal_ex(c, leaves + level * DIGEST_BYTES, NULL) == 1);
		}
		count = level;
	}
	memcpy(ret, leaves, DIGEST_BYTES);
}

void digest_row(int16_t shard, int64_t first_seq, int64_t last_seq, int64_t epoch, const uint8_t prev_hash[DIGEST_BYTES],
		const uint8_t root[DIGEST_BYTES], uint8_t ret[DIGEST_BYTES])
{
	uint8_t bytes[1 + 2 + 3 * 8 + 2 * DIGEST_BYTES] = {0x02};

	put_be16(bytes + 1, (uint16_t)shard);
	put_be64(bytes + 3, (uint64_t)first_seq);
	put_be64(bytes + 11, (uint64_t)last_seq);
	put_be64(bytes + 19, (uint64_t)epoch);
	memcpy(bytes + 27, prev_hash, DIGEST_BYTES);
	memcpy(bytes + 27 + DIGEST_BYTES, root, DIGEST_BYTES);
	digest_bytes(bytes, sizeof bytes, ret);
}

void digest_salts(uint8_t *ret, size_t count)
{
	INSIST(RAND_bytes(ret, (int)(count * SALT_BYTES)) == 1);
}
