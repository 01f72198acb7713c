#include "weather.h"

static bool enabled[TROUBLE_COUNT], heavy, healed;

void weather_begin(const struct settings *s)
{
	/* swizzle: each seed has its own mixture, so that rare pairs meet; one in ten has all */
	bool all = dice_chance(DICE_NEMESIS, 10);

	for (int t = 0; t < TROUBLE_COUNT; t++)
		enabled[t] = (dice_chance(DICE_NEMESIS, 60) || all) && !s->off[t];
	heavy = healed = false;
}

void weather_change(bool is_heavy)
{
	heavy = is_heavy && !healed;
}

void weather_heal(void)
{
	healed = true;
	heavy = false;
}

bool weather_is_heavy(void)
{
	return heavy;
}

bool weather_has(enum trouble t)
{
	return enabled[t] && !healed;
}

bool weather_strikes(enum dice d, enum trouble t, int per_mille)
{
	return enabled[t] && heavy && dice_between(d, 0, 999) < per_mille;
}

int64_t weather_message_us(void)
{
	if (weather_strikes(DICE_NETWORK, TROUBLE_DELAY, 60))
		return dice_tail(DICE_NETWORK, 1000, 3000000);
	return dice_between(DICE_NETWORK, 30, 400);
}

int64_t weather_work_us(void)
{
	if (weather_strikes(DICE_DATABASE, TROUBLE_DELAY, 60))
		return dice_tail(DICE_DATABASE, 1000, 2000000);
	return dice_between(DICE_DATABASE, 50, 900);
}
