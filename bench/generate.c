/* generate.c — calloff-generate: a day of packages as NDJSON, for `calloff submit --json -`. */
#include "generator.h"
#include "reflect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
	"Examples:\n"
	"  calloff-generate | calloff submit -\n"
	"  calloff-generate --seed 7 --packages 500 > surge.ndjson\n\n"
	"A day of arrivals in Essex, seeded: --packages N (default: the number of one real day, drawn by the seed),\n"
	"--seed N (1), --sectors FILE, --discharges FILE (defaults under sql/demo/real), --prefix TEXT (DAY).\n";

/* A working day brings 16 packages from the community and 8 from hospital, these scaled by that day's real discharges. */
static uint32_t day_packages(const char *path, uint64_t seed)
{
	uint32_t days[4096], count = 0;
	uint64_t sum = 0;
	FILE *f = fopen(path, "r");
	char line[128];

	while (f != NULL && fgets(line, sizeof line, f) != NULL && count < 4096) {
		char *comma = strchr(line, ',');
		unsigned long n = comma != NULL ? strtoul(comma + 1, NULL, 10) : 0;

		if (n == 0)
			continue;
		days[count++] = (uint32_t)n;
		sum += n;
	}
	if (f == NULL || fclose(f) != 0 || count == 0)
		return 0;
	return (uint32_t)(16 + (8 * (uint64_t)days[(seed * 2654435761u) % count] * count + sum / 2) / sum);
}

static uint64_t number(const char *flag, const char *value)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || *value == '-') {
		fprintf(stderr, "calloff-generate: %s is not a whole number: %s\n", flag, value);
		exit(64);
	}
	return n;
}

int main(int argc, char **argv)
{
	const char *sectors = "sql/demo/real/sector_weights.csv", *discharges = "sql/demo/real/discharges.csv", *prefix = "DAY";
	uint64_t seed = 1, packages = UINT64_MAX;
	static struct generator g;
	struct timespec now;

	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (value == NULL || strcmp(argv[i], "--help") == 0) {
			fputs(usage, value == NULL && strcmp(argv[i], "--help") != 0 ? stderr : stdout);
			return strcmp(argv[i], "--help") == 0 ? 0 : 64;
		}
		if (strcmp(argv[i], "--seed") == 0)
			seed = number("--seed", value);
		else if (strcmp(argv[i], "--packages") == 0)
			packages = number("--packages", value);
		else if (strcmp(argv[i], "--sectors") == 0)
			sectors = value;
		else if (strcmp(argv[i], "--discharges") == 0)
			discharges = value;
		else if (strcmp(argv[i], "--prefix") == 0)
			prefix = value;
		else {
			fprintf(stderr, "calloff-generate: %s is not a flag\n%s", argv[i], usage);
			return 64;
		}
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (packages == UINT64_MAX && (packages = day_packages(discharges, seed)) == 0) {
		fprintf(stderr, "calloff-generate: %s cannot be read; run it in the project's root or give --discharges\n",
			discharges);
		return 66;
	}
	if (!generator_open(&g, sectors, seed, (int64_t)now.tv_sec * 1000000, prefix)) {
		fprintf(stderr, "calloff-generate: %s cannot be read; run it in the project's root or give --sectors\n", sectors);
		return 66;
	}
	for (uint64_t i = 0; i < packages; i++) {
		reflect_print(stdout, &generator_next(&g)->base);
		putchar('\n');
	}
	return fflush(stdout) == 0 ? 0 : 74;
}
