/* drmemory's store of call stacks: equal stacks have one number, others another, in several threads at once. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "stacks.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- the tool API: a stack is what the test says it is ---- */

static __thread struct { uint64_t pcs[64]; unsigned n; bool again; } program;
static __thread uint8_t memory[1 << 18] __attribute__((aligned(16)));
static bool no_memory;

void *dr_map(size_t n) { return no_memory ? NULL : mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); }
uint32_t dr_thread_memory(size_t n) { return n <= sizeof memory - 64 ? 64 : 0; }
dr_thread *dr_thread_current(void) { return (dr_thread *)memory; }
void *dr_thread_at(dr_thread *t, uint32_t slot) { return (uint8_t *)t + slot; }
void dr_print(const char *f, ...) { (void)f; }
void dr_lock(struct dr_mutex *m) { while (__atomic_exchange_n(&m->state, 1, __ATOMIC_ACQUIRE)) ; }
void dr_unlock(struct dr_mutex *m) { __atomic_store_n(&m->state, 0, __ATOMIC_RELEASE); }

unsigned
dr_unwind_trail(const struct dr_mcontext *mc, uint64_t *pcs, unsigned max, struct dr_trail *trail)
{
    unsigned n = program.n < max ? program.n : max;

    memcpy(pcs, program.pcs, n * sizeof *pcs);
    *trail = (struct dr_trail){.rip = mc->rip, .rsp = mc->gpr[RSP], .generation = 1, .max = (uint16_t)max};
    return n;
}

int
dr_unwind_find(const struct dr_mcontext *mc, unsigned max, const struct dr_trail *trail, unsigned n, size_t stride)
{
    for (unsigned i = 0; i < n && program.again; i++) {
        const struct dr_trail *t = (const struct dr_trail *)((const char *)trail + i * stride);
        if (t->generation && t->rip == mc->rip && t->rsp == mc->gpr[RSP] && t->max == max)
            return (int)i;
    }
    return -1;
}

/* ---- */

enum { STACKS = 20000, MAX = 24 };

/* Stack number k: its length and addresses follow from k; many share their inner frames. */
static void
be(unsigned k)
{
    program.n = 1 + k % MAX;
    for (unsigned i = 0; i < program.n; i++)
        program.pcs[i] = 0x400000 + (i < 5 ? i : k * 2654435761u % 100000 + i);
    program.pcs[program.n - 1] = 0x500000 + k;
}

static stack_id ids[STACKS];

static void *
insert(void *arg)
{
    unsigned start = (unsigned)(size_t)arg;

    for (unsigned i = 0; i < STACKS; i++) {
        unsigned k = (i * 7919 + start * 131) % STACKS;
        struct dr_mcontext mc = {.rip = 1};
        be(k);
        stack_id s = stack_here(&mc, 64);
        stack_id was = __atomic_exchange_n(&ids[k], s, __ATOMIC_RELAXED);
        if (!s || (was && was != s))
            EXPECT_EQUAL("number of a stack", s, was);
    }
    return NULL;
}

TEST(stacks, each_is_kept_once_whoever_was_first)
{
    pthread_t t[4];

    EXPECT_EQUAL("init", stacks_init(), true);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, insert, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    EXPECT_EQUAL("stacks kept", stacks_stats.kept, STACKS);
    for (unsigned k = 0; k < STACKS; k++) {
        const uint64_t *pcs;
        be(k);
        unsigned n = stack_frames(ids[k], &pcs);
        if (n != program.n || memcmp(pcs, program.pcs, n * sizeof *pcs) != 0)
            EXPECT_EQUAL("frames", n, program.n);
    }
    const uint64_t *none;
    EXPECT_EQUAL("no stack", stack_frames(0, &none), 0);

    struct dr_mcontext mc = {.rip = 2};
    be(23);
    stack_id whole = stack_here(&mc, 64), part = stack_here(&mc, 6);
    EXPECT_EQUAL("fewer frames are another stack", whole != part, true);
    EXPECT_EQUAL("frames of it", stack_frames(part, &none), 6);

    /* What a thread has seen a moment ago is not walked again. */
    program.again = true;
    uint64_t walked = stacks_stats.walked;
    for (int i = 0; i < 100; i++) {
        EXPECT_EQUAL("whole", stack_here(&mc, 64), whole);
        EXPECT_EQUAL("part", stack_here(&mc, 6), part);
    }
    EXPECT_EQUAL("walks", stacks_stats.walked, walked);

    /* No memory: no stack, and no crash; what is known stays known. */
    no_memory = true;
    program.again = false;
    stack_id last = 1;
    for (unsigned k = 0; last && k < 100000; k++) {
        program.n = 60;
        program.pcs[59] = 0x900000 + k;
        last = stack_here(&mc, 64);
    }
    EXPECT_EQUAL("no room", last, 0);
    be(23);
    EXPECT_EQUAL("known", stack_here(&mc, 64), whole);
}

UNIT_MAIN
