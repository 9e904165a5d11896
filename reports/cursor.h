/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading bytes nobody vouches for.
 * Invariant: `at` never passes `end`; after the first read beyond it the cursor
 *            is bad for good and every read gives 0. */
#ifndef DRTOOLS_REPORTS_CURSOR_H
#define DRTOOLS_REPORTS_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t size;
};

struct cursor {
    const uint8_t *at, *end;
    bool bad;
};

/* Of span[offset, offset + size); bad from the start if that is not inside. */
static inline struct cursor
cursor_part(struct span s, uint64_t offset, uint64_t size)
{
    static const uint8_t nothing[1];

    if (!s.data || offset > s.size || size > s.size - offset)
        return (struct cursor){nothing, nothing, true};
    return (struct cursor){s.data + offset, s.data + offset + size, false};
}

static inline struct cursor
cursor_from(struct span s, uint64_t offset)
{
    return cursor_part(s, offset, offset > s.size ? UINT64_MAX : s.size - offset);
}

static inline size_t
cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static inline bool
cursor_fail(struct cursor *c)
{
    c->bad = true;
    c->at = c->end;
    return false;
}

static inline void
cursor_skip(struct cursor *c, uint64_t n)
{
    if (n > cursor_left(c))
        cursor_fail(c);
    else
        c->at += n;
}

static inline uint64_t
cursor_fixed(struct cursor *c, unsigned size)
{
    uint64_t v = 0;

    if (size > cursor_left(c) || size > 8) {
        cursor_fail(c);
        return 0;
    }
    memcpy(&v, c->at, size);
    c->at += size;
    return v;
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
    if (c->at == c->end) {
        c->bad = true;
        return 0;
    }
    return *c->at++;
}

static inline uint16_t
cursor_u16(struct cursor *c)
{
    return (uint16_t)cursor_fixed(c, 2);
}

static inline uint32_t
cursor_u32(struct cursor *c)
{
    return (uint32_t)cursor_fixed(c, 4);
}

static inline uint64_t
cursor_u64(struct cursor *c)
{
    return cursor_fixed(c, 8);
}

static inline uint64_t
cursor_uleb(struct cursor *c)
{
    uint64_t v = 0;

    for (unsigned shift = 0;; shift += 7) {
        uint8_t b = cursor_u8(c);

        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
}

static inline int64_t
cursor_sleb(struct cursor *c)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t b;

    do {
        b = cursor_u8(c);
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    if (shift < 64 && (b & 0x40))
        v |= ~(uint64_t)0 << shift;
    return (int64_t)v;
}

/* A NUL-terminated string inside; NULL and bad if its end is missing. */
static inline const char *
cursor_string(struct cursor *c)
{
    const uint8_t *s = c->at, *nul = memchr(c->at, 0, cursor_left(c));

    if (!nul) {
        cursor_fail(c);
        return NULL;
    }
    c->at = nul + 1;
    return (const char *)s;
}

#endif
