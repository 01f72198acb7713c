/* people.h — the packages that are not over, as the replay has left them, and their rows as the database must hold them.
 *
 * Shape:   a person a package, found by its number; one that is over is no part of the state, its rows are written out.
 * Owner:   people own their text; bundles are found by reference.
 */
#pragma once

#include "county.h"

struct ledger_line { /* a live placement, as its record told it */
	int pool, demand_n, demand[RECORD_VISITS_MAX];
};

/* ledger.c: a second ledger, of what the records alone say; 0: the role is taken. */
int ledger_take(int64_t package, int role, const struct ledger_line *line);

struct person {
	int64_t number, changed_seq;
	int state;
	char *columns;                 /* its row behind changed_seq */
	struct model_package *package; /* kept while it waits for the rest of its bundle */
};

struct bundle {
	struct bundle *next;
	int64_t first, second;
	char ref[];
};

/* Where the rows of what is over go, and at the end those of all that is left: compared with the database's, sorted. */
extern FILE *rows_file;

struct person *person_find(int64_t number);
struct person *person_add(int64_t number, int state, char *columns);
/* Writes its row and forgets it. */
void person_over(struct person *p, int64_t seq, int state);

/* The bundle with this reference, made if there is none. Its numbers may be of packages that are over. */
struct bundle *bundle_of(struct record_text ref);

/* The row of the placement at this place, ended at this sequence (0: live). */
void placement_row(FILE *to, int place, int64_t ended_seq);
/* What a visit of a placement takes, as the database stores it: days, band, plane and units in one number. */
int demand_code(const struct model_placement *p, int visit);

/* Keeps what the model has just appended; begins or ceases to count it, before and after a change; forgets what the model
 * has ended and what has ceased to count: the last placement takes its place. */
void placement_added(int place, int64_t seq, int tier, int rank, int policy);
void placement_counts(int place, int sign);
void placement_forget(int place);

/* Packages and placements of start.tsv; then all of it is joined. */
void people_package(char **fields);
void people_placement(char **fields);
void people_join(void);
/* Every row that is left: packages, placements, capacity. */
void people_rows(void);

/* How many packages are in a state, and what is placed on a route in a role. */
struct people_counts {
	long long states[STATE_VOID + 1];
	struct {
		long long placements, carer_minutes_week;
	} routes[ROUTE_POLR + 1][ROLE_OUTGOING + 1];
};
extern struct people_counts people_counts;
void person_state(struct person *p, int state);

enum { PACKAGE_FIELDS = 31, PLACEMENT_FIELDS = 15, CAPACITY_FIELDS = 8 };
