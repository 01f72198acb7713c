/* What comes from outside: every field's limits, one by one, with the field named in the refusal. */
#include "kit/kit.h"

#include "calloff/v1/envelope.pb-c.h"
#include "core/visit.h"
#include "core/words.h"
#include "wire/request.h"
#include "wire/unpack.h"

#include <string.h>

KIT_SUITE(request);
KIT_SUITE(request_text);
KIT_SUITE(request_visits);
KIT_SUITE(request_key);
KIT_SUITE(request_place);
KIT_SUITE(request_query);

static unsigned char memory[2 * UNPACK_BYTES_MAX];
static struct arena arena = {memory, sizeof memory, 0};
static struct request parsed;
static uint8_t packed[FRAME_BYTES_MAX];
static size_t packed_len;

static Calloff__V1__Envelope envelope;
static Calloff__V1__SubmitPackageRequest submit;
static Calloff__V1__Requirement requirement;
static Calloff__V1__Visit visits[64], *visit_list[64];
static Calloff__V1__Exclusion exclusions[16], *exclusion_list[16];
static Calloff__V1__DeclareCapacityRequest declare;
static Calloff__V1__Cell cells[200], *cell_list[200];
static Calloff__V1__WithdrawPackageRequest withdraw;
static Calloff__V1__ConfirmPackageRequest confirm;
static Calloff__V1__EndPackageRequest end;
static char *skills[16];
static uint8_t key[16] = {1, 0x9b, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}; /* version 7, variant 2 */
static const char ref64[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:/-_0123abc",
		  ref65[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:/-_0123abcd",
		  id25[] = "abcdefghijklmnopqrstuvwxy";

static char *say(const char *s)
{
	return (char *)s;
}

static void begin(void)
{
	calloff__v1__envelope__init(&envelope);
	envelope.request_id = 77;
	envelope.key = (ProtobufCBinaryData){sizeof key, key};
}

/* A submission with nothing wrong in it. */
static void good(void)
{
	begin();
	calloff__v1__submit_package_request__init(&submit);
	calloff__v1__requirement__init(&requirement);
	for (int i = 0; i < 64; i++) {
		calloff__v1__visit__init(&visits[i]);
		visits[i].days = 1;
		visits[i].band = CALLOFF__V1__BAND__BAND_MORNING;
		visits[i].minutes = 30;
		visits[i].carers = 1;
		visit_list[i] = &visits[i];
	}
	for (int i = 0; i < 16; i++) {
		calloff__v1__exclusion__init(&exclusions[i]);
		exclusions[i].provider = say("PRV-A");
		exclusions[i].reason = say("complaint");
		exclusion_list[i] = &exclusions[i];
		skills[i] = say("hoist");
	}
	requirement.case_ref = say("C-1");
	requirement.person_ref = say("X-1");
	requirement.sector = say("CM0 7");
	requirement.service = CALLOFF__V1__SERVICE__SERVICE_PERSONAL_CARE;
	requirement.urgency = CALLOFF__V1__URGENCY__URGENCY_STANDARD;
	requirement.risk = CALLOFF__V1__RISK__RISK_GREEN;
	requirement.cover = CALLOFF__V1__COVER__COVER_FAMILY;
	requirement.visits = visit_list;
	requirement.n_visits = 1;
	requirement.skills = skills;
	requirement.excluded = exclusion_list;
	submit.requirement = &requirement;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	envelope.submit_package_request = &submit;
}

static void good_declare(void)
{
	begin();
	calloff__v1__declare_capacity_request__init(&declare);
	for (int i = 0; i < 200; i++) {
		calloff__v1__cell__init(&cells[i]);
		cells[i].day = 1 + i / 2 / 8 % 7;
		cells[i].band = (Calloff__V1__Band)(1 + i / 2 % 8);
		cells[i].paired = i % 2;
		cells[i].declared = 240;
		cell_list[i] = &cells[i];
	}
	declare.pool = say("MAL04-TIME-1");
	declare.expires_us = 1800000000000000;
	declare.cells = cell_list;
	declare.n_cells = 1;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST;
	envelope.declare_capacity_request = &declare;
}

static void good_withdraw(void)
{
	begin();
	calloff__v1__withdraw_package_request__init(&withdraw);
	withdraw.package = say("P-10482");
	withdraw.reason = say("hospital");
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST;
	envelope.withdraw_package_request = &withdraw;
}

static enum err parse_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	enum err e;

	memcpy(exact, bytes, len);
	arena_reset(&arena);
	memset(&parsed, 0xa5, sizeof parsed); /* what a request before it left */
	e = request_parse(&arena, exact, len, &parsed);
	free(exact); /* texts lie in the arena, not in the frame */
	return e;
}

static enum err parse(void)
{
	packed_len = calloff__v1__envelope__get_packed_size(&envelope);
	cr_assert_leq(packed_len, sizeof packed);
	calloff__v1__envelope__pack(&envelope, packed);
	return parse_bytes(packed, packed_len);
}

static bool violated(const char *field)
{
	for (uint32_t i = 0; i < parsed.violation_count; i++) {
		if (strcmp(parsed.violations[i].field, field) == 0)
			return parsed.violations[i].problem[0] != '\0';
	}
	return false;
}

/* Everything is right but one thing: that one field, and no other, is named. */
#define REFUSED(change, field_)                                                                                        \
	do {                                                                                                           \
		good();                                                                                                \
		change;                                                                                                \
		cr_expect_eq(parse(), ERR_INVALID_FIELD, #change);                                                     \
		cr_expect(violated(field_), #change ": %s",                                                            \
			  parsed.violation_count > 0 ? parsed.violations[0].field : "-");                              \
		cr_expect_eq(parsed.violation_count, 1, #change);                                                      \
		cr_expect_eq(parsed.id, 77);                                                                           \
	} while (0)
#define TAKEN(change)                                                                                                  \
	do {                                                                                                           \
		good();                                                                                                \
		change;                                                                                                \
		cr_expect_eq(parse(), ERR_OK, #change ": %s %s",                                                       \
			     parsed.violation_count > 0 ? parsed.violations[0].field : "",                             \
			     parsed.violation_count > 0 ? parsed.violations[0].problem : "");                          \
	} while (0)

static bool text_is(struct text t, const char *s)
{
	return t.len == strlen(s) && memcmp(t.bytes, s, t.len) == 0;
}

Test(request, a_submission_becomes_an_event)
{
	const struct requirement *r = &parsed.event.submit;

	TAKEN(requirement.district = say("Maldon"); requirement.start_date = say("2026-01-02");
	      requirement.n_skills = 2; requirement.n_excluded = 1; requirement.ceiling_pence_hour = 2500;
	      requirement.needs_equipment = 1);
	cr_expect_eq(parsed.kind, REQUEST_COMMAND);
	cr_expect_eq(parsed.event.type, EVENT_SUBMIT);
	cr_expect_eq(parsed.id, 77);
	cr_expect_not(parsed.dry_run);
	cr_expect_arr_eq(parsed.key, key, 16);
	cr_expect(text_is(r->case_ref, "C-1") && text_is(r->person_ref, "X-1") && text_is(r->sector, "CM0 7"));
	cr_expect(text_is(r->district, "Maldon") && text_is(r->household_ref, "") && text_is(r->language, ""));
	cr_expect(r->skill_count == 2 && text_is(r->skills[1], "hoist"));
	cr_expect(r->excluded_count == 1 && text_is(r->excluded[0].provider, "PRV-A"));
	cr_expect(r->start_day == 20455 && r->ceiling_pence_hour == 2500 && r->prerequisites == 1);
	cr_expect(r->visit_count == 1 && r->visits[0].band == BAND_MORNING && r->visits[0].bands == 2);
}

Test(request, what_is_not_given_is_ordinary)
{
	const struct requirement *r = &parsed.event.submit;

	TAKEN((void)0);
	cr_expect(r->client_group == GROUP_ANY && r->gender == GENDER_ANY && r->prerequisites == 0);
	cr_expect(r->funding == FUNDING_COUNCIL && r->regime == REGIME_CARE_ACT_S18);
	cr_expect(r->start_day == 0 && r->need_arose_us == 0 && r->latest_start_us == 0 && r->cover_until_us == 0);
}

Test(request, a_missing_requirement_is_named)
{
	good();
	submit.requirement = NULL;
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("requirement"));
}

Test(request_text, references_have_a_limit_and_an_alphabet)
{
	TAKEN(requirement.case_ref = say(ref64));
	REFUSED(requirement.case_ref = say(ref65), "requirement.case_ref");
	REFUSED(requirement.case_ref = say(""), "requirement.case_ref");
	REFUSED(requirement.case_ref = say("a b"), "requirement.case_ref");
	REFUSED(requirement.case_ref = say("a\tb"), "requirement.case_ref");
	REFUSED(requirement.case_ref = say("caf\xc3\xa9"), "requirement.case_ref");
	REFUSED(requirement.person_ref = say(""), "requirement.person_ref");
	REFUSED(requirement.person_ref = say(ref65), "requirement.person_ref");
	REFUSED(requirement.household_ref = say(ref65), "requirement.household_ref");
	REFUSED(requirement.owner_ref = say(ref65), "requirement.owner_ref");
	REFUSED(requirement.bundle_ref = say(ref65), "requirement.bundle_ref");
	REFUSED(requirement.district = say(ref65), "requirement.district");
	REFUSED(requirement.language = say(id25), "requirement.language");
}

Test(request_text, skills_and_exclusions_have_a_limit)
{
	TAKEN(requirement.n_skills = SKILLS_MAX);
	REFUSED(requirement.n_skills = SKILLS_MAX + 1, "requirement.skills");
	REFUSED(requirement.n_skills = 1; skills[0] = say(""), "requirement.skills");
	REFUSED(requirement.n_skills = 1; skills[0] = say(id25), "requirement.skills");
	TAKEN(requirement.n_excluded = EXCLUDED_MAX);
	REFUSED(requirement.n_excluded = EXCLUDED_MAX + 1, "requirement.excluded");
	REFUSED(requirement.n_excluded = 1; exclusions[0].provider = say(""), "requirement.excluded.provider");
	REFUSED(requirement.n_excluded = 1; exclusions[0].provider = say(id25), "requirement.excluded.provider");
	REFUSED(requirement.n_excluded = 1; exclusions[0].reason = say(""), "requirement.excluded.reason");
}

Test(request_text, every_shape_of_an_nhs_number_is_refused)
{
	static const char *const shapes[] = {"9434765919",  "943-476-5919", "case-9434765919", "9434765919/2",
					     "943-4765919", "943476-5919",  "x:943-476-5919"};
	static const char *const fine[] = {"943476591",    "94347659190",  "C-2041",
					   "943-47-65919", "943.476.5919", "12345-67890"};

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		REFUSED(requirement.person_ref = say(shapes[i]), "requirement.person_ref");
		REFUSED(requirement.bundle_ref = say(shapes[i]), "requirement.bundle_ref");
		cr_expect_not_null(strstr(parsed.violations[0].problem, "NHS"), "%s", parsed.violations[0].problem);
	}
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
		TAKEN(requirement.person_ref = say(fine[i]));
	REFUSED(requirement.district = say("943 476 5919"), "requirement.district");
	REFUSED(requirement.district = say("Maldon 943 4765919"), "requirement.district");
}

/* Numbers of ten digits that are the engine's own are no NHS numbers. */
Test(request_text, a_package_id_of_ten_digits_is_a_package_id)
{
	good_withdraw();
	withdraw.package = say("P-1000000001");
	cr_expect_eq(parse(), ERR_OK, "%s %s", parsed.violations[0].field, parsed.violations[0].problem);
	cr_expect_eq(parsed.event.change.package_no, 1000000001);
}

static void replace_in_packed(const char *marker, const char *bytes, size_t len)
{
	for (size_t i = 0; i + len <= packed_len; i++) {
		if (memcmp(packed + i, marker, len) == 0) {
			memcpy(packed + i, bytes, len);
			return;
		}
	}
	cr_assert(false, "%s is not in the message", marker);
}

Test(request_text, invalid_utf8_is_refused)
{
	static const char *const bad[] = {"\x80zzz",       "\xc0\xafzz",       "\xc1\xbfzz",       "\xe0\x80\xafz",
					  "\xed\xa0\x80z", "\xf5\x80\x80\x80", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
					  "zzz\xc3",       "zz\xe2\x82",       "z\xf0\x9f\x98",    "\xffzzz",
					  "\xc3(zz"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		good();
		requirement.district = say("Q##Q");
		(void)parse();
		replace_in_packed("Q##Q", bad[i], 4);
		cr_expect_eq(parse_bytes(packed, packed_len), ERR_INVALID_FIELD, "%zu", i);
		cr_expect(violated("requirement.district"), "%zu", i);
	}
	TAKEN(requirement.district = say("Ystrad F\xc5\xb5r \xe2\x82\xac \xf0\x9f\x98\x80"));
	REFUSED(requirement.district = say("Mal\x1b[0m"), "requirement.district");
	REFUSED(requirement.district = say("Mal\x7f"), "requirement.district");
}

Test(request_text, an_embedded_nul_is_refused_not_cut)
{
	good();
	requirement.district = say("Q##Q");
	(void)parse();
	replace_in_packed("Q##Q", "Q\0#Q", 4);
	cr_expect_eq(parse_bytes(packed, packed_len), ERR_INVALID_FIELD);
	cr_expect(violated("requirement.district"));
	good();
	requirement.case_ref = say("Q##Q");
	(void)parse();
	replace_in_packed("Q##Q", "Q##\0", 4);
	cr_expect_eq(parse_bytes(packed, packed_len), ERR_INVALID_FIELD);
	cr_expect(violated("requirement.case_ref"));
}

Test(request, codes_outside_their_list_are_refused)
{
	static const int services[] = {-1, 0, 5, 257};

	for (size_t i = 0; i < 4; i++) {
		good();
		requirement.service = services[i];
		cr_expect_eq(parse(), ERR_INVALID_FIELD, "%d", services[i]);
		cr_expect(violated("requirement.service"), "%d", services[i]);
	}
	REFUSED(requirement.client_group = 7, "requirement.client_group");
	REFUSED(requirement.client_group = -1, "requirement.client_group");
	REFUSED(requirement.carer_gender = 3, "requirement.carer_gender");
	REFUSED(requirement.urgency = 0, "requirement.urgency");
	REFUSED(requirement.urgency = 6, "requirement.urgency");
	REFUSED(requirement.risk = 0, "requirement.risk");
	REFUSED(requirement.risk = 4, "requirement.risk");
	REFUSED(requirement.cover = 0, "requirement.cover");
	REFUSED(requirement.cover = 6, "requirement.cover");
	REFUSED(requirement.funding = 5, "requirement.funding");
	REFUSED(requirement.legal_regime = 5, "requirement.legal_regime");
	REFUSED(requirement.legal_regime = 257, "requirement.legal_regime");
}

Test(request, dates_are_days_of_the_calendar)
{
	static const char *const bad[] = {"2026-2-1",   "2026/02/01", "2026-13-01", "2026-00-10",
					  "2026-01-00", "2026-04-31", "2025-02-29", "2100-02-29",
					  "1999-12-31", "3000-01-01", "20260-1-01", "2026-01-0x"};
	static const struct {
		const char *text;
		int32_t day;
	} fine[] = {{"2026-01-01", 20454},
		    {"2024-02-29", 19782},
		    {"2000-02-29", 11016},
		    {"2999-12-31", 376199},
		    {"2026-12-31", 20818}};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		REFUSED(requirement.start_date = say(bad[i]), "requirement.start_date");
	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		TAKEN(requirement.start_date = say(fine[i].text));
		cr_expect_eq(parsed.event.submit.start_day, fine[i].day, "%s: %d", fine[i].text,
			     parsed.event.submit.start_day);
	}
}

