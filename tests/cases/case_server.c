/* case_server.c — the story told to a whole server: a database of its own, a calloffd, and the client library.
 *
 * Needs PGHOST (tests/kit/cluster), and the paths of calloffd and sql/schema in CASE_ENGINE and CASE_SCHEMA.
 */
#include "case_sql.h"
#include "case_trace.h"

#include "calloff.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_WAIT_MS = 20000 };

static struct {
	char database[64], folder[64], socket[96], log[96];
	bool has_database;
	pid_t engine;
	struct calloff_client *client;
	struct calloff_key_source keys;
	char package_id[CASE_PACKAGES][32];
} run;

/* ---- start and stop; whatever happens, nothing is left ---- */

static void server_stop(void)
{
	calloff_close(run.client);
	run.client = NULL;
	if (run.engine > 0) {
		kill(run.engine, SIGTERM);
		waitpid(run.engine, NULL, 0);
		run.engine = 0;
	}
	if (run.folder[0] != '\0') {
		unlink(run.socket);
		unlink(run.log);
		rmdir(run.folder);
		run.folder[0] = '\0';
	}
	if (run.has_database) {
		run.has_database = false;
		sql_drop(run.database); /* last: where the cluster is gone it ends the process */
	}
}

static _Noreturn void server_fail(const char *what, const char *why)
{
	char line[512];
	FILE *f = fopen(run.log, "r");

	fprintf(stderr, "case_run: %s: %s\n", what, why);
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		fprintf(stderr, "  calloffd: %s", line);
	if (f != NULL)
		fclose(f);
	exit(2);
}

static const char *from_environment(const char *name, const char *mend)
{
	const char *value = getenv(name);

	if (value == NULL || *value == '\0') {
		fprintf(stderr, "case_run: %s is not set; mend: %s\n", name, mend);
		exit(2);
	}
	return value;
}

