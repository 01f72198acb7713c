/* client.c — calloff-crash-client: the load of the crash test and its history.
 *
 * SIGTERM ends the load: what is unanswered is sent until it is acknowledged, then a part is sent
 * once more and must be answered alike, then the engine's counters are asked for, and the history
 * is written, a line each: ack key kind sent_ns acknowledged_ns acknowledgements seq leaf row_hash
 * refusal package state target | aside key | lost key at_ns | reply reason count | stat name value
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
	.sectors = "sql/demo/real/sector_weights.csv", .workers = 4, .depth = 64, .seed = 1};

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

static void put_hex(FILE *f, const ProtobufCBinaryData *b)
{
	fputc('\t', f);
	for (size_t i = 0; i < b->len; i++)
		fprintf(f, "%02x", b->data[i]);
}

static const Calloff__V1__Outcome *outcome_of(const Calloff__V1__Envelope *e,
					      const Calloff__V1__Receipt **ret_receipt)
{
	switch ((int)e->body_case) {
	case CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE:
		*ret_receipt = e->submit_package_response->receipt;
		return e->submit_package_response->outcome;
	case CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_RESPONSE:
		*ret_receipt = e->confirm_package_response->receipt;
		return e->confirm_package_response->outcome;
	case CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_RESPONSE:
		*ret_receipt = e->withdraw_package_response->receipt;
		return e->withdraw_package_response->outcome;
	case CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_RESPONSE:
		*ret_receipt = e->end_package_response->receipt;
		return e->end_package_response->outcome;
	case CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_RESPONSE:
		*ret_receipt = e->declare_capacity_response->receipt;
		return NULL;
	default:
		*ret_receipt = e->status->receipt;
		return NULL;
	}
}

/* The number of the package that a request names, as text. */
static void put_target(FILE *f, const struct command *c)
{
	Calloff__V1__Envelope *e =
		calloff__v1__envelope__unpack(NULL, c->request.len, c->request.at);
	const char *target = "P-0";

	if (e->body_case == CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST)
		target = e->confirm_package_request->package;
	else if (e->body_case == CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST)
		target = e->withdraw_package_request->package;
	else if (e->body_case == CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST)
		target = e->end_package_request->package;
	fprintf(f, "\t%s\n", target + 2);
	calloff__v1__envelope__free_unpacked(e, NULL);
}

static void write_command(FILE *f, const struct command *c)
{
	static const char *const kinds[] = {"submit", "confirm", "withdraw", "end", "declare"};
	Calloff__V1__Envelope *e = c->aside ? NULL : calloff__v1__envelope__unpack(NULL, c->first_reply.len, c->first_reply.at);
	const Calloff__V1__Receipt *r = NULL;
	const Calloff__V1__Outcome *o;
	char key[37];

	calloff_key_format(c->key, key);
	if (e == NULL) {
		fprintf(f, "aside\t%s\n", key);
		return;
	}
	o = outcome_of(e, &r);
	fprintf(f, "ack\t%s\t%s\t%lld\t%lld\t%d\t%lld", key, kinds[c->kind],
		(long long)c->first_sent_ns, (long long)c->first_reply_ns, c->acknowledged,
		(long long)r->seq);
	put_hex(f, &r->leaf);
	put_hex(f, &r->row_hash);
	fprintf(f, "\t%u\t%s\t%d",
		e->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS ? e->status->number : 0,
		o != NULL && o->package[0] == 'P' ? o->package + 2 : "0",
		o != NULL ? (int)o->state : 0);
	put_target(f, c);
	calloff__v1__envelope__free_unpacked(e, NULL);
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
			write_command(f, &w->commands[i]);
		for (uint32_t i = 0; i < w->loss_count; i++) {
			char key[37];

			calloff_key_format(w->commands[w->losses[i].command].key, key);
			fprintf(f, "lost\t%s\t%lld\n", key, (long long)w->losses[i].at_ns);
		}
		for (uint32_t i = 0; i < REASONS_MAX; i++) {
			if (w->reasons[i].count > 0)
				fprintf(f, "reply\t%s\t%llu\n", w->reasons[i].name,
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
	w->started_ns = now_ns();
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

static void flags(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *f = argv[i], *v = argv[i + 1];

		if (strcmp(f, "--socket") == 0)
			load.socket_path = v;
		else if (strcmp(f, "--sectors") == 0)
			load.sectors = v;
		else if (strcmp(f, "--pools") == 0)
			load.pools_path = v;
		else if (strcmp(f, "--history") == 0)
			load.history_path = v;
		else if (strcmp(f, "--progress") == 0)
			load.progress_path = v;
		else if (strcmp(f, "--workers") == 0)
			load.workers = (uint32_t)atoi(v);
		else if (strcmp(f, "--depth") == 0)
			load.depth = (uint32_t)atoi(v);
		else if (strcmp(f, "--may-forget") == 0)
			load.may_forget = strcmp(v, "yes") == 0;
		else if (strcmp(f, "--seed") == 0)
			load.seed = strtoull(v, NULL, 10);
		else if (strcmp(f, "--rate") == 0)
			load.rate = (uint32_t)atoi(v);
		else if (strcmp(f, "--expect") == 0)
			load.expect = v;
		else
			argc = 0;
	}
	if (argc % 2 == 0 || load.socket_path == NULL || load.pools_path == NULL ||
	    load.history_path == NULL || load.progress_path == NULL || load.workers < 1 ||
	    load.workers > 64 || load.depth < 2 || load.depth > 1024) {
		fprintf(stderr,
			"usage: calloff-crash-client --socket PATH --pools FILE --history FILE "
			"--progress FILE\n"
			"  [--sectors FILE] [--workers 1..64] [--depth 2..1024] [--seed N] "
			"[--may-forget yes]\n"
			"  [--rate COMMANDS-A-SECOND] [--expect ,REASON,REASON,]\n");
		exit(64);
	}
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
