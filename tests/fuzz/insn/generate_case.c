/* Whole cases: the start state, which instructions come together, and the
 * shapes that single instructions do not have: loops, functions, code that
 * modifies itself. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "generate_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLAGS_ARITH = 0x8d5, FLAG_DF = 0x400, FLAG_ID = 0x200000, FLAGS_ALWAYS = 0x202 };

/* Loop counters: the last words of a table that nothing else is told to write. */
enum { COUNTER = AREA_POINTERS + 0x1f0, OUTER_COUNTER = AREA_POINTERS + 0x1f8 };

enum { COMPONENTS_ALL = 0xe7, COMPONENTS_SSE = 3, COMPONENTS_AVX = 7 };

const char *const feature_names[] = {"gs",      "fs",       "tf",      "ac",        "far",  "smc", "faults",
                                     "x87save", "branch16", "install", "sigreturn", "edit", "end", NULL};

/* ---- which forms ---- */

static void *
allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p) {
        fprintf(stderr, "insn_fuzz: out of memory\n");
        exit(2);
    }
    return p;
}

void
generator_init(struct generator *g, const struct forms *f, const bool *had, uint64_t seed, unsigned without)
{
    memset(g, 0, sizeof *g);
    g->forms = f;
    g->seed = seed;
    g->without = without;
    g->all = allocate(f->nforms, sizeof *g->all);
    g->plain = allocate(f->nforms, sizeof *g->plain);
    for (uint32_t i = 0; i < f->nforms; i++) {
        if ((had && !had[i]) || form_excluded(&f->form[i]) || form_left_out(&f->form[i], without))
            continue;
        g->all[g->nall++] = i;
        if (!f->form[i].vector)
            g->plain[g->nplain++] = i;
    }
}

void
generator_free(struct generator *g)
{
    free(g->all);
    free(g->plain);
}

/* The n-th of a list in an order that depends on the seed: every form comes in its turn. */
static uint32_t
in_turn(const struct generator *g, const uint32_t *list, uint32_t count, uint64_t n)
{
    uint64_t round = n / count, stride = rng_mix(g->seed + round) % count | 1;

    while (count % stride == 0 && stride > 1)
        stride -= 2;
    return list[(n % count * stride + rng_mix(g->seed ^ round)) % count];
}

/* ---- start state ---- */

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

static void
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

static void
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

static void
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

static void
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

/* ---- elements ---- */

static const char *const common[] = {"mov r64, r64",
                                     "mov r64, m64",
                                     "mov m64, r64",
                                     "mov m32, r32",
                                     "mov r32, m32",
                                     "mov m8, r8",
                                     "mov r8, m8",
                                     "mov r32, imm32",
                                     "lea r64, agen64",
                                     "add r64, r64",
                                     "add r64, imm8",
                                     "add m32, imm8",
                                     "sub r64, r64",
                                     "sub r32, imm32",
                                     "xor r32, r32",
                                     "and r64, r64",
                                     "or r8, imm8",
                                     "cmp r64, r64",
                                     "cmp m8, imm8",
                                     "cmp r32, m32",
                                     "test r64, r64",
                                     "test r8, imm8",
                                     "inc r64",
                                     "dec m32",
                                     "neg r64",
                                     "shl r64, imm8",
                                     "sar r32, imm8",
                                     "shr r64, <r8>",
                                     "rol r32, imm8",
                                     "imul r64, r64",
                                     "imul r64, r64, imm8",
                                     "movzx r32, m8",
                                     "movsx r64, r16",
                                     "movsxd r64, r32",
                                     "cmovz r64, r64",
                                     "cmovnb r32, m32",
                                     "setz r8",
                                     "setb m8",
                                     "adc r64, r64",
                                     "sbb r32, imm8",
                                     "push r64",
                                     "pop r64",
                                     "push m64",
                                     "push imm8",
                                     "pop m64",
                                     "pushfq",
                                     "lahf",
                                     "sahf",
                                     "cdq",
                                     "cqo",
                                     "xchg r64, r64",
                                     "xadd m64, r64",
                                     "bswap r64",
                                     "movups xmm, m128",
                                     "movaps m128, xmm",
                                     "movdqa xmm, xmm",
                                     "addsd xmm, xmm",
                                     "ucomisd xmm, m64",
                                     "cvtsi2sd xmm, r64",
                                     "vmovdqu ymm, m256",
                                     "vpaddd ymm, ymm, ymm",
                                     "vmovdqu64 zmm, m512",
                                     "fld m64",
                                     "fstp m64",
                                     "fadd m32",
                                     "nop",
                                     "jnz imm8",
                                     "jz imm8",
                                     "jb imm32",
                                     "jl imm8",
                                     "jmp imm8",
                                     "jmp imm32",
                                     "call imm32",
                                     "jmp r64",
                                     "jmp m64",
                                     "call r64",
                                     "call m64",
                                     "ret"};

