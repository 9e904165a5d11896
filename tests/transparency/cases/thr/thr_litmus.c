#include "tl.h"

/* message passing and store buffering with fences: outcomes that x86 forbids never appear */
static volatile int x __attribute__((aligned(64))), y __attribute__((aligned(64))),
    r1 __attribute__((aligned(64))), r2;
static pthread_barrier_t b;

static void *
t1(void *a)
{
    for (int i = 1; i <= 3000; i++) {
        pthread_barrier_wait(&b);
        x = i;
        asm volatile("mfence" ::: "memory");
        r1 = y;
        pthread_barrier_wait(&b);
        pthread_barrier_wait(&b);
    }
    return 0;
}

static volatile long data, flag;

static void *
prod(void *a)
{
    for (long i = 1; i <= 300000; i++) {
        data = i;
        asm volatile("" ::: "memory");
        flag = i;
    }
    return 0;
}

int
main(void)
{
    pthread_barrier_init(&b, 0, 2);
    pthread_t t;
    pthread_create(&t, 0, t1, 0);
    int bad = 0;
    for (int i = 1; i <= 3000; i++) {
        pthread_barrier_wait(&b);
        y = i;
        asm volatile("lock addl $0,(%%rsp)" ::: "memory", "cc");
        r2 = x;
        pthread_barrier_wait(&b);
        if (r1 != i && r2 != i)
            bad++;
        pthread_barrier_wait(&b);
    }
    pthread_join(t, 0);
    EQ(bad, 0);
    pthread_create(&t, 0, prod, 0);
    long f;
    do {
        f = flag;
        asm volatile("" ::: "memory");
        if (data < f) {
            bad++;
            break;
        }
    } while (f < 300000);
    pthread_join(t, 0);
    EQ(bad, 0);
    return tl_end();
}
