/* RLIMIT_AS: the program's limit must not count what the engine maps.
 * The kernel is given the program's limit plus the engine's size; that grows and
 * shrinks with the engine's memory, so the hard limit gets room on top.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/handle.h"
#include "linux/memory.h"

enum { LIMIT_AS = 9 };
static const uint64_t HARD_ROOM = 1ull << 30;

struct limit { uint64_t cur, max; };
static volatile bool is_set;             /* by the program                                */
static volatile uint64_t extra_cur, extra_max;

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
prlimit_as(const struct limit *set, struct limit *old)
{
    return sys4(__NR_prlimit64, 0, LIMIT_AS, (long)set, (long)old);
}

static bool
is_own(uint64_t pid)
{
    return (int)pid == 0 || (int)pid == (int)sys0(__NR_getpid);
}

/* One call for the three: `set` and `get` as the program gave them. */
static long
limit_as(uint64_t set, uint64_t get)
{
    struct limit l, old;

    if (set) {
        if (!safe_read(&l, set, sizeof l))
            return -E_FAULT;
        if (l.cur > l.max)
            return -E_INVAL;
        if (!is_set) {
            extra_cur = engine_memory_size();
            extra_max = extra_cur + HARD_ROOM;
        }
        l.cur = plus(l.cur, extra_cur);
        l.max = plus(l.max, extra_max);
    }
    bool was_set = is_set;
    long r = prlimit_as(set ? &l : NULL, &old);
    if (sys_failed(r))
        return r;
    is_set = is_set || set;
    if (!get)
        return r;
    old.cur = was_set ? minus(old.cur, extra_cur) : old.cur;
    old.max = was_set ? minus(old.max, extra_max) : old.max;
    return safe_write(get, &old, sizeof old) ? 0 : -E_FAULT;
}

long on_getrlimit(struct thread *t) { return ARG0(t) == LIMIT_AS && is_set ? limit_as(0, ARG1(t)) : native(t); }
long on_setrlimit(struct thread *t) { return ARG0(t) == LIMIT_AS && ARG1(t) ? limit_as(ARG1(t), 0) : native(t); }

long
on_prlimit64(struct thread *t)
{
    return ARG1(t) == LIMIT_AS && is_own(ARG0(t)) && (ARG2(t) || is_set) ? limit_as(ARG2(t), ARG3(t)) : native(t);
}

void
limit_as_moves(int64_t bytes)
{
    struct limit l;

    if (LIKELY(!is_set) || sys_failed(prlimit_as(NULL, &l)) || l.cur == UINT64_MAX)
        return;
    l.cur = MIN(l.cur + (uint64_t)bytes, l.max);
    __atomic_fetch_add(&extra_cur, (uint64_t)bytes, __ATOMIC_RELAXED);
    prlimit_as(&l, NULL);
}

void
limit_as_hand_on(uint64_t extra[2])
{
    extra[0] = is_set ? extra_cur : 0;
    extra[1] = is_set ? extra_max : 0;
}

void
limit_as_inherit(const uint64_t extra[2])
{
    struct limit l;

    if (!extra[0] || sys_failed(prlimit_as(NULL, &l)))
        return;
    is_set = true;
    extra_cur = extra[0];
    extra_max = extra[1];
    limit_as_moves((int64_t)(engine_memory_size() - extra_cur));
}
