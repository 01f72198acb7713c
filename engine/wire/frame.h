/* frame.h — length-prefixed frames: 4 bytes big-endian length, then that many bytes of one Envelope.
 *
 * Errors: ERR_MORE until the frame is whole; ERR_TOO_BIG as soon as the length says so, before the body arrives.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEAD_BYTES = 4 };

enum err frame_peek(const uint8_t *bytes, size_t len, size_t body_max, const uint8_t **ret_body, size_t *ret_body_len)
	ERR_MUST_CHECK;
void frame_put_head(uint8_t head[FRAME_HEAD_BYTES], size_t body_len);
