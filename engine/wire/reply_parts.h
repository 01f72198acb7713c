/* reply_parts.h — pieces shared by the files that build replies; private to wire/. */
#pragma once

#include "calloff/v1/envelope.pb-c.h"
#include "wire/reply.h"

void *reply_array(const struct reply *r, size_t count, size_t size);
char *reply_text(const struct reply *r, struct text t);
char *reply_package_id(const struct reply *r, int64_t package_no);
char *reply_date(const struct reply *r, int32_t day);
char *reply_provider(const struct reply *r, int32_t provider_no);
char *reply_list_code(const struct reply *r, int32_t list_no);
char *reply_pool_code(const struct reply *r, int32_t pool_no);
Calloff__V1__Receipt *reply_receipt(const struct reply *r, const struct receipt *receipt);
void reply_send(const struct reply *r, Calloff__V1__Envelope *e);
