#include "shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRY_SECONDS = 20, TRIES_MAX = 300 };

static const char *const flags[TROUBLE_COUNT] = {
#define X(name, flag, text) flag,
	TROUBLE_MAP(X)
#undef X
};

bool settings_read(struct settings *s, const char *word)
{
	if (strncmp(word, "--each=", 7) == 0)
		s->commands = atoi(word + 7);
	else if (strncmp(word, "--clients=", 10) == 0)
		s->clients = atoi(word + 10);
	else if (strncmp(word, "--steps=", 8) == 0)
		s->steps = atoll(word + 8);
	else if (strcmp(word, "--verbose") == 0)
		s->verbose = true;
	else if (strncmp(word, "--no-", 5) == 0) {
		for (int t = 0; t < TROUBLE_COUNT; t++) {
			if (strcmp(word + 5, flags[t]) == 0) {
				s->off[t] = true;
				return true;
			}
		}
		return false;
	} else {
		return false;
	}
	if (s->commands > COMMANDS_MAX)
		s->commands = COMMANDS_MAX;
	if (s->clients > CLIENTS_MAX)
		s->clients = CLIENTS_MAX;
	return true;
}

/* Does it still break the same? Steps it took, or 0. */
static int64_t still_breaks(const struct settings *s, enum invariant invariant)
{
	static struct result r;
	int pipe_ends[2], status;
	int64_t steps = 0;
	pid_t child;

	if (pipe(pipe_ends) != 0)
		return 0;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		alarm(TRY_SECONDS);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		run_once(s, &r);
		if (r.violated && r.invariant == invariant && write(pipe_ends[1], &r.steps, sizeof r.steps) < 0)
			_exit(2);
		_exit(0);
	}
	close(pipe_ends[1]);
	if (read(pipe_ends[0], &steps, sizeof steps) != sizeof steps)
		steps = 0;
	close(pipe_ends[0]);
	if (child > 0)
		waitpid(child, &status, 0);
	return steps;
}

static void print_line(const struct settings *s)
{
	printf("sim %llu", (unsigned long long)s->seed);
	if (s->clients > 0)
		printf(" --clients=%d", s->clients);
	if (s->commands > 0)
		printf(" --each=%d", s->commands);
	for (int t = 0; t < TROUBLE_COUNT; t++) {
		if (s->off[t])
			printf(" --no-%s", flags[t]);
	}
	if (s->steps > 0)
		printf(" --steps=%lld", (long long)s->steps);
	printf("\n");
}

static bool try_it(struct settings *best, const struct settings *s, enum invariant invariant, int64_t *steps, int *tries)
{
	int64_t took;

	if (++*tries > TRIES_MAX)
		return false;
	took = still_breaks(s, invariant);
	if (took == 0)
		return false;
	*best = *s;
	*steps = took;
	return true;
}

/* Takes a part away; 0, drawn, is at most that many. false: there is nothing to take. */
static bool lessen(int *number, int drawn, int part)
{
	int was = *number > 0 ? *number : drawn;

	*number = was - was / part;
	return *number < was;
}

/* One round over everything that can be less; true when something was. */
static bool shrink_once(struct settings *best, enum invariant invariant, int64_t *steps, int *tries)
{
	static const int halves[] = {2, 4, 8};
	bool less = false;
	struct settings s;

	for (int t = 0; t < TROUBLE_COUNT; t++) {
		s = *best;
		s.off[t] = true;
		less |= !best->off[t] && try_it(best, &s, invariant, steps, tries);
	}
	for (int i = 0; i < 3; i++) {
		s = *best;
		if (lessen(&s.commands, 240, halves[i]))
			less |= try_it(best, &s, invariant, steps, tries);
		s = *best;
		if (lessen(&s.clients, CLIENTS_MAX, halves[i]))
			less |= try_it(best, &s, invariant, steps, tries);
	}
	return less;
}

void shrink_and_print(const struct settings *s, const struct result *r)
{
	struct settings best = *s;
	int64_t steps = r->steps;
	int tries = 0;

	best.verbose = false;
	while (tries < TRIES_MAX && shrink_once(&best, r->invariant, &steps, &tries))
		;
	/* the seeds next to it may be shorter stories of the same */
	for (uint64_t seed = s->seed + 1; seed < s->seed + 40 && tries < TRIES_MAX; seed++) {
		struct settings other = best;
		int64_t took;

		other.seed = seed;
		tries++;
		took = still_breaks(&other, r->invariant);
		if (took > 0 && took < steps) {
			best = other;
			steps = took;
		}
	}
	best.steps = steps + 1;
	printf("shrunk, in %d tries, to %lld steps:\n  ", tries, (long long)steps);
	print_line(&best);
}
