/* Whether a jump on an undefined condition matters. Compilers turn `A && B`
 * into `B && A` where evaluating B does no harm, so that a correct program may
 * branch on an undefined B: if A is false, both ways come to the same.
 * One way is followed, by the present registers and memory, through instructions
 * without side effects: the trace. The jump does not matter if the other way,
 * and each that leaves the trace at a further undefined condition, comes to
 * an instruction of the trace with the same registers and flags, but for those
 * that are overwritten before they are read.
 * Threads: any; decoded instructions are shared in a cache of try-locked entries.
 * See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_priv.h"

enum {
    MAX_TRACE = 24,                 /* instructions of the trace               */
    MAX_WALK = 24,                  /* … of another way before it meets it     */
    MAX_WAYS = 6,                   /* other ways in all                       */
    MAX_LIVENESS = 48,              /* instructions looked at for liveness     */
    INSN_MAX = 15,
};

struct state {
    uint64_t pc, v[16], u[16], flags, flags_u;
    uint8_t relations;
};

/* ---- decoded instructions ---- */

struct entry { volatile int busy; uint8_t bytes[INSN_MAX]; struct step step; };
enum { ENTRIES = 512 };
static struct entry entries[ENTRIES];

static unsigned
read_code(uint64_t pc, uint8_t bytes[INSN_MAX])
{
    unsigned n = INSN_MAX;

    memset(bytes, 0, INSN_MAX);
    if (dr_safe_read(bytes, pc, n))
        return n;
    n = 4096 - (unsigned)(pc & 4095);           /* up to the end of the page */
    return n < INSN_MAX && dr_safe_read(bytes, pc, n) ? n : 0;
}

static bool
step_at(uint64_t pc, struct step *out)
{
    struct entry *e = &entries[(pc ^ pc >> 9) % ENTRIES];
    uint8_t bytes[INSN_MAX];
    unsigned n = read_code(pc, bytes);

    if (!n)
        return false;
    if (__atomic_exchange_n(&e->busy, 1, __ATOMIC_ACQUIRE))
        return step_make(bytes, n, pc, out);
    bool known = e->step.pc == pc && e->step.length && !memcmp(bytes, e->bytes, e->step.length);
    if (!known)
        known = step_make(bytes, n, pc, &e->step);
    if (known) {
        memcpy(e->bytes, bytes, INSN_MAX);
        *out = e->step;
    } else {
        e->step.length = 0;
    }
    __atomic_store_n(&e->busy, 0, __ATOMIC_RELEASE);
    return known;
}

/* ---- values ---- */

static uint64_t
masked(uint64_t v, unsigned bytes)
{
    return v & low_bits(8 * bytes);
}

static uint64_t
address_of(const struct step *s, const struct state *x)
{
    uint64_t a = (uint64_t)s->disp;

    a += s->base != REG_NONE ? x->v[s->base] : 0;
    a += s->index != REG_NONE ? x->v[s->index] * s->scale : 0;
    return s->flags & STEP_ADDRESS32 ? (uint32_t)a : a;
}

/* Memory that may be read without consequence: addresses are defined, the bytes addressable and mapped. */
static bool
may_load(const struct step *s, const struct state *x, uint64_t *v)
{
    unsigned bytes = s->op[s->mem].bytes;
    uint64_t a = address_of(s, x);

    if (s->flags & STEP_WRITES_MEMORY || bytes > 8 || (s->segment == 2))
        return false;
    if ((s->base != REG_NONE && x->u[s->base]) || (s->index != REG_NONE && x->u[s->index]))
        return false;
    if (s->segment)
        a += segment_base(&(struct ctx){.s = s});
    *v = 0;
    return shadow_find_unaddressable(a, bytes) == a + bytes && dr_safe_read(v, a, bytes);
}

static uint64_t
value(const struct step *s, const struct state *x, unsigned i, uint64_t memory)
{
    const struct operand *o = &s->op[i];

    switch (o->kind) {
    case OPERAND_GPR: return masked(x->v[o->number] >> o->shift, o->bytes);
    case OPERAND_IMMEDIATE: return masked(s->imm, s->op[0].bytes);
    case OPERAND_MEMORY: return memory;
    default: return 0;
    }
}

