/* life.h — the life of a package as a table: from, by which event, to, and the sentence a person reads.
 *
 * Source: DESIGN 5, DOMAIN 3.1. Where an event's next state depends on a decision (submit), the row says so with the
 *         state that the decision picked; every pair that may happen is in the table, nothing else does.
 */
#pragma once

#include "core/event.h"
#include "core/words.h"

#define LIFE_MAP(X)                                                                                \
	X(SUBMITTED, SUBMIT, PROVISIONAL, "the bundle is complete; a provider is nominated")       \
	X(SUBMITTED, SUBMIT, PLACED, "the bundle is complete and placed")                          \
	X(SUBMITTED, SUBMIT, UNSOURCED, "the bundle is complete; nobody ranked could take it")     \
	X(SUBMITTED, WITHDRAW, WITHDRAWN, "withdrawn before its bundle was complete")              \
	X(PROVISIONAL, CONFIRM, PLACED, "an officer confirmed the nomination")                     \
	X(PROVISIONAL, WITHDRAW, WITHDRAWN, "withdrawn before confirmation")                       \
	X(UNSOURCED, WITHDRAW, WITHDRAWN, "withdrawn while it waited")                             \
	X(UNSOURCED, END, ENDED, "care by the last resort has ended; nothing more is sought")      \
	X(PLACED, END, ENDED, "ended before care began")                                           \
	X(MOBILISING, END, ENDED, "ended before care began")                                       \
	X(LIVE, END, ENDED, "care has ended")

static inline bool life_allows(int from, enum event_type event, int to)
{
#define X(from_, event_, to_, sentence)                                                            \
	if (from == STATE_##from_ && event == EVENT_##event_ && to == STATE_##to_)                 \
		return true;
	LIFE_MAP(X)
#undef X
	return false;
}
