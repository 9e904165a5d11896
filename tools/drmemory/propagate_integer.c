/* Rules of the integer instructions.
 * Each reads the operands' definedness first and their values only where
 * something is undefined; nothing is put before all has been read. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_arithmetic.h"

static const struct bits zero = {0, 0};

static unsigned width(const struct ctx *c) { return 8u * c->s->op[0].bytes; }

static struct bits
carry_in(const struct ctx *c)
{
    return (struct bits){c->mc->rflags & 1, c->rs->flags & 1};
}

static bool
same_register(const struct ctx *c, unsigned i, unsigned j)
{
    const struct operand *a = &c->s->op[i], *b = &c->s->op[j];

    return a->kind == OPERAND_GPR && b->kind == OPERAND_GPR && a->number == b->number && a->shift == b->shift;
}

/* Both operands are defined: so are the result and the flags written. */
static bool
put_defined(struct ctx *c, uint64_t u, bool to_operand)
{
    if (u)
        return false;
    if (to_operand)
        put(c, 0, 0);
    put_flags(c, c->s->flags_written, 0);
    return true;
}

static struct bits
operand(struct ctx *c, unsigned i)
{
    struct bits x = get(c, i);

    if (c->s->op[i].kind == OPERAND_IMMEDIATE)
        x.v &= low_bits(width(c));
    return x;
}

/* add, sub, cmp, adc, sbb, and the kinds with one operand. keep: flags that stay. */
static void
sum(struct ctx *c, struct bits a, struct bits b, struct bits carry, bool subtract, bool store, uint64_t keep)
{
    struct flags f = flags_of_sum(a, b, carry, width(c), subtract);

    if (c->stop)
        return;
    if (store)
        put(c, 0, f.result);
    put_flags(c, FLAGS_ARITHMETIC & ~keep, f.u);
    put_relations(c, keep ? 0 : f.relations);
}

static void
add_or_subtract(struct ctx *c, bool subtract, bool carry, bool store)
{
    struct bits in = carry ? carry_in(c) : zero;
    uint64_t n = low_bits(width(c));

    if (subtract && same_register(c, 0, 1)) {           /* 0, or minus the borrow in every bit */
        if (store)
            put(c, 0, in.u ? n : 0);
        put_flags(c, FLAGS_ARITHMETIC, in.u ? FLAGS_ARITHMETIC & ~FLAG_OF : 0);
        return;
    }
    if (put_defined(c, bits_of(c, 0) | bits_of(c, 1) | in.u, store))
        return;
    struct bits a = operand(c, 0), b = operand(c, 1);
    if (!subtract && same_register(c, 0, 1)) {          /* twice a: its bits move up, the carry comes in below */
        struct flags f = flags_of_sum(a, b, in, width(c), false);
        uint64_t u = (a.u << 1 | in.u) & n, top = 1ull << (width(c) - 1);
        uint64_t v = a.v << 1 | in.v;
        put(c, 0, u);
        f.u = (a.u & top ? FLAG_CF : 0) | (a.u & 8 ? FLAG_AF : 0) | (flags_of_result((struct bits){v, u}, width(c)).u);
        f.u |= (a.u & (top | top >> 1)) ? FLAG_OF : 0;
        put_flags(c, FLAGS_ARITHMETIC, f.u);
        return;
    }
    sum(c, a, b, in, subtract, store, 0);
}

static void
logic(struct ctx *c, bool store)
{
    const struct step *s = c->s;
    uint64_t ua = bits_of(c, 0), ub = bits_of(c, 1), n = low_bits(width(c));
    struct bits r;

    if (s->rule == RULE_XOR && same_register(c, 0, 1))
        ua = ub = 0;
    if (put_defined(c, ua | ub, store))
        return;
    struct bits a = operand(c, 0), b = operand(c, 1);
    switch (s->rule) {
    case RULE_XOR: r = (struct bits){a.v ^ b.v, a.u | b.u}; break;
    case RULE_OR: r = (struct bits){a.v | b.v, (a.u | b.u) & (~a.v | a.u) & (~b.v | b.u)}; break;
    default: r = (struct bits){a.v & b.v, (a.u | b.u) & (a.v | a.u) & (b.v | b.u)}; break;
    }
    if (c->stop)
        return;
    if (store)
        put(c, 0, r.u & n);
    put_flags(c, FLAGS_ARITHMETIC, flags_of_result(r, width(c)).u);
}

static void
and_not(struct ctx *c)
{
    struct bits a = get(c, 1), b = get(c, 2);

    a.v = ~a.v & low_bits(width(c));
    struct bits r = {a.v & b.v, (a.u | b.u) & (a.v | a.u) & (b.v | b.u)};
    if (same_register(c, 1, 2))
        r = zero;
    if (c->stop)
        return;
    put(c, 0, r.u);
    put_flags(c, FLAGS_ARITHMETIC, flags_of_result(r, width(c)).u);
}

/* ---- moves and stack ---- */

static void
move_sign_extended(struct ctx *c)
{
    unsigned from = 8u * c->s->op[1].bytes;
    uint64_t u = bits_of(c, 1);

    put(c, 0, u >> (from - 1) & 1 ? u | ~low_bits(from) : u);
}

static uint64_t
bytes_reversed(uint64_t x, unsigned bytes)
{
    return bytes == 2 ? __builtin_bswap16((uint16_t)x) : bytes == 4 ? __builtin_bswap32((uint32_t)x) : __builtin_bswap64(x);
}

