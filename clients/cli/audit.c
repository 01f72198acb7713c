/* calloff audit verify: reads the whole journal and recomputes every hash; trusts nothing but SHA-256. */
#include "base/check.h"
#include "base/err.h"
#include "commands.h"
#include "receipts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { AUDIT_PAGE_ROWS = 256 };

static const char audit_mend[] = "keep a copy of the database as it is and tell the operator: "
				 "it was changed after it was written";

struct audit {
	struct cli *cli;
	struct tree *tree;
	struct receipts receipts;
	const char *receipts_path;
	uint32_t shard;
	int64_t seq, epoch; /* of the last row that holds; seq is the cursor */
	bool begun;         /* false: the next row may begin anywhere, and stands on the genesis hash */
	uint8_t prev[TREE_HASH_BYTES];
	uint8_t *scratch; /* a copy of a row's leaves */
	size_t scratch_bytes;
	int64_t events, rows, erased, receipts_well, receipts_bad;
};

/* The chain is broken: says where. EX_DATAERR. */
__attribute__((format(printf, 3, 4))) static int
audit_broken(const struct audit *a, const Calloff__V1__JournalRow *row, const char *format, ...)
{
	struct calloff_error error;
	char what[sizeof error.what], why[sizeof error.why];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	snprintf(what, sizeof what, "the journal does not hold at events %" PRId64 "-%" PRId64,
		 row->first_seq, row->last_seq);
	calloff_error_set(&error, CALLOFF_MISUSE, what, why, audit_mend);
	return cli_fail(a->cli, &error, NULL);
}

static bool audit_is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

static int audit_openssl(const struct audit *a)
{
	struct calloff_error error;

	calloff_error_set(&error, CALLOFF_SYSTEM, "SHA-256 is not to be had", "OpenSSL refused",
			  "check its configuration");
	cli_fail(a->cli, &error, NULL);
	return EX_SOFTWARE;
}

static int audit_check_shape(const struct audit *a, const Calloff__V1__JournalRow *row)
{
	uint64_t count = (uint64_t)row->last_seq - (uint64_t)row->first_seq + 1;

	if (row->first_seq < 1 || row->last_seq < row->first_seq)
		return audit_broken(a, row, "the row's range of events is not one");
	if (row->n_records != count || row->leaves.len != count * TREE_HASH_BYTES ||
	    row->salts.len != count * TREE_HASH_BYTES)
		return audit_broken(a, row,
				    "it needs %" PRIu64 " records, leaves and salts; it has %zu, %zu and %zu",
				    count, row->n_records, row->leaves.len / TREE_HASH_BYTES,
				    row->salts.len / TREE_HASH_BYTES);
	if (row->prev_hash.len != TREE_HASH_BYTES || row->row_hash.len != TREE_HASH_BYTES)
		return audit_broken(a, row, "a hash is not 32 bytes long");
	if (a->begun && row->first_seq != a->seq + 1)
		return audit_broken(a, row, "events %" PRId64 "-%" PRId64 " are missing", a->seq + 1,
				    row->first_seq - 1);
	if (memcmp(row->prev_hash.data, a->prev, TREE_HASH_BYTES) != 0)
		return audit_broken(a, row, "it does not stand on the row before it%s",
				    a->begun ? "" : " (the genesis hash)");
	if (row->epoch < a->epoch)
		return audit_broken(a, row, "its epoch %" PRId64 " is older than %" PRId64 " before it",
				    row->epoch, a->epoch);
	return 0;
}

static int audit_check_leaves(struct audit *a, const Calloff__V1__JournalRow *row)
{
	for (size_t i = 0; i < row->n_records; i++) {
		const uint8_t *salt = row->salts.data + i * TREE_HASH_BYTES;
		const ProtobufCBinaryData *record = &row->records[i];
		uint8_t hash[TREE_HASH_BYTES];

		if (record->len == 0 && audit_is_zero(salt, TREE_HASH_BYTES)) {
			a->erased++;
			continue;
		}
		if (!tree_leaf(a->tree, salt, record->data, record->len, hash))
			return audit_openssl(a);
		if (memcmp(hash, row->leaves.data + i * TREE_HASH_BYTES, sizeof hash) != 0)
			return audit_broken(
				a, row, "the record of event %" PRId64 " is not the one its leaf was made of",
				row->first_seq + (int64_t)i);
	}
	return 0;
}

