/* load.h — a core filled from the store's rows, as engine/store/load_state.c and load_framework.c do: never by replay. */
#pragma once

#include "postgres.h"

void load_begin(uint32_t packages_max);
/* The framework of these tables, sealed; kept by its id. */
const struct framework *load_framework_of(const struct model_market *market, int64_t version, uint64_t id);
struct core *load_core_empty(const struct framework *f);
/* Everything that is visible now. */
struct loaded *load_all(void);
struct loaded_keys *load_keys(uint32_t keys_max);
