#include "tl.h"

/* sigsuspend, ppoll, pselect, epoll_pwait: their mask lets a pending signal in, and the old one is back afterwards */
static volatile int n[65];
static volatile int mask_in_handler;

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    sigset_t now;
    n[s]++;
    sigprocmask(SIG_BLOCK, 0, &now);
    mask_in_handler =
        sigismember(&now, SIGUSR1) | sigismember(&now, SIGUSR2) << 1 | sigismember(&now, SIGSEGV) << 2;
    mask_in_handler |= sigismember(&u->uc_sigmask, SIGUSR1) << 4 | sigismember(&u->uc_sigmask, SIGUSR2) << 5 |
                       sigismember(&u->uc_sigmask, SIGSEGV) << 6;
}

static void
check_mask(const char *what, int sig)
{
    sigset_t now;
    sigprocmask(SIG_BLOCK, 0, &now);
    printf("%s %d: handled %d, mask in handler %02x, after %d%d%d\n", what, sig, n[sig], mask_in_handler,
           sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2), sigismember(&now, SIGSEGV));
    n[sig] = 0;
}

int
main(void)
{
    int sigs[] = {SIGUSR1, SIGUSR2, SIGSEGV, SIGTRAP, SIGRTMIN + 5};
    sigset_t all, but;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, 0);
    int p[2];
    pipe(p);
    int ep = epoll_create1(0);
    struct epoll_event ev = {EPOLLIN};
    epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
    struct timespec forever = {1000, 0};
    for (int i = 0; i < 5; i++) {
        int s = sigs[i];
        tl_on(s, hd, SA_RESTART); /* these calls never restart */
        sigfillset(&but);
        sigdelset(&but, s);
        kill(getpid(), s);
        EQ(n[s], 0);
        EQ(sigsuspend(&but), -1);
        EQ(errno, EINTR);
        check_mask("sigsuspend", s);
        raise(s);
        struct pollfd pf = {p[0], POLLIN};
        EQ(ppoll(&pf, 1, &forever, &but), -1);
        EQ(errno, EINTR);
        check_mask("ppoll", s);
        raise(s);
        fd_set f;
        FD_ZERO(&f);
        FD_SET(p[0], &f);
        EQ(pselect(p[0] + 1, &f, 0, 0, &forever, &but), -1);
        EQ(errno, EINTR);
        check_mask("pselect", s);
        raise(s);
        EQ(epoll_pwait(ep, &ev, 1, 1000000, &but), -1);
        EQ(errno, EINTR);
        check_mask("epoll_pwait", s);
        raise(s);
        EQ(syscall(SYS_epoll_pwait2, ep, &ev, 1, &forever, &but, 8), -1);
        EQ(errno, EINTR);
        check_mask("epoll_pwait2", s);
    }
    /* ready at once: the signal stays pending */
    raise(SIGUSR1);
    write(p[1], "x", 1);
    struct pollfd pf = {p[0], POLLIN};
    sigdelset(&but, SIGUSR1);
    EQ(poll(&pf, 1, 0), 1);
    int r = ppoll(&pf, 1, &forever, &all);
    EQ(r, 1);
    sigset_t pend;
    sigpending(&pend);
    EQ(sigismember(&pend, SIGUSR1), 1);
    EQ(n[SIGUSR1], 0);
    return tl_end();
}
