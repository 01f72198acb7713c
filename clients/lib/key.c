/* UUIDv7, RFC 9562 5.7 with method 1 of 6.2: 48-bit milliseconds, 12-bit counter, 62 random bits. */
#include "calloff.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { COUNTER_MAX = 0xfff, COUNTER_START_MASK = 0x3ff, KEY_DIGITS = 32 };

enum calloff_fault calloff_key_new(struct calloff_key_source *source, uint8_t ret_key[CALLOFF_KEY_BYTES],
				   struct calloff_error *error)
{
	uint8_t random[10];
	struct timespec now;
	uint64_t ms;

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0)
		return calloff_error_set(error, CALLOFF_SYSTEM, "no key could be made", strerror(errno),
					 "check the system's clock and random source");
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (ms > source->last_ms) {
		source->last_ms = ms;
		source->counter = (uint32_t)(random[8] << 8 | random[9]) & COUNTER_START_MASK;
	} else if (++source->counter > COUNTER_MAX) {
		/* the clock stands or went back: run ahead of it, stay in order */
		source->last_ms++;
		source->counter = 0;
	}
	for (int i = 0; i < 6; i++)
		ret_key[i] = (uint8_t)(source->last_ms >> (40 - 8 * i));
	ret_key[6] = (uint8_t)(0x70 | source->counter >> 8);
	ret_key[7] = (uint8_t)source->counter;
	memcpy(ret_key + 8, random, 8);
	ret_key[8] = (uint8_t)(0x80 | (ret_key[8] & 0x3f));
	return CALLOFF_OK;
}

void calloff_key_format(const uint8_t key[CALLOFF_KEY_BYTES], char ret_text[37])
{
	static const char hex[] = "0123456789abcdef";
	char *to = ret_text;

	for (int i = 0; i < CALLOFF_KEY_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = hex[key[i] >> 4];
		*to++ = hex[key[i] & 15];
	}
	*to = '\0';
}

bool calloff_key_parse(const char *text, uint8_t ret_key[CALLOFF_KEY_BYTES])
{
	uint8_t key[CALLOFF_KEY_BYTES];
	char again[37];
	size_t digits = 0;

	if (strlen(text) != 36)
		return false;
	for (const char *at = text; *at != '\0'; at++) {
		int c = tolower((unsigned char)*at);
		int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (value < 0)
			continue;
		if (digits >= KEY_DIGITS)
			return false;
		key[digits / 2] = (uint8_t)(digits % 2 == 0 ? value << 4 : key[digits / 2] | value);
		digits++;
	}
	if (digits != KEY_DIGITS || key[6] >> 4 != 7 || key[8] >> 6 != 2)
		return false;
	calloff_key_format(key, again); /* the dashes must stand where they belong */
	for (int i = 0; i < 36; i++) {
		if ((again[i] == '-') != (text[i] == '-'))
			return false;
	}
	memcpy(ret_key, key, sizeof key);
	return true;
}
