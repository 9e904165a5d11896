/* Signal handlers of the kernel's side: where was the thread, what does the
 * program see of it.
 *
 * One handler serves all signals, on the thread's own alternate stack, with
 * everything blocked but the five that the CPU raises (a fault while one of
 * those is blocked would kill the process).
 * A signal that finds the thread in the code cache is delivered at once: any
 * cache address maps to the program's state. One that finds it in the engine is
 * queued, all others stay blocked in the kernel, and dispatch delivers it.
 * Invariant: while a signal is queued, the kernel mask is full (another may slip in
 * where the engine sets its mask, so there is room for a few).
 * See docs/signals.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/signal.h"

#include "core/engine.h"
#include "core/tools.h"
#include "core/step.h"
#include "drtools/record.h"
#include "linux/channel.h"
#include "core/translate.h"
#include "linux/memory.h"
#include "linux/nudge.h"
#include "linux/sigframe.h"
#include "linux/suspend.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "util/log.h"

extern uint8_t enter_window[], enter_window_end[], enter_abort[], enter_native_end[], app_syscall_window[],
    app_syscall_insn[], app_syscall_after[], app_syscall_abort[], app_syscall_ia32_window[], app_syscall_ia32_insn[], app_syscall_ia32_after[],
    app_syscall_ia32_abort[], app_syscall_ia32_none[], safe_copy_begin[], safe_copy_end[], safe_copy_fault[], recover_resume[], raise_point[],
    signal_entry[], signal_restorer[], resume_dispatch[];

_Static_assert(sizeof(struct ksiginfo) == sizeof ((struct thread *)0)->raised_info, "struct thread has room for it");

static bool within(uint64_t pc, const uint8_t *lo, const uint8_t *hi) { return pc >= (uint64_t)lo && pc < (uint64_t)hi; }

/* ---- registers between the kernel's frame and ours ---- */

static uint64_t *
frame_reg(struct ksigcontext *c, unsigned r)
{
    uint64_t *const at[16] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, &c->rsp, &c->rbp, &c->rsi, &c->rdi,
                              &c->r8, &c->r9, &c->r10, &c->r11, &c->r12, &c->r13, &c->r14, &c->r15};
    return at[r];
}

void
mcontext_from_frame(struct mcontext *m, const struct ksigcontext *c)
{
    for (unsigned r = 0; r < 16; r++)
        m->gpr[r] = *frame_reg((struct ksigcontext *)c, r);
    m->rip = c->rip;
    m->rflags = c->eflags;
}

void
mcontext_to_frame(const struct mcontext *m, struct ksigcontext *c)
{
    for (unsigned r = 0; r < 16; r++)
        *frame_reg(c, r) = m->gpr[r];
    c->rip = m->rip;
    c->eflags = m->rflags;
}

/* ---- ends of the program ---- */

static const uint64_t stops_by_default = SIG_BIT(SIG_TSTP) | SIG_BIT(SIG_TTIN) | SIG_BIT(SIG_TTOU);
static const uint64_t ignored_by_default = SIG_BIT(SIG_CHLD) | SIG_BIT(SIG_CONT) | SIG_BIT(SIG_URG) | SIG_BIT(SIG_WINCH);

/* Death by `sig`, as the kernel would have dealt it. */
NORETURN static void
die_by(struct thread *t, int sig, const struct ksiginfo *info)
{
    struct ksigaction dfl = {0};
    struct ksiginfo copy = *info;
    uint64_t none = 0, all = ~0ull;

    LOG(LOG_SIGNAL, "dying by signal %d", sig);
    int instead = t->vfork_child ? -1 : engine_at_exit(t, EXIT_SIGNAL, sig);
    if (instead >= 0)
        sys_exit_group(instead);
    sys4(__NR_rt_sigprocmask, 2, (long)&all, 0, 8);
    sys4(__NR_rt_sigaction, sig, (long)&dfl, 0, 8);
    sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), sig, (long)&copy);
    sys3(__NR_tgkill, sys0(__NR_getpid), sys0(__NR_gettid), sig);
    sys4(__NR_rt_sigprocmask, 2, (long)&none, 0, 8);
    sys_exit_group(128 + sig);
}