static void
load_address(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned bytes = s->flags & STEP_ADDRESS32 ? 4 : 8;
    struct bits base = zero, index = zero, disp = {(uint64_t)s->disp, 0}, r;

    if (s->base != REG_NONE)
        base = (struct bits){gpr_value(c, s->base, bytes), gpr_bits(c, s->base, bytes)};
    if (s->index != REG_NONE)
        index = (struct bits){gpr_value(c, s->index, bytes) * s->scale, gpr_bits(c, s->index, bytes) * s->scale};
    if (s->base != REG_NONE && s->base == s->index && s->scale == 1) {
        base = zero;
        index = (struct bits){index.v << 1, index.u << 1};
    }
    r = (struct bits){base.v + index.v, undefined_sum(base, index, zero)};
    put(c, 0, undefined_sum(r, disp, zero) & low_bits(8 * bytes));
}

static void
exchange(struct ctx *c)
{
    uint64_t a = bits_of(c, 0), b = bits_of(c, 1);

    if (same_register(c, 0, 1)) {
        put(c, 0, a);
        return;
    }
    put(c, 0, b);
    put(c, 1, a);
}

/* The stack slot that a push of n bytes writes. */
static uint64_t
pushed(struct ctx *c, unsigned n)
{
    uint64_t a = c->mc->gpr[RSP] - n;

    check_register(c, RSP, 8);
    check_access(c, a, n, true);
    return a;
}

static uint64_t
popped(struct ctx *c, unsigned n)
{
    check_register(c, RSP, 8);
    check_access(c, c->mc->gpr[RSP], n, false);
    return c->mc->gpr[RSP];
}

static uint64_t
load_bits8(struct ctx *c, uint64_t a, unsigned n)
{
    uint64_t u = 0;

    load_memory_bits(c, a, n, (uint8_t *)&u);
    return u;
}

static void
push(struct ctx *c)
{
    unsigned n = c->s->op[0].kind == OPERAND_IMMEDIATE || c->s->op[0].kind == OPERAND_OTHER ? 8 : c->s->op[0].bytes;
    uint64_t u = bits_of(c, 0);

    n = n == 2 ? 2 : 8;
    c->no_shadow = false;
    put_memory(c, pushed(c, n), n, (const uint8_t *)&u);
}

static void
pop(struct ctx *c)
{
    const struct operand *o = &c->s->op[0];
    unsigned n = o->bytes == 2 ? 2 : 8;
    bool no_shadow = c->no_shadow;

    c->no_shadow = false;
    uint64_t u = load_bits8(c, popped(c, n), n);
    c->no_shadow = no_shadow;
    if (o->kind == OPERAND_MEMORY) {
        if (c->s->base == RSP)
            c->address += n;                    /* computed with the new rsp */
        check_access(c, c->address, n, true);
    }
    put(c, 0, u);
}

static void
enter(struct ctx *c)
{
    uint64_t u = c->rs->gpr[RBP], levels = (uint64_t)c->s->disp & 31, frame = c->mc->gpr[RSP] - 8;

    put_memory(c, pushed(c, 8), 8, (const uint8_t *)&u);
    for (uint64_t i = 1; i < levels; i++) {     /* the enclosing frames' pointers, then the new one */
        uint64_t a = c->mc->gpr[RBP] - 8 * i, to = frame - 8 * i;
        check_access(c, a, 8, false);
        check_access(c, to, 8, true);
        u = load_bits8(c, a, 8);
        put_memory(c, to, 8, (const uint8_t *)&u);
    }
    u = 0;
    if (levels) {
        check_access(c, frame - 8 * levels, 8, true);
        put_memory(c, frame - 8 * levels, 8, (const uint8_t *)&u);
    }
    put_gpr(c, RBP, 8, 0, 0);
}

static void
leave(struct ctx *c)
{
    check_register(c, RBP, 8);
    check_access(c, c->mc->gpr[RBP], c->s->b, false);
    put_gpr(c, RBP, c->s->b, 0, load_bits8(c, c->mc->gpr[RBP], c->s->b));
    put_gpr(c, RSP, 8, 0, 0);
}

/* ---- transfers of control ---- */

static void
indirect_target(struct ctx *c)
{
    const struct operand *o = &c->s->op[0];

    if (!c->s->count || !bits_of(c, 0))
        return;
    bool memory = o->kind == OPERAND_MEMORY;
    report_uninitialized(c->mc, UNINIT_JUMP, NULL, memory ? c->address : 0, memory ? o->bytes : 0);
    put(c, 0, 0);
}

static void
call(struct ctx *c)
{
    uint64_t none = 0;

    indirect_target(c);
    c->no_shadow = false;
    put_memory(c, pushed(c, 8), 8, (const uint8_t *)&none);
}

static void
ret(struct ctx *c)
{
    uint64_t a = popped(c, 8), none = 0;

    if (!load_bits8(c, a, 8))
        return;
    report_uninitialized(c->mc, UNINIT_JUMP, NULL, a, 8);
    put_memory(c, a, 8, (const uint8_t *)&none);
}

static void
jump_on(struct ctx *c, bool undefined)
{
    if (undefined && !judge_jump(c->s, c->rs, c->mc)) {
        report_uninitialized(c->mc, UNINIT_JUMP, NULL, 0, 0);
        put_flags(c, ~0ull, 0);
    }
}

/* loop*, jrcxz: on rcx; the former count it down. */
static void
jump_on_count(struct ctx *c)
{
    unsigned bytes = c->s->flags & STEP_ADDRESS32 ? 4 : 8;
    struct bits x = {gpr_value(c, RCX, bytes), gpr_bits(c, RCX, bytes)}, one = {1, 0};
    bool undefined = false, loop = c->s->rule == RULE_LOOP;

    if (x.u) {
        uint64_t at_zero = loop ? 1 : 0;        /* rcx before the instruction */
        undefined = !((x.v ^ at_zero) & ~x.u);
    }
    if (loop && c->s->a)
        undefined |= c->rs->flags & FLAG_ZF;
    if (undefined) {
        report_uninitialized(c->mc, UNINIT_JUMP, x.u ? "rcx" : NULL, 0, 0);
        put_gpr(c, RCX, 8, 0, 0);
        put_flags(c, ~0ull, 0);
    } else if (loop) {
        put_gpr(c, RCX, bytes, 0, undefined_difference(x, one, zero));
    }
}

