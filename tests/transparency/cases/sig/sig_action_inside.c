#include "tl.h"

/* handlers that replace handlers: their own, while running; with what the next delivery then does */
static volatile int trace[100], nt;

static void second(int s, siginfo_t *si, void *v);

static void
first(int s, siginfo_t *si, void *v)
{
    struct sigaction o;
    sigaction(s, 0, &o);
    trace[nt++] = o.sa_sigaction == first ? 1 : o.sa_handler == SIG_DFL ? 10 : 100;
    tl_on(s, second, 0);
    trace[nt++] = 2;
}

static void
second(int s, siginfo_t *si, void *v)
{
    trace[nt++] = 3;
    tl_on(s, first, SA_NODEFER);
    if (nt < 20)
        raise(s);
    trace[nt++] = 4;
}

static void
fatal_next(int s, siginfo_t *si, void *v)
{
    signal(s, SIG_DFL);
    write(1, "once\n", 5);
}

static void
child_dfl(void)
{
    tl_on(SIGSEGV, fatal_next, 0);
    *(volatile int *)0 = 0;
}

static void
child_reset(void)
{
    tl_on(SIGSEGV, fatal_next, SA_RESETHAND);
    *(volatile int *)0 = 0;
}

static void
pending_ignored(int s, siginfo_t *si, void *v)
{
    trace[nt++] = 7;
}

int
main(void)
{
    struct sigaction o;
    tl_on(SIGUSR1, first, SA_RESETHAND);
    raise(SIGUSR1);
    raise(SIGUSR1);
    for (int i = 0; i < nt; i++)
        printf("%d ", trace[i]);
    puts("");
    int st = tl_child(child_dfl);
    printf("%d\n", WTERMSIG(st));
    st = tl_child(child_reset);
    printf("%d\n", WTERMSIG(st));
    /* setting SIG_IGN throws away what is pending, setting a handler does not bring it back */
    sigset_t m;
    nt = 0;
    sigemptyset(&m);
    sigaddset(&m, SIGUSR2);
    sigaddset(&m, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &m, 0);
    tl_on(SIGUSR2, pending_ignored, 0);
    tl_on(SIGRTMIN, pending_ignored, 0);
    raise(SIGUSR2);
    for (int i = 0; i < 3; i++)
        raise(SIGRTMIN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGRTMIN, SIG_IGN);
    tl_on(SIGUSR2, pending_ignored, 0);
    tl_on(SIGRTMIN, pending_ignored, 0);
    sigprocmask(SIG_UNBLOCK, &m, 0);
    EQ(nt, 0);
    /* SIG_DFL of a signal that is ignored by default throws it away too; SIGCONT throws away stops */
    sigemptyset(&m);
    sigaddset(&m, SIGURG);
    sigaddset(&m, SIGTSTP);
    sigprocmask(SIG_BLOCK, &m, 0);
    raise(SIGURG);
    signal(SIGURG, SIG_DFL);
    tl_on(SIGURG, pending_ignored, 0);
    raise(SIGTSTP);
    raise(SIGCONT);
    tl_on(SIGTSTP, pending_ignored, 0);
    sigprocmask(SIG_UNBLOCK, &m, 0);
    EQ(nt, 0);
    /* what sigaction gives back is what was set, field by field */
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_NOCLDSTOP | SA_RESTART};
    sa.sa_sigaction = second;
    for (int i = 1; i < 65; i += 3)
        sigaddset(&sa.sa_mask, i);
    sigaction(SIGHUP, &sa, 0);
    sigaction(SIGHUP, 0, &o);
    CHECK(o.sa_sigaction == second);
    printf("%x %llx\n", o.sa_flags & ~0x4000000, *(unsigned long long *)&o.sa_mask);
    return tl_end();
}