static int audit_check_hash(struct audit *a, const Calloff__V1__JournalRow *row)
{
	const int64_t numbers[3] = {row->first_seq, row->last_seq, row->epoch};
	uint8_t hash[TREE_HASH_BYTES];

	if (row->leaves.len > a->scratch_bytes) {
		a->scratch = realloc(a->scratch, row->leaves.len);
		INSIST(a->scratch != NULL);
		a->scratch_bytes = row->leaves.len;
	}
	memcpy(a->scratch, row->leaves.data, row->leaves.len);
	if (!tree_root(a->tree, a->scratch, row->n_records) ||
	    !tree_row(a->tree, a->shard, numbers, row->prev_hash.data, a->scratch, hash))
		return audit_openssl(a);
	if (memcmp(hash, row->row_hash.data, sizeof hash) != 0)
		return audit_broken(a, row,
				    "its hash is not the one of its leaves (shard %u, epoch %" PRId64 ")",
				    a->shard, row->epoch);
	return 0;
}

static void audit_bad_receipt(struct audit *a, const struct receipt *r, const char *why)
{
	struct calloff_error error;
	char what[sizeof error.what];

	snprintf(what, sizeof what, "the receipt of event %" PRId64 " does not stand in the journal", r->seq);
	calloff_error_set(
		&error, CALLOFF_MISUSE, what, why,
		"keep the receipt and tell the operator: what was acknowledged is not what is stored");
	snprintf(what, sizeof what, "%.80s line %zu", a->receipts_path, r->line);
	cli_fail(a->cli, &error, what);
	a->receipts_bad++;
}

static void audit_check_receipts(struct audit *a, const Calloff__V1__JournalRow *row)
{
	struct receipts *all = &a->receipts;

	for (; all->at < all->count && all->list[all->at].seq <= row->last_seq; all->at++) {
		const struct receipt *r = &all->list[all->at];
		const uint8_t *leaf = row->leaves.data + (size_t)(r->seq - row->first_seq) * TREE_HASH_BYTES;

		if (r->seq < row->first_seq)
			audit_bad_receipt(a, r, "the journal that was read begins later");
		else if (memcmp(leaf, r->leaf, TREE_HASH_BYTES) != 0)
			audit_bad_receipt(a, r, "the leaf differs");
		else if (memcmp(row->row_hash.data, r->row, TREE_HASH_BYTES) != 0)
			audit_bad_receipt(a, r, "the row's hash differs");
		else
			a->receipts_well++;
	}
}

static int audit_row(struct audit *a, const Calloff__V1__JournalRow *row)
{
	int code = audit_check_shape(a, row);

	if (code == 0)
		code = audit_check_leaves(a, row);
	if (code == 0)
		code = audit_check_hash(a, row);
	if (code != 0)
		return code;
	audit_check_receipts(a, row);
	memcpy(a->prev, row->row_hash.data, TREE_HASH_BYTES);
	a->begun = true;
	a->seq = row->last_seq;
	a->epoch = row->epoch;
	a->events += row->last_seq - row->first_seq + 1;
	a->rows++;
	return 0;
}

static int audit_head(const struct audit *a, const Calloff__V1__ReadJournalResponse *page)
{
	struct calloff_error error;
	const char *why = NULL;

	if (a->begun && page->head_seq != a->seq)
		why = page->head_seq > a->seq ? "rows at the end are missing"
					      : "the head lies before the last row";
	else if (page->head_hash.len != TREE_HASH_BYTES ||
		 memcmp(page->head_hash.data, a->prev, TREE_HASH_BYTES) != 0)
		why = "the head's hash is not the last row's";
	if (why == NULL)
		return 0;
	calloff_error_set(&error, CALLOFF_MISUSE, "the head of the journal is not where its rows end", why,
			  audit_mend);
	return cli_fail(a->cli, &error, NULL);
}

