/* Rules of the vector and mask instructions: the result's undefined bits are
 * computed lane by lane, then the mask is applied, then they are stored.
 * Values are read only where something is undefined. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_arithmetic.h"

static const struct bits zero = {0, 0};

/* ---- lanes and operands ---- */

static uint64_t
lane(const union vector *x, unsigned size, unsigned i)
{
    switch (size) {
    case 1: return x->b[i];
    case 2: return x->w[i];
    case 4: return x->d[i];
    default: return x->q[i];
    }
}

static void
set_lane(union vector *x, unsigned size, unsigned i, uint64_t v)
{
    switch (size) {
    case 1: x->b[i] = (uint8_t)v; break;
    case 2: x->w[i] = (uint16_t)v; break;
    case 4: x->d[i] = (uint32_t)v; break;
    default: x->q[i] = v; break;
    }
}

static void
fill(union vector *x, unsigned at, unsigned n, uint8_t v)
{
    memset(x->b + at, v, n);
}

static bool
any_in(const union vector *x, unsigned at, unsigned n)
{
    uint8_t any = 0;

    for (unsigned i = 0; i < n && at + i < 64; i++)
        any |= x->b[at + i];
    return any;
}

static bool
any(const union vector *x)
{
    return x->q[0] | x->q[1] | x->q[2] | x->q[3] | x->q[4] | x->q[5] | x->q[6] | x->q[7];
}

static bool
is_broadcast(const struct ctx *c, unsigned i)
{
    return c->s->op[i].kind == OPERAND_MEMORY && c->s->flags & STEP_BROADCAST;
}

static void
repeat(union vector *x, unsigned size)
{
    for (unsigned i = size; i < 64; i++)
        x->b[i] = x->b[i - size];
}

static unsigned
memory_bytes(const struct ctx *c, unsigned i)
{
    return c->s->op[i].bytes < 64 ? c->s->op[i].bytes : 64;
}

/* Definedness of operand i: what is beyond its size is 0. */
static void
load_bits(struct ctx *c, unsigned i, union vector *u)
{
    const struct operand *o = &c->s->op[i];

    *u = (union vector){.q = {0}};
    switch (o->kind) {
    case OPERAND_VECTOR: memcpy(u->b, c->rs->zmm[o->number], o->bytes >= 16 ? o->bytes : 16); break;
    case OPERAND_MMX: memcpy(u->b, c->rs->st[o->number], 8); break;
    case OPERAND_GPR:
    case OPERAND_MASK: u->q[0] = bits_of(c, i); break;
    case OPERAND_MEMORY:
        load_memory_bits(c, c->address, memory_bytes(c, i), u->b);
        if (is_broadcast(c, i))
            repeat(u, o->bytes);
        break;
    default: break;
    }
}

static uint64_t
read_mmx(unsigned r)
{
    uint64_t v = 0;

    switch (r) {
#define READ_MMX(n) case n: __asm__ volatile("movq %%mm" #n ", %0" : "=m"(v)); break;
    READ_MMX(0) READ_MMX(1) READ_MMX(2) READ_MMX(3) READ_MMX(4) READ_MMX(5) READ_MMX(6) READ_MMX(7)
    }
    return v;
}

/* Values under a mask: what inactive elements would read may not be there. */
static void
load_active(struct ctx *c, const struct operand *o, union vector *v)
{
    unsigned bytes = o->bytes < 64 ? o->bytes : 64, size = o->element ? o->element : bytes;
    uint64_t k = read_k(c->s->mask);

    if (dr_safe_read(v->b, c->address, bytes))
        return;
    for (unsigned i = 0; i < bytes / size; i++)
        if (!dr_safe_read(v->b + i * size, c->address + i * size, size)) {
            memset(v->b + i * size, 0, size);
            c->stop |= k >> i & 1;
        }
}

static void
load_value(struct ctx *c, unsigned i, union vector *v)
{
    const struct operand *o = &c->s->op[i];

    *v = (union vector){.q = {0}};
    switch (o->kind) {
    case OPERAND_VECTOR:
        read_zmm(o->number, o->bytes, v);
        if (o->bytes < 64)
            memset(v->b + (o->bytes < 16 ? 16 : o->bytes), 0, 64u - (o->bytes < 16 ? 16 : o->bytes));
        break;
    case OPERAND_MMX: v->q[0] = read_mmx(o->number); break;
    case OPERAND_GPR:
    case OPERAND_MASK: v->q[0] = value_of(c, i); break;
    case OPERAND_MEMORY:
        if (c->s->mask && !is_broadcast(c, i))
            load_active(c, o, v);
        else
            load_memory(c, c->address, memory_bytes(c, i), v->b);
        if (is_broadcast(c, i))
            repeat(v, o->bytes);
        break;
    default: break;
    }
}

/* Source n (0, 1): legacy instructions have the destination for the first. */
static unsigned
source(const struct ctx *c, unsigned n)
{
    return c->s->count >= 3 ? n + 1 : n;
}

static bool
same_vector(const struct ctx *c, unsigned i, unsigned j)
{
    const struct operand *a = &c->s->op[i], *b = &c->s->op[j];

    return a->kind == b->kind && (a->kind == OPERAND_VECTOR || a->kind == OPERAND_MMX) && a->number == b->number;
}

struct pair { union vector v[2], u[2]; bool same; };

/* Both sources; values only if one has an undefined bit. False: neither has. */
static bool
load_pair(struct ctx *c, struct pair *p)
{
    unsigned i = source(c, 0), j = source(c, 1);

    load_bits(c, i, &p->u[0]);
    load_bits(c, j, &p->u[1]);
    p->same = same_vector(c, i, j);
    if (!any(&p->u[0]) && !any(&p->u[1]))
        return false;
    load_value(c, i, &p->v[0]);
    load_value(c, j, &p->v[1]);
    return true;
}

static struct bits
lane_bits(const struct pair *p, unsigned which, unsigned size, unsigned i)
{
    return (struct bits){lane(&p->v[which], size, i), lane(&p->u[which], size, i)};
}

/* ---- masks and results ---- */

