#include "explain_text.h"

#include "base/limits.h"
#include "outcome.h"
#include "package.h"
#include "visits.h"

#include <inttypes.h>
#include <string.h>

#define PHRASE(type, value) format_phrase(&calloff__v1__##type##__descriptor, (int)(value)).s
#define LOUD(type, value) format_loud(&calloff__v1__##type##__descriptor, (int)(value)).s

static const char *const explain_days[DAYS] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static const char *explain_paint(const struct cli *cli, const char *code)
{
	return cli->colour ? code : "";
}

#define BOLD(cli) explain_paint(cli, "\033[1m")
#define RED(cli) explain_paint(cli, "\033[31m")
#define GREEN(cli) explain_paint(cli, "\033[32m")
#define AMBER(cli) explain_paint(cli, "\033[33m")
#define PLAIN(cli) explain_paint(cli, "\033[0m")

static void explain_head(const struct cli *cli, const Calloff__V1__Package *p,
			 const Calloff__V1__Requirement *r)
{
	fputs(BOLD(cli), cli->out);
	format_clean(cli->out, p->package);
	fprintf(cli->out, "%s  ", PLAIN(cli));
	if (r->district[0] != '\0') {
		format_clean(cli->out, r->district);
		fputs(" / ", cli->out);
	}
	fprintf(cli->out, "%s / ", PHRASE(service, r->service));
	format_clean(cli->out, r->sector);
	if (r->urgency != 0)
		fprintf(cli->out, "   %s", PHRASE(urgency, r->urgency));
	if (r->need_arose_us != 0)
		fprintf(cli->out, "   need arose %s", format_day(r->need_arose_us).s);
	if (r->latest_safe_start_us != 0)
		fprintf(cli->out, "   latest safe start %s", format_when(r->latest_safe_start_us).s);
	else if (r->start_date[0] != '\0')
		fprintf(cli->out, "   start %s", format_date(r->start_date).s);
	putc('\n', cli->out);
}

/* "tea|bed 30x2 (time-critical +-30, went to bed)" */
static void explain_visit(const struct cli *cli, const Calloff__V1__Visit *v, Calloff__V1__Band went)
{
	const char *comma = "";

	fprintf(cli->out, "%s", PHRASE(band, v->band));
	for (size_t i = 0; i < v->n_also_bands; i++)
		fprintf(cli->out, "|%s", PHRASE(band, v->also_bands[i]));
	fprintf(cli->out, " %u", v->minutes);
	if (v->carers > 1)
		fprintf(cli->out, "x%u", v->carers);
	if (!v->time_critical && v->tolerance_minutes == 0 && !v->shared_with_bundle &&
	    (went == 0 || went == v->band))
		return;
	fputs(" (", cli->out);
	if (v->time_critical) {
		fputs("time-critical", cli->out);
		comma = " ";
	}
	if (v->tolerance_minutes > 0) {
		fprintf(cli->out, "%s+-%u", comma, v->tolerance_minutes);
	}
	comma = v->time_critical || v->tolerance_minutes > 0 ? ", " : "";
	if (v->shared_with_bundle) {
		fprintf(cli->out, "%sshared with the bundle", comma);
		comma = ", ";
	}
	if (went != 0 && went != v->band)
		fprintf(cli->out, "%swent to %s", comma, PHRASE(band, went));
	fputs(")", cli->out);
}

static unsigned explain_day_count(uint32_t days)
{
	return (unsigned)__builtin_popcount(days & 127);
}

static void explain_visits(const struct cli *cli, const Calloff__V1__Requirement *r,
			   const Calloff__V1__Placement *p)
{
	uint64_t done = 0;
	int64_t minutes = 0, carer_minutes = 0;

	for (size_t i = 0; i < r->n_visits && i < 64; i++) {
		char days[40];
		const char *comma = "";

		if ((done >> i & 1) != 0)
			continue;
		visits_format_days(days, sizeof days, r->visits[i]->days, true);
		fprintf(cli->out, "%s%s: ", i > 0 ? "\n" : "", days);
		for (size_t j = i; j < r->n_visits && j < 64; j++) {
			const Calloff__V1__Visit *v = r->visits[j];
			int64_t week = (int64_t)explain_day_count(v->days) * v->minutes;

			if (v->days != r->visits[i]->days)
				continue;
			fputs(comma, cli->out);
			explain_visit(cli, v, p != NULL && j < p->n_bands ? p->bands[j] : 0);
			comma = ", ";
			done |= (uint64_t)1 << j;
			minutes += week;
			carer_minutes += week * v->carers;
		}
	}
	if (r->n_visits == 0)
		fputs("No visits: the referral is incomplete", cli->out);
	else
		fprintf(cli->out, " = %s visits, %s carer time a week", format_hours(minutes).s,
			format_hours(carer_minutes).s);
	putc('\n', cli->out);
}