/* One page behind the cursor. The engine refuses a page that does not fit a frame: then a smaller one. */
static int audit_page(struct audit *a, uint32_t *limit_rows,
		      const Calloff__V1__ReadJournalResponse **ret_page)
{
	Calloff__V1__Envelope envelope = CALLOFF__V1__ENVELOPE__INIT;
	Calloff__V1__ReadJournalRequest read = CALLOFF__V1__READ_JOURNAL_REQUEST__INIT;
	struct cli *cli = a->cli;
	const Calloff__V1__Envelope *reply;

	CLI_BODY(envelope, READ_JOURNAL_REQUEST, read_journal_request, &read);
	for (read.after_seq = a->seq;; *limit_rows /= 2) {
		read.limit_rows = *limit_rows;

		enum calloff_fault fault = calloff_call(cli->client, &envelope, &reply, &cli->error);

		if (fault == CALLOFF_OK &&
		    reply->body_case == CALLOFF__V1__ENVELOPE__BODY_READ_JOURNAL_RESPONSE)
			break;
		if (fault == CALLOFF_OK)
			calloff_error_set(
				&cli->error, CALLOFF_GARBLED, "the engine answered something else", NULL,
				"check the client's version against the engine's, see calloff health");
		if (fault != CALLOFF_REFUSED || cli->error.number != ERR_TOO_BIG || *limit_rows < 2)
			return cli_fail(cli, &cli->error, NULL);
	}
	*ret_page = reply->read_journal_response;
	return 0;
}

static int audit_read(struct audit *a)
{
	uint32_t limit_rows = AUDIT_PAGE_ROWS;

	for (;;) {
		const Calloff__V1__ReadJournalResponse *page = NULL;
		int code = audit_page(a, &limit_rows, &page);

		if (page == NULL)
			return code;
		for (size_t i = 0; code == 0 && i < page->n_rows; i++)
			code = audit_row(a, page->rows[i]);

		bool last = page->n_rows == 0 || a->seq == page->head_seq;

		if (a->cli->progress)
			fprintf(stderr, "\rread up to event %s of %s %s", format_count(a->seq).s,
				format_count(page->head_seq).s, code != 0 || last ? "\n" : "");
		if (code != 0)
			return code;
		if (last)
			return audit_head(a, page);
	}
}

static int audit_report(struct audit *a)
{
	ProtobufCBinaryData head = {TREE_HASH_BYTES, a->prev};
	const char *verdict;

	for (; a->receipts.at < a->receipts.count; a->receipts.at++)
		audit_bad_receipt(a, &a->receipts.list[a->receipts.at], "the journal ends before it");
	verdict = a->receipts_bad == 0 ? "holds" : "receipts_missing";
	if (a->cli->format == CLI_JSON)
		fprintf(a->cli->out,
			"{\"journal\":\"%s\",\"shard\":%u,\"events\":%" PRId64 ",\"rows\":%" PRId64
			",\"erased\":%" PRId64 ",\"head_seq\":%" PRId64
			",\"head_hash\":\"%s\",\"receipts\":%" PRId64 ",\"receipts_bad\":%" PRId64 "}\n",
			verdict, a->shard, a->events, a->rows, a->erased, a->seq, format_hex(head, 0).s,
			a->receipts_well, a->receipts_bad);
	else if (a->cli->format == CLI_TSV)
		fprintf(a->cli->out,
			"journal\tshard\tevents\trows\terased\thead_seq\thead_hash\treceipts\treceipts_bad\n%s\t%u\t%" PRId64
			"\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%s\t%" PRId64 "\t%" PRId64 "\n",
			verdict, a->shard, a->events, a->rows, a->erased, a->seq, format_hex(head, 0).s,
			a->receipts_well, a->receipts_bad);
	else
		fprintf(a->cli->out,
			"%sthe journal holds%s: %s events in %s rows, every hash recomputed; %s erased\n"
			"head %s %s   %" PRId64 " receipts found, %" PRId64 " not\n",
			a->cli->colour ? "\033[32m" : "", a->cli->colour ? "\033[0m" : "",
			format_count(a->events).s, format_count(a->rows).s, format_count(a->erased).s,
			format_count(a->seq).s, format_hex(head, 0).s, a->receipts_well, a->receipts_bad);
	return a->receipts_bad == 0 ? 0 : EX_DATAERR;
}

