#include "when.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

/* Exactly count digits; -1: not so. */
static int when_number(const char **at, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool when_date(const char **at, struct tm *t)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;

	if ((year = when_number(at, 4)) < 1970 || *(*at)++ != '-' || (month = when_number(at, 2)) < 1 ||
	    month > 12 || *(*at)++ != '-' || (day = when_number(at, 2)) < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (day > days[month - 1] + (month == 2 && leap))
		return false;
	t->tm_year = year - 1900;
	t->tm_mon = month - 1;
	t->tm_mday = day;
	return true;
}

static bool when_clock(const char **at, struct tm *t, int64_t *us)
{
	int hour, minute, second = 0;

	if ((hour = when_number(at, 2)) < 0 || hour > 23 || *(*at)++ != ':' ||
	    (minute = when_number(at, 2)) < 0 || minute > 59)
		return false;
	if (**at == ':') {
		(*at)++;
		if ((second = when_number(at, 2)) < 0 || second > 59)
			return false;
		if (**at == '.') {
			(*at)++;
			int digits = 0;
			int64_t scale = 100000;

			for (; **at >= '0' && **at <= '9'; (*at)++, digits++, scale /= 10)
				*us += (**at - '0') * scale;
			if (digits == 0)
				return false;
		}
	}
	t->tm_hour = hour;
	t->tm_min = minute;
	t->tm_sec = second;
	return true;
}

bool when_parse_us(const char *text, int64_t *ret_us)
{
	struct tm t = {.tm_isdst = -1};
	const char *at = text;
	int64_t us = 0, zone_s = 0;
	bool zoned = false;
	time_t seconds;

	if (!when_date(&at, &t))
		return false;
	if (*at != '\0') {
		if (*at != 'T' && *at != ' ')
			return false;
		at++;
		if (!when_clock(&at, &t, &us))
			return false;
	}
	if (*at == 'Z') {
		zoned = true;
		at++;
	} else if (*at == '+' || *at == '-') {
		int sign = *at++ == '-' ? -1 : 1, hours = when_number(&at, 2), minutes = -1;

		if (hours >= 0 && hours <= 14 && *at == ':') {
			at++;
			minutes = when_number(&at, 2);
		}
		if (minutes < 0 || minutes > 59)
			return false;
		zoned = true;
		zone_s = (int64_t)sign * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
	}
	if (*at != '\0')
		return false;

	struct tm wanted = t;

	seconds = zoned ? timegm(&t) : mktime(&t);
	if (!zoned && (t.tm_hour != wanted.tm_hour || t.tm_min != wanted.tm_min))
		return false; /* the hour that summer time skips */
	*ret_us = ((int64_t)seconds - zone_s) * 1000000 + us;
	return true;
}

bool when_is_date(const char *text)
{
	struct tm t = {0};
	const char *at = text;

	return when_date(&at, &t) && *at == '\0';
}
