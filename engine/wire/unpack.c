#include "wire/unpack.h"

#include <string.h>

enum { SIZE_HEAD_BYTES = 16 }; /* keeps what follows aligned */

static void *unpack_alloc(void *arena, size_t size)
{
	unsigned char *p = size > UNPACK_BYTES_MAX ? NULL : arena_alloc(arena, size + SIZE_HEAD_BYTES);

	if (p == NULL)
		return NULL;
	memcpy(p, &size, sizeof size);
	return p + SIZE_HEAD_BYTES;
}

static void unpack_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

enum err unpack_envelope(struct arena *arena, const uint8_t *body, size_t len, Calloff__V1__Envelope **ret)
{
	ProtobufCAllocator allocator = {.alloc = unpack_alloc, .free = unpack_free, .allocator_data = arena};
	Calloff__V1__Envelope *envelope = calloff__v1__envelope__unpack(&allocator, len, body);

	if (envelope == NULL)
		return ERR_NOT_DECODED;
	*ret = envelope;
	return ERR_OK;
}

static bool ref_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
	       c == ':' || c == '/' || c == '-';
}

/* Length of one well-formed UTF-8 character, 0 when it is not (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const struct {
		uint8_t first_low, first_high, second_low, second_high, length;
	} forms[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		     {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		     {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		size_t length = forms[i].length;

		if (s[0] < forms[i].first_low || s[0] > forms[i].first_high)
			continue;
		if (length > left || (length > 1 && (s[1] < forms[i].second_low || s[1] > forms[i].second_high)))
			return 0;
		for (size_t k = 2; k < length; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return length;
	}
	return 0;
}

static const char *text_wrong(const unsigned char *s, size_t len, enum text_kind kind)
{
	size_t length;

	for (size_t i = 0; i < len; i += length) {
		length = 1;
		if (kind != TEXT_NAME && !ref_byte(s[i]))
			return "may hold only letters, digits and . _ : / -";
		if (kind == TEXT_NAME && (length = utf8_length(s + i, len - i)) == 0)
			return "is not valid UTF-8";
		if (s[i] < 0x20 || s[i] == 0x7f)
			return "holds a control character";
	}
	return NULL;
}

const char *unpack_text(const char *s, enum text_kind kind, struct text *ret)
{
	size_t len = s == NULL ? 0 : strlen(s), allocated;
	const char *wrong;

	*ret = (struct text){s == NULL ? "" : s, (uint32_t)len};
	if (s != NULL && s != protobuf_c_empty_string) {
		memcpy(&allocated, s - SIZE_HEAD_BYTES, sizeof allocated);
		if (allocated != len + 1)
			return "holds a NUL byte";
	}
	if (len > (kind == TEXT_ID || kind == TEXT_PACKAGE ? (size_t)ID_BYTES_MAX : (size_t)REF_BYTES_MAX))
		return kind == TEXT_ID || kind == TEXT_PACKAGE ? "is longer than 24 bytes" : "is longer than 64 bytes";
	wrong = text_wrong((const unsigned char *)ret->bytes, len, kind);
	if (wrong != NULL)
		return wrong;
	if (kind != TEXT_PACKAGE && text_looks_like_nhs_number(*ret))
		return "looks like an NHS number: use an opaque reference";
	return NULL;
}

bool text_looks_like_nhs_number(struct text t)
{
	uint32_t digits = 0;

	for (uint32_t i = 0; i <= t.len; i++) {
		char c = i < t.len ? t.bytes[i] : 'x';

		if (c >= '0' && c <= '9') {
			digits++;
		} else if ((c == ' ' || c == '-') && (digits == 3 || digits == 6)) {
			continue; /* 943 476 5919 */
		} else {
			if (digits == 10)
				return true;
			digits = 0;
		}
	}
	return false;
}
