/* The C library's string functions, as the checker sees them: each is one access
 * of known extent, checked byte by byte against the shadow, and the shadow goes
 * where the data goes.
 *
 * A replacement does first what it needs to know (how long is the string?), then
 * checks and reports, then writes. Where the program's memory cannot be accessed
 * it gives way to the program's own function, which then faults as natively.
 * See docs/drmemory-strings.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "replace_strings.h"

#include "bytes.h"
#include "instrument.h"

enum { CHUNK = 1 << 20 };
#define MAX_EXTENT (1ull << 46)

/* A call of a replaced function. */
struct call {
    const struct replaced *f;
    struct dr_mcontext *mc;
};
#define CALL struct call c_ = {(const struct replaced *)arg, mc}, *c = &c_
#define A0 (mc->gpr[RDI])
#define A1 (mc->gpr[RSI])
#define A2 (mc->gpr[RDX])
#define A3 (mc->gpr[RCX])

static bool definedness(void) { return opt.check_uninitialized && !opt.light; }
static const char *shown(const struct call *c) { return c->f->what->shown ? c->f->what->shown : c->f->what->name; }

/* ---- checks ---- */

typedef uint64_t __attribute__((may_alias, aligned(1))) shadow_word;
enum { WORD = 32 };                 /* bytes of the program's in a word of shadow */

/* All of [a, a + n) is defined. Mostly it is, so that this decides what a call costs. */
static bool
all_defined(uint64_t a, uint64_t n)
{
    bool low = n < SHADOW_BASE && a < SHADOW_BASE - n - 2 * WORD, high = a >= SHADOW_END && n < SHADOW_APP_END && a < SHADOW_APP_END - n - 2 * WORD;

    if (!low && !high)
        return shadow_find_not_defined(a, n) == a + n;
    uint64_t left = n + (a & 3), bits = 0;      /* from the first byte of a shadow byte on */
    const shadow_word *p = (const shadow_word *)shadow_at(a);
    bits = *p & ~0ull << 2 * (a & 3);
    if (left < WORD)
        return !(bits & ((1ull << 2 * left) - 1));
    for (; left >= 5 * WORD; left -= 4 * WORD, p += 4) {
        if (bits | p[1] | p[2] | p[3])
            return false;
        bits = p[4];
    }
    for (; left >= WORD; left -= WORD, p++) {
        if (bits)
            return false;
        bits = left >= 2 * WORD ? p[1] : 0;
    }
    return !left || !(*p & ((1ull << 2 * left) - 1));
}

static void
check_access(const struct call *c, enum access_kind kind, uint64_t a, uint64_t n)
{
    uint64_t bad = shadow_find_unaddressable(a, n), size;

    if (bad == a + n)
        return;
    size = shadow_find_other(bad, a + n - bad, SHADOW_UNADDRESSABLE) - bad;
    report_unaddressable(c->mc, kind, bad, size < UINT32_MAX ? (unsigned)size : UINT32_MAX);
}

static void
check_read(const struct call *c, uint64_t a, uint64_t n)
{
    if (!all_defined(a, n))
        check_access(c, ACCESS_IS_READ, a, n);
}

static void
check_write(const struct call *c, uint64_t a, uint64_t n)
{
    if (!all_defined(a, n))
        check_access(c, ACCESS_IS_WRITE, a, n);
}

/* Argument registers (bits by enum reg) on which everything depends. */
static void
check_arguments(const struct call *c, uint16_t regs)
{
    struct regstate *rs = regstate_of(dr_thread_current());

    if (!(rs->summary & regs) || !definedness())
        return;
    report_uninitialized(c->mc, UNINIT_READ, shown(c), 0, 8);
}
enum { ONE = 1 << RDI, TWO = ONE | 1 << RSI, THREE = TWO | 1 << RDX, FIRST_AND_THIRD = ONE | 1 << RDX };

static void
report_undefined(const struct call *c, uint64_t a)
{
    report_uninitialized(c->mc, UNINIT_READ, shown(c), a, 1);
}

/* What was found at [a, a + n) hangs on each of its bytes, of which it was asked whether it is `what`: an undefined bit
 * counts unless a defined one says no. */
static void
check_compared(const struct call *c, uint64_t a, uint64_t n, uint8_t what, bool or_zero)
{
    uint8_t v;

    if (!definedness() || all_defined(a, n))
        return;
    for (uint64_t end = a + n, p = a; (p = shadow_find_not_defined(p, end - p)) < end; p++) {
        shadow_load(p, 1, &v);
        uint8_t b = bytes_at(p);
        if (v && (!((b ^ what) & ~v) || (or_zero && !(b & ~v)))) {
            report_undefined(c, p);
            return;
        }
    }
}

