#include "json.h"

#include <string.h>

void json_init(struct json *j, const char *text, size_t len, struct arena *arena)
{
	memset(j, 0, sizeof *j);
	j->text = text;
	j->len = len;
	j->arena = arena;
}

static struct json_token json_bad(struct json *j, const char *problem)
{
	if (j->problem == NULL)
		j->problem = problem;
	return (struct json_token){JSON_BAD, NULL, 0};
}

/* Bytes of the character at text, 0: it is not UTF-8. */
static size_t json_character(const unsigned char *text, size_t len)
{
	unsigned first = text[0];
	size_t more = first < 0x80                    ? 0
		      : first >= 0xc2 && first < 0xe0 ? 1
		      : (first & 0xf0) == 0xe0        ? 2
		      : first >= 0xf0 && first < 0xf5 ? 3
						      : 4;

	if (first == 0 || more > 3 || more >= len)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
		return 0;
	return more + 1;
}

bool json_is_text(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = json_character((const unsigned char *)text + at, len - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

static int json_hex4(const char *text)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = text[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static size_t json_encode(unsigned code, char *to)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 63));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 63));
		to[2] = (char)(0x80 | (code & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 63));
	to[2] = (char)(0x80 | (code >> 6 & 63));
	to[3] = (char)(0x80 | (code & 63));
	return 4;
}

/* After the backslash. Returns the bytes written, 0: not an escape. */
static size_t json_escape(struct json *j, char *to)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *found = NULL;
	char c = '\0';
	int code, low;

	if (j->at < j->len)
		c = j->text[j->at++];
	if (c != '\0')
		found = strchr(letters, c);
	if (found != NULL) {
		to[0] = meanings[found - letters];
		return 1;
	}
	if (c != 'u' || j->len - j->at < 4 || (code = json_hex4(j->text + j->at)) <= 0)
		return 0;
	j->at += 4;
	if (code < 0xd800 || code > 0xdfff)
		return json_encode((unsigned)code, to);
	if (code > 0xdbff || j->len - j->at < 6 || j->text[j->at] != '\\' || j->text[j->at + 1] != 'u')
		return 0;
	low = json_hex4(j->text + j->at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	j->at += 6;
	return json_encode(0x10000u + ((unsigned)(code - 0xd800) << 10) + (unsigned)(low - 0xdc00), to);
}

static struct json_token json_string(struct json *j, enum json_kind kind)
{
	size_t end = ++j->at, used = 0;
	char *to;

	while (end < j->len && j->text[end] != '"')
		end += j->text[end] == '\\' && end + 1 < j->len ? 2 : 1;
	if (end >= j->len)
		return json_bad(j, "a string does not end");
	to = arena_alloc(j->arena, end - j->at + 1); /* decoding never makes it longer */
	if (to == NULL)
		return json_bad(j, "the text is too large");
	while (j->text[j->at] != '"') {
		size_t n;

		if ((unsigned char)j->text[j->at] < 0x20)
			return json_bad(j, "a string holds a control character");
		if (j->text[j->at] == '\\') {
			j->at++;
			n = json_escape(j, to + used);
			if (n == 0)
				return json_bad(j, "a string holds an escape that is not valid");
			used += n;
			continue;
		}
		n = json_character((const unsigned char *)j->text + j->at, j->len - j->at);
		if (n == 0)
			return json_bad(j, "a string is not valid UTF-8");
		memcpy(to + used, j->text + j->at, n);
		used += n;
		j->at += n;
	}
	j->at++;
	to[used] = '\0';
	return (struct json_token){kind, to, used};
}

static size_t json_digits(const struct json *j, size_t at)
{
	size_t from = at;

	while (at < j->len && j->text[at] >= '0' && j->text[at] <= '9')
		at++;
	return at - from;
}

static struct json_token json_number(struct json *j)
{
	size_t at = j->at, n;
	char *to;

