#include "generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* splitmix64: any seed is a good one, and the stream is the same everywhere. */
static uint64_t generator_u64(struct generator *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t generator_below(struct generator *g, uint32_t bound)
{
	return (uint32_t)((generator_u64(g) >> 32) * bound >> 32);
}

/* The index whose share (in percent, adding up to 100) is drawn. */
static uint32_t generator_share(struct generator *g, const uint8_t *shares)
{
	uint32_t draw = generator_below(g, 100), i = 0;

	for (uint32_t sum = shares[0]; draw >= sum; sum += shares[i])
		i++;
	return i;
}

static bool generator_read_sectors(struct generator *g, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[128];

	if (f == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL && g->sector_count < GENERATOR_SECTORS_MAX) {
		char *district = strchr(line, ','), *weight = district != NULL ? strchr(district + 1, ',') : NULL;
		uint64_t n = weight != NULL ? strtoull(weight + 1, NULL, 10) : 0;

		if (n == 0 || district - line > 8 || weight - district > 10)
			continue; /* the header, or nobody of 65 lives there */
		memcpy(g->sectors[g->sector_count].code, line, (size_t)(district - line));
		memcpy(g->sectors[g->sector_count].district, district + 1, (size_t)(weight - district - 1));
		g->weight_total += n;
		g->sectors[g->sector_count++].weight_until = g->weight_total;
	}
	fclose(f);
	return g->sector_count > 0;
}

bool generator_open(struct generator *g, const char *weights_path, uint64_t seed, int64_t now_us, const char *prefix)
{
	memset(g, 0, sizeof *g);
	g->state = seed;
	g->now_us = now_us;
	snprintf(g->prefix, sizeof g->prefix, "%s", prefix);
	for (int i = 0; i < GENERATOR_VISITS_MAX; i++)
		g->visit_list[i] = &g->visits[i];
	return generator_read_sectors(g, weights_path);
}

static void generator_date(char to[16], int64_t us)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(to, 16, "%Y-%m-%d", &tm);
}