/* … hangs on their values. */
static void
check_values(const struct call *c, uint64_t a, uint64_t n)
{
    uint8_t v;

    if (!definedness() || all_defined(a, n))
        return;
    for (uint64_t end = a + n, p = a; (p = shadow_find_not_defined(p, end - p)) < end; p++) {
        shadow_load(p, 1, &v);
        if (v) {
            report_undefined(c, p);
            return;
        }
    }
}

/* [a, a + n) and [b, b + n) are equal: that hangs on all undefined bits. */
static void
check_equal(const struct call *c, uint64_t a, uint64_t b, uint64_t n)
{
    check_values(c, a, n);
    if (all_defined(a, n) || !definedness())
        check_values(c, b, n);
}

/* ---- results ---- */

static bool
returns(const struct call *c, uint64_t value)
{
    replace_result(c->mc, value);
    return true;
}

/* … of which nothing is defined but that it is not 0. */
static bool
returns_undefined(const struct call *c, uint64_t value)
{
    struct regstate *rs = regstate_of(dr_thread_current());

    replace_result(c->mc, value);
    rs->gpr[RAX] = UINT32_MAX;
    rs->summary |= 1ull << (SUMMARY_GPR + RAX);
    mode_update(dr_thread_current());
    return true;
}

/* ---- the shadow of what is written ---- */

/* Defined bytes are written: what is unaddressable stays so. */
static void
now_defined(uint64_t a, uint64_t n)
{
    uint64_t end = a + n;

    if (all_defined(a, n))
        return;
    while (a < end) {
        uint64_t bad = shadow_find_unaddressable(a, end - a);
        shadow_set(a, bad - a, SHADOW_DEFINED);
        a = bad < end ? shadow_find_other(bad, end - bad, SHADOW_UNADDRESSABLE) : end;
    }
}

static void
now_copied(uint64_t dst, uint64_t src, uint64_t n)
{
    enum { PIECE = 64 };
    uint8_t bits[PIECE];
    bool down = dst > src && dst - src < n;

    if (dst == src)
        return;
    if (all_defined(src, n)) {
        now_defined(dst, n);
    } else if (shadow_find_unaddressable(src, n) == src + n && shadow_find_unaddressable(dst, n) == dst + n) {
        shadow_copy(dst, src, n);
    } else {
        for (uint64_t done = 0; done < n; done += PIECE) {
            uint64_t k = n - done < PIECE ? n - done : PIECE, at = down ? n - done - k : done;
            shadow_load(src + at, (unsigned)k, bits);
            shadow_store(dst + at, (unsigned)k, bits);
        }
    }
}

/* ---- copies ---- */

static bool overlap(uint64_t a, uint64_t n, uint64_t b, uint64_t m) { return n && m && (a < b ? b - a < n : a - b < m); }

static bool
same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static void
check_overlap(const struct call *c, uint64_t dst, uint64_t n, uint64_t src, uint64_t m)
{
    if (opt.check_overlap && overlap(dst, n, src, m))
        report_overlap(c->mc, shown(c), dst, src, n);
}

/* The function may be memmove by another name: who calls it knows. Onto itself is well: compilers copy structures so. */
static void
check_overlap_by_name(const struct call *c, uint64_t dst, uint64_t src, uint64_t n)
{
    if (!opt.check_overlap || dst == src || !overlap(dst, n, src, n))
        return;
    const char *name = called_name(c->mc);
    if (!name && !c->f->several)
        name = c->f->what->name;
    if (name && (same(name, "memcpy") || same(name, "__memcpy_chk") || same(name, "wmemcpy")))
        report_overlap(c->mc, name[0] == '_' ? "memcpy" : name, dst, src, n);
}

/* Data and shadow, in pieces: a size beyond all memory is found out at the first of them that cannot be accessed.
 * `checked`: the caller has seen to what is written. */
static bool
copy_checked(const struct call *c, uint64_t dst, uint64_t src, uint64_t n, bool checked)
{
    bool down = dst > src && dst - src < n;

    if (n > MAX_EXTENT)
        return false;
    for (uint64_t done = 0; done < n; done += CHUNK) {
        uint64_t k = n - done < CHUNK ? n - done : CHUNK, at = down ? n - done - k : done;
        bool clean = all_defined(src + at, k) && all_defined(dst + at, k);
        if (!clean) {
            check_read(c, src + at, k);
            if (!checked)
                check_write(c, dst + at, k);
        }
        if (!bytes_copy(dst + at, src + at, k))
            return false;
        if (!clean)
            now_copied(dst + at, src + at, k);
    }
    return true;
}