static void
conditional_move(struct ctx *c)
{
    bool undefined = condition_undefined(c->rs, c->mc->rflags, c->s->a), taken = condition_holds(c->mc->rflags, c->s->a);

    if (!undefined) {
        put(c, 0, bits_of(c, taken ? 1 : 0));
        return;
    }
    struct bits r = joined(get(c, 0), get(c, 1));
    put(c, 0, r.u);
}

/* ---- multiplication, division ---- */

static void
multiply(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned n = width(c);
    struct bits a, b;
    bool wide = s->a == 2 || s->count == 1, is_signed = s->a == 1;

    if (wide) {
        unsigned r = s->a == 2 ? RDX : RAX;
        a = (struct bits){gpr_value(c, r, n / 8), gpr_bits(c, r, n / 8)};
        b = get(c, s->a == 2 ? 2 : 0);
    } else {
        a = get(c, s->count == 2 ? 0 : 1);
        b = operand(c, s->count == 2 ? 1 : 2);
    }
    if (c->stop)
        return;
    u128 u = undefined_product(a, b, n, is_signed);
    uint64_t lo = (uint64_t)u & low_bits(n), hi = (uint64_t)(u >> n);
    if (s->a == 2) {                            /* low half first: of equal destinations the high half stays */
        put(c, 1, lo);
        put(c, 0, hi);
        return;
    }
    if (!wide) {
        put(c, 0, lo);
    } else if (n == 8) {
        put_gpr(c, RAX, 2, 0, (uint64_t)u);
    } else {
        put_gpr(c, RAX, n / 8, 0, lo);
        put_gpr(c, RDX, n / 8, 0, hi);
    }
    put_flags(c, FLAGS_ARITHMETIC, undefined_overflow(a, b, n, is_signed) ? FLAGS_ARITHMETIC : a.u | b.u ? FLAGS_ARITHMETIC & ~(FLAG_CF | FLAG_OF) : 0);
}

/* Quotient and remainder lie between bounds: what the bounds have in common above is defined. */
static void
divide(struct ctx *c)
{
    unsigned n = width(c), bytes = n / 8;
    struct bits lo = {gpr_value(c, RAX, bytes), gpr_bits(c, RAX, bytes)}, hi = {gpr_value(c, RDX, bytes), gpr_bits(c, RDX, bytes)}, d = get(c, 0);
    uint64_t q = 0, r = 0, sign = 1ull << (n - 1);

    if (n == 8)
        hi = (struct bits){gpr_value(c, RAX, 2) >> 8, gpr_bits(c, RAX, 2) >> 8};
    if (c->stop)
        return;
    if (lo.u | hi.u | d.u) {
        uint64_t least = lo.v & ~lo.u, most = lo.v | lo.u, d_least = d.v & ~d.u, d_most = d.v | d.u;
        bool positive = !c->s->a || !((most | d_most) & sign);

        q = r = low_bits(n);
        if (!(hi.v | hi.u) && positive && d_least) {
            uint64_t spread = least / d_most ^ most / d_least, rest = most < d_most - 1 ? most : d_most - 1;
            q = spread ? low_bits(64 - (unsigned)__builtin_clzll(spread)) : 0;
            r = rest ? low_bits(64 - (unsigned)__builtin_clzll(rest)) : 0;
        }
    }
    if (n == 8) {
        put_gpr(c, RAX, 2, 0, q | r << 8);
    } else {
        put_gpr(c, RAX, bytes, 0, q);
        put_gpr(c, RDX, bytes, 0, r);
    }
    put_flags(c, FLAGS_ARITHMETIC, q | r ? FLAGS_ARITHMETIC : 0);
}

/* ---- shifts ---- */

struct shift_result { struct bits r, flags; };  /* flags: all six, after the instruction */

/* rcl, rcr: n + 1 bits with the carry on top. */
static struct bits
rotate_carry(enum shift op, struct bits x, struct bits carry, unsigned count, unsigned n, struct bits *out)
{
    u128 all = ((u128)1 << (n + 1)) - 1, v = (u128)(carry.v & 1) << n | x.v, u = (u128)(carry.u & 1) << n | x.u;

    count %= n + 1;
    if (op == SHIFT_RCR)
        count = (n + 1 - count) % (n + 1);
    if (count) {
        v = (v << count | v >> (n + 1 - count)) & all;
        u = (u << count | u >> (n + 1 - count)) & all;
    }
    *out = (struct bits){v >> n & 1, u >> n & 1};
    return (struct bits){(uint64_t)v & low_bits(n), (uint64_t)u & low_bits(n)};
}

static struct bits
bit_at(struct bits x, unsigned i)
{
    return i < 64 ? (struct bits){x.v >> i & 1, x.u >> i & 1} : zero;
}

