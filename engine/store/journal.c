#include "store/journal.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/failpoint.h"
#include "store/query.h"

#include <stdio.h>
#include <string.h>

enum { SCALARS = 5, PARAMS = SCALARS + BATCH_PARAMS };

int64_t journal_next_seq(const struct journal *j)
{
	return j->fence.last_seq + j->batch.count + 1;
}

void journal_add(struct journal *j, const struct event *event, const struct update *update,
		 const struct batch_command *command, uint8_t ret_leaf[DIGEST_BYTES])
{
	REQUIRE(event->seq == journal_next_seq(j));
	batch_add(&j->batch, event, update, command, j->fence.framework_version, ret_leaf);
}

/* ---- sending ---- */

static struct journal_job *journal_job(struct journal *j, uint32_t number)
{
	return &j->jobs[(j->job_first + number) % JOURNAL_JOBS_MAX];
}

static enum err journal_sync(struct journal *j, struct journal_lane *lane, enum journal_call call)
{
	INSIST(j->job_count < JOURNAL_JOBS_MAX);
	*journal_job(j, j->job_count++) = (struct journal_job){.call = call, .lane = (uint8_t)(lane - j->lanes)};
	return pipe_sync(&lane->pipe);
}

static struct journal_lane *journal_idlest(struct journal *j)
{
	struct journal_lane *lane = &j->lanes[0];

	for (uint32_t i = 1; i < j->lane_count; i++) {
		if (j->lanes[i].pipe.jobs < lane->pipe.jobs)
			lane = &j->lanes[i];
	}
	return lane;
}

enum err journal_send(struct journal *j, int64_t clock_us)
{
	const int64_t numbers[] = {j->fence.epoch, j->fence.last_seq, j->fence.framework_version, clock_us};
	uint8_t shard[2], scalars[4][8];
	const char *values[PARAMS] = {(const char *)shard};
	int lengths[PARAMS] = {sizeof shard}, formats[PARAMS];
	struct journal_lane *lane = journal_idlest(j);

	REQUIRE(j->batch.count > 0);
	FAILPOINT_OR(send_before, ERR_STORE);
	put_be16(shard, (uint16_t)j->fence.shard);
	for (int i = 0; i < 4; i++) {
		put_be64(scalars[i], (uint64_t)numbers[i]);
		values[1 + i] = (const char *)scalars[i];
		lengths[1 + i] = 8;
	}
	batch_params(&j->batch, values + SCALARS, lengths + SCALARS);
	for (int i = 0; i < PARAMS; i++)
		formats[i] = 1;
	TRY(pipe_send(&lane->pipe, "commit", PARAMS, values, lengths, formats));
	j->fence.last_seq += j->batch.count;
	batch_clear(&j->batch);
	TRY(journal_sync(j, lane, JOURNAL_BATCH));
	FAILPOINT_OR(send_after, ERR_STORE);
	return ERR_OK;
}

/* A call that touches the fence alone: shard, epoch and, for a beat, the clock. */
static enum err journal_touch(struct journal *j, enum journal_call call, const char *statement, int64_t clock_us)
{
	struct journal_lane *lane = journal_idlest(j);
	uint8_t shard[2], epoch[8], clock[8];
	const char *values[] = {(const char *)shard, (const char *)epoch, (const char *)clock};
	const int lengths[] = {2, 8, 8}, formats[] = {1, 1, 1}, count = call == JOURNAL_BEAT ? 3 : 2;

	put_be16(shard, (uint16_t)j->fence.shard);
	put_be64(epoch, (uint64_t)j->fence.epoch);
	put_be64(clock, (uint64_t)clock_us);
	TRY(pipe_send(&lane->pipe, statement, count, values, lengths, formats));
	return journal_sync(j, lane, call);
}

enum err journal_beat(struct journal *j, int64_t clock_us)
{
	FAILPOINT_OR(beat, ERR_STORE);
	return journal_touch(j, JOURNAL_BEAT, "beat", clock_us);
}

enum err journal_hand_over(struct journal *j)
{
	FAILPOINT_OR(hand_over_before, ERR_STORE);
	TRY(journal_touch(j, JOURNAL_HAND_OVER, "hand_over", 0));
	FAILPOINT_OR(hand_over_after, ERR_STORE);
	return ERR_OK;
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

/* The oldest job of a lane that is not over. */
static struct journal_job *journal_under_way(struct journal_lane *lane)
{
	struct journal *j = lane->journal;

	for (uint32_t i = 0; i < j->job_count; i++) {
		struct journal_job *job = journal_job(j, i);

		if (!job->over && &j->lanes[job->lane] == lane)
			return job;
	}
	return NULL;
}

static void journal_on_result(struct pipe *p, const PGresult *result)
{
	struct journal_job *job = journal_under_way(p->data);

	if (job == NULL)
		return;
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		if (job->why == ERR_OK) { /* the first error tells; one after a result is a commit that failed */
			job->why = journal_why(result);
			snprintf(job->message, sizeof job->message, "%s", PQresultErrorMessage(result));
		}
		return;
	}
	INSIST(PQntuples(result) == 1 && PQgetlength(result, 0, 0) == (job->call == JOURNAL_BATCH ? DIGEST_BYTES : 8));
	job->answered = true;
	if (job->call == JOURNAL_BATCH)
		memcpy(job->row_hash, PQgetvalue(result, 0, 0), DIGEST_BYTES);
	for (int i = 0; i < 8 && job->call != JOURNAL_BATCH; i++)
		job->framework_version = job->framework_version << 8 | (uint8_t)PQgetvalue(result, 0, 0)[i];
}

