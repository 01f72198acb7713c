#include "kit/kit.h"

#include "base/limits.h"
#include "wire/frame.h"

#include <string.h>

KIT_SUITE(frame);

static const uint8_t *body;
static size_t body_len;

static enum err peek(const void *bytes, size_t len, size_t max)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	enum err e;

	memcpy(exact, bytes, len);
	e = frame_peek(exact, len, max, &body, &body_len);
	if (e == ERR_OK) {
		cr_expect_eq(body, exact + FRAME_HEAD_BYTES);
		cr_expect_leq(body_len, len - FRAME_HEAD_BYTES);
	}
	free(exact);
	return e;
}

Test(frame, every_cut_asks_for_more)
{
	const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c'};

	for (size_t cut = 0; cut < sizeof bytes; cut++)
		cr_expect_eq(peek(bytes, cut, 3), ERR_MORE, "cut at %zu", cut);
	cr_expect_eq(peek(bytes, sizeof bytes, 3), ERR_OK);
	cr_expect_eq(body_len, 3);
}

Test(frame, what_follows_is_left_for_the_next)
{
	const uint8_t bytes[] = {0, 0, 0, 1, 'a', 0, 0, 0, 2, 'b', 'c'};

	cr_expect_eq(peek(bytes, sizeof bytes, 10), ERR_OK);
	cr_expect_eq(body_len, 1);
}

Test(frame, an_empty_body_is_a_frame)
{
	const uint8_t bytes[] = {0, 0, 0, 0};

	cr_expect_eq(peek(bytes, sizeof bytes, 0), ERR_OK);
	cr_expect_eq(body_len, 0);
}

Test(frame, oversize_length_is_refused_before_the_body_arrives)
{
	const uint8_t bytes[] = {0xff, 0, 0, 0};
	const uint8_t one_more[] = {0, 0x10, 0, 1};

	cr_expect_eq(peek(bytes, 4, FRAME_BYTES_MAX), ERR_TOO_BIG);
	cr_expect_eq(peek(one_more, 4, FRAME_BYTES_MAX), ERR_TOO_BIG);
	cr_expect_eq(peek(one_more, 3, FRAME_BYTES_MAX), ERR_MORE);
	cr_expect_eq(peek("\0\x10\0\0", 4, FRAME_BYTES_MAX), ERR_MORE, "the largest allowed waits for its body");
}

Test(frame, the_head_reads_back)
{
	static const size_t lengths[] = {0, 1, 255, 256, 65535, 65536, FRAME_BYTES_MAX};
	static uint8_t bytes[FRAME_HEAD_BYTES + FRAME_BYTES_MAX];

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		frame_put_head(bytes, lengths[i]);
		cr_expect_eq(frame_peek(bytes, sizeof bytes, FRAME_BYTES_MAX, &body, &body_len), ERR_OK);
		cr_expect_eq(body_len, lengths[i]);
	}
}
