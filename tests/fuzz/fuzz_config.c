/* fuzz_config.c — any file as a configuration: read, or refused with a sentence; what is read keeps its limits. */
#include "fuzz/fuzz.h"

#include "server/config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	char path[64];
	char *argv[] = {(char *)"calloffd", (char *)"--config", path, NULL};
	int fd = memfd_create("config", 0);
	FILE *said = stderr;
	static char *none[1];
	extern char **environ;

	environ = none;
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	stderr = fopen("/dev/null", "w"); /* its sentences are not looked at here */
	if (config_read(&config, 3, argv) == ERR_OK) {
#define X(name, fallback, low, high, text) PROMISE(config.name >= low && config.name <= high);
		CONFIG_NUMBER_MAP(X)
#undef X
#define X(name, fallback, text) PROMISE(memchr(config.name, 0, sizeof config.name) != NULL);
		CONFIG_TEXT_MAP(X)
#undef X
	}
	fclose(stderr);
	stderr = said;
	close(fd);
	return 0;
}
