/* Client requests of the program. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_REQUESTS_H
#define DRTOOLS_DRMEMORY_REQUESTS_H

#include "drmemory.h"

/* The callback client_request. */
bool request_answer(dr_thread *t, const uint64_t args[6], uint64_t *result);

#endif
