/* json.h — a strict JSON reader (RFC 8259): one text in memory, one token at a time.
 *
 * Shape:   at most JSON_DEPTH_MAX containers deep; nothing after the one value but white space.
 * Errors:  JSON_BAD, with problem and at (the byte) set; every later call repeats it.
 *          Strings must be UTF-8 without NUL, a name or string at most the arena's room.
 * Owner:   borrows the text; decoded strings live in the caller's arena.
 */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

enum json_kind {
	JSON_BAD,
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_NAME,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_END,
};

struct json_token {
	enum json_kind kind;
	const char *text; /* NAME and STRING: decoded, with a NUL; NUMBER: as written, with a NUL */
	size_t len;
};

struct json {
	const char *text;
	size_t len, at;
	struct arena *arena;
	int depth;
	uint32_t arrays; /* bit i: the container at depth i+1 is an array */
	enum { JSON_WANTS_VALUE, JSON_WANTS_FIRST, JSON_WANTS_NAME, JSON_WANTS_COLON, JSON_WANTS_MORE } wants;
	const char *problem;
};

void json_init(struct json *j, const char *text, size_t len, struct arena *arena);
struct json_token json_next(struct json *j);
/* Well-formed UTF-8 without NUL, surrogates or overlong forms. */
bool json_is_text(const char *text, size_t len);
