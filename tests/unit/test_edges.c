/* The last unit of a limit, and rules that stood without a test until a mutation run broke them and nobody noticed. */
#include "kit/kit.h"

#include "base/mem.h"
#include "server/keys.h"
#include "unit/fixture.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(edges);

static struct world world;

static void begin(void)
{
	world_rows(&world);
	world.policies[0].confirmation = CONFIRMATION_OFFICER;
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
}

/* A row of a package in Maldon: one visit every morning, nothing past the fixed part of a row. */
static struct package_row loaded_row(int64_t package_no, int state)
{
	return (struct package_row){.package_no = package_no, .list_no = LIST_MALDON, .sector_no = SECTOR_MALDON,
		.state = (uint8_t)state, .service = SERVICE_PERSONAL_CARE, .district_no = DISTRICT_MALDON, .visit_count = 1,
		.requirement_version = 1, .visits = {visit_code(127, BAND_MORNING, false, 6)}, .facts = {1u << BAND_MORNING}};
}

Test(edges, a_core_has_room_for_an_event_as_long_as_its_most_blocks_are_left)
{
	world_rows(&world);
	world.limits.blocks_max = 16;
	world_open(&world);
	cr_expect(core_has_room(world.core));
	world_close(&world);
	world.limits.blocks_max = 15;
	world_open(&world);
	cr_expect_not(core_has_room(world.core));
	world_close(&world);
}

Test(edges, a_core_has_room_for_an_event_as_long_as_a_bundle_can_be_placed)
{
	for (uint32_t placements = 1; placements <= 2; placements++) {
		world_rows(&world);
		world.limits.placements_max = placements;
		world_open(&world);
		cr_expect_eq(core_has_room(world.core), placements == 2);
		world_close(&world);
	}
}

/* 32 visits take 4 blocks of the package, which stay, and 2 of its placement, which are given back. */
Test(edges, what_a_placement_took_is_taken_again_when_it_has_ended)
{
	enum { ROUNDS = 6, AT_ONCE = 2 };

	world_rows(&world);
	world.limits.placements_max = 2 * AT_ONCE;
	world.limits.blocks_max = 16 + (4 * ROUNDS + 2) * AT_ONCE;
	world_open(&world);
	world_declare(&world, "POOL-1", 1000);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t numbers[AT_ONCE];

		for (int i = 0; i < AT_ONCE; i++) {
			struct requirement *r = world_submit(&world, 5);

			for (r->visit_count = 1; r->visit_count < VISITS_MAX; r->visit_count++)
				r->visits[r->visit_count] = r->visits[0];
			world_step(&world);
			cr_assert_eq(world.update.outcome.refusal, 0, "round %d", round);
			numbers[i] = world.update.outcome.package_no;
		}
		for (int i = 0; i < AT_ONCE; i++)
			world_change(&world, EVENT_END, numbers[i]);
	}
	cr_expect(core_has_room(world.core));
	world_close(&world);
}

/* Of 8 at most: so many packages, of which so many are over. */
static bool worth_a_load(int packages, int over)
{
	bool worth;

	world_rows(&world);
	world.limits.packages_max = 8 + BUNDLE_PACKAGES;
	world_open(&world);
	world.limits.packages_max = 8;
	for (int i = 0; i < packages; i++) {
		struct package_row row = loaded_row(i + 1, i < over ? STATE_ENDED : STATE_PLACED);

		cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	}
	worth = core_is_worth_a_load(world.core);
	world_close(&world);
	return worth;
}

Test(edges, a_load_is_worth_it_when_a_full_core_holds_a_quarter_that_is_over)
{
	cr_expect(worth_a_load(8, 2));
	cr_expect_not(worth_a_load(8, 1));
	cr_expect_not(worth_a_load(8, 0));
	cr_expect_not(worth_a_load(4, 4), "there is room");
}

Test(edges, when_so_many_halves_wait_others_are_still_placed_and_halves_completed)
{
	char ref[16];

	begin();
	for (int i = 0; i < BUNDLES_WAITING_MAX; i++) {
		snprintf(ref, sizeof ref, "B-%d", i);
		world_submit(&world, 15)->bundle_ref = text_of(ref);
		world_step(&world);
		cr_assert_eq(world.update.outcome.refusal, 0, "%d", i);
	}
	world_submit(&world, 15)->bundle_ref = text_of("B-more");
	world_step(&world);
	cr_expect_eq(world.update.outcome.refusal, ERR_TOO_MANY_PACKAGES);
	world_submit(&world, 15);
	world_step(&world);
	cr_expect_eq(world.update.outcome.refusal, 0, "alone");
	world_submit(&world, 15)->bundle_ref = text_of("B-0");
	world_step(&world);
	cr_expect_eq(world.update.outcome.refusal, 0, "the other half");
	world_close(&world);
}

