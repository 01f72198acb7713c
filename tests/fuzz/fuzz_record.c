/* fuzz_record.c — a journal record and an outcome from any bytes: refused, or read into something that writes and reads
 * the same again. Bytes that mean the same in two ways (a flag of 2 for 1) are written in one way. */
#include "fuzz/fuzz.h"

#include "base/limits.h"
#include "core/record.h"

#include <string.h>

enum { ROOM = 64 * 1024 }; /* texts of 255 bytes make a record larger than any the engine writes */

static void check_record(const uint8_t *data, size_t size)
{
	static struct event event;
	static struct update update;
	static uint8_t first[ROOM], second[ROOM];
	struct stamp stamp;
	size_t len;

	if (size > ROOM || record_decode(data, size, &event, &update, &stamp) != ERR_OK)
		return;
	PROMISE(update.new_count <= 1 && update.change_count <= 2 && update.round_count <= 2 && update.made_count <= 2);
	PROMISE(update.ended_count <= 4 && update.declared_count <= 1);
	PROMISE(update.round_count == 0 || update.decision.looked_at <= LIST_ENTRIES_MAX);
	len = record_encode(&event, &update, &stamp, first, sizeof first);
	PROMISE(len <= size);
	PROMISE(record_decode(first, len, &event, &update, &stamp) == ERR_OK);
	PROMISE(record_encode(&event, &update, &stamp, second, sizeof second) == len);
	PROMISE(memcmp(first, second, len) == 0);
}

static void check_event(const uint8_t *data, size_t size)
{
	static struct event event;
	static uint8_t first[ROOM], second[ROOM];
	size_t len;

	if (size > ROOM || record_event_decode(data, size, &event) != ERR_OK)
		return;
	len = record_event(&event, first, sizeof first);
	PROMISE(len == size);
	PROMISE(record_event_decode(first, len, &event) == ERR_OK);
	PROMISE(record_event(&event, second, sizeof second) == len && memcmp(first, second, len) == 0);
}

static void check_outcome(const uint8_t *data, size_t size)
{
	struct outcome outcome;
	uint8_t first[512], second[512];
	size_t len;

	if (outcome_decode(data, size, &outcome) != ERR_OK)
		return;
	PROMISE(outcome.band_count <= VISITS_MAX && memchr(outcome.field, 0, sizeof outcome.field) != NULL);
	len = outcome_encode(&outcome, first, OUTCOME_BYTES_MAX);
	PROMISE(len > 0);
	PROMISE(outcome_decode(first, len, &outcome) == ERR_OK);
	PROMISE(outcome_encode(&outcome, second, sizeof second) == len && memcmp(first, second, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_record(data, size);
	check_event(data, size);
	check_outcome(data, size);
	return 0;
}
