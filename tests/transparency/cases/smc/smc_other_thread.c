#include "tl.h"

/* another thread patches, this one runs, handed over with a semaphore and a serialising instruction */
static unsigned char *p;
static sem_t a, b;

static void *
w(void *x)
{
    for (int i = 0; i < 2000; i++) {
        sem_wait(&a);
        *(int *)(p + 1) = i * 11;
        p[5] = 0xc3;
        sem_post(&b);
    }
    return 0;
}

int
main(void)
{
    p = tl_rwx(0, 4096);
    p[0] = 0xb8;
    p[5] = 0xc3;
    sem_init(&a, 0, 0);
    sem_init(&b, 0, 0);
    pthread_t t;
    pthread_create(&t, 0, w, 0);
    for (int i = 0; i < 2000; i++) {
        sem_post(&a);
        sem_wait(&b);
        asm volatile("xor %%eax,%%eax\n"
                     " cpuid" ::
                         : "rax", "rbx", "rcx", "rdx", "memory");
        EQ(((int (*)(void))p)(), i * 11);
        if (tl_bad)
            break;
    }
    return tl_end();
}