/* One shift by a known count, already masked. What the manual leaves open is undefined if anything is. */
static struct shift_result
shift_once(const struct ctx *c, enum shift op, struct bits x, unsigned count, unsigned n)
{
    struct bits old = {c->mc->rflags & FLAGS_ARITHMETIC, c->rs->flags & FLAGS_ARITHMETIC}, carry = zero;
    struct shift_result s = {x, old};
    uint64_t top = n - 1;
    bool rotate = op >= SHIFT_ROL, any = x.u;

    if (!count)
        return s;
    switch (op) {
    case SHIFT_SHL: carry = bit_at(x, count <= n ? n - count : 64); break;
    case SHIFT_SHR: carry = bit_at(x, count - 1); break;
    case SHIFT_SAR: carry = bit_at(x, count > n ? n - 1 : count - 1); break;
    default: break;
    }
    if (op == SHIFT_RCL || op == SHIFT_RCR) {
        s.r = rotate_carry(op, x, carry_in(c), count, n, &carry);
        any |= c->rs->flags & FLAG_CF;
    } else {
        s.r = shifted(op, x, count, n);
    }
    if (op == SHIFT_ROL)
        carry = bit_at(s.r, 0);
    if (op == SHIFT_ROR)
        carry = bit_at(s.r, (unsigned)top);
    uint64_t keep = rotate ? FLAGS_ARITHMETIC & ~(FLAG_CF | FLAG_OF) : 0;
    struct bits szp = flags_of_result(s.r, n);
    s.flags = rotate ? (struct bits){old.v & keep, old.u & keep} : szp;
    s.flags.v |= carry.v ? FLAG_CF : 0;
    s.flags.u |= carry.u ? FLAG_CF : 0;
    if (any && !rotate)
        s.flags.u |= FLAG_AF;
    bool of = any;
    if (count == 1) {                           /* the sign changes */
        struct bits before = bit_at(x, (unsigned)top), after = bit_at(s.r, (unsigned)top);
        struct bits second = op == SHIFT_ROR || op == SHIFT_RCR ? bit_at(s.r, (unsigned)top - 1) : op == SHIFT_SHR ? zero : op == SHIFT_SAR ? after : carry;
        of = op == SHIFT_SHR ? before.u : op == SHIFT_SAR ? false : after.u | second.u;
    }
    s.flags.u |= of ? FLAG_OF : 0;
    return s;
}

static void
shift(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned n = width(c), modulo = n == 64 ? 63 : 31;
    struct bits x, count;

    if (s->b) {                                 /* shlx …: no flags */
        x = get(c, 1);
        count = get(c, 2);
        put(c, 0, shifted_by(s->a, x, count, n, n).u);
        return;
    }
    count = s->count > 1 ? get(c, 1) : (struct bits){1, 0};
    count = (struct bits){count.v & modulo, count.u & modulo};
    if (!count.u && !count.v) {                 /* no flag changes, but a 32-bit register is cleared above */
        put(c, 0, bits_of(c, 0));
        return;
    }
    bool with_carry = s->a >= SHIFT_RCL;
    if (!(bits_of(c, 0) | count.u | (with_carry ? c->rs->flags & FLAG_CF : 0))) {
        put(c, 0, 0);
        put_flags(c, s->a >= SHIFT_ROL ? FLAG_CF | FLAG_OF : FLAGS_ARITHMETIC, 0);
        return;
    }
    x = get(c, 0);
    if (c->stop)
        return;
    uint64_t fixed = count.v & ~count.u, sub = 0;
    struct shift_result r = shift_once(c, s->a, x, (unsigned)fixed, n);
    for (sub = (0 - count.u) & count.u; sub; sub = (sub - count.u) & count.u) {    /* every other filling of the count */
        struct shift_result other = shift_once(c, s->a, x, (unsigned)(fixed | sub), n);
        r.r = joined(r.r, other.r);
        r.flags = joined(r.flags, other.flags);
    }
    if (count.u)
        r.flags.u |= FLAG_OF | (s->a < SHIFT_ROL ? FLAG_AF : 0);
    put(c, 0, r.r.u);
    put_flags(c, FLAGS_ARITHMETIC, r.flags.u);
}

static struct shift_result
double_shift_once(const struct ctx *c, struct bits a, struct bits b, unsigned count, unsigned n)
{
    struct bits old = {c->mc->rflags & FLAGS_ARITHMETIC, c->rs->flags & FLAGS_ARITHMETIC};
    struct shift_result s = {a, old};
    bool any = a.u | b.u;

    if (!count)
        return s;
    if (count > n) {                            /* of 16 bits: the manual leaves all open */
        s.r = (struct bits){a.v, any ? low_bits(n) : 0};
        s.flags = (struct bits){old.v, any ? FLAGS_ARITHMETIC : 0};
        return s;
    }
    struct bits x = shifted(c->s->a ? SHIFT_SHR : SHIFT_SHL, a, count, n), y = shifted(c->s->a ? SHIFT_SHL : SHIFT_SHR, b, n - count, n);
    struct bits carry = bit_at(a, c->s->a ? count - 1 : n - count);
    s.r = (struct bits){x.v | y.v, x.u | y.u};
    s.flags = flags_of_result(s.r, n);
    s.flags.v |= carry.v ? FLAG_CF : 0;
    s.flags.u |= (carry.u ? FLAG_CF : 0) | (any ? FLAG_AF : 0);
    bool of = count == 1 ? bit_at(a, n - 1).u | bit_at(s.r, n - 1).u : any;
    s.flags.u |= of ? FLAG_OF : 0;
    return s;
}

static void
double_shift(struct ctx *c)
{
    unsigned n = width(c), modulo = n == 64 ? 63 : 31;
    struct bits count = get(c, 2), a = get(c, 0), b = get(c, 1);

    count = (struct bits){count.v & modulo, count.u & modulo};
    if (c->stop)
        return;
    uint64_t fixed = count.v & ~count.u, sub;
    struct shift_result r = double_shift_once(c, a, b, (unsigned)fixed, n);
    for (sub = (0 - count.u) & count.u; sub; sub = (sub - count.u) & count.u) {
        struct shift_result other = double_shift_once(c, a, b, (unsigned)(fixed | sub), n);
        r.r = joined(r.r, other.r);
        r.flags = joined(r.flags, other.flags);
    }
    if (count.u)
        r.flags.u |= FLAG_OF | FLAG_AF;
    if (count.u && (count.v | count.u) > n)
        r = (struct shift_result){{0, low_bits(n)}, {0, FLAGS_ARITHMETIC}};
    put(c, 0, r.r.u);
    put_flags(c, FLAGS_ARITHMETIC, r.flags.u);
}

