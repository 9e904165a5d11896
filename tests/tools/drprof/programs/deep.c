/* A million frames deep, twice. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

volatile long sink;
__attribute__((noinline, noclone)) void bottom(void) { sink++; }
__attribute__((noinline, noclone)) long down(long n)
{
    if (!n) {
        bottom();
        return 0;
    }
    long r = down(n - 1) + 1;
    sink = r;
    return r;
}
__attribute__((noinline, noclone)) void after(void) { bottom(); }

static void *
run(void *arg)
{
    for (int i = 0; i < 2; i++) {
        if (down(1000000) != 1000000)
            abort();
        after();
    }
    return arg;
}

int
main(void)
{
    pthread_attr_t a;
    pthread_t t;

    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 256ul << 20);
    if (pthread_create(&t, &a, run, NULL) || pthread_join(t, NULL))
        abort();
    return 0;
}