static void explain_wishes(const struct cli *cli, const Calloff__V1__Requirement *r)
{
	const char *gap = "Needs: ";

	for (size_t i = 0; i < r->n_skills; i++) {
		fputs(gap, cli->out);
		format_clean(cli->out, r->skills[i]);
		gap = ", ";
	}
	if (r->carer_gender != 0) {
		fprintf(cli->out, "%s%s carers", gap, PHRASE(carer_gender, r->carer_gender));
		gap = ", ";
	}
	if (r->language[0] != '\0') {
		fprintf(cli->out, "%slanguage ", gap);
		format_clean(cli->out, r->language);
		gap = ", ";
	}
	if (r->needs_equipment || r->needs_key_safe) {
		fprintf(cli->out, "%s%s%s%s before the start", gap, r->needs_equipment ? "equipment" : "",
			r->needs_equipment && r->needs_key_safe ? " and " : "",
			r->needs_key_safe ? "a key safe" : "");
		gap = ", ";
	}
	for (size_t i = 0; i < r->n_excluded; i++) {
		fprintf(cli->out, "%snot ", gap);
		format_clean(cli->out, r->excluded[i]->provider);
		gap = ", ";
	}
	if (strcmp(gap, ", ") == 0)
		putc('\n', cli->out);
}

static void explain_circumstances(const struct cli *cli, const Calloff__V1__Requirement *r)
{
	const char *gap = "";

	if (r->cover != 0) {
		bool none = r->cover == CALLOFF__V1__COVER__COVER_NONE;

		fprintf(cli->out, "Cover now: %s%s%s", none ? RED(cli) : "", PHRASE(cover, r->cover),
			none ? PLAIN(cli) : "");
		if (r->cover_until_us != 0)
			fprintf(cli->out, " until %s", format_when(r->cover_until_us).s);
		gap = "      ";
	}
	if (r->risk != 0) {
		const char *paint = r->risk == CALLOFF__V1__RISK__RISK_RED     ? RED(cli)
				    : r->risk == CALLOFF__V1__RISK__RISK_AMBER ? AMBER(cli)
									       : GREEN(cli);

		fprintf(cli->out, "%sRisk %s%s%s", gap, paint, LOUD(risk, r->risk), PLAIN(cli));
		gap = "      ";
	}
	if (r->owner_ref[0] != '\0') {
		fprintf(cli->out, "%sOwner ", gap);
		format_clean(cli->out, r->owner_ref);
		gap = "      ";
	}
	if (r->bundle_ref[0] != '\0') {
		fprintf(cli->out, "%sBundle ", gap);
		format_clean(cli->out, r->bundle_ref);
		gap = "      ";
	}
	if (gap[0] != '\0')
		putc('\n', cli->out);
	explain_wishes(cli, r);
}

/* Above the ceiling an officer may confirm only with budget authority. */
static bool explain_needs_budget(const Calloff__V1__Package *package)
{
	const Calloff__V1__Placement *p = package_placement(package);
	uint64_t ceiling = package->requirement != NULL ? package->requirement->ceiling_pence_hour : 0;

	return p != NULL && ceiling > 0 &&
	       package->state == CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PROVISIONAL &&
	       (uint64_t)p->price_pence_week * 60 > ceiling * p->carer_minutes_week + 30;
}

