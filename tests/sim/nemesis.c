#include "nemesis.h"

#include "agenda.h"
#include "clients.h"
#include "engine.h"
#include "postgres.h"
#include "trace.h"
#include "weather.h"

#define SECOND_US INT64_C(1000000)

static bool healed, over;

static int64_t between(int64_t low, int64_t high)
{
	return dice_between(DICE_NEMESIS, low, high);
}

static void engine_comes_up(void *what, int64_t engine)
{
	(void)what;
	if (!over && engine_life((int)engine) == ENGINE_DOWN)
		engine_start((int)engine, weather_has(TROUBLE_UPGRADE) && dice_chance(DICE_ENGINE, 50),
			     weather_has(TROUBLE_CONTENDER) && dice_chance(DICE_ENGINE, 20));
}

/* systemd */
static void engine_comes_back(int engine)
{
	engine_crash(engine);
	agenda_add(dice_tail(DICE_NEMESIS, 1000, 2 * SECOND_US), engine_comes_up, NULL, engine);
}

static void engine_is_ended(void *what, int64_t engine)
{
	(void)what;
	if (!over && (engine_life((int)engine) == ENGINE_DRAINING || engine_life((int)engine) == ENGINE_DOWN))
		engine_comes_back((int)engine);
}

/* SIGTERM, and a new process once it is gone: it is not waited for for ever. */
static void engine_moves_on(int engine)
{
	engine_drain(engine);
	agenda_add(dice_tail(DICE_NEMESIS, SECOND_US, 8 * SECOND_US), engine_is_ended, NULL, engine);
}

static int64_t jump(void)
{
	static const int64_t seconds[] = {1, 3, 20, 3600, 3600, 7200, 86400, 10 * 365 * 86400};
	int64_t by = seconds[between(0, 7)];

	if (by > 86400 && between(0, 9) != 0)
		by = 90;
	return (between(0, 1) != 0 ? by : -by) * SECOND_US;
}

static void fail_over(void *what, int64_t number)
{
	(void)what;
	(void)number;
	postgres_failover(dice_tail(DICE_NEMESIS, 10000, SECOND_US));
}

static void strike(enum trouble t)
{
	int engine = (int)between(0, ENGINES - 1);
	int64_t us;

	switch (t) {
	case TROUBLE_CRASH:
	case TROUBLE_UPGRADE:
		engine_comes_back(engine);
		return;
	case TROUBLE_PAUSE:
		engine_pause(engine, dice_tail(DICE_NEMESIS, 1000, 5 * SECOND_US));
		return;
	case TROUBLE_CONTENDER:
		if (engine_life(engine) == ENGINE_STANDBY)
			engine_comes_back(engine); /* perhaps told to take over at once */
		return;
	case TROUBLE_HANDOVER:
		engine_moves_on(engine);
		return;
	case TROUBLE_CLOCK:
		if (between(0, 1) != 0)
			engine_jump_clock(engine, jump());
		else
			clients_jump_clock(jump());
		return;
	case TROUBLE_CUT:
		postgres_cut(engine, dice_tail(DICE_NEMESIS, 0, 8 * SECOND_US));
		return;
	case TROUBLE_RESTART:
		postgres_restart(dice_tail(DICE_NEMESIS, 5000, SECOND_US));
		return;
	case TROUBLE_FAILOVER:
		us = dice_tail(DICE_NEMESIS, 5000, 2 * SECOND_US);
		postgres_stall(us);
		if (between(0, 1) != 0)
			postgres_cut(engine, dice_tail(DICE_NEMESIS, 0, us));
		if (between(0, 1) != 0)
			agenda_add(between(1, us), fail_over, NULL, 0);
		return;
	case TROUBLE_FULL:
		postgres_full(dice_tail(DICE_NEMESIS, 5000, SECOND_US));
		return;
	case TROUBLE_EDIT:
		postgres_edit();
		return;
	case TROUBLE_LOSS:
	case TROUBLE_DOUBLING:
	case TROUBLE_DELAY:
	case TROUBLE_CONFLICT:
	case TROUBLE_REUSE:
	case TROUBLE_POISON:
	case TROUBLE_COUNT:
		return; /* these happen to messages, batches and commands */
	}
}

static void blow(void *what, int64_t number)
{
	enum trouble t = (enum trouble)between(0, TROUBLE_COUNT - 1);

	if (healed || !weather_is_heavy())
		return;
	if (weather_has(t))
		strike(t);
	agenda_add(dice_tail(DICE_NEMESIS, 2000, 400000), blow, what, number);
}

static void weather_turns(void *what, int64_t heavy)
{
	int64_t for_us = heavy != 0 ? dice_tail(DICE_NEMESIS, 50000, 3 * SECOND_US) : dice_tail(DICE_NEMESIS, 20000, SECOND_US);

	if (healed)
		return;
	trace(WHO_NEMESIS, TRACE_WEATHER, heavy, for_us, 0, 0);
	weather_change(heavy != 0);
	if (heavy != 0)
		blow(NULL, 0);
	agenda_add(for_us, weather_turns, what, !heavy);
}

/* Commissioners do not wait for bad weather. */
static void edits_go_on(void *what, int64_t number)
{
	if (healed)
		return;
	if (weather_has(TROUBLE_EDIT))
		postgres_edit();
	agenda_add(between(50000, 3 * SECOND_US), edits_go_on, what, number);
}

void nemesis_begin(void)
{
	healed = over = false;
	engine_comes_up(NULL, 0);
	if (weather_has(TROUBLE_CONTENDER))
		agenda_add(between(0, SECOND_US), engine_comes_up, NULL, 1);
	agenda_add(between(10000, SECOND_US), weather_turns, NULL, 1);
	agenda_add(between(10000, 2 * SECOND_US), edits_go_on, NULL, 0);
}

void nemesis_heal(void)
{
	healed = true;
	weather_heal();
	postgres_heal();
	trace(WHO_NEMESIS, TRACE_HEALED, clients_open(), 0, 0, 0);
}

void nemesis_end(void)
{
	over = true;
	for (int engine = 0; engine < ENGINES; engine++)
		engine_crash(engine);
}