NORETURN static void
engine_fault(struct thread *t, int sig, const struct ksiginfo *info, const struct ksigcontext *c)
{
    print_err("drtools: engine fault: signal %d at 0x%lx, address 0x%lx, %s, program pc 0x%lx, thread %d\n", sig, c->rip,
              info->fault.addr, t->doing ? t->doing : "starting", t->s.mc.rip, (int)sys0(__NR_gettid));
    print_err("drtools: rax %lx rcx %lx rdx %lx rbx %lx rsp %lx rbp %lx rsi %lx rdi %lx\n", c->rax, c->rcx, c->rdx, c->rbx, c->rsp,
              c->rbp, c->rsi, c->rdi);
    sys_exit_group(125);
}

/* ---- delivery ---- */

static struct ksigaction
action_take(struct thread *t, int sig)
{
    struct process *p = t->process;

    mutex_lock(&p->lock);
    struct ksigaction a = p->action[sig];
    if (a.handler > 1 && (a.flags & SAF_RESETHAND)) {
        p->action[sig].handler = 0;
        signal_install(sig, &p->action[sig]);
    }
    mutex_unlock(&p->lock);
    return a;
}

void
signal_return_to_dispatch(struct thread *t, struct kucontext *uc)
{
    uc->mc.rip = (uint64_t)resume_dispatch;
    uc->mc.rsp = (uint64_t)t->s.dstack;
    uc->mc.eflags = 0x202;
    uc->sigmask = t->queued ? ~SYNC_SIGNALS : kernel_mask(t->app_mask);
}

/* The program goes on at `m` as if the signal had not come. */
static void
pass_over(struct thread *t, struct kucontext *uc, const struct mcontext *m)
{
    t->s.mc = *m;
    if (t->mask_saved)
        t->app_mask = t->saved_mask;
    t->mask_saved = false;
    signal_return_to_dispatch(t, uc);
}

static void deliver_now(struct thread *t, struct kucontext *uc, const struct mcontext *m, const struct ksiginfo *info, bool fault);

/* Delivers `info` to the program, unless a tool has other plans. */
static void
deliver(struct thread *t, struct kucontext *uc, const struct mcontext *m, const struct ksiginfo *info, bool fault)
{
    struct ksiginfo told = *info;
    struct mcontext at = *m;

    if (LIKELY(!tools_want_signals))
        deliver_now(t, uc, m, info, fault);
    else if (tools_signal(t, &told, fault, &at) == DR_SIGNAL_DELIVER)
        deliver_now(t, uc, &at, &told, fault);
    else
        pass_over(t, uc, &at);
}

/* Delivers `info` to the program, which stands at `m`. `uc` is the kernel's frame of
 * this very interruption: its vector state is the program's. `fault`: raised by the
 * program's own instruction, so it cannot be blocked or ignored. */
static void
deliver_now(struct thread *t, struct kucontext *uc, const struct mcontext *m, const struct ksiginfo *info, bool fault)
{
    int sig = info->signo;
    struct ksigaction a = action_take(t, sig);

    LOG(LOG_SIGNAL, "deliver %d code %d at 0x%lx handler 0x%lx fault %d", sig, info->code, m->rip, a.handler, fault);
    t->s.mc = *m;
    if (fault && (a.handler <= 1 || (t->app_mask & SIG_BIT(sig))))
        die_by(t, sig, info);
    if (a.handler == 0 && !(ignored_by_default & SIG_BIT(sig)) && !(stops_by_default & SIG_BIT(sig)))
        die_by(t, sig, info);
    if (a.handler <= 1) {
        if (a.handler == 0 && (stops_by_default & SIG_BIT(sig)))
            sys2(__NR_kill, sys0(__NR_getpid), SIG_STOP);
        pass_over(t, uc, m);
        return;
    }
    if (!sigframe_push(t, uc, m, info, &a)) {
        struct ksiginfo segv = {.signo = SIG_SEGV, .code = 0x80 /* SI_KERNEL */};
        if (sig == SIG_SEGV)
            die_by(t, SIG_SEGV, &segv);
        deliver_now(t, uc, m, &segv, true);
        return;
    }
    t->app_mask |= (a.mask | (a.flags & SAF_NODEFER ? 0 : SIG_BIT(sig))) & ~(SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP));
    uc->mc.fpstate = 0;              /* the kernel then gives the initial state, as to any handler */
    signal_return_to_dispatch(t, uc);
}

enum { SYS_SECCOMP_CODE = 1 };

