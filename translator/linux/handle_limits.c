/* RLIMIT_AS and RLIMIT_DATA: the program's limits must not count what the engine maps.
 * The kernel is given the program's limit plus the engine's size; that grows and
 * shrinks with the engine's memory, so the hard limit gets room on top.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "linux/handle.h"
#include "linux/memory.h"

enum { LIMIT_DATA = 2, LIMIT_AS = 9 };
static const uint64_t HARD_ROOM = 1ull << 30;

struct limit { uint64_t cur, max; };

/* `extra_cur` and `extra_max`: how much of the kernel's value is ours. */
static struct shared_limit {
    int resource;
    volatile bool is_set;                /* by the program */
    volatile uint64_t extra_cur, extra_max;
} shared[LIMITS_SHARED] = {{.resource = LIMIT_AS}, {.resource = LIMIT_DATA}};

static struct shared_limit *
find(uint64_t resource)
{
    for (unsigned i = 0; i < COUNT_OF(shared); i++)
        if ((unsigned)shared[i].resource == (unsigned)resource)
            return &shared[i];
    return NULL;
}

static uint64_t
plus(uint64_t limit, uint64_t n)
{
    return limit + n < limit ? UINT64_MAX : limit + n;
}

static uint64_t
minus(uint64_t limit, uint64_t n)
{
    return limit == UINT64_MAX ? limit : limit - MIN(n, limit);
}

static long
kernel_limit(const struct shared_limit *s, const struct limit *set, struct limit *old)
{
    return sys4(__NR_prlimit64, 0, s->resource, (long)set, (long)old);
}

static bool
is_own(uint64_t pid)
{
    return (int)pid == 0 || (int)pid == (int)sys0(__NR_getpid);
}

/* One call for the three: `set` and `get` as the program gave them. */
static long
limit_call(struct shared_limit *s, uint64_t set, uint64_t get)
{
    bool was_set = s->is_set;
    struct limit l, old;

    if (set) {
        if (!safe_read(&l, set, sizeof l))
            return -E_FAULT;
        if (l.cur > l.max)
            return -E_INVAL;
        if (!was_set) {
            s->extra_cur = engine_memory_size();
            s->extra_max = s->extra_cur + HARD_ROOM;
        }
        l.cur = plus(l.cur, s->extra_cur);
        l.max = plus(l.max, s->extra_max);
    }
    long r = kernel_limit(s, set ? &l : NULL, &old);
    if (sys_failed(r))
        return r;
    s->is_set = was_set || set;
    if (!get)
        return r;
    old.cur = was_set ? minus(old.cur, s->extra_cur) : old.cur;
    old.max = was_set ? minus(old.max, s->extra_max) : old.max;
    return safe_write(get, &old, sizeof old) ? 0 : -E_FAULT;
}

long
on_getrlimit(struct thread *t)
{
    struct shared_limit *s = find(ARG0(t));

    return s && s->is_set ? limit_call(s, 0, ARG1(t)) : native(t);
}

long
on_setrlimit(struct thread *t)
{
    struct shared_limit *s = find(ARG0(t));

    return s && ARG1(t) ? limit_call(s, ARG1(t), 0) : native(t);
}

long
on_prlimit64(struct thread *t)
{
    struct shared_limit *s = is_own(ARG0(t)) ? find(ARG1(t)) : NULL;

    return s && (ARG2(t) || s->is_set) ? limit_call(s, ARG2(t), ARG3(t)) : native(t);
}

/* The heap's part of RLIMIT_DATA is checked against the whole limit, in which is room for us. */
long
on_brk(struct thread *t)
{
    struct shared_limit *s = find(LIMIT_DATA);
    uint64_t now = (uint64_t)sys1(__NR_brk, 0);
    struct limit l;

    if (LIKELY(!s->is_set) || ARG0(t) <= now || sys_failed(kernel_limit(s, NULL, &l)))
        return native(t);
    uint64_t data = ARG0(t) - program.brk + program.data_size;
    return data > minus(l.cur, s->extra_cur) ? (long)now : native(t);
}

void
limits_move(int64_t bytes)
{
    struct limit l;

    for (unsigned i = 0; i < COUNT_OF(shared); i++) {
        struct shared_limit *s = &shared[i];
        if (LIKELY(!s->is_set) || sys_failed(kernel_limit(s, NULL, &l)) || l.cur == UINT64_MAX)
            continue;
        l.cur = MIN(l.cur + (uint64_t)bytes, l.max);
        __atomic_fetch_add(&s->extra_cur, (uint64_t)bytes, __ATOMIC_RELAXED);
        kernel_limit(s, &l, NULL);
    }
}

void
limits_hand_on(uint64_t extra[LIMITS_SHARED][2])
{
    for (unsigned i = 0; i < COUNT_OF(shared); i++) {
        extra[i][0] = shared[i].is_set ? shared[i].extra_cur : 0;
        extra[i][1] = shared[i].is_set ? shared[i].extra_max : 0;
    }
}

void
limits_inherit(const uint64_t extra[LIMITS_SHARED][2])
{
    for (unsigned i = 0; i < COUNT_OF(shared); i++) {
        struct shared_limit *s = &shared[i];
        struct limit l;
        if (!extra[i][0] || sys_failed(kernel_limit(s, NULL, &l)))
            continue;
        s->is_set = true;
        s->extra_max = extra[i][1];
        s->extra_cur = engine_memory_size();
        l.cur = l.cur == UINT64_MAX ? l.cur : MIN(plus(minus(l.cur, extra[i][0]), s->extra_cur), l.max);
        kernel_limit(s, &l, NULL);
    }
}
