/* drmemory's malloc and free beside the C library's: nanoseconds a pair, the shadow included, call stacks not. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "heap.h"
#include "tool_shim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIRS = 2000000, LIVE = 4096 };

static void *ours(size_t n) { return (void *)heap_allocate(n, 16, HEAP_MALLOC, 0, 1); }

static void
ours_free(void *p)
{
    struct heap_block b;

    heap_release((uint64_t)p, 1, &b);
}

struct run { void *(*get)(size_t); void (*put)(void *); uint64_t max; };

/* A random one of LIVE blocks is replaced by a new one. */
static void *
churn(void *arg)
{
    struct run *r = arg;
    void **live = calloc(LIVE, sizeof *live);
    uint64_t x = 88172645463325252ull;

    for (unsigned i = 0; i < PAIRS; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        void **p = &live[x % LIVE];
        if (*p)
            r->put(*p);
        *p = r->get((x >> 20) % r->max + 1);
        *(volatile char *)*p = 1;
    }
    for (unsigned i = 0; i < LIVE; i++)
        if (live[i])
            r->put(live[i]);
    free(live);
    return NULL;
}

static double
measure(struct run r, unsigned threads)
{
    struct timespec a, b;
    pthread_t t[16];

    clock_gettime(CLOCK_MONOTONIC, &a);
    for (unsigned i = 0; i < threads; i++)
        pthread_create(&t[i], NULL, churn, &r);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(t[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / PAIRS;
}

int
main(void)
{
    static const uint64_t sizes[] = {64, 256, 2048, 16384, 100000};

    shim_start();
    if (!heap_init())
        return 1;
    for (unsigned threads = 1; threads <= 2; threads++)
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            double libc = measure((struct run){malloc, free, sizes[i]}, threads), we = measure((struct run){ours, ours_free, sizes[i]}, threads);
            printf("%u thread(s), up to %6lu bytes: libc %6.1f ns, drmemory %6.1f ns, ratio %.2f\n", threads, sizes[i], libc, we, we / libc);
        }
    return 0;
}
