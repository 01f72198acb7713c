#include "wire/reply.h"

#include "base/check.h"
#include "calloff/v1/envelope.pb-c.h"
#include "core/record.h"
#include "core/words.h"
#include "wire/frame.h"
#include "wire/reply_parts.h"

#include <stdio.h>
#include <string.h>

void *reply_array(const struct reply *r, size_t count, size_t size)
{
	void *p = arena_array(r->scratch, count == 0 ? 1 : count, size);

	INSIST(p != NULL); /* pages are bounded, scratch is sized for the largest */
	return p;
}

char *reply_text(const struct reply *r, struct text t)
{
	char *s = reply_array(r, (size_t)t.len + 1, 1);

	memcpy(s, t.bytes, t.len);
	return s;
}

char *reply_package_id(const struct reply *r, int64_t package_no)
{
	char *s = reply_array(r, 24, 1);

	snprintf(s, 24, "P-%lld", (long long)package_no);
	return s;
}

/* Civil date of days since 1970-01-01 (Hinnant's formula). */
char *reply_date(const struct reply *r, int32_t day)
{
	int32_t z = day + 719468, era = z / 146097, doe = z - era * 146097;
	int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int32_t mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
	char *s = reply_array(r, 40, 1);

	snprintf(s, 40, "%04d-%02d-%02d", yoe + era * 400 + (m <= 2), m, d);
	return s;
}

char *reply_provider(const struct reply *r, int32_t provider_no)
{
	uint32_t p = r->framework != NULL ? framework_find_provider_no(r->framework, provider_no) : UINT32_MAX;

	return (char *)(p != UINT32_MAX ? r->framework->providers[p].code : "");
}

char *reply_list_code(const struct reply *r, int32_t list_no)
{
	uint32_t l = r->framework != NULL ? framework_find_list(r->framework, list_no, 0) : UINT32_MAX;

	return (char *)(l != UINT32_MAX ? r->framework->lists[l].code : "");
}

char *reply_pool_code(const struct reply *r, int32_t pool_no)
{
	uint32_t p = r->framework != NULL ? framework_find_pool_no(r->framework, pool_no) : UINT32_MAX;

	return (char *)(p != UINT32_MAX ? r->framework->pools[p].code : "");
}

Calloff__V1__Receipt *reply_receipt(const struct reply *r, const struct receipt *receipt)
{
	Calloff__V1__Receipt *m;

	if (receipt == NULL)
		return NULL;
	m = reply_array(r, 1, sizeof *m);
	calloff__v1__receipt__init(m);
	m->shard = r->shard;
	m->seq = receipt->seq;
	m->leaf = (ProtobufCBinaryData){sizeof receipt->leaf, (uint8_t *)receipt->leaf};
	m->row_hash = (ProtobufCBinaryData){sizeof receipt->row_hash, (uint8_t *)receipt->row_hash};
	return m;
}

void reply_send(const struct reply *r, Calloff__V1__Envelope *e)
{
	size_t len;
	uint8_t *to;

	e->request_id = r->request_id;
	e->shard = r->shard;
	len = calloff__v1__envelope__get_packed_size(e);
	if (len > FRAME_REPLY_BYTES_MAX) {
		reply_status(r, ERR_TOO_BIG, NULL, 0);
		return;
	}
	to = buf_reserve(r->out, FRAME_HEAD_BYTES + len);
	frame_put_head(to, len);
	calloff__v1__envelope__pack(e, to + FRAME_HEAD_BYTES);
	r->out->to += FRAME_HEAD_BYTES + len;
}

static void status_fill(Calloff__V1__Status *s, int why)
{
	calloff__v1__status__init(s);
	s->code = (uint32_t)err_code(why);
	s->reason = (char *)err_name(why);
	s->number = (uint32_t)why;
	s->what = (char *)err_what(why);
	s->mend = (char *)err_mend(why);
	s->retry_same_key = err_retry(why) == ERR_RETRY_SAME;
}