static void
set_register(struct state *x, const struct operand *o, uint64_t v)
{
    uint64_t field = low_bits(8 * o->bytes) << o->shift;

    x->v[o->number] = o->bytes >= 4 ? v & field : (x->v[o->number] & ~field) | (v << o->shift & field);
}

static uint64_t
flags_of(uint64_t r, unsigned n)
{
    r &= low_bits(n);
    return (r ? 0 : FLAG_ZF) | (r >> (n - 1) & 1 ? FLAG_SF : 0) | (__builtin_parity((unsigned)r & 0xff) ? 0 : FLAG_PF);
}

static uint64_t
flags_of_addition(uint64_t a, uint64_t b, uint64_t r, unsigned n, bool subtract)
{
    uint64_t sign = 1ull << (n - 1), mask = low_bits(n);
    bool of = (subtract ? (a ^ b) & (a ^ r) : ~(a ^ b) & (a ^ r)) & sign, cf = subtract ? (a & mask) < (b & mask) : (r & mask) < (a & mask);

    return flags_of(r, n) | (cf ? FLAG_CF : 0) | (of ? FLAG_OF : 0) | ((a ^ b ^ r) & 0x10);
}

/* What the instruction computes. False: not one of these. */
static bool
evaluate(const struct step *s, struct state *x, uint64_t memory)
{
    unsigned n = 8u * s->op[0].bytes, count;
    uint64_t a = value(s, x, 0, memory), b = s->count > 1 ? value(s, x, 1, memory) : 0, r = a, f = x->flags;
    bool stores = true;

    switch (s->rule) {
    case RULE_NOTHING: return true;
    case RULE_MOV:
    case RULE_MOVZX: r = b; break;
    case RULE_MOVSX: r = (uint64_t)((int64_t)(b << (64 - 8 * s->op[1].bytes)) >> (64 - 8 * s->op[1].bytes)); break;
    case RULE_LEA: r = address_of(s, x); break;
    case RULE_AND: r = a & b; f = flags_of(r, n); break;
    case RULE_OR: r = a | b; f = flags_of(r, n); break;
    case RULE_XOR: r = a ^ b; f = flags_of(r, n); break;
    case RULE_TEST: f = flags_of(a & b, n); stores = false; break;
    case RULE_NOT: r = ~a; break;
    case RULE_ADD: r = a + b; f = flags_of_addition(a, b, r, n, false); break;
    case RULE_SUB: r = a - b; f = flags_of_addition(a, b, r, n, true); break;
    case RULE_ADC:
    case RULE_SBB: {                            /* carries of two additions */
        bool subtract = s->rule == RULE_SBB;
        uint64_t carry = f & 1, first = subtract ? a - b : a + b;
        r = subtract ? first - carry : first + carry;
        uint64_t f1 = flags_of_addition(a, b, first, n, subtract), f2 = flags_of_addition(first, carry, r, n, subtract);
        f = flags_of(r, n) | ((f1 | f2) & FLAG_CF) | ((f1 ^ f2) & FLAG_OF) | ((a ^ b ^ r) & FLAG_AF);
        break;
    }
    case RULE_CMP: f = flags_of_addition(a, b, a - b, n, true); stores = false; break;
    case RULE_INC: r = a + 1; f = (flags_of_addition(a, 1, r, n, false) & ~(uint64_t)FLAG_CF) | (f & FLAG_CF); break;
    case RULE_DEC: r = a - 1; f = (flags_of_addition(a, 1, r, n, true) & ~(uint64_t)FLAG_CF) | (f & FLAG_CF); break;
    case RULE_NEG: r = -a; f = flags_of_addition(0, a, r, n, true); break;
    case RULE_SETCC: r = condition_holds(f, s->a); break;
    case RULE_CMOVCC: r = condition_holds(f, s->a) ? b : a; break;
    case RULE_BIT:
        if (s->a != BIT_TEST || s->op[0].kind != OPERAND_GPR)
            return false;
        f = (f & ~(uint64_t)FLAG_CF) | (a >> (b & (n - 1)) & 1);
        stores = false;
        break;
    case RULE_SHIFT:
        count = (unsigned)b & (n == 64 ? 63 : 31);
        if (s->b || s->count < 2 || s->op[1].kind != OPERAND_IMMEDIATE || !count || count >= n || s->a > SHIFT_SAR)
            return false;
        r = shifted(s->a, (struct bits){a, 0}, count, n).v;
        f = flags_of(r, n) | (s->a == SHIFT_SHL ? a >> (n - count) : a >> (count - 1) & 1);
        f |= s->a == SHIFT_SHL ? ((r >> (n - 1) ^ f) & 1 ? FLAG_OF : 0) : s->a == SHIFT_SHR && a >> (n - 1) & 1 ? FLAG_OF : 0;
        break;
    default: return false;
    }
    if (stores && s->op[0].kind != OPERAND_GPR)
        return false;
    if (stores)
        set_register(x, &s->op[0], r);
    x->flags = (x->flags & ~(uint64_t)FLAGS_ARITHMETIC) | (f & FLAGS_ARITHMETIC);
    return true;
}