static bool copy(const struct call *c, uint64_t dst, uint64_t src, uint64_t n) { return copy_checked(c, dst, src, n, false); }

/* All pages of an overlapping pair that is moved in several pieces are there: else nothing may have moved. */
static bool
whole_move_possible(uint64_t dst, uint64_t src, uint64_t n)
{
    uint64_t at;

    if (n <= CHUNK || !overlap(dst, n, src, n))
        return true;
    for (uint64_t i = 0; i < n; i += 4096)
        if (!bytes_copy(dst + i, dst + i, 1) || !bytes_find(src + i, 1, 1, 0, false, &at))
            return false;
    return bytes_copy(dst + n - 1, dst + n - 1, 1) && bytes_find(src + n - 1, 1, 1, 0, false, &at);
}

static bool
copy_memory(const struct call *c, uint64_t dst, uint64_t src, uint64_t n, uint64_t result)
{
    check_arguments(c, THREE);
    if (n > MAX_EXTENT || !whole_move_possible(dst, src, n))
        return false;
    check_overlap_by_name(c, dst, src, n);
    return copy(c, dst, src, n) && returns(c, result);
}

static bool memcpy_(uint64_t arg, struct dr_mcontext *mc) { CALL; return copy_memory(c, A0, A1, A2, A0); }
static bool memcpy_chk(uint64_t arg, struct dr_mcontext *mc) { CALL; return A3 >= A2 && copy_memory(c, A0, A1, A2, A0); }
static bool mempcpy_(uint64_t arg, struct dr_mcontext *mc) { CALL; if (A0 != A1) check_overlap(c, A0, A2, A1, A2); return copy_memory(c, A0, A1, A2, A0 + A2); }
static bool mempcpy_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && mempcpy_(arg, mc); }
static bool bcopy_(uint64_t arg, struct dr_mcontext *mc) { CALL; return copy_memory(c, A1, A0, A2, A1); }
static bool wmemcpy_(uint64_t arg, struct dr_mcontext *mc) { CALL; return A2 < MAX_EXTENT && copy_memory(c, A0, A1, A2 * 4, A0); }
static bool wmemcpy_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && wmemcpy_(arg, mc); }
static bool wmempcpy_(uint64_t arg, struct dr_mcontext *mc) { CALL; return A2 < MAX_EXTENT && copy_memory(c, A0, A1, A2 * 4, A0 + A2 * 4); }
static bool wmempcpy_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && wmempcpy_(arg, mc); }

/* ---- fills ---- */

static bool
fill_checked(const struct call *c, uint64_t dst, unsigned w, uint64_t value, uint64_t undefined, uint64_t n, bool checked)
{
    uint32_t bits = (uint32_t)(w == 1 ? (undefined & 0xff) * 0x01010101u : undefined);

    for (uint64_t done = 0; done < n; done += CHUNK) {
        uint64_t k = n - done < CHUNK ? n - done : CHUNK;
        if (!checked)
            check_write(c, dst + done, k);
        if (!bits)
            now_defined(dst + done, k);
        if (!bytes_fill(dst + done, w, (uint32_t)value, k))
            return false;
        for (uint64_t i = 0; bits && i < k; i += 4)
            shadow_store(dst + done + i, k - i < 4 ? (unsigned)(k - i) : 4, (const uint8_t *)&bits);
    }
    return true;
}

static bool
fill(const struct call *c, uint64_t dst, unsigned w, uint64_t value, uint64_t undefined, uint64_t n, uint64_t result)
{
    return n <= MAX_EXTENT && fill_checked(c, dst, w, value, undefined, n, false) && returns(c, result);
}

static uint64_t
undefined_bits(enum reg r)
{
    return definedness() ? regstate_of(dr_thread_current())->gpr[r] : 0;
}

static bool
memset_(uint64_t arg, struct dr_mcontext *mc)
{
    CALL;

    check_arguments(c, FIRST_AND_THIRD);
    return fill(c, A0, 1, A1, undefined_bits(RSI), A2, A0);
}

static bool memset_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && memset_(arg, mc); }
static bool bzero_(uint64_t arg, struct dr_mcontext *mc) { CALL; check_arguments(c, TWO); return fill(c, A0, 1, 0, 0, A1, A0); }

