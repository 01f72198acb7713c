/* client.c — calloff-crash-client: the load of the crash and history tests, and its history.
 *
 * SIGTERM ends the load: what is unanswered is sent until it is acknowledged, then a part is sent once more and must be
 * answered alike, then the engine's counters are asked for, and the history is written (tests/history/README.md):
 *	call  client key kind invoked_ns returned_ns sent replies request reply
 *	lost  key at_ns
 *	stat  name value
 */
#include "client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct load load = {
	.sectors = "sql/demo/real/sector_weights.csv", .workers = 4, .depth = 64, .seed = 1, .open_max = OPEN_MAX};

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void violation(const struct command *c, const char *rule, const char *detail)
{
	char key[37] = "-";

	if (c != NULL)
		calloff_key_format(c->key, key);
	fprintf(stderr, "VIOLATION: %s: key %s, sent %d, acknowledged %d: %s\n", rule, key,
		c != NULL ? c->sent : 0, c != NULL ? c->acknowledged : 0, detail);
	_exit(1);
}

static void fail(const char *what)
{
	perror(what);
	exit(70);
}

static void put_hex(FILE *f, const struct bytes *b)
{
	static const char digits[] = "0123456789abcdef";

	fputc('\t', f);
	for (uint32_t i = 0; i < b->len; i++) {
		fputc(digits[b->at[i] >> 4], f);
		fputc(digits[b->at[i] & 15], f);
	}
}

/* What nobody was told has - for when and what; a read has - for its key. */
static void write_call(FILE *f, const struct worker *w, const struct command *c)
{
	static const char *const kinds[] = {"submit", "confirm", "withdraw", "end", "declare", "get_package", "get_counts"};
	char key[37] = "-";

	if (!command_only_reads(c))
		calloff_key_format(c->key, key);
	fprintf(f, "call\t%u\t%s\t%s\t%lld\t", w->number, key, kinds[c->kind], (long long)c->first_sent_ns);
	if (c->acknowledged > 0)
		fprintf(f, "%lld", (long long)c->first_reply_ns);
	else
		fputc('-', f);
	fprintf(f, "\t%d\t%d", c->sent, c->acknowledged);
	put_hex(f, &c->request);
	if (c->acknowledged > 0)
		put_hex(f, &c->first_reply);
	else
		fputs("\t-", f);
	fputc('\n', f);
}

static void write_stats(FILE *f)
{
	struct calloff_options options = {.socket_path = load.socket_path};
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetStatsRequest m = CALLOFF__V1__GET_STATS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	struct calloff_client *client;
	struct calloff_error error;

	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_STATS_REQUEST;
	e.get_stats_request = &m;
	if (calloff_open(&options, &client, &error) != CALLOFF_OK ||
	    calloff_call(client, &e, &reply, &error) != CALLOFF_OK)
		violation(NULL, "the engine tells its counters", error.what);
	for (size_t i = 0; i < reply->get_stats_response->n_counters; i++)
		fprintf(f, "stat\t%s\t%lld\n", reply->get_stats_response->counters[i]->name,
			(long long)reply->get_stats_response->counters[i]->value);
	calloff_close(client);
}

static void write_history(const struct worker *workers)
{
	FILE *f = fopen(load.history_path, "w");
	uint64_t repeated = 0, otherwise = 0;

	if (f == NULL)
		fail(load.history_path);
	for (uint32_t n = 0; n < load.workers; n++) {
		const struct worker *w = &workers[n];

		repeated += w->repeated;
		otherwise += w->answered_otherwise;
		for (uint32_t i = 0; i < w->command_count; i++)
			if (w->commands[i].acknowledged > 0 || !command_only_reads(&w->commands[i]))
				write_call(f, w, &w->commands[i]);
		for (uint32_t i = 0; i < w->loss_count; i++) {
			char key[37];

			calloff_key_format(w->commands[w->losses[i].command].key, key);
			fprintf(f, "lost\t%s\t%lld\n", key, (long long)w->losses[i].at_ns);
		}
		for (uint32_t i = 0; i < REASONS_MAX; i++) {
			if (w->reasons[i].count > 0)
				fprintf(f, "stat\tclient_%u_told_%s\t%llu\n", n, w->reasons[i].name,
					(unsigned long long)w->reasons[i].count);
		}
	}
	fprintf(f, "stat\tclient_repeats\t%llu\nstat\tclient_answered_otherwise\t%llu\n",
		(unsigned long long)repeated, (unsigned long long)otherwise);
	write_stats(f);
	if (fclose(f) != 0)
		fail(load.history_path);
}

/* code, then 56 single and 56 paired units, separated by blanks. */
static void read_pools(void)
{
	FILE *f = fopen(load.pools_path, "r");

	if (f == NULL)
		fail(load.pools_path);
	while (load.pool_count < POOLS_KEPT &&
	       fscanf(f, "%32s", load.pools[load.pool_count].code) == 1) {
		for (int i = 0; i < CELLS_OF_POOL; i++) {
			if (fscanf(f, "%hu", &load.pools[load.pool_count].units[i]) != 1)
				fail("a pool's units");
		}
		load.pool_count++;
	}
	fclose(f);
}

