/* nemesis.h — what goes wrong, when: changes of weather, and in heavy weather one blow after another, until everything heals.
 *
 * Also what keeps a real installation going: an engine that ended is started again, and when none reigns one is started.
 */
#pragma once

void nemesis_begin(void);
void nemesis_heal(void);
/* Ends the engines for good. */
void nemesis_end(void);