Test(request, instants_are_microseconds)
{
	REFUSED(requirement.need_arose_us = 1767268800, "requirement.need_arose_us");
	REFUSED(requirement.latest_safe_start_us = 1767268800000, "requirement.latest_safe_start_us");
	REFUSED(requirement.cover_until_us = INT64_MAX, "requirement.cover_until_us");
	REFUSED(requirement.cover_until_us = -1, "requirement.cover_until_us");
	TAKEN(requirement.cover_until_us = 1767268800000000);
}

Test(request, a_ceiling_has_a_limit)
{
	TAKEN(requirement.ceiling_pence_hour = 1000000);
	REFUSED(requirement.ceiling_pence_hour = 1000001, "requirement.ceiling_pence_hour");
	REFUSED(requirement.ceiling_pence_hour = UINT32_MAX, "requirement.ceiling_pence_hour");
}

Test(request_visits, one_to_thirty_two)
{
	REFUSED(requirement.n_visits = 0, "requirement.visits");
	TAKEN(requirement.n_visits = VISITS_MAX);
	REFUSED(requirement.n_visits = VISITS_MAX + 1, "requirement.visits");
}

Test(request_visits, impossible_ones_are_refused_by_their_place)
{
	REFUSED(requirement.n_visits = 3; visits[2].days = 0, "requirement.visits[2].days");
	REFUSED(visits[0].days = 128, "requirement.visits[0].days");
	REFUSED(visits[0].days = 257, "requirement.visits[0].days");
	REFUSED(visits[0].band = 0, "requirement.visits[0].band");
	REFUSED(visits[0].band = 9, "requirement.visits[0].band");
	REFUSED(visits[0].band = -1, "requirement.visits[0].band");
	REFUSED(visits[0].minutes = 0, "requirement.visits[0].minutes");
	REFUSED(visits[0].minutes = 4, "requirement.visits[0].minutes");
	REFUSED(visits[0].minutes = 31, "requirement.visits[0].minutes");
	REFUSED(visits[0].minutes = 65536 + 30, "requirement.visits[0].minutes");
	REFUSED(visits[0].carers = 0, "requirement.visits[0].carers");
	REFUSED(visits[0].carers = 3, "requirement.visits[0].carers");
	REFUSED(visits[0].carers = 258, "requirement.visits[0].carers");
	REFUSED(visits[0].tolerance_minutes = 121, "requirement.visits[0].tolerance_minutes");
	REFUSED(visits[0].tolerance_minutes = 256, "requirement.visits[0].tolerance_minutes");
	TAKEN(visits[0].days = 127; visits[0].minutes = 1440; visits[0].carers = 2; visits[0].tolerance_minutes = 120);
}

