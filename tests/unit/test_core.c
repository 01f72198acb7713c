/* The state: what an event changes, and that loading what was stored makes the same state as the events did. */
#include "kit/kit.h"

#include "base/mem.h"
#include "core/life.h"
#include "core/record.h"
#include "unit/fixture.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(core);
KIT_SUITE(life);
KIT_SUITE(bundle);
KIT_SUITE(load);

static struct world world;

static void begin(void)
{
	world_rows(&world);
	world_open(&world);
	for (int p = 1; p <= 3; p++) {
		char pool[16];

		snprintf(pool, sizeof pool, "POOL-%d", p);
		world_declare(&world, pool, 300);
	}
}

static uint8_t state_now(int64_t package_no)
{
	const struct package *p = core_find(world.core, package_no);

	return p != NULL ? p->state : 0;
}

Test(core, a_placement_takes_its_capacity_at_once_and_gives_it_back)
{
	int64_t no;

	begin();
	no = world_place(&world, 30);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 54);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 1), 60);
	cr_expect_eq(world_free(&world, 1, BAND_LUNCH, 0), 60);
	cr_expect_eq(core_committed(world.core, 0, BAND_MORNING, 0), 6);
	cr_expect_eq(state_now(no), STATE_PLACED);
	world_change(&world, EVENT_END, no);
	cr_expect_eq(world.update.outcome.refusal, 0);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 60);
	cr_expect_eq(state_now(no), STATE_ENDED);
	world_close(&world);
}

Test(core, nothing_is_placed_twice_and_no_cell_goes_below_nothing)
{
	int32_t placed[4] = {0};

	begin();
	for (int i = 0; i < 35; i++) {
		world_place(&world, 30);
		placed[world.update.outcome.provider_no]++;
		cr_expect_leq(world.update.made_count, 1);
	}
	cr_expect(placed[1] == 10 && placed[2] == 10 && placed[3] == 10 && placed[0] == 5);
	for (int32_t pool = 1; pool <= 3; pool++)
		cr_expect_eq(world_free(&world, pool, BAND_MORNING, 0), 0);
	world_close(&world);
}

Test(core, withdrawing_a_nomination_frees_its_capacity)
{
	int64_t no;

	world_rows(&world);
	world.policies[0].confirmation = CONFIRMATION_OFFICER;
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	no = world_place(&world, 30);
	cr_expect_eq(state_now(no), STATE_PROVISIONAL);
	cr_expect_eq(world.update.outcome.confirm_by_us, world.now_us + INT64_C(3600000000));
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 54);
	world_change(&world, EVENT_WITHDRAW, no);
	cr_expect_eq(state_now(no), STATE_WITHDRAWN);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 60);
	world_change(&world, EVENT_WITHDRAW, no);
	cr_expect_eq(world.update.outcome.refusal, ERR_UNKNOWN_PACKAGE);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 60);
	world_close(&world);
}

Test(core, a_dry_run_changes_nothing_and_says_what_would_be)
{
	uint64_t hash;
	struct outcome outcome;

	begin();
	world_place(&world, 30);
	world_submit(&world, 45);
	hash = core_state_hash(world.core);
	world_decide(&world);
	outcome = world.update.outcome;
	cr_expect_eq(core_state_hash(world.core), hash);
	world_step(&world);
	cr_expect_eq(memcmp(&outcome, &world.update.outcome, sizeof outcome), 0);
	cr_expect_neq(core_state_hash(world.core), hash);
	world_close(&world);
}