/* ---- bits ---- */

/* Undefined in the upper half of a register that is cleared there or not. */
static uint64_t
upper_half(const struct ctx *c, unsigned r)
{
    return (c->rs->gpr[r] | c->mc->gpr[r]) & ~0xffffffffull;
}

static unsigned
population(uint64_t x)
{
    unsigned n = 0;

    for (; x; x &= x - 1)
        n++;
    return n;
}

static void
single_bit(struct ctx *c)
{
    unsigned n = width(c);
    struct bits index = get(c, 1), x, carry;

    if (c->s->op[0].kind == OPERAND_MEMORY && c->s->op[1].kind == OPERAND_GPR) {
        check_register(c, c->s->op[1].number, c->s->op[1].bytes);
        int64_t offset = (int64_t)(index.v << (64 - n)) >> (64 - n);
        c->address += (uint64_t)((offset >> (n == 64 ? 6 : n == 32 ? 5 : 4)) * (n / 8));
        check_access(c, c->address, n / 8, c->s->a != BIT_TEST);
        index.u = 0;
    }
    x = get(c, 0);
    if (c->stop)
        return;
    index = (struct bits){index.v & (n - 1), index.u & (n - 1)};
    uint64_t fixed = index.v & ~index.u, candidates = 0, sub = 0;
    carry = bit_at(x, (unsigned)fixed);
    do {
        candidates |= 1ull << (fixed | sub);
        carry = joined(carry, bit_at(x, (unsigned)(fixed | sub)));
        sub = (sub - index.u) & index.u;
    } while (sub);
    uint64_t u = x.u, one = index.u ? 0 : candidates;
    if (c->s->a == BIT_SET)
        u = (u | (candidates & ~x.v)) & ~one;
    if (c->s->a == BIT_RESET)
        u = (u | (candidates & x.v)) & ~one;
    if (c->s->a == BIT_COMPLEMENT && index.u)
        u |= candidates;
    if (c->s->a != BIT_TEST)
        put(c, 0, u);
    put_flags(c, FLAG_CF, carry.u ? FLAG_CF : 0);
}

static void
bit_scan(struct ctx *c)
{
    enum bit_scan op = c->s->a;
    unsigned n = width(c);
    uint64_t mask = low_bits(n);

    if (!bits_of(c, 1)) {
        if ((op == SCAN_BSF || op == SCAN_BSR) && !value_of(c, 1))      /* the destination stays, all of it */
            put_gpr(c, c->s->op[0].number, n == 16 ? 2 : 8, 0, c->rs->gpr[c->s->op[0].number]);
        else
            put(c, 0, 0);
        put_flags(c, FLAGS_ARITHMETIC, 0);
        return;
    }
    struct bits x = get(c, 1), r = zero;
    bool have = false, down = op == SCAN_BSR || op == SCAN_LZCNT, scan = op == SCAN_BSF || op == SCAN_BSR;
    uint64_t known = x.v & ~x.u, possible = (x.v | x.u) & mask;
    bool can_be_zero = !known;
    uint64_t high = upper_half(c, c->s->op[0].number);

    if (c->stop)
        return;
    if (op == SCAN_POPCNT) {                    /* every number between the least and the greatest */
        uint64_t spread = population(known) ^ population(possible);
        put(c, 0, low_bits(64 - (unsigned)__builtin_clzll(spread)));
        put_flags(c, FLAGS_ARITHMETIC, can_be_zero ? FLAG_ZF : 0);
        return;
    }
    while (possible) {                          /* each place where the first 1 can be */
        unsigned at = down ? 63 - (unsigned)__builtin_clzll(possible) : (unsigned)__builtin_ctzll(possible);
        struct bits one = {op == SCAN_LZCNT ? n - 1 - at : at, 0};
        r = have ? joined(r, one) : one;
        have = true;
        if (known >> at & 1)
            break;
        possible &= ~(1ull << at);
    }
    if (can_be_zero)
        r = joined(r, scan ? get(c, 0) : (struct bits){n, 0});
    put(c, 0, r.u & mask);
    if (scan && can_be_zero && n == 32)         /* the upper half is cleared, or stays */
        put_gpr(c, c->s->op[0].number, 8, 0, r.u | high);
    uint64_t u = can_be_zero ? FLAG_ZF : 0;
    if (!scan) {                                /* CF: the source is 0; ZF: the result is */
        bool first_u = down ? x.u >> (n - 1) & 1 : x.u & 1;
        u = (can_be_zero ? FLAG_CF : 0) | (first_u ? FLAG_ZF : 0);
    }
    put_flags(c, FLAGS_ARITHMETIC, u | (FLAGS_ARITHMETIC & ~(FLAG_CF | FLAG_ZF)) | (scan ? FLAG_CF : 0));
}

/* blsi, blsr, blsmsk: the lowest 1 may be at `first` … `known`. */
static void
lowest_set(struct ctx *c)
{
    unsigned n = width(c);
    struct bits x = get(c, 1), r;
    uint64_t mask = low_bits(n), known = x.v & ~x.u & mask, possible = (x.v | x.u) & mask;

    if (c->stop)
        return;
    if (!x.u) {
        put(c, 0, 0);
        put_flags(c, FLAGS_ARITHMETIC, 0);
        return;
    }
    uint64_t first = possible & -possible, limit = known & -known;     /* limit 0: there may be none */
    uint64_t upto = limit ? limit | (limit - 1) : mask, above = ~(first | (first - 1)) & mask;
    bool fixed = first == limit;
    switch ((enum bls)c->s->a) {
    case BLS_I: r = (struct bits){x.v & -x.v & mask, fixed ? 0 : possible & upto}; break;
    case BLS_R: r = (struct bits){x.v & (x.v - 1), (x.u & above) | (fixed ? 0 : limit)}; break;
    default: r = (struct bits){(x.v ^ (x.v - 1)) & mask, upto & above & (fixed ? 0 : mask)}; break;
    }
    put(c, 0, r.u & mask);
    uint64_t u = flags_of_result(r, n).u | (limit ? 0 : FLAG_CF);
    if (c->s->a == BLS_I)
        u = (u & ~FLAG_ZF) | (limit ? 0 : FLAG_ZF);
    if (c->s->a == BLS_MASK)
        u &= ~FLAG_ZF;
    put_flags(c, FLAGS_ARITHMETIC, u | FLAG_AF | FLAG_PF);
}

