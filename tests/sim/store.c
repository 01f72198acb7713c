#include "store.h"

#include "agenda.h"
#include "trace.h"

#include "core/words.h"

#include <stdio.h>
#include <string.h>

enum { UNDO_BYTES = 4 << 20, UNDO_STEPS = 65536, KEY_SLOTS = SEQ_MAX * 4, FAN_OUT_BYTES = 16 * DIGEST_BYTES };

struct store store;

static char said[160];
static int32_t key_seqs[KEY_SLOTS]; /* open addressing by key; 0 empty */

static struct {
	struct {
		void *at;
		uint32_t len, from;
	} steps[UNDO_STEPS];
	uint32_t count, used;
	uint8_t bytes[UNDO_BYTES];
} undo;

const char *store_said(void)
{
	return said;
}

static enum err refuse(enum err why, const char *what, int64_t of)
{
	snprintf(said, sizeof said, "%s %lld", what, (long long)of);
	return why;
}

/* Keeps what is about to be changed, in case the transaction rolls back. */
static void touch(void *at, uint32_t len)
{
	if (undo.count == UNDO_STEPS || undo.used + len > UNDO_BYTES)
		sim_violation(SIMULATOR, "%s", __func__);
	undo.steps[undo.count].at = at;
	undo.steps[undo.count].len = len;
	undo.steps[undo.count++].from = undo.used;
	memcpy(undo.bytes + undo.used, at, len);
	undo.used += len;
}

#define TOUCH(what) touch(&(what), sizeof(what))

void store_undo(void)
{
	while (undo.count > 0) {
		undo.count--;
		memcpy(undo.steps[undo.count].at, undo.bytes + undo.steps[undo.count].from, undo.steps[undo.count].len);
	}
	undo.used = 0;
}

/* ---- keys ---- */

static uint32_t key_slot(const uint8_t key[16])
{
	uint64_t h = 0xcbf29ce484222325u;

	for (int i = 0; i < 16; i++)
		h = (h ^ key[i]) * 0x100000001b3u;
	return (uint32_t)(h % KEY_SLOTS);
}

static uint32_t key_find(const uint8_t key[16])
{
	uint32_t slot = key_slot(key);

	while (key_seqs[slot] != 0 && memcmp(store.commands[key_seqs[slot]].key, key, 16) != 0)
		slot = (slot + 1) % KEY_SLOTS;
	return slot;
}

int64_t store_find_key(const uint8_t key[16])
{
	return key_seqs[key_find(key)];
}

/* ---- reading a batch ---- */

static struct array_reader list_of(const struct commit *c, enum batch_kind kind)
{
	struct array_reader r;

	array_open(&r, c->values[2 + kind], c->lengths[2 + kind]);
	return r;
}

void store_records(const struct commit *c, struct array_reader *ret)
{
	array_open(ret, c->values[1], c->lengths[1]);
}

static bool of_batch(const struct commit *c, int64_t seq)
{
	return seq > c->prev_seq && seq <= c->prev_seq + c->count;
}

static struct placed placed_read(const struct row_fields *f)
{
	int64_t demand[VISITS_MAX];
	struct placed m = {
		.package_no = field_int(f, 0), .role = (uint8_t)field_int(f, 1), .pool_no = (int32_t)field_int(f, 3),
		.provider_no = (int32_t)field_int(f, 4), .list_no = (int32_t)field_int(f, 5), .route = (uint8_t)field_int(f, 6),
		.tier = (uint8_t)field_int(f, 7), .rank = (uint16_t)field_int(f, 8), .start_day = (int32_t)field_int(f, 9),
		.exit_day = (int32_t)field_int(f, 10), .price_pence_week = (uint32_t)field_int(f, 11),
		.carer_minutes_week = (uint32_t)field_int(f, 12),
	};

	m.demand_count = (uint8_t)field_ints(f, 13, demand, VISITS_MAX);
	for (uint32_t i = 0; i < m.demand_count; i++)
		m.demand[i] = (uint32_t)demand[i];
	return m;
}

static struct store_package package_read(const struct row_fields *f)
{
	struct store_package p = {.there = true, .changed_seq = field_int(f, 2)};
	struct package_row *row = &p.row;
	int64_t ints[VISITS_MAX];
	uint32_t facts;

