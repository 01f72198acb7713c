#include "visits.h"

#include "base/limits.h"
#include "reflect.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const day_names[DAYS] = {"monday", "tuesday",  "wednesday", "thursday",
					    "friday", "saturday", "sunday"};

/* A part of a text, trimmed of blanks. */
struct part {
	const char *text;
	size_t len;
};

/* Takes the part up to the mark, or to the end; false: nothing is left. */
static bool visits_part(struct part *rest, char mark, struct part *ret_part)
{
	const char *end;

	if (rest->text == NULL)
		return false;
	end = memchr(rest->text, mark, rest->len);
	*ret_part = (struct part){rest->text, end != NULL ? (size_t)(end - rest->text) : rest->len};
	if (end != NULL) {
		rest->len -= (size_t)(end - rest->text) + 1;
		rest->text = end + 1;
	} else {
		rest->text = NULL;
	}
	while (ret_part->len > 0 && isspace((unsigned char)ret_part->text[0])) {
		ret_part->text++;
		ret_part->len--;
	}
	while (ret_part->len > 0 && isspace((unsigned char)ret_part->text[ret_part->len - 1]))
		ret_part->len--;
	return true;
}

static bool part_is(struct part p, const char *word)
{
	return strlen(word) == p.len && strncasecmp(p.text, word, p.len) == 0;
}

/* 0..6: mon, tues, thursday, ...; -1: not a day. Two letters are too few. */
static int visits_day(struct part p)
{
	for (int i = 0; i < DAYS; i++) {
		if (p.len >= 3 && p.len <= strlen(day_names[i]) &&
		    strncasecmp(day_names[i], p.text, p.len) == 0)
			return i;
	}
	return -1;
}

bool visits_parse_days(const char *text, size_t len, uint32_t *ret_days)
{
	struct part rest = {text, len}, item;
	uint32_t days = 0;

	while (visits_part(&rest, ',', &item)) {
		struct part range = item, first_name, last_name = {NULL, 0};
		int first, last;

		if (part_is(item, "daily") || part_is(item, "weekdays") || part_is(item, "weekend")) {
			days |= part_is(item, "daily") ? 127u : part_is(item, "weekdays") ? 31u : 96u;
			continue;
		}
		visits_part(&range, '-', &first_name);
		first = visits_day(first_name);
		if (visits_part(&range, '\0', &last_name))
			last = visits_day(last_name);
		else
			last = first;
		if (first < 0 || last < 0)
			return false;
		days |= 1u << last;
		for (int day = first; day != last; day = (day + 1) % DAYS)
			days |= 1u << day;
	}
	*ret_days = days;
	return days != 0;
}

bool visits_parse_bands(const char *text, size_t len, Calloff__V1__Band *ret_first, uint32_t *ret_mask)
{
	struct part rest = {text, len}, item;
	uint32_t mask = 0;
	int first = 0;

	while (visits_part(&rest, '|', &item)) {
		char word[REFLECT_WORD_MAX];
		int band = 0;

		if (item.len >= sizeof word)
			return false;
		memcpy(word, item.text, item.len);
		word[item.len] = '\0';
		if (!reflect_enum_value(&calloff__v1__band__descriptor, word, &band) || band <= 0 ||
		    band > BANDS)
			return false;
		first = first == 0 ? band : first;
		mask |= 1u << band;
	}
	if (first == 0)
		return false;
	*ret_first = (Calloff__V1__Band)first;
	*ret_mask = mask;
	return true;
}

/* Digits only, up to max; returns how many characters, 0: none or too large. */
static size_t visits_digits(struct part p, uint32_t max, uint32_t *ret_value)
{
	uint32_t value = 0;
	size_t at = 0;

	while (at < p.len && p.text[at] >= '0' && p.text[at] <= '9') {
		value = value * 10 + (uint32_t)(p.text[at++] - '0');
		if (value > max)
			return 0;
	}
	*ret_value = value;
	return at;
}

static bool visits_minutes(struct part p, Calloff__V1__Visit *v)
{
	size_t at = visits_digits(p, VISIT_MINUTES_MAX, &v->minutes);

	v->carers = 1;
	if (at == 0 || v->minutes == 0)
		return false;
	if (at == p.len)
		return true;
	struct part carers = {p.text + at + 1, p.len - at - 1};

	return (p.text[at] == 'x' || p.text[at] == 'X') && carers.len > 0 &&
	       visits_digits(carers, 9, &v->carers) == carers.len && v->carers > 0;
}

static bool visits_mark(struct part p, Calloff__V1__Visit *v)
{
	if (part_is(p, "critical")) {
		v->time_critical = true;
		return true;
	}
	if (part_is(p, "shared")) {
		v->shared_with_bundle = true;
		return true;
	}
	struct part minutes = {p.text + 2, p.len > 2 ? p.len - 2 : 0};

	return p.len > 2 && strncmp(p.text, "+-", 2) == 0 &&
	       visits_digits(minutes, VISIT_MINUTES_MAX, &v->tolerance_minutes) == minutes.len;
}

