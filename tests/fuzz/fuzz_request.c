/* fuzz_request.c — one Envelope: what is taken keeps every limit, and a command reads back from its own bytes alike. */
#include "fuzz/fuzz.h"

#include "core/record.h"
#include "core/words.h"
#include "wire/request.h"
#include "wire/unpack.h"

#include <string.h>

static void check_text(struct text t, size_t max)
{
	PROMISE(t.bytes != NULL && t.len <= max && memchr(t.bytes, 0, t.len) == NULL);
}

static void check_visit(const struct visit *v)
{
	PROMISE(v->days >= 1 && v->days <= 127 && v->band < BANDS && (v->bands >> v->band & 1) != 0);
	PROMISE(v->minutes >= UNIT_MINUTES && v->minutes <= VISIT_MINUTES_MAX && v->minutes % UNIT_MINUTES == 0);
	PROMISE(v->carers >= 1 && v->carers <= 2 && v->tolerance_minutes <= 120);
}

static void check_submit(const struct requirement *r)
{
	const struct text refs[] = {r->case_ref,  r->person_ref, r->household_ref,
				    r->owner_ref, r->bundle_ref, r->district};

	for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) {
		check_text(refs[i], REF_BYTES_MAX);
		PROMISE(!text_looks_like_nhs_number(refs[i]));
	}
	check_text(r->sector, 7);
	check_text(r->language, ID_BYTES_MAX);
	PROMISE(r->sector.len >= 4 && r->case_ref.len > 0 && r->person_ref.len > 0);
	PROMISE(r->service >= SERVICE_PERSONAL_CARE && r->service <= SERVICE_LIVE_IN &&
		r->client_group <= GROUP_MEMORY);
	PROMISE(r->gender <= GENDER_MALE && r->urgency >= 1 && r->urgency <= URGENCY_STANDARD);
	PROMISE(r->risk >= 1 && r->risk <= RISK_GREEN && r->cover >= 1 && r->cover <= COVER_PROVIDER);
	PROMISE(r->funding >= 1 && r->funding <= FUNDING_SELF_FUNDER && r->regime >= 1 && r->regime <= REGIME_PSR);
	PROMISE(r->skill_count <= SKILLS_MAX && r->excluded_count <= EXCLUDED_MAX);
	PROMISE(r->visit_count >= 1 && r->visit_count <= VISITS_MAX && r->start_day >= 0);
	for (uint32_t i = 0; i < r->visit_count; i++)
		check_visit(&r->visits[i]);
	for (uint32_t i = 0; i < r->skill_count; i++)
		check_text(r->skills[i], ID_BYTES_MAX);
	for (uint32_t i = 0; i < r->excluded_count; i++) {
		check_text(r->excluded[i].provider, ID_BYTES_MAX);
		check_text(r->excluded[i].reason, ID_BYTES_MAX);
	}
}

static void check_command(const struct request *r)
{
	static struct event back;
	uint8_t bytes[4096], again[4096];
	size_t len = record_event(&r->event, bytes, sizeof bytes);

	PROMISE(len > 0);
	PROMISE(record_event_decode(bytes, len, &back) == ERR_OK);
	PROMISE(record_event(&back, again, sizeof again) == len && memcmp(bytes, again, len) == 0);
	if (r->event.type == EVENT_SUBMIT) {
		check_submit(&r->event.submit);
	} else if (r->event.type == EVENT_DECLARE) {
		check_text(r->event.declare.pool, REF_BYTES_MAX);
		for (uint32_t i = 0; i < 2 * CELLS; i++)
			PROMISE(r->event.declare.declared[i / CELLS][i % CELLS] <= CELL_UNITS_MAX * UNIT_MINUTES);
	} else {
		PROMISE(r->event.change.package_no >= 0);
		check_text(r->event.change.reason, ID_BYTES_MAX);
	}
	PROMISE(r->dry_run || r->key[6] >> 4 == 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char memory[2 * UNPACK_BYTES_MAX];
	static struct request request;
	struct arena arena = {memory, sizeof memory, 0};
	enum err e;

	memset(request.key, 0, sizeof request.key);
	e = request_parse(&arena, data, size, &request);
	if (e == ERR_OK && request.kind == REQUEST_COMMAND)
		check_command(&request);
	if (e == ERR_OK && request.kind != REQUEST_COMMAND) {
		check_text(request.query.case_ref, REF_BYTES_MAX);
		check_text(request.query.code, REF_BYTES_MAX);
		check_text(request.query.after, REF_BYTES_MAX);
		PROMISE(request.query.limit <= PAGE_ROWS_MAX && request.query.package_no >= 0);
	}
	PROMISE((e == ERR_INVALID_FIELD) == (request.violation_count > 0));
	PROMISE(request.violation_count <= VIOLATIONS_MAX);
	for (uint32_t i = 0; i < request.violation_count; i++) {
		PROMISE(memchr(request.violations[i].field, 0, sizeof request.violations[i].field) != NULL);
		PROMISE(memchr(request.violations[i].problem, 0, sizeof request.violations[i].problem) != NULL);
	}
	return 0;
}
