/* Memory inside the code cache: bump allocation, and lists by exact size of
 * what was freed. Pieces are split, never joined: a reset of the whole cache
 * makes up for that.
 * Threads: callers hold cache_lock. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache_priv.h"
#include "linux/memory.h"

void
area_push(struct area *a, uint32_t off, uint32_t size)
{
    if (!size)
        return;
    memcpy(cache_at(off), &a->free[size / GRANULE], 4);
    a->free[size / GRANULE] = off;
    a->pieces++;
    a->some[size / GRANULE / 64] |= 1ull << (size / GRANULE % 64);
}

static uint32_t
area_pop(struct area *a, uint32_t class)
{
    uint32_t off = a->free[class];

    memcpy(&a->free[class], cache_at(off), 4);
    a->pieces--;
    if (!a->free[class])
        a->some[class / 64] &= ~(1ull << (class % 64));
    return off;
}

/* The first non-empty list of at least `class`, or 0. */
static uint32_t
area_class(const struct area *a, uint32_t class)
{
    uint32_t word = class / 64;
    uint64_t bits = a->some[word] & (~0ull << (class % 64));

    while (!bits && ++word < COUNT_OF(a->some))
        bits = a->some[word];
    return bits ? word * 64 + (uint32_t)__builtin_ctzll(bits) : 0;
}

uint32_t
area_alloc(struct area *a, uint32_t n)
{
    uint32_t size = chunk_round(n), class = a->pieces ? area_class(a, size / GRANULE) : 0, off;

    if (class) {
        off = area_pop(a, class);
        area_push(a, off + size, class * GRANULE - size);
        return off;
    }
    if (a->end - a->next < size)
        return 0;
    off = a->next;
    a->next += size;
    if (a->next > a->backed)
        a->backed += (uint32_t)engine_back(cache_at(a->backed), a->end - a->backed);
    return off;
}

uint32_t
area_alloc_aligned(struct area *a, uint32_t n)
{
    if (a->next % 8 && a->end - a->next >= 8)
        a->next += GRANULE;
    uint32_t off = area_alloc(a, n);
    if (off % 8 == 0)
        return off;
    area_push(a, off, chunk_round(n));              /* a freed piece at an odd granule: take one with room to align */
    off = area_alloc(a, n + GRANULE);
    if (off % 8 == 0)
        return off;
    area_push(a, off, GRANULE);
    return off + GRANULE;
}

void
area_free(struct area *a, uint32_t off, uint32_t n)
{
    if (n)
        area_push(a, off, chunk_round(n));
}

void
area_restart(struct area *a, uint32_t next)
{
    a->next = next;
    a->pieces = 0;
    memset(a->free, 0, sizeof a->free);
    memset(a->some, 0, sizeof a->some);
}
