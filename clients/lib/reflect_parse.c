#include "reflect.h"

#include "base/check.h"
#include "json.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where reading stands in one message of the stack. */
struct parse_frame {
	ProtobufCMessage *message;
	const ProtobufCFieldDescriptor *field; /* being read */
	bool in_array;
	size_t capacity; /* of the array being read */
	uint64_t seen;   /* bit: index of the field */
};

struct parser {
	struct json json;
	struct arena *arena;
	struct reflect_problem *problem;
	struct parse_frame stack[REFLECT_DEPTH_MAX];
	int top;
};

/* Names the field by its path; always false. */
__attribute__((format(printf, 2, 3))) static bool parser_fail(struct parser *p, const char *format, ...)
{
	char *path = p->problem->field;
	size_t room = sizeof p->problem->field, used = 0;
	va_list arguments;

	path[0] = '\0';
	for (int i = 0; i <= p->top && used < room; i++) {
		const struct parse_frame *at = &p->stack[i];
		int n = 0;

		if (at->field == NULL)
			break;
		n = snprintf(path + used, room - used, "%s%s", i > 0 ? "." : "", at->field->name);
		used += n > 0 ? (size_t)n : 0;
		if (at->in_array && used < room) {
			const char *base = (const char *)at->message;
			size_t count = *(const size_t *)(const void *)(base + at->field->quantifier_offset);

			n = snprintf(path + used, room - used, "[%zu]",
				     count > 0 && i < p->top ? count - 1 : count);
			used += n > 0 ? (size_t)n : 0;
		}
	}
	va_start(arguments, format);
	vsnprintf(p->problem->problem, sizeof p->problem->problem, format, arguments);
	va_end(arguments);
	p->problem->at = p->json.at;
	return false;
}

static bool parser_json_failed(struct parser *p)
{
	return parser_fail(p, "%s", p->json.problem != NULL ? p->json.problem : "not valid JSON");
}

static const char *parser_wants(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL:
		return "true or false";
	case PROTOBUF_C_TYPE_STRING:
		return "a text in quotes";
	case PROTOBUF_C_TYPE_BYTES:
		return "a text of hex digits";
	case PROTOBUF_C_TYPE_ENUM:
		return "a word in quotes";
	case PROTOBUF_C_TYPE_MESSAGE:
		return "an object in braces";
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return "a whole number";
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return "something this program does not know";
	}
	UNREACHABLE();
}

static bool parser_integer(struct parser *p, const struct json_token *t, void *to, int bits, bool is_signed)
{
	int64_t low = !is_signed ? 0 : bits == 32 ? INT32_MIN : INT64_MIN;
	uint64_t high = is_signed ? (bits == 32 ? (uint64_t)INT32_MAX : (uint64_t)INT64_MAX)
				  : (bits == 32 ? UINT32_MAX : UINT64_MAX);
	bool negative = t->text[0] == '-', fits;
	uint64_t size;

	if (strspn(t->text, "-0123456789") != t->len)
		return parser_fail(p, "needs a whole number, has %s", t->text);
	errno = 0;
	size = strtoumax(t->text + negative, NULL, 10);
	fits = errno == 0 && (negative ? size <= (uint64_t)0 - (uint64_t)low : size <= high);
	if (!fits)
		return parser_fail(p, "needs a whole number from %" PRId64 " to %" PRIu64 ", has %s", low,
				   high, t->text);
	if (negative)
		size = (uint64_t)0 - size;
	if (bits == 32)
		*(uint32_t *)to = (uint32_t)size;
	else
		*(uint64_t *)to = size;
	return true;
}

static bool parser_enum(struct parser *p, const struct json_token *t, const ProtobufCEnumDescriptor *d,
			void *to)
{
	char words[160] = "", word[REFLECT_WORD_MAX];
	size_t used = 0;

	if (reflect_enum_value(d, t->text, to))
		return true;
	for (unsigned i = 0; i < d->n_values && used < sizeof words; i++) {
		if (d->values[i].value == 0)
			continue;
		int n = snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "",
				 reflect_enum_word(d, d->values[i].value, word));
		used += n > 0 ? (size_t)n : 0;
	}
	return parser_fail(p, "\"%.40s\" is not one of: %s", t->text, words);
}

