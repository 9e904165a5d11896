#include "tl.h"

__attribute__((noinline)) static int
grow(int n)
{
    volatile char b[60000];
    memset((void *)b, n, sizeof b);
    int r = n ? grow(n - 1) : 0;
    return r + (b[59999] == (char)n);
}

int
main(int c, char **v)
{
    struct rlimit r;
    getrlimit(RLIMIT_STACK, &r);
    if (c == 1) {
        EQ(grow(120), 121);
        r.rlim_cur = 40 << 20;
        EQ(setrlimit(RLIMIT_STACK, &r), 0);
        fflush(stdout);
        execl("/proc/self/exe", v[0], "2", (char *)0);
        return 1;
    }
    printf("%lu\n", r.rlim_cur);
    EQ(grow(600), 601); /* skipping far below the stack pointer and touching works, down to the limit */
    char *sp = __builtin_frame_address(0);
    asm volatile("mov %%rsp,%%rbx\n"
                 " sub $30000000,%%rsp\n"
                 " movb $1,(%%rsp)\n"
                 " mov %%rbx,%%rsp" ::
                     : "rbx", "memory");
    pthread_attr_t a;
    pthread_getattr_np(pthread_self(), &a);
    void *lo;
    size_t sz;
    pthread_attr_getstack(&a, &lo, &sz);
    CHECK(sp > (char *)lo && sp < (char *)lo + sz);
    printf("%d\n", sz > 38 << 20);
    return tl_end();
}
