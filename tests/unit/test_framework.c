/* Sealing: what is wrong is refused with its table and number; what is right is found again. */
#include "kit/kit.h"

#include "unit/fixture.h"

#include <stdio.h>
#include <string.h>

KIT_SUITE(seal);
KIT_SUITE(lookup);
KIT_SUITE(choose_list);

static struct world world;

/* One change to rows that are right: refused, and the note names the table and the row's number. */
#define REFUSED(change, table_and_number)                                                                              \
	do {                                                                                                           \
		world_rows(&world);                                                                                    \
		change;                                                                                                \
		cr_expect_eq(world_seal(&world), ERR_BAD_ROW, #change);                                                \
		cr_expect_eq(strncmp(world.note.text, table_and_number, strlen(table_and_number)), 0, #change ": %s",  \
			     world.note.text);                                                                         \
		cr_expect_gt(strlen(world.note.text), strlen(table_and_number) + 2, "it says why: %s",                 \
			     world.note.text);                                                                         \
		world_close(&world);                                                                                   \
	} while (0)

Test(seal, the_fixture_itself_is_right)
{
	world_rows(&world);
	memset(&world.note, 'x', sizeof world.note);
	cr_expect_eq(world_seal(&world), ERR_OK);
	cr_expect_str_eq(world.note.text, "");
	cr_expect_eq(world.framework->version, 7);
	cr_expect_leq(world.arena.used, world.arena.size);
	world_close(&world);
}

Test(seal, a_note_says_which_row_and_why)
{
	world_rows(&world);
	memset(&world.note, 'x', sizeof world.note);
	world.pools[1].provider_no = 8;
	cr_expect_eq(world_seal(&world), ERR_BAD_ROW);
	cr_expect_str_eq(world.note.text, "pool 2: its provider is not there");
	world_close(&world);
}

Test(seal, a_framework_without_places_is_refused)
{
	memset(&world, 0, sizeof world);
	cr_expect_eq(world_seal(&world), ERR_BAD_ROW);
	cr_expect_not_null(strstr(world.note.text, "district"), "%s", world.note.text);
	world_close(&world);
}

/* So many districts, in one lot, and so many sectors, all of the first district: WORLD_ROWS are too few. */
static enum err seal_places(uint32_t districts, uint32_t sectors)
{
	static struct row_sector many[SECTORS_MAX + 1];
	static struct row_sector_district pairs[SECTORS_MAX + 1];

	world_rows(&world);
	for (uint32_t i = world.rows.districts_count; i < districts; i++)
		world.districts[i] = (struct row_district){.district_no = (int32_t)i + 1};
	for (uint32_t i = 0; i < sectors; i++) {
		many[i].sector_no = pairs[i].sector_no = (int32_t)i + 1;
		pairs[i].district_no = 1;
		snprintf(many[i].code, sizeof many[i].code, "%u", i);
	}
	world.rows.districts_count = districts;
	world.rows.sectors = many;
	world.rows.sector_districts = pairs;
	world.rows.sectors_count = world.rows.sector_districts_count = sectors;
	if (sectors == SECTORS_MAX)
		world_add_coverage(&world, LIST_MALDON, 1, SECTORS_MAX, 1);
	return world_seal(&world);
}

Test(seal, there_are_at_most_255_districts_and_20000_sectors)
{
	cr_expect_eq(seal_places(DISTRICTS_MAX, SECTORS_MAX), ERR_OK, "%s", world.note.text);
	cr_expect_neq(framework_find_sector(world.framework, text_of("19999")), UINT32_MAX);
	world_close(&world);
	cr_expect_eq(seal_places(DISTRICTS_MAX + 1, 4), ERR_BAD_ROW);
	cr_expect_str_eq(world.note.text, "district 256: too few or too many districts or sectors");
	world_close(&world);
	cr_expect_eq(seal_places(3, SECTORS_MAX + 1), ERR_BAD_ROW);
	cr_expect_str_eq(world.note.text, "district 3: too few or too many districts or sectors");
	world_close(&world);
}

static void add_districts_of_sector_one(void)
{
	for (int32_t d = 10; d < 16; d++) {
		world.districts[world.rows.districts_count++] = (struct row_district){.district_no = d};
		world.sector_districts[world.rows.sector_districts_count++] = (struct row_sector_district){1, d};
	}
}

Test(seal, a_broken_place_is_named)
{
	REFUSED(world.sector_districts[0].district_no = 9, "sector_district of sector 1: ");
	REFUSED(world.sector_districts[0].district_no = 0, "sector_district of sector 1: ");
	REFUSED(world.sectors[0].sector_no = 0; world.sector_districts[0].sector_no = 0, "sector 0: ");
	REFUSED(world.sector_districts[0].sector_no = 77, "sector 1: ");
	REFUSED(world.sectors[0].sector_no = SECTORS_MAX + 1;
		world.sector_districts[0].sector_no = SECTORS_MAX + 1, "sector 20001: ");
	REFUSED(add_districts_of_sector_one(), "sector 1: ");
}

Test(seal, a_broken_word_is_named)
{
	REFUSED(world.skills[1].number = 31, "skill 31: ");
	REFUSED(world.skills[1].number = -1, "skill 1: ");
	REFUSED(world.languages[0].number = 0, "language 0: ");
	REFUSED(world.languages[0].number = 63, "language 63: ");
	REFUSED(world.languages[1].number = 63, "language 63: ");
}

static void add_status(int32_t provider_no, const char *clause)
{
	struct row_status *s = &world.statuses[world.rows.statuses_count++];

	*s = (struct row_status){.provider_no = provider_no, .status = STATUS_PAUSED};
	snprintf(s->clause, sizeof s->clause, "%s", clause);
}

Test(seal, a_broken_provider_or_pool_is_named)
{
	REFUSED(add_status(9, "cl. 7"), "provider_status of provider 9: ");
	REFUSED(add_status(2, ""), "provider_status of provider 2: ");
	REFUSED(world.pools[1].provider_no = 8, "pool 2: ");
	REFUSED(world.pools[2].provider_no = 8, "pool 3: ");
}

Test(seal, a_policy_that_names_no_clause_or_no_route_is_named)
{
	REFUSED(world.clauses[0].reason = REASON_SKILL, "policy 1: ");
	REFUSED(world.clauses[1].clause[0] = '\0', "policy 1: ");
	REFUSED(world.clauses[2].policy_no = 2, "policy 1: ");
	REFUSED(world.policies[0].routes[2] = 0, "policy 1: ");
	REFUSED(world.policies[0].routes[2] = 5, "policy 1: ");
	REFUSED(world.policies[0].routes[2] = 50, "policy 1: ");
	REFUSED(world.policies[0].routes[3] = 5, "policy 1: ");
	REFUSED(world.policies[0].route_count = ROUTES_MAX + 1, "policy 1: ");
}

Test(seal, a_broken_list_is_named)
{
	REFUSED(world.lists[1].lot_no = 9, "list 2: ");
	REFUSED(world.lists[1].policy_no = 9, "list 2: ");
	REFUSED(world.lists[1].lot_no = 0, "list 2: ");
	REFUSED(world.lists[1].policy_no = 0, "list 2: ");
	REFUSED(world.lists[1] = world.lists[0], "list 1: ");
	REFUSED(world.entries[1].provider_no = 9, "list_entry of list 1: ");
	REFUSED(world.entries[1].route = 0, "list_entry of list 1: ");
	REFUSED(world.entries[1].route = 5, "list_entry of list 1: ");
	REFUSED(world.entries[1].tier = 0, "list_entry of list 1: ");
	REFUSED(world.entries[1].rank = 0, "list_entry of list 1: ");
	REFUSED(world.entries[1].price_pence_hour = -1, "list_entry of list 1: ");
}

Test(seal, a_price_may_be_nothing)
{
	world_rows(&world);
	world.entries[1].price_pence_hour = 0;
	cr_expect_eq(world_seal(&world), ERR_OK, "%s", world.note.text);
	world_close(&world);
}

static void add_entries(int32_t last)
{
	for (int32_t p = 4; p <= last; p++) {
		char code[16];

		snprintf(code, sizeof code, "X-%d", p);
		world_add_provider(&world, p, code);
		world_add_entry(&world, LIST_MALDON, 1, p, p);
	}
}

Test(seal, a_list_has_at_most_512_entries)
{
	REFUSED(add_entries(LIST_ENTRIES_MAX + 1), "list 1: ");
}

Test(seal, broken_coverage_is_named)
{
	REFUSED(world.coverages[0].sector_no = 77, "coverage of list 1: ");
	REFUSED(world.coverages[0].sector_no = SECTORS_MAX + 1, "coverage of sector 20001: ");
	REFUSED(world.coverages[0].sector_no = -1, "coverage of sector 1: ");
	REFUSED(world.coverages[0].sector_no = 0, "coverage of sector 0: ");
	REFUSED(world.coverages[world.rows.coverages_count - 1].sector_no = SECTORS_MAX + 1, "coverage of sector 20001: ");
	REFUSED(world.coverages[0].pool_no = 77, "coverage of list 1: ");
	REFUSED(world.coverages[0].pool_no = 2, "coverage of list 1: ");
	REFUSED(world.pools[0].kind = POOL_KIND_NIGHTS, "coverage of list 1: ");
	REFUSED(world.lists[0].service = SERVICE_LIVE_IN, "coverage of list 1: ");
	REFUSED(world.lists[0].service = SERVICE_LIVE_IN;
		for (int i = 0; i < 3; i++) world.pools[i].kind = POOL_KIND_NIGHTS, "coverage of list 1: ");
}

Test(seal, nights_and_places_are_covered_by_pools_of_their_kind)
{
	static const int services[] = {SERVICE_NIGHT_AWAKE, SERVICE_NIGHT_SLEEP, SERVICE_LIVE_IN};
	static const int kinds[] = {POOL_KIND_NIGHTS, POOL_KIND_NIGHTS, POOL_KIND_PLACES};

	for (int i = 0; i < 3; i++) {
		world_rows(&world);
		world.lists[0].service = services[i];
		for (int p = 0; p < 3; p++)
			world.pools[p].kind = kinds[i];
		cr_expect_eq(world_seal(&world), ERR_OK, "%s", world.note.text);
		world_close(&world);
	}
}

static void expect_order(const int32_t *providers, uint32_t count)
{
	const struct list *l = &world.framework->lists[framework_find_list(world.framework, LIST_MALDON, 0)];

	cr_assert_eq(l->entry_count, count);
	for (uint32_t i = 0; i < count; i++)
		cr_expect_eq(world.framework->entries[l->entry_first + i].provider_no, providers[i], "%u", i);
}

Test(seal, candidates_stand_by_route_then_tier_then_rank_then_order)
{
	static const int32_t want[] = {3, 2, 1, 5, 4};

	world_rows(&world);
	world_add_provider(&world, 4, "PRV-D");
	world_add_provider(&world, 5, "PRV-E");
	world_add_entry(&world, LIST_MALDON, 1, 4, 9);
	world_add_entry(&world, LIST_MALDON, 1, 5, 9);
	world.policies[0].routes[0] = ROUTE_SPOT; /* this policy asks the spot market first */
	world.policies[0].routes[1] = ROUTE_FRAMEWORK;
	world.policies[0].route_count = 2;
	world.entries[0].tier = 2;
	world.entries[1].rank = 7;
	world.entries[2].route = ROUTE_SPOT;
	world.entries[3].route = ROUTE_POLR; /* named by no policy: last, by number */
	world.entries[4].tier = 2;
	world.entries[4].rank = 1;
	world.entries[4].order_no = 100;
	world_open(&world);
	expect_order(want, 5);
	world_close(&world);
}

Test(seal, of_one_rank_the_order_decides)
{
	static const int32_t want[] = {3, 1, 2};

	world_rows(&world);
	for (int i = 0; i < 3; i++) {
		world.entries[i].rank = 1;
		world.entries[i].order_no = (i + 1) % 3;
	}
	world_open(&world);
	expect_order(want, 3);
	world_close(&world);
}

static void reverse(void *rows, uint32_t count, size_t size)
{
	unsigned char *bytes = rows, row[512];

	for (uint32_t i = 0; i < count / 2; i++) {
		unsigned char *a = bytes + i * size, *b = bytes + (count - 1 - i) * size;

		memcpy(row, a, size);
		memcpy(a, b, size);
		memcpy(b, row, size);
	}
}

/* What hangs on the numbers of rows rather than on where they stand. */
static void expect_the_same_world(void)
{
	static const int32_t order[] = {1, 2, 3};
	const struct framework *f = world.framework;
	const struct entry *paused;

	expect_order(order, 3);
	for (uint32_t i = 0; i < f->list_count; i++) {
		cr_expect_eq(f->lots[f->lists[i].lot].lot_no, f->lists[i].lot_no);
		cr_expect_eq(f->policies[f->lists[i].policy].policy_no, f->lists[i].list_no, "a policy each");
	}
	for (int32_t p = 1; p <= 3; p++) {
		const uint32_t *pools = framework_cover(f, &f->lists[0], framework_find_sector(f, text_of("CM3 4")));

		cr_assert_not_null(pools);
		cr_expect_eq(f->pools[pools[p - 1]].pool_no, p);
		cr_expect_eq(f->providers[f->pool_providers[pools[p - 1]]].provider_no, p);
	}
	for (uint32_t i = 0; i < f->district_count; i++)
		cr_expect_eq(f->districts[i].district_no, (int32_t)i + 1);
	cr_expect_eq(f->sectors[framework_find_sector(f, text_of("CM1 1"))].districts[0], DISTRICT_CHELMSFORD - 1);
	paused = &f->entries[framework_find_entry(f, &f->lists[0], framework_find_provider_no(f, 2))];
	cr_assert_eq(paused->status_count, 2);
	cr_expect_eq(f->statuses[paused->status_first].status_no, 1, "the lowest is told");
	cr_expect_eq(f->entries[framework_find_entry(f, &f->lists[0], framework_find_provider_no(f, 3))].status_count, 1);
	cr_expect_eq(f->entries[framework_find_entry(f, &f->lists[0], framework_find_provider_no(f, 1))].status_count, 0);
	cr_expect_str_eq(framework_clause(f, 1, REASON_RATING), "cl. 7");
}

static void add_a_second_policy_and_statuses(void)
{
	world.policies[1] = world.policies[0];
	world.policies[1].policy_no = 2;
	world.rows.policies_count = 2;
	world.lists[1].policy_no = 2;
	for (uint32_t i = 0; i < 3; i++) {
		world.clauses[3 + i] = world.clauses[i];
		world.clauses[3 + i].policy_no = 2;
	}
	world.rows.clauses_count = 6;
	add_status(2, "cl. 1");
	world.statuses[0].status_no = 1;
	add_status(2, "cl. 2");
	world.statuses[1].status_no = 2;
	add_status(3, "cl. 3");
}

Test(seal, the_order_of_rows_changes_nothing)
{
	for (int reversed = 0; reversed < 2; reversed++) {
		world_rows(&world);
		add_a_second_policy_and_statuses();
#define X(type, name)                                                                              \
	if (reversed)                                                                              \
		reverse(world.rows.name, world.rows.name##_count, sizeof world.rows.name[0]);
		FRAMEWORK_TABLES(X)
#undef X
		world_open(&world);
		expect_the_same_world();
		world_close(&world);
	}
}

/* What lies behind the last status is a policy of that provider's number. */
Test(seal, the_last_providers_statuses_end_with_the_table)
{
	world_rows(&world);
	add_status(1, "cl. 1");
	world_open(&world);
	cr_expect_eq(world.framework->entries[0].provider_no, 1);
	cr_expect_eq(world.framework->entries[0].status_count, 1);
	world_close(&world);
}

/* Each table grown until what it needs is more than what is rounded up. */
Test(seal, the_largest_framework_fits_the_bytes_that_were_counted)
{
	static struct row_coverage coverages[20000];

	for (int what = 0; what < 4; what++) {
		world_rows(&world);
		for (int32_t i = 3; what == 0 && i < WORLD_ROWS; i++) {
			world.lists[world.rows.lists_count] = world.lists[1];
			world.lists[world.rows.lists_count++].version = i;
		}
		for (int32_t i = 2; what == 1 && i < WORLD_ROWS; i++)
			world.lot_districts[world.rows.lot_districts_count++] = world.lot_districts[1];
		for (int32_t i = 0; what == 2 && i < 20000; i++)
			coverages[i] = world.coverages[0];
		if (what == 2) {
			world.rows.coverages = coverages;
			world.rows.coverages_count = 20000;
		}
		for (int32_t i = 5; what == 3 && i < WORLD_ROWS; i++) {
			world.sectors[world.rows.sectors_count] = (struct row_sector){.sector_no = i};
			snprintf(world.sectors[world.rows.sectors_count++].code, 9, "%d", i);
			world.sector_districts[world.rows.sector_districts_count++] = (struct row_sector_district){i, 1};
		}
		cr_expect_eq(world_seal(&world), ERR_OK, "%s", world.note.text);
		world_close(&world);
	}
}

Test(lookup, codes_and_numbers_are_found_and_others_are_not)
{
	const struct framework *f;

	world_rows(&world);
	world_open(&world);
	f = world.framework;
	for (uint32_t i = 0; i < f->sector_count; i++)
		cr_expect_eq(framework_find_sector(f, text_of(f->sectors[i].code)), i);
	for (uint32_t i = 0; i < f->provider_count; i++) {
		cr_expect_eq(framework_find_provider(f, text_of(f->providers[i].code)), i);
		cr_expect_eq(framework_find_provider_no(f, f->providers[i].provider_no), i);
	}
	for (uint32_t i = 0; i < f->pool_count; i++) {
		cr_expect_eq(framework_find_pool(f, text_of(f->pools[i].code)), i);
		cr_expect_eq(framework_find_pool_no(f, f->pools[i].pool_no), i);
	}
	cr_expect_eq(framework_find_district(f, text_of("E07000070")),
		     framework_find_district(f, text_of("Chelmsford")));
	cr_expect_eq(framework_find_skill(f, text_of("peg")), 1);
	cr_expect_eq(framework_find_language(f, text_of("bn")), 2);

	static const char *const none[] = {"", "A", "PRV-", "PRV-AA", "PRV-Z", "CM0 77", "CM0", "zz"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		cr_expect_eq(framework_find_sector(f, text_of(none[i])), UINT32_MAX, "%s", none[i]);
		cr_expect_eq(framework_find_provider(f, text_of(none[i])), UINT32_MAX, "%s", none[i]);
		cr_expect_eq(framework_find_pool(f, text_of(none[i])), UINT32_MAX, "%s", none[i]);
		cr_expect_eq(framework_find_district(f, text_of(none[i])), UINT32_MAX, "%s", none[i]);
		cr_expect_eq(framework_find_skill(f, text_of(none[i])), -1, "%s", none[i]);
	}
	cr_expect_eq(framework_find_provider_no(f, 0), UINT32_MAX);
	cr_expect_eq(framework_find_pool_no(f, 4), UINT32_MAX);
	cr_expect_eq(framework_find_district(f, text_of("E07000070x")), UINT32_MAX, "a code and more is none");
	cr_expect_neq(framework_sector_key("SW1A 9AA", 8), framework_sector_key("SW1A 9AB", 8));
	cr_expect_eq(framework_find_list_code(f, text_of("LAH25-2"), 0), framework_find_list(f, LIST_CHELMSFORD, 0));
	world_close(&world);
}

Test(lookup, a_sector_nobody_covers_has_no_pools)
{
	const struct framework *f;

	world_rows(&world);
	world_open(&world);
	f = world.framework;
	cr_expect_null(framework_cover(f, &f->lists[0], framework_find_sector(f, text_of("CM1 1"))));
	cr_expect_str_eq(framework_clause(f, 0, REASON_RATING), "cl. 7");
	cr_expect_str_eq(framework_clause(f, 0, REASON_SKILL), "");
	world_close(&world);
}

/* ---- which list ---- */

static int32_t chosen(const char *district, int service, int group, int64_t now_us)
{
	uint32_t list = 0, d = framework_find_district(world.framework, text_of(district));
	enum err e = framework_choose_list(world.framework, d, service, group, now_us, &list);

	return e != ERR_OK ? -(int32_t)e
			   : world.framework->lists[list].list_no * 10 + world.framework->lists[list].version;
}

static void add_list(int32_t list_no, int32_t lot_no, int group, int32_t version, int64_t from_us, int64_t until_us)
{
	world.lists[world.rows.lists_count++] = (struct row_list){.list_no = list_no,
								  .lot_no = lot_no,
								  .service = SERVICE_PERSONAL_CARE,
								  .client_group = group,
								  .version = version,
								  .policy_no = 1,
								  .from_us = from_us,
								  .until_us = until_us};
}

Test(choose_list, the_lot_of_the_district_decides)
{
	world_rows(&world);
	world_open(&world);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, GROUP_ANY, world.now_us), 11);
	cr_expect_eq(chosen("Chelmsford", SERVICE_PERSONAL_CARE, GROUP_ANY, world.now_us), 21);
	cr_expect_eq(chosen("Colchester", SERVICE_PERSONAL_CARE, GROUP_ANY, world.now_us), -ERR_SECTOR_OUTSIDE_LOTS);
	cr_expect_eq(chosen("Maldon", SERVICE_LIVE_IN, GROUP_ANY, world.now_us), -ERR_NO_LIST);
	world_close(&world);
}