/* Definedness, by the rules themselves on a copy of the registers. sim: room for them. */
static void
propagate_state(const struct step *s, struct state *x, struct regstate *sim)
{
    struct dr_mcontext mc = {.rip = x->pc, .rflags = x->flags};

    memcpy(mc.gpr, x->v, sizeof mc.gpr);
    memcpy(sim->gpr, x->u, sizeof sim->gpr);
    sim->flags = x->flags_u;
    sim->relations = x->relations;
    sim->summary = x->flags_u ? 1ull << SUMMARY_FLAGS : 0;
    for (unsigned r = 0; r < 16; r++)
        sim->summary |= x->u[r] ? summary_gpr(r) : 0;
    propagate_step(s, sim, &mc);
    memcpy(x->u, sim->gpr, sizeof x->u);
    x->flags_u = sim->flags;
    x->relations = sim->relations;
}

/* One instruction on; s is at x->pc and no conditional jump. False: it cannot be followed. */
static bool
advance(const struct step *s, struct state *x, struct regstate *sim)
{
    struct state before = *x;
    uint64_t memory = 0;

    if (s->rule == RULE_JMP) {
        if (s->op[0].kind != OPERAND_IMMEDIATE)
            return false;
        x->pc = s->pc + s->length + s->imm;
        return true;
    }
    if (s->rule == RULE_RET || (s->rule == RULE_POP && s->op[0].kind == OPERAND_GPR && s->op[0].bytes == 8)) {
        uint64_t sp = x->v[RSP];
        if (x->u[RSP] || shadow_find_unaddressable(sp, 8) != sp + 8 || !dr_safe_read(&memory, sp, 8))
            return false;
        if (s->rule == RULE_POP)
            propagate_state(s, x, sim);
        else if (shadow_find_not_defined(sp, 8) != sp + 8)
            return false;
        x->v[RSP] += 8;
        if (s->rule == RULE_POP)
            x->v[s->op[0].number] = memory;
        else
            x->v[RSP] += s->imm;
        x->pc = s->rule == RULE_RET ? memory : s->pc + s->length;
        return true;
    }
    if (s->mem != 0xff && s->flags & (STEP_READS_MEMORY | STEP_WRITES_MEMORY) && !may_load(s, x, &memory))
        return false;
    if (!evaluate(s, x, memory))
        return *x = before, false;
    struct state after = before;
    propagate_state(s, &after, sim);
    memcpy(x->u, after.u, sizeof x->u);
    x->flags_u = after.flags_u;
    x->relations = after.relations;
    x->pc = s->pc + s->length;
    return true;
}

static bool
jump_undefined(const struct step *s, const struct state *x, struct regstate *sim)
{
    sim->flags = x->flags_u;
    sim->relations = x->relations;
    return condition_undefined(sim, x->flags, s->a);
}

static uint64_t
successor(const struct step *s, bool taken)
{
    return s->pc + s->length + (taken ? s->imm : 0);
}

/* ---- liveness ---- */

