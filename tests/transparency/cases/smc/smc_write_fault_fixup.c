#include "tl.h"

/* the program write-protects its own code and does the write in its SIGSEGV handler */
static unsigned char *p;
static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
    if ((unsigned char *)si->si_addr != p + 1)
        _exit(9);
    mprotect(p, 4096, 7);
}

int
main(void)
{
    tl_on(SIGSEGV, hd, 0);
    p = tl_rwx(0, 4096);
    p[0] = 0xb8;
    p[5] = 0xc3;
    for (int i = 0; i < 500; i++) {
        mprotect(p, 4096, 5);
        ((int (*)(void))p)();
        *(int *)(p + 1) = i;
        EQ(((int (*)(void))p)(), i);
        if (tl_bad)
            break;
    }
    EQ(n, 500);
    return tl_end();
}
