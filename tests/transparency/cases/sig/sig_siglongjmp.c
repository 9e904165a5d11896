#include "tl.h"

static sigjmp_buf j;
static volatile long n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
    siglongjmp(j, s);
}

__attribute__((noinline)) static int
deep(int d, int k)
{
    volatile int x = d;
    if (d)
        return deep(d - 1, k) + x;
    switch (k) {
    case 0: *(volatile int *)4 = 1; break;
    case 1: raise(SIGUSR1); break;
    case 2: __builtin_trap();
    case 3: x = 0; return 5 / x;
    }
    return 1;
}

int
main(void)
{
    tl_on(SIGSEGV, hd, 0);
    tl_on(SIGUSR1, hd, 0);
    tl_on(SIGILL, hd, 0);
    tl_on(SIGFPE, hd, 0);
    volatile long sum = 0;
    for (volatile int i = 0; i < 10000; i++) {
        int r = sigsetjmp(j, 1);
        if (!r) {
            deep(i % 23, i % 4);
            sum = -1;
            break;
        }
        sum += r;
    }
    printf("%ld %ld\n", n, sum);
    sigset_t m;
    sigprocmask(SIG_BLOCK, 0, &m);
    EQ(sigisemptyset(&m), 1);
    return tl_end();
}