static void
store_whole(struct ctx *c, unsigned i, const union vector *u, unsigned bytes)
{
    const struct operand *o = &c->s->op[i];
    union vector all = {.q = {0}};

    if (c->stop)
        return;
    switch (o->kind) {
    case OPERAND_VECTOR:
        memcpy(all.b, u->b, bytes);
        put_vector(c, o->number, 0, c->s->flags & STEP_VEX ? 64 : bytes, all.b);
        break;
    case OPERAND_MMX:                           /* sets sign and exponent of the x87 register to ones */
        memcpy(all.b, u->b, 8);
        put_st(c, o->number, 10, all.b);
        break;
    case OPERAND_MEMORY: put_memory(c, c->address, bytes, u->b); break;
    default: put(c, i, u->q[0]); break;
    }
}

/* The result in operand 0, through the mask: merging keeps what is there, zeroing clears it. */
static void
store_masked(struct ctx *c, union vector *u, unsigned bytes, unsigned size)
{
    const struct step *s = c->s;
    uint64_t k = read_k(s->mask), ku = c->rs->k[s->mask];
    union vector old;

    load_bits(c, 0, &old);
    for (unsigned i = 0; i < bytes / size; i++) {
        if (ku >> i & 1)
            fill(u, i * size, size, 0xff);
        else if (!(k >> i & 1) && s->flags & STEP_ZEROING)
            fill(u, i * size, size, 0);
        else if (!(k >> i & 1))
            memcpy(u->b + i * size, old.b + i * size, size);
    }
    if (c->stop)
        return;
    if (s->op[0].kind != OPERAND_MEMORY) {
        store_whole(c, 0, u, bytes);
        return;
    }
    for (unsigned i = 0; i < bytes / size; i++)
        if ((k | ku) >> i & 1)
            put_memory(c, c->address + i * size, size, u->b + i * size);
}

static unsigned
destination_bytes(const struct ctx *c)
{
    return c->s->op[0].kind == OPERAND_MEMORY ? memory_bytes(c, 0) : c->s->op[0].bytes < 64 ? c->s->op[0].bytes : 64;
}

static void
store(struct ctx *c, union vector *u)
{
    if (c->s->mask)
        store_masked(c, u, destination_bytes(c), c->s->op[0].element);
    else
        store_whole(c, 0, u, destination_bytes(c));
}

/* A mask register as the result of a comparison: the writemask clears. */
static void
store_k(struct ctx *c, uint64_t u, unsigned lanes)
{
    const struct step *s = c->s;

    u &= low_bits(lanes);
    if (s->mask)
        u = (u & read_k(s->mask)) | (c->rs->k[s->mask] & low_bits(lanes));
    if (!c->stop)
        put_k(c, s->op[0].number, u);
}

/* Only active elements of a masked operand are accessed, except where the instruction needs the whole. */
static void
check_masked_memory(struct ctx *c)
{
    const struct step *s = c->s;
    const struct operand *o = &s->op[s->mem];
    unsigned size = o->element ? o->element : 1, n = o->bytes / size;
    bool write = s->flags & STEP_WRITES_MEMORY, whole = s->rule == RULE_V_PACK || s->rule == RULE_V_WITHIN || (s->rule == RULE_V_SHIFT && o->bytes == 16 && s->op[0].bytes != 16);
    const struct operand *to = s->op[0].kind == OPERAND_MASK ? &s->op[1] : &s->op[0];
    unsigned lanes = s->rule == RULE_V_SCALAR ? 1 : to->element ? to->bytes / to->element : 64;
    uint64_t k = read_k(s->mask) & low_bits(lanes);

    if (s->rule == RULE_V_SHUFFLE && s->a != SHUFFLE_BROADCAST && !write)
        whole = true;
    if (whole || s->flags & STEP_BROADCAST || s->rule == RULE_V_SCALAR || (s->rule == RULE_V_SHUFFLE && s->a == SHUFFLE_BROADCAST)) {
        if (whole || k)
            check_access(c, c->address, o->bytes, write);
        return;
    }
    for (unsigned i = 0; i < n && i < 64;) {    /* runs of active elements at once */
        unsigned from = i;
        while (i < n && i < 64 && k >> i & 1)
            i++;
        if (i > from)
            check_stretch(c, c->address + from * size, (i - from) * size, write);
        else
            i++;
    }
}

/* ---- moves, logic ---- */

static void
move(struct ctx *c)
{
    union vector u;
    unsigned most = c->s->a;

    load_bits(c, 1, &u);
    if (most)
        memset(u.b + most, 0, 64 - most);
    if (c->s->op[0].kind == OPERAND_VECTOR && !(c->s->flags & STEP_VEX) && destination_bytes(c) < 16)
        store_whole(c, 0, &u, 16);              /* movq clears the upper half */
    else
        store(c, &u);
}

/* movss, movsd: from memory, the rest is cleared; between registers it stays, or is the first source's. */
static void
move_low(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned n = s->a;
    union vector u, rest;

    load_bits(c, s->count - 1u, &u);
    memset(u.b + n, 0, 64 - n);
    if (s->op[0].kind == OPERAND_MEMORY) {
        if (!s->mask)
            store_whole(c, 0, &u, n);
        else
            store_masked(c, &u, n, n);
        return;
    }
    if (s->op[s->count - 1].kind != OPERAND_MEMORY) {
        load_bits(c, s->count == 3 ? 1 : 0, &rest);
        memcpy(u.b + n, rest.b + n, 16 - n);
    }
    if (s->mask) {                              /* of the low element only */
        uint64_t k = read_k(s->mask), ku = c->rs->k[s->mask];
        load_bits(c, 0, &rest);
        if (ku & 1)
            fill(&u, 0, n, 0xff);
        else if (!(k & 1) && s->flags & STEP_ZEROING)
            fill(&u, 0, n, 0);
        else if (!(k & 1))
            memcpy(u.b, rest.b, n);
    }
    store_whole(c, 0, &u, 16);
}