	row->package_no = field_int(f, 0);
	row->state = (uint8_t)field_int(f, 1);
	row->bundle_ref.len = f->lengths[6];
	memcpy(p.bundle_ref, f->values[6], f->lengths[6]);
	row->list_no = (int32_t)field_int(f, 8);
	row->sector_no = (int32_t)field_int(f, 9);
	row->district_no = (uint8_t)field_int(f, 10);
	row->service = (uint8_t)field_int(f, 11);
	row->client_group = (uint8_t)field_int(f, 12);
	row->requirement_version = (int16_t)field_int(f, 13);
	row->visit_count = (uint8_t)field_ints(f, 14, ints, VISITS_MAX);
	for (uint32_t i = 0; i < row->visit_count; i++)
		row->visits[i] = (uint32_t)ints[i];
	facts = field_ints(f, 15, ints, VISITS_MAX);
	for (uint32_t i = 0; i < facts; i++)
		row->facts[i] = (uint32_t)ints[i];
	p.there = facts == row->visit_count; /* else not whole: CF107 */
	row->skills = (int32_t)field_int(f, 16);
	row->gender = (uint8_t)field_int(f, 17);
	row->language = (int16_t)field_int(f, 18);
	row->urgency = (uint8_t)field_int(f, 19);
	row->risk = (uint8_t)field_int(f, 20);
	row->cover = (uint8_t)field_int(f, 21);
	row->start_day = (int32_t)field_int(f, 26);
	row->latest_day = (int32_t)(field_int(f, 27) / INT64_C(86400000000));
	if (row->latest_day == 0)
		row->latest_day = row->start_day;
	row->ceiling_pence_hour = (uint32_t)field_int(f, 29);
	row->excluded_count = (uint8_t)field_ints(f, 30, ints, EXCLUDED_MAX);
	for (uint32_t i = 0; i < row->excluded_count; i++)
		row->excluded[i] = (int32_t)ints[i];
	return p;
}

/* ---- constraints ---- */

static bool demand_is_of_visits(const struct placed *m, const struct package_row *p)
{
	if (m->demand_count != p->visit_count)
		return false;
	for (uint32_t i = 0; i < m->demand_count; i++) {
		uint32_t d = m->demand[i], v = p->visits[i], f = p->facts[i];

		if (((d ^ v) & 1151) != 0 || (f >> (d >> 7 & 7) & 1) != 1 ||
		    !(d >> 11 == v >> 11 || (d >> 11 == 0 && (f >> 8 & 1) == 1)))
			return false;
	}
	return true;
}

static bool pool_is_covered(const struct placed *m, const struct package_row *p)
{
	return m->list_no >= 1 && m->list_no <= MODEL_LISTS_MAX && m->provider_no >= 1 && m->provider_no <= MODEL_PROVIDERS_MAX &&
	       m->pool_no != 0 && store.coverage[m->list_no][m->provider_no][p->sector_no] == m->pool_no;
}

/* One that ends here and is made again, to carry a visit that its partner carried: it stays in its pool. */
static bool is_made_again(const struct placed *m, int64_t seq)
{
	for (uint32_t i = store.placement_count; i-- > 0;) {
		const struct placed *o = &store.placements[i].row;

		if (store.placements[i].ended_seq == seq && o->package_no == m->package_no && o->role == m->role &&
		    o->list_no == m->list_no && o->provider_no == m->provider_no && o->pool_no == m->pool_no)
			return true;
	}
	return false;
}

static bool placement_fits(const struct placed *m, const struct package_row *p, int64_t seq)
{
	return p->list_no == m->list_no && (pool_is_covered(m, p) || is_made_again(m, seq)) && demand_is_of_visits(m, p);
}

static bool visits_hold(const struct package_row *p)
{
	for (uint32_t i = 0; i < p->visit_count; i++) {
		if (p->visits[i] == 0 || p->visits[i] >= 1048576)
			return false;
	}
	return p->visit_count >= 1 && p->visit_count <= VISITS_MAX;
}

/* ---- what a batch stores beside others ---- */

static enum err commands_hold(const struct commit *c)
{
	struct array_reader r = list_of(c, BATCH_commands);
	struct row_fields f;

