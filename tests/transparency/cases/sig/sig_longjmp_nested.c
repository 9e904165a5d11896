#include "tl.h"

/* leaving handlers by longjmp from any depth of nesting, from two stacks, with and without mask */
static sigjmp_buf jb[10];
static char alt[131072];
static volatile int depth, trace;

static void
down(int s, siginfo_t *si, void *v)
{
    volatile char pad[200];
    pad[0] = depth;
    trace = trace * 31 + s + depth;
    if (depth-- == 0)
        siglongjmp(jb[0], 7);
    raise(depth & 1 ? SIGUSR1 : SIGUSR2);
    trace = -1;
}

static void
inner(int s, siginfo_t *si, void *v)
{
    /* a jump inside the handler, then out of it in steps */
    volatile int k = 0;
    if (!sigsetjmp(jb[1], 1)) {
        k = 1;
        *(volatile int *)16 = 1;
    }
    trace += k;
    if (s == SIGUSR1)
        siglongjmp(jb[0], 3);
}

static void
segv(int s, siginfo_t *si, void *v)
{
    siglongjmp(jb[1], 1);
}

int
main(void)
{
    sigset_t m;
    sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = sizeof alt}, 0);
    for (volatile int flags = 0; flags < 2; flags++) {
        tl_on(SIGUSR1, down, flags ? SA_ONSTACK : 0);
        tl_on(SIGUSR2, down, flags ? 0 : SA_ONSTACK);
        for (volatile int i = 0; i < 300; i++) {
            depth = 1;
            if (sigsetjmp(jb[0], 1) == 0)
                raise(SIGUSR1);
            sigprocmask(SIG_BLOCK, 0, &m);
            CHECK(sigisemptyset(&m));
            tl_on(SIGUSR1, down, SA_NODEFER | (flags ? SA_ONSTACK : 0));
            tl_on(SIGUSR2, down, SA_NODEFER | (flags ? 0 : SA_ONSTACK));
            depth = 20;
            if (sigsetjmp(jb[0], 1) == 0)
                raise(SIGUSR1);
            sigprocmask(SIG_BLOCK, 0, &m);
            CHECK(sigisemptyset(&m));
        }
    }
    printf("%d\n", trace);
    trace = 0;
    tl_on(SIGUSR1, inner, SA_ONSTACK);
    tl_on(SIGUSR2, inner, 0);
    tl_on(SIGSEGV, segv, SA_ONSTACK);
    for (volatile int i = 0; i < 300; i++) {
        raise(SIGUSR2);
        if (sigsetjmp(jb[0], 1) == 0)
            raise(SIGUSR1);
    }
    printf("%d\n", trace);
    /* a jump that does not restore the mask leaves the signal blocked */
    tl_on(SIGUSR1, down, 0);
    depth = 0;
    if (sigsetjmp(jb[0], 0) == 0)
        raise(SIGUSR1);
    sigprocmask(SIG_BLOCK, 0, &m);
    EQ(sigismember(&m, SIGUSR1), 1);
    return tl_end();
}
