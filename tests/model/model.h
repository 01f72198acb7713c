/* model.h — a second, naive reading of the published rules (engine/core/README.md, version 1).
 *
 * Written from that page and words.h alone, without the core's code, so that a difference between
 * the two means that one of them, or the page, is wrong. Everything is a plain int in a plain
 * array; nothing is cached: what a provider holds is added up from its placements each time.
 *
 * Numbers: providers, lists, lots, pools, sectors, districts and packages count from 1, and number
 * k lies at index k - 1 of its array. 0 means "none" or "all", as each field says.
 * Times are seconds since 1970-01-01 UTC, days are days since then.
 */
#pragma once

#include "../../engine/core/words.h"

enum {
	MODEL_DAYS = 7,
	MODEL_BANDS = 8,
	MODEL_CELLS = 56,
	MODEL_PLANES = 2,
	MODEL_SINGLE = 0, /* plane: single carer time */
	MODEL_PAIRED = 1, /* plane: two carers together */
};

/* The random markets are small; tests/history builds the same sources for a county's. */
#ifndef MODEL_COUNTY
enum {
	MODEL_PROVIDERS_MAX = 16,
	MODEL_DISTRICTS_MAX = 6,
	MODEL_SECTORS_MAX = 8,
	MODEL_LOTS_MAX = 5,
	MODEL_LISTS_MAX = 8,
	MODEL_ENTRIES_MAX = 12,
	MODEL_STATUSES_MAX = 40,
	MODEL_COVERAGES_MAX = 800,
	MODEL_POOLS_MAX = 96,
	MODEL_PLACEMENTS_MAX = 80,
	MODEL_VISITS_MAX = 6,
	MODEL_EXCLUDED_MAX = 4,
	MODEL_ROUTES_MAX = 4,
	MODEL_SECTOR_DISTRICTS_MAX = 2
};
#else
enum {
	MODEL_PROVIDERS_MAX = 512,
	MODEL_DISTRICTS_MAX = 64,
	MODEL_SECTORS_MAX = 1024,
	MODEL_LOTS_MAX = 64,
	MODEL_LISTS_MAX = 256,
	MODEL_ENTRIES_MAX = 128,
	MODEL_STATUSES_MAX = 512,
	MODEL_COVERAGES_MAX = 65536,
	MODEL_POOLS_MAX = 2048,
	MODEL_PLACEMENTS_MAX = 65536,
	MODEL_VISITS_MAX = 32,
	MODEL_EXCLUDED_MAX = 8,
	MODEL_ROUTES_MAX = 4,
	MODEL_SECTOR_DISTRICTS_MAX = 8
};
#endif

#define MODEL_NEVER_SECONDS 4102444800LL /* 2100-01-01: an open end */

/* ---- the market ---- */

struct model_policy {
	int route_n;
	int routes[MODEL_ROUTES_MAX]; /* enum route, in order of preference, no doubles */
	unsigned polr_urgencies;      /* bit u set (u = enum urgency, 1..5): opens polr */
	unsigned polr_risks;          /* bit r set (r = enum risk, 1..3): opens polr */
	int polr_no_cover;            /* 1: cover `none` opens polr */
	int polr_days;                /* an interim placement's exit day is start_day + this */
	int rating_min;               /* enum rating, 1..4 */
	int not_rated_open;           /* 1: a provider without a rating passes */
	int improvement_plan_open;    /* 1: an improvement plan makes up for a low rating */
	int award;                    /* enum award */
	int confirmation;             /* enum confirmation */
	int confirm_minutes;          /* confirm_by = now + this */
	int travel_minutes_visit;     /* added to each visit in `time` pools */
};

struct model_provider {
	int rating;                   /* enum rating; 0 not rated */
	int improvement_plan;         /* 1: it has one */
	unsigned skills;              /* bit s set, s = 0..30: it has skill s */
	unsigned genders;             /* bit g set, g = GENDER_FEMALE or GENDER_MALE */
	unsigned long long languages; /* bit l set, l = 1..62 */
	int hours_max_minutes_week;   /* its limit over all lists; 0 none; a multiple of 60 */
	int starts_day_max;           /* starts a day; 0 no limit */
};

struct model_status {
	int provider;
	int status; /* enum status */
	int list;   /* the list number it is for (model_list.list); 0 for all */
	long long from_seconds;
	long long until_seconds; /* first second after it; MODEL_NEVER_SECONDS when open */
	int starts_week_max;     /* only STATUS_CAPPED; 0 is a real limit: none may start */
};