static bool
wmemset_(uint64_t arg, struct dr_mcontext *mc)
{
    CALL;

    check_arguments(c, FIRST_AND_THIRD);
    return A2 < MAX_EXTENT && fill(c, A0, 4, A1, undefined_bits(RSI), A2 * 4, A0);
}
static bool wmemset_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && wmemset_(arg, mc); }

/* ---- lengths and searches ---- */

/* The string of characters of w bytes at a, of at most n: its length, checked. False: it cannot be read. */
static bool
length(const struct call *c, uint64_t a, unsigned w, uint64_t n, uint64_t *len)
{
    if (!bytes_find(a, w, n, 0, false, len))
        return false;
    uint64_t read = (*len + (*len < n)) * w;
    if (all_defined(a, read))
        return true;
    check_read(c, a, read);
    if (w == 1)
        check_compared(c, a, read, 0, false);
    else
        check_values(c, a, read);
    return true;
}

static bool
length_of(uint64_t arg, struct dr_mcontext *mc, unsigned w, uint64_t n)
{
    CALL;
    uint64_t len;

    check_arguments(c, n == BYTES_ANY ? ONE : TWO);
    return length(c, A0, w, n, &len) && returns(c, len);
}
static bool strlen_(uint64_t arg, struct dr_mcontext *mc) { return length_of(arg, mc, 1, BYTES_ANY); }
static bool strnlen_(uint64_t arg, struct dr_mcontext *mc) { return length_of(arg, mc, 1, A1); }
static bool wcslen_(uint64_t arg, struct dr_mcontext *mc) { return length_of(arg, mc, 4, BYTES_ANY); }
static bool wcsnlen_(uint64_t arg, struct dr_mcontext *mc) { return length_of(arg, mc, 4, A1); }

static void
check_searched(const struct call *c, uint64_t a, unsigned w, uint64_t read, uint32_t what, bool or_zero)
{
    if (all_defined(a, read))
        return;
    check_read(c, a, read);
    if (w == 1)
        check_compared(c, a, read, (uint8_t)what, or_zero);
    else
        check_values(c, a, read);
}

enum found { OR_NULL, OR_END };

static bool
search(uint64_t arg, struct dr_mcontext *mc, unsigned w, uint64_t n, bool stop, enum found otherwise)
{
    CALL;
    uint32_t what = w == 1 ? (uint8_t)A1 : (uint32_t)A1, here = what;
    uint64_t at;

    check_arguments(c, stop || n == BYTES_ANY ? TWO : THREE);
    if (!bytes_find(A0, w, n, what, stop, &at))
        return false;
    check_searched(c, A0, w, (at + (at < n)) * w, what, stop);
    bool found = at < n;
    if (found && stop && what) {
        here = 0;
        found = dr_safe_read(&here, A0 + at * w, w) && here == what;
    }
    return returns(c, found || otherwise == OR_END ? A0 + at * w : 0);
}
static bool memchr_(uint64_t arg, struct dr_mcontext *mc) { return search(arg, mc, 1, A2, false, OR_NULL); }
static bool rawmemchr_(uint64_t arg, struct dr_mcontext *mc) { return search(arg, mc, 1, BYTES_ANY, false, OR_NULL); }
static bool strchr_(uint64_t arg, struct dr_mcontext *mc) { return search(arg, mc, 1, BYTES_ANY, true, OR_NULL); }
static bool strchrnul_(uint64_t arg, struct dr_mcontext *mc) { return search(arg, mc, 1, BYTES_ANY, true, OR_END); }
static bool wmemchr_(uint64_t arg, struct dr_mcontext *mc) { return search(arg, mc, 4, A2, false, OR_NULL); }
static bool wcschr_(uint64_t arg, struct dr_mcontext *mc) { return search(arg, mc, 4, BYTES_ANY, true, OR_NULL); }

static bool
memrchr_(uint64_t arg, struct dr_mcontext *mc)
{
    CALL;
    uint64_t at, n = A2;

    check_arguments(c, THREE);
    if (n > MAX_EXTENT || !bytes_find_last(A0, 1, n, (uint8_t)A1, &at))
        return false;
    uint64_t from = at < n ? at : 0;
    check_searched(c, A0 + from, 1, n - from, (uint8_t)A1, false);
    return returns(c, at < n ? A0 + at : 0);
}