Test(core, a_refusal_changes_nothing_and_names_its_field)
{
	static const struct {
		const char *sector, *district, *skill, *excluded;
		int32_t start_day;
		enum err why;
		const char *field;
	} cases[] = {
		{"ZZ1 1", "", "", "", 0, ERR_UNKNOWN_SECTOR, "sector"},
		{"CM0 7", "Atlantis", "", "", 0, ERR_UNKNOWN_DISTRICT, "district"},
		{"CM0 7", "Chelmsford", "", "", 0, ERR_SECTOR_NOT_IN_DISTRICT, "district"},
		{"CM3 4", "", "", "", 0, ERR_SECTOR_NEEDS_DISTRICT, "district"},
		{"CO1 1", "", "", "", 0, ERR_SECTOR_OUTSIDE_LOTS, "sector"},
		{"CM0 7", "", "juggling", "", 0, ERR_UNKNOWN_SKILL, "skills"},
		{"CM0 7", "", "", "PRV-Z", 0, ERR_UNKNOWN_PROVIDER, "excluded"},
		{"CM0 7", "", "", "", WORLD_TODAY - 1, ERR_START_PAST, "start_date"},
		{"CM0 7", "", "", "", WORLD_TODAY + 61, ERR_START_TOO_FAR, "start_date"},
	};

	begin();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct requirement *r = world_submit(&world, 30);
		uint64_t hash = core_state_hash(world.core);

		r->sector = text_of(cases[i].sector);
		r->district = text_of(cases[i].district);
		r->start_day = cases[i].start_day;
		r->skill_count = cases[i].skill[0] != '\0';
		r->skills[0] = text_of(cases[i].skill);
		r->excluded_count = cases[i].excluded[0] != '\0';
		r->excluded[0].provider = text_of(cases[i].excluded);
		world_step(&world);
		cr_expect_eq(world.update.outcome.refusal, cases[i].why, "%zu: %s", i,
			     err_name(world.update.outcome.refusal));
		cr_expect_str_eq(world.update.outcome.field, cases[i].field);
		cr_expect_eq(core_state_hash(world.core), hash);
		cr_expect_eq(world.update.new_count + world.update.made_count + world.update.change_count, 0);
	}
	world_close(&world);
}

Test(core, a_declaration_below_what_is_committed_is_over_and_takes_nothing_new)
{
	begin();
	world_place(&world, 30);
	world_declare(&world, "POOL-1", 20);
	cr_expect_eq(world.update.outcome.cells_over, 7);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), -2);
	cr_expect_eq(core_committed(world.core, 0, BAND_MORNING, 0), 6);
	world_place(&world, 5);
	cr_expect_eq(world.update.decision.candidates[0].reason, REASON_OVERHANG);
	world_close(&world);
}

Test(core, nights_and_places_are_declared_in_the_night_single)
{
	world_rows(&world);
	world_add_pool(&world, 9, 1, POOL_KIND_NIGHTS);
	world_open(&world);
	world.event.type = EVENT_DECLARE;
	world.event.declare = (struct declaration){.pool = text_of("POOL-9"), .expires_us = world.now_us + DAY_US};
	world.event.declare.declared[0][BAND_NIGHT] = 3;
	world_step(&world);
	cr_expect_eq(world.update.outcome.refusal, 0);
	cr_expect_eq(world_free(&world, 9, BAND_NIGHT, 0), 3, "nights, not minutes");
	world.event.declare.declared[0][BAND_BED] = 3;
	world_step(&world);
	cr_expect_eq(world.update.outcome.refusal, ERR_CAPACITY_KIND);
	world.event.declare.declared[0][BAND_BED] = 0;
	world.event.declare.declared[1][BAND_NIGHT] = 1;
	world_step(&world);
	cr_expect_eq(world.update.outcome.refusal, ERR_CAPACITY_KIND);
	world_close(&world);
}

Test(core, when_the_table_is_full_the_rest_is_refused_and_freed_places_do_not_help)
{
	uint32_t made = 0;

	world_rows(&world);
	world.limits = (struct core_limits){.packages_max = 10, .placements_max = 10, .blocks_max = 64};
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	for (int i = 0; i < 12; i++) {
		world_submit(&world, 30);
		world_step(&world);
		made += world.update.outcome.refusal == 0;
		cr_expect(world.update.outcome.refusal == 0 || world.update.outcome.refusal == ERR_TOO_MANY_PACKAGES);
	}
	cr_expect_eq(made, 9, "one place is kept for a bundle's half");
	cr_expect_not(core_has_room(world.core));
	world_close(&world);
}