/* Undefined bits of a function of three bits: it can be 0 and it can be 1. */
static uint64_t
ternary(unsigned table, const struct bits x[3], bool same01, bool same02, bool same12)
{
    uint64_t can[2] = {0, 0};

    for (unsigned i = 0; i < 8; i++) {
        unsigned b0 = i >> 2, b1 = i >> 1 & 1, b2 = i & 1;
        if ((same01 && b0 != b1) || (same02 && b0 != b2) || (same12 && b1 != b2))
            continue;
        can[table >> i & 1] |= (b0 ? x[0].v | x[0].u : ~x[0].v | x[0].u) & (b1 ? x[1].v | x[1].u : ~x[1].v | x[1].u) & (b2 ? x[2].v | x[2].u : ~x[2].v | x[2].u);
    }
    return can[0] & can[1];
}

static void
logic(struct ctx *c)
{
    const struct step *s = c->s;
    union vector v[3] = {0}, u[3] = {0}, r = {.q = {0}};
    bool three = s->rule == RULE_V_TERNARY_LOGIC;
    unsigned n = three ? 3 : 2, table = three ? (unsigned)s->imm & 0xff : s->a, at[3];
    uint64_t some = 0;

    for (unsigned i = 0; i < n; i++) {
        at[i] = three ? i : source(c, i);
        load_bits(c, at[i], &u[i]);
        some |= any(&u[i]);
    }
    if (!some) {
        store(c, &r);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        load_value(c, at[i], &v[i]);
    bool s01 = same_vector(c, at[0], at[1]), s02 = three && same_vector(c, 0, 2), s12 = three && same_vector(c, 1, 2);
    for (unsigned q = 0; q < 8; q++) {
        if (!(u[0].q[q] | u[1].q[q] | u[2].q[q]))
            continue;
        struct bits x[3] = {{v[0].q[q], u[0].q[q]}, {v[1].q[q], u[1].q[q]}, {v[2].q[q], u[2].q[q]}};
        r.q[q] = ternary(table, x, s01, s02, s12);
    }
    store(c, &r);
}

/* ---- integer arithmetic ---- */

static bool
undefined_comparison(unsigned predicate, bool is_unsigned, struct bits a, struct bits b, unsigned n)
{
    uint64_t mask = low_bits(n);

    if (!((a.u | b.u) & mask))
        return false;
    int64_t a0 = least(a, n), a1 = greatest(a, n), b0 = least(b, n), b1 = greatest(b, n);
    if (is_unsigned) {                          /* compared with the sign flipped */
        int64_t flip = INT64_MIN;
        a0 = (int64_t)(a.v & ~a.u & mask) ^ flip, a1 = (int64_t)((a.v | a.u) & mask) ^ flip;
        b0 = (int64_t)(b.v & ~b.u & mask) ^ flip, b1 = (int64_t)((b.v | b.u) & mask) ^ flip;
    }
    switch (predicate & 3) {
    case 0: return !((a.v ^ b.v) & ~(a.u | b.u) & mask);
    case 1: return !(a1 < b0 || a0 >= b1);      /* less */
    case 2: return !(a1 <= b0 || a0 > b1);
    default: return false;                      /* false, true */
    }
}

static void
compare(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->b, predicate = s->a & 0x10 ? (unsigned)s->imm & 7 : s->a & 7;
    bool to_k = s->op[0].kind == OPERAND_MASK;
    unsigned lanes = (to_k ? s->op[1].bytes : s->op[0].bytes) / size;
    struct pair p;
    union vector r = {.q = {0}};
    uint64_t k = 0;

    if (load_pair(c, &p) && !p.same)
        for (unsigned i = 0; i < lanes; i++)
            if (undefined_comparison(predicate, s->a & 8, lane_bits(&p, 0, size, i), lane_bits(&p, 1, size, i), 8 * size)) {
                k |= 1ull << i;
                fill(&r, i * size, size, 0xff);
            }
    if (to_k)
        store_k(c, k, lanes);
    else
        store(c, &r);
}

static void
test_mask(struct ctx *c)
{
    unsigned size = c->s->b, lanes = c->s->op[1].bytes / size;
    struct pair p;
    uint64_t k = 0;

    if (load_pair(c, &p))
        for (unsigned i = 0; i < lanes; i++) {
            struct bits a = lane_bits(&p, 0, size, i), b = lane_bits(&p, 1, size, i);
            uint64_t u = (a.u | b.u) & (a.v | a.u) & (b.v | b.u);
            if (u && !(a.v & b.v & ~u))
                k |= 1ull << i;
        }
    store_k(c, k, lanes);
}

static uint64_t
negated(struct bits x, unsigned n)
{
    return undefined_difference(zero, x, zero) & low_bits(n);
}

/* What becomes of one lane of two sources. */
static uint64_t
binary_lane(const struct ctx *c, struct bits a, struct bits b, bool same, unsigned size)
{
    const struct step *s = c->s;
    unsigned n = 8 * size;

    switch (s->rule) {
    case RULE_V_ADD: return same ? a.u << 1 : undefined_sum(a, b, zero);
    case RULE_V_SUB: return same ? 0 : undefined_difference(a, b, zero);
    case RULE_V_MULTIPLY_EVEN:
        a = (struct bits){(uint32_t)a.v, (uint32_t)a.u};
        b = (struct bits){(uint32_t)b.v, (uint32_t)b.u};
        return (uint64_t)undefined_product(a, b, 32, s->a);
    default: {                                  /* min, max: one of the two */
        bool flip = s->a & 1, is_unsigned = s->a & 8;
        if (same)
            return a.u;
        if (undefined_comparison(1, is_unsigned, a, b, n))
            return joined(a, b).u;
        bool less = is_unsigned ? a.v < b.v : (int64_t)(a.v << (64 - n)) < (int64_t)(b.v << (64 - n));
        return less != flip ? a.u : b.u;
    }
    }
}

static void
binary(struct ctx *c)
{
    unsigned size = c->s->b, lanes = destination_bytes(c) / size;
    struct pair p;
    union vector r = {.q = {0}};

    if (load_pair(c, &p))
        for (unsigned i = 0; i < lanes; i++) {
            struct bits a = lane_bits(&p, 0, size, i), b = lane_bits(&p, 1, size, i);
            if (a.u | b.u)
                set_lane(&r, size, i, binary_lane(c, a, b, p.same, size));
        }
    store(c, &r);
}

static void
absolute(struct ctx *c)
{
    unsigned size = c->s->b, n = 8 * size, lanes = destination_bytes(c) / size;
    union vector u, v, r = {.q = {0}};

    load_bits(c, 1, &u);
    load_value(c, 1, &v);
    for (unsigned i = 0; i < lanes; i++) {
        struct bits x = {lane(&v, size, i), lane(&u, size, i)}, minus = {(0 - x.v) & low_bits(n), negated(x, n)};
        bool sign = x.v >> (n - 1) & 1, sign_u = x.u >> (n - 1) & 1;
        set_lane(&r, size, i, !x.u ? 0 : sign_u ? joined(x, minus).u : sign ? minus.u : x.u);
    }
    store(c, &r);
}

static void
count_bits(struct ctx *c)
{
    unsigned size = c->s->op[0].element, n = 8 * size, lanes = destination_bytes(c) / size;
    union vector u, v, r = {.q = {0}};

    load_bits(c, 1, &u);
    load_value(c, 1, &v);
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t x = lane(&v, size, i), xu = lane(&u, size, i), least = 0, most = 0;
        if (!xu)
            continue;
        for (unsigned k = 0; k < n; k++) {
            least += x >> k & ~(xu >> k) & 1;
            most += (x | xu) >> k & 1;
        }
        if (!c->s->a) {                         /* leading zeros: between those with all set and with none */
            uint64_t known = x & ~xu;
            least = (uint64_t)__builtin_clzll(x | xu) - (64 - n);
            most = known ? (uint64_t)__builtin_clzll(known) - (64 - n) : n;
        }
        uint64_t spread = least ^ most;
        set_lane(&r, size, i, spread ? low_bits(64 - (unsigned)__builtin_clzll(spread)) : 0);
    }
    store(c, &r);
}

