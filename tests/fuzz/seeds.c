/* seeds.c — the first corpus, made once by hand: seeds FOLDER. Fuzzing grows it; what is found stays in
 * tests/fuzz/corpus. */
#include "base/buf.h"
#include "base/mem.h"
#include "calloff/v1/envelope.pb-c.h"
#include "core/words.h"
#include "fuzz/small_market.h"
#include "pg/row.h"
#include "unit/examples.h"
#include "wire/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *folder;
static struct buf out;

static void save(const char *target, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, target);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(out.bytes + out.from, 1, buf_len(&out), f) != buf_len(&out) || fclose(f) != 0)
		abort();
	buf_clear(&out);
}

static void put(const void *bytes, size_t len)
{
	buf_append(&out, bytes, len);
}

static void put_byte(uint32_t b)
{
	uint8_t byte = (uint8_t)b;

	put(&byte, 1);
}

/* ---- requests and frames ---- */

static Calloff__V1__Envelope envelope;
static uint8_t key[16] = {1, 0x9b, 0x76, 0xda, 0xa8, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1};
static struct buf stream;

static void save_request(const char *name)
{
	size_t len;
	uint8_t head[FRAME_HEAD_BYTES];

	envelope.request_id = 7;
	len = calloff__v1__envelope__get_packed_size(&envelope);
	calloff__v1__envelope__pack(&envelope, buf_reserve(&out, len));
	out.to += len;
	frame_put_head(head, len);
	buf_append(&stream, head, sizeof head);
	buf_append(&stream, out.bytes, len);
	put(NULL, 0);
	save("request", name);
	calloff__v1__envelope__init(&envelope);
	envelope.key = (ProtobufCBinaryData){sizeof key, key};
}

static void seed_submit(void)
{
	Calloff__V1__SubmitPackageRequest m = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
	Calloff__V1__Requirement r = CALLOFF__V1__REQUIREMENT__INIT;
	Calloff__V1__Visit v[2] = {CALLOFF__V1__VISIT__INIT, CALLOFF__V1__VISIT__INIT}, *visits[] = {&v[0], &v[1]};
	Calloff__V1__Exclusion x = CALLOFF__V1__EXCLUSION__INIT, *excluded[] = {&x};
	Calloff__V1__Band also[] = {CALLOFF__V1__BAND__BAND_TEA, CALLOFF__V1__BAND__BAND_BED};
	char *skills[] = {(char *)"hoist", (char *)"peg"};

	v[0].days = 127;
	v[0].band = CALLOFF__V1__BAND__BAND_MORNING;
	v[0].minutes = 45;
	v[0].carers = 2;
	v[0].time_critical = v[0].shared_with_bundle = 1;
	v[1].days = 31;
	v[1].band = CALLOFF__V1__BAND__BAND_LUNCH;
	v[1].also_bands = also;
	v[1].n_also_bands = 2;
	v[1].minutes = 30;
	v[1].carers = 1;
	v[1].tolerance_minutes = 30;
	x.provider = (char *)"PRV-MAL04";
	x.reason = (char *)"complaint";
	r.case_ref = (char *)"C-2041";
	r.person_ref = (char *)"X-77";
	r.household_ref = (char *)"H-3";
	r.owner_ref = (char *)"o.smith";
	r.bundle_ref = (char *)"B-1";
	r.sector = (char *)"cm0 7";
	r.district = (char *)"Maldon";
	r.language = (char *)"pl";
	r.start_date = (char *)"2026-12-19";
	r.service = CALLOFF__V1__SERVICE__SERVICE_PERSONAL_CARE;
	r.client_group = CALLOFF__V1__CLIENT_GROUP__CLIENT_GROUP_OLDER_PEOPLE;
	r.carer_gender = CALLOFF__V1__CARER_GENDER__CARER_GENDER_FEMALE;
	r.risk = CALLOFF__V1__RISK__RISK_RED;
	r.urgency = CALLOFF__V1__URGENCY__URGENCY_HOSPITAL_PLANNED;
	r.cover = CALLOFF__V1__COVER__COVER_WARD;
	r.cover_until_us = r.need_arose_us = r.latest_safe_start_us = 1767268800000000;
	r.ceiling_pence_hour = 2500;
	r.needs_key_safe = 1;
	r.visits = visits;
	r.n_visits = 2;
	r.skills = skills;
	r.n_skills = 2;
	r.excluded = excluded;
	r.n_excluded = 1;
	m.requirement = &r;
	envelope.submit_package_request = &m;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	save_request("submit");
	m.dry_run = 1;
	r.service = CALLOFF__V1__SERVICE__SERVICE_LIVE_IN;
	r.n_visits = 1;
	envelope.submit_package_request = &m;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	save_request("submit_wrong_night");
}

