/* err.h — the one error table: engine, wire and clients speak of the same refusals.
 *
 * X(NAME, number, code, retry, what, mend)
 *   number  on the wire and in stored outcomes; never reused
 *   code    google.rpc code (3 INVALID_ARGUMENT, 5 NOT_FOUND, 7 PERMISSION_DENIED, 8 RESOURCE_EXHAUSTED,
 *           9 FAILED_PRECONDITION, 10 ABORTED, 11 OUT_OF_RANGE, 12 UNIMPLEMENTED, 13 INTERNAL, 14 UNAVAILABLE)
 *   retry   SAME: send it again with the same key · NEW: decide again, with a new key · MEND: change the request
 *   what    what is wrong, for a person;  mend: how to put it right
 */
#pragma once

#define ERR_MAP(X)                                                                                 \
	X(OK, 0, 0, MEND, "ok", "")                                                                \
	X(MORE, 1, 13, SAME, "more bytes are needed", "")                                          \
	X(TOO_BIG, 2, 8, MEND, "larger than the limit",                                            \
	  "split the request: one package an envelope, at most 1 MiB a frame")                     \
	X(NOT_DECODED, 3, 3, MEND, "the bytes are not a calloff.v1 Envelope",                      \
	  "check the client's version against proto/calloff/v1")                                   \
	X(INVALID_FIELD, 4, 3, MEND, "a field is not valid", "correct the field named here")       \
	X(NO_BODY, 5, 3, MEND, "the envelope has no request this engine knows",                    \
	  "check the client's version against the engine's, see hello")                            \
	X(NO_HELLO, 6, 9, NEW, "the first message must be hello", "send hello before anything else") \
	X(KEY_MISSING, 7, 3, MEND, "a command needs a key",                                        \
	  "make a UUIDv7, keep it, and send it again with every retry")                            \
	X(KEY_TOO_OLD, 8, 9, NEW, "the key is older than the engine remembers",                    \
	  "look the package up; if nothing happened, submit it with a new key")                    \
	X(KEY_IN_FUTURE, 9, 3, MEND, "the key's time lies ahead of the engine's clock",            \
	  "correct the client's clock")                                                            \
	X(KEY_REUSED, 10, 9, NEW, "this key was used for a different request",                     \
	  "use a new key for a new request; a retry must repeat the request unchanged")            \
	X(WRONG_SHARD, 11, 9, MEND, "this engine does not serve that shard", "see hello for the shards served") \
	X(LOADING, 12, 14, SAME, "the engine is loading", "try again shortly with the same key")   \
	X(STORE_AWAY, 13, 14, SAME, "the database is away; nothing was decided or lost",           \
	  "try again shortly with the same key")                                                   \
	X(DEPOSED, 14, 14, SAME, "another engine has this shard",                                  \
	  "connect to the other engine and retry with the same key")                               \
	X(DRAINING, 15, 14, SAME, "the engine is shutting down", "try again shortly with the same key") \
	X(BUSY, 16, 8, SAME, "too many requests are waiting", "wait a moment, then retry with the same key") \
	X(QUARANTINED, 17, 13, NEW, "the database refused this command: a fault of the engine, now an alarm", \
	  "report the key to the operator; other commands go on")                                  \
	X(DEADLINE_PASSED, 18, 4, NEW, "the request's deadline had passed before it was looked at",     \
	  "send it again with the same key and a later deadline")                                  \
	X(UNKNOWN_SECTOR, 20, 3, MEND, "the postcode sector is not known",                         \
	  "check it, e.g. \"CM0 7\"; new sectors are added by the framework editor")               \
	X(SECTOR_OUTSIDE_LOTS, 21, 9, MEND, "the sector lies outside every lot of the framework",  \
	  "source it with the authority that holds the address")                                   \
	X(SECTOR_NEEDS_DISTRICT, 22, 3, MEND, "the sector straddles districts",                    \
	  "give the district, from the case system's address look-up")                             \
	X(SECTOR_NOT_IN_DISTRICT, 23, 3, MEND, "the sector does not lie in that district",         \
	  "correct the sector or the district")                                                    \
	X(UNKNOWN_DISTRICT, 24, 3, MEND, "the district is not known", "give its ONS code, e.g. E07000074, or its name") \
	X(NO_LIST, 25, 9, MEND, "no ranked list is live for that lot, service and client group",   \
	  "check the service, or ask the framework editor for the list")                           \
	X(UNKNOWN_SKILL, 26, 3, MEND, "a skill is not known", "see calloff lots for the codes") \
	X(UNKNOWN_LANGUAGE, 27, 3, MEND, "the language is not known", "give its ISO 639 code, e.g. pl") \
	X(UNKNOWN_PROVIDER, 28, 3, MEND, "the provider is not known", "see calloff providers")     \
	X(UNKNOWN_PACKAGE, 29, 5, MEND, "there is no such package, or it is over",                           \
	  "check the id, e.g. P-10482, and its state with calloff status")  \
	X(UNKNOWN_POOL, 30, 3, MEND, "the capacity pool is not known", "see calloff pools")        \
	X(WRONG_STATE, 31, 10, NEW, "the package's state does not allow that", "look at it again, then decide") \
	X(RECHECK_FAILED, 32, 10, NEW, "the provider no longer passes the checks it passed when nominated", \
	  "withdraw the package and submit it again: it is then called off afresh")                \
	X(START_PAST, 33, 3, MEND, "the start date lies in the past", "give today or a later day") \
	X(START_TOO_FAR, 34, 3, MEND, "the start date lies too far ahead", "submit it within 60 days of its start") \
	X(BUNDLE_MISMATCH, 35, 9, MEND, "the two packages of a bundle do not fit together",        \
	  "same sector, district, service and start; shared visits alike in both")                 \
	X(BUNDLE_FULL, 36, 9, NEW, "that bundle already has its packages", "use a new bundle reference") \
	X(CAPACITY_KIND, 37, 3, MEND, "those cells cannot be declared for this kind of pool",      \
	  "nights and places are declared in the night band, single")                              \
	X(TOO_MANY_PACKAGES, 38, 8, NEW, "the engine holds as many packages as it may", "tell the operator: see limits.packages") \
	X(BUDGET_AUTHORITY, 40, 9, NEW, "the price is above the authorised ceiling",                     \
	  "confirm it with budget authority, or withdraw it")                                      \
	X(NOT_OFFERED, 39, 12, MEND, "this policy asks providers by offer, which this engine does not do yet", \
	  "use a policy with award style direct")                                                  \
	X(STORE, 50, 14, SAME, "the database connection failed", "try again shortly with the same key") \
	X(STORE_REFUSED, 51, 13, SAME, "the database refused a batch", "see the engine's log")     \
	X(STORE_STALE, 52, 14, SAME, "the framework changed; the engine is reading it",            \
	  "try again shortly with the same key")                                                   \
	X(STORE_UNSAFE, 53, 9, MEND, "the database is not set up to keep what it acknowledges",    \
	  "set fsync, full_page_writes and synchronous_commit on, and migrate the schema")         \
	X(BAD_ROW, 54, 13, MEND, "a row of the framework or the state cannot be right", "see the engine's log; correct the row") \
	X(CONFIG, 55, 9, MEND, "the configuration is not valid", "see calloffd --help")            \
	X(SNAPSHOT_REQUIRED, 56, 11, NEW, "the cursor lies behind what the journal keeps",          \
	  "list the packages, then subscribe from now")                                            \
	X(SYSTEM, 57, 13, SAME, "the operating system refused", "see the engine's log")

enum err {
#define X(name, number, code, retry, what, mend) ERR_##name = number,
	ERR_MAP(X)
#undef X
};

enum err_retry { ERR_RETRY_SAME = 1, ERR_RETRY_NEW = 2, ERR_RETRY_MEND = 3 };

/* All take any int that came from outside: an unknown number reads "UNKNOWN". Static strings. */
const char *err_name(int number);
const char *err_what(int number);
const char *err_mend(int number);
int err_code(int number);
enum err_retry err_retry(int number);

#define ERR_MUST_CHECK __attribute__((warn_unused_result))
#define TRY(x)                                                                                     \
	do {                                                                                       \
		enum err try_err_ = (x);                                                           \
		if (try_err_ != ERR_OK)                                                            \
			return try_err_;                                                           \
	} while (0)
