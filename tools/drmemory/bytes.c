/* The program's memory, word by word, under dr_try. Reads of a string stay within
 * the aligned word that holds the last byte asked for: never into another page.
 * See bytes.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "bytes.h"

#include "drtools/tool.h"

typedef uint64_t __attribute__((may_alias)) word;
typedef uint64_t __attribute__((may_alias, aligned(1))) loose;
typedef uint32_t __attribute__((may_alias, aligned(1))) loose4;
typedef uint16_t __attribute__((may_alias, aligned(1))) loose2;

#define ONES 0x0101010101010101ull
#define HIGH 0x8080808080808080ull

enum { REP_FROM = 512, TOUCH = 4096 };

/* Bit 7 of each byte that is 0, exact in the lowest one that is. */
static uint64_t zeros(uint64_t v) { return (v - ONES) & ~v & HIGH; }

static uint32_t
load(uint64_t a, unsigned w)
{
    return w == 1 ? *(const volatile uint8_t *)a : *(const volatile loose4 *)a;
}

/* ---- find ---- */

struct find { uint64_t a, n, at; unsigned w; uint32_t c; bool stop; };

/* 32 bytes at a time, aligned, as long as none of them is equal to c. */
static uint64_t
pass_over(const struct find *f, uint64_t i, uint64_t same)
{
    for (; f->n - i >= 32; i += 32) {
        const volatile word *p = (const volatile word *)(f->a + i);
        uint64_t v0 = p[0] ^ same, v1 = p[1] ^ same, v2 = p[2] ^ same, v3 = p[3] ^ same;
        if ((((v0 - ONES) & ~v0) | ((v1 - ONES) & ~v1) | ((v2 - ONES) & ~v2) | ((v3 - ONES) & ~v3)) & HIGH)
            break;
    }
    return i;
}

static void
find_bytes(struct find *f)
{
    uint64_t same = f->c * ONES, i = 0;

    for (; i < f->n && (f->a + i) % 8; i++) {
        uint32_t c = load(f->a + i, 1);
        if (c == f->c || (f->stop && !c))
            goto out;
    }
    for (; i < f->n; i += 8) {
        if ((f->a + i) % 32 == 0 && (!f->c || !f->stop)) {
            i = pass_over(f, i, same);
            if (i >= f->n)
                break;
        }
        uint64_t v = *(const volatile word *)(f->a + i), hit = zeros(v ^ same) | (f->stop ? zeros(v) : 0);
        if (hit) {
            i += (uint64_t)__builtin_ctzll(hit) / 8;
            break;
        }
    }
out:
    f->at = i < f->n ? i : f->n;
}

static void
find_job(void *arg)
{
    struct find *f = arg;

    if (f->w == 1) {
        find_bytes(f);
        return;
    }
    uint64_t i = 0;
    for (; i < f->n; i++) {
        uint32_t c = load(f->a + i * f->w, f->w);
        if (c == f->c || (f->stop && !c))
            break;
    }
    f->at = i;
}

bool
bytes_find(uint64_t a, unsigned w, uint64_t n, uint32_t c, bool stop, uint64_t *at)
{
    struct find f = {.a = a, .n = n, .w = w, .c = c, .stop = stop};
    bool ok = dr_try(find_job, &f);

    *at = f.at;
    return ok;
}

static void
find_last_job(void *arg)
{
    struct find *f = arg;

    f->at = f->n;
    for (uint64_t i = f->n; i-- > 0;)
        if (load(f->a + i * f->w, f->w) == f->c) {
            f->at = i;
            return;
        }
}

bool
bytes_find_last(uint64_t a, unsigned w, uint64_t n, uint32_t c, uint64_t *at)
{
    struct find f = {.a = a, .n = n, .w = w, .c = c};
    bool ok = dr_try(find_last_job, &f);

    *at = f.at;
    return ok;
}

/* ---- compare ---- */

