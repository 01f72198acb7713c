#include "rules.h"

#include <string.h>

static const char *const rule_names[] = {
#define X(name, text) #name,
	RULE_MAP(X)
#undef X
};

static int rule_find(const char *name)
{
	for (int i = 0; i < RULE_COUNT; i++) {
		if (strcmp(rule_names[i], name) == 0)
			return i;
	}
	return RULE_COUNT;
}

bool rules_set(struct rules *r, const char *name, int64_t value, int64_t now_ms)
{
	const char *dot = strchr(name, '.');
	bool up, down;
	int rule;

	if (strcmp(name, "refuse") == 0) {
		r->refuse = value != 0;
		return true;
	}
	if (dot == NULL || value < 0)
		return false;
	up = strncmp(name, "up.", 3) == 0 || strncmp(name, "both.", 5) == 0;
	down = strncmp(name, "down.", 5) == 0 || strncmp(name, "both.", 5) == 0;
	rule = rule_find(dot + 1);
	if (rule == RULE_COUNT || (!up && !down))
		return false;
	for (int d = 0; d < DIRECTION_COUNT; d++) {
		if (!(d == UP ? up : down))
			continue;
		r->values[d][rule] = value;
		r->set[d][rule] = true;
		r->set_ms[d] = now_ms;
	}
	r->generation++;
	return true;
}

void rules_clear(struct rules *r)
{
	memset(r->values, 0, sizeof r->values);
	memset(r->set, 0, sizeof r->set);
	r->refuse = false;
	r->generation++;
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t rules_draw(const struct rules *r, uint64_t connection, enum direction d, enum rule rule, uint64_t place)
{
	return mix(mix(mix(r->seed) ^ connection << 8 ^ (uint64_t)d << 6 ^ (uint64_t)rule) ^ place);
}

bool rules_strikes(const struct rules *r, uint64_t connection, enum direction d, enum rule rule, uint64_t place)
{
	return (int64_t)(rules_draw(r, connection, d, rule, place) % 100) < r->values[d][rule];
}

bool rules_stalled(const struct rules *r, enum direction d, int64_t now_ms)
{
	return r->values[d][RULE_half_open] != 0 || now_ms < r->set_ms[d] + r->values[d][RULE_blackhole_ms];
}
