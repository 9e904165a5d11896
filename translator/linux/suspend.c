/* Stopping all other threads, each where its program state is known.
 *
 * A thread is asked by a SIGTRAP of our own (never blocked in the kernel). If it is
 * in the code cache, or at or in a system call of the program's, it parks in the
 * signal handler; otherwise it holds back from entering the cache and parks in
 * dispatch. A parked thread holds no lock of the engine's.
 * Requests are numbered, so that a thread that is slow to wake from one is not taken to
 * have heeded the next.
 * Threads: one suspends at a time (`turn`); who waits for its turn can itself be parked.
 * Not stopped: a vfork child, which is another process; who waits for one, asleep in the kernel; who is ending. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/suspend.h"

#include "core/engine.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "linux/sys.h"

enum { FUTEX_WAIT_OP = 128, FUTEX_WAKE_OP = 129, SI_QUEUE_CODE = -1, SI_USER_CODE = 0 };

static const uint64_t REQUEST = 0x6472746f6f6c7350ull;      /* si_value of our own signal */
static struct mutex turn;
static uint32_t last_request;
static struct thread *volatile holder;      /* who has them stopped, and how many times over */
static unsigned depth;

bool
suspend_is_request(const struct thread *t, const struct ksiginfo *info)
{
    if (info->signo != SIG_TRAP)
        return false;
    /* Where the user's queue of signals is full, the kernel drops what came with it. */
    bool emptied = info->code == SI_USER_CODE && !*(const uint64_t *)info->fill && t->suspend;
    return emptied || (info->code == SI_QUEUE_CODE && info->kill.value == REQUEST);
}

bool
suspend_has_parked(const struct thread *t)
{
    return t->suspend && t->parked == t->suspend;
}

/* Until resumed. */
static void
park(struct thread *t, const struct mcontext *m, enum parked how)
{
    uint32_t request = __atomic_load_n(&t->suspend, __ATOMIC_SEQ_CST);

    t->leave = false;
    if (!request)
        return;
    t->parked_mc = *m;
    t->park = how;
    __atomic_store_n(&t->parked, request, __ATOMIC_SEQ_CST);
    sys3(__NR_futex, (long)&t->parked, FUTEX_WAKE_OP, 1);
    while (__atomic_load_n(&t->suspend, __ATOMIC_SEQ_CST) == request)
        sys4(__NR_futex, (long)&t->suspend, FUTEX_WAIT_OP, request, 0);
}

void
suspend_in_dispatch(struct thread *t)
{
    while (t->suspend) {
        park(t, &t->s.mc, PARKED_IN_DISPATCH);
        if (t->leave) {
            t->s.mc = t->parked_mc;
            dispatch_at(t, t->s.mc.rip);
        }
    }
}

bool
suspend_in_handler(struct thread *t, const struct mcontext *m, enum parked how)
{
    park(t, m, how);
    return t->leave;
}

/* Asks every thread not yet asked. Returns one that is not parked yet, or NULL; *word: what its `parked` was. */
static struct thread *
ask_all(struct thread *self, uint32_t request, uint32_t *word)
{
    struct ksiginfo info = {.signo = SIG_TRAP, .code = SI_QUEUE_CODE, .kill.value = REQUEST};
    struct thread *waiting = NULL;

    mutex_lock(&threads_lock);
    for (struct thread *o = all_threads; o; o = o->next) {
        if (o == self || o->vfork_child || o->leaving)
            continue;
        if (!o->suspend && o->tid) {
            __atomic_store_n(&o->suspend, request, __ATOMIC_SEQ_CST);
            sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), o->tid, SIG_TRAP, (long)&info);
        }
        uint32_t parked = o->parked;
        if (parked != request && !o->vforking) {
            waiting = o;
            *word = parked;
        }
    }
    mutex_unlock(&threads_lock);
    return waiting;
}

void
suspend_others(struct thread *self)
{
    static const struct { long s, ns; } a_little = {0, 1000000};
    struct thread *o;
    uint32_t word;

    if (holder == self) {
        depth++;
        return;
    }
    while (!mutex_try(&turn)) {
        if (self->suspend)
            park(self, &self->s.mc, PARKED_IN_TOOL);
        else
            sys0(__NR_sched_yield);
    }
    holder = self;
    depth = 1;
    if (engine_confined())               /* our signals could be the end of the process */
        return;
    last_request += last_request == UINT32_MAX ? 2 : 1;
    while ((o = ask_all(self, last_request, &word)))     /* bounded waits: a thread may end instead of parking, and its word be reused */
        sys4(__NR_futex, (long)&o->parked, FUTEX_WAIT_OP, word, (long)&a_little);
}

void
resume_others(struct thread *self)
{
    if (--depth)
        return;
    holder = NULL;
    mutex_lock(&threads_lock);
    for (struct thread *o = all_threads; o; o = o->next)
        if (o != self && o->suspend) {
            __atomic_store_n(&o->suspend, 0, __ATOMIC_SEQ_CST);
            sys3(__NR_futex, (long)&o->suspend, FUTEX_WAKE_OP, 1);
        }
    mutex_unlock(&threads_lock);
    mutex_unlock(&turn);
}

void
suspend_after_fork(struct thread *t)
{
    mutex_init(&turn);
    holder = NULL;
    t->suspend = 0;
}