Test(request_visits, a_band_below_the_list_is_refused_wherever_it_stands)
{
	static Calloff__V1__Band below[] = {INT32_MIN, -1, -7, -255, -256};

	for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
		REFUSED(visits[0].band = below[i], "requirement.visits[0].band");
		REFUSED(visits[0].also_bands = &below[i];
			visits[0].n_also_bands = 1, "requirement.visits[0].also_bands");
		for (uint32_t day = 1; day <= 7; day++) {
			good_declare();
			cells[0].day = day;
			cells[0].band = below[i];
			cr_expect_eq(parse(), ERR_INVALID_FIELD, "day %u band %d", day, (int)below[i]);
			cr_expect(violated("cells"));
		}
	}
}

Test(request_visits, other_bands_are_bands_too)
{
	static Calloff__V1__Band bands[9] = {1, 2, 3, 4, 5, 6, 7, 8, 1};

	TAKEN(visits[0].also_bands = bands; visits[0].n_also_bands = 8);
	cr_expect_eq(parsed.event.submit.visits[0].bands, 255);
	REFUSED(visits[0].also_bands = bands; visits[0].n_also_bands = 9, "requirement.visits[0].also_bands");
	bands[0] = 0;
	REFUSED(visits[0].also_bands = bands; visits[0].n_also_bands = 1, "requirement.visits[0].also_bands");
	bands[0] = 9;
	REFUSED(visits[0].also_bands = bands; visits[0].n_also_bands = 1, "requirement.visits[0].also_bands");
}