static void engine_start(void)
{
	const char *program = from_environment("CASE_ENGINE", "the path of calloffd");
	char socket_flag[128], database_flag[256];
	int log;

	snprintf(socket_flag, sizeof socket_flag, "--socket=%s", run.socket);
	snprintf(database_flag, sizeof database_flag, "--database=host=%s dbname=%s user=calloff_engine",
		 from_environment("PGHOST", "tests/kit/cluster COMMAND"), run.database);
	run.engine = fork();
	if (run.engine < 0)
		server_fail("fork", strerror(errno));
	if (run.engine > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	log = open(run.log, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (log < 0 || dup2(log, STDERR_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0)
		_exit(126);
	execl(program, program, socket_flag, database_flag, (char *)NULL);
	_exit(127);
}

static void server_open(struct case_file *c)
{
	struct calloff_options options = {.client_name = "case_run", .connect_wait_ms = CONNECT_WAIT_MS,
					  .patience_ms = CONNECT_WAIT_MS};
	struct calloff_error error;

	const char *migrations = from_environment("CASE_SCHEMA", "the path of sql/schema");

	from_environment("PGHOST", "run it as: tests/kit/cluster meson test --suite pg");
	from_environment("CASE_ENGINE", "the path of calloffd");
	atexit(server_stop);
	snprintf(run.folder, sizeof run.folder, "/tmp/calloff-case.XXXXXX");
	if (mkdtemp(run.folder) == NULL)
		server_fail("mkdtemp", strerror(errno));
	snprintf(run.socket, sizeof run.socket, "%s/s", run.folder);
	snprintf(run.log, sizeof run.log, "%s/log", run.folder);
	snprintf(run.database, sizeof run.database, "calloff_case_%d", (int)getpid());
	run.has_database = true;
	sql_make(c, run.database, migrations);
	engine_start();
	options.socket_path = run.socket;
	if (calloff_open(&options, &run.client, &error) != CALLOFF_OK)
		server_fail(error.what, error.why);
}

/* A reply, or NULL for a refusal by the rules, whose number is then in *ret_refusal. */
static const Calloff__V1__Envelope *call(Calloff__V1__Envelope *request, int *ret_refusal)
{
	const Calloff__V1__Envelope *reply;
	struct calloff_error error;
	uint8_t key[CALLOFF_KEY_BYTES];

	*ret_refusal = ERR_OK;
	if (calloff_is_command(request)) {
		if (calloff_key_new(&run.keys, key, &error) != CALLOFF_OK)
			server_fail(error.what, error.why);
		request->key = (ProtobufCBinaryData){sizeof key, key};
	}
	if (calloff_call(run.client, request, &reply, &error) == CALLOFF_OK)
		return reply;
	if (error.fault != CALLOFF_REFUSED)
		server_fail(error.what, error.why);
	*ret_refusal = error.number;
	return NULL;
}

/* ---- what is asked ---- */

static void date_of(int32_t day, char ret[11])
{
	time_t seconds = (time_t)day * CASE_DAY_SECONDS;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret, 11, "%Y-%m-%d", &tm);
}

static int32_t day_of(const char *date)
{
	struct tm tm = {0};

	return strptime(date, "%Y-%m-%d", &tm) != NULL ? (int32_t)(timegm(&tm) / CASE_DAY_SECONDS) : 0;
}

/* The requirement as a message, with the arrays that it borrows. */
struct asking {
	Calloff__V1__Requirement requirement;
	Calloff__V1__Visit visits[VISITS_MAX], *visit_list[VISITS_MAX];
	Calloff__V1__Band bands[VISITS_MAX][BANDS];
	Calloff__V1__Exclusion exclusions[EXCLUDED_MAX], *exclusion_list[EXCLUDED_MAX];
	char *skills[SKILLS_MAX];
	char start[11];
};

static char *chars(struct text t)
{
	return t.len > 0 ? (char *)t.bytes : (char *)"";
}

static void ask_visits(const struct requirement *q, struct asking *a)
{
	for (uint32_t i = 0; i < q->visit_count; i++) {
		Calloff__V1__Visit *v = a->visit_list[i] = &a->visits[i];

		calloff__v1__visit__init(v);
		v->days = q->visits[i].days;
		v->band = (Calloff__V1__Band)(q->visits[i].band + 1);
		v->also_bands = a->bands[i];
		for (int band = 0; band < BANDS; band++)
			if ((q->visits[i].bands >> band & 1) != 0 && band != q->visits[i].band)
				a->bands[i][v->n_also_bands++] = (Calloff__V1__Band)(band + 1);
		v->minutes = q->visits[i].minutes;
		v->carers = q->visits[i].carers;
		v->shared_with_bundle = q->visits[i].shared;
	}
	a->requirement.n_visits = q->visit_count;
	a->requirement.visits = a->visit_list;
}

static void ask(const struct requirement *q, struct asking *a)
{
	Calloff__V1__Requirement *r = &a->requirement;

	calloff__v1__requirement__init(r);
	r->case_ref = chars(q->case_ref);
	r->person_ref = chars(q->person_ref);
	r->bundle_ref = chars(q->bundle_ref);
	r->sector = chars(q->sector);
	r->district = chars(q->district);
	r->language = chars(q->language);
	r->service = (Calloff__V1__Service)q->service;
	r->client_group = (Calloff__V1__ClientGroup)q->client_group;
	r->carer_gender = (Calloff__V1__CarerGender)q->gender;
	r->urgency = (Calloff__V1__Urgency)q->urgency;
	r->risk = (Calloff__V1__Risk)q->risk;
	r->cover = (Calloff__V1__Cover)q->cover;
	r->latest_safe_start_us = q->latest_start_us;
	r->ceiling_pence_hour = q->ceiling_pence_hour;
	if (q->start_day > 0)
		date_of(q->start_day, a->start);
	r->start_date = a->start;
	for (uint32_t i = 0; i < q->skill_count; i++)
		a->skills[i] = chars(q->skills[i]);
	r->n_skills = q->skill_count;
	r->skills = a->skills;
	for (uint32_t i = 0; i < q->excluded_count; i++) {
		a->exclusion_list[i] = &a->exclusions[i];
		calloff__v1__exclusion__init(&a->exclusions[i]);
		a->exclusions[i].provider = chars(q->excluded[i].provider);
		a->exclusions[i].reason = chars(q->excluded[i].reason);
	}
	r->n_excluded = q->excluded_count;
	r->excluded = a->exclusion_list;
	ask_visits(q, a);
}

/* ---- the answers ---- */

static void told_decision(const Calloff__V1__Decision *d, struct told *ret)
{
	ret->decided = true;
	ret->outcome = round_outcome_of(d->outcome);
	ret->not_reached = (int)d->not_reached;
	for (size_t i = 0; i < d->n_candidates && i < LIST_ENTRIES_MAX; i++) {
		const Calloff__V1__Candidate *in = d->candidates[i];
		struct told_candidate *c = &ret->candidates[ret->candidate_count++];

		*c = (struct told_candidate){
			.route = (int)in->route, .tier = (int)in->tier, .rank = (int)in->rank, .reason = reason_of(in->reason),
			.cell = in->day > 0 ? (int)(in->day - 1) * BANDS + (int)in->band - 1 : -1,
			.need = (int)in->need, .free = (int)in->free, .paired = in->paired != 0,
		};
		snprintf(c->provider, sizeof c->provider, "%s", in->provider);
		/* which status is said in the sentence only */
		for (int status = STATUS_ACTIVE; c->reason == REASON_STATUS && status <= STATUS_FAILED; status++)
			if (strcmp(in->sentence, status_text(status)) == 0)
				c->status = status;
	}
}

static void server_explain(int package, struct told *ret)
{
	Calloff__V1__Envelope request = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ExplainPackageRequest explain = CALLOFF__V1__EXPLAIN_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int refusal;

	explain.package = run.package_id[package];
	request.body_case = CALLOFF__V1__ENVELOPE__BODY_EXPLAIN_PACKAGE_REQUEST;
	request.explain_package_request = &explain;
	reply = call(&request, &refusal);
	if (reply == NULL || reply->explain_package_response->n_decisions == 0)
		server_fail("explain", reply == NULL ? err_name(refusal) : "no decision");
	told_decision(reply->explain_package_response->decisions[reply->explain_package_response->n_decisions - 1], ret);
}

static void server_submit(struct case_event *e, struct told *ret)
{
	Calloff__V1__Envelope request = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubmitPackageRequest submit = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__Outcome *outcome;
	static struct asking asking;

	memset(&asking, 0, sizeof asking);
	ask(&e->event.submit, &asking);
	submit.requirement = &asking.requirement;
	request.body_case = CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_REQUEST;
	request.submit_package_request = &submit;
	reply = call(&request, &ret->refusal);
	if (reply == NULL)
		return;
	outcome = reply->submit_package_response->outcome;
	ret->budget_authority = outcome->budget_authority;
	snprintf(run.package_id[e->package], sizeof run.package_id[0], "%s", outcome->package);
	if (outcome->state != CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_SUBMITTED)
		server_explain(e->package, ret);
}

static void server_change(struct case_event *e, struct told *ret)
{
	Calloff__V1__Envelope request = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ConfirmPackageRequest confirm = CALLOFF__V1__CONFIRM_PACKAGE_REQUEST__INIT;
	Calloff__V1__WithdrawPackageRequest withdraw = CALLOFF__V1__WITHDRAW_PACKAGE_REQUEST__INIT;
	Calloff__V1__EndPackageRequest end = CALLOFF__V1__END_PACKAGE_REQUEST__INIT;
	char *id = run.package_id[e->package][0] != '\0' ? run.package_id[e->package] : (char *)"P-999999";

	confirm.package = withdraw.package = end.package = id;
	confirm.with_budget_authority = e->with_budget_authority;
	withdraw.reason = end.reason = (char *)"not_needed";
	if (e->event.type == EVENT_CONFIRM) {
		request.body_case = CALLOFF__V1__ENVELOPE__BODY_CONFIRM_PACKAGE_REQUEST;
		request.confirm_package_request = &confirm;
	} else if (e->event.type == EVENT_WITHDRAW) {
		request.body_case = CALLOFF__V1__ENVELOPE__BODY_WITHDRAW_PACKAGE_REQUEST;
		request.withdraw_package_request = &withdraw;
	} else {
		request.body_case = CALLOFF__V1__ENVELOPE__BODY_END_PACKAGE_REQUEST;
		request.end_package_request = &end;
	}
	call(&request, &ret->refusal);
}

static void server_declare(struct case_event *e, struct told *ret)
{
	Calloff__V1__Envelope request = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__DeclareCapacityRequest declare = CALLOFF__V1__DECLARE_CAPACITY_REQUEST__INIT;
	static Calloff__V1__Cell cells[2 * CELLS], *list[2 * CELLS];
	char available_from[11] = "";

	for (uint32_t i = 0; i < 2 * CELLS; i++) {
		uint32_t minutes = e->event.declare.declared[i / CELLS][i % CELLS];
		Calloff__V1__Cell *cell = &cells[declare.n_cells];

		if (minutes == 0)
			continue;
		calloff__v1__cell__init(cell);
		cell->day = i % CELLS / BANDS + 1;
		cell->band = (Calloff__V1__Band)(i % BANDS + 1);
		cell->paired = i >= CELLS;
		cell->declared = minutes;
		list[declare.n_cells++] = cell;
	}
	if (e->event.declare.available_from_day > 0)
		date_of(e->event.declare.available_from_day, available_from);
	declare.cells = list;
	declare.pool = chars(e->event.declare.pool);
	declare.expires_us = e->event.declare.expires_us;
	declare.available_from = available_from;
	request.body_case = CALLOFF__V1__ENVELOPE__BODY_DECLARE_CAPACITY_REQUEST;
	request.declare_capacity_request = &declare;
	call(&request, &ret->refusal);
}

static void server_step(struct case_file *c, struct case_event *e, struct told *ret)
{
	(void)c;
	*ret = (struct told){0};
	if (e->event.type == EVENT_SUBMIT)
		server_submit(e, ret);
	else if (e->event.type == EVENT_DECLARE)
		server_declare(e, ret);
	else
		server_change(e, ret);
}

/* ---- what it holds ---- */

static void look_package(int package, struct seen_package *ret)
{
	Calloff__V1__Envelope request = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__GetPackageRequest get = CALLOFF__V1__GET_PACKAGE_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	const Calloff__V1__Package *p;
	const Calloff__V1__Placement *m;
	int refusal;

	get.package = run.package_id[package];
	request.body_case = CALLOFF__V1__ENVELOPE__BODY_GET_PACKAGE_REQUEST;
	request.get_package_request = &get;
	reply = call(&request, &refusal);
	if (reply == NULL || reply->get_package_response->n_packages != 1)
		server_fail("get package", err_name(refusal));
	p = reply->get_package_response->packages[0];
	ret->state = (int)p->state;
	if (p->n_placements == 0)
		return;
	m = p->placements[0];
	ret->role = (int)m->role;
	ret->minutes_week = (int)m->carer_minutes_week;
	ret->pence_week = (int)m->price_pence_week;
	ret->interim_days = m->exit_date[0] != '\0' ? day_of(m->exit_date) - day_of(m->start_date) : 0;
	snprintf(ret->provider, sizeof ret->provider, "%s", m->provider);
	for (size_t i = 0; i < m->n_bands && i < VISITS_MAX; i++)
		ret->bands[ret->band_count++] = (uint8_t)(m->bands[i] - 1);
}

static void look_pools(const struct case_file *c, struct snapshot *ret)
{
	Calloff__V1__Envelope request = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ListPoolsRequest list = CALLOFF__V1__LIST_POOLS_REQUEST__INIT;
	const Calloff__V1__Envelope *reply;
	int refusal;

	request.body_case = CALLOFF__V1__ENVELOPE__BODY_LIST_POOLS_REQUEST;
	request.list_pools_request = &list;
	reply = call(&request, &refusal);
	if (reply == NULL)
		server_fail("list pools", err_name(refusal));
	for (size_t p = 0; p < reply->list_pools_response->n_pools; p++) {
		const Calloff__V1__Pool *pool = reply->list_pools_response->pools[p];

		for (uint32_t i = 0; i < c->rows.pools_count; i++) {
			if (strcmp(c->pools[i].code, pool->pool) != 0)
				continue;
			for (size_t n = 0; n < pool->n_cells; n++) {
				const Calloff__V1__Cell *cell = pool->cells[n];
				uint32_t at = (cell->day - 1) * BANDS + (uint32_t)cell->band - 1;

				ret->pools[i].declared[cell->paired ? 1 : 0][at] = (int)cell->declared;
				ret->pools[i].committed[cell->paired ? 1 : 0][at] = (int)cell->committed;
			}
		}
	}
}

static void server_look(struct case_file *c, struct snapshot *ret)
{
	memset(ret, 0, sizeof *ret);
	for (int i = 0; i < c->package_count; i++)
		if (run.package_id[i][0] != '\0')
			look_package(i, &ret->packages[i]);
	look_pools(c, ret);
}

const struct case_engine case_server_engine = {"server", server_open, server_step, server_look, server_stop};
