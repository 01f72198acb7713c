/* failpoint.h — named points at which a test build of the engine is killed, stopped or made to fail (tests/fault).
 *
 * Shape:   nothing at all, unless the file is compiled with CALLOFF_FAILPOINTS: calloffd never is, tests/fault/no_failpoints.py
 *          proves it. calloffd-failpoints is: there the environment's FAILPOINT=NAME:COUNT:ACTION acts at the COUNT-th pass.
 * Errors:  FAILPOINT_OR returns the value given, where the action is fail.
 * Owner:   the code is tests/fault/failpoint.c. Points of the loading worker and of the loop are never the same ones.
 */
#pragma once

#define FAILPOINT_MAP(X)                                                                                              \
	X(accept, "a client has connected")                                                                           \
	X(frame_read, "a whole frame was read, nothing done with it")                                                 \
	X(decide_before, "a command heads the line, not decided")                                                     \
	X(decide_after, "it is decided and applied in memory, not in the batch yet")                                  \
	X(send_before, "a batch is built, not sent")                                                                  \
	X(send_after, "a batch is sent, not answered")                                                                \
	X(refused, "a batch was refused, nothing taken back")                                                         \
	X(committed, "a batch is committed, no reply made")                                                           \
	X(reply_between, "one reply of the batch is made, the next not")                                              \
	X(flush_between, "one client's replies are written, the next client's not")                                   \
	X(reply_half, "half of a connection's replies are written")                                                   \
	X(lookup_before, "a key is about to be asked of the database")                                                \
	X(lookup_after, "the database has answered about a key")                                                      \
	X(beat, "a heartbeat is due")                                                                                 \
	X(reload, "memory is given up, the reload not begun")                                                         \
	X(connect, "the first connection of an opening stands")                                                       \
	X(take_over_before, "the fence is read, not taken over")                                                      \
	X(take_over_after, "the shard is taken over, nothing loaded")                                                 \
	X(load_framework, "the framework is loaded, the state not")                                                   \
	X(load_state, "all is loaded, the snapshot not closed")                                                       \
	X(adopt, "all is loaded, the loop has none of it")                                                            \
	X(hangup, "SIGHUP was taken, nothing read again")                                                             \
	X(drain_begin, "SIGTERM was taken, clients are connected")                                                    \
	X(drain_end, "all is answered, connections are about to be closed")                                           \
	X(beat_due, "the loop wants a heartbeat, for its lease or for the standbys")                                  \
	X(hand_over_before, "all is answered, the shard is not handed over")                                          \
	X(hand_over_after, "the hand-over is sent, not answered")                                                     \
	X(follow_look, "a standby is about to look at the fence")                                                     \
	X(follow_rows, "a standby has read rows of the journal, applied none")                                        \
	X(follow_take_over, "a standby may take over, and has not begun")                                             \
	X(follow_level, "a standby has taken over, and not read what was committed until then")                       \
	X(follow_keys, "a standby has taken over and is level, and knows no keys")

#ifdef CALLOFF_FAILPOINTS
#include <stdbool.h>
#include <stddef.h>

enum failpoint {
#define X(name, text) FAILPOINT_##name,
	FAILPOINT_MAP(X)
#undef X
	FAILPOINT_COUNT
};

/* Counts the pass and acts when it is due; true: the caller is to fail. */
bool failpoint_pass(enum failpoint point);
/* len, or half of it when the next pass is due. */
size_t failpoint_half(enum failpoint point, size_t len);

#define FAILPOINT(name) ((void)failpoint_pass(FAILPOINT_##name))
#define FAILPOINT_OR(name, value)                                                                  \
	do {                                                                                       \
		if (failpoint_pass(FAILPOINT_##name))                                              \
			return value;                                                              \
	} while (0)
#define FAILPOINT_HALF(name, len) failpoint_half(FAILPOINT_##name, len)
#else
#define FAILPOINT(name) ((void)0)
#define FAILPOINT_OR(name, value) ((void)0)
#define FAILPOINT_HALF(name, len) (len)
#endif
