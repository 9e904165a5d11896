/* Tells of every nudge. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

static uint64_t n;

static bool
init(int argc, const char *const *argv)
{
    (void)argc;
    (void)argv;
    dr_print("nudge: ready\n");
    return true;
}

static void
nudge(dr_thread *t, uint64_t arg)
{
    struct dr_mcontext mc;

    dr_suspend_others();             /* as a leak scan does */
    DR_CHECK(t == dr_thread_current() && dr_thread_context(t, &mc), "who is nudged has a state");
    dr_resume_others();
    dr_print("nudge: %lu, argument %lu\n", __atomic_add_fetch(&n, 1, __ATOMIC_SEQ_CST), arg);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "nudge", .init = init, .nudge = nudge};