enum { NCOMMON = sizeof common / sizeof *common };

static uint32_t common_form[NCOMMON];
static uint32_t ncommon;

static void
find_common(const struct generator *g)
{
    char name[128];

    for (uint32_t i = 0; i < g->nall; i++) {
        form_name(&g->forms->form[g->all[i]], name, sizeof name);
        for (uint32_t j = 0; j < NCOMMON; j++)
            if (strcmp(name, common[j]) == 0 && ncommon < NCOMMON)
                common_form[ncommon++] = g->all[i];
    }
}

static void
emit_common(struct making *m)
{
    emit_form(m, common_form[rng_below(&m->rng, ncommon)]);
}

/* A few straight instructions that leave the registers in `keep` alone. */
static void
emit_body(struct making *m, int n, uint16_t keep)
{
    uint16_t forbidden = m->forbidden;
    bool no_flow = m->no_flow;

    m->forbidden |= keep;
    m->no_flow = true;
    for (int i = 0; i < n; i++)
        emit_common(m);
    m->forbidden = forbidden;
    m->no_flow = no_flow;
}

/* call f; jmp over; f: ...; ret; over: */
static void
emit_function(struct making *m)
{
    struct item *call = add_item(m, "\xe8\0\0\0\0", 5, MARK_CALL), *jump;
    bool pops = rng_percent(&m->rng, 25);
    int jump_index;

    call->fix = FIX_REL32;
    call->fix_off = 1;
    call->target = (int16_t)(m->r->nitems + 1);
    jump_index = m->r->nitems;
    jump = add_item(m, "\xe9\0\0\0\0", 5, MARK_BRANCH);
    jump->fix = FIX_REL32;
    jump->fix_off = 1;
    emit_body(m, 1 + (int)rng_below(&m->rng, 3), 1 << RSP);
    if (pops)
        add_item(m, "\xc2\x10", 3, MARK_RET);
    else
        add_item(m, "\xc3", 1, MARK_RET);
    m->r->item[jump_index].target = (int16_t)m->r->nitems;
    if (pops)
        add_mov(m, RSP, m->zone + STACK_START);
}

/* A loop whose counter is a byte of memory, so that it ends soon even if its
 * body overwrites that: mov byte [slot], n; top: ...; sub byte [slot], 1; jg top. */
static int
begin_loop(struct making *m, uint32_t slot, uint8_t count)
{
    uint8_t set[7] = {0xc6, 0x05, 0, 0, 0, 0, count};
    struct item *it = add_item(m, set, 7, MARK_RIPREL);

    it->fix = FIX_RIP;
    it->fix_off = 2;
    it->address = data_address(m, slot);
    return m->r->nitems;
}

static void
end_loop(struct making *m, uint32_t slot, int top)
{
    struct item *it = add_item(m, "\x80\x2d\0\0\0\0\x01", 7, MARK_RIPREL);

    it->fix = FIX_RIP;
    it->fix_off = 2;
    it->address = data_address(m, slot);
    it = add_item(m, "\x0f\x8f\0\0\0\0", 6, MARK_BRANCH);
    it->fix = FIX_REL32;
    it->fix_off = 2;
    it->target = (int16_t)top;
}

static void
emit_memory_loop(struct making *m)
{
    uint32_t count = 1 + rng_below(&m->rng, rng_percent(&m->rng, 10) ? 127 : 12);
    int top = begin_loop(m, COUNTER, (uint8_t)count);

    emit_body(m, 1 + (int)rng_below(&m->rng, 4), 0);
    end_loop(m, COUNTER, top);
}

