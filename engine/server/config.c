#include "server/config.h"

#include "store/fence.h"

#include <assert.h>
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct setting {
	const char *name, *fallback, *text;
	size_t at;
	bool number;
	int64_t low, high;
};

static const struct setting settings[] = {
#define X(name, fallback, text) {#name, fallback, text, offsetof(struct config, name), false, 0, 0},
	CONFIG_TEXT_MAP(X)
#undef X
#define X(name, fallback, low, high, text) {#name, #fallback, text, offsetof(struct config, name), true, low, high},
	CONFIG_NUMBER_MAP(X)
#undef X
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };
static_assert((int)SETTINGS <= (int)CONFIG_SETTINGS_MAX, "config.sources is too short");

static enum err config_wrong(const char *where, const char *name, const char *what, const char *mend)
{
	fprintf(stderr, "calloffd: %s: %s %s; %s\n", where, name, what, mend);
	return ERR_CONFIG;
}

static enum err config_set(struct config *c, const char *name, const char *value, const char *source, const char *where)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		char *end, range[96];
		int64_t n;

		if (strcmp(s->name, name) != 0)
			continue;
		snprintf(c->sources[i], sizeof c->sources[i], "%s", source);
		if (!s->number) {
			if (strlen(value) >= CONFIG_TEXT_MAX)
				return config_wrong(where, name, "is too long", "shorten it");
			memcpy((char *)c + s->at, value, strlen(value) + 1);
			return ERR_OK;
		}
		n = strtoll(value, &end, 10);
		snprintf(range, sizeof range, "give a whole number from %lld to %lld", (long long)s->low, (long long)s->high);
		if (end == value || *end != '\0')
			return config_wrong(where, name, "is not a number", range);
		if (n < s->low || n > s->high)
			return config_wrong(where, name, "is out of range", range);
		memcpy((char *)c + s->at, &n, sizeof n);
		return ERR_OK;
	}
	return config_wrong(where, name, "is not a setting", "see calloffd --help for the names");
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

static enum err config_read_file(struct config *c)
{
	FILE *f = fopen(c->file, "r");
	char line[CONFIG_TEXT_MAX + 64], where[CONFIG_TEXT_MAX + 32];
	enum err e = ERR_OK;

	if (f == NULL)
		return config_wrong(c->file, "the file", "cannot be read", "check --config");
	for (int n = 1; e == ERR_OK && fgets(line, sizeof line, f) != NULL; n++) {
		char *text = trim(line), *equals = strchr(text, '=');

		snprintf(where, sizeof where, "%s:%d", c->file, n);
		if (*text == '\0' || *text == '#')
			continue;
		if (equals == NULL) {
			e = config_wrong(where, text, "has no value", "write name = value");
			break;
		}
		*equals = '\0';
		e = config_set(c, trim(text), trim(equals + 1), "file", where);
	}
	fclose(f);
	return e;
}

static enum err config_read_environment(struct config *c)
{
	extern char **environ;

	for (char **e = environ; *e != NULL; e++) {
		char name[64], *equals = strchr(*e, '=');
		size_t len = equals != NULL ? (size_t)(equals - *e) : 0;

		if (strncmp(*e, "CALLOFF_", 8) != 0 || len < 9 || len - 8 >= sizeof name)
			continue;
		for (size_t i = 0; i < len - 8; i++)
			name[i] = (char)tolower((unsigned char)(*e)[8 + i]);
		name[len - 8] = '\0';
		if (strcmp(name, "config") != 0)
			TRY(config_set(c, name, equals + 1, "environment", "environment"));
	}
	return ERR_OK;
}

/* --name=value or --name value; returns how many arguments it took, 0 on error. */
static int config_read_flag(struct config *c, char **argv, bool only_config)
{
	char name[64], *flag = argv[0], *equals = strchr(flag, '=');
	size_t len = equals != NULL ? (size_t)(equals - flag) : strlen(flag);
	const char *value = equals != NULL ? equals + 1 : argv[1];
	int took = equals != NULL ? 1 : 2;

	if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0)
		return c->help = true, 1;
	if (strcmp(flag, "--check-config") == 0)
		return c->check_only = true, 1;
	if (strcmp(flag, "--print-config") == 0)
		return c->print_only = true, 1;
	if (strncmp(flag, "--", 2) != 0 || len - 2 >= sizeof name) {
		(void)config_wrong("command line", flag, "is not a flag", "see calloffd --help");
		return 0;
	}
	for (size_t i = 2; i < len; i++)
		name[i - 2] = flag[i] == '-' ? '_' : flag[i];
	name[len - 2] = '\0';
	if (value == NULL) {
		(void)config_wrong("command line", flag, "has no value", "write --name=value");
		return 0;
	}
	if (strcmp(name, "config") == 0) {
		snprintf(c->file, sizeof c->file, "%s", value);
		return took;
	}
	if (only_config)
		return took;
	return config_set(c, name, value, "flag", "command line") == ERR_OK ? took : 0;
}