Test(core, a_table_that_packages_that_are_over_fill_is_worth_a_load)
{
	world_rows(&world);
	world.limits = (struct core_limits){.packages_max = 40, .placements_max = 40, .blocks_max = 1000};
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	for (int i = 1; i <= 30; i++) {
		int64_t package_no;

		world_submit(&world, 30);
		world_step(&world);
		cr_assert_eq(world.update.outcome.refusal, 0);
		package_no = world.update.outcome.package_no;
		if (i > 22) {
			world_change(&world, EVENT_WITHDRAW, package_no);
			cr_assert_eq(world.update.outcome.refusal, 0);
		}
		cr_expect_eq(core_is_worth_a_load(world.core), i == 30, "after %d", i);
	}
	world_close(&world);
}

/* ---- life ---- */

static const uint8_t states[] = {
#define X(name, number, word, text) number,
	STATE_MAP(X)
#undef X
};
static const enum event_type changes[] = {EVENT_CONFIRM, EVENT_WITHDRAW, EVENT_END};

static struct package_row row_in(uint8_t state)
{
	return (struct package_row){
		.package_no = 500,
		.list_no = LIST_MALDON,
		.sector_no = SECTOR_MALDON,
		.start_day = WORLD_TODAY,
		.latest_day = WORLD_TODAY,
		.requirement_version = 1,
		.state = state,
		.service = SERVICE_PERSONAL_CARE,
		.urgency = URGENCY_STANDARD,
		.risk = RISK_GREEN,
		.cover = COVER_FAMILY,
		.district_no = 1,
		.visit_count = 1,
		.visits = {visit_code(127, BAND_MORNING, false, 6)},
		.facts = {2 | 30u << 18 | 1u << 29},
		.bundle_ref = state == STATE_SUBMITTED ? text_of("B-9") : text_of(""),
	};
}

static struct placed placed_for(const struct package_row *p, uint8_t role)
{
	return (struct placed){
		.package_no = p->package_no,
		.pool_no = 1,
		.provider_no = 1,
		.list_no = LIST_MALDON,
		.start_day = p->start_day,
		.carer_minutes_week = 210,
		.price_pence_week = 8400,
		.rank = 1,
		.role = role,
		.route = ROUTE_FRAMEWORK,
		.tier = 1,
		.demand_count = 1,
		.demand = {p->visits[0]},
	};
}

/* What is over is not kept over a load, so it is answered as if it never was: the same before and after one. */
static bool is_over(uint8_t state)
{
	return state == STATE_ENDED || state == STATE_WITHDRAWN || state == STATE_VOID;
}

static bool allowed_by_life(uint8_t state, enum event_type event)
{
	for (size_t to = 0; to < sizeof states; to++) {
		if (life_allows(state, event, states[to]))
			return true;
	}
	return false;
}

Test(life, what_is_not_in_the_table_is_refused_and_what_is_happens)
{
	world_rows(&world);
	cr_assert_eq(world_seal(&world), ERR_OK);
	for (size_t s = 0; s < sizeof states; s++) {
		for (size_t c = 0; c < 3; c++) {
			struct package_row row = row_in(states[s]);
			bool placed = states[s] != STATE_SUBMITTED && states[s] != STATE_ENDED &&
				      states[s] != STATE_WITHDRAWN && states[s] != STATE_VOID;
			struct placed m = placed_for(&row, states[s] == STATE_UNSOURCED ? ROLE_INTERIM : ROLE_MAIN);
			uint64_t hash;

			world.core = world_core(&world);
			cr_assert_eq(core_load_package(world.core, &row), ERR_OK);
			cr_assert_eq(core_loaded(world.core), ERR_OK);
			if (placed)
				cr_assert_eq(core_load_placement(world.core, &m), ERR_OK);
			hash = core_state_hash(world.core);
			world_change(&world, changes[c], 500);
			if (allowed_by_life(states[s], changes[c])) {
				cr_expect_eq(world.update.outcome.refusal, 0, "%s, event %d", state_word(states[s]),
					     changes[c]);
				cr_expect(life_allows(states[s], changes[c], state_now(500)), "%s",
					  state_word(states[s]));
			} else {
				cr_expect_eq(world.update.outcome.refusal,
					     is_over(states[s]) ? ERR_UNKNOWN_PACKAGE : ERR_WRONG_STATE,
					     "%s, event %d: %s", state_word(states[s]), changes[c],
					     err_name(world.update.outcome.refusal));
				cr_expect_eq(core_state_hash(world.core), hash);
				cr_expect_eq(state_now(500), states[s]);
			}
			mem_unmap(world.core, world.core_memory_bytes);
		}
	}
	world_close(&world);
}