struct model_sector {
	int district_n; /* at least 1; more than 1: it straddles */
	int districts[MODEL_SECTOR_DISTRICTS_MAX];
};

struct model_lot {
	int district_n;
	int districts[MODEL_DISTRICTS_MAX];
};

struct model_entry {
	int provider; /* once in a list */
	int route;    /* enum route */
	int tier;     /* 1.. */
	int rank;     /* 1..; equal ranks occur */
	int order_no; /* 1..entry_n, unique in the list: the total order */
	int price_pence_hour;
	int share_cap_minutes_week; /* 0 none; a multiple of 60 */
};

/* One version of a ranked list. Versions of one list share `list`, and with it lot, service, group,
 * coverage, statuses and what is held; which version is meant is said by its index + 1. */
struct model_list {
	int list;    /* 1..; the index + 1 of its first version */
	int version; /* 1.. within the list */
	int lot;
	int service; /* enum service */
	int group;   /* enum group; 0 no group */
	long long from_seconds;
	long long until_seconds;
	int entry_n;
	struct model_entry entries[MODEL_ENTRIES_MAX]; /* in no order */
};

struct model_coverage {
	int list; /* model_list.list */
	int provider;
	int sector;
	int pool; /* one of this provider's pools; at most one row per (list, provider, sector) */
};

struct model_pool {
	int provider;
	int kind; /* enum pool_kind; follows the services of the lists that use the pool */
	int mode; /* enum pool_mode */
	int available_from_day;
	long long expires_seconds;
	int declared[MODEL_PLANES][MODEL_CELLS];  /* units */
	int committed[MODEL_PLANES][MODEL_CELLS]; /* units */
};

/* ---- what is asked ---- */

struct model_visit {
	unsigned days;  /* bit d set, d = 0 Monday .. 6 Sunday; never 0 */
	unsigned bands; /* bit b set: band b is allowed; never 0; one bit: fixed, more: flexible */
	int minutes;
	int carers; /* 1 or 2 */
	int shared; /* 1: the same visit serves both packages of a bundle */
};

struct model_package {
	int number;   /* unique in the market */
	int sector;   /* may be unknown: above market.sector_n */
	int district; /* 0 not given; may be unknown */
	int service;  /* enum service */
	int group;    /* enum group; 0 any */
	int start_day;
	long long latest_safe_start_seconds; /* 0 none; never before start_day */
	int visit_n;
	struct model_visit visits[MODEL_VISITS_MAX];
	unsigned skills; /* required, as in model_provider */
	int gender;      /* required; 0 any */
	int language;    /* required, 1..62; 0 any */
	int excluded_n;
	int excluded[MODEL_EXCLUDED_MAX]; /* providers */
	int ceiling_pence_hour;           /* 0 none */
	int urgency;                      /* enum urgency */
	int risk;                         /* enum risk */
	int cover;                        /* enum cover */
};

/* One package, or a bundle of two in the order in which they came. */
struct model_call {
	long long now_seconds;
	int package_n;
	struct model_package packages[2];
};

/* ---- what is held ---- */

struct model_placement {
	int live;  /* 0: ended or withdrawn; the row stays */
	int state; /* enum state of the package */
	int other; /* index of the bundle's other placement in market.placements; -1 none */
	struct model_package package;
	int list; /* model_list.list */
	int provider;
	int pool;
	int route;
	int role;                     /* enum role */
	int exit_day;                 /* interim only, else 0 */
	long long confirm_by_seconds; /* PROVISIONAL only, else 0 */
	int price_pence_hour;
	int bands[MODEL_VISITS_MAX];   /* the band that each visit got */
	int carried[MODEL_VISITS_MAX]; /* 1: its units and minutes count in this placement */
	int requirement_version;       /* 1, and up when a shared visit passes to it */
};

struct model_market {
	struct model_policy policy; /* one for all lists */
	int provider_n;
	struct model_provider providers[MODEL_PROVIDERS_MAX];
	int status_n;
	struct model_status statuses[MODEL_STATUSES_MAX];
	int district_n;
	int sector_n;
	struct model_sector sectors[MODEL_SECTORS_MAX];
	int lot_n;
	struct model_lot lots[MODEL_LOTS_MAX];
	int list_n;
	struct model_list lists[MODEL_LISTS_MAX];
	int coverage_n;
	struct model_coverage coverages[MODEL_COVERAGES_MAX];
	int pool_n;
	struct model_pool pools[MODEL_POOLS_MAX];
	int placement_n;
	struct model_placement placements[MODEL_PLACEMENTS_MAX];
	int package_last;      /* the highest package number given out (the generator's) */
	long long now_seconds; /* the generator's clock: the time of the last event */
};

