/* dice.h — the run's chances: one stream of splitmix64 a subject, so that switching one kind of trouble off leaves the
 * draws of the others as they were for as long as the story allows. */
#pragma once

#include "settings.h"

#include "../model/market_inside.h"

enum dice { DICE_MARKET, DICE_CLIENT, DICE_NETWORK, DICE_DATABASE, DICE_ENGINE, DICE_NEMESIS, DICE_SALT, DICE_COUNT };

extern struct market_random dice[DICE_COUNT];

void dice_begin(uint64_t seed);
static inline bool dice_chance(enum dice d, int percent)
{
	return market_chance(&dice[d], percent) != 0;
}
static inline int64_t dice_between(enum dice d, int64_t low, int64_t high)
{
	return low + market_seconds_below(&dice[d], high - low + 1);
}
/* Mostly near low, seldom as far as high: lengths of time. */
static inline int64_t dice_tail(enum dice d, int64_t low, int64_t high)
{
	int64_t span = high - low;

	for (int i = 0; i < 3 && dice_chance(d, 60); i++)
		span /= 8;
	return dice_between(d, low, low + span);
}
