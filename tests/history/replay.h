/* replay.h — one event of the journal through the model, compared with what the record says was decided.
 *
 * Each event_* returns 1 when model and record agree, and else has said the first difference (same()). The model must not go
 * on behind a difference: what it holds would be another market.
 */
#pragma once

#include "people.h"

#define DAY_US 86400000000LL

/* The first difference: "violation TAB rule TAB seq TAB what". at: which of several, -1 none. Returns 0. */
int violated(int rule, int64_t seq, const char *format, ...) __attribute__((format(printf, 3, 4)));
int same(const struct record *e, const char *what, int at, long long model, long long record);

#define SAME_AT(at, what, model, record)                                                           \
	do {                                                                                       \
		if (!same(e, what, (int)(at), (long long)(model), (long long)(record)))            \
			return 0;                                                                  \
	} while (0)
#define SAME(what, model, record) SAME_AT(-1, what, model, record)

/* What the run has looked at, for the report. */
struct seen {
	long long events, decisions, candidates, refusals, placements, changes, declarations, cells, pools, frameworks;
};
extern struct seen seen;

/* What an event touched: those packages may read otherwise from then on. */
struct touched {
	int package_n;
	int64_t packages[4];
};
void touch(struct touched *t, int64_t package);

int event_submit(const struct record *e, struct touched *t);  /* submit.c */
int event_change(const struct record *e, struct touched *t);  /* change.c: confirm, withdraw, end */
int event_declare(const struct record *e);                    /* change.c */
/* compare.c: what was told, and a placement as made: the model's at this place. */
int compare_told_placement(const struct record *e, int place);
int compare_made(const struct record *e, const struct record_placement *made, int place);
int compare_nothing_done(const struct record *e);
/* ledger.c: rule 7 from the records alone; then, that the model holds the same in each pool touched, or in all. */
int ledger_event(const struct record *e);
int ledger_touched(const struct record *e);
int ledger_all(int64_t seq);
