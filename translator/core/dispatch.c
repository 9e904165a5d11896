/* Dispatch: what happens between an exit from the code cache and the next entry.
 *
 * Runs on the thread's engine stack with the program's registers in t->s.mc.
 * No lock is held when the cache is entered. A signal that comes in between is
 * queued by the handler and delivered here, before the entry (docs/signals.md). */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/tools.h"
#include "core/step.h"
#include "core/translate.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "linux/syscall.h"
#include "util/log.h"
#include "x86/scan.h"

/* Outside of the cache as of now: memory that was deleted before may go. */
static void
publish_outside(struct thread *t)
{
    __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
    cache_reclaim_if_needed();
    if (UNLIKELY(flush_is_due))
        flush_due();
}

/* Runs the instruction at mc.rip itself: one that is to fault, or that only the CPU
 * knows. It traps after it, or when 32-bit code that it has called is done. */
static void
run_natively(struct thread *t)
{
    if (is_vsyscall(t->s.mc.rip) && vsyscall_program(t))
        dispatch_at(t, t->s.mc.rip);
    LOG(LOG_DISPATCH, "native probe at 0x%lx", t->s.mc.rip);
    if (UNLIKELY(step_wanted(t)))
        step_prepare(t);
    t->native_probe = t->s.mc.rip;
    t->probing = true;
    t->probe_ran = false;
    t->s.mc.rflags |= 0x100;             /* TF */
    enter_native(t);
}

static void
enter_fragment(struct thread *t, frag_id f)
{
    t->s.enter_pc.p = cache_at(frag_get(f)->body);
    t->doing = "in the code cache";
    enter_cache(t);
}

/* `from`: exit to link; `indirect`: came through the indirect-branch table. */
NORETURN static void
go_on(struct thread *t, uint64_t pc, exit_id from, bool indirect)
{
    frag_id f;

    t->s.mc.rip = pc;
    t->doing = "translating";
    if (UNLIKELY(t->step.trap))
        step_raise(t);
    if (t->s.pending)
        signal_deliver_queued(t);
    bool once = t->single || block_count_reached();
    if (UNLIKELY(step_wanted(t))) {
        step_prepare(t);
        once = true;
        from = 0;
        indirect = false;
    }
    unsigned mode = thread_mode(t);
    f = cache_lookup(pc, mode);
    t->single = false;
    if (!f || from || once) {
        enum translate_result r = translate(t, pc, mode, from, once, indirect, &f);
        if (r != TRANSLATE_OK)
            run_natively(t);
        t->linear_pc = 0;
    }
    if (indirect) {
        mutex_lock(&cache_lock);
        if (UNLIKELY(t->s.ibl_budget < 0))
            ibl_grow(t);
        uint8_t *pad = frag_get(f)->flags & (FRAG_DEAD | FRAG_ONCE) ? NULL : cache_landing(f);
        if (pad)
            ibl_fill(t, pc, pad);
        mutex_unlock(&cache_lock);
    }
    LOG(LOG_DISPATCH, "enter 0x%lx fragment %u", pc, f);
    enter_fragment(t, f);
    __builtin_unreachable();
}

void
dispatch_at(struct thread *t, uint64_t pc)
{
    publish_outside(t);
    go_on(t, pc, 0, false);
}

/* A system call, with what tools make of it. */
static void
carry_out_syscall(struct thread *t, uint64_t at, uint64_t next)
{
    struct tool_call c;

    if (LIKELY(!tools_want_syscalls)) {
        syscall_program(t, at, next);
        return;
    }
    if (tools_syscall_pre(t, &c))
        syscall_result(t, next, c.result);
    else
        syscall_program(t, at, next);
    tools_syscall_post(t, &c, t->s.mc.rip == next);     /* otherwise a signal comes first */
}

static void
leave_by_exit(struct thread *t, exit_id id)
{
    struct exit x = *exit_get(id);
    uint64_t tag = frag_get(x.from)->tag, at = tag + x.app_off, next = x.target;
    unsigned mode = frag_get(x.from)->mode;

    publish_outside(t);
    cache_stats.exits++;
    switch (x.kind) {
    case X_LINK:
        go_on(t, next, id, false);
    case X_MODE: {
        struct app_state s;
        if (tools_want_cuts && translate_state(x.from, (uint64_t)cache_at(x.jump), &s))
            tools_block_cut(t, tag, mode, at, s.entry.uninserted);
        go_on(t, next, id, false);
    }
    case X_SYSCALL:
        t->doing = "in a system call";
        t->s.mc.rip = at;
        signal_update_pending(t);
        if (t->s.pending) {
            tools_block_cut(t, tag, mode, at, 0);
            signal_deliver_queued(t);
        }
        carry_out_syscall(t, at, next);
        if (t->s.mc.rip == at)
            tools_block_cut(t, tag, mode, at, 0);
        go_on(t, t->s.mc.rip, 0, false);
    case X_SPECIAL:
        t->s.mc.rip = at;
        if (!special_instruction(t, at, &next)) {
            tools_block_cut(t, tag, mode, at, 0);
            run_natively(t);
        }
        go_on(t, next, 0, false);
    case X_FPSAVE:
        fix_saved_x87_pointer(t, at);
        go_on(t, next, 0, false);
    case X_SELFCHECK:
        code_has_changed(next);
        mutex_lock(&cache_lock);
        cache_flush_range(next, next + 1);
        mutex_unlock(&cache_lock);
        go_on(t, next, 0, false);
    case X_CALM:
        t->s.checks = CHECKS_BUDGET;
        cache_stats.calmed += code_calm_down(next);
        go_on(t, next, 0, false);
    }
    CHECK(false, "an exit has a known kind");
}

/* Back from a single step of the program's own. Returns to have the exit dealt with as any other. */
static void
step_back(struct thread *t, uint64_t reason, uint64_t arg)
{
    uint64_t pc = reason < EXIT_FIRST_REASON ? exit_get((exit_id)reason)->target : arg, natural = pc;

    if (reason < EXIT_FIRST_REASON || reason == EXIT_IBL)
        step_finish(t, &pc);
    else
        step_undo(t, &t->s.mc);      /* a signal came before it */
    if (pc != natural) {             /* a string instruction that goes on */
        publish_outside(t);
        go_on(t, pc, 0, false);
    }
}

void
dispatch(struct thread *t)
{
    uint64_t reason = t->s.exit, arg = t->s.exit_arg;

    if (UNLIKELY(t->s.app_tf))
        step_back(t, reason, arg);

    DCHECK(t == thread_self(), "GS points at this thread");
    if (reason < EXIT_FIRST_REASON) {
        leave_by_exit(t, (exit_id)reason);
    } else if (reason == EXIT_CALLED) {
        struct app_state s;
        bool pad;
        frag_id f = t->s.returns ? 0 : cache_owner(t->s.call_back, &pad);
        t->s.returns = 0;
        if (f && translate_state(f, t->s.call_back, &s)) {
            state_recover(t, &s, t->s.mc.gpr);
            tools_block_cut(t, frag_get(f)->tag, frag_get(f)->mode, s.pc, s.entry.uninserted);
        }
        publish_outside(t);
        go_on(t, t->s.mc.rip, 0, false);
    } else {
        publish_outside(t);
        cache_stats.ibl_misses += reason == EXIT_IBL;
        if (UNLIKELY(!is_canonical(arg)) && reason == EXIT_IBL)
            branch_fault(t, arg);
        go_on(t, arg, 0, reason == EXIT_IBL);
    }
}

bool
block_count_reached(void)
{
    return UNLIKELY(options.native_from) && cache_stats.fragments >= options.native_from;
}