static enum err config_read_flags(struct config *c, int argc, char **argv, bool only_config)
{
	for (int i = 1, took; i < argc; i += took) {
		took = config_read_flag(c, argv + i, only_config);
		if (took == 0)
			return ERR_CONFIG;
	}
	return ERR_OK;
}

/* "1" or "1,2,3", each once. */
static enum err config_read_shards(struct config *c)
{
	const char *at = c->shard;

	for (c->shard_count = 0; c->shard_count < SHARDS_MAX; at++) {
		char *end;
		long n = strtol(at, &end, 10);
		bool again = false;

		for (uint32_t i = 0; i < c->shard_count; i++)
			again |= c->shards[i] == n;
		if (end == at || n < 1 || n > INT16_MAX || again || (*end != ',' && *end != '\0'))
			break;
		c->shards[c->shard_count++] = (int16_t)n;
		if (*end == '\0')
			return ERR_OK;
		at = end;
	}
	return config_wrong("shard", c->shard, "is not a list of shards", "give a number from 1 to 32767, or several: 1,2,3");
}

/* What was left empty follows from where this engine listens. */
static enum err config_identify(struct config *c)
{
	char host[ENGINE_BYTES_MAX / 2] = "";

	if (c->name[0] == '\0') {
		(void)gethostname(host, sizeof host - 1); /* a longer one is cut, which is well */
		/* the end of a long path tells more than its beginning */
		size_t room = ENGINE_BYTES_MAX - 1 - strlen(host), len = strlen(c->socket);

		memcpy(c->name, host, strlen(host));
		c->name[strlen(host)] = ':';
		snprintf(c->name + strlen(host) + 1, room + 1, "%s", c->socket + (len > room ? len - room : 0));
	}
	if (c->endpoint[0] == '\0' && strlen(c->socket) <= ENDPOINT_BYTES_MAX)
		memcpy(c->endpoint, c->socket, sizeof c->endpoint);
	if (strlen(c->name) > ENGINE_BYTES_MAX)
		return config_wrong("name", c->name, "is too long", "give at most 64 bytes");
	if (strlen(c->endpoint) > ENDPOINT_BYTES_MAX)
		return config_wrong("endpoint", c->endpoint, "is too long", "give at most 128 bytes");
	return ERR_OK;
}

enum err config_read(struct config *c, int argc, char **argv)
{
	const char *file = getenv("CALLOFF_CONFIG");

	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < SETTINGS; i++)
		TRY(config_set(c, settings[i].name, settings[i].fallback, "default", "default"));
	if (file != NULL)
		snprintf(c->file, sizeof c->file, "%s", file);
	TRY(config_read_flags(c, argc, argv, true)); /* --config names the file, which flags then override */
	if (c->file[0] != '\0')
		TRY(config_read_file(c));
	TRY(config_read_environment(c));
	TRY(config_read_flags(c, argc, argv, false));
	TRY(config_read_shards(c));
	return config_identify(c);
}

void config_print(const struct config *c)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const char *at = (const char *)c + settings[i].at;
		char number[24];
		int64_t n;

		if (settings[i].number) {
			memcpy(&n, at, sizeof n);
			snprintf(number, sizeof number, "%lld", (long long)n);
			at = number;
		}
		printf("%-18s = %-60s # %s\n", settings[i].name, at, c->sources[i]);
	}
}

static void config_help_flag(const char *name, const char *text, const char *fallback)
{
	char flag[24];

	snprintf(flag, sizeof flag, "%s", name);
	for (char *c = flag; *c != '\0'; c++)
		*c = *c == '_' ? '-' : *c;
	printf("  --%-18s %s%s%s%s\n", flag, text, fallback != NULL ? " [" : "", fallback != NULL ? fallback : "",
	       fallback != NULL ? "]" : "");
}

void config_help(void)
{
	printf("Examples:\n%s\ncalloffd, %s.\n%s\n\n", CONFIG_EXAMPLES, CONFIG_WHAT, CONFIG_ORDER);
	for (size_t i = 0; i < SETTINGS; i++)
		config_help_flag(settings[i].name, settings[i].text, settings[i].fallback);
#define X(name, value, text) config_help_flag(#name, text, NULL);
	CONFIG_FLAG_MAP(X)
#undef X
}