static bool
search_last(uint64_t arg, struct dr_mcontext *mc, unsigned w)
{
    CALL;
    uint32_t what = w == 1 ? (uint8_t)A1 : (uint32_t)A1;
    uint64_t len, at;

    check_arguments(c, TWO);
    if (!bytes_find(A0, w, BYTES_ANY, 0, false, &len) || !bytes_find_last(A0, w, len + 1, what, &at))
        return false;
    check_searched(c, A0, w, (len + 1) * w, what, true);
    return returns(c, at <= len ? A0 + at * w : 0);
}
static bool strrchr_(uint64_t arg, struct dr_mcontext *mc) { return search_last(arg, mc, 1); }
static bool wcsrchr_(uint64_t arg, struct dr_mcontext *mc) { return search_last(arg, mc, 4); }

/* A match needs the needle's bytes and, up to its end, the haystack's. */
static bool
search_string(const struct call *c, uint64_t a, uint64_t n, uint64_t b, uint64_t m, bool terminated)
{
    uint64_t at;

    if (!bytes_search(a, n, b, m, &at))
        return false;
    uint64_t read = at < n || !m ? at + m : n;
    check_read(c, a, read + terminated);
    check_values(c, a, read);
    check_read(c, b, m + terminated);
    check_values(c, b, m);
    return returns(c, at < n || !m ? a + at : 0);
}

static bool
strstr_(uint64_t arg, struct dr_mcontext *mc)
{
    CALL;
    uint64_t n, m;

    check_arguments(c, TWO);
    return bytes_find(A0, 1, BYTES_ANY, 0, false, &n) && bytes_find(A1, 1, BYTES_ANY, 0, false, &m) && search_string(c, A0, n, A1, m, true);
}

static bool
memmem_(uint64_t arg, struct dr_mcontext *mc)
{
    CALL;

    check_arguments(c, THREE | 1 << RCX);
    return A1 < MAX_EXTENT && A3 < MAX_EXTENT && search_string(c, A0, A1, A2, A3, false);
}

static bool
span(uint64_t arg, struct dr_mcontext *mc, bool in, bool pointer)
{
    CALL;
    uint64_t n, at;

    check_arguments(c, TWO);
    if (!bytes_find(A1, 1, BYTES_ANY, 0, false, &n) || !bytes_span(A0, A1, n, in, &at))
        return false;
    check_read(c, A0, at + 1);
    check_values(c, A0, at + 1);
    check_read(c, A1, n + 1);
    check_values(c, A1, n + 1);
    if (!pointer)
        return returns(c, at);
    return returns(c, bytes_at(A0 + at) ? A0 + at : 0);
}
static bool strspn_(uint64_t arg, struct dr_mcontext *mc) { return span(arg, mc, true, false); }
static bool strcspn_(uint64_t arg, struct dr_mcontext *mc) { return span(arg, mc, false, false); }
static bool strpbrk_(uint64_t arg, struct dr_mcontext *mc) { return span(arg, mc, false, true); }

/* ---- comparisons ---- */

/* Do bits that are defined in both characters differ? Then it is certain that the two do. */
static bool
surely_differ(uint64_t a, uint64_t b, unsigned w)
{
    uint8_t va[4], vb[4];

    shadow_load(a, w, va);
    shadow_load(b, w, vb);
    for (unsigned i = 0; i < w; i++)
        if ((bytes_at(a + i) ^ bytes_at(b + i)) & ~(va[i] | vb[i]))
            return true;
    return false;
}

/* Memory that is equal up to `d`: there it differs, or ends (d == n). */
static bool
compared(const struct call *c, uint64_t a, uint64_t b, unsigned w, uint64_t n, const struct bytes_difference *d, bool stop, uint64_t result)
{
    uint64_t at = d->at, read = (at + (at < n)) * w;

    if (all_defined(a, read) && all_defined(b, read))
        return returns(c, result);
    check_read(c, a, read);
    check_read(c, b, read);
    if (!definedness())
        return returns(c, result);
    check_equal(c, a, b, at * w);
    if (at == n || (all_defined(a + at * w, w) && all_defined(b + at * w, w)))
        return returns(c, result);
    if (stop || !surely_differ(a + at * w, b + at * w, w)) {
        check_equal(c, a + at * w, b + at * w, w);
        return returns(c, result);
    }
    return returns_undefined(c, result);
}

static uint64_t difference(const struct bytes_difference *d) { return (uint32_t)(d->a - d->b); }
static uint64_t order(const struct bytes_difference *d) { return (int32_t)d->a < (int32_t)d->b ? UINT32_MAX : d->a != d->b; }