/* ---- what comes out ---- */

enum model_refusal {
	MODEL_ACCEPTED = 0,
	MODEL_UNKNOWN_SECTOR,
	MODEL_UNKNOWN_DISTRICT,
	MODEL_SECTOR_NOT_IN_DISTRICT,
	MODEL_SECTOR_NEEDS_DISTRICT,
	MODEL_SECTOR_OUTSIDE_LOTS,
	MODEL_NO_LIST,
	MODEL_BUNDLE_MISMATCH,
	MODEL_NOT_OFFERED,
	MODEL_CAPACITY_KIND, /* of a declaration */
	MODEL_REFUSAL_N
};

struct model_candidate {
	int entry; /* index in the list's entries */
	int provider;
	int route;
	int reason; /* enum reason */
	int status; /* reason STATUS: the enum status that failed, else 0 */
	/* only for OVERHANG, PAIR_SHORT, TIME_SHORT; else -1, -1, 0, 0 */
	int cell;
	int plane;
	int need;
	int free;
};

/* One package's part of the result. Without a winner: bands -1, minutes as asked, price 0. */
struct model_share {
	/* The band of each visit. A shared visit of the second package shows the band that the
	 * first one's got. */
	int bands[MODEL_VISITS_MAX];
	/* A bundle's shared visits count in the first package only, in both numbers. */
	int carer_minutes_week;
	long long price_pence_week;
};

struct model_result {
	int refusal; /* enum model_refusal; when not 0 only that of the rest is set */
	int list; /* the version: index + 1 in market.lists */
	int candidate_n;
	struct model_candidate candidates[MODEL_ENTRIES_MAX]; /* in the order of the rules */
	int winner_index;                                     /* into candidates; -1 nobody */
	int winner;                                           /* provider; 0 nobody */
	int pool;
	int route;
	int price_pence_hour;
	int ceiling_pence_hour; /* of the call; 0 none */
	int outcome;            /* enum round_outcome */
	int state;              /* enum state, of each package of the call */
	int role;               /* enum role; 0 nobody */
	int exit_day;
	long long confirm_by_seconds;
	int package_n;
	struct model_share packages[2];
};

struct model_declaration {
	int pool;
	long long expires_seconds;
	int available_from_day;
	int declared[MODEL_PLANES][MODEL_CELLS];
};

/* "Which list": MODEL_ACCEPTED and the version's number (index + 1), or why not. */
int model_list_choose(const struct model_market *market, const struct model_package *package,
		      long long now_seconds, int *list);

/* Decides; changes nothing. */
void model_choose(const struct model_market *market, const struct model_call *call,
		  struct model_result *result);

/* Keeps what was decided: placements, their capacity, minutes and starts. No winner: nothing. */
void model_apply(struct model_market *market, const struct model_call *call,
		 const struct model_result *result);

/* The placement index of a live package, or -1. */
int model_placement_find(const struct model_market *market, int package);

/* Withdraw (ended 0) or end (ended 1) a package that has a live placement.
 * 1: done; 0: not in this state. */
int model_release(struct model_market *market, int package, int ended);

/* 1: PROVISIONAL became PLACED. 0: refused; *recheck_failed: by checks 2 and 3, *budget_authority: by the price. */
int model_confirm(struct model_market *market, int package, long long now_seconds,
		  int with_budget_authority, int *recheck_failed, int *budget_authority);

/* MODEL_ACCEPTED or MODEL_CAPACITY_KIND, which changes nothing. */
int model_declare(struct model_market *market, const struct model_declaration *declaration);

/* Sums over live placements of every role. list: model_list.list, 0 all lists. Days are inclusive. */
int model_minutes_held(const struct model_market *market, int provider, int list);
int model_starts(const struct model_market *market, int provider, int first_day, int last_day);

/* Parts that the tests look at by themselves. */
int model_visit_units(const struct model_market *market, int pool, const struct model_visit *visit);
int model_visit_minutes_week(const struct model_visit *visit);
int model_placement_minutes_week(const struct model_placement *placement);
long long model_price_pence_week(int carer_minutes_week, int price_pence_hour);
int model_monday(int day); /* the Monday of the day's week */
int model_bands_count(unsigned bands);
const char *model_refusal_word(int refusal);
