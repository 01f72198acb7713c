/* keys.h — the command keys that memory knows: every key at or above a floor is here or was never used.
 *
 * Shape:   two generations of an open-addressed table; a full one pushes the older out, and the floor rises to the highest
 *          key time it held. A key below the floor is looked up in the database.
 * Units:   key time in ms (UUIDv7). Memory: fixed, about 24 MB at KEYS_GENERATION.
 * Owner:   the pump. Entries are found and changed in place; a pointer holds until the next insert.
 */
#pragma once

#include "core/event.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEYS_GENERATION = 1 << 17 };

struct op;

struct key_entry {
	uint8_t key[16];
	uint64_t client; /* hash of the principal; the database tells two apart for sure */
	int64_t seq;     /* > 0: decided under this sequence */
	struct op *op;   /* the command under way, NULL once committed */
	bool used;
};

struct keys {
	struct key_entry *generations[2]; /* [0] takes new keys */
	uint32_t counts[2];
	int64_t highest_ms[2], floor_ms;
};

void keys_init(struct keys *k);
void keys_free(struct keys *k);
void keys_clear(struct keys *k, int64_t floor_ms);
uint64_t keys_client(struct text client);
struct key_entry *keys_find(struct keys *k, uint64_t client, const uint8_t key[16]);
/* The key must not be there. */
struct key_entry *keys_insert(struct keys *k, uint64_t client, const uint8_t key[16], int64_t key_ms);
