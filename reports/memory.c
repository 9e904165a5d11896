/* SPDX-License-Identifier: BSD-3-Clause */
/* Checked allocation. */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
check(void *p)
{
    if (!p) {
        fputs("drtools: the reporter is out of memory; the report is incomplete\n", stderr);
        exit(1);
    }
    return p;
}

void *
memory_zalloc(size_t count, size_t size)
{
    return check(calloc(count ? count : 1, size ? size : 1));
}

void *
memory_copy(const void *data, size_t size)
{
    void *p = check(malloc(size ? size : 1));

    if (size)
        memcpy(p, data, size);
    return p;
}

char *
memory_string(const char *s)
{
    return s ? memory_copy(s, strlen(s) + 1) : NULL;
}

char *
memory_string_n(const char *s, size_t size)
{
    char *copy = check(malloc(size + 1));

    if (size)
        memcpy(copy, s, size);
    copy[size] = 0;
    return copy;
}

char *
memory_printf(const char *format, ...)
{
    va_list args;
    char *s = NULL;

    va_start(args, format);
    if (vasprintf(&s, format, args) < 0)
        s = NULL;
    va_end(args);
    return check(s);
}

void *
memory_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? *room * 2 : 8;
    return check(reallocarray(array, *room, size));
}
