#include "bulk.h"

#include "base/check.h"
#include "keys.h"
#include "outcome.h"
#include "reflect.h"
#include "rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	BULK_CHUNK = 64,
	BULK_WINDOW = 256,
	/* a chunk is sent when FULL is used: the last row may take the rest */
	BULK_ARENA_BYTES = 24 * 1024 * 1024,
	BULK_ARENA_FULL = 8 * 1024 * 1024,
	BULK_TERMINAL_ROWS = 40,
	BULK_STATES = 32,
};

struct bulk_row {
	size_t line;
	char case_ref[65];
};

struct bulk {
	struct cli *cli;
	const char *path;
	struct rows rows;
	struct keys keys;
	struct arena arena;
	struct row chunk[BULK_CHUNK];
	uint8_t chunk_keys[BULK_CHUNK][CALLOFF_KEY_BYTES];
	struct bulk_row waiting[CALLOFF_IN_FLIGHT_MAX]; /* by request_id % CALLOFF_IN_FLIGHT_MAX */
	struct table table;
	size_t window, table_rows;
	bool ended, check_only;
	int worst;
	int64_t read_count, answered, failed, states[BULK_STATES];
	int64_t started_us, shown_us;
};

static int64_t bulk_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void bulk_progress(struct bulk *b, bool last)
{
	int64_t now_us = bulk_now_us(), took_us = now_us - b->started_us;

	if (!b->cli->progress || (!last && now_us - b->shown_us < 200000))
		return;
	b->shown_us = now_us;
	fprintf(stderr, "\r%s read, %s answered, %s failed, %s/s %s", format_count(b->read_count).s,
		format_count(b->answered).s, format_count(b->failed).s,
		format_count(took_us > 0 ? b->answered * 1000000 / took_us : 0).s, last ? "\n" : "");
}

static void bulk_count_failure(struct bulk *b, int code)
{
	b->failed++;
	if (b->worst == 0 || (b->worst == EX_DATAERR && code != EX_DATAERR))
		b->worst = code;
}

static void bulk_fail_row(struct bulk *b, size_t line, const char *case_ref,
			  const struct calloff_error *error)
{
	char about[160];

	snprintf(about, sizeof about, "%.60s line %zu%s%s%s", b->path, line, case_ref[0] != '\0' ? " (" : "",
		 case_ref, case_ref[0] != '\0' ? ")" : "");
	if (b->cli->progress)
		fputs("\r\033[K", stderr);
	bulk_count_failure(b, cli_fail(b->cli, error, about));
}

static void bulk_bad_row(struct bulk *b, size_t line)
{
	struct calloff_error error;

	calloff_error_set(&error, CALLOFF_MISUSE, "the row is not a package", b->rows.problem,
			  "correct the row and submit the file again with --keys, or the row alone");
	bulk_fail_row(b, line, "", &error);
}

/* false: the row is left out, and told. */
static bool bulk_give_key(struct bulk *b, const struct row *row, uint8_t ret_key[CALLOFF_KEY_BYTES])
{
	struct calloff_error error;

	switch (keys_find(&b->keys, row->line, row->fingerprint, ret_key)) {
	case KEYS_FOUND:
		return true;
	case KEYS_CHANGED:
		calloff_error_set(
			&error, CALLOFF_MISUSE, "the row has changed since it was sent",
			"a key belongs to one request, unchanged",
			"put the row back, or submit new rows from a file of their own with their own --keys");
		bulk_fail_row(b, row->line, row->requirement->case_ref, &error);
		return false;
	case KEYS_NEW:
		break;
	}
	if (calloff_key_new(&b->cli->keys, ret_key, &error) != CALLOFF_OK) {
		bulk_fail_row(b, row->line, row->requirement->case_ref, &error);
		return false;
	}
	if (!b->cli->dry_run)
		keys_add(&b->keys, row->line, row->fingerprint, ret_key);
	return true;
}

/* Reads and keys up to max rows. Returns how many stand in the chunk. */
static size_t bulk_read_chunk(struct bulk *b, size_t max)
{
	size_t count = 0;

	arena_reset(&b->arena);
	while (count < max && !b->ended && b->arena.used < BULK_ARENA_FULL) {
		enum rows_result got = rows_next(&b->rows, &b->arena, &b->chunk[count]);

		if (got == ROWS_END || got == ROWS_BROKEN) {
			b->ended = true;
			if (got == ROWS_BROKEN)
				bulk_bad_row(b, b->rows.line);
			break;
		}
		b->read_count++;
		if (got == ROWS_BAD)
			bulk_bad_row(b, b->chunk[count].line);
		else if (b->check_only || bulk_give_key(b, &b->chunk[count], b->chunk_keys[count]))
			count++;
	}
	return count;
}

