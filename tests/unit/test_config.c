#include "kit/kit.h"

#include "server/config.h"

#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/calloff-config-XXXXXX";

static void quiet(void)
{
	static char *none[1];
	extern char **environ;

	environ = none;
	cr_redirect_stderr();
	cr_redirect_stdout();
}

static void clean(void)
{
	unlink(path);
	kit_fini();
}

TestSuite(config, .init = quiet, .fini = clean, .timeout = 10.0);

static struct config config;

static void write_file(const char *text)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

#define READ(...)                                                                                                      \
	config_read(&config, (int)(sizeof((char *[]){"calloffd", __VA_ARGS__}) / sizeof(char *)),                      \
		    (char *[]){"calloffd", __VA_ARGS__, NULL})

static enum err read_alone(void)
{
	return config_read(&config, 1, (char *[]){"calloffd", NULL});
}

static const char *said(void)
{
	static char text[2000];
	FILE *f = cr_get_redirected_stderr();
	size_t len = fread(text, 1, sizeof text - 1, f);

	text[len] = '\0';
	return text;
}

Test(config, without_anything_the_defaults_hold)
{
	cr_expect_eq(read_alone(), ERR_OK);
	cr_expect_str_eq(config.socket, "/run/calloff/calloff.sock");
	cr_expect(config.shard_count == 1 && config.shards[0] == 1);
	cr_expect_eq(config.key_days, 35);
	cr_expect_str_eq(config.sources[0], "default");
}

Test(config, a_flag_beats_the_environment_beats_the_file_beats_the_default)
{
	write_file("shard = 2\nkey_days = 40\nidle_seconds=50\n# hello_seconds = 9\n\n  socket =  /tmp/a b  \n");
	setenv("CALLOFF_KEY_DAYS", "41", 1);
	setenv("CALLOFF_IDLE_SECONDS", "51", 1);
	setenv("CALLOFF_CONFIG", path, 1);
	cr_assert_eq(READ("--idle-seconds=52"), ERR_OK);
	cr_expect(config.shard_count == 1 && config.shards[0] == 2);
	cr_expect_eq(config.key_days, 41);
	cr_expect_eq(config.idle_seconds, 52);
	cr_expect_eq(config.hello_seconds, 5);
	cr_expect_str_eq(config.socket, "/tmp/a b");
}

Test(config, the_flag_names_the_file_over_the_environment)
{
	write_file("shard = 2\n");
	setenv("CALLOFF_CONFIG", "/nowhere", 1);
	cr_assert_eq(READ("--config", path), ERR_OK);
	cr_expect(config.shard_count == 1 && config.shards[0] == 2);
}

Test(config, flags_take_their_value_either_way)
{
	cr_expect_eq(READ("--shard=7"), ERR_OK);
	cr_expect(config.shard_count == 1 && config.shards[0] == 7);
	cr_expect_eq(READ("--shard", "8"), ERR_OK);
	cr_expect(config.shard_count == 1 && config.shards[0] == 8);
	cr_expect_eq(READ("--shard"), ERR_CONFIG);
	cr_expect_eq(READ("--socket="), ERR_OK, "empty is a value");
	cr_expect_str_eq(config.socket, "");
}

Test(config, a_name_that_is_no_setting_is_refused_everywhere)
{
	cr_expect_eq(READ("--shards=1"), ERR_CONFIG);
	cr_expect_eq(READ("shard=1"), ERR_CONFIG);
	cr_expect_eq(READ("-s"), ERR_CONFIG);
	setenv("CALLOFF_SHARDS", "1", 1);
	cr_expect_eq(read_alone(), ERR_CONFIG);
	unsetenv("CALLOFF_SHARDS");
	write_file("shards = 1\n");
	cr_expect_eq(READ("--config", path), ERR_CONFIG);
}

