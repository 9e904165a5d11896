#include "tl.h"

/* brk: grows and shrinks by bytes, zero-filled again after shrinking, stops at the limit and at a mapping */
int
main(void)
{
    char *start = (char *)syscall(SYS_brk, 0), *b = start;
    EQ(sbrk(0), start);
    for (int i = 1; i < 50; i++) {
        char *want = start + i * 12345;
        EQ(syscall(SYS_brk, want), want);
        EQ(want[-1], 0);
        memset(b, i, want - b);
        b = want;
    }
    EQ(start[0], 1);
    EQ(syscall(SYS_brk, start + 4096), start + 4096);
    EQ(syscall(SYS_brk, start + 20000), start + 20000);
    for (int i = ((uintptr_t)start + 4096 + 4095 & ~4095ul) - (uintptr_t)start; i < 20000; i++)
        if (start[i]) {
            CHECK(!"zero again");
            break;
        }
    EQ(syscall(SYS_brk, 1000), start + 20000); /* nonsense changes nothing */
    EQ(syscall(SYS_brk, start - 4096), start + 20000);
    EQ(syscall(SYS_brk, -4096l), start + 20000);
    char *page = (char *)(((uintptr_t)start + 1000000) & ~4095ul);
    void *m = mmap(page, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EQ(m, page);
    EQ(syscall(SYS_brk, page + 8192), start + 20000); /* in the way */
    munmap(m, 4096);
    EQ(syscall(SYS_brk, page + 8192), page + 8192);
    EQ(syscall(SYS_brk, start), start);
    struct rlimit r = {8 << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_DATA, &r);
    EQ(syscall(SYS_brk, start + (64 << 20)), start);
    void *p = malloc(1 << 20);
    CHECK(p);
    free(p);
    pid_t k = fork();
    if (!k)
        _exit(syscall(SYS_brk, 0) == (long)sbrk(0) ? 6 : 7);
    int st;
    waitpid(k, &st, 0);
    EQ(WEXITSTATUS(st), 6);
    return tl_end();
}
