/* Rules of the string instructions, for all repetitions at once.
 * What memory they reach is found first: a repetition that would leave mapped
 * memory faults there, and its shadow changes only up to there. See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_arithmetic.h"

enum { PAGE = 4096, LOGGED = 512 };

/* The range that count elements from a take; down: DF is set. */
static uint64_t
lowest(uint64_t a, uint64_t bytes, unsigned size, bool down)
{
    return down ? a - bytes + size : a;
}

/* How many of n bytes, from the first touched on, are mapped. */
static uint64_t
mapped(uint64_t a, uint64_t n, unsigned size, bool down)
{
    uint64_t done = 0;
    uint8_t byte;

    while (done < n) {
        uint64_t at = down ? a + size - 1 - done : a + done, step = down ? (at & (PAGE - 1)) + 1 : PAGE - (at & (PAGE - 1));
        if (!dr_safe_read(&byte, at, 1))
            return done;
        done += step;
    }
    return n;
}

/* The first unaddressable byte in the order of access, as a distance; n: none. */
static uint64_t
first_bad(uint64_t a, uint64_t n, unsigned size, bool down)
{
    uint64_t lo = lowest(a, n, size, down), bad;

    if (!down)
        return shadow_find_unaddressable(a, n) - a;
    bad = shadow_find_unaddressable(lo, n);
    if (bad == lo + n)
        return n;
    for (uint64_t next = bad; next < lo + n; next = shadow_find_unaddressable(next, lo + n - next)) {
        bad = next++;
    }
    return a + size - 1 - bad;
}

static void
check_range(struct ctx *c, uint64_t a, uint64_t n, unsigned size, bool down, bool write)
{
    if (n)
        check_stretch(c, lowest(a, n, size, down), n, write);
}

static bool
store_range(struct ctx *c, uint64_t a, unsigned n, const uint8_t *u, uint64_t total)
{
    if (total <= LOGGED)
        put_memory(c, a, n, u);
    else
        put_memory_quietly(c, a, n, u);
    return true;
}

/* Copies shadow as the instruction copies bytes: an overlap repeats what was written. */
static void
move(struct ctx *c, uint64_t dst, uint64_t src, uint64_t n, unsigned size, bool down)
{
    uint64_t from = lowest(src, n, size, down), to = lowest(dst, n, size, down);
    uint64_t distance = down ? from - to : to - from;   /* positive and small: it reads what it wrote */
    uint8_t u[64];

    if (n > LOGGED && (!distance || distance >= n)) {
        shadow_copy(to, from, n);
        return;
    }
    uint64_t piece = distance && distance < sizeof u ? distance / size * size : sizeof u;
    if (!piece)
        piece = size;
    for (uint64_t done = 0; done < n; done += piece) {
        uint64_t part = n - done < piece ? n - done : piece, at = down ? n - done - part : done;
        shadow_load(from + at, (unsigned)part, u);
        store_range(c, to + at, (unsigned)part, u, n);
    }
}

static void
fill(struct ctx *c, uint64_t dst, uint64_t n, unsigned size, bool down)
{
    uint64_t u = gpr_bits(c, RAX, size), to = lowest(dst, n, size, down);
    uint8_t pattern[64];

    if (n > LOGGED && (!u || u == low_bits(8 * size))) {
        /* bytes that are not addressable stay so */
        for (uint64_t at = 0; at < n;) {
            uint64_t bad = shadow_find_unaddressable(to + at, n - at) - to;
            shadow_set(to + at, bad - at, u ? SHADOW_UNDEFINED : SHADOW_DEFINED);
            for (at = bad; at < n && shadow_get(to + at) == SHADOW_UNADDRESSABLE; at++)
                ;
        }
        return;
    }
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(u >> 8 * (i % size));
    for (uint64_t done = 0; done < n; done += sizeof pattern)
        store_range(c, to + done, (unsigned)(n - done < sizeof pattern ? n - done : sizeof pattern), pattern, n);
}

/* One comparison: whether its ZF is undefined, and what it is. */
static bool
compare(struct bits a, struct bits b, unsigned size, bool *equal, uint64_t *flags)
{
    struct flags f = flags_of_sum(a, b, (struct bits){0, 0}, 8 * size, true);

    *equal = !((a.v ^ b.v) & low_bits(8 * size));
    *flags = f.u;
    return f.u & FLAG_ZF;
}

