/* Shadow memory: ranges, bits, the side table. See shadow.h and docs/shadow.md.
 *
 * A range is done in three parts: the shadow bytes it shares with its neighbours
 * by compare-exchange, and those in between eight at a time. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "shadow/shadow.h"

#include "drtools/tool.h"

enum { PER = 4 };                                   /* program bytes to a shadow byte */

static uint8_t pattern(enum shadow_state s) { return (uint8_t)(s * 0x55); }
/* Bits of the shadow byte for its program bytes from `from` to before `to`. */
static uint8_t lanes(unsigned from, unsigned to) { return (uint8_t)((1u << 2 * to) - (1u << 2 * from)); }

/* ---- the reservation ---- */

const char *
shadow_init(void)
{
    if (dr_reserve(SHADOW_BASE, SHADOW_END - SHADOW_BASE))
        return "32 TiB of address space at 0x70000000 cannot be reserved: is there a limit of address space (ulimit -v), or a program built there?";
    if (!dr_access(SHADOW_BASE, SHADOW_HOLE_LO - SHADOW_BASE, true) || !dr_access(SHADOW_HOLE_HI, SHADOW_END - SHADOW_HOLE_HI, true))
        return "no memory for the shadow: does this system overcommit memory strictly (vm.overcommit_memory = 2)?";
    return NULL;
}

/* ---- the side table: eight bits for each mixed byte ---- */

/* Open addressing; an entry is an address, with one added, and its bits. Deleted ones keep the address, with bits 0, so that
 * probing goes on; they are reused for the same address and dropped when the table grows. */
struct side { uint64_t key; uint64_t bits; };
static struct side *side;
static uint64_t side_mask, side_used;
static struct dr_mutex side_lock;

static struct side *
side_find(struct side *t, uint64_t mask, uint64_t a)
{
    uint64_t i = (a * 0x9e3779b97f4a7c15ull) >> 20;

    while (t[i & mask].key && t[i & mask].key != a + 1)
        i++;
    return &t[i & mask];
}

static void
side_grow(void)
{
    uint64_t mask = side ? side_mask * 2 + 1 : 4095, used = 0;
    struct side *n = dr_map((mask + 1) * sizeof *n);

    DR_CHECK(n, "memory for the table of mixed bytes");
    for (uint64_t i = 0; side && i <= side_mask; i++)
        if (side[i].key && side[i].bits) {
            *side_find(n, mask, side[i].key - 1) = side[i];
            used++;
        }
    if (side)
        dr_unmap(side, (side_mask + 1) * sizeof *side);
    side = n;
    side_mask = mask;
    side_used = used;
}

static void
side_put(uint64_t a, uint8_t bits)
{
    dr_lock(&side_lock);
    if (!side || side_used * 2 > side_mask)
        side_grow();
    struct side *e = side_find(side, side_mask, a);
    side_used += !e->key;
    e->key = a + 1;
    e->bits = bits;
    dr_unlock(&side_lock);
}

static uint8_t
side_get(uint64_t a)
{
    uint8_t bits = 0;

    dr_lock(&side_lock);
    if (side)
        bits = (uint8_t)side_find(side, side_mask, a)->bits;
    dr_unlock(&side_lock);
    return bits;
}

void
shadow_stats(struct shadow_stats *out)
{
    out->side_entries = side_used;
}

void
shadow_after_fork(void)
{
    side_lock = (struct dr_mutex){0};
}

/* ---- ranges ---- */

