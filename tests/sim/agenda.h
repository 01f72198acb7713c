/* agenda.h — virtual time: what will happen, in order of time, then of being asked for. And the memory of one run.
 *
 * Units:  us of true time since 1970, which no node sees but through its own clock.
 * Owner:  what tasks point to lives in the run's memory, or longer; it all goes at agenda_begin.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern int64_t agenda_now_us;

void agenda_begin(int64_t start_us);
void agenda_end(void);
void agenda_add(int64_t after_us, void (*run)(void *what, int64_t number), void *what, int64_t number);
/* Runs the next task; false: nothing is left to do. */
bool agenda_step(void);
/* Zeroed; freed as a whole at the end of the run. */
void *agenda_memory(size_t bytes);
