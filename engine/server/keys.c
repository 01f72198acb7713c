#include "server/keys.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

enum { KEYS_SLOTS = KEYS_GENERATION * 2 };

void keys_init(struct keys *k)
{
	*k = (struct keys){.floor_ms = INT64_MAX};
	for (int g = 0; g < 2; g++)
		k->generations[g] = mem_map(KEYS_SLOTS * sizeof(struct key_entry));
}

void keys_free(struct keys *k)
{
	for (int g = 0; g < 2; g++)
		mem_unmap(k->generations[g], KEYS_SLOTS * sizeof(struct key_entry));
}

void keys_clear(struct keys *k, int64_t floor_ms)
{
	keys_free(k);
	keys_init(k);
	k->floor_ms = floor_ms;
}

uint64_t keys_client(struct text client)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (uint32_t i = 0; i < client.len; i++)
		h = (h ^ (uint8_t)client.bytes[i]) * 0x100000001b3u;
	return h;
}

static uint32_t keys_slot(uint64_t client, const uint8_t key[16])
{
	uint64_t low, high;

	memcpy(&low, key, 8);
	memcpy(&high, key + 8, 8); /* a UUIDv7's random part */
	low = (high ^ client ^ low * 0x9e3779b97f4a7c15u) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(low >> 40) % KEYS_SLOTS;
}

/* The entry of a key, or the empty slot where it would go. */
static struct key_entry *keys_probe(struct key_entry *entries, uint64_t client, const uint8_t key[16])
{
	uint32_t slot = keys_slot(client, key);

	while (entries[slot].used && (entries[slot].client != client || memcmp(entries[slot].key, key, 16) != 0))
		slot = (slot + 1) % KEYS_SLOTS;
	return &entries[slot];
}

struct key_entry *keys_find(struct keys *k, uint64_t client, const uint8_t key[16])
{
	for (int g = 0; g < 2; g++) {
		struct key_entry *e = keys_probe(k->generations[g], client, key);

		if (e->used)
			return e;
	}
	return NULL;
}

static void keys_turn(struct keys *k)
{
	struct key_entry *oldest = k->generations[1];

	if (k->counts[1] > 0 && k->highest_ms[1] + 1 > k->floor_ms)
		k->floor_ms = k->highest_ms[1] + 1;
	mem_unmap(oldest, KEYS_SLOTS * sizeof *oldest);
	k->generations[1] = k->generations[0];
	k->counts[1] = k->counts[0];
	k->highest_ms[1] = k->highest_ms[0];
	k->generations[0] = mem_map(KEYS_SLOTS * sizeof *oldest);
	k->counts[0] = 0;
	k->highest_ms[0] = 0;
}

struct key_entry *keys_insert(struct keys *k, uint64_t client, const uint8_t key[16], int64_t key_ms)
{
	struct key_entry *e;

	if (k->counts[0] == KEYS_GENERATION)
		keys_turn(k);
	e = keys_probe(k->generations[0], client, key);
	REQUIRE(!e->used);
	*e = (struct key_entry){.client = client, .used = true};
	memcpy(e->key, key, 16);
	k->counts[0]++;
	if (key_ms > k->highest_ms[0])
		k->highest_ms[0] = key_ms;
	return e;
}
