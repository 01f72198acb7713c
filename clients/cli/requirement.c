#include "requirement.h"

#include "base/check.h"
#include "base/limits.h"
#include "json.h"
#include "reflect.h"
#include "visits.h"
#include "when.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum requirement_kind {
	REQUIREMENT_TEXT,
	REQUIREMENT_ENUM,
	REQUIREMENT_INSTANT,
	REQUIREMENT_DATE,
	REQUIREMENT_MONEY,
	REQUIREMENT_FLAG,
	REQUIREMENT_WORDS,
	REQUIREMENT_VISITS,
	REQUIREMENT_EXCLUDED,
};

/* X(option, field on the wire, kind, value in the help, help, repeats) */
#define REQUIREMENT_MAP(X)                                                                                  \
	X("case", "case_ref", TEXT, "REF", "the case system's reference", false)                            \
	X("person", "person_ref", TEXT, "REF", "the person's opaque reference", false)                      \
	X("household", "household_ref", TEXT, "REF", "the household's", false)                              \
	X("owner", "owner_ref", TEXT, "REF", "the officer who looks after it", false)                       \
	X("bundle", "bundle_ref", TEXT, "REF", "two packages with one reference go together or not at all", \
	  false)                                                                                            \
	X("sector", "sector", TEXT, "SECTOR", "postcode sector, \"CM0 7\"; nothing finer", false)           \
	X("district", "district", TEXT, "DISTRICT", "where the sector straddles two: name or ONS code",     \
	  false)                                                                                            \
	X("service", "service", ENUM, "WORD", "personal_care, night_awake, night_sleep, live_in", false)    \
	X("group", "client_group", ENUM, "WORD",                                                            \
	  "older_people, physical, learning_disability, mental_health, ...", false)                         \
	X("visit", "visits", VISITS, "VISIT", "daily:morning:45x2 (see above); once for each visit", true)  \
	X("skill", "skills", WORDS, "CODE", "a skill the carers need: calloff lots --skills", true)         \
	X("gender", "carer_gender", ENUM, "WORD", "required: female or male", false)                        \
	X("language", "language", TEXT, "CODE", "required: ISO 639, e.g. pl", false)                        \
	X("exclude", "excluded", EXCLUDED, "PRV:REASON",                                                    \
	  "complaint, safeguarding, family, past_hand_back, person, other", true)                           \
	X("urgency", "urgency", ENUM, "WORD",                                                               \
	  "emergency, hospital_same_day, hospital_planned, community_urgent, standard", false)              \
	X("risk", "risk", ENUM, "WORD", "red, amber, green", false)                                         \
	X("cover", "cover", ENUM, "WORD",                                                                   \
	  "who looks after the person now: none, ward, family, reablement, provider", false)                \
	X("cover-until", "cover_until_us", INSTANT, "WHEN", "until when, \"2026-12-19 14:00\"", false)      \
	X("need-arose", "need_arose_us", INSTANT, "WHEN", "when the need arose", false)                     \
	X("start", "start_date", DATE, "DATE", "2026-12-19; without it: today", false)                      \
	X("latest-start", "latest_safe_start_us", INSTANT, "WHEN", "the latest safe start", false)          \
	X("ceiling", "ceiling_pence_hour", MONEY, "POUNDS", "authorised price an hour, 24.50", false)       \
	X("funding", "funding", ENUM, "WORD", "council, joint, chc, self_funder", false)                    \
	X("regime", "legal_regime", ENUM, "WORD", "care_act_s18, care_act_s19, s117, psr", false)           \
	X("equipment", "needs_equipment", FLAG, NULL, "equipment must be in place before the start", false) \
	X("key-safe", "needs_key_safe", FLAG, NULL, "a key safe must be fitted before the start", false)

const struct option_spec requirement_options[] = {
#define X(option, field, kind, value, help, repeats) {option, value, help, repeats},
	REQUIREMENT_MAP(X)
#undef X
		{"keys", "FILE", "of a file of rows: keep each row's key, so that a rerun repeats nothing",
		 false},
	{"window", "N", "of a file of rows: how many are under way at once (256)", false},
	{"format", "WORD", "of a file of rows: ndjson or csv (by its name, else by its first byte)", false},
	{"check", NULL, "of a file of rows: read every row, send nothing", false},
	{NULL, NULL, NULL, false},
};

static const struct {
	const char *option, *field;
	enum requirement_kind kind;
} requirement_fields[] = {
#define X(option, field, kind, value, help, repeats) {option, field, REQUIREMENT_##kind},
	REQUIREMENT_MAP(X)
#undef X
};

