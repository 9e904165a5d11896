/* Where the bytes of a shuffle's result come from: one map for each kind of
 * shuffle, from its immediate or the values of its control operand.
 * Threads: pure functions. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_priv.h"

enum { SECOND = 64, OLD = 128 };        /* bases of source 1 and of the old destination */

/* Element `to` of n bytes comes from byte `from`. */
static void
element(struct shuffle_map *m, unsigned n, unsigned to, unsigned from)
{
    for (unsigned i = 0; i < n; i++)
        m->from[to * n + i] = (uint8_t)(from >= SHUFFLE_ZERO ? from : from + i);
}

static uint64_t
control_lane(const union vector *x, unsigned n, unsigned i)
{
    return n == 1 ? x->b[i] : n == 2 ? x->w[i] : n == 4 ? x->d[i] : x->q[i];
}

/* Within blocks of 16 bytes (8 of MMX): elements of n bytes, interleaved from the low or high half of both sources. */
static void
unpack(struct shuffle_map *m, unsigned bytes, unsigned n, bool high)
{
    unsigned block = bytes < 16 ? bytes : 16, half = block / n / 2;

    for (unsigned at = 0; at < bytes; at += block)
        for (unsigned i = 0; i < half; i++) {
            unsigned from = at + (high ? half * n : 0) + i * n;
            element(m, n, at / n + 2 * i, from);
            element(m, n, at / n + 2 * i + 1, SECOND + from);
        }
}

/* pshufd and its kind: four elements chosen by pairs of bits of imm, from byte `start` of each block. */
static void
four_of(struct shuffle_map *m, unsigned bytes, unsigned n, unsigned start, unsigned imm)
{
    for (unsigned at = 0; at < bytes; at += 16)
        for (unsigned i = 0; i < 4 && (i + 1) * n <= bytes; i++)
            element(m, n, (at + start) / n + i, at + start + (imm >> 2 * i & 3) * n);
}

static void
keep(struct shuffle_map *m, unsigned bytes, unsigned base)
{
    for (unsigned i = 0; i < bytes; i++)
        m->from[i] = (uint8_t)(base + i);
}

/* Indices in the elements of the control: of `count` elements each, offset by `base(i)`. */
static void
by_index(struct shuffle_map *m, unsigned bytes, unsigned n, const union vector *v, const union vector *u, unsigned shift, unsigned count, bool in_block, bool two)
{
    for (unsigned i = 0; i < bytes / n; i++) {
        uint64_t x = control_lane(v, n, i) >> shift, unknown = control_lane(u, n, i) >> shift & (count * (two ? 2 : 1) - 1);
        unsigned k = (unsigned)x & (count - 1), from = k * n + (in_block ? i * n & ~15u : 0) + (two && x & count ? SECOND : 0);
        element(m, n, i, unknown ? SHUFFLE_UNKNOWN : from);
    }
}

static void
pshufb(struct shuffle_map *m, unsigned bytes, const union vector *v, const union vector *u)
{
    unsigned low = bytes < 16 ? 7 : 15;

    for (unsigned i = 0; i < bytes; i++) {
        bool unknown = u->b[i] & (0x80 | low);
        m->from[i] = (uint8_t)(v->b[i] & 0x80 && !(u->b[i] & 0x80) ? SHUFFLE_ZERO : unknown ? SHUFFLE_UNKNOWN : (i & ~low) + (v->b[i] & low));
    }
}

static void
insertps(const struct step *s, struct shuffle_map *m)
{
    unsigned imm = (unsigned)s->imm, from = s->mem != 0xff ? 0 : (imm >> 6 & 3) * 4;

    keep(m, 16, 0);
    element(m, 4, imm >> 4 & 3, SECOND + from);
    for (unsigned i = 0; i < 4; i++)
        if (imm >> i & 1)
            element(m, 4, i, SHUFFLE_ZERO);
}

/* Bytes of two blocks of n, shifted right together: palignr by bytes, valign by elements. */
static void
align(struct shuffle_map *m, unsigned bytes, unsigned block, unsigned by)
{
    for (unsigned at = 0; at < bytes; at += block)
        for (unsigned i = 0; i < block; i++) {
            unsigned k = i + by;
            m->from[at + i] = (uint8_t)(k < block ? SECOND + at + k : k < 2 * block ? at + k - block : SHUFFLE_ZERO);
        }
}

static void
shift_bytes(struct shuffle_map *m, unsigned bytes, unsigned by, bool left)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned k = i % 16;
        bool in = left ? k >= by : k + by < 16;
        m->from[i] = (uint8_t)(in ? (left ? i - by : i + by) : SHUFFLE_ZERO);
    }
}

static void
blend_variable(struct shuffle_map *m, unsigned bytes, unsigned n, const union vector *v, const union vector *u)
{
    for (unsigned i = 0; i < bytes / n; i++) {
        unsigned top = i * n + n - 1;
        element(m, n, i, u->b[top] & 0x80 ? SHUFFLE_UNKNOWN : v->b[top] & 0x80 ? SECOND + i * n : i * n);
    }
}

/* vperm2f128: each half from any of four, or cleared. */
static void
halves(struct shuffle_map *m, unsigned imm)
{
    for (unsigned h = 0; h < 2; h++) {
        unsigned f = imm >> 4 * h;
        element(m, 16, h, f & 8 ? SHUFFLE_ZERO : (f & 2 ? SECOND : 0) + (f & 1) * 16);
    }
}

static void
lanes128(struct shuffle_map *m, unsigned bytes, unsigned imm)
{
    unsigned n = bytes / 16, bits = n == 4 ? 2 : 1;

    for (unsigned i = 0; i < n; i++)
        element(m, 16, i, (i >= n / 2 ? SECOND : 0) + (imm >> i * bits & (n - 1)) * 16);
}

