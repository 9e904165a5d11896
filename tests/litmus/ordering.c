// SPDX-License-Identifier: BSD-3-Clause
/* Memory-ordering litmus tests: outcomes that x86-TSO forbids never appear (Owens, Sarkar and Sewell, "A Better x86
 * Memory Model: x86-TSO"; the names are those of the herd tools).
 *
 *   ordering NAME     one test; without NAME: the list
 *
 * Each test runs LITMUS_ROUNDS instances. The threads meet at a spinning barrier before each, so that their few
 * instructions overlap; every location has a cache line of its own. Outcomes that TSO allows and a stronger machine would not
 * are counted too: when there are some, the test was able to see reordering at all. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 4 };

struct line {
    volatile long v;
} __attribute__((aligned(128)));

static struct line x, y;
static struct line r[4]; /* what was read, by observation */

#define WRITE(to, value) __asm__ volatile("movq %1, %0" : "=m"((to).v) : "ri"((long)(value)) : "memory")
#define READ(from)                                                               \
    __extension__({                                                              \
        long got_;                                                               \
        __asm__ volatile("movq %1, %0" : "=r"(got_) : "m"((from).v) : "memory"); \
        got_;                                                                    \
    })
#define MFENCE() __asm__ volatile("mfence" ::: "memory")
#define LOCKED() __asm__ volatile("lock orl $0, (%%rsp)" ::: "memory", "cc")
#define XCHG(to, value)                                                            \
    __extension__({                                                                \
        long swapped_ = (value);                                                   \
        __asm__ volatile("xchgq %0, %1" : "+r"(swapped_), "+m"((to).v)::"memory"); \
    })

/* ---- message passing ---- */

static void
write_x_then_y(void)
{
    WRITE(x, 1);
    WRITE(y, 1);
}

static void
read_y_then_x(void)
{
    r[0].v = READ(y);
    r[1].v = READ(x);
}

/* A string store keeps its place among the others too. */
static void
copy_x_then_y(void)
{
    static const long one = 1;
    const void *from = &one;
    volatile void *to = &x;
    long n = 1;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
    WRITE(y, 1);
}

static int
flag_without_data(void)
{
    return r[0].v == 1 && r[1].v == 0;
}

/* ---- store buffering ---- */

#define STORE_BUFFERING(name, between) \
    static void name##_0(void)         \
    {                                  \
        WRITE(x, 1);                   \
        between;                       \
        r[0].v = READ(y);              \
    }                                  \
    static void name##_1(void)         \
    {                                  \
        WRITE(y, 1);                   \
        between;                       \
        r[1].v = READ(x);              \
    }
STORE_BUFFERING(sb_plain, (void)0)
STORE_BUFFERING(sb_mfence, MFENCE())
STORE_BUFFERING(sb_locked, LOCKED())

static void
sb_xchg_0(void)
{
    XCHG(x, 1);
    r[0].v = READ(y);
}

static void
sb_xchg_1(void)
{
    XCHG(y, 1);
    r[1].v = READ(x);
}

static int
both_too_early(void)
{
    return r[0].v == 0 && r[1].v == 0;
}

/* ---- load buffering, coherence, and writes against writes ---- */

static void
read_x_write_y(void)
{
    r[0].v = READ(x);
    WRITE(y, 1);
}

static void
read_y_write_x(void)
{
    r[1].v = READ(y);
    WRITE(x, 1);
}

static int
both_from_the_future(void)
{
    return r[0].v == 1 && r[1].v == 1;
}

static void
write_x(void)
{
    WRITE(x, 1);
}

static void
write_y(void)
{
    WRITE(y, 1);
}

static void
read_x_twice(void)
{
    r[0].v = READ(x);
    r[1].v = READ(x);
}

static int
new_then_old(void)
{
    return r[0].v == 1 && r[1].v == 0;
}

static void
r_0(void)
{
    WRITE(x, 1);
    WRITE(y, 1);
}

static void
r_1(void)
{
    WRITE(y, 2);
    MFENCE();
    r[0].v = READ(x);
}

static int
second_write_last_but_first_unseen(void)
{
    return y.v == 2 && r[0].v == 0;
}

static void
write_x1_y2(void)
{
    WRITE(x, 1);
    WRITE(y, 2);
}

static void
write_y1_x2(void)
{
    WRITE(y, 1);
    WRITE(x, 2);
}

static int
both_first_writes_last(void)
{
    return x.v == 1 && y.v == 1;
}

static void
s_0(void)
{
    WRITE(x, 2);
    WRITE(y, 1);
}