Test(config, a_number_must_be_one_and_in_range)
{
	static char *const bad[] = {
		"", "x", "1x", "0", "32768", "-1", "1.5", "99999999999999999999", "-99999999999999999999", "0x10"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_eq(READ("--shard", bad[i]), ERR_CONFIG, "%s", bad[i]);
	cr_expect_eq(READ("--shard=32767"), ERR_OK);
}

Test(config, an_engine_may_serve_several_shards_each_once)
{
	static char *const bad[] = {"1,", ",1", "1,,2", "1,1", "1 2", "1,0", "1,x"};

	cr_expect_eq(READ("--shard=3,1,12"), ERR_OK);
	cr_expect(config.shard_count == 3 && config.shards[0] == 3 && config.shards[1] == 1 && config.shards[2] == 12);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_eq(READ("--shard", bad[i]), ERR_CONFIG, "%s", bad[i]);
}

Test(config, an_engine_is_named_by_host_and_socket_unless_it_is_given_a_name)
{
	char long_path[200], *colon;

	cr_expect_eq(READ("--socket=/run/a.sock"), ERR_OK);
	colon = strchr(config.name, ':');
	cr_assert(colon != NULL);
	cr_expect_str_eq(colon + 1, "/run/a.sock");
	cr_expect_str_eq(config.endpoint, "/run/a.sock");
	cr_expect_eq(READ("--socket=/run/a.sock", "--name=west-1", "--endpoint=/run/west"), ERR_OK);
	cr_expect_str_eq(config.name, "west-1");
	cr_expect_str_eq(config.endpoint, "/run/west");
	memset(long_path, 'x', sizeof long_path);
	memcpy(long_path, "--socket=/", 10);
	memcpy(long_path + 100, "the-end", 8);
	cr_expect_eq(READ(long_path), ERR_OK);
	cr_expect(strlen(config.name) <= 64 && strstr(config.name, "the-end") != NULL);
	cr_expect_eq(READ("--name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), ERR_CONFIG);
}

Test(config, a_text_has_a_limit)
{
	static char longer[CONFIG_TEXT_MAX + 1];

	memset(longer, 'x', CONFIG_TEXT_MAX);
	cr_expect_eq(READ("--socket", longer), ERR_CONFIG);
	longer[CONFIG_TEXT_MAX - 1] = '\0';
	cr_expect_eq(READ("--socket", longer), ERR_OK);
}

Test(config, a_line_too_long_for_a_setting_is_refused_as_one)
{
	static char text[2000];

	strcpy(text, "socket = ");
	memset(text + 9, 'x', CONFIG_TEXT_MAX + 80);
	strcpy(text + 9 + CONFIG_TEXT_MAX + 80, "shard = 2\n");
	write_file(text);
	cr_expect_eq(READ("--config", path), ERR_CONFIG);
}

Test(config, a_fault_is_told_with_its_place_and_remedy)
{
	write_file("shard = 1\n\nkey_days = soon\n");
	cr_expect_eq(READ("--config", path), ERR_CONFIG);
	const char *text = said();
	cr_expect_not_null(strstr(text, ":3"), "%s", text);
	cr_expect_not_null(strstr(text, "key_days"), "%s", text);
	cr_expect_not_null(strstr(text, "3650"), "%s", text);
}

Test(config, a_file_that_is_not_there_is_refused)
{
	cr_expect_eq(READ("--config=/nowhere/calloffd.conf"), ERR_CONFIG);
	cr_expect_not_null(strstr(said(), "/nowhere/calloffd.conf"));
}

Test(config, a_line_without_a_value_is_refused)
{
	write_file("shard\n");
	cr_expect_eq(READ("--config", path), ERR_CONFIG);
}

Test(config, other_programs_variables_are_left_alone)
{
	setenv("CALLOFFX", "1", 1);
	setenv("CALLOFF", "1", 1);
	setenv("PGHOST", "x", 1);
	cr_expect_eq(read_alone(), ERR_OK);
}

/* The clients find the engine by it: an officer's shell has it set when he starts an engine. */
Test(config, the_clients_socket_variable_is_the_engines_too)
{
	setenv("CALLOFF_SOCKET", "/tmp/x.sock", 1);
	cr_expect_eq(read_alone(), ERR_OK);
	cr_expect_str_eq(config.socket, "/tmp/x.sock");
}

Test(config, printing_names_every_setting_and_its_source)
{
	static char text[8000];
	FILE *f;

	setenv("CALLOFF_SHARD", "3", 1);
	cr_assert_eq(READ("--key-days=36"), ERR_OK);
	config_print(&config);
	fflush(stdout);
	f = cr_get_redirected_stdout();
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
#define X(name, ...) cr_expect_not_null(strstr(text, #name), "%s", #name);
	CONFIG_TEXT_MAP(X)
	CONFIG_NUMBER_MAP(X)
#undef X
	cr_expect_not_null(strstr(text, "# environment"));
	cr_expect_not_null(strstr(text, "# flag"));
	cr_expect_not_null(strstr(text, "# default"));
}

Test(config, what_to_do_is_a_flag_too)
{
	cr_expect_eq(READ("--check-config"), ERR_OK);
	cr_expect(config.check_only && !config.print_only && !config.help);
	cr_expect_eq(READ("--print-config"), ERR_OK);
	cr_expect(config.print_only);
	cr_expect_eq(READ("--help"), ERR_OK);
	cr_expect(config.help);
	config_help();
}
