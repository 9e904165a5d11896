/* drprof: exact counts of instructions by function, block and calling context.
 *
 * Each thread has a tree of calling contexts, whose nodes hold a count for each
 * block of their function. The current node is in a slot of the thread; inserted
 * code moves it at calls and returns and counts in it (insert.c). Everything
 * lies in a mapped file (raw.c), so that a killed program leaves it behind;
 * reports/profile reads it. Design and measurements: docs/drprof.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "priv.h"

enum { SYS_RT_SIGRETURN = 15 };

struct options options = {.memory = 4ull << 30};
uint32_t context_slot, frames_slot;
struct dr_mutex lock;

static bool
number(const char *s, uint64_t *out)
{
    uint64_t v = 0;

    if (!*s)
        return false;
    for (; *s >= '0' && *s <= '9' && v < 1ull << 50; s++)
        v = v * 10 + (uint64_t)(*s - '0');
    unsigned shift = *s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0;
    *out = v << shift;
    return !s[shift ? 1 : 0];
}

static bool
read_options(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "-raw") == 0 && value)
            options.raw = value;
        else if (strcmp(argv[i], "-start_at") == 0 && value)
            options.start_at = value;
        else if (strcmp(argv[i], "-stop_at") == 0 && value)
            options.stop_at = value;
        else if (strcmp(argv[i], "-memory") != 0 || !value || !number(value, &options.memory) || options.memory < 16 << 20 || options.memory > 64ull << 30) {
            dr_print("drprof: bad option or value: %s (known: -raw PATH, -start_at FUNC, -stop_at FUNC, -memory SIZE of 16M to 64G)\n", argv[i]);
            return false;
        }
        i++;
    }
    return true;
}

static bool
init(int argc, const char *const *argv)
{
    options.raw = "drprof";
    if (!read_options(argc, argv))
        return false;
    context_slot = dr_thread_memory(sizeof(struct context));
    frames_slot = dr_thread_memory(FRAMES_BYTES + FRAMES_SPARE * sizeof(struct frame));
    if (!context_slot || !frames_slot || !dr_modes(N_MODES)) {
        dr_print("drprof: no memory in threads (another tool with modes?)\n");
        return false;
    }
    window_init();
    if (!raw_open())
        return false;
    header->command = raw_text(dr_program());
    return true;
}

static void
ended(void)
{
    header->flags |= PROF_ENDED;
}

static void
thread_start(dr_thread *t)
{
    if (!context_start(t)) {
        give_up(t);
        return;
    }
    context_of(t)->event = EVENT_START;
    dr_set_mode(t, window_open ? MODE_LAND : MODE_OFF);
}

static void
fork_child(dr_thread *t)
{
    if (!raw_reopen_in_child()) {
        dr_print("drprof: no profile of process %d: no memory or file for it\n", dr_process_id());
        give_up(t);
        return;
    }
    context_fork_child(t);
}

static void
module_load(const struct dr_module *m)
{
    functions_module_load(m);
    window_module_load(m);
}

static void
syscall_pre(struct dr_syscall *s)
{
    if (s->number == SYS_RT_SIGRETURN && dr_mode(s->thread) != MODE_OFF) {
        context_of(s->thread)->event = EVENT_SIGRETURN;
        dr_set_mode(s->thread, MODE_LAND);
    }
    window_follow(s->thread);
}

static enum dr_signal_action
signal(struct dr_signal *s)
{
    context_signal(s->thread, s->mc);
    return DR_SIGNAL_DELIVER;
}

/* What there is until now, as a part of its own; the program counts on. */
static void
nudge(dr_thread *t, uint64_t arg)
{
    (void)t;
    (void)arg;
    raw_dump();
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "drprof",
    .init = init,
    .exit = ended,
    .thread_start = thread_start,
    .fork_child = fork_child,
    .module_load = module_load,
    .module_unload = functions_module_unload,
    .block_begin = insert_begin,
    .block_insn = insert_insn,
    .block_cut = insert_cut,
    .syscall_pre = syscall_pre,
    .signal = signal,
    .nudge = nudge,
    .client_request = window_request,
};