static int
older_write_last(void)
{
    return r[1].v == 1 && x.v == 2;
}

/* ---- three and four threads ---- */

static void
wrc_1(void)
{
    r[0].v = READ(x);
    WRITE(y, 1);
}

static void
wrc_2(void)
{
    r[1].v = READ(y);
    r[2].v = READ(x);
}

static int
effect_without_cause(void)
{
    return r[0].v == 1 && r[1].v == 1 && r[2].v == 0;
}

static void
iriw_2(void)
{
    r[0].v = READ(x);
    r[1].v = READ(y);
}

static void
iriw_3(void)
{
    r[2].v = READ(y);
    r[3].v = READ(x);
}

static int
readers_disagree(void)
{
    return r[0].v == 1 && r[1].v == 0 && r[2].v == 1 && r[3].v == 0;
}

/* ---- the table ---- */

struct litmus {
    const char *name;
    void (*thread[MAX_THREADS])(void);
    int (*seen)(void); /* the outcome */
    int allowed;       /* counted, not forbidden */
};

static const struct litmus all[] = {
    {"MP", {write_x_then_y, read_y_then_x}, flag_without_data, 0},
    {"MP+movs", {copy_x_then_y, read_y_then_x}, flag_without_data, 0},
    {"SB", {sb_plain_0, sb_plain_1}, both_too_early, 1},
    {"SB+mfence", {sb_mfence_0, sb_mfence_1}, both_too_early, 0},
    {"SB+lock", {sb_locked_0, sb_locked_1}, both_too_early, 0},
    {"SB+xchg", {sb_xchg_0, sb_xchg_1}, both_too_early, 0},
    {"LB", {read_x_write_y, read_y_write_x}, both_from_the_future, 0},
    {"CoRR", {write_x, read_x_twice}, new_then_old, 0},
    {"R+mfence", {r_0, r_1}, second_write_last_but_first_unseen, 0},
    {"2+2W", {write_x1_y2, write_y1_x2}, both_first_writes_last, 0},
    {"S", {s_0, read_y_write_x}, older_write_last, 0},
    {"WRC", {write_x, wrc_1, wrc_2}, effect_without_cause, 0},
    {"IRIW", {write_x, write_y, iriw_2, iriw_3}, readers_disagree, 0},
};

enum { TESTS = sizeof all / sizeof *all };

/* ---- running ---- */

static const struct litmus *test;
static long rounds, seen;
static int threads;
static atomic_long arrived;

/* The `n`-th meeting of all threads. Spins, and lets others run when it takes long: there may be fewer CPUs than threads. */
static void
meet(long n)
{
    atomic_fetch_add(&arrived, 1);
    for (int spins = 0; atomic_load_explicit(&arrived, memory_order_acquire) < n * threads; spins++)
        if (spins > 500)
            sched_yield();
}

static void
clear(void)
{
    x.v = y.v = 0;
    for (int i = 0; i < 4; i++)
        r[i].v = 0;
}

/* Thread 0 clears and judges between two meetings. */
static void *
run(void *number)
{
    long me = (long)number;

    for (long i = 0; i < rounds; i++) {
        if (me == 0)
            clear();
        meet(2 * i + 1);
        for (volatile long skew = (i * (me + 1)) % 7; skew > 0; skew--)
            ;
        test->thread[me]();
        meet(2 * i + 2);
        if (me == 0)
            seen += test->seen();
    }
    return NULL;
}

static void
run_all_threads(void)
{
    pthread_t id[MAX_THREADS];

    while (threads < MAX_THREADS && test->thread[threads])
        threads++;
    for (long i = 1; i < threads; i++)
        pthread_create(&id[i], NULL, run, (void *)i);
    run((void *)0L);
    for (int i = 1; i < threads; i++)
        pthread_join(id[i], NULL);
}

int
main(int argc, char **argv)
{
    const char *size = getenv("LITMUS_ROUNDS");

    rounds = size ? strtol(size, NULL, 10) : 20000;
    for (int i = 0; i < TESTS; i++)
        if (argc < 2)
            puts(all[i].name);
        else if (strcmp(all[i].name, argv[1]) == 0)
            test = &all[i];
    if (argc < 2)
        return 0;
    if (!test)
        return fprintf(stderr, "no test %s\n", argv[1]), 2;
    run_all_threads();
    printf("%s: %s outcome seen %ld times in %ld rounds\n", test->name,
           test->allowed ? "allowed" : "forbidden", seen, rounds);
    return seen && !test->allowed;
}
