#include "tl.h"

static sigjmp_buf j;
static siginfo_t g;

static void
hd(int s, siginfo_t *si, void *v)
{
    g = *si;
    siglongjmp(j, 1);
}

int
main(void)
{
    tl_on(SIGSEGV, hd, 0);
    unsigned char *p = tl_rwx(0, 4096);
    p[0] = 0xb8;
    p[1] = 7;
    p[2] = p[3] = p[4] = 0;
    p[5] = 0xc3;
    int (*f)(void) = (void *)p;
    volatile int n = 0;
    for (volatile int i = 0; i < 200; i++) {
        EQ(f(), 7);
        mprotect(p, 4096, PROT_READ | PROT_WRITE);
        if (!sigsetjmp(j, 1)) {
            f();
            CHECK(!"ran");
        } else
            n++;
        EQ(g.si_addr, p);
        EQ(g.si_code, SEGV_ACCERR);
        mprotect(p, 4096, PROT_READ | PROT_EXEC);
        EQ(f(), 7);
        if (!sigsetjmp(j, 1)) {
            p[1] = 8;
            CHECK(!"wrote");
        } else
            n++;
        mprotect(p, 4096, 7);
        if (tl_bad)
            break;
    }
    EQ(n, 400);
    munmap(p, 4096);
    if (!sigsetjmp(j, 1)) {
        f();
        CHECK(!"ran unmapped");
    }
    EQ(g.si_code, SEGV_MAPERR);
    return tl_end();
}
