/* Propagation: operands, what changes and how it is taken back, and the way to each rule.
 * Invariants: rs->summary has exactly the bits of what is not 0; a step whose
 * memory cannot be read changes nothing (the instruction faults).
 * Threads: each with its own regstate. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_priv.h"

#include "overread.h"

uint64_t low_bits(unsigned n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }

/* ---- undo: a log of old contents, newest last. An entry: its data, then where it goes ---- */

enum { ENTRY_MEMORY = 0xffff };
struct entry { uint64_t address; uint16_t offset, n; uint32_t pad; };   /* offset in regstate, or ENTRY_MEMORY */

static void
log_entry(struct regstate *rs, struct entry e, const void *old)
{
    if (rs->undo.used + e.n + sizeof e > sizeof rs->undo.log)
        return;                     /* only ranges of string instructions are longer, and they are not logged */
    memcpy(rs->undo.log + rs->undo.used, old, e.n);
    rs->undo.used += e.n;
    memcpy(rs->undo.log + rs->undo.used, &e, sizeof e);
    rs->undo.used += sizeof e;
}

static void
log_register(struct regstate *rs, const void *p, unsigned n)
{
    log_entry(rs, (struct entry){0, (uint16_t)((const uint8_t *)p - (const uint8_t *)rs), (uint16_t)n, 0}, p);
}

void
undo_all(struct ctx *c)
{
    log_register(c->rs, c->rs->gpr, offsetof(struct regstate, undo) - offsetof(struct regstate, gpr));
}

void
propagate_undo(struct regstate *rs, uint64_t pc)
{
    struct entry e;

    if (!rs->undo.used || rs->undo.pc != pc)
        return;
    while (rs->undo.used) {
        memcpy(&e, rs->undo.log + rs->undo.used - sizeof e, sizeof e);
        rs->undo.used -= sizeof e + e.n;
        if (e.offset == ENTRY_MEMORY)
            shadow_store(e.address, e.n, rs->undo.log + rs->undo.used);
        else
            memcpy((uint8_t *)rs + e.offset, rs->undo.log + rs->undo.used, e.n);
    }
    rs->summary = rs->undo.summary;
}

/* ---- changes ---- */

static void
summarize(struct regstate *rs, uint64_t bit, bool undefined)
{
    rs->summary = undefined ? rs->summary | bit : rs->summary & ~bit;
}

void
put_gpr(struct ctx *c, unsigned r, unsigned bytes, unsigned shift, uint64_t u)
{
    uint64_t *p = &c->rs->gpr[r], field = low_bits(8 * bytes) << shift;
    uint64_t new = bytes >= 4 ? u & field : (*p & ~field) | (u << shift & field);

    if (new == *p)
        return;
    log_register(c->rs, p, 8);
    *p = new;
    summarize(c->rs, summary_gpr(r), new);
}

void
put_flags(struct ctx *c, uint64_t mask, uint64_t u)
{
    uint64_t new = (c->rs->flags & ~mask) | (u & mask);

    if (new == c->rs->flags && !c->rs->relations)
        return;
    log_register(c->rs, &c->rs->flags, 8);
    log_register(c->rs, &c->rs->relations, 1);
    c->rs->flags = new;
    c->rs->relations = 0;
    summarize(c->rs, 1ull << SUMMARY_FLAGS, new);
}

void
put_relations(struct ctx *c, unsigned known)
{
    if (c->rs->flags)
        c->rs->relations = (uint8_t)known;      /* logged by put_flags */
}

void
put_k(struct ctx *c, unsigned r, uint64_t u)
{
    if (u == c->rs->k[r])
        return;
    log_register(c->rs, &c->rs->k[r], 8);
    c->rs->k[r] = u;
    summarize(c->rs, summary_k(r), u);
}

static bool
any_set(const uint8_t *p, unsigned n)
{
    uint8_t x = 0;

    for (unsigned i = 0; i < n; i++)
        x |= p[i];
    return x;
}

