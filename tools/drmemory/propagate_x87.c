/* Rules of the x87 instructions, and of saving and restoring the registers' state.
 * Definedness is kept by physical register; st(i) is register (top + i) & 7. What
 * is computed is undefined as a whole if any input is. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_priv.h"

enum { C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000, CONDITIONS = C0 | C1 | C2 | C3 };
enum { REGISTER = 10 };             /* bytes */

static unsigned
top(void)
{
    uint16_t status;

    __asm__ volatile("fnstsw %0" : "=m"(status));
    return status >> 11 & 7;
}

static uint8_t *
st(const struct ctx *c, unsigned i)
{
    return c->rs->st[(top() + i) & 7];
}

static bool
any_of(const uint8_t *u, unsigned n)
{
    uint8_t x = 0;

    for (unsigned i = 0; i < n; i++)
        x |= u[i];
    return x;
}

static void
put_stack(struct ctx *c, unsigned i, const uint8_t *u)
{
    put_st(c, top() + i, REGISTER, u);
}

static void
put_all(struct ctx *c, unsigned i, bool undefined)
{
    uint8_t u[REGISTER];

    memset(u, undefined ? 0xff : 0, sizeof u);
    put_stack(c, i, u);
}

/* C1 says how a result was rounded; `more`: other conditions that the instruction sets. */
static void
put_conditions(struct ctx *c, bool undefined, unsigned more)
{
    put_x87_flags(c, (c->rs->x87_flags & ~(C1 | more)) | (undefined ? C1 | more : 0));
}

static bool
operand_undefined(struct ctx *c, unsigned i)
{
    const struct operand *o = &c->s->op[i];
    uint8_t u[16];

    if (o->kind == OPERAND_X87)
        return any_of(st(c, o->number), REGISTER);
    if (o->kind != OPERAND_MEMORY)
        return false;
    load_memory_bits(c, c->address, o->bytes < 16 ? o->bytes : 16, u);
    return any_of(u, o->bytes);
}

/* The source of a load or the destination of a store, past an implicit st(0). */
static unsigned
main_operand(const struct step *s)
{
    return s->count > 1 && s->op[0].kind == OPERAND_X87 && s->op[0].number == 0 ? 1 : 0;
}

static void
load(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned i = main_operand(s);
    uint8_t u[REGISTER] = {0};
    bool undefined = false;

    if (s->a != 1 && s->op[i].kind == OPERAND_X87) {
        memcpy(u, st(c, s->op[i].number), REGISTER);
    } else if (s->a == 0 && s->op[i].bytes == REGISTER) {
        load_memory_bits(c, c->address, REGISTER, u);
    } else if (s->a != 1) {
        undefined = operand_undefined(c, i);
        memset(u, undefined ? 0xff : 0, sizeof u);
    }
    put_conditions(c, undefined, 0);
    put_stack(c, 7, u);
}

static void
store(struct ctx *c)
{
    const struct step *s = c->s;
    const struct operand *o = &s->op[0];
    uint8_t u[REGISTER];
    bool undefined = any_of(st(c, 0), REGISTER), exact = !s->a && (o->kind == OPERAND_X87 || o->bytes == REGISTER);

    memcpy(u, st(c, 0), REGISTER);
    if (!exact)
        memset(u, undefined ? 0xff : 0, sizeof u);
    put_conditions(c, undefined && !exact, 0);
    if (o->kind == OPERAND_X87)
        put_stack(c, o->number, u);
    else
        put_memory(c, c->address, o->bytes, u);
}

static void
arithmetic(struct ctx *c)
{
    const struct step *s = c->s;
    bool undefined = any_of(st(c, 0), REGISTER);

    for (unsigned i = 0; i < s->count; i++)
        undefined |= operand_undefined(c, i);
    put_conditions(c, undefined, 0);
    put_all(c, s->op[0].kind == OPERAND_X87 ? s->op[0].number : 0, undefined);
}

