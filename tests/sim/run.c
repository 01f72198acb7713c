#include "run.h"

#include "agenda.h"
#include "dice.h"
#include "load.h"
#include "nemesis.h"
#include "weather.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

enum { TROUBLE_SECONDS_MAX = 60, HEALING_SECONDS_MAX = 120 };

static sigjmp_buf way_out;
static struct result *running;

_Noreturn void run_leave(enum invariant invariant, const char *text)
{
	running->violated = true;
	running->invariant = invariant;
	snprintf(running->text, sizeof running->text, "%s", text);
	siglongjmp(way_out, 1);
}

/* REQUIRE and INSIST end a real engine by abort: here that is a violation like any other. */
static void run_on_abort(int number)
{
	(void)number;
	run_leave(NO_ABORT, "see the assertion on stderr");
}

/* For batch.c, by the linker: the only randomness of an engine is the run's. */
void __wrap_digest_salts(uint8_t *ret, size_t count);
void __wrap_digest_salts(uint8_t *ret, size_t count)
{
	for (size_t at = 0; at < count * SALT_BYTES; at += 8) {
		unsigned long long bits = market_random_next(&dice[DICE_SALT]);

		for (size_t i = 0; i < 8; i++)
			ret[at + i] = (uint8_t)(bits >> 8 * i);
	}
}

static const struct postgres_ops postgres_ops = {
	.on_answer = engine_on_answer, .on_lost = engine_on_lost, .on_edited = engine_on_edited,
	.on_durable = judge_on_durable, .on_state_read = judge_on_state_read};

static void on_alarm(int engine, const char *what, const struct op *op)
{
	(void)op;
	if (strcmp(what, "journal_broken") == 0 && postgres_lost() > 0)
		return; /* it had followed what no standby had yet: it must say so, and reload */
	if (clients_poison() == NULL)
		sim_violation(NO_ALARM, "engine %d: %s", engine, what);
}

static const struct engine_ops engine_ops = {.on_reply = clients_on_reply, .on_alarm = on_alarm, .on_followed = judge_on_followed};

static void run_begin(const struct settings *s)
{
	static struct model_market market;
	int clients, commands;

	dice_begin(s->seed);
	market_generate(&dice[DICE_MARKET], &market);
	agenda_begin(market.now_seconds * SECOND_US);
	trace_begin(s->verbose);
	clients = (int)dice_between(DICE_CLIENT, 5, CLIENTS_MAX);
	commands = (int)dice_between(DICE_CLIENT, 60, 240);
	clients = s->clients > 0 ? s->clients : clients;
	commands = s->commands > 0 ? s->commands : commands;
	trace(WHO_NEMESIS, TRACE_START, clients, commands, 0, 0);
	weather_begin(s);
	load_begin((uint32_t)commands * 2 + 64);
	postgres_begin(&market, &postgres_ops);
	judge_begin(&market);
	engines_begin(&engine_ops);
	clients_begin(clients, commands);
	nemesis_begin();
}

/* Trouble until all is asked, then none until all is answered. */
static void run_steps(const struct settings *s, int64_t *steps)
{
	int64_t start_us = agenda_now_us, healed_us = 0;

	while (clients_open() > 0 || !clients_all_sent() || healed_us == 0) {
		if (s->steps > 0 && *steps >= s->steps)
			return;
		if (!agenda_step())
			sim_violation(EVERYBODY_ANSWERED, "nothing happens any more, %d commands are open", clients_open());
		++*steps;
		if (healed_us == 0 && (clients_all_sent() || agenda_now_us > start_us + TROUBLE_SECONDS_MAX * SECOND_US)) {
			healed_us = agenda_now_us;
			nemesis_heal();
		}
		if (healed_us != 0 && agenda_now_us > healed_us + HEALING_SECONDS_MAX * SECOND_US)
			sim_violation(EVERYBODY_ANSWERED, "%d commands are open %d s after all healed", clients_open(),
				      HEALING_SECONDS_MAX);
	}
	for (int engine = 0; engine < ENGINES; engine++) {
		if (!engine_has_answered_all(engine))
			sim_violation(ANSWERED_ONCE, "engine %d", engine);
	}
	nemesis_end();
	while (agenda_step())
		++*steps;
	judge_end();
}

void run_once(const struct settings *s, struct result *ret)
{
	struct sigaction on_abort = {.sa_handler = run_on_abort};
	static int64_t steps;

	memset(ret, 0, sizeof *ret);
	running = ret;
	steps = 0;
	sigaction(SIGABRT, &on_abort, NULL);
	if (sigsetjmp(way_out, 1) == 0) {
		run_begin(s);
		run_steps(s, &steps);
	}
	if (!ret->violated)
		nemesis_end();
	ret->hash = trace_hash();
	ret->steps = steps;
	ret->clients = clients_counts();
	ret->judge = judge_counts();
	ret->engines = engines_counts();
}
