/* SPDX-License-Identifier: BSD-3-Clause */
/* Edit distance: insertions, deletions, replacements and swaps of neighbours. */
#include "nearest.h"

#include <string.h>

enum { LONGEST = 63 };

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned
distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned d[LONGEST + 1][LONGEST + 1];

    for (unsigned i = 0; i <= a_length; i++)
        d[i][0] = i;
    for (unsigned j = 0; j <= b_length; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= a_length; i++)
        for (size_t j = 1; j <= b_length; j++) {
            unsigned replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            d[i][j] = least(replaced, least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a_length][b_length];
}

/* How far `known` is from what was typed; the beginning of a word stands for it, as in -h. */
static unsigned
farness(const char *typed, size_t length, const char *known)
{
    size_t known_length = strlen(known);

    if (strncmp(typed, known, length) == 0)
        return 0;
    return known_length > LONGEST ? LONGEST : distance(typed, length, known, known_length);
}

const char *
nearest(const char *word, const struct words *candidates)
{
    size_t length = strlen(word);
    unsigned best = (unsigned)(length + 1) / 2; /* farther than that is another word, not a slip */
    const char *found = NULL;

    if (length > LONGEST)
        return NULL;
    for (size_t i = 0; i < candidates->n; i++) {
        unsigned d = farness(word, length, candidates->v[i]);

        if (d < best || (d == best && (!found || strcmp(candidates->v[i], found) < 0))) {
            best = d;
            found = candidates->v[i];
        }
    }
    return found;
}