enum { REQUIREMENT_FIELDS = sizeof requirement_fields / sizeof requirement_fields[0] };

static int requirement_find(const char *name)
{
	for (int i = 0; i < REQUIREMENT_FIELDS; i++) {
		if (strcmp(requirement_fields[i].option, name) == 0 ||
		    strcmp(requirement_fields[i].field, name) == 0)
			return i;
	}
	return -1;
}

bool requirement_knows(const char *name)
{
	return requirement_find(name) >= 0;
}

__attribute__((format(printf, 2, 3))) static bool requirement_fail(char problem[REQUIREMENT_PROBLEM_BYTES],
								   const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, REQUIREMENT_PROBLEM_BYTES, format, arguments);
	va_end(arguments);
	return false;
}

static char *requirement_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_array(arena, len + 1, 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

static bool requirement_enum(const ProtobufCEnumDescriptor *d, const char *name, const char *value, int *to,
			     char problem[REQUIREMENT_PROBLEM_BYTES])
{
	char words[160] = "", word[REFLECT_WORD_MAX];
	size_t used = 0;

	if (reflect_enum_value(d, value, to))
		return true;
	for (unsigned i = 0; i < d->n_values && used < sizeof words; i++) {
		if (d->values[i].value == 0)
			continue;
		int n = snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "",
				 reflect_enum_word(d, d->values[i].value, word));
		used += n > 0 ? (size_t)n : 0;
	}
	return requirement_fail(problem, "%s: \"%.40s\" is not one of %s", name, value, words);
}

/* 24, 24.5, 24.50: never through a float. */
static bool requirement_money(const char *value, uint32_t *to)
{
	uint32_t pounds = 0, pence = 0;
	const char *at = value;

	for (; *at >= '0' && *at <= '9'; at++) {
		pounds = pounds * 10 + (uint32_t)(*at - '0');
		if (pounds > 1000000)
			return false;
	}
	if (at == value)
		return false;
	if (*at == '.') {
		at++;
		if (*at < '0' || *at > '9')
			return false;
		pence = (uint32_t)(*at++ - '0') * 10;
		if (*at >= '0' && *at <= '9')
			pence += (uint32_t)(*at++ - '0');
	}
	*to = pounds * 100 + pence;
	return *at == '\0';
}

static bool requirement_flag(const char *value, protobuf_c_boolean *to)
{
	static const char *const yes[] = {"", "yes", "true", "1", "y"}, *const no[] = {"no", "false", "0",
										       "n"};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (strcasecmp(value, yes[i]) == 0) {
			*to = 1;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
		if (strcasecmp(value, no[i]) == 0) {
			*to = 0;
			return true;
		}
	}
	return false;
}

/* The next part of a list parted by ';', without blanks around it; false: no more. */
static bool requirement_part(const char **at, const char **ret_part, size_t *ret_len)
{
	while (**at == ' ' || **at == ';')
		++*at;
	if (**at == '\0')
		return false;
	*ret_part = *at;
	*at += strcspn(*at, ";");
	*ret_len = (size_t)(*at - *ret_part);
	while ((*ret_part)[*ret_len - 1] == ' ')
		--*ret_len;
	return true;
}

static bool requirement_skills(struct arena *arena, Calloff__V1__Requirement *r, const char *value,
			       char problem[REQUIREMENT_PROBLEM_BYTES])
{
	const char *part;
	size_t len;

	if (r->skills == NULL)
		r->skills = arena_array(arena, SKILLS_MAX, sizeof *r->skills);
	while (requirement_part(&value, &part, &len)) {
		if (r->skills == NULL || r->n_skills == SKILLS_MAX)
			return requirement_fail(problem, "skills: at most %d", SKILLS_MAX);
		r->skills[r->n_skills] = requirement_copy(arena, part, len);
		if (r->skills[r->n_skills++] == NULL)
			return requirement_fail(problem, "skills: the text is too large");
	}
	return true;
}

