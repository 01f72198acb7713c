/* generator.h — seeded packages of the county's mix: who asks for what, where, how urgently.
 *
 * Shape:   generator_next fills one protobuf Requirement that lives in the generator until the next call.
 * Units:   minutes, days since 1970-01-01, us UTC. The same seed and now_us give the same packages on any machine.
 * Source:  DOMAIN 4.5: service, visits a day, lengths, 16 % double-handed, client groups, a third from hospital;
 *          places weighted by people of 65 and over (sql/demo/real/sector_weights.csv).
 */
#pragma once

#include "calloff/v1/envelope.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

enum { GENERATOR_SECTORS_MAX = 1024, GENERATOR_VISITS_MAX = 6 };

struct generator {
	uint64_t state;
	int64_t now_us;
	uint32_t count, sector_count;
	bool personal_care_only;
	uint64_t weight_total;
	struct {
		char code[9], district[10];
		uint64_t weight_until; /* of this sector and all before it */
	} sectors[GENERATOR_SECTORS_MAX];
	char prefix[16], refs[4][32], start_date[16];
	char *skills[1];
	Calloff__V1__Requirement requirement;
	Calloff__V1__Visit visits[GENERATOR_VISITS_MAX], *visit_list[GENERATOR_VISITS_MAX];
	Calloff__V1__Band also[GENERATOR_VISITS_MAX][1];
};

/* false: the weights file cannot be read. prefix: of the references, "DAY" gives DAY-C000001. */
bool generator_open(struct generator *g, const char *weights_path, uint64_t seed, int64_t now_us, const char *prefix);
const Calloff__V1__Requirement *generator_next(struct generator *g);
uint32_t generator_below(struct generator *g, uint32_t bound);