static void journal_tell(struct journal *j, const struct journal_job *job)
{
	if (job->call == JOURNAL_BEAT)
		j->ops->on_beat(j->data, job->why, job->framework_version);
	else if (job->call == JOURNAL_HAND_OVER)
		j->ops->on_handed_over(j->data, job->why);
	else if (job->why == ERR_OK)
		j->ops->on_committed(j->data, job->row_hash);
	else
		j->ops->on_refused(j->data, job->why, job->message);
}

/* The transaction is over: its answer is told, and those after it that another lane had ready. */
static void journal_on_sync(struct pipe *p)
{
	struct journal_lane *lane = p->data;
	struct journal *j = lane->journal;
	struct journal_job *job = journal_under_way(lane);

	if (job == NULL || j->closing)
		return;
	job->over = true;
	if (job->why == ERR_OK && !job->answered)
		job->why = ERR_STORE;
	while (j->job_count > 0 && journal_job(j, 0)->over) {
		const struct journal_job told = *journal_job(j, 0);

		j->job_first++;
		j->job_count--;
		journal_tell(j, &told);
	}
}

static void journal_close_lanes(struct journal *j, enum err why)
{
	if (j->closing)
		return;
	j->closing = true;
	j->why = why;
	for (uint32_t i = 0; i < j->lane_count; i++)
		pipe_close(&j->lanes[i].pipe, why);
}

/* A commit that was made to stop waiting for its standby still succeeds, and says so by a warning alone. So what comes with
 * one is not told: take_over, a later commit that does wait, settles it. */
static void journal_on_notice(void *data, const PGresult *notice)
{
	struct journal_lane *lane = data;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		journal_close_lanes(lane->journal, ERR_STORE);
}

static void journal_on_closed(struct pipe *p, enum err why)
{
	struct journal_lane *lane = p->data;
	struct journal *j = lane->journal;

	journal_close_lanes(j, why);
	if (--j->lanes_open == 0)
		j->ops->on_closed(j->data, j->why);
}

static const struct pipe_ops journal_pipe_ops = {
	.on_result = journal_on_result, .on_sync = journal_on_sync, .on_closed = journal_on_closed};

/* ---- life ---- */

static bool journal_did(PGresult *r, ExecStatusType wanted)
{
	bool ok = PQresultStatus(r) == wanted;

	PQclear(r);
	return ok;
}

static enum err journal_prepare(PGconn *pg)
{
	char sql[64 + 8 * PARAMS];
	size_t at = (size_t)snprintf(sql, sizeof sql, "SELECT calloff.commit_batch_v1(");

	for (int i = 1; i <= PARAMS; i++)
		at += (size_t)snprintf(sql + at, sizeof sql - at, "%s$%d", i > 1 ? "," : "", i);
	snprintf(sql + at, sizeof sql - at, ")");
	/* one plan serves a batch of one and of thousands: by index, or a batch of one would read whole tables */
	return journal_did(PQexec(pg, "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; "
				      "SET enable_material = off; SET enable_sort = off"), PGRES_COMMAND_OK) &&
			       journal_did(PQprepare(pg, "commit", sql, 0, NULL), PGRES_COMMAND_OK) &&
			       journal_did(PQprepare(pg, "beat", query_sql(QUERY_heartbeat), 0, NULL), PGRES_COMMAND_OK) &&
			       journal_did(PQprepare(pg, "hand_over", query_sql(QUERY_hand_over), 0, NULL), PGRES_COMMAND_OK) ?
		       ERR_OK : ERR_STORE;
}

static enum err journal_learn_types(struct journal *j, PGconn *pg)
{
	PGresult *types = PQexec(pg, query_sql(QUERY_load_row_types));
	enum err e = PQresultStatus(types) != PGRES_TUPLES_OK ? ERR_STORE :
		     batch_knows_types(&j->batch, types)      ? ERR_OK :
								ERR_STORE_UNSAFE;

	PQclear(types);
	return e;
}

enum err journal_open(struct journal *j, uv_loop_t *loop, PGconn *const *connections, uint32_t connection_count,
		      const struct fence *fence, const struct journal_ops *ops, void *data)
{
	enum err e;
	uint32_t taken = 0;

	REQUIRE(connection_count > 0 && connection_count <= LANES_MAX);
	j->ops = ops;
	j->data = data;
	j->fence = *fence;
	j->lane_count = j->lanes_open = j->job_first = j->job_count = 0;
	j->closing = false;
	batch_init(&j->batch);
	e = journal_learn_types(j, connections[0]);
	for (uint32_t i = 0; e == ERR_OK && i < connection_count; i++)
		e = journal_prepare(connections[i]);
	/* past the first, a lane that cannot be had is only missed */
	for (; e == ERR_OK && taken < connection_count; taken++) {
		struct journal_lane *lane = &j->lanes[j->lane_count];

		lane->journal = j;
		PQsetNoticeReceiver(connections[taken], journal_on_notice, lane);
		if (pipe_adopt(&lane->pipe, loop, connections[taken], &journal_pipe_ops, lane) == ERR_OK)
			j->lanes_open = ++j->lane_count;
		else if (j->lane_count == 0)
			e = ERR_STORE;
	}
	for (; taken < connection_count; taken++)
		PQfinish(connections[taken]);
	if (e != ERR_OK)
		journal_free(j);
	return e;
}

void journal_close(struct journal *j)
{
	journal_close_lanes(j, ERR_OK);
}

void journal_free(struct journal *j)
{
	batch_free(&j->batch);
}
