/* drmemory: options, and the tool's callbacks spread over its parts.
 * See docs/drmemory.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drmemory.h"

#include <string.h>

#include "heap.h"
#include "instrument.h"
#include "leak.h"
#include "propagate.h"
#include "replace.h"
#include "replace_strings.h"
#include "report.h"
#include "requests.h"
#include "stack.h"
#include "stacks.h"
#include "syscalls.h"

struct drmemory_options opt = {
    .check_uninitialized = true,
    .check_leaks = true,
    .count_leaks = true,
    .possible_leaks = true,
    .check_overlap = true,
    .check_mismatches = true,
    .callstack_max_frames = 20,
    .malloc_max_frames = 12,
    .free_max_frames = 6,
    .delay_frees = 2000,
    .delay_frees_bytes = 20000000,
    .redzone_size = 16,
    .report_max = 20000,
    .report_leak_max = 10000,
};

/* ---- options ---- */

static const struct { const char *name; bool *value; } switches[] = {
    {"check_uninitialized", &opt.check_uninitialized},
    {"check_leaks", &opt.check_leaks},
    {"count_leaks", &opt.count_leaks},
    {"possible_leaks", &opt.possible_leaks},
    {"show_reachable", &opt.show_reachable},
    {"leaks_only", &opt.leaks_only},
    {"light", &opt.light},
    {"origins", &opt.origins},
    {"check_overlap", &opt.check_overlap},
    {"check_mismatches", &opt.check_mismatches},
    {"pause_at_error", &opt.pause_at_error},
    {"crash_at_unaddressable", &opt.crash_at_unaddressable},
    {"crash_at_error", &opt.crash_at_error},
    {"check_realloc_zero", &opt.check_realloc_zero},
    {"strict_alignment", &opt.strict_alignment},
    {"tool_stats", &opt.stats},
};
static const struct { const char *name; unsigned *value; unsigned min, max; } numbers[] = {
    {"callstack_max_frames", &opt.callstack_max_frames, 1, 4096},
    {"malloc_max_frames", &opt.malloc_max_frames, 1, 4096},
    {"free_max_frames", &opt.free_max_frames, 0, 4096},
    {"delay_frees", &opt.delay_frees, 0, 100000000},
    {"redzone_size", &opt.redzone_size, 0, 4096},
    {"report_max", &opt.report_max, 1, 1000000},
    {"report_leak_max", &opt.report_leak_max, 1, 1000000},
};
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static bool
number(const char *s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (!*s)
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (v > max)
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    unsigned shift = *s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0;
    if (s[shift != 0] || v > max >> shift)
        return false;
    v <<= shift;
    *out = v;
    return v <= max;
}

