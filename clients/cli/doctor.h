/* doctor.h — what calloff doctor looks at, a check a line: verdict, what is, why that is so, how to mend it.
 *
 * Shape:   doctor.c asks the engine; doctor_socket looks at the way to it, doctor_figures at what it counts.
 * Errors:  a check that cannot be made says so as a verdict; none ends the others.
 * Owner:   the doctor's table until doctor_end.
 */
#pragma once

#include "cli.h"

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
	struct cli *cli;
	struct table table;
	uint32_t shard; /* looked at; 0: what concerns them all */
	bool several;   /* shards, so that each is named */
	unsigned counts[DOCTOR_FAIL + 1];
};

/* why and mend: NULL when all is well. */
__attribute__((format(printf, 6, 7))) void doctor_say(struct doctor *d, enum doctor_verdict verdict,
						      const char *check, const char *why, const char *mend,
						      const char *format, ...);

/* doctor_socket.c. false: there is no engine to ask. */
bool doctor_socket(struct doctor *d);
/* doctor_figures.c */
void doctor_stats(struct doctor *d, const Calloff__V1__GetStatsResponse *stats);
void doctor_pools(struct doctor *d);
void doctor_receipts(struct doctor *d, const char *path, const Calloff__V1__GetHealthResponse *health);
