/* Engine-wide events: fork, the end of the process, statistics. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"

#include "core/cache.h"
#include "core/records.h"
#include "core/tools.h"
#include "linux/descriptors.h"
#include "linux/memory.h"
#include "linux/modules.h"
#include "linux/channel.h"
#include "linux/signal.h"
#include "linux/suspend.h"
#include "linux/sys.h"
#include "unwind/unwind.h"
#include "util/heap.h"

void
engine_lock_all(void)
{
    modules_lock_for_fork();
    mutex_lock(&cache_lock);
    regions_lock_for_fork();
    heap_lock_for_fork();
    files_lock_for_fork();
}

void
engine_unlock_all(void)
{
    files_unlock_after_fork(false);
    heap_unlock_after_fork(false);
    regions_unlock_after_fork();
    mutex_unlock(&cache_lock);
    modules_unlock_after_fork(false);
}

void
engine_unlock_all_after_fork(void)
{
    files_unlock_after_fork(true);
    heap_unlock_after_fork(true);
    regions_after_fork();
    unwind_after_fork();
    cache_after_fork();
    modules_unlock_after_fork(true);
}

static volatile int ending;              /* somebody is in engine_at_exit */

void
engine_after_fork(struct thread *t)
{
    mutex_init(&t->process->lock);
    console_let_go();
    ending = 0;
}

/* Against the kernel's clock, over what has passed since the start (or a millisecond more). */
static uint64_t
ticks_to_ns(uint64_t ticks)
{
    uint64_t ts[2], ts2[2], from = clock_ticks(), to;

    sys2(__NR_clock_gettime, 4, (long)ts);
    do {
        sys2(__NR_clock_gettime, 4, (long)ts2);
        to = clock_ticks();
    } while ((ts2[0] - ts[0]) * 1000000000 + ts2[1] - ts[1] < 1000000);
    uint64_t ns = (ts2[0] - ts[0]) * 1000000000 + ts2[1] - ts[1];
    return ticks / 1024 * ns / ((to - from) / 1024 + 1);
}

void
stats_print(void)
{
    const struct cache_stats *c = &cache_stats;

    print_err("drtools: fragments %lu, live %lu, instructions %lu, program bytes %lu\n", c->fragments, c->live, c->insns, c->app_bytes);
    print_err("drtools: cache bytes hot %lu, cold %lu; links %lu, fall-through overlays %lu, landing pads %lu\n", c->hot_bytes,
              c->cold_bytes, c->links, c->overlays, c->pads);
    print_err("drtools: exits %lu, indirect-branch misses %lu, flushes %lu, resets %lu, self-checking fragments %lu, pages watched again %lu\n", c->exits, c->ibl_misses,
              c->flushes, c->resets, c->selfchecks, c->calmed);
    if (c->insns) {
        uint64_t ns = ticks_to_ns(c->translate_ticks);
        print_err("drtools: translation %lu us, %lu ns an instruction\n", ns / 1000, ns / c->insns);
    }
}

/* Another thread is ending the process, with its status. */
NORETURN static void
await_end(struct thread *t)
{
    uint64_t long_time[2] = {3600};

    __atomic_store_n(&t->safe_epoch, UINT64_MAX, __ATOMIC_SEQ_CST);
    for (;;)
        sys2(__NR_nanosleep, (long)long_time, 0);
}

int
engine_at_exit(struct thread *t, int kind, int code)
{
    uint64_t blocked = ~(1ull << 10 | 1ull << 6);     /* all but SIGSEGV and SIGBUS: tools still read the program's memory */

    t->leaving = true;
    if (__atomic_exchange_n(&ending, 1, __ATOMIC_SEQ_CST))
        await_end(t);
    /* A reader of our text that has gone must not end the process by SIGPIPE before all is written. */
    if (!engine_confined())
        sys4(__NR_rt_sigprocmask, 2, (long)&blocked, 0, 8);
    if (channel_is_open() && thread_count > 1 && !engine_confined())     /* a report takes time, and they would have ended by now */
        suspend_others(t);
    if (n_tools)
        tools_exit();
    int status = records_end(kind, code);
    if (options.stats)
        stats_print();
    return status;
}
