/* fence.h — where a shard stands in the database: the row that every commit must find unchanged. */
#pragma once

#include <stdint.h>

enum { SCHEMA_VERSION = 6 };

struct fence {
	int16_t shard;
	int64_t epoch, last_seq, framework_version, schema_version, clock_us;
	uint8_t head_hash[32];
};