Test(life, unsourced_with_nobody_in_the_house_cannot_be_ended)
{
	int64_t no;

	begin();
	no = world_place(&world, 305);
	cr_expect_eq(state_now(no), STATE_UNSOURCED);
	world_change(&world, EVENT_END, no);
	cr_expect_eq(world.update.outcome.refusal, ERR_WRONG_STATE);
	world_change(&world, EVENT_WITHDRAW, no);
	cr_expect_eq(state_now(no), STATE_WITHDRAWN);
	world_close(&world);
}

Test(life, an_unknown_package_is_refused)
{
	begin();
	for (size_t c = 0; c < 3; c++) {
		world_change(&world, changes[c], 4711);
		cr_expect_eq(world.update.outcome.refusal, ERR_UNKNOWN_PACKAGE);
	}
	world_close(&world);
}

Test(life, every_sentence_of_the_table_is_a_sentence)
{
#define X(from, event, to, sentence)                                                                                   \
	cr_expect_gt(strlen(sentence), 10);                                                                            \
	cr_expect(sentence[0] >= 'a' && sentence[0] <= 'z');
	LIFE_MAP(X)
#undef X
}

/* Rows that say PROVISIONAL without a placement: the confirmation is refused or the load is, nothing aborts. */
Test(life, a_nomination_without_its_placement_never_ends_the_engine)
{
	struct package_row row = row_in(STATE_PROVISIONAL);

	world_rows(&world);
	world_open(&world);
	if (core_load_package(world.core, &row) == ERR_OK && core_loaded(world.core) == ERR_OK)
		world_change(&world, EVENT_CONFIRM, 500);
	world_close(&world);
}

Test(life, a_confirmation_checks_again)
{
	int64_t no;

	world_rows(&world);
	world.policies[0].confirmation = CONFIRMATION_OFFICER;
	world.statuses[0] =
		(struct row_status){.provider_no = 1, .status_no = 1, .status = STATUS_EMBARGOED, .clause = "cl. 9"};
	world.statuses[0].from_us = world.now_us + DAY_US;
	world.statuses[0].until_us = world.now_us + 2 * DAY_US;
	world.rows.statuses_count = 1;
	world_open(&world);
	world_declare(&world, "POOL-1", 300);
	no = world_place(&world, 30);
	world.now_us += DAY_US;
	world_change(&world, EVENT_CONFIRM, no);
	cr_expect_eq(world.update.outcome.refusal, ERR_RECHECK_FAILED);
	cr_expect_eq(state_now(no), STATE_PROVISIONAL);
	world.now_us += DAY_US;
	world_change(&world, EVENT_CONFIRM, no);
	cr_expect_eq(world.update.outcome.refusal, 0);
	cr_expect_eq(state_now(no), STATE_PLACED);
	cr_expect_eq(world.update.outcome.provider_no, 1);
	world_close(&world);
}

/* ---- bundles ---- */

static int64_t submit_half(const char *bundle, uint32_t minutes, bool shared)
{
	struct requirement *r = world_submit(&world, minutes);

	r->bundle_ref = text_of(bundle);
	r->visits[0].shared = shared;
	world_step(&world);
	return world.update.outcome.package_no;
}

