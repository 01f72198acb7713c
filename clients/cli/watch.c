/* calloff watch: what happens, as it happens. At least once, in the journal's order; the cursor is the event's seq. */
#include "commands.h"
#include "replace.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

enum { WATCH_TRIES = 60, WATCH_PAUSE_MS = 500 }; /* 30 s without an event in between */

struct watch {
	struct cli *cli;
	struct table table;
	int64_t after, left;
	bool known; /* after is a cursor, not "from now" */
	const char *cursor;
};

/* P-10482 was submitted: PROVISIONAL with LAH-34 */
static void watch_sentence(FILE *out, const Calloff__V1__Event *e)
{
	static const char *const did[][2] = {{"package_submitted", "was submitted"}, {"package_confirmed", "was confirmed"},
					     {"package_withdrawn", "was withdrawn"}, {"package_ended", "has ended"},
					     {"capacity_declared", "was declared anew"}};
	const char *words = e->kind;

	for (size_t i = 0; i < sizeof did / sizeof did[0]; i++) {
		if (strcmp(did[i][0], e->kind) == 0)
			words = did[i][1];
	}
	format_clean(out, e->package[0] != '\0' ? e->package : e->pool);
	putc(' ', out);
	format_clean(out, words);
	if (e->state != CALLOFF__V1__PACKAGE_STATE__PACKAGE_STATE_UNSPECIFIED)
		fprintf(out, ": %s", format_loud(&calloff__v1__package_state__descriptor, (int)e->state).s);
	if (e->provider[0] != '\0') {
		fputs(e->package[0] != '\0' ? " with " : " by ", out);
		format_clean(out, e->provider);
	}
	if (e->pool[0] != '\0' && e->package[0] != '\0') {
		fputs(", pool ", out);
		format_clean(out, e->pool);
	}
}

static void watch_event(struct watch *w, const Calloff__V1__Event *e)
{
	struct cli *cli = w->cli;

	if (w->known && e->seq <= w->after)
		return; /* told before the connection was lost */
	w->after = e->seq;
	w->known = true;
	w->left--;
	if (cli->format == CLI_JSON) {
		cli_print_json(cli, &e->base);
	} else if (cli->format == CLI_TSV) {
		table_cell(&w->table, "%" PRId64, e->seq);
		table_text(&w->table, format_iso(e->at_us).s);
		table_text(&w->table, e->kind);
		table_text(&w->table, e->package);
		table_text(&w->table, format_word(&calloff__v1__package_state__descriptor, (int)e->state).s);
		table_text(&w->table, e->provider);
		table_text(&w->table, e->pool);
	} else {
		fprintf(cli->out, "%10" PRId64 "  %s  ", e->seq, format_instant(e->at_us).s);
		watch_sentence(cli->out, e);
		putc('\n', cli->out);
	}
}

/* --cursor: the last event told, for the next run to go on from. */
static int watch_keep(const struct watch *w)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%" PRId64 "\n", w->after);

	return w->cursor != NULL && w->known ? replace_file(w->cli, w->cursor, text, (size_t)len) : 0;
}

static int watch_read_cursor(struct watch *w)
{
	FILE *in = fopen(w->cursor, "re");
	char rest[2];

	if (in == NULL && errno == ENOENT)
		return 0; /* the first run */
	errno = 0;
	if (in == NULL || fscanf(in, "%" SCNd64 " %1s", &w->after, rest) != 1 || w->after < 0) {
		if (in != NULL)
			fclose(in);
		return cli_fail_file(w->cli, "reading", w->cursor, "a cursor file holds one number: give --after once instead");
	}
	fclose(in);
	w->known = true;
	return 0;
}