static void
change_sign(struct ctx *c)
{
    uint8_t u[REGISTER];

    memcpy(u, st(c, 0), REGISTER);
    if (c->s->a)
        u[9] &= 0x7f;
    put_conditions(c, false, 0);
    put_stack(c, 0, u);
}

static void
of_two(struct ctx *c)
{
    bool undefined = any_of(st(c, 0), REGISTER) || any_of(st(c, 1), REGISTER);

    put_conditions(c, undefined, undefined ? CONDITIONS : 0);
    put_all(c, c->s->rule == RULE_X_TWO, undefined);
}

static void
split(struct ctx *c)
{
    bool undefined = any_of(st(c, 0), REGISTER);

    put_conditions(c, undefined, undefined ? C2 : 0);
    put_all(c, 0, undefined);
    put_all(c, 7, undefined);
}

static void
exchange(struct ctx *c)
{
    unsigned i = c->s->op[main_operand(c->s)].number;
    uint8_t a[REGISTER], b[REGISTER];

    memcpy(a, st(c, 0), REGISTER);
    memcpy(b, st(c, i), REGISTER);
    put_conditions(c, false, 0);
    put_stack(c, 0, b);
    put_stack(c, i, a);
}

static void
conditional_move(struct ctx *c)
{
    unsigned cc = c->s->a;

    if (condition_undefined(c->rs, c->mc->rflags, cc))
        put_all(c, 0, true);
    else if (condition_holds(c->mc->rflags, cc))
        put_stack(c, 0, st(c, c->s->op[main_operand(c->s)].number));
}

static void
compare(struct ctx *c)
{
    const struct step *s = c->s;
    bool undefined = any_of(st(c, 0), REGISTER);

    for (unsigned i = 0; i < s->count; i++)
        undefined |= operand_undefined(c, i);
    if (s->a == 0 && s->count == 0)             /* fcompp */
        undefined |= any_of(st(c, 1), REGISTER);
    if (s->a == 1) {
        put_flags(c, FLAGS_ARITHMETIC, undefined ? FLAG_ZF | FLAG_PF | FLAG_CF : 0);
        put_conditions(c, false, 0);
    } else {
        put_x87_flags(c, undefined ? (s->a == 3 ? CONDITIONS : C0 | C2 | C3) : 0);
    }
}

static void
store_status(struct ctx *c)
{
    uint64_t u = c->rs->x87_flags;

    if (c->s->count && c->s->op[0].kind == OPERAND_MEMORY)
        put_memory(c, c->address, 2, (const uint8_t *)&u);
    else
        put_gpr(c, RAX, 2, 0, u);
}

/* ---- state in memory ---- */

/* fnstenv, fldenv, fnsave, frstor: environment of 14 or 28 bytes, the status word second, then registers in the order of the stack. */
static void
environment(struct ctx *c)
{
    unsigned bytes = c->s->op[0].bytes, env = bytes == 14 || bytes == 94 ? 14 : 28, word = env / 7, start = top();
    bool whole = bytes > env, load = c->s->a & 1;
    uint8_t u[108] = {0};
    uint16_t status;

    if (load) {
        load_memory_bits(c, c->address, bytes, u);
        if (!load_memory(c, c->address + word, 2, &status))
            return;
        start = status >> 11 & 7;
    }
    for (unsigned i = 0; i < 8 && whole; i++) {
        if (load)
            put_st(c, start + i, REGISTER, u + env + REGISTER * i);
        else
            memcpy(u + env + REGISTER * i, c->rs->st[(start + i) & 7], REGISTER);
    }
    if (load) {
        put_x87_flags(c, (u[word] | u[word + 1] << 8) & CONDITIONS);
    } else {
        u[word + 1] = (uint8_t)(c->rs->x87_flags >> 8);
        put_memory(c, c->address, bytes, u);
        if (whole)
            put_x87_flags(c, 0);
    }
}

