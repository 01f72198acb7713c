/* calloff watch: what happens, as it happens. At least once, in the journal's order; the cursor is the event's seq. */
#include "commands.h"

#include <inttypes.h>
#include <poll.h>

enum { WATCH_TRIES = 60, WATCH_PAUSE_MS = 500 }; /* 30 s without an event in between */

struct watch {
	struct cli *cli;
	struct table table;
	int64_t after, left;
	bool known; /* after is a cursor, not "from now" */
};

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
		fprintf(cli->out, "%*s", 20 - (int)format_clean(cli->out, e->kind), "");
		fputs("  ", cli->out);
		format_clean(cli->out, e->package);
		fprintf(cli->out, "  %s  ",
			format_loud(&calloff__v1__package_state__descriptor, (int)e->state).s);
		format_clean(cli->out, e->provider);
		fputs(e->pool[0] != '\0' ? "  " : "", cli->out);
		format_clean(cli->out, e->pool);
		putc('\n', cli->out);
	}
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
			w->known = w->after > 0;
		}
		if (reply.envelope->body_case != CALLOFF__V1__ENVELOPE__BODY_EVENT_BATCH)
			continue;
		for (size_t i = 0; i < reply.envelope->event_batch->n_events && w->left > 0; i++)
			watch_event(w, reply.envelope->event_batch->events[i]);
		fflush(w->cli->out);
	}
	return fault;
}

static int watch_run(struct cli *cli)
{
	struct watch w = {.cli = cli, .after = -1, .left = INT64_MAX};
	int code = cli_number(cli, "after", INT64_MAX, &w.after);

	if (code == 0)
		code = cli_number(cli, "count", INT64_MAX, &w.left);
	w.known = w.after >= 0;
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
	{"count", "N", "stop after so many events", false},
	{NULL, NULL, NULL, false},
};

const struct command command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "what happens, as it happens",
	.examples = "  calloff watch\n"
		    "  calloff watch --after 48213                  all that came after it, then on\n"
		    "  calloff watch --json --timeout 0 | while read -r event; do ...; done\n",
	.notes = "At least once and in order: keep the last seq you worked on, and go on with --after.\n",
	.options = watch_options,
	.run = watch_run,
};
