//! expect: signal 11
#include "tl.h"

static void *
sp(void *a)
{
    for (;;)
        ;
}

static void *
cr(void *a)
{
    usleep(20000);
    *(volatile int *)0 = 1;
    return 0;
}

int
main(void)
{
    pthread_t t;
    for (int i = 0; i < 3; i++)
        pthread_create(&t, 0, sp, 0);
    pthread_create(&t, 0, cr, 0);
    puts("go");
    fflush(stdout);
    for (;;)
        pause();
}
