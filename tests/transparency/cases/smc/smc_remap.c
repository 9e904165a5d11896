#include "tl.h"

/* code whose pages are replaced: unmapped and mapped anew, mapped over, dropped by madvise, backed by a file that changes */
static sigjmp_buf jb;
static volatile int faults;

static void
hd(int s, siginfo_t *si, void *v)
{
    faults++;
    siglongjmp(jb, 1);
}

static void
emit(void *at, int v)
{
    unsigned char c[6] = {0xb8, 0, 0, 0, 0, 0xc3};
    memcpy(c + 1, &v, 4);
    memcpy(at, c, 6);
}

#define RUN(q) (((int (*)(void))(q))())

int
main(void)
{
    tl_on(SIGSEGV, hd, 0);
    tl_on(SIGBUS, hd, 0);
    unsigned char *p = tl_rwx(0, 16384);
    for (volatile int i = 0; i < 300; i++) {
        emit(p, i);
        EQ(RUN(p), i);
        munmap(p, 4096);
        volatile int ran = 0;
        if (!sigsetjmp(jb, 1)) {
            RUN(p);
            ran = 1;
        }
        EQ(ran, 0);
        NEED(mmap(p, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
        emit(p, i + 5);
        EQ(RUN(p), i + 5);
        NEED(mmap(p, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p); /* over it, no munmap */
        emit(p + 16, i + 6);
        EQ(RUN(p + 16), i + 6);
        madvise(p, 4096, MADV_DONTNEED); /* zeros: add [rax],al */
        EQ(p[16], 0);
        emit(p + 64, 3);
        if (!sigsetjmp(jb, 1)) {
            asm volatile("xor %%eax,%%eax\n call *%0" ::"r"(p + 16) : "rax", "memory", "cc");
            ran = 1;
        }
        EQ(ran, 0);
        if (tl_bad)
            return tl_end();
    }
    EQ(faults, 600);
    /* a file mapped privately and shared; written, truncated, replaced by another */
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0600), f2 = open("b", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ftruncate(fd, 8192);
    ftruncate(f2, 8192);
    unsigned char c[6];
    emit(c, 1);
    pwrite(fd, c, 6, 0);
    emit(c, 2);
    pwrite(f2, c, 6, 0);
    unsigned char *s = mmap(0, 8192, 5, MAP_SHARED, fd, 0);
    for (volatile int i = 0; i < 200; i++) {
        EQ(RUN(s), i ? 2 : 1);
        emit(c, i + 100);
        pwrite(fd, c, 6, 0);
        EQ(RUN(s), i + 100);
        NEED(mmap(s, 4096, 5, MAP_SHARED | MAP_FIXED, f2, 0) == s);
        EQ(RUN(s), 2);
        NEED(mmap(s, 4096, 5, MAP_PRIVATE | MAP_FIXED, fd, 0) == s);
        EQ(RUN(s), i + 100);
        NEED(mmap(s, 4096, 5, MAP_SHARED | MAP_FIXED, fd, 0) == s);
        emit(c, 2);
        pwrite(fd, c, 6, 0);
        if (tl_bad)
            break;
    }
    faults = 0;
    ftruncate(fd, 0);
    if (!sigsetjmp(jb, 1))
        RUN(s);
    EQ(faults, 1);
    ftruncate(fd, 8192);
    emit(c, 9);
    pwrite(fd, c, 6, 0);
    EQ(RUN(s), 9);
    return tl_end();
}