	while (array_next_row(&r, &f)) {
		if (c->epoch != store.fence.epoch)
			return refuse(ERR_DEPOSED, "CF001 the epoch is not", c->epoch);
		if (!of_batch(c, field_int(&f, 3)) || f.lengths[1] != 16 || f.lengths[2] != 16 || f.lengths[4] > OUTCOME_BYTES_MAX)
			return refuse(ERR_STORE_REFUSED, "CF107 a command of another batch, or not whole", field_int(&f, 3));
		if (store.poisoned && memcmp(f.values[1], store.poison, 16) == 0)
			return refuse(ERR_STORE_REFUSED, "23514 told to refuse seq", field_int(&f, 3));
		if (store_find_key(f.values[1]) != 0)
			return refuse(ERR_STORE_REFUSED, "23505 command_once, seq", field_int(&f, 3));
	}
	return ERR_OK;
}

enum err store_begin(const struct commit *c)
{
	struct array_reader r;

	store_records(c, &r);
	if (c->count == 0 || r.count != c->count || c->lengths[0] != SALT_BYTES * c->count)
		return refuse(ERR_STORE_REFUSED, "CF101 a batch needs records, each with a salt", c->count);
	return commands_hold(c);
}

enum err store_reached(const struct commit *c)
{
	if (c->epoch != store.fence.epoch)
		return refuse(ERR_DEPOSED, "CF001 the epoch is not", c->epoch);
	if (store.fence.last_seq > c->prev_seq)
		return refuse(ERR_STORE_STALE, "CF002 last is not", c->prev_seq);
	if (c->framework_version != store.fence.framework_version)
		return refuse(ERR_STORE_STALE, store.fence.last_seq != c->prev_seq ? "CF002 not after" : "CF003 not framework",
			      c->framework_version);
	return store.fence.last_seq == c->prev_seq ? ERR_OK : ERR_MORE;
}

/* ---- the parts of a commit, in the order of the SQL ---- */

static enum err insert_commands(const struct commit *c)
{
	struct array_reader r = list_of(c, BATCH_commands);
	struct row_fields f;

	if (commands_hold(c) != ERR_OK)
		return ERR_STORE_REFUSED;
	while (array_next_row(&r, &f)) {
		int64_t seq = field_int(&f, 3);
		struct store_command *row = &store.commands[seq];
		uint32_t slot = key_find(f.values[1]);

		if (key_seqs[slot] != 0)
			return refuse(ERR_STORE_REFUSED, "23505 command_once within a batch, seq", seq);
		TOUCH(*row);
		TOUCH(key_seqs[slot]);
		memset(row, 0, sizeof *row);
		memcpy(row->client, f.values[0], f.lengths[0]);
		memcpy(row->key, f.values[1], 16);
		memcpy(row->request_hash, f.values[2], 16);
		memcpy(row->outcome, f.values[4], f.lengths[4]);
		row->outcome_len = (uint8_t)f.lengths[4];
		key_seqs[slot] = (int32_t)seq;
	}
	return ERR_OK;
}

static void insert_placement(const struct placed *m, int64_t seq)
{
	if (store.placement_count == PLACEMENT_ROWS_MAX)
		sim_violation(SIMULATOR, "%s", __func__);
	store.placements[store.placement_count++] = (struct store_placement){.row = *m, .made_seq = seq};
}

static enum err insert_packages(const struct commit *c)
{
	struct array_reader packages = list_of(c, BATCH_packages), nominations = list_of(c, BATCH_nominations);
	struct row_fields f;

	while (array_next_row(&packages, &f)) {
		struct store_package p = package_read(&f);
		struct row_fields at_once;
		int64_t no = p.row.package_no;

		if (!of_batch(c, no) || p.changed_seq != no || !p.there)
			return refuse(ERR_STORE_REFUSED, "CF107 a package of another batch, or not whole", no);
		if (store.packages[no].there || !visits_hold(&p.row))
			return refuse(ERR_STORE_REFUSED, "23505 package_pkey, or its visits", no);
		TOUCH(store.packages[no]);
		store.packages[no] = p;
		if (!array_next_row(&nominations, &at_once) || at_once.null)
			continue;

		struct placed m = placed_read(&at_once);

		if (m.package_no != no || field_int(&at_once, 2) != no || !placement_fits(&m, &p.row, no))
			return refuse(ERR_STORE_REFUSED, "CF104 a pool or demand not its own, package", no);
		insert_placement(&m, no);
	}
	return ERR_OK;
}

static enum err insert_rounds(const struct commit *c)
{
	struct array_reader r = list_of(c, BATCH_rounds);
	struct row_fields f;

