#include "core/framework.h"

#include "base/check.h"
#include "core/words.h"

#include <string.h>

/* Look-ups: every table is sorted by its number; codes go through a sorted index. */

static int framework_text_compare(const char *a, struct text b)
{
	size_t len = strlen(a);
	int c = memcmp(a, b.bytes, len < b.len ? len : b.len);

	return c != 0 ? c : (len > b.len) - (len < b.len);
}

uint64_t framework_sector_key(const char *code, uint32_t len)
{
	uint64_t key = 0;

	for (uint32_t i = 0; i < 8; i++) /* first letter highest: numbers sort as the codes do */
		key = key << 8 | (i < len ? (uint8_t)code[i] : 0);
	return key;
}

uint32_t framework_find_sector(const struct framework *f, struct text code)
{
	uint64_t key = framework_sector_key(code.bytes, code.len);
	uint32_t low = 0, count = f->sector_count;

	while (count > 0) {
		uint32_t half = count / 2;

		if (f->sector_keys[low + half] < key) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low < f->sector_count && f->sector_keys[low] == key && code.len <= 8 ? low : UINT32_MAX;
}

uint32_t framework_find_district(const struct framework *f, struct text code_or_name)
{
	enum { CODE_BYTES = 9 }; /* E07000074 */

	for (uint32_t i = 0; i < f->district_count && code_or_name.len == CODE_BYTES; i++) {
		if (memcmp(f->districts[i].code, code_or_name.bytes, CODE_BYTES) == 0)
			return i;
	}
	for (uint32_t i = 0; i < f->district_count; i++) {
		if (framework_text_compare(f->districts[i].name, code_or_name) == 0)
			return i;
	}
	return UINT32_MAX;
}

/* A code through its sorted index; stride is the size of the rows whose first code is given. */
static uint32_t framework_find_code(const char *first_code, size_t stride, const uint32_t *index, uint32_t count,
				    struct text code)
{
	uint32_t low = 0;

	while (count > 0) {
		uint32_t half = count / 2, at = index[low + half];
		int c = framework_text_compare(first_code + at * stride, code);

		if (c == 0)
			return at;
		if (c < 0) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return UINT32_MAX;
}

/* The first row whose number is not below no, rows being sorted by it; count when all are below. */
static uint32_t framework_lower_no(const int32_t *first_no, size_t stride, uint32_t count, int32_t no)
{
	uint32_t low = 0;

	while (count > 0) {
		uint32_t half = count / 2;

		if (*(const int32_t *)(const void *)((const char *)first_no + (low + half) * stride) < no) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return low;
}

uint32_t framework_find_provider(const struct framework *f, struct text code)
{
	return framework_find_code(f->providers->code, sizeof *f->providers, f->provider_by_code, f->provider_count, code);
}

uint32_t framework_find_pool(const struct framework *f, struct text code)
{
	return framework_find_code(f->pools->code, sizeof *f->pools, f->pool_by_code, f->pool_count, code);
}

uint32_t framework_find_provider_no(const struct framework *f, int32_t provider_no)
{
	uint32_t at = framework_lower_no(&f->providers->provider_no, sizeof *f->providers, f->provider_count, provider_no);

	return at < f->provider_count && f->providers[at].provider_no == provider_no ? at : UINT32_MAX;
}

uint32_t framework_find_pool_no(const struct framework *f, int32_t pool_no)
{
	uint32_t at = framework_lower_no(&f->pools->pool_no, sizeof *f->pools, f->pool_count, pool_no);

	return at < f->pool_count && f->pools[at].pool_no == pool_no ? at : UINT32_MAX;
}

static int32_t framework_find_word(const struct row_word *words, uint32_t count, struct text code)
{
	for (uint32_t i = 0; i < count; i++) {
		if (framework_text_compare(words[i].code, code) == 0)
			return words[i].number;
	}
	return -1;
}

int32_t framework_find_skill(const struct framework *f, struct text code)
{
	return framework_find_word(f->skills, f->skill_count, code);
}

int32_t framework_find_language(const struct framework *f, struct text code)
{
	return framework_find_word(f->languages, f->language_count, code);
}

static bool list_is_live(const struct list *l, int64_t now_us)
{
	return l->from_us <= now_us && now_us < l->until_us;
}

uint32_t framework_first_version(const struct framework *f, int32_t list_no)
{
	return framework_lower_no(&f->lists->list_no, sizeof *f->lists, f->list_count, list_no);
}

uint32_t framework_find_list(const struct framework *f, int32_t list_no, int64_t now_us)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t i = framework_first_version(f, list_no); i < f->list_count && f->lists[i].list_no == list_no; i++) {
		/* ascending version: the newest stays, or of those effective the one that began last */
		if (now_us == 0 || (list_is_live(&f->lists[i], now_us) &&
				    (found == UINT32_MAX || f->lists[i].from_us >= f->lists[found].from_us)))
			found = i;
	}
	return found;
}

uint32_t framework_find_entry(const struct framework *f, const struct list *list, uint32_t provider)
{
	for (uint32_t i = list->entry_first; i < list->entry_first + list->entry_count; i++) {
		if (f->entries[i].provider == provider)
			return i;
	}
	return UINT32_MAX;
}

uint32_t framework_find_list_code(const struct framework *f, struct text code, int64_t now_us)
{
	for (uint32_t i = 0; i < f->list_count; i++) {
		if (framework_text_compare(f->lists[i].code, code) == 0)
			return framework_find_list(f, f->lists[i].list_no, now_us);
	}
	return UINT32_MAX;
}

static bool framework_in_a_lot(const struct framework *f, uint32_t district)
{
	for (uint32_t i = 0; i < f->lot_district_count; i++) {
		if (f->lot_districts[i].district_no == f->districts[district].district_no)
			return true;
	}
	return false;
}

enum err framework_choose_list(const struct framework *f, uint32_t district, int service, int client_group,
			       int64_t now_us, uint32_t *ret_list)
{
	const uint32_t *first = f->district_list_first + district * SERVICES + (uint32_t)(service - 1);
	const struct list *best = NULL;

	if (!framework_in_a_lot(f, district))
		return ERR_SECTOR_OUTSIDE_LOTS;
	for (uint32_t i = first[0]; i < first[1]; i++) {
		const struct list *l = &f->lists[f->district_lists[i]];

		if ((l->client_group != client_group && l->client_group != GROUP_ANY) || !list_is_live(l, now_us))
			continue;
		bool named = l->client_group == client_group, best_named = best != NULL && best->client_group == client_group;

		/* lists ascend by number and version: of those that began together the last stays */
		if (best == NULL || named > best_named || (named == best_named && l->from_us >= best->from_us))
			best = l;
	}
	if (best == NULL)
		return ERR_NO_LIST;
	*ret_list = (uint32_t)(best - f->lists);
	return ERR_OK;
}

const uint32_t *framework_cover(const struct framework *f, const struct list *list, uint32_t sector)
{
	const uint32_t *sectors = f->list_sectors + list->sector_first;
	uint32_t low = 0, count = list->sector_count;

	while (count > 0) {
		uint32_t half = count / 2;

		if (sectors[low + half] < sector) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	if (low == list->sector_count || sectors[low] != sector)
		return NULL;
	return f->cover + list->pool_first + (size_t)low * list->entry_count;
}

const char *framework_clause(const struct framework *f, uint32_t policy, int reason)
{
	for (uint32_t i = 0; i < f->clause_count; i++) {
		if (f->clauses[i].policy_no == f->policies[policy].policy_no && f->clauses[i].reason == reason)
			return f->clauses[i].clause;
	}
	return "";
}