/* ---- shifts ---- */

static void
shift(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->b, n = 8 * size, lanes = destination_bytes(c) / size, op = s->a & 7;
    bool imm = s->flags & STEP_IMMEDIATE, by_lane = s->a & SHIFT_BY_LANE, rotate = op >= SHIFT_ROL;
    unsigned from = imm ? s->count - 1u : source(c, 0), by = source(c, 1);
    union vector v, u, cv = {.q = {0}}, cu = {.q = {0}}, r = {.q = {0}};

    load_bits(c, from, &u);
    load_value(c, from, &v);
    if (imm) {
        cv.q[0] = s->imm & 0xff;
    } else {
        load_bits(c, by, &cu);
        load_value(c, by, &cv);
    }
    for (unsigned i = 0; i < lanes; i++) {
        struct bits x = {lane(&v, size, i), lane(&u, size, i)}, count = {cv.q[0], cu.q[0]};
        if (by_lane)
            count = (struct bits){lane(&cv, size, i), lane(&cu, size, i)};
        set_lane(&r, size, i, shifted_by(op, x, count, n, rotate ? n : 0).u);
    }
    store(c, &r);
}

static void
double_shift(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->b, n = 8 * size, lanes = destination_bytes(c) / size;
    bool right = s->a & 1, by_lane = s->a & SHIFT_BY_LANE;
    union vector a, b, cv = {.q = {0}}, cu = {.q = {0}}, r = {.q = {0}};

    load_bits(c, by_lane ? 0 : 1, &a);
    load_bits(c, by_lane ? 1 : 2, &b);
    if (by_lane) {
        load_bits(c, 2, &cu);
        load_value(c, 2, &cv);
    }
    for (unsigned i = 0; i < lanes; i++) {
        unsigned count = (unsigned)(by_lane ? lane(&cv, size, i) : s->imm) & (n - 1);
        struct bits x = {0, lane(&a, size, i)}, y = {0, lane(&b, size, i)};
        uint64_t u = count ? shifted(right ? SHIFT_SHR : SHIFT_SHL, x, count, n).u | shifted(right ? SHIFT_SHL : SHIFT_SHR, y, n - count, n).u : x.u;
        set_lane(&r, size, i, lane(&cu, size, i) & (n - 1) ? ~0ull : u);
    }
    store(c, &r);
}

/* ---- shuffles ---- */

/* The operand whose elements say where bytes come from; -1: none. */
static int
control_operand(const struct step *s)
{
    switch (s->a) {
    case SHUFFLE_PSHUFB:
    case SHUFFLE_IN_LANE_VAR: return s->count >= 3 ? 2 : 1;
    case SHUFFLE_PERM_VAR:
    case SHUFFLE_PERM_TWO: return 1;
    case SHUFFLE_PERMI: return 0;
    case SHUFFLE_BLENDV: return s->count >= 4 ? 3 : 2;
    default: return -1;
    }
}

/* Which operands are sources 0 and 1 of the map. */
static void
shuffle_sources(const struct step *s, unsigned *a, unsigned *b)
{
    *a = s->count >= 3 ? 1 : 0;
    *b = s->count >= 3 ? 2 : 1;
    switch (s->a) {
    case SHUFFLE_PERM_VAR: *a = *b = 2; break;
    case SHUFFLE_PERM_TWO: *a = 0, *b = 2; break;
    case SHUFFLE_BLENDV: *a = s->count >= 4 ? 1 : 0, *b = s->count >= 4 ? 2 : 1; break;
    case SHUFFLE_BYTES_LEFT:
    case SHUFFLE_BYTES_RIGHT: *a = *b = s->count - 1u; break;
    default: break;
    }
}

static void
shuffle(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned bytes = destination_bytes(c), i0, i1;
    int control = control_operand(s);
    union vector cv = {.q = {0}}, cu = {.q = {0}}, u[3], r;
    struct shuffle_map m;

    if (control >= 0) {
        load_bits(c, (unsigned)control, &cu);
        load_value(c, (unsigned)control, &cv);
    }
    if (s->op[0].kind == OPERAND_GPR || (s->op[0].kind == OPERAND_VECTOR && bytes < 16))
        bytes = s->op[0].kind == OPERAND_GPR ? 8 : 16;
    shuffle_make(s, bytes, &cv, &cu, &m);
    shuffle_sources(s, &i0, &i1);
    load_bits(c, i0, &u[0]);
    load_bits(c, i1, &u[1]);
    load_bits(c, 0, &u[2]);
    for (unsigned i = 0; i < bytes; i++)
        r.b[i] = m.from[i] == SHUFFLE_ZERO ? 0 : m.from[i] == SHUFFLE_UNKNOWN ? 0xff : u[m.from[i] / 64].b[m.from[i] % 64];
    if (s->mask)
        store_masked(c, &r, bytes, s->op[0].element);
    else
        store_whole(c, 0, &r, s->op[0].kind == OPERAND_MEMORY ? memory_bytes(c, 0) : bytes);
}

