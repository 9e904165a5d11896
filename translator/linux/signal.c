/* Signal handlers of the kernel's side: where was the thread, what does the
 * program see of it.
 *
 * One handler serves all signals, on the thread's own alternate stack, with
 * everything blocked but the five that the CPU raises (a fault while one of
 * those is blocked would kill the process).
 * A signal that finds the thread in the code cache is delivered at once: any
 * cache address maps to the program's state. One that finds it in the engine is
 * queued, all others stay blocked in the kernel, and dispatch delivers it.
 * Invariant: at most one signal is queued; while one is, the kernel mask is full.
 * See docs/signals.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/signal.h"

#include "core/engine.h"
#include "core/translate.h"
#include "linux/memory.h"
#include "linux/sigframe.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "util/log.h"

extern uint8_t enter_window[], enter_window_end[], enter_abort[], enter_native_end[], app_syscall_window[],
    app_syscall_insn[], app_syscall_abort[], safe_copy_begin[], safe_copy_end[], safe_copy_fault[], recover_resume[], raise_point[],
    signal_entry[], signal_restorer[], resume_dispatch[];

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

static const uint64_t ignored_by_default = SIG_BIT(SIG_CHLD) | SIG_BIT(SIG_CONT) | SIG_BIT(SIG_URG) | SIG_BIT(SIG_WINCH);

/* Death by `sig`, as the kernel would have dealt it. */
NORETURN static void
die_by(struct thread *t, int sig, const struct ksiginfo *info)
{
    struct ksigaction dfl = {0};
    struct ksiginfo copy = *info;
    uint64_t none = 0, all = ~0ull;

    LOG(LOG_SIGNAL, "dying by signal %d", sig);
    if (!t->vfork_child)
        engine_at_exit(t);
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
        struct ksigaction dfl = {.flags = SAF_RESTORER, .restorer = (uint64_t)signal_restorer};
        p->action[sig].handler = 0;
        if (!(SIG_BIT(sig) & SYNC_SIGNALS))
            sys4(__NR_rt_sigaction, sig, (long)&dfl, 0, 8);
    }
    mutex_unlock(&p->lock);
    return a;
}

/* Makes our own frame return to dispatch, which goes on at t->s.mc. */
static void
return_to_dispatch(struct thread *t, struct kucontext *uc, bool fresh_fpu)
{
    uc->mc.rip = (uint64_t)resume_dispatch;
    uc->mc.rsp = (uint64_t)t->s.dstack;
    uc->mc.eflags = 0x202;
    if (fresh_fpu)
        uc->mc.fpstate = 0;          /* the kernel then gives the initial state, as to any handler */
    uc->sigmask = t->queued ? ~SYNC_SIGNALS : kernel_mask(t->app_mask);
}

/* Delivers `info` to the program, which stands at `m`. `uc` is the kernel's frame of
 * this very interruption: its vector state is the program's. `fault`: raised by the
 * program's own instruction, so it cannot be blocked or ignored. */
static void
deliver(struct thread *t, struct kucontext *uc, const struct mcontext *m, const struct ksiginfo *info, bool fault)
{
    int sig = info->signo;
    struct ksigaction a = action_take(t, sig);

    LOG(LOG_SIGNAL, "deliver %d code %d at 0x%lx handler 0x%lx fault %d", sig, info->code, m->rip, a.handler, fault);
    if (fault && (a.handler <= 1 || (t->app_mask & SIG_BIT(sig))))
        die_by(t, sig, info);
    if (a.handler == 0 && !(ignored_by_default & SIG_BIT(sig)))
        die_by(t, sig, info);
    t->s.mc = *m;
    if (a.handler <= 1) {
        return_to_dispatch(t, uc, false);
        return;
    }
    if (!sigframe_push(t, uc, m, info, &a)) {
        struct ksiginfo segv = {.signo = SIG_SEGV, .code = 0x80 /* SI_KERNEL */};
        if (sig == SIG_SEGV)
            die_by(t, SIG_SEGV, &segv);
        deliver(t, uc, m, &segv, true);
        return;
    }
    t->app_mask |= (a.mask | (a.flags & SAF_NODEFER ? 0 : SIG_BIT(sig))) & ~(SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP));
    return_to_dispatch(t, uc, true);
}

