#include "dice.h"

struct market_random dice[DICE_COUNT];

void dice_begin(uint64_t seed)
{
	for (int d = 0; d < DICE_COUNT; d++) {
		market_random_seed(&dice[d], seed * 64 + (uint64_t)d);
		market_random_next(&dice[d]); /* neighbouring seeds part company */
	}
}