void reply_status(const struct reply *r, enum err why, const struct request *violations, uint32_t retry_after_ms)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__Status s;
	size_t count = violations != NULL ? violations->violation_count : 0;

	arena_reset(r->scratch);
	status_fill(&s, (int)why);
	s.retry_after_ms = retry_after_ms;
	if (why == ERR_DEPOSED && r->elsewhere != NULL)
		s.active_endpoint = (char *)(uintptr_t)r->elsewhere;
	s.n_violations = count;
	s.violations = reply_array(r, count, sizeof *s.violations);
	for (size_t i = 0; i < count; i++) {
		Calloff__V1__FieldViolation *v = reply_array(r, 1, sizeof *v);

		calloff__v1__field_violation__init(v);
		v->field = (char *)violations->violations[i].field;
		v->problem = (char *)violations->violations[i].problem;
		s.violations[i] = v;
	}
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_STATUS;
	e.status = &s;
	reply_send(r, &e);
}

/* A refusal by the rules: a stored outcome, so it has a receipt. */
static void reply_refusal(const struct reply *r, const struct outcome *o, const struct receipt *receipt)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__FieldViolation v = CALLOFF__V1__FIELD_VIOLATION__INIT, *list[] = {&v};
	Calloff__V1__Status s;

	status_fill(&s, o->refusal);
	s.receipt = reply_receipt(r, receipt);
	if (o->field[0] != '\0') {
		v.field = (char *)o->field;
		v.problem = (char *)(o->refusal == ERR_WRONG_STATE ? state_text(o->state) : s.what);
		s.violations = list;
		s.n_violations = 1;
	}
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_STATUS;
	e.status = &s;
	reply_send(r, &e);
}

static void reply_capacity_declared(const struct reply *r, const struct outcome *o, const struct receipt *receipt)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__DeclareCapacityResponse m = CALLOFF__V1__DECLARE_CAPACITY_RESPONSE__INIT;

	m.cells_over = o->cells_over;
	m.receipt = reply_receipt(r, receipt);
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_RESPONSE;
	e.declare_capacity_response = &m;
	reply_send(r, &e);
}

static Calloff__V1__Outcome *outcome_message(const struct reply *r, const struct outcome *o)
{
	Calloff__V1__Outcome *m = reply_array(r, 1, sizeof *m);
	Calloff__V1__Placement *p;

	calloff__v1__outcome__init(m);
	m->package = o->package_no > 0 ? reply_package_id(r, o->package_no) : (char *)"";
	m->state = (Calloff__V1__PackageState)o->state;
	m->simulated = o->simulated;
	m->budget_authority = o->budget_authority;
	m->looked_at = o->looked_at;
	m->confirm_by_us = o->confirm_by_us;
	if (o->provider_no == 0)
		return m;
	p = reply_array(r, 1, sizeof *p);
	calloff__v1__placement__init(p);
	p->role = (Calloff__V1__PlacementRole)o->role;
	p->provider = reply_provider(r, o->provider_no);
	p->route = (Calloff__V1__Route)o->route;
	p->tier = o->tier;
	p->rank = o->rank;
	p->list = reply_list_code(r, o->list_no);
	p->pool = reply_pool_code(r, o->pool_no);
	p->price_pence_week = o->price_pence_week;
	p->carer_minutes_week = o->carer_minutes_week;
	p->start_date = reply_date(r, o->start_day);
	p->exit_date = o->exit_day > 0 ? reply_date(r, o->exit_day) : (char *)"";
	p->n_bands = o->band_count;
	p->bands = reply_array(r, o->band_count, sizeof *p->bands);
	for (uint32_t i = 0; i < o->band_count; i++)
		p->bands[i] = (Calloff__V1__Band)(o->bands[i] + 1);
	m->placement = p;
	return m;
}

void reply_outcome(const struct reply *r, const struct outcome *o, const struct receipt *receipt)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubmitPackageResponse m = CALLOFF__V1__SUBMIT_PACKAGE_RESPONSE__INIT;

	arena_reset(r->scratch);
	if (o->refusal != 0) {
		reply_refusal(r, o, receipt);
		return;
	}
	if (o->type == EVENT_DECLARE) {
		reply_capacity_declared(r, o, receipt);
		return;
	}
	/* the four responses have the same two fields: one message serves, under the body each asked for */
	m.outcome = outcome_message(r, o);
	m.receipt = reply_receipt(r, receipt);
	e.submit_package_response = &m;
	switch ((enum event_type)o->type) {
	case EVENT_SUBMIT:
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE;
		break;
	case EVENT_CONFIRM:
		m.base.descriptor = &calloff__v1__confirm_package_response__descriptor;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_RESPONSE;
		break;
	case EVENT_WITHDRAW:
		m.base.descriptor = &calloff__v1__withdraw_package_response__descriptor;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_RESPONSE;
		break;
	case EVENT_END:
		m.base.descriptor = &calloff__v1__end_package_response__descriptor;
		e.body_case = CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_RESPONSE;
		break;
	case EVENT_DECLARE:
		UNREACHABLE();
	}
	reply_send(r, &e);
}