static void
queue(struct thread *t, struct kucontext *uc, const struct ksiginfo *info)
{
    CHECK(!t->queued, "one signal is queued at a time");
    memcpy(t->queued_info, info, sizeof *info);
    t->queued = true;
    t->s.pending = 1;
    uc->sigmask = ~SYNC_SIGNALS;
    if (within(uc->mc.rip, enter_window, enter_window_end))
        uc->mc.rip = (uint64_t)enter_abort;
    else if (within(uc->mc.rip, cache_ibl_window, cache_ibl_window_end))
        uc->mc.rip = (uint64_t)cache_ibl_out;
    else if (within(uc->mc.rip, app_syscall_window, app_syscall_insn + 1))
        uc->mc.rip = (uint64_t)app_syscall_abort;
}

/* Takes the queued signal, or a held one that is no longer blocked. False: none. */
static bool
take_queued(struct thread *t, struct ksiginfo *info)
{
    uint64_t ready = t->held & ~t->app_mask;

    if (t->queued) {
        memcpy(info, t->queued_info, sizeof *info);
        t->queued = false;
    } else if (ready) {
        int sig = __builtin_ctzll(ready) + 1;
        memcpy(info, t->held_info[sig], sizeof *info);
        t->held &= ~SIG_BIT(sig);
    } else {
        return false;
    }
    return true;
}

static void
update_pending(struct thread *t)
{
    t->s.pending = t->queued || (t->held & ~t->app_mask);
}

/* The five that the kernel never blocks, sent by somebody. True: dealt with. */
static bool
sent_sync(struct thread *t, const struct ksiginfo *info)
{
    int sig = info->signo;
    uint64_t handler = t->process->action[sig].handler;

    if (t->app_mask & SIG_BIT(sig) || t->queued) {
        if (!(t->held & SIG_BIT(sig)))
            memcpy(t->held_info[sig], info, sizeof *info);
        t->held |= SIG_BIT(sig);
        update_pending(t);
        return true;
    }
    if (handler == 1)
        return true;
    return false;
}

/* ---- the program's state at an interruption in the cache ---- */

enum where { IN_ENGINE, IN_CACHE };

/* Program state of a thread interrupted at `uc`. IN_ENGINE: there is none yet. */
static enum where
program_state(struct thread *t, const struct kucontext *uc, struct mcontext *m)
{
    struct app_state s;
    bool pad;
    frag_id f = cache_owner(uc->mc.rip, &pad);

    if (!f)
        return IN_ENGINE;
    mcontext_from_frame(m, &uc->mc);
    if (pad) {
        m->rip = cache_pad_target(f, uc->mc.rip, m->gpr[RCX]);
        m->gpr[RCX] = t->s.spill[0];
        m->gpr[RDX] = t->s.spill[1];
        return IN_CACHE;
    }
    if (!translate_state(f, uc->mc.rip, &s))
        return IN_ENGINE;
    m->rip = s.pc;
    state_recover(t, &s, m->gpr);
    return IN_CACHE;
}

/* ---- faults ---- */

static void
fault_in_cache(struct thread *t, struct kucontext *uc, struct ksiginfo *info)
{
    struct mcontext m;

    if (info->signo == SIG_SEGV && uc->mc.trapno == 14 && (uc->mc.err & 2) && code_write_fault(uc->mc.cr2)) {
        bool pad;
        frag_id f = cache_owner(uc->mc.rip, &pad);
        if (f && !(frag_get(f)->flags & FRAG_DEAD))
            return;                  /* the page is writable again: retry the store */
        /* The storing block itself may have changed: carry out this one instruction, then look afresh. */
        CHECK(program_state(t, uc, &m) == IN_CACHE, "a store is in the cache");
        t->s.mc = m;
        t->single = true;
        return_to_dispatch(t, uc, false);
        return;
    }
    if (program_state(t, uc, &m) != IN_CACHE)
        engine_fault(t, info->signo, info, &uc->mc);
    if (info->signo == SIG_TRAP && info->code == 0x80 && uc->mc.trapno == 3)
        ;                            /* int3: si_addr is not set */
    else if (cache_contains(info->fault.addr))
        info->fault.addr = m.rip;
    t->trapno = uc->mc.trapno;
    t->err = uc->mc.err;
    t->cr2 = uc->mc.cr2;
    deliver(t, uc, &m, info, true);
}

