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
	PROMISE(r->sector.len >= 4);
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

	PROMISE(len > 0 && event_holds(&r->event));
	PROMISE(record_event_decode(bytes, len, &back) == ERR_OK);
	PROMISE(record_event(&back, again, sizeof again) == len && memcmp(bytes, again, len) == 0);
	if (r->event.type == EVENT_SUBMIT) {
		check_submit(&r->event.submit);
	} else if (r->event.type == EVENT_DECLARE) {
		check_text(r->event.declare.pool, REF_BYTES_MAX);
	} else {
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