static bool parser_bytes(struct parser *p, const struct json_token *t, ProtobufCBinaryData *to)
{
	uint8_t *data = arena_array(p->arena, t->len / 2 + 1, 1);

	if (data == NULL)
		return parser_fail(p, "the text is too large");
	if (t->len % 2 != 0 || strspn(t->text, "0123456789abcdefABCDEF") != t->len)
		return parser_fail(p, "needs an even number of hex digits");
	for (size_t i = 0; i < t->len / 2; i++) {
		char pair[3] = {t->text[2 * i], t->text[2 * i + 1], '\0'};

		data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	*to = (ProtobufCBinaryData){t->len / 2, data};
	return true;
}

/* A decoded string for a text, enum, bytes or instant field. */
static bool parser_from_text(struct parser *p, const ProtobufCFieldDescriptor *f, const struct json_token *t,
			     void *to)
{
	size_t len = strlen(f->name);

	if (f->type == PROTOBUF_C_TYPE_ENUM)
		return parser_enum(p, t, f->descriptor, to);
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return parser_bytes(p, t, to);
	if (f->type == PROTOBUF_C_TYPE_INT64 && len > 3 && strcmp(f->name + len - 3, "_us") == 0) {
		if (when_parse_us(t->text, to))
			return true;
		return parser_fail(p, "\"%.40s\" is not an instant; write e.g. 2026-12-19T14:00:00Z",
				   t->text);
	}
	if (f->type != PROTOBUF_C_TYPE_STRING)
		return parser_fail(p, "needs %s, has a text", parser_wants(f->type));
	*(const char **)to = t->text;
	return true;
}

static bool parser_scalar(struct parser *p, const ProtobufCFieldDescriptor *f, const struct json_token *t,
			  void *to)
{
	bool is_signed = f->type == PROTOBUF_C_TYPE_INT32 || f->type == PROTOBUF_C_TYPE_SINT32 ||
			 f->type == PROTOBUF_C_TYPE_SFIXED32 || f->type == PROTOBUF_C_TYPE_INT64 ||
			 f->type == PROTOBUF_C_TYPE_SINT64 || f->type == PROTOBUF_C_TYPE_SFIXED64;
	bool is_64 = f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_SINT64 ||
		     f->type == PROTOBUF_C_TYPE_SFIXED64 || f->type == PROTOBUF_C_TYPE_UINT64 ||
		     f->type == PROTOBUF_C_TYPE_FIXED64;
	bool is_32 = f->type == PROTOBUF_C_TYPE_INT32 || f->type == PROTOBUF_C_TYPE_SINT32 ||
		     f->type == PROTOBUF_C_TYPE_SFIXED32 || f->type == PROTOBUF_C_TYPE_UINT32 ||
		     f->type == PROTOBUF_C_TYPE_FIXED32;

	if (t->kind == JSON_STRING)
		return parser_from_text(p, f, t, to);
	if (t->kind == JSON_NUMBER && (is_64 || is_32))
		return parser_integer(p, t, to, is_64 ? 64 : 32, is_signed);
	if ((t->kind == JSON_TRUE || t->kind == JSON_FALSE) && f->type == PROTOBUF_C_TYPE_BOOL) {
		*(protobuf_c_boolean *)to = t->kind == JSON_TRUE;
		return true;
	}
	if (t->kind == JSON_BAD)
		return parser_json_failed(p);
	return parser_fail(p, "needs %s", parser_wants(f->type));
}

/* The place for one more element of the array being read; NULL: no room. Counted by the caller when it is filled. */
static void *parser_element(struct parser *p, struct parse_frame *at)
{
	char *base = (char *)at->message;
	size_t count = *(size_t *)(void *)(base + at->field->quantifier_offset);
	size_t size = reflect_element_size(at->field->type);
	char **elements = (char **)(void *)(base + at->field->offset);

	if (count == at->capacity) {
		size_t capacity = count == 0 ? 8 : count * 2;
		char *grown = arena_array(p->arena, capacity, size);

		if (grown == NULL)
			return NULL;
		if (count > 0)
			memcpy(grown, *elements, count * size);
		*elements = grown;
		at->capacity = capacity;
	}
	return *elements + count * size;
}

static bool parser_push(struct parser *p, const ProtobufCMessageDescriptor *d, void *to)
{
	ProtobufCMessage *m;

	if (p->top + 1 == REFLECT_DEPTH_MAX)
		return parser_fail(p, "nested too deeply");
	INSIST(d->n_fields <= 64);
	m = arena_array(p->arena, 1, d->sizeof_message);
	if (m == NULL)
		return parser_fail(p, "the text is too large");
	protobuf_c_message_init(d, m);
	*(ProtobufCMessage **)to = m;
	p->stack[++p->top] = (struct parse_frame){.message = m};
	return true;
}

/* One value for the field at hand: a scalar is stored, an object opened. */
static bool parser_value(struct parser *p, struct parse_frame *at, const struct json_token *t)
{
	const ProtobufCFieldDescriptor *f = at->field;
	char *base = (char *)at->message;

	INSIST(f != NULL);

	void *to = at->in_array ? parser_element(p, at) : base + f->offset;

	if (to == NULL)
		return parser_fail(p, "the text is too large");
	if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
		if (!parser_scalar(p, f, t, to))
			return false;
	} else if (t->kind == JSON_BAD) {
		return parser_json_failed(p);
	} else if (t->kind != JSON_OBJECT) {
		return parser_fail(p, "needs %s", parser_wants(f->type));
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE && !parser_push(p, f->descriptor, to))
		return false;
	if (at->in_array)
		++*(size_t *)(void *)(base + f->quantifier_offset);
	else if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
		*(uint32_t *)(void *)(base + f->quantifier_offset) = f->id;
	return true;
}