static void
fault_of_probe(struct thread *t, struct kucontext *uc, struct ksiginfo *info)
{
    struct mcontext m;

    mcontext_from_frame(&m, &uc->mc);
    m.rip = t->native_probe;
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
        uc->mc.rip = (uint64_t)safe_copy_fault;
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
        bool fault = t->raise_is_fault;
        t->raise_is_fault = false;
        if (!take_queued(t, &made_up)) {
            return_to_dispatch(t, uc, false);
            return;
        }
        update_pending(t);
        deliver(t, uc, &m, &made_up, fault);
    } else if (t->probing && (uc->mc.rip == t->native_probe || within(uc->mc.rip, (const uint8_t *)enter_native, enter_native_end))) {
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

    if (SIG_BIT(info->signo) & SYNC_SIGNALS && sent_sync(t, info))
        return;
    if (program_state(t, uc, &m) == IN_CACHE)
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
}

void
signal_deliver_queued(struct thread *t)
{
    if (!t->queued && !(t->held & ~t->app_mask)) {
        t->s.pending = 0;
        return;
    }
    t->doing = "delivering a signal";
    __asm__ volatile("jmp raise_point");
    __builtin_unreachable();
}

void
signal_raise(struct thread *t, const struct ksiginfo *info, uint64_t trapno, uint64_t err, uint64_t cr2)
{
    if (t->queued)                   /* the queued one is delivered by the next dispatch; the fault happens again then */
        signal_deliver_queued(t);
    memcpy(t->queued_info, info, sizeof *info);
    t->queued = t->raise_is_fault = true;
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
    update_pending(t);
    dispatch_at(t, t->s.mc.rip);
}

/* ---- set-up ---- */

static void
install(int sig, uint64_t app_flags)
{
    struct ksigaction k = {.handler = (uint64_t)signal_entry,
                           .flags = SAF_SIGINFO | SAF_ONSTACK | SAF_RESTORER | (app_flags & (SAF_RESTART | SAF_NOCLDSTOP | SAF_NOCLDWAIT)),
                           .restorer = (uint64_t)signal_restorer,
                           .mask = ~SYNC_SIGNALS};

    if (SIG_BIT(sig) & SYNC_SIGNALS)
        k.flags |= SAF_NODEFER;
    CHECK(!sys_failed(sys4(__NR_rt_sigaction, sig, (long)&k, 0, 8)), "the kernel takes our signal handler");
}

static struct process first_process;

void
signal_init_process(struct thread *t)
{
    t->process = &first_process;
    first_process.users = 1;
    for (int sig = 1; sig <= NSIG_MAX; sig++)
        if (sig != SIG_KILL && sig != SIG_STOP)
            sys4(__NR_rt_sigaction, sig, 0, (long)&first_process.action[sig], 8);
    for (int sig = 1; sig < 32; sig++)
        if (SIG_BIT(sig) & SYNC_SIGNALS)
            install(sig, 0);
    sys4(__NR_rt_sigprocmask, 0, 0, (long)&t->app_mask, 8);
    set_kernel_mask(kernel_mask(t->app_mask), NULL);
    t->app_altstack.flags = SSF_DISABLE;
}

