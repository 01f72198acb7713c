/* JSON in and out of any message: round trips, and what is refused by name. */
#include "kit/kit.h"

#include "calloff/v1/envelope.pb-c.h"
#include "json.h"
#include "reflect.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(reflect);
KIT_SUITE(json);

static unsigned char memory[64 * 1024];
static struct arena arena;
static struct reflect_problem problem;

static Calloff__V1__Requirement *parse(const char *text)
{
	ProtobufCMessage *message = NULL;

	arena = (struct arena){memory, sizeof memory, 0};
	if (!reflect_parse(&calloff__v1__requirement__descriptor, text, strlen(text), &arena, &message, &problem))
		return NULL;
	return (Calloff__V1__Requirement *)message;
}

static const char *print(const ProtobufCMessage *message)
{
	static char text[4096];
	FILE *out = fmemopen(text, sizeof text, "w");

	reflect_print(out, message);
	fclose(out);
	return text;
}

static void refused(const char *text, const char *field, const char *part)
{
	cr_assert_null(parse(text), "%s was taken", text);
	cr_expect_str_eq(problem.field, field, "%s: field \"%s\"", text, problem.field);
	cr_expect_not_null(strstr(problem.problem, part), "%s: \"%s\"", text, problem.problem);
}

Test(reflect, what_is_printed_reads_back_to_the_same)
{
	const char *text = "{\"case_ref\":\"C-1 \\\"q\\\" \xc3\xa9\",\"service\":\"personal_care\",\"visits\":[{\"days\":127,"
			   "\"band\":\"morning\",\"also_bands\":[\"lunch\",\"bed\"],\"minutes\":45,\"carers\":2,"
			   "\"time_critical\":true},{\"days\":1}],\"skills\":[\"peg\",\"stoma\"],"
			   "\"need_arose_us\":-1766000000000001}";
	Calloff__V1__Requirement *r = parse(text);

	cr_assert_not_null(r, "%s: %s", problem.field, problem.problem);
	cr_expect_eq(r->n_visits, 2);
	cr_expect_eq(r->visits[0]->also_bands[1], CALLOFF__V1__BAND__BAND_BED);
	cr_expect_str_eq(print(&r->base), text);
}

Test(reflect, default_values_are_left_out)
{
	Calloff__V1__Requirement *r = parse("{\"case_ref\":\"\",\"needs_key_safe\":false,\"visits\":[],\"risk\":null}");

	cr_assert_not_null(r);
	cr_expect_str_eq(print(&r->base), "{}");
}

Test(reflect, a_set_member_of_a_oneof_shows_even_when_it_is_empty)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthRequest health = CALLOFF__V1__GET_HEALTH_REQUEST__INIT;
	uint8_t key[] = {0x01, 0xff};

	e.key = (ProtobufCBinaryData){2, key};
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_REQUEST;
	e.get_health_request = &health;
	cr_expect_str_eq(print(&e.base), "{\"key\":\"01ff\",\"get_health_request\":{}}");
}

Test(reflect, an_envelope_reads_back_with_its_body)
{
	const char *text = "{\"request_id\":18446744073709551615,\"key\":\"00ff\",\"get_list_request\":{\"list\":\"L\"}}";
	ProtobufCMessage *m;

	arena = (struct arena){memory, sizeof memory, 0};
	cr_assert(reflect_parse(&calloff__v1__envelope__descriptor, text, strlen(text), &arena, &m, &problem));
	cr_expect_eq(((Calloff__V1__Envelope *)m)->body_case, CALLOFF__V1__ENVELOPE__BODY_GET_LIST_REQUEST);
	cr_expect_str_eq(print(m), text);
}

Test(reflect, two_members_of_a_oneof_are_refused)
{
	const char *text = "{\"get_list_request\":{},\"get_health_request\":{}}";
	ProtobufCMessage *m;

	arena = (struct arena){memory, sizeof memory, 0};
	cr_assert_not(reflect_parse(&calloff__v1__envelope__descriptor, text, strlen(text), &arena, &m, &problem));
	cr_expect_str_eq(problem.field, "get_health_request");
}

Test(reflect, an_unknown_field_is_refused_by_its_name)
{
	refused("{\"case\":\"C-1\"}", "", "Requirement has no field \"case\"");
	refused("{\"visits\":[{\"days\":1},{\"minuts\":3}]}", "visits[1]", "no field \"minuts\"");
}

