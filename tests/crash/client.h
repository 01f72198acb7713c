/* client.h — the clients of the crash test: pipelined commands that survive any loss of the engine.
 *
 * Shape:   one thread a connection, each over its own libcalloff client that repairs nothing by
 * itself (no_resend), so that what was sent, lost, sent again and acknowledged is seen here and
 * kept in a history. History: one struct command each, in the order made; bytes are the packed
 * Envelope as first sent, first_reply the first acknowledgement. A later acknowledgement of the
 * same key must equal the first, byte for byte. Units:   ns of CLOCK_MONOTONIC. Owner:   a worker
 * owns everything it points to; the main thread reads it after the worker has been joined.
 */
#pragma once

#include "calloff.h"
#include "generator.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	COMMANDS_MAX = 1 << 18,
	OPEN_MAX = 4096,
	LOSSES_MAX = 1 << 16,
	CELLS_OF_POOL = 112,
	POOLS_KEPT = 2048,
	RECENT_MAX = 64,
	REASONS_MAX = 64, /* above every number of the error table */
	SOCKETS_MAX = 4
};

/* The last two only read: they have no key, and one that is lost is not sent again. */
enum command_kind {
	KIND_SUBMIT,
	KIND_CONFIRM,
	KIND_WITHDRAW,
	KIND_END,
	KIND_DECLARE,
	KIND_GET_PACKAGE,
	KIND_GET_COUNTS
};

struct bytes {
	uint32_t len;
	uint8_t *at;
};

struct command {
	uint8_t key[CALLOFF_KEY_BYTES];
	uint8_t kind;
	uint16_t sent, acknowledged;
	bool waiting; /* in the line to be sent again */
	bool lost;    /* at least once unanswered when a connection ended */
	bool given_up; /* lost, and never sent again: nobody knows */
	struct bytes request, first_reply;
	int64_t first_sent_ns, first_reply_ns;
};

struct loss { /* this command was unanswered when a connection ended */
	uint32_t command;
	int64_t at_ns;
};

struct reason { /* commands answered without a receipt, by their error number */
	char name[40];
	uint64_t count;
};

struct open_package {
	char id[24];
	Calloff__V1__PackageState state;
};

struct pool {
	char code[33];
	uint16_t units[CELLS_OF_POOL]; /* 56 single, 56 paired, as first declared */
};

struct worker {
	pthread_t thread;
	uint32_t number;
	struct calloff_client *client;
	struct calloff_key_source keys;
	struct generator generator;
	struct command *commands;
	uint32_t command_count;
	struct loss *losses;
	uint32_t loss_count;
	uint32_t *line, line_from, line_to; /* commands to be sent again: a ring of COMMANDS_MAX */
	uint32_t by_slot[CALLOFF_IN_FLIGHT_MAX];
	struct open_package open[OPEN_MAX];
	uint32_t open_count;
	uint32_t socket; /* the one it uses, of load.sockets */
	bool moves;      /* on to the next: this engine does not serve */
	char recent[RECENT_MAX][24]; /* packages that something has become of, or is becoming: a ring */
	uint32_t recent_count;
	int64_t started_ns;
	int64_t quiet_until_ns;
	bool repeating;
	uint32_t repeated, answered_otherwise;
	struct reason reasons[REASONS_MAX];
	struct bytes partner;
};

struct load {
	const char *socket_path; /* or several: "a,b" */
	const char *sockets[SOCKETS_MAX];
	uint32_t socket_count;
	const char *sectors, *pools_path, *history_path, *progress_path;
	uint32_t workers, depth;
	uint32_t abandon;  /* one in so many lost commands is given up; 0 none */
	uint32_t rate;     /* new commands a second of all workers; 0 as fast as they are answered */
	uint32_t open_max; /* packages a worker leaves open */
	uint32_t tidy;     /* 1: at the end every package is withdrawn or ended */
	bool may_forget;   /* the database may: a second answer to a key need not equal the first */
	uint64_t seed;
	struct pool pools[POOLS_KEPT];
	uint32_t pool_count;
	_Atomic uint64_t *acknowledged; /* shared with the runner */
	_Atomic int stopping;
};

extern struct load load;

int64_t now_ns(void);
/* Says which rule is broken and ends the process: the first violation is the finding. */
void violation(const struct command *c, const char *rule, const char *detail)
	__attribute__((noreturn));
struct bytes pack_envelope(const Calloff__V1__Envelope *e);
/* commands.c: fills the next command, request packed with its key. */
void command_make(struct worker *w, struct command *c);
bool command_only_reads(const struct command *c);
/* commands.c: what its acknowledgement opens for later commands. */
void command_learn(struct worker *w, const struct command *c, const Calloff__V1__Envelope *reply);
/* worker.c */
void *worker_run(void *worker);
