#include "tl.h"

static jmp_buf b;
static sigjmp_buf sb;

__attribute__((noinline)) static void
deep(int n, int v)
{
    volatile char pad[64];
    pad[0] = n;
    if (n)
        deep(n - 1, v);
    else
        longjmp(b, v);
    pad[1] = 1;
}

static int
tryit(int d, int v)
{
    int r = setjmp(b);
    if (!r)
        deep(d, v);
    return r;
}

int
main(void)
{
    long t = 0;
    for (int i = 0; i < 100000; i++)
        t += tryit(i % 40, i % 7 + 1);
    printf("%ld\n", t);
    EQ(tryit(20000, 0), 1); /* longjmp(b, 0) gives 1 */
    double d = 1.5;
    volatile int n = 0;
    if (sigsetjmp(sb, 1) < 10) {
        n++;
        sigset_t s;
        sigfillset(&s);
        sigprocmask(SIG_SETMASK, &s, 0);
        if (n <= 10)
            siglongjmp(sb, n);
    }
    sigset_t s;
    sigprocmask(SIG_SETMASK, 0, &s);
    EQ(n, 10);
    EQ(sigismember(&s, SIGUSR1), 0);
    CHECK(d == 1.5);
    int k = 0;
    if (_setjmp(b) == 0) {
        void *volatile p = __builtin_alloca(50000);
        memset(p, 1, 50000);
        longjmp(b, 3);
    } else
        k = 1;
    EQ(k, 1);
    return tl_end();
}
