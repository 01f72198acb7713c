#include "health_text.h"

#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Why an engine had to load, by the error table's name. */
static const struct {
	const char *reason, *why;
} health_causes[] = {
	{"", "it has just started; an engine serves from memory, which is filled from PostgreSQL first"},
	{"STORE_STALE", "the framework in the database was edited, a settings reload was asked for (SIGHUP), or a "
			"batch fell behind"},
	{"STORE",
	 "the connection to PostgreSQL was lost; batches under way are settled by the take-over, not guessed"},
	{"STORE_AWAY", "PostgreSQL could not take a batch (no room, shutting down, too many connections)"},
	{"STORE_REFUSED",
	 "ALARM: PostgreSQL refused a batch, which is a fault of the engine; the commands run again one by one"},
};

static const char *health_cause(const char *reason)
{
	for (size_t i = 0; i < sizeof health_causes / sizeof health_causes[0]; i++) {
		if (strcmp(health_causes[i].reason, reason) == 0)
			return health_causes[i].why;
	}
	return reason;
}

static void health_ready(struct health_text *t, const Calloff__V1__GetHealthResponse *h)
{
	t->serves = true;
	snprintf(t->now, sizeof t->now,
		 "It serves: commands are decided and committed, reads are answered. Connections: %u.",
		 h->connections);
	if (h->last_commit_age_us > HEALTH_LEASE_US) {
		t->serves = false;
		snprintf(t->now, sizeof t->now,
			 "It holds the shard, but PostgreSQL has not answered for %s: reads are refused.",
			 format_duration(h->last_commit_age_us).s);
		snprintf(t->why, sizeof t->why,
			 "A commit or heartbeat waits: for the disk, for a lock, or for a synchronous standby that "
			 "is gone.");
		snprintf(t->next, sizeof t->next,
			 "It goes on by itself when PostgreSQL answers. Nothing acknowledged is lost; nothing is "
			 "acknowledged meanwhile.");
	} else if (h->framework_version_live != h->framework_version && h->framework_version_live != 0) {
		snprintf(t->why, sizeof t->why,
			 "The framework was edited: version %" PRId64 " decides, %" PRId64 " is in the database.",
			 h->framework_version, h->framework_version_live);
		snprintf(t->next, sizeof t->next,
			 "It loads the new version now; commands sent meanwhile wait for it.");
	} else {
		snprintf(t->why, sizeof t->why, "It loaded last because %s.",
			 h->reason[0] != '\0' ? health_cause(h->reason) : "it was started");
		snprintf(t->next, sizeof t->next,
			 "Nothing to do: it commits as commands come, and asks the database four times a second "
			 "whether it still reigns.");
	}
}

static void health_store_away(struct health_text *t, const Calloff__V1__GetHealthResponse *h)
{
	bool rows = strcmp(h->reason, "BAD_ROW") == 0;

	snprintf(t->now, sizeof t->now, "It cannot load, and tries again every 2 seconds.");
	snprintf(t->why, sizeof t->why, "%s: %.400s.",
		 rows                                     ? "The database answers, but a row of it cannot be used"
		 : strcmp(h->reason, "STORE_UNSAFE") == 0 ? "The database is not one to trust acknowledgements to"
							  : "PostgreSQL cannot be reached",
		 h->note[0] != '\0' ? h->note : "nothing more is known");
	snprintf(t->next, sizeof t->next,
		 "It serves at the first try after %s; no restart is needed. Commands are refused until then,"
		 " to be sent again with the same key.",
		 rows ? "that row is mended" : "the database is back");
}

static void health_standby(struct health_text *t, const Calloff__V1__GetHealthResponse *h)
{
	bool reign = h->active_engine[0] != '\0', blind = h->last_commit_age_us > HEALTH_LEASE_US;

	t->follows = reign && !blind && h->note[0] == '\0';
	if (!reign)
		snprintf(t->now, sizeof t->now, "It stands by, but nobody has the shard.");
	else if (blind)
		snprintf(t->now, sizeof t->now, "It stands by, but does not see whether %.80s still has the shard.",
			 h->active_engine);
	else
		snprintf(t->now, sizeof t->now, "It stands by: %.80s has the shard, this one follows its journal.",
			 h->active_engine);
	if (h->note[0] != '\0')
		snprintf(t->why, sizeof t->why,
			 "One engine at a time may commit to a shard. It cannot look just now: %.400s.", h->note);
	else if (blind)
		snprintf(t->why, sizeof t->why, "PostgreSQL has not answered it for %s.",
			 format_duration(h->last_commit_age_us).s);
	else
		snprintf(t->why, sizeof t->why, "One engine at a time may commit to a shard.");
	snprintf(t->next, sizeof t->next,
		 "It takes over at once when that one hands over, and after some 1.5 s when that one falls silent. Clients "
		 "are sent to %.120s.",
		 h->active_endpoint[0] != '\0' ? h->active_endpoint : "the next in their list");
}

void health_explain(struct health_text *t, const Calloff__V1__GetHealthResponse *h)
{
	memset(t, 0, sizeof *t);
	if (strcmp(h->state, "ready") == 0) {
		health_ready(t, h);
	} else if (strcmp(h->state, "loading") == 0) {
		snprintf(t->now, sizeof t->now, "It loads the shard from PostgreSQL; %u commands wait for it.",
			 h->waiting);
		snprintf(t->why, sizeof t->why, "It does so because %s.", health_cause(h->reason));
		snprintf(
			t->next, sizeof t->next,
			"It serves as soon as that is done, a second or two for a county; waiting commands first.");
	} else if (strcmp(h->state, "store_away") == 0) {
		health_store_away(t, h);
	} else if (strcmp(h->state, "standby") == 0) {
		health_standby(t, h);
	} else if (strcmp(h->state, "draining") == 0) {
		snprintf(t->now, sizeof t->now, "It is stopping: nothing new is taken in.");
		if (h->note[0] != '\0')
			snprintf(t->why, sizeof t->why, "It cannot go on: %.400s.", h->note);
		else
			snprintf(t->why, sizeof t->why, "It was told to (SIGTERM).");
		snprintf(t->next, sizeof t->next, "It ends when what it had taken in is answered.");
	} else {
		snprintf(t->now, sizeof t->now, "It says %.60s, a state that this client does not know.", h->state);
		snprintf(t->why, sizeof t->why, "The engine is newer than this client.");
		snprintf(t->next, sizeof t->next, "Update the client.");
	}
}