Test(choose_list, a_version_lives_from_its_first_moment_to_before_its_last)
{
	world_rows(&world);
	world.lists[0].until_us = 2000;
	world.lists[0].from_us = 1000;
	add_list(LIST_MALDON, 1, GROUP_ANY, 2, 2000, 3000);
	world_open(&world);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 999), -ERR_NO_LIST);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 1000), 11);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 1999), 11);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 2000), 12);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 3000), -ERR_NO_LIST);
	cr_expect_eq(world.framework->lists[framework_find_list(world.framework, LIST_MALDON, 1500)].version, 1);
	cr_expect_eq(world.framework->lists[framework_find_list(world.framework, LIST_MALDON, 2500)].version, 2);
	cr_expect_eq(world.framework->lists[framework_find_list(world.framework, LIST_MALDON, 0)].version, 2,
		     "the newest");
	cr_expect_eq(framework_find_list(world.framework, LIST_MALDON, 3000), UINT32_MAX);
	cr_expect_eq(framework_find_list_code(world.framework, text_of("LAH25-1"), 1500),
		     framework_find_list(world.framework, LIST_MALDON, 1500));
	cr_expect_eq(framework_find_list_code(world.framework, text_of("LAH25-9"), 1500), UINT32_MAX);
	world_close(&world);
}

Test(choose_list, of_several_versions_the_latest_begun_then_the_higher_number_and_version)
{
	world_rows(&world);
	add_list(7, 1, GROUP_ANY, 1, 500, 5000);
	add_list(8, 1, GROUP_ANY, 1, 500, 5000);
	add_list(8, 1, GROUP_ANY, 2, 500, 5000);
	world_open(&world);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 400), 11);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, 0, 600), 82);
	world_close(&world);
}

Test(choose_list, the_packages_own_group_before_no_group)
{
	world_rows(&world);
	add_list(7, 1, GROUP_LEARNING_DISABILITY, 1, 1000, 2000);
	world_open(&world);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, GROUP_LEARNING_DISABILITY, 1500), 71);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, GROUP_OLDER_PEOPLE, 1500), 11);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, GROUP_ANY, 1500), 11);
	cr_expect_eq(chosen("Maldon", SERVICE_PERSONAL_CARE, GROUP_LEARNING_DISABILITY, 2500), 11,
		     "while none of its own lives");
	world_close(&world);
}
