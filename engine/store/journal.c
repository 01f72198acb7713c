#include "store/journal.h"

#include "base/check.h"
#include "core/words.h"
#include "store/query.h"

#include <stdio.h>
#include <string.h>

enum { JOB_COMMIT = 1, JOB_BEAT = 2, SCALARS = 6 };

static const enum column_type journal_types[] = {
#define X(name, type) [JOURNAL_##name] = COLUMN_##type,
	JOURNAL_COLUMNS(X)
#undef X
};

/* ---- building ---- */

#define INT(column, value) column_int(&j->columns[JOURNAL_##column], (int64_t)(value))
#define TEXT(column, t) column_bytes(&j->columns[JOURNAL_##column], (t).bytes, (t).len)

static void add_package(struct journal *j, const struct new_package *n)
{
	const struct requirement *q = n->requirement;

	INT(n_package_no, n->package_no);
	INT(n_state, n->state);
	TEXT(n_case, q->case_ref);
	TEXT(n_person, q->person_ref);
	TEXT(n_household, q->household_ref);
	TEXT(n_bundle, q->bundle_ref);
	TEXT(n_owner, q->owner_ref);
	INT(n_list, n->list_no);
	INT(n_sector, n->sector_no);
	INT(n_district, n->district_no);
	INT(n_service, q->service);
	INT(n_group, q->client_group);
	INT(n_requirement, 1);
	for (uint32_t i = 0; i < n->visit_count; i++) {
		INT(n_visits, n->visits[i]);
		INT(n_facts, n->facts[i]);
	}
	INT(n_visit_last, j->columns[JOURNAL_n_visits].count);
	INT(n_skills, n->skills);
	INT(n_gender, q->gender);
	INT(n_language, n->language);
	INT(n_urgency, q->urgency);
	INT(n_risk, q->risk);
	INT(n_cover, q->cover);
	INT(n_funding, q->funding);
	INT(n_regime, q->regime);
	INT(n_prerequisites, q->prerequisites);
	INT(n_need_arose, q->need_arose_us);
	INT(n_start_day, n->start_day);
	INT(n_latest_start, q->latest_start_us);
	INT(n_cover_until, q->cover_until_us);
	INT(n_ceiling, q->ceiling_pence_hour);
	for (uint32_t i = 0; i < n->excluded_count; i++)
		INT(n_excluded, n->excluded[i]);
	INT(n_excluded_last, j->columns[JOURNAL_n_excluded].count);
}

static void add_placed(struct journal *j, const struct placed *m, int64_t seq)
{
	INT(m_package_no, m->package_no);
	INT(m_role, m->role);
	INT(m_seq, seq);
	INT(m_pool, m->pool_no);
	INT(m_provider, m->provider_no);
	INT(m_list, m->list_no);
	INT(m_route, m->route);
	INT(m_tier, m->tier);
	INT(m_rank, m->rank);
	INT(m_start_day, m->start_day);
	INT(m_exit_day, m->exit_day);
	INT(m_price, m->price_pence_week);
	INT(m_minutes, m->carer_minutes_week);
	for (uint32_t i = 0; i < m->demand_count; i++)
		INT(m_demand, m->demand[i]);
	INT(m_demand_last, j->columns[JOURNAL_m_demand].count);
}

static void add_declared(struct journal *j, const struct declared *d, int64_t now_us)
{
	INT(d_pool, d->pool_no);
	for (uint32_t cell = 0; cell < CELLS; cell++) {
		INT(d_single, d->units[0][cell]);
		INT(d_paired, d->units[1][cell]);
	}
	INT(d_at, now_us);
	INT(d_expires, d->expires_us);
	INT(d_available_from, d->available_from_day);
}

