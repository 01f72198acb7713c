/* fuzz_frame.c — bytes from a socket, frame after frame: never a crash, never a body past its limit or the buffer. */
#include "fuzz/fuzz.h"

#include "base/limits.h"
#include "wire/frame.h"
#include "wire/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char memory[2 * UNPACK_BYTES_MAX];
	static struct request request;
	struct arena arena = {memory, sizeof memory, 0};
	size_t body_max = FRAME_BYTES_MAX_BEFORE_HELLO, at = 0;

	while (at < size) {
		const uint8_t *body = NULL;
		size_t len = SIZE_MAX;
		enum err e = frame_peek(data + at, size - at, body_max, &body, &len);

		if (e != ERR_OK) {
			PROMISE((e == ERR_MORE || e == ERR_TOO_BIG) && body == NULL && len == SIZE_MAX);
			return 0;
		}
		PROMISE(len <= body_max && body == data + at + FRAME_HEAD_BYTES && len <= size - at - FRAME_HEAD_BYTES);
		arena_reset(&arena);
		if (request_parse(&arena, body, len, &request) == ERR_OK && request.kind == REQUEST_HELLO)
			body_max = FRAME_BYTES_MAX;
		PROMISE(arena.used <= arena.size);
		at += FRAME_HEAD_BYTES + len;
	}
	return 0;
}