Test(bundle, two_halves_are_one_call_and_a_shared_visit_counts_once)
{
	int64_t one, two;

	begin();
	one = submit_half("B-1", 30, true);
	cr_expect_eq(state_now(one), STATE_SUBMITTED);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 60);
	two = submit_half("B-1", 30, true);
	cr_expect(state_now(one) == STATE_PLACED && state_now(two) == STATE_PLACED);
	cr_expect_eq(world.update.made_count, 2);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 54);
	world_change(&world, EVENT_END, one);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 54, "the visit passes to the other");
	world_change(&world, EVENT_END, two);
	cr_expect_eq(world_free(&world, 1, BAND_MORNING, 0), 60);
	world_close(&world);
}

Test(bundle, halves_that_do_not_fit_are_refused_and_the_first_waits_on)
{
	int64_t one;

	begin();
	one = submit_half("B-1", 30, true);
	cr_expect_eq(submit_half("B-1", 45, true), 0);
	cr_expect_eq(world.update.outcome.refusal, ERR_BUNDLE_MISMATCH);
	cr_expect_eq(state_now(one), STATE_SUBMITTED);
	world_change(&world, EVENT_WITHDRAW, one);
	submit_half("B-1", 45, true);
	cr_expect_eq(world.update.outcome.state, STATE_SUBMITTED, "the reference is free again");
	world_close(&world);
}

Test(bundle, the_second_half_is_taken_however_many_others_wait)
{
	char ref[16];

	begin();
	for (int i = 0; i < BUNDLES_WAITING_MAX; i++) {
		snprintf(ref, sizeof ref, "B-%d", i);
		cr_assert_gt(submit_half(ref, 5, false), 0);
	}
	submit_half("B-new", 5, false);
	cr_expect_eq(world.update.outcome.refusal, ERR_TOO_MANY_PACKAGES);
	submit_half("B-7", 5, false);
	cr_expect_eq(world.update.outcome.refusal, 0, "it ends a waiting: %s", err_name(world.update.outcome.refusal));
	world_close(&world);
}

/* ---- loading ---- */

enum { STORED = 512 };
static struct package_row packages[STORED];
static struct placed placements[STORED];
static char bundles[STORED][16];
static uint32_t package_count, placement_count;

/* What commit_batch_v1 keeps of an update. */
static void store_update(void)
{
	const struct update *u = &world.update;
	const struct requirement *r = &world.event.submit;

	for (uint32_t i = 0; i < u->new_count; i++) {
		const struct new_package *n = &u->packages[i];
		struct package_row *row = &packages[package_count];

		*row = (struct package_row){.package_no = n->package_no,
					    .list_no = n->list_no,
					    .sector_no = n->sector_no,
					    .skills = n->skills,
					    .start_day = n->start_day,
					    .latest_day = n->latest_day,
					    .ceiling_pence_hour = r->ceiling_pence_hour,
					    .requirement_version = 1,
					    .language = n->language,
					    .state = n->state,
					    .service = r->service,
					    .client_group = r->client_group,
					    .gender = r->gender,
					    .urgency = r->urgency,
					    .risk = r->risk,
					    .cover = r->cover,
					    .district_no = n->district_no,
					    .visit_count = n->visit_count,
					    .excluded_count = n->excluded_count};
		memcpy(row->visits, n->visits, sizeof row->visits);
		memcpy(row->facts, n->facts, sizeof row->facts);
		memcpy(row->excluded, n->excluded, sizeof row->excluded);
		snprintf(bundles[package_count], sizeof bundles[0], "%.*s", (int)r->bundle_ref.len,
			 r->bundle_ref.bytes);
		row->bundle_ref = text_of(bundles[package_count++]);
	}
	for (uint32_t i = 0; i < u->ended_count; i++) {
		for (uint32_t k = 0; k < placement_count; k++) {
			if (placements[k].package_no == u->ended[i].package_no &&
			    placements[k].role == u->ended[i].role)
				placements[k--] = placements[--placement_count];
		}
	}
	for (uint32_t i = 0; i < u->made_count; i++)
		placements[placement_count++] = u->made[i];
	for (uint32_t i = 0; i < u->change_count; i++) {
		for (uint32_t k = 0; k < package_count; k++) {
			if (packages[k].package_no == u->changes[i].package_no)
				packages[k].state = u->changes[i].to;
		}
	}
}

