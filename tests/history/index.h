/* index.h — what the model adds up or looks through each time, kept: the linker puts these in place of its functions.
 *
 * Shape:   minutes held by provider and list, starts by provider and day, the pool of a list, provider and sector, the place
 *          of a package's placement. The model calls them through --wrap (meson.build); its rules stay its own.
 * Trust:   one call in INDEX_SAMPLE is answered by the model's own sum too, and a difference ends the program (70);
 *          index_off() lets the model do all by itself.
 */
#pragma once

#include "../model/model.h"

enum { INDEX_SAMPLE = 257 };

void index_off(void);
/* After the framework was read anew. */
void index_framework(const struct model_market *market);
/* A live placement's minutes and start begin (1) or cease (-1) to count; place: its index in market.placements. */
void index_counts(const struct model_market *market, int place, int sign);
/* Where a package's live placement is from now on; -1 nowhere. */
void index_place(const struct model_market *market, int package, int place);
long long index_cross_checks(void);