/* One connection's life: subscribe, print, until it is lost. */
static enum calloff_fault watch_stream(struct watch *w)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__SubscribeRequest subscribe = CALLOFF__V1__SUBSCRIBE_REQUEST__INIT;
	struct calloff_error *error = &w->cli->error;
	struct calloff_reply reply;
	uint64_t id;
	enum calloff_fault fault;

	subscribe.after_seq = w->after;
	CLI_BODY(envelope, SUBSCRIBE_REQUEST, subscribe_request, &subscribe);
	fault = calloff_send(w->cli->client, &envelope, &id, error);
	while (fault == CALLOFF_OK && w->left > 0) {
		fault = calloff_receive(w->cli->client, &reply, error);
		if (fault != CALLOFF_OK)
			break;
		if (reply.envelope->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS)
			return calloff_error_from_status(error, reply.envelope->status);
		if (reply.envelope->body_case == CALLOFF__V1__ENVELOPE__BODY_SUBSCRIBE_RESPONSE &&
		    !w->known && w->after < 0) {
			w->after = reply.envelope->subscribe_response->from_seq; /* what "now" was */
			w->known = true;
		} else if (reply.envelope->body_case == CALLOFF__V1__ENVELOPE__BODY_EVENT_BATCH) {
			for (size_t i = 0; i < reply.envelope->event_batch->n_events && w->left > 0; i++)
				watch_event(w, reply.envelope->event_batch->events[i]);
		} else {
			continue;
		}
		fflush(w->cli->out);
		if (watch_keep(w) != 0) /* told again later rather than never */
			return calloff_error_set(error, CALLOFF_SYSTEM, "the cursor is not kept any more", NULL, "see above");
	}
	return fault;
}

static int watch_run(struct cli *cli)
{
	struct watch w = {.cli = cli, .after = -1, .left = INT64_MAX, .cursor = options_value(&cli->options, "cursor")};
	int code = cli_number(cli, "after", INT64_MAX, &w.after);

	if (code == 0)
		code = cli_number(cli, "count", INT64_MAX, &w.left);
	w.known = w.after >= 0;
	if (code == 0 && w.cursor != NULL)
		code = watch_read_cursor(&w);
	cli->resend = false; /* the subscription goes on from the last cursor, not from the first */
	if (code == 0)
		code = cli_connect(cli);
	if (code != 0)
		return code;
	if (cli->format == CLI_TSV)
		cli_table(cli, &w.table, "seq at kind package state provider pool");
	for (int losses = 0;;) {
		int64_t before = w.after;
		enum calloff_fault fault = watch_stream(&w);

		if (fault == CALLOFF_OK)
			return 0;
		losses = w.after > before ? 0 : losses + 1;
		if (!(fault == CALLOFF_LOST || (fault == CALLOFF_REFUSED && cli->error.retry_same_key)) ||
		    losses > WATCH_TRIES)
			return cli_fail(cli, &cli->error, NULL);
		if (losses <= 1)
			fprintf(stderr,
				"calloff watch: the connection ended; connecting again after %" PRId64 "\n",
				w.after);
		calloff_close(cli->client);
		cli->client = NULL;
		cli->reconnecting = true;
		poll(NULL, 0, WATCH_PAUSE_MS);
		code = cli_connect(cli);
		if (code != 0)
			return code;
	}
}

static const struct option_spec watch_options[] = {
	{"after", "SEQ", "from the event after this one (without it: from now)", false},
	{"cursor", "FILE", "keep the last event's number there, and go on from it next time", false},
	{"count", "N", "stop after so many events", false},
	{NULL, NULL, NULL, false},
};

const struct command command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "what happens, as it happens",
	.examples = "  calloff watch\n"
		    "  calloff watch --cursor seen.txt              goes on where it ended, whatever ended in between\n"
		    "  calloff watch --after 48213                  all that came after it, then on\n"
		    "  calloff watch --json --timeout 0 | while read -r event; do ...; done\n",
	.notes = "At least once and in order: keep the last seq you worked on, and go on with --after, or let --cursor keep it.\n"
		 "An engine that restarts is waited for, and nothing is missed or told twice within one run.\n",
	.options = watch_options,
	.run = watch_run,
};
