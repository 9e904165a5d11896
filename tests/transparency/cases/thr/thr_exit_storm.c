//! expect: exit 3
#include "tl.h"

/* threads that come and go by the thousand, detached ones on stacks that are unmapped under them, and an exit in the midst of it */
static volatile int alive, born, stop;

static void *
mayfly(void *a)
{
    __atomic_add_fetch(&born, 1, __ATOMIC_SEQ_CST);
    char local[2000];
    memset(local, (int)(long)a, sizeof local);
    __atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST);
    return local[5] == (char)(long)a ? 0 : (void *)1;
}

static void *
breeder(void *a)
{
    pthread_attr_t at;
    pthread_attr_init(&at);
    pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&at, 65536);
    for (int i = 0; i < 600; i++) {
        pthread_t t;
        while (__atomic_load_n(&alive, __ATOMIC_SEQ_CST) > 40)
            sched_yield();
        __atomic_add_fetch(&alive, 1, __ATOMIC_SEQ_CST);
        while (pthread_create(&t, &at, mayfly, (void *)(long)i))
            sched_yield();
    }
    return 0;
}

static void *
forever(void *a)
{
    volatile long n = 0;
    for (;;) {
        pthread_t t;
        if (a && !pthread_create(&t, 0, mayfly, 0))
            pthread_join(t, 0);
        n++;
    }
    return 0;
}

static void
child(void)
{
    pthread_t t[6];
    for (long i = 0; i < 6; i++)
        pthread_create(t + i, 0, forever, (void *)(i & 1));
    usleep(2000);
    exit(7);
}

int
main(void)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(t + i, 0, breeder, 0);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], 0);
    while (alive)
        sched_yield();
    EQ(born, 1800);
    for (int i = 0; i < 15; i++)
        EQ(tl_child(child), 7 << 8);
    if (tl_end())
        return 1;
    for (long i = 0; i < 4; i++)
        pthread_create(t, 0, forever, (void *)(i & 1));
    syscall(SYS_exit_group, 3);
}
