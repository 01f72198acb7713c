/* sim.c — the deterministic simulator's command line: see README.md.
 *
 *	sim SEED [COUNT]       COUNT seeds from SEED; --commands=N instead: as many as it takes to simulate N commands
 *	    [--each=COMMANDS] [--clients=N] [--steps=N] [--no-TROUBLE...] [--verbose] [--hash] [--no-shrink]
 *
 * Exit 0: no violation. 1: a violation, with its seed, trace and shrunk case. 64: usage.
 */
#include "agenda.h"
#include "run.h"
#include "shrink.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRACE_SHOWN = 60 };

static struct {
	int64_t seeds, commands, events, batches, take_overs, ambiguous, loads, edits, retries, placements, looked_up;
} sum;

static void add_up(const struct result *r)
{
	sum.seeds++;
	sum.commands += r->clients.commands;
	sum.events += r->judge.events;
	sum.batches += r->judge.batches;
	sum.take_overs += r->judge.take_overs;
	sum.ambiguous += r->engines.ambiguous;
	sum.loads += r->judge.loads;
	sum.edits += r->judge.edits;
	sum.retries += r->clients.retries;
	sum.placements += r->judge.placements;
	sum.looked_up += r->engines.looked_up;
}

/* Any violation ends the run, so the promises' own counts can only be 0 here. */
static void print_sum(uint64_t hash, int violations, double seconds)
{
	printf("seeds %lld, commands %lld, in the journal %lld, batches %lld, take-overs %lld, ambiguous %lld, retries %lld, "
	       "edits %lld, loads checked %lld, placements %lld, keys looked up %lld, lost 0, doubled 0, over-allocated 0, "
	       "violations %d, hash %016llx, %.0f s\n",
	       (long long)sum.seeds, (long long)sum.commands, (long long)sum.events, (long long)sum.batches,
	       (long long)sum.take_overs, (long long)sum.ambiguous, (long long)sum.retries, (long long)sum.edits,
	       (long long)sum.loads, (long long)sum.placements, (long long)sum.looked_up, violations, (unsigned long long)hash, seconds);
}

static int tell_violation(const struct settings *s, const struct result *r, bool shrink)
{
	trace_print(TRACE_SHOWN);
	printf("\nseed %llu: violated: %s\n  %s\n  step %lld, hash %016llx\n", (unsigned long long)s->seed, r->invariant, r->text,
	       (long long)r->steps, (unsigned long long)r->hash);
	fflush(stdout);
	if (shrink)
		shrink_and_print(s, r);
	return 1;
}

static int usage(const char *what)
{
	fprintf(stderr, "sim: %s; see tests/sim/README.md: sim SEED [COUNT] [--commands=N] [--no-crash ...]\n", what);
	return 64;
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct settings s = {.seed = 1};
	int64_t count = 1, commands = 0;
	bool shrink = true, hashes = false;
	int numbers = 0;
	uint64_t hash = 0;
	double start = seconds_now();
	static struct result r;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (settings_read(&s, word))
			continue;
		if (strncmp(word, "--commands=", 11) == 0)
			commands = atoll(word + 11);
		else if (strcmp(word, "--no-shrink") == 0)
			shrink = false;
		else if (strcmp(word, "--hash") == 0)
			hashes = true;
		else if (word[0] == '-')
			return usage(word);
		else if (numbers++ == 0)
			s.seed = strtoull(word, NULL, 10);
		else
			count = atoll(word);
	}
	for (int64_t n = 0; commands > 0 ? sum.commands < commands : n < count; n++, s.seed++) {
		run_once(&s, &r);
		if (r.violated)
			return tell_violation(&s, &r, shrink);
		if (hashes)
			printf("%llu %016llx\n", (unsigned long long)s.seed, (unsigned long long)r.hash);
		add_up(&r);
		hash = hash * 31 + r.hash;
	}
	print_sum(hash, 0, seconds_now() - start);
	agenda_end();
	return 0;
}