static void seed_changes(void)
{
	Calloff__V1__ConfirmPackageRequest confirm = CALLOFF__V1__CONFIRM_PACKAGE_REQUEST__INIT;
	Calloff__V1__WithdrawPackageRequest withdraw = CALLOFF__V1__WITHDRAW_PACKAGE_REQUEST__INIT;
	Calloff__V1__EndPackageRequest end = CALLOFF__V1__END_PACKAGE_REQUEST__INIT;
	Calloff__V1__DeclareCapacityRequest declare = CALLOFF__V1__DECLARE_CAPACITY_REQUEST__INIT;
	Calloff__V1__Cell c = CALLOFF__V1__CELL__INIT, *cells[] = {&c};

	confirm.package = withdraw.package = end.package = (char *)"P-10482";
	confirm.with_budget_authority = 1;
	withdraw.reason = end.reason = (char *)"hospital";
	envelope.confirm_package_request = &confirm;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST;
	save_request("confirm");
	envelope.withdraw_package_request = &withdraw;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST;
	save_request("withdraw");
	envelope.end_package_request = &end;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST;
	save_request("end");
	c.day = 7;
	c.band = CALLOFF__V1__BAND__BAND_BED;
	c.paired = 1;
	c.declared = 240;
	declare.pool = (char *)"MAL04-TIME-1";
	declare.expires_us = 1767268800000000;
	declare.available_from = (char *)"2026-12-19";
	declare.cells = cells;
	declare.n_cells = 1;
	envelope.declare_capacity_request = &declare;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST;
	save_request("declare");
	c.band = -7; /* once read past the pool's cells */
	envelope.declare_capacity_request = &declare;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST;
	save_request("declare_band_below");
}

/* ---- one of each body, by the descriptors: each field set, one of what repeats ---- */

static uint64_t room[64 * 1024];
static size_t room_used;

static void *take(size_t bytes)
{
	void *p = &room[room_used];

	room_used += (bytes + 7) / 8;
	if (room_used > sizeof room / sizeof room[0])
		abort();
	memset(p, 0, bytes);
	return p;
}

static void *fill(const ProtobufCMessageDescriptor *d);

static size_t width(ProtobufCType type)
{
	if (type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE)
		return sizeof(void *);
	if (type == PROTOBUF_C_TYPE_BYTES)
		return sizeof(ProtobufCBinaryData);
	if (type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_UINT64)
		return 8;
	/* the schema has no sint64, fixed64 or double */
	return 4;
}

static void fill_value(const ProtobufCFieldDescriptor *field, void *at)
{
	static const int64_t ten = 10;
	static const int32_t one = 1;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		*(void **)at = fill(field->descriptor);
	else if (field->type == PROTOBUF_C_TYPE_STRING)
		*(char **)at = (char *)"P-10482";
	else if (field->type == PROTOBUF_C_TYPE_BYTES)
		*(ProtobufCBinaryData *)at = (ProtobufCBinaryData){sizeof key, key};
	else if (field->type == PROTOBUF_C_TYPE_ENUM || field->type == PROTOBUF_C_TYPE_BOOL)
		memcpy(at, &one, sizeof one);
	else
		memcpy(at, &ten, width(field->type)); /* little-endian */
}

static void *fill(const ProtobufCMessageDescriptor *d)
{
	unsigned char *message = take(d->sizeof_message);

	protobuf_c_message_init(d, message);
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &d->fields[i];
		void *at = message + field->offset;

		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			void *only = take(width(field->type));

			fill_value(field, only);
			*(void **)at = only;
			*(size_t *)(void *)(message + field->quantifier_offset) = 1;
			continue;
		}
		fill_value(field, at);
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
			*(uint32_t *)(void *)(message + field->quantifier_offset) = field->id;
	}
	return message;
}