Test(request_visits, a_day_has_twenty_four_hours)
{
	TAKEN(requirement.n_visits = 2; visits[0].minutes = visits[1].minutes = 720);
	REFUSED(requirement.n_visits = 2; visits[0].minutes = 720; visits[1].minutes = 725, "requirement.visits");
	TAKEN(requirement.n_visits = 2; visits[0].minutes = visits[1].minutes = 1440; visits[1].days = 2);
}

Test(request_visits, nights_go_in_the_night_band_with_one_carer)
{
	static Calloff__V1__Band band = CALLOFF__V1__BAND__BAND_BED;

	TAKEN(requirement.service = 2; visits[0].band = 8);
	REFUSED(requirement.service = 2; visits[0].band = 7, "requirement.visits[0].band");
	REFUSED(requirement.service = 4; visits[0].band = 8; visits[0].carers = 2, "requirement.visits[0].carers");
	REFUSED(requirement.service = 3; visits[0].band = 8; visits[0].n_also_bands = 1;
		visits[0].also_bands = &band, "requirement.visits[0].also_bands");
}

Test(request_visits, a_shared_visit_needs_a_bundle)
{
	REFUSED(visits[0].shared_with_bundle = 1, "requirement.visits[0].shared_with_bundle");
	TAKEN(visits[0].shared_with_bundle = 1; requirement.bundle_ref = say("B-1"));
}

