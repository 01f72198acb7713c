/* clients.h — five to fifty people and systems: commands with UUIDv7 keys, sent until they are answered for good.
 *
 * Shape:   a client has several commands under way; it retries with the same key after silence or UNAVAILABLE, changes engine,
 *          sends some twice at once, repeats some that were answered, and misuses some keys for another request.
 *          A command is drawn from the judge's market as it then stands.
 * Told:    an answer is for good when its error says neither SAME nor, for a key out of time, a new key (err.h).
 * Owner:   one static crowd; commands live in the run's memory.
 */
#pragma once

#include "engine.h"
#include "settings.h"

struct command {
	int no, client; /* no: from 1 */
	uint8_t key[16];
	int64_t key_ms;
	enum event_type type;
	struct model_package package; /* submit */
	int bundle;                   /* 0: none */
	struct model_declaration *declaration;
	int64_t package_no; /* confirm, withdraw, end */
	bool with_budget_authority;
	/* what is sent: the second body misuses the key */
	uint32_t body_count;
	struct {
		const uint8_t *event;
		uint32_t event_len;
		uint8_t hash[16];
		bool sent;
	} bodies[2];
	int64_t acked_before; /* the highest seq that anybody had been told when it was first sent */
	int64_t seq;          /* the judge's: where the journal has it */
	int body_acted;
	bool told;            /* told for good, by OK */
	bool done;
	int tries;
	struct receipt receipt; /* as told; the outcome is the judge's to compare */
};

void clients_begin(int clients, int commands);
/* A key that came up in the journal; NULL: nobody sent it. */
struct command *clients_find(const uint8_t key[16]);
/* For engine_ops. */
void clients_on_reply(int engine, const struct op *op, enum err why, const struct outcome *outcome,
		      const struct receipt *receipt);
struct command *clients_command(uint64_t request_id);
int clients_open(void);
bool clients_all_sent(void);
/* Lets the crowd jump its clocks: one of them, so many us. */
void clients_jump_clock(int64_t by_us);
const uint8_t *clients_poison(void);
struct clients_counts {
	int64_t commands, told, repeated, retries, again; /* again: told the same once more */
	int64_t errors[64];                               /* answers, by enum err */
};
struct clients_counts clients_counts(void);
