/* reflect.h — any protobuf-c message as JSON, and JSON as a message, from the descriptors alone.
 *
 * Shape:   one line, fields in .proto order; enums as words (STANDARD of URGENCY_STANDARD -> "standard"), bytes as
 *          hex, 64-bit integers as numbers; default values left out, a set oneof member always shown.
 *          Reading takes the same, and for a field named ..._us also a text as when.h reads it. null: not given.
 * Errors:  reading is strict: an unknown or repeated field, a wrong type or range is refused, naming the field.
 * Owner:   a message that was read lives in the caller's arena; never free_unpacked it.
 * Loop:    no recursion: at most REFLECT_DEPTH_MAX messages deep, in both directions.
 */
#pragma once

#include "base/arena.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdio.h>

enum { REFLECT_DEPTH_MAX = 12, REFLECT_WORD_MAX = 48 };

struct reflect_problem {
	char field[160]; /* visits[2].minutes; empty: the text as a whole */
	char problem[200];
	size_t at; /* the byte where reading stopped */
};

void reflect_print(FILE *out, const ProtobufCMessage *message);
void reflect_print_text(FILE *out, const char *text);

__attribute__((warn_unused_result)) bool reflect_parse(const ProtobufCMessageDescriptor *descriptor,
						       const char *text, size_t len, struct arena *arena,
						       ProtobufCMessage **ret_message,
						       struct reflect_problem *problem);

/* Bytes of one element in the array of a repeated field. */
size_t reflect_element_size(ProtobufCType type);

/* "personal_care"; the number itself for a value this program does not know. Lives in word. */
const char *reflect_enum_word(const ProtobufCEnumDescriptor *descriptor, int value,
			      char word[REFLECT_WORD_MAX]);
/* Takes the word in either case, or the full name; "unspecified" too. */
bool reflect_enum_value(const ProtobufCEnumDescriptor *descriptor, const char *word, int *ret_value);
