/* Whole cases: which instructions come together, and the shapes that single
 * instructions do not have: loops, functions, code that modifies itself. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "generate_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Loop counters: the last words of a table that nothing else is told to write. */
enum { COUNTER = AREA_POINTERS + 0x1f0, OUTER_COUNTER = AREA_POINTERS + 0x1f8 };

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

/* clang-format off */
static const char *const common[] = {
    "mov r64, r64", "mov r64, m64", "mov m64, r64", "mov m32, r32", "mov r32, m32", "mov m8, r8",
    "mov r8, m8", "mov r32, imm32", "lea r64, agen64", "add r64, r64", "add r64, imm8", "add m32, imm8",
    "sub r64, r64", "sub r32, imm32", "xor r32, r32", "and r64, r64", "or r8, imm8", "cmp r64, r64",
    "cmp m8, imm8", "cmp r32, m32", "test r64, r64", "test r8, imm8", "inc r64", "dec m32", "neg r64",
    "shl r64, imm8", "sar r32, imm8", "shr r64, <r8>", "rol r32, imm8", "imul r64, r64",
    "imul r64, r64, imm8", "movzx r32, m8", "movsx r64, r16", "movsxd r64, r32", "cmovz r64, r64",
    "cmovnb r32, m32", "setz r8", "setb m8", "adc r64, r64", "sbb r32, imm8", "push r64", "pop r64",
    "push m64", "push imm8", "pop m64", "pushfq", "lahf", "sahf", "cdq", "cqo", "xchg r64, r64",
    "xadd m64, r64", "bswap r64", "movups xmm, m128", "movaps m128, xmm", "movdqa xmm, xmm",
    "addsd xmm, xmm", "ucomisd xmm, m64", "cvtsi2sd xmm, r64", "vmovdqu ymm, m256", "vpaddd ymm, ymm, ymm",
    "vmovdqu64 zmm, m512", "fld m64", "fstp m64", "fadd m32", "nop", "jnz imm8", "jz imm8", "jb imm32",
    "jl imm8", "jmp imm8", "jmp imm32", "call imm32", "jmp r64", "jmp m64", "call r64", "call m64", "ret",
};

/* clang-format on */

enum { NCOMMON = sizeof common / sizeof *common };

_Static_assert(NCOMMON <= 128, "struct generator has room for so many");

static void
find_common(struct generator *g)
{
    char name[128];

    for (uint32_t i = 0; i < g->nall; i++) {
        form_name(&g->forms->form[g->all[i]], name, sizeof name);
        for (uint32_t j = 0; j < NCOMMON; j++)
            if (strcmp(name, common[j]) == 0 && g->ncommon < NCOMMON)
                g->common[g->ncommon++] = g->all[i];
    }
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
    find_common(g);
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

/* ---- elements ---- */

static void
emit_common(struct making *m)
{
    emit_form(m, m->g->common[rng_below(&m->rng, m->g->ncommon)]);
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

void
generate_case(const struct generator *g, uint64_t index, struct recipe *r)
{
    struct making m;
    int n;

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
    r->at_end = rng_percent(&m.rng, 5) && !(g->without & WITHOUT_END);
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