static void explain_state(const struct cli *cli, const Calloff__V1__Package *package)
{
	static const struct {
		Calloff__V1__PackageState state;
		const char *waiting;
	} waits[] = {
		{CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_SUBMITTED,
		 "Waiting for: the other package of its bundle"},
		{CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PROVISIONAL,
		 "Waiting for: an officer's confirmation"},
		{CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_UNSOURCED,
		 "The search stays open: freed or newly declared "
		 "capacity is offered to it first"},
		{CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_PLACED, "Waiting for: the start to be arranged"},
	};

	fprintf(cli->out, "%s%s%s", BOLD(cli), LOUD(package_state, package->state), PLAIN(cli));
	for (size_t i = 0; i < package->n_placements; i++) {
		const Calloff__V1__Placement *p = package->placements[i];

		fputs(i > 0 ? "; " : " ", cli->out);
		if (p->role != CALLOFF__V1__PLACEMENT_ROLE__PLACEMENT_ROLE_MAIN)
			fprintf(cli->out, "%s ", PHRASE(placement_role, p->role));
		format_clean(cli->out, p->provider);
		if (p->route == CALLOFF__V1__ROUTE__ROUTE_FRAMEWORK)
			fprintf(cli->out, ", tier %u rank %u", p->tier, p->rank);
		else
			fprintf(cli->out, ", %s", LOUD(route, p->route));
		fprintf(cli->out, ", from %s", format_date(p->start_date).s);
		if (p->exit_date[0] != '\0')
			fprintf(cli->out, " until %s", format_date(p->exit_date).s);
	}
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		if (waits[i].state == package->state)
			fprintf(cli->out, ".  %s", waits[i].waiting);
	}
	if (explain_needs_budget(package))
		fputs(", with budget authority: the price is above the ceiling", cli->out);
	putc('\n', cli->out);
}

static int explain_place_width(const Calloff__V1__Decision *d, int *ret_provider_width)
{
	int width = 4;

	*ret_provider_width = 0;
	for (size_t i = 0; i < d->n_candidates; i++) {
		const Calloff__V1__Candidate *c = d->candidates[i];
		int place = (int)strlen(outcome_place(c->route, c->tier, c->rank).s);
		int provider = (int)strnlen(c->provider, ID_BYTES_MAX);

		width = place > width ? place : width;
		*ret_provider_width = provider > *ret_provider_width ? provider : *ret_provider_width;
	}
	return width;
}

/* The engine's sentence; where it sent none, the code and the cell. */
static void explain_reason(const struct cli *cli, const Calloff__V1__Candidate *c)
{
	if (c->sentence[0] != '\0') {
		format_clean(cli->out, c->sentence);
	} else {
		format_clean(cli->out, c->reason);
		if (c->day >= 1 && c->day <= DAYS)
			fprintf(cli->out, ": %s %s needs %u, has %u", explain_days[c->day - 1],
				PHRASE(band, c->band), c->need, c->free);
	}
	if (c->clause[0] != '\0') {
		fputs(" [", cli->out);
		if (c->clause[0] >= '0' && c->clause[0] <= '9')
			fputs("cl ", cli->out);
		format_clean(cli->out, c->clause);
		putc(']', cli->out);
	}
}

/* The policy's text ends in its award style and its confirmation: "lah25 v4: direct, officer". Direct means that the
 * provider's binding declaration is its yes. */
static const char *explain_whose_yes(const Calloff__V1__Decision *d)
{
	const char *style = strrchr(d->policy, ':');

	if (style == NULL)
		return "";
	if (strstr(style, "direct") != NULL)
		return "  SIMULATED: by its declaration; nobody was asked";
	return "";
}

static void explain_candidates(const struct cli *cli, const Calloff__V1__Decision *d)
{
	int provider_width, place_width = explain_place_width(d, &provider_width);

	for (size_t i = 0; i < d->n_candidates; i++) {
		const Calloff__V1__Candidate *c = d->candidates[i];
		bool chosen = strcmp(c->reason, "CHOSEN") == 0;
		size_t width;

		fprintf(cli->out, "%-*s ", place_width, outcome_place(c->route, c->tier, c->rank).s);
		width = format_clean(cli->out, c->provider);
		fprintf(cli->out, "%*s  ", width < (size_t)provider_width ? provider_width - (int)width : 0,
			"");
		if (chosen) {
			fprintf(cli->out, "%sCHOSEN%s%s\n", GREEN(cli), PLAIN(cli), explain_whose_yes(d));
			continue;
		}
		fputs("passed over  ", cli->out);
		explain_reason(cli, c);
		putc('\n', cli->out);
	}
	if (d->not_reached > 0)
		fprintf(cli->out, "not reached: %u, ranked below\n", d->not_reached);
}

/* Nobody ranked could take it: who was closest, and by how much? */
static void explain_nearest(const struct cli *cli, const Calloff__V1__Decision *d)
{
	const Calloff__V1__Candidate *best = NULL;

	for (size_t i = 0; i < d->n_candidates; i++) {
		const Calloff__V1__Candidate *c = d->candidates[i];

		if (c->day == 0 || c->day > DAYS || c->need <= c->free)
			continue;
		if (best == NULL || c->need - c->free < best->need - best->free)
			best = c;
	}
	if (best == NULL)
		return;
	fputs("Nearest: ", cli->out);
	format_clean(cli->out, best->provider);
	fprintf(cli->out, " (%s) lacks %u at %s %s, its first short cell\n",
		outcome_place(best->route, best->tier, best->rank).s, best->need - best->free,
		explain_days[best->day - 1], PHRASE(band, best->band));
}