/* Interrupted in the engine: whatever it is about to enter, it comes by dispatch first. */
static void
hold_back(struct thread *t, struct kucontext *uc)
{
    t->s.pending = 1;
    if (within(uc->mc.rip, enter_window, enter_window_end))
        uc->mc.rip = (uint64_t)enter_abort;
    else if (within(uc->mc.rip, cache_ibl_window, cache_ibl_window_end))
        uc->mc.rip = (uint64_t)cache_ibl_out;
    else if (within(uc->mc.rip, cache_call_window, cache_call_window_end))
        uc->mc.rip = (uint64_t)cache_call_abort;
    else if (within(uc->mc.rip, app_syscall_window, app_syscall_insn + 1))
        uc->mc.rip = (uint64_t)app_syscall_abort;
    else if (within(uc->mc.rip, app_syscall_ia32_window, app_syscall_ia32_insn + 1))
        uc->mc.rip = (uint64_t)app_syscall_ia32_abort;
}

static void
queue(struct thread *t, struct kucontext *uc, const struct ksiginfo *info)
{
    CHECK(t->queued < MAX_QUEUED, "few signals are queued at a time");
    struct ksiginfo *q = memcpy(t->queued_info[t->queued++], info, sizeof *info);
    if (info->signo == SIG_SYS && info->code == SYS_SECCOMP_CODE)
        q->sys.call_addr = t->s.mc.rip + 2;      /* the program's system call, not ours */
    uc->sigmask = ~SYNC_SIGNALS;
    hold_back(t, uc);
}

/* At a system call of the program's, in it, or just after: no lock is held, and t->s.mc is the program's state. */
static bool
in_program_call(const struct kucontext *uc)
{
    return within(uc->mc.rip, app_syscall_window, app_syscall_after + 1) ||
           within(uc->mc.rip, app_syscall_ia32_window, app_syscall_ia32_after + 1);
}

static void
hold(struct thread *t, const struct ksiginfo *info)
{
    if (!(t->held & SIG_BIT(info->signo)))
        memcpy(t->held_info[info->signo], info, sizeof *info);
    t->held |= SIG_BIT(info->signo);
}

/* Takes the first of what is queued, or a held signal that is no longer blocked. False: none. */
static bool
take_queued(struct thread *t, struct ksiginfo *info)
{
    while (t->queued) {
        memcpy(info, t->queued_info[0], sizeof *info);
        memmove(t->queued_info[0], t->queued_info[1], --t->queued * sizeof *info);
        if (!(t->app_mask & SIG_BIT(info->signo)))
            return true;
        /* Blocked since it came: it waits in its place for such signals. */
        if (SIG_BIT(info->signo) & SYNC_SIGNALS)
            hold(t, info);
        else
            sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), info->signo, (long)info);
    }
    uint64_t ready = t->held & ~t->app_mask;
    if (!ready)
        return false;
    int sig = __builtin_ctzll(ready) + 1;
    memcpy(info, t->held_info[sig], sizeof *info);
    t->held &= ~SIG_BIT(sig);
    return true;
}

void
signal_update_pending(struct thread *t)
{
    /* Cleared first: a signal that comes from here on sets it to stay. */
    __atomic_store_n(&t->s.pending, 0, __ATOMIC_SEQ_CST);
    if (t->suspend || nudge_waits(t) || t->raised || t->queued || (t->held & ~t->app_mask))
        t->s.pending = 1;
}

uint64_t
signals_queued(const struct thread *t)
{
    uint64_t set = 0;

    for (unsigned i = 0; i < t->queued; i++)
        set |= SIG_BIT(((const struct ksiginfo *)t->queued_info[i])->signo);
    return set;
}

/* One of the five, sent to the process and blocked by the program in this
 * thread: another may take it, as the kernel would have chosen it. */
static bool
forward(struct thread *t, const struct ksiginfo *info)
{
    enum { SI_TKILL_CODE = -6 };
    uint64_t bit = SIG_BIT(info->signo);
    int tid = 0;

    if (info->code == SI_TKILL_CODE || thread_count == 1 || !(t->app_mask & bit) || !mutex_try(&threads_lock))
        return false;
    for (struct thread *o = all_threads; o && !tid; o = o->next)
        if (o != t && o->tid && !o->vfork_child && (o->exposed || !(o->app_mask & bit)))
            tid = o->tid;
    mutex_unlock(&threads_lock);
    return tid && !sys_failed(sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), tid, info->signo, (long)info));
}

