//! limit: 300
#include "tl.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

/* threads that run new code all the time beside others that stay where they are: a full code cache serves them all */
enum { FUNCTIONS = 20000, ROUNDS = 3, STEP = 16 };
static volatile int stop;

static void *
stay(void *turns)
{
    while (!stop) {
        for (volatile long i = 0; i < (long)turns; i++)
            ;
        sched_yield();
    }
    return 0;
}

static void *
fill(void *arg)
{
    unsigned char *p = mmap(0, FUNCTIONS * STEP, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;

    for (int r = 0; r < ROUNDS; r++) {
        mprotect(p, FUNCTIONS * STEP, PROT_READ | PROT_WRITE);
        for (int i = 0; i < FUNCTIONS; i++) {        /* mov eax, i + r ; ret */
            int v = i + r;
            p[i * STEP] = 0xb8;
            memcpy(p + i * STEP + 1, &v, 4);
            p[i * STEP + 5] = 0xc3;
        }
        mprotect(p, FUNCTIONS * STEP, PROT_READ | PROT_EXEC);
        for (int i = 0; i < FUNCTIONS; i++)
            sum += ((int (*)(void))(p + i * STEP))();
    }
    return (void *)sum;
}

int
main(void)
{
    pthread_t staying[3], filling[2];
    void *sum;

    for (long k = 0; k < 3; k++)
        pthread_create(&staying[k], 0, stay, (void *)(200 + k * 1000000));
    for (int k = 0; k < 2; k++)
        pthread_create(&filling[k], 0, fill, 0);
    for (int k = 0; k < 2; k++) {
        pthread_join(filling[k], &sum);
        EQ((long)sum, (long)FUNCTIONS * (FUNCTIONS - 1) / 2 * ROUNDS + (long)FUNCTIONS * ROUNDS * (ROUNDS - 1) / 2);
    }
    stop = 1;
    for (int k = 0; k < 3; k++)
        pthread_join(staying[k], 0);
    return tl_end();
}