Test(request, many_faults_are_told_up_to_a_limit)
{
	good();
	requirement.n_visits = VISITS_MAX;
	for (int i = 0; i < VISITS_MAX; i++)
		visits[i].days = 0;
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect_eq(parsed.violation_count, VIOLATIONS_MAX);
}

Test(request_place, sectors_are_written_one_way)
{
	static const char *const same[] = {"CM0 7", "cm0 7", "CM07", "cm07", " c m 0 7 ", "Cm0  7"};

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		TAKEN(requirement.sector = say(same[i]));
		cr_expect(text_is(parsed.event.submit.sector, "CM0 7"), "%s", same[i]);
	}
	TAKEN(requirement.sector = say("ec1a1"));
	cr_expect(text_is(parsed.event.submit.sector, "EC1A 1"));
	TAKEN(requirement.sector = say("e1 6"));
	cr_expect(text_is(parsed.event.submit.sector, "E1 6"));
}

Test(request_place, a_full_postcode_is_refused)
{
	static const char *const bad[] = {"CM0 7AB", "cm07ab", "EC1A 1BB", "E1 6AN", "CM0",
					  "C",       "CM",     "    7",    "CM0 7A", "EC1A1B"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		good();
		requirement.sector = say(bad[i]);
		if (strcmp(bad[i], "CM0") == 0)
			continue; /* a district of letters and digits: looks like the sector "CM 0", which no framework
				     has */
		cr_expect_eq(parse(), ERR_INVALID_FIELD, "%s", bad[i]);
		cr_expect(violated("requirement.sector"), "%s", bad[i]);
	}
	REFUSED(requirement.sector = say(""), "requirement.sector");
}