	while (array_next_row(&r, &f)) {
		int64_t no = field_int(&f, 0), seq = field_int(&f, 1);

		if (!of_batch(c, seq))
			return refuse(ERR_STORE_REFUSED, "CF107 a round of another batch", seq);
		if (store.round_seq[no] == seq)
			return refuse(ERR_STORE_REFUSED, "23505 round_pkey", seq);
		TOUCH(store.round_seq[no]);
		store.round_seq[no] = seq;
	}
	return ERR_OK;
}

static enum err update_states(const struct commit *c)
{
	struct array_reader r = list_of(c, BATCH_states);
	struct row_fields f;

	while (array_next_row(&r, &f)) {
		struct store_package *p = &store.packages[field_int(&f, 0)];

		bool twice = of_batch(c, p->changed_seq) && p->changed_seq != p->row.package_no;

		if (!p->there || twice || p->row.state != field_int(&f, 1) || !of_batch(c, field_int(&f, 3)))
			return refuse(ERR_STORE_REFUSED, "CF102 not in the state believed, package", field_int(&f, 0));
		TOUCH(*p);
		p->row.state = (uint8_t)field_int(&f, 2);
		p->changed_seq = field_int(&f, 3);
	}
	return ERR_OK;
}

static enum err update_declarations(const struct commit *c)
{
	struct array_reader r = list_of(c, BATCH_declarations);
	struct row_fields f;

	while (array_next_row(&r, &f)) {
		int64_t no = field_int(&f, 0), cells[2][CELLS];
		struct store_pool *p = &store.pools[no - 1];

		if (no < 1 || no > store.market.pool_n || field_ints(&f, 1, cells[0], CELLS) != CELLS ||
		    field_ints(&f, 2, cells[1], CELLS) != CELLS)
			return refuse(ERR_STORE_REFUSED, "CF105 a declaration's pool or cells", no);
		TOUCH(*p);
		for (int plane = 0; plane < 2; plane++) {
			for (int cell = 0; cell < CELLS; cell++) {
				int32_t over = p->committed[plane][cell] - (int32_t)cells[plane][cell];

				p->declared[plane][cell] = (int32_t)cells[plane][cell];
				p->overhang[plane][cell] = over > 0 ? over : 0;
			}
		}
		p->expires_us = field_int(&f, 4);
		p->available_from_day = (int32_t)field_int(&f, 5);
	}
	return ERR_OK;
}

static struct store_placement *placement_live(int64_t package_no, int64_t role)
{
	for (uint32_t i = store.placement_count; i-- > 0;) {
		struct store_placement *p = &store.placements[i];

		if (p->row.package_no == package_no && p->row.role == role && p->ended_seq == 0)
			return p;
	}
	return NULL;
}

/* The units of a demand, on each of its days. */
static void pool_take(struct store_pool *p, const struct placed *m, int sign)
{
	for (uint32_t i = 0; i < m->demand_count; i++) {
		uint32_t code = m->demand[i];

		for (uint32_t day = 0; day < DAYS; day++) {
			if (code >> day & 1)
				p->committed[code >> 10 & 1][day * BANDS + (code >> 7 & 7)] += sign * (int32_t)(code >> 11);
		}
	}
}

/* What capacity gives and takes, derived from the demand that is stored; kept until the end of the batch. */
struct deltas {
	uint32_t count;
	const struct placed *placed[BATCH_EVENTS_MAX * 2];
	int signs[BATCH_EVENTS_MAX * 2];
};

static enum err update_ended(const struct commit *c, struct deltas *d)
{
	struct array_reader r = list_of(c, BATCH_ended);
	struct row_fields f;

	while (array_next_row(&r, &f)) {
		struct store_placement *p = placement_live(field_int(&f, 0), field_int(&f, 1));

		if (p == NULL || !of_batch(c, field_int(&f, 2)))
			return refuse(ERR_STORE_REFUSED, "CF103 a placement to end does not live, package", field_int(&f, 0));
		TOUCH(*p);
		p->ended_seq = field_int(&f, 2);
		d->placed[d->count] = &p->row;
		d->signs[d->count++] = -1;
	}
	return ERR_OK;
}

static enum err insert_placements(const struct commit *c)
{
	struct array_reader r = list_of(c, BATCH_placements);
	struct row_fields f;

