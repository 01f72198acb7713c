#include "reflect.h"

#include "base/check.h"
#include "json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Where printing stands in one message of the stack. */
struct print_frame {
	const ProtobufCMessage *message;
	size_t element;
	unsigned field;
	bool any;
};

/* PACKAGE_STATE_ of PACKAGE_STATE_UNSPECIFIED: every enum of ours has that zero. */
static size_t reflect_prefix(const ProtobufCEnumDescriptor *descriptor)
{
	const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(descriptor, 0);
	const char *tail = zero != NULL ? strstr(zero->name, "UNSPECIFIED") : NULL;

	return tail != NULL ? (size_t)(tail - zero->name) : 0;
}

const char *reflect_enum_word(const ProtobufCEnumDescriptor *descriptor, int value,
			      char word[REFLECT_WORD_MAX])
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(descriptor, value);

	if (found == NULL)
		snprintf(word, REFLECT_WORD_MAX, "%d", value);
	else
		snprintf(word, REFLECT_WORD_MAX, "%s", found->name + reflect_prefix(descriptor));
	for (char *c = word; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return word;
}

bool reflect_enum_value(const ProtobufCEnumDescriptor *descriptor, const char *word, int *ret_value)
{
	size_t prefix = reflect_prefix(descriptor);

	for (unsigned i = 0; i < descriptor->n_values; i++) {
		const char *name = descriptor->values[i].name;

		if (strcasecmp(name + prefix, word) == 0 || strcmp(name, word) == 0) {
			*ret_value = descriptor->values[i].value;
			return true;
		}
	}
	return false;
}

void reflect_print_text(FILE *out, const char *text)
{
	bool valid = json_is_text(text, strlen(text));

	putc('"', out);
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(out, "\\u%04x", *c);
		else if (*c >= 0x80 && !valid)
			fputs("\\ufffd", out);
		else
			putc(*c, out);
	}
	putc('"', out);
}

size_t reflect_element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	}
	UNREACHABLE();
}

static void reflect_print_bytes(FILE *out, const ProtobufCBinaryData *bytes)
{
	putc('"', out);
	for (size_t i = 0; i < bytes->len; i++)
		fprintf(out, "%02x", bytes->data[i]);
	putc('"', out);
}

static void reflect_print_scalar(FILE *out, const ProtobufCFieldDescriptor *f, const void *value)
{
	char word[REFLECT_WORD_MAX];

	switch (f->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		fprintf(out, "%" PRId32, *(const int32_t *)value);
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		fprintf(out, "%" PRIu32, *(const uint32_t *)value);
		return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		fprintf(out, "%" PRId64, *(const int64_t *)value);
		return;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		fprintf(out, "%" PRIu64, *(const uint64_t *)value);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		fputs(*(const protobuf_c_boolean *)value ? "true" : "false", out);
		return;
	case PROTOBUF_C_TYPE_ENUM:
		fprintf(out, "\"%s\"", reflect_enum_word(f->descriptor, *(const int *)value, word));
		return;
	case PROTOBUF_C_TYPE_STRING:
		reflect_print_text(out,
				   *(const char *const *)value != NULL ? *(const char *const *)value : "");
		return;
	case PROTOBUF_C_TYPE_BYTES:
		reflect_print_bytes(out, value);
		return;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE: /* the schema has none: money is pence, time is minutes */
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	fputs("null", out);
}

/* Is there something to print in this singular field? */
static bool reflect_is_set(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	static const unsigned char zero[8];
	const char *base = (const char *)m;
	const void *value = base + f->offset;

	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
		return *(const uint32_t *)(const void *)(base + f->quantifier_offset) == f->id;
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const void *const *)value != NULL;
	if (f->type == PROTOBUF_C_TYPE_STRING)
		return *(const char *const *)value != NULL && **(const char *const *)value != '\0';
	if (f->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)value)->len > 0;
	return memcmp(value, zero, reflect_element_size(f->type)) != 0;
}

/* Prints one field's value or, for a message, returns it to be printed next. */
static const ProtobufCMessage *reflect_print_field(FILE *out, struct print_frame *at,
						   const ProtobufCFieldDescriptor *f)
{
	const char *base = (const char *)at->message;
	const char *value = base + f->offset;
	size_t count = 0;

	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		count = *(const size_t *)(const void *)(base + f->quantifier_offset);
		if (at->element == count) {
			if (count > 0)
				putc(']', out);
			at->field++;
			at->element = 0;
			return NULL;
		}
		value = *(const char *const *)(const void *)value +
			at->element * reflect_element_size(f->type);
	} else if (!reflect_is_set(at->message, f)) {
		at->field++;
		return NULL;
	}
	if (at->element > 0)
		putc(',', out);
	else
		fprintf(out, "%s\"%s\":%s", at->any ? "," : "", f->name, count > 0 ? "[" : "");
	at->any = true;
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		at->element++;
	else
		at->field++;
	if (f->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const ProtobufCMessage *const *)(const void *)value;
	reflect_print_scalar(out, f, value);
	return NULL;
}

void reflect_print(FILE *out, const ProtobufCMessage *message)
{
	struct print_frame stack[REFLECT_DEPTH_MAX] = {{.message = message}};
	int top = 0;

	putc('{', out);
	while (top >= 0) {
		struct print_frame *at = &stack[top];
		const ProtobufCMessageDescriptor *d = at->message->descriptor;

		if (at->field == d->n_fields) {
			putc('}', out);
			top--;
			continue;
		}

		const ProtobufCMessage *inner = reflect_print_field(out, at, &d->fields[at->field]);

		if (inner == NULL)
			continue;
		if (top + 1 == REFLECT_DEPTH_MAX) {
			fputs("null", out);
			continue;
		}
		putc('{', out);
		stack[++top] = (struct print_frame){.message = inner};
	}
}