Test(request_key, a_command_needs_one)
{
	good();
	envelope.key.len = 0;
	cr_expect_eq(parse(), ERR_KEY_MISSING);
	cr_expect_eq(parsed.id, 77);
	good();
	envelope.key.len = 0;
	submit.dry_run = 1;
	cr_expect_eq(parse(), ERR_OK, "a dry run has no effect to repeat");
	cr_expect(parsed.dry_run);
}

Test(request_key, only_a_uuid_of_version_seven_will_do)
{
	static const uint8_t v4[16] = {1, 0x9b, 0, 0, 0, 0, 0x40, 0, 0x80};
	static const uint8_t variant[16] = {1, 0x9b, 0, 0, 0, 0, 0x70, 0, 0xc0};
	static uint8_t longer[17] = {1, 0x9b, 0, 0, 0, 0, 0x70, 0, 0x80};

	REFUSED(envelope.key.data = (uint8_t *)v4, "key");
	REFUSED(envelope.key.data = (uint8_t *)variant, "key");
	REFUSED(envelope.key.len = 15, "key");
	REFUSED(envelope.key = ((ProtobufCBinaryData){17, longer}), "key");
	REFUSED(envelope.key.len = 1, "key");
}

Test(request_key, its_time_is_in_its_first_six_bytes)
{
	static const uint8_t k[16] = {0x01, 0x9b, 0x76, 0xda, 0xa8, 0x00, 0x70};

	cr_expect_eq(request_key_ms(k), INT64_C(0x019b76daa800));
}

Test(request, a_package_is_named_by_its_id)
{
	static const char *const bad[] = {"10482", "P-",   "P-x", "P-1x", "p-1", "P-12345678901234567890",
					  "P--1",  "P-1 ", "P 1"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		good_withdraw();
		withdraw.package = say(bad[i]);
		cr_expect_eq(parse(), ERR_INVALID_FIELD, "%s", bad[i]);
		cr_expect(violated("package"), "%s", bad[i]);
	}
	good_withdraw();
	cr_expect_eq(parse(), ERR_OK);
	cr_expect(parsed.event.type == EVENT_WITHDRAW && parsed.event.change.package_no == 10482);
	cr_expect(text_is(parsed.event.change.reason, "hospital"));
	good_withdraw();
	withdraw.package = say("");
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("package"));
}

Test(request, withdrawing_and_ending_need_a_reason)
{
	good_withdraw();
	withdraw.reason = say("");
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("reason"));
	begin();
	calloff__v1__end_package_request__init(&end);
	end.package = say("P-1");
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST;
	envelope.end_package_request = &end;
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("reason"));
	end.reason = say("died");
	cr_expect_eq(parse(), ERR_OK);
	cr_expect_eq(parsed.event.type, EVENT_END);
}

Test(request, a_confirmation_says_whether_it_has_authority)
{
	begin();
	calloff__v1__confirm_package_request__init(&confirm);
	confirm.package = say("P-1");
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST;
	envelope.confirm_package_request = &confirm;
	cr_expect_eq(parse(), ERR_OK);
	cr_expect_not(parsed.event.change.with_budget_authority);
	confirm.with_budget_authority = 1;
	cr_expect_eq(parse(), ERR_OK);
	cr_expect(parsed.event.change.with_budget_authority);
	cr_expect_eq(parsed.event.change.reason.len, 0);
}

