/* Deflate with fixed codes: matches by a table of four-byte strings, the last occurrence only. Traces repeat themselves
 * word for word, so that long matches do most of the work; dynamic codes would save a fifth more.
 * See RFC 1950 and RFC 1951. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "deflate.h"

#include <stdbool.h>

enum { WINDOW = 32768, MIN_MATCH = 4, MAX_MATCH = 258 };

static uint32_t crc_table[4][256];

struct bits { uint8_t *p, *end; uint64_t acc; unsigned n; bool full; };

static void
put(struct bits *b, uint64_t v, unsigned n)
{
    b->acc |= v << b->n;
    b->n += n;
    if (b->n < 32)
        return;
    if (b->end - b->p >= 4) {
        __builtin_memcpy(b->p, &b->acc, 4);
        b->p += 4;
    } else {
        b->full = true;
    }
    b->acc >>= 32;
    b->n -= 32;
}

/* What is left, to whole bytes. */
static void
finish(struct bits *b)
{
    for (; b->n; b->n = b->n < 8 ? 0 : b->n - 8, b->acc >>= 8)
        if (b->p < b->end)
            *b->p++ = (uint8_t)b->acc;
        else
            b->full = true;
}

/* The fixed codes, their first bit lowest. */
static struct { uint16_t bits; uint8_t n; } symbol[288];
static uint8_t distance_code[30];

static uint32_t
reversed(uint32_t code, unsigned n)
{
    uint32_t r = 0;

    for (unsigned i = 0; i < n; i++)
        r |= (code >> i & 1) << (n - 1 - i);
    return r;
}

void
deflate_prepare(void)
{
    for (unsigned s = 0; s < 288; s++) {
        unsigned n = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
        uint32_t code = s < 144 ? 0x30 + s : s < 256 ? 0x190 + s - 144 : s < 280 ? s - 256 : 0xc0 + s - 280;
        symbol[s].bits = (uint16_t)reversed(code, n);
        symbol[s].n = (uint8_t)n;
    }
    for (unsigned d = 0; d < 30; d++)
        distance_code[d] = (uint8_t)reversed(d, 5);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 4; k++)
            crc_table[k][i] = crc_table[0][crc_table[k - 1][i] & 255] ^ crc_table[k - 1][i] >> 8;
}

static void put_symbol(struct bits *b, unsigned s) { put(b, symbol[s].bits, symbol[s].n); }

static const uint16_t length_base[29] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};

static void
put_match(struct bits *b, unsigned length, unsigned distance)
{
    unsigned k, d = distance - 1, l = length - 3;

    if (length == MAX_MATCH) {
        k = 28;
    } else if (l < 8) {
        k = l;
    } else {
        unsigned extra = 29 - (unsigned)__builtin_clz(l);    /* four codes to each number of extra bits */
        k = 4 * extra + (l >> extra);
    }
    put_symbol(b, 257 + k);
    put(b, length - length_base[k], length_extra[k]);
    if (d < 4) {
        put(b, distance_code[d], 5);
        return;
    }
    unsigned extra = 30 - (unsigned)__builtin_clz(d);        /* two leading bits choose the code, the others follow */
    put(b, distance_code[2 * extra + 2 + (d >> extra & 1)], 5);
    put(b, d & ((1u << extra) - 1), extra);
}

static uint32_t
adler32_of(const uint8_t *p, size_t n)
{
    uint32_t a = 1, b = 0;

    while (n) {
        size_t k = n < 5552 ? n : 5552;
        n -= k;
        while (k--) {
            a += *p++;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}

static uint32_t load32(const uint8_t *p) { uint32_t v; __builtin_memcpy(&v, p, 4); return v; }

size_t
deflate(struct deflate *d, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    struct bits b = {.p = out, .end = out + room};
    uint32_t sum = adler32_of(in, n);

    for (size_t i = 0; i < DEFLATE_HASH; i++)
        d->head[i] = 0;
    put(&b, 0x0178, 16);                                     /* CMF, FLG */
    put(&b, 3, 3);                                           /* the last block, fixed codes */
    for (size_t i = 0; i < n && !b.full;) {
        unsigned length = 0;
        size_t from = 0;
        if (i + MIN_MATCH <= n) {
            uint32_t *head = &d->head[load32(in + i) * 2654435761u >> 18];
            from = *head;
            *head = (uint32_t)i + 1;
            if (from-- && i - from <= WINDOW && load32(in + from) == load32(in + i))
                for (length = MIN_MATCH; length < MAX_MATCH && i + length < n && in[from + length] == in[i + length]; length++)
                    ;
        }
        if (!length) {
            put_symbol(&b, in[i++]);
            continue;
        }
        put_match(&b, length, (unsigned)(i - from));
        for (size_t k = i + 1; k < i + length && k + MIN_MATCH <= n && length < 64; k++)
            d->head[load32(in + k) * 2654435761u >> 18] = (uint32_t)k + 1;
        i += length;
    }
    put_symbol(&b, 256);
    finish(&b);
    for (int i = 3; i >= 0; i--)
        put(&b, sum >> 8 * i & 255, 8);
    finish(&b);
    return b.full ? 0 : (size_t)(b.p - out);
}

uint32_t
crc32_of(const void *p, size_t n)
{
    const uint8_t *s = p;
    uint32_t crc = ~0u;

    for (; n >= 4; n -= 4, s += 4) {
        crc ^= load32(s);
        crc = crc_table[3][crc & 255] ^ crc_table[2][crc >> 8 & 255] ^ crc_table[1][crc >> 16 & 255] ^ crc_table[0][crc >> 24];
    }
    while (n--)
        crc = crc_table[0][(crc ^ *s++) & 255] ^ crc >> 8;
    return ~crc;
}