/* --receipts: what to look for; --after with --hash: a known row to start from. */
static int audit_prepare(struct audit *a)
{
	struct cli *cli = a->cli;
	const char *hash = options_value(&cli->options, "hash");
	struct calloff_error error;
	char problem[160];
	int64_t shard = 0;
	int code = cli_number(cli, "after", INT64_MAX, &a->seq);

	if (code == 0)
		code = cli_number(cli, "shard", 32767, &shard);
	if (code != 0)
		return code;
	if ((a->seq > 0) != (hash != NULL))
		return cli_usage(cli, "--after and --hash belong together: a row's last event and its hash");
	a->begun = hash != NULL;
	if (hash == NULL && !tree_genesis(a->tree, a->prev))
		return audit_openssl(a);
	if (hash != NULL && !receipts_hash(hash, a->prev))
		return cli_usage(cli, "--hash needs 64 hex digits, has \"%s\"", hash);
	if (a->receipts_path != NULL) {
		FILE *in = fopen(a->receipts_path, "re");

		if (in == NULL)
			return cli_fail_file(cli, "reading", a->receipts_path,
					     "give the file that --receipts wrote");
		bool well = receipts_load(&a->receipts, in, problem);

		fclose(in);
		if (!well) {
			calloff_error_set(&error, CALLOFF_MISUSE, "the receipts cannot be read", problem,
					  "give the file that --receipts wrote");
			return cli_fail(cli, &error, a->receipts_path);
		}
	}
	code = cli_connect(cli);
	if (code != 0)
		return code;
	const Calloff__V1__HelloResponse *hello = calloff_hello(cli->client);

	a->shard = shard > 0 ? (uint32_t)shard : hello->n_shards > 0 ? hello->shards[0] : 1;
	return 0;
}

static int audit_verify_run(struct cli *cli)
{
	struct audit a = {.cli = cli, .receipts_path = options_value(&cli->options, "receipts")};
	int code;

	a.tree = tree_new();
	if (a.tree == NULL)
		return audit_openssl(&a);
	code = audit_prepare(&a);
	if (code == 0)
		code = audit_read(&a);
	if (code == 0)
		code = audit_report(&a);
	receipts_fini(&a.receipts);
	free(a.scratch);
	tree_free(a.tree);
	return code;
}

static const struct option_spec audit_options[] = {
	{"after", "SEQ", "begin behind this event, the last of a row that is known ...", false},
	{"hash", "HEX", "... and that row's hash (without both: from the first row)", false},
	{NULL, NULL, NULL, false},
};

const struct command command_audit_verify = {
	.name = "audit verify",
	.arguments = "",
	.summary = "read the journal and recompute every hash; check receipts against it",
	.examples =
		"  calloff audit verify\n"
		"  calloff audit verify --receipts mine.txt      and look for what you were told\n"
		"  calloff audit verify --after 48213 --hash 9f3c...   only what came since the last check\n",
	.notes =
		"A leaf is SHA-256(00, salt, record); a row's hash covers its leaves and the row before it. An erased\n"
		"record leaves its leaf: the chain still holds. Exit 65 when anything does not.\n",
	.options = audit_options,
	.run = audit_verify_run,
};
