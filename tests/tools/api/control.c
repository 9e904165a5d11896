/* Does what the program asks by the system call 1000: stops threads, flushes, tells of nudges. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { COMMAND = 1000 };
enum { STOP = 1, FLUSH, FLUSH_SYNCHRONOUSLY, FLUSH_LATER, TRANSLATIONS, REDIRECT, NUDGES, HEAP, NAMES };

static volatile uint64_t watched, translations, deletions, nudges, last_nudge;

static bool
block_begin(dr_block *b)
{
    if (dr_block_tag(b) == watched)
        translations++;
    return false;
}

static void
fragment_deleted(uint64_t tag, unsigned mode)
{
    (void)mode;
    deletions += tag == watched;
}

/* ---- stopping ---- */

struct census { unsigned threads; struct dr_mcontext of_others; dr_thread *some; uint64_t lo, hi; };

static void
census(dr_thread *t, void *arg)
{
    struct census *c = arg;
    struct dr_mcontext mc;

    c->threads++;
    DR_CHECK(dr_thread_context(t, &mc), "a stopped thread has a context");
    if (t != dr_thread_current() && mc.rip >= c->lo && mc.rip < c->hi)
        c->some = t;
}

/* Are the eight counters at `at` still while the others are stopped? Returns how many threads there are, or 0. */
static uint64_t
stop(uint64_t at)
{
    uint64_t before[8], now[8];
    struct census c = {0};

    dr_suspend_others();
    dr_each_thread(census, &c);
    DR_CHECK(dr_safe_read(before, at, sizeof before), "the counters can be read");
    for (volatile int i = 0; i < 200000; i++)
        ;
    dr_safe_read(now, at, sizeof now);
    dr_resume_others();
    for (int i = 0; i < 8; i++)
        if (now[i] != before[i])
            return 0;
    return c.threads;
}

/* A thread that is in [lo, hi) goes on at `to`. */
static uint64_t
redirect(uint64_t lo, uint64_t hi, uint64_t to)
{
    struct census c = {.lo = lo, .hi = hi};
    struct dr_mcontext mc;
    bool done = false;

    dr_suspend_others();
    dr_each_thread(census, &c);
    if (c.some && dr_thread_context(c.some, &mc)) {
        mc.rip = to;
        done = dr_set_thread_context(c.some, &mc);
    }
    dr_resume_others();
    return done;
}

static void
count_named(dr_thread *t, void *arg)
{
    char name[16];

    if (dr_thread_name(t, name, sizeof name) == 7 && name[0] == 'c' && name[6] == 'r' && !name[7])
        ++*(unsigned *)arg;
}

/* Threads called "counter". */
static uint64_t
named(void)
{
    unsigned n = 0;

    dr_suspend_others();
    dr_each_thread(count_named, &n);
    dr_resume_others();
    return n;
}

static uint64_t
heap(void)
{
    enum { N = 2000 };
    static uint8_t *p[N];
    uint64_t x = 1;

    for (int round = 0; round < 20; round++)
        for (int i = 0; i < N; i++) {
            x = x * 6364136223846793005 + 1;
            if (p[i]) {
                for (int k = 0; k < 24; k++)
                    if (p[i][k] != (uint8_t)i)
                        return 0;
                dr_free(p[i]);
                p[i] = NULL;
            } else if ((p[i] = dr_alloc(24 + (x >> 33) % (i % 50 ? 300 : 40000)))) {
                if ((uint64_t)p[i] % 16 || p[i][0] || p[i][23])
                    return 0;
                for (int k = 0; k < 24; k++)
                    p[i][k] = (uint8_t)i;
            }
        }
    for (int i = 0; i < N; i++)
        dr_free(p[i]);
    return 1;
}

static void
syscall_pre(struct dr_syscall *s)
{
    const uint64_t *a = s->arg;

    if (s->number != COMMAND)
        return;
    s->skip = true;
    switch (a[0]) {
    case STOP: s->result = (int64_t)stop(a[1]); break;
    case FLUSH: s->result = dr_flush(a[1], a[2]); break;
    case FLUSH_SYNCHRONOUSLY: s->result = dr_flush_synchronously(a[1], a[2]); break;
    case FLUSH_LATER: dr_flush_later(a[1], a[2]); break;
    case TRANSLATIONS: s->result = (int64_t)(watched == a[1] ? translations << 32 | deletions : 0); watched = a[1]; break;
    case REDIRECT: s->result = (int64_t)redirect(a[1], a[2], a[3]); break;
    case NUDGES: s->result = (int64_t)(nudges << 32 | (uint32_t)last_nudge); break;
    case NAMES: s->result = (int64_t)named(); break;
    case HEAP: s->result = (int64_t)heap(); break;
    }
}

static void
nudge(dr_thread *t, uint64_t arg)
{
    (void)t;
    last_nudge = arg;
    __atomic_fetch_add(&nudges, 1, __ATOMIC_SEQ_CST);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "control", .block_begin = block_begin, .fragment_deleted = fragment_deleted,
    .syscall_pre = syscall_pre, .nudge = nudge};
