/* words.h — the closed lists of the domain, one table each: number, word on the wire and screen, sentence.
 *
 * Numbers are stored (sql/schema, journal) and sent (proto enums, checked by a test): never reuse one.
 * Source: DOMAIN 1-4; framework words as Essex uses them on its provider hub.
 */
#pragma once

#define SERVICE_MAP(X)                                                                             \
	X(PERSONAL_CARE, 1, "personal_care", "personal care")                                      \
	X(NIGHT_AWAKE, 2, "night_awake", "waking night")                                           \
	X(NIGHT_SLEEP, 3, "night_sleep", "sleeping night")                                         \
	X(LIVE_IN, 4, "live_in", "live-in care")

#define GROUP_MAP(X)                                                                               \
	X(ANY, 0, "any", "any client group")                                                       \
	X(OLDER_PEOPLE, 1, "older_people", "older people")                                         \
	X(PHYSICAL, 2, "physical", "physical disability")                                          \
	X(LEARNING_DISABILITY, 3, "learning_disability", "learning disability or autism")          \
	X(MENTAL_HEALTH, 4, "mental_health", "mental health")                                      \
	X(SENSORY, 5, "sensory", "sensory support")                                                \
	X(MEMORY, 6, "memory", "memory and cognition")

/* Bands of a day: hours that a visit's start falls in. */
#define BAND_MAP(X)                                                                                \
	X(EARLY, 0, "early", "06:00-08:00")                                                        \
	X(MORNING, 1, "morning", "08:00-10:00")                                                    \
	X(MIDMORNING, 2, "midmorning", "10:00-12:00")                                              \
	X(LUNCH, 3, "lunch", "12:00-14:00")                                                        \
	X(AFTERNOON, 4, "afternoon", "14:00-16:00")                                                \
	X(TEA, 5, "tea", "16:00-18:00")                                                            \
	X(BED, 6, "bed", "18:00-22:00")                                                            \
	X(NIGHT, 7, "night", "22:00-06:00")

#define ROUTE_MAP(X)                                                                               \
	X(FRAMEWORK, 1, "framework", "ranked list")                                                \
	X(SPOT, 2, "spot", "spot market")                                                          \
	X(BRIDGING, 3, "bridging", "bridging service")                                             \
	X(POLR, 4, "polr", "provider of last resort")

#define STATUS_MAP(X)                                                                              \
	X(ACTIVE, 1, "active", "takes new work")                                                   \
	X(PAUSED, 2, "paused", "paused by itself")                                                 \
	X(CAPPED, 3, "capped", "capped to a number of starts a week")                              \
	X(EMBARGOED, 4, "embargoed", "no new work, by the council")                                \
	X(SUSPENDED, 5, "suspended", "suspended from the list")                                    \
	X(EXITING, 6, "exiting", "leaving the market")                                             \
	X(FAILED, 7, "failed", "has failed")

#define RATING_MAP(X)                                                                              \
	X(NOT_RATED, 0, "not_rated", "not rated")                                                  \
	X(INADEQUATE, 1, "inadequate", "Inadequate")                                               \
	X(REQUIRES_IMPROVEMENT, 2, "requires_improvement", "Requires improvement")                 \
	X(GOOD, 3, "good", "Good")                                                                 \
	X(OUTSTANDING, 4, "outstanding", "Outstanding")

#define URGENCY_MAP(X)                                                                             \
	X(EMERGENCY, 1, "emergency", "emergency")                                                  \
	X(HOSPITAL_SAME_DAY, 2, "hospital_same_day", "hospital, same day")                         \
	X(HOSPITAL_PLANNED, 3, "hospital_planned", "hospital, planned")                            \
	X(COMMUNITY_URGENT, 4, "community_urgent", "community, urgent")                            \
	X(STANDARD, 5, "standard", "standard")

#define RISK_MAP(X)                                                                                \
	X(RED, 1, "red", "RED")                                                                    \
	X(AMBER, 2, "amber", "AMBER")                                                              \
	X(GREEN, 3, "green", "GREEN")

#define COVER_MAP(X)                                                                               \
	X(NONE, 1, "none", "no cover")                                                             \
	X(WARD, 2, "ward", "on a ward")                                                            \
	X(FAMILY, 3, "family", "family or friends")                                                \
	X(REABLEMENT, 4, "reablement", "reablement or bridging service")                           \
	X(PROVIDER, 5, "provider", "present provider")

#define GENDER_MAP(X)                                                                              \
	X(ANY, 0, "any", "any")                                                                    \
	X(FEMALE, 1, "female", "female carers")                                                    \
	X(MALE, 2, "male", "male carers")

#define FUNDING_MAP(X)                                                                             \
	X(COUNCIL, 1, "council", "council")                                                        \
	X(JOINT, 2, "joint", "joint with the NHS")                                                 \
	X(CHC, 3, "chc", "continuing healthcare")                                                  \
	X(SELF_FUNDER, 4, "self_funder", "self-funder, arranged by the council")