static void
bit_field(struct ctx *c)
{
    unsigned n = width(c);
    struct bits x = get(c, 1), control = get(c, 2), r;
    uint64_t mask = low_bits(n);

    if (c->stop)
        return;
    if (c->s->rule == RULE_BZHI) {
        unsigned k = control.v & 0xff;
        r = (struct bits){x.v & low_bits(k), x.u & low_bits(k)};
        if (control.u & 0xff) {                 /* what surely is cut off is defined */
            unsigned most = (control.v | control.u) & 0xff, least = control.v & ~control.u & 0xff;
            r.u = ((x.v | x.u) & low_bits(most) & ~low_bits(least)) | (x.u & low_bits(least));
        }
        put(c, 0, r.u & mask);
        put_flags(c, FLAGS_ARITHMETIC, flags_of_result(r, n).u | (control.u & 0xff ? FLAG_CF : 0) | (r.u ? FLAG_AF | FLAG_PF : 0));
        return;
    }
    unsigned start = control.v & 0xff, length = control.v >> 8 & 0xff;
    r = start < 64 ? (struct bits){x.v >> start & low_bits(length), x.u >> start & low_bits(length)} : zero;
    if (control.u & 0xffff)
        r = (struct bits){x.v, mask};
    put(c, 0, r.u & mask);
    put_flags(c, FLAGS_ARITHMETIC, r.u ? FLAG_ZF | FLAG_SF | FLAG_AF | FLAG_PF : 0);
    if (r.u && (r.v & ~r.u))
        put_flags(c, FLAG_ZF, 0);
}

static void
deposit_extract(struct ctx *c)
{
    struct bits x = get(c, 1), m = get(c, 2);
    uint64_t u = 0, mask = low_bits(width(c));

    if (c->stop)
        return;
    if (m.u) {
        uint64_t possible = m.v | m.u;
        u = c->s->rule == RULE_PDEP ? possible & mask : low_bits(population(possible & mask));
    } else {
        unsigned k = 0;
        for (uint64_t rest = m.v & mask; rest; rest &= rest - 1, k++) {
            unsigned at = (unsigned)__builtin_ctzll(rest);
            u |= c->s->rule == RULE_PDEP ? (x.u >> k & 1) << at : (x.u >> at & 1) << k;
        }
    }
    put(c, 0, u);
}

/* ---- compare and exchange ---- */

static void
compare_exchange(struct ctx *c)
{
    unsigned n = width(c), bytes = n / 8;
    struct bits old = get(c, 0), new = get(c, 1), rax = {gpr_value(c, RAX, bytes), gpr_bits(c, RAX, bytes)};

    if (c->stop)
        return;
    bool same = c->s->op[0].kind == OPERAND_GPR && c->s->op[0].number == RAX && !c->s->op[0].shift;
    struct flags f = flags_of_sum(rax, old, zero, n, true);
    if (same)
        f = (struct flags){0};
    if (f.u & FLAG_ZF) {
        uint64_t u = joined(old, new).u, to_rax = joined(rax, old).u;
        uint64_t high = bytes == 4 ? upper_half(c, RAX) : 0, to_high = upper_half(c, c->s->op[0].number);
        put_gpr(c, RAX, bytes, 0, to_rax);
        if (high)
            put_gpr(c, RAX, 8, 0, to_rax | high);
        put(c, 0, u);
        if (bytes == 4 && c->s->op[0].kind == OPERAND_GPR && c->s->op[0].number != RAX)
            put_gpr(c, c->s->op[0].number, 8, 0, u | to_high);
    } else if (old.v == rax.v && !((old.v ^ rax.v) & ~(old.u | rax.u))) {
        put(c, 0, new.u);
    } else if (c->s->op[0].kind == OPERAND_GPR) {       /* keeps its value, the upper half too */
        put_gpr(c, RAX, bytes, 0, old.u);
    } else {
        put(c, 0, old.u);
        put_gpr(c, RAX, bytes, 0, old.u);
    }
    put_flags(c, FLAGS_ARITHMETIC, f.u);
    put_relations(c, f.relations);
}

static void
compare_exchange_pair(struct ctx *c)
{
    static const uint8_t compared[2] = {RAX, RDX}, stored[2] = {RBX, RCX};
    unsigned n = c->s->b;
    bool differs = false, undefined = false;
    struct bits old[2] = {zero, zero}, own[2], new[2];

    for (unsigned i = 0; i < 2; i++) {
        load_memory_bits(c, c->address + i * n, n, (uint8_t *)&old[i].u);
        if (!load_memory(c, c->address + i * n, n, &old[i].v))
            return;
        own[i] = (struct bits){gpr_value(c, compared[i], n), gpr_bits(c, compared[i], n)};
        new[i] = (struct bits){gpr_value(c, stored[i], n), gpr_bits(c, stored[i], n)};
        differs |= (old[i].v ^ own[i].v) & ~(old[i].u | own[i].u);
        undefined |= old[i].u | own[i].u;
    }
    undefined &= !differs;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t memory = undefined ? joined(old[i], new[i]).u : differs ? old[i].u : new[i].u;
        uint64_t to_own = undefined ? joined(own[i], old[i]).u : differs ? old[i].u : own[i].u;
        put_memory(c, c->address + i * n, n, (const uint8_t *)&memory);
        if (undefined || differs)
            put_gpr(c, compared[i], 8, 0, to_own | (undefined && n == 4 ? upper_half(c, compared[i]) : 0));
    }
    put_flags(c, FLAG_ZF, undefined ? FLAG_ZF : 0);
}

