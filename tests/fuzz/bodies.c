/* bodies.c — every message that the envelope may carry has a seed: bodies FOLDER, walked by the descriptors. */
#include "calloff/v1/envelope.pb-c.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

enum { SEED_BYTES_MAX = 1 << 20, FIELDS_MAX = 128 };

static uint8_t bytes[SEED_BYTES_MAX];
static uint32_t seeds_of[FIELDS_MAX]; /* by the field's number in the envelope */

static int read_seeds(const char *folder)
{
	DIR *d = opendir(folder);
	char path[4096];

	if (d == NULL) {
		perror(folder);
		return 1;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		Calloff__V1__Envelope *envelope;
		FILE *f;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		f = fopen(path, "rb");
		if (f == NULL) {
			perror(path);
			break;
		}
		envelope = calloff__v1__envelope__unpack(NULL, fread(bytes, 1, sizeof bytes, f), bytes);
		if (envelope != NULL && (unsigned)envelope->body_case < FIELDS_MAX)
			seeds_of[envelope->body_case]++;
		calloff__v1__envelope__free_unpacked(envelope, NULL);
		fclose(f);
	}
	closedir(d);
	return 0;
}

int main(int argc, char **argv)
{
	const ProtobufCMessageDescriptor *d = &calloff__v1__envelope__descriptor;
	int bodies = 0, missing = 0;

	if (argc != 2 || read_seeds(argv[1]) != 0)
		return 1;
	for (unsigned i = 0; i < d->n_fields; i++) {
		if ((d->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
			continue;
		bodies++;
		if (d->fields[i].id >= FIELDS_MAX || seeds_of[d->fields[i].id] == 0) {
			printf("%s: no seed; write it with fuzz_seeds\n", d->fields[i].name);
			missing++;
		}
	}
	printf("%d bodies, %d without a seed\n", bodies, missing);
	return bodies > 0 && missing == 0 ? 0 : 1;
}
