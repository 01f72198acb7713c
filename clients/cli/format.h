/* format.h — numbers, instants and words as an officer reads them.
 *
 * Units:   pence -> 623.28; minutes -> 15h45; us UTC -> local time (TZ; the program sets Europe/London if it is unset).
 * Shape:   every function returns its text by value: use it inside one expression, format_money(p).s
 * Errors:  none; an unknown enum value shows as its number, 0 instants as "".
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct text {
	char s[96];
};

struct text format_money(int64_t pence);
struct text format_hours(int64_t minutes);
struct text format_count(int64_t count);   /* 48,213 */
struct text format_instant(int64_t us);    /* 2026-12-20 08:00 */
struct text format_iso(int64_t us);        /* 2026-12-20T08:00:00+00:00 */
struct text format_when(int64_t us);       /* Sat 20 Dec 08:00, with the year if it is not this one */
struct text format_day(int64_t us);        /* Sat 20 Dec */
struct text format_date(const char *date); /* 2026-12-20 -> Sat 20 Dec */
struct text format_duration(int64_t us);   /* 3 d 4 h, 12 min, 0.8 s */
/* The first bytes_max bytes as hex; 0: all that fit. */
struct text format_hex(ProtobufCBinaryData bytes, size_t bytes_max);
/* personal_care */
struct text format_word(const ProtobufCEnumDescriptor *descriptor, int value);
/* personal care */
struct text format_phrase(const ProtobufCEnumDescriptor *descriptor, int value);
/* PROVISIONAL */
struct text format_loud(const ProtobufCEnumDescriptor *descriptor, int value);
/* Prints a text from outside: control characters and broken UTF-8 become '?'. Returns its width in characters. */
size_t format_clean(FILE *out, const char *text);
