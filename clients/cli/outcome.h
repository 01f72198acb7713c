/* outcome.h — what became of a command: for a person in three lines, for a program in one row.
 *
 * Shape:   the same for submit, confirm, withdraw and end.
 * Errors:  an exit code; the receipt is kept (--receipts) before anything is printed.
 * Owner:   borrows the reply.
 */
#pragma once

#include "cli.h"

#define OUTCOME_COLUMNS \
	"package state provider route >tier >rank >price_week start simulated budget_authority confirm_by >seq leaf"

int outcome_print(struct cli *cli, const Calloff__V1__Outcome *outcome, const Calloff__V1__Receipt *receipt,
		  const ProtobufCMessage *whole);
/* The cells of OUTCOME_COLUMNS. */
void outcome_row(const struct cli *cli, struct table *t, const Calloff__V1__Outcome *outcome,
		 const Calloff__V1__Receipt *receipt);
/* "T1-5", "POLR", "spot 2": where a candidate stands. */
struct text outcome_place(Calloff__V1__Route route, uint32_t tier, uint32_t rank);
enum outcome_facts {
	OUTCOME_INTERIM = 1,   /* the placement is interim */
	OUTCOME_BUDGET = 2,    /* confirming needs budget authority */
	OUTCOME_EXPLAINED = 4, /* the reader has the explanation before him */
};
/* What a person can do next with a package in that state, in one line; nothing if there is nothing. */
void outcome_next(const struct cli *cli, const char *package, Calloff__V1__PackageState state,
		  unsigned facts);