Test(reflect, a_wrong_value_is_refused_with_its_path)
{
	refused("{\"visits\":[{\"minutes\":\"x\"}]}", "visits[0].minutes", "needs a whole number");
	refused("{\"visits\":[{},{\"minutes\":1.5}]}", "visits[1].minutes", "1.5");
	refused("{\"visits\":[{\"minutes\":4294967296}]}", "visits[0].minutes", "4294967295");
	refused("{\"visits\":[{\"minutes\":-1}]}", "visits[0].minutes", "-1");
	refused("{\"visits\":[{\"also_bands\":[\"bed\",\"brunch\"]}]}", "visits[0].also_bands[1]", "brunch");
	refused("{\"visits\":{}}", "visits", "list in brackets");
	refused("{\"visits\":[7]}", "visits[0]", "object in braces");
	refused("{\"case_ref\":7}", "case_ref", "text in quotes");
	refused("{\"needs_key_safe\":1}", "needs_key_safe", "true or false");
	refused("{\"need_arose_us\":9223372036854775808}", "need_arose_us", "9223372036854775807");
	refused("{\"need_arose_us\":\"yesterday\"}", "need_arose_us", "not an instant");
	refused("{\"skills\":[null]}", "skills[0]", "text in quotes");
}

Test(reflect, a_field_given_twice_is_refused)
{
	refused("{\"sector\":\"CM0 7\",\"sector\":\"CM0 8\"}", "sector", "twice");
}

Test(reflect, enums_are_taken_as_words_or_full_names)
{
	cr_assert_not_null(parse("{\"urgency\":\"Hospital_Planned\",\"risk\":\"RISK_AMBER\"}"));
	refused("{\"risk\":2}", "risk", "word in quotes");
	refused("{\"risk\":\"purple\"}", "risk", "red, amber, green");
}

Test(reflect, an_instant_may_be_written_as_text)
{
	Calloff__V1__Requirement *r = parse("{\"need_arose_us\":\"2026-12-17T11:00:00.25+01:00\"}");

	cr_assert_not_null(r);
	cr_expect_eq(r->need_arose_us, INT64_C(1797501600250000));
}

Test(reflect, a_text_larger_than_the_arena_is_an_error)
{
	static char text[sizeof memory + 64];
	int at = snprintf(text, sizeof text, "{\"case_ref\":\"");

	memset(text + at, 'x', sizeof memory);
	strcpy(text + at + sizeof memory, "\"}");
	refused(text, "case_ref", "too large");
}

Test(reflect, nothing_may_follow_the_object)
{
	refused("{} {}", "", "follows");
	refused("[]", "", "object in braces");
	refused("", "", "ends too early");
}

/* Every text here must be refused, and none may crash. */
Test(json, what_is_not_json_is_refused)
{
	static const char *const bad[] = {
		"{",	       "{\"a\"}",      "{\"a\":}",     "{a:1}",	  "{\"a\":1,}",	     "{,}",	    "[1,]",
		"[1 2]",       "[01]",	       "[1.]",	       "[.5]",	  "[+1]",	     "[1e]",	    "[-]",
		"nul",	       "[True]",       "\"\\x\"",      "\"\\u12\"", "\"\\ud800\"",   "\"\\udc00x\"", "\"\\u0000\"",
		"\"a\nb\"",    "\"\xff\"",     "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"open", "[1]]",	    "\"\\",
		"{\"a\":1 \"b\":2}", "{\"a\" 1}", "\"\\ud800\\u0041\"", "[\"\xe2\x82\"]", "// x\n1",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct json j;
		struct json_token t;
		int tokens = 0;

		arena = (struct arena){memory, sizeof memory, 0};
		json_init(&j, bad[i], strlen(bad[i]), &arena);
		do {
			t = json_next(&j);
		} while (t.kind != JSON_BAD && t.kind != JSON_END && ++tokens < 100);
		cr_expect_eq(t.kind, JSON_BAD, "%s was taken", bad[i]);
		cr_expect_eq(json_next(&j).kind, JSON_BAD);
	}
}

Test(json, escapes_become_utf8)
{
	const char *text = "\"\\u00e9\\ud83d\\ude00\\n\\/\"";
	struct json j;
	struct json_token t;

	arena = (struct arena){memory, sizeof memory, 0};
	json_init(&j, text, strlen(text), &arena);
	t = json_next(&j);
	cr_assert_eq(t.kind, JSON_STRING);
	cr_expect_str_eq(t.text, "\xc3\xa9\xf0\x9f\x98\x80\n/");
	cr_expect_eq(json_next(&j).kind, JSON_END);
}

Test(json, depth_is_limited)
{
	char text[JSON_DEPTH_MAX + 2];
	struct json j;
	int opened = 0;

	memset(text, '[', sizeof text);
	arena = (struct arena){memory, sizeof memory, 0};
	json_init(&j, text, sizeof text, &arena);
	while (json_next(&j).kind == JSON_ARRAY)
		opened++;
	cr_expect_eq(opened, JSON_DEPTH_MAX);
	cr_expect_str_eq(j.problem, "nested too deeply");
}