static bool requirement_excluded(struct arena *arena, Calloff__V1__Requirement *r, const char *value,
				 char problem[REQUIREMENT_PROBLEM_BYTES])
{
	const char *part;
	size_t len;

	if (r->excluded == NULL)
		r->excluded = arena_array(arena, EXCLUDED_MAX, sizeof(void *));
	while (requirement_part(&value, &part, &len)) {
		const char *colon = memchr(part, ':', len);
		Calloff__V1__Exclusion *e = arena_array(arena, 1, sizeof *e);

		if (colon == NULL || colon == part || colon + 1 == part + len)
			return requirement_fail(
				problem,
				"excluded: write PROVIDER:REASON, e.g. PRV-M02:complaint, has \"%.*s\"",
				len > 40 ? 40 : (int)len, part);
		if (e == NULL || r->excluded == NULL || r->n_excluded == EXCLUDED_MAX)
			return requirement_fail(problem, "excluded: at most %d", EXCLUDED_MAX);
		calloff__v1__exclusion__init(e);
		e->provider = requirement_copy(arena, part, (size_t)(colon - part));
		e->reason = requirement_copy(arena, colon + 1, (size_t)(part + len - colon - 1));
		if (e->provider == NULL || e->reason == NULL)
			return requirement_fail(problem, "excluded: the text is too large");
		r->excluded[r->n_excluded++] = e;
	}
	return true;
}

static bool requirement_visits(struct arena *arena, Calloff__V1__Requirement *r, const char *value,
			       char problem[REQUIREMENT_PROBLEM_BYTES])
{
	char why[VISITS_PROBLEM_BYTES];

	if (visits_parse(arena, value, &r->visits, &r->n_visits, why))
		return true;
	return requirement_fail(problem, "visits[%zu]: %s", r->n_visits, why);
}

/* One value: everything but the lists. */
static bool requirement_set_one(struct arena *arena, void *to, const ProtobufCFieldDescriptor *f,
				enum requirement_kind kind, const char *value,
				char problem[REQUIREMENT_PROBLEM_BYTES])
{
	switch (kind) {
	case REQUIREMENT_TEXT:
		*(char **)to = requirement_copy(arena, value, strlen(value));
		return *(char **)to != NULL ||
		       requirement_fail(problem, "%s: the text is too large", f->name);
	case REQUIREMENT_ENUM:
		return requirement_enum(f->descriptor, f->name, value, to, problem);
	case REQUIREMENT_INSTANT:
		return when_parse_us(value, to) ||
		       requirement_fail(problem,
					"%s: write 2026-12-19 14:00 or 2026-12-19T14:00Z, has \"%.40s\"",
					f->name, value);
	case REQUIREMENT_DATE:
		if (!when_is_date(value))
			return requirement_fail(problem, "%s: write 2026-12-19, has \"%.40s\"", f->name,
						value);
		*(char **)to = requirement_copy(arena, value, strlen(value));
		return *(char **)to != NULL ||
		       requirement_fail(problem, "%s: the text is too large", f->name);
	case REQUIREMENT_MONEY:
		return requirement_money(value, to) ||
		       requirement_fail(problem, "%s: write pounds as 24.50, has \"%.40s\"", f->name, value);
	case REQUIREMENT_FLAG:
		return requirement_flag(value, to) ||
		       requirement_fail(problem, "%s: write yes or no, has \"%.40s\"", f->name, value);
	case REQUIREMENT_WORDS:
	case REQUIREMENT_VISITS:
	case REQUIREMENT_EXCLUDED:
		break;
	}
	UNREACHABLE();
}

bool requirement_set(struct arena *arena, Calloff__V1__Requirement *requirement, const char *name,
		     const char *value, char problem[REQUIREMENT_PROBLEM_BYTES])
{
	int i = requirement_find(name);
	const ProtobufCFieldDescriptor *f;

	if (i < 0)
		return requirement_fail(problem, "there is no field \"%.60s\"", name);
	if (!json_is_text(value, strlen(value)))
		return requirement_fail(problem, "%s: not valid UTF-8", requirement_fields[i].field);
	if (value[0] == '\0' && requirement_fields[i].kind != REQUIREMENT_FLAG)
		return true;
	if (requirement_fields[i].kind == REQUIREMENT_WORDS)
		return requirement_skills(arena, requirement, value, problem);
	if (requirement_fields[i].kind == REQUIREMENT_VISITS)
		return requirement_visits(arena, requirement, value, problem);
	if (requirement_fields[i].kind == REQUIREMENT_EXCLUDED)
		return requirement_excluded(arena, requirement, value, problem);
	f = protobuf_c_message_descriptor_get_field_by_name(&calloff__v1__requirement__descriptor,
							    requirement_fields[i].field);
	INSIST(f != NULL); /* a test walks the table */
	return requirement_set_one(arena, (char *)requirement + f->offset, f, requirement_fields[i].kind,
				   value, problem);
}
