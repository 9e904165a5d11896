#include "tl.h"

static volatile int n;
static sigset_t inh;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
    sigprocmask(SIG_BLOCK, 0, &inh);
}

static void
once(int s)
{
    n++;
}

int
main(void)
{
    struct sigaction sa, o;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = once;
    sa.sa_flags = SA_RESETHAND;
    sigaction(SIGUSR1, &sa, 0);
    raise(SIGUSR1);
    sigaction(SIGUSR1, 0, &o);
    CHECK(o.sa_handler == SIG_DFL);
    EQ(n, 1);
    tl_on(SIGUSR2, hd, 0);
    raise(SIGUSR2);
    EQ(sigismember(&inh, SIGUSR2), 1);
    EQ(sigismember(&inh, SIGUSR1), 0);
    tl_on(SIGUSR2, hd, SA_NODEFER);
    raise(SIGUSR2);
    EQ(sigismember(&inh, SIGUSR2), 0);
    sa.sa_flags = SA_SIGINFO;
    sa.sa_sigaction = hd;
    sigfillset(&sa.sa_mask);
    sigaction(SIGHUP, &sa, 0);
    raise(SIGHUP);
    int c = 0;
    for (int i = 1; i < 65; i++)
        c += sigismember(&inh, i) == 1;
    printf("masked %d\n", c);
    sigaction(SIGHUP, 0, &o);
    CHECK(o.sa_sigaction == hd);
    EQ(o.sa_flags & SA_SIGINFO, SA_SIGINFO);
    sigset_t now;
    sigprocmask(SIG_BLOCK, 0, &now);
    EQ(sigisemptyset(&now), 1);
    int r[] = {sigaction(SIGKILL, &sa, 0), errno, sigaction(SIGSTOP, &sa, 0), errno,
               sigaction(0, &sa, 0),       errno, sigaction(65, &sa, 0),      errno};
    for (int i = 0; i < 8; i++)
        printf("%d ", r[i]);
    puts("");
    signal(SIGTERM, once);
    CHECK(signal(SIGTERM, SIG_IGN) == once);
    CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
    return tl_end();
}
