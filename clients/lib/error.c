#include "calloff.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

/* Cuts at a character's border, so that a cut sentence stays UTF-8. */
static void error_copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size) {
		for (len = size - 1; len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80;)
			len--;
	}
	memcpy(to, from, len);
	to[len] = '\0';
}

enum calloff_fault calloff_error_set(struct calloff_error *error, enum calloff_fault fault, const char *what,
				     const char *why, const char *mend)
{
	memset(error, 0, sizeof *error);
	error->fault = fault;
	error_copy(error->what, sizeof error->what, what);
	error_copy(error->why, sizeof error->why, why != NULL ? why : "");
	error_copy(error->mend, sizeof error->mend, mend);
	return fault;
}

/* The engine's own words come first; the table fills what an older or newer engine left out. */
enum calloff_fault calloff_error_from_status(struct calloff_error *error, const Calloff__V1__Status *status)
{
	char why[sizeof error->why] = "";
	size_t used = 0;
	int number = status->number <= 1000000 ? (int)status->number : -1;

	for (size_t i = 0; i < status->n_violations && used < sizeof why; i++) {
		const Calloff__V1__FieldViolation *v = status->violations[i];
		int n = snprintf(why + used, sizeof why - used, "%s%s%s%s", used > 0 ? "; " : "", v->field,
				 v->field[0] != '\0' && v->problem[0] != '\0' ? ": " : "", v->problem);

		used += n > 0 ? (size_t)n : 0;
	}
	calloff_error_set(error, CALLOFF_REFUSED, status->what[0] != '\0' ? status->what : err_what(number),
			  why, status->mend[0] != '\0' ? status->mend : err_mend(number));
	error->number = number;
	error->code = status->code != 0 ? status->code : (unsigned)err_code(number);
	error->retry_same_key = status->retry_same_key;
	error->retry_after_ms = status->retry_after_ms;
	error_copy(error->reason, sizeof error->reason,
		   status->reason[0] != '\0' ? status->reason : err_name(number));
	return CALLOFF_REFUSED;
}
