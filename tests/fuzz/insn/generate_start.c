/* The start of a case: registers, of which some are pinned; vector and x87
 * state; how and where the code is run. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "generate_priv.h"

#include <stddef.h>
#include <string.h>

enum { FLAGS_ARITH = 0x8d5, FLAG_DF = 0x400, FLAGS_ALWAYS = 0x202 };

enum { COMPONENTS_SSE = 3, COMPONENTS_AVX = 7 };

static uint64_t
random_register(struct making *m)
{
    if (rng_percent(&m->rng, 15))
        return data_address(m, rng_below(&m->rng, DATA_RW_SIZE));
    return interesting(&m->rng);
}

static void
start_lane(struct rng *r, uint8_t *p)
{
    static const uint64_t special[] = {0,
                                       0x3ff0000000000000,
                                       0x7ff8000000000000,
                                       0x7ff0000000000000,
                                       0xffffffffffffffff,
                                       0x3f8000003f800000,
                                       0x7f800001ff800000,
                                       0x8000000080000000,
                                       1,
                                       0x4330000000000000};
    uint64_t v = rng_next(r);

    switch (rng_below(r, 4)) {
    case 0: v = special[v % 10]; break;
    case 1: v = 0x3fe0000000000000 | v >> 10; break;
    case 2: v = 0x3f0000003f000000 | (v & 0x00ffffff00ffffff); break;
    default: break;
    }
    memcpy(p, &v, 8);
}

static void
start_x87(struct rng *r, struct vector_state *v)
{
    uint32_t depth = rng_below(r, 9), top = rng_below(r, 8);

    v->fcw = rng_percent(r, 80) ? 0x37f : (uint16_t)(0x37f & (rng_next(r) | 0x7f));
    v->fsw = (uint16_t)(top << 11 | (rng_next(r) & 0x4700));
    for (uint32_t i = 0; i < depth; i++)
        v->ftw |= (uint16_t)(1 << ((top + i) & 7));
    for (int i = 0; i < 8; i++) {
        uint64_t mantissa = rng_next(r) | 1ull << 63;
        uint16_t exponent =
            rng_percent(r, 85) ? (uint16_t)(0x3ff0 + rng_below(r, 32)) : (uint16_t)rng_next(r);

        memcpy(v->st[i], &mantissa, 8);
        memcpy(v->st[i] + 8, &exponent, 2);
    }
}

void
start_vectors(struct making *m)
{
    struct vector_state *v = &m->r->start.v;
    struct rng *r = &m->rng;

    for (int i = 0; i < 32; i++)
        for (int j = 0; j < 64; j += 8)
            start_lane(r, v->zmm[i] + j);
    for (int i = 0; i < 8; i++)
        v->k[i] = rng_percent(r, 30) ? ~0ull : rng_next(r);
    v->mxcsr = 0x1f80;
    if (rng_percent(r, 25))
        v->mxcsr = 0x1f80 | (rng_next(r) & 0xe07f);
    if (m->faulty && rng_percent(r, 8))
        v->mxcsr = (uint32_t)rng_next(r) & 0xffc0;
    start_x87(r, v);
    m->r->components = rng_percent(r, 70)   ? COMPONENTS_ALL
                       : rng_percent(r, 50) ? COMPONENTS_SSE
                                            : COMPONENTS_AVX;
}

static void
pin(struct making *m, int reg, uint64_t value)
{
    m->pinned |= (uint16_t)(1 << reg);
    m->value[reg] = m->r->start.gpr[reg] = value;
}

/* Mostly registers that few instructions name on their own. */
static int
pinnable(struct making *m)
{
    int reg;

    do
        reg = rng_percent(&m->rng, 85) ? 8 + (int)rng_below(&m->rng, 8) : (int)rng_below(&m->rng, 16);
    while (reg == RSP || m->pinned & 1 << reg);
    return reg;
}