void
put_vector(struct ctx *c, unsigned r, unsigned offset, unsigned n, const uint8_t *u)
{
    if (!(c->rs->summary & summary_zmm(r)) && !any_set(u, n))
        return;
    log_register(c->rs, c->rs->zmm[r], 64);
    memcpy(c->rs->zmm[r] + offset, u, n);
    summarize(c->rs, summary_zmm(r), any_set(c->rs->zmm[r], 64));
}

static void
summarize_x87(struct regstate *rs)
{
    summarize(rs, 1ull << SUMMARY_X87, rs->x87_flags || any_set(rs->st[0], sizeof rs->st));
}

void
put_st(struct ctx *c, unsigned physical, unsigned n, const uint8_t *u)
{
    uint8_t *p = c->rs->st[physical & 7];

    if (!memcmp(p, u, n))
        return;
    log_register(c->rs, p, 10);
    memcpy(p, u, n);
    summarize_x87(c->rs);
}

void
put_x87_flags(struct ctx *c, unsigned u)
{
    if (c->rs->x87_flags == u)
        return;
    log_register(c->rs, &c->rs->x87_flags, 2);
    c->rs->x87_flags = (uint16_t)u;
    summarize_x87(c->rs);
}

void
put_mxcsr(struct ctx *c, uint32_t u)
{
    if (c->rs->mxcsr == u)
        return;
    log_register(c->rs, &c->rs->mxcsr, 4);
    c->rs->mxcsr = u;
    summarize(c->rs, 1ull << SUMMARY_MXCSR, u);
}

void
put_memory_quietly(struct ctx *c, uint64_t a, unsigned n, const uint8_t *u)
{
    if (!c->no_shadow)
        shadow_store(a, n, u);
}

void
put_memory(struct ctx *c, uint64_t a, unsigned n, const uint8_t *u)
{
    uint8_t old[64];

    while (n) {
        unsigned part = n < sizeof old ? n : (unsigned)sizeof old;

        load_memory_bits(c, a, part, old);
        if (memcmp(old, u, part)) {
            log_entry(c->rs, (struct entry){a, ENTRY_MEMORY, (uint16_t)part, 0}, old);
            put_memory_quietly(c, a, part, u);
        }
        a += part;
        u += part;
        n -= part;
    }
}

/* ---- memory ---- */

bool
partial_load(uint64_t a, uint64_t n)
{
    if ((n != 16 && n != 32 && n != 64) || a & (n - 1) || shadow_find_unaddressable(a, n) == a + n)
        return false;
    for (uint64_t i = a; i < a + n; i++)
        if (shadow_get(i) != SHADOW_UNADDRESSABLE)
            return true;
    return false;
}

void
load_memory_bits(struct ctx *c, uint64_t a, unsigned n, uint8_t *u)
{
    if (c->no_shadow) {
        memset(u, 0, n);
        return;
    }
    shadow_load(a, n, u);
    for (unsigned i = 0; i < n && c->partial; i++)
        if (shadow_get(a + i) == SHADOW_UNADDRESSABLE)
            u[i] = 0xff;
}

bool
load_memory(struct ctx *c, uint64_t a, unsigned n, void *v)
{
    if (!dr_safe_read(v, a, n))
        c->stop = true;
    return !c->stop;
}

/* Reports an operand of which a byte is not addressable. */
void
check_access(struct ctx *c, uint64_t a, uint64_t n, bool write)
{
    if (!c->no_shadow && shadow_find_unaddressable(a, n) != a + n)
        report_unaddressable(c->mc, write ? ACCESS_IS_WRITE : ACCESS_IS_READ, a, (unsigned)n);
}

/* … of a range of many: its first stretch that is not addressable. */
void
check_stretch(struct ctx *c, uint64_t a, uint64_t n, bool write)
{
    uint64_t end = a + n < a ? ~0ull : a + n, bad = shadow_find_unaddressable(a, end - a), to = bad;

    if (bad == end)
        return;
    while (to < end && to - bad < 1 << 20 && shadow_get(to) == SHADOW_UNADDRESSABLE)
        to++;
    report_unaddressable(c->mc, write ? ACCESS_IS_WRITE : ACCESS_IS_READ, bad, (unsigned)(to - bad));
}

