/* fence.h — where a shard stands in the database: the row that every commit must find unchanged, and who has it. */
#pragma once

#include <stdint.h>

enum { SCHEMA_VERSION = 8, ENGINE_BYTES_MAX = 64, ENDPOINT_BYTES_MAX = 128 };

struct fence {
	int16_t shard;
	int64_t epoch, last_seq, framework_version, schema_version, clock_us;
	uint8_t head_hash[32];
	char engine[ENGINE_BYTES_MAX + 1]; /* who reigns; "": nobody */
	int64_t instance;                  /* which process of that engine */
	char endpoint[ENDPOINT_BYTES_MAX + 1];
};