static bool
compare_bytes(uint64_t arg, struct dr_mcontext *mc, uint64_t n, bool stop)
{
    CALL;
    struct bytes_difference d;

    check_arguments(c, n == BYTES_ANY ? TWO : THREE);
    if (!bytes_compare(A0, A1, 1, n, stop, &d))
        return false;
    return compared(c, A0, A1, 1, n, &d, stop, d.at < n ? difference(&d) : 0);
}
static bool memcmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_bytes(arg, mc, A2, false); }
static bool strcmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_bytes(arg, mc, BYTES_ANY, true); }
static bool strncmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_bytes(arg, mc, A2, true); }

static bool
compare_wide(uint64_t arg, struct dr_mcontext *mc, uint64_t n, bool stop)
{
    CALL;
    struct bytes_difference d;

    check_arguments(c, n == BYTES_ANY ? TWO : THREE);
    if (!bytes_compare(A0, A1, 4, n, stop, &d))
        return false;
    return compared(c, A0, A1, 4, n, &d, stop, d.at < n ? order(&d) : 0);
}
static bool wmemcmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_wide(arg, mc, A2, false); }
static bool wcscmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_wide(arg, mc, BYTES_ANY, true); }
static bool wcsncmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_wide(arg, mc, A2, true); }

static uint32_t lower(uint32_t b) { return b >= 'A' && b <= 'Z' ? b + 32 : b; }

/* What the locale decides is left to the program's own function: bytes beyond ASCII that differ, and I against i. */
static bool
compare_case(uint64_t arg, struct dr_mcontext *mc, uint64_t n)
{
    CALL;
    struct bytes_difference d, rest;

    check_arguments(c, n == BYTES_ANY ? TWO : THREE);
    if (!bytes_compare(A0, A1, 1, n, true, &d))
        return false;
    while (d.at < n && d.a != d.b) {
        if (d.a >= 0x80 || d.b >= 0x80 || ((d.a | 32) == 'i' && (d.b | 32) == 'i'))
            return false;
        if (lower(d.a) != lower(d.b))
            break;
        if (!bytes_compare(A0 + d.at + 1, A1 + d.at + 1, 1, n - d.at - 1, true, &rest))
            return false;
        rest.at += d.at + 1;
        d = rest;
    }
    return compared(c, A0, A1, 1, n, &d, true, d.at < n ? (uint32_t)(lower(d.a) - lower(d.b)) : 0);
}
static bool strcasecmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_case(arg, mc, BYTES_ANY); }
static bool strncasecmp_(uint64_t arg, struct dr_mcontext *mc) { return compare_case(arg, mc, A2); }

/* ---- strings that are copied ---- */

enum string_result { START, END };

/* The string at src to dst, where dst starts inside a string at `start` (strcat) or there. */
static bool
copy_string(const struct call *c, uint64_t start, uint64_t dst, uint64_t src, unsigned w, uint64_t room, enum string_result result)
{
    uint64_t n;

    if (!length(c, src, w, BYTES_ANY, &n) || (dst - start) / w + n >= room)
        return false;
    uint64_t bytes = (n + 1) * w;
    check_overlap(c, dst, bytes, src, bytes);
    return copy(c, dst, src, bytes) && returns(c, result == END ? dst + n * w : start);
}

static bool
copy_to(uint64_t arg, struct dr_mcontext *mc, unsigned w, uint64_t room, enum string_result result)
{
    CALL;

    check_arguments(c, TWO);
    return copy_string(c, A0, A0, A1, w, room, result);
}
static bool strcpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 1, BYTES_ANY, START); }
static bool strcpy_chk(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 1, A2, START); }
static bool stpcpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 1, BYTES_ANY, END); }
static bool stpcpy_chk(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 1, A2, END); }
static bool wcscpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 4, BYTES_ANY, START); }
static bool wcscpy_chk(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 4, A2, START); }
static bool wcpcpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_to(arg, mc, 4, BYTES_ANY, END); }

static bool
append(uint64_t arg, struct dr_mcontext *mc, unsigned w, uint64_t room)
{
    CALL;
    uint64_t n;

    check_arguments(c, TWO);
    return length(c, A0, w, BYTES_ANY, &n) && copy_string(c, A0, A0 + n * w, A1, w, room, START);
}
static bool strcat_(uint64_t arg, struct dr_mcontext *mc) { return append(arg, mc, 1, BYTES_ANY); }
static bool strcat_chk(uint64_t arg, struct dr_mcontext *mc) { return append(arg, mc, 1, A2); }
static bool wcscat_(uint64_t arg, struct dr_mcontext *mc) { return append(arg, mc, 4, BYTES_ANY); }

