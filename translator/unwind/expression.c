/* DWARF expressions, as call frame information uses them: those that need
 * neither types nor the location of variables. See DWARF 5, section 2.5.1. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "unwind/cfi.h"

enum { MAX_DEPTH = 32, MAX_STEPS = 500 };

enum op {
    OP_ADDR = 0x03, OP_DEREF = 0x06, OP_CONST1U = 0x08, OP_CONST1S, OP_CONST2U, OP_CONST2S, OP_CONST4U, OP_CONST4S, OP_CONST8U, OP_CONST8S,
    OP_CONSTU, OP_CONSTS, OP_DUP, OP_DROP, OP_OVER, OP_PICK, OP_SWAP, OP_ROT,
    OP_ABS = 0x19, OP_AND, OP_DIV, OP_MINUS, OP_MOD, OP_MUL, OP_NEG, OP_NOT, OP_OR, OP_PLUS, OP_PLUS_UCONST, OP_SHL, OP_SHR, OP_SHRA, OP_XOR,
    OP_BRA, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT, OP_NE, OP_SKIP, OP_LIT0 = 0x30, OP_REG0 = 0x50, OP_BREG0 = 0x70, OP_END_BREG = 0x90,
    OP_BREGX = 0x92, OP_DEREF_SIZE = 0x94, OP_NOP = 0x96,
};

struct machine { uint64_t stack[MAX_DEPTH]; unsigned n; struct cursor c; const uint8_t *start; bool bad; };

static void
push(struct machine *m, uint64_t v)
{
    if (m->n == MAX_DEPTH)
        m->bad = true;
    else
        m->stack[m->n++] = v;
}

static uint64_t
pop(struct machine *m)
{
    if (!m->n) {
        m->bad = true;
        return 0;
    }
    return m->stack[--m->n];
}

static uint64_t
pick(struct machine *m, uint64_t i)
{
    if (i >= m->n) {
        m->bad = true;
        return 0;
    }
    return m->stack[m->n - 1 - i];
}

static void
jump(struct machine *m, int16_t by)
{
    int64_t to = m->c.p - m->start + by;

    if (to < 0 || to > m->c.end - m->start)
        m->bad = true;
    else
        m->c.p = m->start + to;
}

static void
push_register(struct machine *m, const struct frame *f, uint64_t dwarf, int64_t offset)
{
    if (dwarf < DWARF_RA)
        push(m, f->r[reg_of_dwarf[dwarf]] + (uint64_t)offset);
    else if (dwarf == DWARF_RA)
        push(m, f->pc + (uint64_t)offset);
    else
        m->bad = true;
}

static uint64_t
deref(uint64_t a, uint64_t size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size && i < 8; i++)
        v |= (uint64_t)((const volatile uint8_t *)a)[i] << 8 * i;
    return v;
}

static uint64_t
binary(struct machine *m, unsigned op)
{
    uint64_t b = pop(m), a = pop(m);
    int64_t sa = (int64_t)a, sb = (int64_t)b;

    switch (op) {
    case OP_AND:   return a & b;
    case OP_OR:    return a | b;
    case OP_XOR:   return a ^ b;
    case OP_PLUS:  return a + b;
    case OP_MINUS: return a - b;
    case OP_MUL:   return a * b;
    case OP_SHL:   return b < 64 ? a << b : 0;
    case OP_SHR:   return b < 64 ? a >> b : 0;
    case OP_SHRA:  return (uint64_t)(sa >> (b < 63 ? b : 63));
    case OP_EQ:    return sa == sb;
    case OP_GE:    return sa >= sb;
    case OP_GT:    return sa > sb;
    case OP_LE:    return sa <= sb;
    case OP_LT:    return sa < sb;
    case OP_NE:    return sa != sb;
    case OP_MOD:
        if (b)
            return a % b;
        break;
    case OP_DIV:
        if (b && !(sb == -1 && a == 1ull << 63))
            return (uint64_t)(sa / sb);
        break;
    }
    m->bad = true;
    return 0;
}

static void
step(struct machine *m, const struct frame *f)
{
    struct cursor *c = &m->c;
    unsigned op = (unsigned)take(c, 1);
    uint64_t a, b, z;

    if (op >= OP_LIT0 && op < OP_REG0) {
        push(m, op - OP_LIT0);
        return;
    }
    if (op >= OP_BREG0 && op < OP_END_BREG) {
        push_register(m, f, op - OP_BREG0, take_sleb(c));
        return;
    }
    switch (op) {
    case OP_ADDR: case OP_CONST8U: case OP_CONST8S: push(m, take(c, 8)); break;
    case OP_CONST1U: push(m, take(c, 1)); break;
    case OP_CONST1S: push(m, (uint64_t)(int8_t)take(c, 1)); break;
    case OP_CONST2U: push(m, take(c, 2)); break;
    case OP_CONST2S: push(m, (uint64_t)(int16_t)take(c, 2)); break;
    case OP_CONST4U: push(m, take(c, 4)); break;
    case OP_CONST4S: push(m, (uint64_t)(int32_t)take(c, 4)); break;
    case OP_CONSTU:  push(m, take_uleb(c)); break;
    case OP_CONSTS:  push(m, (uint64_t)take_sleb(c)); break;
    case OP_DUP:     push(m, pick(m, 0)); break;
    case OP_DROP:    pop(m); break;
    case OP_OVER:    push(m, pick(m, 1)); break;
    case OP_PICK:    push(m, pick(m, take(c, 1))); break;
    case OP_SWAP:    a = pop(m), b = pop(m), push(m, a), push(m, b); break;
    case OP_ROT:     a = pop(m), b = pop(m), z = pop(m), push(m, a), push(m, z), push(m, b); break;
    case OP_DEREF:   a = pop(m); push(m, m->bad ? 0 : deref(a, 8)); break;
    case OP_DEREF_SIZE: z = take(c, 1), a = pop(m); push(m, m->bad ? 0 : deref(a, z)); break;
    case OP_ABS:     a = pop(m); push(m, (int64_t)a < 0 ? 0 - a : a); break;
    case OP_NEG:     push(m, 0 - pop(m)); break;
    case OP_NOT:     push(m, ~pop(m)); break;
    case OP_PLUS_UCONST: a = pop(m); push(m, a + take_uleb(c)); break;
    case OP_SKIP:    jump(m, (int16_t)take(c, 2)); break;
    case OP_BRA:     z = take(c, 2); if (pop(m)) jump(m, (int16_t)z); break;
    case OP_BREGX:   a = take_uleb(c); push_register(m, f, a, take_sleb(c)); break;
    case OP_NOP:     break;
    default:         push(m, binary(m, op)); break;
    }
}

bool
cfi_expression(const uint8_t *p, uint64_t n, const struct frame *f, bool push_cfa, uint64_t cfa, uint64_t *out)
{
    struct machine m = {.c = {p, p + n, false}, .start = p};

    if (push_cfa)
        push(&m, cfa);
    for (unsigned steps = 0; m.c.p < m.c.end && !m.bad && !m.c.bad; steps++) {
        if (steps == MAX_STEPS)
            return false;
        step(&m, f);
    }
    *out = pop(&m);
    return !m.bad && !m.c.bad;
}
