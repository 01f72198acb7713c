/* test_level.c — a standby keeps level with a journal row by row, and takes nothing that is not what it followed. */
#include "kit/kit.h"

#include "unit/fixture.h"

#include "base/mem.h"
#include "store/digest.h"
#include "store/level.h"

#include <string.h>

KIT_SUITE(level);

enum { RECORDS_MAX = 4 };

static struct world world; /* of the engine that reigns */
static struct level level;

/* A row as read_journal has it. */
static struct {
	uint8_t prev_hash[DIGEST_BYTES], row_hash[DIGEST_BYTES];
	uint8_t leaves[RECORDS_MAX * DIGEST_BYTES], salts[RECORDS_MAX * SALT_BYTES];
	uint8_t bytes[RECORDS_MAX][RECORD_BYTES_MAX];
	struct record_view records[RECORDS_MAX];
	struct journal_view view;
} row;

static struct fence seen;

/* Both begin with the same declarations; the standby has read as far as the fence says. */
static void begin(void)
{
	world_rows(&world);
	world_open(&world);
	level.core = world_core(&world);
	level.framework = world.framework;
	for (int pool = 0; pool < 3; pool++) {
		world_declare(&world, world.pools[pool].code, 600);
		core_apply(level.core, &world.event, &world.update);
	}
	level.fence = (struct fence){.shard = 1, .epoch = 2, .last_seq = world.seq, .framework_version = world.framework->version};
	level.followed = level.differs = 0;
	level.why = NULL;
	seen = level.fence;
}

static void end(void)
{
	mem_unmap(level.core, world.core_memory_bytes);
	world_close(&world);
}

static void row_hashes(void)
{
	uint8_t leaves[sizeof row.leaves], root[DIGEST_BYTES];
	size_t count = (size_t)(row.view.last_seq - row.view.first_seq + 1);

	for (size_t i = 0; i < count; i++)
		digest_leaf(row.salts + i * SALT_BYTES, row.records[i].record, row.records[i].len, row.leaves + i * DIGEST_BYTES);
	memcpy(leaves, row.leaves, sizeof leaves);
	digest_root(leaves, count, root);
	digest_row(1, row.view.first_seq, row.view.last_seq, row.view.epoch, row.prev_hash, root, row.row_hash);
	seen.last_seq = row.view.last_seq;
	memcpy(seen.head_hash, row.row_hash, DIGEST_BYTES);
}

/* The reigning engine's next row: so many packages, under these rules, each at a price that is off by so much. */
static const struct journal_view *row_made(uint32_t count, uint16_t rules_version, int32_t off_pence)
{
	struct stamp stamp = {.framework_version = world.framework->version, .rules_version = rules_version};

	row.view = (struct journal_view){
		.first_seq = world.seq + 1, .last_seq = world.seq + count, .epoch = 2,
		.framework_version = world.framework->version, .prev_hash = row.prev_hash, .row_hash = row.row_hash,
		.leaves = row.leaves, .salts = row.salts, .records = row.records};
	memcpy(row.prev_hash, seen.head_hash, DIGEST_BYTES);
	memset(row.salts, 7, sizeof row.salts);
	for (uint32_t i = 0; i < count; i++) {
		world_submit(&world, 30);
		world_step(&world);
		world.update.made[0].price_pence_week += off_pence;
		row.records[i].record = row.bytes[i];
		row.records[i].len = record_encode(&world.event, &world.update, &stamp, row.bytes[i], sizeof row.bytes[i]);
	}
	row_hashes();
	return &row.view;
}

static const struct journal_view *row_of(uint32_t count)
{
	return row_made(count, RULES_VERSION, 0);
}

static void refused(enum err why, const char *text)
{
	enum err e = level_row(&level, &row.view);

	cr_expect_eq(e, why, "%s", err_name((int)e));
	cr_expect(level.why != NULL && strstr(level.why, text) != NULL, "%s", level.why);
}

Test(level, row_by_row_the_state_is_that_of_the_engine_that_reigns)
{
	begin();
	for (uint32_t count = 1; count <= RECORDS_MAX; count++) {
		cr_expect_eq(level_row(&level, row_of(count)), ERR_OK, "%s", level.why);
		cr_expect(core_state_hash(level.core) == core_state_hash(world.core));
	}
	cr_expect(level.followed == 10 && level.differs == 0);
	cr_expect(level.fence.last_seq == world.seq && memcmp(level.fence.head_hash, row.row_hash, DIGEST_BYTES) == 0);
	end();
}

Test(level, a_row_that_is_not_the_next_is_refused)
{
	begin();
	row_of(1);
	row_of(1);
	refused(ERR_BAD_ROW, "does not go on");
	end();
}

/* Whatever it says of the row before it. */
Test(level, a_gap_in_the_sequence_is_refused)
{
	begin();
	row_of(1);
	row.view.first_seq++;
	row.view.last_seq++;
	row_hashes();
	refused(ERR_BAD_ROW, "does not go on");
	end();
}

Test(level, a_row_that_names_another_before_it_is_refused)
{
	begin();
	row_of(2);
	row.prev_hash[31] ^= 1;
	row_hashes();
	refused(ERR_BAD_ROW, "does not go on");
	end();
}

