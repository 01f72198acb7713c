/* submit.c — a new package: where it is, what it asks, and the whole decision beside the model's. */
#include "replay.h"

#include "../../engine/base/err.h" /* the numbers of refusals, nothing else */
#include "../model/model_inside.h"

#include <stdlib.h>
#include <string.h>

enum { START_DAYS_AHEAD_MAX = 60 };

static int refusal_of(int refusal)
{
	static const int errors[MODEL_REFUSAL_N] = {
		[MODEL_ACCEPTED] = ERR_OK,
		[MODEL_UNKNOWN_SECTOR] = ERR_UNKNOWN_SECTOR,
		[MODEL_UNKNOWN_DISTRICT] = ERR_UNKNOWN_DISTRICT,
		[MODEL_SECTOR_NOT_IN_DISTRICT] = ERR_SECTOR_NOT_IN_DISTRICT,
		[MODEL_SECTOR_NEEDS_DISTRICT] = ERR_SECTOR_NEEDS_DISTRICT,
		[MODEL_SECTOR_OUTSIDE_LOTS] = ERR_SECTOR_OUTSIDE_LOTS,
		[MODEL_NO_LIST] = ERR_NO_LIST,
		[MODEL_BUNDLE_MISMATCH] = ERR_BUNDLE_MISMATCH,
		[MODEL_NOT_OFFERED] = ERR_NOT_OFFERED,
		[MODEL_CAPACITY_KIND] = ERR_CAPACITY_KIND,
	};

	return errors[refusal];
}

/* ---- the package as the model takes it ---- */

static int today_of(const struct record *e)
{
	return (int)(e->now_us / DAY_US);
}

/* Where it is; a code that is not known becomes a number that is not there. */
static void place_read(const struct record *e, struct model_package *p)
{
	p->sector = county_sector(e->texts[TEXT_SECTOR]);
	if (p->sector == 0)
		p->sector = county.market.sector_n + 1;
	if (e->texts[TEXT_DISTRICT].len > 0) {
		p->district = county_district(e->texts[TEXT_DISTRICT]);
		if (p->district == 0)
			p->district = county.market.district_n + 1;
	}
}

/* Skills, language and excluded providers by their codes: ERR_OK or which is not known. */
static int words_read(const struct record *e, struct model_package *p)
{
	for (int i = 0; i < e->skill_n; i++) {
		int skill = county_skill(e->skills[i]);

		if (skill < 0)
			return ERR_UNKNOWN_SKILL;
		p->skills |= 1u << skill;
	}
	if (e->texts[TEXT_LANGUAGE].len > 0) {
		p->language = county_language(e->texts[TEXT_LANGUAGE]);
		if (p->language == 0)
			return ERR_UNKNOWN_LANGUAGE;
	}
	for (int i = 0; i < e->excluded_n; i++) {
		int provider = county_provider(e->excluded[i]);

		if (provider == 0)
			return ERR_UNKNOWN_PROVIDER;
		p->excluded[p->excluded_n++] = provider;
	}
	return ERR_OK;
}

static int dates_read(const struct record *e, struct model_package *p)
{
	int today = today_of(e);

	p->start_day = e->start_day == 0 ? today : e->start_day;
	p->latest_safe_start_seconds = e->latest_start_us / 1000000;
	if (p->start_day < today)
		return ERR_START_PAST;
	if (p->start_day > today + START_DAYS_AHEAD_MAX)
		return ERR_START_TOO_FAR;
	return e->latest_start_us > 0 && e->latest_start_us / DAY_US < p->start_day ? ERR_INVALID_FIELD : ERR_OK;
}