/* The five that the kernel never blocks, sent by somebody. True: dealt with. */
static bool
sent_sync(struct thread *t, const struct ksiginfo *info)
{
    int sig = info->signo;

    if (t->app_mask & SIG_BIT(sig) || t->queued) {
        if (!forward(t, info))
            hold(t, info);
        signal_update_pending(t);
        t->swallowed = true;
        return true;
    }
    t->swallowed = t->process->action[sig].handler == 1;
    return t->swallowed;
}

/* ---- the program's state at an interruption in the cache ---- */

enum where { IN_ENGINE, IN_CACHE };

/* Program state of a thread interrupted at `uc`. IN_ENGINE: there is none yet. `cut`: its block ends here.
 * `in_tool`, if not NULL: the instruction is one that a tool inserted. */
static enum where
state_at(struct thread *t, const struct kucontext *uc, struct mcontext *m, bool *in_tool, bool cut)
{
    struct app_state s;
    bool pad;
    frag_id f = cache_owner(uc->mc.rip, &pad);

    if (!f || (t->s.app_tf && !cut))
        return IN_ENGINE;
    mcontext_from_frame(m, &uc->mc);
    if (pad) {
        m->rip = cache_pad_target(f, uc->mc.rip, m->gpr[RCX]);
        m->gpr[RCX] = t->s.spill[0];
        m->gpr[RDX] = t->s.spill[1];
        DCHECK(!t->s.app_tf, "single steps find no landing pad");
        return IN_CACHE;
    }
    if (!translate_state(f, uc->mc.rip, &s))
        return IN_ENGINE;
    m->rip = s.pc;
    if (in_tool)
        *in_tool = s.entry.spilled & MAP_TOOL;
    state_recover(t, &s, m->gpr);
    if (step_is_done(t, m))
        return IN_ENGINE;            /* the trap of that instruction comes first */
    step_undo(t, m);
    if (cut)
        tools_block_cut(t, frag_get(f)->tag, frag_get(f)->mode, s.pc, s.entry.uninserted);
    return IN_CACHE;
}

static enum where
program_state(struct thread *t, const struct kucontext *uc, struct mcontext *m, bool *in_tool)
{
    return state_at(t, uc, m, in_tool, true);
}

/* ---- requests of our own: to stop, and nudges ---- */

/* Another thread of ours wants this one to stop. True: it has, and goes on. */
static bool
on_suspend(struct thread *t, struct kucontext *uc)
{
    uint64_t trap = SIG_BIT(SIG_TRAP);
    struct mcontext m;

    t->swallowed = true;             /* a call that it interrupted goes on */
    if (!t->suspend)
        return false;
    sys4(__NR_rt_sigprocmask, 1 /* SIG_UNBLOCK */, (long)&trap, 0, 8);
    if (in_program_call(uc)) {
        suspend_in_handler(t, &t->s.mc, PARKED_IN_SYSCALL);
        return true;
    }
    if (state_at(t, uc, &m, NULL, false) != IN_CACHE) {
        hold_back(t, uc);
        return false;
    }
    if (suspend_in_handler(t, &m, PARKED_IN_CACHE)) {
        CHECK(program_state(t, uc, &m, NULL) == IN_CACHE, "a parked thread is where it was");
        t->s.mc = t->parked_mc;
        signal_return_to_dispatch(t, uc);
    }
    return true;
}

/* From dispatch where the program's state is known, which is soon; at once in a system call, which may last. */
static void
on_nudge(struct thread *t, struct kucontext *uc)
{
    struct mcontext m;

    t->swallowed = true;
    if (in_program_call(uc)) {
        nudge_deliver(t);
    } else if (program_state(t, uc, &m, NULL) == IN_CACHE) {
        t->s.mc = m;
        signal_return_to_dispatch(t, uc);
    } else {
        hold_back(t, uc);
    }
}

/* A request that came while we were in the handler found us in the engine: it must not be forgotten on the way back to
 * where nothing looks at it. SIGTRAP stays blocked from the last look to the return, which unblocks it. */