Test(level, a_record_a_leaf_a_salt_or_a_hash_that_was_changed_is_noticed)
{
	uint8_t *const changed[] = {&row.bytes[1][40], &row.leaves[32], &row.salts[40], &row.row_hash[0]};

	for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
		begin();
		row_of(2);
		*changed[i] ^= 1;
		refused(ERR_BAD_ROW, "does not go on");
		end();
	}
}

Test(level, a_row_of_another_epoch_than_was_hashed_is_noticed)
{
	begin();
	row_of(1);
	row.view.epoch++;
	refused(ERR_BAD_ROW, "does not go on");
	end();
}

Test(level, a_row_decided_on_another_framework_must_be_loaded)
{
	begin();
	row_of(1);
	row.view.framework_version++;
	refused(ERR_STORE_STALE, "edited");
	end();
}

/* Chained and hashed, so committed: but by an engine that this one cannot follow. */
Test(level, a_record_that_cannot_be_read_or_applied_must_be_loaded)
{
	uint64_t hash;

	begin();
	row_of(1);
	row.bytes[0][0] ^= 0x40; /* its version */
	row_hashes();
	refused(ERR_STORE_STALE, "cannot be applied");
	end();
	begin();
	row_of(1);
	core_apply(level.core, &world.event, &world.update); /* it has that package already */
	hash = core_state_hash(level.core);
	refused(ERR_STORE_STALE, "cannot be applied");
	cr_expect(core_state_hash(level.core) == hash);
	end();
}

/* A state that is not the one it was decided on: pools that declare nothing. */
static void declares_nothing(void)
{
	static const uint16_t none[2][CELLS];

	for (int pool = 0; pool < 3; pool++)
		cr_assert(core_load_pool(level.core, world.pools[pool].pool_no, POOL_MODE_BINDING, none, 1, 0) == ERR_OK);
}

Test(level, an_event_that_comes_out_otherwise_is_counted_and_done_as_committed)
{
	begin();
	declares_nothing();
	cr_expect_eq(level_row(&level, row_of(2)), ERR_OK);
	cr_expect(level.differs == 2 && level.followed == 2, "%lld", (long long)level.differs);
	cr_expect(memcmp(core_counts(level.core), core_counts(world.core), sizeof(struct core_counts)) == 0);
	end();
}

Test(level, one_figure_that_differs_is_enough)
{
	begin();
	cr_expect_eq(level_row(&level, row_made(3, RULES_VERSION, 1)), ERR_OK, "%s", level.why);
	cr_expect(level.differs == 3 && level.followed == 3, "%lld", (long long)level.differs);
	end();
}

Test(level, what_other_rules_decided_is_done_and_not_decided_again)
{
	begin();
	declares_nothing();
	cr_expect_eq(level_row(&level, row_made(2, RULES_VERSION + 1, 0)), ERR_OK);
	cr_expect(level.differs == 0 && level.followed == 2);
	end();
}

Test(level, a_fence_that_fell_behind_or_ends_in_another_hash_lost_what_was_followed)
{
	begin();
	cr_assert(level_row(&level, row_of(1)) == ERR_OK);
	cr_expect_eq(level_may_reach(&level, &seen), ERR_OK);
	seen.head_hash[0] ^= 1;
	cr_expect_eq(level_may_reach(&level, &seen), ERR_BAD_ROW);
	seen.head_hash[0] ^= 1;
	seen.last_seq--;
	cr_expect_eq(level_may_reach(&level, &seen), ERR_BAD_ROW);
	seen.last_seq += 2; /* further on, it is for the rows to say */
	seen.head_hash[0] ^= 1;
	cr_expect_eq(level_may_reach(&level, &seen), ERR_OK);
	seen.framework_version++;
	cr_expect_eq(level_may_reach(&level, &seen), ERR_STORE_STALE);
	end();
}

/* Between the take-over and the reading another may have taken over in turn: nothing is wrong with the journal. */
Test(level, a_fence_that_was_taken_is_where_the_journal_ends)
{
	begin();
	cr_assert(level_row(&level, row_of(1)) == ERR_OK);
	seen.epoch = 9;
	cr_expect_eq(level_is_at(&level, &seen), ERR_OK);
	cr_expect(level.fence.epoch == 9);
	seen.head_hash[0] ^= 1;
	cr_expect_eq(level_is_at(&level, &seen), ERR_BAD_ROW);
	seen.head_hash[0] ^= 1;
	seen.last_seq--;
	cr_expect_eq(level_is_at(&level, &seen), ERR_DEPOSED);
	end();
}

Test(level, what_was_reached_keeps_its_end_and_takes_the_fences_newer_words)
{
	struct fence newer;

	begin();
	cr_assert(level_row(&level, row_of(1)) == ERR_OK);
	newer = seen;
	newer.epoch = 9;
	newer.clock_us = 77;
	newer.last_seq += 5;
	newer.head_hash[0] ^= 1;
	memcpy(newer.engine, "west", 5);
	level_reached(&level, &newer);
	cr_expect(level.fence.epoch == 9 && level.fence.clock_us == 77 && strcmp(level.fence.engine, "west") == 0);
	cr_expect(level.fence.last_seq == seen.last_seq && memcmp(level.fence.head_hash, seen.head_hash, DIGEST_BYTES) == 0);
	end();
}