static void explain_decision_head(const struct cli *cli, const Calloff__V1__Decision *d)
{
	fputs("List ", cli->out);
	format_clean(cli->out, d->list);
	fprintf(cli->out, " v%u   Policy ", d->list_version);
	format_clean(cli->out, d->policy);
	fprintf(cli->out, "   Rules v%u", d->rules_version);
	if (d->requirement_version > 0)
		fprintf(cli->out, "   Requirement v%u", d->requirement_version);
	fprintf(cli->out, "   Decided %s\n", format_when(d->decided_us).s);
}

static void explain_money(const struct cli *cli, const Calloff__V1__Requirement *r,
			  const Calloff__V1__Placement *p)
{
	if (p == NULL)
		return;
	fprintf(cli->out, "Price: %s a week for %s of carer time", format_money(p->price_pence_week).s,
		format_hours(p->carer_minutes_week).s);
	if (p->carer_minutes_week > 0)
		fprintf(cli->out, ", %s an hour",
			format_money(((int64_t)p->price_pence_week * 60 + p->carer_minutes_week / 2) /
				     p->carer_minutes_week)
				.s);
	if (r->ceiling_pence_hour > 0)
		fprintf(cli->out, " of %s authorised", format_money(r->ceiling_pence_hour).s);
	putc('\n', cli->out);
}

static void explain_receipt(const struct cli *cli, const Calloff__V1__Decision *d)
{
	if (d->receipt != NULL && d->receipt->leaf.len > 0)
		fprintf(cli->out, "receipt %" PRId64 " %s\n", d->receipt->seq,
			format_hex(d->receipt->leaf, 4).s);
	else
		fprintf(cli->out, "journal %" PRId64 "\n", d->seq);
}

/* An earlier round in one line. */
static void explain_fold(const struct cli *cli, const Calloff__V1__Decision *d)
{
	const char *chosen = "nobody";

	for (size_t i = 0; i < d->n_candidates; i++) {
		if (strcmp(d->candidates[i]->reason, "CHOSEN") == 0)
			chosen = d->candidates[i]->provider;
	}
	fprintf(cli->out, "Before: %s, list ", format_when(d->decided_us).s);
	format_clean(cli->out, d->list);
	fprintf(cli->out, " v%u: ", d->list_version);
	format_clean(cli->out, chosen);
	fprintf(cli->out, " (%zu looked at; all of it with --all)\n", d->n_candidates);
}

static void explain_decision(const struct cli *cli, const Calloff__V1__Decision *d)
{
	explain_decision_head(cli, d);
	explain_candidates(cli, d);
	if (strcmp(d->outcome, "nominated") != 0)
		explain_nearest(cli, d);
}

void explain_print(const struct cli *cli, const Calloff__V1__ExplainPackageResponse *e, bool all)
{
	static const Calloff__V1__Requirement nothing = CALLOFF__V1__REQUIREMENT__INIT;
	static const Calloff__V1__Package no_package = CALLOFF__V1__PACKAGE__INIT;
	const Calloff__V1__Package *package = e->package != NULL ? e->package : &no_package;
	const Calloff__V1__Requirement *r = package->requirement != NULL ? package->requirement : &nothing;
	const Calloff__V1__Placement *p = package_placement(package);

	explain_head(cli, package, r);
	explain_visits(cli, r, p);
	explain_circumstances(cli, r);
	explain_state(cli, package);
	for (size_t i = 0; i + 1 < e->n_decisions; i++) {
		if (all)
			explain_decision(cli, e->decisions[i]);
		else
			explain_fold(cli, e->decisions[i]);
	}
	if (e->n_decisions > 0)
		explain_decision(cli, e->decisions[e->n_decisions - 1]);
	else
		fputs("Not decided yet\n", cli->out);
	explain_money(cli, r, p);
	if (e->n_decisions > 0)
		explain_receipt(cli, e->decisions[e->n_decisions - 1]);
	outcome_next(cli, package->package, package->state,
		     (p != NULL && p->role == CALLOFF__V1__PLACEMENT_ROLE__PLACEMENT_ROLE_INTERIM
			      ? OUTCOME_INTERIM
			      : 0) |
			     (explain_needs_budget(package) ? OUTCOME_BUDGET : 0) | OUTCOME_EXPLAINED);
}