static int bulk_send_chunk(struct bulk *b, size_t count)
{
	errno = 0;
	if (!keys_sync(&b->keys))
		return cli_fail_file(b->cli, "writing", options_value(&b->cli->options, "keys"),
				     "check the disk; nothing of this chunk was sent");
	for (size_t i = 0; i < count; i++) {
		Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
		Calloff__V1__SubmitPackageRequest submit = CALLOFF__V1__SUBMIT_PACKAGE_REQUEST__INIT;
		struct calloff_error error;
		uint64_t id;

		submit.requirement = b->chunk[i].requirement;
		submit.dry_run = b->cli->dry_run;
		envelope.key.data = b->chunk_keys[i];
		envelope.key.len = CALLOFF_KEY_BYTES;
		CLI_BODY(envelope, SUBMIT_PACKAGE_REQUEST, submit_package_request, &submit);
		if (calloff_send(b->cli->client, &envelope, &id, &error) != CALLOFF_OK) {
			bulk_fail_row(b, b->chunk[i].line, submit.requirement->case_ref, &error);
			continue;
		}
		struct bulk_row *w = &b->waiting[id % CALLOFF_IN_FLIGHT_MAX];

		w->line = b->chunk[i].line;
		snprintf(w->case_ref, sizeof w->case_ref, "%s", submit.requirement->case_ref);
	}
	return 0;
}

static void bulk_print_row(struct bulk *b, const struct bulk_row *w,
			   const Calloff__V1__SubmitPackageResponse *response)
{
	static const Calloff__V1__Outcome nothing = CALLOFF__V1__OUTCOME__INIT;
	const Calloff__V1__Outcome *outcome = response->outcome != NULL ? response->outcome : &nothing;

	if ((unsigned)outcome->state < BULK_STATES)
		b->states[outcome->state]++;
	if (b->cli->format == CLI_JSON) {
		fprintf(b->cli->out, "{\"line\":%zu,\"case_ref\":", w->line);
		reflect_print_text(b->cli->out, w->case_ref);
		fputs(",\"response\":", b->cli->out);
		reflect_print(b->cli->out, &response->base);
		fputs("}\n", b->cli->out);
		return;
	}
	if (b->cli->format == CLI_TABLE && b->table_rows == BULK_TERMINAL_ROWS)
		return;
	b->table_rows++;
	table_cell(&b->table, "%zu", w->line);
	table_text(&b->table, w->case_ref);
	outcome_row(b->cli, &b->table, outcome, response->receipt);
}

/* One reply; a fault of the connection is told by the caller. */
static int bulk_receive(struct bulk *b)
{
	struct calloff_reply reply;
	struct calloff_error error;
	int code = 0;

	if (calloff_receive(b->cli->client, &reply, &b->cli->error) != CALLOFF_OK)
		return cli_fail(b->cli, &b->cli->error, NULL);

	const struct bulk_row *w = &b->waiting[reply.request_id % CALLOFF_IN_FLIGHT_MAX];

	if (reply.envelope->body_case == CALLOFF__V1__ENVELOPE__BODY_SUBMIT_PACKAGE_RESPONSE) {
		const Calloff__V1__SubmitPackageResponse *response = reply.envelope->submit_package_response;

		b->answered++;
		code = cli_keep_receipt(b->cli, response->receipt);
		bulk_print_row(b, w, response);
	} else if (reply.envelope->body_case == CALLOFF__V1__ENVELOPE__BODY_STATUS) {
		calloff_error_from_status(&error, reply.envelope->status);
		if (reply.request_id == 0)
			return cli_fail(b->cli, &error, NULL);
		b->answered++;
		code = cli_keep_receipt(b->cli, reply.envelope->status->receipt);
		bulk_fail_row(b, w->line, w->case_ref, &error);
	} else {
		calloff_error_set(&error, CALLOFF_GARBLED, "the engine answered something else", NULL,
				  "check the client's version against the engine's, see calloff health");
		bulk_fail_row(b, w->line, w->case_ref, &error);
	}
	return code;
}

static int bulk_run(struct bulk *b)
{
	size_t chunk_max = b->window < BULK_CHUNK ? b->window : BULK_CHUNK;
	int code = 0;

	if (!b->check_only)
		code = cli_connect(b->cli);
	while (code == 0) {
		size_t under_way = b->check_only ? 0 : calloff_in_flight(b->cli->client);

		if (!b->ended && under_way + chunk_max <= b->window) {
			size_t count = bulk_read_chunk(b, chunk_max);

			if (!b->check_only)
				code = bulk_send_chunk(b, count);
		} else if (under_way > 0) {
			code = bulk_receive(b);
		} else {
			break;
		}
		bulk_progress(b, false);
	}
	return code;
}