#define DECLARE_REFUSED(change, field_)                                                                                \
	do {                                                                                                           \
		good_declare();                                                                                        \
		change;                                                                                                \
		cr_expect_eq(parse(), ERR_INVALID_FIELD, #change);                                                     \
		cr_expect(violated(field_), #change ": %s",                                                            \
			  parsed.violation_count > 0 ? parsed.violations[0].field : "-");                              \
	} while (0)

Test(request, a_declaration_is_a_whole_week_with_an_end)
{
	const struct declaration *d = &parsed.event.declare;

	good_declare();
	declare.n_cells = 2 * CELLS;
	cells[111].declared = CELL_UNITS_MAX * UNIT_MINUTES;
	cr_expect_eq(parse(), ERR_OK, "%s", parsed.violations[0].problem);
	cr_expect(d->declared[0][0] == 240 && d->declared[1][CELLS - 1] == CELL_UNITS_MAX * UNIT_MINUTES);
	DECLARE_REFUSED(declare.n_cells = 2 * CELLS + 1, "cells");
	DECLARE_REFUSED(declare.pool = say(""), "pool");
	DECLARE_REFUSED(declare.pool = say("a b"), "pool");
	DECLARE_REFUSED(declare.expires_us = 0, "expires_us");
	DECLARE_REFUSED(declare.expires_us = 12345, "expires_us");
	DECLARE_REFUSED(declare.available_from = say("soon"), "available_from");
}

Test(request, impossible_cells_are_refused)
{
	DECLARE_REFUSED(cells[0].day = 0, "cells");
	DECLARE_REFUSED(cells[0].day = 8, "cells");
	DECLARE_REFUSED(cells[0].day = UINT32_MAX, "cells");
	DECLARE_REFUSED(cells[0].band = 0, "cells");
	DECLARE_REFUSED(cells[0].band = 9, "cells");
	DECLARE_REFUSED(cells[0].declared = CELL_UNITS_MAX * UNIT_MINUTES + 1, "cells");
	DECLARE_REFUSED(cells[0].declared = UINT32_MAX, "cells");
	DECLARE_REFUSED(declare.n_cells = 2; cells[1] = cells[0], "cells");
}

Test(request, one_cell_named_twice_is_refused_even_when_the_first_is_zero)
{
	DECLARE_REFUSED(declare.n_cells = 2; cells[1] = cells[0]; cells[0].declared = 0, "cells");
}

Test(request, a_body_the_engine_does_not_know_has_no_body)
{
	static Calloff__V1__Status status;

	begin();
	cr_expect_eq(parse(), ERR_NO_BODY);
	cr_expect_eq(parsed.id, 77);
	calloff__v1__status__init(&status);
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_STATUS;
	envelope.status = &status;
	cr_expect_eq(parse(), ERR_NO_BODY, "a response is not a request");
	/* field 49, a message of two bytes: a request of a newer client */
	cr_expect_eq(parse_bytes((const uint8_t *)"\x08\x05\x8a\x03\x02\x08\x01", 7), ERR_NO_BODY);
	cr_expect_eq(parsed.id, 5);
}

Test(request, bytes_that_are_no_envelope_are_not_decoded)
{
	cr_expect_eq(parse_bytes((const uint8_t *)"\xff\xff\xff\xff", 4), ERR_NOT_DECODED);
	cr_expect_eq(parsed.id, 0, "nobody's request");
	good();
	cr_expect_eq(parse(), ERR_OK);
	for (size_t cut = 1; cut < packed_len; cut++) {
		enum err e = parse_bytes(packed, cut);

		cr_expect(e == ERR_NOT_DECODED || e == ERR_NO_BODY || e == ERR_KEY_MISSING, "cut at %zu: %s", cut,
			  err_name((int)e));
	}
}

Test(request, what_does_not_fit_the_arena_is_refused_not_crashed)
{
	static const size_t sizes[] = {0, 15, 64, 256, 512};

	good();
	(void)parse();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct arena small = {memory, sizes[i], 0};

		cr_expect_eq(request_parse(&small, packed, packed_len, &parsed), ERR_NOT_DECODED, "%zu", sizes[i]);
	}
}

Test(request, a_frame_made_to_swell_is_refused)
{
	/* a Requirement of empty visits: two bytes each on the wire, eighty in memory */
	static uint8_t bomb[FRAME_BYTES_MAX];
	size_t inner = sizeof bomb - 16, at = 0;

	bomb[at++] = 0x5a; /* field 11, a message */
	for (size_t n = inner + 4, i = 0; i < 3; i++, n >>= 7)
		bomb[at++] = (uint8_t)((n & 127) | (i < 2 ? 128 : 0));
	bomb[at++] = 0x0a;
	for (size_t n = inner, i = 0; i < 3; i++, n >>= 7)
		bomb[at++] = (uint8_t)((n & 127) | (i < 2 ? 128 : 0));
	for (size_t i = 0; i < inner; i += 2)
		bomb[at + i] = 0x52;
	cr_expect_eq(parse_bytes(bomb, at + inner), ERR_NOT_DECODED);
}