static void package_of(const struct record *e, struct model_package *p)
{
	memset(p, 0, sizeof *p);
	p->number = (int)e->seq;
	p->service = e->service;
	p->group = e->group;
	p->gender = e->gender;
	p->urgency = e->urgency;
	p->risk = e->risk;
	p->cover = e->cover;
	p->ceiling_pence_hour = e->ceiling_pence_hour;
	p->visit_n = e->visit_n;
	for (int i = 0; i < e->visit_n; i++)
		p->visits[i] = (struct model_visit){
			.days = (unsigned)e->visits[i].days,
			.bands = (unsigned)e->visits[i].bands,
			.minutes = e->visits[i].minutes,
			.carers = e->visits[i].carers,
			.shared = e->visits[i].shared,
		};
	place_read(e, p);
}

/* ---- its row, behind number, state and changed_seq ---- */

static long long code_of(const struct record_visit *v, int service, int travel_minutes)
{
	int units = service == SERVICE_PERSONAL_CARE ? (v->minutes + travel_minutes + 4) / 5 : 1;
	int lowest = 0;

	while (!(v->bands >> lowest & 1))
		lowest++;
	return v->days | lowest << 7 | (v->carers == 2) << 10 | units << 11;
}

static long long facts_of(const struct record_visit *v)
{
	return v->bands | v->shared << 8 | v->time_critical << 9 | v->tolerance_minutes << 10 | v->minutes << 18 |
	       (long long)v->carers << 29;
}

static void list_put(FILE *to, const long long *numbers, int count)
{
	fputc('{', to);
	for (int i = 0; i < count; i++)
		fprintf(to, "%s%lld", i > 0 ? "," : "", numbers[i]);
	fputs("}", to);
}

static char *columns_of(const struct record *e, const struct model_package *p, int list, int travel_minutes)
{
	static const int refs[] = {TEXT_CASE, TEXT_PERSON, TEXT_HOUSEHOLD, TEXT_BUNDLE, TEXT_OWNER};
	long long codes[RECORD_VISITS_MAX], facts[RECORD_VISITS_MAX], excluded[RECORD_EXCLUDED_MAX];
	int district = p->district != 0 ? p->district : county.market.sectors[p->sector - 1].districts[0];
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		cannot_judge("out of memory");
	for (int i = 0; i < e->visit_n; i++) {
		codes[i] = code_of(&e->visits[i], e->service, travel_minutes);
		facts[i] = facts_of(&e->visits[i]);
	}
	for (int i = 0; i < p->excluded_n; i++)
		excluded[i] = p->excluded[i];
	for (int i = 0; i < 5; i++)
		fprintf(to, "%.*s\t", e->texts[refs[i]].len, e->texts[refs[i]].at);
	fprintf(to, "%d\t%d\t%d\t%d\t%d\t1\t", list, p->sector, district, e->service, e->group);
	list_put(to, codes, e->visit_n);
	fputc('\t', to);
	list_put(to, facts, e->visit_n);
	fprintf(to, "\t%u\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%lld\t%d\t%lld\t%lld\t%d\t", p->skills, e->gender, p->language,
		e->urgency, e->risk, e->cover, e->funding, e->regime, e->prerequisites, (long long)e->need_arose_us, p->start_day,
		(long long)e->latest_start_us, (long long)e->cover_until_us, e->ceiling_pence_hour);
	list_put(to, excluded, p->excluded_n);
	if (fclose(to) != 0)
		cannot_judge("out of memory");
	return text;
}

/* ---- the decision ---- */

static int compare_candidate(const struct record *e, int i, const struct model_candidate *m, const struct model_entry *entry)
{
	const struct record_candidate *c = &e->candidates[i];

	seen.candidates++;
	SAME_AT(i, "provider of candidate", m->provider, c->provider);
	SAME_AT(i, "route of candidate", m->route, c->route);
	SAME_AT(i, "tier of candidate", entry->tier, c->tier);
	SAME_AT(i, "rank of candidate", entry->rank, c->rank);
	SAME_AT(i, "reason of candidate", m->reason, c->reason);
	if (m->reason == REASON_STATUS)
		SAME_AT(i, "status of candidate", m->status, c->detail);
	SAME_AT(i, "cell and plane of candidate", m->cell < 0 ? 255 : m->cell * 2 + m->plane, c->cell_plane);
	SAME_AT(i, "need of candidate", m->need, c->need);
	SAME_AT(i, "free of candidate", m->free, c->free);
	return 1;
}

