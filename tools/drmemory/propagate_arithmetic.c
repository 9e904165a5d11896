/* Undefined bits of sums, products, shifts and comparisons: the arithmetic of
 * values that are known only in part. A value's undefined bits may be anything,
 * independently; a result bit is undefined if it differs between two such fillings.
 * Threads: pure functions. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_arithmetic.h"

static u128 low128(unsigned n) { return n >= 128 ? ~(u128)0 : ((u128)1 << n) - 1; }

/* Carries grow with the addends: where the carry into a bit is the same for the least and the greatest
 * addends, it is for all. */
u128
undefined_sum128(struct bits a, struct bits b, struct bits carry)
{
    u128 least = (u128)(a.v & ~a.u) + (b.v & ~b.u) + (carry.v & ~carry.u), most = (u128)(a.v | a.u) + (b.v | b.u) + (carry.v | carry.u);

    return (least ^ most) | a.u | b.u;
}

u128
undefined_difference128(struct bits a, struct bits b, struct bits borrow)
{
    u128 least = (u128)(a.v & ~a.u) - (b.v | b.u) - (borrow.v | borrow.u), most = (u128)(a.v | a.u) - (b.v & ~b.u) - (borrow.v & ~borrow.u);

    return (least ^ most) | a.u | b.u;
}

uint64_t undefined_sum(struct bits a, struct bits b, struct bits carry) { return (uint64_t)undefined_sum128(a, b, carry); }
uint64_t undefined_difference(struct bits a, struct bits b, struct bits borrow) { return (uint64_t)undefined_difference128(a, b, borrow); }

/* Sign-extended from n bits. */
static int64_t
extended(uint64_t v, unsigned n)
{
    return (int64_t)(v << (64 - n)) >> (64 - n);
}

int64_t
least(struct bits x, unsigned n)
{
    return extended((x.v & ~x.u) | (x.u & 1ull << (n - 1)), n);
}

int64_t
greatest(struct bits x, unsigned n)
{
    return extended((x.v | x.u) & ~(x.u & 1ull << (n - 1)), n);
}

struct bits
joined(struct bits a, struct bits b)
{
    return (struct bits){a.v, a.u | b.u | (a.v ^ b.v)};
}

/* Whether some filling makes a ± b ± carry zero in its low n bits: bit by bit, with the set of carries possible so far. */
static bool
can_be_zero(struct bits a, struct bits b, struct bits carry, unsigned n, bool subtract)
{
    unsigned carries = carry.u & 1 ? 3 : 1u << (carry.v & 1);

    for (unsigned i = 0; i < n && carries; i++) {
        unsigned next = 0, av = a.v >> i & 1, au = a.u >> i & 1, bv = b.v >> i & 1, bu = b.u >> i & 1;

        for (unsigned x = 0; x < 2; x++)
            for (unsigned y = 0; y < 2; y++)
                for (unsigned c = 0; c < 2; c++) {
                    if ((x != av && !au) || (y != bv && !bu) || !(carries >> c & 1))
                        continue;
                    int t = subtract ? (int)x - (int)y - (int)c : (int)(x + y + c);
                    if (!(t & 1))
                        next |= 1u << (t < 0 || t > 1);
                }
        carries = next;
    }
    return carries;
}

struct flags
flags_of_sum(struct bits a, struct bits b, struct bits carry, unsigned n, bool subtract)
{
    uint64_t sign = 1ull << (n - 1), mask = low_bits(n);
    u128 u = subtract ? undefined_difference128(a, b, carry) : undefined_sum128(a, b, carry);
    uint64_t v = (subtract ? a.v - b.v - carry.v : a.v + b.v + carry.v) & mask, low = (uint64_t)u & mask;
    struct bits an = {a.v & 15, a.u & 15}, bn = {b.v & 15, b.u & 15};
    u128 nibble = subtract ? undefined_difference128(an, bn, carry) : undefined_sum128(an, bn, carry);
    struct flags f = {.result = low};
    __int128 lo, hi, limit = (__int128)1 << (n - 1);
    bool c0 = carry.u | carry.v, c1 = carry.v & ~carry.u;

    if (subtract) {
        lo = (__int128)least(a, n) - greatest(b, n) - c0;
        hi = (__int128)greatest(a, n) - least(b, n) - c1;
    } else {
        lo = (__int128)least(a, n) + least(b, n) + c1;
        hi = (__int128)greatest(a, n) + greatest(b, n) + c0;
    }
    bool in_lo = lo >= -limit && lo < limit, in_hi = hi >= -limit && hi < limit;
    bool of_defined = (in_lo && in_hi) || (!in_lo && !in_hi && (lo < 0) == (hi < 0));

    f.u |= u >> n & 1 ? FLAG_CF : 0;
    f.u |= low & 0xff ? FLAG_PF : 0;
    f.u |= nibble >> 4 & 1 ? FLAG_AF : 0;
    f.u |= low & sign ? FLAG_SF : 0;
    f.u |= of_defined ? 0 : FLAG_OF;
    f.u |= low && !(v & ~low) && can_be_zero(a, b, carry, n, subtract) ? FLAG_ZF : 0;
    if (subtract && !(carry.u | carry.v)) {
        uint64_t a0 = a.v & ~a.u, a1 = a.v | a.u, b0 = b.v & ~b.u, b1 = b.v | b.u;

        f.relations |= a1 <= b0 || a0 > b1 ? RELATION_BELOW_EQUAL : 0;
        f.relations |= greatest(a, n) < least(b, n) || least(a, n) >= greatest(b, n) ? RELATION_LESS : 0;
        f.relations |= greatest(a, n) <= least(b, n) || least(a, n) > greatest(b, n) ? RELATION_LESS_EQUAL : 0;
    }
    return f;
}

