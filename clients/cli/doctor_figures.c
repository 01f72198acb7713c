/* What the engine counts, what its pools are worth, and what a client was told. */
#include "base/check.h"
#include "base/limits.h"
#include "doctor.h"
#include "receipts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Counters that are no fault, but that an operator wants to know of when they are not 0. */
static const struct {
	const char *name, *why, *mend;
} doctor_counters[] = {
	{"batches_ambiguous",
	 "a connection to PostgreSQL was lost with commits under way; the take-over settled each of them",
	 "nothing is lost; if it goes on, look for what cuts the connections"},
	{"deposed", "another engine took a shard over; this one stands by for it since",
	 "nothing, if it was meant to; else see why this one had fallen silent"},
	{"key_reused", "a client sent another command under a key it had used: its own fault, refused",
	 "find the client by its principal in the engine's log"},
	{"busy", "more was sent than could be decided; it was refused with a time to try again",
	 "see calloff stats: is commit_us high (the disk), or commands (the load)?"},
	{"slow_readers", "clients were cut because they did not read what they had asked for",
	 "they go on from their cursor"},
};

static int64_t doctor_alarms(struct doctor *d, const Calloff__V1__GetStatsResponse *stats)
{
	int64_t alarms = 0;

	for (size_t i = 0; i < stats->n_counters; i++) {
		const Calloff__V1__Counter *c = stats->counters[i];

		if (strncmp(c->text, "ALARM", 5) != 0 || c->value == 0)
			continue;
		alarms += c->value;
		doctor_say(d, DOCTOR_FAIL, "alarm", c->text,
			   "the database kept itself right; send the engine's log around event=ALARM to its makers",
			   "%s is %" PRId64 ", and must be 0", c->name, c->value);
	}
	return alarms;
}

void doctor_stats(struct doctor *d, const Calloff__V1__GetStatsResponse *stats)
{
	bool calm = true;

	if (doctor_alarms(d, stats) == 0)
		doctor_say(d, DOCTOR_OK, "alarm", NULL, NULL, "none since the engine's start");
	for (size_t i = 0; i < stats->n_counters; i++) {
		const Calloff__V1__Counter *c = stats->counters[i];

		for (size_t k = 0; k < sizeof doctor_counters / sizeof doctor_counters[0]; k++) {
			if (strcmp(doctor_counters[k].name, c->name) != 0 || c->value == 0)
				continue;
			calm = false;
			doctor_say(d, DOCTOR_WARN, "counters", doctor_counters[k].why, doctor_counters[k].mend,
				   "%s is %" PRId64 ": %s", c->name, c->value, c->text);
		}
	}
	if (calm)
		doctor_say(d, DOCTOR_OK, "counters", NULL, NULL,
			   "no ambiguous commits, no overload, no client cut off");
}

void doctor_pools(struct doctor *d)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListPoolsRequest list = CALLOFF__V1__LIST_POOLS_REQUEST__INIT;
	char after[ID_BYTES_MAX * 4] = "";
	size_t unknown = 0, count = 0;

	envelope.shard = d->shard;
	list.limit = PAGE_ROWS_MAX;
	list.after = after;
	CLI_BODY(envelope, LIST_POOLS_REQUEST, list_pools_request, &list);
	do {
		const Calloff__V1__Envelope *reply;
		struct calloff_error *error = &d->cli->error;

		if (calloff_call(d->cli->client, &envelope, &reply, error) != CALLOFF_OK ||
		    reply->body_case != CALLOFF__V1__ENVELOPE__BODY_LIST_POOLS_RESPONSE) {
			doctor_say(d, DOCTOR_WARN, "pools", error->why, error->mend, "cannot be listed: %s",
				   error->what);
			return;
		}
		for (size_t i = 0; i < reply->list_pools_response->n_pools; i++)
			unknown += reply->list_pools_response->pools[i]->unknown != 0;
		count += reply->list_pools_response->n_pools;
		snprintf(after, sizeof after, "%s", reply->list_pools_response->next);
	} while (after[0] != '\0');
	if (count == 0)
		doctor_say(d, DOCTOR_WARN, "pools", "the framework in the database has none",
			   "load a framework, see sql/README.md",
			   "there are no capacity pools: nobody can be nominated");
	else if (unknown * 5 > count)
		doctor_say(
			d, DOCTOR_WARN, "pools",
			"a declaration expires; until the provider declares again its pool means ask, never full",
			"ask the providers of calloff pools --tsv, column trust, for their week",
			"%zu of %zu (%zu %%) have no declaration in force", unknown, count, unknown * 100 / count);
	else
		doctor_say(d, DOCTOR_OK, "pools", NULL, NULL, "%zu of %zu have a declaration in force",
			   count - unknown, count);
}

/* Two receipts of one event must say the same; and none may lie beyond the journal's end. */
static bool doctor_receipts_agree(struct doctor *d, const struct receipts *r, const char *path)
{
	for (size_t i = 1; i < r->count; i++) {
		const struct receipt *a = &r->list[i - 1], *b = &r->list[i];

		if (a->seq != b->seq ||
		    (memcmp(a->leaf, b->leaf, sizeof a->leaf) == 0 && memcmp(a->row, b->row, sizeof a->row) == 0))
			continue;
		doctor_say(d, DOCTOR_FAIL, "receipts",
			   "one event has one hash: the file was changed, or mixes shards, or the journal was "
			   "rewritten",
			   "calloff audit verify --receipts tells which of them the journal holds",
			   "lines %zu and %zu of %s contradict each other about event %" PRId64, a->line, b->line,
			   path, a->seq);
		return false;
	}
	return true;
}

void doctor_receipts(struct doctor *d, const char *path, const Calloff__V1__GetHealthResponse *health)
{
	struct receipts r = {0};
	char problem[160];
	FILE *in = fopen(path, "re");
	int64_t last;

	if (in == NULL) {
		doctor_say(d, DOCTOR_FAIL, "receipts", strerror(errno), "give the file that --receipts wrote",
			   "%s cannot be read", path);
		return;
	}
	if (!receipts_load(&r, in, problem)) {
		doctor_say(d, DOCTOR_FAIL, "receipts", problem,
			   "give the file that --receipts wrote; a torn last line may be removed",
			   "%s is not whole", path);
	} else if (doctor_receipts_agree(d, &r, path)) {
		last = r.count > 0 ? r.list[r.count - 1].seq : 0;
		if (health != NULL && last > health->last_seq && strcmp(health->state, "ready") == 0)
			doctor_say(d, DOCTOR_FAIL, "receipts",
				   "something acknowledged is gone: a fail-over without a synchronous standby, or "
				   "a restored backup",
				   "calloff audit verify --receipts names each; submit those commands again under "
				   "new keys",
				   "the newest is of event %" PRId64 ", but the journal ends at %" PRId64, last,
				   health->last_seq);
		else
			doctor_say(d, DOCTOR_OK, "receipts", NULL, NULL,
				   "%zu in %s, up to event %" PRId64
				   "; calloff audit verify --receipts checks every hash",
				   r.count, path, last);
	}
	fclose(in);
	receipts_fini(&r);
}