static const char *const register_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

void
check_register(struct ctx *c, unsigned r, unsigned bytes)
{
    if (!(c->rs->gpr[r] & low_bits(8 * bytes)))
        return;
    report_uninitialized(c->mc, UNINIT_ADDRESS, register_names[r], 0, 0);
    put_gpr(c, r, 8, 0, 0);
}

uint64_t
segment_base(const struct ctx *c)
{
    uint64_t base = 0;

    if (c->s->segment == 1)
        __asm__ volatile("rdfsbase %0" : "=r"(base));       /* FS is the program's in clean calls */
    return base;
}

uint64_t
effective_address(const struct ctx *c, uint64_t index)
{
    const struct step *s = c->s;
    uint64_t a = (uint64_t)s->disp;

    if (s->base != REG_NONE)
        a += c->mc->gpr[s->base];
    a += index * s->scale;
    if (s->flags & STEP_ADDRESS32)
        a = (uint32_t)a;
    return a + segment_base(c);
}

/* ---- operands ---- */

uint64_t gpr_bits(const struct ctx *c, unsigned r, unsigned bytes) { return c->rs->gpr[r] & low_bits(8 * bytes); }
uint64_t gpr_value(const struct ctx *c, unsigned r, unsigned bytes) { return c->mc->gpr[r] & low_bits(8 * bytes); }

uint64_t
bits_of(struct ctx *c, unsigned i)
{
    const struct operand *o = &c->s->op[i];
    uint64_t u = 0, n = low_bits(8 * o->bytes);

    switch (o->kind) {
    case OPERAND_GPR: return c->rs->gpr[o->number] >> o->shift & n;
    case OPERAND_MASK: return c->rs->k[o->number] & n;
    case OPERAND_MEMORY:
        load_memory_bits(c, c->address, o->bytes < 8 ? o->bytes : 8, (uint8_t *)&u);
        return u;
    default: return 0;
    }
}

uint64_t
value_of(struct ctx *c, unsigned i)
{
    const struct operand *o = &c->s->op[i];
    uint64_t v = 0, n = low_bits(8 * o->bytes);

    switch (o->kind) {
    case OPERAND_GPR: return c->mc->gpr[o->number] >> o->shift & n;
    case OPERAND_MASK: return read_k(o->number) & n;
    case OPERAND_IMMEDIATE: return c->s->imm;
    case OPERAND_MEMORY:
        load_memory(c, c->address, o->bytes < 8 ? o->bytes : 8, &v);
        return v;
    default: return 0;
    }
}

struct bits
get(struct ctx *c, unsigned i)
{
    return (struct bits){value_of(c, i), bits_of(c, i)};
}

void
put(struct ctx *c, unsigned i, uint64_t u)
{
    const struct operand *o = &c->s->op[i];

    if (c->stop)
        return;
    switch (o->kind) {
    case OPERAND_GPR: put_gpr(c, o->number, o->bytes, o->shift, u); break;
    case OPERAND_MASK: put_k(c, o->number, u); break;
    case OPERAND_MEMORY: put_memory(c, c->address, o->bytes < 8 ? o->bytes : 8, (const uint8_t *)&u); break;
    default: break;
    }
}

/* ---- conditions ---- */

bool
condition_holds(uint64_t f, unsigned cc)
{
    bool zf = f & FLAG_ZF, cf = f & FLAG_CF, less = !(f & FLAG_SF) != !(f & FLAG_OF), r = false;

    switch (cc & ~1u) {
    case CC_OVERFLOW: r = f & FLAG_OF; break;
    case CC_BELOW: r = cf; break;
    case CC_ZERO: r = zf; break;
    case CC_BELOW_EQUAL: r = cf || zf; break;
    case CC_SIGN: r = f & FLAG_SF; break;
    case CC_PARITY: r = f & FLAG_PF; break;
    case CC_LESS: r = less; break;
    case CC_LESS_EQUAL: r = less || zf; break;
    }
    return r != (cc & 1);
}

