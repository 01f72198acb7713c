/* replay.c — does loading a database give the state that its journal leads to?
 *
 * failover-replay BASE RESTORED   BASE: connection string of the database as it was before the journal of RESTORED began
 *
 * Decides every event of RESTORED's journal again, from BASE's state on: each record must come out byte for byte, and the
 * state hash at the end must be that of loading RESTORED. Takes both shards over, so they must be copies.
 */
#include "base/mem.h"
#include "core/record.h"
#include "store/open.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "failover-replay: %s: %s\n", what, why);
	exit(1);
}

static struct core *load(struct opening *o, const char *dsn)
{
	enum err e;

	*o = (struct opening){.dsn = dsn, .shard = 1, .keys_max = 1000, .write_count = 1,
			      .limits = {.packages_max = 400000, .placements_max = 400000, .blocks_max = 200000}};
	e = store_open(o);
	if (e != ERR_OK)
		fail(err_name((int)e), o->note);
	return o->core;
}

static PGresult *read_journal(const struct opening *o, int64_t after_seq)
{
	char sql[200];
	PGresult *r;

	snprintf(sql, sizeof sql, "SELECT record FROM calloff.read_journal, unnest(records) WITH ORDINALITY AS t(record, i) "
				  "WHERE shard = 1 AND first_seq > %" PRId64 " ORDER BY first_seq, i", after_seq);
	r = PQexecParams(o->read, sql, 0, NULL, NULL, NULL, NULL, 1);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		fail("the journal cannot be read", PQerrorMessage(o->read));
	return r;
}

static void decide_again(struct core *core, const uint8_t *record, size_t len)
{
	static struct event event;
	static struct update told, update;
	static uint8_t again[RECORD_BYTES_MAX];
	struct stamp stamp;
	char seq[32];

	if (record_decode(record, len, &event, &told, &stamp) != ERR_OK)
		fail("a record cannot be decoded", "");
	core_step(core, &event, &update);
	snprintf(seq, sizeof seq, "seq %" PRId64, event.seq);
	if (record_encode(&event, &update, &stamp, again, sizeof again) != len || memcmp(again, record, len) != 0)
		fail("decided otherwise than the journal says", seq);
}

int main(int argc, char **argv)
{
	struct opening base, restored;
	struct core *replayed, *loaded;
	PGresult *journal;
	uint64_t hash;

	if (argc != 3)
		fail("usage", "failover-replay BASE RESTORED");
	replayed = load(&base, argv[1]);
	loaded = load(&restored, argv[2]);
	hash = core_state_hash(loaded);
	journal = read_journal(&restored, base.fence.last_seq);
	for (int i = 0; i < PQntuples(journal); i++)
		decide_again(replayed, (const uint8_t *)PQgetvalue(journal, i, 0), (size_t)PQgetlength(journal, i, 0));
	if (core_state_hash(replayed) != hash)
		fail("loading and replaying lead to different states", "");
	if (core_state_hash(loaded) != hash || PQntuples(journal) != restored.fence.last_seq - base.fence.last_seq)
		fail("the journal holds every event since the base", "it does not");
	printf("%d events decided again byte for byte, state %016" PRIx64 "\n", PQntuples(journal), hash);
	PQclear(journal);
	store_open_free(&base);
	store_open_free(&restored);
	return 0;
}
