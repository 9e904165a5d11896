/* Client requests of the program. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_REQUESTS_H
#define DRTOOLS_DRMEMORY_REQUESTS_H

#include "drmemory.h"

/* Carries out the request of args (its code first) that the program makes at mc. False: not one that drmemory answers. */
bool request_answer(const uint64_t args[6], const struct dr_mcontext *mc, uint64_t *result);

#endif
