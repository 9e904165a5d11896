/* The memory and string functions that a freestanding program must bring.
 * `rep movsb` is fast on every CPU we run on (ERMS) and touches no vector state,
 * but for its start of some thirty cycles: short copies go by words. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "util/base.h"

#undef memcpy
#undef memset

enum { SHORT_COPY = 256 };

void *
memcpy(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    uint64_t word;

    if (n <= SHORT_COPY) {
        for (; n >= 8; n -= 8, d += 8, s += 8) {
            __builtin_memcpy(&word, s, 8);
            __builtin_memcpy(d, &word, 8);
            __asm__ volatile("" : : : "memory");   /* keeps gcc from seeing a memcpy */
        }
        for (; n; n--) {
            *d++ = *s++;
            __asm__ volatile("" : : : "memory");
        }
        return dst;
    }
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    return dst;
}

void *
memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;

    if (d <= s || d >= s + n)
        return memcpy(dst, src, n);
    while (n--) {
        d[n] = s[n];
        __asm__ volatile("" : : : "memory");   /* keeps gcc from turning the loop into a call of itself */
    }
    return dst;
}

void *
memset(void *dst, int c, size_t n)
{
    void *d = dst;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t
strlen(const char *s)
{
    const char *e = s;

    while (*e) {
        e++;
        __asm__ volatile("" : "+r"(e));
    }
    return (size_t)(e - s);
}

int
strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

int
strncmp(const char *a, const char *b, size_t n)
{
    while (n && *a && *a == *b)
        a++, b++, n--;
    return n ? (uint8_t)*a - (uint8_t)*b : 0;
}

char *
strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)s;
}

const char *
path_base(const char *path)
{
    const char *base = path;

    for (; *path; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

bool
str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
parse_u64(const char *s, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (s[0] == '0' && s[1] == 'x') {
        base = 16;
        s += 2;
    }
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0') : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10) : 99;
        if (d >= base || v > (UINT64_MAX - d) / base)
            return false;
        v = v * base + d;
    }
    *out = v;
    return true;
}
