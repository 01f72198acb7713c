/* trace.h — what happened, a line a step: hashed as numbers, spelled out only for a person.
 *
 * Shape:  trace(who, TRACE_..., four numbers). The hash of a run is equal on every machine; the last lines are kept.
 * Errors: sim_violation tells what was broken and leaves the run (run.h gets it back).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* who: */
enum { WHO_DATABASE = 0, WHO_ENGINE = 1, /* 1, 2 */ WHO_NEMESIS = 9, WHO_CLIENT = 10 /* 10.. */ };

/* X(NAME, sentence over the four numbers) */
#define TRACE_MAP(X)                                                                               \
	X(START, "a run begins: %lld clients, %lld commands")                                      \
	X(SENT, "sends command %lld body %lld to engine %lld, try %lld")                           \
	X(TOLD, "is told of command %lld body %lld: error %lld, seq %lld")                         \
	X(DECIDES, "decides seq %lld: type %lld, refusal %lld, state %lld")                        \
	X(BATCH, "sends a batch after seq %lld of %lld events in epoch %lld, %lld calls under way")           \
	X(REPLIES, "replies to command %lld body %lld: error %lld, seq %lld")                      \
	X(LOOKS_UP, "asks for the key of command %lld body %lld")                                  \
	X(OPENS, "opens the store, life %lld")                                                     \
	X(OPEN_FAILED, "cannot open the store: error %lld, failure %lld")                          \
	X(READY, "is ready: epoch %lld, seq %lld, framework %lld, state %llx")                     \
	X(RELOADS, "gives its core up: error %lld, %lld batches sent")                             \
	X(DEPOSED, "is deposed, epoch %lld")                                                       \
	X(STANDS_BY, "stands by: epoch %lld, seq %lld")                                            \
	X(FOLLOWS, "is level with seq %lld, framework %lld, state %llx")                           \
	X(DRAINS, "is told to leave, life %lld")                                                   \
	X(LEAVES, "leaves, life %lld")                                                             \
	X(ALARM, "raises an alarm: quarantined %lld, command %lld")                                              \
	X(CRASH, "ends, life %lld")                                                                \
	X(PAUSE, "stands still for %lld us")                                                       \
	X(BEGIN, "begins a batch after seq %lld, epoch %lld, %lld events")                         \
	X(COMMIT, "commits seq %lld to %lld of epoch %lld, row hash %llx")                         \
	X(REFUSED, "refuses a batch after seq %lld of epoch %lld: error %lld")          \
	X(ROLLED_BACK, "rolls back call %lld: its connection is gone")                             \
	X(TAKE_OVER, "moves to epoch %lld, last seq %lld")                                         \
	X(HAND_OVER, "is nobody's after epoch %lld, last seq %lld")                                \
	X(EDIT, "moves to framework %lld by edit %lld of %lld")                                    \
	X(VISIBLE, "shows a commit that is not replicated, log %lld")                              \
	X(FAILOVER, "fails over: log %lld to %lld is lost")                                        \
	X(RESTART, "restarts, away for %lld us")                                                   \
	X(CUT, "cuts the connections of engine %lld, the server notices after %lld us")            \
	X(STALL, "holds replication back for %lld us")                                             \
	X(FULL, "fills the disk for %lld us")                                                      \
	X(CLOCK, "moves the clock of %lld by %lld s")                                              \
	X(WEATHER, "the weather changes: intensity %lld, for %lld us")                             \
	X(HEALED, "everything heals, %lld commands are open")                                      \
	X(DURABLE, "is durable up to seq %lld")

enum trace_what {
#define X(name, text) TRACE_##name,
	TRACE_MAP(X)
#undef X
	TRACE_COUNT
};

void trace_begin(bool verbose);
void trace(int who, enum trace_what what, int64_t a, int64_t b, int64_t c, int64_t d);
uint64_t trace_hash(void);
/* How often each thing happened, over all runs. */
int64_t trace_count(enum trace_what what);
const char *trace_name(enum trace_what what);
/* The last lines, oldest first. */
void trace_print(int lines);

/* What must always be true: DESIGN 2, and what that rests on. */
#define INVARIANT_MAP(X)                                                                           \
	X(REPLY_AFTER_COMMIT, "a reply is sent only after the commit that holds its outcome")      \
	X(KEY_ACTS_ONCE, "a key acts once")                                                        \
	X(EQUAL_OUTCOME, "a key always gets an equal outcome and receipt")                         \
	X(RECEIPT_PROVES, "a receipt proves what was told")                                        \
	X(OUTCOME_STORED, "a key's outcome is stored with it")                                     \
	X(KEY_REUSED_TRULY, "only a key used twice is called so")                                  \
	X(REAL_TIME_ORDER, "what was told before comes before")                                    \
	X(ANSWERED_ONCE, "each request is answered once")                                          \
	X(EVERYBODY_ANSWERED, "everybody gets an answer")                                          \
	X(EXPECTED_ANSWER, "an answer is one that was to be expected")                             \
	X(JOURNAL_OF_REQUESTS, "the journal holds what was asked")                                 \
	X(JOURNAL_GAPLESS, "the journal is gapless")                                               \
	X(JOURNAL_CHAINED, "the journal is chained")                                               \
	X(ONE_WRITER, "one engine commits in an epoch")                                            \
	X(TIME_FORWARD, "time never goes backwards in the journal")                                \
	X(TIME_SANE, "the journal's time is at most five minutes ahead of the database's")         \
	X(FRAMEWORK_READ, "nothing commits against a framework the engine has not read")           \
	X(REPLAYS_ALIKE, "the journal replays to the same decisions, byte for byte")               \
	X(RECORDS_READABLE, "every record can be read")                                            \
	X(EQUALS_MODEL, "every decision equals the model's")                                       \
	X(STATE_EQUALS_MODEL, "what is held equals the model's")                                   \
	X(TABLES_EQUAL_REPLAY, "the tables hold what was decided")                                 \
	X(CAPACITY, "committed never exceeds declared + overhang")                                 \
	X(ONE_LIVE, "one live main, interim and outgoing")                                         \
	X(LOAD_EQUALS_REPLAY, "a load equals a replay")                                            \
	X(STANDBY_LEVEL, "a standby's state equals a replay")                                      \
	X(LOADABLE, "what was stored can be loaded")                                               \
	X(BECOMES_DURABLE, "what is committed becomes durable")                                    \
	X(NO_ALARM, "no alarm is raised")                                                          \
	X(NOTHING_QUARANTINED, "nothing is quarantined")                                           \
	X(NO_ABORT, "an engine does not abort")                                                    \
	X(BATCH_WELL_FORMED, "a batch is well formed")                                             \
	X(SIMULATOR, "the simulator has room")

enum invariant {
#define X(name, text) name,
	INVARIANT_MAP(X)
#undef X
};

const char *invariant_text(enum invariant i);
_Noreturn void sim_violation(enum invariant invariant, const char *format, ...) __attribute__((format(printf, 2, 3)));
