/* commands.c — which command comes next: packages of the county's mix, bundles, and what happens to
 * them afterwards. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes pack_envelope(const Calloff__V1__Envelope *e)
{
	struct bytes b = {.len = (uint32_t)calloff__v1__envelope__get_packed_size(e)};

	b.at = malloc(b.len + 1);
	if (b.at == NULL)
		abort();
	calloff__v1__envelope__pack(e, b.at);
	return b;
}

static uint32_t below(struct worker *w, uint32_t bound)
{
	return generator_below(&w->generator, bound);
}

static void make_key(struct worker *w, struct command *c, Calloff__V1__Envelope *e)
{
	struct calloff_error error;

	if (calloff_key_new(&w->keys, c->key, &error) != CALLOFF_OK)
		violation(c, "the system gives random numbers", error.what);
	e->key = (ProtobufCBinaryData){CALLOFF_KEY_BYTES, c->key};
}

/* The second of a bundle is the first over again, for another person. */
static void make_partner(struct worker *w, struct command *c, Calloff__V1__Envelope *e)
{
	Calloff__V1__Envelope *first =
		calloff__v1__envelope__unpack(NULL, w->partner.len, w->partner.at);
	char person[40];

	snprintf(person, sizeof person, "%s-B",
		 first->submit_package_request->requirement->person_ref);
	free(first->submit_package_request->requirement->person_ref);
	first->submit_package_request->requirement->person_ref = person;
	e->body_case = first->body_case;
	e->submit_package_request = first->submit_package_request;
	c->request = pack_envelope(e);
	first->submit_package_request->requirement->person_ref = strdup("");
	calloff__v1__envelope__free_unpacked(first, NULL);
	free(w->partner.at);
	w->partner = (struct bytes){0};
}

/* One in fifty cannot be called off, each for a reason of its own. */
static void spoil(struct worker *w, Calloff__V1__Requirement *q)
{
	static char *skills[] = {(char *)(uintptr_t)"no_such_skill"};

	switch (below(w, 200)) {
	case 0:
		q->sector = (char *)(uintptr_t)"ZZ9 9";
		return;
	case 1:
		q->district = (char *)(uintptr_t)"Nowhere";
		return;
	case 2:
		q->skills = skills;
		q->n_skills = 1;
		return;
	case 3:
		q->start_date = (char *)(uintptr_t)"2020-02-29";
		return;
	default:
		return;
	}
}

static void make_submit(struct worker *w, struct command *c, Calloff__V1__Envelope *e)
{
	Calloff__V1__SubmitPackageRequest m = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
	Calloff__V1__Requirement *q;
	bool bundle = below(w, 100) < 4;
	char bundle_ref[40];

	c->kind = KIND_SUBMIT;
	if (w->partner.at != NULL) {
		make_partner(w, c, e);
		return;
	}
	q = (Calloff__V1__Requirement *)(uintptr_t)generator_next(&w->generator);
	spoil(w, q);
	if (bundle) {
		snprintf(bundle_ref, sizeof bundle_ref, "%s-B", q->household_ref);
		q->bundle_ref = bundle_ref;
		q->visits[0]->shared_with_bundle = true;
	}
	m.requirement = q;
	e->body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	e->submit_package_request = &m;
	c->request = pack_envelope(e);
	if (bundle)
		w->partner = pack_envelope(e);
	q->bundle_ref = (char *)(uintptr_t)protobuf_c_empty_string;
}

static void make_declare(struct worker *w, struct command *c, Calloff__V1__Envelope *e)
{
	static const uint32_t percents[] = {40, 80, 100, 100, 120, 150};
	Calloff__V1__DeclareCapacityRequest m = CALLOFF__V1__DECLARE_CAPACITY_REQUEST__INIT;
	Calloff__V1__Cell cells[CELLS_OF_POOL], *list[CELLS_OF_POOL];
	const struct pool *pool = &load.pools[below(w, load.pool_count)];
	uint32_t percent = percents[below(w, 6)];

	m.cells = list;
	for (uint32_t i = 0; i < CELLS_OF_POOL; i++) {
		Calloff__V1__Cell *cell = &cells[m.n_cells];

		if (pool->units[i] == 0)
			continue;
		calloff__v1__cell__init(cell);
		cell->day = i % 56 / 8 + 1;
		cell->band = (Calloff__V1__Band)(i % 8 + 1);
		cell->paired = i >= 56;
		cell->declared = pool->units[i] * percent / 100 * 5;
		list[m.n_cells++] = cell;
	}
	m.pool = (char *)(uintptr_t)pool->code;
	m.expires_us = w->generator.now_us + INT64_C(30) * 86400000000;
	c->kind = KIND_DECLARE;
	e->body_case = CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST;
	e->declare_capacity_request = &m;
	c->request = pack_envelope(e);
}

static void recent_put(struct worker *w, const char id[24])
{
	memcpy(w->recent[w->recent_count++ % RECENT_MAX], id, sizeof w->recent[0]);
}

bool command_only_reads(const struct command *c)
{
	return c->kind >= KIND_GET_PACKAGE;
}