/* loop, loope or loopne backwards; an address-size prefix counts in ecx. */
static void
emit_counted_loop(struct making *m)
{
    static const uint8_t ops[] = {0xe0, 0xe1, 0xe2};
    bool narrow = rng_percent(&m->rng, 20);
    uint8_t b[3] = {0x67, ops[rng_below(&m->rng, 3)], 0};
    struct item *it;
    int top;

    if (m->pinned & 1 << RCX)
        return;
    m->touched = 0;
    add_mov(m, RCX, (narrow ? 0xabcd00000000 : 0) + 1 + rng_below(&m->rng, 10));
    top = m->r->nitems;
    emit_body(m, 1 + (int)rng_below(&m->rng, 3), 1 << RCX);
    it = add_item(m, narrow ? b : b + 1, narrow ? 3 : 2, MARK_BRANCH | MARK_COUNTED);
    it->fix = FIX_REL8;
    it->fix_off = narrow ? 2 : 1;
    it->target = (int16_t)top;
}

/* Overwrites the immediate of an instruction a little further on. Not together
 * with saves of the x87 pointers: an engine may learn of the store by a signal,
 * and signals lose those. */
static void
emit_self_modification(struct making *m)
{
    uint8_t store[8] = {0xc6, 0x05, 0, 0, 0, 0, (uint8_t)rng_next(&m->rng)};
    int between = (int)rng_below(&m->rng, 3), index;
    struct item *it;

    if (m->r->install >= INSTALL_PROTECT || m->g->without & WITHOUT_SMC || m->saves_state)
        return;
    m->modifies = true;
    index = m->r->nitems;
    add_item(m, store, 7, MARK_RIPREL);
    emit_body(m, between, 0);
    it = &m->r->item[index];
    it->fix = FIX_RIP_LABEL;
    it->fix_off = 2;
    it->target = (int16_t)m->r->nitems;
    it->addend = 1 + (int8_t)rng_below(&m->rng, 4);
    if (m->pinned & 1 << RAX)
        add_item(m, "\x3d\1\2\3\4", 5, 0); /* cmp eax, imm32 */
    else
        add_item(m, "\xb8\1\2\3\4", 5, 0); /* mov eax, imm32 */
}

/* push rbp; mov rbp, rsp; ...; leave */
static void
emit_frame(struct making *m)
{
    if (m->pinned & 1 << RBP)
        return;
    add_item(m, "\x55", 1, 0);
    add_item(m, "\x48\x89\xe5", 3, 0);
    emit_body(m, 1 + (int)rng_below(&m->rng, 3), 1 << RBP | 1 << RSP);
    add_item(m, "\xc9", 1, 0);
}

static void
emit_element(struct making *m, uint64_t turn)
{
    uint32_t roll = rng_below(&m->rng, 100);

    if (roll < 15)
        emit_form(m, in_turn(m->g, m->g->all, m->g->nall, turn));
    else if (roll < 37)
        emit_form(m, in_turn(m->g, m->g->plain, m->g->nplain, turn));
    else if (roll < 78)
        emit_common(m);
    else if (roll < 85)
        emit_function(m);
    else if (roll < 89)
        emit_memory_loop(m);
    else if (roll < 92)
        emit_counted_loop(m);
    else if (roll < 97)
        emit_self_modification(m);
    else
        emit_frame(m);
}

/* The first element is the next form in turn: it surely runs. */
static void
emit_first(struct making *m, uint64_t index)
{
    emit_form(m, in_turn(m->g, m->g->all, m->g->nall, index));
}

/* ---- the end of a sequence ---- */

static void
emit_exit(struct making *m)
{
    uint64_t gate = m->zone + GATE;
    struct item *it;

    m->group++;
    if (rng_percent(&m->rng, 50)) {
        it = add_item(m, "\xe9\0\0\0\0", 5, MARK_BRANCH);
        it->fix = FIX_REL32_TO;
        it->fix_off = 1;
        it->address = gate - GATE + GATE_EXIT;
    } else {
        it = add_item(m, "\xff\x25\0\0\0\0", 6, MARK_INDIRECT | MARK_RIPREL);
        it->fix = FIX_RIP;
        it->fix_off = 2;
        it->address = gate - GATE + GATE_EXIT_POINTER;
    }
    it->group = 0; /* never dropped */
}

