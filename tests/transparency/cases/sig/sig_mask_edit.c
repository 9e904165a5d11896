#include "tl.h"

/* the mask in the frame is what sigreturn installs: edited, it blocks or lets in at that very moment */
static volatile int trace[64], nt, mode;

static void
h2(int s, siginfo_t *si, void *v)
{
    trace[nt++] = s;
}

static void
h1(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    trace[nt++] = s;
    switch (mode) {
    case 0: sigaddset(&u->uc_sigmask, SIGUSR2); break;
    case 1:
        raise(SIGUSR2);
        sigdelset(&u->uc_sigmask, SIGUSR2);
        break;
    case 2:
        sigaddset(&u->uc_sigmask, SIGSEGV);
        sigaddset(&u->uc_sigmask, SIGKILL);
        break;
    case 3: sigdelset(&u->uc_sigmask, SIGSEGV); break;
    case 4: sigfillset(&u->uc_sigmask); break;
    }
    trace[nt++] = -s;
}

static int
blocked(int s)
{
    sigset_t m;
    sigprocmask(SIG_BLOCK, 0, &m);
    return sigismember(&m, s);
}

int
main(void)
{
    tl_on(SIGUSR1, h1, 0);
    tl_on(SIGUSR2, h2, 0);
    tl_on(SIGSEGV, h2, 0);
    for (int round = 0; round < 50; round++) {
        nt = 0;
        mode = 0;
        raise(SIGUSR1);
        EQ(blocked(SIGUSR2), 1);
        EQ(blocked(SIGUSR1), 0);
        mode = 1;
        raise(SIGUSR1);
        EQ(blocked(SIGUSR2), 0);
        mode = 2;
        raise(SIGUSR1);
        EQ(blocked(SIGSEGV), 1);
        EQ(blocked(SIGKILL), 0);
        raise(SIGSEGV);
        mode = 3;
        raise(SIGUSR1);
        EQ(blocked(SIGSEGV), 0);
        mode = 4;
        raise(SIGUSR1);
        sigset_t m, want;
        sigprocmask(SIG_BLOCK, 0, &m);
        int c = 0;
        for (int i = 1; i < 65; i++)
            c += sigismember(&m, i) == 1;
        EQ(c, 60); /* all but KILL, STOP and the C library's two */
        sigemptyset(&m);
        sigprocmask(SIG_SETMASK, &m, 0);
        if (!round) {
            for (int i = 0; i < nt; i++)
                printf("%d ", trace[i]);
            puts("");
        }
    }
    return tl_end();
}
