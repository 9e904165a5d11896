/* Changes the mode every 1,000 blocks, by a clean call before each block, or with -inline by code in the cache.
 * Prints how many blocks ran in each of the three modes. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { EVERY = 1000, MODES = 3 };
static bool inlined;
static uint32_t left, ran;          /* thread memory: blocks until the next change; blocks of each mode */
static struct dr_mutex lock;
static uint64_t sums[MODES];

static bool
init(int argc, const char *const *argv)
{
    (void)argv;
    inlined = argc > 1;
    left = dr_thread_memory(sizeof(uint64_t));
    ran = dr_thread_memory(MODES * sizeof(uint64_t));
    return dr_modes(MODES) && left && ran;
}

static void
count(uint64_t arg, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    uint64_t *n = dr_thread_at(t, left);

    (void)mc;
    DR_CHECK(arg == dr_mode(t), "a block runs in its mode");
    ((uint64_t *)dr_thread_at(t, ran))[arg]++;
    if (++*n == EVERY) {
        *n = 0;
        dr_set_mode(t, (dr_mode(t) + 1) % MODES);
    }
}

static bool block_begin(dr_block *b) { return dr_block_count(b) > 0; }

static void
block_insn(dr_block *b, unsigned i)
{
    struct emit *e = dr_emit(b);
    unsigned mode = dr_block_mode(b);

    if (i > 0)
        return;
    if (!inlined) {
        dr_insert_call(b, count, mode);
        return;
    }
    dr_insert_add(b, i, ran + mode * 8, 1);
    enum reg r = RCX;                           /* which jrcxz tests */
    DR_CHECK(dr_take_this_register(b, r), "rcx can be had");
    x_mov_r_slot(e, r, left);
    uint32_t due = x_jrcxz_ahead(e);
    x_lea_add(e, r, -1);
    x_mov_slot_r(e, left, r);
    uint32_t on = x_jmp_ahead(e);
    x_here(e, due);
    x_mov_slot_i32(e, left, EVERY);
    dr_insert_mode_exit(b, (mode + 1) % MODES);
    x_here(e, on);
}

static void
thread_exit(dr_thread *t)
{
    dr_lock(&lock);
    for (unsigned m = 0; m < MODES; m++)
        sums[m] += ((uint64_t *)dr_thread_at(t, ran))[m];
    dr_unlock(&lock);
}

static void
at_exit(void)
{
    if (!dr_quiet())
        dr_print("mode: %lu %lu %lu\n", sums[0], sums[1], sums[2]);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "mode",
    .init = init, .exit = at_exit, .thread_exit = thread_exit, .block_begin = block_begin, .block_insn = block_insn};