static void generator_place(struct generator *g)
{
	uint64_t draw = generator_u64(g) % g->weight_total;
	uint32_t low = 0, count = g->sector_count;

	while (count > 0) {
		uint32_t half = count / 2;

		if (g->sectors[low + half].weight_until <= draw) {
			low += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	g->requirement.sector = g->sectors[low].code;
	g->requirement.district = g->sectors[low].district;
}

static void generator_visit(struct generator *g, Calloff__V1__Band band, uint32_t minutes, uint32_t carers)
{
	uint32_t i = (uint32_t)g->requirement.n_visits++;
	Calloff__V1__Visit *v = &g->visits[i];

	calloff__v1__visit__init(v);
	v->days = 127;
	v->band = band;
	v->minutes = minutes;
	v->carers = carers;
	v->tolerance_minutes = 30;
}

static void generator_care_visits(struct generator *g)
{
	static const uint8_t visits_share[] = {12, 20, 26, 42}, minutes_share[] = {6, 60, 20, 14};
	static const uint32_t minutes[] = {15, 30, 45, 60};
	static const Calloff__V1__Band bands[4][4] = {
		{CALLOFF__V1__BAND__BAND_MORNING},
		{CALLOFF__V1__BAND__BAND_MORNING, CALLOFF__V1__BAND__BAND_BED},
		{CALLOFF__V1__BAND__BAND_MORNING, CALLOFF__V1__BAND__BAND_LUNCH, CALLOFF__V1__BAND__BAND_BED},
		{CALLOFF__V1__BAND__BAND_MORNING, CALLOFF__V1__BAND__BAND_LUNCH, CALLOFF__V1__BAND__BAND_TEA,
		 CALLOFF__V1__BAND__BAND_BED},
	};
	uint32_t count = generator_share(g, visits_share) + 1;
	bool double_handed = generator_below(g, 100) < 16, flexible = generator_below(g, 100) < 12;

	for (uint32_t i = 0; i < count; i++) {
		Calloff__V1__Band band = bands[count - 1][i];
		/* two carers to get up and to bed, where hoisting is */
		bool pair = double_handed && (band == CALLOFF__V1__BAND__BAND_MORNING || band == CALLOFF__V1__BAND__BAND_BED);

		generator_visit(g, band, minutes[generator_share(g, minutes_share)], pair ? 2 : 1);
		g->visits[i].time_critical = band == CALLOFF__V1__BAND__BAND_MORNING && generator_below(g, 100) < 20;
	}
	if (!flexible)
		return;
	g->also[0][0] = CALLOFF__V1__BAND__BAND_MIDMORNING;
	g->visits[0].also_bands = g->also[0];
	g->visits[0].n_also_bands = 1;
}

static void generator_service(struct generator *g)
{
	static const uint8_t service_share[] = {93, 2, 3, 2};
	uint32_t service = g->personal_care_only ? 0 : generator_share(g, service_share);

	g->requirement.visits = g->visit_list;
	g->requirement.n_visits = 0;
	g->requirement.service = (Calloff__V1__Service)(service + 1);
	if (service == 0)
		generator_care_visits(g);
	else if (service == 3)
		generator_visit(g, CALLOFF__V1__BAND__BAND_NIGHT, 720, 1);
	else
		generator_visit(g, CALLOFF__V1__BAND__BAND_NIGHT, 540, 1);
}

static void generator_person(struct generator *g)
{
	static const uint8_t group_share[] = {78, 9, 8, 5};
	static const char *const skills[] = {"hoist", "dementia", "medication", "catheter"};
	Calloff__V1__Requirement *q = &g->requirement;

	q->client_group = (Calloff__V1__ClientGroup)(generator_share(g, group_share) + 1);
	if (generator_below(g, 100) < 12) {
		g->skills[0] = (char *)(uintptr_t)skills[generator_below(g, 4)];
		q->skills = g->skills;
		q->n_skills = 1;
	}
	if (generator_below(g, 100) < 6)
		q->carer_gender = CALLOFF__V1__CARER_GENDER__CARER_GENDER_FEMALE;
	q->needs_key_safe = generator_below(g, 100) < 30;
	q->needs_equipment = generator_below(g, 100) < 15;
}

static void generator_urgency(struct generator *g)
{
	static const uint8_t risk_share[] = {15, 45, 40}, cover_share[] = {12, 0, 50, 20, 18};
	Calloff__V1__Requirement *q = &g->requirement;
	bool hospital = generator_below(g, 100) < 33;
	uint32_t days = generator_below(g, 4);

	q->risk = (Calloff__V1__Risk)(generator_share(g, risk_share) + 1);
	if (hospital) {
		q->urgency = (Calloff__V1__Urgency)(generator_below(g, 100) < 40 ? 2 : 3);
		q->cover = CALLOFF__V1__COVER__COVER_WARD;
	} else {
		q->urgency = (Calloff__V1__Urgency)(generator_below(g, 100) < 25 ? 4 : 5);
		q->cover = (Calloff__V1__Cover)(generator_share(g, cover_share) + 1);
	}
	q->need_arose_us = g->now_us - (int64_t)generator_below(g, 72) * 3600000000;
	generator_date(g->start_date, g->now_us + (int64_t)days * 86400000000);
	q->start_date = g->start_date;
	q->latest_safe_start_us = g->now_us + (int64_t)(days + 2 + generator_below(g, 5)) * 86400000000;
	if (generator_below(g, 100) < 10)
		q->ceiling_pence_hour = 2800;
}

const Calloff__V1__Requirement *generator_next(struct generator *g)
{
	static const char *const kinds = "CPHO";
	Calloff__V1__Requirement *q = &g->requirement;

	calloff__v1__requirement__init(q);
	g->count++;
	for (int i = 0; i < 3; i++)
		snprintf(g->refs[i], sizeof g->refs[i], "%s-%c%06u", g->prefix, kinds[i], g->count);
	snprintf(g->refs[3], sizeof g->refs[3], "o-%u", 1 + generator_below(g, 40));
	q->case_ref = g->refs[0];
	q->person_ref = g->refs[1];
	q->household_ref = g->refs[2];
	q->owner_ref = g->refs[3];
	generator_place(g);
	generator_service(g);
	generator_person(g);
	generator_urgency(g);
	q->funding = CALLOFF__V1__FUNDING__FUNDING_COUNCIL;
	q->legal_regime = CALLOFF__V1__LEGAL_REGIME__LEGAL_REGIME_CARE_ACT_S18;
	return q;
}
