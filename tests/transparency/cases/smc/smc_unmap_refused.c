//! build: gcc -O1 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* munmap that fails leaves the code where it is: a sealed mapping, and one page of many */
static sigjmp_buf jb;

static void
hd(int s)
{
    siglongjmp(jb, 1);
}

int
main(void)
{
    enum { PAGES = 40 };
    unsigned char *p = tl_rwx(0, PAGES * 4096);

    for (int i = 0; i < PAGES; i++) {
        p[i * 4096] = 0xb8;
        memcpy(p + i * 4096 + 1, &i, 4);
        p[i * 4096 + 5] = 0xc3;
        NEED(mprotect(p + i * 4096, 4096, i & 1 ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
        EQ(((int (*)(void))(p + i * 4096))(), i);
    }
    if (syscall(462 /* mseal */, p + 20 * 4096, 4096, 0)) {
        EQ(errno, ENOSYS); /* before Linux 6.10 */
        return tl_end();
    }
    signal(SIGSEGV, hd);
    for (int round = 0; round < 3; round++) {
        EQ(munmap(p, PAGES * 4096), -1);
        EQ(errno, EPERM);
        for (int i = 0; i < PAGES; i++)
            if (sigsetjmp(jb, 1) == 0)
                EQ(((int (*)(void))(p + i * 4096))(), i);
            else
                CHECK(!"it is still there");
        if (!sigsetjmp(jb, 1)) {
            p[1] = 7 + round;
            EQ(((int (*)(void))p)(), 7 + round);
            p[1] = 0;
        } else
            CHECK(!"and can be written");
    }
    EQ(munmap(p, 20 * 4096), 0);
    if (!sigsetjmp(jb, 1)) {
        ((int (*)(void))p)();
        CHECK(!"gone");
    }
    return tl_end();
}
