/* replay_main.c — runs a fuzz target over its corpus, so that every build keeps old findings fixed. AFL's way in, too.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __AFL_COMPILER
#include <unistd.h>
__AFL_FUZZ_INIT();
#endif

enum { INPUT_BYTES_MAX = 1 << 20 };

static uint8_t input[INPUT_BYTES_MAX];

static void replay_bytes(size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1); /* exact size: a sanitizer sees a read past the end */

	memcpy(exact, input, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		return 1;
	}
	replay_bytes(fread(input, 1, sizeof input, f));
	fclose(f);
	return 0;
}

static int replay_folder(DIR *d, const char *folder, int *count)
{
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (replay_file(path) != 0)
			return 1;
		(*count)++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int count = 0;

#ifdef __AFL_COMPILER
	if (argc == 1) { /* inputs come by shared memory: a stream would stay at its first end of file */
		const uint8_t *shared;

		__AFL_INIT();
		shared = __AFL_FUZZ_TESTCASE_BUF;
		while (__AFL_LOOP(10000)) {
			size_t len = (size_t)__AFL_FUZZ_TESTCASE_LEN;

			memcpy(input, shared, len < sizeof input ? len : sizeof input);
			replay_bytes(len < sizeof input ? len : sizeof input);
		}
		return 0;
	}
#endif
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		int wrong = d != NULL ? replay_folder(d, argv[i], &count) : replay_file(argv[i]);

		if (d == NULL)
			count++;
		else
			closedir(d);
		if (wrong != 0)
			return 1;
	}
	printf("replayed %d inputs\n", count);
	return count > 0 ? 0 : 1; /* a corpus that is not there is no success */
}