	while (array_next_row(&r, &f)) {
		struct placed m = placed_read(&f);

		if (!of_batch(c, field_int(&f, 2)) || m.package_no < 1 || m.package_no >= SEQ_MAX ||
		    !store.packages[m.package_no].there || !placement_fits(&m, &store.packages[m.package_no].row, field_int(&f, 2)))
			return refuse(ERR_STORE_REFUSED, "CF104 a pool or demand not its own, package", m.package_no);
		if (placement_live(m.package_no, m.role) != NULL)
			return refuse(ERR_STORE_REFUSED, "23505 placement_one_live, package", m.package_no);
		insert_placement(&m, field_int(&f, 2));
	}
	return ERR_OK;
}

static enum err pool_holds(const struct store_pool *p, int64_t no)
{
	for (int plane = 0; plane < 2; plane++) {
		for (int cell = 0; cell < CELLS; cell++) {
			if (p->committed[plane][cell] < 0)
				return refuse(ERR_STORE_REFUSED, "23514 grid_not_negative, pool", no);
			if (p->mode == POOL_MODE_BINDING &&
			    p->declared[plane][cell] + p->overhang[plane][cell] < p->committed[plane][cell])
				return refuse(ERR_STORE_REFUSED, "23514 capacity_never_over, pool", no);
		}
	}
	return ERR_OK;
}

static enum err update_capacity(struct deltas *d, uint32_t placed_from)
{
	bool moved[MODEL_POOLS_MAX] = {false};

	for (uint32_t i = placed_from; i < store.placement_count; i++) {
		d->placed[d->count] = &store.placements[i].row;
		d->signs[d->count++] = 1;
	}
	for (uint32_t i = 0; i < d->count; i++) {
		uint32_t pool = (uint32_t)d->placed[i]->pool_no - 1;

		if (!moved[pool])
			TOUCH(store.pools[pool]);
		moved[pool] = true;
		pool_take(&store.pools[pool], d->placed[i], d->signs[i]);
	}
	for (int pool = 0; pool < store.market.pool_n; pool++) {
		struct store_pool *p = &store.pools[pool];

		for (int cell = 0; cell < 2 * CELLS && moved[pool]; cell++) {
			int32_t *overhang = &p->overhang[cell / CELLS][cell % CELLS];
			int32_t over = p->committed[cell / CELLS][cell % CELLS] - p->declared[cell / CELLS][cell % CELLS];

			if (*overhang > over)
				*overhang = over > 0 ? over : 0;
		}
		if (moved[pool] && pool_holds(p, pool + 1) != ERR_OK)
			return ERR_STORE_REFUSED;
	}
	return ERR_OK;
}

/* ---- fence and journal ---- */

static void big(uint8_t *at, int64_t n, int width)
{
	for (int i = 0; i < width; i++)
		at[i] = (uint8_t)((uint64_t)n >> 8 * (width - 1 - i));
}

/* Root of the hash tree over the leaves, fan-out 16. */
static void tree_root(const uint8_t *leaves, uint32_t count, uint8_t ret[DIGEST_BYTES])
{
	static uint8_t level[BATCH_EVENTS_MAX * DIGEST_BYTES];
	uint8_t node[1 + FAN_OUT_BYTES] = {0x01};
	uint32_t len = count * DIGEST_BYTES;

	memcpy(level, leaves, len);
	while (len > DIGEST_BYTES) {
		uint32_t made = 0;

		for (uint32_t at = 0; at < len; at += FAN_OUT_BYTES, made += DIGEST_BYTES) {
			uint32_t part = len - at < FAN_OUT_BYTES ? len - at : (uint32_t)FAN_OUT_BYTES;

			memcpy(node + 1, level + at, part);
			digest_bytes(node, 1 + part, level + made);
		}
		len = made;
	}
	memcpy(ret, level, DIGEST_BYTES);
}

static void row_hash(const struct store_row *row, const uint8_t root[DIGEST_BYTES], uint8_t ret[DIGEST_BYTES])
{
	uint8_t bytes[1 + 2 + 8 * 3 + 2 * DIGEST_BYTES] = {0x02};

	big(bytes + 1, store.fence.shard, 2);
	big(bytes + 3, row->first_seq, 8);
	big(bytes + 11, row->last_seq, 8);
	big(bytes + 19, row->epoch, 8);
	memcpy(bytes + 27, row->prev_hash, DIGEST_BYTES);
	memcpy(bytes + 27 + DIGEST_BYTES, root, DIGEST_BYTES);
	digest_bytes(bytes, sizeof bytes, ret);
}

