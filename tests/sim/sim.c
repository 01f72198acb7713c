/* sim.c — the deterministic simulator's command line: see README.md.
 *
 *	sim SEED [COUNT]       COUNT seeds from SEED; --commands=N instead: as many as it takes to simulate N commands
 *	    [--each=COMMANDS] [--clients=N] [--steps=N] [--no-TROUBLE...] [--verbose] [--hash] [--coverage] [--no-shrink]
 *
 * Exit 0: no violation. 1: a violation, with its seed, trace and shrunk case. 64: usage.
 */
#include "agenda.h"
#include "run.h"
#include "shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRACE_SHOWN = 60, COVERAGE_SEEDS = 1000 };

static struct {
	int64_t seeds, commands, events, batches, take_overs, ambiguous, loads, edits, retries, placements, looked_up, again;
	int64_t errors[64];
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
	sum.again += r->clients.again;
	for (int e = 0; e < 64; e++)
		sum.errors[e] += r->clients.errors[e];
}

/* Any violation ends the run, so the promises' own counts can only be 0 here. */
static void print_sum(uint64_t hash, int violations, double seconds)
{
	printf("seeds %lld, commands %lld, in the journal %lld, batches %lld, take-overs %lld, ambiguous %lld, retries %lld, "
	       "edits %lld, loads checked %lld, placements %lld, keys looked up %lld, lost 0, doubled 0, over-allocated 0, "
	       "violations %d, hash %016llx, %.0f s\n",
	       (long long)sum.seeds, (long long)sum.commands, (long long)sum.events, (long long)sum.batches,
	       (long long)sum.take_overs, (long long)sum.ambiguous, (long long)sum.retries, (long long)sum.edits,
	       (long long)sum.loads, (long long)sum.placements, (long long)sum.looked_up, violations,
	       (unsigned long long)hash, seconds);
}

/* A simulator that meets no trouble proves nothing: over many seeds everything must have come up. */
static int check_coverage(bool print)
{
	static const enum err answers[] = {ERR_KEY_TOO_OLD, ERR_KEY_IN_FUTURE, ERR_KEY_REUSED, ERR_STORE_AWAY, ERR_DEPOSED,
					   ERR_QUARANTINED};
	int missing = 0;

	for (int what = 0; what < TRACE_COUNT; what++) {
		if (print)
			printf("%-12s %lld\n", trace_name((enum trace_what)what), (long long)trace_count((enum trace_what)what));
		if (trace_count((enum trace_what)what) == 0 && sum.seeds >= COVERAGE_SEEDS)
			missing += printf("never happened: %s\n", trace_name((enum trace_what)what));
	}
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (print)
			printf("told %-24s %lld\n", err_name(answers[i]), (long long)sum.errors[answers[i]]);
		if (sum.errors[answers[i]] == 0 && sum.seeds >= COVERAGE_SEEDS)
			missing += printf("nobody was told: %s\n", err_name(answers[i]));
	}
	if (print)
		printf("told the same again          %lld\n", (long long)sum.again);
	return missing != 0;
}

static int tell_violation(const struct settings *s, const struct result *r, bool shrink)
{
	trace_print(TRACE_SHOWN);
	printf("\nseed %llu: violated: %s\n  %s\n  step %lld, hash %016llx\n", (unsigned long long)s->seed,
	       invariant_text(r->invariant), r->text,
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
	bool shrink = true, hashes = false, coverage = false, all_trouble = true;
	int numbers = 0, missing;
	uint64_t hash = 0;
	double start = seconds_now();
	static struct result r;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (settings_read(&s, word)) {
			all_trouble = false;
			continue;
		}
		if (strncmp(word, "--commands=", 11) == 0)
			commands = atoll(word + 11);
		else if (strcmp(word, "--no-shrink") == 0)
			shrink = false;
		else if (strcmp(word, "--coverage") == 0)
			coverage = true;
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
	missing = all_trouble || coverage ? check_coverage(coverage) : 0;
	print_sum(hash, 0, seconds_now() - start);
	agenda_end();
	return missing;
}