/* strncpy: at most n characters, and zeros up to n. */
static bool
copy_bounded(uint64_t arg, struct dr_mcontext *mc, unsigned w, uint64_t n, enum string_result result)
{
    CALL;
    uint64_t len;

    check_arguments(c, THREE);
    if (n > MAX_EXTENT || !length(c, A1, w, n, &len))
        return false;
    check_overlap(c, A0, n * w, A1, (len + (len < n)) * w);
    bool once = n * w <= CHUNK;      /* one extent, one report */
    if (once)
        check_write(c, A0, n * w);
    return copy_checked(c, A0, A1, len * w, once) && fill_checked(c, A0 + len * w, 1, 0, 0, (n - len) * w, once) && returns(c, result == END ? A0 + len * w : A0);
}
static bool strncpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_bounded(arg, mc, 1, A2, START); }
static bool strncpy_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && strncpy_(arg, mc); }
static bool stpncpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_bounded(arg, mc, 1, A2, END); }
static bool stpncpy_chk(uint64_t arg, struct dr_mcontext *mc) { return A3 >= A2 && stpncpy_(arg, mc); }
static bool wcsncpy_(uint64_t arg, struct dr_mcontext *mc) { return copy_bounded(arg, mc, 4, A2, START); }

static bool
append_bounded(uint64_t arg, struct dr_mcontext *mc, uint64_t room)
{
    CALL;
    uint64_t have, len, n = A2;

    check_arguments(c, THREE);
    if (!length(c, A0, 1, BYTES_ANY, &have) || !length(c, A1, 1, n, &len) || have + len >= room)
        return false;
    check_overlap(c, A0 + have, len + 1, A1, len + (len < n));
    check_write(c, A0 + have, len + 1);
    return copy_checked(c, A0 + have, A1, len, true) && fill_checked(c, A0 + have + len, 1, 0, 0, 1, true) && returns(c, A0);
}
static bool strncat_(uint64_t arg, struct dr_mcontext *mc) { return append_bounded(arg, mc, BYTES_ANY); }
static bool strncat_chk(uint64_t arg, struct dr_mcontext *mc) { return append_bounded(arg, mc, A3); }

/* ---- the table ---- */

