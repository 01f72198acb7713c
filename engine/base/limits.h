/* limits.h — every bound of the engine, in one place, with its reason.
 *
 * Essex 2024/25: 7,465 adults, 128,000 hours a week, ~25 new packages a working day (DOMAIN 4.1).
 * One engine is sized for England's largest county times a hundred, so that a surge never meets a limit first.
 */
#pragma once

enum {
	/* the wire: before a client has said hello it may cost us little */
	FRAME_BYTES_MAX_BEFORE_HELLO = 16 * 1024,
	FRAME_BYTES_MAX = 1024 * 1024,
	FRAME_REPLY_BYTES_MAX = 16 * 1024 * 1024, /* one row of the journal may hold a whole batch */
	UNPACK_BYTES_MAX = 2 * 1024 * 1024, /* protobuf-c amplifies up to 56x: the arena is the cap */
	REF_BYTES_MAX = 64,                 /* opaque references: case, person, household, bundle, owner */
	ID_BYTES_MAX = 24,                  /* provider, list, lot, pool and policy codes */
	CLIENT_BYTES_MAX = 64,
	IN_FLIGHT_MAX = 4096, /* unanswered requests one connection may have */
	SESSION_BACKLOG_BYTES_MAX = 4 * 1024 * 1024,
	PAGE_ROWS_MAX = 1000,

	/* one package: a week in lines, a line = one visit on some days */
	VISITS_MAX = 32,
	SKILLS_MAX = 8,
	EXCLUDED_MAX = 8,
	BUNDLE_PACKAGES = 2,
	VISIT_MINUTES_MAX = 1440,
	START_DAYS_AHEAD_MAX = 60,
	TOLERANCE_MINUTES_MAX = 120,
	CEILING_PENCE_HOUR_MAX = 1000000,

	/* the framework of one shard */
	SERVICES = 4,
	DISTRICTS_MAX = 255,
	SECTORS_MAX = 20000,
	SECTOR_DISTRICTS_MAX = 6,
	LISTS_MAX = 20000,
	LIST_ENTRIES_MAX = 512,
	PROVIDERS_MAX = 20000,
	POOLS_MAX = 100000,
	POLICIES_MAX = 256,
	LANGUAGE_NO_MAX = 63, /* a bit each */
	ROUTES_MAX = 8,

	/* a batch: one transaction */
	BATCH_EVENTS_MAX = 2048,
	LANES_MAX = 8, /* connections that commit */
	OUTCOME_BYTES_MAX = 128,
	RECORD_BYTES_MAX = 16 * 1024,
	BATCH_BYTES_MAX = 8 * 1024 * 1024,

	/* the week */
	DAYS = 7,
	BANDS = 8,
	CELLS = DAYS * BANDS,
	CELL_UNITS_MAX = 30000,
	UNIT_MINUTES = 5,
};