/* Nothing was nominated, or by a list that the provider is not on any more. */
Test(edges, a_confirmation_that_cannot_be_right_changes_nothing)
{
	struct placed placed = {.package_no = 7, .pool_no = 3, .provider_no = 3, .list_no = LIST_CHELMSFORD, .role = ROLE_MAIN,
		.route = ROUTE_FRAMEWORK};

	for (int placements = 0; placements <= 1; placements++) {
		struct package_row row = loaded_row(7, STATE_PROVISIONAL);

		begin();
		cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
		cr_assert_eq(core_loaded(world.core), ERR_OK);
		if (placements > 0)
			cr_assert_eq(core_load_placement(world.core, &placed), ERR_OK);
		world_change(&world, EVENT_CONFIRM, 7);
		cr_expect_eq(world.update.outcome.refusal, ERR_RECHECK_FAILED);
		cr_expect(world.update.change_count == 0 && world.update.outcome.state == STATE_PROVISIONAL);
		cr_expect_eq(core_find(world.core, 7)->state, STATE_PROVISIONAL);
		world_close(&world);
	}
}

Test(edges, who_leaves_leaves_every_role)
{
	struct package_row row = loaded_row(7, STATE_PLACED);
	struct placed placed = {.package_no = 7, .pool_no = 1, .provider_no = 1, .list_no = LIST_MALDON, .route = ROUTE_FRAMEWORK};

	begin();
	cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	for (placed.role = ROLE_MAIN; placed.role <= ROLE_OUTGOING; placed.role++)
		cr_assert_eq(core_load_placement(world.core, &placed), ERR_OK);
	world_change(&world, EVENT_END, 7);
	cr_expect_eq(world.update.ended_count, 3);
	cr_expect_eq(core_find(world.core, 7)->outgoing, NONE);
	world_close(&world);
}

Test(edges, a_cell_is_declared_up_to_its_most)
{
	struct declaration *d = &world.event.declare;

	begin();
	world_declare(&world, "POOL-1", CELL_UNITS_MAX * 5);
	world.event.type = EVENT_DECLARE;
	d->declared[1][CELLS - 1] += 5;
	world_step(&world);
	cr_expect_neq(world.update.outcome.refusal, 0);
	world_close(&world);
}

Test(edges, a_bundle_is_found_by_its_whole_name)
{
	begin();
	world_submit(&world, 30)->bundle_ref = text_of("B-12");
	world_step(&world);
	world_submit(&world, 30)->bundle_ref = text_of("B-1");
	world_step(&world);
	cr_expect_eq(world.update.outcome.state, STATE_SUBMITTED, "it waits for its own other half");
	world_close(&world);
}

Test(edges, a_bundle_is_in_use_from_its_second_half_until_it_is_over)
{
	static const struct {
		uint8_t state;
		bool in_use;
	} rows[] = {{STATE_SUBMITTED, false}, {STATE_PROVISIONAL, true}, {STATE_PLACED, true}, {STATE_UNSOURCED, true},
		    {STATE_ENDED, false}, {STATE_WITHDRAWN, false}, {STATE_VOID, false}};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct package_row row = loaded_row(7, rows[i].state);

		begin();
		row.bundle_ref = text_of("B-1");
		cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
		cr_expect_eq(core_bundle_in_use(world.core, text_of("B-1")), rows[i].in_use, "state %u", rows[i].state);
		cr_expect_not(core_bundle_in_use(world.core, text_of("B-2")));
		world_close(&world);
	}
}

Test(edges, only_halves_of_bundles_take_the_room_of_those_who_wait)
{
	begin();
	for (int64_t no = 1; no <= BUNDLES_WAITING_MAX + 1; no++) {
		struct package_row row = loaded_row(no, STATE_SUBMITTED);

		cr_assert_eq(core_load_package(world.core, &row), ERR_OK, "%d", (int)no);
	}
	cr_expect_not(core_bundles_full(world.core));
	world_close(&world);
}