static int
label_ahead(const struct making *m, int group, int ahead)
{
    int e = group + ahead;

    return e < m->nelements ? m->element_start[e] : m->r->nitems - 1;
}

static void
resolve_ahead(struct making *m)
{
    for (int i = 0; i < m->r->nitems; i++)
        if (m->r->item[i].ahead)
            m->r->item[i].target = (int16_t)label_ahead(m, m->r->item[i].group, m->r->item[i].ahead);
    for (int i = 0; i < m->r->npokes; i++)
        if (m->r->poke[i].ahead)
            m->r->poke[i].target = (int16_t)label_ahead(m, m->r->poke[i].group, m->r->poke[i].ahead);
}

static void
begin_element(struct making *m)
{
    m->group = (uint16_t)m->nelements;
    m->element_start[m->nelements++] = m->r->nitems;
}

static void
finish_case(struct making *m)
{
    emit_exit(m);
    resolve_ahead(m);
    m->r->ngroups = (uint16_t)(m->nelements + 1);
}

/* Code that ends where the mapping ends. */
static void
place_at_end(struct recipe *r)
{
    struct insn_case c;

    if (recipe_layout(r, &c))
        r->code_off = CODE_SIZE - c.code_len;
}

void
generate_case(const struct generator *g, uint64_t index, struct recipe *r)
{
    struct making m;
    int n;

    if (!ncommon)
        find_common(g);
    start_case(&m, g, index, r);
    choose_settings(&m);
    m.faulty = rng_percent(&m.rng, 40) && !(g->without & WITHOUT_FAULTS);
    start_registers(&m);
    start_vectors(&m);
    n = 1 + (int)rng_below(&m.rng, rng_percent(&m.rng, 20) ? 30 : 10);
    begin_element(&m); /* group 0: never dropped; nothing is in it */
    for (int i = 0; i < n && !m.ended && r->nitems < ITEMS_MAX - 40; i++) {
        begin_element(&m);
        if (i == 0)
            emit_first(&m, index);
        else
            emit_element(&m, rng_next(&m.rng) >> 16);
    }
    finish_case(&m);
    if (rng_percent(&m.rng, 5) && !(g->without & WITHOUT_END))
        place_at_end(r);
}

static void
emit_quiet_element(struct making *m, uint64_t turn)
{
    uint32_t roll = rng_below(&m->rng, 100);

    if (roll < 30)
        emit_form(m, in_turn(m->g, m->g->all, m->g->nall, turn));
    else if (roll < 90)
        emit_common(m);
    else
        emit_function(m);
}

/* One loop, so that most of the time is spent in the sequence. */
void
generate_async_case(const struct generator *g, uint64_t index, struct recipe *r)
{
    struct making m;
    int n, top;

    if (!ncommon)
        find_common(g);
    start_case(&m, g, index, r);
    choose_settings(&m);
    r->async = true;
    m.quiet = true;
    start_registers(&m);
    start_vectors(&m);
    r->entry = ENTRY_JMP;
    r->reps = 1000;
    n = 4 + (int)rng_below(&m.rng, 20);
    begin_element(&m);
    top = begin_loop(&m, OUTER_COUNTER, 60);
    for (int i = 0; i < n; i++) {
        begin_element(&m);
        emit_quiet_element(&m, index * 32 + (uint64_t)i);
    }
    begin_element(&m);
    m.group = 0;
    end_loop(&m, OUTER_COUNTER, top);
    finish_case(&m);
}

bool
generate_probe(const struct generator *g, uint32_t form, uint64_t index, struct recipe *r)
{
    struct making m;

    start_case(&m, g, index, r);
    r->zone = ZONE_LOW;
    m.zone = ZONE_LOW_BASE;
    r->fault_action = FAULT_END;
    r->fault_limit = 1;
    r->reps = 1;
    r->code_off = 0x40;
    start_registers(&m);
    start_vectors(&m);
    r->components = COMPONENTS_ALL;
    r->start.v.mxcsr = 0x1f80;
    begin_element(&m);
    begin_element(&m);
    if (!emit_form(&m, form))
        return false;
    finish_case(&m);
    return true;
}
