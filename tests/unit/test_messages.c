/* The wire's schema, looked at as a whole: what a message may hold, and that its numbers are the engine's. */
#include "kit/kit.h"

#include "calloff/v1/envelope.pb-c.h"
#include "core/words.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(words);
KIT_SUITE(messages);

/* ---- every enum of the schema, reached from the envelope ---- */

enum { MESSAGES_MAX = 128, ENUMS_MAX = 64 };

static const ProtobufCMessageDescriptor *messages[MESSAGES_MAX];
static const ProtobufCEnumDescriptor *enums[ENUMS_MAX];
static uint32_t message_count, enum_count;

static void add_message(const ProtobufCMessageDescriptor *m)
{
	for (uint32_t i = 0; i < message_count; i++) {
		if (messages[i] == m)
			return;
	}
	cr_assert_lt(message_count, (uint32_t)MESSAGES_MAX);
	messages[message_count++] = m;
}

static void add_enum(const ProtobufCEnumDescriptor *e)
{
	for (uint32_t i = 0; i < enum_count; i++) {
		if (enums[i] == e)
			return;
	}
	cr_assert_lt(enum_count, (uint32_t)ENUMS_MAX);
	enums[enum_count++] = e;
}

static void walk(void)
{
	add_message(&calloff__v1__envelope__descriptor);
	for (uint32_t i = 0; i < message_count; i++) { /* grows as it goes */
		for (unsigned k = 0; k < messages[i]->n_fields; k++) {
			const ProtobufCFieldDescriptor *f = &messages[i]->fields[k];

			if (f->type == PROTOBUF_C_TYPE_MESSAGE)
				add_message(f->descriptor);
			if (f->type == PROTOBUF_C_TYPE_ENUM)
				add_enum(f->descriptor);
		}
	}
}

/* ---- words ---- */

struct numbered {
	int number;
	const char *name;
};

#define ENTRY(name, number, word, text) {number, #name},
#define X(name_, NAME, map) static const struct numbered name_##_numbers[] = {map(ENTRY)};
WORDS_LIST(X)
#undef X

static const struct pairing {
	const char *descriptor, *prefix;
	const struct numbered *words;
	size_t count;
	int shift;        /* proto number - engine number */
	const char *zero; /* the engine's name for proto's UNSPECIFIED, NULL: none */
} pairings[] = {
#define PAIR(Descriptor, PREFIX, words, shift, zero)                                                                   \
	{                                                                                                              \
#Descriptor, PREFIX, words##_numbers, sizeof words##_numbers / sizeof words##_numbers[0], shift, zero  \
	}
	PAIR(Service, "SERVICE_", service, 0, NULL),
	PAIR(ClientGroup, "CLIENT_GROUP_", group, 0, "ANY"),
	PAIR(Band, "BAND_", band, 1, NULL),
	PAIR(Route, "ROUTE_", route, 0, NULL),
	PAIR(Rating, "RATING_", rating, 0, "NOT_RATED"),
	PAIR(Urgency, "URGENCY_", urgency, 0, NULL),
	PAIR(Risk, "RISK_", risk, 0, NULL),
	PAIR(Cover, "COVER_", cover, 0, NULL),
	PAIR(CarerGender, "CARER_GENDER_", gender, 0, "ANY"),
	PAIR(Funding, "FUNDING_", funding, 0, NULL),
	PAIR(LegalRegime, "LEGAL_REGIME_", regime, 0, NULL),
	PAIR(PlacementRole, "PLACEMENT_ROLE_", role, 0, NULL),
	PAIR(PackageState, "PACKAGE_STATE_", state, 0, NULL),
};
enum { PAIRINGS = sizeof pairings / sizeof pairings[0] };

static const struct pairing *pairing_of(const ProtobufCEnumDescriptor *e)
{
	for (int i = 0; i < PAIRINGS; i++) {
		if (strcmp(pairings[i].descriptor, e->short_name) == 0)
			return &pairings[i];
	}
	return NULL;
}

Test(words, the_engines_numbers_are_those_of_the_wire)
{
	walk();
	for (uint32_t i = 0; i < enum_count; i++) {
		const ProtobufCEnumDescriptor *e = enums[i];
		const struct pairing *p = pairing_of(e);
		size_t expected;

		cr_assert_not_null(p, "%s has no list in words.h", e->name);
		expected = p->count + (p->zero == NULL ? 1 : 0);
		cr_expect_eq(e->n_values, expected, "%s has %u values, words.h %zu", e->name, e->n_values, expected);
		for (size_t k = 0; k < p->count; k++) {
			const ProtobufCEnumValue *v =
				protobuf_c_enum_descriptor_get_value(e, p->words[k].number + p->shift);
			const char *name =
				p->words[k].number == 0 && p->zero != NULL ? "UNSPECIFIED" : p->words[k].name;

			cr_assert_not_null(v, "%s: %s is not on the wire", e->name, p->words[k].name);
			cr_expect_eq(strncmp(v->name, p->prefix, strlen(p->prefix)), 0, "%s", v->name);
			cr_expect_str_eq(v->name + strlen(p->prefix), name, "%s", e->name);
		}
	}
	cr_expect_eq(enum_count, PAIRINGS, "a pairing above is of no enum");
}

