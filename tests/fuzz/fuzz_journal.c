/* fuzz_journal.c — a journal over a small framework, replayed: each record is refused, or folds in; never an abort.
 *
 * Input: a market as small_market_read has it; then steps. A step is a byte of kind, and
 *   0..127    an event as small_market_event has it, decided by a core of its own, recorded: must fit where all before did
 *   128..191  the same, with (kind & 7) + 1 bytes of the record changed: u16 where, u8 by what
 *   192..255  a record as it stands in the input: u16 length, bytes
 * What folds in may be decided once more before, as a standby does (store/level.c), writes and reads back the same, and
 * replayed from the start it makes the same state. */
#include "fuzz/fuzz.h"

#include "core/core.h"
#include "core/record.h"
#include "fuzz/small_market.h"

#define DAY_US INT64_C(86400000000)

enum { STEPS_MAX = 32, FRAMEWORK_BYTES = 8 << 20, CORE_BYTES = 8 << 20, ROOM = 64 * 1024 };
enum { DECIDES, REPLAYS, AGAIN, CORES };

static struct small_market market;
static unsigned char framework_memory[FRAMEWORK_BYTES];
static _Alignas(64) unsigned char core_memory[CORES][CORE_BYTES];
static const struct core_limits limits = {.packages_max = 24, .placements_max = 24, .blocks_max = 96};
static struct {
	uint8_t bytes[ROOM];
	size_t len;
} kept[STEPS_MAX];
static uint32_t kept_count;

static struct core *start(int which, const struct framework *f)
{
	size_t bytes = core_bytes(f, &limits);

	PROMISE(bytes <= CORE_BYTES);
	memset(core_memory[which], 0, bytes);
	return core_init(core_memory[which], f, &limits);
}

/* Returns whether the record was folded in. */
static bool replay(struct core *c, const uint8_t *bytes, size_t len)
{
	static struct event event;
	static struct update update, decided;
	static uint8_t again[ROOM];
	struct stamp stamp;
	uint64_t hash = core_state_hash(c);
	size_t size;

	if (record_decode(bytes, len, &event, &update, &stamp) != ERR_OK)
		return false;
	if (core_fits(c, &event, &update) != ERR_OK) {
		PROMISE(core_state_hash(c) == hash);
		return false;
	}
	core_decide(c, &event, &decided);
	PROMISE(core_state_hash(c) == hash);
	core_apply(c, &event, &update);
	size = record_encode(&event, &update, &stamp, again, sizeof again);
	PROMISE(size <= len && record_decode(again, size, &event, &update, &stamp) == ERR_OK);
	return true;
}

static bool replay_and_keep(struct core *c, const uint8_t *bytes, size_t len)
{
	if (len > ROOM || !replay(c, bytes, len))
		return false;
	memcpy(kept[kept_count].bytes, bytes, len);
	kept[kept_count++].len = len;
	return true;
}

static size_t decide(struct core *c, struct reader *r, int64_t seq, uint8_t record[RECORD_BYTES_MAX])
{
	static struct event event;
	static struct update update;
	struct stamp stamp = {.framework_version = 1, .rules_version = RULES_VERSION};

	small_market_event(r, &market, &event);
	event.seq = seq;
	event.now_us = SMALL_NOW_DAY * DAY_US + DAY_US / 3 + seq;
	core_decide(c, &event, &update);
	if (!core_has_room(c))
		return 0; /* the engine would not have taken it */
	PROMISE(core_fits(c, &event, &update) == ERR_OK);
	core_apply(c, &event, &update);
	return record_encode(&event, &update, &stamp, record, RECORD_BYTES_MAX);
}

/* alike: the replaying core has seen all that the deciding one has, and nothing else. */
static void step(struct core *decides, struct core *replays, struct reader *r, int64_t seq, bool *alike)
{
	static uint8_t record[RECORD_BYTES_MAX];
	uint8_t kind = read_u8(r);
	bool folded;
	size_t len;

	if (kind >= 192) {
		const uint8_t *bytes;

		len = read_u16(r);
		bytes = read_bytes(r, len);
		*alike = !(bytes != NULL && replay_and_keep(replays, bytes, len)) && *alike;
		return;
	}
	len = decide(decides, r, seq, record);
	for (int i = 0; i <= (kind & 7) && kind >= 128 && len > 0; i++)
		record[read_u16(r) % len] ^= read_u8(r);
	folded = len > 0 && replay_and_keep(replays, record, len);
	PROMISE(kind >= 128 || !*alike || len == 0 || folded);
	*alike = *alike && kind < 128 && len > 0;
	PROMISE(!*alike || core_state_hash(decides) == core_state_hash(replays));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = {.bytes = data, .size = size};
	struct arena arena = {framework_memory, sizeof framework_memory, 0};
	struct framework_note note;
	const struct framework *f;
	struct core *cores[CORES];
	bool alike = true;

	small_market_read(&r, &market);
	if (framework_seal(&market.rows, &arena, &f, &note) != ERR_OK)
		return 0;
	for (int i = 0; i < CORES; i++)
		cores[i] = start(i, f);
	kept_count = 0;
	for (int64_t seq = 1; seq <= STEPS_MAX && !r.bad; seq++)
		step(cores[DECIDES], cores[REPLAYS], &r, seq, &alike);
	for (uint32_t i = 0; i < kept_count; i++)
		PROMISE(replay(cores[AGAIN], kept[i].bytes, kept[i].len));
	PROMISE(core_state_hash(cores[AGAIN]) == core_state_hash(cores[REPLAYS]));
	return 0;
}
