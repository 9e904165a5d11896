/* What a call stack costs: at the entry of unwind_here() of bench/unwind_program.c, in ticks of the
 * time-stamp counter converted to ns, the best of many batches. A tool: drrun -t libbench_unwind.so -- bench_unwind_program */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { ROUNDS = 2000, BATCHES = 200, FRAMES = 30 };

static uint64_t here;
static uint64_t ticks_per_us = 1;

static uint64_t
ticks(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

/* clock_gettime(CLOCK_MONOTONIC) in us, by the kernel: twice a run. */
static uint64_t
now_us(void)
{
    struct { uint64_t s, ns; } t;
    long r;

    __asm__ volatile("syscall" : "=a"(r) : "a"(228), "D"(1), "S"(&t) : "rcx", "r11", "memory");
    return t.s * 1000000 + t.ns / 1000;
}

static void
calibrate(void)
{
    uint64_t t = ticks(), us = now_us(), end;

    while ((end = now_us()) - us < 20000)
        ;
    ticks_per_us = (ticks() - t) / (end - us);
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void
tenths(const char *what, uint64_t spent, uint64_t frames)
{
    uint64_t ns10 = spent * 10000 / ticks_per_us / ROUNDS;

    dr_print("%s %lu.%lu ns", what, ns10 / 10, ns10 % 10);
    dr_print(" (%lu.%lu a frame) ", ns10 / frames / 10, ns10 / frames % 10);
}

static void
measure(uint64_t arg, struct dr_mcontext *mc)
{
    static uint64_t pcs[FRAMES];
    static struct dr_trail trail;
    unsigned maxima[] = {6, 12, 30}, n = 0, same = 0;

    (void)arg;
    calibrate();
    uint64_t t = ticks();
    n = dr_unwind(mc, pcs, FRAMES);
    dr_print("first: %lu ns for %u frames\n", (ticks() - t) * 1000 / ticks_per_us, n);
    for (unsigned k = 0; k < 3; k++) {
        uint64_t plain = UINT64_MAX, with_trail = UINT64_MAX, repeated = UINT64_MAX;
        for (unsigned batch = 0; batch < BATCHES; batch++) {
            t = ticks();
            for (unsigned i = 0; i < ROUNDS; i++)
                n = dr_unwind(mc, pcs, maxima[k]);
            plain = least(plain, ticks() - t);
            t = ticks();
            for (unsigned i = 0; i < ROUNDS; i++)
                dr_unwind_trail(mc, pcs, maxima[k], &trail);
            with_trail = least(with_trail, ticks() - t);
            t = ticks();
            for (unsigned i = 0; i < ROUNDS; i++)
                same += dr_unwind_again(mc, maxima[k], &trail);
            repeated = least(repeated, ticks() - t);
        }
        dr_print("%2u frames: ", n);
        tenths("dr_unwind", plain, n);
        tenths("dr_unwind_trail", with_trail, n);
        tenths("dr_unwind_again", repeated, n);
        dr_print("\n");
    }
    DR_CHECK(same == 3 * BATCHES * ROUNDS, "the stack stays the same");
}

static void
module_load(const struct dr_module *m)
{
    if (m->is_program)
        here = dr_symbol_address(m, "unwind_here");
}

static bool block_begin(dr_block *b) { return dr_block_tag(b) == here; }

static void
block_insn(dr_block *b, unsigned i)
{
    if (i == 0)
        dr_insert_call(b, measure, 0);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "bench_unwind",
    .module_load = module_load,
    .block_begin = block_begin,
    .block_insn = block_insn,
};
