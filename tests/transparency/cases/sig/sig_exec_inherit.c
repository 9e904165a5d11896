#include "tl.h"

/* over exec: handlers are reset, ignored stays ignored, the mask and pending signals stay, the alternate stack goes, a timer stays */
static void
hd(int s, siginfo_t *si, void *v)
{
}

static void
second(void)
{
    struct sigaction o;
    for (int s = 1; s < 65; s++) {
        if (s == 32 || s == 33)
            continue;
        sigaction(s, 0, &o);
        if (o.sa_handler == SIG_IGN)
            printf("%d ignored\n", s);
        else
            CHECK(o.sa_handler == SIG_DFL);
        EQ(o.sa_flags & (SA_ONSTACK | SA_SIGINFO | SA_NODEFER), 0);
    }
    sigset_t m, p;
    sigprocmask(SIG_BLOCK, 0, &m);
    sigpending(&p);
    for (int s = 1; s < 65; s++)
        if (sigismember(&m, s) == 1)
            printf("%d blocked%s\n", s, s != SIGALRM && sigismember(&p, s) == 1 ? ", pending" : "");
    stack_t ss;
    sigaltstack(0, &ss);
    EQ(ss.ss_flags, SS_DISABLE);
    siginfo_t si;
    sigdelset(&m, SIGALRM); /* it may have gone off, or not yet */
    EQ(sigwaitinfo(&m, &si), SIGSEGV);
    EQ(sigwaitinfo(&m, &si), SIGUSR1);
    EQ(sigwaitinfo(&m, &si), SIGRTMIN + 3);
    EQ(si.si_value.sival_int, 11);
    EQ(sigwaitinfo(&m, &si), SIGRTMIN + 3);
    EQ(si.si_value.sival_int, 12);
    sigaddset(&m, SIGALRM);
    EQ(sigwaitinfo(&m, &si), SIGALRM); /* the interval timer went on */
    struct itimerval it;
    setitimer(ITIMER_REAL, &(struct itimerval){{0}}, &it);
    CHECK(it.it_interval.tv_sec == 0 && it.it_interval.tv_usec == 20000);
    exit(tl_end());
}

int
main(int c, char **v)
{
    if (c > 1)
        second();
    static char alt[16384];
    sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = sizeof alt}, 0);
    tl_on(SIGUSR1, hd, SA_ONSTACK | SA_NODEFER);
    tl_on(SIGSEGV, hd, SA_ONSTACK);
    tl_on(SIGTERM, hd, 0);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGFPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGRTMIN + 9, SIG_IGN);
    sigset_t m;
    sigemptyset(&m);
    int b[] = {SIGUSR1, SIGSEGV, SIGRTMIN + 3, SIGALRM, SIGWINCH};
    for (int i = 0; i < 5; i++)
        sigaddset(&m, b[i]);
    sigprocmask(SIG_SETMASK, &m, 0);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGSEGV);
    sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 11});
    sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 12});
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 20000}, {0, 20000}}, 0);
    execl("/proc/self/exe", "again", "2", (char *)0);
    return 1;
}