static void
change(uint64_t a, uint8_t mask, uint8_t value)
{
    uint8_t *p = shadow_at(a), old = __atomic_load_n(p, __ATOMIC_RELAXED), want;

    do {
        want = (uint8_t)((old & ~mask) | (value & mask));
        if (want == old)
            return;
    } while (!__atomic_compare_exchange_n(p, &old, want, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/* Cuts [a, a + n) to the part that comes first among those that have a shadow; *a moves on to it. 0: none left. */
static uint64_t
covered(uint64_t *a, uint64_t n)
{
    uint64_t end = *a + n;

    if (end < *a || end > SHADOW_APP_END)
        end = SHADOW_APP_END;
    if (*a >= SHADOW_BASE && *a < SHADOW_END)
        *a = SHADOW_END;
    if (*a >= end)
        return 0;
    return *a < SHADOW_BASE && end > SHADOW_BASE ? SHADOW_BASE - *a : end - *a;
}

static void
fill(uint8_t *p, size_t n, uint8_t v)
{
    __asm__ volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(v) : "memory");
}

static void
set_piece(uint64_t a, uint64_t n, uint8_t v)
{
    uint64_t end = a + n, lo = (a + PER - 1) & ~(uint64_t)(PER - 1), hi = end & ~(uint64_t)(PER - 1);

    if (lo > hi) {                                  /* within one shadow byte */
        change(a, lanes(a % PER, end % PER), v);
        return;
    }
    if (a < lo)
        change(a, lanes(a % PER, PER), v);
    if (lo < hi) {
        uint8_t *p = shadow_at(lo);
        size_t bytes = (hi - lo) / PER;
        if (bytes <= 64)
            for (; bytes; bytes--)
                *(volatile uint8_t *)p++ = v;
        else
            fill(p, bytes, v);
    }
    if (hi < end)
        change(hi, lanes(0, end % PER), v);
}

void
shadow_set(uint64_t a, uint64_t n, enum shadow_state s)
{
    uint64_t end = a + n, part;

    for (; a < end && (part = covered(&a, end - a)); a += part)
        set_piece(a, part, pattern(s));
}

void
shadow_forget(uint64_t a, uint64_t n)
{
    enum { PAGE = 4096, SPAN = PAGE * PER };        /* program bytes to a page of shadow */
    uint64_t end = a + n, part;

    for (; a < end && (part = covered(&a, end - a)); a += part) {
        uint64_t lo = (a + SPAN - 1) & ~(uint64_t)(SPAN - 1), hi = (a + part) & ~(uint64_t)(SPAN - 1);
        if (lo >= hi || part < 16 * SPAN) {
            set_piece(a, part, 0);
            continue;
        }
        set_piece(a, lo - a, 0);
        if (!dr_reset((uint64_t)shadow_at(lo), (hi - lo) / PER))
            set_piece(lo, hi - lo, 0);
        set_piece(hi, a + part - hi, 0);
    }
}

enum shadow_state
shadow_get(uint64_t a)
{
    return shadow_covers(a) ? (enum shadow_state)(*shadow_at(a) >> 2 * (a % PER) & 3) : SHADOW_UNADDRESSABLE;
}

/* The first address in [a, end) for whose state `hit` has a bit. Whole words of shadow in which no lane hits are passed at once. */
static uint64_t
find(uint64_t a, uint64_t end, unsigned hit)
{
    while (a < end) {
        if (!shadow_covers(a))
            return hit >> SHADOW_UNADDRESSABLE & 1 ? a : end;
        if (a % 32 == 0) {
            uint64_t v, same = 0;
            while (end - a >= 32 && shadow_covers(a + 31)) {
                __builtin_memcpy(&v, shadow_at(a), 8);
                /* lanes equal to the first one: then that one's state decides for all 32 */
                same = (v & 3) * 0x5555555555555555ull;
                if (v != same || hit >> (v & 3) & 1)
                    break;
                a += 32;
            }
            if (a >= end || !shadow_covers(a))
                continue;
        }
        uint8_t four = *shadow_at(a);
        if (!four && !(hit & 1)) {                  /* the rest of this shadow byte, all defined */
            a += PER - a % PER;
            continue;
        }
        if (hit >> (four >> 2 * (a % PER) & 3) & 1)
            return a;
        a++;
    }
    return end;
}

uint64_t shadow_find_unaddressable(uint64_t a, uint64_t n) { return find(a, a + n, 1u << SHADOW_UNADDRESSABLE); }
uint64_t shadow_find_not_defined(uint64_t a, uint64_t n) { return find(a, a + n, 0xe); }
uint64_t shadow_find_other(uint64_t a, uint64_t n, enum shadow_state s) { return find(a, a + n, 0xfu & ~(1u << s)); }

/* ---- copies ---- */

static void
copy_byte(uint64_t dst, uint64_t src)
{
    enum shadow_state s = shadow_get(src);

    if (!shadow_covers(dst))
        return;
    if (s == SHADOW_MIXED)
        side_put(dst, side_get(src));
    change(dst, lanes(dst % PER, dst % PER + 1), pattern(s));
}

/* Whole shadow bytes of [src, src + n), both aligned alike, with nothing mixed in them. */
static bool
copy_whole(uint64_t dst, uint64_t src, uint64_t n, bool down)
{
    size_t bytes = n / PER;
    uint8_t *d = shadow_at(dst), *s = shadow_at(src);

    if (find(src, src + n, 1u << SHADOW_MIXED) != src + n)
        return false;
    if (down)
        __builtin_memmove(d, s, bytes);
    else
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(bytes) : : "memory");
    return true;
}

void
shadow_copy(uint64_t dst, uint64_t src, uint64_t n)
{
    bool down = dst > src && dst - src < n;
    uint64_t head = 0, body = 0;

    if (dst == src || !n)
        return;
    if (dst % PER == src % PER && n >= 2 * PER && shadow_covers(src) && shadow_covers(src + n - 1) && shadow_covers(dst) && shadow_covers(dst + n - 1)) {
        head = -src % PER;
        body = (n - head) & ~(uint64_t)(PER - 1);
    }
    uint64_t tail = n - head - body;
    if (down) {
        for (uint64_t i = tail; i--;)
            copy_byte(dst + head + body + i, src + head + body + i);
        if (body && !copy_whole(dst + head, src + head, body, true))
            for (uint64_t i = body; i--;)
                copy_byte(dst + head + i, src + head + i);
        for (uint64_t i = head; i--;)
            copy_byte(dst + i, src + i);
        return;
    }
    for (uint64_t i = 0; i < head; i++)
        copy_byte(dst + i, src + i);
    if (body && !copy_whole(dst + head, src + head, body, false))
        for (uint64_t i = 0; i < body; i++)
            copy_byte(dst + head + i, src + head + i);
    for (uint64_t i = head + body; i < n; i++)
        copy_byte(dst + i, src + i);
}

/* ---- bits ---- */

void
shadow_load(uint64_t a, unsigned n, uint8_t *bits)
{
    for (unsigned i = 0; i < n; i++) {
        if ((a + i) % PER == 0 && n - i >= PER && shadow_covers(a + i)) {
            uint8_t four = *shadow_at(a + i);
            if (four == 0 || four == 0xff) {
                __builtin_memset(bits + i, four, PER);
                i += PER - 1;
                continue;
            }
        }
        switch (shadow_get(a + i)) {
        case SHADOW_UNDEFINED:
            bits[i] = 0xff;
            break;
        case SHADOW_MIXED:
            bits[i] = side_get(a + i);
            break;
        default:
            bits[i] = 0;
        }
    }
}

void
shadow_store(uint64_t a, unsigned n, const uint8_t *bits)
{
    for (unsigned i = 0; i < n; i++) {
        enum shadow_state old = shadow_get(a + i), s = bits[i] == 0 ? SHADOW_DEFINED : bits[i] == 0xff ? SHADOW_UNDEFINED : SHADOW_MIXED;
        if (old == SHADOW_UNADDRESSABLE)
            continue;
        if (s == SHADOW_MIXED)
            side_put(a + i, bits[i]);
        change(a + i, lanes((a + i) % PER, (a + i) % PER + 1), pattern(s));
    }
}
