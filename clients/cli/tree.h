/* tree.h — the journal's hashes, recomputed with nobody's help (SHA-256, OpenSSL).
 *
 * Shape:   leaf = H(00 | salt | record); level = H(01 | up to 16 children), until one is left; a single leaf is the root;
 *          row = H(02 | shard int16 | first int64 | last int64 | epoch int64 | previous row | root), big-endian.
 * Errors:  false only when OpenSSL refuses.
 * Source:  sql/schema/0004_commit.sql, tree_root and row_hash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_HASH_BYTES = 32, TREE_FAN_OUT = 16 };

struct tree; /* the digest's context, kept between calls */

struct tree *tree_new(void);
void tree_free(struct tree *tree);

bool tree_leaf(struct tree *tree, const uint8_t salt[TREE_HASH_BYTES], const uint8_t *record, size_t len,
	       uint8_t ret_hash[TREE_HASH_BYTES]);
/* Overwrites the count leaves (at least 1), which lie one after the other; the root is then the first. */
bool tree_root(struct tree *tree, uint8_t *leaves, size_t count);
bool tree_row(struct tree *tree, uint32_t shard, const int64_t first_last_epoch[3],
	      const uint8_t prev[TREE_HASH_BYTES], const uint8_t root[TREE_HASH_BYTES],
	      uint8_t ret_hash[TREE_HASH_BYTES]);
/* What the first row of a journal stands on. */
bool tree_genesis(struct tree *tree, uint8_t ret_hash[TREE_HASH_BYTES]);