/* ---- widths ---- */

/* A lane of n bits saturated to m: undefined only by what survives. */
static uint64_t
saturated(struct bits x, unsigned n, unsigned m, bool from_unsigned, bool to_unsigned)
{
    int64_t lo = least(x, n), hi = greatest(x, n), min = to_unsigned ? 0 : -(1ll << (m - 1)), max = to_unsigned ? (1ll << m) - 1 : (1ll << (m - 1)) - 1;

    if (!x.u)
        return 0;
    if (from_unsigned) {
        uint64_t most = x.v | x.u, fewest = x.v & ~x.u;
        return most <= (uint64_t)max ? x.u : fewest > (uint64_t)max ? 0 : low_bits(m);
    }
    if (lo >= min && hi <= max)
        return x.u & low_bits(m);
    return lo > max || hi < min ? 0 : low_bits(m);
}

static void
pack(struct ctx *c)
{
    unsigned size = c->s->b, half = size / 2, bytes = destination_bytes(c), block = bytes < 16 ? bytes : 16, lanes = block / size;
    struct pair p;
    union vector r = {.q = {0}};

    if (load_pair(c, &p))
        for (unsigned at = 0; at < bytes; at += block)
            for (unsigned i = 0; i < 2 * lanes; i++) {
                struct bits x = lane_bits(&p, i >= lanes, size, at / size + i % lanes);
                set_lane(&r, half, at / half + i, saturated(x, 8 * size, 8 * half, false, c->s->a));
            }
    store(c, &r);
}

static void
narrow(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned to = s->op[0].element, from = s->op[1].element, lanes = s->op[1].bytes / from;
    union vector u, v, r = {.q = {0}};

    load_bits(c, 1, &u);
    if (s->a)
        load_value(c, 1, &v);
    for (unsigned i = 0; i < lanes; i++) {
        struct bits x = {s->a ? lane(&v, from, i) : 0, lane(&u, from, i)};
        set_lane(&r, to, i, s->a ? saturated(x, 8 * from, 8 * to, s->a == 2, s->a == 2) : x.u);
    }
    if (s->op[0].kind == OPERAND_MEMORY) {
        if (s->mask)
            store_masked(c, &r, lanes * to, to);
        else
            store_whole(c, 0, &r, lanes * to);
        return;
    }
    if (s->mask)
        store_masked(c, &r, lanes * to, to);
    else
        store_whole(c, 0, &r, lanes * to < 16 ? 16 : lanes * to);
}

static void
widen(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned to = s->op[0].element, from = s->op[1].element, lanes = destination_bytes(c) / to;
    union vector u, r = {.q = {0}};

    load_bits(c, 1, &u);
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t x = lane(&u, from, i);
        set_lane(&r, to, i, s->a && x >> (8 * from - 1) & 1 ? x | ~low_bits(8 * from) : x);
    }
    store(c, &r);
}

static void
move_mask(struct ctx *c)
{
    unsigned size = c->s->b, lanes = c->s->op[1].bytes / size;
    union vector u;
    uint64_t r = 0;

    load_bits(c, 1, &u);
    for (unsigned i = 0; i < lanes; i++)
        r |= (lane(&u, size, i) >> (8 * size - 1) & 1) << i;
    if (c->s->op[0].kind == OPERAND_GPR)
        put_gpr(c, c->s->op[0].number, 8, 0, r);
    else
        put_k(c, c->s->op[0].number, r);
}

static void
expand_mask(struct ctx *c)
{
    unsigned size = c->s->b, lanes = destination_bytes(c) / size;
    uint64_t k = c->rs->k[c->s->op[1].number];
    union vector r = {.q = {0}};

    for (unsigned i = 0; i < lanes; i++)
        if (k >> i & 1)
            fill(&r, i * size, size, 0xff);
    store(c, &r);
}

/* ---- lanes that are undefined as a whole ---- */

static void
lanes(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned last = s->count - 1u, to = s->b ? s->b : s->op[0].element, from = s->b ? s->b : s->op[last].element;
    unsigned first = s->a == LANES_UNARY ? last : s->a >= LANES_TERNARY ? 0 : source(c, 0), bytes = destination_bytes(c);
    unsigned available = is_broadcast(c, last) || s->op[last].kind != OPERAND_MEMORY ? 64 : s->op[last].bytes;
    union vector u[3] = {0}, r = {.q = {0}};

    if (!from || !to)
        from = to = 1;
    if (s->op[last].kind != OPERAND_MEMORY)
        available = s->op[last].bytes;
    for (unsigned i = first; i <= last; i++)
        load_bits(c, i, &u[i - first]);
    for (unsigned i = 0; i < bytes / to && i < available / from; i++)
        for (unsigned k = 0; k <= last - first; k++)
            if (any_in(&u[k], i * from, from))
                fill(&r, i * to, to, 0xff);
    if (s->b && s->mask)                        /* lanes wider than the masked elements */
        store_masked(c, &r, bytes, s->op[0].element ? s->op[0].element : s->b);
    else if (s->op[0].kind == OPERAND_VECTOR && s->flags & STEP_VEX && !s->mask)
        store_whole(c, 0, &r, bytes);
    else if (s->op[0].kind == OPERAND_VECTOR && !s->mask && bytes < 16 && s->op[last].kind == OPERAND_VECTOR)
        store_whole(c, 0, &r, 16);              /* cvtpd2ps and its kind clear the rest */
    else
        store(c, &r);
}

