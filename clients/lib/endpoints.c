#include "endpoints.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void endpoints_init(struct endpoints *e, const char *list)
{
	char *at;

	*e = (struct endpoints){.text = strdup(list)};
	INSIST(e->text != NULL);
	at = e->text;
	do {
		char *comma = strchr(at, ',');

		e->list[e->count++] = at;
		if (comma == NULL)
			return;
		*comma = '\0';
		at = comma + 1;
	} while (e->count < ENDPOINTS_MAX);
}

void endpoints_fini(struct endpoints *e)
{
	free(e->text);
	free(e->hint);
	*e = (struct endpoints){.text = NULL};
}

const char *endpoints_current(const struct endpoints *e)
{
	return e->hint != NULL ? e->hint : e->list[e->at];
}

void endpoints_next(struct endpoints *e)
{
	if (e->hint == NULL)
		e->at = (e->at + 1) % e->count;
	free(e->hint);
	e->hint = NULL;
}

void endpoints_moved(struct endpoints *e, const char *hint)
{
	bool known = hint[0] != '\0' && strcmp(hint, endpoints_current(e)) != 0;
	char *copy = known ? strdup(hint) : NULL;

	INSIST(!known || copy != NULL);
	endpoints_next(e);
	e->hint = copy;
}
