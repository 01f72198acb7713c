/* unpack.h — bytes to protobuf structs, inside an arena that is also the cap; and texts checked on the way out.
 *
 * protobuf-c amplifies memory (56 x), accepts invalid UTF-8, and cuts a string silently at an embedded NUL: so the
 * arena is small, each allocation remembers its size, and a text that is shorter than its allocation is refused.
 * Errors: ERR_NOT_DECODED. Owner: the arena; reset it when the request is done.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "calloff/v1/envelope.pb-c.h"
#include "core/event.h"

enum err unpack_envelope(struct arena *arena, const uint8_t *body, size_t len, Calloff__V1__Envelope **ret)
	ERR_MUST_CHECK;

enum text_kind {
	TEXT_REF,  /* opaque reference: letters, digits and . _ : / - */
	TEXT_ID,   /* a code of ours: the same, at most ID_BYTES_MAX */
	TEXT_PACKAGE, /* P-10482: the same, and ten digits of it are no NHS number */
	TEXT_NAME, /* printable UTF-8 with spaces, at most REF_BYTES_MAX */
};
/* NULL when fine, else what is wrong with it, for a person. An empty text is fine: "required" is the caller's. */
const char *unpack_text(const char *s, enum text_kind kind, struct text *ret);
/* Ten digits together, spaces and hyphens aside: the shape of an NHS number. */
bool text_looks_like_nhs_number(struct text t);