/* An option of the name and, for a number, its value. -1: there is none such; 0: the value is wrong; otherwise how many words it took. */
static int
option(const char *name, const char *value)
{
    bool no = strncmp(name, "no_", 3) == 0;
    uint64_t v;

    for (unsigned i = 0; i < COUNT_OF(switches); i++)
        if (strcmp(no ? name + 3 : name, switches[i].name) == 0) {
            *switches[i].value = !no;
            return 1;
        }
    for (unsigned i = 0; i < COUNT_OF(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0) {
            if (!value || !number(value, numbers[i].max, &v) || v < numbers[i].min)
                return 0;
            *numbers[i].value = (unsigned)v;
            return 2;
        }
    if (strcmp(name, "delay_frees_bytes") == 0) {
        if (!value || !number(value, 1ull << 40, &opt.delay_frees_bytes))
            return 0;
        return 2;
    }
    return -1;
}

static bool
options_read(int argc, const char *const *argv)
{
    for (int i = 1, n; i < argc; i += n) {
        n = argv[i][0] == '-' ? option(argv[i] + 1, i + 1 < argc ? argv[i + 1] : NULL) : -1;
        if (n <= 0) {
            dr_print(n ? "drmemory: unknown option %s\n" : "drmemory: %s needs a number in its range\n", argv[i]);
            return false;
        }
    }
    if (opt.light && !opt.leaks_only)
        opt.check_leaks = false;
    if (opt.leaks_only || !opt.check_uninitialized)      /* leaks are looked for all the same */
        opt.light = true;
    return true;
}

/* ---- callbacks ---- */

static bool
init(int argc, const char *const *argv)
{
    const char *why;

    if (!options_read(argc, argv))
        return false;
    if (!instrument_cpu_suffices()) {
        dr_print("drmemory: this processor has no BMI2 instructions, which its checks are made of\n");
        return false;
    }
    if ((why = shadow_init())) {
        dr_print("drmemory: %s\n", why);
        return false;
    }
    if (!instrument_init() || !syscalls_init() || !stack_init() || !stacks_init() || !heap_init() || !replace_init() || !malloc_init() ||
        !strings_init() || !report_init()) {
        dr_print("drmemory: no memory for its tables (address-space limit?)\n");
        return false;
    }
    return true;
}

static void
thread_start(dr_thread *t)
{
    struct dr_mcontext mc;

    instrument_thread(t);
    if (dr_thread_context(t, &mc))
        stack_start(mc.gpr[RSP]);
}

static void
fork_child(dr_thread *t)
{
    shadow_after_fork();
    (void)t;
    report_fork_child();
    stacks_fork_child();
    replace_fork_child();
    leak_fork_child();
}

static bool
scans_for_leaks(void)
{
    return opt.check_leaks && opt.count_leaks;
}

static void
at_exit(void)
{
    if (scans_for_leaks())
        leak_scan(LEAK_AT_EXIT);
    report_flush();
    if (opt.stats)
        instrument_print_stats();
}

static void
before_exec(dr_thread *t)
{
    (void)t;
    report_flush();
}

static void
nudged(dr_thread *t, uint64_t arg)
{
    (void)t;
    (void)arg;
    if (scans_for_leaks())
        leak_scan(LEAK_AT_NUDGE);
    report_nudge();
}

static void
block_insn(dr_block *b, unsigned i)
{
    if (!i)
        replace_block(b);
    instrument_insn(b, i);
}

/* Of siginfo_t (sigaction(2)). */
struct fault_info { int number, error, code, unused; uint64_t address; };
enum { SIGSEGV_NUMBER = 11, MAPERR = 1 };

/* The program's instruction at mc has faulted on memory that is not mapped, of which there are no marks. What code without
 * a module does, such as a JIT compiler's null checks, is its own affair. */
static void
report_fault(const struct dr_mcontext *mc, uint64_t a)
{
    struct dr_module m = {.size = sizeof m};
    enum access_kind kind = ACCESS_IS_READ;
    uint8_t bytes[15];
    unsigned n = sizeof bytes, size = 1;
    struct step step;

    if (a == mc->rip) {
        kind = ACCESS_IS_JUMP;
    } else if (!dr_module_find(mc->rip, &m) || !shadow_covers(a) || shadow_get(a) == SHADOW_UNADDRESSABLE) {
        return;                         /* or the checks have reported it */
    } else {
        while (n && !dr_safe_read(bytes, mc->rip, n))
            n--;
        if (step_make(bytes, n, mc->rip, &step) && step.mem != 0xff) {
            size = step.op[step.mem].bytes;
            kind = step.flags & STEP_WRITES_MEMORY && !(step.flags & STEP_READS_MEMORY) ? ACCESS_IS_WRITE : ACCESS_IS_READ;
        }
    }
    report_unaddressable(mc, kind, a, size);
}

static enum dr_signal_action
on_signal(struct dr_signal *s)
{
    if (s->fault)
        propagate_undo(regstate_of(s->thread), s->mc->rip);
    const struct fault_info *info = s->info;
    if (s->fault && s->number == SIGSEGV_NUMBER && info->code == MAPERR)
        report_fault(s->mc, info->address);
    return DR_SIGNAL_DELIVER;
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "drmemory",
    .init = init,
    .exit = at_exit,
    .thread_start = thread_start,
    .thread_exit = heap_thread_exit,
    .fork_begin = heap_fork_begin,
    .fork_end = heap_fork_end,
    .fork_child = fork_child,
    .block_begin = instrument_begin,
    .block_insn = block_insn,
    .syscall_pre = syscalls_before,
    .syscall_post = syscalls_after,
    .signal = on_signal,
    .exec = before_exec,
    .nudge = nudged,
    .client_request = request_answer,
    .fault = instrument_fault,
    .signal_frame = stack_signal_frame,
    .module_load = replace_module_load,
    .module_unload = replace_module_unload,
};
