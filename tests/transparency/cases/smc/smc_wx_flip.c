#include "tl.h"

/* the way careful JITs write: writable and executable in turn by mprotect, on one page, on many, from two threads */
enum { PAGES = 64 };

static unsigned char *p;

static void
emit(unsigned char *q, int v)
{
    q[0] = 0xb8;
    memcpy(q + 1, &v, 4);
    q[5] = 0xc3;
}

static void *
thread(void *a)
{
    unsigned char *q = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long bad = 0;
    for (int i = 0; i < 2000; i++) {
        mprotect(q, 4096, PROT_READ | PROT_WRITE);
        emit(q + i % 4000, i);
        mprotect(q, 4096, PROT_READ | PROT_EXEC);
        bad += ((int (*)(void))(q + i % 4000))() != i;
    }
    return (void *)bad;
}

int
main(void)
{
    p = mmap(0, PAGES * 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 3000; i++) {
        mprotect(p, 4096, PROT_READ | PROT_WRITE);
        emit(p + i % 7 * 100, i);
        mprotect(p, 4096, PROT_READ | PROT_EXEC);
        EQ(((int (*)(void))(p + i % 7 * 100))(), i);
        if (tl_bad)
            return tl_end();
    }
    /* a whole region flips, one page of it changes, all of it runs */
    mprotect(p, PAGES * 4096, PROT_READ | PROT_WRITE);
    for (int k = 0; k < PAGES; k++)
        emit(p + k * 4096 + 8, k);
    int val[PAGES];
    for (int k = 0; k < PAGES; k++)
        val[k] = k;
    for (int i = 0; i < 200; i++) {
        int k = i * 7 % PAGES;
        mprotect(p, PAGES * 4096, PROT_READ | PROT_WRITE);
        emit(p + k * 4096 + 8, val[k] = i * 1000);
        mprotect(p, PAGES * 4096, PROT_READ | PROT_EXEC);
        for (k = 0; k < PAGES; k++)
            EQ(((int (*)(void))(p + k * 4096 + 8))(), val[k]);
        if (tl_bad)
            return tl_end();
    }
    /* one page inside a region that stays executable */
    for (int i = 0; i < 1000; i++) {
        int k = 20;
        mprotect(p + k * 4096, 4096, PROT_READ | PROT_WRITE);
        emit(p + k * 4096 + 8, val[k] = i);
        mprotect(p + k * 4096, 4096, PROT_READ | PROT_EXEC);
        EQ(((int (*)(void))(p + k * 4096 + 8))() + ((int (*)(void))(p + 21 * 4096 + 8))(), i + val[21]);
    }
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(t + i, 0, thread, 0);
    for (int i = 0; i < 3; i++) {
        void *r;
        pthread_join(t[i], &r);
        EQ(r, 0);
    }
    return tl_end();
}