/* How one package reads, mostly one that something is becoming of at this moment, or all of them counted. */
static void make_read(struct worker *w, struct command *c, Calloff__V1__Envelope *e)
{
	Calloff__V1__GetPackageRequest get = CALLOFF__V1__GET_PACKAGE_REQUEST__INIT;
	Calloff__V1__GetCountsRequest counts = CALLOFF__V1__GET_COUNTS_REQUEST__INIT;
	uint32_t known = w->recent_count < RECENT_MAX ? w->recent_count : RECENT_MAX;

	e->key = (ProtobufCBinaryData){0};
	if (known == 0 || below(w, 4) == 0) {
		c->kind = KIND_GET_COUNTS;
		e->body_case = CALLOFF__V1__ENVELOPE__BODY_GET_COUNTS_REQUEST;
		e->get_counts_request = &counts;
	} else {
		c->kind = KIND_GET_PACKAGE;
		get.package = w->open_count > 0 && below(w, 4) == 0 ? w->open[below(w, w->open_count)].id
								     : w->recent[below(w, known)];
		e->body_case = CALLOFF__V1__ENVELOPE__BODY_GET_PACKAGE_REQUEST;
		e->get_package_request = &get;
	}
	c->request = pack_envelope(e);
}

/* Something becomes of a package that this worker had acknowledged; now and then something its
 * state does not allow. */
static void make_change(struct worker *w, struct command *c, Calloff__V1__Envelope *e)
{
	Calloff__V1__ConfirmPackageRequest confirm = CALLOFF__V1__CONFIRM_PACKAGE_REQUEST__INIT;
	Calloff__V1__WithdrawPackageRequest withdraw = CALLOFF__V1__WITHDRAW_PACKAGE_REQUEST__INIT;
	Calloff__V1__EndPackageRequest end = CALLOFF__V1__END_PACKAGE_REQUEST__INIT;
	uint32_t i = below(w, w->open_count);
	struct open_package p = w->open[i];
	bool stay = below(w, 100) < 5;

	recent_put(w, p.id);
	if (!stay)
		w->open[i] = w->open[--w->open_count];
	if (p.state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PROVISIONAL && below(w, 3) != 0) {
		c->kind = KIND_CONFIRM;
		confirm.package = p.id;
		confirm.with_budget_authority = true;
		e->body_case = CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST;
		e->confirm_package_request = &confirm;
	} else if (p.state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PLACED ||
		   below(w, 10) == 0) {
		c->kind = KIND_END;
		end.package = p.id;
		end.reason = (char *)(uintptr_t) "not_needed";
		e->body_case = CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST;
		e->end_package_request = &end;
	} else {
		c->kind = KIND_WITHDRAW;
		withdraw.package = p.id;
		withdraw.reason = (char *)(uintptr_t) "not_needed";
		e->body_case = CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST;
		e->withdraw_package_request = &withdraw;
	}
	c->request = pack_envelope(e);
}

void command_make(struct worker *w, struct command *c)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	uint32_t draw = below(w, 100);

	make_key(w, c, &e);
	if (below(w, 100) < 4)
		make_read(w, c, &e);
	else if (w->open_count > 0 && atomic_load(&load.stopping))
		make_change(w, c, &e);
	else if (w->partner.at == NULL && draw < 1 && load.pool_count > 0)
		make_declare(w, c, &e);
	else if (w->partner.at == NULL && ((draw < 45 && w->open_count > 20) || w->open_count >= load.open_max))
		make_change(w, c, &e);
	else
		make_submit(w, c, &e);
}

/* The package is still there: one that can not be ended waits, one that can not be withdrawn is placed (a bundle's first
 * half, whose second placed both); what is wrong about that is refused again, and learned. */
static void learn_refused(struct worker *w, const struct command *c, const Calloff__V1__Status *refusal)
{
	struct open_package *p = &w->open[w->open_count];
	Calloff__V1__Envelope *e;

	if (!load.tidy || c->kind < KIND_CONFIRM || c->kind > KIND_END || w->open_count == OPEN_MAX ||
	    strcmp(refusal->reason, "UNKNOWN_PACKAGE") == 0)
		return;
	e = calloff__v1__envelope__unpack(NULL, c->request.len, c->request.at);
	if (c->kind == KIND_CONFIRM) {
		p->state = CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PROVISIONAL;
		strcpy(p->id, e->confirm_package_request->package);
	} else if (c->kind == KIND_WITHDRAW) {
		p->state = CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PLACED;
		strcpy(p->id, e->withdraw_package_request->package);
	} else {
		p->state = CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_UNSOURCED;
		strcpy(p->id, e->end_package_request->package);
	}
	calloff__v1__envelope__free_unpacked(e, NULL);
	w->open_count++;
}

void command_learn(struct worker *w, const struct command *c, const Calloff__V1__Envelope *reply)
{
	const Calloff__V1__Outcome *o = NULL;
	struct open_package *p = &w->open[w->open_count];

	if (reply->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS)
		learn_refused(w, c, reply->status);
	if (c->kind == KIND_SUBMIT &&
	    reply->body_case == CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE)
		o = reply->submit_package_response->outcome;
	if (c->kind == KIND_CONFIRM &&
	    reply->body_case == CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_RESPONSE)
		o = reply->confirm_package_response->outcome;
	if (o == NULL || w->open_count == OPEN_MAX || strlen(o->package) >= sizeof p->id)
		return;
	strcpy(p->id, o->package);
	p->state = o->state;
	recent_put(w, p->id);
	w->open_count++;
}