Test(edges, so_many_providers_may_be_excluded_and_languages_numbered)
{
	struct package_row row = loaded_row(7, STATE_PLACED);

	begin();
	row.language = LANGUAGE_NO_MAX;
	row.excluded_count = EXCLUDED_MAX;
	cr_expect_eq(core_load_package(world.core, &row), ERR_OK);
	row.package_no = 8;
	row.excluded_count++;
	cr_expect_eq(core_load_package(world.core, &row), ERR_BAD_ROW);
	world_close(&world);
}

Test(edges, each_package_is_counted_in_its_state)
{
	const struct core_counts *counts;
	int64_t no;

	begin();
	counts = core_counts(world.core);
	no = world_place(&world, 30);
	cr_expect_eq(counts->states[STATE_PROVISIONAL], 1);
	world_change(&world, EVENT_CONFIRM, no);
	cr_expect(counts->states[STATE_PROVISIONAL] == 0 && counts->states[STATE_PLACED] == 1);
	world_change(&world, EVENT_END, no);
	cr_expect(counts->states[STATE_PLACED] == 0 && counts->states[STATE_ENDED] == 1);
	world_close(&world);
}

/* Their place was another day's before. */
Test(edges, starts_of_a_day_are_counted_from_none)
{
	world_rows(&world);
	world.providers[0].starts_a_day_max = 2;
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	world_declare(&world, "POOL-2", 300);
	for (int i = 0; i < 4; i++) {
		world_place(&world, 15);
		cr_expect_eq(world.update.outcome.provider_no, i < 3 ? 1 : 2, "the %d.", i + 1);
		world.now_us += i == 0 ? LOAD_DAYS * DAY_US : 0;
	}
	world_close(&world);
}

Test(edges, withdrawing_one_of_a_bundle_leaves_the_other_without_a_partner)
{
	int64_t numbers[2];

	begin();
	for (int i = 0; i < 2; i++) {
		world_submit(&world, 30)->bundle_ref = text_of("B-1");
		world_step(&world);
		cr_assert_eq(world.update.outcome.refusal, 0);
		numbers[i] = world.update.outcome.package_no;
	}
	cr_assert_neq(core_find(world.core, numbers[0])->partner, NONE);
	world_change(&world, EVENT_WITHDRAW, numbers[1]);
	cr_expect_eq(core_find(world.core, numbers[0])->partner, NONE);
	cr_expect_eq(core_find(world.core, numbers[1])->partner, NONE);
	world_close(&world);
}

Test(edges, packages_without_a_bundle_are_nobodys_partner_after_a_load)
{
	struct package_row row = loaded_row(7, STATE_PROVISIONAL);

	begin();
	for (; row.package_no <= 9; row.package_no++)
		cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	for (int64_t no = 7; no <= 9; no++)
		cr_expect_eq(core_find(world.core, no)->partner, NONE);
	world_close(&world);
}

Test(edges, halves_of_a_bundle_are_partners_after_a_load_unless_one_still_waits)
{
	for (int second = STATE_SUBMITTED; second <= STATE_PLACED; second += STATE_PLACED - STATE_SUBMITTED) {
		bool partners = second == STATE_PLACED;

		begin();
		for (int64_t no = 7; no <= 8; no++) {
			/* a name is free again when its packages are over */
			struct package_row row = loaded_row(no, no == 8 ? second : partners ? STATE_PLACED : STATE_ENDED);

			row.bundle_ref = text_of("B-1");
			cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
		}
		cr_assert_eq(core_loaded(world.core), ERR_OK);
		cr_expect_eq(core_find(world.core, 7)->partner, partners ? 1 : NONE);
		cr_expect_eq(core_find(world.core, 8)->partner, partners ? 0 : NONE);
		world_close(&world);
	}
}