static bool parser_name(struct parser *p, struct parse_frame *at, const struct json_token *name)
{
	const ProtobufCMessageDescriptor *d = at->message->descriptor;
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, name->text);
	const char *base = (const char *)at->message;
	struct json_token value;

	if (f == NULL)
		return parser_fail(p, "%s has no field \"%.60s\"", d->short_name, name->text);
	at->field = f;
	if ((at->seen >> (f - d->fields) & 1) != 0)
		return parser_fail(p, "is given twice");
	at->seen |= (uint64_t)1 << (f - d->fields);
	value = json_next(&p->json);
	if (value.kind == JSON_NULL)
		return true;
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
	    *(const uint32_t *)(const void *)(base + f->quantifier_offset) != 0)
		return parser_fail(p, "cannot stand beside the other member of its oneof");
	if (f->label != PROTOBUF_C_LABEL_REPEATED)
		return parser_value(p, at, &value);
	if (value.kind == JSON_BAD)
		return parser_json_failed(p);
	if (value.kind != JSON_ARRAY)
		return parser_fail(p, "needs a list in brackets");
	at->in_array = true;
	at->capacity = 0;
	return true;
}

static bool parser_step(struct parser *p)
{
	struct parse_frame *at = &p->stack[p->top];
	struct json_token t = json_next(&p->json);

	if (!at->in_array)
		at->field = NULL;
	if (t.kind == JSON_BAD)
		return parser_json_failed(p);
	if (at->in_array) {
		if (t.kind != JSON_ARRAY_END)
			return parser_value(p, at, &t);
		at->in_array = false;
		return true;
	}
	if (t.kind == JSON_NAME)
		return parser_name(p, at, &t);
	INSIST(t.kind == JSON_OBJECT_END);
	p->top--;
	return true;
}

bool reflect_parse(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t len,
		   struct arena *arena, ProtobufCMessage **ret_message, struct reflect_problem *problem)
{
	struct parser p = {.arena = arena, .problem = problem, .top = -1};
	ProtobufCMessage *message = NULL;
	struct json_token t;

	memset(problem, 0, sizeof *problem);
	json_init(&p.json, text, len, arena);
	t = json_next(&p.json);
	if (t.kind == JSON_BAD)
		return parser_json_failed(&p);
	if (t.kind != JSON_OBJECT)
		return parser_fail(&p, "needs an object in braces");
	if (!parser_push(&p, descriptor, &message))
		return false;
	while (p.top >= 0) {
		if (!parser_step(&p))
			return false;
	}
	if (json_next(&p.json).kind != JSON_END)
		return parser_json_failed(&p);
	*ret_message = message;
	return true;
}