static void
scalar(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned n = s->b, last = s->count - 1u, first = s->a == LANES_UNARY ? last : s->a >= LANES_TERNARY ? 0 : source(c, 0);
    union vector u, r = {.q = {0}}, old;
    bool some = false;

    load_bits(c, 0, &old);
    for (unsigned i = first; i <= last; i++) {
        const struct operand *o = &s->op[i];
        load_bits(c, i, &u);
        some |= any_in(&u, 0, s->a != LANES_UNARY ? n : o->kind == OPERAND_VECTOR && o->element ? o->element : o->bytes);
    }
    fill(&r, 0, n, some ? 0xff : 0);
    if (s->mask) {
        uint64_t k = read_k(s->mask), ku = c->rs->k[s->mask];
        if (ku & 1)
            fill(&r, 0, n, 0xff);
        else if (!(k & 1) && s->flags & STEP_ZEROING)
            fill(&r, 0, n, 0);
        else if (!(k & 1))
            memcpy(r.b, old.b, n);
    }
    if (!(s->flags & STEP_VEX)) {
        store_whole(c, 0, &r, n);
        return;
    }
    load_bits(c, s->a == LANES_TERNARY ? 0 : 1, &u);
    memcpy(r.b + n, u.b + n, 16 - n);
    store_whole(c, 0, &r, 16);
}

static void
within(struct ctx *c)
{
    unsigned n = c->s->b, bytes = destination_bytes(c);
    union vector u[2], r = {.q = {0}};

    load_bits(c, source(c, 0), &u[0]);
    load_bits(c, source(c, 1), &u[1]);
    for (unsigned at = 0; at < bytes; at += n)
        if (any_in(&u[0], at, n) || any_in(&u[1], at, n))
            fill(&r, at, n, 0xff);
    store(c, &r);
}

static void
horizontal(struct ctx *c)
{
    unsigned size = c->s->b, bytes = destination_bytes(c), block = bytes < 16 ? bytes : 16, lanes = block / size;
    union vector u[2], r = {.q = {0}};

    load_bits(c, source(c, 0), &u[0]);
    load_bits(c, source(c, 1), &u[1]);
    for (unsigned at = 0; at < bytes; at += block)
        for (unsigned i = 0; i < lanes; i++)
            if (any_in(&u[2 * i >= lanes], at + 2 * i % lanes * size, 2 * size))
                fill(&r, at + i * size, size, 0xff);
    store(c, &r);
}

static void
fp_compare(struct ctx *c)
{
    const struct step *s = c->s;
    bool scalar = s->a & 1, to_k = s->op[0].kind == OPERAND_MASK, unary = s->a & 2;
    unsigned last = s->count - 1u, from = unary ? last : source(c, 0), size = scalar ? s->b : s->op[last].element, bytes = scalar ? size : to_k ? s->op[1].bytes : s->op[0].bytes;
    union vector u[2] = {0}, r = {.q = {0}};
    uint64_t k = 0;

    if (to_k && unary && is_broadcast(c, last))
        bytes = 64;
    for (unsigned i = from; i <= last; i++)
        load_bits(c, i, &u[i - from]);
    for (unsigned i = 0; i < bytes / size; i++)
        if (any_in(&u[0], i * size, size) || any_in(&u[1], i * size, size)) {
            fill(&r, i * size, size, 0xff);
            k |= 1ull << i;
        }
    if (to_k) {
        store_k(c, k, bytes / size);
    } else if (scalar && s->flags & STEP_VEX) {
        load_bits(c, 1, &u[0]);
        memcpy(r.b + size, u[0].b + size, 16 - size);
        store_whole(c, 0, &r, 16);
    } else {
        store_whole(c, 0, &r, bytes);
    }
}

static void
compare_scalar(struct ctx *c)
{
    union vector a, b;

    load_bits(c, 0, &a);
    load_bits(c, 1, &b);
    put_flags(c, FLAGS_ARITHMETIC, any_in(&a, 0, c->s->b) || any_in(&b, 0, c->s->b) ? FLAG_ZF | FLAG_PF | FLAG_CF : 0);
}

static void
to_integer(struct ctx *c)
{
    union vector u;

    load_bits(c, 1, &u);
    put(c, 0, any_in(&u, 0, c->s->a) ? ~0ull : 0);
}

/* ptest, vtestps: ZF: a & b is 0; CF: ~a & b is. */
static void
test(struct ctx *c)
{
    union vector av, au, bv, bu;
    unsigned bytes = c->s->op[0].bytes;
    uint64_t sign = c->s->b == 4 ? 0x8000000080000000ull : c->s->b == 8 ? 1ull << 63 : ~0ull;
    uint64_t some_zf = 0, known_zf = 0, some_cf = 0, known_cf = 0;
    bool same = same_vector(c, 0, 1);

    load_bits(c, 0, &au);
    load_bits(c, 1, &bu);
    load_value(c, 0, &av);
    load_value(c, 1, &bv);
    for (unsigned q = 0; q < bytes / 8; q++) {
        struct bits a = {av.q[q], au.q[q]}, b = {bv.q[q], bu.q[q]};
        uint64_t u = (a.u | b.u) & (a.v | a.u) & (b.v | b.u) & sign, w = same ? 0 : (a.u | b.u) & (~a.v | a.u) & (b.v | b.u) & sign;
        some_zf |= u;
        known_zf |= a.v & b.v & sign & ~u;
        some_cf |= w;
        known_cf |= ~a.v & b.v & sign & ~w;
    }
    put_flags(c, FLAGS_ARITHMETIC, (some_zf && !known_zf ? FLAG_ZF : 0) | (some_cf && !known_cf ? FLAG_CF : 0));
}

/* ---- memory by elements ---- */