void reply_hello(const struct reply *r, const char *principal, const uint32_t *shards, size_t shard_count,
		 int64_t framework_version, int64_t clock_us)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__HelloResponse m = CALLOFF__V1__HELLO_RESPONSE__INIT;

	m.protocol = 1;
	m.engine = (char *)"calloffd";
	m.shards = (uint32_t *)(uintptr_t)shards;
	m.n_shards = shard_count;
	m.principal = (char *)principal;
	m.role = (char *)"officer";
	m.rules_version = RULES_VERSION;
	m.framework_version = framework_version;
	m.clock_us = clock_us;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_HELLO_RESPONSE;
	e.hello_response = &m;
	reply_send(r, &e);
}

void reply_health(const struct reply *r, const struct health_view *h)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetHealthResponse m = CALLOFF__V1__GET_HEALTH_RESPONSE__INIT;

	m.state = (char *)h->state;
	m.epoch = h->epoch;
	m.last_seq = h->last_seq;
	m.framework_version = h->framework_version;
	m.uptime_us = h->uptime_us;
	m.last_commit_age_us = h->last_commit_age_us;
	m.state_age_us = h->state_age_us;
	m.reason = (char *)h->reason;
	m.note = (char *)h->note;
	m.schema_version = h->schema_version;
	m.framework_version_live = h->framework_version_live;
	m.waiting = h->waiting;
	m.connections = h->connections;
	m.engine = (char *)(uintptr_t)h->engine;
	m.active_engine = (char *)(uintptr_t)h->active_engine;
	m.active_endpoint = (char *)(uintptr_t)h->active_endpoint;
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_HEALTH_RESPONSE;
	e.get_health_response = &m;
	reply_send(r, &e);
}

static Calloff__V1__Histogram *reply_histogram(const struct reply *r, const struct histogram_view *v)
{
	Calloff__V1__Histogram *m = reply_array(r, 1, sizeof *m);

	calloff__v1__histogram__init(m);
	m->name = (char *)v->name;
	m->unit = (char *)v->unit;
	m->text = (char *)v->text;
	m->count = v->hist->count;
	m->sum = v->hist->sum;
	m->p50 = hist_quantile(v->hist, 500);
	m->p90 = hist_quantile(v->hist, 900);
	m->p99 = hist_quantile(v->hist, 990);
	m->p999 = hist_quantile(v->hist, 999);
	m->max = v->hist->max;
	m->below_power_of_two = reply_array(r, HIST_POWERS, sizeof *m->below_power_of_two);
	while (m->n_below_power_of_two < HIST_POWERS) {
		int64_t below = hist_below(v->hist, (int)m->n_below_power_of_two);

		if (below == v->hist->count)
			break;
		m->below_power_of_two[m->n_below_power_of_two++] = below;
	}
	return m;
}

void reply_stats(const struct reply *r, const struct counter_view *counters, size_t counter_count,
		 const struct histogram_view *histograms, size_t histogram_count)
{
	Calloff__V1__Envelope e = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetStatsResponse m = CALLOFF__V1__GET_STATS_RESPONSE__INIT;

	arena_reset(r->scratch);
	m.counters = reply_array(r, counter_count, sizeof *m.counters);
	m.n_counters = counter_count;
	for (size_t i = 0; i < counter_count; i++) {
		m.counters[i] = reply_array(r, 1, sizeof **m.counters);
		calloff__v1__counter__init(m.counters[i]);
		m.counters[i]->name = (char *)counters[i].name;
		m.counters[i]->text = (char *)counters[i].text;
		m.counters[i]->value = counters[i].value;
	}
	m.histograms = reply_array(r, histogram_count, sizeof *m.histograms);
	m.n_histograms = histogram_count;
	for (size_t i = 0; i < histogram_count; i++)
		m.histograms[i] = reply_histogram(r, &histograms[i]);
	e.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_STATS_RESPONSE;
	e.get_stats_response = &m;
	reply_send(r, &e);
}