static struct core *load_stored(void)
{
	struct core *c = world_core(&world);
	const struct framework *f = world.framework;

	for (uint32_t i = 0; i < f->pool_count; i++) {
		const struct pool_state *p = &core_market(world.core)->pools[i];

		cr_assert_eq(core_load_pool(c, f->pools[i].pool_no, p->mode, p->declared, p->expires_us,
					    p->available_from_day),
			     ERR_OK);
	}
	for (uint32_t i = 0; i < package_count; i++) {
		if (packages[i].state != STATE_ENDED && packages[i].state != STATE_WITHDRAWN)
			cr_assert_eq(core_load_package(c, &packages[i]), ERR_OK);
	}
	cr_assert_eq(core_loaded(c), ERR_OK);
	for (uint32_t i = placement_count; i-- > 0;)
		cr_assert_eq(core_load_placement(c, &placements[i]), ERR_OK, "%u", i);
	return c;
}

static uint32_t random_below(uint64_t *random, uint32_t limit)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*random >> 33) % limit;
}

static uint32_t bundle_serial;

static void random_event(uint64_t *random)
{
	static char bundle[16], pool[16];
	uint32_t dice = random_below(random, 100);

	if (dice < 50) {
		struct requirement *r = world_submit(&world, 5 * (1 + random_below(random, 12)));

		r->visit_count = 1 + random_below(random, dice < 5 ? 32 : 6);
		for (uint32_t i = 0; i < r->visit_count; i++) {
			r->visits[i] = (struct visit){.days = (uint8_t)(1 + random_below(random, 127)),
						      .carers = (uint8_t)(1 + random_below(random, 2)),
						      .minutes = (uint16_t)(5 * (1 + random_below(random, 6)))};
			r->visits[i].band = (uint8_t)random_below(random, 8);
			r->visits[i].bands =
				(uint8_t)(1u << r->visits[i].band | (random_below(random, 3) == 0 ? 0x48 : 0));
		}
		r->excluded_count = random_below(random, 8) == 0;
		r->excluded[0].provider = text_of("PRV-B");
		r->urgency = (uint8_t)(1 + random_below(random, 5));
		r->ceiling_pence_hour = random_below(random, 4) == 0 ? 2300 : 0;
		if (random_below(random, 4) == 0) {
			/* a reference is used for two packages, then never again */
			snprintf(bundle, sizeof bundle, "B-%u", bundle_serial);
			bundle_serial += core_bundle_waiting(world.core, text_of(bundle)) != NULL;
			r->bundle_ref = text_of(bundle);
			r->start_day = WORLD_TODAY + 1;
			r->visits[0] = (struct visit){
				.days = 127, .band = 1, .bands = 2, .carers = 2, .minutes = 30, .shared = true};
		}
		world_step(&world);
	} else if (dice < 90) {
		world_change(&world, changes[dice % 3], (int64_t)random_below(random, (uint32_t)world.seq + 2));
	} else {
		snprintf(pool, sizeof pool, "POOL-%u", 1 + random_below(random, 3));
		world_declare(&world, pool, 60 * random_below(random, 12));
	}
}

static void random_sequence(uint64_t seed)
{
	uint64_t random = seed;
	struct core *loaded;

	world_rows(&world);
	world.policies[0].confirmation = seed % 2 ? CONFIRMATION_OFFICER : CONFIRMATION_AUTOMATIC;
	world.entries[2].route = ROUTE_POLR;
	world_open(&world);
	package_count = placement_count = 0;
	for (int i = 0; i < 300; i++) {
		random_event(&random);
		store_update();
		if (i % 60 != 59)
			continue;
		loaded = load_stored();
		cr_assert_eq(core_state_hash(loaded), core_state_hash(world.core), "seed %llu after %d events",
			     (unsigned long long)seed, i + 1);
		mem_unmap(loaded, world.core_memory_bytes);
	}
	world_close(&world);
}

