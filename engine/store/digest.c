#include "store/digest.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

/* One context and one fetched algorithm for the life of the process: a fetch a call costs more than the hash. */
static EVP_MD *digest_sha256;
static EVP_MD_CTX *digest_context;

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

void digest_start(void)
{
	uint8_t salt[SALT_BYTES];

	digest_begin();
	digest_salts(salt, 1);
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

void digest_salts(uint8_t *ret, size_t count)
{
	INSIST(RAND_bytes(ret, (int)(count * SALT_BYTES)) == 1);
}