static void
gather_or_scatter(struct ctx *c)
{
    const struct step *s = c->s;
    bool scatter = s->rule == RULE_V_SCATTER, by_k = s->mask, reported = false;
    unsigned size = s->a, index_size = s->b, n = (unsigned)s->imm / (size > index_size ? size : index_size), data = scatter ? 1 : 0;
    uint64_t k = by_k ? read_k(s->mask) : 0, ku = by_k ? c->rs->k[s->mask] : 0;
    union vector index, index_u, r, mask, mask_u, none = {.q = {0}};

    read_zmm(s->index, 64, &index);
    memcpy(index_u.b, c->rs->zmm[s->index], 64);
    load_bits(c, data, &r);
    if (!by_k) {
        load_value(c, 2, &mask);
        load_bits(c, 2, &mask_u);
        for (unsigned i = 0; i < n; i++) {
            k |= (lane(&mask, size, i) >> (8 * size - 1) & 1) << i;
            ku |= (lane(&mask_u, size, i) >> (8 * size - 1) & 1) << i;
        }
    }
    if (ku & low_bits(n)) {
        report_uninitialized(c->mc, UNINIT_READ, "mask", 0, 0);
        reported = true;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!(k >> i & 1))
            continue;
        if (lane(&index_u, index_size, i) && !reported) {
            report_uninitialized(c->mc, UNINIT_READ, "index", 0, 0);
            reported = true;
        }
        int64_t x = (int64_t)lane(&index, index_size, i);
        uint64_t a = effective_address(c, (uint64_t)(index_size == 4 ? (int32_t)x : x));
        check_access(c, a, size, scatter);
        if (scatter)
            put_memory(c, a, size, r.b + i * size);
        else
            load_memory_bits(c, a, size, r.b + i * size);
    }
    if (reported)                               /* once: it counts as defined from here on */
        put_vector(c, s->index, 0, 64, none.b);
    if (by_k)
        put_k(c, s->mask, 0);
    else
        put_vector(c, s->op[2].number, 0, 64, none.b);
    if (!scatter)
        store_whole(c, 0, &r, n * size < 16 ? n * size : destination_bytes(c));
}

/* vmaskmov: op1 is the mask; memory is op0 or op2. */
static void
mask_move(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->b, n = s->op[1].bytes / size;
    bool to_memory = s->op[0].kind == OPERAND_MEMORY;
    union vector mask, mask_u, u, r = {.q = {0}};

    load_value(c, 1, &mask);
    load_bits(c, 1, &mask_u);
    load_bits(c, 2, &u);
    for (unsigned i = 0; i < n; i++) {
        if (lane(&mask_u, size, i) >> (8 * size - 1) & 1) {
            report_uninitialized(c->mc, UNINIT_READ, "mask", 0, 0);
            break;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!(lane(&mask, size, i) >> (8 * size - 1) & 1))
            continue;
        check_access(c, c->address + i * size, size, to_memory);
        if (to_memory)
            put_memory(c, c->address + i * size, size, u.b + i * size);
        else
            memcpy(r.b + i * size, u.b + i * size, size);
    }
    if (!to_memory)
        store_whole(c, 0, &r, destination_bytes(c));
}

/* maskmovdqu, maskmovq: bytes of op0 to [rdi] where op1 has its sign. */
static void
byte_mask_move(struct ctx *c)
{
    union vector mask, mask_u, u;
    unsigned n = c->s->op[0].kind == OPERAND_MMX ? 8 : 16;
    uint64_t a = c->mc->gpr[RDI] + segment_base(c);

    check_register(c, RDI, 8);
    if (c->s->flags & STEP_ADDRESS32)
        a = (uint32_t)a;
    load_value(c, 1, &mask);
    load_bits(c, 1, &mask_u);
    load_bits(c, 0, &u);
    for (unsigned i = 0; i < n; i++)
        if (mask_u.b[i] & 0x80) {
            report_uninitialized(c->mc, UNINIT_READ, "mask", 0, 0);
            break;
        }
    for (unsigned i = 0; i < n; i++)
        if (mask.b[i] & 0x80) {
            check_access(c, a + i, 1, true);
            put_memory(c, a + i, 1, u.b + i);
        }
}

static void
compress(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->op[0].element, n = s->op[1].bytes / size, at = 0;
    uint64_t k = s->mask ? read_k(s->mask) : ~0ull, ku = s->mask ? c->rs->k[s->mask] : 0;
    bool to_memory = s->op[0].kind == OPERAND_MEMORY, unknown = ku & low_bits(n);
    union vector u, r = {.q = {0}};

    load_bits(c, 1, &u);
    if (!to_memory && !(s->flags & STEP_ZEROING))
        load_bits(c, 0, &r);
    for (unsigned i = 0; i < n; i++)
        if (k >> i & 1)
            memcpy(r.b + size * at++, u.b + i * size, size);
    if (unknown) {
        unsigned fixed = 0;                     /* elements before the first unknown bit keep their place */
        for (unsigned i = 0; i < n && !(ku >> i & 1); i++)
            fixed += k >> i & 1;
        fill(&r, fixed * size, (n - fixed) * size, 0xff);
    }
    if (to_memory) {
        check_access(c, c->address, at * size, true);
        put_memory(c, c->address, at * size, r.b);
    } else {
        store_whole(c, 0, &r, destination_bytes(c));
    }
}

static void
expand(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->op[0].element, n = destination_bytes(c) / size, at = 0;
    uint64_t k = s->mask ? read_k(s->mask) : ~0ull, ku = s->mask ? c->rs->k[s->mask] : 0;
    bool unknown = false;
    union vector u = {.q = {0}}, r = {.q = {0}};

    if (s->op[1].kind == OPERAND_MEMORY) {
        for (unsigned i = 0; i < n; i++)
            at += k >> i & 1;
        check_access(c, c->address, at * size, false);
        load_memory_bits(c, c->address, at * size, u.b);
        at = 0;
    } else {
        load_bits(c, 1, &u);
    }
    if (!(s->flags & STEP_ZEROING))
        load_bits(c, 0, &r);
    for (unsigned i = 0; i < n; i++) {
        unknown |= ku >> i & 1;
        if (ku >> i & 1 || (unknown && k >> i & 1))
            fill(&r, i * size, size, 0xff);
        else if (k >> i & 1)
            memcpy(r.b + i * size, u.b + size * at, size);
        at += k >> i & 1;
    }
    store_whole(c, 0, &r, destination_bytes(c));
}