/* Components of XCR0 and where they lie in an xsave area. */
enum { X87, SSE, AVX, OPMASK = 5, HI256, HI16, COMPONENTS, LEGACY = 512, HEADER = 64, FIRST = LEGACY + HEADER };
enum { AT_STATUS = 2, AT_MXCSR = 24, AT_ST = 32, AT_XMM = 160 };

static uint32_t
component(unsigned i, uint32_t *offset, bool *aligned)
{
    uint32_t a = 0xd, b, c = i, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    *offset = b;
    *aligned = c & 2;
    return a;
}

static uint64_t
extended_control(unsigned i)
{
    uint32_t a, d;

    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(i));
    return (uint64_t)d << 32 | a;
}

/* Registers in use, where the CPU tells. */
static uint64_t
in_use(void)
{
    uint32_t a = 0xd, b, c = 1, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return a >> 2 & 1 ? extended_control(1) : ~0ull;
}

/* One component's definedness to or from memory at a. init: it is not in memory, and becomes defined. */
static void
exchange_bytes(struct ctx *c, uint64_t a, unsigned n, uint8_t *own, bool load, bool init)
{
    if (!load)
        put_memory(c, a, n, own);
    else if (init)
        memset(own, 0, n);
    else
        load_memory_bits(c, a, n, own);
}

static void
exchange_legacy(struct ctx *c, uint64_t area, bool x87, bool sse, bool mxcsr, bool load, bool init_x87, bool init_sse)
{
    uint8_t u[16];
    unsigned start = top();

    if (load && x87 && !init_x87) {
        uint16_t status;
        if (!load_memory(c, area + AT_STATUS, 2, &status))
            return;
        start = status >> 11 & 7;
    }
    if (x87) {
        uint8_t header[24] = {0};
        memcpy(header + AT_STATUS, &c->rs->x87_flags, 2);
        exchange_bytes(c, area, sizeof header, header, load, init_x87);
        if (load)
            put_x87_flags(c, (unsigned)(header[AT_STATUS + 1] << 8) & CONDITIONS);
        for (unsigned i = 0; i < 8; i++) {
            memcpy(u, c->rs->st[(start + i) & 7], REGISTER);
            memset(u + REGISTER, 0, 6);
            exchange_bytes(c, area + AT_ST + 16 * i, 16, u, load, init_x87);
            if (load)
                put_st(c, start + i, REGISTER, u);
        }
    }
    if (mxcsr) {
        memcpy(u, &c->rs->mxcsr, 4);
        memset(u + 4, 0, 4);
        exchange_bytes(c, area + AT_MXCSR, load ? 4 : 8, u, load, false);
        if (load) {
            uint32_t m;
            memcpy(&m, u, 4);
            put_mxcsr(c, m);
        }
    }
    for (unsigned r = 0; r < 16 && sse; r++) {
        memcpy(u, c->rs->zmm[r], 16);
        exchange_bytes(c, area + AT_XMM + 16 * r, 16, u, load, init_sse);
        if (load)
            put_vector(c, r, 0, 16, u);
    }
}

static void
exchange_extended(struct ctx *c, uint64_t a, unsigned which, bool load, bool init)
{
    uint8_t u[64];

    for (unsigned i = 0; i < 16; i++) {
        unsigned r = which == HI16 ? 16 + i : i, at = which == AVX ? 16 : which == HI256 ? 32 : 0, n = which == AVX ? 16 : which == HI256 ? 32 : 64;
        if (which == OPMASK) {
            if (i >= 8)
                return;
            memcpy(u, &c->rs->k[i], 8);
            exchange_bytes(c, a + 8 * i, 8, u, load, init);
            if (load) {
                uint64_t k;
                memcpy(&k, u, 8);
                put_k(c, i, k);
            }
            continue;
        }
        memcpy(u, c->rs->zmm[r] + at, n);
        exchange_bytes(c, a + n * i, n, u, load, init);
        if (load)
            put_vector(c, r, at, n, u);
    }
}

static void
legacy_area(struct ctx *c, bool load)
{
    check_access(c, c->address, load ? AT_XMM + 256 : LEGACY - 96, !load);
    if (load)
        undo_all(c);
    exchange_legacy(c, c->address, true, true, true, load, false, false);
}

