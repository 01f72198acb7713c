#include "wire/frame.h"

enum err frame_peek(const uint8_t *bytes, size_t len, size_t body_max, const uint8_t **ret_body, size_t *ret_body_len)
{
	size_t n;

	if (len < FRAME_HEAD_BYTES)
		return ERR_MORE;
	n = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
	if (n > body_max)
		return ERR_TOO_BIG;
	if (len - FRAME_HEAD_BYTES < n)
		return ERR_MORE;
	*ret_body = bytes + FRAME_HEAD_BYTES;
	*ret_body_len = n;
	return ERR_OK;
}

void frame_put_head(uint8_t head[FRAME_HEAD_BYTES], size_t body_len)
{
	head[0] = (uint8_t)(body_len >> 24);
	head[1] = (uint8_t)(body_len >> 16);
	head[2] = (uint8_t)(body_len >> 8);
	head[3] = (uint8_t)body_len;
}
