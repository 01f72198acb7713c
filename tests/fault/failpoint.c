/* failpoint.c — what happens at a failpoint; linked into calloffd-failpoints only.
 *
 * FAILPOINT=NAME:COUNT:ACTION, ACTION one of kill (SIGKILL), abort, stop (SIGSTOP: the runner sends SIGCONT), fail (once),
 * fail-on (from then on). Anything else ends the engine with 64 at the first pass, so that no run passes by a typing error.
 */
#include "base/failpoint.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum action { ACTION_NONE, ACTION_KILL, ACTION_ABORT, ACTION_STOP, ACTION_FAIL, ACTION_FAIL_ON };

static struct {
	enum failpoint point;
	enum action action;
	unsigned long left; /* passes until it is due */
} armed = {.point = FAILPOINT_COUNT};
static pthread_once_t armed_once = PTHREAD_ONCE_INIT;

static enum failpoint point_named(const char *name, size_t len)
{
	static const char *const names[] = {
#define X(name, text) #name,
		FAILPOINT_MAP(X)
#undef X
	};

	for (int i = 0; i < FAILPOINT_COUNT; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return (enum failpoint)i;
	}
	return FAILPOINT_COUNT;
}

static enum action action_named(const char *name)
{
	static const char *const names[] = {"", "kill", "abort", "stop", "fail", "fail-on"};

	for (int i = ACTION_KILL; i <= ACTION_FAIL_ON; i++) {
		if (strcmp(names[i], name) == 0)
			return (enum action)i;
	}
	return ACTION_NONE;
}

static void arm(void)
{
	const char *text = getenv("FAILPOINT"), *count, *action;
	char *end;

	if (text == NULL || *text == '\0')
		return;
	count = strchr(text, ':');
	action = count == NULL ? NULL : strchr(count + 1, ':');
	if (action != NULL) {
		armed.point = point_named(text, (size_t)(count - text));
		armed.left = strtoul(count + 1, &end, 10);
		armed.action = action_named(action + 1);
		if (end == action && armed.left > 0 && armed.action != ACTION_NONE && armed.point != FAILPOINT_COUNT)
			return;
	}
	fprintf(stderr, "FAILPOINT=%s: not NAME:COUNT:ACTION with a known name and action\n", text);
	_exit(64);
}

bool failpoint_pass(enum failpoint point)
{
	pthread_once(&armed_once, arm);
	if (point != armed.point || armed.left == 0)
		return point == armed.point && armed.action == ACTION_FAIL_ON;
	if (--armed.left > 0)
		return false;
	fprintf(stderr, "event=failpoint name=%s\n", getenv("FAILPOINT"));
	switch (armed.action) {
	case ACTION_KILL:
		raise(SIGKILL);
		return false;
	case ACTION_ABORT:
		abort();
	case ACTION_STOP:
		raise(SIGSTOP);
		return false;
	case ACTION_FAIL:
	case ACTION_FAIL_ON:
		return true;
	case ACTION_NONE:
		return false;
	}
	return false;
}

size_t failpoint_half(enum failpoint point, size_t len)
{
	pthread_once(&armed_once, arm);
	return point == armed.point && armed.left == 1 ? (len + 1) / 2 : len;
}
