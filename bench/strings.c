/* What calls of libc's string functions cost, in ns: run natively, under drrun, and under drmemory. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *a, *b;
static volatile size_t sink;
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile set)(void *, int, size_t) = memset;
static size_t (*volatile length)(const char *) = strlen;
static int (*volatile compare)(const char *, const char *) = strcmp;
static int (*volatile memory)(const void *, const void *, size_t) = memcmp;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int
main(void)
{
    static const size_t sizes[] = {8, 64, 256, 4096, 65536, 16 << 20};

    a = malloc(17 << 20);
    b = malloc(17 << 20);
    memset(a, 'a', 17 << 20);
    memset(b, 'a', 17 << 20);
    printf("%10s %10s %10s %10s %10s %10s\n", "bytes", "memcpy", "memset", "strlen", "strcmp", "memcmp");
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i], rounds = n < 1000 ? 1000000 : n < 100000 ? 30000 : 10;
        double t[6];
        t[0] = now();
        for (size_t k = 0; k < rounds; k++)
            copy(a, b, n);
        t[1] = now();
        for (size_t k = 0; k < rounds; k++)
            set(a, 'a', n);
        t[2] = now();
        a[n] = b[n] = 0;
        for (size_t k = 0; k < rounds; k++)
            sink += length(a);
        t[3] = now();
        for (size_t k = 0; k < rounds; k++)
            sink += (size_t)compare(a, b);
        t[4] = now();
        for (size_t k = 0; k < rounds; k++)
            sink += (size_t)memory(a, b, n);
        t[5] = now();
        a[n] = b[n] = 'a';
        printf("%10zu", n);
        for (int k = 0; k < 5; k++)
            printf(" %10.1f", (t[k + 1] - t[k]) / (double)rounds);
        printf("\n");
    }
    return 0;
}