static int compare_decision(const struct record *e, const struct model_call *call, const struct model_result *r)
{
	const struct model_list *list = &county.market.lists[r->list - 1];
	int looked_at = r->winner_index < 0 ? r->candidate_n : r->winner_index + 1;

	seen.decisions++;
	SAME("rounds", call->package_n, e->round_n);
	for (int i = 0; i < call->package_n; i++) {
		SAME_AT(i, "package of round", call->packages[i].number, e->rounds[i].package);
		SAME_AT(i, "requirement version of round", 1, e->rounds[i].requirement_version);
	}
	SAME("list", list->list, e->list);
	SAME("version of the list", list->version, e->list_version);
	SAME("policy", county.list_policy[r->list - 1], e->policy);
	SAME("candidates looked at", looked_at, e->looked_at);
	SAME("candidates not reached", r->candidate_n - looked_at, e->not_reached);
	for (int i = 0; i < looked_at; i++)
		if (!compare_candidate(e, i, &r->candidates[i], &list->entries[r->candidates[i].entry]))
			return 0;
	SAME("outcome of the round", r->outcome, e->outcome);
	SAME("candidates told", looked_at, e->told.looked_at);
	SAME("confirm by", r->confirm_by_seconds == 0 ? 0 : e->now_us + (r->confirm_by_seconds - e->now_us) * 1000000,
	     e->told.confirm_by_us);
	SAME("needs budget authority", r->role == ROLE_MAIN && r->ceiling_pence_hour != 0 &&
	     r->price_pence_hour > r->ceiling_pence_hour, e->told.budget_authority);
	SAME("simulated", r->winner != 0, e->told.simulated);
	SAME("placements made", r->winner != 0 ? call->package_n : 0, e->made_n);
	return 1;
}

/* Applies what the model decided, and compares what it then holds with what the record says was made. */
static int keep(const struct record *e, const struct model_call *call, const struct model_result *r)
{
	struct model_market *m = &county.market;
	const struct model_entry *entry;
	int first = m->placement_n;

	if (r->winner == 0) {
		SAME("provider told", 0, e->told.provider);
		return 1;
	}
	if (first + 2 > MODEL_PLACEMENTS_MAX)
		cannot_judge("more than %d live placements", MODEL_PLACEMENTS_MAX);
	entry = &m->lists[r->list - 1].entries[r->candidates[r->winner_index].entry];
	model_apply(m, call, r);
	for (int i = 0; i < call->package_n; i++) {
		placement_added(first + i, e->seq, entry->tier, entry->rank, county.list_policy[r->list - 1]);
		seen.placements++;
		if (!compare_made(e, &e->made[i], first + i))
			return 0;
	}
	return compare_told_placement(e, first + call->package_n - 1);
}

static int compare_fresh(const struct record *e, const struct model_package *p, int list, int state)
{
	SAME("new packages", 1, e->new_n);
	SAME("new package", p->number, e->fresh.package);
	SAME("package told", p->number, e->told.package);
	SAME("state of the new package", state, e->fresh.state);
	SAME("state told", state, e->told.state);
	SAME("list of the new package", list, e->fresh.list);
	SAME("sector of the new package", p->sector, e->fresh.sector);
	SAME("start day of the new package", p->start_day, e->fresh.start_day);
	SAME("visits of the new package", p->visit_n, e->fresh.visit_n);
	return 1;
}

static void rounds_write(const struct record *e)
{
	for (int i = 0; i < e->round_n; i++)
		fprintf(rows_file, "round\t%lld\t%lld\t%d\t%d\t%d\t%d\t%d\t%d\n", (long long)e->rounds[i].package,
			(long long)e->seq, e->rounds[i].requirement_version, e->list, e->list_version, e->policy, e->outcome,
			e->looked_at);
}

/* ---- one event ---- */