	if (j->text[at] == '-')
		at++;
	n = json_digits(j, at);
	if (n == 0 || (n > 1 && j->text[at] == '0'))
		return json_bad(j, "a number is not valid");
	at += n;
	if (at < j->len && j->text[at] == '.') {
		n = json_digits(j, at + 1);
		if (n == 0)
			return json_bad(j, "a number is not valid");
		at += n + 1;
	}
	if (at < j->len && (j->text[at] == 'e' || j->text[at] == 'E')) {
		at += at + 1 < j->len && (j->text[at + 1] == '+' || j->text[at + 1] == '-') ? 2 : 1;
		n = json_digits(j, at);
		if (n == 0)
			return json_bad(j, "a number is not valid");
		at += n;
	}
	to = arena_alloc(j->arena, at - j->at + 1);
	if (to == NULL)
		return json_bad(j, "the text is too large");
	memcpy(to, j->text + j->at, at - j->at);
	to[at - j->at] = '\0';
	n = at - j->at;
	j->at = at;
	return (struct json_token){JSON_NUMBER, to, n};
}

static struct json_token json_literal(struct json *j)
{
	static const struct {
		const char *word;
		enum json_kind kind;
	} literals[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};

	for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
		size_t n = strlen(literals[i].word);

		if (j->len - j->at >= n && memcmp(j->text + j->at, literals[i].word, n) == 0) {
			j->at += n;
			return (struct json_token){literals[i].kind, NULL, 0};
		}
	}
	return json_bad(j, "a value is expected here");
}

static struct json_token json_open(struct json *j, bool array)
{
	if (j->depth == JSON_DEPTH_MAX)
		return json_bad(j, "nested too deeply");
	j->arrays = (j->arrays & ~(1u << j->depth)) | (uint32_t)array << j->depth;
	j->depth++;
	j->at++;
	j->wants = JSON_WANTS_FIRST;
	return (struct json_token){array ? JSON_ARRAY : JSON_OBJECT, NULL, 0};
}

static bool json_in_array(const struct json *j)
{
	return j->depth > 0 && (j->arrays >> (j->depth - 1) & 1) != 0;
}

static void json_skip_space(struct json *j)
{
	while (j->at < j->len && (j->text[j->at] == ' ' || j->text[j->at] == '\t' || j->text[j->at] == '\n' ||
				  j->text[j->at] == '\r'))
		j->at++;
}

static struct json_token json_value(struct json *j)
{
	char c = j->text[j->at];

	if (c == '{' || c == '[')
		return json_open(j, c == '[');
	j->wants = JSON_WANTS_MORE;
	if (c == '"')
		return json_string(j, JSON_STRING);
	if (c == '-' || (c >= '0' && c <= '9'))
		return json_number(j);
	return json_literal(j);
}

struct json_token json_next(struct json *j)
{
	if (j->problem != NULL)
		return json_bad(j, j->problem);
	json_skip_space(j);
	if (j->depth == 0 && j->wants == JSON_WANTS_MORE)
		return j->at == j->len ? (struct json_token){JSON_END, NULL, 0}
				       : json_bad(j, "something follows the value");
	if (j->at == j->len)
		return json_bad(j, "the text ends too early");

	bool array = json_in_array(j);
	char c = j->text[j->at];

	if (j->depth > 0 && c == (array ? ']' : '}') &&
	    (j->wants == JSON_WANTS_FIRST || j->wants == JSON_WANTS_MORE)) {
		j->at++;
		j->depth--;
		j->wants = JSON_WANTS_MORE;
		return (struct json_token){array ? JSON_ARRAY_END : JSON_OBJECT_END, NULL, 0};
	}
	if (j->wants == JSON_WANTS_MORE) {
		if (c != ',')
			return json_bad(j, "a comma or the end of the list is expected here");
		j->at++;
		j->wants = array ? JSON_WANTS_VALUE : JSON_WANTS_NAME;
		json_skip_space(j);
		if (j->at == j->len)
			return json_bad(j, "the text ends too early");
	} else if (j->wants == JSON_WANTS_FIRST) {
		j->wants = array ? JSON_WANTS_VALUE : JSON_WANTS_NAME;
	} else if (j->wants == JSON_WANTS_COLON) {
		if (c != ':')
			return json_bad(j, "a colon is expected here");
		j->at++;
		j->wants = JSON_WANTS_VALUE;
		json_skip_space(j);
		if (j->at == j->len)
			return json_bad(j, "the text ends too early");
	}
	if (j->wants == JSON_WANTS_VALUE)
		return json_value(j);
	if (j->text[j->at] != '"')
		return json_bad(j, "a field's name in quotes is expected here");
	j->wants = JSON_WANTS_COLON;
	return json_string(j, JSON_NAME);
}
