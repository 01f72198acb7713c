#include "tree.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct tree {
	EVP_MD *digest;
	EVP_MD_CTX *context;
};

struct tree *tree_new(void)
{
	struct tree *t = calloc(1, sizeof *t);

	INSIST(t != NULL);
	t->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	t->context = EVP_MD_CTX_new();
	if (t->digest == NULL || t->context == NULL) {
		tree_free(t);
		return NULL;
	}
	return t;
}

void tree_free(struct tree *tree)
{
	if (tree == NULL)
		return;
	EVP_MD_CTX_free(tree->context);
	EVP_MD_free(tree->digest);
	free(tree);
}

static bool tree_hash(struct tree *t, const uint8_t *head, size_t head_len, const uint8_t *tail,
		      size_t tail_len, uint8_t *ret_hash)
{
	return EVP_DigestInit_ex2(t->context, t->digest, NULL) == 1 &&
	       EVP_DigestUpdate(t->context, head, head_len) == 1 &&
	       EVP_DigestUpdate(t->context, tail, tail_len) == 1 &&
	       EVP_DigestFinal_ex(t->context, ret_hash, NULL) == 1;
}

bool tree_leaf(struct tree *tree, const uint8_t salt[TREE_HASH_BYTES], const uint8_t *record, size_t len,
	       uint8_t ret_hash[TREE_HASH_BYTES])
{
	uint8_t head[1 + TREE_HASH_BYTES] = {0};

	memcpy(head + 1, salt, TREE_HASH_BYTES);
	return tree_hash(tree, head, sizeof head, record, len, ret_hash);
}

bool tree_root(struct tree *tree, uint8_t *leaves, size_t count)
{
	static const uint8_t tag = 1;

	REQUIRE(count > 0);
	while (count > 1) {
		size_t parents = 0;

		for (size_t at = 0; at < count; at += TREE_FAN_OUT, parents++) {
			size_t children = count - at < TREE_FAN_OUT ? count - at : TREE_FAN_OUT;
			uint8_t hash[TREE_HASH_BYTES];

			if (!tree_hash(tree, &tag, 1, leaves + at * TREE_HASH_BYTES,
				       children * TREE_HASH_BYTES, hash))
				return false;
			memcpy(leaves + parents * TREE_HASH_BYTES, hash, sizeof hash);
		}
		count = parents;
	}
	return true;
}

static uint8_t *tree_put(uint8_t *to, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*to++ = (uint8_t)(value >> (8 * i));
	return to;
}

bool tree_row(struct tree *tree, uint32_t shard, const int64_t first_last_epoch[3],
	      const uint8_t prev[TREE_HASH_BYTES], const uint8_t root[TREE_HASH_BYTES],
	      uint8_t ret_hash[TREE_HASH_BYTES])
{
	uint8_t head[1 + 2 + 3 * 8 + TREE_HASH_BYTES];
	uint8_t *to = head;

	*to++ = 2;
	to = tree_put(to, shard, 2);
	for (int i = 0; i < 3; i++)
		to = tree_put(to, (uint64_t)first_last_epoch[i], 8);
	memcpy(to, prev, TREE_HASH_BYTES);
	return tree_hash(tree, head, sizeof head, root, TREE_HASH_BYTES, ret_hash);
}

bool tree_genesis(struct tree *tree, uint8_t ret_hash[TREE_HASH_BYTES])
{
	static const char text[] = "calloff genesis";

	return tree_hash(tree, (const uint8_t *)text, sizeof text - 1, NULL, 0, ret_hash);
}