static void
exchange_add(struct ctx *c)
{
    struct bits a = get(c, 0), b = get(c, 1);

    if (c->stop)
        return;
    struct flags f = flags_of_sum(a, b, zero, width(c), false);
    put(c, 1, a.u);
    put(c, 0, f.result);
    put_flags(c, FLAGS_ARITHMETIC, f.u);
}

static void
add_with_one_carry(struct ctx *c)
{
    uint64_t flag = c->s->a ? FLAG_OF : FLAG_CF;
    struct bits a = get(c, 0), b = get(c, 1), carry = {!!(c->mc->rflags & flag), !!(c->rs->flags & flag)};

    if (c->stop)
        return;
    struct flags f = flags_of_sum(a, b, carry, width(c), false);
    put(c, 0, f.result);
    put_flags(c, flag, f.u & FLAG_CF ? flag : 0);
}

/* ---- the rest ---- */

static void
sign_extend_ax(struct ctx *c)
{
    unsigned bytes = c->s->b, from = 8 * bytes;
    uint64_t u = c->rs->gpr[RAX];

    if (c->s->a) {
        put_gpr(c, RDX, bytes, 0, u >> (from - 1) & 1 ? ~0ull : 0);
        return;
    }
    from /= 2;
    u &= low_bits(from);
    put_gpr(c, RAX, bytes, 0, u >> (from - 1) & 1 ? u | ~low_bits(from) : u);
}

static void
define(struct ctx *c)
{
    const struct step *s = c->s;
    bool partial = s->count && s->op[0].kind == OPERAND_GPR && s->op[0].bytes < 4;
    uint64_t none[2] = {0, 0};

    for (unsigned r = 0; r < 16; r++)
        if (s->gpr_written >> r & 1 && !(partial && r == s->op[0].number))
            put_gpr(c, r, 8, 0, 0);
    if (s->mem != 0xff && s->flags & STEP_WRITES_MEMORY)
        put_memory(c, c->address, s->op[s->mem].bytes < 16 ? s->op[s->mem].bytes : 16, (const uint8_t *)none);
    if (partial)
        put(c, 0, 0);
    put_flags(c, s->flags_written, 0);
}

static void
any_to_all(struct ctx *c)
{
    const struct step *s = c->s;
    bool any = s->flags_read & c->rs->flags;

    for (unsigned r = 0; r < 16; r++)
        any |= (s->gpr_read >> r & 1) && c->rs->gpr[r];
    for (unsigned i = 0; i < s->count; i++)
        any |= bits_of(c, i) != 0;
    uint64_t u = any ? ~0ull : 0;
    for (unsigned r = 0; r < 16; r++)
        if (s->gpr_written >> r & 1)
            put_gpr(c, r, 8, 0, u);
    if (s->flags & STEP_WRITES_MEMORY)
        put(c, s->mem, u);
    put_flags(c, s->flags_written, u);
}

static void
translate_byte(struct ctx *c)
{
    uint64_t a, u = 0;

    check_register(c, RBX, 8);
    check_register(c, RAX, 1);
    a = c->mc->gpr[RBX] + (c->mc->gpr[RAX] & 0xff);
    if (c->s->flags & STEP_ADDRESS32)
        a = (uint32_t)a;
    check_access(c, a, 1, false);
    load_memory_bits(c, a, 1, (uint8_t *)&u);
    put_gpr(c, RAX, 1, 0, u);
}

/* ---- mask registers ---- */

static uint64_t
two_operand_logic(unsigned table, struct bits a, struct bits b, bool same)
{
    uint64_t can[2] = {0, 0};

    for (unsigned i = 0; i < 4; i++) {          /* a, b each 0 or 1: bits 2 and 1 of the table's index */
        uint64_t p = (i & 2 ? a.v | a.u : ~a.v | a.u) & (i & 1 ? b.v | b.u : ~b.v | b.u);
        if (same && (i == 1 || i == 2))
            continue;
        can[table >> (2 * i) & 1] |= p;
    }
    return can[0] & can[1];
}

static void
mask_rule(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned n = 8u * s->b;
    uint64_t mask = low_bits(n);
    struct bits a = get(c, s->rule == RULE_K_TEST ? 0 : 1), b = s->rule == RULE_K_NOT || s->rule == RULE_K_SHIFT ? zero : get(c, s->rule == RULE_K_TEST ? 1 : 2);
    bool same = s->rule != RULE_K_TEST && s->count > 2 && s->op[1].number == s->op[2].number;

    a = (struct bits){a.v & mask, a.u & mask};
    b = (struct bits){b.v & mask, b.u & mask};
    switch (s->rule) {
    case RULE_K_LOGIC: put(c, 0, two_operand_logic(s->a, a, b, same) & mask); return;
    case RULE_K_NOT: put(c, 0, a.u); return;
    case RULE_K_SHIFT: put(c, 0, shifted(s->a, a, (unsigned)s->imm & 0xff, n).u); return;
    case RULE_K_UNPACK: put(c, 0, a.u << n | b.u); return;
    case RULE_K_ADD: put(c, 0, (same ? a.u << 1 : undefined_sum(a, b, zero)) & mask); return;
    default: break;
    }
    uint64_t u = 0, x, xu;
    same = s->op[0].number == s->op[1].number;
    if (s->a) {                                 /* kortest: ZF: the or is 0; CF: it is all ones */
        x = (a.v | b.v) & mask;
        xu = two_operand_logic(0xfc, a, b, same) & mask;
        u = (xu && !(x & ~xu) ? FLAG_ZF : 0) | (xu && !(~x & ~xu & mask) ? FLAG_CF : 0);
    } else {                                    /* ktest: ZF: the and is 0; CF: ~a & b is */
        x = a.v & b.v;
        xu = two_operand_logic(0xc0, a, b, same) & mask;
        u = xu && !(x & ~xu) ? FLAG_ZF : 0;
        x = ~a.v & b.v & mask;
        xu = two_operand_logic(0x0c, a, b, same) & mask;
        u |= xu && !(x & ~xu) ? FLAG_CF : 0;
    }
    put_flags(c, FLAGS_ARITHMETIC, u);
}

