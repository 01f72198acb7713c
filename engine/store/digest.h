/* digest.h — SHA-256 and salts, by OpenSSL. The layouts hashed are those of sql/schema/0004_commit.sql.
 *
 * Errors: none; OpenSSL failing to hash or to give random bytes ends the process.
 * Threads: each has its own context.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, SALT_BYTES = 32 };

void digest_bytes(const void *bytes, size_t len, uint8_t ret[DIGEST_BYTES]);
/* leaf = SHA-256(0x00 || salt || record) */
void digest_leaf(const uint8_t salt[SALT_BYTES], const void *record, size_t len, uint8_t ret[DIGEST_BYTES]);
/* Root of the tree over so many leaves, 32 bytes each (1 .. BATCH_EVENTS_MAX), which it overwrites. */
void digest_root(uint8_t *leaves, size_t count, uint8_t ret[DIGEST_BYTES]);
/* A journal row's hash: what chains it to the row before. */
void digest_row(int16_t shard, int64_t first_seq, int64_t last_seq, int64_t epoch, const uint8_t prev_hash[DIGEST_BYTES],
		const uint8_t root[DIGEST_BYTES], uint8_t ret[DIGEST_BYTES]);
void digest_salts(uint8_t *ret, size_t count);