#define REGIME_MAP(X)                                                                              \
	X(CARE_ACT_S18, 1, "care_act_s18", "Care Act s18")                                         \
	X(CARE_ACT_S19, 2, "care_act_s19", "Care Act s19, urgent")                                 \
	X(S117, 3, "s117", "Mental Health Act s117")                                               \
	X(PSR, 4, "psr", "Provider Selection Regime")

#define ROLE_MAP(X)                                                                                \
	X(MAIN, 1, "main", "main placement")                                                       \
	X(INTERIM, 2, "interim", "interim placement")                                              \
	X(OUTGOING, 3, "outgoing", "outgoing placement")

#define POOL_KIND_MAP(X)                                                                           \
	X(TIME, 1, "time", "carer time, units of 5 minutes")                                       \
	X(NIGHTS, 2, "nights", "nights")                                                           \
	X(PLACES, 3, "places", "live-in places")

#define POOL_MODE_MAP(X)                                                                           \
	X(BINDING, 1, "binding", "its declaration binds")                                          \
	X(ADVISORY, 2, "advisory", "its declaration advises")                                      \
	X(IGNORED, 3, "ignored", "no limit is declared")

#define AWARD_MAP(X)                                                                               \
	X(DIRECT, 1, "direct", "a binding declaration is the provider's yes")                      \
	X(OFFER, 2, "offer", "the provider is asked")

#define CONFIRMATION_MAP(X)                                                                        \
	X(OFFICER, 1, "officer", "an officer confirms")                                            \
	X(AUTOMATIC, 2, "automatic", "confirmed automatically")

#define UNKNOWN_POOL_MAP(X)                                                                        \
	X(ASK, 1, "ask", "an unknown pool is asked")                                               \
	X(PASS_OVER, 2, "pass_over", "an unknown pool is passed over")

#define ROUND_OUTCOME_MAP(X)                                                                       \
	X(NOMINATED, 1, "nominated", "a provider was nominated")                                   \
	X(LAST_RESORT, 2, "last_resort", "went to the provider of last resort")                    \
	X(NOBODY, 3, "nobody", "nobody could take it")

/* Why a candidate was or was not chosen, in the published order of the checks. Numbers are stored for ever: a new one takes
 * the next free, wherever its line stands. */
#define REASON_MAP(X)                                                                              \
	X(CHOSEN, 1, "CHOSEN", "chosen")                                                           \
	X(NOT_REACHED, 2, "NOT_REACHED", "not reached")                                            \
	X(ROUTE_CLOSED, 3, "ROUTE_CLOSED", "this route is not open for this package")              \
	X(STATUS, 4, "STATUS", "not taking new work")                                              \
	X(RATING, 5, "RATING", "rating below what the policy allows")                              \
	X(NOT_COVERED, 6, "NOT_COVERED", "does not work in this sector")                           \
	X(SKILL, 7, "SKILL", "lacks a skill the person needs")                                     \
	X(GENDER, 8, "GENDER", "no carers of the gender required")                                 \
	X(LANGUAGE, 9, "LANGUAGE", "no carers with the language required")                         \
	X(EXCLUDED, 10, "EXCLUDED", "excluded for this person")                                    \
	X(PRICE_OVER_CEILING, 11, "PRICE_OVER_CEILING", "spot price above the ceiling")            \
	X(SHARE_CAP, 12, "SHARE_CAP", "would pass its share cap on this list")                     \
	X(HOURS_MAX, 13, "HOURS_MAX", "would pass its own limit of hours")                         \
	X(START_DATE, 14, "START_DATE", "cannot start by the latest safe start")                   \
	X(STARTS_A_DAY, 15, "STARTS_A_DAY", "has its full number of starts that day")              \
	X(CAPACITY_UNKNOWN, 16, "CAPACITY_UNKNOWN", "capacity unknown: its declaration has expired") \
	X(OVERHANG, 17, "OVERHANG", "over its own declaration; nothing new fits")                  \
	X(PAIR_SHORT, 18, "PAIR_SHORT", "too little paired time")                                  \
	X(TIME_SHORT, 19, "TIME_SHORT", "too little single time")                                  \
	X(HELD, 20, "HELD", "the room is held by an open offer")

/* The life of a package (DESIGN 5). The sentence is what an officer reads. */
#define STATE_MAP(X)                                                                               \
	X(SUBMITTED, 1, "submitted", "received, waiting for the rest of its bundle")               \
	X(SOURCING, 2, "sourcing", "being sourced")                                                \
	X(OFFERED, 3, "offered", "offered to providers")                                           \
	X(PROVISIONAL, 4, "provisional", "a provider is nominated, waiting for confirmation")      \
	X(PLACED, 5, "placed", "placed")                                                           \
	X(MOBILISING, 6, "mobilising", "placed, start being arranged")                             \
	X(LIVE, 7, "live", "care is being delivered")                                              \
	X(ENDED, 8, "ended", "care has ended")                                                     \
	X(ON_HOLD, 9, "on_hold", "on hold")                                                        \
	X(SUSPENDED, 10, "suspended", "care is suspended")                                         \
	X(UNSOURCED, 11, "unsourced", "nobody ranked could take it; the search stays open")        \
	X(WITHDRAWN, 12, "withdrawn", "withdrawn before care began")                               \
	X(VOID, 13, "void", "void")