Test(load, what_was_stored_makes_the_state_that_the_events_made)
{
	for (uint64_t seed = 1; seed <= 40; seed++)
		random_sequence(seed);
}

/* Not only the hash: the loaded engine goes on exactly as the other would have. */
Test(load, a_loaded_core_decides_on_as_the_old_one_would)
{
	for (uint64_t seed = 100; seed < 120; seed++) {
		static struct world other;
		uint64_t random = seed;

		world_rows(&world);
		world.policies[0].confirmation = CONFIRMATION_OFFICER;
		world.entries[2].route = ROUTE_POLR;
		world_open(&world);
		package_count = placement_count = 0;
		for (int i = 0; i < 120; i++) {
			random_event(&random);
			store_update();
		}
		other = world;
		other.core = load_stored();
		for (int i = 0; i < 60; i++) {
			uint8_t a[OUTCOME_BYTES_MAX], b[OUTCOME_BYTES_MAX];
			size_t len;

			random_event(&random);
			len = outcome_encode(&world.update.outcome, a, sizeof a);
			core_step(other.core, &world.event, &other.update);
			cr_assert_eq(outcome_encode(&other.update.outcome, b, sizeof b), len, "seed %llu event %d",
				     (unsigned long long)seed, i);
			cr_assert_arr_eq(a, b, len, "seed %llu event %d", (unsigned long long)seed, i);
			cr_assert_eq(core_state_hash(other.core), core_state_hash(world.core));
		}
		mem_unmap(other.core, world.core_memory_bytes);
		world_close(&world);
	}
}

/* Else a load could not tell who belongs to whom. */
Test(load, a_bundle_reference_in_use_takes_nobody_else)
{
	int64_t first, second;

	begin();
	package_count = placement_count = 0;
	first = submit_half("B-1", 30, true);
	store_update();
	second = submit_half("B-1", 30, true);
	store_update();
	world_change(&world, EVENT_END, first);
	store_update();
	cr_expect_eq(core_find(world.core, second)->partner, NONE);
	submit_half("B-1", 30, true);
	cr_expect_eq(world.update.outcome.refusal, ERR_BUNDLE_FULL);
	world_change(&world, EVENT_END, second);
	submit_half("B-1", 30, true);
	cr_expect_eq(world.update.outcome.refusal, 0);
	world_close(&world);
}

Test(load, the_journal_replayed_makes_the_same_state)
{
	static uint8_t bytes[RECORD_BYTES_MAX];
	static struct event event;
	static struct update update;
	struct stamp stamp = {.rules_version = RULES_VERSION};
	uint64_t random = 4711;
	struct core *replayed;

	world_rows(&world);
	world_open(&world);
	replayed = world_core(&world);
	for (int i = 0; i < 300; i++) {
		random_event(&random);
		size_t len = record_encode(&world.event, &world.update, &stamp, bytes, sizeof bytes);
		cr_assert_eq(record_decode(bytes, len, &event, &update, &stamp), ERR_OK);
		core_apply(replayed, &event, &update);
		cr_assert_eq(core_state_hash(replayed), core_state_hash(world.core), "event %d", i);
	}
	mem_unmap(replayed, world.core_memory_bytes);
	world_close(&world);
}

