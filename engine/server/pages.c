/* pages: calloffd.8, calloffd.conf.5 and calloffd's completion, from the settings' own table; run by the build. */
#include "base/roff.h"
#include "server/config.h"

#include <string.h>

static const struct page_setting {
	const char *name, *fallback, *text;
	long long low, high; /* 0, 0: a text */
} page_settings[] = {
#define X(name, fallback, text) {#name, fallback, text, 0, 0},
	CONFIG_TEXT_MAP(X)
#undef X
#define X(name, fallback, low, high, text) {#name, #fallback, text, low, high},
		CONFIG_NUMBER_MAP(X)
#undef X
};

static const struct page_flag {
	const char *name, *value, *text;
} page_flags[] = {
#define X(name, value, text) {#name, value, text},
	CONFIG_FLAG_MAP(X)
#undef X
};

enum {
	PAGE_SETTINGS = sizeof page_settings / sizeof page_settings[0],
	PAGE_FLAGS = sizeof page_flags / sizeof page_flags[0]
};

/* --packages-max of packages_max */
static const char *page_flag(const char *name)
{
	static char flag[32];

	snprintf(flag, sizeof flag, "--%s", name);
	for (char *c = flag; *c != '\0'; c++)
		*c = *c == '_' ? '-' : *c;
	return flag;
}

static void page_setting(const struct page_setting *s, const char *term)
{
	char text[400];

	if (s->high != 0)
		snprintf(text, sizeof text, "%s; %lld to %lld. Default: %s.", s->text, s->low, s->high,
			 s->fallback);
	else
		snprintf(text, sizeof text, "%s. Default: %s.", s->text, s->fallback);
	roff_term(stdout, term, s->high != 0 ? "NUMBER" : "TEXT", text);
}

static void page_command(void)
{
	roff_title(stdout, "calloffd", "8", CONFIG_WHAT);
	roff_section(stdout, "SYNOPSIS");
	roff_text(stdout, "calloffd [--config FILE] [--NAME VALUE]...");
	roff_section(stdout, "DESCRIPTION");
	roff_text(stdout, "One process serves one shard: it listens on a Unix socket, decides in memory, and "
			  "answers a command only when "
			  "PostgreSQL has committed it. " CONFIG_ORDER
			  " Its unit is calloffd@.service, whose instance is the shard.");
	roff_section(stdout, "OPTIONS");
	for (size_t i = 0; i < PAGE_SETTINGS; i++)
		page_setting(&page_settings[i], page_flag(page_settings[i].name));
	for (size_t i = 0; i < PAGE_FLAGS; i++)
		roff_term(stdout, page_flag(page_flags[i].name), page_flags[i].value, page_flags[i].text);
	roff_section(stdout, "SIGNALS");
	roff_term(stdout, "SIGTERM, SIGINT", NULL,
		  "Take in nothing more, answer what was taken in, end with exit 0.");
	roff_term(stdout, "SIGHUP", NULL, "Read the settings again (not the socket and the shard) and load again.");
	roff_section(stdout, "EXIT STATUS");
	roff_term(stdout, "0", NULL, "It was told to stop.");
	roff_term(stdout, "78", NULL,
		  "The settings, the socket or the database are not fit to serve with; a restart mends nothing.");
	roff_section(stdout, "ENVIRONMENT");
	roff_term(stdout, "CALLOFF_NAME", NULL,
		  "The setting of that name; CALLOFF_CONFIG is --config. An unknown one is an error.");
	roff_term(stdout, "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID", NULL,
		  "Where the service manager listens, and how often it wants to hear that the engine's loop turns; "
		  "see sd_notify(3).");
	roff_section(stdout, "EXAMPLES");
	roff_block(stdout, CONFIG_EXAMPLES);
	roff_section(stdout, "SEE ALSO");
	roff_text(stdout, "calloffd.conf(5), calloff(1), systemd.service(5)");
}

static void page_file(void)
{
	roff_title(stdout, "calloffd.conf", "5", "settings of the Calloff engine");
	roff_section(stdout, "DESCRIPTION");
	roff_text(stdout,
		  "A setting a line, name = value; lines that begin with # and empty lines are nothing. Named by "
		  "--config or "
		  "CALLOFF_CONFIG; /etc/calloff/calloffd.conf is what calloffd@.service gives. An unknown name, or "
		  "a value out of "
		  "range, is an error. " CONFIG_ORDER " A file is tried by calloffd --config FILE --check-config.");
	roff_section(stdout, "SETTINGS");
	for (size_t i = 0; i < PAGE_SETTINGS; i++)
		page_setting(&page_settings[i], page_settings[i].name);
	roff_section(stdout, "EXAMPLES");
	roff_block(stdout,
		   "# two shards' engines share this file; each unit gives its own shard and socket\n"
		   "database = host=/run/postgresql dbname=calloff user=calloff_engine\nidle_seconds = 600");
	roff_section(stdout, "SEE ALSO");
	roff_text(stdout, "calloffd(8)");
}

static void page_completion(void)
{
	printf("# bash completion of calloffd, made from its settings' own table\n"
	       "_calloffd()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	       "\tCOMPREPLY=()\n\tcase $prev in\n\t=");
	for (size_t i = 0; i < PAGE_SETTINGS; i++)
		printf(" | %s", page_flag(page_settings[i].name));
	printf(" | --config) return ;;\n\tesac\n\t[[ $cur == = ]] && return\n\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < PAGE_SETTINGS; i++)
		printf("%s ", page_flag(page_settings[i].name));
	for (size_t i = 0; i < PAGE_FLAGS; i++)
		printf("%s%s", page_flag(page_flags[i].name), i + 1 < PAGE_FLAGS ? " " : "");
	printf("' -- \"$cur\"))\n}\ncomplete -o default -F _calloffd calloffd\n");
}

int main(int argc, char **argv)
{
	const char *page = argc == 2 ? argv[1] : "";

	if (strcmp(page, "calloffd.8") == 0)
		page_command();
	else if (strcmp(page, "calloffd.conf.5") == 0)
		page_file();
	else if (strcmp(page, "calloffd.bash") == 0)
		page_completion();
	else
		return 64;
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 74;
}
