/* weather.h — when there is trouble: periods of calm and of heavy faults, from the seed; and how long things take then. */
#pragma once

#include "dice.h"
#include "settings.h"

void weather_begin(const struct settings *s);
void weather_change(bool heavy);
void weather_heal(void);
bool weather_is_heavy(void);
/* Not switched off, part of this seed, and heavy weather: so many in a thousand. */
bool weather_strikes(enum dice d, enum trouble t, int per_mille);
/* Part of this seed at all. */
bool weather_has(enum trouble t);
/* For a message, for a transaction; us. */
int64_t weather_message_us(void);
int64_t weather_work_us(void);
