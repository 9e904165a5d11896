#include "tl.h"

/* mappings: fixed and hinted, huge ones, low ones, over one another; what is refused, and how */
#define E(call, err)    \
    do {                \
        errno = 0;      \
        EQ(call, -1);   \
        EQ(errno, err); \
    } while (0)

int
main(void)
{
    const int PA = MAP_PRIVATE | MAP_ANONYMOUS;
    char *p = mmap(0, 1 << 20, 3, PA, -1, 0);
    memset(p, 7, 1 << 20);
    E(mmap(p, 4096, 3, PA | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    EQ(mmap(p + 8192, 4096, 3, PA | MAP_FIXED, -1, 0), p + 8192);
    EQ(p[8192], 0);
    EQ(p[8191], 7);
    EQ(munmap(p + 4096, 4096), 0);
    EQ(mmap(p + 4096, 4096, 3, PA, -1, 0), p + 4096); /* a hint at a hole is taken */
    E(mmap(p + 1, 4096, 3, PA | MAP_FIXED, -1, 0), EINVAL);
    E(mmap(0, 0, 3, PA, -1, 0), EINVAL);
    E(mmap(0, 4096, 3, MAP_ANONYMOUS, -1, 0), EINVAL);
    E(mmap(0, 4096, 3, MAP_PRIVATE, 999, 0), EBADF);
    E(mmap(0, -1ul, 3, PA, -1, 0), ENOMEM);
    E(mmap((void *)0x7ffffffff000, 4096, 3, PA | MAP_FIXED, -1, 0), ENOMEM);
    E(mmap((void *)0xffff800000000000, 4096, 3, PA | MAP_FIXED, -1, 0), ENOMEM);
    E(munmap((void *)1, 4096), EINVAL);
    E(munmap(p, 0), EINVAL);
    EQ(munmap((void *)0x6ff000000000, 4096), 0); /* nothing there is fine */
    /* 4 TiB reserved, a page here and there used */
    char *big = mmap(0, 4ul << 40, 3, PA | MAP_NORESERVE, -1, 0);
    CHECK(big != MAP_FAILED);
    for (long i = 0; i < 100; i++)
        big[i * (40ul << 30)] = i;
    EQ(big[99 * (40ul << 30)], 99);
    EQ(munmap(big, 4ul << 40), 0);
    char *low = mmap((void *)0x41000000, 4096, 3, PA | MAP_FIXED_NOREPLACE, -1, 0);
    EQ(low, 0x41000000);
    char *m32 = mmap(0, 4096, 3, PA | MAP_32BIT, -1, 0);
    CHECK(m32 != MAP_FAILED && (uintptr_t)m32 < 1ul << 31);
    char *at64k = mmap((void *)0x10000, 4096, 7, PA | MAP_FIXED_NOREPLACE, -1, 0);
    EQ(at64k, 0x10000);
    at64k[0] = 0xc3;
    ((void (*)(void))at64k)();
    /* protection */
    E(mprotect(p + 1, 4096, 1), EINVAL);
    char *hole = mmap(0, 12288, 3, PA, -1, 0);
    munmap(hole + 4096, 4096);
    E(mprotect(hole, 12288, 1), ENOMEM);
    hole[8192] = 1; /* it stopped at the hole */
    E(mprotect((void *)0x6ff000000000, 4096, 1), ENOMEM);
    EQ(mprotect(p, 0, 1), 0);
    int fd = open("f", O_RDWR | O_CREAT, 0600), ro = open("f", O_RDONLY);
    ftruncate(fd, 10000);
    E(mmap(0, 4096, 3, MAP_SHARED, ro, 0), EACCES);
    char *s = mmap(0, 4096, 1, MAP_SHARED, ro, 0);
    E(mprotect(s, 4096, 3), EACCES);
    char *pr = mmap(0, 4096, 3, MAP_PRIVATE, ro, 0);
    pr[0] = 'x';
    EQ(s[0], 0);
    /* mincore, madvise, mlock, msync */
    unsigned char vec[4];
    E(mincore((void *)0x6ff000000000, 4096, vec), ENOMEM);
    p[0] = 1;
    EQ(mincore(p, 4096, vec), 0);
    EQ(vec[0] & 1, 1);
    EQ(madvise(p, 4096, MADV_DONTNEED), 0);
    EQ(p[0], 0);
    E(madvise(p, 4096, 12345), EINVAL);
    E(madvise(p + 1, 4096, MADV_NORMAL), EINVAL);
    EQ(mlock(p, 4096), 0);
    E(madvise(p, 4096, MADV_DONTNEED), EINVAL);
    EQ(munlock(p, 4096), 0);
    EQ(msync(s, 4096, MS_SYNC), 0);
    E(msync((void *)0x6ff000000000, 4096, MS_SYNC), ENOMEM);
    EQ(madvise(p, 4096, MADV_WIPEONFORK), 0);
    EQ(madvise(p + 4096, 4096, MADV_DONTFORK), 0);
    p[0] = p[4096] = 9;
    pid_t k = fork();
    if (!k) {
        unsigned char v;
        _exit(p[0] * 10 + (mincore(p + 4096, 4096, &v) == -1 && errno == ENOMEM));
    }
    int st;
    waitpid(k, &st, 0);
    EQ(WEXITSTATUS(st), 1);
    /* mremap */
    char *a = mmap(0, 8192, 3, PA, -1, 0);
    strcpy(a + 4096, "moved");
    char *to = mmap(0, 16384, 0, PA, -1, 0);
    EQ(mremap(a, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
    EQ(strcmp(to + 4096, "moved"), 0);
    E(mincore(a, 4096, vec), ENOMEM);
    E(mremap((void *)0x6ff000000000, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
    E(mremap(to, 4096, 0, 0), EINVAL);
    E(mremap(to + 1, 4096, 4096, 0), EINVAL);
    EQ(mremap(to, 8192, 4096, 0), to);
    char *n = mremap(to, 4096, 1 << 20, MREMAP_MAYMOVE);
    n[(1 << 20) - 1] = 3;
    /* a stack-like mapping grows down */
    char *g = mmap(0, 16 << 20, 0, PA, -1, 0);
    munmap(g, 16 << 20);
    g = mmap(g + (15 << 20), 8192, 3, PA | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    for (int i = 0; i < 20; i++)
        g[-i * 4096] = i;
    EQ(g[-19 * 4096], 19);
    return tl_end();
}
