/* drmemory's reports without drmemory: the program says, by system call numbers that do not exist, what there is to report.
 *     syscall(1000000 + KIND, n, a, b): n times, at the caller
 * The heap is one block of 16 bytes at 0x5000, live, and one at 0x6000, freed. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/drmemory/drmemory.h"
#include "tools/drmemory/report.h"
#include "tools/drmemory/stacks.h"

#include "drtools/record.h"

enum { FIRST_NUMBER = 1000000, LAST_NUMBER = FIRST_NUMBER + 20 };

struct drmemory_options opt = {.callstack_max_frames = 20, .report_max = 20000, .report_leak_max = 100};

bool
heap_find(uint64_t a, struct heap_block *out)
{
    *out = (struct heap_block){.start = a & ~0xfffull, .size = 16, .live = a < 0x6000, .allocated = 1, .freed = a < 0x6000 ? 0 : 1};
    return a >= 0x4f00 && a < 0x6100;
}

static void
report_one(const struct dr_mcontext *mc, uint64_t kind, uint64_t a, uint64_t b)
{
    struct leak leaks[2] = {{.kind = LEAK_DEFINITE, .address = 0x5000, .bytes = 16, .blocks = 1, .is_new = true},
                            {.kind = LEAK_REACHABLE, .address = 0x7000, .bytes = 8, .blocks = 1}};

    leaks[0].allocated = leaks[1].allocated = stack_here(mc, 12);

    switch (kind) {
    case 0: report_unaddressable(mc, (enum access_kind)b, a, 4); break;
    case 1: report_uninitialized(mc, UNINIT_JUMP, "rax", 0, 8); break;
    case 2: report_uninitialized(mc, UNINIT_READ, "realloc", 0, 8); break;
    case 3: report_syscall(mc, 1 /* write */, 1, b, false, a, 10); break;
    case 4: report_heap(mc, (enum heap_fault)b, "free", a, "operator new"); break;
    case 5: report_overlap(mc, "memcpy", a, a + 1, 8); break;
    case 6: report_leaks(leaks, a); break;
    case 7: report_nudge(); break;
    case 8: opt.report_max = (unsigned)a; break;
    case 9: report_uninitialized(mc, UNINIT_ADDRESS, NULL, a, 8); break;
    case 10: report_syscall(mc, 3 /* close */, 0, true, false, 0, 4); break;
    }
}

static void
syscall_pre(struct dr_syscall *s)
{
    if (s->number < FIRST_NUMBER || s->number > LAST_NUMBER)
        return;
    for (uint64_t i = 0; i < s->arg[0]; i++)
        report_one(s->mc, s->number - FIRST_NUMBER, s->arg[1], s->arg[2]);
    s->skip = true;
    s->result = dr_record_enabled();
}

static bool
init(int argc, const char *const *argv)
{
    (void)argc, (void)argv;
    return stacks_init() && report_init();
}

static void
nudge(dr_thread *t, uint64_t arg)
{
    (void)t, (void)arg;
    report_nudge();
}

static void
fork_child(dr_thread *t)
{
    (void)t;
    stacks_fork_child();
    report_fork_child();
}

static void
exec(dr_thread *t)
{
    (void)t;
    report_flush();
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof dr_tool,
    .api = DR_API_VERSION,
    .name = "errors",
    .init = init,
    .exit = report_flush,
    .syscall_pre = syscall_pre,
    .fork_child = fork_child,
    .exec = exec,
    .nudge = nudge,
};
