/* log.h — one line an event, key=value, to stderr. No personal data: ids, counts and times only.
 *
 * Event names are one list, so that an operator can grep for each; lower case, no full stop.
 */
#pragma once

#define LOG_MAP(X)                                                                                 \
	X(starting) X(listening) X(ready) X(loading) X(load_failed) X(framework_edited)            \
	X(store_lost) X(deposed) X(ALARM_batch_refused) X(ALARM_quarantined) X(clock_skew)         \
	X(ALARM_replay_differs) X(ALARM_journal_broken)                                           \
	X(standby) X(store_silent) X(draining) X(stopped) X(reloading) X(connection_refused) X(read_failed) X(config)        \
	X(no_standby)

enum log_event {
#define X(name) LOG_##name,
	LOG_MAP(X)
#undef X
};

/* format and what follows: key=value pairs, values quoted by the caller where they hold spaces. */
void log_line(enum log_event event, const char *format, ...) __attribute__((format(printf, 2, 3)));