struct compare { uint64_t a, b, n; unsigned w; bool stop; struct bytes_difference *out; };

static void
compare_job(void *arg)
{
    struct compare *c = arg;
    unsigned w = c->w;
    uint64_t i = 0;

    /* Strings word by word only where both words are aligned alike; memory anywhere. */
    if (!c->stop && w == 1) {
        for (; c->n - i >= 32; i += 32) {
            const volatile loose *a = (const volatile loose *)(c->a + i), *b = (const volatile loose *)(c->b + i);
            if ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]))
                break;
        }
        while (c->n - i >= 8 && *(const volatile loose *)(c->a + i) == *(const volatile loose *)(c->b + i))
            i += 8;
    }
    for (; i < c->n; i++) {
        if (w == 1 && c->stop && (c->a + i) % 8 == 0 && (c->b + i) % 8 == 0)
            while (c->n - i >= 8) {
                uint64_t v = *(const volatile word *)(c->a + i);
                if (v != *(const volatile word *)(c->b + i) || zeros(v))
                    break;
                i += 8;
            }
        if (i == c->n)
            break;
        c->out->a = load(c->a + i * w, w);
        c->out->b = load(c->b + i * w, w);
        if (c->out->a != c->out->b || (c->stop && !c->out->a))
            break;
    }
    c->out->at = i;
}

bool
bytes_compare(uint64_t a, uint64_t b, unsigned w, uint64_t n, bool stop, struct bytes_difference *out)
{
    struct compare c = {a, b, n, w, stop, out};

    *out = (struct bytes_difference){0};
    return dr_try(compare_job, &c);
}

/* ---- search ---- */

struct search { uint64_t a, n, b, m, at; bool in; };

/* Two-way would be linear; this is a scan for the needle's first byte, as most haystacks are short or the needle's start is rare.
 * After as many failed comparisons as the haystack is long (a pathological pair), `at` says BYTES_ANY: the program's own body decides. */
static void
search_job(void *arg)
{
    struct search *s = arg;
    uint64_t work = 0;

    s->at = s->n;
    if (s->m > s->n)
        return;
    if (!s->m) {
        s->at = 0;
        return;
    }
    uint32_t first = load(s->b, 1);
    for (uint64_t i = 0; i + s->m <= s->n; i++) {
        struct find f = {.a = s->a + i, .n = s->n - s->m + 1 - i, .w = 1, .c = first};
        find_bytes(&f);
        if (f.at == f.n)
            return;
        i += f.at;
        uint64_t k = 1;
        while (k < s->m && load(s->a + i + k, 1) == load(s->b + k, 1))
            k++;
        if (k == s->m) {
            s->at = i;
            return;
        }
        if ((work += k) > 64 * s->n) {
            s->at = BYTES_ANY;
            return;
        }
    }
}

bool
bytes_search(uint64_t a, uint64_t n, uint64_t b, uint64_t m, uint64_t *at)
{
    struct search s = {.a = a, .n = n, .b = b, .m = m};
    bool ok = dr_try(search_job, &s) && s.at != BYTES_ANY;

    *at = s.at;
    return ok;
}

static void
span_job(void *arg)
{
    struct search *s = arg;
    uint64_t set[4] = {0}, i = 0;

    for (uint64_t k = 0; k < s->m; k++) {
        uint32_t c = load(s->b + k, 1);
        set[c / 64] |= 1ull << c % 64;
    }
    for (uint32_t c; (c = load(s->a + i, 1)) != 0 && (set[c / 64] >> c % 64 & 1) == s->in; i++)
        ;
    s->at = i;
}

bool
bytes_span(uint64_t a, uint64_t set, uint64_t n, bool in, uint64_t *out)
{
    struct search s = {.a = a, .b = set, .m = n, .in = in};
    bool ok = dr_try(span_job, &s);

    *out = s.at;
    return ok;
}

/* ---- copy, fill ---- */

struct copy { uint64_t dst, src, n; };

