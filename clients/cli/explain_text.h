/* explain_text.h — a decision for a person to read: who was asked in which order, and why not.
 *
 * Shape:   the package, its week, its circumstances, its state; each round's candidates, a line each; money, receipt,
 *          what can be done next. All in one screen for a list of twenty.
 * Errors:  none; what the engine left out is left out.
 * Owner:   borrows the reply.
 */
#pragma once

#include "cli.h"

/* all: earlier rounds in full, not folded to a line. */
void explain_print(const struct cli *cli, const Calloff__V1__ExplainPackageResponse *e, bool all);