Test(request_query, each_kind_is_known_and_needs_no_key)
{
	static const struct {
		int body;
		enum request_kind kind;
		const ProtobufCMessageDescriptor *descriptor;
	} kinds[] = {
#define KIND(NAME, name, Kind)                                                                                         \
	{CALLOFF__V1__ENVELOPE__BODY_##NAME##_REQUEST, REQUEST_##NAME, &calloff__v1__##name##_request__descriptor}
		KIND(HELLO, hello, 0),
		KIND(LIST_PACKAGES, list_packages, 0),
		KIND(LIST_POOLS, list_pools, 0),
		KIND(LIST_LOTS, list_lots, 0),
		KIND(LIST_PROVIDERS, list_providers, 0),
		KIND(GET_COUNTS, get_counts, 0),
		KIND(GET_HEALTH, get_health, 0),
		KIND(GET_STATS, get_stats, 0),
		KIND(READ_JOURNAL, read_journal, 0),
		KIND(SUBSCRIBE, subscribe, 0),
#undef KIND
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		static uint8_t room[512];

		begin();
		envelope.key.len = 0;
		protobuf_c_message_init(kinds[i].descriptor, room);
		envelope.body_case = kinds[i].body;
		envelope.hello_request = (void *)room; /* a union of pointers */
		cr_expect_eq(parse(), ERR_OK, "%s", kinds[i].descriptor->name);
		cr_expect_eq(parsed.kind, kinds[i].kind, "%s", kinds[i].descriptor->name);
	}
}

Test(request_query, pages_are_bounded)
{
	static Calloff__V1__ListPoolsRequest pools;

	calloff__v1__list_pools_request__init(&pools);
	for (uint32_t limit = 0; limit < 5000; limit += 999) {
		begin();
		envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_POOLS_REQUEST;
		envelope.list_pools_request = &pools;
		pools.limit = limit;
		cr_expect_eq(parse(), ERR_OK);
		cr_expect_eq(parsed.query.limit, limit == 0 || limit > PAGE_ROWS_MAX ? (uint32_t)PAGE_ROWS_MAX : limit);
	}
	pools.after = say("x y");
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("after"));
}

Test(request_query, a_package_is_asked_for_by_id_or_case)
{
	static Calloff__V1__GetPackageRequest get;
	static Calloff__V1__ExplainPackageRequest explain;

	begin();
	calloff__v1__get_package_request__init(&get);
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_PACKAGE_REQUEST;
	envelope.get_package_request = &get;
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("package"));
	get.case_ref = say("C-1");
	cr_expect_eq(parse(), ERR_OK);
	cr_expect(parsed.query.package_no == 0 && text_is(parsed.query.case_ref, "C-1"));
	get.package = say("nonsense");
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	calloff__v1__explain_package_request__init(&explain);
	explain.package = say("P-7");
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_EXPLAIN_PACKAGE_REQUEST;
	envelope.explain_package_request = &explain;
	cr_expect_eq(parse(), ERR_OK);
	cr_expect_eq(parsed.query.package_no, 7);
}

Test(request_query, states_are_those_the_engine_knows)
{
	static Calloff__V1__ListPackagesRequest list;
	static Calloff__V1__PackageState states[] = {4, 13, 14};

	begin();
	calloff__v1__list_packages_request__init(&list);
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_PACKAGES_REQUEST;
	envelope.list_packages_request = &list;
	cr_expect_eq(parse(), ERR_OK);
	cr_expect(parsed.query.state_mask >> STATE_PROVISIONAL & 1, "those that wait for somebody");
	cr_expect_not(parsed.query.state_mask >> STATE_PLACED & 1);
	list.states = states;
	list.n_states = 2;
	cr_expect_eq(parse(), ERR_OK);
	cr_expect_eq(parsed.query.state_mask, 1u << STATE_PROVISIONAL | 1u << STATE_VOID);
	list.n_states = 3;
	cr_expect_eq(parse(), ERR_INVALID_FIELD);
	cr_expect(violated("states"));
}

Test(request, the_frame_may_be_gone_once_it_is_parsed)
{
	TAKEN(requirement.district = say("Maldon")); /* parse_bytes frees it; the sanitizer tells */
	cr_expect(text_is(parsed.event.submit.district, "Maldon"));
}
