/* A hash map from a number to a number, for analyses; grows as it must. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRACE_LINE_MAP_H
#define DRTOOLS_TRACE_LINE_MAP_H

#include <stdint.h>
#include <stdlib.h>

struct line_map { uint64_t *key, *value; size_t n, room; };      /* key + 1; 0: free. room is a power of 2 */

/* Where the key's value is, 0 at first. NULL: no memory. */
static inline uint64_t *
line_map_at(struct line_map *m, uint64_t key)
{
    if (2 * (m->n + 1) > m->room) {
        struct line_map more = {.room = m->room ? 2 * m->room : 1024};
        more.key = calloc(more.room, sizeof *more.key);
        more.value = calloc(more.room, sizeof *more.value);
        if (!more.key || !more.value) {
            free(more.key);
            free(more.value);
            return NULL;
        }
        for (size_t i = 0; i < m->room; i++)
            if (m->key[i])
                *line_map_at(&more, m->key[i] - 1) = m->value[i];
        free(m->key);
        free(m->value);
        *m = more;
    }
    for (size_t i = key * 0x9e3779b97f4a7c15ull >> 20 & (m->room - 1);; i = (i + 1) & (m->room - 1)) {
        if (!m->key[i]) {
            m->key[i] = key + 1;
            m->n++;
        }
        if (m->key[i] == key + 1)
            return &m->value[i];
    }
}

static inline void
line_map_clear(struct line_map *m)
{
    free(m->key);
    free(m->value);
    *m = (struct line_map){0};
}

#endif
