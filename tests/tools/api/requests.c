/* Answers client requests: 0x1001 says 1, 0x7001 gives the arguments in one number, 0x7002 how often 0x7001 came. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

static volatile uint64_t came;

static bool
client_request(dr_thread *t, const uint64_t args[6], uint64_t *result)
{
    (void)t;
    switch (args[0]) {
    case 0x1001:
        *result = 1;
        return true;
    case 0x7001:
        __atomic_fetch_add(&came, 1, __ATOMIC_RELAXED);
        *result = args[1] * 10000 + args[2] * 1000 + args[3] * 100 + args[4] * 10 + args[5];
        return true;
    case 0x7002:
        *result = came;
        return true;
    }
    return false;
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "requests", .client_request = client_request};