/* scas, cmps: element by element, as far as it goes. An undefined ZF decides how far: reported once. */
static void
scan(struct ctx *c, uint64_t count, unsigned size, bool down)
{
    bool two = c->s->a == STRING_CMPS, rep = c->s->flags & (STEP_REP | STEP_REPNE), reported = false, faults = false, equal;
    uint64_t src = c->mc->gpr[RSI] + segment_base(c), dst = c->mc->gpr[RDI], done = 0, flags = 0;
    struct bits a, b;

    while (done < count) {
        uint64_t off = done * size, at = down ? dst - off : dst + off;
        a = (struct bits){gpr_value(c, RAX, size), gpr_bits(c, RAX, size)};
        b = (struct bits){0, 0};
        if (two) {
            uint64_t from = down ? src - off : src + off;
            a = b;
            faults = !dr_safe_read(&a.v, from, size);
            if (faults)
                break;
            shadow_load(from, size, (uint8_t *)&a.u);
        }
        faults = !dr_safe_read(&b.v, at, size);
        if (faults)
            break;
        shadow_load(at, size, (uint8_t *)&b.u);
        done++;
        bool undefined = compare(a, b, size, &equal, &flags);
        if (undefined && rep && !reported && done < count) {
            report_uninitialized(c->mc, UNINIT_JUMP, NULL, at, size);
            reported = true;
        }
        if (rep && equal != !!(c->s->flags & STEP_REP))
            break;
    }
    uint64_t reach = done + faults;
    if (two)
        check_range(c, src, reach * size, size, down, false);
    check_range(c, dst, reach * size, size, down, false);
    if (count)
        put_flags(c, FLAGS_ARITHMETIC, reported ? 0 : flags);
}

void
propagate_string(struct ctx *c)
{
    const struct step *s = c->s;
    unsigned size = s->b, bytes = s->flags & STEP_ADDRESS32 ? 4 : 8;
    bool rep = s->flags & (STEP_REP | STEP_REPNE), down = c->mc->rflags & FLAG_DF;
    bool reads_source = s->a == STRING_MOVS || s->a == STRING_LODS || s->a == STRING_CMPS;
    uint64_t src = gpr_value(c, RSI, bytes) + segment_base(c), dst = gpr_value(c, RDI, bytes), count = 1, n;

    if (rep) {
        if (gpr_bits(c, RCX, bytes)) {
            report_uninitialized(c->mc, UNINIT_JUMP, "rcx", 0, 0);
            put_gpr(c, RCX, 8, 0, 0);
        }
        count = gpr_value(c, RCX, bytes);
    }
    if (!count)
        return;
    if (reads_source)
        check_register(c, RSI, bytes);
    if (s->a != STRING_LODS)
        check_register(c, RDI, bytes);
    if (s->a == STRING_SCAS || s->a == STRING_CMPS) {
        scan(c, count, size, down);
        return;
    }
    n = count > ~0ull / 16 ? ~0ull / 16 : count * size;
    uint64_t bad_src = s->a == STRING_STOS ? n : first_bad(src, n, size, down), bad_dst = s->a == STRING_LODS ? n : first_bad(dst, n, size, down);
    if (bad_src < n && bad_src / size <= bad_dst / size)
        check_range(c, src, n, size, down, false);
    if (bad_dst < n)
        check_range(c, dst, n, size, down, true);
    if (bad_src < n && bad_src / size > bad_dst / size)
        check_range(c, src, n, size, down, false);
    if (s->a != STRING_STOS)
        n = mapped(src, n, size, down);
    if (s->a != STRING_LODS)
        n = mapped(dst, n, size, down);
    n -= n % size;
    if (!n)
        return;
    if (s->a == STRING_MOVS) {
        move(c, dst, src, n, size, down);
    } else if (s->a == STRING_STOS) {
        fill(c, dst, n, size, down);
    } else {
        uint64_t u = 0, last = down ? src - n + size : src + n - size;
        shadow_load(last, size, (uint8_t *)&u);
        put_gpr(c, RAX, size, 0, u);
    }
}