static void open_progress(void)
{
	FILE *f = fopen(load.progress_path, "w+");

	if (f == NULL || ftruncate(fileno(f), 4096) != 0)
		fail(load.progress_path);
	load.acknowledged = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	if (load.acknowledged == MAP_FAILED)
		fail("mmap");
	fclose(f);
}

static void open_worker(struct worker *w, uint32_t number)
{
	struct timespec now;
	char prefix[16];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(prefix, sizeof prefix, "CRASH%u", number);
	w->number = number;
	w->commands = calloc(COMMANDS_MAX, sizeof *w->commands);
	w->losses = calloc(LOSSES_MAX, sizeof *w->losses);
	w->line = calloc(COMMANDS_MAX, sizeof *w->line);
	if (w->commands == NULL || w->losses == NULL || w->line == NULL)
		fail("memory");
	if (!generator_open(&w->generator, load.sectors, load.seed * 1000 + number,
			    (int64_t)now.tv_sec * 1000000, prefix))
		fail(load.sectors);
}

static void close_worker(struct worker *w)
{
	for (uint32_t i = 0; i < w->command_count; i++) {
		free(w->commands[i].request.at);
		free(w->commands[i].first_reply.at);
	}
	calloff_close(w->client);
	free(w->partner.at);
	free(w->commands);
	free(w->losses);
	free(w->line);
}

static bool flag_text(const char *flag, const char *value)
{
	const struct {
		const char *flag, **to;
	} texts[] = {{"--socket", &load.socket_path},
		     {"--sectors", &load.sectors},
		     {"--pools", &load.pools_path},
		     {"--history", &load.history_path},
		     {"--progress", &load.progress_path}};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (strcmp(flag, texts[i].flag) == 0) {
			*texts[i].to = value;
			return true;
		}
	}
	return false;
}

static bool flag_number(const char *flag, const char *value)
{
	const struct {
		const char *flag;
		uint32_t *to, least, most;
	} numbers[] = {{"--workers", &load.workers, 1, 64},
		       {"--depth", &load.depth, 2, 1024},
		       {"--abandon", &load.abandon, 0, 1000000},
		       {"--rate", &load.rate, 0, 10000000},
		       {"--open", &load.open_max, 1, OPEN_MAX},
		       {"--tidy", &load.tidy, 0, 1}};

	if (strcmp(flag, "--seed") == 0) {
		load.seed = strtoull(value, NULL, 10);
		return true;
	}
	if (strcmp(flag, "--may-forget") == 0) {
		load.may_forget = strcmp(value, "yes") == 0;
		return true;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (strcmp(flag, numbers[i].flag) == 0) {
			*numbers[i].to = (uint32_t)strtoul(value, NULL, 10);
			return *numbers[i].to >= numbers[i].least && *numbers[i].to <= numbers[i].most;
		}
	}
	return false;
}

static void split_sockets(void)
{
	char *rest = strdup(load.socket_path), *one;

	while (load.socket_count < SOCKETS_MAX && (one = strsep(&rest, ",")) != NULL)
		load.sockets[load.socket_count++] = one;
}

static void flags(int argc, char **argv)
{
	bool well = argc % 2 == 1;

	for (int i = 1; i + 1 < argc && well; i += 2)
		well = flag_text(argv[i], argv[i + 1]) || flag_number(argv[i], argv[i + 1]);
	if (!well || load.socket_path == NULL || load.pools_path == NULL || load.history_path == NULL ||
	    load.progress_path == NULL) {
		fprintf(stderr,
			"usage: calloff-crash-client --socket PATH[,PATH...] --pools FILE --history FILE --progress FILE\n"
			"  [--sectors FILE] [--workers 1..64] [--depth 2..1024] [--seed N] [--may-forget yes]\n"
			"  [--abandon N] one in N lost commands is never sent again\n"
			"  [--rate N] new commands a second [--open N] packages a worker leaves open [--tidy 1] none at the end\n");
		exit(64);
	}
	split_sockets();
}

int main(int argc, char **argv)
{
	struct worker *workers;
	sigset_t stop;
	int number;

	flags(argc, argv);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	read_pools();
	open_progress();
	workers = calloc(load.workers, sizeof *workers);
	if (workers == NULL)
		fail("memory");
	for (uint32_t i = 0; i < load.workers; i++)
		open_worker(&workers[i], i);
	for (uint32_t i = 0; i < load.workers; i++) {
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0)
			fail("thread");
	}
	sigwait(&stop, &number);
	atomic_store(&load.stopping, 1);
	for (uint32_t i = 0; i < load.workers; i++)
		pthread_join(workers[i].thread, NULL);
	write_history(workers);
	for (uint32_t i = 0; i < load.workers; i++)
		close_worker(&workers[i]);
	free(workers);
	return 0;
}