void
start_registers(struct making *m)
{
    struct cpu_state *s = &m->r->start;

    for (int i = 0; i < 16; i++)
        s->gpr[i] = random_register(m);
    s->gpr[RSP] = m->zone + STACK_START;
    m->pointer[0] = pinnable(m);
    pin(m, m->pointer[0], data_address(m, 0x800 + 64 * rng_below(&m->rng, 128)));
    m->pointer[1] = rng_percent(&m->rng, 20) ? RBP : pinnable(m);
    if (m->pinned & 1 << m->pointer[1])
        m->pointer[1] = pinnable(m);
    pin(m, m->pointer[1], data_address(m, 0x800 + 64 * rng_below(&m->rng, 128)));
    m->low_pointer = m->pointer[0];
    if (m->zone != ZONE_LOW_BASE) {
        m->low_pointer = pinnable(m);
        pin(m, m->low_pointer, ZONE_LOW_BASE + DATA_RW + 64 * rng_below(&m->rng, 192));
    }
    m->index = pinnable(m);
    pin(m, m->index, rng_below(&m->rng, 33));
    s->rflags = FLAGS_ALWAYS | (rng_next(&m->rng) & FLAGS_ARITH);
    if (rng_percent(&m->rng, 8))
        s->rflags |= FLAG_DF;
    s->fs_base = data_address(m, AREA_SEGMENT + 0x100);
    s->gs_base =
        rng_percent(&m->rng, 35) && !(m->g->without & WITHOUT_GS) ? data_address(m, AREA_SEGMENT + 0x200) : 0;
}

void
start_case(struct making *m, const struct generator *g, uint64_t index, struct recipe *r)
{
    memset(m, 0, sizeof *m);
    memset(r, 0, offsetof(struct recipe, item));
    memset(&r->start, 0, sizeof r->start);
    m->g = g;
    m->r = r;
    m->rng.state = rng_mix(g->seed ^ rng_mix(index + 1));
    r->id = index;
    r->zone = rng_percent(&m->rng, 50) ? ZONE_LOW : ZONE_FAR;
    m->zone = zone_base[r->zone];
}

void
choose_settings(struct making *m)
{
    struct recipe *r = m->r;
    struct rng *g = &m->rng;
    uint32_t roll = rng_below(g, 100);

    r->install = roll < 55   ? INSTALL_STORE
                 : roll < 65 ? INSTALL_READ
                 : roll < 70 ? INSTALL_VMWRITE
                 : roll < 75 ? INSTALL_REMAP
                 : roll < 88 ? INSTALL_PROTECT
                             : INSTALL_ALIAS;
    if (m->g->without & WITHOUT_INSTALL)
        r->install = INSTALL_STORE;
    roll = rng_below(g, 100);
    r->entry = roll < 40 ? ENTRY_JMP : roll < 70 ? ENTRY_CALL : roll < 90 ? ENTRY_RET : ENTRY_SIGRETURN;
    r->fault_action = (uint8_t)(rng_percent(g, 30) ? rng_below(g, FAULT_SKIP) : FAULT_SKIP + rng_below(g, 2));
    if (m->g->without & WITHOUT_SIGRETURN && r->entry == ENTRY_SIGRETURN)
        r->entry = ENTRY_JMP;
    if (m->g->without & WITHOUT_EDIT && r->fault_action == FAULT_EDIT)
        r->fault_action = FAULT_SKIP;
    r->fault_limit = (uint8_t)(1 + rng_below(g, FAULTS_MAX));
    roll = rng_below(g, 100);
    r->reps = 1 + (roll < 70 ? rng_below(g, 3) : roll < 96 ? rng_below(g, 30) : 40 + rng_below(g, 200));
    /* The same few places again and again, sometimes across a page's end, sometimes at the very end. */
    roll = rng_below(g, 100);
    r->code_off = roll < 50   ? 0x40
                  : roll < 75 ? 0x1000 - rng_below(g, 64)
                              : rng_below(g, CODE_SIZE - CODE_MAX);
}
