/* What tools do to the whole program: stop its other threads, flush translations, be nudged. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/tools.h"
#include "linux/memory.h"
#include "linux/suspend.h"
#include "linux/sys.h"

/* ---- threads ---- */

void
dr_suspend_others(void)
{
    suspend_others(thread_self());
}

void
dr_resume_others(void)
{
    resume_others(thread_self());
}

size_t
dr_thread_name(const dr_thread *t, char *out, size_t size)
{
    char path[64];
    long n = 0;

    if (!size)
        return 0;
    format(path, sizeof path, "/proc/self/task/%d/comm", t->tid);
    long fd = engine_confined() ? -1 : sys_openat(-100, path, 02000000 /* O_CLOEXEC */, 0);
    if (fd >= 0) {
        n = sys_read((int)fd, out, size - 1);
        sys_close((int)fd);
    }
    n = MAX(n, 0);
    n -= n && out[n - 1] == '\n';
    out[n] = 0;
    return (size_t)n;
}

void
dr_each_thread(void (*f)(dr_thread *t, void *arg), void *arg)
{
    mutex_lock(&threads_lock);       /* those that wait for a vfork child may come and take it off the list */
    for (struct thread *t = all_threads; t; t = t->next)
        if (!t->vfork_child)
            f(t, arg);
    mutex_unlock(&threads_lock);
}

bool
dr_thread_context(dr_thread *t, struct dr_mcontext *out)
{
    if (t != thread_self() && suspend_has_parked(t))
        memcpy(out, &t->parked_mc, sizeof *out);
    else if (t == thread_self() || t->vforking || t->leaving)
        memcpy(out, &t->s.mc, sizeof *out);
    else
        return false;
    return true;
}

bool
dr_set_thread_context(dr_thread *t, const struct dr_mcontext *mc)
{
    if (t == thread_self() || !suspend_has_parked(t) || t->raised || (t->park != PARKED_IN_CACHE && t->park != PARKED_IN_DISPATCH))
        return false;
    memcpy(&t->parked_mc, mc, sizeof t->parked_mc);
    t->leave = true;
    return true;
}

/* ---- flushes ---- */

enum { MAX_LATER = 32 };
static struct { uint64_t lo, hi; } later[MAX_LATER];
static unsigned n_later;
static struct mutex later_lock;
volatile bool flush_is_due;

unsigned
dr_flush(uint64_t lo, uint64_t hi)
{
    mutex_lock(&cache_lock);
    unsigned n = cache_flush_range(lo, hi);
    mutex_unlock(&cache_lock);
    return n;
}

unsigned
dr_flush_synchronously(uint64_t lo, uint64_t hi)
{
    struct thread *self = thread_self();

    suspend_others(self);
    unsigned n = dr_flush(lo, hi);
    mutex_lock(&threads_lock);
    for (struct thread *t = all_threads; t; t = t->next)     /* wherever it was, it comes back by the table of fragments */
        if (t->s.call && (t == self || t->park == PARKED_IN_TOOL))
            t->s.pending = 1;
        else if (t != self && suspend_has_parked(t) && t->park == PARKED_IN_CACHE)
            t->leave = true;
    mutex_unlock(&threads_lock);
    resume_others(self);
    return n;
}

void
dr_flush_later(uint64_t lo, uint64_t hi)
{
    mutex_lock(&later_lock);
    if (n_later == MAX_LATER) {      /* rather too much than too little */
        lo = MIN(lo, later[n_later - 1].lo);
        hi = MAX(hi, later[n_later - 1].hi);
        n_later--;
    }
    later[n_later].lo = lo;
    later[n_later++].hi = hi;
    flush_is_due = true;
    mutex_unlock(&later_lock);
}

void
flush_due(void)
{
    mutex_lock(&later_lock);
    unsigned n = n_later;
    uint64_t lo[MAX_LATER], hi[MAX_LATER];
    for (unsigned i = 0; i < n; i++)
        lo[i] = later[i].lo, hi[i] = later[i].hi;
    n_later = 0;
    flush_is_due = false;
    mutex_unlock(&later_lock);
    for (unsigned i = 0; i < n; i++)
        dr_flush(lo[i], hi[i]);
}

/* ---- client requests ---- */

enum { DISCARD_TRANSLATIONS = 0x1002 };

void
client_request(struct thread *t)
{
    uint64_t args[6], result = t->s.mc.gpr[RDX];

    if (!safe_read(args, t->s.mc.gpr[RAX], sizeof args))
        return;
    if (args[0] == DISCARD_TRANSLATIONS)
        dr_flush(args[1], args[1] + args[2]);
    if (tools_client_request(t, args, &result))
        t->s.mc.gpr[RDX] = result;
}

void
control_after_fork(struct thread *t)
{
    mutex_init(&later_lock);
    suspend_after_fork(t);
}
