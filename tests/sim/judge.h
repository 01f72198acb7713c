/* judge.h — what must always be true (DESIGN 2), looked at with every commit that can not be lost any more and every reply.
 *
 * Shape:   follows the log: decodes each record, decides it again with a core of its own (the same bytes must come out),
 *          asks the independent model of tests/model, compares every reason, the tables and the state; checks the chain.
 * Errors:  sim_violation.
 * Owner:   one static judge; its market is the one that clients draw from.
 */
#pragma once

#include "clients.h"
#include "postgres.h"

void judge_begin(const struct model_market *market);
struct model_market *judge_market(void);
/* For postgres_ops. */
void judge_on_durable(const struct log_entry *e);
void judge_on_state_read(const struct loaded *l);
/* For engine_ops. */
void judge_on_followed(int engine, const struct core *core, const struct fence *level);
/* A reply leaves an engine: what it says must already be so for ever. */
void judge_on_reply(const struct command *c, uint32_t body, enum err why, const struct outcome *outcome,
		    const struct receipt *receipt);
/* A package to act on, mostly one that lives: 0 when there is none yet. */
int64_t judge_some_package(void);
/* Placements that live, which the model has room for only so many of. */
int judge_live(void);
/* After everything has healed. */
void judge_end(void);
struct judge_counts {
	int64_t events, batches, take_overs, hand_overs, edits, placements, refusals, loads, followed;
};
struct judge_counts judge_counts(void);
