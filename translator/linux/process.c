/* Threads and processes that the program makes: clone in all its forms, exit.
 *
 * A thread (CLONE_VM) starts on an engine stack of its own with a copy of its
 * maker's registers. A process without CLONE_VM is a copy of everything: all
 * engine locks are held across the call, so that the child finds them free.
 * CLONE_VM without CLONE_THREAD (vfork, posix_spawn) is a thread of ours that
 * the kernel calls a process; it runs no exit hooks.
 * See docs/threads.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/sched.h>

#include "core/cache.h"
#include "core/engine.h"
#include "core/records.h"
#include "drtools/record.h"
#include "core/tools.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "util/log.h"

enum { E_AGAIN = 11, E_NOMEM = 12, E_FAULT = 14, E_INVAL = 22, E_2BIG = 7 };

extern long raw_clone(long nr, long a1, long a2, long a3, long a4, long a5, struct thread *child);
extern void exit_thread_raw(long nr, long status, volatile uint32_t *busy) NORETURN;
extern volatile uint32_t *thread_busy_word(struct thread *t);

/* What the program asked for, whichever call it used. */
struct clone_request {
    uint64_t flags, stack;          /* stack: the child's stack pointer, 0: its maker's */
    long nr, a[5];                  /* what to give the kernel; the stack is ours       */
    uint64_t stack_size;
};

static long
request_read(struct thread *t, bool clone3, struct clone_request *q, struct clone_args *copy)
{
    const uint64_t *g = t->s.mc.gpr;

    *q = (struct clone_request){.nr = __NR_clone};
    if (clone3) {
        uint64_t size = g[RSI];
        memset(copy, 0, sizeof *copy);
        if (size > PAGE_SIZE)
            return -E_2BIG;
        if (size < 64)
            return -E_INVAL;
        if (!safe_read(copy, g[RDI], MIN(size, sizeof *copy)))
            return -E_FAULT;
        q->flags = copy->flags | copy->exit_signal;
        q->stack = copy->stack ? copy->stack + copy->stack_size : 0;
        q->stack_size = copy->stack_size;
        if ((copy->stack == 0) != (copy->stack_size == 0))
            return -E_INVAL;
        copy->stack = copy->stack_size = 0;
        q->nr = __NR_clone3;
        q->a[0] = (long)copy;
        q->a[1] = (long)MIN(size, sizeof *copy);
        return 0;
    }
    if (g[RAX] == __NR_fork) {
        q->flags = 17;
    } else if (g[RAX] == __NR_vfork) {
        q->flags = CLONE_VM | CLONE_VFORK | 17;
    } else {
        q->flags = g[RDI];
        q->stack = g[RSI];
        q->a[2] = (long)g[RDX];
        q->a[3] = (long)g[R10];
        q->a[4] = (long)g[R8];
    }
    q->a[0] = (long)q->flags;
    return 0;
}

/* The program's registers in the child: after the call, result 0. `syscall`: it was one, and not int 0x80. */
static void
child_context(struct thread *c, uint64_t next, uint64_t stack, bool syscall)
{
    c->s.mc.gpr[RAX] = 0;
    if (syscall) {
        c->s.mc.gpr[RCX] = next;
        c->s.mc.gpr[R11] = c->s.mc.rflags;
    }
    c->s.mc.rip = next;
    if (stack)
        c->s.mc.gpr[RSP] = stack;
}

static uint64_t syscall_next(const struct thread *t) { return t->s.mc.rip + 2; }