/* x or y is undefined, where each may be: not if one is known to be true, or both to be false. */
static bool
either_undefined(bool xv, bool xu, bool yv, bool yu)
{
    return (xu || yu) && !(xv && !xu) && !(yv && !yu);
}

bool
condition_undefined(const struct regstate *rs, uint64_t f, unsigned cc)
{
    uint64_t u = rs->flags;
    bool less_u = (u & (FLAG_SF | FLAG_OF)) && !(rs->relations & RELATION_LESS), less = !(f & FLAG_SF) != !(f & FLAG_OF);

    if (!u)
        return false;
    switch (cc & ~1u) {
    case CC_OVERFLOW: return u & FLAG_OF;
    case CC_BELOW: return u & FLAG_CF;
    case CC_ZERO: return u & FLAG_ZF;
    case CC_SIGN: return u & FLAG_SF;
    case CC_PARITY: return u & FLAG_PF;
    case CC_BELOW_EQUAL: return !(rs->relations & RELATION_BELOW_EQUAL) && either_undefined(f & FLAG_CF, u & FLAG_CF, f & FLAG_ZF, u & FLAG_ZF);
    case CC_LESS: return less_u;
    default: return !(rs->relations & RELATION_LESS_EQUAL) && either_undefined(less, less_u, f & FLAG_ZF, u & FLAG_ZF);
    }
}

/* ---- the step ---- */

/* These find out themselves what they access. */
static bool
checks_its_own_memory(const struct step *s)
{
    switch (s->rule) {
    case RULE_NOTHING:
    case RULE_LEA:
    case RULE_POP:
    case RULE_V_GATHER:
    case RULE_V_SCATTER:
    case RULE_V_MASK_MOVE:
    case RULE_V_COMPRESS:
    case RULE_V_EXPAND:
    case RULE_X_FXSAVE:
    case RULE_X_FXRSTOR:
    case RULE_X_XSAVE:
    case RULE_X_XRSTOR: return true;
    case RULE_BIT: return s->op[1].kind == OPERAND_GPR;
    default: return s->mask;
    }
}

static void
prepare_memory(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned bytes = s->flags & STEP_ADDRESS32 ? 4 : 8;
    bool vsib = s->rule == RULE_V_GATHER || s->rule == RULE_V_SCATTER;

    c->no_shadow = s->segment == 2;
    if (s->rule != RULE_LEA && s->rule != RULE_NOTHING) {
        if (s->base != REG_NONE)
            check_register(c, s->base, bytes);
        if (s->index != REG_NONE && !vsib)
            check_register(c, s->index, bytes);
    }
    c->address = effective_address(c, s->index != REG_NONE && !vsib ? c->mc->gpr[s->index] : 0);
    if (!(s->flags & (STEP_READS_MEMORY | STEP_WRITES_MEMORY)) || checks_its_own_memory(s))
        return;
    uint64_t n = s->op[s->mem].bytes;
    if (s->rule >= RULE_V_FIRST && s->rule < RULE_X_FIRST && !(s->flags & STEP_WRITES_MEMORY) &&
        (partial_load(c->address, n) || overread_of_interpreter(c->mc->rip, c->address, n)))
        c->partial = true;
    else
        check_access(c, c->address, s->op[s->mem].bytes, s->flags & STEP_WRITES_MEMORY);
}

void
propagate_step(const struct step *s, struct regstate *rs, const struct dr_mcontext *mc)
{
    rs->undo.used = 0;
    rs->undo.summary = rs->summary;
    rs->undo.pc = s->pc;
    if (!(rs->summary & s->touched) && !(s->flags & STEP_MEMORY))
        return;                                             /* all of it is defined, and stays so */
    struct ctx c = {.s = s, .rs = rs, .mc = mc};
    if (s->mem != 0xff)
        prepare_memory(&c);
    if (s->rule == RULE_STRING)
        propagate_string(&c);
    else if (s->rule < RULE_V_FIRST)
        propagate_integer(&c);
    else if (s->rule < RULE_X_FIRST)
        propagate_vector(&c);
    else
        propagate_x87(&c);
}