static void insert_journal(const struct commit *c)
{
	struct store_row *row = &store.rows[store.row_count++];
	uint8_t *leaves = agenda_memory(c->count * DIGEST_BYTES), root[DIGEST_BYTES];
	struct array_reader r;
	const uint8_t *record;
	uint32_t len;

	store_records(c, &r);
	for (uint32_t i = 0; array_next(&r, &record, &len); i++)
		digest_leaf(c->values[0] + i * SALT_BYTES, record, len, leaves + i * DIGEST_BYTES);
	tree_root(leaves, c->count, root);
	*row = (struct store_row){.first_seq = c->prev_seq + 1, .last_seq = c->prev_seq + c->count, .epoch = c->epoch,
				  .clock_us = c->clock_us, .framework_version = c->framework_version, .leaves = leaves,
				  .commit = c};
	memcpy(row->prev_hash, store.fence.head_hash, DIGEST_BYTES);
	row_hash(row, root, row->row_hash);
	TOUCH(store.fence);
	store.fence.last_seq = row->last_seq;
	if (c->clock_us > store.fence.clock_us)
		store.fence.clock_us = c->clock_us;
	memcpy(store.fence.head_hash, row->row_hash, DIGEST_BYTES);
}

static enum err finish(const struct commit *c)
{
	static struct deltas deltas;
	uint32_t placed_from = store.placement_count;

	deltas.count = 0;
	TRY(store_reached(c));
	if (c->prev_seq + c->count >= SEQ_MAX)
		sim_violation(SIMULATOR, "%s", __func__);
	TRY(insert_commands(c));
	TRY(insert_packages(c));
	TRY(insert_rounds(c));
	TRY(update_states(c));
	TRY(update_declarations(c));
	TRY(update_ended(c, &deltas));
	TRY(insert_placements(c));
	insert_journal(c);
	return update_capacity(&deltas, placed_from);
}

enum err store_finish(const struct commit *c)
{
	enum err why;

	undo.count = undo.used = 0;
	TOUCH(store.placement_count);
	TOUCH(store.row_count);
	why = finish(c);
	if (why != ERR_OK)
		store_undo();
	return why;
}

const struct store_row *store_row_of(int64_t seq)
{
	uint32_t low = 0, high = store.row_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (store.rows[middle].last_seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low < store.row_count && store.rows[low].first_seq <= seq ? &store.rows[low] : NULL;
}

/* ---- life ---- */

void store_framework_moved(void)
{
	memset(store.coverage, 0, sizeof store.coverage);
	for (int i = 0; i < store.market.coverage_n; i++) {
		const struct model_coverage *c = &store.market.coverages[i];

		store.coverage[c->list][c->provider][c->sector] = c->pool;
	}
}

void store_fence_is(const char *engine, int64_t instance)
{
	memset(store.fence.engine, 0, sizeof store.fence.engine);
	memcpy(store.fence.engine, engine, strlen(engine));
	store.fence.instance = instance;
}

void store_poison(const uint8_t key[16])
{
	memcpy(store.poison, key, 16);
	store.poisoned = true;
}

void store_reset(const struct model_market *market)
{
	int64_t last = store.fence.last_seq;

	store.market = *market;
	store.framework_id = 0;
	store.fence = (struct fence){.shard = 1, .epoch = 1, .framework_version = 1, .schema_version = SCHEMA_VERSION,
				     .clock_us = market->now_seconds * 1000000};
	for (int i = 0; i < market->pool_n; i++) {
		store.pools[i] = (struct store_pool){.mode = market->pools[i].mode,
						     .expires_us = market->pools[i].expires_seconds * 1000000,
						     .available_from_day = market->pools[i].available_from_day};
		memcpy(store.pools[i].declared, market->pools[i].declared, sizeof store.pools[i].declared);
	}
	memset(store.commands, 0, (size_t)(last + 1) * sizeof store.commands[0]);
	memset(store.packages, 0, (size_t)(last + 1) * sizeof store.packages[0]);
	memset(store.round_seq, 0, (size_t)(last + 1) * sizeof store.round_seq[0]);
	memset(key_seqs, 0, sizeof key_seqs);
	store.placement_count = store.row_count = 0;
	store_framework_moved();
}