Test(load, rows_that_cannot_be_right_are_bad)
{
	static uint16_t declared[2][CELLS];
	struct package_row p = row_in(STATE_PLACED);
	struct placed m = placed_for(&p, ROLE_MAIN), wrong;

	world_rows(&world);
	world_open(&world);
	cr_expect_eq(core_load_pool(world.core, 77, POOL_MODE_BINDING, declared, 0, 0), ERR_BAD_ROW);
	cr_expect_eq(core_load_pool(world.core, 1, 0, declared, 0, 0), ERR_BAD_ROW);
	cr_expect_eq(core_load_pool(world.core, 1, 4, declared, 0, 0), ERR_BAD_ROW);
	declared[1][CELLS - 1] = CELL_UNITS_MAX + 1;
	cr_expect_eq(core_load_pool(world.core, 1, POOL_MODE_BINDING, declared, 0, 0), ERR_BAD_ROW);
#define BAD(change)                                                                                                    \
	do {                                                                                                           \
		struct package_row bad = p;                                                                            \
		change;                                                                                                \
		cr_expect_eq(core_load_package(world.core, &bad), ERR_BAD_ROW, #change);                               \
	} while (0)
	BAD(bad.visit_count = 0);
	BAD(bad.visit_count = VISITS_MAX + 1);
	BAD(bad.excluded_count = EXCLUDED_MAX + 1);
	BAD(bad.state = 0);
	BAD(bad.state = STATE_VOID + 1);
	BAD(bad.language = -1);
	BAD(bad.language = LANGUAGE_NO_MAX + 1);
	cr_assert_eq(core_load_package(world.core, &p), ERR_OK);
	cr_assert_eq(core_loaded(world.core), ERR_OK);
#define BAD_PLACED(change)                                                                                             \
	do {                                                                                                           \
		wrong = m;                                                                                             \
		change;                                                                                                \
		cr_expect_eq(core_load_placement(world.core, &wrong), ERR_BAD_ROW, #change);                           \
	} while (0)
	BAD_PLACED(wrong.package_no = 501);
	BAD_PLACED(wrong.pool_no = 77);
	BAD_PLACED(wrong.provider_no = 77);
	BAD_PLACED(wrong.role = 0);
	BAD_PLACED(wrong.role = 4);
	BAD_PLACED(wrong.route = 0);
	BAD_PLACED(wrong.route = 5);
	BAD_PLACED(wrong.demand_count = VISITS_MAX + 1);
	cr_assert_eq(core_load_placement(world.core, &m), ERR_OK);
	BAD_PLACED((void)0);
	world_close(&world);
}

Test(load, rows_may_come_in_any_order_but_not_twice)
{
	struct package_row p = row_in(STATE_PLACED);
	static const int64_t order[] = {503, 501, 502};

	world_rows(&world);
	world_open(&world);
	for (int i = 0; i < 3; i++) {
		p.package_no = order[i];
		cr_assert_eq(core_load_package(world.core, &p), ERR_OK);
	}
	cr_expect_eq(core_loaded(world.core), ERR_OK);
	for (int i = 0; i < 3; i++)
		cr_expect_not_null(core_find(world.core, order[i]));
	world.core = world_core(&world);
	cr_assert_eq(core_load_package(world.core, &p), ERR_OK);
	cr_assert_eq(core_load_package(world.core, &p), ERR_OK);
	cr_expect_eq(core_loaded(world.core), ERR_BAD_ROW);
	world_close(&world);
}

Test(load, more_rows_than_there_is_room_for_are_refused_not_aborted)
{
	struct package_row p = row_in(STATE_PLACED);
	struct placed m;
	enum err e = ERR_OK;

	world_rows(&world);
	world.limits = (struct core_limits){.packages_max = 100, .placements_max = 8, .blocks_max = 1000};
	world_open(&world);
	for (int i = 0; i < 20; i++) {
		p.package_no++;
		cr_assert_eq(core_load_package(world.core, &p), ERR_OK);
	}
	cr_assert_eq(core_loaded(world.core), ERR_OK);
	for (; p.package_no > 500 && e == ERR_OK; p.package_no--) {
		m = placed_for(&p, ROLE_MAIN);
		e = core_load_placement(world.core, &m);
	}
	cr_expect_eq(e, ERR_TOO_MANY_PACKAGES);
	world_close(&world);
}