static long
clone_thread(struct thread *t, const struct clone_request *q)
{
    struct thread *c = thread_create();
    uint64_t old, all = ~SYNC_SIGNALS;

    if (!c)
        return -E_AGAIN;
    c->s.mc = t->gate ? *t->gate : t->s.mc;
    c->s.app_gs = t->s.app_gs;
    child_context(c, syscall_next(t), q->stack, !t->gate);
    c->app_mask = t->app_mask;
    c->app_altstack.flags = SSF_DISABLE;
    if ((q->flags & (CLONE_VM | CLONE_VFORK)) == (CLONE_VM | CLONE_VFORK))
        c->app_altstack = t->app_altstack, c->app_altstack.flags = t->app_altstack.flags;
    c->vfork_child = !(q->flags & CLONE_THREAD);
    c->parent_frees = q->flags & CLONE_VFORK;
    bool c_parent_frees = c->parent_frees;       /* *c may be another thread's by the time the call is back */
    c->process = q->flags & CLONE_SIGHAND ? process_share(t->process) : process_copy(t->process);
    threads_add(c);
    set_kernel_mask(all, &old);      /* the child must have its stack before its first signal */
    if (q->flags & CLONE_VFORK)
        __atomic_store_n(&t->safe_epoch, UINT64_MAX, __ATOMIC_SEQ_CST);
    t->vforking = q->flags & CLONE_VFORK;
    long r = raw_clone(q->nr, q->a[0], q->a[1], q->a[2], q->a[3], q->a[4], c);
    t->vforking = false;
    signal_restore_mask(t);
    if (sys_failed(r) || c_parent_frees) {       /* a vfork child has ended or become another program */
        process_release(c->process);
        if (c->exec_buffers)
            engine_unmap(c->exec_buffers, c->exec_size);
        thread_retire(c);
        *thread_busy_word(c) = 0;
    }
    return r;
}

/* First C code of a new thread, on its own engine stack. */
void
clone_child(struct thread *t)
{
    t->tid = (int)sys0(__NR_gettid);
    t->doing = "starting a thread";
    signal_init_thread(t);
    tools_thread_start(t);
    dispatch_at(t, t->s.mc.rip);
}

static long
clone_process(struct thread *t, const struct clone_request *q)
{
    uint64_t old, all = ~SYNC_SIGNALS;

    set_kernel_mask(all, &old);
    tools_fork(t, true);
    mutex_lock(&threads_lock);
    engine_lock_all();
    int channel = records_before_fork(q->flags & CLONE_FILES);
    long r = raw_clone(q->nr, q->a[0], q->a[1], q->a[2], q->a[3], q->a[4], NULL);
    if (r == 0) {
        threads_after_fork(t);
        engine_unlock_all_after_fork();
        t->tid = (int)sys0(__NR_gettid);
        t->vfork_child = false;
        t->held = t->queued = 0;         /* pending signals are not inherited */
        child_context(t, syscall_next(t), q->stack, true);
        signal_init_thread(t);
        engine_after_fork(t);
        records_fork_child(t, channel);
        tools_fork(t, false);
        tools_fork_child(t);
    } else {
        records_fork_parent(channel);
        engine_unlock_all();
        mutex_unlock(&threads_lock);
        tools_fork(t, false);
    }
    signal_restore_mask(t);
    return r;
}

long
process_clone(struct thread *t, bool clone3)
{
    struct clone_args copy;
    struct clone_request q;
    long r = request_read(t, clone3, &q, &copy);

    if (r)
        return r;
    if (t->s.pending)                /* a signal first: the call starts over */
        return SYSCALL_ABORTED;
    LOG(LOG_THREAD, "clone flags 0x%lx stack 0x%lx", q.flags, q.stack);
    return q.flags & CLONE_VM ? clone_thread(t, &q) : clone_process(t, &q);
}

void
process_exit(struct thread *t, long nr, int status)
{
    static volatile uint32_t nobody;
    uint64_t all = ~0ull;
    struct process *p = t->process;

    t->leaving = !t->vfork_child;
    if (nr == __NR_exit_group && !t->vfork_child) {
        int instead = engine_at_exit(t, EXIT_STATUS, status);
        sys_exit_group(instead < 0 ? status : instead);
    }
    if (!engine_confined())
        sys4(__NR_rt_sigprocmask, 2, (long)&all, 0, 8);
    tools_thread_exit(t);
    if (engine_confined()) {         /* signals may come: leave the block behind */
        int instead = thread_count == 1 && !t->vfork_child ? engine_at_exit(t, EXIT_STATUS, status) : -1;
        exit_thread_raw(nr, instead < 0 ? status : instead, &nobody);
    }
    if (t->parent_frees)             /* who waits in vfork frees our block */
        exit_thread_raw(nr, status, &nobody);
    bool last = thread_retire(t) == 0 && !t->vfork_child;
    process_release(p);
    int instead = last ? engine_at_exit(t, EXIT_STATUS, status) : -1;
    if (instead >= 0)
        sys_exit_group(instead);
    exit_thread_raw(nr, status, thread_busy_word(t));
}
