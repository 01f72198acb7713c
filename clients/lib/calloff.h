/* calloff.h — talk to a calloff engine: one blocking connection, many requests in flight.
 *
 * Shape:   at most CALLOFF_IN_FLIGHT_MAX unanswered requests; replies come in any order, matched by request_id.
 * Units:   _ms milliseconds on the monotonic clock; instants on the wire in us UTC.
 * Engines: where several serve a shard in turn, the one that has it is found: along the list, and by what the others say.
 * Retry:   a command keeps its key, so a lost connection or an UNAVAILABLE is repaired here: connect again, send
 *          every unanswered request again in its first order, within patience_ms and attempts_max.
 * Errors:  every call returns an enum calloff_fault and fills struct calloff_error: what, why and how to mend.
 * Owner:   the client owns its replies: one reply lives until the next calloff_receive, calloff_call or calloff_close.
 * Loop:    poll(2); frames are gathered and written together when the caller waits for a reply. Not for two threads.
 */
#pragma once

#include "calloff/v1/envelope.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLOFF_SOCKET_DEFAULT "/run/calloff/calloff.sock"

enum {
	CALLOFF_PROTOCOL = 1,
	CALLOFF_KEY_BYTES = 16,
	CALLOFF_IN_FLIGHT_MAX = 4096,
	CALLOFF_REPLY_BYTES_MAX = 16 * 1024 * 1024,  /* one frame from the engine */
	CALLOFF_UNPACK_BYTES_MAX = 64 * 1024 * 1024, /* protobuf-c amplifies: this is the cap */
};

enum calloff_fault {
	CALLOFF_OK = 0,
	CALLOFF_MISUSE,      /* this request cannot be sent as it is */
	CALLOFF_UNREACHABLE, /* nobody answers, or not again in time */
	CALLOFF_LOST,        /* the connection ended, and the caller asked not to resend */
	CALLOFF_GARBLED,     /* what came is not this protocol */
	CALLOFF_REFUSED,     /* the engine answered with a Status: number, code and reason are set */
	CALLOFF_SYSTEM,      /* the operating system refused */
};

struct calloff_error {
	enum calloff_fault fault;
	int number;    /* of the error table, engine/base/err.h */
	unsigned code; /* google.rpc.Code */
	bool retry_same_key;
	uint32_t retry_after_ms;
	char reason[40]; /* its name: WRONG_STATE */
	char what[240];
	char why[400]; /* may be empty */
	char mend[240];
};

/* All zero is a good choice: the default socket, retries on. */
struct calloff_options {
	const char *socket_path; /* or several: "a.sock,b.sock"; NULL: $CALLOFF_SOCKET, else CALLOFF_SOCKET_DEFAULT */
	const char *client_name; /* for the engine's log */
	const char *acting_for;  /* the person a trusted gateway speaks for */
	uint32_t shard;          /* 0: the engine's only one */
	int connect_wait_ms;     /* how long to wait for an engine that does not listen yet */
	int timeout_ms;          /* silence that counts as a lost connection; 0: 30 s; -1: wait for ever */
	int patience_ms;         /* how long to try to connect again; 0: 30 s */
	unsigned attempts_max;   /* how often one request is sent; 0: 12 */
	bool no_resend;          /* report UNAVAILABLE and lost connections instead of repairing them */
};

struct calloff_client;

struct calloff_reply {
	uint64_t request_id;
	const Calloff__V1__Envelope *envelope; /* its body may be a Status */
};

#define CALLOFF_MUST_CHECK __attribute__((warn_unused_result))

CALLOFF_MUST_CHECK enum calloff_fault calloff_open(const struct calloff_options *options,
						   struct calloff_client **ret_client,
						   struct calloff_error *error);
/* Takes NULL. Unanswered requests are forgotten. */
void calloff_close(struct calloff_client *client);
/* What the engine said of itself at the last connect. */
const Calloff__V1__HelloResponse *calloff_hello(const struct calloff_client *client);

/* Queues one request; nothing is written before 64 KiB have gathered or a reply is waited for.
 * A command (submit, confirm, withdraw, end, declare) must carry a key. request_id is set here. */
CALLOFF_MUST_CHECK enum calloff_fault calloff_send(struct calloff_client *client,
						   const Calloff__V1__Envelope *request,
						   uint64_t *ret_request_id, struct calloff_error *error);
size_t calloff_in_flight(const struct calloff_client *client);
/* Waits for the next reply, a Status included. A subscription stays in flight; every other request is answered once.
 * Requires: something is in flight. A fault here concerns the connection: all in flight stay unanswered. */
CALLOFF_MUST_CHECK enum calloff_fault
calloff_receive(struct calloff_client *client, struct calloff_reply *ret_reply, struct calloff_error *error);
/* One request, one reply; a Status becomes CALLOFF_REFUSED. Requires: nothing else is in flight. */
CALLOFF_MUST_CHECK enum calloff_fault calloff_call(struct calloff_client *client,
						   const Calloff__V1__Envelope *request,
						   const Calloff__V1__Envelope **ret_reply,
						   struct calloff_error *error);

/* A command acts, and needs a key; everything else only reads. */
bool calloff_is_command(const Calloff__V1__Envelope *request);

/* UUIDv7, strictly rising within one source. Zero it before the first use. */
struct calloff_key_source {
	uint64_t last_ms;
	uint32_t counter;
};
CALLOFF_MUST_CHECK enum calloff_fault calloff_key_new(struct calloff_key_source *source,
						      uint8_t ret_key[CALLOFF_KEY_BYTES],
						      struct calloff_error *error);
/* 018f...-....-7...: 36 characters and a NUL. */
void calloff_key_format(const uint8_t key[CALLOFF_KEY_BYTES], char ret_text[37]);
bool calloff_key_parse(const char *text, uint8_t ret_key[CALLOFF_KEY_BYTES]);

/* Fills an error; why may be NULL. Returns fault, so that a caller can return it. */
enum calloff_fault calloff_error_set(struct calloff_error *error, enum calloff_fault fault, const char *what,
				     const char *why, const char *mend);
enum calloff_fault calloff_error_from_status(struct calloff_error *error, const Calloff__V1__Status *status);
