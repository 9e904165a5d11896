#include "tl.h"

static int v[600], sg[600], n;

static void
hd(int s, siginfo_t *si, void *u)
{
    sg[n] = s - SIGRTMIN;
    v[n++] = si->si_value.sival_int;
    if (si->si_code != SI_QUEUE || si->si_pid != getpid() || si->si_uid != getuid())
        tl_bad++;
}

int
main(void)
{
    sigset_t all, none;
    sigemptyset(&none);
    sigfillset(&all);
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = hd;
    sa.sa_flags = SA_SIGINFO;
    sigfillset(&sa.sa_mask);
    for (int i = 0; i < 5; i++)
        sigaction(SIGRTMIN + i, &sa, 0);
    sigprocmask(SIG_SETMASK, &all, 0);
    for (int i = 0; i < 100; i++)
        for (int k = 4; k >= 0; k--)
            EQ(sigqueue(getpid(), SIGRTMIN + k, (union sigval){i * 10 + k}), 0);
    EQ(n, 0);
    sigprocmask(SIG_SETMASK, &none, 0);
    EQ(n, 500);
    int good = 1;
    for (int i = 0; i < 500; i++)
        if (sg[i] != i / 100 || v[i] != (i % 100) * 10 + i / 100)
            good = 0;
    EQ(good, 1);
    for (int i = 0; i < 50; i++) {
        sigqueue(getpid(), SIGRTMIN, (union sigval){i});
        EQ(v[500 + i], i);
    }
    siginfo_t si;
    memset(&si, 0, sizeof si);
    si.si_code = -7;
    si.si_value.sival_int = 3;
    si.si_pid = 12;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGRTMIN, &si);
    EQ(n, 551);
    EQ(v[550], 3);
    tl_bad--; /* the made-up si_code and pid are counted by the handler once */
    return tl_end();
}