static void add_effects(struct journal *j, const struct event *event, const struct update *u)
{
	for (uint32_t i = 0; i < u->new_count; i++)
		add_package(j, &u->packages[i]);
	for (uint32_t i = 0; i < u->change_count; i++) {
		INT(s_package_no, u->changes[i].package_no);
		INT(s_from, u->changes[i].from);
		INT(s_to, u->changes[i].to);
		INT(s_seq, event->seq);
	}
	for (uint32_t i = 0; i < u->round_count; i++) {
		INT(r_package_no, u->rounds[i].package_no);
		INT(r_seq, event->seq);
		INT(r_requirement, u->rounds[i].requirement_version);
		INT(r_list, u->decision.list_no);
		INT(r_version, u->decision.list_version);
		INT(r_policy, u->decision.policy_no);
		INT(r_outcome, u->decision.outcome);
		INT(r_looked_at, u->decision.looked_at);
	}
	for (uint32_t i = 0; i < u->made_count; i++)
		add_placed(j, &u->made[i], event->seq);
	for (uint32_t i = 0; i < u->ended_count; i++) {
		INT(e_package_no, u->ended[i].package_no);
		INT(e_role, u->ended[i].role);
		INT(e_seq, event->seq);
	}
	for (uint32_t i = 0; i < u->declared_count; i++)
		add_declared(j, &u->declared[i], event->now_us);
}

/* SQL applies a batch kind by kind: declarations, then ends, then new placements; and changes a row once. So a batch
 * takes an event only where that gives the same as one by one. */
bool journal_takes(const struct journal *j, const struct event *event)
{
	if (j->count == 0)
		return true;
	if (j->count == BATCH_EVENTS_MAX || buf_len(&j->columns[JOURNAL_records].buf) > BATCH_BYTES_MAX - RECORD_BYTES_MAX)
		return false;
	switch (event->type) {
	case EVENT_SUBMIT:
		return true;
	case EVENT_DECLARE:
		return false;
	case EVENT_CONFIRM:
	case EVENT_WITHDRAW:
	case EVENT_END:
		if (j->makes || j->touched_count + 2 > JOURNAL_TOUCHED_MAX)
			return false;
		for (uint32_t i = 0; i < j->touched_count; i++) {
			if (j->touched[i] == event->change.package_no)
				return false;
		}
		return true;
	}
	UNREACHABLE();
}

int64_t journal_next_seq(const struct journal *j)
{
	return j->fence.last_seq + j->count + 1;
}

void journal_add(struct journal *j, const struct event *event, const struct update *update,
		 const struct journal_command *command, uint8_t ret_leaf[DIGEST_BYTES])
{
	struct stamp stamp = {.framework_version = j->fence.framework_version, .rules_version = RULES_VERSION};
	uint8_t outcome[OUTCOME_BYTES_MAX];
	size_t len;

	REQUIRE(j->count < BATCH_EVENTS_MAX && event->seq == journal_next_seq(j));
	if (j->count % 64 == 0)
		digest_salts(j->salts + j->count * SALT_BYTES, BATCH_EVENTS_MAX - j->count < 64 ? BATCH_EVENTS_MAX - j->count : 64);
	memcpy(stamp.key, command->key, sizeof stamp.key);
	len = record_encode(event, update, &stamp, j->record, sizeof j->record);
	digest_leaf(j->salts + j->count * SALT_BYTES, j->record, len, ret_leaf);
	column_bytes(&j->columns[JOURNAL_records], j->record, len);
	TEXT(c_client, command->client);
	column_bytes(&j->columns[JOURNAL_c_key], command->key, sizeof command->key);
	column_bytes(&j->columns[JOURNAL_c_hash], command->request_hash, sizeof command->request_hash);
	INT(c_seq, event->seq);
	len = outcome_encode(&update->outcome, outcome, sizeof outcome);
	INSIST(len > 0);
	column_bytes(&j->columns[JOURNAL_c_outcome], outcome, len);
	add_effects(j, event, update);
	j->count++;
	j->makes |= event->type == EVENT_SUBMIT || event->type == EVENT_DECLARE || update->made_count > 0;
	for (uint32_t i = 0; !j->makes && i < update->change_count; i++)
		j->touched[j->touched_count++] = update->changes[i].package_no;
}