Test(edges, a_half_that_waits_is_found_after_a_load_whatever_order_its_rows_came_in)
{
	struct package_row later = loaded_row(9, STATE_PLACED), half = loaded_row(7, STATE_SUBMITTED);

	begin();
	half.bundle_ref = text_of("B-1");
	cr_assert_eq(core_load_package(world.core, &later), ERR_OK);
	cr_assert_eq(core_load_package(world.core, &half), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	cr_expect_eq(core_bundle_waiting(world.core, half.bundle_ref)->package_no, 7);
	world_close(&world);
}

Test(edges, a_placement_of_each_role_and_route_is_loaded)
{
	struct package_row row = loaded_row(7, STATE_PLACED);
	struct placed placed = {.package_no = 7, .pool_no = 1, .provider_no = 1, .list_no = LIST_MALDON, .route = ROUTE_POLR,
		.demand_count = 1, .demand = {visit_code(127, BAND_MORNING, false, 6)}};

	begin();
	cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	for (uint8_t role = ROLE_MAIN; role <= ROLE_OUTGOING; role++) {
		placed.role = role;
		cr_expect_eq(core_load_placement(world.core, &placed), ERR_OK, "role %u", role);
	}
	cr_expect_neq(core_find(world.core, 7)->outgoing, NONE);
	world_close(&world);
}

/* 32 visits take two blocks past a placement's own lines. */
Test(edges, placements_are_loaded_until_the_last_block_is_taken)
{
	enum { BLOCKS = 16, PLACEMENTS = BLOCKS / 2 };
	struct placed placed = {.pool_no = 1, .provider_no = 1, .list_no = LIST_MALDON, .role = ROLE_MAIN, .route = ROUTE_FRAMEWORK,
		.demand_count = VISITS_MAX};
	struct package_row row;

	for (int i = 0; i < VISITS_MAX; i++)
		placed.demand[i] = visit_code(1, BAND_MORNING, false, 1);
	world_rows(&world);
	world.limits.blocks_max = BLOCKS;
	world_open(&world);
	for (int64_t no = 1; no <= PLACEMENTS + 1; no++) {
		row = loaded_row(no, STATE_PLACED);
		cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	}
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	for (placed.package_no = 1; placed.package_no <= PLACEMENTS; placed.package_no++)
		cr_assert_eq(core_load_placement(world.core, &placed), ERR_OK, "%lld", (long long)placed.package_no);
	cr_expect_eq(core_load_placement(world.core, &placed), ERR_TOO_MANY_PACKAGES);
	world_close(&world);
}

/* Whoever still looks for a partner is remembered in the room of the blocks, and there may be more of them than that. */
Test(edges, a_load_writes_nothing_past_the_memory_of_the_core)
{
	enum { BLOCKS = 16, REMEMBERED = BLOCKS * 16, PAST = 64 };
	static unsigned char untouched[PAST];
	unsigned char *memory;
	struct core *core;
	size_t bytes;

	world_rows(&world);
	world.limits.blocks_max = BLOCKS;
	world_open(&world);
	bytes = core_bytes(world.framework, &world.limits);
	memory = mem_map(bytes + PAST);
	memset(untouched, 0xa5, PAST);
	memset(memory + bytes, 0xa5, PAST);
	core = core_init(memory, world.framework, &world.limits);
	for (int64_t no = 1; no <= REMEMBERED + 1; no++) {
		struct package_row row = loaded_row(no, STATE_PLACED);
		char ref[16];

		snprintf(ref, sizeof ref, "B-%d", (int)no);
		row.bundle_ref = text_of(ref);
		cr_assert_eq(core_load_package(core, &row), ERR_OK, "%d", (int)no);
	}
	cr_expect_eq(core_loaded(core), ERR_OK);
	cr_expect_arr_eq(memory + bytes, untouched, PAST);
	mem_unmap(memory, bytes + PAST);
	world_close(&world);
}

Test(edges, a_cell_is_loaded_up_to_its_most)
{
	static uint16_t declared[2][CELLS];

	begin();
	declared[0][5] = declared[1][55] = CELL_UNITS_MAX;
	cr_expect_eq(core_load_pool(world.core, 2, POOL_MODE_BINDING, (const uint16_t(*)[CELLS])declared, 1, 0), ERR_OK);
	declared[1][55]++;
	cr_expect_eq(core_load_pool(world.core, 2, POOL_MODE_BINDING, (const uint16_t(*)[CELLS])declared, 1, 0), ERR_BAD_ROW);
	world_close(&world);
}

Test(edges, the_state_hash_tells_an_expiry_and_a_state)
{
	uint64_t before;
	int64_t no;

	begin();
	before = core_state_hash(world.core);
	world.now_us += 60 * INT64_C(1000000); /* the same cells, valid a minute longer */
	world_declare(&world, "POOL-1", 300);
	cr_expect_neq(core_state_hash(world.core), before);
	no = world_place(&world, 30);
	before = core_state_hash(world.core);
	world_change(&world, EVENT_CONFIRM, no);
	cr_assert_eq(world.update.outcome.refusal, 0);
	cr_expect_neq(core_state_hash(world.core), before);
	world_close(&world);
}

static uint64_t hash_of(struct package_row row, const struct placed *placed)
{
	uint64_t hash;

	begin();
	cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	if (placed != NULL)
		cr_assert_eq(core_load_placement(world.core, placed), ERR_OK);
	hash = core_state_hash(world.core);
	world_close(&world);
	return hash;
}

Test(edges, the_state_hash_tells_who_has_which_package_and_how_many_minutes)
{
	const struct package_row row = loaded_row(7, STATE_PLACED);
	struct placed placed = {.package_no = 7, .pool_no = 3, .provider_no = 3, .list_no = LIST_MALDON, .route = ROUTE_FRAMEWORK,
		.role = ROLE_OUTGOING};
	uint64_t before = hash_of(row, &placed);

	placed.carer_minutes_week++;
	cr_expect_neq(hash_of(row, &placed), before);
	placed.carer_minutes_week--;
	placed.provider_no = 2;
	cr_expect_neq(hash_of(row, &placed), before);
	cr_expect_neq(hash_of(row, NULL), before);
	cr_expect_neq(hash_of(loaded_row(9, STATE_PLACED), NULL), hash_of(row, NULL));
}

/* Of the last pool's paired time, in its last cell: so much was declared, so much is taken. */
static uint64_t hash_of_cell(uint16_t units, uint32_t taken)
{
	static uint16_t declared[2][CELLS];
	struct placed placed = {.package_no = 7, .pool_no = 3, .provider_no = 3, .list_no = LIST_MALDON, .route = ROUTE_FRAMEWORK,
		.role = ROLE_MAIN, .demand_count = 1, .demand = {visit_code(1 << (DAYS - 1), BANDS - 1, true, taken)}};
	struct package_row row = loaded_row(7, STATE_PLACED);
	uint64_t hash;

	begin();
	declared[1][CELLS - 1] = units;
	cr_assert_eq(core_load_pool(world.core, 3, POOL_MODE_BINDING, (const uint16_t(*)[CELLS])declared, 1, 0), ERR_OK);
	cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	cr_assert_eq(core_load_placement(world.core, &placed), ERR_OK);
	hash = core_state_hash(world.core);
	world_close(&world);
	return hash;
}

Test(edges, the_state_hash_tells_what_was_declared_and_what_is_free)
{
	cr_expect_neq(hash_of_cell(10, 5), hash_of_cell(10, 6), "less is free");
	cr_expect_neq(hash_of_cell(10, 6), hash_of_cell(9, 5), "as much is free, of less");
}

Test(edges, the_state_hash_leaves_out_what_is_over)
{
	uint64_t none;

	begin();
	none = core_state_hash(world.core);
	world_close(&world);
	cr_expect_eq(hash_of(loaded_row(7, STATE_ENDED), NULL), none);
	cr_expect_eq(hash_of(loaded_row(7, STATE_WITHDRAWN), NULL), none);
	cr_expect_eq(hash_of(loaded_row(7, STATE_VOID), NULL), none);
	cr_expect_neq(hash_of(loaded_row(7, STATE_UNSOURCED), NULL), none);
}

/* ---- keys ---- */

static long mapped_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = -1;

	cr_assert(f != NULL && fscanf(f, "%ld", &pages) == 1);
	fclose(f);
	return pages;
}

