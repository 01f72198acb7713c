/* case_read.h — the words of one line, and where in the file they stand; shared by the parser's files. */
#pragma once

#include "case.h"

#include <stdio.h>

struct reading {
	struct case_file *c;
	int line;
	char text[CASE_LINE_BYTES]; /* the words, parted by NULs */
	const char *words[CASE_LINE_BYTES / 2];
	int count, at;
	bool detail; /* the line was indented */
};

/* case_read of an open file; path is what its complaints call it. */
void case_read_stream(struct case_file *c, const char *path, FILE *f, int64_t base_us);
_Noreturn void reading_fail(const struct reading *r, const char *expected);
bool reading_more(const struct reading *r);
/* The next word, which must be there. */
const char *reading_word(struct reading *r, const char *expected);
/* Takes the next word if it is this one. */
bool reading_is(struct reading *r, const char *word);
int reading_number(struct reading *r, const char *expected);
int reading_within(struct reading *r, int low, int high, const char *expected);
int reading_pence(struct reading *r);
/* "in 3 days", "2 hours ago", "now": seconds from the base. */
int64_t reading_when(struct reading *r);
/* A word of a closed list: by its name_of function. */
int reading_of(struct reading *r, int (*of)(const char *), const char *expected);
void reading_end(const struct reading *r);
uint8_t reading_days(struct reading *r);
uint8_t reading_bands(struct reading *r);
/* "CM0 7" is two words. */
const char *reading_sector(struct reading *r);
/* A copy that lives in the case. */
const char *reading_keep(struct reading *r, const char *text);

/* case_market.c */
bool market_statement(struct reading *r, const char *word);
bool market_detail(struct reading *r);
int32_t market_skill(struct reading *r, const char *word, bool make);
void market_declared(struct reading *r, uint16_t units[2][CELLS], int64_t *expires_us, int32_t *available_from_day);
uint32_t market_pool(struct reading *r, const char *code);
/* case_events.c */
void event_statement(struct reading *r);
bool event_detail(struct reading *r);
void event_trace(struct reading *r, const char *line);