/* Flags that a result alone decides: SF, ZF, PF. */
struct bits
flags_of_result(struct bits r, unsigned n)
{
    uint64_t mask = low_bits(n), v = r.v & mask, u = r.u & mask, sign = 1ull << (n - 1);
    bool parity = !(__builtin_parity((unsigned)v & 0xff));

    return (struct bits){(v & sign ? FLAG_SF : 0) | (v ? 0 : FLAG_ZF) | (parity ? FLAG_PF : 0),
                         (u & sign ? FLAG_SF : 0) | (u && !(v & ~u) ? FLAG_ZF : 0) | (u & 0xff ? FLAG_PF : 0)};
}

/* ---- products ---- */

static unsigned trailing(uint64_t x) { return x ? (unsigned)__builtin_ctzll(x) : 64; }

/* All bits up to the highest one of x. */
static u128
smear(u128 x)
{
    for (unsigned i = 1; i < 128; i *= 2)
        x |= x >> i;
    return x;
}

/* Of 2n bits. Defined are: the bits below the lowest that can vary, those above the highest in which the
 * least and the greatest product differ, and, where one factor is known, what the sum of shifts keeps. */
u128
undefined_product(struct bits a, struct bits b, unsigned n, bool is_signed)
{
    unsigned zeros_a = trailing(a.v | a.u), zeros_b = trailing(b.v | b.u), low = 128;
    u128 spread, mask = low128(2 * n), u;

    if (!(a.u | b.u))
        return 0;
    if (a.u)
        low = trailing(a.u) + zeros_b;
    if (b.u && trailing(b.u) + zeros_a < low)
        low = trailing(b.u) + zeros_a;
    if (is_signed) {
        __int128 p[4] = {(__int128)least(a, n) * least(b, n), (__int128)least(a, n) * greatest(b, n), (__int128)greatest(a, n) * least(b, n), (__int128)greatest(a, n) * greatest(b, n)};
        __int128 lo = p[0], hi = p[0];
        for (unsigned i = 1; i < 4; i++) {
            lo = p[i] < lo ? p[i] : lo;
            hi = p[i] > hi ? p[i] : hi;
        }
        spread = (u128)lo ^ (u128)hi;
    } else {
        spread = (u128)(a.v & ~a.u) * (b.v & ~b.u) ^ (u128)(a.v | a.u) * (b.v | b.u);
    }
    u = smear(spread) & ~low128(low) & mask;
    struct bits *known = !a.u ? &a : !b.u ? &b : NULL, *other = !a.u ? &b : &a;
    if (known) {
        struct bits sum = {0, 0};
        uint64_t k = known->v;
        for (; k; k &= k - 1) {
            struct bits x = {other->v << trailing(k), other->u << trailing(k)};
            uint64_t v = sum.v + x.v;
            sum.u = undefined_sum(sum, x, (struct bits){0, 0});
            sum.v = v;
        }
        u &= sum.u | ~(u128)low_bits(n);        /* says something of the low half only */
    }
    return u;
}

/* Whether a product does not fit into n bits varies. */
bool
undefined_overflow(struct bits a, struct bits b, unsigned n, bool is_signed)
{
    if (!(a.u | b.u))
        return false;
    if (!is_signed) {
        u128 lo = (u128)(a.v & ~a.u) * (b.v & ~b.u) >> n, hi = (u128)(a.v | a.u) * (b.v | b.u) >> n;
        return !lo != !hi;
    }
    __int128 limit = (__int128)1 << (n - 1);
    for (unsigned i = 0; i < 4; i++) {
        __int128 p = (__int128)(i & 1 ? least(a, n) : greatest(a, n)) * (i & 2 ? least(b, n) : greatest(b, n));
        if (p < -limit || p >= limit)
            return true;
    }
    return false;
}

/* ---- shifts ---- */

static uint64_t
shift_value(enum shift op, uint64_t x, unsigned c, unsigned n)
{
    uint64_t mask = low_bits(n);

    switch (op) {
    case SHIFT_SHL: return c >= n ? 0 : x << c & mask;
    case SHIFT_SHR: return c >= n ? 0 : (x & mask) >> c;
    case SHIFT_SAR: return (uint64_t)(extended(x, n) >> (c >= n ? n - 1 : c)) & mask;
    case SHIFT_ROL: c %= n; return c ? (x << c | (x & mask) >> (n - c)) & mask : x & mask;
    default: c %= n; return c ? ((x & mask) >> c | x << (n - c)) & mask : x & mask;
    }
}

struct bits
shifted(enum shift op, struct bits x, unsigned count, unsigned n)
{
    return (struct bits){shift_value(op, x.v, count, n), shift_value(op, x.u, count, n)};
}

struct bits
shifted_by(enum shift op, struct bits x, struct bits count, unsigned n, unsigned modulo)
{
    struct bits r;

    if (modulo) {
        count.v &= modulo - 1;
        count.u &= modulo - 1;
    }
    bool beyond = (count.v | count.u) >= 2 * 64;    /* these counts are all alike: one stands for them */
    uint64_t fixed = count.v & ~count.u, vary = count.u & 127, sub = 0;
    if (!count.u)
        return shifted(op, x, count.v > 127 ? 127 : (unsigned)count.v, n);
    if (fixed >= 128)
        return shifted(op, x, 127, n);
    r = shifted(op, x, beyond && count.u > 127 ? 127 : (unsigned)fixed, n);
    do {                            /* every filling of the count */
        r = joined(r, shifted(op, x, (unsigned)(fixed | sub), n));
        sub = (sub - vary) & vary;
    } while (sub);
    return r;
}