static void
settle(struct thread *t, struct kucontext *uc)
{
    uint64_t trap = SIG_BIT(SIG_TRAP);

    if (nudge_waits(t))
        on_nudge(t, uc);
    do
        sys4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&trap, 0, 8);
    while (t->suspend && on_suspend(t, uc));
}

/* ---- faults ---- */

/* An alignment check (the program has set AC) of ours, where a fragment compares its source. */
static bool
is_check_of_selfcheck(const struct kucontext *uc)
{
    enum { TRAPNO_AC = 17 };
    struct app_state s;
    bool pad;
    frag_id f = uc->mc.trapno == TRAPNO_AC ? cache_owner(uc->mc.rip, &pad) : 0;

    return f && !pad && (frag_get(f)->flags & FRAG_SELFCHECK) && translate_state(f, uc->mc.rip, &s) && !s.boundary && s.pc == frag_get(f)->tag;
}

static void
fault_in_cache(struct thread *t, struct kucontext *uc, struct ksiginfo *info)
{
    struct mcontext m;
    bool in_tool = false;

    if (info->signo == SIG_SEGV && uc->mc.trapno == 14 && (uc->mc.err & 2) && code_write_fault(uc->mc.cr2)) {
        bool pad;
        frag_id f = cache_owner(uc->mc.rip, &pad);
        if (f && !(frag_get(f)->flags & FRAG_DEAD))
            return;                  /* the page is writable again: retry the store */
        /* The storing block itself may have changed: carry out this one instruction, then look afresh. */
        CHECK(program_state(t, uc, &m, NULL) == IN_CACHE, "a store is in the cache");
        t->s.mc = m;
        t->single = true;
        signal_return_to_dispatch(t, uc);
        return;
    }
    if (program_state(t, uc, &m, &in_tool) != IN_CACHE)
        engine_fault(t, info->signo, info, &uc->mc);
    if (UNLIKELY(in_tool && (info->signo == SIG_SEGV || info->signo == SIG_BUS /* not canonical, by way of rbp */))) {
        if (!tools_fault(t, &m, info))
            engine_fault(t, info->signo, info, &uc->mc);
        t->s.mc = m;
        signal_return_to_dispatch(t, uc);
        return;
    }
    if (UNLIKELY(is_check_of_selfcheck(uc))) {
        t->s.mc = m;                 /* one instruction from a fragment of its own, which needs no comparison */
        t->single = true;
        signal_return_to_dispatch(t, uc);
        return;
    }
    if (info->signo == SIG_TRAP && info->code == 0x80 && uc->mc.trapno == 3)
        ;                            /* int3: si_addr is not set */
    else if (cache_contains(info->fault.addr))
        info->fault.addr = m.rip;
    t->trapno = uc->mc.trapno;
    t->err = uc->mc.err;
    t->cr2 = uc->mc.cr2;
    deliver(t, uc, &m, info, true);
}

enum { TRAPNO_DB = 1, FLAG_TF = 0x100, USER_CS = 0x33 };

/* A single step of ours through what runs natively: on, until it is past the instruction
 * and in 64-bit code. */
static void
trap_of_probe(struct thread *t, struct kucontext *uc)
{
    if (within(uc->mc.rip, (const uint8_t *)enter_native, enter_native_end) || uc->mc.cs != USER_CS)
        return;
    if (!t->probe_ran && uc->mc.rip == t->native_probe) {
        t->probe_ran = true;             /* just arrived */
        return;
    }
    mcontext_from_frame(&t->s.mc, &uc->mc);
    t->s.mc.rflags &= ~(uint64_t)FLAG_TF;
    t->probing = false;
    if (t->s.app_tf) {
        t->s.app_tf = 0;
        t->s.mc.rflags |= FLAG_TF;
        t->step.trap = true;
    }
    signal_return_to_dispatch(t, uc);
}

static void
fault_of_probe(struct thread *t, struct kucontext *uc, struct ksiginfo *info)
{
    struct mcontext m;

    mcontext_from_frame(&m, &uc->mc);
    if (within(m.rip, (const uint8_t *)enter_native, enter_native_end))
        m.rip = t->native_probe;
    m.rflags &= ~(uint64_t)FLAG_TF;
    step_undo(t, &m);
    t->probing = false;
    t->trapno = uc->mc.trapno;
    t->err = uc->mc.err;
    t->cr2 = uc->mc.cr2;
    deliver(t, uc, &m, info, true);
}