/* ---- sending ---- */

static void put_big_endian(uint8_t *to, uint64_t n, size_t width)
{
	for (size_t i = 0; i < width; i++)
		to[i] = (uint8_t)(n >> (8 * (width - 1 - i)));
}

static void journal_job(struct journal *j, uint8_t kind)
{
	INSIST(j->job_count < sizeof j->jobs);
	j->jobs[(j->job_first + j->job_count++) % sizeof j->jobs] = kind;
}

enum err journal_send(struct journal *j, int64_t clock_us)
{
	const char *values[SCALARS + JOURNAL_COLUMN_COUNT];
	int lengths[SCALARS + JOURNAL_COLUMN_COUNT], formats[SCALARS + JOURNAL_COLUMN_COUNT];
	uint8_t scalars[5][8];

	REQUIRE(j->count > 0);
	put_big_endian(scalars[0], (uint16_t)j->fence.shard, 2);
	put_big_endian(scalars[1], (uint64_t)j->fence.epoch, 8);
	put_big_endian(scalars[2], (uint64_t)j->fence.last_seq, 8);
	put_big_endian(scalars[3], (uint64_t)j->fence.framework_version, 8);
	put_big_endian(scalars[4], (uint64_t)clock_us, 8);
	for (int i = 0; i < 5; i++) {
		values[i] = (const char *)scalars[i];
		lengths[i] = i == 0 ? 2 : 8;
	}
	values[5] = (const char *)j->salts;
	lengths[5] = (int)(j->count * SALT_BYTES);
	for (int i = 0; i < JOURNAL_COLUMN_COUNT; i++)
		values[SCALARS + i] = column_value(&j->columns[i], &lengths[SCALARS + i]);
	for (int i = 0; i < SCALARS + JOURNAL_COLUMN_COUNT; i++)
		formats[i] = 1;
	if (PQsendQueryPrepared(j->pipe.pg, "commit", SCALARS + JOURNAL_COLUMN_COUNT, values, lengths, formats, 1) != 1)
		return ERR_STORE;
	journal_job(j, JOB_COMMIT);
	j->fence.last_seq += j->count;
	j->count = j->touched_count = 0;
	j->makes = false;
	for (int i = 0; i < JOURNAL_COLUMN_COUNT; i++)
		column_clear(&j->columns[i]);
	return pipe_sync(&j->pipe);
}

enum err journal_beat(struct journal *j, int64_t clock_us)
{
	uint8_t shard[2], epoch[8], clock[8];
	const char *values[] = {(const char *)shard, (const char *)epoch, (const char *)clock};
	const int lengths[] = {2, 8, 8}, formats[] = {1, 1, 1};

	put_big_endian(shard, (uint16_t)j->fence.shard, 2);
	put_big_endian(epoch, (uint64_t)j->fence.epoch, 8);
	put_big_endian(clock, (uint64_t)clock_us, 8);
	if (PQsendQueryPrepared(j->pipe.pg, "beat", 3, values, lengths, formats, 1) != 1)
		return ERR_STORE;
	journal_job(j, JOB_BEAT);
	return pipe_sync(&j->pipe);
}

/* ---- answers ---- */

static enum err journal_why(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (state == NULL)
		return ERR_STORE;
	if (strcmp(state, "CF001") == 0)
		return ERR_DEPOSED;
	if (strcmp(state, "CF002") == 0 || strcmp(state, "CF003") == 0 || strncmp(state, "40", 2) == 0)
		return ERR_STORE_STALE; /* behind an earlier refusal, an edited framework, a serialization failure: reload, rerun */
	if (strncmp(state, "53", 2) == 0 || strncmp(state, "57", 2) == 0 || strncmp(state, "58", 2) == 0 ||
	    strncmp(state, "55", 2) == 0)
		return ERR_STORE_AWAY;
	return ERR_STORE_REFUSED;
}