static void seed_bodies(void)
{
	const ProtobufCMessageDescriptor *d = &calloff__v1__envelope__descriptor;

	for (unsigned i = 0; i < d->n_fields; i++) {
		char name[64];

		if ((d->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
			continue;
		room_used = 0;
		*(void **)(void *)((char *)&envelope + d->fields[i].offset) = fill(d->fields[i].descriptor);
		envelope.body_case = (Calloff__V1__Envelope__BodyCase)d->fields[i].id;
		snprintf(name, sizeof name, "body_%s", d->fields[i].name);
		save_request(name);
	}
}

static void seed_requests(void)
{
	Calloff__V1__HelloRequest hello = CALLOFF__V1__HELLO_REQUEST__INIT;

	calloff__v1__envelope__init(&envelope);
	hello.client = (char *)"calloff 0.1";
	hello.protocol = 1;
	envelope.hello_request = &hello;
	envelope.body_case = CALLOFF__V1__ENVELOPE__BODY_HELLO_REQUEST;
	save_request("hello");
	seed_submit();
	seed_changes();
	seed_bodies();
	put(stream.bytes, buf_len(&stream));
	save("frame", "all_requests");
	put("\0\0\0\0", 4);
	put(stream.bytes, 40);
	save("frame", "empty_then_cut");
	put("\0\x10\0\1", 4);
	save("frame", "too_big");
	put("\0\0\0\2\xff\xff\0\0\0\2\x08\x07", 12);
	save("frame", "nonsense");
}

/* ---- records, rows, configuration ---- */

static void seed_records(void)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	static struct example e;
	char name[64];

	for (int i = 0; i < EXAMPLE_LARGEST; i++) {
		example_make((enum example_name)i, &e);
		put(bytes, record_encode(&e.event, &e.update, &e.stamp, bytes, sizeof bytes));
		save("record", example_word((enum example_name)i));
		put(bytes, outcome_encode(&e.update.outcome, bytes, OUTCOME_BYTES_MAX));
		snprintf(name, sizeof name, "outcome_%s", example_word((enum example_name)i));
		save("record", name);
		put(bytes, record_event(&e.event, bytes, sizeof bytes));
		snprintf(name, sizeof name, "event_%s", example_word((enum example_name)i));
		save("record", name);
	}
}

static void put_big_endian(uint64_t n, size_t width)
{
	while (width-- > 0)
		put_byte((uint32_t)(n >> (8 * width) & 255));
}

static void put_field(uint64_t n, size_t width)
{
	put_big_endian(width, 4);
	put_big_endian(n, width);
}

static void put_ints(uint32_t count)
{
	put_big_endian(20 + count * 8, 4);
	put_big_endian(count > 0 ? 1 : 0, 4);
	put_big_endian(0, 4);
	put_big_endian(23, 4);
	put_big_endian(count, 4);
	put_big_endian(1, 4);
	for (uint32_t i = 0; i < count; i++)
		put_field(i, 4);
}

static void seed_rows(void)
{
	static const uint8_t kinds[] = {0, 0, 0, 1, 2, 3 + 32 * 5, 4, 3};

	for (int header = 0; header < 2; header++) {
		put_byte((uint32_t)header);
		put_byte(sizeof kinds);
		put(kinds, sizeof kinds);
		if (header == 1)
			put("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
		put_big_endian(sizeof kinds, 2);
		put_field(10482, 8);
		put_field(7, 4);
		put_field(5, 2);
		put_field(1, 1);
		put_big_endian(5, 4);
		put("B-100", 5);
		put_ints(3);
		put_field(0x4241, 2);
		put_ints(0);
		save("row", header == 1 ? "tuple_with_header" : "tuple");
	}
	put("\0\1\0\xff\xff", 5);
	save("row", "trailer");
	put("\0\1\0\0\1\xff\xff\xff\xff", 9);
	save("row", "null");
}

static void seed_configs(void)
{
	static const char good[] =
		"# where\nsocket = /run/calloff.sock\ndatabase=host=/run user=x\n\nshard = 2\npackages_max = 1000\n";
	static const char bad[] = "shard = 2x\n", unknown[] = "shards = 2\n", no_value[] = "shard\n",
			  range[] = "shard = 99999999999999999999\n";

	put(good, sizeof good - 1);
	save("config", "good");
	put(bad, sizeof bad - 1);
	save("config", "no_number");
	put(unknown, sizeof unknown - 1);
	save("config", "unknown");
	put(no_value, sizeof no_value - 1);
	save("config", "no_value");
	put(range, sizeof range - 1);
	save("config", "out_of_range");
	put("socket = ", 9);
	for (int i = 0; i < 600; i++)
		put_byte('x');
	save("config", "too_long");
}

/* ---- a market: the bytes that small_market_read turns into rows ---- */

#define BYTES(...) put((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* Two districts in two lots, three providers on one list with a spot and a last resort, one list of nights. */
static void put_market(uint8_t confirmation, uint8_t flags)
{
	BYTES(2, 0, 1);                   /* districts 1, 2 */
	BYTES(3, 1, 2, 3);                /* sectors */
	BYTES(4, 1, 0, 2, 1, 3, 0, 3, 1); /* sector 3 straddles */
	BYTES(2, 1, 2);                   /* lots */
	BYTES(2, 1, 0, 2, 1);
	BYTES(2, 0, 1); /* skills */
	BYTES(2, 1, 2); /* languages */
	put_byte(3);
	for (uint8_t p = 1; p <= 3; p++)
		BYTES(p, 3, 3, 0, 0, 0, 3, 7, 0, 0, 0, 0, 0, 0, 0, flags & 1, (flags >> 1) & 1, 1);
	if ((flags & 4) != 0)
		BYTES(1, 1, 0, 1 /* capped */, 0, 1, 10, 30, 1);
	else
		BYTES(0);
	BYTES(4, 1, 1, 0, 2, 2, 0, 3, 3, 0, 4, 1, 1);                            /* pools 1-3 of time, 4 of nights */
	BYTES(1, 0, 1, confirmation, 59, 0, 5, 2, 2, 2, 6, 1, 1, 1, 2, 1, 2, 4); /* a policy, routes 1 2 4 */
	put_byte(20); /* a clause for every reason, so that none is missing */
	for (uint8_t reason = 0; reason < 20; reason++)
		BYTES(0, reason);
	BYTES(2, 0, 1, 0, 0, 0, 0, 0, 40, 1, 1, 1, 0, 0, 0, 0, 40); /* list 1: care, list 2: nights, both lot 1 */
	BYTES(4, 0, 0, 1, 0, 0, 0, 1, 24, (flags >> 3) & 3, 0, 0, 2, 1, 0, 1, 2, 30, 0, 0, 0, 3, 3, 0, 2, 3, 50, 0, 1,
	      0, 1, 0, 0, 0, 1, 24, 0);
	BYTES(8, 0, 1, 1, 1, 0, 1, 3, 1, 0, 2, 1, 2, 0, 2, 3, 2, 0, 3, 1, 3, 0, 3, 3, 3, 1, 1, 1, 4, 1, 1, 3, 4);
}

static void put_declare(uint8_t pool, uint8_t tens)
{
	BYTES(3, tens, 1, (uint8_t)(pool - 1));
}

/* One visit a line: bands, days-1, band, carers-1, minutes/5-1, as read_visits reads them. */
static void put_submit(uint8_t sector, uint8_t bundle, uint8_t service, uint8_t visits)
{
	BYTES(0, 0, (uint8_t)(sector - 1), bundle, (uint8_t)(service - 1), 0, 0, 4, 2, 2, 0, 0, (uint8_t)(visits - 1));
	for (uint8_t i = 0; i < visits; i++) {
		if (service == SERVICE_PERSONAL_CARE)
			BYTES((uint8_t)(i % 2 * 0x61 + (bundle > 2 ? 3 * (i % 2 == 0) : 0)), 126, (uint8_t)(i % 7),
			      (uint8_t)(i & 1), 5);
		else
			BYTES(0, 1, 95);
	}
}

static void seed_markets(void)
{
	char name[32];

	for (uint8_t flags = 0; flags < 32; flags += 5) {
		put_market(flags & 1, flags);
		for (uint8_t pool = 1; pool <= 4; pool++)
			put_declare(pool, (uint8_t)(20 / pool));
		put_submit(1, 0, 1, 1 + flags % 6);
		put_submit(1, 3, 1, 2);
		put_submit(1, 3, 1, 2);
		put_submit(1, 0, 2, 1);
		for (uint8_t no = 5; no <= 8; no++)
			BYTES(5, no, 0);
		put_declare(1, 1);
		BYTES(6, 5, 0, 7, 6, 0, 7, 7, 0, 6, 8, 0);
		put_submit(1, 0, 1, 12);
		snprintf(name, sizeof name, "market_%u", flags);
		save("framework", name);
	}
	for (int i = 0; i < 15; i++)
		put_byte(0);
	save("framework", "empty");
}

/* Steps as fuzz_journal.c has them: an event decided and recorded, every fourth record with a few bytes changed. */
static void put_step(bool changed)
{
	put_byte(changed ? 129 : 0);
}

static void put_changes(uint8_t at)
{
	BYTES(at, 0, 1, (uint8_t)(at + 40), 0, 3);
}

static void seed_journals(void)
{
	char name[32];

	for (uint8_t flags = 0; flags < 32; flags += 7) {
		put_market(flags & 1, flags);
		for (uint8_t pool = 1; pool <= 4; pool++) {
			put_step(false);
			put_declare(pool, (uint8_t)(20 / pool));
		}
		for (uint8_t i = 0; i < 6; i++) {
			put_step(i == 5);
			put_submit(1, i == 2 || i == 3 ? 3 : 0, i == 4 ? 2 : 1, 1 + i);
			if (i == 5)
				put_changes((uint8_t)(flags * 5));
		}
		for (uint8_t no = 5; no <= 8; no++) {
			put_step(no == 8);
			BYTES((uint8_t)(no < 7 ? 5 : 6), no, 0);
			if (no == 8)
				put_changes((uint8_t)(10 + flags));
		}
		snprintf(name, sizeof name, "journal_%u", flags);
		save("journal", name);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	folder = argv[1];
	seed_requests();
	seed_records();
	seed_rows();
	seed_configs();
	seed_markets();
	seed_journals();
	buf_free(&out);
	buf_free(&stream);
	return 0;
}