#define WORDS_LIST(X)                                                                              \
	X(service, SERVICE, SERVICE_MAP)                                                           \
	X(group, GROUP, GROUP_MAP)                                                                 \
	X(band, BAND, BAND_MAP)                                                                    \
	X(route, ROUTE, ROUTE_MAP)                                                                 \
	X(status, STATUS, STATUS_MAP)                                                              \
	X(rating, RATING, RATING_MAP)                                                              \
	X(urgency, URGENCY, URGENCY_MAP)                                                           \
	X(risk, RISK, RISK_MAP)                                                                    \
	X(cover, COVER, COVER_MAP)                                                                 \
	X(gender, GENDER, GENDER_MAP)                                                              \
	X(funding, FUNDING, FUNDING_MAP)                                                           \
	X(regime, REGIME, REGIME_MAP)                                                              \
	X(role, ROLE, ROLE_MAP)                                                                    \
	X(pool_kind, POOL_KIND, POOL_KIND_MAP)                                                     \
	X(pool_mode, POOL_MODE, POOL_MODE_MAP)                                                     \
	X(award, AWARD, AWARD_MAP)                                                                 \
	X(confirmation, CONFIRMATION, CONFIRMATION_MAP)                                            \
	X(unknown_pool, UNKNOWN_POOL, UNKNOWN_POOL_MAP)                                            \
	X(round_outcome, ROUND_OUTCOME, ROUND_OUTCOME_MAP)                                         \
	X(reason, REASON, REASON_MAP)                                                              \
	X(state, STATE, STATE_MAP)

#define X(name, number, word, text) SERVICE_##name = number,
enum service { SERVICE_MAP(X) };
#undef X
#define X(name, number, word, text) GROUP_##name = number,
enum group { GROUP_MAP(X) };
#undef X
#define X(name, number, word, text) BAND_##name = number,
enum band { BAND_MAP(X) };
#undef X
#define X(name, number, word, text) ROUTE_##name = number,
enum route { ROUTE_MAP(X) };
#undef X
#define X(name, number, word, text) STATUS_##name = number,
enum status { STATUS_MAP(X) };
#undef X
#define X(name, number, word, text) RATING_##name = number,
enum rating { RATING_MAP(X) };
#undef X
#define X(name, number, word, text) URGENCY_##name = number,
enum urgency { URGENCY_MAP(X) };
#undef X
#define X(name, number, word, text) RISK_##name = number,
enum risk { RISK_MAP(X) };
#undef X
#define X(name, number, word, text) COVER_##name = number,
enum cover { COVER_MAP(X) };
#undef X
#define X(name, number, word, text) GENDER_##name = number,
enum gender { GENDER_MAP(X) };
#undef X
#define X(name, number, word, text) FUNDING_##name = number,
enum funding { FUNDING_MAP(X) };
#undef X
#define X(name, number, word, text) REGIME_##name = number,
enum regime { REGIME_MAP(X) };
#undef X
#define X(name, number, word, text) ROLE_##name = number,
enum role { ROLE_MAP(X) };
#undef X
#define X(name, number, word, text) POOL_KIND_##name = number,
enum pool_kind { POOL_KIND_MAP(X) };
#undef X
#define X(name, number, word, text) POOL_MODE_##name = number,
enum pool_mode { POOL_MODE_MAP(X) };
#undef X
#define X(name, number, word, text) AWARD_##name = number,
enum award { AWARD_MAP(X) };
#undef X
#define X(name, number, word, text) CONFIRMATION_##name = number,
enum confirmation { CONFIRMATION_MAP(X) };
#undef X
#define X(name, number, word, text) UNKNOWN_POOL_##name = number,
enum unknown_pool { UNKNOWN_POOL_MAP(X) };
#undef X
#define X(name, number, word, text) ROUND_OUTCOME_##name = number,
enum round_outcome { ROUND_OUTCOME_MAP(X) };
#undef X
#define X(name, number, word, text) REASON_##name = number,
enum reason { REASON_MAP(X) };
#undef X
#define X(name, number, word, text) +1
enum { REASON_LAST = 0 REASON_MAP(X) };
#undef X
#define X(name, number, word, text) STATE_##name = number,
enum state { STATE_MAP(X) };
#undef X

/* <name>_word(n), <name>_text(n): static strings, "?" for a number that is not in the list;
 * <name>_of(word): the number, or -1. */
#define X(name, NAME, map)                                                                         \
	const char *name##_word(int number);                                                       \
	const char *name##_text(int number);                                                       \
	int name##_of(const char *word);
WORDS_LIST(X)
#undef X