Test(words, each_word_reads_back)
{
#define X(list, LIST, map)                                                                                             \
	for (size_t i = 0; i < sizeof list##_numbers / sizeof list##_numbers[0]; i++) {                                \
		int n = list##_numbers[i].number;                                                                      \
		cr_expect_str_neq(list##_word(n), "?");                                                                \
		cr_expect_str_neq(list##_text(n), "?");                                                                \
		cr_expect_eq(list##_of(list##_word(n)), n, "%s", list##_word(n));                                      \
	}                                                                                                              \
	cr_expect_str_eq(list##_word(-1), "?");                                                                        \
	cr_expect_str_eq(list##_text(99), "?");                                                                        \
	cr_expect_eq(list##_of("no such word"), -1);
	WORDS_LIST(X)
#undef X
}

Test(words, no_number_is_used_twice)
{
#define X(list, LIST, map)                                                                                             \
	for (size_t i = 0; i < sizeof list##_numbers / sizeof list##_numbers[0]; i++) {                                \
		for (size_t k = 0; k < i; k++)                                                                         \
			cr_expect_neq(list##_numbers[i].number, list##_numbers[k].number, "%s",                        \
				      list##_numbers[i].name);                                                         \
	}
	WORDS_LIST(X)
#undef X
}

/* ---- messages ---- */

Test(messages, no_type_holds_itself)
{
	static uint32_t depth[MESSAGES_MAX];
	bool changed = true;

	walk();
	for (uint32_t round = 0; changed; round++) { /* a cycle would deepen for ever */
		changed = false;
		cr_assert_leq(round, message_count, "a message type holds itself: unpacking recurses without a limit");
		for (uint32_t i = 0; i < message_count; i++) {
			for (unsigned k = 0; k < messages[i]->n_fields; k++) {
				for (uint32_t m = 0; m < message_count; m++) {
					if (messages[i]->fields[k].type == PROTOBUF_C_TYPE_MESSAGE &&
					    messages[i]->fields[k].descriptor == messages[m] && depth[m] <= depth[i]) {
						depth[m] = depth[i] + 1;
						changed = true;
					}
				}
			}
		}
	}
}

static bool holds_word(const char *field, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(field, word); at != NULL; at = strstr(at + 1, word)) {
		if ((at == field || at[-1] == '_') && (at[len] == '\0' || at[len] == '_'))
			return true;
	}
	return false;
}

Test(messages, nothing_says_who_a_person_is)
{
	static const char *const words[] = {"name",    "forename", "surname",   "birth",  "dob",   "nhs",
					    "address", "phone",    "telephone", "mobile", "email", "postcode"};
	static const char *const public[] = {"Lot", "Counter", "Histogram"}; /* of places and numbers */

	walk();
	for (uint32_t i = 0; i < message_count; i++) {
		bool of_things = false;

		for (size_t p = 0; p < 3; p++)
			of_things |= strcmp(messages[i]->short_name, public[p]) == 0;
		for (unsigned k = 0; k < messages[i]->n_fields; k++) {
			for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
				cr_expect(!holds_word(messages[i]->fields[k].name, words[w]) || (of_things && w == 0),
					  "%s.%s", messages[i]->short_name, messages[i]->fields[k].name);
		}
	}
}

Test(messages, zero_of_every_enum_is_unspecified)
{
	walk();
	for (uint32_t i = 0; i < enum_count; i++) {
		const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(enums[i], 0);
		size_t len;

		cr_assert_not_null(zero, "%s has no zero", enums[i]->name);
		len = strlen(zero->name);
		cr_expect(len > 12 && strcmp(zero->name + len - 12, "_UNSPECIFIED") == 0, "%s", zero->name);
	}
}

Test(messages, every_request_has_its_response)
{
	const ProtobufCMessageDescriptor *e = &calloff__v1__envelope__descriptor;
	uint32_t requests = 0;

	for (unsigned i = 0; i < e->n_fields; i++) {
		char name[64];
		const char *at = strstr(e->fields[i].name, "_request");
		const ProtobufCFieldDescriptor *response;

		if (at == NULL || strcmp(e->fields[i].name, "request_id") == 0 ||
		    e->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		requests++;
		snprintf(name, sizeof name, "%.*s_response", (int)(at - e->fields[i].name), e->fields[i].name);
		response = protobuf_c_message_descriptor_get_field_by_name(e, name);
		cr_assert_not_null(response, "%s", name);
		cr_expect_eq(response->id, e->fields[i].id + 50, "%s: requests are 10.., responses 60..", name);
		cr_expect(e->fields[i].id >= 10 && e->fields[i].id < 50);
	}
	cr_expect_eq(requests, 18);
}

Test(messages, presence_is_never_optional)
{
	walk();
	for (uint32_t i = 0; i < message_count; i++) {
		for (unsigned k = 0; k < messages[i]->n_fields; k++) {
			const ProtobufCFieldDescriptor *f = &messages[i]->fields[k];

			cr_expect_neq(f->label, PROTOBUF_C_LABEL_REQUIRED, "%s.%s", messages[i]->short_name, f->name);
			cr_expect_neq(f->type, PROTOBUF_C_TYPE_FLOAT, "%s.%s", messages[i]->short_name, f->name);
			cr_expect_neq(f->type, PROTOBUF_C_TYPE_DOUBLE, "%s.%s: money and time are integers",
				      messages[i]->short_name, f->name);
		}
	}
}