static void insert(struct keys *k, int64_t ms, uint32_t n)
{
	uint8_t key[16] = {0};

	memcpy(key, &n, sizeof n);
	memcpy(key + 8, &n, sizeof n);
	keys_insert(k, 1, key, ms);
}

Test(edges, keys_that_are_forgotten_give_their_memory_back)
{
	static struct keys keys;
	long before = mapped_pages(), held;

	keys_init(&keys);
	held = mapped_pages() - before;
	cr_assert_gt(held, 100);
	for (int i = 0; i < 4; i++)
		keys_clear(&keys, 0);
	for (uint32_t n = 1; n <= 6 * KEYS_GENERATION; n++)
		insert(&keys, n, n);
	cr_expect_lt(mapped_pages() - before, held + held / 4);
	keys_free(&keys);
	cr_expect_lt(mapped_pages() - before, held / 4);
}

Test(edges, the_floor_of_keys_never_sinks)
{
	static struct keys keys;

	keys_init(&keys);
	keys_clear(&keys, INT64_C(1) << 40);
	for (uint32_t n = 1; n <= 2 * KEYS_GENERATION + 1; n++)
		insert(&keys, n, n);
	cr_expect_eq(keys.floor_ms, INT64_C(1) << 40);
	keys_free(&keys);
}
