/* Tells of every nudge; with -at_exit, stops threads and looks at the program's memory at the end. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

static uint64_t n;

static bool at_exit;

static bool
init(int argc, const char *const *argv)
{
    (void)argv;
    at_exit = argc > 1;
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

extern const struct dr_tool dr_tool;
static void ignore(uint64_t lo, uint64_t hi, void *arg) { (void)lo, (void)hi, (void)arg; }

static bool
one_more(const struct dr_region *r, void *arg)
{
    (void)r;
    ++*(unsigned *)arg;
    return true;
}

static void
count_thread(dr_thread *t, void *arg)
{
    char name[16];

    dr_thread_name(t, name, sizeof name);
    ++*(unsigned *)arg;
}

static void
finish(void)
{
    unsigned regions = 0, threads = 0;

    if (!at_exit)
        return;
    dr_suspend_others();
    dr_each_thread(count_thread, &threads);
    bool known = dr_each_region(one_more, &regions);
    dr_each_touched((uint64_t)&dr_tool, (uint64_t)(&dr_tool + 1), ignore, NULL);
    dr_resume_others();
    dr_print("nudge: end, %u threads, regions %s\n", threads, known && regions ? "known" : "not known");
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "nudge", .init = init, .nudge = nudge, .exit = finish};