enum { CALLER_SAVED = 1 << RCX | 1 << RSI | 1 << RDI | 1 << R8 | 1 << R9 | 1 << R10 | 1 << R11, FREE_AT_CALL = 1 << RAX | 1 << R10 | 1 << R11 };

/* Jumps' targets seen, with what was looked for from there. */
struct liveness { unsigned budget, seen; struct { uint64_t pc, flags; unsigned regs; } at[MAX_LIVENESS]; };

/* The search from pc, a jump's target, is under way or done. */
static bool
seen_before(struct liveness *l, uint64_t pc, unsigned regs, uint64_t flags)
{
    for (unsigned i = 0; i < l->seen; i++)
        if (l->at[i].pc == pc && !(regs & ~l->at[i].regs) && !(flags & ~l->at[i].flags))
            return true;
    if (l->seen < MAX_LIVENESS) {
        l->at[l->seen].pc = pc;
        l->at[l->seen].regs = regs;
        l->at[l->seen++].flags = flags;
    }
    return false;
}

/* The stack pointer after s, 0: not known. */
static uint64_t
stack_after(const struct step *s, uint64_t sp)
{
    if (!sp || !(s->gpr_written >> RSP & 1))
        return sp;
    switch (s->rule) {
    case RULE_PUSH: return sp - (s->op[0].bytes == 2 ? 2 : 8);
    case RULE_POP: return s->op[0].kind == OPERAND_GPR && s->op[0].number == RSP ? 0 : sp + (s->op[0].bytes == 2 ? 2 : 8);
    case RULE_ADD: return s->op[1].kind == OPERAND_IMMEDIATE ? sp + s->imm : 0;
    case RULE_SUB: return s->op[1].kind == OPERAND_IMMEDIATE ? sp - s->imm : 0;
    default: return 0;
    }
}

/* Some register of `regs` or arithmetic flag of `flags` may be read from pc on before it is overwritten. By the calling
 * convention a return passes neither flags nor caller-saved registers, but rax and rdx. */
static bool
may_be_read(uint64_t pc, uint64_t sp, unsigned regs, uint64_t flags, struct liveness *l)
{
    struct step s;
    bool target = true;

    while (regs || flags) {
        if (target && seen_before(l, pc, regs, flags))
            return false;
        if (!l->budget || !step_at(pc, &s))
            return true;
        --l->budget;
        target = s.rule == RULE_JMP || s.rule == RULE_CALL;
        bool clears = (s.rule == RULE_XOR || s.rule == RULE_SUB) && s.op[0].kind == OPERAND_GPR && s.op[1].kind == OPERAND_GPR && s.op[0].number == s.op[1].number;
        if (s.rule == RULE_RET) {
            regs &= ~(unsigned)CALLER_SAVED;
            flags = 0;
            if (regs && (!sp || !dr_safe_read(&pc, sp, 8)))
                return true;
            sp += 8 + s.imm;
            target = true;
            continue;
        }
        if (s.rule == RULE_CALL && s.op[0].kind != OPERAND_IMMEDIATE)
            return regs & ~(unsigned)FREE_AT_CALL;
        if (!clears && s.gpr_read & regs)
            return true;
        if (s.flags_read & flags)
            return true;
        if (s.op[0].kind == OPERAND_GPR && s.op[0].bytes >= 4 && s.gpr_written >> s.op[0].number & 1 && s.rule != RULE_CMPXCHG && s.rule != RULE_CMOVCC)
            regs &= ~(1u << s.op[0].number);
        if (s.rule != RULE_SHIFT && s.rule != RULE_DOUBLE_SHIFT && s.rule != RULE_STRING)
            flags &= ~(uint64_t)s.flags_written;
        sp = stack_after(&s, sp);
        switch (s.rule) {
        case RULE_JCC:
            if (may_be_read(successor(&s, true), sp, regs, flags, l))
                return true;
            pc = successor(&s, false);
            break;
        case RULE_JMP:
            if (s.op[0].kind != OPERAND_IMMEDIATE)
                return true;
            pc = successor(&s, true);
            break;
        case RULE_CALL:                         /* in the function called; FREE_AT_CALL as above */
            regs &= ~(unsigned)FREE_AT_CALL;
            flags = 0;
            sp = 0;
            pc = successor(&s, true);
            break;
        case RULE_LOOP:
        case RULE_JCXZ:
        case RULE_SYSCALL:
        case RULE_OTHER: return true;
        default: pc = s.pc + s.length;
        }
    }
    return false;
}