void
signal_init_thread(struct thread *t)
{
    struct kstack ss = {.sp = (uint64_t)t->sigstack, .size = t->sigstack_size};

    CHECK(!sys_failed(sys2(__NR_sigaltstack, (long)&ss, 0)), "the kernel takes our signal stack");
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

/* ---- system calls about signals ---- */

enum { E_PERM = 1, E_INTR = 4, E_NOMEM = 12, E_FAULT = 14, E_INVAL = 22 };
static const uint64_t unmaskable = SIG_BIT(SIG_KILL) | SIG_BIT(SIG_STOP);

long
signal_sigaction(struct thread *t, int sig, uint64_t act, uint64_t old, uint64_t setsize)
{
    struct ksigaction a, was;
    struct process *p = t->process;
    enum { KNOWN_FLAGS = SAF_NOCLDSTOP | SAF_NOCLDWAIT | SAF_SIGINFO | SAF_ONSTACK | SAF_RESTART | SAF_NODEFER | 0x800 | SAF_RESTORER };

    if (setsize != 8)
        return -E_INVAL;
    if (act && !safe_read(&a, act, sizeof a))
        return -E_FAULT;
    if (sig < 1 || sig > NSIG_MAX || (act && (sig == SIG_KILL || sig == SIG_STOP)))
        return -E_INVAL;
    mutex_lock(&p->lock);
    was = p->action[sig];
    if (act) {
        a.mask &= ~unmaskable;
        a.flags &= (uint64_t)KNOWN_FLAGS | SAF_RESETHAND;
        p->action[sig] = a;
        if (!(SIG_BIT(sig) & SYNC_SIGNALS)) {
            if (a.handler > 1) {
                install(sig, a.flags);
            } else {
                struct ksigaction k = a;
                k.flags |= SAF_RESTORER;
                k.restorer = (uint64_t)signal_restorer;
                sys4(__NR_rt_sigaction, sig, (long)&k, 0, 8);
            }
        } else if (a.handler == 1) {
            t->held &= ~SIG_BIT(sig);
        }
    }
    mutex_unlock(&p->lock);
    if (old && !safe_write(old, &was, sizeof was))
        return -E_FAULT;
    return 0;
}

long
signal_sigprocmask(struct thread *t, int how, uint64_t set, uint64_t old, uint64_t setsize)
{
    uint64_t was = t->app_mask, s, now = was;

    if (setsize != 8)
        return -E_INVAL;
    if (set) {
        if (!safe_read(&s, set, 8))
            return -E_FAULT;
        s &= ~unmaskable;
        if (how == 0)
            now |= s;
        else if (how == 1)
            now &= ~s;
        else if (how == 2)
            now = s;
        else
            return -E_INVAL;
        /* Through the signal-safe call: a signal that came first is delivered under the old mask. */
        uint64_t k = kernel_mask(now);
        struct mcontext m = {.gpr = {[RAX] = __NR_rt_sigprocmask, [RDI] = 2, [RSI] = (uint64_t)&k, [RDX] = 0, [R10] = 8}};
        if (kernel_mask(was) != k) {
            long r = app_syscall(&m);
            if (r == -4095)
                return r;
        }
        t->app_mask = now;
        update_pending(t);
    }
    if (old && !safe_write(old, &was, 8))
        return -E_FAULT;
    return 0;
}

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
    if (mode == SSF_DISABLE) {
        t->app_altstack.sp = t->app_altstack.size = 0;
    } else {
        if (ss->size < engine_min_sigstack)
            return -E_NOMEM;
        t->app_altstack.sp = ss->sp;
        t->app_altstack.size = ss->size;
    }
    t->app_altstack.flags = (uint32_t)ss->flags;
    return 0;
}

long
signal_sigaltstack(struct thread *t, uint64_t ss, uint64_t old)
{
    struct kstack n, was = {.sp = t->app_altstack.sp, .size = t->app_altstack.size};
    uint64_t sp = t->s.mc.gpr[RSP];

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

long
signal_sigpending(struct thread *t, uint64_t set, uint64_t setsize)
{
    uint64_t s = 0;

    if (setsize > 8)
        return -E_INVAL;
    sys2(__NR_rt_sigpending, (long)&s, 8);
    s |= t->held;
    if (t->queued)
        s |= SIG_BIT(((struct ksiginfo *)t->queued_info)->signo);
    s &= t->app_mask;
    return safe_write(set, &s, setsize) ? 0 : -E_FAULT;
}

extern void sigreturn_from(struct kucontext *uc) NORETURN;

void
signal_sigreturn(struct thread *t)
{
    struct krt_sigframe f;
    struct kucontext uc;

    if (!safe_read(&f, t->s.mc.gpr[RSP] - 8, sizeof f)) {
        struct ksiginfo segv = {.signo = SIG_SEGV, .code = 0x80};
        signal_raise(t, &segv, t->trapno, t->err, t->cr2);
    }
    mcontext_from_frame(&t->s.mc, &f.uc.mc);
    enum { SETTABLE = 0x50dd5 | 0x10000 };      /* FIX_EFLAGS of arch/x86/kernel/signal_64.c */
    t->s.mc.rflags = (f.uc.mc.eflags & SETTABLE) | 0x202;
    t->app_mask = f.uc.sigmask & ~unmaskable;
    altstack_set(t, &f.uc.stack, t->s.mc.gpr[RSP]);
    uc = f.uc;
    uc.stack = (struct kstack){.sp = (uint64_t)t->sigstack, .size = t->sigstack_size};
    update_pending(t);
    return_to_dispatch(t, &uc, false);
    LOG(LOG_SIGNAL, "sigreturn to 0x%lx", t->s.mc.rip);
    sigreturn_from(&uc);
}
