/* record.h — the journal's record of one event: what came in, and what it did. Kept for ever, so fixed for ever.
 *
 * Shape:   little-endian. Head {type u16, version u16, length u32 (of what follows)}, then stamp, event, effects:
 *          stamp    seq i64, now_us i64, rules u16, framework_version i64, principal text, key 16 bytes
 *          event    by type, see record_event; text = u8 length + bytes
 *          effects  outcome, then counted lists: new packages, changes, rounds + decision, made, ended, declared
 * Errors:  decoding bytes that are not such a record is ERR_BAD_ROW; it never crashes (tests/fuzz).
 * Rules:   RULES_VERSION goes up with any change of behaviour; old behaviour stays callable.
 * Owner:   decoded text points into the record's bytes.
 */
#pragma once

#include "core/update.h"

#include <stddef.h>

enum { RECORD_VERSION = 1, RULES_VERSION = 1, RECORD_KEY_BYTES = 16 };

struct stamp {
	int64_t framework_version;
	uint16_t rules_version;
	uint8_t key[RECORD_KEY_BYTES];
};

/* The event alone, without its stamp: what a request hash is taken of. Returns bytes used, 0 when size is too small. */
size_t record_event(const struct event *event, uint8_t *bytes, size_t size);
enum err record_event_decode(const uint8_t *bytes, size_t len, struct event *ret) ERR_MUST_CHECK;
/* Returns bytes used; RECORD_BYTES_MAX always suffices. */
size_t record_encode(const struct event *event, const struct update *update, const struct stamp *stamp, uint8_t *bytes,
		     size_t size);
/* A new package's requirement points to ret_event. */
enum err record_decode(const uint8_t *bytes, size_t len, struct event *ret_event, struct update *ret_update,
		       struct stamp *ret_stamp) ERR_MUST_CHECK;

/* The outcome as a command's row keeps it: at most OUTCOME_BYTES_MAX. */
size_t outcome_encode(const struct outcome *o, uint8_t *bytes, size_t size);
enum err outcome_decode(const uint8_t *bytes, size_t len, struct outcome *ret) ERR_MUST_CHECK;
