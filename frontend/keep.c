/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory kept until the process ends. The blocks stay on a list, so that a
 * leak checker sees them as reachable. */
#include "keep.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

struct block {
    struct block *next;
    alignas(max_align_t) char bytes[];
};

static struct block *blocks;

static _Noreturn void
out_of_memory(void)
{
    static const char text[] = "drrun: out of memory (is RLIMIT_AS, `ulimit -v`, set too low?)\n";

    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(STATUS_ENGINE);
    _exit(STATUS_ENGINE);
}

void *
keep_bytes(size_t size)
{
    struct block *b = calloc(1, sizeof *b + size);

    if (!b)
        out_of_memory();
    b->next = blocks;
    blocks = b;
    return b->bytes;
}

char *
keep_slice(const char *s, size_t length)
{
    char *copy = keep_bytes(length + 1);

    memcpy(copy, s, length);
    return copy;
}

char *
keep_string(const char *s)
{
    return keep_slice(s, strlen(s));
}

char *
keep_vprintf(const char *format, va_list args)
{
    va_list again;
    int length;
    char *s;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        out_of_memory();
    s = keep_bytes((size_t)length + 1);
    vsnprintf(s, (size_t)length + 1, format, args);
    return s;
}

char *
keep_printf(const char *format, ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    s = keep_vprintf(format, args);
    va_end(args);
    return s;
}

/* `old`, `used` bytes of it, moved to a block with room for `size`. */
static void *
moved(const void *old, size_t used, size_t size)
{
    void *bytes = keep_bytes(size);

    if (old)
        memcpy(bytes, old, used);
    return bytes;
}

void *
keep_grow(void *array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 8;
    return moved(array, n * size, *capacity * size);
}

void
words_add(struct words *w, const char *word)
{
    w->v = keep_grow(w->v, w->n + 1, &w->capacity, sizeof *w->v); /* + 1: the final NULL */
    w->v[w->n++] = keep_string(word);
    w->v[w->n] = NULL;
}

static int
compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
words_sort(struct words *w)
{
    if (w->n)
        qsort(w->v, w->n, sizeof *w->v, compare_words);
}

static void
text_add_slice(struct text *t, const char *s, size_t length)
{
    if (t->n + length + 1 > t->capacity) {
        t->capacity = 2 * (t->n + length + 1);
        t->s = moved(t->s, t->n, t->capacity);
    }
    memcpy(t->s + t->n, s, length);
    t->n += length;
    t->s[t->n] = '\0';
}

void
text_add(struct text *t, const char *s)
{
    text_add_slice(t, s, strlen(s));
}

void
text_add_char(struct text *t, char c)
{
    text_add_slice(t, &c, 1);
}

void
text_addf(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_add(t, keep_vprintf(format, args));
    va_end(args);
}