static void
extended_area(struct ctx *c, bool load)
{
    uint64_t wanted = (c->mc->gpr[RDX] << 32 | (uint32_t)c->mc->gpr[RAX]) & extended_control(0), header[2] = {~0ull, 0};
    bool compact = c->s->a;
    uint32_t at = FIRST;

    check_access(c, c->address, FIRST, !load);
    if (load) {
        if (!load_memory(c, c->address + LEGACY, sizeof header, header))
            return;
        compact = header[1] >> 63;
        undo_all(c);
    } else if (compact) {
        header[0] = in_use();
    }
    uint64_t present = load ? header[0] : wanted, format = compact ? (load ? header[1] : wanted) : 0;
    bool x87 = wanted >> X87 & 1, sse = wanted >> SSE & 1, avx = wanted >> AVX & 1;
    bool skip_x87 = !load && !(header[0] >> X87 & 1), skip_sse = !load && !(header[0] >> SSE & 1);
    exchange_legacy(c, c->address, x87 && !skip_x87, sse && !skip_sse, compact ? sse : sse || avx, load, !(present >> X87 & 1), !(present >> SSE & 1));
    for (unsigned i = AVX; i < COMPONENTS; i++) {
        uint32_t offset;
        bool aligned;
        uint32_t size = component(i, &offset, &aligned);
        if (compact) {
            if (!(format >> i & 1))
                offset = 0;
            else
                offset = at = aligned ? (at + 63) & ~63u : at;
        }
        if (wanted >> i & 1 && (i == AVX || i >= OPMASK) && (load || header[0] >> i & 1)) {
            bool init = load && !(present >> i & 1);
            if (!init)
                check_access(c, c->address + offset, size, !load);
            exchange_extended(c, c->address + offset, i, load, init);
        }
        if (compact && format >> i & 1)
            at += size;
    }
    if (!load) {
        uint8_t none[16] = {0};
        put_memory(c, c->address + LEGACY, compact ? 16 : 8, none);
    }
}

static void
control_word(struct ctx *c)
{
    uint32_t u = c->rs->mxcsr;

    if (!c->s->a) {
        put_memory(c, c->address, 4, (const uint8_t *)&u);
        return;
    }
    load_memory_bits(c, c->address, 4, (uint8_t *)&u);
    put_mxcsr(c, u);
}

void
propagate_x87(struct ctx *c)
{
    const struct step *s = c->s;
    bool undefined;

    switch ((enum rule)s->rule) {
    case RULE_X_LOAD: load(c); break;
    case RULE_X_STORE: store(c); break;
    case RULE_X_ARITHMETIC: arithmetic(c); break;
    case RULE_X_UNARY:
        undefined = any_of(st(c, 0), REGISTER);
        put_conditions(c, undefined, undefined ? C2 : 0);
        put_all(c, 0, undefined);
        break;
    case RULE_X_SIGN: change_sign(c); break;
    case RULE_X_TWO:
    case RULE_X_KEEP_TWO: of_two(c); break;
    case RULE_X_SPLIT: split(c); break;
    case RULE_X_EXCHANGE: exchange(c); break;
    case RULE_X_CMOV: conditional_move(c); break;
    case RULE_X_COMPARE: compare(c); break;
    case RULE_X_STATUS: store_status(c); break;
    case RULE_X_INIT: put_x87_flags(c, 0); break;
    case RULE_X_ENVIRONMENT: environment(c); break;
    case RULE_X_FXSAVE: legacy_area(c, false); break;
    case RULE_X_FXRSTOR: legacy_area(c, true); break;
    case RULE_X_XSAVE: extended_area(c, false); break;
    case RULE_X_XRSTOR: extended_area(c, true); break;
    case RULE_MXCSR: control_word(c); break;
    default: break;                             /* fldcw, ffree, emms: nothing that is tracked */
    }
}