/* Up to 16 bytes, in two words that may share bytes, both read before either is written. */
static void
copy_small(uint64_t dst, uint64_t src, uint64_t n)
{
    if (n >= 8) {
        uint64_t a = *(const volatile loose *)src, b = *(const volatile loose *)(src + n - 8);
        *(volatile loose *)dst = a;
        *(volatile loose *)(dst + n - 8) = b;
    } else if (n >= 4) {
        uint32_t a = *(const volatile loose4 *)src, b = *(const volatile loose4 *)(src + n - 4);
        *(volatile loose4 *)dst = a;
        *(volatile loose4 *)(dst + n - 4) = b;
    } else if (n >= 2) {
        uint16_t a = *(const volatile loose2 *)src, b = *(const volatile loose2 *)(src + n - 2);
        *(volatile loose2 *)dst = a;
        *(volatile loose2 *)(dst + n - 2) = b;
    } else if (n) {
        *(volatile uint8_t *)dst = *(const volatile uint8_t *)src;
    }
}

static void
copy_up(uint64_t dst, uint64_t src, uint64_t n)
{
    if (n >= REP_FROM && (dst < src ? src - dst : dst - src) >= 64) {
        __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
        return;
    }
    for (; n > 16; dst += 8, src += 8, n -= 8)
        *(volatile loose *)dst = *(const volatile loose *)src;
    copy_small(dst, src, n);
}

static void
copy_down(uint64_t dst, uint64_t src, uint64_t n)
{
    for (; n > 16; n -= 8)
        *(volatile loose *)(dst + n - 8) = *(const volatile loose *)(src + n - 8);
    copy_small(dst, src, n);
}

/* Each page is there: an access that faults half way must not have moved anything. */
static void
touch(const struct copy *c)
{
    for (uint64_t i = 0; i < c->n; i += TOUCH) {
        load(c->src + i, 1);
        __atomic_fetch_or((uint8_t *)(c->dst + i), 0, __ATOMIC_RELAXED);
    }
    load(c->src + c->n - 1, 1);
    __atomic_fetch_or((uint8_t *)(c->dst + c->n - 1), 0, __ATOMIC_RELAXED);
}

static void
copy_job(void *arg)
{
    const struct copy *c = arg;

    if (!c->n)
        return;
    bool overlap = c->dst - c->src < c->n || c->src - c->dst < c->n;
    if (overlap && (((c->dst ^ (c->dst + c->n - 1)) | (c->src ^ (c->src + c->n - 1))) / TOUCH))
        touch(c);
    if (c->n <= 16) {
        copy_small(c->dst, c->src, c->n);
        return;
    }
    if (c->dst - c->src < c->n)
        copy_down(c->dst, c->src, c->n);
    else
        copy_up(c->dst, c->src, c->n);
}

bool
bytes_copy(uint64_t dst, uint64_t src, uint64_t n)
{
    return dr_try(copy_job, &(struct copy){dst, src, n});
}

struct filling { uint64_t dst, n, pattern; };

static void
fill_job(void *arg)
{
    const struct filling *f = arg;
    uint64_t dst = f->dst, n = f->n, v = f->pattern;

    if (n >= REP_FROM && v == (v & 0xff) * ONES) {
        __asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(v) : "memory");
        return;
    }
    for (; n >= 8; dst += 8, n -= 8)
        *(volatile loose *)dst = v;
    for (; n; dst++, n--, v = v >> 8 | v << 56)
        *(volatile uint8_t *)dst = (uint8_t)v;
}

bool
bytes_fill(uint64_t dst, unsigned w, uint32_t c, uint64_t n)
{
    uint64_t pattern = w == 1 ? (c & 0xff) * ONES : c | (uint64_t)c << 32;

    return dr_try(fill_job, &(struct filling){dst, n, pattern});
}

uint8_t
bytes_at(uint64_t a)
{
    uint8_t b = 0;

    return dr_safe_read(&b, a, 1) ? b : 0;
}
