/* The example of docs/drprof.md: counts words of a generated text, by a list that is searched from its front. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
    struct word *next;
    unsigned count;
    char text[12];
};
static struct word *words;

__attribute__((noinline)) static int
same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

__attribute__((noinline)) static struct word *
find(const char *text)
{
    for (struct word *w = words; w; w = w->next)
        if (same(w->text, text))
            return w;
    return NULL;
}

__attribute__((noinline)) static void
count(const char *text)
{
    struct word *w = find(text);

    if (!w) {
        w = calloc(1, sizeof *w);
        strcpy(w->text, text);
        w->next = words;
        words = w;
    }
    w->count++;
}

int
main(void)
{
    unsigned seed = 1, most = 0;
    char text[12];

    for (int i = 0; i < 20000; i++) {
        unsigned n = 0;
        seed = seed * 1103515245 + 12345;
        for (unsigned v = (seed >> 16) % 500; n < 6; v /= 3)
            text[n++] = (char)('a' + v % 3);
        text[n] = 0;
        count(text);
    }
    for (struct word *w = words; w; w = w->next)
        most = w->count > most ? w->count : most;
    printf("%u\n", most);
    return 0;
}