static void journal_on_result(struct pipe *p, const PGresult *result)
{
	struct journal *j = p->data;
	uint8_t kind = j->jobs[j->job_first % sizeof j->jobs];
	ExecStatusType status = PQresultStatus(result);

	if (j->job_count == 0 || j->answered)
		return;
	j->answered = true;
	if (status != PGRES_TUPLES_OK) {
		enum err why = journal_why(result);

		if (kind == JOB_COMMIT)
			j->ops->on_refused(j->data, why, PQresultErrorMessage(result));
		else
			j->ops->on_beat(j->data, why, 0);
		return;
	}
	if (kind == JOB_COMMIT) {
		INSIST(PQntuples(result) == 1 && PQgetlength(result, 0, 0) == DIGEST_BYTES);
		j->ops->on_committed(j->data, (const uint8_t *)PQgetvalue(result, 0, 0));
	} else {
		int64_t version = 0;

		for (int i = 0; i < PQgetlength(result, 0, 0); i++)
			version = version << 8 | (uint8_t)PQgetvalue(result, 0, 0)[i];
		j->ops->on_beat(j->data, ERR_OK, version);
	}
}

static void journal_on_sync(struct pipe *p)
{
	struct journal *j = p->data;

	if (j->job_count > 0) {
		j->job_first++;
		j->job_count--;
	}
	j->answered = false;
}

static void journal_on_closed(struct pipe *p, enum err why)
{
	struct journal *j = p->data;

	j->ops->on_closed(j->data, why);
}

static const struct pipe_ops journal_pipe_ops = {
	.on_result = journal_on_result, .on_sync = journal_on_sync, .on_closed = journal_on_closed};

/* ---- life ---- */

static enum err journal_prepare(PGconn *pg)
{
	char sql[64 + 8 * (SCALARS + JOURNAL_COLUMN_COUNT)];
	size_t at = (size_t)snprintf(sql, sizeof sql, "SELECT calloff.commit_batch_v1(");
	PGresult *r;
	bool ok;

	/* one plan serves a batch of one and of thousands: by index, or a batch of one would read whole tables */
	r = PQexec(pg, "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; "
		       "SET enable_material = off");
	ok = PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	for (int i = 1; i <= SCALARS + JOURNAL_COLUMN_COUNT; i++)
		at += (size_t)snprintf(sql + at, sizeof sql - at, "%s$%d", i > 1 ? "," : "", i);
	snprintf(sql + at, sizeof sql - at, ")");
	r = PQprepare(pg, "commit", sql, 0, NULL);
	ok = ok && PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	r = PQprepare(pg, "beat", query_sql(QUERY_heartbeat), 0, NULL);
	ok = ok && PQresultStatus(r) == PGRES_COMMAND_OK;
	PQclear(r);
	return ok ? ERR_OK : ERR_STORE;
}

enum err journal_open(struct journal *j, uv_loop_t *loop, PGconn *pg, const struct fence *fence,
		      const struct journal_ops *ops, void *data)
{
	enum err e = journal_prepare(pg);

	j->ops = ops;
	j->data = data;
	j->fence = *fence;
	j->count = j->touched_count = j->job_first = j->job_count = 0;
	j->makes = j->answered = false;
	if (e != ERR_OK) {
		PQfinish(pg);
		return e;
	}
	for (int i = 0; i < JOURNAL_COLUMN_COUNT; i++)
		column_init(&j->columns[i], journal_types[i]);
	e = pipe_adopt(&j->pipe, loop, pg, &journal_pipe_ops, j);
	if (e != ERR_OK)
		journal_free(j);
	return e;
}

void journal_close(struct journal *j)
{
	pipe_close(&j->pipe, ERR_OK);
}

void journal_free(struct journal *j)
{
	for (int i = 0; i < JOURNAL_COLUMN_COUNT; i++)
		column_free(&j->columns[i]);
}
