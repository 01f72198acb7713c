/* examples.h — one record of each kind, always the same: what golden vectors and seeds are made of. */
#pragma once

#include "core/record.h"

#define EXAMPLE_MAP(X)                                                                                                 \
	X(CHOSEN, "submit_chosen")                                                                                     \
	X(NOBODY, "submit_nobody")                                                                                     \
	X(REFUSED, "withdraw_refused")                                                                                 \
	X(CONFIRM, "confirm")                                                                                          \
	X(WITHDRAW, "withdraw")                                                                                        \
	X(END, "end_of_a_bundle")                                                                                      \
	X(DECLARE, "declare")                                                                                          \
	X(LARGEST, "submit_largest")

enum example_name {
#define X(name, word) EXAMPLE_##name,
	EXAMPLE_MAP(X)
#undef X
		EXAMPLE_COUNT
};

struct example {
	struct event event;
	struct update update;
	struct stamp stamp;
};

void example_make(enum example_name name, struct example *ret);
const char *example_word(enum example_name name);
