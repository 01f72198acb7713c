/* rules.h — what the proxy does to the bytes of each direction, and the seeded draws that decide where.
 *
 * Shape:   one number a rule and direction; 0 is off. Names: up.delay_ms (client to server), down.delay_ms, both.delay_ms.
 * Units:   in the names. _after: bytes of a connection's direction from the moment the rule was set.
 * Order:   a draw depends on the seed, the connection's number, direction, rule and place in the stream, never on time or on
 *          how reads were cut: same seed, same bytes, same decisions, whatever is switched on meanwhile.
 * Errors:  rules_set is false for an unknown name or a value below 0.
 * Owner:   one struct for the whole proxy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RULE_MAP(X)                                                                                                    \
	X(delay_ms, "each piece waits so long")                                                                        \
	X(jitter_ms, "and up to so much longer; order is kept")                                                        \
	X(reorder_percent, "so many frames let those behind them go first (with frames only)")                         \
	X(reorder_ms, "for so long; 20 when 0")                                                                        \
	X(duplicate_percent, "so many frames come twice (with frames only)")                                           \
	X(split_bytes, "writes of so many bytes")                                                                      \
	X(rate_bytes_s, "so many bytes a second")                                                                      \
	X(flip_ppm, "of a million bytes so many have a bit turned over")                                               \
	X(drop_after, "bytes from there on are swallowed, and the connection cut 300 ms after the first")              \
	X(cut_after, "the connection is cut there, by RST on TCP")                                                     \
	X(half_open, "nothing is forwarded, a close is not told; off: what waited goes on")                            \
	X(blackhole_ms, "the same for so long")

enum direction { UP, DOWN, DIRECTION_COUNT };

enum rule {
#define X(name, text) RULE_##name,
	RULE_MAP(X)
#undef X
	RULE_COUNT
};

struct rules {
	uint64_t seed;
	bool frames, refuse; /* pieces are length-prefixed frames; new connections are closed at once */
	int64_t values[DIRECTION_COUNT][RULE_COUNT];
	bool set[DIRECTION_COUNT][RULE_COUNT]; /* an _after of 0 is a place, too */
	int64_t set_ms[DIRECTION_COUNT];
	uint32_t generation; /* of the values: each change is one more */
};

bool rules_set(struct rules *r, const char *name, int64_t value, int64_t now_ms);
void rules_clear(struct rules *r);
uint64_t rules_draw(const struct rules *r, uint64_t connection, enum direction d, enum rule rule, uint64_t place);
/* Does the rule, a percentage, strike there? */
bool rules_strikes(const struct rules *r, uint64_t connection, enum direction d, enum rule rule, uint64_t place);
bool rules_stalled(const struct rules *r, enum direction d, int64_t now_ms);