#define ROW(name, shown, f) {name, shown, f, 0, REPLACE_LIBC}
const struct replacement strings_table[] = {
    ROW("memcpy", NULL, memcpy_), ROW("__memcpy_chk", "memcpy", memcpy_chk), ROW("memmove", NULL, memcpy_), ROW("__memmove_chk", "memmove", memcpy_chk),
    ROW("mempcpy", NULL, mempcpy_), ROW("__mempcpy", "mempcpy", mempcpy_), ROW("__mempcpy_chk", "mempcpy", mempcpy_chk), ROW("bcopy", NULL, bcopy_),
    ROW("memset", NULL, memset_), ROW("__memset_chk", "memset", memset_chk), ROW("bzero", NULL, bzero_), ROW("__bzero", "bzero", bzero_),
    ROW("memchr", NULL, memchr_), ROW("memrchr", NULL, memrchr_), ROW("__memrchr", "memrchr", memrchr_),
    ROW("rawmemchr", NULL, rawmemchr_), ROW("__rawmemchr", "rawmemchr", rawmemchr_), ROW("memmem", NULL, memmem_),
    ROW("memcmp", NULL, memcmp_), ROW("bcmp", NULL, memcmp_), ROW("__memcmpeq", "memcmp", memcmp_),
    ROW("strlen", NULL, strlen_), ROW("strnlen", NULL, strnlen_), ROW("__strnlen", "strnlen", strnlen_),
    ROW("strcpy", NULL, strcpy_), ROW("__strcpy_chk", "strcpy", strcpy_chk),
    ROW("stpcpy", NULL, stpcpy_), ROW("__stpcpy", "stpcpy", stpcpy_), ROW("__stpcpy_chk", "stpcpy", stpcpy_chk),
    ROW("strncpy", NULL, strncpy_), ROW("__strncpy_chk", "strncpy", strncpy_chk),
    ROW("stpncpy", NULL, stpncpy_), ROW("__stpncpy", "stpncpy", stpncpy_), ROW("__stpncpy_chk", "stpncpy", stpncpy_chk),
    ROW("strcat", NULL, strcat_), ROW("__strcat_chk", "strcat", strcat_chk), ROW("strncat", NULL, strncat_), ROW("__strncat_chk", "strncat", strncat_chk),
    ROW("strcmp", NULL, strcmp_), ROW("strncmp", NULL, strncmp_),
    ROW("strcasecmp", NULL, strcasecmp_), ROW("__strcasecmp", "strcasecmp", strcasecmp_), ROW("strncasecmp", NULL, strncasecmp_),
    ROW("strcasecmp_l", NULL, strcasecmp_), ROW("__strcasecmp_l", "strcasecmp_l", strcasecmp_),
    ROW("strncasecmp_l", NULL, strncasecmp_), ROW("__strncasecmp_l", "strncasecmp_l", strncasecmp_),
    ROW("strchr", NULL, strchr_), ROW("index", NULL, strchr_), ROW("strchrnul", NULL, strchrnul_), ROW("__strchrnul", "strchrnul", strchrnul_),
    ROW("strrchr", NULL, strrchr_), ROW("rindex", NULL, strrchr_), ROW("strstr", NULL, strstr_),
    ROW("strspn", NULL, strspn_), ROW("strcspn", NULL, strcspn_), ROW("strpbrk", NULL, strpbrk_),
    ROW("wcslen", NULL, wcslen_), ROW("wcsnlen", NULL, wcsnlen_), ROW("__wcsnlen", "wcsnlen", wcsnlen_),
    ROW("wcscpy", NULL, wcscpy_), ROW("__wcscpy_chk", "wcscpy", wcscpy_chk), ROW("wcpcpy", NULL, wcpcpy_), ROW("wcscat", NULL, wcscat_), ROW("wcsncpy", NULL, wcsncpy_),
    ROW("wmemcpy", NULL, wmemcpy_), ROW("__wmemcpy_chk", "wmemcpy", wmemcpy_chk), ROW("wmemmove", NULL, wmemcpy_), ROW("__wmemmove_chk", "wmemmove", wmemcpy_chk),
    ROW("wmempcpy", NULL, wmempcpy_), ROW("__wmempcpy_chk", "wmempcpy", wmempcpy_chk),
    ROW("wmemset", NULL, wmemset_), ROW("__wmemset_chk", "wmemset", wmemset_chk), ROW("wmemchr", NULL, wmemchr_), ROW("wmemcmp", NULL, wmemcmp_),
    ROW("wcscmp", NULL, wcscmp_), ROW("wcsncmp", NULL, wcsncmp_), ROW("wcschr", NULL, wcschr_), ROW("wcsrchr", NULL, wcsrchr_),
};
const unsigned strings_count = sizeof strings_table / sizeof *strings_table;
_Static_assert(sizeof strings_table / sizeof *strings_table <= MAX_STRINGS, "resolvers has a place for each");

const struct replacement *
strings_find(const char *name, unsigned length)
{
    for (unsigned i = 0; i < strings_count; i++) {
        const char *n = strings_table[i].name;
        unsigned k = 0;
        while (k < length && n[k] == name[k])
            k++;
        if (k == length && !n[k])
            return &strings_table[i];
    }
    return NULL;
}

/* glibc's variants of function F are called __F_SUFFIX: the suffix begins with what the CPU must have, or how it is done. */
static const struct replacement *
variant(const char *s)
{
    static const char *const kinds[] = {"_sse2", "_sse42", "_sse4", "_ssse3", "_avx", "_evex", "_erms"};
    const struct replacement *w;

    if (s[0] != '_' || s[1] != '_')
        return NULL;
    for (unsigned end = 3; s[end]; end++)
        for (unsigned i = 0; s[end] == '_' && i < sizeof kinds / sizeof *kinds; i++) {
            unsigned k = 0;
            while (kinds[i][k] && s[end + k] == kinds[i][k])
                k++;
            if (kinds[i][k] || (s[end + k] >= 'a' && s[end + k] <= 'z'))
                continue;
            w = strings_find(s + 2, end - 2);
            return w ? w : strings_find(s, end);
        }
    return NULL;
}

const struct replacement *
strings_meant(const struct replacement *w, const struct dr_symbol *s)
{
    if (opt.leaks_only)
        return NULL;
    if (!w)
        return s->type == DR_SYMBOL_FUNCTION && !s->dynamic ? variant(s->name) : NULL;
    if (!s->dynamic && !s->global)
        return NULL;
    if (s->old_version && same(s->name, "memcpy"))
        w = strings_find("memmove", 7);              /* memcpy@GLIBC_2.2.5 may be given what overlaps */
    return s->type == DR_SYMBOL_IFUNC ? &resolvers[w - strings_table] : w;
}

bool
strings_init(void)
{
    if (opt.leaks_only)
        return true;
    if (!ifunc_init())
        return false;
    replace_register(strings_table, strings_count);
    return true;
}
