/* System calls about signals: dispositions, masks, stacks, waiting.
 *
 * Five signals are never blocked in the kernel (a fault of the engine's while
 * one of them is would end the process), so the program's mask of them is kept
 * here and what it blocks is held by the thread. A call that consumes blocked
 * signals, or that has a mask for its duration, must find the truth in the
 * kernel: for it alone the thread gives back what it holds and sets the true mask
 * (no engine code that could fault runs in between). The two that carry requests of
 * our own stay open where the call does not consume them.
 * See docs/signals.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "linux/handle.h"
#include "linux/sigframe.h"
#include "linux/nudge.h"
#include "linux/signal.h"
#include "linux/suspend.h"
#include "util/log.h"

enum { SIGSET_SIZE = 8, MIN_ALTSTACK = 2048 };
static const uint64_t unmaskable = SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP);
static volatile bool signalfd_has_the_five;

static const uint64_t requests = SIG_BIT(SIG_TRAP) | SIG_BIT(DR_NUDGE_SIGNAL);

/* ---- the true mask, for one call ---- */

static bool
mask_is_true(const struct thread *t)
{
    return !(t->app_mask & SYNC_SIGNALS) && !t->held;
}

void
mask_expose(struct thread *t, uint64_t mask)
{
    set_kernel_mask(~0ull, NULL);
    t->exposed = true;
    for (uint64_t held = t->held; held; held &= held - 1) {
        int sig = __builtin_ctzll(held) + 1;
        sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), sig, (long)t->held_info[sig]);
    }
    t->held = 0;
    set_kernel_mask(mask, NULL);
}

static void
mask_hide(struct thread *t)
{
    t->exposed = false;
    signal_restore_mask(t);          /* what is pending of the five comes to the handler now, and is held again */
}

static long
exposed_under(struct thread *t, const struct mcontext *m, uint64_t mask)
{
    if (mask_is_true(t))
        return native_with(t, m);
    mask_expose(t, mask);
    long r = native_with(t, m);
    mask_hide(t);
    return r;
}

long native_exposed(struct thread *t, const struct mcontext *m) { return exposed_under(t, m, t->app_mask); }

bool
signals_must_be_exposed(const struct thread *t)
{
    return UNLIKELY(signalfd_has_the_five) && !mask_is_true(t);
}

/* A call that has the mask `during` while it lasts; `m` points the kernel to it.
 * An interruption leaves that mask to the delivery, as in the kernel. */
static long
native_under(struct thread *t, const struct mcontext *m, uint64_t during)
{
    bool hidden = !mask_is_true(t);

    if (hidden)
        mask_expose(t, t->app_mask);
    t->saved_mask = t->app_mask;
    t->app_mask = during & ~unmaskable;
    long r = native_with(t, m);
    if (r == -E_INTR && t->queued)
        t->mask_saved = true;
    else
        t->app_mask = t->saved_mask;
    if (hidden)
        mask_hide(t);
    return r;
}

/* ---- calls with a mask of their own ---- */

static long
with_mask(struct thread *t, enum reg r, uint64_t size)
{
    struct mcontext m = t->s.mc;
    uint64_t mask;

    if (!m.gpr[r] || size != SIGSET_SIZE || !safe_read(&mask, m.gpr[r], 8))
        return native(t);
    uint64_t during = mask;
    mask &= ~requests;               /* one that the program sends is held */
    m.gpr[r] = (uint64_t)&mask;
    return native_under(t, &m, during);
}

long on_sigsuspend(struct thread *t) { return with_mask(t, RDI, ARG1(t)); }
long ppoll_masked(struct thread *t) { return with_mask(t, R10, ARG4(t)); }
long on_epoll_pwait(struct thread *t) { return with_mask(t, R8, ARG5(t)); }

long
pselect6_masked(struct thread *t)
{
    struct mcontext m = t->s.mc;
    struct { uint64_t mask, size; } arg;
    uint64_t mask;

    if (!m.gpr[R9] || !safe_read(&arg, m.gpr[R9], 16) || !arg.mask || arg.size != SIGSET_SIZE || !safe_read(&mask, arg.mask, 8))
        return native(t);
    uint64_t during = mask;
    mask &= ~requests;
    arg.mask = (uint64_t)&mask;
    m.gpr[R9] = (uint64_t)&arg;
    return native_under(t, &m, during);
}