void
shuffle_make(const struct step *s, unsigned bytes, const union vector *v, const union vector *u, struct shuffle_map *m)
{
    unsigned imm = (unsigned)s->imm & 0xff, n = s->b, count = bytes / n;

    memset(m->from, SHUFFLE_ZERO, sizeof m->from);
    switch ((enum shuffle)s->a) {
    case SHUFFLE_UNPACK_LOW: unpack(m, bytes, n, false); break;
    case SHUFFLE_UNPACK_HIGH: unpack(m, bytes, n, true); break;
    case SHUFFLE_PSHUFB: pshufb(m, bytes, v, u); break;
    case SHUFFLE_PSHUFD:
        four_of(m, bytes, n, 0, imm);
        for (unsigned i = 0; i < bytes; i++)
            m->from[i] += SECOND;
        break;
    case SHUFFLE_PSHUFLW:
    case SHUFFLE_PSHUFHW:
        keep(m, bytes, 0);
        four_of(m, bytes, 2, s->a == SHUFFLE_PSHUFHW ? 8 : 0, imm);
        for (unsigned i = 0; i < bytes; i++)
            m->from[i] += SECOND;
        break;
    case SHUFFLE_SHUFPS:
        for (unsigned at = 0; at < bytes; at += 16)
            for (unsigned i = 0; i < 4; i++)
                element(m, 4, at / 4 + i, (i >= 2 ? SECOND : 0) + at + (imm >> 2 * i & 3) * 4);
        break;
    case SHUFFLE_SHUFPD:
        for (unsigned i = 0; i < count; i++)
            element(m, 8, i, (i & 1 ? SECOND : 0) + (i & ~1u) * 8 + (imm >> i & 1) * 8);
        break;
    case SHUFFLE_PALIGNR: align(m, bytes, bytes < 16 ? bytes : 16, imm); break;
    case SHUFFLE_VALIGN: align(m, bytes, bytes, (imm & (count - 1)) * n); break;
    case SHUFFLE_BYTES_LEFT: shift_bytes(m, bytes, imm, true); break;
    case SHUFFLE_BYTES_RIGHT: shift_bytes(m, bytes, imm, false); break;
    case SHUFFLE_PERM_IMM:
        for (unsigned i = 0; i < count; i++)
            element(m, 8, i, SECOND + (i & ~3u) * 8 + (imm >> 2 * (i & 3) & 3) * 8);
        break;
    case SHUFFLE_PERM_VAR:                              /* of 64-bit elements, 256 bits at least */
        by_index(m, bytes, n, v, u, 0, count, false, false);
        break;
    case SHUFFLE_PERM_TWO:
    case SHUFFLE_PERMI: by_index(m, bytes, n, v, u, 0, count, false, true); break;
    case SHUFFLE_PERM_HALVES: halves(m, imm); break;
    case SHUFFLE_LANES128: lanes128(m, bytes, imm); break;
    case SHUFFLE_INSERT:
        keep(m, bytes, 0);
        element(m, n, imm & (count - 1), SECOND);
        break;
    case SHUFFLE_EXTRACT: {
        unsigned total = s->op[1].bytes < 16 ? (s->op[1].kind == OPERAND_MMX ? 8 : 16) : s->op[1].bytes;
        element(m, n, 0, SECOND + (imm & (total / n - 1)) * n);
        break;
    }
    case SHUFFLE_INSERTPS: insertps(s, m); break;
    case SHUFFLE_BLEND:
        for (unsigned i = 0; i < count; i++)
            element(m, n, i, (imm >> (n == 2 ? i % 8 : i) & 1 ? SECOND : 0) + i * n);
        break;
    case SHUFFLE_BLENDV: blend_variable(m, bytes, n, v, u); break;
    case SHUFFLE_IN_LANE_IMM:
        for (unsigned i = 0; i < count; i++)
            element(m, n, i, SECOND + (i * n & ~15u) + (n == 4 ? imm >> 2 * (i & 3) & 3 : imm >> i & 1) * n);
        break;
    case SHUFFLE_IN_LANE_VAR: by_index(m, bytes, n, v, u, n == 8 ? 1 : 0, 16 / n, true, false); break;
    case SHUFFLE_BROADCAST:
        for (unsigned i = 0; i < bytes; i++)
            m->from[i] = (uint8_t)(SECOND + i % n);
        if (s->op[1].kind == OPERAND_MASK)              /* vpbroadcastmb2q: zero-extended to an element */
            for (unsigned i = 0; i < bytes; i++)
                m->from[i] = (uint8_t)(i % (n * n * (n == 1 ? 8 : 1)) < n ? SECOND + i % n : SHUFFLE_ZERO);
        break;
    case SHUFFLE_DUP_EVEN:
        for (unsigned i = 0; i < count; i++)
            element(m, n, i, SECOND + (i & ~1u) * n);
        break;
    case SHUFFLE_DUP_ODD:
        for (unsigned i = 0; i < count; i++)
            element(m, n, i, SECOND + (i | 1) * n);
        break;
    case SHUFFLE_MOVLP:                                 /* a store, a load that merges */
    case SHUFFLE_MOVHP: {
        bool high = s->a == SHUFFLE_MOVHP;
        if (s->op[0].kind == OPERAND_MEMORY) {
            element(m, 8, 0, SECOND + (high ? 8 : 0));
        } else {
            keep(m, 16, 0);
            element(m, 8, high, SECOND);
        }
        break;
    }
    case SHUFFLE_MOVLHPS:
        keep(m, 16, 0);
        element(m, 8, 1, SECOND);
        break;
    case SHUFFLE_MOVHLPS:
        keep(m, 16, 0);
        element(m, 8, 0, SECOND + 8);
        break;
    }
}
