/* fuzz_framework.c — any small framework: refused with a note, or sealed; then any commands: never an abort.
 *
 * After each event: a dry run said the same and changed nothing; what the journal keeps of it makes the same state in a
 * second core; no cell holds more than its placements take, and what they take is what is missing. */
#include "fuzz/fuzz.h"

#include "core/core.h"
#include "core/record.h"
#include "core/words.h"
#include "fuzz/small_market.h"

#define DAY_US INT64_C(86400000000)

enum { EVENTS_MAX = 24, FRAMEWORK_BYTES = 8 << 20, CORE_BYTES = 8 << 20 };

static struct small_market market;
static unsigned char framework_memory[FRAMEWORK_BYTES];
static _Alignas(64) unsigned char core_memory[2][CORE_BYTES];
static const struct core_limits limits = {.packages_max = 64, .placements_max = 64, .blocks_max = 512};

static struct core *start(int which, const struct framework *f)
{
	size_t bytes = core_bytes(f, &limits);

	PROMISE(bytes <= CORE_BYTES);
	memset(core_memory[which], 0, bytes);
	return core_init(core_memory[which], f, &limits);
}

static void add_demand(const struct core *c, int32_t slot, uint32_t pool, int32_t taken[2][CELLS])
{
	uint32_t demand[VISITS_MAX];
	const struct placement *p;

	if (slot == NONE)
		return;
	p = core_placement(c, slot);
	if (p->pool != pool)
		return;
	core_demand(c, p, demand);
	for (uint32_t i = 0; i < p->demand_count; i++) {
		for (uint32_t day = 0; day < DAYS; day++) {
			if ((visit_code_days(demand[i]) >> day & 1) != 0)
				taken[visit_code_paired(demand[i])][day * BANDS + visit_code_band(demand[i])] +=
					(int32_t)visit_code_units(demand[i]);
		}
	}
}

/* What a pool lacks is the sum of what the live placements take of it. */
static void check_committed(const struct core *c, int64_t last_no)
{
	for (uint32_t pool = 0; pool < core_framework(c)->pool_count; pool++) {
		int32_t taken[2][CELLS] = {{0}};

		for (int64_t no = 1; no <= last_no; no++) {
			const struct package *p = core_find(c, no);

			if (p == NULL)
				continue;
			add_demand(c, p->main, pool, taken);
			add_demand(c, p->interim, pool, taken);
			add_demand(c, p->outgoing, pool, taken);
		}
		for (uint32_t i = 0; i < 2 * CELLS; i++)
			PROMISE(core_committed(c, pool, i % CELLS, i / CELLS) == taken[i / CELLS][i % CELLS]);
	}
}

static void check_reasons(const struct update *u)
{
	for (uint32_t i = 0; u->round_count > 0 && i < u->decision.looked_at; i++) {
		const struct candidate *c = &u->decision.candidates[i];

		PROMISE(c->reason >= REASON_CHOSEN && c->reason <= REASON_LAST && c->reason != REASON_NOT_REACHED);
		PROMISE(c->reason != REASON_CHOSEN || (i + 1 == u->decision.looked_at && u->made_count > 0));
		PROMISE(c->cell_plane == UINT8_MAX || c->need > c->free);
	}
}

static void step(struct core *c, struct core *replayed, const struct event *event)
{
	static struct update dry, update, back;
	static struct event event_back;
	static uint8_t record[RECORD_BYTES_MAX], outcome[2][OUTCOME_BYTES_MAX];
	struct stamp stamp = {.framework_version = 1, .rules_version = RULES_VERSION};
	uint64_t hash = core_state_hash(c);
	size_t len;

	core_decide(c, event, &dry);
	PROMISE(core_state_hash(c) == hash);
	core_step(c, event, &update);
	len = outcome_encode(&dry.outcome, outcome[0], OUTCOME_BYTES_MAX);
	PROMISE(len > 0 && outcome_encode(&update.outcome, outcome[1], OUTCOME_BYTES_MAX) == len);
	PROMISE(memcmp(outcome[0], outcome[1], len) == 0);
	PROMISE(update.outcome.refusal == 0 || core_state_hash(c) == hash);
	check_reasons(&update);
	len = record_encode(event, &update, &stamp, record, sizeof record);
	PROMISE(record_decode(record, len, &event_back, &back, &stamp) == ERR_OK);
	core_apply(replayed, &event_back, &back);
	PROMISE(core_state_hash(replayed) == core_state_hash(c));
	check_committed(c, event->seq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = {.bytes = data, .size = size};
	struct arena arena = {framework_memory, sizeof framework_memory, 0};
	struct framework_note note;
	const struct framework *f;
	struct core *cores[2];
	static struct event event;

	small_market_read(&r, &market);
	PROMISE(framework_bytes(&market.rows) <= FRAMEWORK_BYTES);
	if (framework_seal(&market.rows, &arena, &f, &note) != ERR_OK) {
		PROMISE(note.text[0] != '\0' && memchr(note.text, 0, sizeof note.text) != NULL);
		return 0;
	}
	cores[0] = start(0, f);
	cores[1] = start(1, f);
	for (int64_t seq = 1; seq <= EVENTS_MAX && !r.bad; seq++) {
		small_market_event(&r, &market, &event);
		event.seq = seq;
		event.now_us = SMALL_NOW_DAY * DAY_US + DAY_US / 3 + seq;
		step(cores[0], cores[1], &event);
	}
	return 0;
}
