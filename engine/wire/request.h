/* request.h — one Envelope from outside, checked and turned into the engine's own words.
 *
 * Shape:   a frame's body -> struct request: a core event, or a query. Protobuf structs go no further.
 * Errors:  ERR_NOT_DECODED, ERR_NO_BODY, ERR_INVALID_FIELD (violations name field, problem), ERR_KEY_*.
 * Owner:   texts lie in the arena that was given to request_parse.
 * Privacy: references that look like NHS numbers are refused here.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "core/event.h"

#include <stddef.h>

#define REQUEST_MAP(X)                                                                             \
	X(HELLO)                                                                                   \
	X(COMMAND)                                                                                 \
	X(GET_PACKAGE)                                                                             \
	X(EXPLAIN_PACKAGE)                                                                         \
	X(LIST_PACKAGES)                                                                           \
	X(LIST_POOLS)                                                                              \
	X(LIST_LOTS)                                                                               \
	X(GET_LIST)                                                                                \
	X(LIST_PROVIDERS)                                                                          \
	X(GET_COUNTS)                                                                              \
	X(GET_HEALTH)                                                                              \
	X(GET_STATS)                                                                               \
	X(READ_JOURNAL)                                                                            \
	X(SUBSCRIBE)

enum request_kind {
#define X(name) REQUEST_##name,
	REQUEST_MAP(X)
#undef X
};

enum { VIOLATIONS_MAX = 16, STATES_MAX = 16 };

struct violation {
	char field[48];
	char problem[80];
};

struct query {
	int64_t package_no;    /* get, explain */
	struct text case_ref;  /* get */
	struct text code;      /* get_list: the list; list_pools: the provider; hello: the client */
	struct text after;     /* paging by code */
	int64_t after_no;      /* paging by number; journal and subscription: after this seq */
	uint32_t limit;        /* rows a page, already bounded */
	uint32_t state_mask;   /* list_packages */
	uint32_t protocol;     /* hello */
};

struct request {
	enum request_kind kind;
	uint64_t id;
	int64_t deadline_us;
	uint32_t shard;
	uint8_t key[16];
	char sector[8]; /* the sector as the engine writes it: event.submit.sector points here */
	bool dry_run;
	uint32_t violation_count;
	struct violation violations[VIOLATIONS_MAX];
	struct query query;
	struct event event; /* COMMAND; seq, now_us and principal are stamped by the pump */
};

/* ret->id is set as soon as the envelope could be read, so that a refusal can name the request. */
enum err request_parse(struct arena *arena, const uint8_t *body, size_t len, struct request *ret) ERR_MUST_CHECK;
/* Milliseconds since 1970 in a UUIDv7. */
int64_t request_key_ms(const uint8_t key[16]);
/* "P-10482" -> 10482; -1 when it is not a package id. */
int64_t package_no_of(struct text id);