/* ---- calls that take blocked signals ---- */

/* Has sigtimedwait taken a request of ours? Then it is heeded here. */
static bool
took_request(struct thread *t, const struct ksiginfo *info)
{
    if (nudge_received(t, info)) {
        nudge_deliver(t);
        return true;
    }
    if (!suspend_is_request(t, info))
        return false;
    suspend_in_handler(t, &t->s.mc, PARKED_IN_SYSCALL);
    return true;
}

long
on_sigtimedwait(struct thread *t)
{
    struct mcontext m = t->s.mc;
    struct ksiginfo info;
    uint64_t set;
    long r;

    if (!n_tools || ARG3(t) != SIGSET_SIZE || !safe_read(&set, ARG0(t), 8))
        return native_exposed(t, &m);
    m.gpr[RSI] = (uint64_t)&info;
    do
        r = exposed_under(t, &m, t->app_mask & ~(requests & ~set));
    while (r > 0 && took_request(t, &info));
    if (r > 0 && ARG1(t) && !safe_write(ARG1(t), &info, sizeof info))
        return -E_FAULT;
    return r;
}

long
on_signalfd(struct thread *t)
{
    uint64_t mask;
    long r = native(t);

    if (!sys_failed(r) && safe_read(&mask, ARG1(t), 8) && (mask & SYNC_SIGNALS))
        signalfd_has_the_five = true;
    return r;
}

long
on_sigpending(struct thread *t)
{
    uint64_t s = 0, size = ARG1(t);

    if (size > SIGSET_SIZE)
        return -E_INVAL;
    sys2(__NR_rt_sigpending, (long)&s, 8);
    s = (s | t->held | signals_queued(t)) & t->app_mask;
    return safe_write(ARG0(t), &s, size) ? 0 : -E_FAULT;
}

/* ---- dispositions ---- */

long
on_sigaction(struct thread *t)
{
    int sig = (int)ARG0(t);
    uint64_t act = ARG1(t), old = ARG2(t);
    struct ksigaction a, was;
    struct process *p = t->process;
    const uint64_t known = SAF_NOCLDSTOP | SAF_NOCLDWAIT | SAF_SIGINFO | SAF_ONSTACK | SAF_RESTART | SAF_NODEFER | SAF_RESETHAND |
                           SAF_EXPOSE_TAGBITS | SAF_RESTORER;

    if (ARG3(t) != SIGSET_SIZE)
        return -E_INVAL;
    if (act && !safe_read(&a, act, sizeof a))
        return -E_FAULT;
    if (sig < 1 || sig > NSIG_MAX || (act && (sig == SIG_KILL || sig == SIG_STOP)))
        return -E_INVAL;
    mutex_lock(&p->lock);
    was = p->action[sig];
    if (act) {
        a.mask &= ~unmaskable;
        a.flags &= known;
        p->action[sig] = a;
        signal_install(sig, &a);
        if ((SIG_BIT(sig) & SYNC_SIGNALS) && a.handler == 1)
            t->held &= ~SIG_BIT(sig);
    }
    mutex_unlock(&p->lock);
    if (old && !safe_write(old, &was, sizeof was))
        return -E_FAULT;
    return 0;
}

/* ---- the mask ---- */

long
on_sigprocmask(struct thread *t)
{
    uint64_t set = ARG1(t), old = ARG2(t), was = t->app_mask, s, now = was;

    if (ARG3(t) != SIGSET_SIZE)
        return -E_INVAL;
    if (set) {
        if (!safe_read(&s, set, 8))
            return -E_FAULT;
        s &= ~unmaskable;
        switch ((int)ARG0(t)) {
        case 0: now |= s; break;
        case 1: now &= ~s; break;
        case 2: now = s; break;
        default: return -E_INVAL;
        }
        /* Through the call that a signal can come before: it is delivered under the old mask. */
        uint64_t k = kernel_mask(now);
        struct mcontext m = {.gpr = {[RAX] = __NR_rt_sigprocmask, [RDI] = 2, [RSI] = (uint64_t)&k, [RDX] = 0, [R10] = 8}};
        if (kernel_mask(was) != k && app_syscall(&m) == SYSCALL_ABORTED)
            return SYSCALL_ABORTED;
        t->app_mask = now;
        signal_update_pending(t);
    }
    if (old && !safe_write(old, &was, 8))
        return -E_FAULT;
    return 0;
}