/* The refusal of a package by itself, and the version of its list. Bundles come later. */
static int refusal_alone(const struct record *e, struct model_package *p, int *version)
{
	int refusal = refusal_of(model_list_choose(&county.market, p, e->now_us, version));

	if (refusal == ERR_OK && county.policies[county.list_policy[*version - 1]].award != AWARD_DIRECT)
		refusal = ERR_NOT_OFFERED;
	if (refusal == ERR_OK)
		refusal = words_read(e, p);
	return refusal == ERR_OK ? dates_read(e, p) : refusal;
}

static int refuse(const struct record *e, int refusal)
{
	seen.refusals++;
	SAME("refusal", refusal, e->told.refusal);
	return compare_nothing_done(e);
}

/* The first of a bundle waits. */
static int wait_for_partner(const struct record *e, const struct model_package *p, int list, char *columns)
{
	struct person *person;

	if (!compare_fresh(e, p, list, STATE_SUBMITTED))
		return 0;
	SAME("rounds of one that waits", 0, e->round_n);
	person = person_add(e->seq, STATE_SUBMITTED, columns);
	person->package = malloc(sizeof *p);
	if (person->package == NULL)
		cannot_judge("out of memory");
	*person->package = *p;
	return 1;
}

static int call_off(const struct record *e, struct model_call *call, int list, char *columns, struct touched *t)
{
	struct person *waiting = call->package_n == 2 ? person_find(call->packages[0].number) : NULL;
	struct model_result r;

	model_choose(&county.market, call, &r);
	if (r.refusal != MODEL_ACCEPTED) {
		free(columns);
		return refuse(e, refusal_of(r.refusal));
	}
	SAME("refusal", ERR_OK, e->told.refusal);
	if (!compare_fresh(e, &call->packages[call->package_n - 1], list, r.state) || !compare_decision(e, call, &r) ||
	    !keep(e, call, &r))
		return 0;
	person_add(e->seq, r.state, columns);
	SAME("changes", waiting != NULL, e->change_n);
	if (waiting != NULL) {
		SAME("package changed", waiting->number, e->changes[0].package);
		SAME("state changed to", r.state, e->changes[0].to);
		person_state(waiting, r.state);
		waiting->changed_seq = e->seq;
		free(waiting->package);
		waiting->package = NULL;
		touch(t, waiting->number);
	}
	rounds_write(e);
	return 1;
}

int event_submit(const struct record *e, struct touched *t)
{
	struct model_call call = {.now_seconds = e->now_us, .package_n = 1};
	struct model_package p;
	struct bundle *bundle = NULL;
	struct person *waiting = NULL;
	int version, refusal, list;
	char *columns;

	package_of(e, &p);
	refusal = refusal_alone(e, &p, &version);
	if (refusal != ERR_OK)
		return refuse(e, refusal);
	county_policy_of(version - 1);
	list = county.market.lists[version - 1].list;
	touch(t, e->seq);
	if (e->texts[TEXT_BUNDLE].len > 0) {
		bundle = bundle_of(e->texts[TEXT_BUNDLE]);
		waiting = person_find(bundle->first);
		if ((waiting != NULL && waiting->state != STATE_SUBMITTED) || person_find(bundle->second) != NULL)
			return refuse(e, ERR_BUNDLE_FULL);
	}
	columns = columns_of(e, &p, list, county.market.policy.travel_minutes_visit);
	call.packages[0] = p;
	if (bundle != NULL && waiting == NULL) {
		SAME("refusal", ERR_OK, e->told.refusal);
		bundle->first = e->seq;
		bundle->second = 0;
		return wait_for_partner(e, &p, list, columns);
	}
	if (waiting != NULL) {
		call.package_n = 2;
		call.packages[1] = p;
		call.packages[0] = *waiting->package;
	}
	if (!call_off(e, &call, list, columns, t))
		return 0;
	if (waiting != NULL && e->told.refusal == ERR_OK)
		bundle->second = e->seq;
	return 1;
}