void
propagate_integer(struct ctx *c)
{
    const struct step *s = c->s;
    uint64_t u;

    switch ((enum rule)s->rule) {
    case RULE_NOTHING: break;
    case RULE_DEFINE: define(c); break;
    case RULE_MOV:
    case RULE_MOVZX: put(c, 0, bits_of(c, 1)); break;
    case RULE_MOVSX: move_sign_extended(c); break;
    case RULE_MOVBE: put(c, 0, bytes_reversed(bits_of(c, 1), s->op[0].bytes)); break;
    case RULE_BSWAP: put(c, 0, bytes_reversed(bits_of(c, 0), s->op[0].bytes)); break;
    case RULE_LEA: load_address(c); break;
    case RULE_XCHG: exchange(c); break;
    case RULE_PUSH: push(c); break;
    case RULE_POP: pop(c); break;
    case RULE_PUSHF: u = c->rs->flags; put_memory(c, pushed(c, s->op[0].bytes), s->op[0].bytes, (const uint8_t *)&u); break;
    case RULE_POPF: u = load_bits8(c, popped(c, s->op[0].bytes), s->op[0].bytes); put_flags(c, FLAGS_ARITHMETIC | FLAG_DF, u); break;
    case RULE_ENTER: enter(c); break;
    case RULE_LEAVE: leave(c); break;
    case RULE_CALL: call(c); break;
    case RULE_RET: ret(c); break;
    case RULE_JMP: indirect_target(c); break;
    case RULE_JCC: jump_on(c, condition_undefined(c->rs, c->mc->rflags, s->a)); break;
    case RULE_LOOP:
    case RULE_JCXZ: jump_on_count(c); break;
    case RULE_SETCC: put(c, 0, condition_undefined(c->rs, c->mc->rflags, s->a)); break;
    case RULE_CMOVCC: conditional_move(c); break;
    case RULE_AND:
    case RULE_OR:
    case RULE_XOR: logic(c, true); break;
    case RULE_TEST: logic(c, false); break;
    case RULE_ANDN: and_not(c); break;
    case RULE_NOT: put(c, 0, bits_of(c, 0)); break;
    case RULE_ADD: add_or_subtract(c, false, false, true); break;
    case RULE_ADC: add_or_subtract(c, false, true, true); break;
    case RULE_SUB: add_or_subtract(c, true, false, true); break;
    case RULE_SBB: add_or_subtract(c, true, true, true); break;
    case RULE_CMP: add_or_subtract(c, true, false, false); break;
    case RULE_INC:
    case RULE_DEC:
        if (!put_defined(c, bits_of(c, 0), true))
            sum(c, get(c, 0), (struct bits){1, 0}, zero, s->rule == RULE_DEC, true, FLAG_CF);
        break;
    case RULE_NEG:
        if (!put_defined(c, bits_of(c, 0), true))
            sum(c, zero, get(c, 0), zero, true, true, 0);
        break;
    case RULE_ADX: add_with_one_carry(c); break;
    case RULE_XADD: exchange_add(c); break;
    case RULE_CMPXCHG: compare_exchange(c); break;
    case RULE_CMPXCHG_PAIR: compare_exchange_pair(c); break;
    case RULE_MUL: multiply(c); break;
    case RULE_DIV: divide(c); break;
    case RULE_SHIFT: shift(c); break;
    case RULE_DOUBLE_SHIFT: double_shift(c); break;
    case RULE_BIT: single_bit(c); break;
    case RULE_BIT_SCAN: bit_scan(c); break;
    case RULE_BLS: lowest_set(c); break;
    case RULE_BEXTR:
    case RULE_BZHI: bit_field(c); break;
    case RULE_PDEP:
    case RULE_PEXT: deposit_extract(c); break;
    case RULE_SIGN_EXTEND_AX: sign_extend_ax(c); break;
    case RULE_LAHF: put_gpr(c, RAX, 1, 8, c->rs->flags & 0xff); break;
    case RULE_SAHF: put_flags(c, FLAGS_ARITHMETIC & 0xff, c->rs->gpr[RAX] >> 8); break;
    case RULE_FLAG:
        if (s->a != 0xff)
            put_flags(c, 1ull << s->a, 0);
        break;
    case RULE_XLAT: translate_byte(c); break;
    case RULE_CRC32: put(c, 0, bits_of(c, 0) | bits_of(c, 1) ? 0xffffffff : 0); break;
    case RULE_SYSCALL: put_gpr(c, RCX, 8, 0, 0); put_gpr(c, R11, 8, 0, 0); put_gpr(c, RAX, 8, 0, 0); break;
    case RULE_K_LOGIC:
    case RULE_K_NOT:
    case RULE_K_SHIFT:
    case RULE_K_UNPACK:
    case RULE_K_ADD:
    case RULE_K_TEST: mask_rule(c); break;
    default: any_to_all(c); break;
    }
}
