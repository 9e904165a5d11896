/* SPDX-License-Identifier: BSD-3-Clause */
/* The string pool: an open-addressing hash table of owned strings. */
#include "strings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct strings {
    char **slots;
    size_t count, size; /* size is a power of two, at least twice count */
};

static uint64_t
hash(const char *s, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        h = (h ^ (uint8_t)s[i]) * 0x100000001b3u;
    return h ^ h >> 32;
}

struct strings *
strings_new(void)
{
    struct strings *pool = memory_zalloc(1, sizeof *pool);

    pool->size = 256;
    pool->slots = memory_zalloc(pool->size, sizeof *pool->slots);
    return pool;
}

void
strings_free(struct strings *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->size; i++)
        free(pool->slots[i]);
    free(pool->slots);
    free(pool);
}

static char **
slot_for(const struct strings *pool, const char *s, size_t size)
{
    size_t i = hash(s, size) & (pool->size - 1);

    while (pool->slots[i] && (strncmp(pool->slots[i], s, size) != 0 || pool->slots[i][size]))
        i = (i + 1) & (pool->size - 1);
    return &pool->slots[i];
}

static void
grow(struct strings *pool)
{
    struct strings bigger = {memory_zalloc(pool->size * 2, sizeof *bigger.slots), pool->count,
                             pool->size * 2};

    for (size_t i = 0; i < pool->size; i++)
        if (pool->slots[i])
            *slot_for(&bigger, pool->slots[i], strlen(pool->slots[i])) = pool->slots[i];
    free(pool->slots);
    *pool = bigger;
}

const char *
strings_keep_n(struct strings *pool, const char *s, size_t size)
{
    char **slot;

    size = strnlen(s, size);
    if (pool->count * 2 >= pool->size)
        grow(pool);
    slot = slot_for(pool, s, size);
    if (!*slot) {
        *slot = memory_string_n(s, size);
        pool->count++;
    }
    return *slot;
}

const char *
strings_keep(struct strings *pool, const char *s)
{
    return s ? strings_keep_n(pool, s, strlen(s)) : NULL;
}
