// SPDX-License-Identifier: BSD-3-Clause
/* SOAK_ROUNDS times: SOAK_THREADS threads are created, all run at once, each changes its own TLS and a shared
 * sum, calls the kernel, and is joined with the value it returned. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include "soak.h"

static pthread_barrier_t all_run;
static atomic_long sum;
static __thread long own[64] = {[5] = 77};

static long
twice(long x)
{
    return x * 2;
}

static long
negated(long x)
{
    return -x;
}

static long
mixed(long x)
{
    return (x ^ 0x5a5a) + 1;
}

static long (*const works[])(long) = {twice, negated, mixed};

static long
expected(long id)
{
    long x = id;

    for (int i = 0; i < 50; i++)
        x = works[(id + i) % 3](x) & 0xffffff;
    return x;
}

static void *
run(void *arg)
{
    long id = (long)(intptr_t)arg;

    if (own[5] != 77 || own[6] != 0)
        return (void *)-1L;
    own[5] = id;
    own[6] = syscall(SYS_gettid);
    pthread_barrier_wait(&all_run);
    atomic_fetch_add(&sum, expected(id));
    if (own[5] != id || own[6] != syscall(SYS_gettid))
        return (void *)-2L;
    return (void *)(intptr_t)expected(id);
}

static void
one_round(long count)
{
    pthread_t threads[count];
    pthread_attr_t attributes;
    long want = 0;

    sum = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_barrier_init(&all_run, NULL, (unsigned)count);
    for (long i = 0; i < count; i++) {
        int error = pthread_create(&threads[i], &attributes, run, (void *)(intptr_t)i);
        SOAK_CHECK(error == 0, "pthread_create of thread %ld: error %d", i, error);
    }
    for (long i = 0; i < count; i++) {
        void *value;
        int error = pthread_join(threads[i], &value);
        SOAK_CHECK(error == 0, "pthread_join of thread %ld: error %d", i, error);
        SOAK_CHECK((long)(intptr_t)value == expected(i), "thread %ld returned %ld", i, (long)(intptr_t)value);
        want += expected(i);
    }
    SOAK_CHECK(sum == want, "sum %ld, should be %ld", (long)sum, want);
    pthread_barrier_destroy(&all_run);
    pthread_attr_destroy(&attributes);
}

int
main(void)
{
    long threads = soak_size("SOAK_THREADS", 200), rounds = soak_size("SOAK_ROUNDS", 100);

    for (long i = 1; i <= rounds; i++) {
        one_round(threads);
        soak_step(i, rounds);
    }
    printf("%ld threads created and joined %ld times\n", threads, rounds);
    return 0;
}