/* Two ways have come to the same instruction: nothing that differs is read any more. */
static bool
same_from_here(const struct state *a, const struct state *b)
{
    uint64_t flags = ((a->flags ^ b->flags) | (a->flags_u ^ b->flags_u)) & FLAGS_ARITHMETIC;
    struct liveness l = {.budget = MAX_LIVENESS};
    unsigned regs = 0;

    for (unsigned r = 0; r < 16; r++)
        regs |= a->v[r] != b->v[r] || a->u[r] != b->u[r] ? 1u << r : 0;
    return !may_be_read(a->pc, a->v[RSP] == b->v[RSP] ? a->v[RSP] : 0, regs, flags, &l);
}

/* ---- ways ---- */

/* n: instructions of the trace, of which the last was not followed. */
struct trace { unsigned n, ways; struct state at[MAX_TRACE], way[MAX_WAYS]; };

/* A way to be walked later. */
static bool
add_way(struct trace *t, const struct state *x, uint64_t pc)
{
    if (t->ways == MAX_WAYS)
        return false;
    t->way[t->ways] = *x;
    t->way[t->ways++].pc = pc;
    return true;
}

/* Follows x to its end; where its condition is undefined, the other way is put aside, or the trace ends (forks false):
 * whoever comes to that jump has the same judgement before him. */
static void
record_trace(struct trace *t, struct state x, bool forks, struct regstate *sim)
{
    struct step s;

    for (t->n = 0; t->n < MAX_TRACE - 1; t->n++) {
        t->at[t->n] = x;
        if (!step_at(x.pc, &s))
            break;
        if (s.rule == RULE_JCC) {
            bool taken = condition_holds(x.flags, s.a);
            if (jump_undefined(&s, &x, sim) && (!forks || !add_way(t, &x, successor(&s, !taken))))
                break;
            x.pc = successor(&s, taken);
        } else if (!advance(&s, &x, sim)) {
            break;
        }
    }
    t->at[t->n++] = x;                          /* where it stops, and others may still come to */
}

static bool
walk(struct trace *t, struct state x, struct regstate *sim)
{
    struct step s;

    for (unsigned k = 0; k < MAX_WALK; k++) {
        for (unsigned i = 0; i < t->n; i++)
            if (t->at[i].pc == x.pc && same_from_here(&t->at[i], &x))
                return true;
        if (!step_at(x.pc, &s))
            return false;
        if (s.rule == RULE_JCC) {
            bool taken = condition_holds(x.flags, s.a);
            if (jump_undefined(&s, &x, sim) && !add_way(t, &x, successor(&s, !taken)))
                return false;
            x.pc = successor(&s, taken);
        } else if (!advance(&s, &x, sim)) {
            return false;
        }
    }
    return false;
}

/* One side of the jump is the trace, the other has to come to it. */
static bool
same_end(const struct step *s, struct state x, bool taken, bool forks, struct regstate *sim)
{
    struct trace t = {.ways = 0};

    add_way(&t, &x, successor(s, !taken));
    x.pc = successor(s, taken);
    record_trace(&t, x, forks, sim);
    for (unsigned i = 0; i < t.ways; i++)       /* walk adds to them */
        if (!walk(&t, t.way[i], sim))
            return false;
    return true;
}

bool
judge_jump(const struct step *s, const struct regstate *rs, const struct dr_mcontext *mc)
{
    struct regstate sim;
    struct state x = {.flags = mc->rflags & (FLAGS_ARITHMETIC | FLAG_DF), .flags_u = rs->flags, .relations = rs->relations};

    memcpy(x.v, mc->gpr, sizeof x.v);
    memcpy(x.u, rs->gpr, sizeof x.u);
    for (unsigned i = 0; i < 4; i++)
        if (same_end(s, x, i & 1, i & 2, &sim))
            return true;
    return false;
}