static void
fault_in_engine(struct thread *t, struct kucontext *uc, struct ksiginfo *info)
{
    if (uc->mc.trapno == 14 && (uc->mc.err & 2) && code_write_fault(uc->mc.cr2))
        return;
    if (within(uc->mc.rip, safe_copy_begin, safe_copy_end)) {
        t->copy_fault.signo = info->signo;
        t->copy_fault.code = info->code;
        t->copy_fault.trapno = uc->mc.trapno;
        t->copy_fault.err = uc->mc.err;
        t->copy_fault.cr2 = uc->mc.cr2;
        uc->mc.rip = (uint64_t)safe_copy_fault;
        return;
    }
    if (uc->mc.rip == (uint64_t)app_syscall_ia32_insn) {
        uc->mc.rip = (uint64_t)app_syscall_ia32_none;
        return;
    }
    if (t->recover) {
        uc->mc.rip = (uint64_t)recover_resume;
        uc->mc.rdi = (uint64_t)t->recover;
        t->recover = NULL;
        return;
    }
    engine_fault(t, info->signo, info, &uc->mc);
}

static void
on_fault(struct thread *t, struct kucontext *uc, struct ksiginfo *info)
{
    struct ksiginfo made_up;

    if (uc->mc.rip == (uint64_t)raise_point) {
        struct mcontext m = t->s.mc;
        bool fault = t->raised;
        if (fault)
            memcpy(&made_up, t->raised_info, sizeof made_up);
        t->raised = false;
        if (!fault && !take_queued(t, &made_up)) {
            signal_return_to_dispatch(t, uc);
            return;
        }
        signal_update_pending(t);
        deliver(t, uc, &m, &made_up, fault);
    } else if (uc->mc.rip == (uint64_t)resume_dispatch) {
        /* The kernel would not take the vector state of a frame that the program returned by. */
        struct mcontext m = t->s.mc;
        deliver(t, uc, &m, info, true);
    } else if (t->probing && uc->mc.trapno == TRAPNO_DB) {
        trap_of_probe(t, uc);
    } else if (t->probing && (uc->mc.rip < ENGINE_BASE || uc->mc.rip >= ENGINE_END ||
                              within(uc->mc.rip, (const uint8_t *)enter_native, enter_native_end))) {
        fault_of_probe(t, uc, info);
    } else if (cache_contains(uc->mc.rip)) {
        fault_in_cache(t, uc, info);
    } else {
        fault_in_engine(t, uc, info);
    }
}

static void
on_async(struct thread *t, struct kucontext *uc, const struct ksiginfo *info)
{
    struct mcontext m;

    if (nudge_received(t, info)) {
        on_nudge(t, uc);
        return;
    }
    if (suspend_is_request(t, info)) {
        on_suspend(t, uc);
        return;
    }
    if (notice_received(info, cache_contains(uc->mc.rip) || within(uc->mc.rip, app_syscall_window, app_syscall_after) ||
                                  within(uc->mc.rip, app_syscall_ia32_window, app_syscall_ia32_after)) || reporter_signal(info)) {
        t->swallowed = true;
        return;
    }
    if (SIG_BIT(info->signo) & SYNC_SIGNALS && sent_sync(t, info))
        return;
    if (program_state(t, uc, &m, NULL) == IN_CACHE)
        deliver(t, uc, &m, info, false);
    else
        queue(t, uc, info);
}

/* Called by the kernel through signal_entry, on the alternate stack. */
void
signal_handler(int sig, struct ksiginfo *info, struct kucontext *uc)
{
    struct thread *t = thread_self();

    LOG(LOG_SIGNAL, "signal %d code %d at 0x%lx addr 0x%lx", sig, info->code, uc->mc.rip, info->fault.addr);
    /* Raised by an instruction, not sent: si_code is positive. */
    if ((SIG_BIT(sig) & SYNC_SIGNALS) && info->code > 0)
        on_fault(t, uc, info);
    else
        on_async(t, uc, info);
    if (n_tools)
        settle(t, uc);
}

void
signal_deliver_queued(struct thread *t)
{
    if (UNLIKELY(t->suspend))
        suspend_in_dispatch(t);
    if (UNLIKELY(nudge_waits(t)))
        nudge_deliver(t);
    signal_update_pending(t);
    if (!t->s.pending)
        return;
    t->doing = "delivering a signal";
    __asm__ volatile("jmp raise_point");
    __builtin_unreachable();
}