static void
blend_by_mask(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->op[0].element, n = destination_bytes(c) / size;
    uint64_t k = s->mask ? read_k(s->mask) : ~0ull, ku = s->mask ? c->rs->k[s->mask] : 0;
    struct pair p;
    union vector r = {.q = {0}};

    if (!load_pair(c, &p) && ku) {
        load_value(c, source(c, 0), &p.v[0]);
        load_value(c, source(c, 1), &p.v[1]);
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned which = k >> i & 1;
        uint64_t u = lane(&p.u[which], size, i);
        if (!which && s->flags & STEP_ZEROING)
            u = 0;
        if (ku >> i & 1)
            u = s->flags & STEP_ZEROING ? ~0ull : joined(lane_bits(&p, 0, size, i), lane_bits(&p, 1, size, i)).u;
        set_lane(&r, size, i, u);
    }
    store_whole(c, 0, &r, destination_bytes(c));
}

/* ---- the rest ---- */

/* Bytes of a string operand that count: up to a known zero element, or the explicit length. */
static bool
string_undefined(struct ctx *c, unsigned i, bool explicit_length, unsigned length_register)
{
    unsigned size = c->s->imm & 1 ? 2 : 1, n = 16;
    union vector v, u;

    load_value(c, i, &v);
    load_bits(c, i, &u);
    if (explicit_length) {
        if (gpr_bits(c, length_register, 8))
            return true;
        int64_t length = (int64_t)gpr_value(c, length_register, 8);
        length = length < 0 ? -length : length;
        n = length > 16 / size || length < 0 ? 16 : (unsigned)length * size;
    } else {
        for (unsigned k = 0; k < 16; k += size)
            if (!lane(&v, size, k / size) && !lane(&u, size, k / size)) {
                n = k;
                break;
            }
    }
    return any_in(&u, 0, n);
}

static void
compare_strings(struct ctx *c)
{
    const struct step *s = c->s;
    bool explicit_length = s->a & 1, undefined = string_undefined(c, 0, explicit_length, RAX);
    union vector r;

    undefined |= string_undefined(c, 1, explicit_length, RDX);
    if (c->stop)
        return;
    fill(&r, 0, 64, 0);
    if (undefined)
        fill(&r, 0, 16, 0xff);
    if (s->a & 2)
        put_vector(c, 0, 0, s->flags & STEP_VEX ? 64 : 16, r.b);
    else
        put_gpr(c, RCX, 4, 0, undefined ? ~0ull : 0);
    put_flags(c, FLAGS_ARITHMETIC, undefined ? FLAG_CF | FLAG_ZF | FLAG_SF | FLAG_OF : 0);
}

static void
clear_vectors(struct ctx *c)
{
    union vector none = {.q = {0}};
    unsigned from = c->s->a ? 0 : 16;

    for (unsigned r = 0; r < 16; r++)
        if (c->rs->summary & summary_zmm(r))
            put_vector(c, r, from, 64 - from, none.b);
}

static void
any_to_all(struct ctx *c)
{
    const struct step *s = c->s;
    union vector u, r = {.q = {0}};
    bool some = c->rs->summary & s->touched;

    for (unsigned i = 0; i < s->count && !some; i++) {
        load_bits(c, i, &u);
        some = any(&u);
    }
    fill(&r, 0, 64, some ? 0xff : 0);
    if (s->count && s->op[0].kind != OPERAND_NONE)
        store_whole(c, 0, &r, s->op[0].kind == OPERAND_VECTOR && destination_bytes(c) < 16 ? 16 : destination_bytes(c));
    put_flags(c, s->flags_written, some ? ~0ull : 0);
    for (unsigned g = 0; g < 16; g++)
        if (s->gpr_written >> g & 1)
            put_gpr(c, g, 8, 0, some ? ~0ull : 0);
}

void
propagate_vector(struct ctx *c)
{
    const struct step *s = c->s;

    if (s->mask && s->mem != 0xff && s->rule != RULE_V_GATHER && s->rule != RULE_V_SCATTER && s->rule != RULE_V_COMPRESS && s->rule != RULE_V_EXPAND)
        check_masked_memory(c);
    switch ((enum rule)s->rule) {
    case RULE_V_MOVE: move(c); break;
    case RULE_V_MERGE: move_low(c); break;
    case RULE_V_LOGIC:
    case RULE_V_TERNARY_LOGIC: logic(c); break;
    case RULE_V_ADD:
    case RULE_V_SUB:
    case RULE_V_MULTIPLY_EVEN:
    case RULE_V_MIN_MAX: binary(c); break;
    case RULE_V_COMPARE: compare(c); break;
    case RULE_V_TEST_MASK: test_mask(c); break;
    case RULE_V_SHIFT: shift(c); break;
    case RULE_V_DOUBLE_SHIFT: double_shift(c); break;
    case RULE_V_SHUFFLE: shuffle(c); break;
    case RULE_V_PACK: pack(c); break;
    case RULE_V_NARROW: narrow(c); break;
    case RULE_V_WIDEN: widen(c); break;
    case RULE_V_ABS: absolute(c); break;
    case RULE_V_MOVE_MASK:
    case RULE_V_TO_K: move_mask(c); break;
    case RULE_V_FROM_K: expand_mask(c); break;
    case RULE_V_LANES: lanes(c); break;
    case RULE_V_SCALAR: scalar(c); break;
    case RULE_V_WITHIN: within(c); break;
    case RULE_V_HORIZONTAL: horizontal(c); break;
    case RULE_V_FP_COMPARE: fp_compare(c); break;
    case RULE_V_COMPARE_SCALAR: compare_scalar(c); break;
    case RULE_V_TO_INTEGER: to_integer(c); break;
    case RULE_V_TEST: test(c); break;
    case RULE_V_COUNT: count_bits(c); break;
    case RULE_V_GATHER:
    case RULE_V_SCATTER: gather_or_scatter(c); break;
    case RULE_V_MASK_MOVE: mask_move(c); break;
    case RULE_V_BYTE_MASK_MOVE: byte_mask_move(c); break;
    case RULE_V_COMPRESS: compress(c); break;
    case RULE_V_EXPAND: expand(c); break;
    case RULE_V_BLEND_MASK: blend_by_mask(c); break;
    case RULE_V_STRING: compare_strings(c); break;
    case RULE_V_ZERO: clear_vectors(c); break;
    default: any_to_all(c); break;
    }
}