/* Which lines have no answer: with --keys the rerun repairs it, without it a person must look. */
static void bulk_tell_unanswered(const struct bulk *b)
{
	size_t unanswered = b->cli->client != NULL ? calloff_in_flight(b->cli->client) : 0;

	if (unanswered == 0)
		return;
	fprintf(stderr, "  %zu rows were sent and not answered, %s\n", unanswered,
		b->keys.file != NULL
			? "run the same command again: no row is submitted twice"
			: "each may have been acted on: look at calloff status --case REF before you submit "
			  "them again (and use --keys FILE next time)");
}

static void bulk_summary(const struct bulk *b)
{
	FILE *out = b->cli->format == CLI_TABLE ? b->cli->out : stderr;
	int64_t took_us = bulk_now_us() - b->started_us;

	if (b->cli->format == CLI_TABLE && b->answered - b->failed > BULK_TERMINAL_ROWS)
		fprintf(out, "... the first %d answers; all of them with --json, or through a pipe\n",
			BULK_TERMINAL_ROWS);
	if (b->check_only) {
		fprintf(out, "%s rows read, %s cannot be a package; nothing was sent\n",
			format_count(b->read_count).s, format_count(b->failed).s);
		return;
	}
	fprintf(out, "%s%s rows: ", b->cli->dry_run ? "DRY RUN, nothing was committed: " : "",
		format_count(b->read_count).s);
	for (int i = 0; i < BULK_STATES; i++) {
		if (b->states[i] > 0)
			fprintf(out, "%s %s, ", format_count(b->states[i]).s,
				format_phrase(&calloff__v1__package_state__descriptor, i).s);
	}
	fprintf(out, "%s failed, in %s\n", format_count(b->failed).s, format_duration(took_us).s);
}

static int bulk_open(struct bulk *b, FILE *in)
{
	const char *format = options_value(&b->cli->options, "format");
	const char *keys = options_value(&b->cli->options, "keys");
	enum rows_format as = ROWS_UNKNOWN;
	struct calloff_error error;
	char problem[240];
	size_t len = strlen(b->path);
	int64_t window = BULK_WINDOW;
	int code = cli_number(b->cli, "window", CALLOFF_IN_FLIGHT_MAX, &window);

	if (code != 0)
		return code;
	b->window = window > 0 ? (size_t)window : 1;
	if (format == NULL ? len > 4 && strcasecmp(b->path + len - 4, ".csv") == 0
			   : strcmp(format, "csv") == 0)
		as = ROWS_CSV;
	else if (format != NULL && strcmp(format, "ndjson") == 0)
		as = ROWS_NDJSON;
	else if (format != NULL)
		return cli_usage(b->cli, "--format is ndjson or csv, has \"%s\"", format);
	if (rows_open(&b->rows, in, as) != ROWS_ROW) {
		calloff_error_set(&error, CALLOFF_MISUSE, "the file cannot be read as packages",
				  b->rows.problem, "see calloff submit --help for the columns");
		return cli_fail(b->cli, &error, b->path);
	}
	if (keys != NULL && !b->cli->dry_run && !b->check_only && !keys_open(&b->keys, keys, problem)) {
		calloff_error_set(&error, CALLOFF_SYSTEM, "the keys cannot be kept; nothing was sent",
				  problem, "give another --keys FILE, one for each file of rows");
		cli_fail(b->cli, &error, keys);
		return EX_IOERR;
	}
	return 0;
}

int bulk_submit(struct cli *cli, const char *path)
{
	struct bulk *b = calloc(1, sizeof *b);
	bool piped = strcmp(path, "-") == 0;
	FILE *in = piped ? stdin : fopen(path, "re");
	int code;

	INSIST(b != NULL);
	b->cli = cli;
	b->path = piped ? "stdin" : path;
	b->check_only = options_has(&cli->options, "check");
	b->started_us = bulk_now_us();
	b->arena.size = BULK_ARENA_BYTES;
	b->arena.base = malloc(b->arena.size);
	INSIST(b->arena.base != NULL);
	code = in == NULL ? cli_fail_file(cli, "reading", path,
					  "give a file of NDJSON or CSV, or - for the standard input")
			  : bulk_open(b, in);
	if (code == 0) {
		if (cli->format != CLI_JSON && !b->check_only)
			cli_table(cli, &b->table, ">line case_ref " OUTCOME_COLUMNS);
		code = bulk_run(b);
		bulk_progress(b, true);
		if (b->table.columns > 0)
			table_end(&b->table, NULL);
		bulk_summary(b);
		bulk_tell_unanswered(b);
	}
	rows_close(&b->rows);
	keys_close(&b->keys);
	if (in != NULL && !piped)
		fclose(in);
	free(b->arena.base);
	code = code != 0 ? code : b->worst;
	free(b);
	return code;
}