void
signal_raise(struct thread *t, const struct ksiginfo *info, uint64_t trapno, uint64_t err, uint64_t cr2)
{
    memcpy(t->raised_info, info, sizeof *info);
    t->raised = true;
    t->trapno = trapno;
    t->err = err;
    t->cr2 = cr2;
    signal_deliver_queued(t);
    __builtin_unreachable();
}

void
dispatch_resume(struct thread *t)
{
    t->doing = "resuming";
    signal_update_pending(t);
    dispatch_at(t, t->s.mc.rip);
}

/* ---- set-up ---- */

static bool ends_are_told;           /* signals that end the process come to us, so that it ends in order */

void
signal_install(int sig, const struct ksigaction *a)
{
    struct ksigaction k = {.handler = a->handler,
                           .flags = SAF_RESTORER | (a->flags & (SAF_RESTART | SAF_NOCLDSTOP | SAF_NOCLDWAIT)),
                           .restorer = (uint64_t)signal_restorer,
                           .mask = ~SYNC_SIGNALS};
    bool sync = SIG_BIT(sig) & SYNC_SIGNALS;

    bool ends = a->handler == 0 && !((ignored_by_default | stops_by_default) & SIG_BIT(sig));
    bool told = ends_are_told && ends && sig != SIG_KILL && sig != SIG_STOP;
    if (told)
        k.flags |= SAF_RESTART;
    if (sync || told || a->handler > 1) {
        k.handler = (uint64_t)signal_entry;
        k.flags |= SAF_SIGINFO | SAF_ONSTACK;
    }
    if (sync)
        k.flags |= SAF_NODEFER | (a->handler <= 1 ? SAF_RESTART : 0);
    CHECK(!sys_failed(sys4(__NR_rt_sigaction, sig, (long)&k, 0, 8)), "the kernel takes our signal handler");
}

static struct process first_process;

void
signal_init_process(struct thread *t)
{
    ends_are_told = tools_want_signals || channel_is_open();
    t->process = &first_process;
    first_process.users = 1;
    for (int sig = 1; sig <= NSIG_MAX; sig++)
        if (sig != SIG_KILL && sig != SIG_STOP)
            sys4(__NR_rt_sigaction, sig, 0, (long)&first_process.action[sig], 8);
    for (int sig = 1; sig <= NSIG_MAX; sig++)
        if (SIG_BIT(sig) & SYNC_SIGNALS || (ends_are_told && sig != SIG_KILL && sig != SIG_STOP && first_process.action[sig].handler == 0))
            signal_install(sig, &first_process.action[sig]);
    sys4(__NR_rt_sigprocmask, 0, 0, (long)&t->app_mask, 8);
    t->app_altstack.flags = SSF_DISABLE;
}

void
signal_init_thread(struct thread *t)
{
    struct kstack ss = {.sp = (uint64_t)t->sigstack, .size = t->sigstack_size};

    CHECK(!sys_failed(sys2(__NR_sigaltstack, (long)&ss, 0)), "the kernel takes our signal stack");
    set_kernel_mask(kernel_mask(t->app_mask), NULL);
}

void
signal_restore_mask(struct thread *t)
{
    set_kernel_mask(~SYNC_SIGNALS, NULL);
    if (!t->queued)
        set_kernel_mask(kernel_mask(t->app_mask), NULL);
}

void
set_kernel_mask(uint64_t mask, uint64_t *old)
{
    sys4(__NR_rt_sigprocmask, 2, (long)&mask, (long)old, 8);
}

struct process *
process_share(struct process *p)
{
    __atomic_fetch_add(&p->users, 1, __ATOMIC_RELAXED);
    return p;
}

struct process *
process_copy(struct process *p)
{
    struct process *n = engine_map(sizeof *n);

    CHECK(n, "memory for signal dispositions");
    mutex_lock(&p->lock);
    memcpy(n->action, p->action, sizeof n->action);
    mutex_unlock(&p->lock);
    n->users = 1;
    return n;
}

void
process_release(struct process *p)
{
    if (__atomic_sub_fetch(&p->users, 1, __ATOMIC_ACQ_REL) == 0 && p != &first_process)
        engine_unmap(p, sizeof *p);
}
