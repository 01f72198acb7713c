#include "format.h"

#include "reflect.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static struct tm format_local(int64_t us)
{
	time_t seconds = (time_t)(us / 1000000 - (us % 1000000 < 0));
	struct tm t = {0};

	localtime_r(&seconds, &t);
	return t;
}

struct text format_money(int64_t pence)
{
	struct text t;
	uint64_t size = pence < 0 ? (uint64_t)0 - (uint64_t)pence : (uint64_t)pence;

	snprintf(t.s, sizeof t.s, "%s%" PRIu64 ".%02" PRIu64, pence < 0 ? "-" : "", size / 100, size % 100);
	return t;
}

struct text format_hours(int64_t minutes)
{
	struct text t;

	snprintf(t.s, sizeof t.s, "%" PRId64 "h%02" PRId64, minutes / 60, minutes % 60);
	return t;
}

struct text format_count(int64_t count)
{
	struct text t;
	char digits[24];
	size_t used = 0, len = (size_t)snprintf(digits, sizeof digits, "%" PRId64, count);

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			t.s[used++] = ',';
		t.s[used++] = digits[i];
	}
	t.s[used] = '\0';
	return t;
}

enum format_pattern {
	FORMAT_INSTANT,
	FORMAT_ISO,
	FORMAT_WHEN,
	FORMAT_WHEN_YEAR,
	FORMAT_DAY,
	FORMAT_DAY_YEAR
};

static struct text format_time(int64_t us, enum format_pattern pattern)
{
	struct text t = {""};
	struct tm local = format_local(us);

	if (us == 0)
		return t;
	switch (pattern) {
	case FORMAT_INSTANT:
		strftime(t.s, sizeof t.s, "%Y-%m-%d %H:%M", &local);
		break;
	case FORMAT_ISO:
		strftime(t.s, sizeof t.s, "%Y-%m-%dT%H:%M:%S%z", &local);
		break;
	case FORMAT_WHEN:
		strftime(t.s, sizeof t.s, "%a %-d %b %H:%M", &local);
		break;
	case FORMAT_WHEN_YEAR:
		strftime(t.s, sizeof t.s, "%a %-d %b %Y %H:%M", &local);
		break;
	case FORMAT_DAY:
		strftime(t.s, sizeof t.s, "%a %-d %b", &local);
		break;
	case FORMAT_DAY_YEAR:
		strftime(t.s, sizeof t.s, "%a %-d %b %Y", &local);
		break;
	}
	return t;
}

struct text format_instant(int64_t us)
{
	return format_time(us, FORMAT_INSTANT);
}

struct text format_iso(int64_t us)
{
	struct text t = format_time(us, FORMAT_ISO);
	size_t len = strlen(t.s);

	if (len > 2) { /* +0100 -> +01:00 */
		memmove(t.s + len - 1, t.s + len - 2, 3);
		t.s[len - 2] = ':';
	}
	return t;
}

static int format_this_year(void)
{
	return format_local((int64_t)time(NULL) * 1000000).tm_year;
}

struct text format_when(int64_t us)
{
	return format_time(us,
			   format_local(us).tm_year == format_this_year() ? FORMAT_WHEN : FORMAT_WHEN_YEAR);
}

struct text format_day(int64_t us)
{
	return format_time(us, format_local(us).tm_year == format_this_year() ? FORMAT_DAY : FORMAT_DAY_YEAR);
}

struct text format_date(const char *date)
{
	struct tm day = {.tm_hour = 12};
	struct text t;
	int year, month;

	if (sscanf(date, "%4d-%2d-%2d", &year, &month, &day.tm_mday) != 3) {
		snprintf(t.s, sizeof t.s, "%s", date);
		return t;
	}
	day.tm_year = year - 1900;
	day.tm_mon = month - 1;
	return format_day((int64_t)timegm(&day) * 1000000);
}

struct text format_duration(int64_t us)
{
	struct text t;
	int64_t s = us / 1000000;

	if (us < 0)
		snprintf(t.s, sizeof t.s, "unknown");
	else if (us < 1000)
		snprintf(t.s, sizeof t.s, "%" PRId64 " us", us);
	else if (us < 1000000)
		snprintf(t.s, sizeof t.s, "%" PRId64 ".%" PRId64 " ms", us / 1000, us % 1000 / 100);
	else if (s < 60)
		snprintf(t.s, sizeof t.s, "%" PRId64 ".%" PRId64 " s", s, us % 1000000 / 100000);
	else if (s < 3600)
		snprintf(t.s, sizeof t.s, "%" PRId64 " min", s / 60);
	else if (s < 86400)
		snprintf(t.s, sizeof t.s, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
	else
		snprintf(t.s, sizeof t.s, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
	return t;
}

struct text format_hex(ProtobufCBinaryData bytes, size_t bytes_max)
{
	static const char hex[] = "0123456789abcdef";
	struct text t;
	size_t used = 0;

	for (size_t i = 0; i < bytes.len && used + 2 < sizeof t.s && (bytes_max == 0 || i < bytes_max); i++) {
		t.s[used++] = hex[bytes.data[i] >> 4];
		t.s[used++] = hex[bytes.data[i] & 15];
	}
	t.s[used] = '\0';
	return t;
}

struct text format_word(const ProtobufCEnumDescriptor *descriptor, int value)
{
	struct text t = {""};
	char word[REFLECT_WORD_MAX];

	if (value != 0)
		snprintf(t.s, sizeof t.s, "%s", reflect_enum_word(descriptor, value, word));
	return t;
}

struct text format_phrase(const ProtobufCEnumDescriptor *descriptor, int value)
{
	struct text t = format_word(descriptor, value);

	for (char *c = t.s; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	return t;
}

struct text format_loud(const ProtobufCEnumDescriptor *descriptor, int value)
{
	struct text t = format_word(descriptor, value);

	for (char *c = t.s; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return t;
}

size_t format_clean(FILE *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t width = 0;

	while (*c != '\0') {
		size_t n = *c < 0x80                 ? 1
			   : *c >= 0xc2 && *c < 0xe0 ? 2
			   : (*c & 0xf0) == 0xe0     ? 3
			   : *c >= 0xf0 && *c < 0xf5 ? 4
						     : 0;

		for (size_t i = 1; i < n; i++) {
			if ((c[i] & 0xc0) != 0x80)
				n = 0;
		}
		if (n == 0 || *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) {
			putc('?', out);
			n = n == 0 ? 1 : n;
		} else {
			fwrite(c, 1, n, out);
		}
		c += n;
		width++;
	}
	return width;
}