/* ---- alternate stacks (do_sigaltstack of kernel/signal.c) ---- */

static int
altstack_status(const struct thread *t, uint64_t sp)
{
    if (!t->app_altstack.size)
        return SSF_DISABLE;
    if (t->app_altstack.flags & SSF_AUTODISARM)
        return 0;
    return sp > t->app_altstack.sp && sp - t->app_altstack.sp <= t->app_altstack.size ? SSF_ONSTACK : 0;
}

long
altstack_set(struct thread *t, const struct kstack *ss, uint64_t sp)
{
    uint32_t mode = (uint32_t)ss->flags & ~SSF_AUTODISARM;

    if (altstack_status(t, sp) == SSF_ONSTACK)
        return -E_PERM;
    if (mode != SSF_DISABLE && mode != SSF_ONSTACK && mode != 0)
        return -E_INVAL;
    if (t->app_altstack.sp == ss->sp && t->app_altstack.size == ss->size && t->app_altstack.flags == (uint32_t)ss->flags)
        return 0;
    if (mode != SSF_DISABLE && ss->size < MIN_ALTSTACK)
        return -E_NOMEM;
    t->app_altstack.sp = mode == SSF_DISABLE ? 0 : ss->sp;
    t->app_altstack.size = mode == SSF_DISABLE ? 0 : ss->size;
    t->app_altstack.flags = (uint32_t)ss->flags;
    return 0;
}

long
on_sigaltstack(struct thread *t)
{
    uint64_t ss = ARG0(t), old = ARG1(t), sp = t->s.mc.gpr[RSP];
    struct kstack n, was = {.sp = t->app_altstack.sp, .size = t->app_altstack.size};

    was.flags = altstack_status(t, sp) | (int)(t->app_altstack.flags & SSF_AUTODISARM);
    if (ss) {
        if (!safe_read(&n, ss, sizeof n))
            return -E_FAULT;
        long r = altstack_set(t, &n, sp);
        if (r)
            return r;
    }
    if (old && !safe_write(old, &was, sizeof was))
        return -E_FAULT;
    return 0;
}

/* ---- the way back ---- */

extern void sigreturn_from(struct kucontext *uc) NORETURN;

long
on_sigreturn(struct thread *t)
{
    enum { SETTABLE = 0x50dd5 };         /* FIX_EFLAGS of arch/x86/include/asm/sighandling.h */
    struct krt_sigframe f;
    struct kucontext uc;

    if (!safe_read(&f, t->s.mc.gpr[RSP] - 8, offsetof(struct krt_sigframe, info))) {
        struct ksiginfo segv = {.signo = SIG_SEGV, .code = 0x80 /* SI_KERNEL */};
        signal_raise(t, &segv, t->trapno, t->err, t->cr2);
    }
    uint64_t was = t->s.mc.rflags;
    mcontext_from_frame(&t->s.mc, &f.uc.mc);
    t->s.mc.rflags = (was & ~(uint64_t)SETTABLE) | (f.uc.mc.eflags & SETTABLE);
    t->app_mask = f.uc.sigmask & ~unmaskable;
    altstack_set(t, &f.uc.stack, t->s.mc.gpr[RSP]);
    uc = f.uc;
    uc.stack = (struct kstack){.sp = (uint64_t)t->sigstack, .size = t->sigstack_size};
    signal_update_pending(t);
    signal_return_to_dispatch(t, &uc);
    LOG(LOG_SIGNAL, "sigreturn to 0x%lx", t->s.mc.rip);
    sigreturn_from(&uc);
}
