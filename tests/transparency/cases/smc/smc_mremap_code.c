#include "tl.h"

static sigjmp_buf j;
static volatile int faults;

static void
hd(int s, siginfo_t *si, void *v)
{
    faults++;
    siglongjmp(j, 1);
}

int
main(void)
{
    tl_on(SIGSEGV, hd, 0);
    char *area = mmap(0, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(area, 1 << 20);
    unsigned char *p = tl_rwx(area, 4096);
    unsigned char c[] = {0x48, 0x8d, 0x05, 0xf9, 0xff, 0xff, 0xff, 0xc3};
    memcpy(p, c, 8);
    for (volatile int i = 1; i < 100; i++) {
        void *(*f)(void) = (void *)p;
        EQ(f(), p);
        unsigned char *q = mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, area + 8192 * i);
        EQ(q, area + 8192 * i);
        f = (void *)q;
        EQ(f(), q);
        volatile int r = 0;
        if (!sigsetjmp(j, 1)) {
            ((void (*)(void))p)();
            r = 1;
        }
        EQ(r, 0);
        p = q;
        if (tl_bad)
            break;
    }
    EQ(faults, 99);
    /* growing in place and shrinking */
    p = mremap(p, 4096, 8192, MREMAP_MAYMOVE);
    NEED(p != MAP_FAILED);
    memcpy(p + 4096, c, 8);
    EQ(((void *(*)(void))(p + 4096))(), p + 4096);
    mremap(p, 8192, 4096, 0);
    volatile int r = 0;
    if (!sigsetjmp(j, 1)) {
        ((void (*)(void))(p + 4096))();
        r = 1;
    }
    EQ(r, 0);
    return tl_end();
}