static bool visits_problem(char problem[VISITS_PROBLEM_BYTES], const char *wants, struct part has)
{
	snprintf(problem, VISITS_PROBLEM_BYTES, "%s, has \"%.*s\"", wants, has.len > 40 ? 40 : (int)has.len,
		 has.text != NULL ? has.text : "");
	return false;
}

static bool visits_set_bands(struct arena *arena, Calloff__V1__Visit *v, uint32_t mask)
{
	v->also_bands = arena_array(arena, BANDS, sizeof *v->also_bands);
	if (v->also_bands == NULL)
		return false;
	for (int band = 1; band <= BANDS; band++) {
		if ((mask >> band & 1) != 0 && band != (int)v->band)
			v->also_bands[v->n_also_bands++] = (Calloff__V1__Band)band;
	}
	return true;
}

static bool visits_parse_one(struct arena *arena, struct part text, Calloff__V1__Visit *v,
			     char problem[VISITS_PROBLEM_BYTES])
{
	struct part rest = text, part;
	uint32_t mask = 0;

	visits_part(&rest, ':', &part);
	if (!visits_parse_days(part.text, part.len, &v->days))
		return visits_problem(problem, "a visit begins with its days (daily, mon-fri, mon,wed)",
				      part);
	if (!visits_part(&rest, ':', &part))
		return visits_problem(problem, "a visit needs DAYS:BAND:MINUTES", text);
	if (!visits_parse_bands(part.text, part.len, &v->band, &mask))
		return visits_problem(
			problem, "a band is early, morning, midmorning, lunch, afternoon, tea, bed or night",
			part);
	if (!visits_part(&rest, ':', &part))
		return visits_problem(problem, "a visit needs DAYS:BAND:MINUTES", text);
	if (!visits_minutes(part, v))
		return visits_problem(problem, "minutes are written 45, or 45x2 for two carers: 5 to 1440, in fives", part);
	while (visits_part(&rest, ':', &part)) {
		if (!visits_mark(part, v))
			return visits_problem(
				problem, "after the minutes only critical, +-30 or shared may follow", part);
	}
	if (!visits_set_bands(arena, v, mask))
		return visits_problem(problem, "the text is too large", part);
	return true;
}

bool visits_parse(struct arena *arena, const char *text, Calloff__V1__Visit ***visits, size_t *count,
		  char problem[VISITS_PROBLEM_BYTES])
{
	struct part rest = {text, strlen(text)}, part;

	while (visits_part(&rest, ';', &part)) {
		Calloff__V1__Visit *v = arena_array(arena, 1, sizeof *v);

		if (part.len == 0 && rest.text == NULL && *count > 0)
			return true; /* a ';' at the end */
		if (*visits == NULL)
			*visits = arena_array(arena, VISITS_MAX, sizeof(void *));
		if (v == NULL || *visits == NULL)
			return visits_problem(problem, "the text is too large", part);
		if (*count == VISITS_MAX)
			return visits_problem(problem, "a package has at most 32 visit lines", part);
		calloff__v1__visit__init(v);
		if (!visits_parse_one(arena, part, v, problem))
			return false;
		(*visits)[(*count)++] = v;
	}
	return true;
}

void visits_format_days(char *to, size_t size, uint32_t days, bool for_reading)
{
	size_t used = 0;
	int first = 0, last = DAYS - 1;

	days &= 127;
	if (days == 127 || days == 31 || days == 96) {
		snprintf(to, size, "%s",
			 days == 127  ? (for_reading ? "Daily" : "daily")
			 : days == 31 ? (for_reading ? "Mon-Fri" : "mon-fri")
				      : (for_reading ? "Sat Sun" : "sat,sun"));
		return;
	}
	to[0] = '\0';
	while (first < DAYS && (days >> first & 1) == 0)
		first++;
	while (last >= 0 && (days >> last & 1) == 0)
		last--;
	for (int day = first; day <= last && used < size; day++) {
		if ((days >> day & 1) == 0)
			continue;
		int n = snprintf(to + used, size - used, "%s%c%.2s",
				 used > 0 ? (for_reading ? " " : ",") : "",
				 for_reading ? toupper((unsigned char)day_names[day][0]) : day_names[day][0],
				 day_names[day] + 1);
		used += n > 0 ? (size_t)n : 0;
	}
}

void visits_format(FILE *out, const Calloff__V1__Visit *visit)
{
	char days[40], word[REFLECT_WORD_MAX];

	visits_format_days(days, sizeof days, visit->days, false);
	fprintf(out, "%s:%s", days,
		reflect_enum_word(&calloff__v1__band__descriptor, (int)visit->band, word));
	for (size_t i = 0; i < visit->n_also_bands; i++)
		fprintf(out, "|%s",
			reflect_enum_word(&calloff__v1__band__descriptor, (int)visit->also_bands[i], word));
	fprintf(out, ":%u", visit->minutes);
	if (visit->carers != 1)
		fprintf(out, "x%u", visit->carers);
	if (visit->time_critical)
		fputs(":critical", out);
	if (visit->tolerance_minutes > 0)
		fprintf(out, ":+-%u", visit->tolerance_minutes);
	if (visit->shared_with_bundle)
		fputs(":shared", out);
}
