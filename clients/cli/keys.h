/* keys.h — which key each row of a file was sent with, kept before it is sent.
 *
 * Shape:   a text file: "calloff-keys 1", then a line a row: LINE FINGERPRINT KEY. Append-only, locked while in use.
 *          A rerun sends the same row with the same key, and so never submits it twice.
 * Errors:  false, with a sentence. A line that was cut by a crash was never sent: it is dropped.
 * Owner:   the file's entries are read once, at keys_open.
 */
#pragma once

#include "calloff.h"

#include <stdio.h>

struct keys_entry {
	size_t line;
	uint64_t fingerprint;
	uint8_t key[CALLOFF_KEY_BYTES];
};

struct keys {
	FILE *file; /* NULL: no file, keys are not kept */
	struct keys_entry *entries;
	size_t count, size;
	bool added;
};

enum keys_found { KEYS_NEW, KEYS_FOUND, KEYS_CHANGED };

bool keys_open(struct keys *k, const char *path, char problem[240]);
void keys_close(struct keys *k);
/* KEYS_CHANGED: the line had another content when it was sent. */
enum keys_found keys_find(const struct keys *k, size_t line, uint64_t fingerprint,
			  uint8_t ret_key[CALLOFF_KEY_BYTES]);
void keys_add(struct keys *k, size_t line, uint64_t fingerprint, const uint8_t key[CALLOFF_KEY_BYTES]);
/* On the disk; call before the rows are sent. */
bool keys_sync(struct keys *k);
